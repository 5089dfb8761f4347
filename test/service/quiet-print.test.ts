import t, { type Test } from 'tap';
import { defaultPolicy } from '../../src/decision/policy.js';
import { eraseAccount, setOptOut } from '../../src/service/accounts.js';
import { withdrawConsent } from '../../src/service/consents.js';
import { optOutHash } from '../../src/service/context.js';
import {
  changeProgress,
  finishChange,
  undoAll,
  undoChange,
  voiceprintsByModel,
} from '../../src/service/model-change.js';
import { activatePolicy, storePolicy } from '../../src/service/policies.js';
import type { QuietResult, VoiceprintRow } from '../../src/service/ports.js';
import { gatherQuietly, type DecidedCall } from '../../src/service/quiet-print.js';
import { accountRow, voiceprintRow } from '../storage/rows.js';
import {
  attempt,
  enrolled,
  enrolVoice,
  goodPin,
  modelId,
  nextModelId,
  noProof,
  openHarness,
  recording,
  type Recording,
} from './harness.js';

t.setTimeout(170_000);
const harness = await openHarness(t);
const results: QuietResult[] = [];
const context = { ...harness.context, onQuietUtterance: (result: QuietResult) => void results.push(result) };
const { ears, full } = harness;

/** Lets the policy judge from now on, with this for the change. */
async function allow(modelChange: typeof defaultPolicy.modelChange): Promise<void> {
  // The phrases of the test's recogniser never say more than an LLR of 4.
  const sure = { minVoiceLlr: 3.5 };
  const tiers = { ...defaultPolicy.tiers, low: { minVoiceLlr: 2.5 }, standard: sure, high: { minFusedLlr: 3.5 } };
  const { version } = await storePolicy(context, full, { ...defaultPolicy, tiers, modelChange });
  await activatePolicy(context, full, version);
}
const allowed = { quietPrintsOf: nextModelId, minVoiceLlr: 6.5 };

const printsOf = (accountId: string): Promise<readonly VoiceprintRow[]> =>
  context.store.transaction('operator', (tx) => tx.voiceprints.active(accountId));
const gatheredOf = (accountId: string): Promise<number> =>
  context.store.transaction('operator', async (tx) => (await tx.modelChange.candidates(accountId, nextModelId)).length);

/** An account enrolled while only the old model was loaded, and grown old enough for the high tier. */
async function holder(accountId: string): Promise<void> {
  ears.modelIds = [modelId];
  await enrolled(harness, accountId, 1);
  ears.modelIds = [modelId, nextModelId];
  results.length = 0;
}

/**
 * A call as it is after the decision, before anything is gathered from it. It was made in an experimental language, which accepts nothing
 * at the high tier, so what that tier adds is written in here: the right phrase, and the ACCEPT that follows.
 */
async function decided(accountId: string, what: Recording, change: Partial<DecidedCall> = {}): Promise<DecidedCall> {
  const { verification } = await attempt(harness, accountId, what, { tier: 'high' });
  const waveform = await ears.decode(recording(what));
  const { prints, policyVersion } = await context.store.transaction('operator', (tx) =>
    tx.standing(accountId, optOutHash(context, full, accountId)),
  );
  const policy = await context.store.transaction('operator', (tx) => tx.policies.get(policyVersion ?? 0));
  return {
    accountId,
    verificationId: verification.verificationId,
    tier: 'high',
    decision: { kind: 'ACCEPT', reasons: [] },
    evidence: { ...verification.evidence, phrase: rightPhrase },
    policy: policy?.document ?? defaultPolicy,
    heard: await ears.hear(waveform, { hears: 'caller', modelId: verification.modelId }),
    prints,
    ...change,
  };
}
const rightPhrase = {
  kind: 'checked',
  language: 'zh',
  status: 'supported',
  verdict: 'match',
  llr: 6,
  differences: 0,
  digitNetSpeechSeconds: 2,
  recogniserId: 'test',
} as const;

const call = async (accountId: string, what: Recording, change: Partial<DecidedCall> = {}): Promise<void> =>
  gatherQuietly(context, full, await decided(accountId, what, change));
/** A real call at the high tier, in a language whose digits are supported. */
async function acceptedHigh(t: Test, accountId: string, what: Recording): Promise<void> {
  ears.languageStatus = 'supported';
  const { verification } = await attempt({ ...harness, context }, accountId, what, { tier: 'high' });
  ears.languageStatus = 'experimental';
  t.same(verification.decision, { kind: 'ACCEPT', reasons: [] });
}
const voices = [0, 0.1, 0.2].map((blur) => ({ voice: 1, blur }));

