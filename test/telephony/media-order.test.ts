import t from 'tap';
import { seededRandom } from '../../bench/activity-noise.js';
import {
  MediaOrder,
  mostWaitingPackets,
  type MediaPacket,
  type OrderedMedia,
} from '../../src/telephony/media-order.js';

/** A packet of 20 ms at 8000 bytes a second; its bytes say its number. */
const packet = (
  chunk: number | null,
  timestampMs: number | null = chunk === null ? null : 20 * chunk,
): MediaPacket => ({
  chunk,
  timestampMs,
  bytes: new Uint8Array(160).fill(chunk ?? 0),
});
/** Numbers as they come out; a gap as its milliseconds, negative. */
const numbers = (ordered: readonly OrderedMedia[]): number[] =>
  ordered.map((part) => (part.kind === 'gap' ? -Math.round(1000 * part.seconds) : (part.bytes[0] ?? NaN)));
function ordered(packets: readonly MediaPacket[]): number[] {
  const order = new MediaOrder(8000);
  return numbers([...packets.flatMap((one) => order.accept(one)), ...order.finish()]);
}

void t.test('Packets in any order within the buffer, some of them twice, come out once and in order', async (t) => {
  const wanted = Array.from({ length: 100 }, (_, n) => n + 1);
  for (const seed of [1, 2, 3, 4, 5]) {
    const random = seededRandom(seed);
    const jittered = wanted
      .flatMap((chunk) => [chunk, ...(random() < 0.2 ? [chunk] : [])])
      .map((chunk) => ({ chunk, at: chunk + random() * mostWaitingPackets }))
      .sort((a, b) => a.at - b.at);
    t.same(ordered(jittered.map(({ chunk }) => packet(chunk))), wanted, `seed ${seed}`);
  }
});

void t.test('What is missing becomes a gap of its length, at the end too', async (t) => {
  const all = Array.from({ length: 60 }, (_, n) => n + 1);
  const lost = new Set([5, 6, 7, 30, 59]);
  const kept = all.filter((chunk) => !lost.has(chunk));
  const wanted = [...all.slice(0, 4), -60, ...all.slice(7, 29), -20, ...all.slice(30, 58), -20, 60];
  t.same(ordered(kept.map((chunk) => packet(chunk))), wanted);
  t.same(
    ordered(kept.map((chunk) => packet(chunk, null))),
    wanted,
    'without timestamps: as many packets as numbers are missing',
  );
  t.same(
    ordered(kept.map((chunk) => packet(chunk, 20 * chunk + (chunk % 2 === 0 ? 7 : 0)))),
    wanted,
    'with timestamps that are not exact',
  );
});

void t.test(
  'A packet that waits is let go when too many wait with it; one that comes after that is too late',
  async (t) => {
    const order = new MediaOrder(8000);
    t.same(numbers(order.accept(packet(1))), [1]);
    for (let chunk = 3; chunk < 3 + mostWaitingPackets; chunk++) t.same(order.accept(packet(chunk)), []);
    const late = numbers(order.accept(packet(3 + mostWaitingPackets)));
    t.same(late.slice(0, 2), [-20, 3]);
    t.same(late.at(-1), 3 + mostWaitingPackets);
    t.same(order.accept(packet(2)), []);
  },
);

void t.test('Numbers that run across both tracks leave no gaps', async (t) => {
  const odd = Array.from({ length: 40 }, (_, n) => 2 * n + 1);
  t.same(ordered(odd.map((chunk, n) => packet(chunk, 20 * n))), odd);
});

void t.test('A sender that does not number is taken as it comes; numbers may begin anywhere', async (t) => {
  t.same(ordered([packet(null), packet(null, 500)]), [0, 0]);
  t.same(ordered([0, 1, 2].map((chunk) => packet(chunk))), [0, 1, 2]);
  t.same(ordered([70, 71, 73, 72].map((chunk) => packet(chunk))), [70, 71, 72, 73]);
  t.same(
    ordered([packet(1), { chunk: 3, timestampMs: 0, bytes: new Uint8Array(0) }, packet(4)]).length,
    3,
    'an empty one',
  );
});
