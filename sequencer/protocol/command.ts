/**
 * Commands: the inputs of the state machine. One record has the same bytes in the journal and on L1.
 * Little-endian:
 *
 *    0 u32  length of the body, B
 *    4 u8   kind
 *    5 u8   0
 *    6 u48  time, milliseconds; never below that of the record before
 *   12 B    body
 *
 *   MESSAGE       a signed message (message.ts)
 *   PRICE_ROUND   signed reports of one market (price-report.ts)
 *   QUEUE_ENTRY   an entry of the L1 queue (queue-entry.ts)
 *   CLOCK         empty: only lets time pass, so that due ticks and expiries run
 *   DISCONNECT    u32 account: its order-entry connection was lost and the grace period is over; legal only
 *                 while the account has asked for cancel-on-disconnect
 *   VERSION       u32 version of the rules from the next command on
 *   EVALUATE      u32 account: asks for a look at its margin; liquidates, or ends a liquidation, as margin.md section 7
 *                 demands of the state now
 *
 * Who signed stands beside the record, not in it: `signers` holds 20 bytes for each signature in the body,
 * in order. The sequencer's workers and the verifier recover them; the contracts use ecrecover.
 */
import { getU48, setU48, viewOf } from './bytes.ts';
import { RECORD_HEADER_BYTES } from './limits.ts';

export const MESSAGE = 1;
export const PRICE_ROUND = 2;
export const QUEUE_ENTRY = 3;
export const CLOCK = 4;
export const DISCONNECT = 5;
export const VERSION = 6;
export const EVALUATE = 7;
export const COMMAND_KINDS_MAX = 7;
export const COMMAND_NAMES = [
  '',
  'message',
  'price-round',
  'queue-entry',
  'clock',
  'disconnect',
  'version',
  'evaluate',
] as const;

/** A record with who signed it: what the state machine is given. */
export interface Command {
  readonly record: Uint8Array;
  /** 20 bytes per signature in the body, in order; empty when the body has none. */
  readonly signers: Uint8Array;
}

export const NO_SIGNERS = new Uint8Array(0);

export const recordKind = (view: DataView, offset = 0): number => view.getUint8(offset + 4);
export const recordTime = (view: DataView, offset = 0): number => getU48(view, offset + 6);
export const recordBodyBytes = (view: DataView, offset = 0): number => view.getUint32(offset, true);
export const recordBytes = (view: DataView, offset = 0): number =>
  RECORD_HEADER_BYTES + recordBodyBytes(view, offset);

export function writeRecordHeader(
  view: DataView,
  offset: number,
  header: { kind: number; bodyBytes: number; time: number },
): void {
  view.setUint32(offset, header.bodyBytes, true);
  view.setUint8(offset + 4, header.kind);
  view.setUint8(offset + 5, 0);
  setU48(view, offset + 6, header.time);
}

export function encodeRecord(kind: number, time: number, body: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(RECORD_HEADER_BYTES + body.length);
  writeRecordHeader(viewOf(bytes), 0, { kind, bodyBytes: body.length, time });
  bytes.set(body, RECORD_HEADER_BYTES);
  return bytes;
}
