import t from 'tap';
import { fuseVoiceAndPhrase } from '../../src/scoring/fusion.js';
import { near } from './seeded-scores.js';

void t.test('the fused ratio is that of two equally likely attacks', async (t) => {
  for (const [voice, phrase] of [
    [3, 4],
    [-2, 5],
    [0, 0],
    [7, -7],
  ] as const) {
    const wanted = -Math.log(0.5 * Math.exp(-voice) + 0.5 * Math.exp(-phrase));
    near(t, fuseVoiceAndPhrase(voice, phrase), wanted, 1e-12);
    near(t, fuseVoiceAndPhrase(phrase, voice), wanted, 1e-12);
  }
});

void t.test('neither factor makes up for the other: at most ln 2 above the weaker', async (t) => {
  for (const strong of [0, 5, 50, 5000, Infinity]) {
    const fused = fuseVoiceAndPhrase(-1, strong);
    t.ok(fused >= -1 && fused <= -1 + Math.LN2 + 1e-12, `${strong} → ${fused}`);
  }
});

void t.test('it rises with each factor', async (t) => {
  let last = -Infinity;
  for (let voice = -20; voice <= 20; voice++) {
    const fused = fuseVoiceAndPhrase(voice, 3);
    t.ok(fused > last);
    last = fused;
  }
});

void t.test('what is no number stays none, and nothing overflows', async (t) => {
  t.ok(Number.isNaN(fuseVoiceAndPhrase(NaN, 3)));
  t.ok(Number.isNaN(fuseVoiceAndPhrase(3, NaN)));
  t.equal(fuseVoiceAndPhrase(-Infinity, 3), -Infinity);
  near(t, fuseVoiceAndPhrase(-2000, -2000), -2000, 1e-9);
});
