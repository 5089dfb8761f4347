import { fixture } from './callers.js';
import type { Answer, Client } from './client.js';

const callerName = 'zh-f4';
const strangerName = 'zh-klatt';
const account = '62220017';
const pin = '730529';

/** How a story ended. */
export interface StoryOutcome {
  /** Steps told. */
  readonly told: number;
  /** Titles of the steps that ended otherwise than told. */
  readonly otherwise: readonly string[];
}

/**
 * Plays the whole story over HTTP with the synthesised callers of audio-fixtures/: enrolment, acceptance, every kind of refusal, the lock,
 * the erasure. A row is printed for each step, with scores and reasons.
 * @param client with a key of all roles and full answers, on a database without the account
 */
export async function playStory(client: Client, print: (line: string) => void): Promise<StoryOutcome> {
  const outcome = { told: 0, otherwise: [] as string[] };
  const teller = createTeller(client, (title, found, asTold) => {
    outcome.told++;
    if (!asTold) outcome.otherwise.push(title);
    print(`${asTold ? '✓' : '✗'} ${title.padEnd(50)} ${found}`);
  });
  await teller.enrol();
  print('');
  const { say, step } = teller;
  const right = await say('The right voice, right PIN', 1, 'ACCEPT', { pin });
  await say('The same challenge once more', 1, 'REJECT CHALLENGE_REUSED', { pin, challengeId: right.challengeId });
  await say('Another voice, though with the right PIN', 1, 'REJECT VOICE_MISMATCH', { pin, who: strangerName });
  await say('The right voice, a wrong PIN', 2, 'REJECT PIN_FAILED', { pin: '918264' });
  await say('A change of plan: no trusted phrase check', 3, 'STEP_UP PHRASE_NOT_CHECKED', {
    pin,
    tier: 'standard',
  });
  await say('Silence instead of digits', 0, 'CONTINUE NOT_ENOUGH_SPEECH', { pin, file: 'odd/silence.wav' });
  for (let more = 3; more <= 5; more++) {
    await say(`A thief with a wrong PIN, failure ${more}`, 2, 'REJECT VOICE_MISMATCH', {
      pin: '918264',
      who: strangerName,
    });
  }
  await say('Locked: even the right voice and PIN wait', 1, 'REJECT LOCKED', { pin });
  await step('An agent unlocks the account', 'ok', () =>
    client.json('POST', `/v1/accounts/${account}/unlock`, { agentId: 'agent-12', reason: 'passport seen' }),
  );
  await say('And the caller is served again', 3, 'ACCEPT', { pin });
  const audit = await client.json('GET', '/v1/audit?limit=1000');
  const entries = audit.body.entries as unknown[];
  teller.row('Audit', `${entries.length} sealed entries, head signed`, entries.length > 10 && audit.body.head !== null);
  await step('The account is erased on request', 'ok', () => client.json('DELETE', `/v1/accounts/${account}`));
  return outcome;
}

/** What is said, by whom, with what. */
interface Saying {
  readonly pin: string;
  readonly tier?: string;
  readonly who?: string;
  readonly file?: string;
  readonly challengeId?: string;
}

/** The verbs of the story. */
interface Teller {
  readonly enrol: () => Promise<void>;
  readonly say: (
    title: string,
    utterance: number,
    expected: string,
    how: Saying,
  ) => Promise<{ readonly challengeId: string }>;
  readonly step: (title: string, expected: string, act: () => Promise<Answer>) => Promise<Answer>;
  readonly row: (title: string, found: string, asTold: boolean) => void;
}

function createTeller(client: Client, row: Teller['row']): Teller {
  async function enrol(): Promise<void> {
    await step('A caller’s account', 'ok', () => client.json('PUT', `/v1/accounts/${account}`));
    await step('No voiceprint without consent', 'consent_missing', () =>
      client.json('POST', `/v1/accounts/${account}/enrolments`, { agentId: 'agent-12' }),
    );
    await step('Consent, recorded', 'ok', () =>
      client.json('POST', `/v1/accounts/${account}/consents`, {
        purpose: 'authentication',
        textVersion: '2026-11',
        channel: 'ivr',
      }),
    );
    await step('A PIN that is too simple', 'pin_too_simple', () =>
      client.json('PUT', `/v1/accounts/${account}/pin`, { pin: '123456' }),
    );
    await step('A better PIN', 'ok', () => client.json('PUT', `/v1/accounts/${account}/pin`, { pin }));
    const enrolment = await step('Enrolment, opened with the PIN', 'ok', () =>
      client.json('POST', `/v1/accounts/${account}/enrolments`, { pin, language: 'zh' }),
    );
    const path = `/v1/enrolments/${String(enrolment.body.enrolmentId)}`;
    for (let utterance = 1; utterance <= 5; utterance++) {
      const answer = await client.form(
        `${path}/utterances`,
        {},
        fixture(`callers/${callerName}/enrol-${utterance}.wav`),
      );
      const { quality, progress } = answer.body as {
        quality: { netSpeechSeconds: number; snrDb: number | null };
        progress: { netSpeechSeconds: number; netSpeechSecondsNeeded: number; complete: boolean };
      };
      row(
        `  utterance ${utterance}`,
        `${quality.netSpeechSeconds.toFixed(1)} s of speech, SNR ${quality.snrDb?.toFixed(0) ?? '–'} dB; ` +
          `${progress.netSpeechSeconds.toFixed(1)} of ${progress.netSpeechSecondsNeeded} s`,
        answer.body.accepted === true,
      );
      if (progress.complete) break;
    }
    await step('The voiceprint is made', 'ok', () => client.json('POST', `${path}/complete`));
  }

  async function say(
    title: string,
    utterance: number,
    expected: string,
    how: Saying,
  ): Promise<{ challengeId: string }> {
    let { challengeId } = how;
    if (challengeId === undefined) {
      const challenge = await client.json('POST', `/v1/accounts/${account}/challenges`, { language: 'zh' });
      challengeId = String(challenge.body.challengeId);
    }
    const audio = fixture(how.file ?? `callers/${how.who ?? callerName}/verify-${utterance}.wav`);
    const fields = { accountId: account, challengeId, tier: how.tier ?? 'low', pin: how.pin };
    const { body } = await client.form('/v1/verifications', fields, audio);
    const { voice, pin: pinFound } = (body.evidence ?? { voice: { kind: 'none' } }) as {
      voice: { kind: string; cosine?: number; llr?: number };
      pin?: string;
    };
    const reasons = (body.reasons ?? []) as string[];
    const found = [body.decision, ...reasons].join(' ');
    const scores =
      voice.kind === 'compared'
        ? `cosine ${voice.cosine?.toFixed(2)}, LLR ${voice.llr?.toFixed(1)}`
        : 'voice not compared';
    const [decision, reason] = expected.split(' ');
    row(
      title,
      `${found.padEnd(34)} ${scores}, PIN ${pinFound ?? '–'}`,
      body.decision === decision && (reason === undefined || reasons.includes(reason)),
    );
    return { challengeId };
  }

  async function step(title: string, expected: string, act: () => Promise<Answer>): Promise<Answer> {
    const answer = await act();
    const found = answer.status < 300 ? 'ok' : String(answer.body.code);
    row(title, found, found === expected);
    return answer;
  }

  return { enrol, say, step, row };
}
