import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { enrolmentHints } from '../../src/service/enrolment-hints.js';
import { agentPromptNames, agentWords } from '../../src/http/agent-words.js';
import { pagesDir } from '../../src/paths.js';
import { loadPrompts } from '../../src/prompts/prompts.js';
import { openHttp } from '../http/harness.js';
import { temporaryFolder } from '../storage/open-test-store.js';

const dir = join(pagesDir, 'agent');
const source = readdirSync(dir).map((name) => readFileSync(join(dir, name), 'utf8'));
const text = source.join('\n');

void t.test('The page says nothing but what stands in the prompts, and all of it', async (t) => {
  const said = new Set([
    ...[...text.matchAll(/data-word="(\w+)"/g)].map(([, name]) => name ?? ''),
    ...[...text.matchAll(/'((?:say|error|mic|do)[A-Z]\w+)'/g)].map(([, name]) => name ?? ''),
    ...enrolmentHints.map((hint) => `hint_${hint}`),
    ...['Good', 'Fair', 'Poor'].map((look) => `sound${look}`),
  ]);
  for (const name of said) t.ok(name in agentPromptNames, `${name} is a prompt`);
  for (const name of Object.keys(agentPromptNames)) {
    t.ok(said.has(name) || new RegExp(`['"]${name}['"]`).test(text), `${name} is said somewhere`);
  }
});

void t.test('Another text to agree to is another version of the consent', async (t) => {
  const shipped = await loadPrompts('agent', agentPromptNames, null);
  const ownDir = temporaryFolder(t);
  writeFileSync(join(ownDir, 'agent.en.json'), '{ "sayConsent": "Do you agree?" }');
  const own = await loadPrompts('agent', agentPromptNames, ownDir);
  const versions = [shipped, own].map((prompts) => agentWords(prompts, 'en').consentVersion);
  t.match(versions[0], /^agent-en-[0-9a-f]{12}$/);
  t.not(versions[0], versions[1]);
  t.equal(agentWords(own, 'zh').consentVersion, agentWords(shipped, 'zh').consentVersion);
});

void t.test('Files of the page are served without a key, under a policy that lets nothing else run', async (t) => {
  const { app } = await openHttp(t, { publicUrl: 'https://voice.example' });
  const get = (url: string, headers = {}) => app.inject({ method: 'GET', url, headers });
  const page = await get('/agent');
  t.equal(page.headers['content-type'], 'text/html; charset=utf-8');
  t.match(page.headers['content-security-policy'], /default-src 'none'; script-src 'self';.*wss:\/\/voice\.example;/);
  t.notMatch(page.headers['content-security-policy'], /unsafe|\*|data:/);
  t.match(page.headers, {
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'x-frame-options': 'DENY',
    'permissions-policy': /microphone=\(self\)/,
  });
  t.notMatch(page.body, /<script>|<style|\son\w+=|style=/, 'nothing inline');
  for (const [, url] of page.body.matchAll(/(?:src|href)="([^"]+)"/g))
    t.equal((await get(url ?? '')).statusCode, 200, url ?? '');
  t.equal((await get('/agent/words.json')).json().en.words.sayRefused, 'We could not confirm your identity.');
  const etag = String(page.headers.etag);
  t.match(await get('/agent', { 'if-none-match': etag }), { statusCode: 304, body: '' });
  for (const url of ['/agent/page.ts', '/agent/tsconfig.json', '/agent/..%2f..%2fpackage.json', '/agent/x/y']) {
    t.equal((await get(url)).statusCode, 404, url);
  }
});
