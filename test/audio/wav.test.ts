import t from 'tap';
import wavefile from 'wavefile';
import { decodeAudio } from '../../src/audio/decode.js';
import { at8kHz, chunk, differenceDb, ffmpeg, fmtBody, needsFfmpeg, pcm16, riff, tone, wavFile } from './made-audio.js';

const left = tone(440, 0.5, 8000);
const right = tone(1000, 0.5, 8000, 0.25);

/** wavefile's name of each width, what we call it, its full scale, and how far its quantising may lie from the tone, dB. */
const widths = [
  ['8', 'pcm8', 128, -50],
  ['16', 'pcm16', 32768, -90],
  ['24', 'pcm24', 8388608, -120],
  ['32', 'pcm32', 2147483648, -120],
  ['32f', 'float32', 1, -150],
  ['64', 'float64', 1, -150],
] as const;

for (const [bitDepth, name, fullScale, withinDb] of widths) {
  for (const container of ['RIFF', 'RIFX']) {
    void t.test(`${container} WAV of ${name} gives its mono samples and either channel of two`, async (t) => {
      const offset = bitDepth === '8' ? 128 : 0;
      const scaled = (samples: Float32Array): Float64Array =>
        Float64Array.from(samples, (sample) => (fullScale === 1 ? sample : Math.round(sample * fullScale) + offset));
      const file = new wavefile.WaveFile();
      file.fromScratch(1, 8000, bitDepth, scaled(left), { container });
      const mono = await decodeAudio(file.toBuffer(), at8kHz);
      t.match(mono, { format: `wav/${name}`, sourceRateHz: 8000, sourceChannels: 1 });
      t.equal(mono.waveform.samples.length, left.length);
      t.ok(differenceDb(mono.waveform.samples, left) < withinDb);

      file.fromScratch(2, 8000, bitDepth, [scaled(left), scaled(right)], { container });
      for (const [channel, expected] of [left, right].entries()) {
        const picked = await decodeAudio(file.toBuffer(), { ...at8kHz, channel: channel === 0 ? 0 : 1 });
        t.equal(picked.sourceChannels, 2);
        t.ok(differenceDb(picked.waveform.samples, expected) < withinDb, `channel ${channel}`);
      }
    });
  }
}

void t.test('WAV of G.711 is expanded by either law', async (t) => {
  for (const law of ['mulaw', 'alaw'] as const) {
    const file = new wavefile.WaveFile();
    file.fromScratch(
      1,
      8000,
      '16',
      Array.from(left, (sample) => Math.round(sample * 32767)),
    );
    if (law === 'mulaw') file.toMuLaw();
    else file.toALaw();
    const decoded = await decodeAudio(file.toBuffer(), at8kHz);
    t.equal(decoded.format, `wav/${law}`);
    t.ok(differenceDb(decoded.waveform.samples, left) < -40, law);
  }
});

void t.test('WAV of IMA ADPCM agrees with ffmpeg, mono and stereo', needsFfmpeg, async (t) => {
  for (const channels of [1, 2]) {
    const original = wavFile(pcm16(...[left, right].slice(0, channels)), { channels });
    const encoded = ffmpeg(original, '-c:a', 'adpcm_ima_wav', '-f', 'wav');
    const reference = ffmpeg(encoded, '-f', 'wav', '-c:a', 'pcm_s16le');
    for (const channel of channels === 1 ? ([0] as const) : ([0, 1] as const)) {
      const ours = await decodeAudio(encoded, { ...at8kHz, channel });
      const theirs = await decodeAudio(reference, { ...at8kHz, channel });
      t.equal(ours.format, 'wav/ima-adpcm');
      t.equal(ours.waveform.samples.length, theirs.waveform.samples.length);
      // ffmpeg multiplies where the specification adds shifted steps: they differ by a few of the last bits.
      t.ok(differenceDb(ours.waveform.samples, theirs.waveform.samples) < -60);
    }
  }
});

void t.test('WAV of IMA ADPCM agrees to the last bit with the blocks that wavefile gets right', async (t) => {
  const file = new wavefile.WaveFile();
  file.fromScratch(
    1,
    8000,
    '16',
    Array.from(left, (sample) => Math.round(sample * 32767)),
  );
  file.toIMAADPCM();
  const ours = await decodeAudio(file.toBuffer(), at8kHz);
  file.fromIMAADPCM();
  const theirs = [...file.getSamples(true)];
  for (let block = 0; block < 5; block++) {
    // It gives each block's first sample twice, 506 where there are 505.
    const expected = theirs.slice(506 * block + 1, 506 * (block + 1));
    t.same(
      Array.from(ours.waveform.samples.subarray(505 * block, 505 * (block + 1)), (x) => x * 32768),
      expected,
    );
  }
});

