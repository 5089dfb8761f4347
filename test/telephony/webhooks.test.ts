import dns from 'node:dns';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { syncBuiltinESMExports } from 'node:module';
import { createServer as createTcpServer, type AddressInfo } from 'node:net';
import t, { type Test } from 'tap';
import type { StreamEvent } from '../../src/service/stream-events.js';
import { checkEventAddress, guardedLookup, isPublicAddress } from '../../src/telephony/event-addresses.js';
import { WebhookSender } from '../../src/telephony/webhooks.js';
import { until } from '../until.js';

t.setTimeout(60_000);
const publicAddress = '93.184.216.34';

/** Answers of the name service in the order of the questions; the last one stays. */
function nameService(t: Test, ...answers: readonly (readonly string[])[]): { asked: number } {
  const before = dns.lookup;
  const state = { asked: 0 };
  const lookup = (_name: string, _options: unknown, callback: (fault: null, found: dns.LookupAddress[]) => void) => {
    const found = answers[Math.min(state.asked++, answers.length - 1)] ?? [];
    callback(
      null,
      found.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    );
  };
  dns.lookup = lookup as unknown as typeof dns.lookup;
  syncBuiltinESMExports();
  t.teardown(() => {
    dns.lookup = before;
    syncBuiltinESMExports();
  });
  return state;
}

/** A desktop that answers deliveries with these statuses, the last one for ever. */
async function desktop(t: Test, statuses: readonly number[]) {
  const got: { readonly event: string; readonly id: string; readonly signature: string }[] = [];
  let next = 0;
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      const { event, id } = JSON.parse(body) as { event: string; id: string };
      got.push({ event, id, signature: String(request.headers['voicegate-signature']) });
      const status = statuses[Math.min(next++, statuses.length - 1)] ?? 204;
      response.writeHead(status, status === 302 ? { location: '/elsewhere' } : {}).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => void server.close());
  const { port } = server.address() as AddressInfo;
  return { got, url: `http://127.0.0.1:${port}/events`, host: `127.0.0.1:${port}` };
}

/** A sender that hardly waits, and what it could not deliver. */
function sender(t: Test, allowed: readonly string[], retryAfterMs: readonly number[] = [1, 1, 1]) {
  const faults: { readonly streamId: string; readonly message: string }[] = [];
  const webhooks = new WebhookSender({
    secretOf: (streamId) => `secret of ${streamId}`,
    addresses: { allowed },
    onFault: (streamId, fault) => faults.push({ streamId, message: (fault as Error).message }),
    retryAfterMs,
  });
  t.teardown(() => webhooks.close());
  return { webhooks, faults };
}
const event = (id: number, name: string): StreamEvent => ({ id, name, data: { type: name } });

void t.test('A name that resolves to a private address at the time of delivery is not connected to', async (t) => {
  let connections = 0;
  const inside = createTcpServer((socket) => {
    connections++;
    socket.destroy();
  });
  await new Promise<void>((resolve) => inside.listen(0, '127.0.0.1', resolve));
  t.teardown(() => void inside.close());
  const url = `https://rebound.example:${(inside.address() as AddressInfo).port}/events`;
  t.doesNotThrow(() => checkEventAddress({ allowed: [] }, url), 'nothing in the address gives it away');
  for (const address of ['127.0.0.1', '10.0.0.8', '169.254.169.254', '::1', '::ffff:127.0.0.1', 'fd00::1']) {
    const names = nameService(t, [address]);
    const { webhooks, faults } = sender(t, []);
    webhooks.send('stream', url, event(1, 'verdict'));
    await until(() => faults.length > 0);
    t.match(faults, [{ streamId: 'stream', message: /private address/ }], address);
    t.equal(names.asked, 4, 'looked up anew for each try');
  }
  t.equal(connections, 0);
});

void t.test('Of the addresses of a name only the public ones are left; an allowed host keeps all', async (t) => {
  nameService(t, ['127.0.0.1', publicAddress, 'fe80::1']);
  const found = (allowed: readonly string[], all: boolean) =>
    new Promise((resolve, reject) =>
      guardedLookup({ allowed }, new URL('https://mixed.example/'))('mixed.example', { all }, (fault, address) =>
        fault === null ? resolve(address) : reject(fault),
      ),
    );
  t.same(await found([], true), [{ address: publicAddress, family: 4 }]);
  t.equal(await found([], false), publicAddress);
  t.equal(await found(['mixed.example'], false), '127.0.0.1');
});

