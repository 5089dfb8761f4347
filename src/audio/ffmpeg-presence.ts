import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { VoicegateError } from '../errors.js';

const present = new Map<string, Promise<void>>();
const ANSWER_WITHIN_MS = 10_000;

/**
 * Asks the program for its version once, and remembers a clear yes or no for as long as this process lives.
 *
 * @param ffmpegPath a path, or a name to look up in PATH
 * @throws VoicegateError audio_decoder_missing when it is not there or does not answer
 */
export async function requireFfmpeg(ffmpegPath: string): Promise<void> {
  const known = present.get(ffmpegPath);
  if (known !== undefined) return known;
  const asked = ask(ffmpegPath);
  present.set(ffmpegPath, asked);
  return asked;
}

async function ask(ffmpegPath: string): Promise<void> {
  try {
    await promisify(execFile)(ffmpegPath, ['-version'], {
      timeout: ANSWER_WITHIN_MS,
      killSignal: 'SIGKILL',
      windowsHide: true,
    });
  } catch (cause) {
    const isSure = cause instanceof Error && 'code' in cause && (cause.code === 'ENOENT' || cause.code === 'EACCES');
    // A machine short of processes may have one a moment later.
    if (!isSure) present.delete(ffmpegPath);
    throw missingDecoder('This server has no ffmpeg, which compressed audio needs.');
  }
}

/** What a sender can do where ffmpeg, or what it was built with, is missing. */
export const missingDecoder = (message: string): VoicegateError =>
  new VoicegateError('audio_decoder_missing', message, {
    hint: 'Send WAV, audio/basic, audio/PCMU, audio/PCMA or audio/L16, or ask the operator to install ffmpeg.',
  });
