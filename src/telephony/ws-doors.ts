import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type RawData, type WebSocket } from 'ws';
import type { ClosedReason, Refusal } from './session-io.js';

/** Close codes of every WebSocket door: those of RFC 6455 section 7.4 and the registry, and ours from 4400. */
export const closeCodes = {
  done: 1000,
  failed: 1011,
  restarting: 1012,
  busy: 1013,
  badMessage: 4400,
  unauthenticated: 4401,
  unknownStream: 4404,
} as const;

/** How a connection is closed whose call was refused. */
export function refusedCloseCode({ code }: Refusal): number {
  switch (code) {
    case 'stream_unknown':
      return closeCodes.unknownStream;
    case 'invalid_request':
    case 'audio_format_unsupported':
    case 'audio_rate_unsupported':
    case 'audio_channel_invalid':
      return closeCodes.badMessage;
    case 'busy':
      return closeCodes.busy;
    case 'shutting_down':
      return closeCodes.restarting;
    default:
      return closeCodes.failed;
  }
}

/** How a connection is closed whose call is over. */
export const endedCloseCode = (reason: ClosedReason): number =>
  reason === 'failed' ? closeCodes.failed : reason === 'shutting_down' ? closeCodes.restarting : closeCodes.done;

/** Whether a close code is a goodbye: the peer is done, and nothing is lost. 1005: it said no code. */
export const isGoodbye = (code: number): boolean => code === closeCodes.done || code === 1005;

/** One WebSocket connection as a door sees it. */
export interface Peer {
  send(message: object): void;
  close(code: number, reason: string): void;
  /** Stops and goes on reading: what is not read waits in the network, not here. */
  pause(): void;
  resume(): void;
}

/** What a door does with a connection. None of it may throw. */
export interface PeerHandler {
  onText(text: string): void;
  onBytes(bytes: Uint8Array): void;
  /** The connection is gone, asked or not. @param code of its closing, 1006 when nothing was said */
  onGone(code: number): void;
}

/** One protocol on WebSockets: an address, its sub-protocols, who may connect, and what becomes of a connection. */
export interface WsDoor {
  /** Whether an address is this door's. */
  matches(pathname: string): boolean;
  /** Sub-protocols it speaks; empty: none is negotiated. A client that offers others only is refused. */
  readonly subprotocols: readonly string[];
  /** How to authenticate, said with a refusal by 401. */
  readonly challenge?: string;
  /** Checks the upgrade request. @returns null, or the HTTP status it is refused with */
  refuses(request: IncomingMessage): Promise<number | null> | number | null;
  open(peer: Peer, request: IncomingMessage): PeerHandler;
}

export interface WsOptions {
  /** Largest message, bytes: a second of audio is 16 to 384 kB. */
  readonly maxMessageBytes: number;
  /** A peer that does not answer a ping within this is gone, ms. */
  readonly pingMs: number;
  /** A peer that does not read loses its connection when so much waits for it. */
  readonly mostUnsentBytes: number;
  /** Of all doors together, with those whose call is not taken yet; one more is refused. */
  readonly mostConnections: number;
}

export const defaultWsOptions: WsOptions = {
  maxMessageBytes: 1 << 20,
  pingMs: 20_000,
  mostUnsentBytes: 1 << 20,
  mostConnections: 2000,
};

/** The doors of a server, to be closed before it. */
export interface OpenDoors {
  readonly connections: number;
  close(): Promise<void>;
}

/** Lets WebSocket doors take the upgrade requests of an HTTP server. */
export function openWsDoors(server: Server, doors: readonly WsDoor[], options = defaultWsOptions): OpenDoors {
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: options.maxMessageBytes,
    // Media servers offer it unless told not to; without context takeover a connection keeps no window of it in memory.
    perMessageDeflate: { serverNoContextTakeover: true, clientNoContextTakeover: true, threshold: 1024 },
    handleProtocols: (offered, request) => {
      const door = doorFor(doors, request);
      return door?.subprotocols.find((name) => offered.has(name)) ?? false;
    },
  });
  let admitting = 0;
  const onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    if (!offersWebSocket(request)) return ignoreUpgrade(server, request, socket, head);
    socket.on('error', () => socket.destroy());
    if (sockets.clients.size + admitting >= options.mostConnections) return refuse(socket, 503);
    admitting++;
    admit(doors, request)
      .finally(() => admitting--)
      .then((found) => {
        if (typeof found === 'number') return refuse(socket, found, doorFor(doors, request)?.challenge);
        sockets.handleUpgrade(request, socket, head, (connection) => serve(connection, found, request, options));
      })
      // A fault of ours costs this connection, not the process.
      .catch(() => socket.destroy());
  };
  server.on('upgrade', onUpgrade);
  // Node.js asks this from 24.9 on, and leaves what it refuses to the API by itself; before, `ignoreUpgrade` does.
  Object.assign(server, { shouldUpgradeCallback: offersWebSocket });
  return {
    get connections() {
      return sockets.clients.size;
    },
    async close() {
      server.off('upgrade', onUpgrade);
      for (const connection of sockets.clients) connection.close(closeCodes.restarting, 'the service is stopping');
      const grace = setTimeout(() => {
        for (const connection of sockets.clients) connection.terminate();
      }, 1000);
      await new Promise<void>((resolve) => {
        const check = (): void => {
          if (sockets.clients.size === 0) resolve();
          else setTimeout(check, 20);
        };
        check();
      });
      clearTimeout(grace);
      sockets.close();
    },
  };
}

