import { execFileSync } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import { decodeAudio } from '../../src/audio/decode.js';
import { VoicegateError } from '../../src/errors.js';
import { at8kHz, ffmpeg, movie, needsFfmpeg, ownTemporaryFolder, pcm16, tone, wavFile } from './made-audio.js';

const source = wavFile(pcm16(tone(440, 1, 8000)));

/** Uploads that ask whoever opens them to open something else. */
const asking = (path: string, url: string): Readonly<Record<string, string>> => ({
  'an ffconcat script': `ffconcat version 1.0\nfile ${path}\n`,
  'an ffconcat script for an address': `ffconcat version 1.0\nfile ${url}\n`,
  'an HLS playlist': `#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n${url}\n#EXT-X-ENDLIST\n`,
  'an HLS playlist for a file': `#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nfile://${path}\n#EXT-X-ENDLIST\n`,
  'a PLS playlist': `[playlist]\nFile1=${url}\nNumberOfEntries=1\n`,
  'a DASH manifest': `<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"><Period><AdaptationSet mimeType="audio/mp4"><Representation id="1" bandwidth="1"><BaseURL>${url}</BaseURL></Representation></AdaptationSet></Period></MPD>`,
  'a SMIL document': `<smil><body><audio src="${url}"/></body></smil>`,
  'a session description': `v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 5004 RTP/AVP 0\n`,
  'a drawing that names a file': `<svg xmlns="http://www.w3.org/2000/svg"><image href="file://${path}"/></svg>`,
});

/** Openings that get such a text as far as ffmpeg, which must then take it for a broken file of that container and no more. */
const disguises: Readonly<Record<string, string>> = {
  'as it is': '',
  'behind an ID3 tag': 'ID3\x04\x00\x00\x00\x00\x00\x00',
  'behind an Ogg capture pattern': 'OggS',
  'behind a FLAC marker': 'fLaC',
  'behind an AMR header': '#!AMR\n',
  'behind an EBML header': '\x1a\x45\xdf\xa3',
  'behind an MP4 file type': '\x00\x00\x00\x10ftypM4A \x00\x00\x00\x00',
  'behind an MPEG frame header': '\xff\xfb\x90\x64',
  'in a WAV of GSM':
    'RIFF\xff\xff\xff\xffWAVEfmt \x14\x00\x00\x00\x31\x00\x01\x00\x40\x1f\x00\x00\x59\x06\x00\x00\x41\x00\x00\x00\x02\x00\x40\x01data\xff\xff\xff\xff',
};

