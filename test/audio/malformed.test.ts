import t from 'tap';
import { decodeAudio, type DecodeOptions } from '../../src/audio/decode.js';
import { errorCodes, VoicegateError, type ErrorCode } from '../../src/errors.js';
import {
  at8kHz,
  chunk,
  ffmpeg,
  fmtBody,
  hasFfmpeg,
  limits,
  movie,
  pcm16,
  riff,
  seeded,
  tone,
  wavFile,
} from './made-audio.js';

const sound = pcm16(tone(440, 0.5, 8000));
const stereo = wavFile(pcm16(tone(440, 0.5, 8000), tone(880, 0.5, 8000)), { channels: 2 });
const good = wavFile(sound);
const fmt = chunk('fmt ', fmtBody());
const text = (words: string): Uint8Array => Buffer.from(words, 'latin1');
const next = seeded(5);
const noise = Uint8Array.from({ length: 4000 }, () => next() & 0x7f);

function floats(bitsPerSample: 32 | 64, value: number): Uint8Array {
  const data = Buffer.alloc((100 * bitsPerSample) / 8);
  if (bitsPerSample === 32) data.writeFloatLE(value, 40);
  else data.writeDoubleLE(value, 80);
  return wavFile(data, { formatTag: 3, bitsPerSample });
}

function imaWithStepIndex(index: number): Uint8Array {
  const data = Buffer.alloc(256);
  data[2] = index;
  return wavFile(data, { formatTag: 0x11, bitsPerSample: 4, blockAlignBytes: 256 });
}

interface Case {
  readonly bytes: Uint8Array;
  readonly code: ErrorCode;
  readonly options?: Partial<DecodeOptions>;
}
const raw = (contentType: string): Partial<DecodeOptions> => ({ contentType });

