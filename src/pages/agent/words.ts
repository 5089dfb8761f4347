import { part, select } from './dom.js';

/** As /agent/words.json has them, see src/http/agent-words.ts. */
export type Language = 'zh' | 'en';

interface Words {
  readonly words: Readonly<Record<string, string>>;
  readonly consentVersion: string;
}

type Values = Readonly<Record<string, string>>;

const kept = 'voicegate-language';
let all: Readonly<Record<Language, Words>>;
let language: Language = 'zh';

/** Loads the words and shows those that stand in the page, in the language chosen last or the browser's. */
export async function startWords(): Promise<void> {
  all = (await (await fetch('/agent/words.json')).json()) as typeof all;
  const chosen = localStorage.getItem(kept) ?? navigator.language;
  const chooser = select('language');
  chooser.value = chosen.startsWith('zh') ? 'zh' : 'en';
  chooser.addEventListener('change', speak);
  speak();
}

function speak(): void {
  language = select('language').value === 'zh' ? 'zh' : 'en';
  localStorage.setItem(kept, language);
  document.documentElement.lang = language === 'zh' ? 'zh-CN' : 'en';
  document.documentElement.style.setProperty('--read-out', JSON.stringify(word('readOut')));
  document.title = word('title');
  for (const element of document.querySelectorAll<HTMLElement>('[data-word]')) fill(element);
}

/** The language of page and prompts. */
export const currentLanguage = (): Language => language;

/** The version of the text that a customer agrees to. */
export const consentVersion = (): string => all[language].consentVersion;

/** A text with its placeholders filled, in one pass. */
export function word(name: string, values: Values = {}): string {
  const template = all[language].words[name];
  if (template === undefined) throw new Error(`there is no word ${name}`);
  return template.replace(/\{(\w+)\}/g, (whole, key: string) => values[key] ?? whole);
}

/** Lets an element, or one with an id, say something; it goes on saying it when the language is changed. */
export function say(where: string | HTMLElement, name: string | null, values: Values = {}): void {
  const element = typeof where === 'string' ? part(where) : where;
  if (name === null) {
    delete element.dataset.word;
    element.textContent = '';
    return;
  }
  element.dataset.word = name;
  element.dataset.values = JSON.stringify(values);
  fill(element);
}

function fill(element: HTMLElement): void {
  const text = word(element.dataset.word ?? '', JSON.parse(element.dataset.values ?? '{}') as Values);
  // Told again only when it changed: screen readers read what is written.
  if (element.textContent !== text) element.textContent = text;
}
