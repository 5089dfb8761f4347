import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeAudio } from '../src/audio/decode.js';

/** One recording of a dev list. */
export interface DevFile {
  readonly list: string;
  /** E.g. `s000_u00.flac`; the speaker's name ends at the first `_`. */
  readonly name: string;
  readonly speaker: string;
  readonly samples: Float32Array;
}

/** The speaker verification lists. */
export const speakerLists = [
  'ivr-digits',
  'zh-digits',
  'zh-read',
  'zh-words',
  'en-mandarin-natives',
  'fr-read',
  'en-words',
] as const;

/** All dev lists: the speaker lists and the lists of digits. */
export const allDevLists = [
  ...speakerLists,
  'digits-en',
  'digits-en-connected',
  'digits-zh',
  'digits-zh-connected',
  'digits-zh-phone',
] as const;

/** The recordings of a dev list (the first `most`) in the order of their names, as 8 kHz mono samples, decoded the way the service does. */
export async function devFiles(speechDir: string, list: string, most = Infinity): Promise<DevFile[]> {
  const folder = join(speechDir, 'dev', list);
  const names = (await readdir(folder))
    .filter((name) => name.endsWith('.flac'))
    .sort()
    .slice(0, most);
  const files: DevFile[] = [];
  const atOnce = 4;
  for (let at = 0; at < names.length; at += atOnce) {
    files.push(
      ...(await Promise.all(
        names.slice(at, at + atOnce).map(async (name) => ({
          list,
          name,
          speaker: name.split('_')[0] ?? name,
          samples: await decodeFile(join(folder, name)),
        })),
      )),
    );
  }
  return files;
}

/** A tab-separated list with a header, as records. */
export async function tableOf(path: string): Promise<Readonly<Record<string, string>>[]> {
  const [head = '', ...lines] = (await readFile(path, 'utf8')).trimEnd().split('\n');
  const names = head.split('\t');
  return lines.map((line) => Object.fromEntries(line.split('\t').map((value, i) => [names[i] ?? '', value])));
}

async function decodeFile(path: string): Promise<Float32Array> {
  const limits = {
    maxBytes: 2 ** 26,
    maxSeconds: 600,
    ffmpegTimeoutMs: 60_000,
    ffmpegPath: 'ffmpeg',
    ffmpegProcesses: 4,
  };
  const decoded = await decodeAudio(await readFile(path), { contentType: undefined, targetRateHz: 8000, limits });
  return decoded.waveform.samples;
}
