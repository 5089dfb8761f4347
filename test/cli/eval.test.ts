import { existsSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import t, { type Test } from 'tap';
import { evalCommand } from '../../src/cli/eval.js';
import { thresholdCommand } from '../../src/cli/threshold.js';
import { readConfig } from '../../src/config.js';
import { modelsDir } from '../../src/paths.js';
import { cllr } from '../../src/scoring/cllr.js';
import { readScores } from '../../src/tuning/score-file.js';
import { fixtureLists } from '../tuning/fixture-lists.js';

const { modelId } = readConfig({});
const noRecogniser = !existsSync(join(modelsDir, 'digits-8k', 'model.onnx')) && 'no digit recogniser is shipped';

/** Runs the command in this process; what it printed. */
async function run(t: Test, ...words: string[]): Promise<string> {
  const [out] = [t.capture(process.stdout, 'write'), t.capture(process.stderr, 'write')];
  await evalCommand(() => readConfig({ VOICEGATE_WORKERS: '1' })).parseAsync(['node', 'eval', ...words]);
  return out()
    .map(({ args }) => String(args[0]))
    .join('');
}

void t.test(
  'a folder of lists is measured into the documented JSON, a table, a plot and a file of scores',
  async (t) => {
    const folder = fixtureLists(t);
    const file = (name: string): string => join(folder, name);
    const words = ['--json', file('a.json'), '--det', file('a.svg'), '--scores-file', file('a.tsv'), '--rounds', '100'];
    // Relative to the working directory, as a person would say it.
    const printed = await run(t, '--list', relative(process.cwd(), folder), '--random-wrongs', '20', ...words);
    const result = JSON.parse(readFileSync(file('a.json'), 'utf8'));
    t.equal(result.model, modelId);
    t.equal(result.channel, 'plain');
    t.equal(result.scores, 'cosine');
    const [list] = result.speaker.lists;
    t.match(list, { name: 'voices', targets: 8, nontargets: 24, models: 4, tests: 8, failureToAcquire: 0 });
    t.equal(list.eer, 0, 'the callers were picked because the model tells them apart');
    t.equal(list.minDcf01, 0);
    const scored = await readScores(file('a.tsv'), 'llr');
    const llrsOf = (isTarget: boolean): number[] =>
      scored.filter((trial) => trial.isTarget === isTarget).map(({ score }) => score);
    const [targets, nontargets] = [llrsOf(true), llrsOf(false)];
    t.ok(Math.min(...targets) > Math.max(...nontargets), 'the LLRs tell them apart as the cosines do');
    const costOfWritten = cllr({ targets, nontargets });
    t.ok(Math.abs(list.cllr - costOfWritten) < 1e-5, `Cllr ${list.cllr}, of the LLRs written ${costOfWritten}`);
    t.ok(list.cllr > 0 && list.cllr < 1 && list.minCllr === 0, `Cllr ${list.cllr}; 1 is that of knowing nothing`);
    t.same(
      list.thresholds.map((one: { name: string }) => one.name),
      ['reject', 'low', 'standard', 'high'],
    );
    t.equal(result.speaker.pooled.eer, 0);
    t.same(
      list.groups
        .filter((one: { by: string }) => one.by === 'language')
        .map((one: { value: string; targets: number; nontargets: number }) => [one.value, one.targets, one.nontargets]),
      [
        ['en', 4, 12],
        ['zh', 4, 12],
      ],
    );
    t.match(printed, /voices +8\/24 +0\.00 \[0\.00, 0\.00\]/);
    t.match(readFileSync(file('a.svg'), 'utf8'), /^<svg [^]*voices, EER 0\.00 %[^]*<\/svg>\n$/);
    t.equal(scored.length, 32);

    const out = t.capture(process.stdout, 'write');
    await thresholdCommand().parseAsync(['node', 'threshold', file('a.tsv'), '--fmr', '0.1,1e-3', '--rounds', '50']);
    const said = out()
      .map(({ args }) => String(args[0]))
      .join('');
    t.match(said, /FMR 0\.1: NOT SUPPORTED by the trials: 6 pairs of different speakers, 30 are needed/);
    t.match(said, /FMR 0\.001: NOT SUPPORTED/);
  },
);

void t.test(
  'phrases are asked of the recogniser, and wrong strings drawn beside them',
  { skip: noRecogniser },
  async (t) => {
    const folder = fixtureLists(t);
    await run(t, '--list', join(folder, 'digits-en'), '--random-wrongs', '50', '--json', join(folder, 'a.json'));
    const [list] = JSON.parse(readFileSync(join(folder, 'a.json'), 'utf8')).phrases.lists;
    t.match(list, { name: 'digits-en', language: 'en', right: 2, near: 1, wrong: 1, randomWrong: 100, recordings: 2 });
    t.equal(list.rightAccepted, 1);
    t.equal(list.wrongAccepted, 0);
    t.equal(list.randomWrongAccepted, 0);
  },
);

void t.test('each channel has its own block, the first one at the top', async (t) => {
  const folder = fixtureLists(t);
  const scores = join(folder, 'a.tsv');
  const words = [
    '--channel',
    'noise5,plain',
    '--rounds',
    '0',
    '--json',
    join(folder, 'a.json'),
    '--scores-file',
    scores,
  ];
  await run(t, '--list', join(folder, 'voices'), ...words);
  const result = JSON.parse(readFileSync(join(folder, 'a.json'), 'utf8'));
  t.same(
    result.channels.map((one: { channel: string }) => one.channel),
    ['noise5', 'plain'],
  );
  t.same(result.speaker, result.channels[0].speaker);
  const mean = async (channel: string): Promise<number> => {
    const targets = (await readScores(scores, 'cosine', channel)).filter((trial) => trial.isTarget);
    return targets.reduce((sum, trial) => sum + trial.score, 0) / targets.length;
  };
  t.ok((await mean('noise5')) < (await mean('plain')), 'noise makes a voice less like itself');
  await t.rejects(readScores(scores, 'cosine'), { message: /several channels/ });
});

void t.test('what cannot be measured is refused before anything is heard', async (t) => {
  const folder = fixtureLists(t);
  const list = ['--list', join(folder, 'voices')];
  await t.rejects(run(t, ...list, '--channel', 'cable'), {
    code: 'invalid_request',
    message: /cable is not a channel/,
  });
  await t.rejects(run(t, ...list, '--channel', 'plain,plain'), { message: /plain is named twice/ });
  await t.rejects(run(t, ...list, '--model', 'nobody'), { code: 'model_invalid' });
  await t.rejects(run(t, ...list, '--det', 'plot.jpg'), { message: /plot\.jpg/ });
  await t.rejects(run(t, '--list', folder + '-gone'), { code: 'invalid_request' });
});

void t.test('results that could not be written, and no list at all, are told before any work', async (t) => {
  const folder = fixtureLists(t);
  const nowhere = join(folder, 'missing', 'a');
  for (const words of [
    ['--json', nowhere],
    ['--scores-file', nowhere],
    ['--det', `${nowhere}.svg`],
  ]) {
    await t.rejects(run(t, '--list', folder, ...words), { code: 'invalid_request', hint: /ENOENT/ });
  }
  await t.rejects(run(t, '--list', folder, '--json', folder), { code: 'invalid_request', hint: /name a file/ });
  const both = join(folder, 'both');
  await t.rejects(run(t, '--list', folder, '--json', both, '--scores-file', both), {
    message: /named for two results/,
  });
  for (const read of ['trials.tsv', 'enrol.tsv']) {
    const words = ['--scores-file', join(folder, 'voices', read)];
    await t.rejects(run(t, '--list', folder, ...words), { message: /among what is read/ });
  }
  await t.rejects(run(t, '--list', folder, '--against', nowhere), { code: 'invalid_request' });
  const command = evalCommand(() => readConfig({}))
    .exitOverride()
    .configureOutput({ writeErr: () => undefined });
  await t.rejects(command.parseAsync(['node', 'eval']), { code: 'commander.missingMandatoryOptionValue' });
});
