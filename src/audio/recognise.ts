import { looksLikeWav } from './wav-header.js';

/** Containers that can be chosen at all. Playlists, manifests and scripts have no name here, so nothing can choose them. */
export type Container = 'wav' | 'mp3' | 'aac' | 'ogg' | 'flac' | 'amr' | 'matroska' | 'mp4';

/** What the first bytes say: a container we read, one that we know and do not read, or nothing known. */
export type Recognised =
  | { readonly kind: 'container'; readonly container: Container }
  | { readonly kind: 'unsupported'; readonly name: string }
  | { readonly kind: 'unknown' };

interface Signature {
  readonly at: number;
  readonly magic: string;
}

const signatures: readonly (Signature & { readonly container: Container })[] = [
  { at: 0, magic: 'OggS', container: 'ogg' },
  { at: 0, magic: 'fLaC', container: 'flac' },
  { at: 0, magic: '#!AMR\n', container: 'amr' },
  { at: 0, magic: '#!AMR-WB\n', container: 'amr' },
  { at: 0, magic: '\x1a\x45\xdf\xa3', container: 'matroska' },
  { at: 4, magic: 'ftyp', container: 'mp4' },
  { at: 0, magic: 'ID3', container: 'mp3' },
];

const unsupported: readonly (Signature & { readonly name: string })[] = [
  { at: 0, magic: 'FORM', name: 'AIFF' },
  { at: 0, magic: '.snd', name: 'Sun AU' },
  { at: 0, magic: 'caff', name: 'Core Audio (CAF)' },
  { at: 0, magic: 'RIFF', name: 'a RIFF file that is not WAVE' },
  { at: 0, magic: '\x30\x26\xb2\x75\x8e\x66\xcf\x11', name: 'Windows Media (ASF)' },
];

/** Tells the container by the bytes alone: names and content types lie, and ffmpeg's own guess would admit playlists. */
export function recognise(bytes: Uint8Array): Recognised {
  if (looksLikeWav(bytes)) return { kind: 'container', container: 'wav' };
  const head = String.fromCharCode(...bytes.subarray(0, 16));
  const known = signatures.find(({ at, magic }) => head.startsWith(magic, at));
  if (known !== undefined) return { kind: 'container', container: known.container };
  const foreign = unsupported.find(({ at, magic }) => head.startsWith(magic, at));
  if (foreign !== undefined) return { kind: 'unsupported', name: foreign.name };
  const framed = mpegFraming(bytes);
  return framed === undefined ? { kind: 'unknown' } : { kind: 'container', container: framed };
}

/** Headerless streams begin with a frame: ISO 11172-3 section 2.4.1.3 (MPEG audio), ISO 14496-3 section 1.A.2.2 (ADTS). */
function mpegFraming(bytes: Uint8Array): 'mp3' | 'aac' | undefined {
  const [sync = 0, second = 0, third = 0] = bytes;
  if (sync !== 0xff || (second & 0xe0) !== 0xe0) return undefined;
  const layer = (second >> 1) & 0x03;
  if (layer === 0) return (second & 0xf0) === 0xf0 && ((third >> 2) & 0x0f) <= 12 ? 'aac' : undefined;
  const version = (second >> 3) & 0x03;
  const bitrate = third >> 4;
  const rate = (third >> 2) & 0x03;
  return layer === 3 || version === 1 || bitrate === 0 || bitrate === 15 || rate === 3 ? undefined : 'mp3';
}

/**
 * Whether an MP4 file can only be read by seeking: its samples (mdat) come before the index (moov) that says where they lie.
 * (ISO 14496-12 section 4.2: each box is a 32-bit length, a name, and a 64-bit length if the first is 1.)
 */
export function samplesBeforeIndex(mp4: Uint8Array): boolean {
  const view = new DataView(mp4.buffer, mp4.byteOffset, mp4.byteLength);
  for (let at = 0; at + 8 <= mp4.length;) {
    const name = String.fromCharCode(...mp4.subarray(at + 4, at + 8));
    if (name === 'moov') return false;
    if (name === 'mdat') return true;
    const short = view.getUint32(at);
    const length = short === 1 && at + 16 <= mp4.length ? Number(view.getBigUint64(at + 8)) : short;
    if (length < 8) return false;
    at += length;
  }
  return false;
}
