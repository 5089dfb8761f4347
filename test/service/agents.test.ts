import t from 'tap';
import { eraseAgentVoiceprint, getAgentVoiceprint, putAgentVoiceprint } from '../../src/service/agents.js';
import { readAudit } from '../../src/service/audit-trail.js';
import { putAccount } from '../../src/service/accounts.js';
import { addUtterance, startEnrolment } from '../../src/service/enrolments.js';
import { consented, noProof, nextModelId, modelId, openHarness, recording, type Recording } from './harness.js';

const harness = await openHarness(t);
const { context, full, ears } = harness;
const put = (what: Recording, agentId = 'a7') =>
  putAgentVoiceprint(context, full, agentId, recording(what), { textVersion: 'staff-1', reference: 'file 7' });

void t.test(
  'an agent’s voiceprint needs as much good speech as a customer’s, and stands until a better one',
  async (t) => {
    const short = await put({ voice: 3, netSpeechSeconds: 5 });
    t.same([short.voiceprint, short.reasons, short.hint], [null, ['NOT_ENOUGH_SPEECH'], 'speak_longer']);
    const noisy = await put({ voice: 3, netSpeechSeconds: 20, snrDb: 0 });
    t.same([noisy.voiceprint, noisy.reasons, noisy.hint], [null, ['LOW_QUALITY'], 'background_noise']);
    await t.rejects(getAgentVoiceprint(context, full, 'a7'), { code: 'not_found' });
    const { voiceprint, hint } = await put({ voice: 3, netSpeechSeconds: 20 });
    t.match(voiceprint, { agentId: 'a7', modelIds: [modelId], netSpeechSeconds: 20, consentTextVersion: 'staff-1' });
    t.equal(hint, 'done');
    await put({ voice: 4, netSpeechSeconds: 1 });
    t.same(await getAgentVoiceprint(context, full, 'a7'), voiceprint);
  },
);

void t.test('while two models are loaded both know it; erasing takes both, and all of it is audited', async (t) => {
  ears.modelIds = [modelId, nextModelId];
  t.teardown(() => (ears.modelIds = [modelId]));
  t.same((await put({ voice: 3, netSpeechSeconds: 20 })).voiceprint?.modelIds, [modelId, nextModelId].sort());
  await eraseAgentVoiceprint(context, full, 'a7');
  await t.rejects(getAgentVoiceprint(context, full, 'a7'), { code: 'not_found' });
  await t.rejects(eraseAgentVoiceprint(context, full, 'a7'), { code: 'not_found' });
  const { entries } = await readAudit(context, full, 0, 100);
  t.match(
    entries.map(({ event }) => event),
    [
      { kind: 'agent_voiceprint_created', ofAgent: 'a7', replaced: false, consentTextVersion: 'staff-1' },
      { kind: 'agent_voiceprint_created', ofAgent: 'a7', replaced: true },
      { kind: 'agent_voiceprint_erased', ofAgent: 'a7', voiceprintsErased: 2 },
    ],
  );
});

void t.test('a recording that holds the agent who leads the enrolment is not kept either', async (t) => {
  await put({ voice: 3, netSpeechSeconds: 20 }, 'a8');
  await putAccount(context, full, 'customer');
  await consented(harness, 'customer');
  const lead = async (agentId: string) => {
    const proof = { ...noProof, agentId };
    const { enrolmentId } = await startEnrolment(context, full, 'customer', { language: 'zh', proof });
    return (voice: number) => addUtterance(context, full, enrolmentId, recording({ voice }));
  };
  const say = await lead('a8');
  t.match(await say(3), { accepted: false, reasons: ['AGENT_HEARD'], hint: 'agent_heard' });
  t.match(await say(5), { accepted: true });
  const sayToAnother = await lead('a9');
  t.match(await sayToAnother(3), { accepted: true }, 'nobody knows that agent’s voice');
});