void t.test('no upload can make the decoder read a file or ask an address', needsFfmpeg, async (t) => {
  const folder = ownTemporaryFolder(t);
  const canary = join(folder, 'canary.wav');
  writeFileSync(canary, source);
  let asked = 0;
  const server = createServer((_, response) => {
    asked++;
    response.end(source);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/canary.wav`;

  for (const [what, text] of Object.entries(asking(canary, url))) {
    const attempts = Object.entries(disguises).map(async ([how, opening]) => {
      const bytes = Buffer.from(opening + text, 'latin1');
      const outcome = await decodeAudio(bytes, { ...at8kHz, contentType: 'application/vnd.apple.mpegurl' }).then(
        // Three GSM frames may be made of any bytes: noise of the text itself, which is shorter than the canary.
        ({ waveform }) => (waveform.samples.length < 8000 ? 'noise' : 'DECODED SOMETHING ELSE'),
        (error: unknown) => (error instanceof VoicegateError ? error.code : String(error)),
      );
      const allowed = how === 'as it is' ? ['audio_not_recognised'] : ['audio_corrupt', 'audio_empty', 'noise'];
      t.ok(allowed.includes(outcome), `${what} ${how}: ${outcome}`);
    });
    await Promise.all(attempts);
  }
  t.equal(asked, 0, 'nobody asked the address');
  t.same(readdirSync(folder), ['canary.wav'], 'nothing is left behind');
});

void t.test('a movie that keeps its samples in another file is not followed there', needsFfmpeg, async (t) => {
  const folder = ownTemporaryFolder(t);
  const whole = movie(source);
  const canary = join(folder, 'canary.m4a');
  writeFileSync(canary, whole);
  const upload = withExternalSamples(whole, canary);

  // First that the upload is what it pretends to be: with the switches the other way round ffmpeg does follow it.
  const path = join(folder, 'upload.m4a');
  writeFileSync(path, upload);
  const followed = execFileSync(
    'ffmpeg',
    ['-v', 'error', '-nostdin', '-enable_drefs', '1', '-use_absolute_path', '1', '-i', path, '-f', 's16le', 'pipe:1'],
    { stdio: ['ignore', 'pipe', 'ignore'] },
  );
  t.ok(followed.length > 8000, 'the canary was heard');

  const outcome = await decodeAudio(upload, at8kHz).then(
    () => 'decoded',
    (error: unknown) => (error instanceof VoicegateError ? error.code : String(error)),
  );
  t.ok(['audio_corrupt', 'audio_empty'].includes(outcome), outcome);
  t.same(readdirSync(folder).sort(), ['canary.m4a', 'upload.m4a'], 'nothing is left behind');
});

void t.test('a container gets its own decoders and no others', needsFfmpeg, async (t) => {
  // PCM in Matroska is harmless; that it is refused shows that the list of decoders holds.
  const pcm = ffmpeg(source, '-c:a', 'pcm_s16be', '-f', 'matroska');
  await t.rejects(decodeAudio(pcm, at8kHz), { code: 'audio_corrupt' });
});

void t.test('what ffmpeg says about an upload goes into no error', needsFfmpeg, async (t) => {
  const secret = 'A-NAME-IN-THE-METADATA';
  const flac = ffmpeg(source, '-metadata', `title=${secret}`, '-f', 'flac');
  flac.fill(0, 200 + flac.indexOf(secret));
  const error: unknown = await decodeAudio(flac, at8kHz).catch((reason: unknown) => reason);
  t.type(error, VoicegateError);
  const { message, hint, details, cause } = error as VoicegateError;
  t.notMatch(JSON.stringify({ message, hint, details, cause: String(cause) }), secret);
  t.equal(cause, undefined);
});

/**
 * The movie with no samples of its own, whose track says that they are in the file at `path`: a `dref` box with a Macintosh
 * alias record in place of "in this file". The index is the last box, so growing it moves nothing.
 */
function withExternalSamples(mp4: Buffer, path: string): Buffer {
  const name = Buffer.from(path.length % 2 === 0 ? path : `${path}\0`);
  const alias = Buffer.alloc(150 + 4 + name.length + 4);
  alias.writeUInt16BE(2, 150); // record type: absolute path
  alias.writeUInt16BE(path.length, 152);
  name.copy(alias, 154);
  alias.writeInt16BE(-1, 154 + name.length);
  const entry = Buffer.concat([Buffer.alloc(4), Buffer.from('alis'), Buffer.alloc(4), alias]);
  entry.writeUInt32BE(entry.length, 0);

  const dref = mp4.indexOf('dref') - 4;
  const oldEntryBytes = mp4.readUInt32BE(dref + 16);
  const result = Buffer.concat([mp4.subarray(0, dref + 16), entry, mp4.subarray(dref + 16 + oldEntryBytes)]);
  const grownBy = entry.length - oldEntryBytes;
  for (const box of ['moov', 'trak', 'mdia', 'minf', 'dinf', 'dref']) {
    const at = result.indexOf(box) - 4;
    result.writeUInt32BE(result.readUInt32BE(at) + grownBy, at);
  }
  const mdat = result.indexOf('mdat') - 4;
  result.fill(0, mdat + 8, mdat + mp4.readUInt32BE(mdat));
  return result;
}
