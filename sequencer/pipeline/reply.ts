/** The REPLY frame of a message, from the events of its application. */
import { assert } from '#protocol/assert.ts';
import { getU64, viewOf } from '#protocol/bytes.ts';
import { EVENT_STRIDE, type EventBuffer, EventKind, OPERATION_RESULT } from '#protocol/event.ts';
import { MESSAGE_HEADER_BYTES } from '#protocol/limits.ts';
import { messageAccount, messageOperationCount } from '#protocol/message.ts';
import { AMEND, OPERATION_BYTES, PLACE } from '#protocol/operation.ts';
import {
  OPERATION_RESULT_BYTES,
  operationStatus,
  REPLY_HEADER_BYTES,
  writeOperationResult,
  writeReplyHeader,
} from '#protocol/wire.ts';
import type { Group } from './group.ts';

/** Writes the reply into `group`; `message` is what was applied, `events` what came of it. */
export function reserveReply(
  group: Group,
  message: Uint8Array,
  reply: { tag: number; seq: number; time: number },
  events: EventBuffer,
): void {
  const from = viewOf(message);
  const count = messageOperationCount(from);
  const { buffer, at: start } = group.reserve(REPLY_HEADER_BYTES + count * OPERATION_RESULT_BYTES);
  const view = viewOf(buffer);
  let at = writeReplyHeader(view, start, { ...reply, account: messageAccount(from), count });
  let operationAt = MESSAGE_HEADER_BYTES;
  let results = 0;
  const { data } = events;
  for (let row = 0; row < events.count; row++) {
    const r = row * EVENT_STRIDE;
    if (data[r] !== EventKind.OPERATION_RESULT) continue;
    const operation = message[operationAt]!;
    assert(
      data[r + OPERATION_RESULT.index] === results && data[r + OPERATION_RESULT.operation] === operation,
      'results come in the order of the operations',
    );
    const code = data[r + OPERATION_RESULT.code]!;
    const filled = data[r + OPERATION_RESULT.filled]!;
    const remaining = data[r + OPERATION_RESULT.remaining]!;
    const size = operation === PLACE || operation === AMEND ? getU64(from, operationAt + 8) : 0;
    at = writeOperationResult(view, at, {
      code,
      status: operationStatus({ operation, code, size, filled, remaining }),
      operation,
      canceled: data[r + OPERATION_RESULT.canceled]!,
      orderId: data[r + OPERATION_RESULT.orderId]!,
      filledSize: filled,
      remainingSize: remaining,
    });
    operationAt += OPERATION_BYTES[operation]!;
    results++;
  }
  assert(results === count, `a message of ${count} operations has as many results, got ${results}`);
}
