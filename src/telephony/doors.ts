import type { IncomingMessage } from 'node:http';
import type { StreamProtocol } from '../service/ports.js';
import type { AudioSocketSettings } from './audiosocket-door.js';
import { MediaForkDoor } from './media-fork-door.js';
import { MediaStreamsDoor } from './media-streams-door.js';
import { OwnDoor } from './own-door.js';
import type { LiveCalls } from './session-io.js';
import { isSignedByTwilio } from './twilio-signature.js';
import type { WsDoor } from './ws-doors.js';

/** How peers prove who they are, protocol by protocol. */
export interface DoorSettings {
  /** Scheme and host as peers reach this service; null: as each request names it. */
  readonly publicUrl: string | null;
  /** Of the Twilio accounts whose calls come; none: no door for Twilio. */
  readonly twilioAuthTokens: readonly string[];
  /** `user:password` that media servers send; null: none is asked for. */
  readonly mediaBasicAuth: string | null;
  /** Null: no door for Asterisk, which has a listener of its own. */
  readonly audioSocket: AudioSocketSettings | null;
}

/** The WebSocket doors that are open. */
export function wsDoors(
  calls: LiveCalls,
  { publicUrl, twilioAuthTokens, mediaBasicAuth }: DoorSettings,
): readonly WsDoor[] {
  const isFromTwilio = (request: IncomingMessage): boolean =>
    isSignedByTwilio(
      twilioAuthTokens,
      publicUrl === null ? (request.headers.host ?? '') : new URL(publicUrl).host,
      request,
    );
  return [
    new OwnDoor(calls),
    ...(twilioAuthTokens.length === 0 ? [] : [new MediaStreamsDoor(calls, 'twilio', isFromTwilio)]),
    new MediaStreamsDoor(calls, 'telnyx', null),
    new MediaForkDoor(calls, 'freeswitch', mediaBasicAuth),
    new MediaForkDoor(calls, 'jambonz', mediaBasicAuth),
  ];
}

/** The setting that opens a protocol's door; null where it is open. */
export function settingThatOpens(
  protocol: StreamProtocol,
  { twilioAuthTokens, audioSocket }: DoorSettings,
): string | null {
  if (protocol === 'twilio' && twilioAuthTokens.length === 0) return 'VOICEGATE_TWILIO_AUTH_TOKENS';
  if (protocol === 'audiosocket' && audioSocket === null) return 'VOICEGATE_AUDIOSOCKET_PORT';
  return null;
}
