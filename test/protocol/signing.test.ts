/**
 * EIP-712 digests against viem, with the type definitions read from the type strings of the protocol: what the
 * page says is what is signed.
 */
import fc from 'fast-check';
import { hashDomain, hashTypedData } from 'viem';
import { describe, expect, it } from 'vitest';
import { BATCH_TYPE, type BatchHeader, HEADER_FIELDS, hashHeader } from '#protocol/batch.ts';
import { concat, toHex } from '#protocol/bytes.ts';
import { nobleKeccak } from '#protocol/hash.ts';
import { checkMessage, encodeUnsignedMessage } from '#protocol/message.ts';
import { encodeOperation, type Operation } from '#protocol/operation.ts';
import * as signing from '#protocol/signing.ts';
import { operation } from '../client/arbitraries.ts';

const SEED = Number(process.env.SEED ?? 20_261_122);
console.log(`signing properties: SEED=${SEED}`);

const DOMAIN = { chainId: 31_337, verifyingContract: new Uint8Array(20).fill(0xc0) };
const VIEM_DOMAIN = {
  name: 'Sluice',
  version: '1',
  chainId: DOMAIN.chainId,
  verifyingContract: toHex(DOMAIN.verifyingContract),
};
const digests = new signing.SigningDomain(DOMAIN, nobleKeccak);

/** `Name(type a,type b)` → the definition that viem takes. */
function parse(type: string): { name: string; fields: { name: string; type: string }[] } {
  const [, name, list] = /^(\w+)\((.*)\)$/.exec(type)!;
  const fields = list!.split(',').map((field) => {
    const [fieldType, fieldName] = field.split(' ');
    return { name: fieldName!, type: fieldType! };
  });
  return { name: name!, fields };
}

function viem(type: string, message: Record<string, unknown>): string {
  const { name, fields } = parse(type);
  expect(Object.keys(message)).toEqual(fields.map((field) => field.name));
  return hashTypedData({
    domain: VIEM_DOMAIN,
    types: { [name]: fields },
    primaryType: name,
    message,
  } as never);
}

const u53 = fc.oneof(fc.maxSafeNat(), fc.constantFrom(0, 1, 2 ** 32 - 1, 2 ** 32, Number.MAX_SAFE_INTEGER));
const u32 = fc.oneof(fc.integer({ min: 0, max: 2 ** 32 - 1 }), fc.constantFrom(0, 2 ** 32 - 1));
const u16 = fc.integer({ min: 0, max: 65_535 });

/** The fields of an operation as its type names them. */
function typed(one: Operation): [string, Record<string, unknown>] {
  switch (one.kind) {
    case 'place':
      return [
        signing.ORDER_TYPE,
        {
          market: one.market,
          isSell: one.side === 1,
          price: one.price,
          size: BigInt(one.size),
          timeInForce: one.timeInForce,
          postOnly: one.postOnly ?? false,
          reduceOnly: one.reduceOnly ?? false,
          marketOrder: one.marketOrder ?? false,
          selfTradePrevention: one.selfTradePrevention ?? 0,
          clientId: BigInt(one.clientId ?? 0),
          expiry: BigInt(one.expiry ?? 0),
        },
      ];
    case 'cancel':
      return [
        signing.CANCEL_TYPE,
        { market: one.market, byClientId: one.by === 'client', id: BigInt(one.id) },
      ];
    case 'cancel-all':
      return [signing.CANCEL_ALL_TYPE, { market: one.market ?? 0, everyMarket: one.market === undefined }];
    case 'amend':
      return [
        signing.AMEND_TYPE,
        {
          market: one.market,
          byClientId: one.by === 'client',
          id: BigInt(one.id),
          price: one.price,
          size: BigInt(one.size),
        },
      ];
    case 'withdraw':
      return [signing.WITHDRAW_TYPE, { asset: one.asset, amount: BigInt(one.amount) }];
    case 'transfer':
      return [
        signing.TRANSFER_TYPE,
        { asset: one.asset, toAccount: one.toAccount, amount: BigInt(one.amount) },
      ];
    case 'session-key':
      return [
        signing.SESSION_KEY_TYPE,
        { key: toHex(one.key), scope: one.scope, expiry: BigInt(one.expiry) },
      ];
    case 'cancel-after':
      return [signing.CANCEL_AFTER_TYPE, { deadline: BigInt(one.deadline) }];
    case 'cancel-on-disconnect':
      return [signing.CANCEL_ON_DISCONNECT_TYPE, { enabled: one.enabled, graceMs: one.graceMs }];
    case 'set-leverage':
      return [signing.SET_LEVERAGE_TYPE, { market: one.market, initialPpm: one.initialPpm }];
    case 'isolate':
      return [
        signing.ISOLATE_TYPE,
        { subaccount: one.subaccount, market: one.market ?? 65_535, riskPool: one.riskPool ?? 0 },
      ];
    case 'lock':
      return [signing.LOCK_TYPE, { locked: one.locked }];
  }
}

