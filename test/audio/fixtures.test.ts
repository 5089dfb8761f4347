import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { decodeAudio } from '../../src/audio/decode.js';
import { audioFixturesDir } from '../../src/paths.js';
import { at8kHz, hasFfmpeg, limits } from './made-audio.js';

interface Fixture {
  readonly file: string;
  readonly kind: string;
  readonly media: string;
  readonly encoding: string;
  readonly seconds: number;
  readonly sampleRateHz: number;
  readonly channels: number;
}

const read = (file: string): Uint8Array => readFileSync(join(audioFixturesDir, file));
const { files } = JSON.parse(Buffer.from(read('manifest.json')).toString('utf8')) as { files: readonly Fixture[] };
const formats = files.filter(({ kind }) => kind === 'formats');
const reference = await decodeAudio(read('formats/reference.wav'), at8kHz);

/** Highest correlation within 60 ms either way: 1 is the same speech. */
function likeness(samples: Float32Array): number {
  const original = reference.waveform.samples;
  let best = 0;
  for (let shift = -480; shift <= 480; shift++) {
    let [product, ours, theirs] = [0, 0, 0];
    for (let i = 480; i + 480 < original.length; i += 3) {
      const sample = samples[i + shift] ?? 0;
      product += sample * original[i]!;
      ours += sample ** 2;
      theirs += original[i]! ** 2;
    }
    best = Math.max(best, product / Math.sqrt(ours * theirs + 1e-20));
  }
  return best;
}

/** What a lossy codec leaves of the waveform; everything else must keep all but its quantising. */
const leastLikeness: Readonly<Record<string, number>> = {
  mp3: 0.98,
  opus: 0.95,
  aac: 0.97,
  'amr-nb 12.2 kbit/s': 0.9,
  'ima-adpcm': 0.95,
  pcm8: 0.99,
};

for (const { file, media, encoding, seconds, sampleRateHz, channels } of formats) {
  const needsProcess = !/wav$|raw\./.test(file);
  const extra = needsProcess && !hasFfmpeg ? { skip: 'needs ffmpeg' } : {};
  void t.test(`${file} holds the speech that it was made from, by its media type and without`, extra, async (t) => {
    const withoutProcess = { ...limits, ffmpegPath: '/nowhere/ffmpeg' };
    const options = { ...at8kHz, channel: 0 as const, limits: needsProcess ? limits : withoutProcess };
    for (const contentType of file.includes('raw.') ? [media] : [media, undefined]) {
      const decoded = await decodeAudio(read(file), { ...options, contentType });
      t.match(decoded, { sourceRateHz: sampleRateHz, sourceChannels: channels });
      const length = decoded.waveform.samples.length / 8000;
      t.ok(Math.abs(length - seconds) < (needsProcess ? 0.15 : 0.07), `${length} of ${seconds} seconds`);
      const alike = likeness(decoded.waveform.samples);
      t.comment(`${decoded.format} ${alike.toFixed(4)}`);
      t.ok(alike >= (leastLikeness[encoding] ?? 0.995), `${alike}`);
    }
  });
}

void t.test('every call of the fixtures is decoded here, without a process', async (t) => {
  for (const { file, kind, seconds } of files) {
    if (kind === 'formats') continue;
    const decoded = await decodeAudio(read(file), { ...at8kHz, limits: { ...limits, ffmpegPath: '/nowhere/ffmpeg' } });
    t.ok(Math.abs(decoded.waveform.samples.length / 8000 - seconds) < 0.01, file);
  }
});
