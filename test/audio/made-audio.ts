import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AudioLimits, DecodeOptions } from '../../src/audio/decode.js';

/** Limits as a service would set them, with room for the tests. */
export const limits: AudioLimits = {
  maxSeconds: 60,
  maxBytes: 20_000_000,
  ffmpegTimeoutMs: 20_000,
  ffmpegPath: 'ffmpeg',
  ffmpegProcesses: 2,
};

export const at8kHz: DecodeOptions = { targetRateHz: 8000, limits };

/** A sine of that frequency; amplitude 0.5 unless told. */
export function tone(hz: number, seconds: number, sampleRateHz: number, amplitude = 0.5): Float32Array {
  return Float32Array.from({ length: Math.round(seconds * sampleRateHz) }, (_, i) =>
    Math.fround(amplitude * Math.sin((2 * Math.PI * hz * i) / sampleRateHz)),
  );
}

/** Little-endian 16-bit samples, channels interleaved. */
export function pcm16(...channels: readonly Float32Array[]): Uint8Array {
  const frames = channels[0]?.length ?? 0;
  const bytes = Buffer.alloc(2 * frames * channels.length);
  for (let frame = 0, at = 0; frame < frames; frame++) {
    for (const channel of channels) at = bytes.writeInt16LE(Math.round(channel[frame]! * 32767), at);
  }
  return bytes;
}

/** Chunk of a little-endian RIFF file. */
export function chunk(id: string, body: Uint8Array, declaredBytes = body.length): Uint8Array {
  const head = Buffer.alloc(8);
  head.write(id, 0, 'latin1');
  head.writeUInt32LE(declaredBytes, 4);
  return Buffer.concat([head, body, Buffer.alloc(body.length % 2)]);
}

export interface WavFields {
  readonly formatTag?: number;
  readonly channels?: number;
  readonly sampleRateHz?: number;
  readonly bitsPerSample?: number;
  readonly blockAlignBytes?: number;
}

/** Body of a `fmt ` chunk; 16-bit mono PCM at 8 kHz unless told, and consistent unless told otherwise. */
export function fmtBody(fields: WavFields = {}): Uint8Array {
  const { formatTag = 1, channels = 1, sampleRateHz = 8000, bitsPerSample = 16 } = fields;
  const { blockAlignBytes = (channels * bitsPerSample) / 8 } = fields;
  const body = Buffer.alloc(16);
  body.writeUInt16LE(formatTag, 0);
  body.writeUInt16LE(channels, 2);
  body.writeUInt32LE(sampleRateHz, 4);
  body.writeUInt32LE((sampleRateHz * blockAlignBytes) % 2 ** 32, 8);
  body.writeUInt16LE(blockAlignBytes, 12);
  body.writeUInt16LE(bitsPerSample, 14);
  return body;
}

/** A RIFF WAVE file of those chunks. */
export function riff(chunks: readonly Uint8Array[], declaredBytes?: number): Uint8Array {
  const body = Buffer.concat([Buffer.from('WAVE'), ...chunks]);
  return chunk('RIFF', body, declaredBytes ?? body.length);
}

/** A WAV file with those data bytes. */
export function wavFile(data: Uint8Array, fields: WavFields = {}): Uint8Array {
  return riff([chunk('fmt ', fmtBody(fields)), chunk('data', data)]);
}

/** Whole numbers below 2^32, the same ones for the same seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
}

/** False on a machine without ffmpeg: what needs it is then skipped, visibly. */
export const hasFfmpeg = ((): boolean => {
  try {
    execFileSync('ffmpeg', ['-version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();

export const needsFfmpeg = hasFfmpeg ? {} : { skip: 'needs ffmpeg' };

/** ffmpeg from bytes to bytes, both through pipes. */
export function ffmpeg(input: Uint8Array, ...args: readonly string[]): Buffer {
  return execFileSync('ffmpeg', ['-v', 'error', '-nostdin', '-i', 'pipe:0', ...args, 'pipe:1'], {
    input,
    maxBuffer: 64_000_000,
    stdio: ['pipe', 'pipe', 'ignore'],
  });
}

/** An MP4 as recorders write it, the index last: only a file can be gone back in. */
export function movie(wav: Uint8Array): Buffer {
  const folder = mkdtempSync(join(tmpdir(), 'made-audio-'));
  try {
    const path = join(folder, 'movie.m4a');
    execFileSync('ffmpeg', ['-v', 'error', '-nostdin', '-i', 'pipe:0', '-y', path], { input: wav });
    return readFileSync(path);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Sends this process's temporary files to a folder of its own until the test ends. */
export function ownTemporaryFolder(t: { teardown(undo: () => void): void }): string {
  const folder = mkdtempSync(join(tmpdir(), 'made-audio-'));
  const before = process.env['TMPDIR'];
  process.env['TMPDIR'] = folder;
  t.teardown(() => {
    if (before === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = before;
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}

/** Root mean square of the difference, in dB to full scale, over the length of the shorter. */
export function differenceDb(a: Float32Array, b: Float32Array): number {
  const length = Math.min(a.length, b.length);
  let sum = 0;
  for (let i = 0; i < length; i++) sum += (a[i]! - b[i]!) ** 2;
  return 10 * Math.log10(sum / length + 1e-20);
}
