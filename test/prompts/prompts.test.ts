import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { ivrPromptNames } from '../../src/ivr/ivr-prompts.js';
import { anyText, loadPrompts } from '../../src/prompts/prompts.js';
import { temporaryFolder } from '../storage/open-test-store.js';

/** A folder of an operator with the given files. */
function folder(t: Test, files: Record<string, string | object>): string {
  const dir = join(temporaryFolder(t), 'own');
  mkdirSync(dir);
  for (const [name, content] of Object.entries(files)) {
    writeFileSync(join(dir, name), typeof content === 'string' ? content : JSON.stringify(content));
  }
  return dir;
}

void t.test('the shipped prompts of the dialogues are whole in every language', async (t) => {
  const prompts = await loadPrompts('ivr', ivrPromptNames, null);
  for (const language of ['zh', 'en'] as const) {
    t.same(Object.keys(prompts.templates(language)).sort(), Object.keys(ivrPromptNames).sort());
    for (const [name, text] of Object.entries(prompts.templates(language))) t.ok(text.length > 0, name);
  }
  t.match(prompts.text('zh', 'askPin', { digits: '6' }), '6位');
  t.same(prompts.pieces('en', 'digit', { word: 'seven', digit: '7' }), [{ text: 'seven', audio: null }]);
});

void t.test('an operator changes single prompts, with recordings, and keeps the others', async (t) => {
  const own = folder(t, {
    'ivr.en.json': {
      greeting: { text: 'Hi.', audio: 'hi.wav' },
      goodbye: { text: 'Bye.', audio: 'https://media.example/bye.wav' },
      askPin: [{ text: 'PIN, ', audio: 'pin.ulaw' }, '{digits} digits'],
      digit: { text: '{word}', audio: 'd{digit}.alaw' },
    },
    'hi.wav': 'RIFF',
    'pin.ulaw': 'x',
    ...Object.fromEntries([...'0123456789'].map((digit) => [`d${digit}.alaw`, digit])),
  });
  const prompts = await loadPrompts('ivr', ivrPromptNames, own);
  t.same(prompts.pieces('en', 'greeting'), [{ text: 'Hi.', audio: 'hi.wav' }]);
  t.same(prompts.pieces('en', 'askPin', { digits: '6' }), [
    { text: 'PIN, ', audio: 'pin.ulaw' },
    { text: '6 digits', audio: null },
  ]);
  t.equal(prompts.text('en', 'askPin', { digits: '6' }), 'PIN, 6 digits');
  t.same(prompts.pieces('en', 'digit', { word: 'two', digit: '2' }), [{ text: 'two', audio: 'd2.alaw' }]);
  t.match(prompts.text('en', 'accepted'), /Thank you/);
  t.match(prompts.text('zh', 'greeting'), /您好/);
  t.equal(prompts.recordings.size, 12);
  t.same(prompts.recordings.get('hi.wav'), { bytes: Buffer.from('RIFF'), mediaType: 'audio/x-wav' });
  t.match(prompts.recordings.get('d7.alaw'), { mediaType: 'audio/x-alaw-basic' });
});

void t.test('what is filled in is text: it is not filled again', async (t) => {
  const names = { both: { a: anyText, b: anyText } } as const;
  const own = folder(t, {});
  await t.rejects(loadPrompts('none', names, own), { code: 'configuration_invalid', message: /none\.zh\.json/ });
  const prompts = await loadPrompts(
    'ivr',
    ivrPromptNames,
    folder(t, { 'ivr.en.json': { askPin: '{digits}{digits}' } }),
  );
  t.equal(prompts.text('en', 'askPin', { digits: '{digits}$&' }), '{digits}$&{digits}$&');
});

void t.test('each fault of a file ends the start, naming file, prompt and what would be right', async (t) => {
  const faults: [string, string | object, RegExp, RegExp][] = [
    ['no JSON', '{', /ivr\.en\.json: is not JSON/, /Write an object/],
    ['a list', '[]', /is not an object/, /Write an object/],
    ['an unknown prompt', { hullo: 'x' }, /unknown prompt "hullo"/, /greeting/],
    ['an inherited name', '{"__proto__x":"","toString":"x"}', /unknown prompt/, /greeting/],
    ['a number', { greeting: 7 }, /"greeting" is neither/, /one line/],
    ['two lines', { greeting: 'a\nb' }, /"greeting" is neither/, /one line/],
    [
      'an unknown placeholder',
      { greeting: 'Hi {name}' },
      /"greeting" has the unknown placeholder \{name\}/,
      /no placeholders/,
    ],
    ['another unknown placeholder', { askPin: '{n}' }, /unknown placeholder \{n\}/, /\{digits\}/],
    ['a lone brace', { askPin: '{digits' }, /a brace that belongs to no placeholder/, /\{digits\}/],
    [
      'a recording by any text',
      { askPin: { text: '', audio: 'pin-{digits}.wav' } },
      /unknown placeholder/,
      /no placeholders in the name/,
    ],
    [
      'a missing recording',
      { greeting: { text: '', audio: 'no.wav' } },
      /no\.wav, which cannot be read/,
      /Put it into/,
    ],
    [
      'a recording elsewhere',
      { greeting: { text: '', audio: '../x.wav' } },
      /"greeting" is neither/,
      /beside this one/,
    ],
    ['another format', { greeting: { text: '', audio: 'x.mp3' } }, /of another format/, /\.wav/],
    ['an unknown field', { greeting: { text: '', audio: 'x.wav', loud: 1 } }, /"greeting" is neither/, /one line/],
  ];
  for (const [title, content, message, hint] of faults) {
    await t.rejects(
      loadPrompts('ivr', ivrPromptNames, folder(t, { 'ivr.en.json': content })),
      { code: 'configuration_invalid', message, hint },
      title,
    );
  }
});
