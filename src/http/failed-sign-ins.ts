import { VoicegateError } from '../errors.js';

const windowMs = 60_000;
/** From one address, which may be a whole floor of agents behind a router: successes do not count. */
const mostFailures = 20;

/** Slows down guessing of keys: failed sign-ins by client address, on this node, minute by minute. */
export class FailedSignIns {
  private readonly failures = new Map<string, number>();
  private beganMs = 0;

  /**
   * Runs one sign-in; one that throws, or is still running, counts as failed.
   * @throws VoicegateError `rate_limited`; what `attempt` throws
   */
  async limit<T>(address: string, attempt: () => Promise<T>): Promise<T> {
    const nowMs = Date.now();
    if (nowMs - this.beganMs >= windowMs) {
      this.failures.clear();
      this.beganMs = nowMs;
    }
    const before = this.failures.get(address) ?? 0;
    if (before >= mostFailures) {
      throw new VoicegateError('rate_limited', 'Too many sign-ins failed from this address', {
        hint: 'Wait, then sign in with a valid key',
        retryAfterSeconds: (this.beganMs + windowMs - nowMs) / 1000,
      });
    }
    this.failures.set(address, before + 1);
    const result = await attempt();
    this.failures.set(address, Math.max(0, (this.failures.get(address) ?? 1) - 1));
    return result;
  }
}
