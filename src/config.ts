import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { Type, type Static } from 'typebox';
import { Value } from 'typebox/value';
import { VoicegateError } from './errors.js';
import { rootDir } from './paths.js';

/** The speaker model that is used where none is named: why this one is said in models/README.md. */
export const defaultModelId = 'voicegate-8k-4-int8';

/** An API key, a secret of at least 16 bytes, and perhaps a tenant. */
const audioHookKey = '[^\\s:,]+:[A-Za-z0-9+/]{22,}={0,2}(:[a-z0-9-]+)?';

/**
 * Every setting with its range, default and meaning. The README's table is generated from this list
 * (`voicegate config`), so a setting is described once.
 */
const settings = {
  VOICEGATE_HOST: Type.String({ default: '127.0.0.1', minLength: 1, description: 'Address to listen on' }),
  VOICEGATE_PORT: Type.Integer({
    default: 8080,
    minimum: 0,
    maximum: 65535,
    description: 'Port to listen on; 0 picks a free one',
  }),
  VOICEGATE_DATA_DIR: Type.String({
    default: 'data',
    minLength: 1,
    description: 'Folder of the embedded database and of secrets made on first start (mode 0700)',
  }),
  DATABASE_URL: Type.Optional(
    Type.String({
      pattern: '^postgres(ql)?://',
      description: 'PostgreSQL 14 or later with pgvector; absent: the embedded database in the data folder',
    }),
  ),
  VOICEGATE_DATABASE_CONNECTIONS: Type.Integer({
    default: 10,
    minimum: 1,
    maximum: 200,
    description: 'Most connections to PostgreSQL from this process',
  }),
  VOICEGATE_PIN_PEPPER: Type.Optional(
    Type.String({ pattern: '^[0-9a-fA-F]{64}$', description: 'Secret: 32 bytes in hex that every PIN hash needs' }),
  ),
  VOICEGATE_AUDIT_KEY: Type.Optional(
    Type.String({
      pattern: '^[0-9a-fA-F]{64}$',
      description: 'Secret: 32 bytes in hex that seal the audit and key the hashes of lines and opt-outs',
    }),
  ),
  VOICEGATE_MODEL: Type.String({
    default: defaultModelId,
    pattern: '^[A-Za-z0-9][A-Za-z0-9._-]*$',
    description: 'Speaker model: a folder name in models/ or among the installed models',
  }),
  VOICEGATE_SECOND_MODEL: Type.Optional(
    Type.String({
      pattern: '^[A-Za-z0-9][A-Za-z0-9._-]*$',
      description:
        'Speaker model beside it while a model is changed, the next or the last one: each judges the voiceprints that it made',
    }),
  ),
  VOICEGATE_RECOGNISER: Type.String({
    default: 'digits-8k',
    pattern: '^[A-Za-z0-9][A-Za-z0-9._-]*$',
    description: 'Digit recogniser: a folder name in models/ or among the installed models',
  }),
  VOICEGATE_CALIBRATION: Type.Optional(
    Type.String({
      pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$',
      description: 'Calibration that `voicegate adapt` made, by its version; absent: the one that came with the model',
    }),
  ),
  VOICEGATE_MODELS_DIR: Type.Optional(
    Type.String({
      minLength: 1,
      description: 'Folder of models installed by `voicegate models`; absent: models in the data folder',
    }),
  ),
  VOICEGATE_WORKERS: Type.Integer({
    default: Math.max(1, availableParallelism()),
    minimum: 1,
    maximum: 256,
    description: 'Inference worker threads; the default is one a core',
  }),
  VOICEGATE_QUEUE_LIMIT: Type.Integer({
    default: 64,
    minimum: 1,
    maximum: 10000,
    description: 'Inference tasks that may wait; beyond it requests get 503 with Retry-After',
  }),
  VOICEGATE_MAX_BODY_BYTES: Type.Integer({
    default: 8_388_608,
    minimum: 65_536,
    maximum: 134_217_728,
    description: 'Largest request body',
  }),
  VOICEGATE_MAX_AUDIO_SECONDS: Type.Integer({
    default: 60,
    minimum: 5,
    maximum: 600,
    description: 'Longest recording accepted',
  }),
  VOICEGATE_RATE_PER_MINUTE: Type.Integer({
    default: 1200,
    minimum: 1,
    maximum: 1_000_000,
    description: 'Requests a minute per API key and node; beyond it 429 with Retry-After',
  }),
  VOICEGATE_REQUEST_TIMEOUT_MS: Type.Integer({
    default: 30_000,
    minimum: 1000,
    maximum: 600_000,
    description: 'Longest time a client may take to send a request',
  }),
  VOICEGATE_SHUTDOWN_TIMEOUT_MS: Type.Integer({
    default: 20_000,
    minimum: 0,
    maximum: 600_000,
    description: 'How long a stopping process waits for requests it has accepted',
  }),
  VOICEGATE_PUBLIC_URL: Type.Optional(
    Type.String({
      pattern: '^https?://[^/?#]+$',
      description:
        'Address by which callers, media servers and pages reach this service through a proxy; absent: as each request names it',
    }),
  ),
  VOICEGATE_MAX_CALLS: Type.Integer({
    default: 100,
    minimum: 0,
    maximum: 10_000,
    description: 'Live calls heard at once by this node; beyond it new ones get 503 with Retry-After',
  }),
  VOICEGATE_AUDIOSOCKET_PORT: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: 65535,
      description: 'Port for Asterisk’s AudioSocket; absent: no such door. 0 picks a free one',
    }),
  ),
  VOICEGATE_AUDIOSOCKET_HOST: Type.String({
    default: '127.0.0.1',
    minLength: 1,
    description: 'Address to listen on for AudioSocket',
  }),
  VOICEGATE_AUDIOSOCKET_PEERS: Type.String({
    default: '127.0.0.0/8,::1',
    maxLength: 4000,
    description: 'Addresses and networks of the Asterisk servers, by commas; no other is let in',
  }),
  VOICEGATE_AUDIOSOCKET_RATES: Type.String({
    default: '',
    pattern: '^(0x1[1-8]=[1-9][0-9]{3,5}(?![0-9x]),?)*$',
    description:
      'Rates in Hz of AudioSocket’s other audio frames, e.g. 0x11=12000,0x12=16000: Asterisk’s revisions differ. 0x10 is always 8000',
  }),
  VOICEGATE_TWILIO_AUTH_TOKENS: Type.Optional(
    Type.String({
      pattern: '^[^\\s,]+(,[^\\s,]+)*$',
      description:
        'Secret: auth tokens of the Twilio accounts whose calls come, by commas; absent: Twilio is not let in',
    }),
  ),
  VOICEGATE_MEDIA_BASIC_AUTH: Type.Optional(
    Type.String({
      pattern: '^[^:]+:.+$',
      description:
        'Secret: user:password that FreeSWITCH and jambonz have to send (HTTP basic authentication); absent: none',
    }),
  ),
  VOICEGATE_AUDIOHOOK_KEYS: Type.Optional(
    Type.String({
      pattern: `^${audioHookKey}(,${audioHookKey})*$`,
      description:
        'Secret: keys that Genesys AudioHook comes with, by commas: apiKey:base64secret, or apiKey:base64secret:tenant; absent: no such door',
    }),
  ),
  VOICEGATE_EVENT_HOSTS: Type.String({
    default: '',
    maxLength: 4000,
    description:
      'Hosts (host or host:port, by commas) that webhooks may be sent to although they are private or not https',
  }),
  VOICEGATE_PROMPTS_DIR: Type.Optional(
    Type.String({
      minLength: 1,
      description: 'Folder of your own prompts and recordings, which go before those in src/prompts, prompt by prompt',
    }),
  ),
  VOICEGATE_IVR_TRIES: Type.Integer({
    default: 3,
    minimum: 1,
    maximum: 10,
    description: 'How often a VoiceXML dialogue asks for a factor before it ends',
  }),
  VOICEGATE_IVR_TRANSFER: Type.Optional(
    Type.String({
      pattern: '^(tel|sips?):[A-Za-z0-9+*#.:;=@?_-]{1,200}$',
      description:
        'Where VoiceXML dialogues connect callers whom they could not serve; absent: they end, and the gateway decides',
    }),
  ),
  VOICEGATE_TRUST_PROXY: Type.Boolean({
    default: false,
    description:
      'true: take client address, scheme and host from X-Forwarded-For, -Proto, -Host (only behind a proxy that sets them)',
  }),
  VOICEGATE_FFMPEG: Type.String({
    default: 'ffmpeg',
    minLength: 1,
    description: 'ffmpeg program for compressed formats; WAV and raw G.711 or PCM never need it',
  }),
  VOICEGATE_LOG_LEVEL: Type.Union(
    ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'].map((level) => Type.Literal(level)),
    { default: 'info', description: 'Least severe log level written' },
  ),
} as const;