const cases: Readonly<Record<string, Case>> = {
  'no bytes': { bytes: new Uint8Array(), code: 'audio_empty' },
  'no bytes of headerless audio': { bytes: new Uint8Array(), code: 'audio_empty', options: raw('audio/basic') },
  'more bytes than allowed': {
    bytes: good,
    code: 'audio_too_large',
    options: { limits: { ...limits, maxBytes: good.length - 1 } },
  },
  'a JSON document': { bytes: text('{"audio":"UklGRg=="}'), code: 'audio_not_recognised' },
  'a web page': { bytes: text('<!doctype html><title>404</title>'), code: 'audio_not_recognised' },
  'base64 instead of bytes': { bytes: text('UklGRiQAAABXQVZFZm10IBAAAAABAAEA'), code: 'audio_not_recognised' },
  'an HLS playlist': { bytes: text('#EXTM3U\nhttp://127.0.0.1/a.ts\n'), code: 'audio_not_recognised' },
  'an ffconcat script': { bytes: text('ffconcat version 1.0\nfile /etc/hosts\n'), code: 'audio_not_recognised' },
  'a session description': { bytes: text('v=0\r\nm=audio 5004 RTP/AVP 0\r\n'), code: 'audio_not_recognised' },
  'a PNG picture': { bytes: text('\x89PNG\r\n\x1a\n\0\0\0\rIHDR'), code: 'audio_not_recognised' },
  'noise without a type': { bytes: noise, code: 'audio_not_recognised' },
  'one byte': { bytes: Uint8Array.of(0xff), code: 'audio_not_recognised' },
  'only the word RIFF': { bytes: text('RIFF'), code: 'audio_format_unsupported' },
  'a video in RIFF': { bytes: text('RIFF\x10\0\0\0AVI LIST\0\0\0\0'), code: 'audio_format_unsupported' },
  'an AIFF file': { bytes: text('FORM\0\0\0\x10AIFFCOMM'), code: 'audio_format_unsupported' },

  'WAV: nothing after the container': { bytes: good.subarray(0, 12), code: 'audio_corrupt' },
  'WAV: cut inside the format': { bytes: good.subarray(0, 30), code: 'audio_corrupt' },
  'WAV: cut before the samples': { bytes: good.subarray(0, 36), code: 'audio_corrupt' },
  'WAV: header only, with a length': { bytes: good.subarray(0, 44), code: 'audio_corrupt' },
  'WAV: header only, no samples': { bytes: wavFile(new Uint8Array()), code: 'audio_empty' },
  'WAV: header only, length left open': {
    bytes: riff([fmt, chunk('data', new Uint8Array(), 0xffffffff)], 0xffffffff),
    code: 'audio_empty',
  },
  'WAV: an empty data chunk before others': {
    bytes: riff([fmt, chunk('data', new Uint8Array()), chunk('LIST', text('INFOsomething'))]),
    code: 'audio_empty',
  },
  'WAV: half of the samples': { bytes: good.subarray(0, good.length / 2), code: 'audio_corrupt' },
  'WAV: says one byte more than there is': {
    bytes: riff([fmt, chunk('data', sound, sound.length + 1)]),
    code: 'audio_corrupt',
  },
  'WAV: says two gigabytes': { bytes: riff([fmt, chunk('data', sound, 0x7fffffff - 1)]), code: 'audio_corrupt' },
  'WAV: a chunk longer than the file': {
    bytes: riff([chunk('LIST', text('INFO'), 0xfffffff0), fmt, chunk('data', sound)]),
    code: 'audio_corrupt',
  },
  'WAV: samples before the format': { bytes: riff([chunk('data', sound), fmt]), code: 'audio_corrupt' },
  'WAV: a format of 14 bytes': {
    bytes: riff([chunk('fmt ', fmtBody().subarray(0, 14)), chunk('data', sound)]),
    code: 'audio_corrupt',
  },
  'WAV: extensible without its extension': {
    bytes: wavFile(sound, { formatTag: 0xfffe }),
    code: 'audio_corrupt',
  },
  'WAV: no channels': { bytes: wavFile(sound, { channels: 0 }), code: 'audio_channel_invalid' },
  'WAV: 65535 channels': {
    bytes: wavFile(sound, { channels: 65535, blockAlignBytes: 2 }),
    code: 'audio_channel_invalid',
  },
  'WAV: frames that contradict their width': {
    bytes: wavFile(sound, { blockAlignBytes: 3 }),
    code: 'audio_corrupt',
  },
  'WAV: frames of no bytes': { bytes: wavFile(sound, { blockAlignBytes: 0 }), code: 'audio_corrupt' },
  'WAV: samples of no bits': { bytes: wavFile(sound, { bitsPerSample: 0 }), code: 'audio_format_unsupported' },
  'WAV: integers of 64 bits': { bytes: wavFile(sound, { bitsPerSample: 64 }), code: 'audio_format_unsupported' },
  'WAV: floats of 16 bits': { bytes: wavFile(sound, { formatTag: 3 }), code: 'audio_format_unsupported' },
  'WAV: 0 Hz': { bytes: wavFile(sound, { sampleRateHz: 0 }), code: 'audio_rate_unsupported' },
  'WAV: 1 Hz': { bytes: wavFile(sound, { sampleRateHz: 1 }), code: 'audio_rate_unsupported' },
  'WAV: 4 GHz': { bytes: wavFile(sound, { sampleRateHz: 0xffffffff }), code: 'audio_rate_unsupported' },
  'WAV: 8001 Hz': { bytes: wavFile(sound, { sampleRateHz: 8001 }), code: 'audio_rate_unsupported' },
  'WAV: a float that is no number': { bytes: floats(32, NaN), code: 'audio_corrupt' },
  'WAV: an infinite float': { bytes: floats(32, -Infinity), code: 'audio_corrupt' },
  'WAV: a double that is no number': { bytes: floats(64, NaN), code: 'audio_corrupt' },
  'WAV: ten minutes': { bytes: wavFile(new Uint8Array(600 * 16_000)), code: 'audio_too_long' },
  'WAV: ten minutes, length left open': {
    bytes: riff([fmt, chunk('data', new Uint8Array(600 * 16_000), 0)], 0),
    code: 'audio_too_long',
  },
  'WAV: stereo and nothing chosen': { bytes: stereo, code: 'audio_channel_invalid' },
  'WAV: stereo where mono is required': {
    bytes: stereo,
    code: 'audio_channel_invalid',
    options: { channel: 'mono' },
  },
  'WAV: the second channel of one': { bytes: good, code: 'audio_channel_invalid', options: { channel: 1 } },
  'WAV: ADPCM with step index 89': { bytes: imaWithStepIndex(89), code: 'audio_corrupt' },
  'WAV: ADPCM blocks of 5 bytes': {
    bytes: wavFile(sound, { formatTag: 0x11, bitsPerSample: 4, blockAlignBytes: 5 }),
    code: 'audio_corrupt',
  },
  'WAV: ADPCM blocks of no bytes': {
    bytes: wavFile(sound, { formatTag: 0x11, bitsPerSample: 4, blockAlignBytes: 0 }),
    code: 'audio_corrupt',
  },

  'L16 without a rate': { bytes: sound, code: 'audio_rate_unsupported', options: raw('audio/L16') },
  'L16 of no rate': { bytes: sound, code: 'audio_rate_unsupported', options: raw('audio/L16;rate=0') },
  'L16 of a rate in words': { bytes: sound, code: 'audio_rate_unsupported', options: raw('audio/L16;rate=8k') },
  'L16 of a negative rate': { bytes: sound, code: 'audio_rate_unsupported', options: raw('audio/L16;rate=-8000') },
  'PCMU of 9999999 Hz': { bytes: sound, code: 'audio_rate_unsupported', options: raw('audio/PCMU;rate=9999999') },
  'L16 of half a sample more': {
    bytes: sound.subarray(1),
    code: 'audio_corrupt',
    options: raw('audio/L16;rate=8000'),
  },
  'L16 of no channels': {
    bytes: sound,
    code: 'audio_channel_invalid',
    options: raw('audio/L16;rate=8000;channels=0'),
  },
  'L16 stereo and nothing chosen': {
    bytes: sound,
    code: 'audio_channel_invalid',
    options: raw('audio/L16;rate=8000;channels=2'),
  },
  'G.711 of ten minutes': { bytes: new Uint8Array(600 * 8000), code: 'audio_too_long', options: raw('audio/PCMA') },
};

