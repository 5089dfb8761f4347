import t from 'tap';
import { AudioHookGuard } from '../../src/telephony/audiohook-guard.js';
import { madeWith, readSignature } from '../../src/telephony/http-signature.js';
import { apiKey, components, secret, signedHeaders, type Signing } from './audiohook-client.js';

const at = { authority: 'audiohook.example.com', target: '/api/v1/voicebiometrics/ws' };
const now = 1_700_000_000;
const keys = new Map([
  [apiKey, { secret, tenantId: null }],
  ['other', { secret: Buffer.alloc(32, 5), tenantId: 'other-tenant' }],
]);
/** A guard with its own memory, and why it refused. */
function guarded(time = () => now, refusalMs = 0) {
  const why: string[] = [];
  return { guard: new AudioHookGuard(keys, (reason) => why.push(reason), time, refusalMs), why };
}
const request = (headers: Record<string, string>) => ({
  headers,
  requestTarget: at.target,
  authority: at.authority,
});
const signed = (changes: Partial<Signing> = {}) => request(signedHeaders({ ...at, created: now, ...changes }));

void t.test('The signature of the specification’s own example is right', async (t) => {
  // draft-ietf-httpbis-message-signatures-11, appendices B.1.5 (key) and B.2.5 (request and signature); RFC 9421 has the same in B.1.5 and B.2.5.
  const signature = readSignature({
    requestTarget: '/foo',
    authority: 'example.com',
    headers: {
      date: 'Tue, 20 Apr 2021 02:07:55 GMT',
      'content-type': 'application/json',
      'signature-input': 'sig-b25=("date" "@authority" "content-type");created=1618884473;keyid="test-shared-secret"',
      signature: 'sig-b25=:pxcQw6G3AjtMBQjwo8XzkZf/bws5LelbaMk5rGIGtE8=:',
    },
  });
  const key = Buffer.from(
    'uzvJfB4u3N0Jy4T7NZ75MDVcr8zSTInedJtkgcu46YW4XByzNJjxBdtjUkdJPBtbmHhIDi6pcl8jsasjlTMtDQ==',
    'base64',
  );
  t.match(signature, { keyId: 'test-shared-secret', created: 1_618_884_473, nonce: null });
  t.ok(madeWith(key, signature));
  t.notOk(madeWith(secret, signature));
});

void t.test('The signature of AudioHook’s own example is right', async (t) => {
  // The example of the AudioHook protocol reference, as in its public reference implementation's tests.
  const headers = {
    'audiohook-organization-id': 'd7934305-0972-4844-938e-9060eef73d05',
    'audiohook-session-id': '30b0e395-84d3-4570-ac13-9a62d8f514c0',
    'audiohook-correlation-id': 'e160e428-53e2-487c-977d-96989bf5c99d',
    'x-api-key': apiKey,
    signature: 'sig1=:NZBwyBHRRyRoeLqy1IzOa9VYBuI8TgMFt2GRDkDuJh4=:',
    'signature-input': `sig1=(${components.map((name) => `"${name}"`).join(' ')});keyid="${apiKey}";nonce="VGhpc0lzQVVuaXF1ZU5vbmNl";alg="hmac-sha256";created=1641013200;expires=3282026430`,
  };
  const { guard, why } = guarded(() => 1_641_013_202);
  t.same(await guard.check(request(headers)), { apiKey, tenantId: 'default' });
  t.same(why, []);
});

void t.test(
  'Who signs with a key is let in as its tenant, in any order of components and beside other headers',
  async (t) => {
    const { guard } = guarded();
    t.same(await guard.check(signed()), { apiKey, tenantId: 'default' });
    t.same(await guard.check(signed({ keyId: 'other', secret: Buffer.alloc(32, 5) })), {
      apiKey: 'other',
      tenantId: 'other-tenant',
    });
    t.ok(await guard.check(signed({ covers: [...components].reverse() })));
    for (const created of [now - 13, now - 10, now + 3])
      t.ok(await guard.check(signed({ created })), String(created - now));
  },
);