void t.test(
  'three accepted calls make the new model’s print beside the old one, linked to it and as old as it',
  async (t) => {
    await holder('mover');
    await allow(allowed);
    const [old] = await printsOf('mover');
    harness.wait(48 * 3600);
    for (const what of voices) await acceptedHigh(t, 'mover', what);
    t.same(results, ['gathered', 'gathered', 'made']);
    const prints = await printsOf('mover');
    t.equal(prints.length, 2);
    t.same(prints[0], old, 'the old one stands as it was');
    t.match(prints[1], {
      modelId: nextModelId,
      derivedFromVoiceprintId: old?.voiceprintId,
      enrolledAt: old?.enrolledAt,
      netSpeechSeconds: 9,
    });
    t.equal(prints[1]?.utterances.length, 3);
    t.equal(await gatheredOf('mover'), 0, 'nothing is kept twice');
    const entries = await context.store.transaction('operator', (tx) => tx.audit.page(0, 10_000));
    const migrated = entries.map(({ event }) => event).filter((event) => event.kind === 'voiceprint_migrated');
    t.match(migrated, [
      { modelId: nextModelId, derivedFromModelId: modelId, derivedFromVoiceprintId: old?.voiceprintId },
    ]);
    t.equal(migrated[0]?.kind === 'voiceprint_migrated' && migrated[0].verificationIds.length, 3);

    ears.heardFrom.length = 0;
    await acceptedHigh(t, 'mover', { voice: 1 });
    t.equal(results.length, 3, 'who has the print gives no more');
    t.same(ears.heardFrom, [{ modelId, listening: 'caller' }], 'and costs no more');

    ears.modelIds = [nextModelId, modelId];
    const { verification } = await attempt(harness, 'mover', voices[1] as Recording);
    t.equal(verification.decision.kind, 'ACCEPT');
    t.equal(verification.modelId, nextModelId, 'once active, the new model judges');
    t.notOk(
      (
        await attempt(harness, 'mover', voices[1] as Recording, { tier: 'standard' })
      ).verification.decision.reasons.includes('NEW_VOICEPRINT'),
    );
    ears.modelIds = [nextModelId];
    t.equal((await attempt(harness, 'mover', { voice: 5 })).verification.decision.kind, 'REJECT');
  },
);

void t.test('a call that proved less, or that the policy does not want, costs and gives nothing', async (t) => {
  await holder('proud');
  await allow(allowed);
  const good = { voice: 1 };
  const { evidence, policy } = await decided('proud', good);
  const but = (change: object): Partial<DecidedCall> => ({ evidence: { ...evidence, ...change } });
  const unwanted: Record<string, Partial<DecidedCall>> = {
    'another tier': { tier: 'standard' },
    'another decision': { decision: { kind: 'STEP_UP', reasons: ['NEW_VOICEPRINT'] } },
    'no PIN': but({ pin: 'missing' }),
    'phrase not checked': but({ phrase: { kind: 'not_performed' } }),
    'nearly the phrase': but({ phrase: { ...rightPhrase, verdict: 'near_miss' } }),
    'an experimental language': but({ phrase: { ...rightPhrase, status: 'experimental' } }),
    'a doubtful voice': but({ voice: { ...evidence.voice, llr: 6.4 } }),
    'no number': but({ voice: { ...evidence.voice, llr: NaN } }),
    'policy off': { policy: { ...policy, modelChange: { ...allowed, quietPrintsOf: null } } },
    'a model that is not loaded': { policy: { ...policy, modelChange: { ...allowed, quietPrintsOf: 'third-model' } } },
    'the model that judged': { policy: { ...policy, modelChange: { ...allowed, quietPrintsOf: modelId } } },
  };
  for (const [name, change] of Object.entries(unwanted)) {
    const refused = await decided('proud', good, change);
    ears.heardFrom.length = 0;
    await gatherQuietly(context, full, refused);
    t.same(ears.heardFrom, [], name);
  }
  const short = await decided('proud', { voice: 1, netSpeechSeconds: 1.3 });
  ears.heardFrom.length = 0;
  await gatherQuietly(context, full, short);
  t.same(ears.heardFrom, [], 'an utterance must be good enough for an enrolment');
  t.same(results, []);
  t.equal(await gatheredOf('proud'), 0);
});

void t.test('by default no policy allows it', async (t) => {
  t.equal(defaultPolicy.modelChange.quietPrintsOf, null);
});

void t.test('what the new model finds to be another voice is dropped, and the gathering goes on', async (t) => {
  await holder('odd');
  await allow(allowed);
  await call('odd', { voice: 1 });
  await call('odd', { voice: 1, blur: 0.1 });
  // Alike to the old model, as the evidence says; not to the new one.
  const { heard } = await decided('odd', { voice: 9 });
  await call('odd', { voice: 1 }, { heard });
  t.same(results, ['gathered', 'gathered', 'dropped']);
  t.equal(await gatheredOf('odd'), 2);
  await call('odd', { voice: 1, blur: 0.2 });
  t.equal(results.at(-1), 'made');
});

void t.test(
  'what changed while the second model listened counts: consent, opt-out, print, policy, erasure',
  async (t) => {
    await allow(allowed);
    const changes: Record<string, (accountId: string) => Promise<unknown>> = {
      consent: (accountId) => withdrawConsent(context, full, accountId),
      optout: (accountId) => setOptOut(context, full, accountId, true),
      print: (accountId) => enrolVoice(harness, accountId, 2, { ...noProof, pin: goodPin }),
      erasure: (accountId) => eraseAccount(context, full, accountId),
      policy: () => allow({ ...allowed, quietPrintsOf: null }),
    };
    for (const [name, change] of Object.entries(changes)) {
      const accountId = `racing-${name}`;
      await holder(accountId);
      await call(accountId, { voice: 1 });
      t.equal(await gatheredOf(accountId), 1);
      const late = await decided(accountId, { voice: 1, blur: 0.1 });
      ears.modelIds = [modelId];
      await change(accountId);
      ears.modelIds = [modelId, nextModelId];
      await gatherQuietly(context, full, late);
      t.equal(results.at(-1), 'nothing', name);
      t.equal(await gatheredOf(accountId), name === 'policy' ? 1 : 0, `${name}: what was gathered before goes with it`);
    }
  },
);

