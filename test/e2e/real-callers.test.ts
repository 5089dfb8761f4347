import t from 'tap';
import { benchRealCallers, speechDir } from '../../bench/real-callers.js';

void t.test(
  'real callers are enrolled and verified over HTTP: mostly accepted themselves, others mostly not',
  { skip: speechDir() === null && 'needs the speech folder' },
  async (t) => {
    t.setTimeout(170_000);
    const [outcome] = await benchRealCallers(15, ['ivr-digits']);
    t.ok(outcome);
    const accepted = (counts: Readonly<Record<string, number>> = {}): number =>
      (counts.ACCEPT ?? 0) / Object.values(counts).reduce((sum, number) => sum + number, 0);
    t.ok((outcome?.enrolled ?? 0) >= 15, 'most of the 20 callers are enrolled');
    t.ok(accepted(outcome?.genuine) >= 0.8, 'own voices');
    t.ok(accepted(outcome?.impostor) <= 0.2, 'other voices');
  },
);
