import { readdirSync } from 'node:fs';
import t from 'tap';
import { decodeAudio } from '../../src/audio/decode.js';
import { samplesBeforeIndex } from '../../src/audio/recognise.js';
import {
  at8kHz,
  differenceDb,
  ffmpeg,
  limits,
  movie,
  needsFfmpeg,
  ownTemporaryFolder,
  pcm16,
  seeded,
  tone,
  wavFile,
} from './made-audio.js';

const source = wavFile(pcm16(tone(440, 1, 16000)), { sampleRateHz: 16000 });
const expected = tone(440, 1, 8000);

const compressed = [
  ['mp3', 'mp3', ['-f', 'mp3']],
  ['ogg/opus', 'ogg', ['-c:a', 'libopus', '-f', 'ogg']],
  ['ogg/vorbis', 'ogg', ['-c:a', 'libvorbis', '-f', 'ogg']],
  ['ogg/flac', 'ogg', ['-c:a', 'flac', '-f', 'ogg']],
  ['flac', 'flac', ['-f', 'flac']],
  ['aac', 'adts', ['-f', 'adts']],
  ['matroska/opus', 'webm', ['-c:a', 'libopus', '-f', 'webm']],
  ['matroska/vorbis', 'webm', ['-c:a', 'libvorbis', '-f', 'webm']],
  ['mp4/aac', 'fragmented mp4', ['-f', 'mp4', '-movflags', 'frag_keyframe+empty_moov']],
  ['wav/gsm_ms', 'GSM 6.10 WAV', ['-ar', '8000', '-c:a', 'libgsm_ms', '-f', 'wav']],
  ['wav/adpcm_ms', 'Microsoft ADPCM WAV', ['-c:a', 'adpcm_ms', '-f', 'wav']],
] as const;

/** The best match within 100 ms: codecs delay. Level differences of 1 dB leave -20 dB under a tone of -9 dB. */
function bestDifferenceDb(samples: Float32Array): number {
  let best = Infinity;
  for (let delay = 0; delay < 20; delay++) {
    best = Math.min(
      best,
      differenceDb(samples.subarray(2000, 6000), expected.subarray(2000 + delay - 10, 6000 + delay - 10)),
    );
  }
  return best;
}

for (const [format, name, args] of compressed) {
  void t.test(`${name} of ${format} is decoded whatever its content type says`, needsFfmpeg, async (t) => {
    const decoded = await decodeAudio(ffmpeg(source, ...args), { ...at8kHz, contentType: 'audio/wav' });
    t.match(decoded, { format, sourceChannels: 1, waveform: { sampleRateHz: 8000 } });
    t.ok(Math.abs(decoded.waveform.samples.length - 8000) < 1000, 'about as long as it was');
    t.ok(bestDifferenceDb(decoded.waveform.samples) < -24, 'and the tone that it was');
  });
}

void t.test('AMR of both bands is decoded', needsFfmpeg, async (t) => {
  // Any bits are speech to AMR: a frame is its type, then 244 or 477 bits of it.
  const next = seeded(26);
  const frames = (type: number, length: number): Buffer[] =>
    Array.from({ length: 50 }, () => Buffer.from([type, ...Array.from({ length }, () => next() & 0xff)]));
  const narrow = await decodeAudio(Buffer.concat([Buffer.from('#!AMR\n'), ...frames(0x3c, 31)]), at8kHz);
  t.match(narrow, { format: 'amr/amr_nb', sourceRateHz: 8000, waveform: { samples: { length: 8000 } } });
  const wide = await decodeAudio(Buffer.concat([Buffer.from('#!AMR-WB\n'), ...frames(0x44, 60)]), at8kHz);
  t.match(wide, { format: 'amr/amr_wb', sourceRateHz: 16000, waveform: { samples: { length: 8000 } } });
});

void t.test(
  'an MP4 whose index comes last is sought in a private file that does not outlive the call',
  needsFfmpeg,
  async (t) => {
    const file = movie(source);
    t.ok(samplesBeforeIndex(file));
    const folder = ownTemporaryFolder(t);
    const decoded = await decodeAudio(file, at8kHz);
    t.match(decoded, { format: 'mp4/aac', sourceRateHz: 16000 });
    t.ok(bestDifferenceDb(decoded.waveform.samples) < -24);
    t.same(readdirSync(folder), []);
  },
);

void t.test('one channel of compressed stereo is taken, and none without a choice', needsFfmpeg, async (t) => {
  const stereo = wavFile(pcm16(tone(440, 1, 16000), tone(1000, 1, 16000, 0.1)), { channels: 2, sampleRateHz: 16000 });
  const flac = ffmpeg(stereo, '-f', 'flac');
  const quiet = await decodeAudio(flac, { ...at8kHz, channel: 1 });
  t.ok(differenceDb(quiet.waveform.samples.subarray(200, 7800), tone(1000, 1, 8000, 0.1).subarray(200, 7800)) < -60);
  await t.rejects(decodeAudio(flac, at8kHz), { code: 'audio_channel_invalid', details: { channels: 2 } });
});

void t.test('a compressed recording longer than allowed is refused, not cut', needsFfmpeg, async (t) => {
  const tenMinutes = ffmpeg(wavFile(new Uint8Array(600 * 16_000)), '-f', 'mp3', '-b:a', '8k');
  await t.rejects(decodeAudio(tenMinutes, at8kHz), { code: 'audio_too_long', details: { maxSeconds: 60 } });
});

void t.test('more recordings than processes wait for their turn', needsFfmpeg, async (t) => {
  const flac = ffmpeg(source, '-f', 'flac');
  const one = { ...at8kHz, limits: { ...limits, ffmpegProcesses: 1 } };
  const all = await Promise.all(Array.from({ length: 5 }, () => decodeAudio(flac, one)));
  t.ok(all.every(({ waveform }) => waveform.samples.length === 8000));
});
