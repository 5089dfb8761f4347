import t from 'tap';
import { checked } from '../decision/evidence-grid.js';
import { notPerformed } from '../../src/challenge/phrase.js';
import { judgeUtterance } from '../../src/voiceprint/judge-utterance.js';

const needs = {
  challenge: { trustedExperimentalLanguages: [] as string[] },
  enrolment: { minUtteranceNetSpeechSeconds: 2, agentVoiceLlr: 1 },
  quality: {
    minNetSpeechSeconds: 1,
    minSnrDb: 5,
    maxClippingShare: 0.05,
    minSpeechLevelDbfs: -50,
    minBandwidthHz: 1000,
    multipleSpeakersBelowCosine: 0.2,
  },
};
const good = {
  totalSeconds: 4,
  netSpeechSeconds: 3,
  snrDb: 20,
  clippingShare: 0,
  speechLevelDbfs: -25,
  bandwidthHz: 3000,
};

void t.test('a good utterance is taken', async (t) => {
  t.same(judgeUtterance({ report: good, minWindowCosine: 0.5 }, notPerformed, needs), []);
  t.same(judgeUtterance({ report: { ...good, snrDb: null }, minWindowCosine: null }, notPerformed, needs), []);
});

void t.test('the enrolment’s own least net speech holds, not the verification’s', async (t) => {
  t.same(judgeUtterance({ report: { ...good, netSpeechSeconds: 1.5 }, minWindowCosine: 0.5 }, notPerformed, needs), [
    'NOT_ENOUGH_SPEECH',
  ]);
});

void t.test('each limit refuses by itself, and limits themselves are still good', async (t) => {
  for (const [at, beyond] of [
    [{ snrDb: 5 }, { snrDb: 4.9 }],
    [{ clippingShare: 0.05 }, { clippingShare: 0.051 }],
    [{ speechLevelDbfs: -50 }, { speechLevelDbfs: -50.1 }],
    [{ bandwidthHz: 1000 }, { bandwidthHz: 999 }],
  ]) {
    t.same(judgeUtterance({ report: { ...good, ...at }, minWindowCosine: 0.5 }, notPerformed, needs), []);
    t.same(judgeUtterance({ report: { ...good, ...beyond }, minWindowCosine: 0.5 }, notPerformed, needs), [
      'LOW_QUALITY',
    ]);
  }
});

void t.test('more than one voice, and several findings at once', async (t) => {
  t.same(judgeUtterance({ report: good, minWindowCosine: 0.1 }, notPerformed, needs), ['MULTIPLE_SPEAKERS']);
  t.same(
    judgeUtterance({ report: { ...good, netSpeechSeconds: 0, snrDb: NaN }, minWindowCosine: NaN }, notPerformed, needs),
    ['NOT_ENOUGH_SPEECH', 'LOW_QUALITY', 'MULTIPLE_SPEAKERS'],
  );
  const unlimited = { ...needs, quality: { ...needs.quality, multipleSpeakersBelowCosine: null } };
  t.same(judgeUtterance({ report: good, minWindowCosine: -1 }, notPerformed, unlimited), []);
});

void t.test('what was clearly something else than a prompt is refused, a near miss is not', async (t) => {
  const heard = { report: good, minWindowCosine: 0.5 };
  for (const [verdict, findings] of [
    ['match', []],
    ['near_miss', []],
    ['wrong', ['WRONG_TEXT']],
    ['silence', ['NOT_ENOUGH_SPEECH']],
  ] as const) {
    t.same(judgeUtterance(heard, checked(verdict, 0), needs), findings, verdict);
    const experimental = checked(verdict, 0, 'experimental');
    t.same(judgeUtterance(heard, experimental, needs), [], `${verdict} in an experimental language only informs`);
    const trusting = { ...needs, challenge: { trustedExperimentalLanguages: ['zh'] } };
    t.same(judgeUtterance(heard, experimental, trusting), findings, `${verdict} in one that is trusted`);
  }
});

void t.test('an utterance with too much of the agent in it is not kept, by voice or by echo', async (t) => {
  const found = (agent: Parameters<typeof judgeUtterance>[3]) =>
    judgeUtterance({ report: good, minWindowCosine: 0.5 }, notPerformed, needs, agent);
  t.same(found({ llr: null, leakage: 0 }), []);
  t.same(found({ llr: 0.9, leakage: 0.1 }), []);
  t.same(found({ llr: 1, leakage: 0 }), ['AGENT_HEARD']);
  t.same(found({ llr: -9, leakage: 0.2 }), ['AGENT_HEARD']);
  t.same(found({ llr: NaN, leakage: 0 }), ['AGENT_HEARD'], 'what is no number is not trusted');
});
