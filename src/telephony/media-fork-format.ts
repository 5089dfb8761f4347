import { VoicegateError } from '../errors.js';
import type { Channel, MediaFormat } from './session-io.js';

const defaultRateHz = 8000;

/**
 * How the audio of a forked call is to be read. The modules of FreeSWITCH do not say it: the operator does, in the metadata or in the query of the address, by
 * the names that jambonz uses, `sampleRate` and `mixType`; the metadata counts more. Absent: 8000 Hz, mono.
 * @param metadata the first text frame, where it is a JSON object
 * @throws VoicegateError `invalid_request` naming the value that is none
 */
export function forkFormat(query: URLSearchParams, metadata: Readonly<Record<string, unknown>>): MediaFormat {
  const told = (name: string): unknown => (Object.hasOwn(metadata, name) ? metadata[name] : null) ?? query.get(name);
  return {
    encoding: 'l16-le',
    sampleRateHz: rateOf(told('sampleRate')),
    channels: channelsOf(told('mixType'), told('customerChannel')),
  };
}

/** A number of Hz, also as text, also `8k` as the commands of the modules have it. */
function rateOf(value: unknown): number {
  if (value === null) return defaultRateHz;
  const text = typeof value === 'number' || typeof value === 'string' ? String(value) : '';
  const [, digits, kilo] = /^(\d{1,6})(k?)$/.exec(text) ?? [];
  const sampleRateHz = Number(digits) * (kilo === 'k' ? 1000 : 1);
  if (sampleRateHz >= 4000 && sampleRateHz <= 192_000) return sampleRateHz;
  throw invalid('sampleRate', 'a number of Hz from 4000 to 192000, or 8k, 16k …');
}

/** Mono is the party that the module listens to. In stereo that is the left one, and right is whom it talks to. */
function channelsOf(mixType: unknown, customerChannel: unknown): readonly Channel[] {
  const isRight = customerChannel === 'right';
  if (!isRight && customerChannel !== null && customerChannel !== 'left') {
    throw invalid('customerChannel', 'left or right');
  }
  switch (mixType) {
    case null:
    case 'mono':
      return ['customer'];
    case 'mixed':
      return ['mixed'];
    case 'stereo':
      return isRight ? ['agent', 'customer'] : ['customer', 'agent'];
    default:
      throw invalid('mixType', 'mono, mixed or stereo');
  }
}

const invalid = (name: string, right: string): VoicegateError =>
  new VoicegateError('invalid_request', `${name} of the metadata or the address is malformed`, {
    hint: `It is ${right}`,
  });
