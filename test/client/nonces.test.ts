/** Nonces: never twice, never out of the window that the exchange keeps, whatever the clock does. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NonceSequence } from '#client/nonces.ts';
import { NONCE_AHEAD_MS_MAX } from '#protocol/limits.ts';
import { newNonceWindow, nonceState, useNonce } from '#state/accounts.ts';

describe('NonceSequence', () => {
  it('gives each number once and rising, whatever the clock does, and the window takes them in order', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -5_000, max: 5_000 }), { maxLength: 300 }), (steps) => {
        let now = 1_700_000_000_000;
        const nonces = new NonceSequence(() => now);
        const window = newNonceWindow();
        let last = 0;
        for (const step of steps) {
          now += step;
          const nonce = nonces.next();
          expect(nonce).toBeGreaterThan(last);
          last = nonce;
          expect(nonceState(window, nonce)).toBe('fresh');
          useNonce(window, nonce);
        }
      }),
    );
  });

  it('what is signed at once may arrive in any order', () => {
    fc.assert(
      fc.property(
        fc
          .integer({ min: 1, max: 256 })
          .chain((count) => fc.shuffledSubarray([...Array(count).keys()], { minLength: count })),
        (order) => {
          const nonces = new NonceSequence(() => 1_700_000_000_000);
          const given = order.map(() => nonces.next());
          const window = newNonceWindow();
          for (const place of order) {
            expect(nonceState(window, given[place]!)).toBe('fresh');
            useNonce(window, given[place]!);
          }
        },
      ),
    );
  });

  it('two programs with one key and clocks a few milliseconds apart stay in one window', () => {
    let now = 1_700_000_000_000;
    const first = new NonceSequence(() => now);
    const second = new NonceSequence(() => now + 7);
    const window = newNonceWindow();
    for (let i = 0; i < 1_000; i++) {
      now += 10;
      for (const nonce of [second.next(), first.next()]) {
        expect(nonceState(window, nonce)).toBe('fresh');
        useNonce(window, nonce);
      }
    }
  });

  it('continues above what is known to be used', () => {
    const nonces = new NonceSequence(() => 1_000, 5_000);
    expect(nonces.next()).toBe(5_001);
    nonces.raise(9_000);
    expect(nonces.next()).toBe(9_001);
    nonces.raise(10);
    expect(nonces.next()).toBe(9_002);
  });

  it('refuses to run a day ahead of the clock, and does not lose its place by that', () => {
    const nonces = new NonceSequence(() => 1_000, 1_000 + NONCE_AHEAD_MS_MAX - 1);
    expect(nonces.next()).toBe(1_000 + NONCE_AHEAD_MS_MAX);
    expect(() => nonces.next()).toThrow('nonce: expected at most a day ahead');
    expect(nonces.latest).toBe(1_000 + NONCE_AHEAD_MS_MAX);
  });
});
