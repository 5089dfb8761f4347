import { BlockList, isIP } from 'node:net';
import { VoicegateError } from '../errors.js';

/** IP addresses that may connect. */
export class PeerList {
  private readonly listed = new BlockList();

  /**
   * @param entries addresses (`10.1.2.3`, `fd00::7`) and networks (`10.1.0.0/16`)
   * @param setting where they come from, for the error
   * @throws VoicegateError `configuration_invalid`
   */
  constructor(entries: readonly string[], setting: string) {
    for (const entry of entries) {
      const [address = '', bits, ...more] = entry.split('/');
      const family = isIP(address);
      const most = family === 4 ? 32 : 128;
      const size = bits === undefined ? most : /^\d{1,3}$/.test(bits) ? Number(bits) : Infinity;
      if (family === 0 || size > most || more.length > 0) {
        throw new VoicegateError('configuration_invalid', `${setting} names ${JSON.stringify(entry)}`, {
          hint: 'Name IP addresses and networks, by commas: 10.1.2.3,10.2.0.0/16,fd00::/8',
        });
      }
      this.listed.addSubnet(address, size, family === 4 ? 'ipv4' : 'ipv6');
    }
  }

  /** @param address as a socket names its peer; IPv4 may be written as IPv6 (`::ffff:10.1.2.3`) */
  has(address: string): boolean {
    const [bare = ''] = address.split('%', 1);
    const family = isIP(bare);
    return family !== 0 && this.listed.check(bare, family === 4 ? 'ipv4' : 'ipv6');
  }
}
