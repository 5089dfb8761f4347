import t from 'tap';
import { decodeAudio } from '../../src/audio/decode.js';
import { alawTable, mulawTable } from '../../src/audio/g711.js';
import { rawFormatOf } from '../../src/audio/media-type.js';
import { at8kHz, pcm16, tone, wavFile } from './made-audio.js';

const codes = Uint8Array.from({ length: 800 }, (_, i) => (i * 37) % 256);

void t.test('headerless G.711 is named by its content type, in any case', async (t) => {
  for (const contentType of ['audio/basic', 'AUDIO/PCMU', 'audio/PCMU;rate=8000', 'audio/x-mulaw ; channels="1"']) {
    const decoded = await decodeAudio(codes, { ...at8kHz, contentType });
    t.match(decoded, { format: 'raw/mulaw', sourceRateHz: 8000, sourceChannels: 1 }, contentType);
    t.same(
      [...decoded.waveform.samples],
      [...codes].map((code) => mulawTable[code]),
    );
  }
  for (const contentType of ['audio/PCMA', 'audio/pcma; rate=8000', 'audio/x-alaw-basic']) {
    const decoded = await decodeAudio(codes, { ...at8kHz, contentType });
    t.equal(decoded.format, 'raw/alaw', contentType);
    t.same(
      [...decoded.waveform.samples],
      [...codes].map((code) => alawTable[code]),
    );
  }
});

void t.test('L16 is big endian, of the rate and channels that its content type says', async (t) => {
  const bytes = Uint8Array.of(0x40, 0x00, 0xc0, 0x00, 0x00, 0x01, 0x80, 0x00);
  const mono = await decodeAudio(bytes, { ...at8kHz, contentType: 'audio/L16;rate=8000' });
  t.same([...mono.waveform.samples], [0.5, -0.5, 1 / 32768, -1]);
  const second = await decodeAudio(bytes, { ...at8kHz, contentType: 'audio/l16; channels=2; rate=8000', channel: 1 });
  t.same([...second.waveform.samples], [-0.5, -1]);
  const wide = pcm16(tone(440, 0.5, 16000)).map((_, i, all) => all[i ^ 1]!);
  const decoded = await decodeAudio(wide, { ...at8kHz, contentType: 'audio/L16;rate=16000' });
  t.equal(decoded.sourceRateHz, 16000);
  t.equal(decoded.waveform.samples.length, 4000);
});

void t.test('other content types say nothing, and what they say is not believed', async (t) => {
  for (const contentType of [undefined, '', 'audio/wav', 'application/octet-stream', 'audio/pcmux', 'constructor']) {
    t.equal(rawFormatOf(contentType), undefined);
  }
  const wav = wavFile(pcm16(tone(440, 0.1, 8000)));
  for (const contentType of ['audio/mpeg', 'text/plain', 'application/json', undefined]) {
    t.equal((await decodeAudio(wav, { ...at8kHz, contentType })).format, 'wav/pcm16');
  }
});

void t.test('a WAV file sent as headerless audio is read as the WAV that it is', async (t) => {
  const wav = wavFile(pcm16(tone(440, 0.1, 8000)));
  t.equal((await decodeAudio(wav, { ...at8kHz, contentType: 'audio/basic' })).format, 'wav/pcm16');
});

void t.test('bytes that look like another container stay what the headerless type says', async (t) => {
  const loud = Uint8Array.from(codes);
  loud.set(Buffer.from('ID3'), 0);
  t.equal((await decodeAudio(loud, { ...at8kHz, contentType: 'audio/PCMU' })).format, 'raw/mulaw');
});
