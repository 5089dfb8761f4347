import t from 'tap';
import { defaultPolicy } from '../../src/decision/policy.js';
import { VoicegateError } from '../../src/errors.js';
import { unlockAccount, getAccount, eraseAccount, setOptOut } from '../../src/service/accounts.js';
import { createChallenge } from '../../src/service/challenges.js';
import { withdrawConsent } from '../../src/service/consents.js';
import { startEnrolment } from '../../src/service/enrolments.js';
import { ensureTenant } from '../../src/service/first-start.js';
import { verifyOnce } from '../../src/service/idempotency.js';
import { activatePolicy, storePolicy } from '../../src/service/policies.js';
import type { VerificationRequest } from '../../src/service/verification-request.js';
import { verify } from '../../src/service/verify.js';
import {
  attempt,
  scorerFor,
  enrolled,
  goodPin,
  modelId,
  nextModelId,
  noProof,
  openHarness,
  otherPin,
  recording,
  request,
  type Recording,
} from './harness.js';

t.setTimeout(170_000);
const harness = await openHarness(t);
const { context, ears, full, opaque } = harness;
const ask = (accountId: string, caller = full) =>
  createChallenge(context, caller, accountId, { language: 'zh', lineNumber: null });
let accounts = 0;
const newCaller = async (voice = 1): Promise<string> => {
  const accountId = `caller-${++accounts}`;
  await enrolled(harness, accountId, voice);
  return accountId;
};
const voice: Recording = { voice: 1, blur: 0.1 };

void t.test('the right voice with the right PIN is accepted at the low tier', async (t) => {
  const accountId = await newCaller();
  const { verification } = await attempt(harness, accountId, voice);
  t.same(verification.decision, { kind: 'ACCEPT', reasons: [] });
  t.equal(verification.evidence.pin, 'right');
  t.equal(verification.evidence.voice.kind, 'compared');
  t.ok(verification.policyVersion >= 1);
});

void t.test('where nobody can tell what was said the standard tier steps up with PHRASE_NOT_CHECKED', async (t) => {
  const accountId = await newCaller();
  const { verification } = await attempt(harness, accountId, { ...voice, says: undefined }, { tier: 'standard' });
  t.same(verification.decision, { kind: 'STEP_UP', reasons: ['PHRASE_NOT_CHECKED'] });
  const high = await attempt(harness, accountId, { ...voice, says: undefined }, { tier: 'high' });
  t.equal(high.verification.decision.kind, 'STEP_UP');
  t.ok(high.verification.decision.reasons.includes('NEW_VOICEPRINT'));
});

void t.test('another voice is refused, and so is a wrong PIN', async (t) => {
  const accountId = await newCaller();
  const other = await attempt(harness, accountId, { voice: 5 });
  t.same(other.verification.decision, { kind: 'REJECT', reasons: ['VOICE_MISMATCH'] });
  const wrong = await attempt(harness, accountId, voice, { pin: otherPin });
  t.same(wrong.verification.decision, { kind: 'REJECT', reasons: ['PIN_FAILED'] });
});

void t.test('voice without PIN is never accepted', async (t) => {
  const accountId = await newCaller();
  const { verification } = await attempt(harness, accountId, voice, { pin: null });
  t.equal(verification.decision.kind, 'STEP_UP');
  t.ok(verification.decision.reasons.includes('PIN_MISSING'));
});

void t.test('a challenge is good once, for its account, its line and its time', async (t) => {
  const accountId = await newCaller();
  const used = await ask(accountId);
  await verify(context, full, request(accountId, used.challengeId, voice));
  const again = await verify(context, full, request(accountId, used.challengeId, voice));
  t.same(again.verification.decision.reasons, ['CHALLENGE_REUSED']);

  const stranger = await newCaller();
  const borrowed = await verify(context, full, request(accountId, (await ask(stranger)).challengeId, voice));
  t.same(borrowed.verification.decision.reasons, ['CHALLENGE_MISMATCH']);

  const bound = await createChallenge(context, full, accountId, { language: 'en', lineNumber: '13800000001' });
  const call = { callId: null, lineNumber: '13800000002', channel: null, agentId: null };
  const elsewhere = await verify(context, full, request(accountId, bound.challengeId, voice, { call }));
  t.same(elsewhere.verification.decision.reasons, ['CHALLENGE_MISMATCH']);
  const there = { ...call, lineNumber: '13800000001' };
  t.equal(
    (await verify(context, full, request(accountId, bound.challengeId, voice, { call: there }))).verification.decision
      .kind,
    'ACCEPT',
  );

  const late = await ask(accountId);
  harness.wait(defaultPolicy.challenge.validitySeconds + 1);
  const expired = await verify(context, full, request(accountId, late.challengeId, voice));
  t.same(expired.verification.decision, { kind: 'CONTINUE', reasons: ['CHALLENGE_EXPIRED'] });
  t.ok(expired.nextChallenge);
});

