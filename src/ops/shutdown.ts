/** One thing to end, named for the log. */
export interface ShutdownPhase {
  readonly name: string;
  readonly end: () => Promise<void>;
}

/**
 * Ends phases in the order given, each after the one before: stop taking requests, finish those taken, end the workers, close the database.
 * A phase that fails does not keep the next from ending. Calling twice runs once.
 * @param timeoutMs after this the returned promise resolves with `late` and the name of the phase still running
 */
export function createShutdown(
  phases: readonly ShutdownPhase[],
  timeoutMs: number,
  onFault: (phase: string, fault: unknown) => void,
): () => Promise<{ readonly late: string | null }> {
  let running: Promise<{ late: string | null }> | null = null;
  const run = async (): Promise<{ late: string | null }> => {
    let current = '';
    const all = (async () => {
      for (const phase of phases) {
        current = phase.name;
        try {
          await phase.end();
        } catch (fault) {
          onFault(phase.name, fault);
        }
      }
      return { late: null };
    })();
    let timer: NodeJS.Timeout | undefined;
    const limit = new Promise<{ late: string }>((resolve) => {
      timer = setTimeout(() => resolve({ late: current }), timeoutMs);
    });
    const result = await Promise.race([all, limit]);
    clearTimeout(timer);
    return result;
  };
  return () => (running ??= run());
}
