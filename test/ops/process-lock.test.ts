import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import t from 'tap';
import { takeLock } from '../../src/ops/process-lock.js';

function lockPath(t: Tap): string {
  const dir = mkdtempSync(join(tmpdir(), 'voicegate-lock-'));
  t.teardown(() => rmSync(dir, { recursive: true }));
  return join(dir, 'the.lock');
}

type Tap = Pick<typeof t, 'teardown'>;

void t.test('a lock is held once at a time and leaves nothing behind', async (t) => {
  const path = lockPath(t);
  const unlock = takeLock(path, 'the thing');
  t.throws(() => takeLock(path, 'the thing'), {
    code: 'configuration_invalid',
    message: `the thing is held by process ${process.pid}`,
    hint: new RegExp(path),
    details: { pid: process.pid, host: hostname() },
  });
  unlock();
  takeLock(path, 'the thing')();
  t.same(readdirSync(dirname(path)), []);
});

void t.test('a lock of a process that is gone is taken over; one that cannot be looked at stands', async (t) => {
  const path = lockPath(t);
  const unlock = takeLock(path, 'the thing');
  const mine = JSON.parse(readFileSync(path, 'utf8')) as { pid: number; host: string; birth: string };
  unlock();
  const gone = 2 ** 22 + 1; // above the kernel's highest pid
  const takenOver: [string, object | string][] = [
    ['no such process', { ...mine, pid: gone }],
    ['the same pid after a reboot', { ...mine, birth: mine.birth.replace(/^\S+/, 'another-boot') }],
    ['the pid given out again since', { ...mine, birth: mine.birth.replace(/\S+$/, '1') }],
    ['not a lock of ours', 'xyz'],
  ];
  for (const [what, content] of takenOver) {
    writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
    const release = takeLock(path, 'the thing');
    t.same(JSON.parse(readFileSync(path, 'utf8')), mine, what);
    release();
  }
  const standing: [string, object][] = [
    ['another host', { ...mine, pid: gone, host: 'another-host' }],
    ['another user’s process', { ...mine, pid: 1, birth: null }],
  ];
  for (const [what, content] of standing) {
    writeFileSync(path, JSON.stringify(content));
    t.throws(() => takeLock(path, 'the thing'), { code: 'configuration_invalid' }, what);
    rmSync(path);
  }
});
