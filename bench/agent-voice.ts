import { readdir } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { activityNetworkOf, loadActivityCard } from '../src/audio/activity-card.js';
import { leakage } from '../src/audio/leakage.js';
import { SpeechActivityDetector } from '../src/audio/speech-activity.js';
import { defaultModelId } from '../src/config.js';
import { createEmbedder } from '../src/embedding/embedder.js';
import { loadModelCard, networkOf } from '../src/embedding/model-card.js';
import { startInferencePool } from '../src/inference/pool.js';
import { modelsDir } from '../src/paths.js';
import { RunningVoice } from '../src/scoring/running-voice.js';
import { loadScorer, scoreVoice } from '../src/scoring/score-voice.js';
import { createEars, type Heard } from '../src/service/listen.js';
import { throughTelephone } from '../src/tuning/telephone.js';
import { seededRandom } from './activity-noise.js';
import { decodeFile } from './calibration/decode-file.js';
import { joined } from './calibration/tape.js';

/** Lists whose speakers have recordings enough; of one language and kind of recording each, so that strangers are as alike as they may be. */
const lists = ['ivr-digits', 'zh-digits', 'zh-read', 'zh-words', 'en-mandarin-natives', 'fr-read'];
/** Recordings that the agent's print is made of, and the least net speech of an utterance, seconds. */
const agentFiles = 3;
const leastSeconds = 1.5;
const thresholds = [0, 1, 2, 3];
const sampleRateHz = 8000;
/** From there on a leak is taken for one (voiceprint/judge-utterance.ts). */
const mostLeakage = 0.2;

interface Spoken {
  readonly heard: Heard;
  /** Of each of its windows. */
  readonly pieces: readonly { readonly vector: Float32Array; readonly netSpeechSeconds: number }[];
}
interface Recording extends Spoken {
  readonly speaker: string;
  readonly samples: Float32Array;
}

/**
 * How well an agent is kept out of a customer's utterances, by voice and by echo, on recordings through a simulated telephone: the agent's own utterances, other
 * speakers', both in one utterance, and echoes of the agent's leg. @param most speakers of a list
 */
