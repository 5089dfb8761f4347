import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { defaultPolicy } from '../src/decision/policy.js';
import { rootDir } from '../src/paths.js';
import { speakerLists } from './activity-files.js';
import { benchPin, challengeFor, expect, unheardLanguage } from './callers.js';
import type { Client } from './client.js';
import { forget, serve } from './served.js';

/** What came of one list. */
export interface ListOutcome {
  readonly list: string;
  readonly enrolled: number;
  /** Error codes of enrolments that did not become a voiceprint, with their numbers. */
  readonly notEnrolled: Readonly<Record<string, number>>;
  /** Decisions for the enrolled caller's own recordings, and for others'. */
  readonly genuine: Readonly<Record<string, number>>;
  readonly impostor: Readonly<Record<string, number>>;
}

/** Where the speech folder is: VOICEGATE_SPEECH_DIR, else beside the repository. Null where it is absent. */
export function speechDir(): string | null {
  const dir = process.env.VOICEGATE_SPEECH_DIR ?? join(rootDir, '..', 'shared', 'speech');
  return existsSync(join(dir, 'dev')) ? dir : null;
}

/**
 * Enrols and verifies the real callers of the dev lists over HTTP, each call with the right PIN at the low tier, so that the voice alone
 * makes the difference. Prints accept and reject counts per list. Same-session recordings flatter every figure.
 * @param perKind most genuine calls, and most impostors', of a list
 */
export async function benchRealCallers(
  perKind: number,
  lists: readonly string[] = speakerLists,
): Promise<readonly ListOutcome[]> {
  const dir = speechDir();
  if (dir === null) {
    process.stdout.write('the speech folder is absent: set VOICEGATE_SPEECH_DIR\n');
    return [];
  }
  const served = await serve();
  const outcomes: ListOutcome[] = [];
  try {
    await forShortRecordings(served.client);
    for (const list of lists) {
      const outcome = await callersOf(served.client, list, join(dir, 'dev', list), perKind);
      outcomes.push(outcome);
      process.stdout.write(
        `${list.padEnd(20)} enrolled ${String(outcome.enrolled).padStart(3)} ${shown(outcome.notEnrolled).padEnd(32)} ` +
          `own voice: ${shown(outcome.genuine).padEnd(44)} other voices: ${shown(outcome.impostor)}\n`,
      );
    }
  } finally {
    await served.end('SIGTERM');
    await forget(served.dataDir);
  }
  return outcomes;
}

/** The lists enrol with 2 or 3 short files: the default policy with less speech asked for, and no counting of failures by key. */
async function forShortRecordings(client: Client): Promise<void> {
  const policy = {
    ...defaultPolicy,
    name: 'real callers of the dev lists',
    enrolment: { ...defaultPolicy.enrolment, utterances: 2, netSpeechSeconds: 3, minUtteranceNetSpeechSeconds: 0.8 },
    velocity: { ...defaultPolicy.velocity, maxDistinctAccountsPerKey: null, maxFailuresPerKey: null },
  };
  const { body } = expect(await client.json('PUT', '/v1/policies', policy), 201);
  expect(await client.json('POST', `/v1/policies/${String(body.version)}/activate`), 200);
}

async function callersOf(client: Client, list: string, dir: string, perKind: number): Promise<ListOutcome> {
  const enrolled = new Set<string>();
  const notEnrolled: Record<string, number> = {};
  for (const { model, files } of rows(dir, 'enrol.tsv')) {
    const account = `${list}-${model}`;
    const fault = await enrol(
      client,
      account,
      (files ?? '').split(',').map((file) => readFileSync(join(dir, file))),
    );
    if (fault === null) enrolled.add(model ?? '');
    else count(notEnrolled, fault);
  }
  const outcome = { genuine: {}, impostor: {} };
  const trials = rows(dir, 'trials.tsv').filter(({ model }) => enrolled.has(model ?? ''));
  for (const [kind, label] of [
    ['genuine', 'target'],
    ['impostor', 'nontarget'],
  ] as const) {
    for (const { model, test } of spread(
      trials.filter((trial) => trial.label === label),
      perKind,
    )) {
      const accountId = `${list}-${model}`;
      const fields = { accountId, challengeId: await challengeFor(client, accountId), tier: 'low', pin: benchPin };
      const recording = readFileSync(join(dir, test ?? ''));
      const { body } = expect(await client.form('/v1/verifications', fields, recording, 'audio/flac'), 200);
      count(outcome[kind], String(body.decision));
      if (body.decision === 'REJECT') expect(await client.json('POST', `/v1/accounts/${accountId}/unlock`, {}), 200);
    }
  }
  return { list, enrolled: enrolled.size, notEnrolled, ...outcome };
}

/** Null when a voiceprint was made, else the code of what kept it from being made. */
async function enrol(client: Client, accountId: string, recordings: readonly Buffer[]): Promise<string | null> {
  expect(await client.json('PUT', `/v1/accounts/${accountId}`), 201);
  const consent = { purpose: 'authentication', textVersion: '1', channel: 'ivr' };
  expect(await client.json('POST', `/v1/accounts/${accountId}/consents`, consent), 201);
  expect(await client.json('PUT', `/v1/accounts/${accountId}/pin`, { pin: benchPin }), 200);
  const enrolment = expect(
    await client.json('POST', `/v1/accounts/${accountId}/enrolments`, { agentId: 'bench', language: unheardLanguage }),
    201,
  );
  const path = `/v1/enrolments/${String(enrolment.body.enrolmentId)}`;
  for (const recording of recordings) {
    expect(await client.form(`${path}/utterances`, {}, recording, 'audio/flac'), 200);
  }
  const made = await client.json('POST', `${path}/complete`);
  return made.status === 201 ? null : String(made.body.code);
}

function rows(dir: string, file: string): Record<string, string>[] {
  const [head = '', ...lines] = readFileSync(join(dir, file), 'utf8').trim().split('\n');
  const names = head.split('\t');
  return lines.map((line) => Object.fromEntries(line.split('\t').map((value, index) => [names[index] ?? '', value])));
}

/** At most `most` values, evenly spread over the list. */
function spread<T>(values: readonly T[], most: number): T[] {
  const step = Math.max(1, values.length / most);
  return Array.from({ length: Math.min(values.length, most) }, (_, index) => values[Math.floor(index * step)] as T);
}

function count(counts: Record<string, number>, key: string): void {
  counts[key] = (counts[key] ?? 0) + 1;
}

function shown(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .sort(([a], [b]) => a.localeCompare(b))
    .map(([name, number]) => `${name} ${number}`)
    .join(', ');
}
