import { agreement, hopSeconds, type Fingerprint } from './fingerprint.js';

/** Where a test recording was found in a reference. */
export interface FoundRecording<R> {
  readonly reference: R;
  /** Share of equal bits: about ½ for different recordings, 1 for the same samples. */
  readonly agreement: number;
  /** Audible time that was compared, seconds. */
  readonly overlapSeconds: number;
  /** Where the test recording begins in the reference, seconds. */
  readonly offsetSeconds: number;
}

/** Offsets that are compared in full, by how many words they have in common. */
const candidates = 5;

/** A coder turns bits over: words are looked up as they are and with any one bit turned. */
const flips = [0, ...Array.from({ length: 32 }, (_, bit) => (1 << bit) >>> 0)];

/** Finds recordings by their fingerprints: words are looked up, places where several agree are compared bit by bit. */
export class FingerprintIndex<R> {
  private readonly entries: { readonly reference: R; readonly print: Fingerprint }[] = [];
  private built: { keys: Uint32Array; entry: Uint32Array; at: Uint32Array; start: Uint32Array } | null = null;

  /** Adds a reference; all are added before the first search. */
  add(reference: R, print: Fingerprint): void {
    this.entries.push({ reference, print });
    this.built = null;
  }

  /** The best match of a test recording; null where no word of it was found. */
  find(test: Fingerprint): FoundRecording<R> | null {
    const { keys, entry, at, start } = (this.built ??= this.build());
    const votes = new Map<number, number>();
    for (let t = 0; t < test.words.length; t++) {
      if (test.audible[t] === 0) continue;
      const word = test.words[t]!;
      for (const flipped of flips) {
        const wanted = (word ^ flipped) >>> 0;
        const bucket = wanted >>> 16;
        for (let k = start[bucket]!; k < start[bucket + 1]!; k++) {
          if (keys[k] !== wanted) continue;
          const place = entry[k]! * 2 ** 21 + (at[k]! - t + 2 ** 20);
          votes.set(place, (votes.get(place) ?? 0) + 1);
        }
      }
    }
    const best = [...votes].sort((a, b) => b[1] - a[1]).slice(0, candidates);
    const found = best.map(([place]): FoundRecording<R> => {
      const { reference, print } = this.entries[Math.floor(place / 2 ** 21)]!;
      const offset = (place % 2 ** 21) - 2 ** 20;
      const { share, words } = agreement(test, print, offset);
      return {
        reference,
        agreement: share,
        overlapSeconds: words * hopSeconds,
        offsetSeconds: offset * hopSeconds,
      };
    });
    return found.sort((a, b) => b.agreement - a.agreement)[0] ?? null;
  }

  /** All audible words of all references, sorted into buckets by their upper half. */
  private build(): NonNullable<typeof this.built> {
    const start = new Uint32Array(2 ** 16 + 1);
    const eachWord = (visit: (word: number, entry: number, at: number) => void): void => {
      this.entries.forEach(({ print: { words, audible } }, entry) => {
        for (let at = 0; at < words.length; at++) if (audible[at] === 1) visit(words[at]!, entry, at);
      });
    };
    eachWord((word) => start[(word >>> 16) + 1]!++);
    for (let bucket = 0; bucket < 2 ** 16; bucket++) start[bucket + 1]! += start[bucket]!;
    const total = start[2 ** 16]!;
    const [keys, entry, at] = [new Uint32Array(total), new Uint32Array(total), new Uint32Array(total)];
    const next = start.slice();
    eachWord((word, own, place) => {
      const k = next[word >>> 16]!++;
      keys[k] = word;
      entry[k] = own;
      at[k] = place;
    });
    return { keys, entry, at, start };
  }
}
