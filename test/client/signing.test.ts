/** What we sign is what wallets sign: digests against viem's own EIP-712, signatures against viem's accounts. */
import fc from 'fast-check';
import { type Hex, hashTypedData, recoverAddress } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { describe, expect, it } from 'vitest';
import { createRecover, recoverWithNoble } from '#auth/recover.ts';
import { signWithNative, signWithNoble } from '#auth/sign-digest.ts';
import { addressOfKey, keySigner, viemSigner } from '#client/signer.ts';
import { createFastKeccak, signingContext } from '#client/signing-context.ts';
import { loginTypedData, messageTypedData, reportTypedData } from '#client/typed-data.ts';
import { toHex } from '#protocol/bytes.ts';
import { nobleKeccak } from '#protocol/hash.ts';
import { encodeUnsignedMessage, SCHEME_BUNDLE } from '#protocol/message.ts';
import type { Operation } from '#protocol/operation.ts';
import { DEVELOPMENT_KEY, domain, operation, privateKey, u32, u53 } from './arbitraries.ts';

const viemDigest = (typed: ReturnType<typeof messageTypedData>): string => hashTypedData(typed as never);

const KINDS: readonly Operation[] = [
  { kind: 'place', market: 3, side: 1, price: 19_201, size: 7, timeInForce: 1, postOnly: true, expiry: 99 },
  { kind: 'cancel', market: 3, by: 'client', id: 5 },
  { kind: 'cancel-all', market: 3 },
  { kind: 'cancel-all' },
  { kind: 'amend', market: 3, by: 'order', id: 5, price: 4, size: 6 },
  { kind: 'withdraw', asset: 0, amount: 1_000_000 },
  { kind: 'transfer', asset: 0, toAccount: 9, amount: 1 },
  { kind: 'session-key', key: new Uint8Array(20).fill(7), scope: 3, expiry: 1_800_000_000_000 },
  { kind: 'cancel-after', deadline: 1_700_000_000_000 },
  { kind: 'cancel-on-disconnect', enabled: true, graceMs: 5_000 },
  { kind: 'set-leverage', market: 3, initialPpm: 200_000 },
  { kind: 'isolate', subaccount: 4, market: 3 },
  { kind: 'lock', locked: true },
];

describe('typed data', () => {
  const context = signingContext(31_337, new Uint8Array(20).fill(0xab), nobleKeccak);

  it.each(KINDS.map((one) => [one.kind, one] as const))('%s has the digest that viem computes', (_, one) => {
    const message = encodeUnsignedMessage({ account: 7, nonce: 8, validUntil: 9, operations: [one] });
    const typed = messageTypedData(context.domain, message);
    expect(typed.primaryType).not.toBe('Operations');
    expect(viemDigest(typed)).toBe(toHex(context.digests.message(message)));
  });

  it('every single operation has the digest that viem computes', () => {
    fc.assert(
      fc.property(domain, operation, u32, u53, u53, (where, one, account, nonce, validUntil) => {
        const { domain: on, digests } = signingContext(where.chainId, where.verifyingContract, nobleKeccak);
        const message = encodeUnsignedMessage({ account, nonce, validUntil, operations: [one] });
        expect(viemDigest(messageTypedData(on, message))).toBe(toHex(digests.message(message)));
      }),
      { numRuns: 300 },
    );
  });

  it('every bundle has the digest that viem computes for its packed operations', () => {
    fc.assert(
      fc.property(
        fc.array(operation, { minLength: 1, maxLength: 50 }),
        u32,
        u53,
        u53,
        (operations, account, nonce, validUntil) => {
          const message = encodeUnsignedMessage({ account, nonce, validUntil, operations }, SCHEME_BUNDLE);
          const typed = messageTypedData(context.domain, message);
          expect(typed.primaryType).toBe('Operations');
          expect(viemDigest(typed)).toBe(toHex(context.digests.message(message)));
        },
      ),
      { numRuns: 100 },
    );
  });

  it('logins and price reports have the digests that viem computes', () => {
    fc.assert(
      fc.property(u32, u53, (account, time) => {
        expect(viemDigest(loginTypedData(context.domain, account, time))).toBe(
          toHex(context.digests.login(account, time)),
        );
        const report = {
          market: account % 65_536,
          publisher: 5,
          time,
          sequence: time,
          price: account,
          confidence: 2,
        };
        expect(viemDigest(reportTypedData(context.domain, report))).toBe(
          toHex(context.digests.report(report)),
        );
      }),
    );
  });
});

