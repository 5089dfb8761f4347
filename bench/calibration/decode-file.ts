import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A whole file as 8 kHz mono samples, by ffmpeg alone: thousands of files, of people who mean us no harm. */
export async function decodeFile(path: string): Promise<Float32Array> {
  const options = ['-v', 'error', '-i', path, '-f', 'f32le', '-ac', '1', '-ar', '8000', '-'];
  const { stdout } = await run('ffmpeg', options, { encoding: 'buffer', maxBuffer: 2 ** 26 });
  return new Float32Array(Uint8Array.from(stdout).buffer);
}

/** A row of a table by its columns' names. */
export type Row = Readonly<Record<string, string>>;

/** Reads a table of values between tabs whose first line names the columns. */
export async function readTable(path: string): Promise<Row[]> {
  const [head = '', ...lines] = (await readFile(path, 'utf8')).trimEnd().split('\n');
  const names = head.split('\t');
  return lines.map((line) => Object.fromEntries(line.split('\t').map((value, i) => [names[i] ?? '', value])));
}

/** Work on all values, four at a time; the results in the values' order. */
export async function fourAtATime<T, R>(values: readonly T[], work: (value: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  const queue = values.entries();
  const worker = async (): Promise<void> => {
    for (const [index, value] of queue) results[index] = await work(value);
  };
  await Promise.all([worker(), worker(), worker(), worker()]);
  return results;
}
