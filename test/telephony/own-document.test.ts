import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Ajv } from 'ajv';
import formats from 'ajv-formats';
import t from 'tap';
import { createApiKey } from '../../src/service/api-keys.js';
import { roles } from '../../src/service/ports.js';
import { clientMessages, serverMessages } from '../../src/telephony/own-messages.js';
import { callerCall } from '../audio/made-call.js';
import { goodPin } from '../service/harness.js';
import { enrolCaller, openServed } from './harness.js';
import { hello, OwnClient, seenTypes } from './own-client.js';

t.setTimeout(240_000);
const served = await openServed(t);
const { api, base, context, full } = served;
const own = await callerCall('zh-f4', ['verify-1', 'verify-2', 'verify-3', 'verify-4', 'enrol-4', 'enrol-5']);
const document = (await (await fetch(`${base}/docs/asyncapi.json`)).json()) as Record<string, any>;

void t.test('The document is AsyncAPI 3, by the schema of its authors', async (t) => {
  const schemaPath = createRequire(import.meta.url).resolve('@asyncapi/specs/schemas/3.0.0-without-$id.json');
  const ajv = new Ajv({ strict: false, allErrors: true });
  formats.default(ajv);
  const isValid = ajv.compile(JSON.parse(readFileSync(schemaPath, 'utf8')) as object);
  t.ok(isValid(document), JSON.stringify(isValid.errors?.slice(0, 3)));
  const broken = { ...document, operations: { hear: { action: 'shout' } } };
  t.notOk(isValid(broken), 'and it would find a fault');
});

void t.test('Every reference leads somewhere, and every message of the door is there', async (t) => {
  const refs = [...JSON.stringify(document).matchAll(/"\$ref":"#\/([^"]+)"/g)].map(([, path]) => path ?? '');
  t.ok(refs.length > 20);
  for (const path of refs) {
    let at: unknown = document;
    for (const key of path.split('/')) at = (at as Record<string, unknown> | undefined)?.[key];
    t.type(at, 'object', path);
  }
  const payloadsOf = (operation: string) =>
    (document.operations[operation].messages as { $ref: string }[]).map(
      ({ $ref }) => document.components.messages[$ref.split('/').at(-1) ?? ''] as { name: string; payload: object },
    );
  const plain = (schemas: object) => JSON.parse(JSON.stringify(schemas)) as Record<string, object>;
  const heard = payloadsOf('hear');
  t.same(
    Object.fromEntries(heard.filter(({ name }) => name !== 'audio').map(({ name, payload }) => [name, payload])),
    plain(clientMessages),
  );
  t.ok(heard.some(({ name }) => name === 'audio'));
  t.same(Object.fromEntries(payloadsOf('tell').map(({ name, payload }) => [name, payload])), plain(serverMessages));
  t.match(document.servers.here, { host: new URL(base).host, protocol: 'ws' });
});

void t.test('The page for people names every message and every field, and runs nothing', async (t) => {
  const response = await fetch(`${base}/docs/calls`);
  t.match(response.headers.get('content-type'), /text\/html/);
  t.match(response.headers.get('content-security-policy'), /default-src 'none'/);
  const page = await response.text();
  for (const [type, schema] of [...Object.entries(clientMessages), ...Object.entries(serverMessages)]) {
    t.ok(page.includes(`<h3>${type}</h3>`), type);
    for (const field of Object.keys(schema.properties))
      t.ok(page.includes(`<code>${field}</code>`), `${type}.${field}`);
  }
  t.notMatch(page, /<script|undefined|\[object/);
});

void t.test('All that the door really sends is as the document says, to full and to opaque keys', async (t) => {
  await enrolCaller(served, 'caller', 'zh-f4');
  const opaque = (await createApiKey(context, full, { label: 'app', roles, answer: 'opaque' })).apiKey;
  const registered = async (body: object, apiKey: string | null = null) => {
    if (apiKey === null) return (await api('POST', '/v1/streams', body)).body;
    const response = await fetch(`${base}/v1/streams`, {
      method: 'POST',
      headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    return (await response.json()) as Record<string, any>;
  };
  // The client fails on a message that is not as the document says.
  const heard = async (url: string, samples = own) => {
    const client = new OwnClient(url);
    await client.say(hello);
    await client.until('hello');
    client.hear(samples);
    await client.say({ type: 'end' });
    await client.gone;
    return client;
  };
  const passive = { mode: 'passive', accountId: 'caller', pin: goodPin };
  for (const apiKey of [null, opaque]) {
    const { url } = await registered(passive, apiKey);
    const client = await heard(url as string);
    t.ok(client.messages.find(({ type }) => type === 'verdict'));
    t.ok(client.messages.find(({ type }) => type === 'interim'));
    await heard((await registered(passive, apiKey)).url as string, new Float32Array(16_000));
  }
  const active = await registered({ mode: 'active', accountId: 'caller', pin: goodPin });
  await heard(active.url as string);
  const { enrolmentId } = (await api('POST', '/v1/accounts/caller/enrolments', { pin: goodPin, language: 'zh' })).body;
  const enrolment = await registered({ mode: 'enrolment', enrolmentId });
  const made = await heard(enrolment.url as string);
  t.ok(made.messages.find(({ type }) => type === 'enrolled'));
  const refused = new OwnClient(`${base.replace('http', 'ws')}/v1/streams?token=none`);
  await refused.say(hello);
  t.equal(await refused.gone, 4404);
  t.same([...seenTypes].sort(), Object.keys(serverMessages).sort(), 'and every message was seen');
});
