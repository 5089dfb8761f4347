import { randomUUID } from 'node:crypto';
import { VoicegateError } from '../errors.js';
import type { Recording } from '../prompts/prompts.js';
import type { Caller, ServiceContext } from '../service/context.js';
import { currentPolicy } from '../service/policies.js';
import type { Role } from '../service/ports.js';
import type { DialogueName, DialogueState, Submitted, Terms } from './dialogue-state.js';
import type { IvrOptions, Turn } from './documents.js';
import { askForConsent, start, utterance } from './enrol-dialogue.js';
import { askNewPin, askToChangePin, changePin, newPin } from './pin-dialogue.js';
import { unseal } from './sealed-state.js';
import { answer, askIdentity, identify } from './verify-dialogue.js';

/** How a gateway opens a dialogue. */
export type Opening = Omit<Terms, 'callId'> & { readonly callId: string | null };

/** Dialogues with callers as VoiceXML documents. */
export interface Dialogues {
  /**
   * The first document of a dialogue.
   * @throws VoicegateError `forbidden` for a key without the dialogue's roles, `invalid_request` for `pin-set` without an account
   */
  open(caller: Caller, opening: Opening): Promise<string>;
  /**
   * The document that follows what one of ours submitted.
   * @throws VoicegateError `invalid_request` for a state that is not ours or too old, `forbidden`, and what a caller can do nothing about (`busy`,
   *   `conflict` …): the document before has a handler that says so
   */
  next(caller: Caller, submitted: Submitted): Promise<string>;
  /** The recordings that documents point to. */
  readonly recordings: ReadonlyMap<string, Recording>;
}

const neededRoles: Readonly<Record<DialogueName, readonly Role[]>> = {
  verify: ['verifier'],
  'pin-set': ['enroller'],
  'pin-change': ['enroller'],
  'pin-after-voice': ['verifier', 'enroller'],
  enrol: ['enroller'],
};

export function createDialogues(context: ServiceContext, options: IvrOptions): Dialogues {
  const turnOf = async (caller: Caller, terms: Terms): Promise<Turn> => ({
    ...options,
    context,
    caller,
    terms,
    policy: await currentPolicy(context, caller),
  });
  return {
    recordings: options.prompts.recordings,
    async open(caller, opening) {
      checkRoles(caller, opening.dialogue);
      // A call has an id, so that its bound on CONTINUE holds over several tries.
      const terms: Terms = { ...opening, callId: opening.callId ?? `ivr_${randomUUID()}` };
      return first(await turnOf(caller, terms));
    },
    async next(caller, submitted) {
      const state = unseal(context, caller, submitted.state) as DialogueState | null;
      if (state === null) {
        throw new VoicegateError('invalid_request', 'The state was not made for this key, was changed, or is too old', {
          hint: 'Send the state of the document before, within five minutes; or begin the dialogue again',
        });
      }
      checkRoles(caller, state.terms.dialogue);
      const turn = await turnOf(caller, state.terms);
      switch (state.step) {
        case 'identify':
          return identify(turn, state, submitted);
        case 'answer':
          return answer(turn, state, submitted);
        case 'change-pin':
          return changePin(turn, state, submitted);
        case 'new-pin':
          return newPin(turn, state, submitted);
        case 'start-enrolment':
          return start(turn, state, submitted);
        case 'utterance':
          return utterance(turn, state, submitted);
      }
    },
  };
}

function first(turn: Turn): string {
  const { dialogue, accountId } = turn.terms;
  switch (dialogue) {
    case 'verify':
    case 'pin-after-voice':
      return askIdentity(turn, 0, ['greeting']);
    case 'pin-change':
      return askToChangePin(turn, 0, ['greeting']);
    case 'pin-set':
      // A first PIN asks for no proof here: whoever calls has to be identified by the operator.
      if (accountId === null) {
        throw new VoicegateError('invalid_request', 'pin-set needs accountId in the body: who calls has to be known', {
          hint: 'Identify the caller, then POST accountId; to change a PIN use pin-change',
        });
      }
      return askNewPin(turn, { accountId, verificationId: null, failures: 0 }, ['greeting']);
    case 'enrol':
      return askForConsent(turn, { consented: false, failures: 0 }, ['greeting']);
  }
}

function checkRoles(caller: Caller, dialogue: DialogueName): void {
  const needed = neededRoles[dialogue];
  if (needed.every((role) => caller.roles.includes(role))) return;
  throw new VoicegateError('forbidden', 'This key’s roles do not allow this dialogue', {
    hint: `Needs ${needed.join(' and ')}`,
  });
}
