import { ask } from './api.js';
import { byId, input, onPress, part, select, show } from './dom.js';
import { checkMicrophone, sendMicrophone, type Microphone } from './microphone.js';
import { say } from './words.js';

/** The seconds and quality that events tell, see the API page. */
export interface Quality {
  readonly netSpeechSeconds: number;
  readonly snrDb: number | null;
  readonly speechLevelDbfs: number;
  readonly clippingShare: number;
}

export interface EnrolmentProgress {
  readonly utterances: number;
  readonly utterancesNeeded: number;
  readonly netSpeechSeconds: number;
  readonly netSpeechSecondsNeeded: number;
}

export type Decision = 'ACCEPT' | 'REJECT' | 'CONTINUE' | 'STEP_UP' | 'INCONCLUSIVE';

/** What a call tells, as far as this page looks at it. */
export interface CallEvents {
  readonly progress: {
    readonly netSpeechSeconds: number;
    readonly enrolment?: { readonly kept: EnrolmentProgress; readonly quality: Quality; readonly hint: string };
  };
  readonly interim: {
    readonly cumulative: {
      readonly netSpeechSeconds: number;
      readonly decision?: 'accepted' | 'rejected' | 'undecided';
    };
  };
  readonly verdict: { readonly decision: Decision; readonly verificationId?: string };
  readonly utterance: {
    readonly accepted: boolean;
    readonly quality: Quality;
    readonly progress: EnrolmentProgress;
    readonly hint: string;
  };
  readonly enrolled: { readonly voiceprintId: string };
  readonly error: { readonly code: string; readonly title: string };
  readonly closed: {
    readonly reason: string;
    readonly outcome?: { readonly kind: string; readonly decision?: Decision } | null;
  };
}

const eventNames = ['progress', 'interim', 'verdict', 'utterance', 'enrolled', 'error', 'closed'] as const;

export type CallHandlers = { readonly [K in keyof CallEvents]?: (data: CallEvents[K]) => void };

/** A registered stream, as POST /v1/streams answers it. */
interface Stream {
  readonly streamId: string;
  readonly url: string;
  readonly token: string;
  readonly challenge: { readonly digits: string } | null;
}

/** A call that this page follows. */
export interface LiveCall {
  /** Ends the audio of the microphone; a telephone call ends where it is held. */
  end(): void;
  /** Follows it no longer. */
  close(): void;
}

/** Whether this page's microphone stands for the call. */
export const isMicrophone = (): boolean => input('source-microphone').checked;

/**
 * Registers a live call, tells where it connects or opens the microphone for it, and follows its events until it is closed.
 * @param terms of POST /v1/streams
 * @param onRegistered told the digits that are to be read, before anything is heard
 * @param onHeard the service listens
 * @throws Refused of the API or the microphone
 */
export async function startCall(
  terms: object,
  handlers: CallHandlers,
  onRegistered: (digits: string | null) => void,
  onHeard: () => void,
): Promise<LiveCall> {
  const bySelf = isMicrophone();
  if (bySelf) checkMicrophone();
  const callId = input('call-id').value.trim();
  const stream = await ask<Stream>('POST', '/v1/streams', {
    ...terms,
    protocol: bySelf ? 'voicegate' : select('protocol').value,
    channel: bySelf ? 'microphone' : 'agent',
    ...(callId === '' || bySelf ? {} : { callId }),
  });
  onRegistered(stream.challenge?.digits ?? null);
  if (!bySelf) {
    showAddress(stream.url);
    return followCall(stream.streamId, handlers, onHeard);
  }
  let microphone: Microphone | null = null;
  const closed: CallHandlers['closed'] = (data) => {
    microphone?.close();
    handlers.closed?.(data);
  };
  const followed = followCall(stream.streamId, { ...handlers, closed }, () => undefined);
  try {
    const { origin, pathname } = new URL(stream.url);
    microphone = await sendMicrophone(`${origin}${pathname}`, stream.token, onHeard);
  } catch (fault) {
    followed.close();
    throw fault;
  }
  return {
    end: () => microphone?.end(),
    close: () => {
      followed.close();
      microphone?.close();
    },
  };
}

/**
 * Follows a call's events until it is closed, by whomever it was registered.
 * @param onHeard told once, when there is the first event
 */
export function followCall(streamId: string, handlers: CallHandlers, onHeard: () => void): LiveCall {
  const source = new EventSource(`/v1/streams/${streamId}/events`);
  let isHeard = false;
  const close = (): void => {
    source.close();
    setLive(false);
  };
  const listen = <Name extends keyof CallEvents>(name: Name): void => {
    source.addEventListener(name, (event) => {
      // The browser's own word for a broken connection has no data: it connects again by itself, unless it was refused.
      if (event instanceof MessageEvent) {
        if (!isHeard) onHeard();
        isHeard = true;
        if (name === 'closed') close();
        handlers[name]?.(JSON.parse(String(event.data)) as CallEvents[Name]);
      } else if (source.readyState === EventSource.CLOSED) {
        close();
        handlers.closed?.({ reason: 'lost' });
      }
    });
  };
  for (const name of eventNames) listen(name);
  setLive(true);
  return { end: () => undefined, close };
}

/** One call at a time: what would begin another waits. */
function setLive(isLive: boolean): void {
  const waiting = document.querySelectorAll<HTMLButtonElement | HTMLInputElement>('.when-idle');
  for (const control of waiting) control.disabled = isLive;
  if (!isLive) show('connection', false);
}

function showAddress(address: string): void {
  part('connection-address').textContent = address;
  show('connection', true);
  part('connection').scrollIntoView({ block: 'nearest' });
}

/** Lets the address of a call be copied. */
export function setUpConnection(): void {
  onPress('copy', async () => {
    await navigator.clipboard.writeText(part('connection-address').textContent ?? '');
    say(byId('copy', HTMLButtonElement), 'copied');
    setTimeout(() => say(byId('copy', HTMLButtonElement), 'copy'), 2000);
  });
}
