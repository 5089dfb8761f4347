import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { download, type DownloadOrder } from '../../src/models/download.js';
import { client, serve, startFileServer } from './file-server.js';
import type { Tap } from '../embedding/cards.js';

const bytes = randomBytes(300_000);
const sha256 = createHash('sha256').update(bytes).digest('hex');
const server = await startFileServer(t, serve(bytes));

/** An order in a folder of its own, with what it told of its progress. */
function order(t: Tap, changes: Partial<DownloadOrder> = {}) {
  const dir = mkdtempSync(join(tmpdir(), 'voicegate-download-'));
  t.teardown(() => rmSync(dir, { recursive: true }));
  const told: { started: [number, number | null][]; done: number[] } = { started: [], done: [] };
  server.ranges.length = 0;
  client.has = 0;
  const made: DownloadOrder = {
    url: server.url,
    allowHttp: false,
    path: join(dir, 'file.onnx'),
    sha256,
    bytes: null,
    mostBytes: 1_000_000,
    stallMs: 5000,
    onStart: (already, total) => void told.started.push([already, total]),
    onBytes: (done) => void told.done.push((client.has = done)),
    ...changes,
  };
  return { ...made, dir, told };
}

const leftIn = (dir: string): string[] => readdirSync(dir).sort();

void t.test('a file is fetched, its progress told, its hash checked', async (t) => {
  server.behave(serve(bytes));
  const one = order(t, { bytes: bytes.length });
  await download(one);
  t.ok(readFileSync(one.path).equals(bytes));
  t.same(one.told.started, [[0, bytes.length]]);
  t.equal(one.told.done.at(-1), bytes.length);
  t.same(one.told.done, [...one.told.done].sort((a, b) => a - b));
});

void t.test('a cut download is gone on with where it was cut, as often as needed', async (t) => {
  server.behave(serve(bytes, { cutAfter: 100_000 }), serve(bytes, { cutAfter: 50_000 }), serve(bytes));
  const one = order(t);
  for (const have of [100_000, 150_000]) {
    await t.rejects(download(one), { code: 'download_failed', message: `the connection was cut after ${have} of 300000 bytes`, hint: /goes on/ });
    t.equal(statSync(one.path).size, have);
  }
  await download(one);
  t.ok(readFileSync(one.path).equals(bytes));
  t.same(server.ranges, [null, 'bytes=100000-', 'bytes=150000-']);
  t.same(one.told.started, [[0, 300_000], [100_000, 300_000], [150_000, 300_000]]);
});

void t.test('a date in place of an ETag is good for going on; with neither, or a weak one, it begins anew', async (t) => {
  const lastModified = 'Wed, 04 Nov 2026 10:00:00 GMT';
  for (const [options, second] of [
    [{ etag: null, lastModified }, 'bytes=100000-'],
    [{ etag: 'W/"1"', lastModified }, 'bytes=100000-'],
    [{ etag: null }, null],
    [{ etag: 'W/"1"' }, null],
  ] as const) {
    server.behave(serve(bytes, { ...options, cutAfter: 100_000 }), serve(bytes, options));
    const one = order(t);
    await t.rejects(download(one), { code: 'download_failed' });
    await download(one);
    t.same(server.ranges, [null, second], JSON.stringify(options));
    t.ok(readFileSync(one.path).equals(bytes));
  }
});

void t.test('a server that ignores Range, or whose file has changed since, is read from the begin', async (t) => {
  const older = randomBytes(300_000);
  for (const [first, second] of [
    [serve(bytes, { cutAfter: 100_000 }), serve(bytes, { ranges: false })],
    [serve(older, { cutAfter: 100_000 }), serve(bytes)],
  ] as const) {
    server.behave(first, second);
    const one = order(t);
    await t.rejects(download(one), { code: 'download_failed' });
    await download(one);
    t.same(server.ranges, [null, 'bytes=100000-']);
    t.same(one.told.started.at(-1), [0, 300_000]);
    t.ok(readFileSync(one.path).equals(bytes));
  }
});

void t.test('a download that was killed when all was there needs no byte more; a part of another file is thrown away', async (t) => {
  server.behave(serve(bytes));
  for (const [part, requests] of [
    [bytes, ['bytes=300000-']],
    [randomBytes(300_000), ['bytes=300000-', null]],
  ] as const) {
    const one = order(t);
    writeFileSync(one.path, part);
    writeFileSync(`${one.path}.json`, JSON.stringify({ validator: `"${sha256}"` }));
    await download(one);
    t.same(server.ranges, requests);
    t.ok(readFileSync(one.path).equals(bytes));
  }
});

