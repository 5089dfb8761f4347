import t from 'tap';
import { openServed } from './harness.js';

t.setTimeout(120_000);

void t.test('A call cannot be registered for a protocol whose door is closed', async (t) => {
  const { api } = await openServed(t);
  t.match(await api('POST', '/v1/streams', { mode: 'passive', protocol: 'audiosocket', accountId: 'anyone' }), {
    status: 400,
    body: { code: 'invalid_request', title: /audiosocket/, hint: /VOICEGATE_AUDIOSOCKET_PORT/ },
  });
});