void t.test('Addresses of no place on the public internet are known as such', async (t) => {
  for (const address of [
    '0.0.0.0',
    '100.64.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '198.18.0.1',
    '224.0.0.1',
    '255.255.255.255',
  ]) {
    t.notOk(isPublicAddress(address), address);
  }
  for (const address of [
    '::',
    '::1',
    '64:ff9b::7f00:1',
    '2002:7f00:1::',
    'fc00::1',
    'ff02::1',
    'fe80::1%eth0',
    '::ffff:127.0.0.1',
    '::ffff:7f00:1',
    `::ffff:${publicAddress}`,
    'nonsense',
  ]) {
    t.notOk(isPublicAddress(address), address);
  }
  for (const address of [publicAddress, '172.32.0.1', '1.1.1.1', '223.255.255.255', '2606:2800:220:1::1']) {
    t.ok(isPublicAddress(address), address);
  }
});

void t.test(
  'A refused delivery is tried again, the same event with a signature of its time, before the next',
  async (t) => {
    const { got, url, host } = await desktop(t, [503, 302, 500, 204]);
    const { webhooks, faults } = sender(t, [host]);
    webhooks.send('stream', url, event(1, 'interim'));
    webhooks.send('stream', url, event(2, 'verdict'));
    await until(() => got.length === 5);
    t.same(
      got.map(({ id }) => id),
      ['stream:1', 'stream:1', 'stream:1', 'stream:1', 'stream:2'],
    );
    t.match(got[0]?.signature, /^t=\d+,v1=[0-9a-f]{64}$/);
    t.same(faults, []);
  },
);

void t.test('After the last try a delivery is given up, told of, and the next goes out', async (t) => {
  const { got, url, host } = await desktop(t, [500, 500, 500, 500, 204]);
  const { webhooks, faults } = sender(t, [host]);
  webhooks.send('stream', url, event(1, 'verdict'));
  webhooks.send('stream', url, event(2, 'closed'));
  await until(() => got.length === 5);
  t.same(
    got.map(({ event: name }) => name),
    ['verdict', 'verdict', 'verdict', 'verdict', 'closed'],
  );
  await until(() => faults.length === 1);
  t.match(faults, [{ streamId: 'stream', message: /answered 500/ }]);
});

void t.test('Calls do not wait for each other’s desktops', async (t) => {
  const broken = await desktop(t, [500]);
  const working = await desktop(t, [204]);
  const { webhooks } = sender(t, [broken.host, working.host], [60_000]);
  webhooks.send('one', broken.url, event(1, 'verdict'));
  await until(() => broken.got.length === 1);
  webhooks.send('other', working.url, event(1, 'verdict'));
  await until(() => working.got.length === 1);
  t.equal(broken.got.length, 1, 'and the broken one waits for its next try');
});

void t.test(
  'What waits for a desktop that is away is bounded: old interim results give way, the verdict stays',
  async (t) => {
    const { got, url, host } = await desktop(t, [503, 204]);
    const { webhooks } = sender(t, [host], [200]);
    for (let id = 1; id <= 80; id++) webhooks.send('stream', url, event(id, id === 5 ? 'verdict' : 'interim'));
    webhooks.send('stream', url, event(81, 'closed'));
    await until(() => got.at(-1)?.event === 'closed');
    t.equal(got.length, 51, '50 that waited, the first of them twice');
    t.ok(got.some(({ event: name }) => name === 'verdict'));
    t.same(
      got.slice(0, 2).map(({ id }) => id),
      ['stream:1', 'stream:1'],
    );
  },
);

void t.test('A host that takes the request and does not answer is let go', async (t) => {
  const slow = createTcpServer((socket) => {
    socket.write('HTTP/1.1 2');
    const drip = setInterval(() => socket.write('0'), 500);
    socket.on('close', () => clearInterval(drip)).on('error', () => undefined);
  });
  await new Promise<void>((resolve) => slow.listen(0, '127.0.0.1', resolve));
  t.teardown(() => void slow.close());
  const host = `127.0.0.1:${(slow.address() as AddressInfo).port}`;
  const { webhooks, faults } = sender(t, [host], []);
  webhooks.send('stream', `http://${host}/`, event(1, 'verdict'));
  await until(() => faults.length === 1);
  t.equal(faults.length, 1);
});

void t.test('A closed sender sends nothing more and holds nothing', async (t) => {
  const { got, url, host } = await desktop(t, [500]);
  const { webhooks, faults } = sender(t, [host], [20]);
  webhooks.send('stream', url, event(1, 'verdict'));
  await until(() => got.length === 1);
  webhooks.close();
  webhooks.send('stream', url, event(2, 'closed'));
  await new Promise((resolve) => setTimeout(resolve, 100));
  t.equal(got.length, 1);
  t.same(faults, []);
});
