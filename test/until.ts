/**
 * Waits for what another part of the program, or another program, has to do first. A minute is far more than any of it takes on a busy machine.
 * @param meanwhile done before each further look, as moving a clock
 * @throws Error saying what was waited for, after a minute
 */
export async function until(
  holds: () => boolean | Promise<boolean>,
  meanwhile: () => void = () => undefined,
): Promise<void> {
  const deadlineMs = Date.now() + 60_000;
  while (!(await holds())) {
    if (Date.now() > deadlineMs) throw new Error(`a minute went by and this does not hold: ${String(holds)}`);
    meanwhile();
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
