import { tell, Refused } from './api.js';
import { agentId, attempt, desk } from './desk.js';
import { byId, input, onPress, onSubmit, part, select, show, swap } from './dom.js';
import { followCall, isMicrophone, startCall, type CallHandlers, type Decision, type LiveCall } from './live-call.js';
import { currentLanguage, say } from './words.js';

/** What to read out and what to do, for each decision. Never which factor failed: the agent is not told, so that nobody can ask the agent. */
const verdicts: Readonly<Record<Decision, readonly [words: string, todo: string, look: string]>> = {
  ACCEPT: ['sayAccepted', 'doAccept', 'good'],
  REJECT: ['sayRefused', 'doRefuse', 'bad'],
  CONTINUE: ['sayOnceMore', 'doOnceMore', 'doubt'],
  STEP_UP: ['sayOtherWay', 'doOtherWay', 'doubt'],
  INCONCLUSIVE: ['sayOtherWay', 'doAgent', 'doubt'],
};

/** Speech at which the bar is full in a talk, seconds: the policy knows how much there may be, and most calls are decided before. */
const barSeconds = { passive: 20, active: 4 };

type Mode = 'active' | 'passive';

let call: LiveCall | null = null;
let isDecided = false;
/** The verification that a further one goes on from. */
let continues: string | null = null;

/** A verification while agent and customer talk, or by digits. */
export function setUpVerification(): void {
  onSubmit('verification-start', () => attempt(start));
  onPress('verification-stop', () => {
    // A telephone call ends where it is held; here it is followed no longer.
    if (isMicrophone()) {
      byId('verification-stop', HTMLButtonElement).disabled = true;
      call?.end();
    } else {
      stopFollowing();
      show('verification-words', false);
    }
  });
  select('mode').addEventListener('change', () => {
    continues = null;
    show('identified-field', select('mode').value === 'passive');
  });
}

/** Lets go what is shown, and followed, of a verification. */
export function clearVerification(): void {
  stopFollowing();
  continues = null;
  input('pin').value = '';
  input('identified').checked = false;
  show('verification-words', false);
  show('verdict', false);
}

function stopFollowing(): void {
  call?.close();
  call = null;
  swap('verification-live', 'verification-start');
}

async function start(): Promise<void> {
  const mode = select('mode').value === 'active' ? 'active' : 'passive';
  const pin = input('pin').value;
  const terms = {
    mode,
    accountId: desk.accountId,
    tier: select('tier').value,
    language: currentLanguage(),
    ...(agentId() === '' ? {} : { agentId: agentId() }),
    ...(mode === 'passive' ? { identifiedByAgent: input('identified').checked } : {}),
    ...(continues === null ? {} : { continues }),
    ...(pin === '' || !isMicrophone() ? {} : { pin }),
  };
  showLive(mode);
  const showWords = (digits: string | null): void => {
    if (digits === null) return;
    say('verification-words', 'sayDigits', { digits: spaced(digits) });
    show('verification-words', true);
  };
  try {
    call = await startCall(terms, handlersOf(mode), showWords, () =>
      say('verification-hint', mode === 'active' ? 'speakNow' : 'listening'),
    );
  } catch (fault) {
    stopFollowing();
    show('verification-words', false);
    throw fault;
  }
}

/** Follows a verification whose call was registered elsewhere. */
export function followVerification(streamId: string, mode: Mode): void {
  clearVerification();
  show('verification', true);
  showLive(mode);
  call = followCall(streamId, handlersOf(mode), () => say('verification-hint', 'listening'));
}

function showLive(mode: Mode): void {
  isDecided = false;
  show('verdict', false);
  say('verification-stop', isMicrophone() ? 'stop' : 'cancel');
  swap('verification-start', 'verification-live');
  byId('verification-stop', HTMLButtonElement).disabled = false;
  showSpeech(0, mode);
  say('verification-hint', isMicrophone() ? null : 'waiting');
  say('verification-words', 'sayTalk');
  show('verification-words', mode === 'passive');
  part('verification').scrollIntoView({ block: 'nearest' });
}

const handlersOf = (mode: Mode): CallHandlers => ({
  progress: ({ netSpeechSeconds }) => showSpeech(netSpeechSeconds, mode),
  interim: ({ cumulative }) => {
    showSpeech(cumulative.netSpeechSeconds, mode);
    // What speaks against the caller is told by the verdict alone.
    say('verification-hint', cumulative.decision === 'accepted' ? 'fits' : 'listening');
  },
  verdict: ({ decision, verificationId }) => showVerdict(decision, verificationId ?? null),
  error: ({ code, title }) => tell(new Refused(code, title)),
  closed: ({ outcome }) => {
    if (!isDecided) showVerdict(outcome?.decision ?? 'INCONCLUSIVE', null);
    stopFollowing();
  },
});

function showVerdict(decision: Decision, verificationId: string | null): void {
  isDecided = true;
  continues = decision === 'CONTINUE' ? verificationId : null;
  const [words, todo, look] = verdicts[decision];
  say('verification-words', words);
  say('verdict-do', todo);
  part('verdict').className = `outcome ${look}`;
  part('verdict').dataset.decision = decision;
  show('verification-words', true);
  show('verdict', true);
  part('verification').scrollIntoView({ block: 'nearest' });
  swap('verification-live', 'verification-start');
}

function showSpeech(seconds: number, mode: Mode): void {
  byId('verification-progress', HTMLProgressElement).value = Math.min(1, seconds / barSeconds[mode]);
  say('verification-seconds', 'speechSoFar', { seconds: seconds.toFixed(1) });
}

/** Digit by digit, in groups of four that stay on one line. */
const spaced = (digits: string): string =>
  (digits.match(/.{1,4}/g) ?? []).map((group) => group.split('').join('\u00a0')).join(' ');