describe('EIP-712', () => {
  it('the domain is the one that viem hashes', () => {
    expect(toHex(digests.separator)).toBe(
      hashDomain({
        domain: VIEM_DOMAIN as never,
        types: { EIP712Domain: parse(signing.DOMAIN_TYPE).fields },
      }),
    );
  });

  it('every operation under its own type', () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(operation, u32, u53, u53, (one, account, nonce, validUntil) => {
        seen.add(one.kind);
        const [type, fields] = typed(one);
        const envelope = { account, nonce: BigInt(nonce), validUntil: BigInt(validUntil) };
        const message = encodeUnsignedMessage({ account, nonce, validUntil, operations: [one] });
        expect(toHex(digests.message(message))).toBe(viem(type, { ...envelope, ...fields }));
        // At an offset inside a larger buffer too.
        const inside = concat(new Uint8Array(7).fill(9), message, new Uint8Array(65));
        expect(toHex(digests.message(inside, 7))).toBe(toHex(digests.message(message)));
      }),
      { seed: SEED, numRuns: 400 },
    );
    expect(seen.size).toBe(signing.OPERATION_TYPES.filter((type) => type !== '').length);
  });

  it('bundles as their packed bytes', () => {
    fc.assert(
      fc.property(
        fc.array(operation, { minLength: 1, maxLength: 50 }),
        u32,
        u53,
        u53,
        (operations, account, nonce, validUntil) => {
          const message = encodeUnsignedMessage({ account, nonce, validUntil, operations }, 2);
          expect(toHex(digests.message(message))).toBe(
            viem(signing.BUNDLE_TYPE, {
              account,
              nonce: BigInt(nonce),
              validUntil: BigInt(validUntil),
              operations: toHex(concat(...operations.map(encodeOperation))),
            }),
          );
        },
      ),
      { seed: SEED, numRuns: 60 },
    );
  });

  it('logins and price reports', () => {
    fc.assert(
      fc.property(u32, u53, (account, time) => {
        expect(toHex(digests.login(account, time))).toBe(
          viem(signing.LOGIN_TYPE, { account, time: BigInt(time) }),
        );
      }),
      { seed: SEED, numRuns: 50 },
    );
    const report = fc.record({
      market: u16,
      publisher: fc.nat(255),
      time: u53,
      sequence: u53,
      price: u32,
      confidence: u32,
    });
    fc.assert(
      fc.property(report, (one) => {
        expect(toHex(digests.report(one))).toBe(
          viem(signing.PRICE_REPORT_TYPE, {
            market: one.market,
            publisher: one.publisher,
            time: BigInt(one.time),
            sequence: BigInt(one.sequence),
            price: one.price,
            confidence: one.confidence,
          }),
        );
      }),
      { seed: SEED, numRuns: 50 },
    );
  });

  it('batch headers', () => {
    const hash = fc.uint8Array({ minLength: 32, maxLength: 32 });
    const fields = Object.fromEntries(
      HEADER_FIELDS.map(([name, width]) => [
        name,
        width === 32 ? hash : width === 8 ? u53 : width === 4 ? u32 : u16,
      ]),
    );
    fc.assert(
      fc.property(fc.record(fields as never) as fc.Arbitrary<BatchHeader>, (header) => {
        const message = Object.fromEntries(
          HEADER_FIELDS.map(([name, width]) => {
            const value = header[name];
            if (width === 32) return [name, toHex(value as Uint8Array)];
            return [name, width === 8 ? BigInt(value as number) : value];
          }),
        );
        expect(toHex(hashHeader(header, digests, nobleKeccak))).toBe(viem(BATCH_TYPE, message));
      }),
      { seed: SEED, numRuns: 50 },
    );
  });

  it('another chain, contract or scheme is another digest', () => {
    const message = encodeUnsignedMessage({
      account: 1,
      nonce: 1,
      validUntil: 1,
      operations: [{ kind: 'cancel-all' }],
    });
    const bundle = encodeUnsignedMessage(
      { account: 1, nonce: 1, validUntil: 1, operations: [{ kind: 'cancel-all' }] },
      2,
    );
    const others = [
      { ...DOMAIN, chainId: 1 },
      { ...DOMAIN, verifyingContract: new Uint8Array(20).fill(0xc1) },
    ].map((domain) => toHex(new signing.SigningDomain(domain, nobleKeccak).message(message)));
    expect(new Set([toHex(digests.message(message)), toHex(digests.message(bundle)), ...others]).size).toBe(
      4,
    );
  });

  it('no byte of an operation is outside of what is signed', () => {
    fc.assert(
      fc.property(operation, fc.nat(31), fc.integer({ min: 1, max: 255 }), (one, at, flip) => {
        const message = encodeUnsignedMessage({ account: 1, nonce: 2, validUntil: 3, operations: [one] });
        const changed = message.slice();
        const offset = 24 + (at % (message.length - 24));
        fc.pre(offset !== 24);
        changed[offset] = changed[offset]! ^ flip;
        const same = toHex(digests.message(changed)) === toHex(digests.message(message));
        // What is not signed must be refused as malformed, or two messages would share one signature.
        if (same) expect(wellFormed(changed)).toBe(false);
      }),
      { seed: SEED, numRuns: 2_000 },
    );
  });
});

function wellFormed(unsigned: Uint8Array): boolean {
  const whole = concat(unsigned, new Uint8Array(65));
  return checkMessage(new DataView(whole.buffer), 0, whole.length) === 0;
}
