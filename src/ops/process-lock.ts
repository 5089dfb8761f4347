import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { VoicegateError } from '../errors.js';

/** Who holds a lock. A pid alone does not say: it is given out again after a reboot, and is 1 in every container. */
interface Holder {
  readonly pid: number;
  readonly host: string;
  /** Linux: boot id and start time of the process; elsewhere null, and the pid must do. */
  readonly birth: string | null;
}

const takeoverTries = 3;

/**
 * Takes something for this process with a lock file. A lock left by a process of this host that is gone (killed, or from before a reboot) is
 * taken over. A process of another host (another container on the same volume) cannot be looked at, so its lock stands.
 * @param path the lock file; its folder must be there
 * @param what is locked, for the error: `the data folder`
 * @returns a function that gives it back
 * @throws VoicegateError `configuration_invalid` naming the process that holds it
 */
export function takeLock(path: string, what: string): () => void {
  const mine = `${path}.${process.pid}`;
  const aside = `${path}.stale.${process.pid}`;
  writeFileSync(mine, JSON.stringify({ pid: process.pid, host: hostname(), birth: birthOf(process.pid) }), {
    mode: 0o600,
  });
  try {
    for (let attempt = 0; attempt < takeoverTries; attempt++) {
      // A link appears with its whole content, or not at all because somebody else's is there.
      if (succeeds(() => linkSync(mine, path), 'EEXIST')) return () => rmSync(path, { force: true });
      const found = read(path);
      if (found === null) continue;
      refuseIfHeld(found, path, what);
      if (!succeeds(() => renameSync(path, aside), 'ENOENT')) continue;
      // Between the look and the move another may have taken it: then it was its lock that was moved.
      if (read(aside) !== found) succeeds(() => linkSync(aside, path), 'EEXIST');
    }
    throw new VoicegateError('configuration_invalid', `${what} is being taken by another process`, {
      hint: 'One process at a time may hold it.',
    });
  } finally {
    rmSync(mine, { force: true });
    rmSync(aside, { force: true });
  }
}

function refuseIfHeld(content: string, path: string, what: string): void {
  let holder: Holder;
  try {
    holder = JSON.parse(content) as Holder;
  } catch {
    return; // Not written by takeLock, which links whole files only.
  }
  const here = holder.host === hostname();
  if (here && !isAlive(holder)) return;
  throw new VoicegateError(
    'configuration_invalid',
    `${what} is held by process ${holder.pid}${here ? '' : ` of host ${holder.host}`}`,
    {
      hint: `Wait for that process or stop it. If it is gone for certain, delete ${path}.`,
      details: { pid: holder.pid, host: holder.host },
    },
  );
}

function isAlive(holder: Holder): boolean {
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    // EPERM: it is there, and somebody else's.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
  return holder.birth === null || holder.birth === birthOf(holder.pid);
}

/** Tells two processes of one pid apart: the machine's boot id and the process's start time in ticks since that boot. */
function birthOf(pid: number): string | null {
  const bootId = read('/proc/sys/kernel/random/boot_id');
  const stat = read(`/proc/${pid}/stat`);
  if (bootId === null || stat === null) return null;
  // Fields 3 (state) and 22 (start time) of proc(5) stat; the second, the program's name, may hold spaces and ends with the last bracket.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  // A zombie has ended, though its parent did not look yet.
  return fields[0] === 'Z' ? 'ended' : `${bootId.trim()} ${fields[19] ?? ''}`;
}

function read(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

/** Runs a file operation; answers false when it failed for the one expected reason. */
function succeeds(operation: () => void, expectedCode: string): boolean {
  try {
    operation();
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === expectedCode) return false;
    throw error;
  }
}
