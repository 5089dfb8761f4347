import { ask, tell, Refused } from './api.js';
import { accountPath, refreshAccount } from './customer.js';
import { agentId, attempt, desk } from './desk.js';
import { byId, input, onPress, onSubmit, part, show, swap } from './dom.js';
import {
  followCall,
  isMicrophone,
  startCall,
  type CallHandlers,
  type EnrolmentProgress,
  type LiveCall,
  type Quality,
} from './live-call.js';
import { currentLanguage, say } from './words.js';

interface Enrolment {
  readonly enrolmentId: string;
  readonly prompts: readonly { readonly digits: string }[];
  readonly progress: EnrolmentProgress;
}

/** The enrolment that goes on; null when its id is not known: the call was registered elsewhere. */
let enrolment: Enrolment | null = null;
let call: LiveCall | null = null;
/** The enrolment that made a print just now: it can be undone for a while. */
let made: Enrolment | null = null;

/** An enrolment while agent and customer talk. */
export function setUpEnrolment(): void {
  onSubmit('enrolment-start', () => attempt(start));
  onPress('enrolment-cancel', () =>
    attempt(async () => {
      const id = enrolment?.enrolmentId;
      end('cancelled', 'sayNotEnrolled', 'doubt');
      if (id !== undefined) await ask('DELETE', `/v1/enrolments/${id}`);
    }),
  );
  onPress('enrolment-undo', () =>
    attempt(async () => {
      await ask('POST', `/v1/enrolments/${made?.enrolmentId ?? ''}/undo`, { agentId: agentId() });
      clearEnrolment();
      showEnd('undone', 'doubt');
      await refreshAccount();
    }),
  );
}

/** Lets go what is shown, and followed, of an enrolment. */
export function clearEnrolment(): void {
  call?.close();
  call = null;
  enrolment = null;
  made = null;
  show('enrolment-undo', false);
  part('utterances').replaceChildren();
  show('heard', false);
  show('enrolment-end', false);
  swap('enrolment-live', 'enrolment-start');
  say('enrolment-words', 'sayEnrol');
}

async function start(): Promise<void> {
  clearEnrolment();
  const overrideReason = input('override-reason').value.trim();
  enrolment = await ask<Enrolment>('POST', `${accountPath()}/enrolments`, {
    language: currentLanguage(),
    agentId: agentId(),
    ...(desk.account?.enrolled === true && overrideReason !== '' ? { overrideReason } : {}),
  });
  const { enrolmentId, progress } = enrolment;
  showLive(progress);
  try {
    call = await startCall(
      { mode: 'enrolment', enrolmentId, agentId: agentId(), language: currentLanguage() },
      handlers,
      () => undefined,
      () => say('enrolment-hint', 'speakNow'),
    );
  } catch (fault) {
    clearEnrolment();
    throw fault;
  }
}

/** Follows an enrolment whose call was registered elsewhere. */
export function followEnrolment(streamId: string): void {
  clearEnrolment();
  show('enrolment', true);
  showLive({ utterances: 0, utterancesNeeded: 1, netSpeechSeconds: 0, netSpeechSecondsNeeded: 1 });
  call = followCall(streamId, handlers, () => undefined);
}

function showLive(progress: EnrolmentProgress): void {
  show('enrolment-cancel', enrolment !== null);
  swap('enrolment-start', 'enrolment-live');
  showProgress(progress, 0);
  say('enrolment-hint', isMicrophone() ? null : 'waiting');
  say('enrolment-sound', null);
  part('enrolment').scrollIntoView({ block: 'nearest' });
}

const handlers: CallHandlers = {
  progress: ({ netSpeechSeconds, enrolment: soFar }) => {
    if (soFar === undefined) return;
    showProgress(soFar.kept, netSpeechSeconds);
    showQuality(soFar.quality);
    say('enrolment-hint', `hint_${soFar.hint}`);
  },
  utterance: ({ accepted, quality, progress, hint }) => {
    const item = document.createElement('li');
    const what = document.createElement('strong');
    what.className = accepted ? 'good' : 'doubt';
    say(what, accepted ? 'kept' : 'dropped', { seconds: quality.netSpeechSeconds.toFixed(1) });
    item.append(what);
    if (!accepted) {
      const why = document.createElement('span');
      say(why, `hint_${hint}`);
      item.append(' – ', why);
    }
    part('utterances').append(item);
    show('heard', true);
    showProgress(progress, 0);
    showQuality(quality);
    say('enrolment-hint', `hint_${hint}`);
  },
  enrolled: () => endWithPrint(),
  error: ({ code, title }) => tell(new Refused(code, title)),
  closed: ({ reason, outcome }) => {
    if (call === null) return;
    // Of a call that another node heard only its end is told.
    if (outcome?.kind === 'enrolled') return endWithPrint();
    if (reason === 'lost') tell(new Refused('connectionLost', reason));
    end('notEnrolled', 'sayNotEnrolled', 'doubt');
  },
};

function endWithPrint(): void {
  const done = enrolment;
  end('enrolled', 'sayEnrolled', 'good');
  made = done;
  show('enrolment-undo', made !== null);
  if (desk.accountId !== null) void attempt(refreshAccount);
}

/** The enrolment is over. @param words what to read out */
function end(outcome: string, words: string, look: string): void {
  const heard = [...part('utterances').children];
  clearEnrolment();
  part('utterances').replaceChildren(...heard);
  show('heard', heard.length > 0);
  say('enrolment-words', words);
  showEnd(outcome, look);
}

function showEnd(outcome: string, look: string): void {
  say('enrolment-end', outcome);
  part('enrolment-end').className = `outcome ${look}`;
  show('enrolment-end', true);
}

/** @param speakingSeconds of the utterance that goes on: counted when it is kept */
function showProgress(kept: EnrolmentProgress, speakingSeconds: number): void {
  const { netSpeechSeconds, netSpeechSecondsNeeded, utterances, utterancesNeeded } = kept;
  const bySeconds = (netSpeechSeconds + speakingSeconds) / netSpeechSecondsNeeded;
  const byUtterances = (utterances + (speakingSeconds > 0 ? 0.5 : 0)) / utterancesNeeded;
  byId('enrolment-progress', HTMLProgressElement).value = Math.min(1, bySeconds, byUtterances);
  say('enrolment-seconds', 'secondsOf', {
    seconds: Math.min(netSpeechSeconds + speakingSeconds, netSpeechSecondsNeeded).toFixed(1),
    needed: netSpeechSecondsNeeded.toFixed(0),
  });
  say('enrolment-utterances', 'utterancesOf', { utterances: String(utterances), needed: String(utterancesNeeded) });
  const digits = enrolment?.prompts[utterances]?.digits ?? '';
  say('enrolment-digits', digits === '' ? null : 'digitsToRead', {
    digits: digits.replace(/(.{4})(?=.)/g, '$1\u00a0'),
  });
}

/** Words for people; what is refused is said by the hint. SNR in dB. */
function showQuality({ speechLevelDbfs, snrDb, clippingShare }: Quality): void {
  byId('enrolment-level', HTMLMeterElement).value = speechLevelDbfs;
  if (snrDb === null) return;
  const look = clippingShare > 0.02 || snrDb < 6 ? 'Poor' : snrDb < 15 ? 'Fair' : 'Good';
  say('enrolment-sound', `sound${look}`);
}
