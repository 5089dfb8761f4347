/** How digits are asked for in one language. A further language is one more of these in `promptLanguages`. */
export interface PromptLanguage {
  /** Words of 0 to 9. */
  readonly digitWords: readonly string[];
  /** Another word for 1 on the telephone, used by option; null where there is none. */
  readonly telephoneOne: string | null;
  /** Between the digits of a group, and between groups: what makes a synthesiser or a reader pause. */
  readonly betweenDigits: string;
  readonly betweenGroups: string;
  /** The whole request around the digits' words. */
  readonly sentence: (words: string) => string;
}

export const promptLanguages = {
  zh: {
    digitWords: ['零', '一', '二', '三', '四', '五', '六', '七', '八', '九'],
    telephoneOne: '幺',
    betweenDigits: '',
    betweenGroups: '，',
    sentence: (words) => `请读出这些数字：${words}。`,
  },
  en: {
    digitWords: ['zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine'],
    telephoneOne: null,
    betweenDigits: ' ',
    betweenGroups: ', ',
    sentence: (words) => `Please say these digits: ${words}.`,
  },
} as const satisfies Record<string, PromptLanguage>;

/** Languages that prompts can be given in. */
export type Language = keyof typeof promptLanguages;
