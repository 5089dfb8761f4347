import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** Processor time a process has used since its start, seconds. Linux only. */
export interface ProcessUsage {
  readonly totalSeconds: number;
  /** The thread that runs JavaScript and the embedded database. */
  readonly mainSeconds: number;
}

/** Linux counts processor time in these (USER_HZ, the same on every architecture that Node.js runs on). */
const ticksPerSecond = 100;

/** Reads /proc. @throws Error where there is none, or no such process */
export function usageOf(pid: number): ProcessUsage {
  return { totalSeconds: secondsIn(`/proc/${pid}/stat`), mainSeconds: secondsIn(`/proc/${pid}/task/${pid}/stat`) };
}

/** Resident memory of a process, MiB. */
export function residentMiB(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? NaN) / 1024;
}

/** What a process has open: sockets, and files of the database, models and others. */
export function openFilesOf(pid: number): { readonly sockets: number; readonly files: number } {
  const targets = readdirSync(`/proc/${pid}/fd`).map((fd) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${fd}`);
    } catch {
      return ''; // Closed meanwhile.
    }
  });
  return {
    sockets: targets.filter((target) => target.startsWith('socket:')).length,
    files: targets.filter((target) => target.startsWith('/')).length,
  };
}

function secondsIn(path: string): number {
  // The name of the program stands in brackets and may hold anything; user and system time are fields 14 and 15.
  const fields = readFileSync(path, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}
