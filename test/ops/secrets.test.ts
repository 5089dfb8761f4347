import { chmodSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { keyedHash, loadSecrets, type SecretNotice } from '../../src/ops/secrets.js';
import { temporaryFolder } from '../storage/open-test-store.js';

const load = (dataDir: string, made: SecretNotice[] = [], given: { pin?: string; audit?: string } = {}) =>
  loadSecrets({
    dataDir,
    pinPepperHex: given.pin ?? null,
    auditKeyHex: given.audit ?? null,
    onCreated: (notice) => made.push(notice),
  });

void t.test('secrets are made once, readable by nobody else, and told without their value', async (t) => {
  const dataDir = join(temporaryFolder(t), 'data');
  const made: SecretNotice[] = [];
  const first = await load(dataDir, made);
  t.same(made.map(({ name }) => name).sort(), ['audit-key', 'pin-pepper']);
  t.notMatch(JSON.stringify(made), first.pinPepper.toString('hex'));
  t.equal(statSync(dataDir).mode & 0o777, 0o700);
  for (const name of ['pin-pepper', 'audit-key']) t.equal(statSync(join(dataDir, name)).mode & 0o777, 0o600, name);
  const again = await load(dataDir, made);
  t.equal(made.length, 2, 'nothing new');
  t.same(again, first);
  t.notSame(first.hashKey, first.auditKey, 'the hash key is derived, not the audit key itself');
});

void t.test('starters at the same moment agree on one value and leave no drafts', async (t) => {
  const dataDir = temporaryFolder(t);
  const made: SecretNotice[] = [];
  const all = await Promise.all(Array.from({ length: 8 }, () => load(dataDir, made)));
  t.ok(all.every(({ pinPepper }) => pinPepper.equals(all[0]?.pinPepper ?? Buffer.alloc(0))));
  t.equal(made.length, 2);
  t.same(readdirSync(dataDir).sort(), ['audit-key', 'pin-pepper']);
});

void t.test('a secret that others can read, or that is damaged, is refused by name and never by value', async (t) => {
  const dataDir = temporaryFolder(t);
  await load(dataDir);
  const path = join(dataDir, 'pin-pepper');
  chmodSync(path, 0o640);
  await t.rejects(load(dataDir), { code: 'configuration_invalid', message: /pin-pepper can be read by others/ });
  chmodSync(path, 0o600);
  const cut = readFileSync(path, 'utf8').slice(0, 40);
  writeFileSync(path, cut);
  const fault = (await load(dataDir).catch((error: unknown) => error)) as Error;
  t.match(fault, { code: 'configuration_invalid', message: /64 hex digits/ });
  t.notMatch(fault.message, cut.slice(0, 10));
});

void t.test('secrets from the configuration need no file', async (t) => {
  const dataDir = temporaryFolder(t);
  const { pinPepper, auditKey } = await load(dataDir, [], { pin: 'ab'.repeat(32), audit: 'cd'.repeat(32) });
  t.equal(pinPepper.toString('hex'), 'ab'.repeat(32));
  t.equal(auditKey.toString('hex'), 'cd'.repeat(32));
  t.same(readdirSync(dataDir), []);
});

void t.test('a keyed hash depends on key, purpose and where one part ends', async (t) => {
  const key = Buffer.alloc(32, 1);
  const one = keyedHash(key, 'line', 'a', 'bc');
  t.equal(one.length, 32);
  t.same(keyedHash(key, 'line', 'a', Buffer.from('bc')), one);
  for (const other of [
    keyedHash(key, 'line', 'ab', 'c'),
    keyedHash(key, 'line', 'abc'),
    keyedHash(key, 'opt-out', 'a', 'bc'),
    keyedHash(Buffer.alloc(32, 2), 'line', 'a', 'bc'),
  ]) {
    t.notSame(other, one);
  }
});