void t.test('a part without its note, or with a spoiled one, is begun anew', async (t) => {
  server.behave(serve(bytes));
  for (const note of [null, '{', '[]', '{"validator":7}']) {
    const one = order(t);
    writeFileSync(one.path, 'something');
    if (note !== null) writeFileSync(`${one.path}.json`, note);
    await download(one);
    t.same(server.ranges, [null], String(note));
  }
});

void t.test('another file than the one wanted is not kept, and its hash is told', async (t) => {
  const other = randomBytes(300_000);
  server.behave(serve(other));
  const one = order(t);
  const found = createHash('sha256').update(other).digest('hex');
  await t.rejects(download(one), { code: 'model_invalid', message: new RegExp(`is ${found}, expected ${sha256}`) });
  t.same(leftIn(one.dir), []);
});

void t.test('without a Content-Length the size that is wanted tells that an answer was cut', async (t) => {
  server.behave(serve(bytes.subarray(0, 100_000), { chunked: true }));
  const one = order(t, { bytes: bytes.length });
  await t.rejects(download(one), { code: 'download_failed', message: 'the connection was cut after 100000 of 300000 bytes' });
  t.equal(statSync(one.path).size, 100_000, 'what arrived is kept');
});

void t.test('a part that was spoiled is noticed at the end', async (t) => {
  server.behave(serve(bytes, { cutAfter: 100_000 }), serve(bytes));
  const one = order(t);
  await t.rejects(download(one), { code: 'download_failed' });
  writeFileSync(one.path, randomBytes(100_000));
  await t.rejects(download(one), { code: 'model_invalid', message: /sha256/ });
  t.same(leftIn(one.dir), [], 'so that the next try begins anew');
});

void t.test('a file of another size than wanted, or larger than is taken, is not read', async (t) => {
  server.behave(serve(bytes));
  await t.rejects(download(order(t, { bytes: 200_000 })), { code: 'download_failed', message: /300000 bytes, the catalogue says 200000/ });
  await t.rejects(download(order(t, { mostBytes: 200_000 })), { code: 'download_failed', message: /more than 200000 are not taken/ });
  server.behave(serve(bytes, { chunked: true }));
  const endless = order(t, { mostBytes: 200_000 });
  await t.rejects(download(endless), { code: 'download_failed', message: /sends more than 200000 bytes/ });
  t.same(leftIn(endless.dir), []);
  const chunked = order(t);
  await download(chunked);
  t.same(chunked.told.started, [[0, null]]);
});

void t.test('a server that falls silent is given up; what arrived is kept', async (t) => {
  server.behave((_, response) => {
    response.writeHead(200, { 'content-length': bytes.length, etag: '"1"' });
    response.write(bytes.subarray(0, 1000));
  });
  const one = order(t, { stallMs: 300 });
  await t.rejects(download(one), { code: 'download_failed', message: /127\.0\.0\.1:\d+ sent nothing for 0\.3 s/, hint: /goes on/ });
  t.equal(statSync(one.path).size, 1000);
  server.behave(() => undefined);
  await t.rejects(download(order(t, { stallMs: 300 })), { message: /sent nothing/ }, 'nor does it wait for an answer for ever');
});

void t.test('a slow server is waited for as long as something comes', async (t) => {
  server.behave((_, response) => {
    response.writeHead(200, { 'content-length': bytes.length, etag: '"1"' });
    let sent = 0;
    const timer = setInterval(() => {
      response.write(bytes.subarray(sent, sent + 30_000));
      sent += 30_000;
      if (sent < bytes.length) return;
      clearInterval(timer);
      response.end();
    }, 100);
  });
  const one = order(t, { stallMs: 600 });
  await download(one);
  t.ok(readFileSync(one.path).equals(bytes), 'a second in all, though 0.6 s of silence would be too long');
});

