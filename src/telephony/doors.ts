import type { IncomingMessage } from 'node:http';
import type { StreamProtocol } from '../service/ports.js';
import { authorityOf } from './addresses.js';
import { AudioHookDoor } from './audiohook-door.js';
import type { AudioHookKey } from './audiohook-guard.js';
import type { AudioSocketSettings } from './audiosocket-door.js';
import type { OnFault } from './door-call.js';
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
  /** Of Genesys, by API key; none: no door for AudioHook. */
  readonly audioHookKeys: ReadonlyMap<string, AudioHookKey>;
  /** Null: no door for Asterisk, which has a listener of its own. */
  readonly audioSocket: AudioSocketSettings | null;
}

/** The WebSocket doors that are open. @param onFault told what a door's peer is not told of */
export function wsDoors(
  calls: LiveCalls,
  { publicUrl, twilioAuthTokens, mediaBasicAuth, audioHookKeys }: DoorSettings,
  onFault: OnFault,
): readonly WsDoor[] {
  const isFromTwilio = (request: IncomingMessage): boolean =>
    isSignedByTwilio(twilioAuthTokens, authorityOf(request, publicUrl), request);
  return [
    new OwnDoor(calls),
    ...(twilioAuthTokens.length === 0 ? [] : [new MediaStreamsDoor(calls, 'twilio', isFromTwilio)]),
    new MediaStreamsDoor(calls, 'telnyx', null),
    new MediaForkDoor(calls, 'freeswitch', mediaBasicAuth),
    new MediaForkDoor(calls, 'jambonz', mediaBasicAuth),
    ...(audioHookKeys.size === 0 ? [] : [new AudioHookDoor(calls, { keys: audioHookKeys, publicUrl }, onFault)]),
  ];
}

/** The setting that opens a protocol's door; null where it is open. */
export function settingThatOpens(
  protocol: StreamProtocol,
  { twilioAuthTokens, audioHookKeys, audioSocket }: DoorSettings,
): string | null {
  if (protocol === 'twilio' && twilioAuthTokens.length === 0) return 'VOICEGATE_TWILIO_AUTH_TOKENS';
  if (protocol === 'audiohook' && audioHookKeys.size === 0) return 'VOICEGATE_AUDIOHOOK_KEYS';
  if (protocol === 'audiosocket' && audioSocket === null) return 'VOICEGATE_AUDIOSOCKET_PORT';
  return null;
}
