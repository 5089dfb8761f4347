import t from 'tap';
import { createProgress } from '../../src/ops/progress.js';

function recorded(isTTY: boolean): { out: { isTTY: boolean; write(text: string): void }; written: string[] } {
  const written: string[] = [];
  return { out: { isTTY, write: (text) => void written.push(text) }, written };
}

void t.test('on a terminal one line is drawn again, at most ten times a second, with the time left', async (t) => {
  const { out, written } = recorded(true);
  let nowMs = 0;
  const progress = createProgress({ label: 'eval', total: 200, out, nowMs: () => nowMs });
  for (let done = 1; done <= 50; done++) {
    nowMs += 1000;
    progress.update(done);
    progress.update(done);
  }
  t.equal(written.length, 50, 'the second of two at once is not drawn');
  t.equal(written.at(-1), '\reval [######..................] 25 %  50 of 200  2 min 30 s left\u001b[K');
  progress.update(200);
  progress.end();
  t.match(written.at(-2), /100 % {2}200 of 200 {2}done/);
  t.equal(written.at(-1), '\n');
});

void t.test('elsewhere a line is written for each tenth', async (t) => {
  const { out, written } = recorded(false);
  let nowMs = 0;
  const show = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;
  const progress = createProgress({ label: 'pull', total: 20e6, already: 10e6, show, out, nowMs: () => nowMs });
  for (let done = 10e6; done <= 20e6; done += 1e5) {
    nowMs += 72_000;
    progress.update(done);
  }
  progress.end();
  t.equal(written.length, 6, 'at 50 % and each tenth after it');
  t.equal(written[1], 'pull [##############..........] 60 %  12.0 MB of 20.0 MB  1 h 40 min left\n');
  t.match(written.at(-1), /100 % .* done\n/);
});

void t.test('where nobody knows how much there is, the amount is shown without a promise', async (t) => {
  const terminal = recorded(true);
  createProgress({ label: 'pull', total: null, out: terminal.out }).update(7);
  t.equal(terminal.written[0], '\rpull  7\u001b[K');
  const log = recorded(false);
  const progress = createProgress({ label: 'pull', total: null, out: log.out });
  progress.update(7);
  progress.end();
  t.same(log.written, []);
});
