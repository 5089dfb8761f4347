import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { audioFixturesDir } from '../../src/paths.js';
import { folderOf } from './list-folder.js';

const callers = ['en-awb', 'en-slt', 'zh-f4', 'zh-m5'];

/**
 * A folder of lists made of the synthetic callers: `voices` (four callers, three utterances enrolled, two tested against every model) and
 * `digits-en` (two callers; right, near and wrong). The audio is linked, not copied.
 */
export function fixtureLists(t: { teardown(undo: () => void): void }): string {
  const tests = callers.flatMap((caller) =>
    ['verify-1', 'verify-2'].map((name) => ({ caller, file: `${caller}/${name}.wav` })),
  );
  const folder = folderOf(t, {
    'voices/enrol.tsv': [
      'model|files|language',
      ...callers.map((caller) => {
        const files = [1, 2, 3].map((number) => `audio/${caller}/enrol-${number}.wav`);
        return `${caller}|${files.join(',')}|${caller.slice(0, 2)}`;
      }),
    ],
    'voices/trials.tsv': [
      'model|test|label',
      ...callers.flatMap((model) =>
        tests.map(({ caller, file }) => `${model}|audio/${file}|${model === caller ? 'target' : 'nontarget'}`),
      ),
    ],
    'digits-en/phrases.tsv': [
      'file|speaker|spoken|expected|label',
      'audio/en-awb/enrol-1.wav|en-awb|63854291|63854291|right',
      'audio/en-awb/enrol-1.wav|en-awb|63854291|63854292|near',
      'audio/en-awb/enrol-1.wav|en-awb|63854291|11854293|wrong',
      'audio/en-awb/enrol-2.wav|en-awb|20615984|20615984|right',
    ],
  });
  for (const list of ['voices', 'digits-en'])
    symlinkSync(join(audioFixturesDir, 'callers'), join(folder, list, 'audio'));
  return folder;
}
