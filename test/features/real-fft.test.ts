import t from 'tap';
import { compileLanes } from '../../src/features/lane-compiler.js';
import { LaneProgram } from '../../src/features/lane-program.js';
import { realFft } from '../../src/features/real-fft.js';
import { numbers } from './signal.js';

for (const size of [1, 2, 4, 8, 16, 64, 256, 512, 1024]) {
  void t.test(
    `the transform of ${size} values is the Fourier sum of its definition, in each of the four lanes`,
    (t) => {
      const program = new LaneProgram();
      for (const { re, im } of realFft(
        program,
        Array.from({ length: size }, (_, index) => program.sample(index)),
      )) {
        // A constant cannot be an output; adding a sample's zero multiple makes it a value.
        program.outputs.push(
          program.apply('add', re, program.constant(0)),
          program.apply('add', im, program.constant(0)),
        );
      }
      const lanes = compileLanes(program, { frameLengthSamples: size, frameShiftSamples: size, capacityFrames: 4 });
      const next = numbers(size);
      lanes.input.forEach((_, index) => (lanes.input[index] = next() / 2 ** 31 - 1));
      lanes.run(0);
      let largest = 0;
      for (let lane = 0; lane < 4; lane++) {
        const values = lanes.input.subarray(lane * size, (lane + 1) * size);
        for (let bin = 0; bin <= size / 2; bin++) {
          const angle = (-2 * Math.PI * bin) / size;
          const re = values.reduce((sum, value, index) => sum + value * Math.cos(angle * index), 0);
          const im = values.reduce((sum, value, index) => sum + value * Math.sin(angle * index), 0);
          const at = lane * program.outputs.length + 2 * bin;
          largest = Math.max(
            largest,
            Math.abs(re - (lanes.output[at] ?? NaN)),
            Math.abs(im - (lanes.output[at + 1] ?? NaN)),
          );
        }
      }
      t.ok(largest < 1e-6 * size, `largest distance ${largest}`);
      t.end();
    },
  );
}

void t.test('a transform of a length that is no power of two is refused', (t) => {
  const program = new LaneProgram();
  const values = Array.from({ length: 12 }, (_, index) => program.sample(index));
  t.throws(() => realFft(program, values), { name: 'RangeError', message: /12 values/ });
  t.throws(() => realFft(program, []), { name: 'RangeError' });
  t.end();
});