const pathOf = ({ url }: IncomingMessage): string => (url ?? '/').split('?', 1)[0] ?? '/';

const doorFor = (doors: readonly WsDoor[], request: IncomingMessage): WsDoor | undefined =>
  doors.find((door) => door.matches(pathOf(request)));

async function admit(doors: readonly WsDoor[], request: IncomingMessage): Promise<WsDoor | number> {
  const door = doorFor(doors, request);
  if (door === undefined) return 404;
  const offered = request.headers['sec-websocket-protocol']?.split(',').map((name) => name.trim());
  const agrees =
    offered === undefined || door.subprotocols.length === 0 || offered.some((name) => door.subprotocols.includes(name));
  if (!agrees) return 400;
  try {
    return (await door.refuses(request)) ?? door;
  } catch {
    return 500;
  }
}

const offersWebSocket = ({ headers }: IncomingMessage): boolean => headers.upgrade?.toLowerCase() === 'websocket';

/**
 * Answers a request that offers another protocol as if it did not, as RFC 9110 allows (section 7.8): Java's HTTP client offers h2c with every first request.
 * Node.js before 24.9 hands over whatever offers an upgrade and has stopped reading it, so it is written back and read anew.
 */
function ignoreUpgrade(server: Server, request: IncomingMessage, socket: Duplex, head: Buffer): void {
  const { method, url, httpVersion, rawHeaders } = request;
  const lines = [`${method ?? 'GET'} ${url ?? '/'} HTTP/${httpVersion}`];
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const [name = '', value = ''] = rawHeaders.slice(at, at + 2);
    if (name.toLowerCase() !== 'upgrade') lines.push(`${name}: ${value}`);
  }
  socket.unshift(Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), head]));
  server.emit('connection', socket);
}

function refuse(socket: Duplex, status: number, challenge?: string): void {
  const how = status === 401 && challenge !== undefined ? `WWW-Authenticate: ${challenge}\r\n` : '';
  socket.end(`HTTP/1.1 ${status} Refused\r\n${how}Connection: close\r\nContent-Length: 0\r\n\r\n`);
}

function serve(connection: WebSocket, door: WsDoor, request: IncomingMessage, options: WsOptions): void {
  let answered = true;
  const peer: Peer = {
    send(message) {
      if (connection.readyState !== connection.OPEN) return;
      if (connection.bufferedAmount > options.mostUnsentBytes) return connection.terminate();
      connection.send(JSON.stringify(message));
    },
    close: (code, reason) => connection.close(code, reason),
    pause: () => connection.pause(),
    resume: () => {
      answered = true;
      connection.resume();
    },
  };
  const handler = door.open(peer, request);
  const ping = setInterval(() => {
    // What is not read cannot be seen to answer.
    if (connection.isPaused) return;
    if (answered) {
      answered = false;
      return connection.ping();
    }
    // An answer that lay unread while this process was busy is read first.
    setImmediate(() => {
      if (!answered) connection.terminate();
    });
  }, options.pingMs);
  connection.on('pong', () => (answered = true));
  connection.on('message', (data: RawData, isBinary) => {
    answered = true;
    const bytes = Buffer.isBuffer(data) ? data : Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data);
    if (isBinary) handler.onBytes(bytes);
    else handler.onText(bytes.toString('utf8'));
  });
  connection.on('error', () => undefined);
  connection.on('close', (code) => {
    clearInterval(ping);
    handler.onGone(code);
  });
}