for (const [what, { bytes, code, options }] of Object.entries(cases)) {
  void t.test(`${what} is refused with ${code}, a message and a hint`, async (t) => {
    const error: unknown = await decodeAudio(bytes, { ...at8kHz, ...options }).catch((reason: unknown) => reason);
    t.match(error, { code, message: /./, hint: /./ });
  });
}

if (hasFfmpeg) {
  const encoded = (...args: readonly string[]): Buffer => ffmpeg(wavFile(pcm16(tone(440, 2, 8000))), ...args);
  const mp3 = encoded('-f', 'mp3');
  const ogg = encoded('-c:a', 'libvorbis', '-f', 'ogg');
  const flac = encoded('-f', 'flac');
  const m4a = movie(wavFile(pcm16(tone(440, 2, 8000))));
  const silentFilm = encoded(
    '-filter_complex',
    'showwaves=s=32x32,format=yuv420p',
    '-an',
    '-c:v',
    'libvpx',
    '-f',
    'webm',
  );
  const cut: Readonly<Record<string, readonly [Uint8Array, readonly string[]]>> = {
    'MP3: only its tag': [text('ID3\x04\0\0\0\0\0\0'), ['audio_corrupt']],
    'MP3: half a frame': [mp3.subarray(mp3.indexOf(0xff), mp3.indexOf(0xff) + 40), ['audio_corrupt', 'audio_empty']],
    'Ogg: half a page': [ogg.subarray(0, 20), ['audio_corrupt']],
    'Ogg: its headers only': [ogg.subarray(0, 58), ['audio_corrupt']],
    'FLAC: its marker only': [flac.subarray(0, 4), ['audio_corrupt']],
    'MP4: cut before its index': [m4a.subarray(0, m4a.indexOf('moov') - 4), ['audio_corrupt']],
    'WebM: a film without sound': [silentFilm, ['audio_corrupt']],
    'AMR: its header only': [text('#!AMR\n'), ['audio_corrupt', 'audio_empty']],
    'Ogg renamed from noise': [Buffer.concat([text('OggS'), noise]), ['audio_corrupt']],
  };
  for (const [what, [bytes, codes]] of Object.entries(cut)) {
    void t.test(`${what} is refused`, async (t) => {
      const error: unknown = await decodeAudio(bytes, at8kHz).catch((reason: unknown) => reason);
      t.type(error, VoicegateError);
      if (error instanceof VoicegateError) t.ok(codes.includes(error.code), error.code);
    });
  }

  void t.test('MP3, Ogg and FLAC that were cut in the middle give the part that is there', async (t) => {
    for (const whole of [mp3, ogg, flac]) {
      const { waveform } = await decodeAudio(whole.subarray(0, whole.length * 0.9), at8kHz);
      t.ok(waveform.samples.length > 2000 && waveform.samples.length < 16_000);
    }
  });
} else {
  void t.test('cut compressed files are refused', { skip: 'needs ffmpeg' }, async () => undefined);
}

void t.test('every code in this table is on the closed list', async (t) => {
  for (const { code } of Object.values(cases)) t.ok(errorCodes.includes(code));
});
