import t from 'tap';
import { seededRandom } from '../../bench/activity-noise.js';
import { AudioSocketFrames, uuidText, type AudioSocketFrame } from '../../src/telephony/audiosocket-frames.js';
import { frame } from './audiosocket-client.js';

const readAll = (frames: AudioSocketFrames): AudioSocketFrame[] => {
  const read = [];
  for (let next = frames.read(); next !== null; next = frames.read()) read.push(next);
  return read;
};

void t.test('Frames are the same however their bytes are cut', (t) => {
  const random = seededRandom(5);
  const sent = Array.from({ length: 200 }, (_, n) => ({
    kind: [0x00, 0x01, 0x03, 0x10, 0x12, 0xff, 0x77][n % 7] as number,
    payload: Buffer.from(
      Array.from({ length: n % 5 === 0 ? 0 : Math.floor(random() ** 3 * 900) }, () => random() * 256),
    ),
  }));
  const bytes = Buffer.concat(sent.map(({ kind, payload }) => frame(kind, payload)));
  for (const most of [1, 2, 3, 7, 400, bytes.length]) {
    const frames = new AudioSocketFrames();
    const got: AudioSocketFrame[] = [];
    for (let at = 0; at < bytes.length;) {
      const next = at + 1 + Math.floor(random() * most);
      frames.accept(bytes.subarray(at, next));
      // Bytes may also gather before anybody reads.
      if (random() < 0.6) got.push(...readAll(frames));
      at = next;
    }
    got.push(...readAll(frames));
    t.strictSame(got, sent, `pieces of at most ${most} bytes`);
  }
  t.end();
});

void t.test('A frame whose length promises more than comes is never given', (t) => {
  const frames = new AudioSocketFrames();
  frames.accept(Buffer.from([0x10, 0xff, 0xff]));
  frames.accept(Buffer.alloc(65_534));
  t.equal(frames.read(), null);
  frames.accept(Buffer.alloc(0));
  t.equal(frames.read(), null);
  frames.accept(Buffer.alloc(1));
  t.equal(frames.read()?.payload.length, 65_535);
  t.equal(frames.read(), null);
  t.end();
});

void t.test('The 16 bytes of a call’s name are its UUID', (t) => {
  const uuid = '0549ec21-a181-4339-8ae7-f935be7bb040';
  t.equal(uuidText(Buffer.from(uuid.replaceAll('-', ''), 'hex')), uuid);
  t.end();
});
