import t from 'tap';
import { promptText, readingGroups, spokenDigits } from '../../src/challenge/prompt-text.js';

const plain = { sayYaoForOne: false };

void t.test('Mandarin digits are read in groups, 1 as 一', async (t) => {
  t.equal(spokenDigits('38102194', 'zh', plain), '三八一零，二一九四');
  t.match(promptText('38102194', 'zh', plain), /三八一零，二一九四/);
});

void t.test('1 is read as 幺 by option, in Mandarin only', async (t) => {
  t.equal(spokenDigits('38102194', 'zh', { sayYaoForOne: true }), '三八幺零，二幺九四');
  t.equal(spokenDigits('381021', 'en', { sayYaoForOne: true }), 'three eight one, zero two one');
});

void t.test('English digits are read as words', async (t) => {
  t.equal(spokenDigits('0987654321', 'en', plain), 'zero nine eight, seven six five, four three two one');
  t.match(promptText('381021', 'en', plain), /three eight one, zero two one/);
});

void t.test('groups are of three and four digits, the shorter first, and lose none', async (t) => {
  const wanted = { 4: '4', 5: '5', 6: '3 3', 7: '3 4', 8: '4 4', 9: '3 3 3', 10: '3 3 4', 11: '3 4 4', 12: '4 4 4' };
  for (const [length, sizes] of Object.entries(wanted)) {
    const digits = '123456789012'.slice(0, Number(length));
    const groups = readingGroups(digits);
    t.equal(groups.map((group) => group.length).join(' '), sizes);
    t.equal(groups.join(''), digits);
  }
});

void t.test('a prompt is plain text without mark-up or figures', async (t) => {
  for (const language of ['zh', 'en'] as const) t.notMatch(promptText('12345678', language, plain), /[<>0-9]/);
});
