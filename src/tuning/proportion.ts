import type { Interval } from './bootstrap.js';

/** Two-sided 95 % point of the unit normal distribution. */
const z = 1.959963984540054;

/**
 * Wilson's 95 % score interval of a share (Wilson 1927): within [0, 1] also where nothing or everything was counted.
 * @param count of `of`, whole numbers
 * @returns [0, 1] when `of` is 0
 */
export function wilsonInterval(count: number, of: number): Interval {
  if (of === 0) return [0, 1];
  const share = count / of;
  const centre = share + (z * z) / (2 * of);
  const half = z * Math.sqrt((share * (1 - share)) / of + (z * z) / (4 * of * of));
  const scale = 1 + (z * z) / of;
  return [count === 0 ? 0 : (centre - half) / scale, count === of ? 1 : (centre + half) / scale];
}
