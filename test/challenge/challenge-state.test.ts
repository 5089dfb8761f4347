import t from 'tap';
import { challengeState, type ChallengeUse, type IssuedChallenge } from '../../src/challenge/challenge-state.js';

const now = new Date('2026-11-22T09:00:00Z');
const after = (ms: number): Date => new Date(now.getTime() + ms);
const line = (value: number): Uint8Array => new Uint8Array(32).fill(value);

const issued: IssuedChallenge = {
  accountId: 'a-1',
  purpose: 'verification',
  lineHash: line(1),
  expiresAt: after(1000),
  usedAt: null,
};
const use: ChallengeUse = { accountId: 'a-1', purpose: 'verification', lineHash: line(1) };

void t.test('good for its account, purpose and line until it expires', async (t) => {
  t.equal(challengeState(issued, use, now), 'valid');
  t.equal(challengeState(issued, use, after(999)), 'valid');
  t.equal(challengeState(issued, use, after(1000)), 'expired');
});

void t.test('used is reused, also after its time', async (t) => {
  t.equal(challengeState({ ...issued, usedAt: now }, use, now), 'reused');
  t.equal(challengeState({ ...issued, usedAt: now }, use, after(5000)), 'reused');
});

void t.test('unknown, or of another account, purpose or line, is a mismatch and tells no more', async (t) => {
  t.equal(challengeState(null, use, now), 'mismatch');
  const used = { ...issued, usedAt: now, expiresAt: after(-1) };
  t.equal(challengeState(used, { ...use, accountId: 'a-2' }, now), 'mismatch');
  t.equal(challengeState(used, { ...use, purpose: 'enrolment' }, now), 'mismatch');
  t.equal(challengeState(used, { ...use, lineHash: line(2) }, now), 'mismatch');
  t.equal(challengeState(used, { ...use, lineHash: line(1).subarray(1) }, now), 'mismatch');
});

void t.test('bound to a line it needs that line, bound to none it is good on any', async (t) => {
  t.equal(challengeState(issued, { ...use, lineHash: null }, now), 'mismatch');
  t.equal(challengeState({ ...issued, lineHash: null }, use, now), 'valid');
});
