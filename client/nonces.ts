/**
 * Nonces of one signer on one account. They follow the server's clock in milliseconds, so that several programs
 * with one key stay inside each other's window, and rise by one where messages come faster.
 */
import { NONCE_AHEAD_MS_MAX } from '#protocol/limits.ts';
import { SluiceError } from './errors.ts';

export class NonceSequence {
  private last: number;
  private readonly now: () => number;

  /** `now`: milliseconds, of the server if known. `after`: the highest nonce known to be used. */
  constructor(now: () => number, after = 0) {
    this.now = now;
    this.last = after;
  }

  /** Never the same twice; rising. Throws INVALID_ARGUMENT when it would be a day ahead of the clock. */
  next(): number {
    const now = this.now();
    const nonce = Math.max(this.last + 1, now);
    if (nonce > now + NONCE_AHEAD_MS_MAX)
      throw new SluiceError(
        'INVALID_ARGUMENT',
        `nonce: expected at most a day ahead of the clock, got ${nonce} at ${now}`,
        { details: { nonce, now } },
      );
    this.last = nonce;
    return nonce;
  }

  /** The next nonces lie above `used`, which someone is known to have used. */
  raise(used: number): void {
    if (used > this.last) this.last = used;
  }

  /** The last one given out. */
  get latest(): number {
    return this.last;
  }
}
