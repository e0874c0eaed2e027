/**
 * Operations: what a signed message asks for. Little-endian, fixed length per kind; the same bytes are
 * signed, journaled and posted to L1.
 *
 *   PLACE (32)                 CANCEL (16)             CANCEL_ALL (8)        AMEND (24)
 *    0 u8  kind = 1             0 u8  kind = 2          0 u8  kind = 3        0 u8  kind = 4
 *    1 u8  flags (below)        1 u8  by (0 order,      1 u8  0 one market,   1 u8  by (0 order, 1 client id)
 *    2 u16 market                     1 client id)            1 every market  2 u16 market
 *    4 u32 price                2 u16 market            2 u16 market          4 u32 price (new)
 *    8 u64 size                 4 u32 0                 4 u32 0               8 u64 size (new open size)
 *   16 u64 client id (0 none)   8 u64 id                                     16 u64 id
 *   24 u64 expiry ms (GTD)
 *
 *   WITHDRAW (16)    TRANSFER (16)        SESSION_KEY (32)          CANCEL_AFTER (16)     CANCEL_ON_DISCONNECT (8)
 *    0 u8  kind = 5   0 u8  kind = 6       0 u8  kind = 7            0 u8  kind = 8        0 u8  kind = 9
 *    1 u8  0          1 u8  0              1 u8  scope               1 u8  0               1 u8  0 off, 1 on
 *    2 u16 asset      2 u16 asset          2 u16 0                   2 u16 0               2 u16 0
 *    4 u32 0          4 u32 to account     4 20  key address         4 u32 0               4 u32 grace ms
 *    8 u64 amount     8 u64 amount        24 u64 expiry ms (0: end)  8 u64 deadline ms (0: disarm)
 *
 *   SET_LEVERAGE (8)                    ISOLATE (8)
 *    0 u8  kind = 11                     0 u8  kind = 12
 *    1 u8  0                             1 u8  subaccount to open
 *    2 u16 market                        2 u16 its one market, 65535: none, it is a cross account
 *    4 u32 own floor of the initial      4 u32 risk pool of a cross account, 0 … 255; 0 with a market,
 *          rate, ppm (0: none)                 which has its own
 *
 *   LOCK (8)
 *    0 u8  kind = 14
 *    1 u8  1 lock, 0 unlock (the owner's signature only)
 *    2 u16 0
 *    4 u32 0
 *
 * PLACE flags: bit 0 side (0 buy), bits 1-2 time in force, bit 3 post-only, bit 4 reduce-only,
 * bits 5-6 self-trade prevention, bit 7 market order (price 0: no bound but the market's band).
 */
import { getU64, setU64, viewOf } from './bytes.ts';
import { MESSAGE_OPERATIONS_MAX, RISK_POOL_MAX } from './limits.ts';
import { Reject } from './reject.ts';
import type { SelfTradePrevention, Side, TimeInForce } from './units.ts';

export const PLACE = 1;
export const CANCEL = 2;
export const CANCEL_ALL = 3;
export const AMEND = 4;
export const WITHDRAW = 5;
export const TRANSFER = 6;
export const SESSION_KEY = 7;
export const CANCEL_AFTER = 8;
export const CANCEL_ON_DISCONNECT = 9;
export const SET_LEVERAGE = 11;
export const ISOLATE = 12;
export const LOCK = 14;

/** In place of the market of an isolated account: the account has none. */
export const NO_MARKET = 0xffff;

/** Length in bytes by kind; 0 for a kind that does not exist. */
export const OPERATION_BYTES: readonly number[] = [0, 32, 16, 8, 24, 16, 16, 32, 16, 8, 0, 8, 8, 0, 8];
export const OPERATION_NAMES = [
  '',
  'place',
  'cancel',
  'cancel-all',
  'amend',
  'withdraw',
  'transfer',
  'session-key',
  'cancel-after',
  'cancel-on-disconnect',
  '',
  'set-leverage',
  'isolate',
  '',
  'lock',
] as const;

export const BY_ORDER_ID = 0;
export const BY_CLIENT_ID = 1;

