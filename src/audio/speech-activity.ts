import { VoicegateError } from '../errors.js';
import type { InferencePool } from '../inference/network.js';
import { ActivityStream } from './activity-stream.js';
import type { ActivityCard } from './activity-card.js';
import { secondsOf, sileroSpanRules, speechSpans, type SpanRules } from './activity-spans.js';
import type { SpeechActivity, Waveform } from './waveform.js';

/** Finds where somebody speaks, with a small network in the inference pool. */
export class SpeechActivityDetector {
  /**
   * @param pool holds the card's network (`activityNetworkOf`)
   * @param rules how the network's probabilities become spans
   */
  constructor(
    private readonly pool: Pick<InferencePool, 'run'>,
    private readonly card: ActivityCard,
    private readonly rules: SpanRules = sileroSpanRules,
  ) {}

  /** Rate that waveforms must have, Hz. */
  get sampleRateHz(): number {
    return this.card.frontEnd.sampleRateHz;
  }

  /** Follows a signal that arrives in pieces. */
  follow(): ActivityStream {
    return new ActivityStream(this.pool, this.card);
  }

  /**
   * @param waveform finite samples at the card's rate, any length; trained to answer alike at speech levels from about −53 to −17 dBFS
   * @throws VoicegateError `audio_rate_unsupported` for another rate; the pool's `busy`, `inference_failed`, `shutting_down`; the
   *   signal's reason when aborted
   */
  async detect(waveform: Waveform, signal?: AbortSignal): Promise<SpeechActivity> {
    const { samples, sampleRateHz } = waveform;
    const { hopSamples, id } = this.card;
    if (sampleRateHz !== this.sampleRateHz) {
      throw new VoicegateError('audio_rate_unsupported', `speech activity of ${sampleRateHz} Hz audio`, {
        hint: `${id} hears ${this.sampleRateHz} Hz: resample before`,
        details: { sampleRateHz, neededRateHz: this.sampleRateHz },
      });
    }
    // Less than one window cannot reach the shortest speech there is.
    if (samples.length < hopSamples) return { spans: [], sampleRateHz, netSpeechSeconds: 0 };
    const { values } = await this.pool.run(id, samples, signal);
    const spans = speechSpans(values, hopSamples, samples.length, sampleRateHz, this.rules);
    return { spans, sampleRateHz, netSpeechSeconds: secondsOf(spans, sampleRateHz) };
  }
}