void t.test('Whoever cannot show it is refused, and the operator is told why', async (t) => {
  const good = signedHeaders({ ...at, created: now });
  const input = String(good['signature-input']);
  const without = (...names: string[]) =>
    request(Object.fromEntries(Object.entries(good).filter(([name]) => !names.includes(name))));
  const cases: [string, ReturnType<typeof request>, RegExp][] = [
    ['nothing', request({}), /not signed/],
    ['no signature input', without('signature-input'), /not signed/],
    ['no signature', without('signature'), /not of its form/],
    ['no API key', without('x-api-key'), /"x-api-key", which is not there/],
    ['another secret', signed({ secret: Buffer.alloc(32) }), /its secret is another/],
    ['an unknown key', signed({ keyId: 'nobody' }), /API key is not known/],
    ['the secret of another key', signed({ keyId: 'other' }), /its secret is another/],
    ['an API key that is not the signature’s', request({ ...good, 'x-api-key': 'other' }), /X-API-KEY is not/],
    ['a header changed', request({ ...good, 'audiohook-session-id': '1' }), /its secret is another/],
    ['another address', { ...request(good), requestTarget: '/elsewhere' }, /its secret is another/],
    ['another host', { ...request(good), authority: 'elsewhere' }, /its secret is another/],
    ['too old', signed({ created: now - 14 }), /too old/],
    ['expired', signed({ created: now - 9, expires: now - 4 }), /too old/],
    ['of the future', signed({ created: now + 4 }), /of the future/],
    ['no time', request({ ...good, 'signature-input': input.replace(/;created=\d+/, '') }), /of no time/],
    [
      'a time that is none',
      request({ ...good, 'signature-input': input.replace(/created=\d+/, 'created=1.5') }),
      /no time/,
    ],
    ['a short nonce', signed({ nonce: 'x'.repeat(21) }), /nonce/],
    ['no nonce', signed({ nonce: null }), /nonce/],
    ['another algorithm', signed({ alg: 'hmac-sha512' }), /not hmac-sha256/],
    ...components.map((name): [string, ReturnType<typeof request>, RegExp] => [
      `${name} not covered`,
      signed({ covers: components.filter((other) => other !== name) }),
      new RegExp(`does not cover ${name}`),
    ]),
    ['a header that is not there', signed({ covers: [...components, 'x-absent'] }), /not there/],
    ['a component that we do not know', signed({ covers: [...components, '@query'] }), /not there/],
    ['a component twice', signed({ covers: [...components, '@authority'] }), /twice/],
    [
      'a component with parameters',
      request({ ...good, 'signature-input': input.replace('"x-api-key"', '"x-api-key";sf') }),
      /plain name/,
    ],
    ['no list', request({ ...good, 'signature-input': 'sig1="x"' }), /not of its form/],
    ['no dictionary', request({ ...good, 'signature-input': 'sig1=(((' }), /structured fields/],
    ['half a signature', request({ ...good, signature: 'sig1=:AAAA:' }), /its secret is another/],
    ['a signature that is no bytes', request({ ...good, signature: 'sig1="AAAA"' }), /not of its form/],
    [
      'a signature of another label',
      request({ ...good, signature: String(good.signature).replace('sig1', 'sig2') }),
      /not of its form/,
    ],
  ];
  for (const [name, one, reason] of cases) {
    const { guard, why } = guarded();
    t.equal(await guard.check(one), null, name);
    t.match(why, [reason], name);
  }
});

void t.test('A signature is taken once, and forgotten when it is too old anyway', async (t) => {
  let time = now;
  const { guard, why } = guarded(() => time);
  const headers = signedHeaders({ ...at, created: now });
  t.ok(await guard.check(request(headers)));
  time += 12;
  t.equal(await guard.check(request(headers)), null);
  t.match(why, [/used before/]);
  t.equal(
    await guard.check(signed({ nonce: /nonce="([^"]+)"/.exec(String(headers['signature-input']))?.[1] ?? '' })),
    null,
  );
  time += 2;
  t.equal(await guard.check(request(headers)), null);
  t.match(why.at(-1), /too old/);
});

void t.test('A refusal takes its time, so that it does not tell how far it came', async (t) => {
  const { guard } = guarded(() => now, 120);
  for (const one of [request({}), signed({ secret: Buffer.alloc(32) })]) {
    const startedAt = performance.now();
    t.equal(await guard.check(one), null);
    t.ok(performance.now() - startedAt >= 120);
  }
});