const schema = Type.Object(settings);
type Settings = Static<typeof schema>;

/** The configuration of a process: read once, checked, frozen and passed in. */
export interface Config {
  readonly host: string;
  readonly port: number;
  /** Absolute. */
  readonly dataDir: string;
  readonly databaseUrl: string | null;
  readonly databaseConnections: number;
  /** 64 hex digits, or null when it is to be made in the data folder. */
  readonly pinPepperHex: string | null;
  readonly auditKeyHex: string | null;
  readonly modelId: string;
  /** Absolute. Models that came with Voicegate lie elsewhere (`modelsDir`) and are looked for first. */
  readonly installedModelsDir: string;
  /** The model beside it; null: none. */
  readonly secondModelId: string | null;
  readonly recogniserId: string;
  /** A version that `voicegate adapt` made; null: what came with the models. */
  readonly calibrationVersion: string | null;
  /** Folder of the calibrations that `voicegate adapt` made; need not exist. */
  readonly calibrationsDir: string;
  readonly workers: number;
  readonly queueLimit: number;
  readonly maxBodyBytes: number;
  readonly maxAudioSeconds: number;
  readonly ratePerMinute: number;
  readonly requestTimeoutMs: number;
  readonly shutdownTimeoutMs: number;
  /** Scheme and host; null: as each request names it. */
  readonly publicUrl: string | null;
  readonly maxCalls: number;
  /** Null: no door for Asterisk. */
  readonly audioSocket: {
    readonly port: number;
    readonly host: string;
    readonly peers: readonly string[];
    /** Hz by kind of frame. */
    readonly rates: ReadonlyMap<number, number>;
  } | null;
  readonly twilioAuthTokens: readonly string[];
  /** user:password; null: not asked for. */
  readonly mediaBasicAuth: string | null;
  /** By API key; tenantId null: the default one. */
  readonly audioHookKeys: ReadonlyMap<string, { readonly secret: Uint8Array; readonly tenantId: string | null }>;
  readonly eventHosts: readonly string[];
  /** Absolute; null: the shipped prompts only. */
  readonly promptsDir: string | null;
  readonly ivrTries: number;
  /** A tel: or sip: address; null: none. */
  readonly ivrTransferTo: string | null;
  readonly trustProxy: boolean;
  readonly ffmpegPath: string;
  readonly logLevel: string;
}