void t.test('at most three challenges stay open; the oldest expires first', async (t) => {
  const accountId = await newCaller();
  const [first, second] = [await ask(accountId), await ask(accountId), await ask(accountId), await ask(accountId)];
  const younger = await verify(context, full, request(accountId, second.challengeId, voice));
  t.equal(younger.verification.decision.kind, 'ACCEPT');
  const oldest = await verify(context, full, request(accountId, first.challengeId, voice));
  t.same(oldest.verification.decision.reasons, ['CHALLENGE_EXPIRED']);
});

void t.test('of a hundred simultaneous verifications of one challenge exactly one is judged', async (t) => {
  const accountId = await newCaller();
  const { challengeId } = await ask(accountId);
  const before = ears.heardFrom.length;
  const answers = await Promise.all(
    Array.from({ length: 100 }, () => verify(context, full, request(accountId, challengeId, voice))),
  );
  const kinds = answers.map(({ verification }) => verification.decision);
  t.equal(kinds.filter(({ kind }) => kind === 'ACCEPT').length, 1);
  t.equal(kinds.filter(({ reasons }) => reasons[0] === 'CHALLENGE_REUSED').length, 99);
  t.equal(ears.heardFrom.length - before, 1, 'one recording was listened to');
});

void t.test('of many simultaneous wrong PINs only as many as the ladder allows are judged', async (t) => {
  const accountId = await newCaller();
  const policy = await storePolicy(context, full, {
    ...defaultPolicy,
    challenge: { ...defaultPolicy.challenge, maxOpen: 10 },
  });
  await activatePolicy(context, full, policy.version);
  const answers = [];
  for (let round = 0; round < 4; round++) {
    const challenges = [];
    for (let open = 0; open < 10; open++) challenges.push(await ask(accountId));
    answers.push(
      ...(await Promise.all(
        challenges.map(({ challengeId }) =>
          verify(context, full, request(accountId, challengeId, voice, { pin: otherPin })),
        ),
      )),
    );
  }
  const decisions = answers.map(({ verification }) => verification);
  const locked = decisions.filter(({ decision }) => decision.reasons[0] === 'LOCKED');
  t.equal(decisions.filter(({ decision }) => decision.reasons[0] === 'PIN_FAILED').length, 5);
  t.equal(locked.length, 35);
  t.ok(
    locked.every(({ evidence }) => evidence.pin === 'not_checked'),
    'a locked account tells nothing of the PIN',
  );
  const right = await attempt(harness, accountId, voice);
  t.same(right.verification.decision.reasons, ['LOCKED'], 'the right PIN does not help while locked');
  t.ok((await getAccount(context, full, accountId)).lockedUntil);
  await unlockAccount(context, full, accountId, { agentId: 'agent-1', reason: 'identified by agent' });
  t.equal((await attempt(harness, accountId, voice)).verification.decision.kind, 'ACCEPT');
});

void t.test('two hundred simultaneous wrong PINs shown as proof do not pass the ladder either', async (t) => {
  const accountId = await newCaller();
  const proof = { ...noProof, pin: otherPin };
  const tries = await Promise.allSettled(
    Array.from({ length: 200 }, () => startEnrolment(context, full, accountId, { language: 'zh', proof })),
  );
  const codes = tries.map((one) => (one.status === 'rejected' ? (one.reason as { code: string }).code : 'passed'));
  t.equal(codes.filter((code) => code === 'proof_refused').length, 5);
  t.equal(codes.filter((code) => code === 'locked').length, 195);
});

