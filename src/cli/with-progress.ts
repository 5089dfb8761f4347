import { createProgress, type Progress } from '../ops/progress.js';

/** Shows progress while the work goes on; how much there is to do is known with the first recording. */
export async function withProgress<T>(
  label: string,
  work: (onProgress: (done: number, of: number) => void) => Promise<T>,
): Promise<T> {
  let bar: Progress | null = null;
  const result = await work((done, total) => {
    bar ??= createProgress({ label, total, out: process.stderr });
    bar.update(done);
  });
  (bar as Progress | null)?.end();
  return result;
}
