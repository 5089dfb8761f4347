import { join } from 'node:path';
import t from 'tap';
import { VoicegateError } from '../../src/errors.js';
import { readLists, type Lists } from '../../src/tuning/read-lists.js';
import { folderOf } from './list-folder.js';

const languages = ['zh', 'en'];
const read = (folder: string, trialFile?: string): Promise<Lists> => readLists([folder], { languages, trialFile });

const enrol = ['model|files|gender', 'a|a1.wav,a2.wav|f', 'b|b1.wav|m'];
const trials = ['model|test|label', 'a|a3.wav|target', 'b|a3.wav|nontarget'];

void t.test('a folder of enrol.tsv and trials.tsv becomes models, trials and what columns say', async (t) => {
  const texts = ['file|digits|channel', 'a3.wav|123|line'];
  const folder = folderOf(t, { 'enrol.tsv': enrol, 'trials.tsv': trials, 'texts.tsv': texts });
  const [list] = (await read(folder)).speaker;
  t.same(list?.models[0], {
    id: 'a',
    speaker: 'a',
    files: [join(folder, 'a1.wav'), join(folder, 'a2.wav')],
    attributes: { gender: 'f' },
  });
  t.match(list?.trials[1], { model: 'b', test: join(folder, 'a3.wav'), isTarget: false });
  t.same(list?.trials[1]?.attributes, { gender: 'm', channel: 'line' });
  t.equal(list?.speakerOf.get(join(folder, 'a3.wav')), 'a', 'a target trial says who speaks');
  t.equal(list?.digitsOf.get(join(folder, 'a3.wav')), '123');
});

void t.test('Windows line ends, a byte order mark and blank lines are not in the way', async (t) => {
  const folder = folderOf(t, {
    'enrol.tsv': ['\ufeffmodel|files\r', 'a|a1.wav\r', '\r', 'b|b1.wav\r'],
    'trials.tsv': [...trials, ''],
  });
  t.equal((await read(folder)).speaker[0]?.models.length, 2);
});

void t.test('what is wrong in a list is named with file and line', async (t) => {
  const cases: [Record<string, string[]>, RegExp][] = [
    [{ 'trials.tsv': ['model|test', 'a|x.wav'] }, /trials\.tsv line 1: no column label/],
    [{ 'trials.tsv': [...trials, 'a|x.wav|maybe'] }, /trials\.tsv line 4: label is "maybe"/],
    [{ 'trials.tsv': [...trials, 'c|x.wav|target'] }, /trials\.tsv line 4: no model c/],
    [{ 'trials.tsv': [...trials, 'a|x.wav'] }, /trials\.tsv line 4: 2 columns/],
    [{ 'trials.tsv': [...trials, 'a||target'] }, /trials\.tsv line 4: test is empty/],
    [{ 'trials.tsv': [...trials, 'a|a1.wav|target'] }, /trials\.tsv line 4: a1\.wav is in the enrolment of a/],
    [{ 'trials.tsv': trials.slice(0, 2) }, /no nontarget trial/],
    [{ 'enrol.tsv': [...enrol, 'a|a4.wav|f'] }, /enrol\.tsv line 4: model a is there twice/],
    [{ 'enrol.tsv': [...enrol, 'c|,|f'] }, /enrol\.tsv line 4: files is ","/],
  ];
  for (const [files, message] of cases) {
    const folder = folderOf(t, { 'enrol.tsv': enrol, 'trials.tsv': trials, ...files });
    await t.rejects(read(folder), { code: 'invalid_request', message }, String(message));
  }
});

void t.test('a phrase list keeps digits, label, words and language', async (t) => {
  const head = 'file|speaker|spoken|expected|label|words';
  const folder = folderOf(t, {
    'digits-zh/phrases.tsv': [head, 's.wav|s|12|12|right|幺二', 's.wav|s|12|13|near|'],
    'mixed/phrases.tsv': ['file|speaker|spoken|expected|label|language', 's.wav|s|1|1|right|en'],
  });
  const { phrases } = await read(folder);
  t.same(
    phrases.map((list) => list.name),
    ['digits-zh', 'mixed'],
    'a folder of list folders stands for all of them',
  );
  t.match(phrases[0]?.phrases[0], { spoken: '12', expected: '12', label: 'right', words: '幺二', language: 'zh' });
  t.match(phrases[0]?.phrases[1], { label: 'near', words: null });
  t.equal(phrases[1]?.phrases[0]?.language, 'en');
  for (const [row, message] of [
    ['s.wav|s|1x|12|right|', /line 2: spoken is "1x"/],
    ['s.wav|s|12|12|good|', /line 2: label is "good"/],
    ['s.wav|s|12|13|right|', /line 2: right, though what was expected was not said/],
    ['s.wav|s|12|12|wrong|', /line 2: wrong, though what was expected was said/],
  ] as const) {
    await t.rejects(read(folderOf(t, { 'phrases.tsv': [head, row] })), { message });
  }
});

