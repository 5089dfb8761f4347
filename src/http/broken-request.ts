import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { VoicegateError } from '../errors.js';
import { problemType, toProblem } from './problem.js';

/** Answers what is no HTTP request that a route could see: not HTTP at all, headers too large, or sent too slowly. */
export function answerBrokenRequest(fault: NodeJS.ErrnoException, socket: Socket): void {
  if (fault.code === 'ECONNRESET' || socket.destroyed) return;
  const [status, what] =
    fault.code === 'ERR_HTTP_REQUEST_TIMEOUT'
      ? [408, 'The request came too slowly']
      : fault.code === 'HPE_HEADER_OVERFLOW'
        ? [431, 'The headers are larger than this server takes']
        : [400, 'This is not an HTTP request'];
  const body = Buffer.from(JSON.stringify({ ...toProblem(new VoicegateError('invalid_request', what)), status }));
  if (socket.writable) {
    socket.write(
      `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\ncontent-type: ${problemType}\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n`,
    );
    socket.write(body);
  }
  socket.destroySoon();
}
