import t from 'tap';
import { parseCalibration, type Calibration } from '../../src/scoring/calibration.js';
import { cllr } from '../../src/scoring/cllr.js';
import { cohortBytes, parseCohort } from '../../src/scoring/cohort.js';
import { fitVoice, nontargetMoments } from '../../src/scoring/fit-voice.js';
import { joinScorer, scoreVoice, type Scorer } from '../../src/scoring/score-voice.js';
import { adapt, type Adaptation, type AdaptOptions } from '../../src/tuning/adapt.js';
import { ownTrials } from '../../src/tuning/own-trials.js';
import { voicesOf, type HeardCall } from '../../src/tuning/own-voices.js';
import { calibration as someCalibration } from '../scoring/calibrations.js';
import { near } from '../scoring/seeded-scores.js';
import { model, VoiceMaker } from './made-voices.js';

const topN = 40;

/** A scorer fitted where calls have nothing in common. */
function shippedScorer(): Scorer {
  const maker = new VoiceMaker(11, 0);
  const bytes = cohortBytes(
    maker.calls(150, 1, true).map(({ vector, id }) => ({ speaker: id, vector })),
    model,
  );
  const cohort = parseCohort(bytes, model);
  const trials = ownTrials(voicesOf(maker.calls(120, 3, true)), { cohort, topN }, null);
  const group = { source: 'made', condition: 'plain', trials };
  const voice = fitVoice([group], [{ name: 'ln-test-seconds', least: 0, most: 2 }]);
  const calibration: Calibration = {
    ...someCalibration,
    modelId: model.id,
    modelSha256: model.sha256,
    normalisation: { kind: 'as-norm', cohortSha256: cohort.sha256, topN },
    voice,
    nontarget: nontargetMoments([group], voice),
  };
  return joinScorer(calibration, cohort, model.id);
}

const shipped = shippedScorer();
const options: AdaptOptions = {
  model,
  shipped,
  version: '2026-11-25.own-1',
  date: '2026-11-25',
  command: 'voicegate adapt',
  thresholds: [{ name: 'low', llr: 2.5 }],
  rounds: 20,
};

const scorerOf = ({ cohort, calibration }: Adaptation): Scorer =>
  joinScorer(parseCalibration(calibration, model), parseCohort(cohort, model), model.id);

/** Cllr of callers that nothing has seen, over the same line. */
function cllrOfOthers(scorer: Scorer, shared: number): number {
  const voices = voicesOf(new VoiceMaker(77, shared).calls(60, 2, true));
  const llr = (enrolled: HeardCall, tested: HeardCall): number =>
    scoreVoice({ enrolment: enrolled, test: tested }, scorer).llr;
  const pairs = voices.flatMap((a) =>
    voices.map((b) => ({ same: a === b, llr: llr(a.calls[0] as HeardCall, b.calls[1] as HeardCall) })),
  );
  const of = (same: boolean): number[] => pairs.filter((pair) => pair.same === same).map((pair) => pair.llr);
  return cllr({ targets: of(true), nontargets: of(false) });
}

const shared = 1.2;
const named = new VoiceMaker(5, shared).calls(120, 4, true);

void t.test(
  'with named callers the line is fitted to them, and callers nobody has seen are judged better',
  async (t) => {
    const made = adapt(named, options);
    t.equal(made.report.kind, 'labelled');
    t.match(made.calibration, { version: '2026-11-25.own-1', fittedOn: [{ condition: 'labelled', speakers: 60 }] });
    t.ok(made.report.centreLength > 0.4, 'what the calls have in common is found');
    const rates = made.report.rates;
    t.ok((rates?.after.cllr ?? 9) < (rates?.before?.cllr ?? 0), 'less is lost than before');
    t.equal(rates?.before?.targets, rates?.after.targets, 'on the same comparisons');
    const [before, after] = [cllrOfOthers(shipped, shared), cllrOfOthers(scorerOf(made), shared)];
    t.ok(after < before, `${after} is less than ${before}`);
  },
);

void t.test('with few named callers the line is fitted in closed form', async (t) => {
  const few = [...new VoiceMaker(6, shared).calls(60, 2, true), ...new VoiceMaker(8, shared).calls(60, 1, false, 500)];
  const made = adapt(few, options);
  t.equal(made.report.kind, 'few labels');
  t.same(made.calibration.voice.measures, []);
  t.ok(cllrOfOthers(scorerOf(made), shared) < cllrOfOthers(shipped, shared));
});

void t.test('without names strangers are put where they lay when the shipped line was fitted', async (t) => {
  const made = adapt(new VoiceMaker(5, shared).calls(200, 1, false), options);
  t.equal(made.report.kind, 'unlabelled');
  t.equal(made.calibration.crossValidation, null);
  t.equal(made.report.rates, null, 'no rate is claimed');
  near(t, made.report.strangers?.after.medianLlr ?? 9, shipped.calibration.nontarget.meanLlr, 1e-6);
  t.ok((made.report.strangers?.before.medianLlr ?? -9) > (made.report.strangers?.after.medianLlr ?? 9));
  t.ok(cllrOfOthers(scorerOf(made), shared) < cllrOfOthers(shipped, shared));
});

void t.test('calls that some callers made twice hardly move what is fitted without names', async (t) => {
  const once = new VoiceMaker(5, shared).calls(200, 1, false);
  const twice = [...once, ...new VoiceMaker(5, shared).calls(200, 2, false, 1000).slice(0, 40)];
  const [a, b] = [once, twice].map((calls) => adapt(calls, options).calibration.voice.scale);
  near(t, b as number, a as number, 0.1 * (a as number));
});

void t.test('a few named callers who called twice do not take the place of all the others', async (t) => {
  const once = new VoiceMaker(5, shared).calls(200, 1, false);
  const few = [...once, ...new VoiceMaker(9, shared).calls(2, 2, true, 1000)];
  const [a, b] = [once, few].map((calls) => adapt(calls, options));
  near(t, b?.calibration.voice.scale as number, a?.calibration.voice.scale as number, 0.1);
  t.ok((b?.calibration.fittedOn[0]?.nontargets ?? 0) > 5000, 'each is compared with each');
});

void t.test('a model without calibration gets its first from named callers', async (t) => {
  const made = adapt(named, { ...options, shipped: null });
  t.equal(made.report.rates?.before, null);
  t.ok(cllrOfOthers(scorerOf(made), shared) < 0.6);
  t.throws(() => adapt(new VoiceMaker(5, 0).calls(80, 1, false), { ...options, shipped: null }), {
    code: 'invalid_request',
    message: /do not say who speaks/,
  });
});

void t.test('the order of the calls does not matter, and no name gets into what is written', async (t) => {
  const made = adapt(named, options);
  const turned = adapt([...named].reverse(), options);
  t.same(turned.calibration, made.calibration);
  t.notMatch(JSON.stringify(made.calibration) + made.cohort.toString('latin1'), /caller \d/);
});

void t.test('too few calls, and a calibration that is adapted already, are refused', async (t) => {
  t.throws(() => adapt(named.slice(0, 60), options), { code: 'invalid_request', message: /^15 voices/ });
  t.throws(() => adapt(named, { ...options, shipped: scorerOf(adapt(named, options)) }), {
    code: 'invalid_request',
    message: /is itself an adapted one/,
  });
});
