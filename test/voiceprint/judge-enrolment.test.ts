import t from 'tap';
import { enrolmentProgress, judgeEnrolment, type EnrolledUtterance } from '../../src/voiceprint/judge-enrolment.js';

const needs = { enrolment: { utterances: 3, netSpeechSeconds: 8, selfConsistencyCosine: 0.5 } };

/** An utterance whose direction lies at an angle in the plane. */
const at = (degrees: number, netSpeechSeconds = 3): EnrolledUtterance => ({
  vector: Float32Array.of(Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180)),
  netSpeechSeconds,
});

void t.test('too few utterances or seconds: incomplete, with what is missing', async (t) => {
  t.same(judgeEnrolment([], needs), {
    kind: 'incomplete',
    utterances: 0,
    netSpeechSeconds: 0,
    missing: { utterances: 3, netSpeechSeconds: 8 },
  });
  t.match(judgeEnrolment([at(0, 6), at(0, 6)], needs), {
    kind: 'incomplete',
    missing: { utterances: 1, netSpeechSeconds: 0 },
  });
  t.match(judgeEnrolment([at(0, 2), at(0, 2), at(0, 2)], needs), {
    kind: 'incomplete',
    missing: { utterances: 0, netSpeechSeconds: 2 },
  });
});

void t.test('progress is told without judging voices', async (t) => {
  t.same(enrolmentProgress([at(0, 4), at(180, 5)], needs), {
    utterances: 2,
    netSpeechSeconds: 9,
    missing: { utterances: 1, netSpeechSeconds: 0 },
  });
});

void t.test('enough of one voice: the mean direction weighted by seconds, at unit length', async (t) => {
  const judged = judgeEnrolment([at(0, 2), at(0, 2), at(40, 4)], needs);
  t.equal(judged.kind, 'complete');
  if (judged.kind !== 'complete') return;
  t.equal(judged.netSpeechSeconds, 8);
  const [x = 0, y = 0] = judged.vector;
  t.ok(Math.abs((Math.atan2(y, x) * 180) / Math.PI - 20) < 1e-3, 'halfway, as both sides have 4 s');
  t.ok(Math.abs(Math.hypot(x, y) - 1) < 1e-6);
  t.ok(Math.abs(judged.leastCosine - Math.cos((40 * Math.PI) / 180)) < 1e-6);
});

void t.test('one pair below the self-consistency is enough to refuse, and the odd one is named', async (t) => {
  const judged = judgeEnrolment([at(0), at(90), at(10), at(-10)], needs);
  t.match(judged, { kind: 'inconsistent', pairsBelow: 3, oddOneOut: 1 });
  t.ok(judged.kind === 'inconsistent' && Math.abs(judged.leastCosine - Math.cos((100 * Math.PI) / 180)) < 1e-6);
});

void t.test('the refusal is by the worst pair, not by the mean: two that fit do not carry a third', async (t) => {
  t.equal(judgeEnrolment([at(0), at(50), at(-50)], needs).kind, 'inconsistent');
});

void t.test('a vector that is no number is inconsistent, not accepted', async (t) => {
  const broken = { vector: Float32Array.of(NaN, 1), netSpeechSeconds: 3 };
  t.equal(judgeEnrolment([at(0), at(1), broken], needs).kind, 'inconsistent');
});
