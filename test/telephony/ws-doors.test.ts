import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import t, { type Test } from 'tap';
import { WebSocket } from 'ws';
import { defaultWsOptions, openWsDoors, type Peer, type WsDoor, type WsOptions } from '../../src/telephony/ws-doors.js';
import { until } from '../until.js';

t.setTimeout(60_000);

/** A door that keeps what it is told. */
class TestDoor implements WsDoor {
  readonly subprotocols = ['test.v1'];
  readonly peers: Peer[] = [];
  readonly heard: string[] = [];
  gone = 0;
  goneCode = 0;
  refusal: number | null | Error = null;
  broken = false;

  matches(pathname: string): boolean {
    return pathname === '/door';
  }
  async refuses(): Promise<number | null> {
    if (this.refusal instanceof Error) throw this.refusal;
    return this.refusal;
  }
  open(peer: Peer) {
    if (this.broken) throw new Error('the door is broken');
    this.peers.push(peer);
    return {
      onText: (text: string) => void this.heard.push(text),
      onBytes: (bytes: Uint8Array) => void this.heard.push(`${bytes.length} bytes`),
      onGone: (code: number) => {
        this.gone++;
        this.goneCode = code;
      },
    };
  }
}

async function opened(t: Test, options: Partial<WsOptions> = {}) {
  const door = new TestDoor();
  const server = createServer();
  const doors = openWsDoors(server, [door], { ...defaultWsOptions, ...options });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(async () => {
    await doors.close();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { door, doors, port, server };
}

/** A peer below WebSocket libraries: shakes hands, then does as the test says. */
async function rawPeer(t: Test, port: number, extra = ''): Promise<{ socket: Socket; answer: string }> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  t.teardown(() => void socket.destroy());
  socket.write(
    `GET /door HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n` +
      `Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n${extra}\r\n`,
  );
  const answer = await new Promise<string>((resolve) =>
    socket.once('data', (data) => resolve(data.toString('latin1'))),
  );
  return { socket, answer };
}

void t.test('A peer that does not read loses its connection when too much waits for it', async (t) => {
  const { door, doors, port } = await opened(t, { mostUnsentBytes: 100_000 });
  const { socket } = await rawPeer(t, port);
  socket.pause();
  const text = 'x'.repeat(50_000);
  for (let sent = 0; sent < 2000 && door.gone === 0; sent++) {
    door.peers[0]?.send({ text });
    await new Promise((resolve) => setImmediate(resolve));
  }
  t.equal(door.gone, 1);
  t.equal(doors.connections, 0);
});

void t.test('A peer that answers no ping is gone; one that answers, or speaks, stays', async (t) => {
  const { door, doors, port } = await opened(t, { pingMs: 60 });
  await rawPeer(t, port);
  const answering = new WebSocket(`ws://127.0.0.1:${port}/door`, 'test.v1');
  await new Promise((resolve) => answering.on('open', resolve));
  await until(() => door.gone === 1);
  await new Promise((resolve) => setTimeout(resolve, 400));
  t.equal(doors.connections, 1);
  t.equal(answering.readyState, WebSocket.OPEN);
  answering.terminate();
  await until(() => doors.connections === 0);
});

void t.test('A connection that the door itself does not read is not taken for a dead one', async (t) => {
  const { door, port } = await opened(t, { pingMs: 40 });
  const client = new WebSocket(`ws://127.0.0.1:${port}/door`, 'test.v1');
  await new Promise((resolve) => client.on('open', resolve));
  await new Promise((resolve) => setTimeout(resolve, 60));
  door.peers[0]?.pause();
  client.send('said meanwhile');
  await new Promise((resolve) => setTimeout(resolve, 600));
  t.same([door.gone, door.heard], [0, []], 'fifteen pings later');
  door.peers[0]?.resume();
  await until(() => door.heard.length > 0 || door.gone > 0);
  t.same(door.heard, ['said meanwhile']);
  client.terminate();
});

void t.test('A door is told the code that its peer closed with', async (t) => {
  const { door, port } = await opened(t);
  for (const [n, [code, told]] of [
    [1000, 1000],
    [undefined, 1005],
    [4321, 4321],
  ].entries()) {
    const client = new WebSocket(`ws://127.0.0.1:${port}/door`, 'test.v1');
    await new Promise((resolve) => client.on('open', resolve));
    client.close(code);
    await until(() => door.gone === n + 1);
    t.equal(door.goneCode, told);
  }
});

void t.test('Bytes that are no frames, and text that is no UTF-8, end the connection', async (t) => {
  const { door, port } = await opened(t);
  for (const [name, bytes] of [
    ['not masked', Buffer.of(0x82, 0x01, 0x00)],
    ['reserved bits', Buffer.of(0xf2, 0x80, 0, 0, 0, 0)],
    ['unknown opcode', Buffer.of(0x83, 0x80, 0, 0, 0, 0)],
    ['not UTF-8', Buffer.of(0x81, 0x81, 0, 0, 0, 0, 0xff)],
    ['http again', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
  ] as const) {
    const before = door.gone;
    const { socket } = await rawPeer(t, port);
    const over = new Promise((resolve) => socket.on('close', resolve));
    socket.write(bytes);
    await over;
    await until(() => door.gone === before + 1);
    t.same(door.heard, [], name);
  }
});

void t.test(
  'Refused before the upgrade: no such door, other sub-protocols, the door’s own status, a door that fails',
  async (t) => {
    const { door, port } = await opened(t);
    const statusOf = async (path: string, subprotocols: string[]) => {
      const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, subprotocols);
      socket.on('error', () => undefined);
      return new Promise((resolve) => {
        socket.on('unexpected-response', (_request, response) => resolve(response.statusCode));
        socket.on('open', () => resolve('open'));
      });
    };
    t.equal(await statusOf('/elsewhere', ['test.v1']), 404);
    t.equal(await statusOf('/door', ['other.v1']), 400);
    door.refusal = 401;
    t.equal(await statusOf('/door', ['test.v1']), 401);
    door.refusal = new Error('the key cannot be looked up');
    t.equal(await statusOf('/door', ['test.v1']), 500);
    door.refusal = null;
    t.equal(await statusOf('/door', ['other.v1', 'test.v1']), 'open');
    t.equal(door.peers.length, 1);
  },
);

void t.test('A stop ends every connection, also those that do not answer the goodbye', async (t) => {
  const { door, doors, port } = await opened(t);
  const { socket } = await rawPeer(t, port);
  socket.pause();
  const friendly = new WebSocket(`ws://127.0.0.1:${port}/door`, 'test.v1');
  await new Promise((resolve) => friendly.on('open', resolve));
  const code = new Promise((resolve) => friendly.on('close', resolve));
  await doors.close();
  t.equal(await code, 1012);
  t.same([doors.connections, door.gone], [0, 2]);
});

void t.test('A request that offers another protocol than WebSocket is answered as if it did not', async (t) => {
  const { port, server } = await opened(t);
  const bodies: string[] = [];
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      bodies.push(`${request.method} ${request.url} ${String(request.headers['x-mine'])} ${body}`);
      response.end('answered');
    });
  });
  const socket = connect(port, '127.0.0.1');
  t.teardown(() => void socket.destroy());
  let answer = '';
  socket.on('data', (chunk: Buffer) => (answer += chunk.toString()));
  // As Java's HTTP client does; the body comes with the head, and then in pieces.
  for (const [n, pieces] of [['12345'], ['1', '23', '45']].entries()) {
    socket.write(
      'POST /api?n=1 HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAEAA\r\n' +
        `X-Mine: yes\r\nContent-Length: 5\r\n\r\n${pieces[0]}`,
    );
    for (const piece of pieces.slice(1)) {
      await new Promise((resolve) => setTimeout(resolve, 30));
      socket.write(piece);
    }
    await until(() => answer.split('answered').length === n + 2);
  }
  t.same(bodies, ['POST /api?n=1 yes 12345', 'POST /api?n=1 yes 12345'], 'both on one connection');
  t.notMatch(answer, /404|Refused/);
});

void t.test('More connections than there is room for are refused, and a place that is left is taken', async (t) => {
  const { doors, port } = await opened(t, { mostConnections: 2 });
  const [first] = [await rawPeer(t, port), await rawPeer(t, port)];
  t.match((await rawPeer(t, port)).answer, /^HTTP\/1.1 503 /);
  first.socket.destroy();
  await until(() => doors.connections === 1);
  t.match((await rawPeer(t, port)).answer, /^HTTP\/1.1 101 /);
});

void t.test('A door that fails costs its connection and not the process', async (t) => {
  const { door, port } = await opened(t);
  door.broken = true;
  const { socket } = await rawPeer(t, port);
  await new Promise((resolve) => (socket.closed ? resolve(null) : socket.on('close', resolve)));
  door.broken = false;
  t.match((await rawPeer(t, port)).answer, /^HTTP\/1.1 101 /);
});
