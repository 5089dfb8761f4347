import { defaultPolicy } from '../src/decision/policy.js';
import { fixture } from './callers.js';
import type { Answer, Client } from './client.js';
import { sayDigits, spokenType, type Speaker } from './spoken-digits.js';

const callerName: Speaker = 'en-rms';
const strangerName: Speaker = 'en-slt';
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
 * the erasure. They say the digits they are asked for, in English, which the story's operator comes to trust the recogniser with. A row is printed for each step, with scores and reasons.
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
  const right = await say('The right voice, right PIN', 'ACCEPT', { pin });
  await say('The same challenge once more', 'REJECT CHALLENGE_REUSED', { pin, asked: right });
  await say('Another voice, though with the right PIN', 'CONTINUE VOICE_UNSURE', { pin, who: strangerName });
  await say('The right voice, a wrong PIN', 'REJECT PIN_FAILED', { pin: '918264' });
  await say('A change of plan: experimental phrase check', 'STEP_UP PHRASE_NOT_CHECKED', { pin, tier: 'standard' });
  await step('The operator trusts it in English', 'ok', async () => {
    const challenge = { ...defaultPolicy.challenge, trustedExperimentalLanguages: ['en'] };
    const { body } = await client.json('PUT', '/v1/policies', { ...defaultPolicy, name: 'trusts English', challenge });
    return client.json('POST', `/v1/policies/${String(body.version)}/activate`);
  });
  await say('The change of plan again', 'ACCEPT', { pin, tier: 'standard' });
  await say('The right voice, other digits', 'REJECT WRONG_TEXT', { pin, says: '40404040' });
  await say('Silence instead of digits', 'CONTINUE NOT_ENOUGH_SPEECH', { pin, file: 'odd/silence.wav' });
  for (let more = 2; more <= 5; more++) {
    await say(`A thief with a wrong PIN, failure ${more}`, 'REJECT PIN_FAILED', {
      pin: '918264',
      who: strangerName,
    });
  }
  await say('Locked: even the right voice and PIN wait', 'REJECT LOCKED', { pin });
  await step('An agent unlocks the account', 'ok', () =>
    client.json('POST', `/v1/accounts/${account}/unlock`, { agentId: 'agent-12', reason: 'passport seen' }),
  );
  await say('And the caller is served again', 'ACCEPT', { pin });
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
  readonly who?: Speaker;
  /** Digits said; by default those asked for. */
  readonly says?: string;
  /** A recording instead. */
  readonly file?: string;
  /** A challenge that was given before. */
  readonly asked?: Asked;
}

interface Asked {
  readonly challengeId: string;
  readonly digits: string;
}

/** The verbs of the story. */
interface Teller {
  readonly enrol: () => Promise<void>;
  readonly say: (title: string, expected: string, how: Saying) => Promise<Asked>;
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
      client.json('POST', `/v1/accounts/${account}/enrolments`, { pin, language: 'en' }),
    );
    const path = `/v1/enrolments/${String(enrolment.body.enrolmentId)}`;
    const { prompts } = enrolment.body as { prompts: { digits: string }[] };
    for (const [index, { digits }] of prompts.entries()) {
      const said = sayDigits(callerName, digits);
      const answer = await client.form(`${path}/utterances`, {}, said, spokenType);
      const { quality, phrase, progress } = answer.body as {
        quality: { netSpeechSeconds: number; snrDb: number | null };
        phrase: Phrase;
        progress: { netSpeechSeconds: number; netSpeechSecondsNeeded: number; complete: boolean };
      };
      row(
        `  utterance ${index + 1}`,
        `${quality.netSpeechSeconds.toFixed(1)} s of speech, SNR ${quality.snrDb?.toFixed(0) ?? '–'} dB; ` +
          `${progress.netSpeechSeconds.toFixed(1)} of ${progress.netSpeechSecondsNeeded} s; phrase ${shown(phrase)}`,
        answer.body.accepted === true,
      );
      if (progress.complete) break;
    }
    await step('The voiceprint is made', 'ok', () => client.json('POST', `${path}/complete`));
  }

  async function say(title: string, expected: string, how: Saying): Promise<Asked> {
    const asked =
      how.asked ??
      ((await client.json('POST', `/v1/accounts/${account}/challenges`, { language: 'en' })).body as unknown as Asked);
    const fields = { accountId: account, challengeId: asked.challengeId, tier: how.tier ?? 'low', pin: how.pin };
    const { body } =
      how.file === undefined
        ? await client.form(
            '/v1/verifications',
            fields,
            sayDigits(how.who ?? callerName, how.says ?? asked.digits),
            spokenType,
          )
        : await client.form('/v1/verifications', fields, fixture(how.file));
    const evidence = (body.evidence ?? { voice: { kind: 'none' }, phrase: { kind: 'none' } }) as {
      voice: { kind: string; cosine?: number; llr?: number };
      phrase: Phrase;
      pin?: string;
    };
    const { voice } = evidence;
    const reasons = (body.reasons ?? []) as string[];
    const found = [body.decision, ...reasons].join(' ');
    const scores =
      voice.kind === 'compared'
        ? `cosine ${voice.cosine?.toFixed(2)}, LLR ${voice.llr?.toFixed(1)}`
        : 'voice not compared';
    const [decision, reason] = expected.split(' ');
    row(
      title,
      `${found.padEnd(34)} ${scores}, phrase ${shown(evidence.phrase)}, PIN ${evidence.pin ?? '–'}`,
      body.decision === decision && (reason === undefined || reasons.includes(reason)),
    );
    return asked;
  }

  async function step(title: string, expected: string, act: () => Promise<Answer>): Promise<Answer> {
    const answer = await act();
    const found = answer.status < 300 ? 'ok' : String(answer.body.code);
    row(title, found, found === expected);
    return answer;
  }

  return { enrol, say, step, row };
}

/** The phrase check as an answer has it. */
interface Phrase {
  readonly kind: string;
  readonly verdict?: string;
  readonly llr?: number;
}

const shown = ({ kind, verdict, llr }: Phrase): string =>
  kind === 'checked' ? `${verdict} ${llr?.toFixed(1)}` : 'not checked';
