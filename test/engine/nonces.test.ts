/** Nonce windows against a set of used nonces, and session keys: who may sign what, until when, and never twice. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Operation } from '#protocol/operation.ts';
import { rejectName } from '#protocol/reject.ts';
import { newNonceWindow, nonceState, useNonce } from '#state/accounts.ts';
import { buy, Desk, only } from '../support/desk.ts';
import { testAddress } from '../support/exchange.ts';

const SEED = Number(process.env.SEED ?? 20_261_122);
console.log(`nonce properties: SEED=${SEED}`);

describe('nonce window', () => {
  const check = (nonces: readonly number[]): void => {
    const window = newNonceWindow();
    const used = new Set([0]);
    let high = 0;
    for (const nonce of nonces) {
      const expected = nonce <= high - 256 ? 'old' : used.has(nonce) ? 'used' : 'fresh';
      expect(nonceState(window, nonce)).toBe(expected);
      if (expected !== 'fresh') continue;
      useNonce(window, nonce);
      used.add(nonce);
      high = Math.max(high, nonce);
      expect(window.high).toBe(high);
    }
    for (let back = 0; back <= 300 && back <= high; back++)
      expect(nonceState(window, high - back)).toBe(
        back >= 256 ? 'old' : used.has(high - back) ? 'used' : 'fresh',
      );
  };

  it('equals a set of used nonces, for any order and any jumps', () => {
    const near = fc.integer({ min: 0, max: 700 });
    const step = fc.constantFrom(1, 31, 32, 33, 63, 64, 65, 127, 128, 224, 255, 256, 257, 1_000);
    fc.assert(
      fc.property(fc.array(near, { maxLength: 400 }), (nonces) => check(nonces)),
      { seed: SEED, numRuns: 300 },
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(step, fc.nat(260)), { maxLength: 60 }), (moves) => {
        let high = 0;
        const nonces: number[] = [];
        for (const [forward, back] of moves) {
          high += forward;
          nonces.push(high, Math.max(0, high - back));
        }
        check(nonces);
      }),
      { seed: SEED, numRuns: 300 },
    );
  });

  it('holds at the top of the range', () => {
    const window = newNonceWindow();
    const top = Number.MAX_SAFE_INTEGER;
    useNonce(window, top - 255);
    useNonce(window, top);
    expect(nonceState(window, top - 255)).toBe('used');
    expect(nonceState(window, top - 256)).toBe('old');
    expect(nonceState(window, top - 1)).toBe('fresh');
  });
});

const cancelAll: Operation = { kind: 'cancel-all' };

describe('messages', () => {
  it('may come in any order and never twice; what a message does is done once', () => {
    const desk = new Desk();
    const account = desk.deposit(1, 1_000_000);
    desk.price(0, 100);
    const [first, second] = [1, 2].map((nonce) => desk.messageCommand(account, [buy(1, 90)], { nonce }));
    desk.apply(second!);
    desk.apply(first!);
    for (const again of [first!, second!]) {
      expect(rejectName(desk.engine.admit(again, desk.now))).toBe('NONCE_USED');
      expect(desk.apply(again)).toEqual([]);
    }
    expect(desk.book(0)).toHaveLength(2);
  });

  it('a nonce is per account: subaccounts of one owner have windows of their own', () => {
    const desk = new Desk();
    const accounts = [desk.deposit(1, 1_000), desk.deposit(1, 1_000, 1)];
    for (const account of accounts) desk.apply(desk.messageCommand(account, [cancelAll], { nonce: 9 }));
    for (const account of accounts)
      expect(
        rejectName(desk.engine.admit(desk.messageCommand(account, [cancelAll], { nonce: 9 }), desk.now)),
      ).toBe('NONCE_USED');
  });

  it('is good until its last millisecond, and its nonce up to a day ahead', () => {
    const desk = new Desk();
    const account = desk.deposit(1, 1_000);
    const judge = (options: { nonce?: number; validUntil?: number }): string =>
      rejectName(
        desk.engine.admit(desk.messageCommand(account, [cancelAll], { nonce: 5, ...options }), desk.now),
      );
    expect(judge({ validUntil: desk.now })).toBe('NONE');
    expect(judge({ validUntil: desk.now - 1 })).toBe('MESSAGE_EXPIRED');
    expect(judge({ nonce: desk.now + 86_400_000 })).toBe('NONE');
    expect(judge({ nonce: desk.now + 86_400_001 })).toBe('NONCE_TOO_FAR_AHEAD');
    expect(judge({ nonce: 0 })).toBe('NONCE_USED');
  });
});

describe('session keys', () => {
  const KEY = testAddress(70);
  const STRANGER = testAddress(71);

  function withKey(scope: number, ms = 60_000): { desk: Desk; account: number } {
    const desk = new Desk();
    const account = desk.deposit(1, 1_000_000);
    desk.price(0, 100);
    desk.done(account, { kind: 'session-key', key: KEY, scope, expiry: desk.now + ms });
    return { desk, account };
  }

  const operations: Record<Operation['kind'], Operation> = {
    place: buy(1, 90),
    cancel: { kind: 'cancel', market: 0, by: 'order', id: 1 },
    'cancel-all': cancelAll,
    amend: { kind: 'amend', market: 0, by: 'order', id: 1, price: 91, size: 1 },
    withdraw: { kind: 'withdraw', asset: 0, amount: 1 },
    transfer: { kind: 'transfer', asset: 0, toAccount: 1, amount: 1 },
    'session-key': { kind: 'session-key', key: STRANGER, scope: 3, expiry: 2 ** 47 },
    'cancel-after': { kind: 'cancel-after', deadline: 0 },
    'cancel-on-disconnect': { kind: 'cancel-on-disconnect', enabled: false, graceMs: 0 },
    'set-leverage': { kind: 'set-leverage', market: 0, initialPpm: 500_000 },
    isolate: { kind: 'isolate', subaccount: 1, market: 0 },
    lock: { kind: 'lock', locked: true },
  };
  const both = ['cancel', 'cancel-all', 'cancel-after', 'cancel-on-disconnect'];
  const allowed: Record<number, readonly string[]> = {
    1: ['place', 'amend', 'set-leverage', ...both],
    2: both,
    3: ['place', 'amend', 'set-leverage', ...both],
    4: ['lock', ...both],
    7: ['place', 'amend', 'set-leverage', 'lock', ...both],
  };

  for (const scope of [1, 2, 3, 4, 7])
    it(`scope ${scope}: ${allowed[scope]!.join(', ')}`, () => {
      const { desk, account } = withKey(scope);
      let nonce = 0;
      for (const [kind, operation] of Object.entries(operations)) {
        const alone = desk.messageCommand(account, [operation], { signer: KEY, nonce: ++nonce });
        const bundled = desk.messageCommand(account, [cancelAll, operation], { signer: KEY, nonce: ++nonce });
        const expected = allowed[scope]!.includes(kind) ? 'NONE' : 'SCOPE_NOT_ALLOWED';
        for (const command of [alone, bundled])
          expect(`${kind}: ${rejectName(desk.engine.admit(command, desk.now))}`).toBe(`${kind}: ${expected}`);
        const byOwner = desk.messageCommand(account, [operation], { nonce: 100 });
        expect(rejectName(desk.engine.admit(byOwner, desk.now))).toBe('NONE');
      }
    });

  it('a message of which one operation is out of scope is refused whole', () => {
    const { desk, account } = withKey(2);
    const command = desk.messageCommand(account, [cancelAll, buy(1, 90)], { signer: KEY, nonce: 1 });
    expect(desk.apply(command)).toEqual([]);
    expect(desk.book(0)).toEqual([]);
    // No nonce is used by it.
    const good = desk.messageCommand(account, [cancelAll], { signer: KEY, nonce: 1 });
    expect(rejectName(desk.engine.admit(good, desk.now))).toBe('NONE');
  });

  it('ends with its expiry, and when the owner ends it', () => {
    const { desk, account } = withKey(3, 1_000);
    const signed = (nonce: number): string =>
      rejectName(
        desk.engine.admit(desk.messageCommand(account, [cancelAll], { signer: KEY, nonce }), desk.now),
      );
    desk.advance(999);
    expect(signed(1)).toBe('NONE');
    desk.advance(1);
    expect(signed(1)).toBe('SESSION_KEY_EXPIRED');
    desk.done(account, { kind: 'session-key', key: KEY, scope: 3, expiry: desk.now + 1_000 });
    expect(signed(1)).toBe('NONE');
    desk.done(account, { kind: 'session-key', key: KEY, scope: 0, expiry: 0 });
    expect(signed(1)).toBe('SESSION_KEY_EXPIRED');
  });

  it('registered again keeps its used nonces: an old message can not be replayed', () => {
    const { desk, account } = withKey(3);
    const order = desk.messageCommand(account, [buy(1, 90)], { signer: KEY, nonce: 7, validUntil: 2 ** 47 });
    desk.apply(order);
    for (const expiry of [0, desk.now + 5_000]) {
      desk.done(account, { kind: 'session-key', key: KEY, scope: expiry === 0 ? 0 : 3, expiry });
    }
    expect(rejectName(desk.engine.admit(order, desk.now))).toBe('NONCE_USED');
    desk.apply(order);
    expect(desk.book(0)).toHaveLength(1);
  });

  it('registered again has the new scope, wider or narrower', () => {
    const { desk, account } = withKey(2);
    const places = (nonce: number): string =>
      rejectName(
        desk.engine.admit(desk.messageCommand(account, [buy(1, 90)], { signer: KEY, nonce }), desk.now),
      );
    expect(places(1)).toBe('SCOPE_NOT_ALLOWED');
    desk.done(account, { kind: 'session-key', key: KEY, scope: 1, expiry: desk.now + 1_000 });
    expect(places(1)).toBe('NONE');
    desk.done(account, { kind: 'session-key', key: KEY, scope: 2, expiry: desk.now + 1_000 });
    expect(places(1)).toBe('SCOPE_NOT_ALLOWED');
  });

  it('is of one account: another account of the same owner, or another owner, knows nothing of it', () => {
    const { desk } = withKey(3);
    const sibling = desk.deposit(1, 1_000, 1);
    const stranger = desk.deposit(2, 1_000);
    for (const account of [sibling, stranger])
      expect(
        rejectName(
          desk.engine.admit(desk.messageCommand(account, [cancelAll], { signer: KEY, nonce: 1 }), desk.now),
        ),
      ).toBe('SIGNER_NOT_AUTHORIZED');
    expect(
      rejectName(
        desk.engine.admit(
          desk.messageCommand(sibling, [cancelAll], { signer: STRANGER, nonce: 1 }),
          desk.now,
        ),
      ),
    ).toBe('SIGNER_NOT_AUTHORIZED');
  });

  it('nonces of the owner and of each key are apart', () => {
    const { desk, account } = withKey(3);
    desk.apply(desk.messageCommand(account, [cancelAll], { signer: KEY, nonce: 40 }));
    const byOwner = desk.messageCommand(account, [cancelAll], { nonce: 40 });
    expect(rejectName(desk.engine.admit(byOwner, desk.now))).toBe('NONE');
  });

  it('has valid scopes, expiries and keys only, and says so in an event', () => {
    const { desk, account } = withKey(3);
    const set = (fields: { key?: Uint8Array; scope?: number; expiry?: number }): string =>
      rejectName(
        desk.code(account, {
          kind: 'session-key',
          key: STRANGER,
          scope: 1,
          expiry: desk.now + 1,
          ...fields,
        }),
      );
    expect(set({ scope: 0 })).toBe('INVALID_SESSION_KEY');
    expect(set({ scope: 8 })).toBe('INVALID_SESSION_KEY');
    expect(set({ scope: 15 })).toBe('INVALID_SESSION_KEY');
    expect(set({ expiry: desk.now })).toBe('INVALID_SESSION_KEY');
    expect(set({ expiry: 2 ** 48 })).toBe('INVALID_SESSION_KEY');
    expect(set({ key: new Uint8Array(20) })).toBe('INVALID_SESSION_KEY');
    // Only a key that is there can be ended, and without a scope.
    expect(set({ scope: 0, expiry: 0 })).toBe('INVALID_SESSION_KEY');
    expect(set({ key: KEY, scope: 1, expiry: 0 })).toBe('INVALID_SESSION_KEY');
    expect(desk.state.sessionKeys.get(account)).toHaveLength(1);
    const events = desk.send(account, { kind: 'session-key', key: STRANGER, scope: 2, expiry: 2 ** 48 - 1 });
    expect(only(events, 'SESSION_KEY_SET')).toMatchObject([{ account, scope: 2, expiry: 2 ** 48 - 1 }]);
    expect(desk.state.sessionKeys.get(account)).toHaveLength(2);
  });

  it('full: a known key may still be changed and ended', () => {
    const desk = new Desk({ chain: { sessionKeysMax: 2 } });
    const account = desk.deposit(1, 1_000);
    const set = (n: number, scope: number, expiry: number): string =>
      rejectName(desk.code(account, { kind: 'session-key', key: testAddress(n), scope, expiry }));
    expect([set(80, 1, desk.now + 9), set(81, 1, desk.now + 9)]).toEqual(['NONE', 'NONE']);
    expect(set(82, 1, desk.now + 9)).toBe('TOO_MANY_SESSION_KEYS');
    expect(set(80, 0, 0)).toBe('NONE');
    expect(set(82, 1, desk.now + 9)).toBe('TOO_MANY_SESSION_KEYS');
    expect(set(80, 3, desk.now + 9)).toBe('NONE');
  });
});