describe('signers', () => {
  it('native and noble sign the same bytes, and both recover to the signer', () => {
    expect(signWithNative).toBeDefined();
    const recover = createRecover(nobleKeccak, recoverWithNoble);
    fc.assert(
      fc.property(privateKey, fc.uint8Array({ minLength: 32, maxLength: 32 }), (key, digest) => {
        const signature = signWithNoble(digest, key);
        expect(toHex(signWithNative!(digest, key))).toBe(toHex(signature));
        expect(toHex(recover(digest, signature)!)).toBe(toHex(addressOfKey(key)));
      }),
      { numRuns: 50 },
    );
  });

  it('a viem account and the raw key sign the same bytes', async () => {
    const context = signingContext(31_337, new Uint8Array(20).fill(3), await createFastKeccak());
    const account = privateKeyToAccount(toHex(DEVELOPMENT_KEY));
    const wallet = viemSigner(account);
    const key = keySigner(DEVELOPMENT_KEY);
    expect(toHex(key.address)).toBe(account.address.toLowerCase());
    expect(toHex(wallet.address)).toBe(toHex(key.address));
    await fc.assert(
      fc.asyncProperty(
        fc.array(operation, { minLength: 1, maxLength: 3 }),
        u53,
        async (operations, nonce) => {
          const unsigned = encodeUnsignedMessage({ account: 1, nonce, validUntil: nonce, operations });
          const signature = key.signMessage(context, unsigned);
          expect(toHex(await wallet.signMessage(context, unsigned))).toBe(toHex(signature));
          expect(toHex(await wallet.signLogin(context, 4, nonce))).toBe(
            toHex(key.signLogin(context, 4, nonce)),
          );
        },
      ),
      { numRuns: 40 },
    );
  });

  it('what the key signs recovers to its address by viem', async () => {
    const context = signingContext(1, new Uint8Array(20).fill(3), nobleKeccak);
    const key = keySigner(DEVELOPMENT_KEY);
    const unsigned = encodeUnsignedMessage({ account: 1, nonce: 2, validUntil: 3, operations: [KINDS[0]!] });
    const signature = toHex(key.signMessage(context, unsigned)) as Hex;
    const recovered = await recoverAddress({ hash: toHex(context.digests.message(unsigned)), signature });
    expect(recovered.toLowerCase()).toBe(toHex(key.address));
  });

  it('takes a v of 0 or 1 for 27 or 28, and nothing else', async () => {
    const context = signingContext(1, new Uint8Array(20), nobleKeccak);
    const body = '11'.repeat(64);
    const account = (v: string) =>
      viemSigner({ address: `0x${'22'.repeat(20)}`, signTypedData: async () => `0x${body}${v}` });
    const message = encodeUnsignedMessage({ account: 1, nonce: 2, validUntil: 3, operations: [KINDS[0]!] });
    expect((await account('00').signMessage(context, message))[64]).toBe(27);
    expect((await account('01').signMessage(context, message))[64]).toBe(28);
    expect((await account('1c').signMessage(context, message))[64]).toBe(28);
    await expect(account('1d').signMessage(context, message)).rejects.toMatchObject({
      code: 'SIGNING_FAILED',
    });
    await expect(account('').signMessage(context, message)).rejects.toMatchObject({ code: 'SIGNING_FAILED' });
  });

  it('keeps the cause when a wallet refuses', async () => {
    const refusal = new Error('user said no');
    const signer = viemSigner({
      address: `0x${'22'.repeat(20)}`,
      signTypedData: () => Promise.reject(refusal),
    });
    const context = signingContext(1, new Uint8Array(20), nobleKeccak);
    await expect(signer.signLogin(context, 1, 2)).rejects.toMatchObject({
      code: 'SIGNING_FAILED',
      cause: refusal,
    });
  });

  it.each(['', '0x12', '00'.repeat(32), 'ff'.repeat(32), 'zz'.repeat(32)])(
    'refuses %j as a key without showing it',
    (key) => {
      try {
        keySigner(key);
        expect.unreachable();
      } catch (error) {
        expect(error).toMatchObject({ code: 'INVALID_ARGUMENT' });
        if (key.length > 4) expect((error as Error).message).not.toContain(key);
      }
    },
  );

  it('the fast keccak is the reference', async () => {
    const fast = await createFastKeccak();
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 600 }),
        (bytes) => toHex(fast(bytes)) === toHex(nobleKeccak(bytes)),
      ),
    );
    // A fresh array each time: an earlier digest stays what it was.
    const first = fast(Uint8Array.of(1));
    const kept = toHex(first);
    fast(Uint8Array.of(2));
    expect(toHex(first)).toBe(kept);
  });
});