/** What a session key may sign. Withdrawals, transfers and session keys need the owner's own signature. */
export const SCOPE_TRADE = 1;
export const SCOPE_CANCEL = 2;
/** The kill switch; it may cancel, too. */
export const SCOPE_LOCK = 4;
export const SCOPE_ALL = SCOPE_TRADE | SCOPE_CANCEL | SCOPE_LOCK;

export const POST_ONLY_BIT = 1 << 3;
export const REDUCE_ONLY_BIT = 1 << 4;
export const MARKET_ORDER_BIT = 1 << 7;

export interface PlaceOperation {
  readonly kind: 'place';
  readonly market: number;
  readonly side: Side;
  /** Ticks; 0 only for a market order without a bound of its own. */
  readonly price: number;
  readonly size: number;
  readonly timeInForce: TimeInForce;
  readonly postOnly?: boolean;
  readonly reduceOnly?: boolean;
  readonly marketOrder?: boolean;
  readonly selfTradePrevention?: SelfTradePrevention;
  readonly clientId?: number;
  /** Milliseconds, GTD only. */
  readonly expiry?: number;
}
export interface CancelOperation {
  readonly kind: 'cancel';
  readonly market: number;
  readonly by: 'order' | 'client';
  readonly id: number;
}
export interface CancelAllOperation {
  readonly kind: 'cancel-all';
  /** Every market when absent. */
  readonly market?: number;
}
export interface AmendOperation {
  readonly kind: 'amend';
  readonly market: number;
  readonly by: 'order' | 'client';
  readonly id: number;
  readonly price: number;
  /** New open size. */
  readonly size: number;
}
export interface WithdrawOperation {
  readonly kind: 'withdraw';
  readonly asset: number;
  readonly amount: number;
}
export interface TransferOperation {
  readonly kind: 'transfer';
  readonly asset: number;
  readonly toAccount: number;
  readonly amount: number;
}
export interface SessionKeyOperation {
  readonly kind: 'session-key';
  readonly key: Uint8Array;
  readonly scope: number;
  /** Milliseconds; 0 ends the key. */
  readonly expiry: number;
}
export interface CancelAfterOperation {
  readonly kind: 'cancel-after';
  /** Milliseconds; 0 disarms. */
  readonly deadline: number;
}
export interface CancelOnDisconnectOperation {
  readonly kind: 'cancel-on-disconnect';
  readonly enabled: boolean;
  readonly graceMs: number;
}
export interface SetLeverageOperation {
  readonly kind: 'set-leverage';
  readonly market: number;
  /** The account's own floor of the initial rate, 1e6 / leverage; 0 removes it. */
  readonly initialPpm: number;
}
/** Opens a subaccount of the owner: isolated to `market`, or a cross account of `riskPool` when there is none. */
export interface IsolateOperation {
  readonly kind: 'isolate';
  readonly subaccount: number;
  readonly market?: number;
  readonly riskPool?: number;
}
export interface LockOperation {
  readonly kind: 'lock';
  /** False unlocks. */
  readonly locked: boolean;
}
export type Operation =
  | PlaceOperation
  | CancelOperation
  | CancelAllOperation
  | AmendOperation
  | WithdrawOperation
  | TransferOperation
  | SessionKeyOperation
  | CancelAfterOperation
  | CancelOnDisconnectOperation
  | SetLeverageOperation
  | IsolateOperation
  | LockOperation;

export function placeFlags(operation: PlaceOperation): number {
  return (
    operation.side |
    (operation.timeInForce << 1) |
    (operation.postOnly ? POST_ONLY_BIT : 0) |
    (operation.reduceOnly ? REDUCE_ONLY_BIT : 0) |
    ((operation.selfTradePrevention ?? 0) << 5) |
    (operation.marketOrder ? MARKET_ORDER_BIT : 0)
  );
}
export const sideOfFlags = (flags: number): Side => (flags & 1) as Side;
export const timeInForceOfFlags = (flags: number): TimeInForce => ((flags >> 1) & 3) as TimeInForce;
export const stpOfFlags = (flags: number): SelfTradePrevention => ((flags >> 5) & 3) as SelfTradePrevention;

