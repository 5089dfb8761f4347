import t from 'tap';
import { openHttp } from './harness.js';

void t.test('a key that asks too often is told when to come back; other keys and probes go on', async (t) => {
  const http = await openHttp(t, { ratePerMinute: 5 });
  const eager = await http.key(['analyst']);
  const calm = await http.key(['analyst']);
  for (let request = 0; request < 5; request++) t.equal((await http.call(eager, 'GET', '/v1/audit')).status, 200);
  const refused = await http.call(eager, 'GET', '/v1/audit');
  t.match(refused, { status: 429, body: { code: 'rate_limited' } });
  t.ok(Number(refused.headers['retry-after']) > 0);
  t.equal((await http.call(calm, 'GET', '/v1/audit')).status, 200);
  for (let probe = 0; probe < 10; probe++) t.equal((await http.call(null, 'GET', '/healthz')).status, 200);
});
