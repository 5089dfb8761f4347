import type { IncomingMessage } from 'node:http';
import type { StreamProtocol } from '../service/ports.js';
import { ownPath } from './own-door.js';

/**
 * The address at which a registered call connects.
 * @param base scheme and host of this service as its peers reach it, http or https
 * @param audioSocketPort where Asterisk connects
 */
export function addressOf(protocol: StreamProtocol, token: string, base: string, audioSocketPort: number): string {
  const sockets = base.replace(/^http/, 'ws');
  switch (protocol) {
    case 'voicegate':
      return `${sockets}${ownPath}?token=${token}`;
    // Twilio drops a query from a stream's address.
    case 'twilio':
    case 'telnyx':
    case 'freeswitch':
    case 'jambonz':
    case 'audiohook':
      return `${sockets}${ownPath}/${protocol}/${token}`;
    case 'audiosocket':
      // The call is named by the token in its first frame.
      return `tcp://${new URL(base).hostname}:${audioSocketPort}`;
  }
}

/** Path and query of an upgrade request. */
export function addressParts({ url }: Pick<IncomingMessage, 'url'>): { pathname: string; query: URLSearchParams } {
  const [pathname = '/', query] = (url ?? '/').split(/\?(.*)/s, 2);
  return { pathname, query: new URLSearchParams(query) };
}

/** The token in the path of a protocol's door; '' for the door's path without one, null for a path that is not the door's. */
export function tokenIn(protocol: StreamProtocol, pathname: string): string | null {
  const path = `${ownPath}/${protocol}`;
  if (pathname !== path && !pathname.startsWith(`${path}/`)) return null;
  return pathname.slice(path.length + 1).replace(/\/$/, '');
}

/**
 * Host, with its port where it is not the scheme's own, by which a peer reached this service.
 * @param publicUrl `VOICEGATE_PUBLIC_URL`; null: as the request names it
 */
export const authorityOf = ({ headers }: IncomingMessage, publicUrl: string | null): string =>
  publicUrl === null ? (headers.host ?? '').toLowerCase() : new URL(publicUrl).host;