void t.test('a locked account is not listened to', async (t) => {
  const accountId = await newCaller();
  for (let failure = 0; failure < 5; failure++) await attempt(harness, accountId, voice, { pin: otherPin });
  ears.heardFrom.length = 0;
  await attempt(harness, accountId, voice);
  t.same(ears.heardFrom, [{ modelId, listening: 'decoy' }]);
  harness.wait(31);
  t.equal((await attempt(harness, accountId, voice)).verification.decision.kind, 'ACCEPT', 'open again after the wait');
});

void t.test('doubtful audio asks for one more phrase, three times a call, then for another factor', async (t) => {
  const accountId = await newCaller();
  let answer = await attempt(harness, accountId, { voice: 1, snrDb: 0 });
  const seen = [answer.verification.decision.kind];
  for (let more = 0; more < 3; more++) {
    const { challengeId } = answer.nextChallenge ?? (await ask(accountId));
    answer = await verify(
      context,
      full,
      request(accountId, challengeId, { voice: 1, snrDb: 0 }, { continues: answer.verification.verificationId }),
    );
    seen.push(answer.verification.decision.kind);
  }
  t.same(seen, ['CONTINUE', 'CONTINUE', 'CONTINUE', 'STEP_UP']);
  t.same(answer.verification.decision.reasons, ['LOW_QUALITY']);
});

void t.test('the bound on phrases holds by call id when continues is left out', async (t) => {
  const accountId = await newCaller();
  const call = { callId: 'call-1', lineNumber: null, channel: null, agentId: null };
  const seen = [];
  for (let turn = 0; turn < 4; turn++) {
    seen.push((await attempt(harness, accountId, { voice: 1, snrDb: 0 }, { call })).verification.decision.kind);
  }
  t.same(seen, ['CONTINUE', 'CONTINUE', 'CONTINUE', 'STEP_UP']);
});

void t.test('a chain is continued once and only from a CONTINUE of the same account', async (t) => {
  const accountId = await newCaller();
  const first = await attempt(harness, accountId, { voice: 1, snrDb: 0 });
  const continues = first.verification.verificationId;
  const second = await attempt(harness, accountId, voice, { continues });
  t.equal(second.verification.decision.kind, 'ACCEPT');
  await t.rejects(attempt(harness, accountId, voice, { continues }), { code: 'conflict' });
  await t.rejects(attempt(harness, accountId, voice, { continues: second.verification.verificationId }), {
    code: 'conflict',
  });
  const stranger = await newCaller();
  await t.rejects(attempt(harness, stranger, voice, { continues }), { code: 'verification_unknown' });
});

void t.test(
  'no consent, opted out, not enrolled: nothing of the voice is embedded, and the reason is told to a full key',
  async (t) => {
    const withdrawn = await newCaller();
    await withdrawConsent(context, full, withdrawn);
    ears.heardFrom.length = 0;
    t.same((await attempt(harness, withdrawn, voice)).verification.decision, {
      kind: 'STEP_UP',
      reasons: ['NOT_ENROLLED'],
    });
    t.same(ears.heardFrom, [{ modelId, listening: 'decoy' }]);

    const refusing = await newCaller();
    const { challengeId } = await ask(refusing);
    await setOptOut(context, full, refusing, true);
    const answer = await verify(context, full, request(refusing, challengeId, voice));
    t.same(answer.verification.decision, { kind: 'STEP_UP', reasons: ['OPTED_OUT'] });
    await t.rejects(ask(refusing), { code: 'opted_out' });
    await t.rejects(ask('nobody'), { code: 'account_unknown' });
  },
);

