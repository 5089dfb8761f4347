import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { decodeAudio } from '../../src/audio/decode.js';
import type { Waveform } from '../../src/audio/waveform.js';
import { audioFixturesDir } from '../../src/paths.js';
import { agreement, fingerprint } from '../../src/tuning/fingerprint.js';
import { FingerprintIndex } from '../../src/tuning/fingerprint-index.js';
import { findLeaks } from '../../src/tuning/leaks.js';
import { withPinkNoise } from '../../src/tuning/noise.js';
import { readReferenceSpeech } from '../../src/tuning/reference-speech.js';
import { throughTelephone } from '../../src/tuning/telephone.js';
import { at8kHz, pcm16, wavFile } from '../audio/made-audio.js';
import { folderOf } from './list-folder.js';

const decode = async (bytes: Uint8Array): Promise<Waveform> => (await decodeAudio(bytes, at8kHz)).waveform;
const caller = async (name: string): Promise<Float32Array> =>
  (await decode(readFileSync(join(audioFixturesDir, 'callers', `${name}.wav`)))).samples;
const callers = ['en-awb', 'en-rms', 'en-slt', 'zh-f4', 'zh-klatt', 'zh-m5'];

/** A voice that is only a direction: by the loudness of the first second, so that tests need no network. */
const hear = async ({ samples }: Waveform) => {
  const level = samples.subarray(0, 8000).reduce((sum, x) => sum + Math.abs(x), 0) / 8000;
  return { vector: Float32Array.of(1, 20 * level), netSpeechSeconds: 1, snrDb: null };
};
const parts = { decode, hear, atOnce: 2, onProgress: () => undefined };

void t.test('a cut of a recording is found through a telephone line and noise, at its place', async (t) => {
  const index = new FingerprintIndex<string>();
  for (const name of callers) index.add(name, fingerprint(await caller(`${name}/enrol-1`)));
  for (const name of callers) {
    const cut = (await caller(`${name}/enrol-1`)).slice(8100, 8100 + 20_000);
    for (const heard of [cut, throughTelephone(cut, 'alaw'), withPinkNoise(cut, 20, 1)]) {
      const found = index.find(fingerprint(heard));
      t.equal(found?.reference, name);
      t.ok((found?.agreement ?? 0) > 0.75, `${name} ${found?.agreement}`);
      t.ok(Math.abs((found?.offsetSeconds ?? 0) - 8100 / 8000) < 0.02, `${name} at ${found?.offsetSeconds}`);
    }
  }
});

void t.test('other recordings of the same voice agree by chance only', async (t) => {
  for (const name of callers) {
    const [a, b] = [fingerprint(await caller(`${name}/enrol-1`)), fingerprint(await caller(`${name}/enrol-2`))];
    for (const offset of [0, 20, -20])
      t.ok(agreement(a, b, offset).share < 0.65, `${name} ${agreement(a, b, offset).share}`);
  }
  t.equal(fingerprint(new Float32Array(100)).words.length, 0);
  t.equal(new FingerprintIndex<string>().find(fingerprint(await caller('en-awb/enrol-1'))), null);
});

void t.test('leaks are listed from the surest on: same samples, same recording, then likest voices', async (t) => {
  const [copied, coded, other] = [
    await caller('en-awb/enrol-1'),
    await caller('en-slt/enrol-1'),
    await caller('zh-f4/enrol-1'),
  ];
  const packed = Float32Array.from([...(await caller('zh-m5/enrol-1')), ...copied]);
  const folder = folderOf(t, {
    'train.tsv': [
      'speaker|file|start_sample|samples',
      `x1|x1.wav|0|${packed.length - copied.length}`,
      `x1|x1.wav|${packed.length - copied.length}|${copied.length}`,
      `x2|x2.wav|0|${coded.length}`,
    ],
    'x1.wav': wavFile(pcm16(packed)),
    'x2.wav': wavFile(pcm16(throughTelephone(coded, 'mulaw'))),
    'test/copied.wav': wavFile(pcm16(copied)),
    'test/coded.wav': wavFile(pcm16(coded)),
    'test/other.wav': wavFile(pcm16(other)),
  });
  const tests = ['copied', 'coded', 'other'].map((name) => ({ file: join(folder, `test/${name}.wav`), speaker: name }));
  const references = await readReferenceSpeech(folder);
  t.equal(references.length, 2);
  const found = await findLeaks(tests, references, 10, parts);
  t.match(found, { testFiles: 3, referenceFiles: 2, referenceSpeakers: 2, unreadable: 0 });
  t.match(found.sameRecording, [
    { test: tests[0]?.file, referenceSpeaker: 'x1', verdict: 'exact' },
    { test: tests[1]?.file, referenceSpeaker: 'x2', verdict: 'certain' },
  ]);
  t.equal(found.sameRecording.length, 2, 'the other file is in no list');
  t.equal(found.nearestSpeakers.length, 3);
  const cosines = found.nearestSpeakers.map((one) => one.cosine);
  t.same(
    cosines,
    [...cosines].sort((a, b) => b - a),
  );
});

void t.test('training speech may be a plain folder of audio; a folder without any is refused', async (t) => {
  const folder = folderOf(t, { 'a/one.wav': wavFile(pcm16(new Float32Array(8000))), 'notes.txt': ['x'] });
  const [only] = await readReferenceSpeech(folder);
  t.match(only, { file: join(folder, 'a/one.wav'), speaker: 'one', parts: [] });
  await t.rejects(readReferenceSpeech(folderOf(t, { 'notes.txt': ['x'] })), { code: 'invalid_request' });
  await t.rejects(readReferenceSpeech(join(folder, 'gone')), { code: 'invalid_request' });
  for (const start of ['x', '-5']) {
    const broken = folderOf(t, { 'train.tsv': ['file|start_sample|samples', `a.wav|${start}|5`] });
    await t.rejects(readReferenceSpeech(broken), { message: /train\.tsv line 2/ });
  }
});
