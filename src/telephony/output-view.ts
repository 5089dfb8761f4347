import type { AnswerKind } from '../service/ports.js';
import { verificationView } from '../service/verification-view.js';
import type { SessionOutput } from './session-io.js';

/** A message as peers, event streams and webhooks get it: JSON, `type` first. */
export type OutputView = { readonly type: SessionOutput['kind'] } & Readonly<Record<string, unknown>>;

/** What a key may be told of an output; the one place where what an `opaque` key may not see is left out. */
export function outputView(answer: AnswerKind, output: SessionOutput): OutputView {
  const { kind, ...rest } = output;
  switch (output.kind) {
    case 'verdict': {
      const { verification, nextChallenge } = output.answer;
      return { type: 'verdict', ...verificationView({ answer }, verification, nextChallenge) };
    }
    case 'interim': {
      const { incremental, cumulative, quality } = output;
      return answer === 'full'
        ? { type: 'interim', incremental, cumulative, quality }
        : { type: 'interim', incremental: secondsOnly(incremental), cumulative: secondsOnly(cumulative) };
    }
    case 'progress':
    case 'utterance':
    case 'enrolled':
    case 'error':
    case 'drained':
    case 'closed':
      return { type: kind, ...rest };
  }
}

const secondsOnly = ({ netSpeechSeconds }: { readonly netSpeechSeconds: number }) => ({ netSpeechSeconds });
