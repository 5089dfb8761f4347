import t from 'tap';
import { decide } from '../../src/decision/decide.js';
import type { Evidence, VoiceEvidence } from '../../src/decision/evidence.js';
import { defaultPolicy } from '../../src/decision/policy.js';
import { decisions, reasons, tiers, type Decision, type Tier } from '../../src/decision/reasons.js';
import { evidenceWithoutVoice, fused, llrs } from './evidence-grid.js';

const policy = defaultPolicy;

/** Counts what breaks a rule and keeps one example, so that a broken rule is one failure and not a million. */
function rule(holds: (evidence: Evidence, decision: Decision, tier: Tier) => boolean): {
  check: typeof holds extends (...args: infer A) => boolean ? (...args: A) => void : never;
  broken: () => unknown[];
} {
  const examples: unknown[] = [];
  return {
    check: (evidence, decision, tier) => {
      if (examples.length === 0 && !holds(evidence, decision, tier)) examples.push({ evidence, decision, tier });
    },
    broken: () => examples,
  };
}

const rank = { REJECT: 0, INCONCLUSIVE: 0, STEP_UP: 1, CONTINUE: 1, ACCEPT: 2 } as const;
const isMatch = ({ phrase }: Evidence): boolean =>
  phrase.kind === 'checked' && phrase.status === 'supported' && phrase.verdict === 'match';

const ageHours = (voice: VoiceEvidence): number => (voice.kind === 'compared' ? voice.voiceprintAgeSeconds / 3600 : 0);
const replaced = (voice: VoiceEvidence): boolean => voice.kind === 'compared' && voice.voiceprintReplacedAnother;

void t.test('over every combination of evidence', async (t) => {
  const rules = {
    'a wrong PIN never leads to ACCEPT': rule((e, d) => e.pin !== 'wrong' || d.kind !== 'ACCEPT'),
    'a wrong PIN of an open account with a valid challenge is REJECT, PIN_FAILED first': rule(
      (e, d) =>
        e.pin !== 'wrong' ||
        e.gate !== 'open' ||
        e.account !== 'enrolled' ||
        e.challenge !== 'valid' ||
        (d.kind === 'REJECT' && d.reasons[0] === 'PIN_FAILED'),
    ),
    'nothing is accepted on voice alone': rule((e, d) => d.kind !== 'ACCEPT' || e.pin === 'right' || isMatch(e)),
    'a phrase that was not checked, or in an experimental language, opens the low tier only, with the right PIN': rule(
      (e, d, tier) => d.kind !== 'ACCEPT' || isMatch(e) || (tier === 'low' && e.pin === 'right'),
    ),
    'standard and high need the right PIN and the right phrase': rule(
      (e, d, tier) => d.kind !== 'ACCEPT' || tier === 'low' || (e.pin === 'right' && isMatch(e)),
    ),
    'the high tier needs a print older than a day': rule(
      (e, d, tier) => d.kind !== 'ACCEPT' || tier !== 'high' || ageHours(e.voice) >= 24,
    ),
    'a young print that replaced another is good for the low tier only': rule(
      (e, d, tier) => d.kind !== 'ACCEPT' || tier === 'low' || ageHours(e.voice) >= 24 || !replaced(e.voice),
    ),
    'nothing is accepted where the voice was not compared': rule(
      (e, d) => d.kind !== 'ACCEPT' || e.voice.kind === 'compared',
    ),
    'a voice that is no number is never accepted': rule(
      (e, d) => d.kind !== 'ACCEPT' || (e.voice.kind === 'compared' && !Number.isNaN(e.voice.llr)),
    ),
    'a closed gate, another account state or a bad challenge is never accepted': rule(
      (e, d) => d.kind !== 'ACCEPT' || (e.gate === 'open' && e.account === 'enrolled' && e.challenge === 'valid'),
    ),
    'a closed gate says its reason and no other': rule(
      (e, d) => e.gate === 'open' || (d.kind === 'REJECT' && d.reasons.join() === e.gate.toUpperCase()),
    ),
    'bad audio is never accepted': rule(
      (e, d) => d.kind !== 'ACCEPT' || (e.quality.kind === 'measured' && e.quality.report.netSpeechSeconds > 1),
    ),
    'CONTINUE is answered within its bound': rule(
      (e, d) => d.kind !== 'CONTINUE' || e.call.continuesGiven < policy.continuesPerCall,
    ),
    'decisions and reasons are from the lists, each reason once, none for ACCEPT': rule(
      (_, d) =>
        decisions.includes(d.kind) &&
        d.reasons.every((reason) => reasons.includes(reason)) &&
        new Set(d.reasons).size === d.reasons.length &&
        (d.kind === 'ACCEPT') === (d.reasons.length === 0),
    ),
  };
  const monotone: unknown[] = [];
  const nested: unknown[] = [];
  for (const { evidence: without, voiceOf } of evidenceWithoutVoice()) {
    const other: VoiceEvidence[] = [
      { kind: 'not_compared' },
      { kind: 'model_mismatch', voiceprintModelId: 'old', modelId: 'new' },
      voiceOf(NaN),
    ];
    const kinds = tiers.map((tier) => {
      const see = (voice: VoiceEvidence): Decision => {
        const evidence = fused({ ...without, voice });
        const decision = decide(evidence, policy, tier);
        for (const { check } of Object.values(rules)) check(evidence, decision, tier);
        return decision;
      };
      other.forEach(see);
      const rising = llrs.map((llr) => see(voiceOf(llr)).kind);
      const falls = rising.some((kind, i) => i > 0 && rank[kind] < rank[rising[i - 1] ?? kind]);
      if (falls && monotone.length === 0) monotone.push({ without, tier, rising });
      return rising;
    });
    const [low = [], standard = [], high = []] = kinds;
    const climbs = llrs.some(
      (_, i) => (high[i] === 'ACCEPT' && standard[i] !== 'ACCEPT') || (standard[i] === 'ACCEPT' && low[i] !== 'ACCEPT'),
    );
    if (climbs && nested.length === 0) nested.push({ without, kinds });
  }
  for (const [sentence, { broken }] of Object.entries(rules)) t.same(broken(), [], sentence);
  t.same(monotone, [], 'a better voice never makes the decision worse');
  t.same(nested, [], 'what a tier accepts, every lower tier accepts too');
});