void t.test('calls that are accepted at once are counted one after another: one print is made', async (t) => {
  await holder('busy');
  await allow(allowed);
  const calls: DecidedCall[] = [];
  for (const blur of [0, 0.05, 0.1, 0.15, 0.2, 0.25]) calls.push(await decided('busy', { voice: 1, blur }));
  await Promise.all(calls.map((one) => gatherQuietly(context, full, one)));
  t.same(results.filter((result) => result === 'made').length, 1);
  t.same(results.sort(), ['gathered', 'gathered', 'made', 'nothing', 'nothing', 'nothing']);
  t.equal((await printsOf('busy')).length, 2);
  t.equal(await gatheredOf('busy'), 0);
});

void t.test('a fault is reported and not thrown: the call is answered', async (t) => {
  await holder('unlucky');
  await allow(allowed);
  const broken = { ...context, ears: { ...ears, embed: () => Promise.reject(new Error('busy')) } };
  await gatherQuietly(broken, full, await decided('unlucky', { voice: 1 }));
  t.same(results, ['failed']);
});

void t.test('undo takes one account’s new print, or all of them, and the old ones go on', async (t) => {
  await allow(allowed);
  for (const accountId of ['u1', 'u2', 'u3']) {
    await holder(accountId);
    for (const what of accountId === 'u3' ? voices.slice(1) : voices) await call(accountId, what);
  }
  t.same(await undoChange(context, full, 'u1', nextModelId), { voiceprintsErased: 1, utterancesErased: 0 });
  t.same(
    (await printsOf('u1')).map((print) => print.modelId),
    [modelId],
  );
  await t.rejects(undoChange(context, full, 'u1', nextModelId), { code: 'not_found' });
  await t.rejects(undoChange(context, full, 'nobody', nextModelId), { code: 'not_found' });
  t.same(await undoChange(context, full, 'u3', nextModelId), { voiceprintsErased: 0, utterancesErased: 2 });
  t.ok((await undoAll(context, full, nextModelId)) >= 1);
  t.same(
    (await printsOf('u2')).map((print) => print.modelId),
    [modelId],
  );
  t.equal(await undoAll(context, full, nextModelId), 0);
  t.match(await voiceprintsByModel(context, full), [{ modelId }]);
  const { verification } = await attempt(harness, 'u2', voices[0] as Recording);
  t.equal(verification.decision.kind, 'ACCEPT');
});

void t.test('progress counts the accounts, and finishing leaves those alone that have not moved', async (t) => {
  await allow(allowed);
  await holder('f1');
  await holder('f2');
  for (const what of voices) await call('f1', what);
  await call('f2', { voice: 1 });
  const progress = await changeProgress(context, full, nextModelId);
  t.match(progress, { modelId: nextModelId, quietPrints: true, both: 1, gathering: 1, utterancesGathered: 1 });
  t.ok((progress?.waiting ?? 0) >= 1);
  t.equal(await finishChange(context, full, nextModelId), 1);
  t.same(
    (await printsOf('f1')).map((print) => print.modelId),
    [nextModelId],
  );
  t.same(
    (await printsOf('f2')).map((print) => print.modelId),
    [modelId],
  );
  t.match(await changeProgress(context, full, nextModelId), { both: 0, moved: 1 });
  const entries = await context.store.transaction('operator', (tx) => tx.audit.page(0, 10_000));
  t.match(entries.at(-1)?.event, { kind: 'voiceprint_migration_finished', voiceprintsErased: 1 });
  await t.rejects(undoChange(context, full, 'f1', nextModelId), { code: 'not_found' }, 'never the last print');
});

void t.test('undo and finish at once leave every account a voiceprint', async (t) => {
  const ids = Array.from({ length: 12 }, (_, index) => `crossed-${index}`);
  await context.store.transaction('operator', async (tx) => {
    for (const accountId of ids) {
      await tx.accounts.insertIfAbsent(accountRow(accountId));
      const old = voiceprintRow(accountId, { modelId: 'model-a' });
      await tx.voiceprints.add(old);
      const derivedFromVoiceprintId = old.voiceprintId;
      await tx.voiceprints.add(voiceprintRow(accountId, { modelId: 'model-b', derivedFromVoiceprintId }));
    }
  });
  await Promise.all([
    finishChange(context, full, 'model-b'),
    ...ids.map((accountId) => undoChange(context, full, accountId, 'model-b').catch(() => undefined)),
  ]);
  for (const accountId of ids) t.equal((await printsOf(accountId)).length, 1, accountId);
});
