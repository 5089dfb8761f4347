import t from 'tap';
import { checkAgainstAny, checkResponse, expectedLlr } from '../../src/challenge/check-response.js';
import { countedVerdict, notPerformed } from '../../src/challenge/phrase.js';
import { drawnPosteriors, evidenceOf, seededRandom, testRules } from './posteriors.js';

void t.test(
  'the digits asked for are a match, one digit off a near miss, other digits wrong, none silence',
  async (t) => {
    const heard = evidenceOf('38102194');
    t.match(checkResponse('38102194', heard), { verdict: 'match', differences: 0 });
    const right = checkResponse('38102194', heard);
    t.ok(right.kind === 'checked' && right.llr > 3 && right.llr <= testRules.calibration.mostLlr);
    t.match(checkResponse('38162194', heard), { verdict: 'near_miss', differences: 1 });
    t.match(checkResponse('38162154', heard), { verdict: 'wrong', differences: 2 });
    t.match(checkResponse('56473825', heard), { verdict: 'wrong', llr: testRules.calibration.leastLlr });
    t.match(checkResponse('38102194', evidenceOf('')), {
      verdict: 'silence',
      differences: 8,
      digitNetSpeechSeconds: 0,
    });
  },
);

void t.test('digits half heard together make better evidence than any of them', async (t) => {
  const heard = evidenceOf('38102194', { sure: 0.35 });
  const right = expectedLlr('38102194', heard).llr;
  const other = expectedLlr('38102195', heard).llr;
  const another = expectedLlr('56473825', heard).llr;
  t.ok(right > other && other > another + 8);
});

void t.test('a false start is forgiven: the beginning, a stop, and the whole', async (t) => {
  const heard = evidenceOf('3838102194');
  t.match(checkResponse('38102194', heard), { verdict: 'match', differences: 0 });
  t.equal(expectedLlr('38102194', heard).after, 2);
  t.match(
    checkResponse('38102194', evidenceOf('5538102194')),
    { verdict: 'wrong', differences: 2 },
    'other digits before are none',
  );
  t.match(checkResponse('38102194', evidenceOf('3810219438')), { verdict: 'wrong' }, 'nor is what comes after');
});

void t.test('of several prompts the likeliest is checked', async (t) => {
  const prompts = ['56473825', '38102194', '90817263'];
  t.match(checkAgainstAny(prompts, evidenceOf('38102194')), { verdict: 'match' });
  t.match(checkAgainstAny(prompts, evidenceOf('90817264')), { verdict: 'near_miss', differences: 1 });
  t.match(checkAgainstAny(prompts, evidenceOf('00000000')), { verdict: 'wrong' });
});

void t.test('an experimental language counts only where it is trusted', async (t) => {
  const heard = evidenceOf('38102194', { rules: { ...testRules, status: 'experimental' } });
  const phrase = checkResponse('38102194', heard);
  t.equal(countedVerdict(phrase, []), null);
  t.equal(countedVerdict(phrase, ['en']), null);
  t.equal(countedVerdict(phrase, ['zh']), 'match');
  t.equal(countedVerdict(checkResponse('38102194', evidenceOf('38102194')), []), 'match');
  t.equal(countedVerdict(notPerformed, ['zh']), null);
});

void t.test('whatever was heard, the result is finite, within the card’s limits, and holds no digits', async (t) => {
  const random = seededRandom(3);
  const draw = (length: number) => Array.from({ length }, () => Math.floor(random() * 10)).join('');
  for (let round = 0; round < 200; round++) {
    const digits = draw(Math.floor(random() * 12));
    const heard = {
      ...evidenceOf(digits),
      posteriors: drawnPosteriors(random, Math.floor(random() * 80), 10 * random()),
    };
    const expected = draw(6 + Math.floor(random() * 5));
    const phrase = checkResponse(expected, heard);
    if (phrase.kind !== 'checked') throw new Error('not checked');
    const { leastLlr, mostLlr } = testRules.calibration;
    const fine = phrase.llr >= leastLlr && phrase.llr <= mostLlr && phrase.differences <= 12;
    if (!fine || !(expectedLlr(expected, heard).llr <= 0)) t.fail(JSON.stringify(phrase));
    if (JSON.stringify(phrase).includes(expected)) t.fail('digits in the result');
  }
  t.pass();
});