void t.test('an opaque key is answered for an unknown account as for a stranger with a wrong PIN', async (t) => {
  const unknown = await attempt(harness, 'nobody-at-all', voice, {}, opaque);
  t.equal(unknown.verification.decision.kind, 'REJECT');
  t.same(unknown.verification.decision.reasons, ['NOT_ENROLLED'], 'the record tells the truth');
  const tries = [];
  for (let failure = 0; failure < 6; failure++) {
    tries.push((await attempt(harness, 'nobody-else', voice, { pin: otherPin }, opaque)).verification.decision);
  }
  t.same(
    tries.map(({ kind }) => kind),
    Array(6).fill('REJECT'),
  );
  t.same(tries[5]?.reasons, ['LOCKED'], 'the ladder of an unknown account locks like a real one');
  const unclear = await attempt(harness, 'nobody-third', { voice: 1, snrDb: 0 }, { pin: null }, opaque);
  t.equal(unclear.verification.decision.kind, 'CONTINUE');
  t.ok(unclear.nextChallenge);
});

void t.test('one PIN tried on many accounts from one line is found by the second counter', async (t) => {
  const call = { callId: null, lineNumber: '13911112222', channel: null, agentId: null };
  const reasons = [];
  for (let victim = 0; victim < 7; victim++) {
    const accountId = await newCaller();
    reasons.push((await attempt(harness, accountId, voice, { pin: otherPin, call })).verification.decision.reasons[0]);
  }
  t.same(reasons, [...Array<string>(5).fill('PIN_FAILED'), 'VELOCITY', 'VELOCITY']);
  const accountId = await newCaller();
  t.equal((await attempt(harness, accountId, voice)).verification.decision.kind, 'ACCEPT', 'other lines go on');
});

void t.test('a voiceprint of another model gives no verdict', async (t) => {
  const accountId = await newCaller();
  ears.modelIds = [nextModelId];
  t.teardown(() => {
    ears.modelIds = [modelId];
  });
  const { verification } = await attempt(harness, accountId, voice);
  t.same(verification.decision, { kind: 'INCONCLUSIVE', reasons: ['MODEL_MISMATCH'] });
});

void t.test('an account that is erased while its caller speaks is not accepted', async (t) => {
  const accountId = await newCaller();
  const { challengeId } = await ask(accountId);
  const slow = {
    ...context,
    ears: {
      ...ears,
      modelIds: ears.modelIds,
      decode: ears.decode.bind(ears),
      hear: async (...args: Parameters<typeof ears.hear>) => {
        const heard = await ears.hear(...args);
        await eraseAccount(context, full, accountId);
        return heard;
      },
    },
  };
  const { verification } = await verify(slow, full, request(accountId, challengeId, voice));
  t.same(verification.decision, { kind: 'STEP_UP', reasons: ['NOT_ENROLLED'] });
});

void t.test('an idempotency key gives the first answer again and refuses another request', async (t) => {
  const accountId = await newCaller();
  const { challengeId } = await ask(accountId);
  const render = (answer: { verification: { verificationId: string; decision: object } }) => ({
    status: 200,
    body: { id: answer.verification.verificationId, decision: answer.verification.decision },
  });
  const first = await verifyOnce(context, full, 'retry-1', request(accountId, challengeId, voice), render);
  const again = await verifyOnce(context, full, 'retry-1', request(accountId, challengeId, voice), render);
  t.same(again, first);
  await t.rejects(
    verifyOnce(context, full, 'retry-1', request(accountId, challengeId, voice, { pin: otherPin }), render),
    { code: 'idempotency_mismatch' },
  );
  const other = await ask(accountId);
  const both = await Promise.allSettled(
    [1, 2].map(() => verifyOnce(context, full, 'retry-2', request(accountId, other.challengeId, voice), render)),
  );
  const fine = both.filter(({ status }) => status === 'fulfilled');
  t.ok(fine.length >= 1, 'one is worked on');
  for (const one of both) {
    if (one.status === 'rejected') t.match(one.reason, { code: 'conflict' });
  }
  const bad = { ...request(accountId, other.challengeId, voice), continues: 'ver_none' };
  await t.rejects(verifyOnce(context, full, 'retry-3', bad, render), { code: 'verification_unknown' });
  await t.rejects(verifyOnce(context, full, 'retry-3', bad, render), { code: 'verification_unknown' }, 'not stuck');
});

