import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Tap } from '../embedding/cards.js';

/** How much the client says it has, of the whole file: a connection is cut only then, or what was sent could be lost on the way. */
export const client = { has: 0 };

/** How the server answers the next requests; each is used once, the last one stays. */
export type Behaviour = (request: IncomingMessage, response: ServerResponse) => void;

/** A local HTTP server that holds one file. */
export interface FileServer {
  readonly url: string;
  /** `Range` of each request, in order; null where there was none. */
  readonly ranges: (string | null)[];
  /** In place of `serve()`. */
  behave(...next: Behaviour[]): void;
}

/** Starts one; it ends with the test. */
export async function startFileServer(t: Tap, behaviour: Behaviour): Promise<FileServer> {
  let behaviours = [behaviour];
  const ranges: (string | null)[] = [];
  const server = createServer((request, response) => {
    ranges.push(request.headers.range ?? null);
    const next = behaviours.length > 1 ? behaviours.shift() : behaviours[0];
    next?.(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/models/file.onnx?signature=secret`,
    ranges,
    behave: (...next) => void (behaviours = next),
  };
}

export interface ServeOptions {
  /** false: `Range` is not looked at. */
  readonly ranges?: boolean;
  /** null: none is given. */
  readonly etag?: string | null;
  readonly lastModified?: string;
  /** The connection is cut when the client has so many bytes of the answer. */
  readonly cutAfter?: number;
  /** Without Content-Length. */
  readonly chunked?: boolean;
}

/** Serves bytes as RFC 9110 wants it: Range, If-Range, ETag. */
export function serve(bytes: Buffer, options: ServeOptions = {}): Behaviour {
  const etag = options.etag === undefined ? `"${createHash('sha256').update(bytes).digest('hex')}"` : options.etag;
  return (request, response) => {
    const validators = [etag, options.lastModified].filter((value) => typeof value === 'string');
    const ifRange = request.headers['if-range'];
    const asked = /^bytes=(\d+)-$/.exec(request.headers.range ?? '');
    const goesOn = options.ranges !== false && asked !== null && (ifRange === undefined || validators.includes(ifRange as string));
    const from = goesOn ? Number(asked[1]) : 0;
    if (etag !== null) response.setHeader('etag', etag);
    if (options.lastModified !== undefined) response.setHeader('last-modified', options.lastModified);
    if (goesOn && from >= bytes.length) {
      response.writeHead(416, { 'content-range': `bytes */${bytes.length}` }).end();
      return;
    }
    const body = bytes.subarray(from);
    if (options.chunked !== true) response.setHeader('content-length', body.length);
    response.writeHead(goesOn ? 206 : 200, goesOn ? { 'content-range': `bytes ${from}-${bytes.length - 1}/${bytes.length}` } : {});
    if (options.cutAfter === undefined) response.end(body);
    else cutWhenRead(response, body.subarray(0, options.cutAfter), from);
  };
}

function cutWhenRead(response: ServerResponse, part: Buffer, from: number): void {
  response.write(part);
  const timer = setInterval(() => {
    if (client.has < from + part.length) return;
    clearInterval(timer);
    response.destroy();
  }, 10);
}
