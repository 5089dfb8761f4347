import t from 'tap';
import { compileLanes } from '../../src/features/lane-compiler.js';
import { LaneProgram } from '../../src/features/lane-program.js';

void t.test('what costs nothing is left out: zeros, ones, repetitions', (t) => {
  const program = new LaneProgram();
  const x = program.across(0);
  const y = program.across(1);
  t.equal(program.add(x, program.constant(0)), x);
  t.equal(program.add(program.constant(0), x), x);
  t.equal(program.subtract(x, program.constant(0)), x);
  t.equal(program.scale(x, 1), x);
  t.equal(program.scale(x, 0), program.constant(0));
  t.equal(program.add(x, y), program.add(x, y));
  t.equal(program.across(0), x);
  t.equal(program.sum([]), program.constant(0));
  t.end();
});

void t.test('one program works on rows, a second on each number that the first stored', (t) => {
  const rows = new LaneProgram();
  const [a, b, c] = [rows.across(0), rows.across(1), rows.across(2)];
  rows.multiply(a, a);
  const sum = rows.sum([a, b, c]);
  rows.storeAcross([sum, rows.scale(c, 0.5), rows.constant(3), sum, rows.subtract(b, a)]);
  const each = new LaneProgram();
  each.store(each.add(each.scale(each.load(0, 0), 10), each.constant(1)), 0, 0);
  const lanes = compileLanes(rows, each, { inputColumns: 3, inputStride: 2, outputColumns: 5, capacityRows: 8 });
  lanes.input.set([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13]);
  lanes.run(5);
  t.equal(lanes.outputStride, 8, 'rows are filled up to a multiple of 4');
  for (let row = 0; row < 5; row++) {
    const first = 2 * row + 1;
    const wanted = [3 * first + 3, (first + 2) / 2, 3, 3 * first + 3, 1].map((value) => 10 * value + 1);
    t.same([...lanes.output.subarray(row * 8, row * 8 + 5)], wanted, `row ${row}`);
  }
  t.end();
});

void t.test('many values that live at once keep their own places', (t) => {
  const rows = new LaneProgram();
  const squares = Array.from({ length: 64 }, (_, column) => rows.multiply(rows.across(column), rows.across(column)));
  const total = rows.sum(squares);
  rows.storeAcross(squares.map((square) => rows.subtract(total, square)));
  const each = new LaneProgram();
  each.store(each.load(0, 0), 0, 0);
  const lanes = compileLanes(rows, each, { inputColumns: 64, inputStride: 64, outputColumns: 64, capacityRows: 4 });
  lanes.input.forEach((_, index) => (lanes.input[index] = index % 7));
  lanes.run(4);
  for (let row = 0; row < 4; row++) {
    const values = Array.from(lanes.input.subarray(row * 64, row * 64 + 64), (value) => value * value);
    const sum = values.reduce((all, value) => all + value, 0);
    t.same(
      [...lanes.output.subarray(row * 64, row * 64 + 64)],
      values.map((value) => sum - value),
    );
  }
  t.end();
});
