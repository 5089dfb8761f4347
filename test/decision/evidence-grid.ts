import type { PhraseVerdict } from '../../src/challenge/phrase.js';
import { fuse } from '../../src/scoring/fusion.js';
import { line } from '../scoring/calibrations.js';
import type { Evidence, PinEvidence, QualityEvidence, VoiceEvidence } from '../../src/decision/evidence.js';

/** A caller about whom nothing is wrong, an enrolment of last month. */
export const faultless = fused({
  account: 'enrolled',
  challenge: 'valid',
  quality: measured(3),
  voice: compared(20),
  phrase: checked('match', 20),
  pin: 'right',
  call: { continuesGiven: 0 },
  gate: 'open',
});

/** A checked phrase, Mandarin, by a recogniser that reached its target. */
export function checked(
  verdict: PhraseVerdict,
  llr: number,
  status: 'supported' | 'experimental' = 'supported',
): Evidence['phrase'] {
  return {
    kind: 'checked',
    language: 'zh',
    status,
    verdict,
    llr,
    differences: verdict === 'match' ? 0 : 1,
    digitNetSpeechSeconds: 2,
    recogniserId: 'r',
  };
}

/** The evidence with its factors fused by a line. */
export function fused(evidence: Omit<Evidence, 'fused'>): Evidence {
  const { voice, phrase, pin } = evidence;
  if (voice.kind !== 'compared') return { ...evidence, fused: null };
  const phraseLlr = phrase.kind === 'checked' ? phrase.llr : null;
  return { ...evidence, fused: fuse({ voiceLlr: voice.llr, phraseLlr, rightPin: pin === 'right' }, line) };
}

/** A clean recording of so many seconds. */
export function measured(netSpeechSeconds: number, changes: Partial<Measurements> = {}): QualityEvidence {
  const { minWindowCosine = 0.6, ...report } = changes;
  return {
    kind: 'measured',
    report: {
      totalSeconds: netSpeechSeconds + 1,
      netSpeechSeconds,
      snrDb: 25,
      clippingShare: 0,
      speechLevelDbfs: -22,
      bandwidthHz: 3300,
      ...report,
    },
    minWindowCosine,
  };
}

type Measurements = Extract<QualityEvidence, { kind: 'measured' }>['report'] & { minWindowCosine: number | null };

/** A comparison with an LLR, against a print of some age. */
export function compared(llr: number, ageHours = 24 * 30, replacedAnother = false): VoiceEvidence {
  return {
    kind: 'compared',
    cosine: Math.tanh(llr / 20),
    normalised: llr / 2,
    llr,
    modelId: 'm',
    calibrationVersion: 'c',
    voiceprintAgeSeconds: ageHours * 3600,
    voiceprintReplacedAnother: replacedAnother,
  };
}

/** Voice LLRs from hopeless to certain, the default policy's thresholds among them. */
export const llrs = [-30, -3, -2, -1, 0, 1, 2, 2.5, 3, 3.5, 4, 4.5, 5, 6, 30];

const phrases: Evidence['phrase'][] = [
  { kind: 'not_performed' },
  ...[-5, 3, 20].map((llr) => checked('match', llr)),
  ...(['near_miss', 'wrong', 'silence'] as const).map((verdict) => checked(verdict, 20)),
  ...(['match', 'wrong'] as const).map((verdict) => checked(verdict, 20, 'experimental')),
];
const pins: PinEvidence[] = ['right', 'wrong', 'missing', 'not_set', 'not_checked'];
const prints = [
  [1, false],
  [1, true],
  [48, false],
  [48, true],
] as const;

/** Nothing wrong with account, challenge and gate; each thing that can be wrong alone; and much at once. */
const doors: Pick<Evidence, 'account' | 'challenge' | 'gate'>[] = [
  { account: 'enrolled', challenge: 'valid', gate: 'open' },
  ...(['not_enrolled', 'opted_out', 'consent_missing'] as const).map((account) => ({
    account,
    challenge: 'valid' as const,
    gate: 'open' as const,
  })),
  ...(['expired', 'reused', 'mismatch'] as const).map((challenge) => ({
    account: 'enrolled' as const,
    challenge,
    gate: 'open' as const,
  })),
  ...(['locked', 'velocity'] as const).map((gate) => ({
    account: 'enrolled' as const,
    challenge: 'valid' as const,
    gate,
  })),
  { account: 'opted_out', challenge: 'expired', gate: 'locked' },
];

/** Every combination of doors, quality, phrase, PIN, CONTINUEs given and print, with the voice left to the caller. */
export function* evidenceWithoutVoice(): Generator<{ evidence: Evidence; voiceOf: (llr: number) => VoiceEvidence }> {
  const qualities = [
    { kind: 'not_measured' } as const,
    measured(0.2),
    measured(3, { snrDb: -5 }),
    measured(3, { minWindowCosine: -0.5 }),
    measured(3),
  ];
  for (const door of doors)
    for (const quality of qualities)
      for (const phrase of phrases)
        for (const pin of pins)
          for (const continuesGiven of [2, 3])
            for (const [ageHours, replaced] of prints)
              yield {
                evidence: { ...faultless, ...door, quality, phrase, pin, call: { continuesGiven } },
                voiceOf: (llr) => compared(llr, ageHours, replaced),
              };
}
