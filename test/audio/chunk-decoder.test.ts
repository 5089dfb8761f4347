import t from 'tap';
import { seededRandom } from '../../bench/activity-noise.js';
import { ChunkDecoder, type ChunkFormat } from '../../src/audio/chunk-decoder.js';
import { decodeAudio } from '../../src/audio/decode.js';
import { at8kHz } from './made-audio.js';

const random = seededRandom(31);
const bytes = Uint8Array.from({ length: 48_000 }, () => Math.floor(random() * 256));
const formats: readonly ChunkFormat[] = [
  ...(['l16-le', 'l16-be', 'mulaw', 'alaw'] as const).flatMap((encoding) =>
    [1, 2].map((channels) => ({ encoding, sampleRateHz: 8000, channels })),
  ),
  { encoding: 'l16-be', sampleRateHz: 16_000, channels: 1 },
  { encoding: 'l16-le', sampleRateHz: 44_100, channels: 2 },
  { encoding: 'mulaw', sampleRateHz: 48_000, channels: 1 },
];

const bits = (samples: Float32Array = new Float32Array(0)): Uint8Array => new Uint8Array(samples.slice().buffer);

function inPieces(format: ChunkFormat, most: number): Float32Array[] {
  const decoder = new ChunkDecoder(format, 8000);
  const pieces: number[][] = Array.from({ length: format.channels }, () => []);
  const take = (found: Float32Array[]): void => found.forEach((samples, channel) => pieces[channel]?.push(...samples));
  for (let at = 0; at < bytes.length;) {
    const next = Math.min(bytes.length, at + Math.floor(random() * most));
    take(decoder.accept(bytes.subarray(at, next)));
    at = next;
  }
  take(decoder.finish());
  return pieces.map((samples) => Float32Array.from(samples));
}

void t.test('However the bytes are cut, also inside a sample, the samples are those of the whole', async (t) => {
  for (const format of formats) {
    const whole = inPieces(format, 1e9);
    for (const most of [3, 50, 5000]) {
      const same = inPieces(format, most).every((samples, n) => Buffer.compare(bits(samples), bits(whole[n])) === 0);
      t.ok(
        same,
        `${format.encoding} ${format.sampleRateHz} Hz, ${format.channels} channels, pieces up to ${most} bytes`,
      );
    }
  }
});

void t.test('A stream has the samples of the file', async (t) => {
  for (const [contentType, format] of [
    ['audio/PCMU', { encoding: 'mulaw', sampleRateHz: 8000, channels: 1 }],
    ['audio/PCMA', { encoding: 'alaw', sampleRateHz: 8000, channels: 1 }],
    ['audio/L16;rate=16000', { encoding: 'l16-be', sampleRateHz: 16_000, channels: 1 }],
  ] as const) {
    const file = await decodeAudio(bytes, { ...at8kHz, contentType });
    t.equal(Buffer.compare(bits(inPieces(format, 400)[0]), bits(file.waveform.samples)), 0, contentType);
  }
});

void t.test('Lost audio becomes silence of its length, and half a sample before it is lost', async (t) => {
  const decoder = new ChunkDecoder({ encoding: 'l16-le', sampleRateHz: 8000, channels: 1 }, 8000);
  t.same(decoder.accept(Uint8Array.of(0, 64, 1)), [Float32Array.of(0.5)]);
  t.same(decoder.skip(0.02), [new Float32Array(160)]);
  t.same(decoder.accept(Uint8Array.of(0, 64)), [Float32Array.of(0.5)]);
});

void t.test('What cannot be read is refused at once', async (t) => {
  const make = (changes: Partial<ChunkFormat>) => () =>
    new ChunkDecoder({ encoding: 'mulaw', sampleRateHz: 8000, channels: 1, ...changes }, 8000);
  t.throws(make({ sampleRateHz: 1 }), { code: 'audio_rate_unsupported' });
  t.throws(make({ channels: 3 }), { code: 'audio_channel_invalid' });
});
