import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { rootDir } from '../src/paths.js';
import { roles } from '../src/service/ports.js';
import { createClient, type Client } from './client.js';

/** The service as a process of its own, as an operator runs it. */
export interface Served {
  readonly url: string;
  readonly dataDir: string;
  readonly apiKey: string;
  readonly client: Client;
  readonly pid: number;
  /** Everything it wrote to its log. */
  readonly log: () => string;
  /** Sends a signal and waits for the end; answers the exit code, null when it was killed. */
  end(signal: NodeJS.Signals): Promise<number | null>;
}

/**
 * Starts `main.js` on a free port and waits until it is ready.
 * @param dataDir an existing folder to start on again; default: a fresh temporary one
 * @param nodeOptions of Node.js itself, e.g. `--cpu-prof`
 * @param env further settings (the log level must let the line `ready` through); DATABASE_URL among them for a server
 */
export async function serve(
  options: {
    readonly dataDir?: string;
    readonly env?: Record<string, string>;
    readonly apiKey?: string;
    readonly nodeOptions?: readonly string[];
  } = {},
): Promise<Served> {
  const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'voicegate-')));
  const env = {
    PATH: process.env.PATH,
    VOICEGATE_DATA_DIR: dataDir,
    VOICEGATE_PORT: '0',
    VOICEGATE_RATE_PER_MINUTE: '1000000',
    ...options.env,
  };
  const child = spawn(process.execPath, [...(options.nodeOptions ?? []), join(rootDir, 'dist', 'src', 'main.js')], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const lines: string[] = [];
  const url = await ready(child, lines);
  const apiKey = options.apiKey ?? (await firstKey(env, dataDir));
  return {
    url,
    dataDir,
    apiKey,
    client: createClient(url, apiKey),
    pid: child.pid ?? 0,
    log: () => lines.join(''),
    end: (signal) =>
      new Promise((resolve) => {
        if (child.exitCode !== null || child.signalCode !== null) resolve(child.exitCode);
        child.once('exit', (code) => resolve(code));
        child.kill(signal);
      }),
  };
}

/** On the embedded database the first key lies in the folder; on a server one is made with the command line. */
async function firstKey(env: NodeJS.ProcessEnv, dataDir: string): Promise<string> {
  if (env.DATABASE_URL === undefined) return (await readFile(join(dataDir, 'first-api-key'), 'utf8')).trim();
  const words = ['keys', 'create', '--label', 'bench', '--answer', 'full', '--role', ...roles];
  return execFileSync(process.execPath, [join(rootDir, 'dist', 'src', 'cli.js'), ...words], {
    env,
    encoding: 'utf8',
  }).trim();
}

/** Removes a service's folder. */
export async function forget(dataDir: string): Promise<void> {
  await rm(dataDir, { recursive: true, force: true });
}

function ready(child: ChildProcess, lines: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    let rest = '';
    child.stderr?.on('data', (chunk: Buffer) => lines.push(chunk.toString()));
    child.stdout?.on('data', (chunk: Buffer) => {
      lines.push(chunk.toString());
      rest += chunk.toString();
      const url = /"url":"([^"]+)".*"msg":"ready"/.exec(rest)?.[1];
      if (url !== undefined) resolve(url);
    });
    child.once('exit', (code) =>
      reject(new Error(`the service ended with ${code} before it was ready: ${lines.join('')}`)),
    );
  });
}
