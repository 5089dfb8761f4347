import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeAudio } from '../../src/audio/decode.js';
import { rootDir } from '../../src/paths.js';
import { at8kHz } from './made-audio.js';

/** Samples at 8 kHz of one utterance in audio-fixtures/callers. */
export async function utterance(caller: string, name: string): Promise<Float32Array> {
  const bytes = await readFile(join(rootDir, 'audio-fixtures', 'callers', caller, `${name}.wav`));
  return (await decodeAudio(bytes, at8kHz)).waveform.samples;
}

/** A caller's utterances one after another, with pauses of 0.3 to 3 s between, like one side of a talk. */
export async function callerCall(
  caller = 'zh-f4',
  names: readonly string[] = ['enrol-1', 'enrol-2', 'verify-1', 'enrol-3', 'verify-2', 'enrol-4'],
): Promise<Float32Array> {
  const pausesSeconds = [0.3, 1.4, 0.6, 3, 0.9];
  const parts: Float32Array[] = [];
  for (const [index, name] of names.entries()) {
    parts.push(await utterance(caller, name));
    parts.push(new Float32Array(Math.round((pausesSeconds[index % pausesSeconds.length] ?? 1) * 8000)));
  }
  const call = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    call.set(part, at);
    at += part.length;
  }
  return call;
}