const KIND_BYTE: Record<Operation['kind'], number> = {
  place: PLACE,
  cancel: CANCEL,
  'cancel-all': CANCEL_ALL,
  amend: AMEND,
  withdraw: WITHDRAW,
  transfer: TRANSFER,
  'session-key': SESSION_KEY,
  'cancel-after': CANCEL_AFTER,
  'cancel-on-disconnect': CANCEL_ON_DISCONNECT,
  'set-leverage': SET_LEVERAGE,
  isolate: ISOLATE,
  lock: LOCK,
};

/** Bytes of one operation. Ranges are the engine's to check; the fields must be non-negative integers. */
export function encodeOperation(operation: Operation): Uint8Array {
  const kind = KIND_BYTE[operation.kind];
  const bytes = new Uint8Array(OPERATION_BYTES[kind]!);
  const view = viewOf(bytes);
  bytes[0] = kind;
  switch (operation.kind) {
    case 'place':
      bytes[1] = placeFlags(operation);
      view.setUint16(2, operation.market, true);
      view.setUint32(4, operation.price, true);
      setU64(view, 8, operation.size);
      setU64(view, 16, operation.clientId ?? 0);
      setU64(view, 24, operation.expiry ?? 0);
      break;
    case 'cancel':
      bytes[1] = operation.by === 'order' ? BY_ORDER_ID : BY_CLIENT_ID;
      view.setUint16(2, operation.market, true);
      setU64(view, 8, operation.id);
      break;
    case 'cancel-all':
      bytes[1] = operation.market === undefined ? 1 : 0;
      view.setUint16(2, operation.market ?? 0, true);
      break;
    case 'amend':
      bytes[1] = operation.by === 'order' ? BY_ORDER_ID : BY_CLIENT_ID;
      view.setUint16(2, operation.market, true);
      view.setUint32(4, operation.price, true);
      setU64(view, 8, operation.size);
      setU64(view, 16, operation.id);
      break;
    case 'withdraw':
      view.setUint16(2, operation.asset, true);
      setU64(view, 8, operation.amount);
      break;
    case 'transfer':
      view.setUint16(2, operation.asset, true);
      view.setUint32(4, operation.toAccount, true);
      setU64(view, 8, operation.amount);
      break;
    case 'session-key':
      bytes[1] = operation.scope;
      bytes.set(operation.key, 4);
      setU64(view, 24, operation.expiry);
      break;
    case 'cancel-after':
      setU64(view, 8, operation.deadline);
      break;
    case 'cancel-on-disconnect':
      bytes[1] = operation.enabled ? 1 : 0;
      view.setUint32(4, operation.graceMs, true);
      break;
    case 'set-leverage':
      view.setUint16(2, operation.market, true);
      view.setUint32(4, operation.initialPpm, true);
      break;
    case 'isolate':
      bytes[1] = operation.subaccount;
      view.setUint16(2, operation.market ?? NO_MARKET, true);
      view.setUint32(4, operation.riskPool ?? 0, true);
      break;
    case 'lock':
      bytes[1] = operation.locked ? 1 : 0;
      break;
  }
  return bytes;
}

const u64Offsets: readonly (readonly number[])[] = [
  [],
  [8, 16, 24],
  [8],
  [],
  [8, 16],
  [8],
  [8],
  [24],
  [8],
  [],
  [],
  [],
  [],
  [],
  [],
];

/**
 * Checks that `length` bytes at `offset` are exactly `count` (1 … 50) whole operations of known kinds whose
 * 64-bit fields are safe integers, whose enumerated bytes are in range and whose zero bytes are zero.
 * Cost is linear in the length. Returns a reject code, 0 when well formed.
 */
