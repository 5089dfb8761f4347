import { InvalidArgumentError } from 'commander';

/** An option's value as a whole number. @throws InvalidArgumentError that says the range */
export function wholeNumber(value: string): number {
  if (!/^[0-9]{1,6}$/.test(value)) throw new InvalidArgumentError('A whole number from 0 to 999999.');
  return Number(value);
}
