/** The element of an id, which index.html has. @throws Error where page and script do not fit together */
export function byId<T extends HTMLElement>(id: string, kind: new () => T): T {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`index.html has no ${kind.name} with the id ${id}`);
  return found;
}

export const input = (id: string): HTMLInputElement => byId(id, HTMLInputElement);
export const select = (id: string): HTMLSelectElement => byId(id, HTMLSelectElement);
export const part = (id: string): HTMLElement => byId(id, HTMLElement);

/** Calls `work` when a form is submitted; the form itself goes nowhere. */
export function onSubmit(id: string, work: () => Promise<void>): void {
  byId(id, HTMLFormElement).addEventListener('submit', (event) => {
    event.preventDefault();
    void work();
  });
}

/** Calls `work` when a button is pressed. */
export function onPress(id: string, work: () => Promise<void> | void): void {
  byId(id, HTMLButtonElement).addEventListener('click', () => void work());
}

export function show(id: string, isShown: boolean): void {
  part(id).hidden = !isShown;
}

/** Shows one part in place of another; the keyboard's focus goes along, so that nobody loses the place. */
export function swap(hidden: string, shown: string): void {
  const hadFocus = part(hidden).contains(document.activeElement);
  show(hidden, false);
  show(shown, true);
  if (hadFocus) part(shown).querySelector<HTMLElement>('button:not([hidden])')?.focus();
}
