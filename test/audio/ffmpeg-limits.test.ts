import { chmodSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
import { decodeAudio, type DecodeOptions } from '../../src/audio/decode.js';
import {
  at8kHz,
  ffmpeg,
  hasFfmpeg,
  limits,
  movie,
  needsFfmpeg,
  ownTemporaryFolder,
  pcm16,
  tone,
  wavFile,
} from './made-audio.js';

const source = wavFile(pcm16(tone(440, 1, 8000)));
const flac = hasFfmpeg ? ffmpeg(source, '-f', 'flac') : new Uint8Array();

/** A program that answers like ffmpeg when asked about itself, and does as told when it should decode. */
function standIn(folder: string, name: string, decoding: string): string {
  const path = join(folder, name);
  const questions = '-version|-formats|-encoders) exec ffmpeg "$@" ;;';
  writeFileSync(path, `#!/bin/sh\ncase "$1" in ${questions} esac\necho $$ >> "${path}.pids"\n${decoding}\n`);
  chmodSync(path, 0o755);
  return path;
}

const pidsOf = (program: string): number[] =>
  existsSync(`${program}.pids`) ? readFileSync(`${program}.pids`, 'utf8').trim().split('\n').map(Number) : [];

/** A zombie still has an entry to send a signal to; what was waited for has none. */
function isGone(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return false;
  } catch {
    return true;
  }
}

const through = (ffmpegPath: string, ffmpegTimeoutMs = 20_000, ffmpegProcesses = 2): DecodeOptions => ({
  ...at8kHz,
  limits: { ...limits, ffmpegPath, ffmpegTimeoutMs, ffmpegProcesses },
});

void t.test(
  'a decoder that does not end is killed when its time is over, and leaves nothing',
  needsFfmpeg,
  async (t) => {
    const folder = ownTemporaryFolder(t);
    const asleep = standIn(folder, 'asleep', 'exec sleep 60');
    await t.rejects(decodeAudio(flac, through(asleep, 2000)), {
      code: 'audio_decode_timeout',
      details: { timeoutMs: 2000 },
    });
    await t.rejects(decodeAudio(movie(source), through(asleep, 2000)), { code: 'audio_decode_timeout' });
    t.equal(pidsOf(asleep).length, 2);
    t.ok(pidsOf(asleep).every(isGone), 'no process and no zombie');
    t.same(readdirSync(folder).sort(), ['asleep', 'asleep.pids'], 'no private file');
  },
);

void t.test('a wrapper whose child keeps the pipes open holds nobody up for long', needsFfmpeg, async (t) => {
  const folder = ownTemporaryFolder(t);
  const wrapper = standIn(folder, 'wrapper', 'sleep 8');
  await t.rejects(decodeAudio(flac, through(wrapper, 2000)), { code: 'audio_decode_timeout' });
  t.ok(pidsOf(wrapper).every(isGone));
});

void t.test('a client that goes away takes its decoder with it', needsFfmpeg, async (t) => {
  const folder = ownTemporaryFolder(t);
  const asleep = standIn(folder, 'asleep', 'exec sleep 60');
  const client = new AbortController();
  const decoding = decodeAudio(flac, { ...through(asleep), signal: client.signal });
  while (pidsOf(asleep).length === 0) await delay(20);
  client.abort(new Error('the client went away'));
  await t.rejects(decoding, { message: 'the client went away' });
  t.ok(pidsOf(asleep).every(isGone));
  await t.rejects(decodeAudio(flac, { ...through(asleep), signal: client.signal }), {
    message: 'the client went away',
  });
  t.equal(pidsOf(asleep).length, 1, 'and starts none');
});

void t.test('whoever waits for a turn longer than its time limit is told to come again', needsFfmpeg, async (t) => {
  const folder = ownTemporaryFolder(t);
  const asleep = standIn(folder, 'asleep', 'exec sleep 60');
  const client = new AbortController();
  const first = decodeAudio(flac, { ...through(asleep, 20_000, 1), signal: client.signal });
  while (pidsOf(asleep).length === 0) await delay(20);
  await t.rejects(decodeAudio(flac, through(asleep, 300, 1)), { code: 'busy', retryAfterSeconds: 1 });
  client.abort(new Error('done'));
  await t.rejects(first, { message: 'done' });
  t.equal((await decodeAudio(flac, through('ffmpeg', 20_000, 1))).format, 'flac', 'the turn was handed back');
});

void t.test('a decoder that floods its output is stopped', needsFfmpeg, async (t) => {
  const folder = ownTemporaryFolder(t);
  const flood = standIn(folder, 'flood', 'exec cat /dev/zero');
  const short = through(flood);
  await t.rejects(decodeAudio(flac, { ...short, limits: { ...short.limits, maxSeconds: 1 } }), {
    code: 'audio_too_long',
  });
  t.ok(pidsOf(flood).every(isGone));
});

void t.test(
  'a decoder that dies, fails or answers nonsense means broken audio, and its words stay inside',
  needsFfmpeg,
  async (t) => {
    const folder = ownTemporaryFolder(t);
    const doings = {
      dying: 'kill -SEGV $$',
      failing: 'echo "secret words" >&2; exit 3',
      silent: 'cat > /dev/null',
      nonsense: 'echo nonsense',
      headerless: 'printf "RIFF"',
    };
    for (const [name, doing] of Object.entries(doings)) {
      const program = standIn(folder, name, doing);
      const error: unknown = await decodeAudio(flac, through(program)).catch((reason: unknown) => reason);
      t.match(error, { code: 'audio_corrupt' }, name);
      t.notMatch(String(error instanceof Error && `${error.message} ${String(error.cause)}`), 'secret words');
      t.ok(pidsOf(program).every(isGone), name);
    }
  },
);

void t.test('without ffmpeg the compressed formats say so, and the others work', async (t) => {
  const without = through('/nowhere/ffmpeg');
  for (const bytes of [Buffer.from('OggS....'), Buffer.from('ID3.....'), Buffer.from('fLaC....')]) {
    await t.rejects(decodeAudio(bytes, without), { code: 'audio_decoder_missing', hint: /WAV/ });
  }
  t.equal((await decodeAudio(source, without)).format, 'wav/pcm16');
  t.equal((await decodeAudio(source.subarray(44), { ...without, contentType: 'audio/basic' })).format, 'raw/mulaw');
});

void t.test('an ffmpeg that is taken away while we run is missed without harm', needsFfmpeg, async (t) => {
  const folder = ownTemporaryFolder(t);
  const program = standIn(folder, 'ffmpeg', 'exec ffmpeg "$@"');
  t.equal((await decodeAudio(flac, through(program))).format, 'flac');
  rmSync(program);
  await t.rejects(decodeAudio(flac, through(program)), { code: 'audio_decoder_missing' });
});
