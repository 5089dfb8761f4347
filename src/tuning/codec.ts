import { spawn } from 'node:child_process';
import { VoicegateError } from '../errors.js';

/** How ffmpeg is told to encode; the decoder goes by the container. */
export interface Codec {
  readonly name: string;
  readonly encoder: string;
  readonly container: string;
  readonly options: readonly string[];
}

const pcm = ['-f', 's16le', '-ar', '8000', '-ac', '1'];
const timeoutMs = 60_000;

/**
 * The recording as it comes back from a coder and its decoder, in two ffmpeg processes.
 * @param samples 8 kHz, [-1, 1]
 * @returns as many samples (what the coder adds at the end is cut, what it drops is silence)
 * @throws VoicegateError `audio_decoder_missing` where there is no ffmpeg or it was built without the encoder
 */
export async function throughCodec(samples: Float32Array, codec: Codec, ffmpegPath: string): Promise<Float32Array> {
  const bytes = Buffer.alloc(2 * samples.length);
  samples.forEach((sample, at) => bytes.writeInt16LE(Math.round(Math.max(-1, Math.min(1, sample)) * 32767), 2 * at));
  const coded = await run(ffmpegPath, codec, bytes, [
    ...pcm,
    '-i',
    'pipe:0',
    '-c:a',
    codec.encoder,
    ...codec.options,
    '-f',
    codec.container,
    'pipe:1',
  ]);
  const decoded = await run(ffmpegPath, codec, coded, ['-f', codec.container, '-i', 'pipe:0', ...pcm, 'pipe:1']);
  const back = new Float32Array(samples.length);
  const whole = Math.min(samples.length, Math.floor(decoded.length / 2));
  for (let at = 0; at < whole; at++) back[at] = decoded.readInt16LE(2 * at) / 32768;
  return back;
}

async function run(ffmpegPath: string, codec: Codec, input: Buffer, args: readonly string[]): Promise<Buffer> {
  const chunks: Buffer[] = [];
  const code = await new Promise<number | string | null>((resolve) => {
    const child = spawn(ffmpegPath, ['-v', 'quiet', '-nostdin', ...args], {
      stdio: ['pipe', 'pipe', 'ignore'],
      timeout: timeoutMs,
      killSignal: 'SIGKILL',
      windowsHide: true,
    });
    child.once('error', (fault: NodeJS.ErrnoException) => resolve(fault.code ?? 'error'));
    child.once('close', (exitCode) => resolve(exitCode));
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
    // A process that ends early closes its input; its exit code says so.
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
  });
  const output = Buffer.concat(chunks);
  if (code === 0 && output.length > 0) return output;
  throw new VoicegateError(
    'audio_decoder_missing',
    `the channel ${codec.name} needs ffmpeg with the encoder ${codec.encoder}`,
    {
      hint: `Install ffmpeg (Debian's has it) or leave the channel out; ${ffmpegPath} ended with ${String(code)}`,
    },
  );
}