/** One row of the configuration table. */
export interface SettingDescription {
  readonly name: string;
  readonly meaning: string;
  readonly default: string;
  readonly range: string;
}

/**
 * Reads the configuration.
 * @param env environment variables, by default the process's
 * @throws VoicegateError `configuration_invalid` naming the variable, its value's fault and its range
 */
export function readConfig(env: NodeJS.ProcessEnv = process.env): Config {
  const given: Record<string, unknown> = {};
  for (const name of Object.keys(settings)) {
    const value = env[name];
    if (value !== undefined && value !== '') given[name] = typed(settings[name as keyof typeof settings], value);
  }
  for (const name of Object.keys(env)) {
    if (
      name.startsWith('VOICEGATE_') &&
      !(name in settings) &&
      !name.startsWith('VOICEGATE_TEST_') &&
      name !== 'VOICEGATE_SPEECH_DIR'
    ) {
      throw new VoicegateError('configuration_invalid', `${name} is not a setting`, {
        hint: `The settings are ${Object.keys(settings).join(', ')}`,
      });
    }
  }
  const converted = Value.Default(schema, given);
  const [fault] = Value.Errors(schema, converted);
  if (fault !== undefined) {
    const name = fault.instancePath.slice(1);
    const secret = name === 'DATABASE_URL' || describedAsSecret(name);
    throw new VoicegateError(
      'configuration_invalid',
      `${name}${secret ? '' : ` is ${JSON.stringify(given[name])}, which`} ${fault.message}`,
      {
        hint: `${name}: ${describeSettings().find((setting) => setting.name === name)?.range ?? ''}`,
      },
    );
  }
  const value = converted as Settings;
  const dataDir = resolve(value.VOICEGATE_DATA_DIR === 'data' ? join(rootDir, 'data') : value.VOICEGATE_DATA_DIR);
  if (value.VOICEGATE_SECOND_MODEL === value.VOICEGATE_MODEL) {
    throw new VoicegateError(
      'configuration_invalid',
      `VOICEGATE_SECOND_MODEL is ${value.VOICEGATE_MODEL}, as VOICEGATE_MODEL is`,
      {
        hint: 'Name the other model of the change, or leave VOICEGATE_SECOND_MODEL out when the change is over',
      },
    );
  }
  return Object.freeze({
    host: value.VOICEGATE_HOST,
    port: value.VOICEGATE_PORT,
    dataDir,
    databaseUrl: value.DATABASE_URL ?? null,
    databaseConnections: value.VOICEGATE_DATABASE_CONNECTIONS,
    pinPepperHex: value.VOICEGATE_PIN_PEPPER ?? null,
    auditKeyHex: value.VOICEGATE_AUDIT_KEY ?? null,
    modelId: value.VOICEGATE_MODEL,
    installedModelsDir: resolve(value.VOICEGATE_MODELS_DIR ?? join(dataDir, 'models')),
    secondModelId: value.VOICEGATE_SECOND_MODEL ?? null,
    recogniserId: value.VOICEGATE_RECOGNISER,
    calibrationVersion: value.VOICEGATE_CALIBRATION ?? null,
    calibrationsDir: join(dataDir, 'calibrations'),
    workers: value.VOICEGATE_WORKERS,
    queueLimit: value.VOICEGATE_QUEUE_LIMIT,
    maxBodyBytes: value.VOICEGATE_MAX_BODY_BYTES,
    maxAudioSeconds: value.VOICEGATE_MAX_AUDIO_SECONDS,
    ratePerMinute: value.VOICEGATE_RATE_PER_MINUTE,
    requestTimeoutMs: value.VOICEGATE_REQUEST_TIMEOUT_MS,
    shutdownTimeoutMs: value.VOICEGATE_SHUTDOWN_TIMEOUT_MS,
    publicUrl: value.VOICEGATE_PUBLIC_URL ?? null,
    maxCalls: value.VOICEGATE_MAX_CALLS,
    audioSocket:
      value.VOICEGATE_AUDIOSOCKET_PORT === undefined
        ? null
        : {
            port: value.VOICEGATE_AUDIOSOCKET_PORT,
            host: value.VOICEGATE_AUDIOSOCKET_HOST,
            peers: listed(value.VOICEGATE_AUDIOSOCKET_PEERS),
            rates: new Map(
              listed(value.VOICEGATE_AUDIOSOCKET_RATES).map((pair) => pair.split('=').map(Number) as [number, number]),
            ),
          },
    twilioAuthTokens: listed(value.VOICEGATE_TWILIO_AUTH_TOKENS ?? ''),
    mediaBasicAuth: value.VOICEGATE_MEDIA_BASIC_AUTH ?? null,
    audioHookKeys: new Map(
      listed(value.VOICEGATE_AUDIOHOOK_KEYS ?? '').map((entry) => {
        const [apiKey = '', secret = '', tenantId = null] = entry.split(':');
        return [apiKey, { secret: Buffer.from(secret, 'base64'), tenantId }];
      }),
    ),
    eventHosts: listed(value.VOICEGATE_EVENT_HOSTS),
    promptsDir: value.VOICEGATE_PROMPTS_DIR === undefined ? null : resolve(value.VOICEGATE_PROMPTS_DIR),
    ivrTries: value.VOICEGATE_IVR_TRIES,
    ivrTransferTo: value.VOICEGATE_IVR_TRANSFER ?? null,
    trustProxy: value.VOICEGATE_TRUST_PROXY,
    ffmpegPath: value.VOICEGATE_FFMPEG,
    logLevel: value.VOICEGATE_LOG_LEVEL,
  });
}