export function checkOperations(view: DataView, offset: number, length: number, count: number): number {
  if (count < 1 || count > MESSAGE_OPERATIONS_MAX) return Reject.TOO_MANY_OPERATIONS;
  let at = offset;
  const end = offset + length;
  for (let i = 0; i < count; i++) {
    if (at >= end) return Reject.MALFORMED_MESSAGE;
    const kind = view.getUint8(at);
    const size = OPERATION_BYTES[kind] ?? 0;
    if (size === 0) return Reject.UNKNOWN_OPERATION;
    if (at + size > end) return Reject.MALFORMED_OPERATION;
    for (const field of u64Offsets[kind]!) {
      if (view.getUint32(at + field + 4, true) >= 0x20_0000) return Reject.MALFORMED_OPERATION;
    }
    const second = view.getUint8(at + 1);
    const fourth = view.getUint32(at + 4, true);
    const third = view.getUint16(at + 2, true);
    let wellFormed = true;
    switch (kind) {
      case CANCEL:
        wellFormed = second <= 1 && fourth === 0;
        break;
      case CANCEL_ALL:
        wellFormed = second <= 1 && fourth === 0 && (second === 0 || third === 0);
        break;
      case AMEND:
        wellFormed = second <= 1;
        break;
      case WITHDRAW:
        wellFormed = second === 0 && fourth === 0;
        break;
      case TRANSFER:
        wellFormed = second === 0;
        break;
      case SESSION_KEY:
        wellFormed = third === 0;
        break;
      case CANCEL_AFTER:
        wellFormed = second === 0 && third === 0 && fourth === 0;
        break;
      case CANCEL_ON_DISCONNECT:
        wellFormed = second <= 1 && third === 0;
        break;
      case SET_LEVERAGE:
        wellFormed = second === 0;
        break;
      case ISOLATE:
        wellFormed = fourth <= RISK_POOL_MAX && (third === NO_MARKET || fourth === 0);
        break;
      case LOCK:
        wellFormed = second <= 1 && third === 0 && fourth === 0;
        break;
    }
    if (!wellFormed) return Reject.MALFORMED_OPERATION;
    at += size;
  }
  return at === end ? Reject.NONE : Reject.MALFORMED_MESSAGE;
}

/** Reads one well-formed operation; for tests, clients and displays (the engine reads fields in place). */
export function decodeOperation(view: DataView, offset: number): Operation {
  const kind = view.getUint8(offset);
  const second = view.getUint8(offset + 1);
  const market = view.getUint16(offset + 2, true);
  const by = second === BY_ORDER_ID ? 'order' : 'client';
  switch (kind) {
    case PLACE:
      return {
        kind: 'place',
        market,
        side: sideOfFlags(second),
        price: view.getUint32(offset + 4, true),
        size: getU64(view, offset + 8),
        timeInForce: timeInForceOfFlags(second),
        postOnly: (second & POST_ONLY_BIT) !== 0,
        reduceOnly: (second & REDUCE_ONLY_BIT) !== 0,
        marketOrder: (second & MARKET_ORDER_BIT) !== 0,
        selfTradePrevention: stpOfFlags(second),
        clientId: getU64(view, offset + 16),
        expiry: getU64(view, offset + 24),
      };
    case CANCEL:
      return { kind: 'cancel', market, by, id: getU64(view, offset + 8) };
    case CANCEL_ALL:
      return second === 1 ? { kind: 'cancel-all' } : { kind: 'cancel-all', market };
    case AMEND:
      return {
        kind: 'amend',
        market,
        by,
        id: getU64(view, offset + 16),
        price: view.getUint32(offset + 4, true),
        size: getU64(view, offset + 8),
      };
    case WITHDRAW:
      return { kind: 'withdraw', asset: market, amount: getU64(view, offset + 8) };
    case TRANSFER:
      return {
        kind: 'transfer',
        asset: market,
        toAccount: view.getUint32(offset + 4, true),
        amount: getU64(view, offset + 8),
      };
    case SESSION_KEY:
      return {
        kind: 'session-key',
        scope: second,
        key: new Uint8Array(view.buffer, view.byteOffset + offset + 4, 20).slice(),
        expiry: getU64(view, offset + 24),
      };
    case CANCEL_AFTER:
      return { kind: 'cancel-after', deadline: getU64(view, offset + 8) };
    case CANCEL_ON_DISCONNECT:
      return {
        kind: 'cancel-on-disconnect',
        enabled: second === 1,
        graceMs: view.getUint32(offset + 4, true),
      };
    case SET_LEVERAGE:
      return { kind: 'set-leverage', market, initialPpm: view.getUint32(offset + 4, true) };
    case ISOLATE:
      return market === NO_MARKET
        ? { kind: 'isolate', subaccount: second, riskPool: view.getUint32(offset + 4, true) }
        : { kind: 'isolate', subaccount: second, market };
    case LOCK:
      return { kind: 'lock', locked: second === 1 };
    default:
      throw new Error(`operation: expected a known kind, got ${kind}`);
  }
}
