import t from 'tap';
import { afterDecision, afterWrongPin, gate, isCountedFailure } from '../../src/decision/attempts.js';
import { noAttempts, type AttemptState } from '../../src/decision/attempt-state.js';
import { nistDraftLadder, operatorLadder } from '../../src/decision/policy.js';
import { reasons, type Decision, type Reason } from '../../src/decision/reasons.js';

const start = new Date('2026-11-22T09:00:00Z');
const later = (seconds: number): Date => new Date(start.getTime() + seconds * 1000);
const reject = (...why: Reason[]): Decision => ({ kind: 'REJECT', reasons: why });
const accept: Decision = { kind: 'ACCEPT', reasons: [] };
const secondsLocked = (state: AttemptState, now: Date): number | null =>
  state.lockedUntil === null ? null : (state.lockedUntil.getTime() - now.getTime()) / 1000;

/** So many wrong PINs, each as soon as the ladder allows; the waits they met. */
function climb(count: number): { state: AttemptState; waits: (number | null)[] } {
  let state = noAttempts;
  let now = start;
  const waits: (number | null)[] = [];
  for (let i = 0; i < count; i++) {
    if (state.lockedUntil !== null) now = state.lockedUntil;
    state = afterDecision(state, reject('PIN_FAILED'), 'wrong', nistDraftLadder, now);
    waits.push(state.disabled ? null : (secondsLocked(state, now) ?? 0));
  }
  return { state, waits };
}

void t.test(
  'four failures are free, the fifth brings 30 s, each further one doubles the wait up to an hour',
  async (t) => {
    t.same(climb(13).waits, [0, 0, 0, 0, 30, 60, 120, 240, 480, 960, 1920, 3600, 3600]);
  },
);

void t.test('the fiftieth failure disables until an operator unlocks', async (t) => {
  t.equal(climb(49).state.disabled, false);
  const { state } = climb(50);
  t.equal(state.disabled, true);
  t.same(gate(state, later(1e9)), { open: false, retryAt: null });
});

void t.test('a lock is closed until its end and open from it on', async (t) => {
  const state = { ...noAttempts, failures: 5, lockedUntil: later(30) };
  t.same(gate(state, later(29.999)), { open: false, retryAt: later(30) });
  t.same(gate(state, later(30)), { open: true });
  t.same(gate(noAttempts, start), { open: true });
});

void t.test('only a REJECT by voice, PIN or text counts, and as one failure', async (t) => {
  const counting: Reason[] = ['VOICE_MISMATCH', 'PIN_FAILED', 'WRONG_TEXT'];
  for (const reason of reasons) {
    const state = afterDecision(noAttempts, reject(reason), 'missing', nistDraftLadder, start);
    t.equal(state.failures, counting.includes(reason) ? 1 : 0, reason);
    t.equal(isCountedFailure(reject(reason)), counting.includes(reason));
  }
  const all = afterDecision(noAttempts, reject('PIN_FAILED', 'WRONG_TEXT'), 'wrong', nistDraftLadder, start);
  t.same(all, { failures: 1, wrongPins: 1, lockedUntil: null, disabled: false });
  for (const kind of ['CONTINUE', 'STEP_UP', 'INCONCLUSIVE'] as const) {
    const near: Decision = { kind, reasons: ['WRONG_TEXT', 'VOICE_UNSURE'] };
    t.equal(afterDecision(all, near, 'right', nistDraftLadder, start), all, `${kind} changes nothing`);
  }
});

void t.test('an ACCEPT with the right PIN clears everything', async (t) => {
  const { state } = climb(7);
  t.same(afterDecision(state, accept, 'right', nistDraftLadder, start), noAttempts);
});

void t.test('an ACCEPT without a PIN does not buy further guesses at the PIN', async (t) => {
  const before = { failures: 4, wrongPins: 3, lockedUntil: null, disabled: false };
  const after = afterDecision(before, accept, 'missing', nistDraftLadder, start);
  t.same(after, { failures: 3, wrongPins: 3, lockedUntil: null, disabled: false });
});

void t.test('a wrong PIN given as a proof counts like one in a verification', async (t) => {
  const byProof = afterWrongPin(noAttempts, nistDraftLadder, start);
  t.same(byProof, afterDecision(noAttempts, reject('PIN_FAILED'), 'wrong', nistDraftLadder, start));
});

void t.test('the operator ladder locks for a day at the third wrong PIN and then starts anew', async (t) => {
  let state = noAttempts;
  for (let i = 0; i < 2; i++) state = afterWrongPin(state, operatorLadder, start);
  t.same(gate(state, start), { open: true });
  state = afterWrongPin(state, operatorLadder, start);
  t.same(gate(state, start), { open: false, retryAt: later(86_400) });
  const next = afterWrongPin(state, operatorLadder, later(86_400));
  t.same(next, { failures: 1, wrongPins: 1, lockedUntil: null, disabled: false });
});

void t.test('the operator ladder bounds failures of voice and text too', async (t) => {
  let state = noAttempts;
  for (let i = 0; i < 9; i++) state = afterDecision(state, reject('VOICE_MISMATCH'), 'missing', operatorLadder, start);
  t.same(gate(state, start), { open: true });
  state = afterDecision(state, reject('VOICE_MISMATCH'), 'missing', operatorLadder, start);
  t.equal(gate(state, start).open, false);
});

void t.test('a disabled account stays disabled when the policy changes to another ladder', async (t) => {
  const { state } = climb(50);
  const after = afterWrongPin({ ...state, lockedUntil: start }, operatorLadder, later(1e6));
  t.equal(after.disabled, true);
});
