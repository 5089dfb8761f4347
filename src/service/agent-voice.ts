import { leakage, longestEchoSeconds } from '../audio/leakage.js';
import { SampleQueue } from '../audio/sample-queue.js';
import { VoicegateError } from '../errors.js';
import { RunningVoice } from '../scoring/running-voice.js';
import { scoreVoice } from '../scoring/score-voice.js';
import type { AgentInUtterance } from '../voiceprint/judge-utterance.js';
import { scorerOf, type ServiceContext } from './context.js';
import type { Heard } from './listen.js';
import type { LiveEar } from './live-ear.js';
import type { AgentEar, Legs } from './live-events.js';

/** More of the agent's speech than this makes the print hardly better (the table is in this room's README); then the leg costs nothing more. */
const mostAgentSpeechSeconds = 24;
/** What is kept of the agent's leg, to be held against an utterance of the customer's: longer than any, seconds. */
const keptSeconds = 32;

/** A voice to be kept out of a print. */
export interface KnownVoice {
  readonly vector: Float32Array;
  readonly netSpeechSeconds: number;
}

/**
 * The agent's voice in a call with a customer: as it was enrolled, and as it is heard on its own leg. Says how much of it is in an utterance.
 * Times are samples of the call's clock, on which both legs go side by side, so that nothing depends on how they arrive.
 */
export class AgentVoice implements AgentEar {
  private legs: Legs = 'customer';
  private readonly voice = new RunningVoice();
  private readonly ear: LiveEar;
  private readonly recent = new SampleQueue();
  /** Samples of the leg: taken, given to the ear. */
  private taken = 0;
  private given = 0;

  /** @param enrolled the agent's own print by the model `modelId`; null: there is none */
  constructor(
    private readonly context: ServiceContext,
    private readonly modelId: string,
    private readonly enrolled: KnownVoice | null,
  ) {
    this.ear = context.liveEars.listen(false);
  }

  /** @throws VoicegateError `agent_voiceprint_missing` where both voices come in one and the agent's is not known */
  begin(legs: Legs): void {
    this.legs = legs;
    if (legs !== 'mixed' || this.enrolled !== null) return;
    throw new VoicegateError(
      'agent_voiceprint_missing',
      'Both voices come in one channel, and the agent’s own voiceprint is not there to tell them apart',
      {
        hint: 'Send two channels, or name an agentId enrolled with PUT /v1/agents/{agentId}/voiceprint for this model',
      },
    );
  }

  accept(samples: Float32Array): void {
    this.recent.push(samples);
    this.taken += samples.length;
    // The customer's leg stands still: what is too old for it is let go, heard or not.
    this.recent.shift(this.recent.length - 2 * keptSeconds * this.context.liveEars.sampleRateHz);
    this.given = Math.max(this.given, this.taken - this.recent.length);
  }

  /** Whether turns of two speakers follow one another in the customer's channel. */
  get mixed(): boolean {
    return this.legs === 'mixed';
  }

  /** Hears the agent's leg up to a sample of the call, as far as it is there. */
  async hearUntil(sample: number): Promise<void> {
    if (this.legs !== 'customer_and_agent') return;
    const until = Math.min(sample, this.taken);
    const first = this.taken - this.recent.length;
    if (this.voice.netSpeechSeconds < mostAgentSpeechSeconds && until > this.given) {
      this.ear.accept(this.recent.view(this.given - first, until - first));
      while (this.ear.ready) for (const window of await this.ear.advance()) await this.learn(window);
    }
    this.given = Math.max(this.given, until);
    // What was not given to the ear yet is never let go.
    const keep = Math.max(keptSeconds * this.context.liveEars.sampleRateHz, this.taken - this.given);
    this.recent.shift(this.recent.length - keep);
  }

  /** How much of the agent there is in an utterance. @param startSample of the call, where it began */
  async find(samples: Float32Array, startSample: number, heard: Heard): Promise<AgentInUtterance> {
    const { sampleRateHz } = this.context.liveEars;
    const lead = Math.round(longestEchoSeconds * sampleRateHz);
    const first = this.taken - this.recent.length;
    const from = Math.max(0, startSample - lead - first);
    const source = this.recent.view(from, startSample + samples.length - first);
    return {
      llr: await likeness(this.context, this.voices(), heard),
      leakage: source.length === 0 ? 0 : leakage(samples, source, startSample - first - from, sampleRateHz),
    };
  }

  /** As enrolled, and as heard on its leg. */
  private voices(): KnownVoice[] {
    const { voice, enrolled } = this;
    const vector = voice.mean();
    const heard = vector === null ? [] : [{ vector, netSpeechSeconds: voice.netSpeechSeconds }];
    return enrolled === null ? heard : [enrolled, ...heard];
  }

  private async learn(window: Parameters<ServiceContext['liveEars']['embedWindow']>[0]): Promise<void> {
    if (this.voice.netSpeechSeconds >= mostAgentSpeechSeconds || !(window.netSpeechSeconds > 0)) return;
    const vector = await this.context.liveEars.embedWindow(window, { hears: 'caller', modelId: this.modelId });
    this.voice.add(vector, window.netSpeechSeconds);
  }
}

/**
 * The largest LLR of an utterance, or any piece of its windows, against any of these voices.
 * @param voices by the model that heard the utterance
 * @returns null where there is nothing to compare
 */
export async function likeness(
  context: ServiceContext,
  voices: readonly KnownVoice[],
  { embedding, windows, report: { snrDb } }: Heard,
): Promise<number | null> {
  if (embedding === null || voices.length === 0) return null;
  const { modelId } = embedding;
  const pieces = await Promise.all(windows.map((window) => context.liveEars.embedPieces(window, modelId)));
  const scorer = scorerOf(context, modelId);
  return Math.max(
    ...voices.flatMap((enrolment) =>
      [embedding, ...pieces.flat()].map((test) => scoreVoice({ enrolment, test: { ...test, snrDb } }, scorer).llr),
    ),
  );
}
