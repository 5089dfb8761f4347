import { basename, join, resolve } from 'node:path';
import { isFile, listFault, readTable, type Place } from './list-lines.js';

/** What further columns of a list say about a model, a file or a trial, e.g. `language`, `gender`, `channel`. */
export type Attributes = Readonly<Record<string, string>>;

/** An enrolment of a list. */
export interface ListedModel {
  readonly id: string;
  /** Who speaks; where the list does not say, the model's id or that of another model that is the same speaker's. */
  readonly speaker: string;
  /** Absolute paths, at least one. */
  readonly files: readonly string[];
  readonly attributes: Attributes;
}

/** A comparison of a list. */
export interface ListedTrial {
  /** Id of a model of the list. */
  readonly model: string;
  /** Absolute path of the tested recording. */
  readonly test: string;
  readonly isTarget: boolean;
  /** Columns of the trial, of its test file and of its model; where several say something the first of these counts. */
  readonly attributes: Attributes;
  readonly place: Place;
}

/** Who is compared with whom. */
export interface SpeakerList {
  /** Base name of the folder. */
  readonly name: string;
  /** Absolute. */
  readonly folder: string;
  readonly models: readonly ListedModel[];
  readonly trials: readonly ListedTrial[];
  /** Who speaks in a tested file, where a column, a target trial or an enrolment says it. */
  readonly speakerOf: ReadonlyMap<string, string>;
  /** Digits spoken in a file (texts.tsv), by absolute path; empty where the list has none. */
  readonly digitsOf: ReadonlyMap<string, string>;
}

/** What the readers of each format find, before it is checked as a whole. */
export interface RawTrial extends Place {
  readonly model: string;
  readonly test: string;
  readonly isTarget: boolean;
  readonly attributes: Attributes;
}

/**
 * Reads a folder with enrol.tsv (model, files joined by commas) and trials.tsv (model, test, label target or nontarget), and if it is
 * there texts.tsv (file and digits or other columns). A column `speaker` of enrol.tsv or texts.tsv says who speaks; every other column
 * is kept as an attribute. Paths are relative to the folder. Audio is not opened.
 * @throws VoicegateError `invalid_request` naming file and line
 */
export async function readSpeakerFolder(folder: string): Promise<SpeakerList> {
  const path = (file: string): string => resolve(folder, file);
  const models = (await readTable(join(folder, 'enrol.tsv'), ['model', 'files'])).map(({ values, ...place }) => {
    const { model: id = '', files = '', speaker, ...attributes } = values;
    const paths = files.split(',').map((file) => file.trim());
    if (paths.includes('')) throw listFault(place, `files is ${JSON.stringify(files)}`, 'File names joined by commas');
    return { id, speaker: speaker || id, files: paths.map(path), attributes, place };
  });
  const texts = await optionalTexts(folder, path);
  const trials = (await readTable(join(folder, 'trials.tsv'), ['model', 'test', 'label'])).map(
    ({ values, ...place }): RawTrial => {
      const { model = '', test = '', label = '', ...attributes } = values;
      return { ...place, model, test: path(test), isTarget: isTargetLabel(label, place), attributes };
    },
  );
  return assembleSpeakerList(folder, models, trials, texts);
}

interface ListedText {
  readonly digits: string | undefined;
  readonly speaker: string | undefined;
  readonly attributes: Attributes;
}

async function optionalTexts(folder: string, path: (file: string) => string): Promise<ReadonlyMap<string, ListedText>> {
  const file = join(folder, 'texts.tsv');
  if (!(await isFile(file))) return new Map();
  return new Map(
    (await readTable(file, ['file'])).map(({ values }) => {
      const { file: name = '', digits, speaker, ...attributes } = values;
      return [path(name), { digits, speaker, attributes }];
    }),
  );
}