/** The parts of a list by commas. */
const listed = (value: string): string[] =>
  value
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');

/** Whether the value of a setting may not be repeated. */
const describedAsSecret = (name: string): boolean =>
  describeSettings().some((setting) => setting.name === name && setting.meaning.startsWith('Secret:'));

/** Text as the number or truth value that the setting wants; left as it is when it is none, for the check to refuse. */
function typed(setting: object, value: string): string | number | boolean {
  const { type } = setting as { readonly type?: string };
  if (type === 'integer' && /^-?[0-9]+$/.test(value)) return Number(value);
  if (type === 'boolean' && (value === 'true' || value === 'false')) return value === 'true';
  return value;
}

/** Every setting with its meaning, default and range, for the README and `voicegate config`. */
export function describeSettings(): readonly SettingDescription[] {
  return Object.entries(settings).map(([name, setting]) => {
    const field = setting as {
      description?: string;
      default?: unknown;
      minimum?: number;
      maximum?: number;
      pattern?: string;
      type?: string;
      anyOf?: { const: string }[];
    };
    const range = field.anyOf
      ? field.anyOf.map((option) => option.const).join(', ')
      : field.minimum !== undefined
        ? `${String(field.minimum)} to ${String(field.maximum)}`
        : field.type === 'boolean'
          ? 'true, false'
          : (field.pattern ?? 'text');
    return {
      name,
      meaning: field.description ?? '',
      default:
        name === 'VOICEGATE_WORKERS'
          ? 'cores'
          : field.default === undefined
            ? ''
            : JSON.stringify(field.default).replaceAll('"', ''),
      range,
    };
  });
}

/** ONNX Runtime's official Linux library, from 1.29 on, collects facts about sessions for its maker unless this is set when it is loaded. */
export function forbidOnnxTelemetry(): void {
  process.env.ORT_DISABLE_TELEMETRY = '1';
}
