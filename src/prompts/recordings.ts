import { readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { VoicegateError } from '../errors.js';

/** A recorded prompt, kept in memory. */
export interface Recording {
  readonly bytes: Buffer;
  readonly mediaType: string;
}

/** The formats that every VoiceXML 2.1 browser plays (appendix E of VoiceXML 2.0). */
const mediaTypes: Readonly<Record<string, string>> = {
  '.wav': 'audio/x-wav',
  '.ulaw': 'audio/basic',
  '.alaw': 'audio/x-alaw-basic',
};

/** Largest recording of a prompt: five minutes of 8 kHz, 16 bit. */
const mostBytes = 4_800_044;

/**
 * Reads a recording that a file of prompts names.
 * @param name a bare file name, checked before
 * @throws VoicegateError `configuration_invalid` for one that is not there, too large, or of a format not played everywhere
 */
export async function readRecording(dir: string, name: string, namedBy: string): Promise<Recording> {
  const invalid = (message: string, hint: string, cause?: unknown): VoicegateError =>
    new VoicegateError('configuration_invalid', `${namedBy} names the recording ${name}, which ${message}`, {
      hint,
      cause,
    });
  const mediaType = mediaTypes[extname(name)];
  if (mediaType === undefined) {
    throw invalid('is of another format', `Give it as ${Object.keys(mediaTypes).join(', ')} (8 kHz), or as an address`);
  }
  const bytes = await readFile(join(dir, name)).catch((cause: unknown) => {
    throw invalid('cannot be read', `Put it into ${dir}`, cause);
  });
  if (bytes.length > mostBytes) throw invalid('is too large', `At most ${mostBytes} bytes`);
  return { bytes, mediaType };
}
