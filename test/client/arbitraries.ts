/** Random operations and envelopes over the whole range of every field. */
import fc from 'fast-check';
import { fromHex } from '#protocol/bytes.ts';
import type { Operation } from '#protocol/operation.ts';
import type { SelfTradePrevention, Side, TimeInForce } from '#protocol/units.ts';

export const u16 = fc.nat({ max: 0xffff });
export const u32 = fc.nat({ max: 0xffff_ffff });
export const u53 = fc.maxSafeNat();
const u2 = fc.nat({ max: 3 });
export const address = fc.uint8Array({ minLength: 20, maxLength: 20 });
export const privateKey = fc
  .uint8Array({ minLength: 32, maxLength: 32 })
  .filter((key) => key.some((byte) => byte !== 0) && key[0]! < 0xff);
const by = fc.constantFrom('order' as const, 'client' as const);

export const operation: fc.Arbitrary<Operation> = fc.oneof(
  fc.record({
    kind: fc.constant('place' as const),
    market: u16,
    side: fc.nat({ max: 1 }) as fc.Arbitrary<Side>,
    price: u32,
    size: u53,
    timeInForce: u2 as fc.Arbitrary<TimeInForce>,
    postOnly: fc.boolean(),
    reduceOnly: fc.boolean(),
    marketOrder: fc.boolean(),
    selfTradePrevention: u2 as fc.Arbitrary<SelfTradePrevention>,
    clientId: u53,
    expiry: u53,
  }),
  fc.record({ kind: fc.constant('cancel' as const), market: u16, by, id: u53 }),
  fc.record({ kind: fc.constant('cancel-all' as const), market: u16 }),
  fc.constant<Operation>({ kind: 'cancel-all' }),
  fc.record({ kind: fc.constant('amend' as const), market: u16, by, id: u53, price: u32, size: u53 }),
  fc.record({ kind: fc.constant('withdraw' as const), asset: u16, amount: u53 }),
  fc.record({ kind: fc.constant('transfer' as const), asset: u16, toAccount: u32, amount: u53 }),
  fc.record({
    kind: fc.constant('session-key' as const),
    key: address,
    scope: fc.nat({ max: 255 }),
    expiry: u53,
  }),
  fc.record({ kind: fc.constant('cancel-after' as const), deadline: u53 }),
  fc.record({ kind: fc.constant('lock' as const), locked: fc.boolean() }),
  fc.record({ kind: fc.constant('cancel-on-disconnect' as const), enabled: fc.boolean(), graceMs: u32 }),
  fc.record({ kind: fc.constant('set-leverage' as const), market: u16, initialPpm: u32 }),
  fc.record({
    kind: fc.constant('isolate' as const),
    subaccount: fc.nat({ max: 255 }),
    riskPool: fc.nat({ max: 255 }),
  }),
);

export const domain = fc.record({
  chainId: fc.integer({ min: 1, max: 2 ** 40 }),
  verifyingContract: address,
});

/** The first well-known development key of Anvil. */
export const DEVELOPMENT_KEY = fromHex('ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80');
