import { VoicegateError } from '../errors.js';

/**
 * Refuses a new PIN that is not of the asked form or too easy to guess. The message names the rule and never the PIN.
 * @param options.digits the policy's length
 * @param options.accountId the operator's id; its digits may not serve as the PIN
 * @throws VoicegateError `pin_invalid` (form) or `pin_too_simple`
 */
export function checkNewPin(pin: string, options: { readonly digits: number; readonly accountId: string }): void {
  if (!/^[0-9]*$/.test(pin) || pin.length !== options.digits) {
    throw new VoicegateError('pin_invalid', 'the PIN does not have the form that the policy asks for', {
      hint: `exactly ${options.digits} digits, 0 to 9`,
      details: { digits: options.digits },
    });
  }
  const broken = simplicityRules.find((rule) => rule.breaks(pin, options.accountId));
  if (broken !== undefined) {
    throw new VoicegateError('pin_too_simple', `the PIN ${broken.says}`, {
      hint: 'choose digits that neither repeat, count up or down, nor stand in the account number',
    });
  }
}

const simplicityRules: readonly { says: string; breaks: (pin: string, accountId: string) => boolean }[] = [
  { says: 'has too few different digits', breaks: (pin) => new Set(pin).size < (pin.length < 6 ? 2 : 3) },
  { says: 'repeats one group of digits', breaks: repeatsOneGroup },
  { says: 'is made of doubled or tripled digits that count up or down', breaks: (pin) => isStretchedRun(pin) },
  { says: 'counts up or down', breaks: (pin) => isRun(pin) },
  { says: 'stands in the account number', breaks: standsIn },
];

/** 121212, 123123, 11111111 */
function repeatsOneGroup(pin: string): boolean {
  return [1, 2, 3, 4, 5, 6].some(
    (size) => size < pin.length && pin.length % size === 0 && pin === pin.slice(0, size).repeat(pin.length / size),
  );
}

/** 123456, 987654, with wrap 890123 and 321098, and in steps of two 135791 */
function isRun(pin: string): boolean {
  const steps = new Set([...pin].slice(1).map((digit, i) => (Number(digit) - Number(pin[i]) + 10) % 10));
  const [step] = steps;
  return steps.size === 1 && [1, 2, 8, 9].includes(step as number);
}

/** 112233, 998877, 111222 */
function isStretchedRun(pin: string): boolean {
  return [2, 3, 4].some((times) => {
    const every = [...pin].filter((_, i) => i % times === 0);
    return every.length > 1 && pin === every.map((digit) => digit.repeat(times)).join('') && isRun(every.join(''));
  });
}

function standsIn(pin: string, accountId: string): boolean {
  const digits = accountId.replace(/\D/g, '');
  const reversed = [...pin].reverse().join('');
  return digits.includes(pin) || digits.includes(reversed);
}
