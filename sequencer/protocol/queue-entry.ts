/**
 * Entries of the L1 queue. Their payloads are packed by the contracts, so they are big-endian.
 * Body of a QUEUE_ENTRY record (the header little-endian like every record):
 *
 *    0 u64 index   8 u8 kind   9 u8 0   10 u16 payload length, P   12 20 owner   32 P payload
 *
 * Prefix hash (contract and state machine alike): the hash before the first entry is zero, then
 *   prefix' = keccak256(prefix ‖ kind (u8) ‖ owner (20) ‖ keccak256(payload))
 *
 * Payloads (big-endian, packed):
 *   DEPOSIT          u16 asset ‖ u8 subaccount ‖ u64 amount (units of the asset)
 *   WITHDRAW         u16 asset ‖ u8 subaccount ‖ u64 amount: pays min(amount, what may be withdrawn)
 *   CANCEL_ALL       u8 subaccount
 *   REDUCE_ONLY_IOC  u16 market ‖ u8 subaccount ‖ u8 side ‖ u32 price (0: the band's) ‖ u64 size: closes a position as
 *                    far as the book holds, by the rules of a placed order
 *   EVALUATE_LIQUIDATION  u32 account, of whomever: asks for a look at its margin, as an EVALUATE record does
 *   CONFIGURE_*      only from the deployer's genesis list and later the timelocked configuration queue
 *     CHAIN          see `ChainParameters`       MARKET  see `MarketConfig`
 *     PUBLISHER      u8 index ‖ 20 address ‖ u32 weight (0 removes)
 *     ASSET          see `AssetConfig`
 *   Kind 4 (auction bid) is reserved.
 * An entry whose payload does not parse, or whose kind is unknown, moves the cursor and does nothing else.
 */
import { concat, getU64, getU64be, setU64, setU64be, viewOf } from './bytes.ts';
import type { Keccak } from './hash.ts';
import { QUEUE_ENTRY_HEADER_BYTES } from './limits.ts';
import type { Side } from './units.ts';

export const QUEUE_DEPOSIT = 0;
export const QUEUE_WITHDRAW = 1;
export const QUEUE_CANCEL_ALL = 2;
export const QUEUE_REDUCE_ONLY_IOC = 3;
export const QUEUE_AUCTION_BID = 4;
export const QUEUE_EVALUATE_LIQUIDATION = 5;
export const QUEUE_CONFIGURE_CHAIN = 16;
export const QUEUE_CONFIGURE_MARKET = 17;
export const QUEUE_CONFIGURE_PUBLISHER = 18;
export const QUEUE_CONFIGURE_ASSET = 19;

export interface QueueEntry {
  /** From 0, without gaps. */
  readonly index: number;
  readonly kind: number;
  /** 20 bytes: who is credited or whose accounts are meant. */
  readonly owner: Uint8Array;
  /** At most 256 bytes. */
  readonly payload: Uint8Array;
}

export function encodeQueueEntry(entry: QueueEntry): Uint8Array {
  const bytes = new Uint8Array(QUEUE_ENTRY_HEADER_BYTES + entry.payload.length);
  const view = viewOf(bytes);
  setU64(view, 0, entry.index);
  bytes[8] = entry.kind;
  view.setUint16(10, entry.payload.length, true);
  bytes.set(entry.owner, 12);
  bytes.set(entry.payload, QUEUE_ENTRY_HEADER_BYTES);
  return bytes;
}

/** Undefined when the bytes are not one whole entry. */
export function decodeQueueEntry(body: Uint8Array): QueueEntry | undefined {
  if (body.length < QUEUE_ENTRY_HEADER_BYTES) return undefined;
  const view = viewOf(body);
  const payloadBytes = view.getUint16(10, true);
  const index = getU64(view, 0);
  if (body.length !== QUEUE_ENTRY_HEADER_BYTES + payloadBytes || body[9] !== 0) return undefined;
  if (!Number.isSafeInteger(index)) return undefined;
  return {
    index,
    kind: body[8]!,
    owner: body.slice(12, 32),
    payload: body.slice(QUEUE_ENTRY_HEADER_BYTES),
  };
}

export function nextQueueHash(
  keccak: Keccak,
  prefix: Uint8Array,
  entry: Omit<QueueEntry, 'index'>,
): Uint8Array {
  return keccak(concat(prefix, Uint8Array.of(entry.kind), entry.owner, keccak(entry.payload)));
}

/** Payload of DEPOSIT and WITHDRAW. */
export function encodeMoneyPayload(money: { asset: number; subaccount: number; amount: number }): Uint8Array {
  const bytes = new Uint8Array(11);
  const view = viewOf(bytes);
  view.setUint16(0, money.asset, false);
  bytes[2] = money.subaccount;
  setU64be(view, 3, money.amount);
  return bytes;
}

export function decodeMoneyPayload(
  payload: Uint8Array,
): { asset: number; subaccount: number; amount: number } | undefined {
  if (payload.length !== 11) return undefined;
  const view = viewOf(payload);
  const amount = getU64be(view, 3);
  if (!Number.isSafeInteger(amount)) return undefined;
  return { asset: view.getUint16(0, false), subaccount: payload[2]!, amount };
}

export interface ReduceOnlyRequest {
  readonly market: number;
  readonly subaccount: number;
  readonly side: Side;
  /** Worst price, ticks; 0: the end of the market's band. */
  readonly price: number;
  /** Lots. */
  readonly size: number;
}

/** Payload of REDUCE_ONLY_IOC. */
export function encodeReduceOnlyPayload(request: ReduceOnlyRequest): Uint8Array {
  const bytes = new Uint8Array(16);
  const view = viewOf(bytes);
  view.setUint16(0, request.market);
  bytes[2] = request.subaccount;
  bytes[3] = request.side;
  view.setUint32(4, request.price);
  setU64be(view, 8, request.size);
  return bytes;
}

export function decodeReduceOnlyPayload(payload: Uint8Array): ReduceOnlyRequest | undefined {
  if (payload.length !== 16) return undefined;
  const view = viewOf(payload);
  const side = payload[3]!;
  const size = getU64be(view, 8);
  if (side > 1 || !Number.isSafeInteger(size)) return undefined;
  return {
    market: view.getUint16(0),
    subaccount: payload[2]!,
    side: side as Side,
    price: view.getUint32(4),
    size,
  };
}

/** Payload of EVALUATE_LIQUIDATION. */
export function encodeEvaluatePayload(account: number): Uint8Array {
  const bytes = new Uint8Array(4);
  viewOf(bytes).setUint32(0, account);
  return bytes;
}

export function decodeEvaluatePayload(payload: Uint8Array): number | undefined {
  return payload.length === 4 ? viewOf(payload).getUint32(0) : undefined;
}
