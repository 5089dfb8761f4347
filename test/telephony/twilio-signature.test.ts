import t from 'tap';
import { isSignedByTwilio } from '../../src/telephony/twilio-signature.js';

/*
 * Golden signatures, made with OpenSSL 3.0:
 * printf 'wss://voice.example.com/v1/streams/twilio/9f1c' | openssl dgst -sha1 -hmac 12345 -binary | base64
 */
const golden = {
  'wss://voice.example.com/v1/streams/twilio/9f1c': 's1KDnMUEwWE1X1jARKbbrrEVZFo=',
  'wss://voice.example.com:443/v1/streams/twilio/9f1c': 'zxqAqEbApn/IeDpbl2/ksb/wi30=',
  'wss://voice.example.com/v1/streams/twilio/9f1c/': 'k2mWbM96coYQetau1c6hkCCKEgU=',
  'https://voice.example.com/v1/streams/twilio/9f1c': '8Y89wljcAjaoU31YWtSAdvys04g=',
  'wss://voice.example.com:8443/v1/streams/twilio/9f1c': 'Bq2288BH3YZSiaNXTZjGC3f4FxU=',
} as const;
const url = '/v1/streams/twilio/9f1c';
const signed = (
  signature: string | string[] | undefined,
  host = 'voice.example.com',
  authTokens = ['12345'],
  path = url,
) => isSignedByTwilio(authTokens, host, { url: path, headers: { 'x-twilio-signature': signature } });

void t.test('The address is signed with the account’s token, however it is written', async (t) => {
  for (const [address, signature] of Object.entries(golden)) {
    const host = address.includes('8443') ? 'voice.example.com:8443' : 'voice.example.com';
    t.ok(signed(signature, host), address);
    t.notOk(signed(signature, 'other.example.com'), 'another host');
    t.notOk(signed(signature, host, ['12346']), 'another token');
    t.notOk(signed(signature, host, ['12345'], '/v1/streams/twilio/9f1d'), 'another call');
    t.ok(signed(signature, host, ['new', '12345']), 'one of two tokens');
  }
  t.ok(signed(golden['wss://voice.example.com/v1/streams/twilio/9f1c'], 'voice.example.com:443'));
});

void t.test('No signature, or something else, is no signature', async (t) => {
  for (const wrong of [undefined, '', 'nonsense', '=', Buffer.alloc(20).toString('base64'), ['a', 'b']]) {
    t.notOk(signed(wrong));
  }
  t.notOk(signed(golden['wss://voice.example.com/v1/streams/twilio/9f1c'], 'voice.example.com', []));
});
