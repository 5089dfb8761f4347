import type { ScoredTrial } from './score-trials.js';

/** Trials that have something in common. */
export interface TrialGroup {
  /** What they were grouped by, e.g. `testNetSpeechSeconds`, `language`. */
  readonly by: string;
  readonly value: string;
  readonly trials: readonly ScoredTrial[];
}

/** Borders of the groups of net speech, seconds. */
const secondsBorders = [1, 2, 4, 8];

/** A column with more values than this names single things (a file, a session), not groups. */
const mostValues = 12;

/** Groups by the test's net speech, and by each column of the lists that has few values. */
export function groupsOf(trials: readonly ScoredTrial[]): readonly TrialGroup[] {
  const columns = [...new Set(trials.flatMap((trial) => Object.keys(trial.attributes)))].sort();
  const grouped = columns.flatMap((by) => {
    const groups = grouping(trials, by, (trial) => trial.attributes[by] || null);
    return groups.length > mostValues ? [] : groups;
  });
  return [...grouping(trials, 'testNetSpeechSeconds', (trial) => secondsGroup(trial.testNetSpeechSeconds)), ...grouped];
}

/** Borders are parts of the name in such a way that names sort by size. */
function secondsGroup(seconds: number): string {
  const above = secondsBorders.findIndex((border) => seconds < border);
  if (above < 0) return `${secondsBorders.at(-1)} and more`;
  return `${above === 0 ? 0 : secondsBorders[above - 1]} to ${secondsBorders[above]}`;
}

function grouping(
  trials: readonly ScoredTrial[],
  by: string,
  valueOf: (trial: ScoredTrial) => string | null,
): TrialGroup[] {
  const found = new Map<string, ScoredTrial[]>();
  for (const trial of trials) {
    const value = valueOf(trial);
    if (value === null) continue;
    const group = found.get(value);
    if (group === undefined) found.set(value, [trial]);
    else group.push(trial);
  }
  return [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([value, members]) => ({ by, value, trials: members }));
}
