import t from 'tap';
import wavefile from 'wavefile';
import { alawTable, expandG711, mulawTable } from '../../src/audio/g711.js';
import { ffmpeg, needsFfmpeg } from './made-audio.js';

const allCodes = Uint8Array.from({ length: 256 }, (_, code) => code);
const scaled = (table: Float32Array): number[] => [...table].map((sample) => sample * 32768);

void t.test('µ-law has the ends, the zeroes and the step sizes of ITU-T G.711 table 2a', async (t) => {
  const mulaw = scaled(mulawTable);
  t.equal(mulaw[0x00], -32124);
  t.equal(mulaw[0x80], 32124);
  t.equal(mulaw[0xff], 0);
  t.equal(mulaw[0x7f], -0);
  t.equal(mulaw[0xfe], 8);
  t.equal(mulaw[0x8f], 16764);
});

void t.test('A-law has the ends, the middle and the step sizes of ITU-T G.711 table 1a', async (t) => {
  const alaw = scaled(alawTable);
  t.equal(alaw[0xaa], 32256);
  t.equal(alaw[0x2a], -32256);
  t.equal(alaw[0xd5], 8);
  t.equal(alaw[0x55], -8);
  t.equal(alaw[0xd4], 24);
});

void t.test('all 256 codes of both laws agree with wavefile', async (t) => {
  for (const [law, table] of [
    ['8m', mulawTable],
    ['8a', alawTable],
  ] as const) {
    const file = new wavefile.WaveFile();
    file.fromScratch(1, 8000, law, allCodes);
    if (law === '8m') file.fromMuLaw();
    else file.fromALaw();
    t.same(scaled(table).map(Math.trunc), [...file.getSamples(true)], law);
  }
});

void t.test('all 256 codes of both laws agree with ffmpeg', needsFfmpeg, async (t) => {
  for (const [law, table] of [
    ['mulaw', mulawTable],
    ['alaw', alawTable],
  ] as const) {
    const pcm = ffmpegRaw(law);
    t.same(
      scaled(table).map((sample) => sample + 0),
      Array.from({ length: 256 }, (_, code) => pcm.readInt16LE(2 * code)),
      law,
    );
  }
});

function ffmpegRaw(law: 'mulaw' | 'alaw'): Buffer {
  // A WAV around the codes tells ffmpeg the law; its decoder is what is compared.
  const file = new wavefile.WaveFile();
  file.fromScratch(1, 8000, law === 'mulaw' ? '8m' : '8a', allCodes);
  return ffmpeg(file.toBuffer(), '-f', 's16le', '-c:a', 'pcm_s16le');
}

void t.test('one channel is taken out of interleaved codes', async (t) => {
  const samples = expandG711(Uint8Array.of(0x80, 0xff, 0x00, 0xff), mulawTable, 2, 0);
  t.same([...samples], [32124 / 32768, -32124 / 32768]);
});
