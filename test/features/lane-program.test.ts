import t from 'tap';
import { compileLanes } from '../../src/features/lane-compiler.js';
import { LaneProgram } from '../../src/features/lane-program.js';

void t.test('what costs nothing is left out: zeros, ones, repetitions', (t) => {
  const program = new LaneProgram();
  const x = program.sample(0);
  const y = program.sample(1);
  t.equal(program.add(x, program.constant(0)), x);
  t.equal(program.subtract(x, program.constant(0)), x);
  t.equal(program.scale(x, 1), x);
  t.equal(program.scale(x, 0), program.constant(0));
  t.equal(program.add(x, y), program.add(x, y));
  t.equal(program.sample(0), x);
  t.end();
});

void t.test('the same value may be several outputs, constants included, and unread values do no harm', (t) => {
  const program = new LaneProgram();
  const sum = program.sum([program.sample(0), program.sample(1), program.sample(2)]);
  program.multiply(sum, sum);
  program.outputs.push(sum, program.scale(sum, 0.5), sum);
  const lanes = compileLanes(program, { frameLengthSamples: 3, frameShiftSamples: 1, capacityFrames: 8 });
  lanes.input.set([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  lanes.run(4);
  t.same([...lanes.output.subarray(12)], [18, 9, 18, 21, 10.5, 21, 24, 12, 24, 27, 13.5, 27]);
  lanes.run(0);
  t.same([...lanes.output.subarray(0, 6)], [6, 3, 6, 9, 4.5, 9]);
  t.end();
});
