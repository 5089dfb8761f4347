import type { FrontEnd } from '../features/front-end.js';

/**
 * The families of speaker models that can be installed. A family is a front-end and the order of the input's axes; whatever the ONNX file says
 * of itself goes before it. Sources of the numbers: the table of front-ends in models/README.md; golden frames: test/features.
 */
export const familyIds = ['wespeaker', '3d-speaker', 'nemo', 'waveform'] as const;

export type FamilyId = (typeof familyIds)[number];

/** What is settled before a family's front-end is made. */
export interface FamilyNumbers {
  readonly sampleRateHz: number;
  readonly melBins: number;
  /** A number of the file's metadata, under the names that sherpa-onnx reads; undefined where it has none. */
  readonly says: (key: string) => number | undefined;
}

/** A family as data. */
export interface Family {
  /** For people. */
  readonly title: string;
  /** Taken where the file leaves both axes free. */
  readonly layout: 'time-bins' | 'bins-time' | 'samples';
  /** What the file's metadata may name as its framework; null where such files carry none. */
  readonly framework: string | null;
  /** Where the file does not say. */
  readonly usual: { readonly sampleRateHz: number; readonly melBins: number };
  readonly frontEnd: (numbers: FamilyNumbers) => FrontEnd;
}

/** What WeSpeaker and 3D-Speaker have in common. */
const kaldi = {
  kind: 'kaldi-fbank',
  frameLengthMs: 25,
  frameShiftMs: 10,
  preEmphasis: 0.97,
  removeDcOffset: true,
  snipEdges: true,
  lowHz: 20,
  highHz: 0,
  energyFloor: 2 ** -23,
  normalisation: 'global-mean',
} as const;

const numbers16k = { sampleRateHz: 16_000, melBins: 80 };

export const families: Readonly<Record<FamilyId, Family>> = {
  wespeaker: {
    title: 'WeSpeaker: Kaldi frames, Hamming window, int16 scale, mean subtracted',
    layout: 'time-bins',
    framework: 'wespeaker',
    usual: numbers16k,
    frontEnd: ({ says, ...numbers }) => ({
      ...kaldi,
      ...numbers,
      window: 'hamming',
      sampleScale: says('normalize_samples') === 1 ? 1 : 32768,
    }),
  },
  '3d-speaker': {
    title: '3D-Speaker: Kaldi frames, Povey window, mean subtracted',
    layout: 'time-bins',
    framework: '3d-speaker',
    usual: numbers16k,
    frontEnd: ({ says, ...numbers }) => ({
      ...kaldi,
      ...numbers,
      window: 'povey',
      sampleScale: says('normalize_samples') === 0 ? 32768 : 1,
    }),
  },
  nemo: {
    title: 'NeMo (TitaNet): Slaney mel frames, mean and deviation of each bin',
    layout: 'bins-time',
    framework: 'nemo',
    usual: numbers16k,
    frontEnd: ({ says, ...numbers }) => {
      const frameLengthMs = says('window_size_ms') ?? 25;
      return {
        kind: 'nemo-mel',
        ...numbers,
        frameLengthMs,
        frameShiftMs: says('window_stride_ms') ?? 10,
        window: 'hann',
        // The next power of two above a frame.
        fftSize: 2 ** Math.ceil(Math.log2((frameLengthMs * numbers.sampleRateHz) / 1000)),
        preEmphasis: 0.97,
        lowHz: 0,
        highHz: 0,
        logOffset: 2 ** -24,
        padFramesTo: 16,
        normalisation: 'per-feature',
      };
    },
  },
  waveform: {
    title: 'front-end inside the network, fed with samples in [-1, 1] (ReDimNet2)',
    layout: 'samples',
    framework: null,
    usual: numbers16k,
    frontEnd: ({ sampleRateHz }) => ({ kind: 'waveform', sampleRateHz, sampleScale: 1 }),
  },
};

/** The front-end of a family whose file says nothing of itself. */
export function usualFrontEnd(id: FamilyId): FrontEnd {
  const { frontEnd, usual } = families[id];
  return frontEnd({ ...usual, says: () => undefined });
}
