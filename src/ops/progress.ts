/** Where progress is shown, such as process.stderr. */
export interface ProgressOutput {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

export interface ProgressOptions {
  readonly label: string;
  /** How much there is to do, in any unit; null when nobody knows. */
  readonly total: number | null;
  /** What was done before, e.g. by an earlier try: it says nothing of the speed. */
  readonly already?: number;
  /** An amount for people, e.g. bytes as MB; plain numbers if left out. */
  readonly show?: (amount: number) => string;
  readonly out: ProgressOutput;
  /** Clock, ms. */
  readonly nowMs?: () => number;
}

/** How far a long command is. */
export interface Progress {
  /** @param done of `total`, this far */
  update(done: number): void;
  /** Leaves the last state standing. */
  end(): void;
}

/** A terminal's line is drawn at most so often, ms. */
const drawEveryMs = 100;
/** Elsewhere so many lines are written until all is done. */
const lines = 10;
const barCells = 24;

/** Shows progress with the time left: on a terminal one line that is drawn again, elsewhere (a log, a pipe) a line for each tenth. */
export function createProgress(options: ProgressOptions): Progress {
  const { label, total, already = 0, show = String, out } = options;
  const nowMs = options.nowMs ?? Date.now;
  const startMs = nowMs();
  let drawnMs = -Infinity;
  let linesWritten = 0;
  let done = already;

  const text = (): string => {
    if (total === null) return `${label}  ${show(done)}`;
    const share = total === 0 ? 1 : Math.min(1, done / total);
    const filled = Math.floor(share * barCells);
    const bar = `${'#'.repeat(filled)}${'.'.repeat(barCells - filled)}`;
    const secondsLeft = done > already ? ((nowMs() - startMs) / 1000 / (done - already)) * (total - done) : null;
    const left = done >= total ? 'done' : secondsLeft === null ? '' : `${duration(secondsLeft)} left`;
    return `${label} [${bar}] ${Math.floor(share * 100)} %  ${show(done)} of ${show(total)}  ${left}`.trimEnd();
  };
  const draw = (): void => {
    drawnMs = nowMs();
    // Back to the line's begin; the rest of what stood there is cleared.
    out.write(`\r${text()}\u001b[K`);
  };
  return {
    update(amount) {
      done = amount;
      if (out.isTTY === true) {
        if (nowMs() - drawnMs >= drawEveryMs) draw();
      } else if (total !== null && Math.floor((done * lines) / total) > linesWritten) {
        linesWritten = Math.floor((done * lines) / total);
        out.write(`${text()}\n`);
      }
    },
    end() {
      if (out.isTTY !== true) return;
      draw();
      out.write('\n');
    },
  };
}

/** 5 s, 3 min 20 s, 2 h 5 min. */
function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}
