/** Operations of every kind, for vectors of messages. */
import type { Operation } from '#protocol/operation.ts';
import { testKey } from '../auth/keys.ts';

const TIME = 1_700_000_000_000;
const SAFE = Number.MAX_SAFE_INTEGER;

/** 32 bytes, big-endian. */
export const to32 = (value: bigint): Uint8Array =>
  Uint8Array.from({ length: 32 }, (_, i) => Number((value >> BigInt(8 * (31 - i))) & 0xffn));

/** One or more of every kind, with different values in all fields. */
export const OPERATIONS: readonly Operation[] = [
  {
    kind: 'place',
    market: 513,
    side: 1,
    price: 0xfedc_ba98,
    size: 0x1f_0203_0405_0607,
    timeInForce: 1,
    postOnly: true,
    selfTradePrevention: 2,
    clientId: SAFE,
    expiry: TIME + 77,
  },
  { kind: 'place', market: 2, side: 0, price: 9_999, size: 12, timeInForce: 3, reduceOnly: true },
  {
    kind: 'place',
    market: 0,
    side: 1,
    price: 0,
    size: 1,
    timeInForce: 2,
    marketOrder: true,
    selfTradePrevention: 3,
  },
  { kind: 'cancel', market: 258, by: 'order', id: 0x1f_1234_5678_9abc },
  { kind: 'cancel', market: 1, by: 'client', id: 5 },
  { kind: 'cancel-all' },
  { kind: 'cancel-all', market: 770 },
  { kind: 'amend', market: 3, by: 'order', id: 0x1_0000_0001, price: 0x0102_0304, size: 9 },
  { kind: 'amend', market: 0xffff, by: 'client', id: SAFE, price: 7, size: SAFE },
  { kind: 'withdraw', asset: 300, amount: 0x1f_ffff_0000_0001 },
  { kind: 'transfer', asset: 0, toAccount: 0xdead_beef, amount: 1_000_000 },
  { kind: 'session-key', key: testKey(301).address, scope: 7, expiry: TIME + 5 },
  { kind: 'session-key', key: testKey(302).address, scope: 0, expiry: 0 },
  { kind: 'cancel-after', deadline: TIME + 60_000 },
  { kind: 'cancel-on-disconnect', enabled: true, graceMs: 0x0001_86a0 },
  { kind: 'cancel-on-disconnect', enabled: false, graceMs: 0 },
  { kind: 'set-leverage', market: 0x0203, initialPpm: 0xfedc_ba98 },
  { kind: 'set-leverage', market: 0, initialPpm: 0 },
  { kind: 'isolate', subaccount: 7, market: 0x0102 },
  { kind: 'isolate', subaccount: 255, riskPool: 200 },
  { kind: 'lock', locked: true },
  { kind: 'lock', locked: false },
];