void t.test('trials in VoxCeleb’s format make each enrolled file a model', async (t) => {
  const folder = folderOf(t, { 'veri_test.txt': ['1 id1/a.wav id1/b.wav', '0 id1/a.wav id2/c.wav'] });
  const [list] = (await read(folder)).speaker;
  t.same(
    list?.models.map(({ id, files }) => [id, files]),
    [['id1/a.wav', [join(folder, 'id1/a.wav')]]],
  );
  t.same(
    list?.trials.map(({ test, isTarget }) => [test, isTarget]),
    [
      [join(folder, 'id1/b.wav'), true],
      [join(folder, 'id2/c.wav'), false],
    ],
  );
});

void t.test('speakers of VoxCeleb’s files are counted by what target trials join, of Kaldi’s by utt2spk', async (t) => {
  const said = [
    '1 x/a.wav x/b.wav',
    '1 x/b.wav x/c.wav',
    '1 y/d.wav y/e.wav',
    '0 x/c.wav y/e.wav',
    '0 y/d.wav x/a.wav',
  ];
  const folder = folderOf(t, { 'veri_test.txt': said });
  const [list] = (await read(folder)).speaker;
  const names = ['a', 'b', 'c'].map((file) => list?.speakerOf.get(join(folder, `x/${file}.wav`)));
  t.equal(new Set(names).size, 1, 'three files of one speaker');
  t.equal(list?.speakerOf.get(join(folder, 'y/d.wav')), list?.speakerOf.get(join(folder, 'y/e.wav')));
  t.not(names[0], list?.speakerOf.get(join(folder, 'y/d.wav')));
  t.equal(new Set(list?.models.map(({ speaker }) => speaker)).size, 2);
  const kaldi = folderOf(t, {
    trials: ['m u3 target', 'm u4 nontarget', 'm u5 nontarget'],
    spk2utt: ['m u1'],
    'test/utt2spk': ['u3 m', 'u4 n', 'u5 n'],
  });
  const [other] = (await read(kaldi)).speaker;
  t.same([other?.speakerOf.get(join(kaldi, 'u4')), other?.speakerOf.get(join(kaldi, 'u5'))], ['n', 'n']);
});

void t.test('a trial that is target and nontarget is refused', async (t) => {
  const folder = folderOf(t, { 'enrol.tsv': enrol, 'trials.tsv': [...trials, 'a|a3.wav|nontarget'] });
  await t.rejects(read(folder), { message: /trials\.tsv line 4: line 2 says the contrary/ });
});

void t.test('trials in Kaldi’s format find models in spk2utt or utt2spk and files in wav.scp', async (t) => {
  const scp = ['u1 audio/1.wav', 'u2 audio/2.wav', 'u3 audio/3.wav'];
  const lines = ['m u3 target', 'n u3 nontarget'];
  for (const tables of [{ spk2utt: ['m u1 u2', 'n u2'] }, { 'enroll/utt2spk': ['u1 m', 'u2 m', 'u2 n'] }]) {
    const folder = folderOf(t, { trials: lines, 'wav.scp': scp, ...tables });
    const [list] = (await read(folder)).speaker;
    t.same(list?.models[0]?.files, [join(folder, 'audio/1.wav'), join(folder, 'audio/2.wav')]);
    t.equal(list?.trials[0]?.test, join(folder, 'audio/3.wav'));
  }
  const piped = folderOf(t, { trials: lines, 'wav.scp': new TextEncoder().encode('u1 sph2pipe x.sph |\n') });
  await t.rejects(read(piped), { message: /wav\.scp line 1: a command in place of a path/ });
});

void t.test('a file of trials elsewhere is read against one folder', async (t) => {
  const folder = folderOf(t, { 'my-list': ['a.wav b.wav target', 'a.wav c.wav nontarget'] });
  const [list] = (await read(folder, join(folder, 'my-list'))).speaker;
  t.equal(list?.trials.length, 2);
  await t.rejects(readLists([folder, folder], { languages, trialFile: join(folder, 'my-list') }), {
    code: 'invalid_request',
  });
  await t.rejects(read(folderOf(t, { trials: ['a b'] })), { message: /trials line 1: 2 words/ });
});

void t.test('a folder without a list, a missing folder and two lists of one name are refused', async (t) => {
  const folder = folderOf(t, { 'x/readme': ['nothing'] });
  await t.rejects(read(folder), VoicegateError);
  await t.rejects(read(join(folder, 'nowhere')), { code: 'invalid_request', message: /nowhere cannot be read/ });
  const twice = folderOf(t, { 'enrol.tsv': enrol, 'trials.tsv': trials });
  await t.rejects(readLists([twice, twice], { languages }), { message: /two lists are named/ });
});
