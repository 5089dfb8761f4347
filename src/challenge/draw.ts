import { randomInt } from 'node:crypto';

/** A whole number from 0 to `below` − 1, each equally likely; `below` is at most 2^47. */
export type RandomBelow = (below: number) => number;

/** node:crypto's randomInt: a CSPRNG that discards what would bias the remainder. */
export const secureRandom: RandomBelow = (below) => randomInt(below);

/**
 * A digit string to be spoken, drawn evenly from all strings that share the fewest adjacent digit pairs with earlier ones (as a
 * rule none: five strings of eight digits hold at most 35 of the 100 pairs) and are not trivial. A recording of earlier prompts
 * then holds no two digits of it in a row.
 * @param options.count digits, 1 to 12
 * @param options.previous the caller's last prompts
 */
export function drawDigits(options: {
  readonly count: number;
  readonly previous: readonly string[];
  readonly random?: RandomBelow;
}): string {
  const { count, previous, random = secureRandom } = options;
  const heard = new Set(previous.flatMap(adjacentPairs));
  for (let tries = 0; tries < 100; tries++) {
    const digits = drawEvenly(count, heard, random);
    if (!isTrivial(digits)) return digits;
  }
  // Only where the earlier prompts leave nothing but trivial strings: then rather repeat pairs.
  return drawDigits({ count, previous: [], random });
}

/** Every two digits that follow each other. */
export function adjacentPairs(digits: string): string[] {
  return [...digits].slice(1).map((digit, i) => `${digits[i]}${digit}`);
}

/** Easy to have on tape or poor in sounds: a straight run up or down, or fewer than four (or half its length) different digits. */
export function isTrivial(digits: string): boolean {
  const steps = new Set(adjacentPairs(digits).map(([a, b]) => (Number(b) - Number(a) + 10) % 10));
  const isRun = digits.length > 2 && steps.size === 1;
  return isRun || new Set(digits).size < Math.min(4, Math.ceil(digits.length / 2));
}

interface Ending {
  /** Fewest pairs heard before among the ways to go on. */
  readonly repeats: number;
  /** How many ways have that few. */
  readonly ways: number;
}

/** Counts, from the end backwards, how each digit can go on with the fewest repeats, then walks forward in proportion. */
function drawEvenly(count: number, heard: ReadonlySet<string>, random: RandomBelow): string {
  const endings: Ending[][] = [allDigits.map(() => ({ repeats: 0, ways: 1 }))];
  for (let length = 2; length <= count; length++) {
    const shorter = endings.at(-1) as Ending[];
    endings.push(allDigits.map((digit) => best(continuations(digit, shorter, heard))));
  }
  let choices = endings.at(-1) as readonly Ending[];
  let digits = '';
  for (let left = count; left > 0; left--) {
    const digit = pick(choices, random);
    digits += digit;
    choices = continuations(digit, endings[left - 2] ?? [], heard);
  }
  return digits;
}

const allDigits = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];

function continuations(digit: number, shorter: readonly Ending[], heard: ReadonlySet<string>): Ending[] {
  return shorter.map(({ repeats, ways }, next) => ({
    repeats: repeats + (heard.has(`${digit}${next}`) ? 1 : 0),
    ways,
  }));
}

function best(choices: readonly Ending[]): Ending {
  const repeats = Math.min(...choices.map((choice) => choice.repeats));
  return { repeats, ways: waysAt(choices, repeats).reduce((sum, ways) => sum + ways, 0) };
}

const waysAt = (choices: readonly Ending[], repeats: number): number[] =>
  choices.map((choice) => (choice.repeats === repeats ? choice.ways : 0));

function pick(choices: readonly Ending[], random: RandomBelow): number {
  const { repeats, ways } = best(choices);
  let ticket = random(ways);
  return waysAt(choices, repeats).findIndex((share) => (ticket -= share) < 0);
}

/**
 * Prompts for an enrolment, which together hold every digit as evenly as their length allows: all ten are shuffled again and
 * again and cut into strings. The first ten digits always hold all ten.
 * @param options.count prompts
 * @param options.digits digits in each; count · digits must be at least 10
 * @throws RangeError otherwise
 */
export function enrolmentPrompts(options: {
  readonly count: number;
  readonly digits: number;
  readonly random?: RandomBelow;
}): string[] {
  const { count, digits, random = secureRandom } = options;
  if (count * digits < 10) throw new RangeError(`${count} prompts of ${digits} digits cannot hold all ten digits`);
  for (;;) {
    const decks = Array.from({ length: Math.ceil((count * digits) / 10) }, () => shuffled(allDigits, random)).flat();
    const prompts = Array.from({ length: count }, (_, i) => decks.slice(i * digits, (i + 1) * digits).join(''));
    if (!prompts.some(isTrivial)) return prompts;
  }
}

function shuffled(values: readonly number[], random: RandomBelow): number[] {
  const deck = [...values];
  for (let i = deck.length - 1; i > 0; i--) {
    const j = random(i + 1);
    [deck[i], deck[j]] = [deck[j] as number, deck[i] as number];
  }
  return deck;
}
