import { PassThrough } from 'node:stream';
import t from 'tap';
import { createLog } from '../../src/ops/log.js';

void t.test('fields that could hold a secret are removed wherever they stand; facts stay', async (t) => {
  const sink = new PassThrough();
  const log = createLog('info', sink);
  log.info({
    pin: '730529',
    code: 'locked',
    body: { pin: '730529', digits: '48151623', audio: { samples: [0.25], vector: [0.5] } },
    req: { headers: { authorization: 'Bearer vg_secret' } },
  });
  log.debug('below the level');
  const text = String(sink.read());
  for (const secret of ['730529', '48151623', '0.25', '0.5', 'vg_secret']) t.notMatch(text, secret);
  t.match(JSON.parse(text) as object, { code: 'locked' });
  t.equal(text.trim().split('\n').length, 1);
});
