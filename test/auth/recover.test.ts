import { secp256k1 } from '@noble/curves/secp256k1.js';
import fc from 'fast-check';
import { privateKeyToAccount } from 'viem/accounts';
import { describe, expect, test } from 'vitest';
import { createRecover, recoverWithNative, recoverWithNoble, signersOf } from '#auth/recover.ts';
import { createWasmKeccak } from '#auth/wasm-keccak.ts';
import { concat, toHex } from '#protocol/bytes.ts';
import { CLOCK, encodeRecord, MESSAGE, NO_SIGNERS, PRICE_ROUND } from '#protocol/command.ts';
import { nobleKeccak } from '#protocol/hash.ts';
import { encodePriceRound } from '#protocol/price-report.ts';
import { signDigest, signedMessage, TEST_DOMAIN, testKey, testSigning } from './keys.ts';

const native = createRecover(nobleKeccak, recoverWithNative!);
const reference = createRecover(nobleKeccak, recoverWithNoble);
const hexOf = (bytes: Uint8Array | undefined): string | undefined => bytes && toHex(bytes);

const bytes = (length: number): fc.Arbitrary<Uint8Array> =>
  fc.uint8Array({ minLength: length, maxLength: length });
const ORDER = secp256k1.Point.CURVE().n;
const to32 = (value: bigint): Uint8Array =>
  Uint8Array.from(Buffer.from(value.toString(16).padStart(64, '0'), 'hex'));

describe('recovering signers', () => {
  test('the native binding is there, so that both ways are compared', () => {
    expect(recoverWithNative).toBeDefined();
  });

  test('both find the signer of a good signature', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 31 }), bytes(32), (n, digest) => {
        const key = testKey(n);
        const signature = signDigest(digest, key);
        expect(hexOf(native(digest, signature))).toBe(toHex(key.address));
        expect(hexOf(reference(digest, signature))).toBe(toHex(key.address));
      }),
      { numRuns: 60 },
    );
  });

  test('both agree on arbitrary and nearly right bytes', () => {
    const scalar = fc.oneof(
      bytes(32),
      fc
        .constantFrom(0n, 1n, ORDER / 2n, ORDER / 2n + 1n, ORDER - 1n, ORDER, ORDER + 1n, 2n ** 256n - 1n)
        .map(to32),
    );
    let found = 0;
    fc.assert(
      fc.property(
        bytes(32),
        scalar,
        scalar,
        fc.integer({ min: 0, max: 255 }),
        fc.boolean(),
        (d, r, s, v, good) => {
          // The upper half of s is refused before either curve is asked, so half of the runs stay below it.
          const low = good ? concat(Uint8Array.of(s[0]! & 0x3f), s.subarray(1)) : s;
          const signature = concat(r, low, Uint8Array.of(good ? 27 + (v & 1) : v));
          const one = native(d, signature);
          expect(hexOf(one)).toBe(hexOf(reference(d, signature)));
          if (one !== undefined) found++;
        },
      ),
      { numRuns: 300 },
    );
    expect(found).toBeGreaterThan(20);
  });

  test('refuses the twin with high s, other v and other lengths, on both', () => {
    const digest = new Uint8Array(32).fill(9);
    const good = signDigest(digest, testKey(5));
    const s = BigInt(toHex(good.subarray(32, 64)));
    const twin = concat(good.subarray(0, 32), to32(ORDER - s), Uint8Array.of(good[64] === 27 ? 28 : 27));
    for (const recover of [native, reference]) {
      expect(recover(digest, good)).toBeDefined();
      expect(recover(digest, twin)).toBeUndefined();
      for (const v of [0, 1, 26, 29, 30, 255])
        expect(recover(digest, concat(good.subarray(0, 64), Uint8Array.of(v)))).toBeUndefined();
      expect(recover(digest, good.subarray(0, 64))).toBeUndefined();
      expect(recover(digest, concat(good, new Uint8Array(1)))).toBeUndefined();
      expect(recover(digest.subarray(1), good)).toBeUndefined();
    }
  });

  test('a wallet that signs typed data is recovered from the packed message', async () => {
    const key = testKey(77);
    const account = privateKeyToAccount(toHex(key.secret));
    const order = { market: 3, side: 1, price: 250_000, size: 12, timeInForce: 0, clientId: 41 } as const;
    const fields = { account: 8, nonce: 1_700_000_000_001, validUntil: 1_700_000_060_000 };
    const message = signedMessage({ ...fields, operations: [{ kind: 'place', ...order }] }, key);
    const signature = await account.signTypedData({
      domain: {
        name: 'Sluice',
        version: '1',
        chainId: TEST_DOMAIN.chainId,
        verifyingContract: toHex(TEST_DOMAIN.verifyingContract),
      },
      types: {
        Order: [
          { name: 'account', type: 'uint32' },
          { name: 'nonce', type: 'uint64' },
          { name: 'validUntil', type: 'uint64' },
          { name: 'market', type: 'uint16' },
          { name: 'isSell', type: 'bool' },
          { name: 'price', type: 'uint32' },
          { name: 'size', type: 'uint64' },
          { name: 'timeInForce', type: 'uint8' },
          { name: 'postOnly', type: 'bool' },
          { name: 'reduceOnly', type: 'bool' },
          { name: 'marketOrder', type: 'bool' },
          { name: 'selfTradePrevention', type: 'uint8' },
          { name: 'clientId', type: 'uint64' },
          { name: 'expiry', type: 'uint64' },
        ],
      },
      primaryType: 'Order',
      message: {
        account: 8,
        nonce: 1_700_000_000_001n,
        validUntil: 1_700_000_060_000n,
        market: 3,
        isSell: true,
        price: 250_000,
        size: 12n,
        timeInForce: 0,
        postOnly: false,
        reduceOnly: false,
        marketOrder: false,
        selfTradePrevention: 0,
        clientId: 41n,
        expiry: 0n,
      },
    });
    expect(toHex(message.subarray(-65))).toBe(signature);
    expect(hexOf(native(testSigning.message(message), message.subarray(-65)))).toBe(
      account.address.toLowerCase(),
    );
  });
});

