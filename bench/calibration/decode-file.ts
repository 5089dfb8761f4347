import { readFile } from 'node:fs/promises';
import { decodeAudio } from '../../src/audio/decode.js';

/** A whole file as 8 kHz mono samples; compressed formats need ffmpeg. */
export async function decodeFile(path: string): Promise<Float32Array> {
  const limits = {
    maxBytes: 2 ** 26,
    maxSeconds: 600,
    ffmpegTimeoutMs: 120_000,
    ffmpegPath: 'ffmpeg',
    ffmpegProcesses: 2,
  };
  const decoded = await decodeAudio(await readFile(path), { contentType: undefined, targetRateHz: 8000, limits });
  return decoded.waveform.samples;
}

/** A row of a table by its columns' names. */
export type Row = Readonly<Record<string, string>>;

/** Reads a table of values between tabs whose first line names the columns. */
export async function readTable(path: string): Promise<Row[]> {
  const [head = '', ...lines] = (await readFile(path, 'utf8')).trimEnd().split('\n');
  const names = head.split('\t');
  return lines.map((line) => Object.fromEntries(line.split('\t').map((value, i) => [names[i] ?? '', value])));
}
