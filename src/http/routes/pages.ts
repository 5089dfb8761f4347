import { VoicegateError } from '../../errors.js';
import { agentWords, type AgentPrompts } from '../agent-words.js';
import type { App, HttpOptions } from '../http-app.js';
import { pageFile, readPage, sendPageFile, type PageFile } from '../page-files.js';

/** The pages for people: /agent. They need no key; what they ask for does. */
export const pageRoutes =
  ({ publicUrl, agentPrompts }: HttpOptions) =>
  (app: App): void => {
    let files: Promise<ReadonlyMap<string, PageFile>> | null = null;
    const read = async (): Promise<ReadonlyMap<string, PageFile>> =>
      new Map([...(await readPage('agent')), ['words.json', pageFile('words.json', wordsOf(agentPrompts))]]);

    for (const url of ['/agent', '/agent/:name']) {
      app.get<{ Params: { name?: string } }>(url, { schema: { hide: true } }, async (request, reply) => {
        // Once, when the first one asks: most nodes serve calls only.
        files ??= read();
        const file = (await files).get(request.params.name ?? 'index.html');
        if (file === undefined) throw new VoicegateError('not_found', 'There is nothing at this address');
        return sendPageFile(request, reply, file, publicUrl);
      });
    }
  };

const wordsOf = (prompts: AgentPrompts): Buffer =>
  Buffer.from(JSON.stringify({ zh: agentWords(prompts, 'zh'), en: agentWords(prompts, 'en') }));