void t.test('every decision has its audit entry and no entry names an account', async (t) => {
  const accountId = await newCaller();
  const { verification } = await attempt(harness, accountId, voice);
  const entries = await context.store.transaction('operator', (tx) => tx.audit.page(0, 10_000));
  t.ok(
    entries.some(
      ({ event }) => event.kind === 'verification_decided' && event.verificationId === verification.verificationId,
    ),
  );
  const text = JSON.stringify(entries);
  t.notMatch(text, accountId);
  t.notMatch(text, goodPin);
  t.equal(recording(voice).contentType, 'test/recording');
});

void t.test('a decoy answers the same recording the same again, as a real account does', async (t) => {
  const scorer = scorerFor(modelId);
  const wide = { ...scorer, calibration: { ...scorer.calibration, nontarget: { meanLlr: -2, sdLlr: 3 } } };
  const spread = { ...harness, context: { ...context, scorers: new Map([[modelId, wide]]) } };
  const seen = [];
  for (let id = 0; id < 12; id++) {
    const kinds = [];
    for (let again = 0; again < 3; again++) {
      const answer = await attempt(spread, `stranger-${id}`, { ...voice, says: '38102194' }, { pin: null }, opaque);
      kinds.push(answer.verification.decision.kind);
    }
    t.equal(new Set(kinds).size, 1, kinds.join());
    seen.push(kinds[0]);
  }
  t.ok(new Set(seen).size > 1, 'and different accounts differently');
});

void t.test('one PIN shown as proof for many accounts is stopped by the key’s counter', async (t) => {
  const spraying = { ...full, apiKeyId: 'key-spraying' };
  const victims = [];
  for (let victim = 0; victim < 5; victim++) victims.push(await newCaller());
  const velocity = { ...defaultPolicy.velocity, maxDistinctAccountsPerKey: 3 };
  const policy = await storePolicy(context, full, { ...defaultPolicy, velocity });
  await activatePolicy(context, full, policy.version);
  t.teardown(() => activatePolicy(context, full, 1));
  const codes = [];
  for (const accountId of victims) {
    const proof = { ...noProof, pin: otherPin };
    const fault = await startEnrolment(context, spraying, accountId, { language: 'zh', proof }).catch(
      (e: unknown) => e,
    );
    codes.push((fault as { code: string }).code);
  }
  t.same(codes, ['proof_refused', 'proof_refused', 'proof_refused', 'rate_limited', 'rate_limited']);
});

void t.test('erasing an id that is no account removes what calls left under it', async (t) => {
  const { verification } = await attempt(harness, 'passer-by', voice, {}, opaque);
  const read = () => context.store.transaction('operator', (tx) => tx.verifications.get(verification.verificationId));
  t.equal((await read())?.accountId, 'passer-by');
  await t.rejects(eraseAccount(context, full, 'passer-by'), { code: 'account_unknown' });
  t.equal((await read())?.accountId, null);
});

void t.test('two nodes that start at once on an empty database make one tenant', async (t) => {
  let made = false;
  const store = {
    ...context.store,
    listTenants: async () => [],
    createTenant: async () => {
      if (made) throw new VoicegateError('conflict', 'exists');
      made = true;
    },
  };
  t.same(await Promise.all([ensureTenant({ ...context, store }), ensureTenant({ ...context, store })]), [true, false]);
});

void t.test('free speech is judged without a challenge, with the PIN or an agent’s word', async (t) => {
  const accountId = await newCaller();
  const judged = async (changes: Partial<VerificationRequest>, what: Recording = voice) => {
    const asked = request(accountId, 'none', what, changes);
    return (await verify(context, full, { ...asked, challengeId: null })).verification;
  };
  const accepted = await judged({});
  t.equal(accepted.decision.kind, 'ACCEPT');
  t.equal(accepted.challengeId, null);
  t.equal(accepted.evidence.challenge, 'not_required');
  t.equal((await judged({ pin: null })).decision.kind, 'STEP_UP');
  t.equal((await judged({ pin: null, identifiedByAgent: true })).decision.kind, 'ACCEPT');
  t.same((await judged({}, { voice: 5 })).decision.reasons, ['VOICE_MISMATCH']);
  t.equal((await judged({}, { ...voice, netSpeechSeconds: 0.5 })).decision.kind, 'INCONCLUSIVE');
});
