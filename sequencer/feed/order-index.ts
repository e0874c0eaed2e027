/** Which command made an order: the last million of them, for questions about finality. */

import type { EventConsumer, EventRows } from '#pipeline/ports.ts';
import { EVENT_STRIDE, EventKind, OPERATION_RESULT } from '#protocol/event.ts';
import { PLACE } from '#protocol/operation.ts';
import type { OrderId, Seq } from '#protocol/units.ts';

const ORDERS_KEPT = 2 ** 20;

export class OrderIndex implements EventConsumer {
  readonly name = 'order-index';
  acknowledgedSeq: Seq;
  /** Order id and seq by id modulo capacity: ids are dense, so the oldest are overwritten. */
  private readonly slots: Float64Array;
  private readonly capacity: number;

  constructor(startSeq: Seq, capacity = ORDERS_KEPT) {
    this.acknowledgedSeq = startSeq;
    this.capacity = capacity;
    this.slots = new Float64Array(capacity * 2);
  }

  onEvents(rows: EventRows, throughSeq: Seq): void {
    const { data } = rows;
    for (let row = 0; row < rows.count; row++) {
      const at = row * EVENT_STRIDE;
      if (data[at] !== EventKind.OPERATION_RESULT || data[at + OPERATION_RESULT.operation] !== PLACE)
        continue;
      const orderId = data[at + OPERATION_RESULT.orderId]!;
      if (orderId === 0) continue;
      const slot = (orderId % this.capacity) * 2;
      this.slots[slot] = orderId;
      this.slots[slot + 1] = data[at + 1]!;
    }
    this.acknowledgedSeq = throughSeq;
  }

  /** Seq of the command that made the order; undefined when it is too old or never was. */
  seqOf(orderId: OrderId): Seq | undefined {
    const slot = (orderId % this.capacity) * 2;
    return this.slots[slot] === orderId ? this.slots[slot + 1] : undefined;
  }
}
