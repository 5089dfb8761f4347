import { createDialogues, type Dialogues } from '../../src/ivr/dialogues.js';
import { ivrPromptNames } from '../../src/ivr/ivr-prompts.js';
import { loadPrompts } from '../../src/prompts/prompts.js';
import type { ServiceContext } from '../../src/service/context.js';

/** How a test's dialogues are set up. */
export interface TestIvrOptions {
  readonly transferTo?: string;
  readonly promptsDir?: string;
}

/** Dialogues with the shipped prompts and three tries. */
export async function testDialogues(context: ServiceContext, options: TestIvrOptions = {}): Promise<Dialogues> {
  const prompts = await loadPrompts('ivr', ivrPromptNames, options.promptsDir ?? null);
  return createDialogues(context, { prompts, tries: 3, transferTo: options.transferTo ?? null });
}
