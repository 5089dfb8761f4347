import t from 'tap';
import { defaultPolicy } from '../../src/decision/policy.js';
import { isTooFast, velocityWindowStart } from '../../src/decision/velocity.js';

const limits = { ...defaultPolicy.velocity, maxDistinctAccountsPerLine: 5, maxFailuresPerLine: 20, windowSeconds: 600 };

void t.test('a line that failed on five accounts, or twenty times on one, is too fast', async (t) => {
  t.equal(isTooFast('line', { distinctAccounts: 4, failures: 19 }, limits), false);
  t.equal(isTooFast('line', { distinctAccounts: 5, failures: 5 }, limits), true);
  t.equal(isTooFast('line', { distinctAccounts: 1, failures: 20 }, limits), true);
});

void t.test('a key, which is a whole IVR, has limits of its own', async (t) => {
  t.equal(isTooFast('key', { distinctAccounts: 5, failures: 20 }, limits), false);
  t.equal(isTooFast('key', { distinctAccounts: 1e6, failures: 1e6 }, limits), true);
});

void t.test('null means no limit', async (t) => {
  const open = { ...limits, maxDistinctAccountsPerLine: null, maxFailuresPerLine: null };
  t.equal(isTooFast('line', { distinctAccounts: 1e6, failures: 1e6 }, open), false);
});

void t.test('the window reaches back by the policy’s seconds', async (t) => {
  const now = new Date('2026-11-22T10:00:00Z');
  t.same(velocityWindowStart(now, limits), new Date('2026-11-22T09:50:00Z'));
});
