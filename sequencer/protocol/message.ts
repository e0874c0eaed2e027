/**
 * A signed message: 1 to 50 operations of one account under one signature. Little-endian.
 *
 *    0 u8   scheme    1: one operation, signed as its own readable EIP-712 type; 2: a bundle
 *    1 u8   count     1 … 50 (1 for scheme 1)
 *    2 u16  length    bytes of the operations, L
 *    4 u32  account
 *    8 u64  nonce     below 2^53; any unused one inside the signer's window, in any order
 *   16 u64  validUntil  milliseconds; the message is refused at a later time
 *   24 L    operations
 * 24+L 65   signature r (32, big-endian) ‖ s (32, big-endian, low half) ‖ v (27 or 28)
 */
import { concat, getU64, setU64, viewOf } from './bytes.ts';
import { MESSAGE_BYTES_MAX, MESSAGE_HEADER_BYTES, OPERATION_BYTES_MAX, SIGNATURE_BYTES } from './limits.ts';
import { checkOperations, encodeOperation, type Operation } from './operation.ts';
import { Reject } from './reject.ts';

export const SCHEME_SINGLE = 1;
export const SCHEME_BUNDLE = 2;

export const messageAccount = (view: DataView, offset = 0): number => view.getUint32(offset + 4, true);
export const messageNonce = (view: DataView, offset = 0): number => getU64(view, offset + 8);
export const messageValidUntil = (view: DataView, offset = 0): number => getU64(view, offset + 16);
export const messageOperationCount = (view: DataView, offset = 0): number => view.getUint8(offset + 1);
export const messageOperationBytes = (view: DataView, offset = 0): number => view.getUint16(offset + 2, true);

export interface MessageFields {
  readonly account: number;
  readonly nonce: number;
  readonly validUntil: number;
  readonly operations: readonly Operation[];
}

/** The message without its signature; `scheme` defaults to single for one operation, bundle otherwise. */
export function encodeUnsignedMessage(fields: MessageFields, scheme?: 1 | 2): Uint8Array {
  const operations = concat(...fields.operations.map(encodeOperation));
  const bytes = new Uint8Array(MESSAGE_HEADER_BYTES + operations.length);
  const view = viewOf(bytes);
  bytes[0] = scheme ?? (fields.operations.length === 1 ? SCHEME_SINGLE : SCHEME_BUNDLE);
  bytes[1] = fields.operations.length;
  view.setUint16(2, operations.length, true);
  view.setUint32(4, fields.account, true);
  setU64(view, 8, fields.nonce);
  setU64(view, 16, fields.validUntil);
  bytes.set(operations, MESSAGE_HEADER_BYTES);
  return bytes;
}

/**
 * Checks the form of a whole signed message of `length` bytes at `offset`; constant cost but for the
 * operations, at most 50. Returns a reject code, 0 when well formed. Signature and state are not looked at.
 */
export function checkMessage(view: DataView, offset: number, length: number): number {
  const minimum = MESSAGE_HEADER_BYTES + SIGNATURE_BYTES;
  if (length <= minimum || length > MESSAGE_BYTES_MAX) return Reject.MALFORMED_MESSAGE;
  const scheme = view.getUint8(offset);
  const count = view.getUint8(offset + 1);
  const operationBytes = view.getUint16(offset + 2, true);
  if (scheme !== SCHEME_SINGLE && scheme !== SCHEME_BUNDLE) return Reject.MALFORMED_MESSAGE;
  if (scheme === SCHEME_SINGLE && count !== 1) return Reject.MALFORMED_MESSAGE;
  if (length !== minimum + operationBytes || operationBytes > count * OPERATION_BYTES_MAX)
    return Reject.MALFORMED_MESSAGE;
  if (view.getUint32(offset + 12, true) >= 0x20_0000 || view.getUint32(offset + 20, true) >= 0x20_0000)
    return Reject.MALFORMED_MESSAGE;
  return checkOperations(view, offset + MESSAGE_HEADER_BYTES, operationBytes, count);
}
