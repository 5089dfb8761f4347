import { Writable, type Readable } from 'node:stream';
import createCommand, { type FfmpegCommand } from 'fluent-ffmpeg';
import { VoicegateError } from '../errors.js';
import { missingDecoder } from './ffmpeg-presence.js';

export interface FfmpegJob {
  readonly ffmpegPath: string;
  /** For messages. */
  readonly container: string;
  readonly demuxer: string;
  readonly inputOptions: readonly string[];
  /** The upload itself, or the path of a private file. */
  readonly input: Readable | string;
  /** The protocols that ffmpeg may open inputs with. */
  readonly protocols: 'pipe' | 'file';
  readonly maxOutputBytes: number;
  /** Kills the process; its reason is thrown. */
  readonly stop: AbortSignal;
}

/** A decoded recording as ffmpeg hands it over. */
export interface FfmpegOutput {
  /** 16-bit PCM in WAV, at the recording's own rate and channels, of unknown declared length. */
  readonly wav: Uint8Array;
  /** ffmpeg's name of the codec, e.g. `opus`; undefined where it did not say. */
  readonly codec: string | undefined;
}

/** A killed process is gone in milliseconds; a wrapper script's child may hold its pipes open for longer. */
const LEAVE_WITHIN_MS = 1_000;
const WAV_HEADER_BYTES = 44;

/**
 * One ffmpeg process from start to its end; it has ended when the promise settles.
 *
 * @throws VoicegateError audio_corrupt, audio_too_long, audio_decoder_missing, busy; the reason of `stop`
 */
export async function runFfmpeg(job: FfmpegJob): Promise<FfmpegOutput> {
  job.stop.throwIfAborted();
  const chunks: Buffer[] = [];
  let outputBytes = 0;
  let codec: string | undefined;
  let killedFor: Error | undefined;
  let leaveTimer: NodeJS.Timeout | undefined;

  const output = new Writable({
    // fluent-ffmpeg takes the close of its output for a failure if the process is not gone 20 ms later.
    emitClose: false,
    write(chunk: Buffer, _encoding, done) {
      outputBytes += chunk.length;
      if (outputBytes <= job.maxOutputBytes) chunks.push(chunk);
      else kill(tooLong(job));
      done();
    },
  });
  const command = describe(job, output);
  const kill = (reason: Error): void => {
    killedFor ??= reason;
    command.kill('SIGKILL');
    leaveTimer ??= setTimeout(() => command.emit('error', reason), LEAVE_WITHIN_MS);
  };
  const onStop = (): void => kill(job.stop.reason instanceof Error ? job.stop.reason : new Error('aborted'));

  try {
    await new Promise<void>((resolve, reject) => {
      let hasStarted = false;
      command.on('start', () => {
        hasStarted = true;
        // The stop may have come while fluent-ffmpeg was still asking for formats.
        if (killedFor !== undefined) command.kill('SIGKILL');
      });
      command.on('codecData', (data: { audio?: string }) => (codec = /^[a-z0-9_]{1,16}/.exec(data.audio ?? '')?.[0]));
      command.on('end', () => (killedFor === undefined ? resolve() : reject(killedFor)));
      command.on('error', (error: Error) => reject(killedFor ?? explain(error, job, hasStarted)));
      job.stop.addEventListener('abort', onStop, { once: true });
      command.run();
    });
  } finally {
    clearTimeout(leaveTimer);
    job.stop.removeEventListener('abort', onStop);
  }
  // Even a recording of no samples comes with a header.
  if (outputBytes < WAV_HEADER_BYTES) throw undecodable(job);
  return { wav: Buffer.concat(chunks, outputBytes), codec };
}

/** The command line. Only the first audio track leaves, as 16-bit PCM, without the upload's metadata. */
function describe(job: FfmpegJob, output: Writable): FfmpegCommand {
  const command = createCommand({ stdoutLines: 20 })
    .setFfmpegPath(job.ffmpegPath)
    .input(typeof job.input === 'string' ? `file:${job.input}` : job.input)
    .inputFormat(job.demuxer)
    .inputOptions(...job.inputOptions, '-protocol_whitelist', job.protocols)
    .outputOptions('-vn', '-sn', '-dn', '-map', '0:a:0', '-map_metadata', '-1', '-bitexact', '-c:a', 'pcm_s16le')
    .format('wav')
    .output(output, { end: true });
  return withSpawnFailures(command);
}

interface LinesRing {
  get(): string;
}
type Ended = (error: Error | null, stdout: LinesRing, stderr: LinesRing) => void;
interface Spawning {
  _spawnFfmpeg(...args: unknown[]): void;
}

/**
 * Where no process can be started (no such file, no file descriptors left), fluent-ffmpeg 2.1.3 asks for the output of a process
 * that never was, and that exception would end ours. It gets empty outputs, and so reports the failure as an `error` event.
 */
function withSpawnFailures(command: FfmpegCommand): FfmpegCommand {
  const spawning = command as unknown as Spawning;
  const spawn = spawning._spawnFfmpeg.bind(command);
  const empty: LinesRing = { get: () => '' };
  spawning._spawnFfmpeg = (...args: unknown[]) => {
    const ended = args.pop() as Ended;
    const safely: Ended = (error, stdout = empty, stderr = empty) => ended(error, stdout, stderr);
    try {
      spawn(...args, safely);
    } catch (cause) {
      safely(cause instanceof Error ? cause : new Error('spawn failed'), empty, empty);
    }
  };
  return command;
}

/** What went wrong, without ffmpeg's own words: they may quote the upload. */
function explain(error: Error & { code?: unknown }, job: FfmpegJob, hasStarted: boolean): VoicegateError {
  if (error.code === 'ENOENT' || error.code === 'EACCES') return missingDecoder('The ffmpeg of this server is gone.');
  if (typeof error.code === 'string') {
    return new VoicegateError('busy', 'No process could be started to decode the audio.', {
      hint: 'Try again shortly.',
      retryAfterSeconds: 1,
      details: { system: error.code },
    });
  }
  if (!hasStarted) return missingDecoder(`The ffmpeg of this server does not read ${job.container}.`);
  const exitCode = /exited with code (\d+)/.exec(error.message)?.[1];
  return undecodable(job, exitCode === undefined ? {} : { exitCode: Number(exitCode) });
}

const undecodable = (job: FfmpegJob, details: Record<string, number> = {}): VoicegateError =>
  new VoicegateError('audio_corrupt', `The ${job.container} audio could not be decoded.`, {
    hint: 'Send a whole file that plays, with an audio track in one of the codecs usual for its container.',
    details,
  });

const tooLong = (job: FfmpegJob): VoicegateError =>
  new VoicegateError('audio_too_long', `The ${job.container} audio is longer than allowed.`, {
    hint: 'Send only the part in which the caller speaks.',
  });
