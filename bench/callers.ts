import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { audioFixturesDir } from '../src/paths.js';
import type { Answer, Client } from './client.js';

/** The PIN that benches and tests give their callers. */
export const benchPin = '730529';

/**
 * The language of prompts that are answered with recordings of other digits. The recogniser's card calls English experimental, so what was said
 * counts neither way, and the voice alone makes the difference.
 */
export const unheardLanguage = 'en';

/** A recording of the fixtures. */
export function fixture(path: string): Buffer {
  return readFileSync(join(audioFixturesDir, path));
}

/** Enrols a caller with five recordings of any digits: account, consent, PIN, utterances until there is enough, voiceprint. */
export async function enrolCaller(client: Client, accountId: string, recordings: readonly Buffer[]): Promise<void> {
  expect(await client.json('PUT', `/v1/accounts/${accountId}`), 201);
  const consent = { purpose: 'authentication', textVersion: '1', channel: 'ivr' };
  expect(await client.json('POST', `/v1/accounts/${accountId}/consents`, consent), 201);
  expect(await client.json('PUT', `/v1/accounts/${accountId}/pin`, { pin: benchPin }), 200);
  const enrolment = await client.json('POST', `/v1/accounts/${accountId}/enrolments`, {
    agentId: 'bench',
    language: unheardLanguage,
  });
  expect(enrolment, 201);
  const path = `/v1/enrolments/${String(enrolment.body.enrolmentId)}`;
  for (const recording of recordings) {
    const answer = expect(await client.form(`${path}/utterances`, {}, recording), 200);
    if ((answer.body.progress as { complete: boolean }).complete) break;
  }
  expect(await client.json('POST', `${path}/complete`), 201);
}

/** The id of a challenge that any digits answer. */
export async function challengeFor(client: Client, accountId: string): Promise<string> {
  const asked = await client.json('POST', `/v1/accounts/${accountId}/challenges`, { language: unheardLanguage });
  return String(expect(asked, 201).body.challengeId);
}

/** The answer, if it has the status. @throws Error with the answer's body otherwise */
export function expect(answer: Answer, status: number): Answer {
  if (answer.status !== status)
    throw new Error(`${answer.status} instead of ${status}: ${JSON.stringify(answer.body)}`);
  return answer;
}
