import t from 'tap';
import {
  defaultPolicy,
  nistDraftLadder,
  operatorLadder,
  parsePolicy,
  readStoredPolicy,
} from '../../src/decision/policy.js';
import { VoicegateError } from '../../src/errors.js';

/** The default policy with one field, named by its path, set to another value; undefined removes it. */
function changed(path: string, value: unknown): unknown {
  const copy = structuredClone(defaultPolicy) as unknown as Record<string, unknown>;
  const names = path.split('.');
  const last = names.pop() ?? '';
  const holder = names.reduce((node, name) => node[name] as Record<string, unknown>, copy);
  if (value === undefined) Reflect.deleteProperty(holder, last);
  else holder[last] = value;
  return copy;
}

function refusal(value: unknown): VoicegateError {
  try {
    parsePolicy(value);
  } catch (error) {
    if (error instanceof VoicegateError) return error;
    throw error;
  }
  throw new Error('was not refused');
}

void t.test('the default policy and both ladders are valid, and come back as a copy', async (t) => {
  const parsed = parsePolicy(defaultPolicy);
  t.same(parsed, defaultPolicy);
  t.not(parsed, defaultPolicy);
  for (const ladder of [nistDraftLadder, operatorLadder]) t.ok(parsePolicy(changed('attempts', ladder)));
});

const refused: readonly [path: string, value: unknown, field: string, hint: RegExp][] = [
  ['challenge.digits', 5, 'challenge.digits', /whole number from 6 to 10/],
  ['challenge.digits', 7.5, 'challenge.digits', /whole number from 6 to 10/],
  ['challenge.digits', '8', 'challenge.digits', /whole number from 6 to 10/],
  ['pin.digits', 13, 'pin.digits', /from 4 to 12/],
  ['continuesPerCall', -1, 'continuesPerCall', /from 0 to 10/],
  ['tiers.low.minVoiceLlr', Number.NaN, 'tiers.low.minVoiceLlr', /number from -50 to 50/],
  ['quality.multipleSpeakersBelowCosine', 2, 'quality.multipleSpeakersBelowCosine', /from -1 to 1, or null/],
  ['velocity.maxFailuresPerLine', 0, 'velocity.maxFailuresPerLine', /or null/],
  ['challenge.sayYaoForOne', 1, 'challenge.sayYaoForOne', /boolean/],
  ['challenge.trustedExperimentalLanguages', ['xx'], 'challenge.trustedExperimentalLanguages.0', /zh/],
  ['challenge.trustedExperimentalLanguages', 'zh', 'challenge.trustedExperimentalLanguages', /array/],
  ['challenge.colour', 'red', 'challenge.colour', /leave it out/],
  ['colour', 'red', 'colour', /leave it out/],
  ['pin', undefined, 'pin', /states every field/],
  ['tiers.high.minFusedLlr', undefined, 'tiers.high.minFusedLlr', /states every field/],
  ['attempts', null, 'attempts.kind', /waits/],
  ['attempts', { ...nistDraftLadder, kind: 'strict' }, 'attempts.kind', /operator/],
  ['attempts', { ...nistDraftLadder, waitGrowth: 0.5 }, 'attempts.waitGrowth', /from 1 to 10/],
  ['attempts', { ...operatorLadder, lockHours: undefined }, 'attempts.lockHours', /./],
  ['attempts', { ...operatorLadder, waitGrowth: 2 }, 'attempts.waitGrowth', /leave it out/],
  // fields that contradict each other
  ['tiers.rejectBelowLlr', 40, 'tiers.low.minVoiceLlr', /must be below/],
  ['tiers.low.minVoiceLlr', 40, 'tiers.standard.minVoiceLlr', /at most/],
  ['tiers.high.minFusedLlr', -40, 'tiers.high.minFusedLlr', /at most/],
  ['enrolment.maxUtterances', 2, 'enrolment.maxUtterances', /at most/],
  [
    'enrolment',
    { ...defaultPolicy.enrolment, utterances: 2, promptDigits: 4 },
    'enrolment.promptDigits',
    /at least 10/,
  ],
  ['attempts', { ...nistDraftLadder, disableAtFailures: 5 }, 'attempts.disableAtFailures', /below/],
  ['attempts', { ...nistDraftLadder, maxWaitSeconds: 10 }, 'attempts.maxWaitSeconds', /at most/],
  ['attempts', { ...operatorLadder, failures: 2 }, 'attempts.failures', /at most/],
];

for (const [path, value, field, hint] of refused) {
  void t.test(`${path} = ${JSON.stringify(value)} is refused, naming ${field}`, async (t) => {
    const error = refusal(changed(path, value));
    t.equal(error.code, 'policy_invalid');
    t.equal(error.details?.field, field);
    t.ok(error.message.includes(field), error.message);
    t.match(error.hint, hint);
  });
}

void t.test(
  'a document of an earlier release, stored or sent, gets the defaults of fields that came later',
  async (t) => {
    const older = changed('challenge.trustedExperimentalLanguages', undefined);
    t.same(readStoredPolicy(older), defaultPolicy);
    t.same(parsePolicy(older), defaultPolicy);
    t.notOk('trustedExperimentalLanguages' in (older as { challenge: object }).challenge, 'and is left as it was');
    const trusting = changed('challenge.trustedExperimentalLanguages', ['zh']);
    t.same(readStoredPolicy(trusting), trusting);
  },
);

void t.test('what is no object at all is refused', async (t) => {
  for (const value of [null, undefined, 3, 'policy', []]) t.equal(refusal(value).code, 'policy_invalid');
});

void t.test(
  'a policy stored before there was a search for one voice under two accounts searches nothing',
  async (t) => {
    const old = readStoredPolicy(changed('duplicates', undefined));
    t.equal(old.duplicates.whenFound, 'off');
    const { agentVoiceLlr, undoMinutes, ...before } = defaultPolicy.enrolment;
    t.match(readStoredPolicy(changed('enrolment', before)).enrolment, { agentVoiceLlr, undoMinutes });
  },
);

void t.test('a policy stored before there was passive verification does not allow it', async (t) => {
  const old = readStoredPolicy(changed('passive', undefined));
  t.equal(old.passive.enabled, false);
  t.ok(parsePolicy(old));
});

void t.test('quiet prints ask for at least the standard tier’s voice, where a model is named', async (t) => {
  const { minVoiceLlr } = defaultPolicy.tiers.standard;
  const change = (quietPrintsOf: string | null, least: number): unknown => ({
    ...defaultPolicy,
    modelChange: { quietPrintsOf, minVoiceLlr: least },
  });
  t.throws(() => parsePolicy(change('next', minVoiceLlr - 0.1)), { code: 'policy_invalid', message: /modelChange/ });
  t.ok(parsePolicy(change('next', minVoiceLlr)));
  t.ok(parsePolicy(change(null, minVoiceLlr - 0.1)));
  t.throws(() => parsePolicy(change('../next', 9)), { code: 'policy_invalid', message: /quietPrintsOf/ });
});
