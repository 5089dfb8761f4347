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
