import { request as httpRequest, Agent } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import t from 'tap';
import { recording } from '../service/harness.js';
import { openHttp } from './harness.js';

const http = await openHttp(t);
const { call } = http;
const ivr = await http.key(['verifier']);
const desk = await http.key(['enroller']);
const good = { accountId: 'h-1', challengeId: `chl_${'0'.repeat(32)}`, tier: 'low' };

/** Sends bytes as they are; what comes back until the server closes. */
async function raw(bytes: string): Promise<string> {
  const { port } = http.app.server.address() as AddressInfo;
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
    let text = '';
    socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
    socket.on('close', () => resolve(text));
    socket.on('error', reject);
  });
}

void t.test('a body of a type that a route does not know is a 415, never taken unchecked', async (t) => {
  for (const type of ['text/plain', 'audio/wav', 'application/octet-stream', 'text/xml']) {
    const answer = await http.app.inject({
      method: 'POST',
      url: '/v1/verifications',
      payload: 'x',
      headers: { 'content-type': type, authorization: `Bearer ${ivr}` },
    });
    t.equal(answer.statusCode, 415, type);
    t.match(answer.json(), { code: 'audio_format_unsupported' }, type);
  }
  const upper = await call(ivr, 'POST', '/v1/verifications', '{}', { 'content-type': 'Application/JSON' });
  t.match(upper, { status: 400, body: { code: 'invalid_request' } });
});

void t.test('base64 is looked at in one pass: white space in great amounts costs nothing', async (t) => {
  const table: [string, number][] = [
    [`A${' '.repeat(180_000)}!`, 400],
    [`A${'='.repeat(180_000)}B`, 400],
    ['Q=Q=', 400],
    [`${recording({ voice: 1 }).bytes.toString()}`, 400],
    [
      Buffer.from(recording({ voice: 1 }).bytes)
        .toString('base64')
        .replace(/(.{8})/g, '$1\r\n'),
      200,
    ],
  ];
  for (const [content, status] of table) {
    const answer = await call(ivr, 'POST', '/v1/verifications', { ...good, audio: { content } });
    t.equal(answer.status, status, content.slice(0, 20));
  }
});

void t.test('an address that cannot be decoded is a problem too, and is not echoed', async (t) => {
  const answer = await http.app.inject({
    url: '/v1/accounts/secret-id%zz',
    headers: { authorization: `Bearer ${desk}` },
  });
  t.equal(answer.statusCode, 400);
  t.match(answer.headers['content-type'], 'application/problem+json');
  t.notMatch(answer.body, 'secret-id');
});

void t.test('what is no request that a route could see is answered with a problem', async (t) => {
  await http.app.listen({ port: 0, host: '127.0.0.1' });
  t.match(await raw('GARBAGE\r\n\r\n'), /^HTTP\/1\.1 400 [^]*application\/problem\+json[^]*invalid_request/);
  t.match(
    await raw(`GET / HTTP/1.1\r\nhost: x\r\nx: ${'a'.repeat(20_000)}\r\n\r\n`),
    /^HTTP\/1\.1 431 [^]*"status":431/,
  );
});

void t.test('the API page tells errors, keys and recordings', async (t) => {
  const { body: page } = await call(null, 'GET', '/openapi.json');
  const { paths } = page as { paths: Record<string, Record<string, any>> };
  for (const [path, methods] of Object.entries(paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      t.ok(operation.responses.default.content['application/problem+json'].schema.$ref, `${method} ${path}`);
      // Who signs in or out has no session yet, or may have none any more.
      const isOpen = !path.startsWith('/v1/') || (path === '/v1/session' && method !== 'get');
      t.same(operation.security, isOpen ? [] : undefined, `${method} ${path}`);
    }
  }
  const { content } = paths['/v1/enrolments/{enrolmentId}/utterances']?.post.requestBody;
  t.same(Object.keys(content), ['application/json', 'multipart/form-data', 'audio/*']);
  t.match(content['multipart/form-data'].schema.properties.audio, { type: 'string', format: 'binary' });
  t.ok(page.components.schemas.Problem);
});

void t.test(
  'a stopping server finishes what it took, refuses the next and does not wait for idle callers',
  async (t) => {
    const { port } = http.app.server.address() as AddressInfo;
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    t.teardown(() => agent.destroy());
    const get = (): Promise<{ status: number | undefined; connection: string | undefined }> =>
      new Promise((resolve, reject) => {
        httpRequest({ port, path: '/readyz', agent }, (answer) => {
          answer
            .resume()
            .on('end', () => resolve({ status: answer.statusCode, connection: answer.headers.connection }));
        })
          .on('error', reject)
          .end();
      });
    t.match(await get(), { status: 200, connection: 'keep-alive' });
    let taken = (): void => undefined;
    let go = (): void => undefined;
    const waiting = new Promise<void>((resolve) => (taken = resolve));
    const held = new Promise<void>((resolve) => (go = resolve));
    const ping = http.context.store.ping.bind(http.context.store);
    http.context.store.ping = async () => {
      taken();
      await held;
    };
    const slow = get();
    await waiting;
    const closed = http.app.close();
    await new Promise(setImmediate);
    go();
    t.match(await slow, { status: 200, connection: 'close' });
    await closed;
    http.context.store.ping = ping;
  },
);
