import { VoicegateError } from '../errors.js';
import type { InferencePool } from '../inference/network.js';
import { bestDigits, logProbability } from './ctc.js';
import { collapse, digitGrammar, type DigitGrammar, type DigitPosteriors } from './digit-posteriors.js';
import { digitSpans, type DigitSpan } from './digit-spans.js';
import { promptLanguages, type Language } from './languages.js';
import type { RecogniserCard, RecogniserLanguage } from './recogniser-card.js';

/** What was heard of digits in one recording. Holds what was said: for scoring, never for logs or records. */
export interface DigitEvidence {
  readonly recogniserId: string;
  readonly language: Language;
  readonly rules: RecogniserLanguage;
  readonly posteriors: DigitPosteriors;
  /** The likeliest digits, any number of them; empty where none was heard. */
  readonly digits: string;
  /** Natural log posterior probability of `digits`, at most 0. */
  readonly digitsLlr: number;
  /** One for each of `digits`, in samples of the recording. */
  readonly spans: readonly DigitSpan[];
  readonly digitNetSpeechSeconds: number;
  /** Samples → row of posteriors. */
  readonly frameAt: (sample: number) => number;
}

/** Samples → digits, by one recogniser. */
export interface DigitRecogniser {
  readonly recogniserId: string;
  /** Rate that samples must have. */
  readonly sampleRateHz: number;
  /** Fewer samples than this are refused. */
  readonly shortestSamples: number;
  /** Languages that both the prompts and the recogniser know. */
  readonly languages: readonly Language[];
  /**
   * @param samples finite, mono, [-1, 1], at `sampleRateHz`: one answer, quiet before and after does no harm; copied
   * @returns null where the recogniser does not know the language
   * @throws VoicegateError `audio_empty` for fewer than `shortestSamples`; the pool's `busy`, `inference_failed`,
   *   `shutting_down`; the signal's reason when aborted
   */
  recognise(samples: Float32Array, language: Language, signal?: AbortSignal): Promise<DigitEvidence | null>;
}

/** Joins a card with a pool that holds the card's network. */
export function createDigitRecogniser(pool: Pick<InferencePool, 'run'>, card: RecogniserCard): DigitRecogniser {
  const { sampleRateHz } = card.frontEnd;
  const shortestSamples = Math.ceil(card.shortestSeconds * sampleRateHz);
  const known = new Map<Language, { readonly rules: RecogniserLanguage; readonly grammar: DigitGrammar }>();
  for (const language of Object.keys(promptLanguages) as Language[]) {
    const rules = card.languages[language];
    if (rules !== undefined) known.set(language, { rules, grammar: digitGrammar(card.units, rules) });
  }
  return {
    recogniserId: card.id,
    sampleRateHz,
    shortestSamples,
    languages: [...known.keys()],
    async recognise(samples, language, signal) {
      const found = known.get(language);
      if (found === undefined) return null;
      if (samples.length < shortestSamples) {
        throw new VoicegateError('audio_empty', `${samples.length} samples are too short for recogniser ${card.id}`, {
          hint: `At least ${card.shortestSeconds} s are needed`,
        });
      }
      const { values, dims } = await pool.run(card.id, samples, signal);
      if (dims.length !== 3 || dims[2] !== card.units.length) {
        throw new VoicegateError(
          'model_invalid',
          `recogniser ${card.id} gives [${dims.join(', ')}] values, its card names ${card.units.length} units`,
        );
      }
      const posteriors = collapse(values, found.grammar);
      const digits = bestDigits(posteriors);
      const spans = digitSpans(posteriors, digits, card, samples.length);
      const spoken = spans.reduce((sum, { startSample, endSample }) => sum + endSample - startSample, 0);
      return {
        recogniserId: card.id,
        language,
        rules: found.rules,
        posteriors,
        digits,
        digitsLlr: logProbability(posteriors, digits),
        spans,
        digitNetSpeechSeconds: spoken / sampleRateHz,
        frameAt: (sample) => Math.floor((sample - card.firstFrameCentreSample) / card.frameSamples),
      };
    },
  };
}