void t.test('the fact chunk says where the last IMA ADPCM block ends', async (t) => {
  const fmt = fmtBody({ formatTag: 0x11, bitsPerSample: 4, blockAlignBytes: 36 });
  const fact = Buffer.alloc(4);
  fact.writeUInt32LE(70, 0);
  const data = Buffer.alloc(72);
  const decoded = await decodeAudio(riff([chunk('fmt ', fmt), chunk('fact', fact), chunk('data', data)]), at8kHz);
  t.equal(decoded.waveform.samples.length, 70);
  const unsaid = await decodeAudio(riff([chunk('fmt ', fmt), chunk('data', data)]), at8kHz);
  t.equal(unsaid.waveform.samples.length, 130);
});

void t.test('WAVE_FORMAT_EXTENSIBLE is read as the format inside it', async (t) => {
  const extension = Buffer.from('1600100004000000', 'hex');
  const guid = Buffer.from('0100000000001000800000aa00389b71', 'hex');
  const fmt = Buffer.concat([fmtBody({ formatTag: 0xfffe }), extension, guid]);
  const decoded = await decodeAudio(riff([chunk('fmt ', fmt), chunk('data', pcm16(left))]), at8kHz);
  t.equal(decoded.format, 'wav/pcm16');
  t.ok(differenceDb(decoded.waveform.samples, left) < -90);
});

void t.test('RF64 takes the length of its samples from its ds64 chunk', async (t) => {
  const ds64 = Buffer.alloc(28);
  ds64.writeBigUInt64LE(BigInt(2 * left.length), 8);
  const tail = chunk('LIST', Buffer.from('INFOjunk'));
  const file = Buffer.from(
    riff([chunk('ds64', ds64), chunk('fmt ', fmtBody()), chunk('data', pcm16(left), 0xffffffff), tail], 0xffffffff),
  );
  file.write('RF64', 0, 'latin1');
  const decoded = await decodeAudio(file, at8kHz);
  t.equal(decoded.waveform.samples.length, left.length);
});

void t.test(
  'what a recorder left open is read to the end: the placeholders of ffmpeg, sox, arecord and zero',
  async (t) => {
    for (const declared of [0xffffffff, 0x7ffff000, 0x80000000, 0x7fffffff, 0]) {
      const file = riff([chunk('fmt ', fmtBody()), chunk('data', pcm16(left), declared)], declared);
      const decoded = await decodeAudio(file, at8kHz);
      t.equal(decoded.waveform.samples.length, left.length, `0x${declared.toString(16)}`);
    }
  },
);

void t.test('chunks around the samples are stepped over, odd ones with their padding', async (t) => {
  const list = chunk('LIST', Buffer.from('INFOx'));
  const file = riff([list, chunk('fmt ', fmtBody()), list, chunk('data', pcm16(left)), list]);
  const decoded = await decodeAudio(file, at8kHz);
  t.ok(differenceDb(decoded.waveform.samples, left) < -90);
  t.equal(decoded.waveform.samples.length, left.length);
});

void t.test('thousands of small LIST chunks are stepped over', async (t) => {
  // wavefile alone takes 7 s for these; it never sees them.
  const lists = Buffer.concat(Array.from({ length: 3000 }, () => chunk('LIST', Buffer.from('INFO'))));
  for (const bitsPerSample of [16, 24]) {
    const file = riff([lists, chunk('fmt ', fmtBody({ bitsPerSample })), chunk('data', new Uint8Array(24_000))]);
    t.equal((await decodeAudio(file, at8kHz)).waveform.samples.length, 24_000 / (bitsPerSample / 8));
  }
});

void t.test('floats beyond full scale are kept at full scale', async (t) => {
  const data = Buffer.alloc(16);
  [2, -2, 0.5, 1e30].forEach((value, i) => data.writeFloatLE(value, 4 * i));
  const decoded = await decodeAudio(wavFile(data, { formatTag: 3, bitsPerSample: 32 }), at8kHz);
  t.same([...decoded.waveform.samples], [1, -1, 0.5, 1]);
});

void t.test('another rate is brought to the one asked for, never beyond full scale', async (t) => {
  const square = Float32Array.from({ length: 4410 }, (_, i) => (i % 50 < 25 ? 1 : -1));
  const decoded = await decodeAudio(wavFile(pcm16(square), { sampleRateHz: 44100 }), at8kHz);
  t.match(decoded, { sourceRateHz: 44100, waveform: { sampleRateHz: 8000 } });
  t.equal(decoded.waveform.samples.length, 800);
  t.ok(decoded.waveform.samples.every((sample) => Math.abs(sample) <= 1));
  const wide = await decodeAudio(wavFile(pcm16(left)), { ...at8kHz, targetRateHz: 16000 });
  t.ok(differenceDb(wide.waveform.samples.subarray(1000, 7000), tone(440, 0.5, 16000).subarray(1000, 7000)) < -60);
});

void t.test('a long recording is brought to another rate as if it were done at once', async (t) => {
  const long = tone(700, 40, 48000);
  const decoded = await decodeAudio(wavFile(pcm16(long), { sampleRateHz: 48000 }), at8kHz);
  t.equal(decoded.waveform.samples.length, 320_000);
  const expected = tone(700, 40, 8000);
  t.ok(differenceDb(decoded.waveform.samples.subarray(500, 319_500), expected.subarray(500, 319_500)) < -60);
});
