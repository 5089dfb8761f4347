import { readFile } from 'node:fs/promises';
import { challengeFor, enrolCaller, expect, fixture } from './callers.js';
import { forget, serve } from './served.js';
import { median } from './statistics.js';

const sampleRateHz = 8000;
const inFlight = 4;

/**
 * Resident memory of the service over many verifications of random lengths, 1 to 20 s. The last quarter's median is to be no higher than
 * the second's plus 5 %: what still grows after the first quarter is a leak.
 * @param verifications how many; 20,000 take about half an hour on two cores
 */
export async function benchMemory(verifications: number): Promise<void> {
  const served = await serve({ env: { VOICEGATE_WORKERS: '2' } });
  try {
    const { client } = served;
    const speech = Buffer.concat(
      [1, 2, 3, 4, 5].map((number) => samplesOf(fixture(`callers/zh-f4/enrol-${number}.wav`))),
    );
    const account = 'bench-memory';
    await enrolCaller(
      client,
      account,
      [1, 2, 3, 4, 5].map((number) => fixture(`callers/zh-f4/enrol-${number}.wav`)),
    );
    const residentMiB: number[] = [];
    let next = 0;
    const line = async (): Promise<void> => {
      while (next < verifications) {
        const number = next++;
        const seconds = 1 + 19 * random(number);
        const wanted = Math.round(seconds * sampleRateHz);
        const audio = Buffer.concat(Array.from({ length: Math.ceil(wanted / speech.length) }, () => speech)).subarray(
          0,
          wanted,
        );
        const fields = { accountId: account, challengeId: await challengeFor(client, account), tier: 'low' };
        expect(await client.form('/v1/verifications', fields, audio, 'audio/PCMU'), 200);
        if (number % 50 === 0) residentMiB.push(await residentOf(served.pid));
        if (number % 1000 === 0)
          process.stdout.write(`${number} of ${verifications}: ${residentMiB.at(-1)?.toFixed(0)} MiB\n`);
      }
    };
    await Promise.all(Array.from({ length: inFlight }, line));
    const quarter = Math.floor(residentMiB.length / 4);
    const medians = [0, 1, 2, 3].map((index) => median(residentMiB.slice(index * quarter, (index + 1) * quarter)));
    process.stdout.write(`resident memory by quarter, MiB: ${medians.map((value) => value.toFixed(0)).join(', ')}\n`);
    process.stdout.write(
      `last quarter over second: ${(100 * ((medians[3] ?? 0) / (medians[1] ?? 1) - 1)).toFixed(1)} %\n`,
    );
  } finally {
    await served.end('SIGTERM');
    await forget(served.dataDir);
  }
}

/** The µ-law bytes of a fixture: its data chunk. */
function samplesOf(wav: Buffer): Buffer {
  return wav.subarray(wav.indexOf('data') + 8);
}

/** Numbers in [0, 1) that are the same in every run. */
function random(number: number): number {
  return (Math.imul(number + 1, 2654435761) >>> 0) / 2 ** 32;
}

async function residentOf(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024;
}
