import { lookup as lookUp, type LookupAddress } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import { VoicegateError } from '../errors.js';

/** Where events may be sent. */
export interface EventAddresses {
  /** `host` or `host:port` that may also be private, and plain http. */
  readonly allowed: readonly string[];
}

/**
 * Addresses that are no place on the public internet (IANA special-purpose registries). A list for each family: Node.js takes an IPv4 address for its
 * IPv4-mapped IPv6 one, so in one list `::ffff:0:0/96` would cover all of IPv4.
 */
const notPublic = { ipv4: new BlockList(), ipv6: new BlockList() };
for (const [net, bits] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
] as const) {
  notPublic.ipv4.addSubnet(net, bits, 'ipv4');
}
for (const [net, bits] of [
  ['::', 96],
  ['64:ff9b::', 96],
  ['64:ff9b:1::', 48],
  // No host is named by a mapped address.
  ['::ffff:0:0', 96],
  ['100::', 64],
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['fc00::', 7],
  ['fe80::', 10],
  ['ff00::', 8],
] as const) {
  notPublic.ipv6.addSubnet(net, bits, 'ipv6');
}

/** Whether an IP address lies on the public internet. */
export function isPublicAddress(address: string): boolean {
  const family = isIP(address);
  if (family === 0) return false;
  const kind = family === 4 ? 'ipv4' : 'ipv6';
  return !notPublic[kind].check(address, kind);
}

const isAllowed = ({ allowed }: EventAddresses, { hostname, host }: URL): boolean =>
  allowed.includes(hostname) || allowed.includes(host);

/**
 * Checks an address for events before it is taken: https and a public host, or one that the operator allows.
 * @throws VoicegateError `stream_address_refused`
 */
export function checkEventAddress(addresses: EventAddresses, address: string): void {
  const refuse = (why: string): never => {
    throw new VoicegateError('stream_address_refused', `Events cannot be sent there: ${why}`, {
      hint: 'Give an https address of a public host, or have its host named in VOICEGATE_EVENT_HOSTS',
    });
  };
  if (!URL.canParse(address)) return refuse('it is no address');
  const url = new URL(address);
  if (url.username !== '' || url.password !== '') refuse('it carries a name or password');
  if (url.protocol !== 'https:' && url.protocol !== 'http:') refuse(`its scheme is ${url.protocol}`);
  if (isAllowed(addresses, url)) return;
  if (url.protocol !== 'https:') refuse('it is not https');
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  if (isIP(host) !== 0 && !isPublicAddress(host)) refuse('it is a private address');
  if (host === 'localhost' || host.endsWith('.localhost')) refuse('it is this machine');
}

/**
 * A name look-up whose answer is checked before anything is sent: the very address that passed is connected to, so a name that changes its mind
 * (DNS rebinding) gains nothing.
 */
export function guardedLookup(addresses: EventAddresses, url: URL): LookupFunction {
  return (hostname, options, callback) => {
    lookUp(hostname, { ...options, all: true }, (fault, found: LookupAddress[]) => {
      if (fault !== null) return callback(fault, '', 0);
      const good = isAllowed(addresses, url) ? found : found.filter(({ address }) => isPublicAddress(address));
      const [first] = good;
      if (first === undefined) return callback(new Error('the host of the webhook is a private address'), '', 0);
      if (options.all === true) return callback(null, good);
      return callback(null, first.address, first.family);
    });
  };
}
