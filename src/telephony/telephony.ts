import type { Server } from 'node:http';
import { keyedHash } from '../ops/secrets.js';
import type { ServiceContext } from '../service/context.js';
import type { StreamProtocol } from '../service/ports.js';
import { VoicegateError } from '../errors.js';
import { addressOf } from './addresses.js';
import { openAudioSocket, type AudioSocketDoor } from './audiosocket-door.js';
import type { SessionLimits, Timers } from './call-session.js';
import type { OnFault } from './door-call.js';
import { checkEventAddress } from './event-addresses.js';
import { settingThatOpens, wsDoors, type DoorSettings } from './doors.js';
import { EventHub } from './event-hub.js';
import { LiveCallRegistry } from './live-calls.js';
import { ownDocument } from './own-document.js';
import { WebhookSender } from './webhooks.js';
import { defaultWsOptions, openWsDoors, type OpenDoors, type WsOptions } from './ws-doors.js';

/** What live calls are opened with. */
export interface TelephonyOptions extends DoorSettings {
  readonly maxCalls: number;
  readonly eventHosts: readonly string[];
  /** Of sessions and connections; absent: their defaults. */
  readonly limits?: SessionLimits;
  readonly timers?: Timers;
  readonly wsOptions?: WsOptions;
  readonly onFault: OnFault;
}

/** All that hears calls in this process. */
export class Telephony {
  readonly events: EventHub;
  readonly calls: LiveCallRegistry;
  private doors: OpenDoors | null = null;
  private audioSocket: AudioSocketDoor | null = null;

  constructor(
    private readonly context: ServiceContext,
    private readonly options: TelephonyOptions,
  ) {
    const told = (fault: unknown, streamId?: string): void => {
      const { name, code } = fault as Error & { readonly code?: string };
      options.onFault({
        name,
        ...(code === undefined ? {} : { code }),
        ...(streamId === undefined ? {} : { streamId }),
      });
    };
    this.events = new EventHub(
      new WebhookSender({
        secretOf: (streamId) => this.eventsSecretOf(streamId),
        addresses: { allowed: options.eventHosts },
        onFault: (streamId, fault) => told(fault, streamId),
      }),
    );
    this.calls = new LiveCallRegistry(context, {
      ...options,
      mostCalls: options.maxCalls,
      hub: this.events,
      onFault: told,
    });
  }

  /**
   * Lets the WebSocket doors take what the HTTP server is asked to upgrade, and listens for Asterisk where that is configured.
   * @throws VoicegateError `configuration_invalid`
   */
  async open(server: Server): Promise<void> {
    const { audioSocket, maxCalls, wsOptions = defaultWsOptions, onFault } = this.options;
    this.doors = openWsDoors(server, wsDoors(this.calls, this.options, onFault), {
      ...wsOptions,
      // A place for each call, and those that bring or wait for one.
      mostConnections: maxCalls + wsOptions.mostConnections,
    });
    if (audioSocket !== null) this.audioSocket = await openAudioSocket(this.calls, audioSocket, onFault);
  }

  /** WebSocket connections of calls that are open. */
  get connections(): number {
    return this.doors?.connections ?? 0;
  }

  /** @throws VoicegateError `invalid_request` when the protocol's door is closed; `busy`, `shutting_down` */
  checkDoor(protocol: StreamProtocol): void {
    const setting = settingThatOpens(protocol, this.options);
    if (setting !== null) {
      throw new VoicegateError('invalid_request', `This service takes no calls by ${protocol}`, {
        hint: `Set ${setting} to open the door, or register the call for another protocol`,
      });
    }
    this.calls.checkRoom();
  }

  /** @throws VoicegateError `stream_address_refused` */
  checkEventAddress(url: string): void {
    checkEventAddress({ allowed: this.options.eventHosts }, url);
  }

  /** Signs the webhooks of a stream; nothing of it is stored. */
  eventsSecretOf(streamId: string): string {
    return keyedHash(this.context.hashKey, 'webhook', streamId).toString('base64url');
  }

  /** Where a registered call connects. @param base scheme and host of this service as its peers reach it */
  addressOf(protocol: StreamProtocol, token: string, base: string): string {
    return addressOf(protocol, token, base, this.audioSocket?.port ?? 0);
  }

  /** The AsyncAPI 3 document of our own protocol. @param base scheme and host of this service as its peers reach it */
  protocolDocument(version: string, base: string): object {
    return ownDocument(version, base);
  }

  /** Ends every call without a verdict, then the connections. */
  async close(): Promise<void> {
    await this.calls.close();
    await Promise.all([this.doors?.close(), this.audioSocket?.close()]);
    this.events.close();
  }
}
