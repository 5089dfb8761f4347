import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { adaptedDir, calibrationDir } from '../../src/scoring/calibration-folder.js';

void t.test('what came with the model judges, unless a version is named', async (t) => {
  const calibrationsDir = mkdtempSync(join(tmpdir(), 'voicegate-calibrations-'));
  t.teardown(() => rmSync(calibrationsDir, { recursive: true }));
  const choice = { calibrationsDir, calibrationVersion: 'v1', modelId: 'active' };
  t.equal(calibrationDir('active', '/models/active', { ...choice, calibrationVersion: null }), '/models/active');
  t.equal(
    calibrationDir('active', '/models/active', choice),
    join(calibrationsDir, 'active', 'v1'),
    'the active model must have it: loading says what is missing',
  );
  t.equal(calibrationDir('second', '/models/second', choice), '/models/second', 'one beside it may do without');
  mkdirSync(adaptedDir(calibrationsDir, 'second', 'v1'), { recursive: true });
  t.equal(calibrationDir('second', '/models/second', choice), join(calibrationsDir, 'second', 'v1'));
});
