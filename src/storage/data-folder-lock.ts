import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { VoicegateError } from '../errors.js';

/** Who holds a data folder. A pid alone does not say: it is given out again after a reboot, and is 1 in every container. */
interface Holder {
  readonly pid: number;
  readonly host: string;
  /** Linux: boot id and start time of the process; elsewhere null, and the pid must do. */
  readonly birth: string | null;
}

const takeoverTries = 3;

/**
 * Takes the folder for this process with a lock file, because two embedded databases on one folder destroy it and PGlite does not look.
 * A lock left by a process of this host that is gone (killed, or from before a reboot) is taken over. A process of another host
 * (another container on the same volume) cannot be looked at, so its lock stands.
 * @returns a function that gives the folder back
 * @throws VoicegateError `configuration_invalid` naming the process that holds it
 */
export function lockDataFolder(dataDir: string): () => void {
  const path = join(dataDir, 'voicegate.lock');
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
      refuseIfHeld(found, path);
      if (!succeeds(() => renameSync(path, aside), 'ENOENT')) continue;
      // Between the look and the move another starter may have taken the folder: then it was its lock that was moved.
      if (read(aside) !== found) succeeds(() => linkSync(aside, path), 'EEXIST');
    }
    throw new VoicegateError('configuration_invalid', 'the data folder is being taken by another process', {
      hint: 'Start one process per data folder.',
    });
  } finally {
    rmSync(mine, { force: true });
    rmSync(aside, { force: true });
  }
}

function refuseIfHeld(content: string, path: string): void {
  let holder: Holder;
  try {
    holder = JSON.parse(content) as Holder;
  } catch {
    return; // Not written by lockDataFolder, which links whole files only.
  }
  const here = holder.host === hostname();
  if (here && !isAlive(holder)) return;
  throw new VoicegateError(
    'configuration_invalid',
    `the data folder is held by process ${holder.pid}${here ? '' : ` of host ${holder.host}`}`,
    {
      hint: `Stop that process or use another data folder. If that process is gone for certain, delete ${path}.`,
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
