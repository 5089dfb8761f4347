import t from 'tap';
import { defaultPolicy } from '../../src/decision/policy.js';
import { hintAfter, hintMeanwhile } from '../../src/service/enrolment-hints.js';

const good = {
  totalSeconds: 5,
  netSpeechSeconds: 3,
  snrDb: 20,
  clippingShare: 0,
  speechLevelDbfs: -20,
  bandwidthHz: 3400,
};
const progress = (utterances: number, netSpeechSeconds: number) => ({
  utterances,
  utterancesNeeded: 3,
  netSpeechSeconds,
  netSpeechSecondsNeeded: 8,
  complete: utterances >= 3 && netSpeechSeconds >= 8,
});

void t.test(
  'After an utterance the hint names what was wrong with it, the agent’s voice before all else',
  async (t) => {
    const after = (reasons: Parameters<typeof hintAfter>[0], quality = good) =>
      hintAfter(reasons, quality, progress(1, 3), defaultPolicy);
    t.equal(after(['LOW_QUALITY', 'AGENT_HEARD'], { ...good, snrDb: 0 }), 'agent_heard');
    t.equal(after(['MULTIPLE_SPEAKERS']), 'two_voices');
    t.equal(after(['NOT_ENOUGH_SPEECH']), 'speak_longer');
    t.equal(after(['WRONG_TEXT']), 'read_prompt');
    t.equal(after(['LOW_QUALITY'], { ...good, snrDb: 0 }), 'background_noise');
    t.equal(after(['LOW_QUALITY'], { ...good, speechLevelDbfs: -60 }), 'too_quiet');
    t.equal(after(['LOW_QUALITY'], { ...good, clippingShare: 0.2 }), 'too_loud');
    t.equal(after(['LOW_QUALITY'], { ...good, bandwidthHz: 300 }), 'bad_line');
  },
);

void t.test('An accepted utterance leads on until there is enough', async (t) => {
  const after = (utterances: number, seconds: number) =>
    hintAfter([], good, progress(utterances, seconds), defaultPolicy);
  t.same(
    [after(1, 3), after(2, 4), after(2, 6), after(3, 8)],
    ['keep_talking', 'keep_talking', 'almost_done', 'done'],
    'two short utterances lack more than one more brings',
  );
});

void t.test('Meanwhile the hint speaks of silence and of sound, but not of the sound of a syllable', async (t) => {
  const meanwhile = (silentSeconds: number, quality = good) =>
    hintMeanwhile(silentSeconds, quality, progress(0, 0), defaultPolicy);
  t.equal(meanwhile(0), 'keep_talking');
  t.equal(meanwhile(8), 'silence');
  t.equal(meanwhile(0, { ...good, snrDb: 1 }), 'background_noise');
  t.equal(meanwhile(0, { ...good, snrDb: 1, netSpeechSeconds: 0.3 }), 'keep_talking');
});
