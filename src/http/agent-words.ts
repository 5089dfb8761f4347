import { createHash } from 'node:crypto';
import type { Language } from '../challenge/languages.js';
import { enrolmentHints, type EnrolmentHint } from '../service/enrolment-hints.js';
import { anyText, type Prompts } from '../prompts/prompts.js';

const hints = Object.fromEntries(enrolmentHints.map((hint) => [`hint_${hint}`, {}])) as Record<
  `hint_${EnrolmentHint}`,
  Record<never, never>
>;

/** What the agents' page says. The words stand in src/prompts/agent.zh.json and agent.en.json; those that begin with `say` are to be read out. */
export const agentPromptNames = {
  sayGreeting: {},
  /** What is agreed to. A changed text is another version of the consent. */
  sayConsent: {},
  sayConsentGiven: {},
  sayConsentDeclined: {},
  sayEnrol: {},
  sayEnrolled: {},
  sayNotEnrolled: {},
  sayTalk: {},
  sayDigits: { digits: anyText },
  sayAccepted: {},
  /** The same words whichever factor failed. */
  sayRefused: {},
  sayOnceMore: {},
  sayOtherWay: {},

  title: {},
  readOut: {},
  signInTitle: {},
  apiKey: {},
  apiKeyHelp: {},
  signIn: {},
  signOut: {},
  signedInAs: { label: anyText },
  needsRoles: {},
  ended: {},

  customerTitle: {},
  account: {},
  agent: {},
  agentHelp: {},
  source: {},
  sourceCall: {},
  sourceMicrophone: {},
  microphoneHelp: {},
  protocol: {},
  callId: {},
  lookUp: {},
  create: {},
  accountUnknown: {},
  enrolledYes: {},
  enrolledNo: {},
  consentYes: {},
  consentNo: {},
  lockedYes: {},
  optedOutYes: {},
  demoPin: {},
  demoPinHelp: {},
  setPin: {},
  pinSet: {},

  consentTitle: {},
  agrees: {},
  declines: {},
  consentRecorded: { version: anyText },
  consentRefused: {},
  withdraw: {},
  withdrawSure: {},

  enrolTitle: {},
  start: {},
  cancel: {},
  undo: {},
  overrideReason: {},
  overrideHelp: {},
  speech: {},
  secondsOf: { seconds: anyText, needed: anyText },
  utterancesOf: { utterances: anyText, needed: anyText },
  digitsToRead: { digits: anyText },
  level: {},
  sound: {},
  soundGood: {},
  soundFair: {},
  soundPoor: {},
  heardUtterances: {},
  kept: { seconds: anyText },
  dropped: { seconds: anyText },
  enrolled: {},
  cancelled: {},
  undone: {},
  notEnrolled: {},

  verifyTitle: {},
  mode: {},
  modePassive: {},
  modeActive: {},
  tier: {},
  tierLow: {},
  tierStandard: {},
  tierHigh: {},
  identified: {},
  pin: {},
  pinHelp: {},
  speechSoFar: { seconds: anyText },
  listening: {},
  fits: {},
  stop: {},
  doAccept: {},
  doRefuse: {},
  doOnceMore: {},
  doOtherWay: {},
  doAgent: {},

  connectTo: {},
  copy: {},
  copied: {},
  waiting: {},
  speakNow: {},
  connectionLost: {},

  micInsecure: {},
  micDenied: {},
  micMissing: {},
  micFailed: {},
  errorOther: { title: anyText },
  errorNetwork: {},
  errorRole: {},
  errorKey: {},
  errorRate: {},
  errorBusy: {},
  errorConsent: {},
  errorOptedOut: {},
  errorProof: {},
  errorEnrolment: {},
  errorPin: {},
  errorLocked: {},
  ...hints,
} as const;

export type AgentPrompts = Prompts<typeof agentPromptNames>;

/** The words of a language as the page gets them, with the version of the text that the customer agrees to. */
export interface AgentWords {
  readonly words: Readonly<Record<string, string>>;
  /** Names language and text: an operator who changes the text has changed the version. */
  readonly consentVersion: string;
}

/** The words of a language for the page, which fills their placeholders itself. */
export function agentWords(prompts: AgentPrompts, language: Language): AgentWords {
  const words = prompts.templates(language);
  const digest = createHash('sha256').update(words.sayConsent).digest('hex').slice(0, 12);
  return { words, consentVersion: `agent-${language}-${digest}` };
}
