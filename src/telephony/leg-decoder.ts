import { ChunkDecoder } from '../audio/chunk-decoder.js';
import { VoicegateError } from '../errors.js';
import type { AgentEar } from '../service/live-events.js';
import type { MediaFormat } from './session-io.js';

/** A gap is not filled with more silence than this, seconds. */
export const longestGapSeconds = 5;

/** The bytes of a call → samples of the customer's voice, and the agent's to who hears it. The two are never mixed. */
export class LegDecoder {
  private readonly interleaved: ChunkDecoder;
  private readonly alone: Readonly<Record<'customer' | 'agent', ChunkDecoder>>;
  private readonly customer: number;
  private readonly agent: number;

  /** @throws VoicegateError `audio_channel_invalid` when nobody could be heard, `audio_rate_unsupported`; those of the ear's `begin` */
  constructor(
    { encoding, sampleRateHz, channels }: MediaFormat,
    targetRateHz: number,
    private readonly agentEar: AgentEar | null,
  ) {
    this.customer = channels.findIndex((channel) => channel === 'customer' || channel === 'mixed');
    this.agent = channels.indexOf('agent');
    if (this.customer < 0) {
      throw new VoicegateError('audio_channel_invalid', 'No channel of the call carries the customer', {
        hint: 'Name one of them customer, or mixed where both voices are in it',
      });
    }
    const mixed = channels[this.customer] === 'mixed';
    agentEar?.begin(mixed ? 'mixed' : this.agent < 0 ? 'customer' : 'customer_and_agent');
    const decoder = (count: number): ChunkDecoder =>
      new ChunkDecoder({ encoding, sampleRateHz, channels: count }, targetRateHz);
    this.interleaved = decoder(channels.length);
    this.alone = { customer: decoder(1), agent: decoder(1) };
  }

  /** @param leg whose frame it is, where legs come in frames of their own; absent: the channels are interleaved */
  accept(bytes: Uint8Array, leg?: 'customer' | 'agent'): Float32Array {
    return leg === undefined
      ? this.both(this.interleaved.accept(bytes))
      : this.one(leg, this.alone[leg].accept(bytes)[0]);
  }

  /** Silence in place of audio that is known to be lost. */
  skip(seconds: number, leg?: 'customer' | 'agent'): Float32Array {
    const held = Math.max(0, Math.min(longestGapSeconds, seconds));
    return leg === undefined ? this.both(this.interleaved.skip(held)) : this.one(leg, this.alone[leg].skip(held)[0]);
  }

  /** The last samples of the customer. */
  finish(): Float32Array {
    const [alone, ...rest] = [this.alone.customer.finish()[0], ...this.interleaved.finish()];
    const interleaved = rest[this.customer];
    return alone !== undefined && alone.length > 0 ? alone : (interleaved ?? new Float32Array(0));
  }

  /** The connection broke: part of a sample that came last will not be completed. */
  forgetPart(): void {
    this.skip(0);
    this.skip(0, 'customer');
    this.skip(0, 'agent');
  }

  private both(channels: readonly Float32Array[]): Float32Array {
    const agent = channels[this.agent];
    if (agent !== undefined) this.agentEar?.accept(agent);
    return channels[this.customer] ?? new Float32Array(0);
  }

  private one(leg: 'customer' | 'agent', samples: Float32Array = new Float32Array(0)): Float32Array {
    if (leg === 'customer') return samples;
    this.agentEar?.accept(samples);
    return new Float32Array(0);
  }
}