export async function benchAgentVoice(speechDir: string, most: number, print = console.log): Promise<void> {
  const dirs = { speaker: join(modelsDir, defaultModelId), activity: join(modelsDir, 'activity-8k') };
  const [card, activityCard] = [await loadModelCard(dirs.speaker), await loadActivityCard(dirs.activity)];
  const networks = [networkOf(card, dirs.speaker), activityNetworkOf(activityCard, dirs.activity)];
  const pool = await startInferencePool({ networks, workers: availableParallelism(), queueLimit: 1000 });
  const scorer = await loadScorer(dirs.speaker, card);
  const ears = createEars({
    limits: { maxBytes: 0, maxSeconds: 0, ffmpegPath: '', ffmpegProcesses: 0, ffmpegTimeoutMs: 0 },
    activity: new SpeechActivityDetector(pool, activityCard),
    embedders: [createEmbedder(pool, card)],
    recogniser: null,
    onStage: () => undefined,
  });
  const hear = async (samples: Float32Array): Promise<Spoken> => {
    const heard = await ears.hear({ samples, sampleRateHz }, { hears: 'caller' });
    return { heard, pieces: (await Promise.all(heard.windows.map((one) => ears.embedPieces(one, card.id)))).flat() };
  };
  try {
    print('| list | agent / others / both | ' + thresholds.map((llr) => `LLR ${llr}`).join(' | ') + ' | two voices |');
    print('| --- |'.padEnd(8 + 6 * (thresholds.length + 2), ' --- |'));
    const leaks = new Map<string, number[]>();
    for (const list of lists) {
      const folder = join(speechDir, 'dev', list);
      const speakers = new Map<string, Recording[]>();
      for (const file of (await readdir(folder)).filter((name) => name.endsWith('.flac')).sort()) {
        const speaker = file.split('_')[0] ?? '';
        const of = speakers.get(speaker) ?? [];
        if ((speakers.size >= most && of.length === 0) || of.length >= agentFiles + 2) continue;
        const samples = throughTelephone(await decodeFile(join(folder, file)), 'mulaw');
        speakers.set(speaker, [...of, { speaker, samples, ...(await hear(samples)) }]);
      }
      const agents = [...speakers.values()].filter((files) => files.length > agentFiles);
      const tests = agents.flatMap((files) =>
        files.slice(agentFiles).filter(({ heard }) => heard.report.netSpeechSeconds >= leastSeconds),
      );
      const [own, others, both] = [[], [], []] as [number[], number[], number[]];
      let twoVoices = 0;
      for (const [index, files] of agents.entries()) {
        const voice = new RunningVoice();
        for (const { heard } of files.slice(0, agentFiles)) {
          if (heard.embedding !== null) voice.add(heard.embedding.vector, heard.embedding.netSpeechSeconds);
        }
        const vector = voice.mean();
        if (vector === null) continue;
        const enrolment = { vector, netSpeechSeconds: voice.netSpeechSeconds };
        const likeness = ({ heard: { embedding, report }, pieces }: Spoken): number =>
          Math.max(
            ...[...(embedding === null ? [] : [embedding]), ...pieces].map(
              (test) => scoreVoice({ enrolment, test: { ...test, snrDb: report.snrDb } }, scorer).llr,
            ),
          );
        const agent = files[0]?.speaker;
        for (const test of tests) (test.speaker === agent ? own : others).push(likeness(test));
        const customer = tests.find(({ speaker }) => speaker === agents[(index + 1) % agents.length]?.[0]?.speaker);
        const said = files[agentFiles];
        if (customer === undefined || said === undefined) continue;
        const spoken = await hear(joined([customer.samples, new Float32Array(2400), said.samples]));
        const { heard } = spoken;
        both.push(likeness(spoken));
        if (heard.minWindowCosine !== null && heard.minWindowCosine < 0.16) twoVoices++;
        for (const [name, value] of echoes(customer.samples, said.samples)) {
          leaks.set(name, [...(leaks.get(name) ?? []), value]);
        }
      }
      const share = (llrs: readonly number[], threshold: number): string =>
        ((100 * llrs.filter((llr) => llr >= threshold).length) / llrs.length).toFixed(1);
      const cells = thresholds.map((llr) => `${share(own, llr)} / ${share(others, llr)} / ${share(both, llr)}`);
      const counts = `${own.length} / ${others.length} / ${both.length}`;
      print(`| ${list} | ${counts} | ${cells.join(' | ')} | ${((100 * twoVoices) / both.length).toFixed(1)} |`);
    }
    print('\n| in the customer’s leg | calls | taken for a leak % | median | 99th percentile |');
    print('| --- | --- | --- | --- | --- |');
    for (const [name, values] of leaks) {
      const sorted = [...values].sort((a, b) => a - b);
      const at = (rank: number): string => (sorted[Math.floor(rank * (sorted.length - 1))] ?? 0).toFixed(2);
      const found = (100 * values.filter((value) => value >= mostLeakage).length) / values.length;
      print(`| ${name} | ${values.length} | ${found.toFixed(1)} | ${at(0.5)} | ${at(0.99)} |`);
    }
  } finally {
    await pool.close();
  }
}

/** What `leakage` says of echoes of the agent, over a hybrid of a few milliseconds or a room's 60, 10 to 500 ms later. */
function* echoes(customer: Float32Array, agent: Float32Array): Generator<readonly [string, number]> {
  const length = Math.min(customer.length, agent.length);
  const [own, sent] = [customer.subarray(0, length), agent.subarray(0, length)];
  const random = seededRandom(length);
  yield ['the customer alone', leakage(own, sent, 0, sampleRateHz)];
  for (const [path, taps, decay] of [
    ['line', 80, 10],
    ['room', 480, 160],
  ] as const) {
    const delay = Math.round((0.01 + 0.49 * random()) * sampleRateHz);
    const response = Float32Array.from({ length: taps }, (_, n) =>
      n === 0 ? 1 : 0.5 * (2 * random() - 1) * Math.exp(-n / decay),
    );
    const echo = Float32Array.from({ length }, (_, n) => {
      let sum = 0;
      for (let k = 0; k < taps; k++) sum += (response[k] as number) * (sent[n - delay - k] ?? 0);
      return sum;
    });
    const unit = rms(own) / rms(echo);
    for (const db of [-10, -30]) {
      const alone = echo.map((x) => x * unit * 10 ** (db / 20) + (random() - 0.5) * 2e-3);
      yield [`echo by ${path} alone, ${db} dB`, leakage(alone, sent, 0, sampleRateHz)];
    }
    for (const db of [0, -6, -10, -20]) {
      const mixed = own.map((x, n) => x + (echo[n] as number) * unit * 10 ** (db / 20));
      yield [`the customer and an echo by ${path}, ${db} dB`, leakage(mixed, sent, 0, sampleRateHz)];
    }
  }
}

const rms = (samples: Float32Array): number => Math.sqrt(samples.reduce((sum, x) => sum + x * x, 0) / samples.length);
