import t from 'tap';
import wavefile from 'wavefile';
import { decodeAudio, type DecodeOptions } from '../../src/audio/decode.js';
import { VoicegateError } from '../../src/errors.js';
import { at8kHz, ffmpeg, hasFfmpeg, limits, movie, pcm16, seeded, tone, wavFile } from './made-audio.js';

/** Each compressed file costs a process; the README says how to run more. */
const rounds = { ours: 400, compressed: Number(process.env['VOICEGATE_FUZZ_ROUNDS'] ?? 12) };

const source = wavFile(pcm16(tone(440, 0.4, 8000)));
const stereo = wavFile(pcm16(tone(440, 0.2, 8000), tone(880, 0.2, 8000)), { channels: 2 });

function wavOf(bitDepth: string): Uint8Array {
  const file = new wavefile.WaveFile();
  file.fromScratch(1, 8000, bitDepth.startsWith('32f') ? '32f' : bitDepth, new Array(2000).fill(0.25));
  return file.toBuffer();
}

const ours: Readonly<Record<string, Uint8Array>> = {
  'WAV of 16 bits': source,
  'stereo WAV': stereo,
  'WAV of 8 bits': wavOf('8'),
  'WAV of 24 bits': wavOf('24'),
  'WAV of 32 bits': wavOf('32'),
  'WAV of floats': wavOf('32f'),
  'WAV of doubles': wavOf('64'),
  'WAV of µ-law': wavFile(new Uint8Array(2000), { formatTag: 7, bitsPerSample: 8 }),
  'WAV of IMA ADPCM': wavFile(new Uint8Array(2560), { formatTag: 0x11, bitsPerSample: 4, blockAlignBytes: 256 }),
};

const encoders: Readonly<Record<string, readonly string[]>> = {
  MP3: ['-f', 'mp3'],
  Opus: ['-c:a', 'libopus', '-f', 'ogg'],
  Vorbis: ['-c:a', 'libvorbis', '-f', 'ogg'],
  FLAC: ['-f', 'flac'],
  AAC: ['-f', 'adts'],
  WebM: ['-c:a', 'libopus', '-f', 'webm'],
  'fragmented MP4': ['-f', 'mp4', '-movflags', 'frag_keyframe+empty_moov'],
  'WAV of GSM': ['-ar', '8000', '-c:a', 'libgsm_ms', '-f', 'wav'],
};
const compressed: Readonly<Record<string, Uint8Array>> = hasFfmpeg
  ? {
      ...Object.fromEntries(Object.entries(encoders).map(([name, args]) => [name, ffmpeg(source, ...args)])),
      MP4: movie(source),
      AMR: Buffer.concat([Buffer.from('#!AMR\n'), ...Array.from({ length: 20 }, () => Buffer.alloc(32, 0x3c))]),
    }
  : {};

/** One to eight changes, more of them near the front where headers are: bytes set, bits flipped, pieces cut, doubled or zeroed. */
function mutated(bytes: Uint8Array, next: () => number): Uint8Array {
  let result = Buffer.from(bytes);
  for (let change = 1 + (next() % 8); change > 0 && result.length > 0; change--) {
    const at = next() % (next() % 2 === 0 ? Math.min(result.length, 128) : result.length);
    const length = Math.min(1 + (next() % 64), result.length - at);
    switch (next() % 7) {
      case 0:
        result[at] = next() & 0xff;
        break;
      case 1:
        result[at]! ^= 1 << (next() % 8);
        break;
      case 2:
        result = result.subarray(0, at);
        break;
      case 3:
        result = Buffer.concat([result.subarray(0, at), result.subarray(at + length)]);
        break;
      case 4:
        result = Buffer.concat([result.subarray(0, at + length), result.subarray(at)]);
        break;
      case 5:
        result.fill(next() % 2 === 0 ? 0 : 0xff, at, at + length);
        break;
      default:
        if (at + 4 <= result.length) result.writeUInt32LE([0, 1, 0x7fffffff, 0xffffffff][next() % 4]!, at);
    }
  }
  return result;
}

/** Nothing but decoded audio in range, or one of our errors. */
async function outcomeOf(bytes: Uint8Array, options: DecodeOptions): Promise<string> {
  try {
    const { waveform } = await decodeAudio(bytes, options);
    if (!waveform.samples.every((sample) => sample >= -1 && sample <= 1)) return 'SAMPLES OUT OF RANGE';
    return 'decoded';
  } catch (error) {
    return error instanceof VoicegateError ? error.code : `DEFECT: ${String(error)}`;
  }
}

for (const [group, files] of Object.entries({ ours, compressed })) {
  const count = group === 'ours' ? rounds.ours : rounds.compressed;
  for (const [index, [name, bytes]] of Object.entries(files).entries()) {
    void t.test(`${count} broken variants of ${name} are decoded or refused, and nothing else`, async (t) => {
      const next = seeded(1000 + index);
      const outcomes: Record<string, number> = {};
      const attempt = async (bytes: Uint8Array, round: number): Promise<void> => {
        const outcome = await outcomeOf(bytes, {
          ...at8kHz,
          contentType: [undefined, 'audio/wav', 'audio/mpeg'][round % 3],
          channel: round % 2 === 0 ? 'mono' : 0,
          targetRateHz: round % 5 === 0 ? 16_000 : 8000,
          limits: { ...limits, maxSeconds: 20 },
        });
        outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
      };
      for (let round = 0; round < count; round += 2) {
        await Promise.all([attempt(mutated(bytes, next), round), attempt(mutated(bytes, next), round + 1)]);
      }
      t.comment(JSON.stringify(outcomes));
      // On a starved machine the time limit may be the answer; that too is an answer.
      const bad = Object.keys(outcomes).filter((outcome) => /DEFECT|OUT OF RANGE|missing/.test(outcome));
      t.same(bad, []);
    });
  }
}

void t.test('random bytes under every headerless type are sound or refused', async (t) => {
  const next = seeded(77);
  for (let round = 0; round < 300; round++) {
    const bytes = Uint8Array.from({ length: next() % 3000 }, () => next() & 0xff);
    const types = [
      'audio/basic',
      'audio/PCMA',
      'audio/L16;rate=8000',
      'audio/L16;rate=44100;channels=2',
      `audio/${next()}`,
    ];
    const outcome = await outcomeOf(bytes, { ...at8kHz, contentType: types[round % types.length] });
    if (/DEFECT|OUT OF RANGE/.test(outcome)) t.fail(outcome);
  }
});

if (!hasFfmpeg) void t.test('broken compressed files', { skip: 'needs ffmpeg' }, async () => undefined);
