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
      const bins = realFft(
        program,
        Array.from({ length: size }, (_, index) => program.across(index)),
      );
      program.storeAcross(bins.flatMap(({ re, im }) => [re, im]));
      const layout = { inputColumns: size, inputStride: size, outputColumns: 2 * bins.length, capacityRows: 4 };
      const lanes = compileLanes(program, unchanged(), layout);
      const next = numbers(size);
      lanes.input.forEach((_, index) => (lanes.input[index] = next() / 2 ** 31 - 1));
      lanes.run(4);
      let largest = 0;
      for (let row = 0; row < 4; row++) {
        const values = lanes.input.subarray(row * size, (row + 1) * size);
        for (let bin = 0; bin <= size / 2; bin++) {
          const angle = (-2 * Math.PI * bin) / size;
          const re = values.reduce((sum, value, index) => sum + value * Math.cos(angle * index), 0);
          const im = values.reduce((sum, value, index) => sum + value * Math.sin(angle * index), 0);
          const at = row * lanes.outputStride + 2 * bin;
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

/** The program that leaves a value as it is. */
function unchanged(): LaneProgram {
  const program = new LaneProgram();
  program.store(program.load(0, 0), 0, 0);
  return program;
}

void t.test('a transform of a length that is no power of two is refused', (t) => {
  const program = new LaneProgram();
  const values = Array.from({ length: 12 }, (_, index) => program.across(index));
  t.throws(() => realFft(program, values), { name: 'RangeError', message: /12 values/ });
  t.throws(() => realFft(program, []), { name: 'RangeError' });
  t.end();
});
