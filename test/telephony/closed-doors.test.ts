import t from 'tap';
import { AudioHookClient } from './audiohook-client.js';
import { openServed } from './harness.js';

t.setTimeout(120_000);

void t.test('A call cannot be registered for a protocol whose door is closed', async (t) => {
  const { api, base } = await openServed(t);
  for (const [protocol, setting] of [
    ['audiosocket', /VOICEGATE_AUDIOSOCKET_PORT/],
    ['audiohook', /VOICEGATE_AUDIOHOOK_KEYS/],
  ] as const) {
    t.match(await api('POST', '/v1/streams', { mode: 'passive', protocol, accountId: 'anyone' }), {
      status: 400,
      body: { code: 'invalid_request', title: new RegExp(protocol), hint: setting },
    });
  }
  const client = new AudioHookClient(base);
  t.equal(await client.admitted, 404);
});
