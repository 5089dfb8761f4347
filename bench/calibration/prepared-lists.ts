import { existsSync } from 'node:fs';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { devList, digitHalves, evaluationLists, openDevLists } from './dev-lists.js';
import { prepareList, readPrepared, writePrepared, type Condition, type PreparedList } from './prepared.js';
import { cohortLists, trainingLists, type Detect } from './training-lists.js';
import type { TrialList } from './trial-list.js';

/** All that a calibration hears. */
export interface PreparedLists {
  readonly cohort: readonly PreparedList[];
  readonly fitting: readonly PreparedList[];
  readonly evaluation: readonly PreparedList[];
}

/** Where the speech is and who may be used for what. */
export interface Speech {
  readonly speechDir: string;
  /** Training speakers that the model has not seen; the cohort is drawn from the others. */
  readonly isUnseen: (speaker: string) => boolean;
  readonly cohortSize: number;
  /** Folder for what the ears keep; speaks of these speakers, this size and this activity network only. */
  readonly cache: string;
  readonly detect: Detect;
}

/**
 * Training speakers through the telephone, dev lists as they are and through the telephone, the cohort half and half. Decoding and
 * speech activity are the same for every speaker model, so their outcome is kept in the cache.
 */
export async function preparedLists({
  speechDir,
  isUnseen,
  cohortSize,
  cache,
  detect,
}: Speech): Promise<PreparedLists> {
  const get = (name: string, conditions: readonly Condition[], make: () => Promise<readonly TrialList[]>) =>
    group(join(cache, name), conditions, make, detect);
  const dev = async (names: readonly string[]): Promise<PreparedList[]> => {
    const lists: PreparedList[] = [];
    for (const name of names)
      lists.push(...(await get(name, ['plain', 'telephone'], async () => [await devList(speechDir, name)])));
    return lists;
  };
  const cohort = await get(`cohort-${cohortSize}`, ['mixed'], () =>
    cohortLists(speechDir, (speaker) => !isUnseen(speaker), detect, cohortSize),
  );
  const training = await get('training', ['telephone'], () => trainingLists(speechDir, isUnseen, detect));
  const halves = await get('digit-halves', ['plain', 'telephone'], async () => [await digitHalves(speechDir, detect)]);
  return {
    cohort,
    fitting: [...training, ...halves, ...(await dev(openDevLists))],
    evaluation: await dev(evaluationLists),
  };
}

/** Lists of one folder of the cache; `done` is written last, so that a run that was ended begins the folder anew. */
async function group(
  folder: string,
  conditions: readonly Condition[],
  make: () => Promise<readonly TrialList[]>,
  detect: Detect,
): Promise<PreparedList[]> {
  const done = join(folder, 'done');
  if (!existsSync(done)) {
    console.error(`preparing ${folder}`);
    for (const list of await make()) {
      for (const condition of conditions) {
        const name = `${list.source} ${condition}`.replaceAll(/[^A-Za-z0-9]+/g, '-');
        await writePrepared(join(folder, name), await prepareList(list, condition, detect));
      }
    }
    await writeFile(done, '');
  }
  const names = (await readdir(folder)).filter((name) => name !== 'done').sort();
  return Promise.all(names.map((name) => readPrepared(join(folder, name))));
}
