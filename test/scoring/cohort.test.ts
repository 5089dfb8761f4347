import t from 'tap';
import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { centred, cohortBytes, loadCohort, parseCohort, speakerHash } from '../../src/scoring/cohort.js';
import { cosine, unit } from '../../src/scoring/cosine.js';
import { cohortFileBytes, directions, model } from './cohorts.js';
import { near } from './seeded-scores.js';

const invalid = (message: RegExp): { code: string; message: RegExp } => ({ code: 'model_invalid', message });

void t.test('what was written is read: every direction, its hash and its size', async (t) => {
  const bytes = cohortFileBytes(20);
  const cohort = parseCohort(bytes, model);
  t.equal(cohort.size, 20);
  t.equal(cohort.dimension, 8);
  t.equal(cohort.sha256, createHash('sha256').update(bytes).digest('hex'));
  directions(20).forEach((direction, row) => {
    const read = cohort.vectors.slice(row * 8, row * 8 + 8);
    t.ok(cosine(direction, read) > 1 - 1e-6);
    t.ok(Math.abs(Math.hypot(...read) - 1) < 1e-6, 'of unit length again after rounding');
  });
});

void t.test('the file is safetensors: a length, a JSON header, float16 rows', async (t) => {
  const bytes = cohortFileBytes(20);
  const headBytes = Number(bytes.readBigUInt64LE());
  t.equal(headBytes % 8, 0);
  const header = JSON.parse(bytes.toString('utf8', 8, 8 + headBytes)) as { vectors: object };
  t.same(header.vectors, { dtype: 'F16', shape: [20, 8], data_offsets: [0, 320] });
  t.equal(bytes.length, 8 + headBytes + 320);
});

void t.test('no speaker is named in it, only hashed', async (t) => {
  const text = cohortFileBytes(3).toString('latin1');
  t.notMatch(text, /speaker 1/);
  t.match(text, new RegExp(speakerHash('speaker 1')));
  t.match(speakerHash('speaker 1'), /^[0-9a-f]{16}$/);
});

void t.test('a cohort of other weights, another model or another dimension is refused', async (t) => {
  const bytes = cohortFileBytes();
  t.throws(() => parseCohort(bytes, { ...model, sha256: 'b'.repeat(64) }), invalid(/was made by/));
  t.throws(() => parseCohort(bytes, { ...model, id: 'other' }), invalid(/was made by/));
  t.throws(() => parseCohort(bytes, { ...model, dimension: 16 }), invalid(/8 values, the card says 16/));
});

void t.test('what is no cohort is refused, wherever it is cut', async (t) => {
  const bytes = cohortFileBytes();
  for (let end = 0; end < bytes.length; end += 7)
    t.throws(() => parseCohort(bytes.subarray(0, end), model), invalid(/./));
  t.throws(() => parseCohort(Buffer.concat([bytes, Buffer.alloc(2)]), model), invalid(/bytes for 20 vectors/));
  t.throws(() => parseCohort(Buffer.alloc(400, 0xff), model), invalid(/cut short/));
  const silent = cohortBytes(
    [...directions(2), new Float32Array(8)].map((vector) => ({ speaker: 's', vector })),
    model,
  );
  t.throws(() => parseCohort(silent, model), invalid(/a vector of length 0 at row 2/));
});

void t.test('a file is read wherever its bytes lie in memory; a missing one is refused', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'voicegate-cohort-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const path = join(folder, 'cohort.safetensors');
  await t.rejects(loadCohort(path, model), invalid(/cannot be read/));
  const bytes = cohortFileBytes();
  await writeFile(path, bytes);
  t.same(await loadCohort(path, model), parseCohort(Buffer.concat([Buffer.alloc(1), bytes]).subarray(1), model));
});

void t.test('a centre is taken off every row, and off what is compared with them', async (t) => {
  const rows = directions(20);
  const centre = Float32Array.from({ length: model.dimension }, (_, i) => (i === 0 ? 0.5 : 0));
  const entries = rows.map((vector, i) => ({ speaker: `speaker ${i}`, vector }));
  const cohort = parseCohort(cohortBytes(entries, model, centre), model);
  t.same(cohort.centre, centre);
  const [row = new Float32Array()] = rows;
  const moved = centred(row, centre);
  for (let i = 0; i < model.dimension; i++) near(t, cohort.vectors[i] ?? 9, moved[i] ?? -9, 1e-3);
  near(t, (moved[0] ?? 9) / (moved[1] ?? 9), ((row[0] ?? 9) - 0.5) / (row[1] ?? 9), 1e-4);
  t.same(centred(row, null), unit(row));
  t.throws(() => centred(row, new Float32Array(3)), RangeError);
  const long = cohortBytes(
    entries,
    model,
    centre.map((value) => 3 * value),
  );
  t.throws(() => parseCohort(long, model), invalid(/not shorter than 1/));
  t.throws(
    () => parseCohort(cohortBytes(entries, model, centre).subarray(0, -1), model),
    invalid(/bytes for 20 vectors/),
  );
});
