import t from 'tap';
import { pickMedia, readMessage, secondsOf } from '../../src/telephony/audiohook-messages.js';
import { mono, organizationId, stereo } from './audiohook-client.js';

const message = (changes: object = {}, parameters: object = {}) =>
  JSON.stringify({
    version: '2',
    id: organizationId,
    type: 'ping',
    seq: 1,
    serverseq: 0,
    position: 'PT0S',
    parameters,
    ...changes,
  });

void t.test('Both legs are picked before one, and PCMU before L16', async (t) => {
  const l16 = { ...stereo, format: 'L16' };
  const channelsOf = (...offered: (typeof stereo)[]) => pickMedia(offered)?.format;
  t.match(channelsOf(mono, l16, stereo), { encoding: 'mulaw', sampleRateHz: 8000, channels: ['customer', 'agent'] });
  t.match(channelsOf(mono, l16), { encoding: 'l16-le', channels: ['customer', 'agent'] });
  t.match(channelsOf({ ...stereo, channels: ['internal', 'external'] }, mono), { channels: ['agent', 'customer'] });
  t.match(channelsOf({ ...mono, format: 'L16' }, mono), { encoding: 'mulaw', channels: ['customer'] });
  const wrong = [
    { ...stereo, rate: 16_000 },
    { ...stereo, format: 'OPUS' },
    { ...stereo, type: 'video' },
    { ...stereo, channels: ['internal'] },
    { ...stereo, channels: ['external', 'external'] },
    { ...stereo, channels: [] },
  ];
  t.equal(pickMedia(wrong), null);
  t.equal(pickMedia([]), null);
});

void t.test('What is no message of the protocol is none', async (t) => {
  t.match(readMessage(message()), { type: 'ping', seq: 1 });
  t.match(readMessage(message({ type: 'newer', extra: 1 }, { anything: [1] })), { type: 'unknown', seq: 1 });
  t.equal(readMessage(message({ type: 'toString' }))?.type, 'unknown');
  for (const json of [
    '',
    'null',
    '[]',
    '{',
    '"open"',
    message({ version: '1' }),
    message({ id: 'x' }),
    message({ seq: -1 }),
    message({ seq: 1.5 }),
    message({ seq: '1' }),
    message({ serverseq: null }),
    message({ position: '12' }),
    message({ position: 'PT-1S' }),
    message({ position: 'PTS' }),
    message({ parameters: null }),
    message({ parameters: [] }),
    message({ type: 5 }),
    message({ type: 'open' }),
    message({ type: 'open' }, { organizationId, conversationId: 'x', media: [] }),
    message({ type: 'open' }, { organizationId, conversationId: organizationId, media: [{}] }),
    message({ type: 'close' }),
    message({ type: 'discarded' }, { start: 'PT1S', discarded: 'for ever' }),
    message({ type: 'error' }, { code: '400' }),
  ]) {
    t.equal(readMessage(json), null, json);
  }
  t.same(['PT1.5S', 'PT0S', 'PT12.345S'].map(secondsOf), [1.5, 0, 12.345]);
});
