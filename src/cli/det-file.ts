import { spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { VoicegateError } from '../errors.js';
import { equalErrorRate, errorRatesAt } from '../scoring/error-rates.js';
import { detPlot, type DetCurve } from '../tuning/det.js';
import type { ScoredChannel } from '../tuning/evaluate-speakers.js';
import type { ScoredTrial } from '../tuning/score-trials.js';
import { byKind, scoreOf, type NamedThreshold, type ScoreKind } from '../tuning/speaker-report.js';

/**
 * Writes the DET plot of every list and of all together, of one channel.
 * @param path ends in .svg, or in .png, which ffmpeg draws
 * @param thresholds marked where the LLRs have them, whatever score the curves are of
 * @throws VoicegateError `invalid_request` for another ending, `audio_decoder_missing` where ffmpeg does not draw SVG
 */
export async function writeDet(
  path: string,
  title: string,
  { lists }: ScoredChannel,
  options: { readonly scores: ScoreKind; readonly thresholds: readonly NamedThreshold[]; readonly ffmpegPath: string },
): Promise<void> {
  const curve = (name: string, trials: readonly ScoredTrial[], isPooled: boolean): DetCurve => {
    const scores = byKind(trials, (trial) => scoreOf(trial, options.scores));
    const isCalibrated = trials.every((trial) => trial.llr !== null);
    const llrs = isCalibrated ? byKind(trials, (trial) => trial.llr as number) : null;
    return {
      name,
      scores,
      isPooled,
      eer: equalErrorRate(scores),
      marks:
        llrs === null
          ? []
          : options.thresholds.map(({ name: tier, llr }) => ({ name: tier, ...errorRatesAt(llrs, llr) })),
    };
  };
  const whole = lists.filter(({ trials }) =>
    [true, false].every((kind) => trials.some((one) => one.isTarget === kind)),
  );
  const curves = whole.map(({ name, trials }) => curve(name, trials, false));
  if (whole.length > 1) {
    curves.push(
      curve(
        'pooled',
        whole.flatMap((list) => list.trials),
        true,
      ),
    );
  }
  const svg = detPlot(title, curves);
  if (path.endsWith('.png')) await drawPng(svg, path, options.ffmpegPath);
  else await writeFile(path, svg);
}

/** @throws VoicegateError `invalid_request` where a plot cannot be written under this name */
export function requirePlotName(path: string): void {
  if (/\.(svg|png)$/.test(path)) return;
  throw new VoicegateError('invalid_request', `a DET plot named ${path}`, { hint: 'Its name ends in .svg or .png' });
}

async function drawPng(svg: string, path: string, ffmpegPath: string): Promise<void> {
  const code = await new Promise<number | string | null>((resolve) => {
    // One packet of the size of the whole document: else the demuxer hands it on in pieces.
    const whole = ['-f', 'svg_pipe', '-frame_size', String(Buffer.byteLength(svg)), '-i', 'pipe:0'];
    const args = ['-v', 'quiet', ...whole, '-frames:v', '1', '-f', 'image2', '-y', path];
    const child = spawn(ffmpegPath, args, { stdio: ['pipe', 'ignore', 'ignore'], windowsHide: true });
    child.once('error', (fault: NodeJS.ErrnoException) => resolve(fault.code ?? 'error'));
    child.once('close', resolve);
    child.stdin.on('error', () => undefined);
    child.stdin.end(svg);
  });
  if (code === 0) return;
  throw new VoicegateError('audio_decoder_missing', 'a PNG plot needs an ffmpeg that draws SVG', {
    hint: `Debian's does; or name the plot .svg. ${ffmpegPath} ended with ${String(code)}`,
  });
}