void t.test('what the server answers is said, without the secret part of the address', async (t) => {
  for (const [status, headers, hint] of [
    [404, {}, /--url/],
    [403, {}, /fetch the file yourself/],
    [503, { 'retry-after': '7' }, /later/],
    [302, {}, /later/],
  ] as const) {
    server.behave((_, response) => void response.writeHead(status, headers).end('no'));
    const fault = await download(order(t)).then(
      () => null,
      (error: unknown) => error as Error & { hint: string; retryAfterSeconds?: number },
    );
    t.match(fault, { code: 'download_failed', message: new RegExp(`models/file\\.onnx answers ${status}`), hint });
    t.notMatch(fault?.message, /secret/);
    if (status === 503) t.equal(fault?.retryAfterSeconds, 7);
  }
  server.behave((_, response) => void response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end('<html>log in'));
  await t.rejects(download(order(t)), { code: 'download_failed', message: /is a page, not a file/ });
  server.behave((_, response) => void response.writeHead(416).end('no'));
  await t.rejects(download(order(t)), { code: 'download_failed', message: /answers 416/ });
  server.behave((_, response) => void response.writeHead(206, { 'content-range': 'bytes 5-9/10' }).end('wrong'));
  await t.rejects(download(order(t)), { code: 'download_failed', message: /goes on elsewhere/ });
});

void t.test('redirects are followed a few times, each address checked', async (t) => {
  const leadTo = (location: string) => serveRedirect(location);
  server.behave(leadTo('/elsewhere'), leadTo(server.url), serve(bytes));
  const one = order(t);
  await download(one);
  t.ok(readFileSync(one.path).equals(bytes));
  server.behave(leadTo('/round'));
  await t.rejects(download(order(t)), { code: 'download_failed', message: /models\/file\.onnx leads on more than 5 times/ });
  t.equal(server.ranges.length, 6);
  server.behave(leadTo('http://192.0.2.1/file.onnx?token=secret'));
  await t.rejects(download(order(t)), { code: 'invalid_request', message: 'the address http://192.0.2.1/file.onnx is not https' });
  server.behave(leadTo('http://[bad'));
  await t.rejects(download(order(t)), { code: 'download_failed', message: /models\/file\.onnx leads on to no address/ });
  server.behave(leadTo('file:///etc/passwd'));
  await t.rejects(download(order(t, { allowHttp: true })), { code: 'invalid_request' });
});

function serveRedirect(location: string): ReturnType<typeof serve> {
  return (_, response) => void response.writeHead(302, { location }).end();
}

void t.test('an address must be https, or this machine’s own', async (t) => {
  for (const [url, message] of [
    ['http://192.0.2.1/file.onnx', /is not https/],
    ['ftp://localhost/file.onnx', /is not https/],
    ['https://me:word@192.0.2.1/file.onnx', /user name or password/],
    ['file.onnx?token=secret', /address file\.onnx is none/],
  ] as const) {
    await t.rejects(download(order(t, { url })), { code: 'invalid_request', message });
  }
});

void t.test('a closed network is told in words', async (t) => {
  const closed = createServer();
  await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve));
  const { port } = closed.address() as { port: number };
  await new Promise((resolve) => closed.close(resolve));
  await t.rejects(download(order(t, { url: `http://127.0.0.1:${port}/f` })), {
    code: 'download_failed',
    message: /127\.0\.0\.1:\d+: nobody listens there, or a firewall refuses \(ECONNREFUSED\)/,
    hint: /fetch the file elsewhere and `voicegate models add FILE`/,
  });
  // .invalid is kept free of hosts (RFC 6761).
  await t.rejects(download(order(t, { url: 'https://models.invalid/f' })), {
    code: 'download_failed',
    message: /models\.invalid: no such host is known here: the network is closed/,
  });
  const { url } = await startFileServer(t, (_, response) => void response.destroy());
  await t.rejects(download(order(t, { url })), { code: 'download_failed', message: /the connection was cut/ });
  await t.rejects(download(order(t, { url: url.replace('http', 'https') })), { code: 'download_failed', message: /127\.0\.0\.1/ });
});

void t.test('a full disk is said, and the part that arrived stays', { skip: existsSync('/dev/full') ? false : 'needs /dev/full' }, async (t) => {
  server.behave(serve(bytes));
  const one = order(t);
  symlinkSync('/dev/full', one.path);
  await t.rejects(download(one), { code: 'download_failed', message: /no room left for .*file\.onnx/, hint: /VOICEGATE_MODELS_DIR/ });
  t.same(leftIn(one.dir), ['file.onnx', 'file.onnx.json']);
});
