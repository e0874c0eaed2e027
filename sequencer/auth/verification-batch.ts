/**
 * The bytes that travel between the gateway's thread and a verifying worker, so that a batch is one transfer
 * and nothing is cloned. Little-endian.
 *
 *   request: u32 batch id ‖ u32 count ‖ count × (u8 kind ‖ u8 0 ‖ u16 length ‖ bytes)
 *   answer:  u32 batch id ‖ u32 count ‖ count × (u8 1 signed, 0 not ‖ 20 address, zero when not)
 *
 *   kind 1 MESSAGE  a whole signed message (message.ts)
 *   kind 2 REPORT   u16 market ‖ 89 report (price-report.ts), the body of a PRICE_REPORT frame
 *   kind 3 LOGIN    u32 account ‖ u64 time ‖ 65 signature, the body of a LOGIN frame
 */
import { getU64, viewOf } from '#protocol/bytes.ts';
import { SIGNATURE_BYTES } from '#protocol/limits.ts';
import type { SigningDomain } from '#protocol/signing.ts';
import type { Address } from '#protocol/units.ts';
import { ADDRESS_BYTES, type Recover, signerOfMessage, signerOfReport } from './recover.ts';

export const VERIFY_MESSAGE = 1;
export const VERIFY_REPORT = 2;
export const VERIFY_LOGIN = 3;
export type VerifyKind = typeof VERIFY_MESSAGE | typeof VERIFY_REPORT | typeof VERIFY_LOGIN;

/** Something signed; `bytes` as drawn above for its kind. */
export interface SignedItem {
  readonly kind: VerifyKind;
  readonly bytes: Uint8Array;
}

const BATCH_HEADER_BYTES = 8;
const ITEM_HEADER_BYTES = 4;
const ANSWER_BYTES = 1 + ADDRESS_BYTES;
const LOGIN_BYTES = 12 + SIGNATURE_BYTES;

export function encodeRequest(id: number, items: readonly SignedItem[]): ArrayBuffer {
  let length = BATCH_HEADER_BYTES;
  for (const item of items) length += ITEM_HEADER_BYTES + item.bytes.length;
  const bytes = new Uint8Array(length);
  const view = viewOf(bytes);
  view.setUint32(0, id, true);
  view.setUint32(4, items.length, true);
  let at = BATCH_HEADER_BYTES;
  for (const item of items) {
    view.setUint8(at, item.kind);
    view.setUint16(at + 2, item.bytes.length, true);
    bytes.set(item.bytes, at + ITEM_HEADER_BYTES);
    at += ITEM_HEADER_BYTES + item.bytes.length;
  }
  return bytes.buffer;
}

/** Recovers every signer of a request; what a worker does with it. */
export function answerRequest(request: ArrayBuffer, domain: SigningDomain, recover: Recover): ArrayBuffer {
  const bytes = new Uint8Array(request);
  const view = viewOf(bytes);
  const count = view.getUint32(4, true);
  const answer = new Uint8Array(BATCH_HEADER_BYTES + count * ANSWER_BYTES);
  answer.set(bytes.subarray(0, BATCH_HEADER_BYTES));
  let at = BATCH_HEADER_BYTES;
  for (let i = 0; i < count; i++) {
    const length = view.getUint16(at + 2, true);
    const body = bytes.subarray(at + ITEM_HEADER_BYTES, at + ITEM_HEADER_BYTES + length);
    const signer = signerOf(view.getUint8(at) as VerifyKind, body, domain, recover);
    if (signer !== undefined) {
      const into = BATCH_HEADER_BYTES + i * ANSWER_BYTES;
      answer[into] = 1;
      answer.set(signer, into + 1);
    }
    at += ITEM_HEADER_BYTES + length;
  }
  return answer.buffer;
}

/** Signer of one item, undefined when it is malformed or badly signed. */
export function signerOf(
  kind: VerifyKind,
  body: Uint8Array,
  domain: SigningDomain,
  recover: Recover,
): Address | undefined {
  switch (kind) {
    case VERIFY_MESSAGE:
      return signerOfMessage(body, domain, recover);
    case VERIFY_REPORT:
      if (body.length < 2) return undefined;
      return signerOfReport(body.subarray(2), viewOf(body).getUint16(0, true), domain, recover);
    case VERIFY_LOGIN: {
      if (body.length !== LOGIN_BYTES) return undefined;
      const view = viewOf(body);
      const time = getU64(view, 4);
      if (!Number.isSafeInteger(time)) return undefined;
      return recover(domain.login(view.getUint32(0, true), time), body.subarray(12));
    }
  }
}

export const batchId = (batch: ArrayBuffer): number => new DataView(batch).getUint32(0, true);

/** Signers of an answer in order; undefined where the signature was bad. */
export function decodeAnswer(answer: ArrayBuffer): (Address | undefined)[] {
  const bytes = new Uint8Array(answer);
  const signers: (Address | undefined)[] = [];
  for (let at = BATCH_HEADER_BYTES; at < bytes.length; at += ANSWER_BYTES)
    signers.push(bytes[at] === 1 ? bytes.subarray(at + 1, at + ANSWER_BYTES) : undefined);
  return signers;
}
