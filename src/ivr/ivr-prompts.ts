import { anyText, type Prompts } from '../prompts/prompts.js';

/** What the dialogues say. The words stand in src/prompts/ivr.zh.json and ivr.en.json. */
export const ivrPromptNames = {
  greeting: {},
  askAccount: {},
  askPin: { digits: anyText },
  /** Before the digits of a challenge are read out. */
  sayDigits: {},
  /** One digit as a word; a recording may be had for each, e.g. "digit-{digit}.wav". */
  digit: { word: anyText, digit: ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'] },
  /** After the digits, before the tone. */
  speakNow: {},
  nothingEntered: {},
  notUnderstood: {},
  nothingHeard: {},
  /** One more phrase is wanted. */
  oneMore: {},
  accepted: {},
  tryAgain: {},
  notAccepted: {},
  toAgent: {},
  goodbye: {},
  /** Something failed on our side. */
  failed: {},
  askOldPin: { digits: anyText },
  askNewPin: { digits: anyText },
  repeatNewPin: {},
  pinsDiffer: {},
  pinTooSimple: {},
  pinSet: {},
  pinNotSet: {},
  /** What is agreed to. A changed text is another version of the consent. */
  consent: {},
  askConsent: {},
  consentDeclined: {},
  enrolmentIntro: {},
  enrolmentRefused: {},
  speakLonger: {},
  speakInQuiet: {},
  oneVoiceOnly: {},
  otherDigits: {},
  /** Said between two utterances. */
  next: {},
  enrolled: {},
  notEnrolled: {},
} as const;

export type IvrPrompts = Prompts<typeof ivrPromptNames>;
export type IvrPromptName = keyof typeof ivrPromptNames;
