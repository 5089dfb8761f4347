import { createHmac, createPublicKey, hkdfSync } from 'node:crypto';
import t from 'tap';
import { canonicalJson } from '../../src/audit/canonical-json.js';
import { parseHead, signHead, verifyHead } from '../../src/audit/head.js';
import { deriveAuditKeys, headPublicKeyPem } from '../../src/audit/keys.js';
import { pseudonym } from '../../src/audit/pseudonym.js';
import { firstSeal, sealEntry } from '../../src/audit/seal.js';

const secret = new Uint8Array(32).fill(3);
const keys = deriveAuditKeys(secret);
const by = { apiKeyId: null, agentId: null };

void t.test(
  'canonical JSON sorts keys at every depth, drops what is absent and refuses what JSON cannot carry',
  async (t) => {
    t.equal(canonicalJson({ b: [1, { z: null, a: 'ü' }], a: -0, c: undefined }), '{"a":0,"b":[1,{"a":"ü","z":null}]}');
    t.equal(canonicalJson({ b: 1, a: 2 }), canonicalJson({ a: 2, b: 1 }));
    t.equal(canonicalJson('"\u0000\ud800'), '"\\"\\u0000\\ud800"');
    for (const value of [NaN, Infinity, new Date(0), 1n, () => 1, [undefined], new Map()]) {
      t.throws(() => canonicalJson(value), TypeError);
    }
  },
);

void t.test('a seal is the HMAC of the documented text, so that a second program can check it', async (t) => {
  const at = new Date('2026-11-22T10:00:00.123Z');
  const entry = sealEntry(keys, 'north', firstSeal, 1, at, { by, kind: 'policy_stored', version: 1 });
  const sealKey = Buffer.from(hkdfSync('sha256', secret, '', 'voicegate audit seal v1', 32));
  const text =
    '{"at":"2026-11-22T10:00:00.123Z","event":{"by":{"agentId":null,"apiKeyId":null},"kind":"policy_stored","version":1},' +
    `"format":1,"previousSeal":"${'0'.repeat(64)}","seq":1,"tenantId":"north"}`;
  t.equal(entry.seal, createHmac('sha256', sealKey).update(text).digest('hex'));
  t.throws(() => sealEntry(keys, 'north', firstSeal, 0, at, entry.event), RangeError);
});

void t.test('an auditor checks a saved head with the public key alone', async (t) => {
  const entry = { seq: 7, seal: 'ab'.repeat(32), at: new Date('2026-11-22T10:00:00Z') };
  const saved = JSON.stringify(signHead(keys, 'north', entry));
  const publicKey = createPublicKey(headPublicKeyPem(keys));
  const head = parseHead(saved);
  t.ok(verifyHead(head, publicKey));
  t.ok(verifyHead(head, headPublicKeyPem(keys)));
  t.notOk(verifyHead({ ...head, at: new Date('2026-11-22T10:00:01Z') }, publicKey));
  t.notOk(verifyHead({ ...head, signature: '' }, publicKey));
  t.notOk(verifyHead(head, deriveAuditKeys(new Uint8Array(32).fill(4)).headPublicKey));
});

void t.test('what is no head is refused with its reason', async (t) => {
  const good = { tenantId: 'n', seq: 1, seal: 'ab'.repeat(32), at: '2026-11-22T10:00:00Z', signature: 'x' };
  t.equal(parseHead(JSON.stringify(good)).seq, 1);
  const bad: [string, RegExp][] = [
    ['{', /not JSON/],
    ['null', /not an object/],
    ...['tenantId', 'seq', 'seal', 'at', 'signature'].map((field): [string, RegExp] => {
      const reason = field === 'at' ? /no time/ : new RegExp(field);
      return [JSON.stringify({ ...good, [field]: field === 'seq' ? 0 : null }), reason];
    }),
  ];
  for (const [text, message] of bad) t.throws(() => parseHead(text), { code: 'invalid_request', message });
});

void t.test('a short audit key is refused', async (t) => {
  t.throws(() => deriveAuditKeys(new Uint8Array(31)), { code: 'configuration_invalid' });
});

void t.test('a pseudonym depends on the account and on its key', async (t) => {
  const key = new Uint8Array(32).fill(5);
  t.match(pseudonym(key, 'a'), /^[0-9a-f]{64}$/);
  t.equal(pseudonym(key, 'a'), pseudonym(key, 'a'));
  t.not(pseudonym(key, 'a'), pseudonym(key, 'b'));
  t.not(pseudonym(key, 'a'), pseudonym(new Uint8Array(32).fill(6), 'a'));
});