describe('signers of a record', () => {
  const maker = testKey(1);
  const message = signedMessage(
    { account: 1, nonce: 5, validUntil: 9, operations: [{ kind: 'cancel-all' }] },
    maker,
  );
  const report = (publisher: number) => {
    const fields = { market: 2, publisher, time: 1_000, sequence: 7, price: 100 + publisher, confidence: 3 };
    return { ...fields, signature: signDigest(testSigning.report(fields), testKey(100 + publisher)) };
  };
  const round = encodePriceRound(2, [report(0), report(3), report(4)]);

  test('one for a message, one per report of a round, none for the rest', () => {
    const signers = (kind: number, body: Uint8Array) =>
      signersOf(encodeRecord(kind, 1_000, body), testSigning, native);
    expect(hexOf(signers(MESSAGE, message))).toBe(toHex(maker.address));
    expect(hexOf(signers(PRICE_ROUND, round))).toBe(
      toHex(concat(testKey(100).address, testKey(103).address, testKey(104).address)),
    );
    expect(signers(CLOCK, new Uint8Array(0))).toBe(NO_SIGNERS);
  });

  test('changing any byte of a signed body never gives the same signers again', () => {
    const original = toHex(maker.address);
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: message.length - 1 }),
        fc.integer({ min: 1, max: 255 }),
        (at, flip) => {
          const changed = message.slice();
          changed[at]! ^= flip;
          expect(hexOf(signersOf(encodeRecord(MESSAGE, 1_000, changed), testSigning, native))).not.toBe(
            original,
          );
        },
      ),
      { numRuns: 300 },
    );
  });

  test('undefined for a record that is cut, a malformed round, a bad signature in it', () => {
    const record = encodeRecord(PRICE_ROUND, 1_000, round);
    for (const length of [0, 3, 11, 12, 40, record.length - 1])
      expect(signersOf(record.subarray(0, length), testSigning, native)).toBeUndefined();
    const bad = record.slice();
    bad[record.length - 1] = 0;
    expect(signersOf(bad, testSigning, native)).toBeUndefined();
  });

  test('arbitrary bytes never throw', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 9 }), fc.uint8Array({ maxLength: 400 }), (kind, body) => {
        signersOf(encodeRecord(kind, 1, body), testSigning, native);
        signersOf(body, testSigning, native);
      }),
      { numRuns: 500 },
    );
  });
});

test('keccak of WebAssembly equals the reference', async () => {
  const wasm = await createWasmKeccak();
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 1_000 }), (input) => {
      const before = wasm(input);
      const copy = before.slice();
      expect(toHex(before)).toBe(toHex(nobleKeccak(input)));
      wasm(Uint8Array.of(1));
      expect(toHex(before)).toBe(toHex(copy));
    }),
    { numRuns: 200 },
  );
});
