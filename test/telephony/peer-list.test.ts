import t from 'tap';
import { PeerList } from '../../src/telephony/peer-list.js';

void t.test('Addresses and networks that are listed may connect, IPv4 also when written as IPv6', (t) => {
  const peers = new PeerList(['10.1.2.3', '192.168.0.0/16', '::1', 'fd00::/8'], 'PEERS');
  for (const address of [
    '10.1.2.3',
    '::ffff:10.1.2.3',
    '::ffff:a01:203',
    '192.168.77.1',
    '::1',
    'fd12::9',
    'fd12::9%eth0',
  ]) {
    t.ok(peers.has(address), address);
  }
  for (const address of [
    '10.1.2.4',
    '::ffff:10.1.2.4',
    '192.169.0.1',
    '127.0.0.1',
    '::2',
    'fe80::1',
    '',
    'localhost',
    '10.1.2.3.4',
  ]) {
    t.notOk(peers.has(address), address);
  }
  t.notOk(new PeerList([], 'PEERS').has('127.0.0.1'), 'an empty list lets nobody in');
  t.end();
});

void t.test('An entry that is no address is refused by name', (t) => {
  for (const entry of ['pbx.example', '10.0.0.0/33', '10.0.0.0/', '10.0.0.0/8/8', '::1/129', '10.0.0', '10.0.0.1/-1']) {
    t.throws(() => new PeerList([entry], 'PEERS'), { code: 'configuration_invalid', message: /PEERS names/ }, entry);
  }
  t.end();
});
