import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { describeSettings, readConfig } from '../src/config.js';
import { rootDir } from '../src/paths.js';

const faultOf = (env: NodeJS.ProcessEnv): { code?: string; message: string; hint?: string } => {
  try {
    readConfig(env);
  } catch (fault) {
    return fault as Error & { hint?: string };
  }
  return { message: 'nothing was wrong' };
};

void t.test('an empty environment gives the defaults, frozen', async (t) => {
  const config = readConfig({});
  t.match(config, {
    host: '127.0.0.1',
    port: 8080,
    dataDir: join(rootDir, 'data'),
    databaseUrl: null,
    installedModelsDir: join(rootDir, 'data', 'models'),
    trustProxy: false,
  });
  t.ok(Object.isFrozen(config));
  t.same(readConfig({ VOICEGATE_PORT: '' }), config, 'set to nothing is not set');
  t.match(readConfig({ VOICEGATE_PORT: '0', VOICEGATE_TRUST_PROXY: 'true' }), { port: 0, trustProxy: true });
  t.match(readConfig({ VOICEGATE_DATA_DIR: '/srv' }), { installedModelsDir: '/srv/models' }, 'moves with the data');
  t.match(readConfig({ VOICEGATE_MODELS_DIR: '/opt/m' }), { installedModelsDir: '/opt/m' });
});

void t.test('the door for Asterisk is there where its port is', async (t) => {
  t.equal(readConfig({}).audioSocket, null);
  const rates = '0x11=12000,0x12=16000';
  t.same(readConfig({ VOICEGATE_AUDIOSOCKET_PORT: '9092', VOICEGATE_AUDIOSOCKET_RATES: rates }).audioSocket, {
    port: 9092,
    host: '127.0.0.1',
    peers: ['127.0.0.0/8', '::1'],
    rates: new Map([
      [0x11, 12_000],
      [0x12, 16_000],
    ]),
  });
});

void t.test('keys of Genesys AudioHook come with their secret, and perhaps a tenant', async (t) => {
  t.equal(readConfig({}).audioHookKeys.size, 0);
  const secret = Buffer.alloc(32, 7);
  const keys = `one==:${secret.toString('base64')},two:${secret.toString('base64')}:city-telecom`;
  t.same(
    [...readConfig({ VOICEGATE_AUDIOHOOK_KEYS: keys }).audioHookKeys],
    [
      ['one==', { secret, tenantId: null }],
      ['two', { secret, tenantId: 'city-telecom' }],
    ],
  );
  for (const wrong of ['key', 'key:', 'key:c2hvcnQ=', `:${secret.toString('base64')}`, `${keys} ${keys}`]) {
    const fault = faultOf({ VOICEGATE_AUDIOHOOK_KEYS: wrong });
    t.equal(fault.code, 'configuration_invalid', wrong);
    t.notMatch(fault.message, 'c2hvcnQ', 'a secret is not repeated');
  }
});

void t.test('each bad setting is named with its range', async (t) => {
  const bad: [string, string][] = [
    ['VOICEGATE_PORT', '65536'],
    ['VOICEGATE_PORT', '-1'],
    ['VOICEGATE_PORT', '80abc'],
    ['VOICEGATE_PORT', '80.5'],
    ['VOICEGATE_PORT', '0x50'],
    ['VOICEGATE_PORT', 'true'],
    ['VOICEGATE_WORKERS', '0'],
    ['VOICEGATE_TRUST_PROXY', 'yes'],
    ['VOICEGATE_TRUST_PROXY', '1'],
    ['VOICEGATE_LOG_LEVEL', 'loud'],
    ['VOICEGATE_MODEL', '../elsewhere'],
    ['VOICEGATE_MODEL', '..'],
    ['VOICEGATE_AUDIOSOCKET_RATES', '0x11=120000x12=16000'],
    ['VOICEGATE_AUDIOSOCKET_RATES', '0x10=8000'],
  ];
  for (const [name, value] of bad) {
    const fault = faultOf({ [name]: value });
    t.equal(fault.code, 'configuration_invalid', `${name}=${value}`);
    t.match(fault.message, name);
    t.match(fault.message, value, `${name}=${value} is shown`);
    t.match(fault.hint, name);
  }
});

void t.test(
  'a VOICEGATE_ variable that is no setting is refused, so that a typing error is not a default',
  async (t) => {
    t.match(faultOf({ VOICEGATE_PROT: '80' }), { code: 'configuration_invalid', message: /VOICEGATE_PROT/ });
    t.ok(readConfig({ PATH: '/bin', VOICEGATE_SPEECH_DIR: 'x', VOICEGATE_TEST_DATABASE_URL: 'y' }));
  },
);

void t.test('the second model is another one, or none', async (t) => {
  t.equal(readConfig({}).secondModelId, null);
  t.equal(readConfig({ VOICEGATE_SECOND_MODEL: 'next' }).secondModelId, 'next');
  t.match(faultOf({ VOICEGATE_MODEL: 'a', VOICEGATE_SECOND_MODEL: 'a' }), {
    code: 'configuration_invalid',
    message: /VOICEGATE_SECOND_MODEL is a/,
  });
});

void t.test('a bad secret is named and never shown', async (t) => {
  for (const [name, value] of [
    ['VOICEGATE_PIN_PEPPER', 'mysql://user:hush-hush@host'],
    ['VOICEGATE_AUDIT_KEY', 'mysql://user:hush-hush@host'],
    ['DATABASE_URL', 'mysql://user:hush-hush@host'],
    ['VOICEGATE_TWILIO_AUTH_TOKENS', 'hush hush'],
    ['VOICEGATE_MEDIA_BASIC_AUTH', 'hush-hush'],
  ] as const) {
    const fault = faultOf({ [name]: value });
    t.equal(fault.code, 'configuration_invalid');
    t.match(fault.message, name);
    t.notMatch(`${fault.message} ${fault.hint ?? ''}`, 'hush');
  }
});

void t.test('the README’s table of settings is the list that the code reads', async (t) => {
  const rows = describeSettings().map(
    ({ name, meaning, default: value, range }) => `| \`${name}\` | ${meaning} | ${cell(value)} | ${cell(range)} |`,
  );
  const readme = readFileSync(join(rootDir, 'README.md'), 'utf8');
  for (const row of rows) t.ok(readme.includes(row), row);
  t.equal(readme.match(/^\| `(VOICEGATE_|DATABASE_URL)/gm)?.length, rows.length, 'and no others');
});

/** A pattern may hold a bar, which would end the cell. */
function cell(text: string): string {
  return text === '' ? '' : `\`${text.replaceAll('|', '\\|')}\``;
}
