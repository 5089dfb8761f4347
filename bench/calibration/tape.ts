import type { SpeechActivity } from '../../src/audio/waveform.js';

/** All that one speaker says, laid end to end, to be cut by seconds of net speech. */
export class Tape {
  private taken = 0;

  constructor(
    private readonly samples: Float32Array,
    private readonly activity: SpeechActivity,
  ) {}

  /** Net speech that is not yet cut off, seconds. */
  get left(): number {
    return this.activity.netSpeechSeconds - this.taken;
  }

  /** The next so many seconds of net speech with the pauses among them; what is cut is not cut again. */
  cut(netSeconds: number): Float32Array {
    const from = this.positionOf(this.taken);
    this.taken = Math.min(this.activity.netSpeechSeconds, this.taken + netSeconds);
    return this.samples.slice(from, this.positionOf(this.taken));
  }

  /** The sample by which so much speech was heard. A border between two spans lies before the pause. */
  private positionOf(netSeconds: number): number {
    const { spans, sampleRateHz } = this.activity;
    let wanted = Math.round(netSeconds * sampleRateHz);
    if (wanted === 0) return 0;
    for (const { startSample, endSample } of spans) {
      if (wanted <= endSample - startSample) return startSample + wanted;
      wanted -= endSample - startSample;
    }
    return this.samples.length;
  }
}

/** One array of all of them. */
export function joined(parts: readonly Float32Array[]): Float32Array {
  const whole = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
