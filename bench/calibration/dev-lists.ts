import { join } from 'node:path';
import { decodeFile, fourAtATime, readTable } from './decode-file.js';
import type { Detect } from './training-lists.js';
import { Tape } from './tape.js';
import type { TrialList } from './trial-list.js';

/** The lists that are openly licensed, so that figures may be fitted on them. */
export const openDevLists = ['en-mandarin-natives', 'zh-read', 'zh-words', 'en-words', 'fr-read'] as const;
/** The lists that may only be evaluated on. */
export const evaluationLists = ['ivr-digits', 'zh-digits'] as const;

/** One of the folders dev/<name> with its own trials. Speakers are named in its files' names. */
export async function devList(speechDir: string, name: string): Promise<TrialList> {
  const folder = join(speechDir, 'dev', name);
  const source = `dev/${name}`;
  const enrol = await readTable(join(folder, 'enrol.tsv'));
  const trials = (await readTable(join(folder, 'trials.tsv'))).map(({ model = '', test = '', label }) => ({
    model,
    test,
    isTarget: label === 'target',
  }));
  const models = enrol.map(({ model = '', files = '' }) => ({
    id: model,
    speaker: `${source}/${model}`,
    recordings: files.split(','),
  }));
  const speakerOf = new Map(models.flatMap(({ speaker, recordings }) => recordings.map((file) => [file, speaker])));
  for (const { test } of trials) if (!speakerOf.has(test)) speakerOf.set(test, `${source}/${test.split('_')[0]}`);
  const recordings = await fourAtATime([...speakerOf], async ([id, speaker]) => ({
    id,
    speaker,
    samples: await decodeFile(join(folder, id)),
  }));
  return { source, recordings, models, trials };
}

/**
 * Trials of dev/digits-en-connected (openly licensed): phone numbers that 34 speakers read out, one each. The first half of the net
 * speech enrols, the second tests: really connected digits, but of one breath.
 */
export async function digitHalves(speechDir: string, detect: Detect): Promise<TrialList> {
  const source = 'dev/digits-en-connected';
  const folder = join(speechDir, source);
  const files = new Map(
    (await readTable(join(folder, 'phrases.tsv'))).map(({ file = '', speaker = '' }) => [file, speaker]),
  );
  const recordings: { id: string; speaker: string; samples: Float32Array }[] = [];
  for (const [file, name] of files) {
    const samples = await decodeFile(join(folder, file));
    const tape = new Tape(samples, await detect(samples));
    const half = tape.left / 2;
    for (const part of ['enrol', 'test']) {
      recordings.push({ id: `${name} ${part}`, speaker: `${source}/${name}`, samples: tape.cut(half) });
    }
  }
  const of = (part: string): typeof recordings => recordings.filter(({ id }) => id.endsWith(part));
  const models = of('enrol').map(({ id, speaker }) => ({ id: speaker, speaker, recordings: [id] }));
  const trials = models.flatMap((model) =>
    of('test').map(({ id, speaker }) => ({ model: model.id, test: id, isTarget: speaker === model.speaker })),
  );
  return { source, recordings, models, trials };
}