/**
 * Joins models and trials and checks that they fit. Names that target trials or a shared recording tell to be one speaker become one: where every file is
 * a model of its own, speakers are counted all the same.
 * @throws VoicegateError `invalid_request` for a model named twice, a trial of an unknown model, a test that is part of its own model's
 *   enrolment, a trial that is target and nontarget, a list without trials of both kinds
 */
export function assembleSpeakerList(
  folder: string,
  models: readonly (ListedModel & { readonly place: Place })[],
  trials: readonly RawTrial[],
  texts: ReadonlyMap<string, ListedText> = new Map(),
): SpeakerList {
  const byId = new Map<string, ListedModel>();
  for (const { place, ...model } of models) {
    if (byId.has(model.id)) throw listFault(place, `model ${model.id} is there twice`, 'One line for each model');
    byId.set(model.id, model);
  }
  const speakers = new SameSpeaker();
  for (const [file, { speaker }] of texts) if (speaker) speakers.speaks(file, speaker);
  for (const { files, speaker } of byId.values()) for (const file of files) speakers.speaks(file, speaker);
  const labels = new Map<string, ListedTrial>();
  const joined = trials.map(({ file, line, ...trial }): ListedTrial => {
    const place = { file, line };
    const model = byId.get(trial.model);
    if (model === undefined)
      throw listFault(place, `no model ${trial.model}`, 'Every model has a line in the enrolment list');
    if (model.files.includes(trial.test)) {
      throw listFault(
        place,
        `${basename(trial.test)} is in the enrolment of ${model.id}`,
        'Test other recordings than those enrolled',
      );
    }
    if (trial.isTarget) speakers.speaks(trial.test, model.speaker);
    const attributes = { ...model.attributes, ...texts.get(trial.test)?.attributes, ...trial.attributes };
    const listed = { ...trial, attributes, place };
    const key = `${trial.model}\n${trial.test}`;
    const before = labels.get(key) ?? listed;
    if (before.isTarget !== trial.isTarget) {
      throw listFault(
        place,
        `line ${before.place.line} says the contrary of the same trial`,
        'A trial is target or nontarget',
      );
    }
    labels.set(key, before);
    return listed;
  });
  const [first] = trials;
  for (const isTarget of [true, false]) {
    if (joined.some((trial) => trial.isTarget === isTarget)) continue;
    const place = first ?? { file: folder, line: 1 };
    throw listFault(
      place,
      `no ${isTarget ? 'target' : 'nontarget'} trial in the list`,
      'Rates need both kinds of trials',
    );
  }
  const digitsOf = new Map([...texts].flatMap(([file, { digits }]) => (digits ? [[file, digits] as const] : [])));
  const named = [...byId.values()].map((model) => ({ ...model, speaker: speakers.nameOf(model.speaker) }));
  return { name: basename(folder), folder, models: named, trials: joined, speakerOf: speakers.ofFiles(), digitsOf };
}

/** Names of speakers, joined where a recording is said to be of both (union-find). */
class SameSpeaker {
  private readonly files = new Map<string, string>();
  private readonly joined = new Map<string, string>();

  /** The one name of all that are joined. */
  nameOf(speaker: string): string {
    let name = speaker;
    for (let next = this.joined.get(name); next !== undefined; next = this.joined.get(name)) name = next;
    return name;
  }

  speaks(file: string, speaker: string): void {
    const known = this.nameOf(this.files.get(file) ?? speaker);
    const other = this.nameOf(speaker);
    if (known !== other) this.joined.set(other, known);
    this.files.set(file, known);
  }

  ofFiles(): ReadonlyMap<string, string> {
    return new Map([...this.files].map(([file, speaker]) => [file, this.nameOf(speaker)]));
  }
}

/** @throws VoicegateError `invalid_request` for a word that is no label */
export function isTargetLabel(label: string, place: Place): boolean {
  if (['target', '1', 'tgt'].includes(label)) return true;
  if (['nontarget', '0', 'imp', 'impostor'].includes(label)) return false;
  throw listFault(place, `label is ${JSON.stringify(label)}`, 'A label is target or nontarget');
}
