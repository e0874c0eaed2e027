/** The bounded inbox: messages that were verified and wait to be sequenced, in the order of their arrival. */
import { assert } from '#protocol/assert.ts';
import type { Address } from '#protocol/units.ts';
import type { MessageOrigin } from './ports.ts';

/** A message that waits. The fields are those of the entry last taken; they change with the next `take`. */
export interface Waiting {
  message: Uint8Array;
  signer: Address;
  tag: number;
  origin: MessageOrigin;
  /** Monotonic microseconds at which it came in. */
  receivedUs: number;
}

const NOBODY: MessageOrigin = { reply() {}, reject() {} };
const NO_BYTES = new Uint8Array(0);

/** A ring of columns, so that waiting costs no object. */
export class Inbox {
  readonly capacity: number;
  private readonly messages: Uint8Array[];
  private readonly signers: Address[];
  private readonly origins: MessageOrigin[];
  private readonly tags: Float64Array;
  private readonly received: Float64Array;
  private head = 0;
  private held = 0;

  constructor(capacity: number) {
    assert(
      Number.isInteger(capacity) && capacity >= 1,
      `inbox capacity: expected at least 1, got ${capacity}`,
    );
    this.capacity = capacity;
    this.messages = new Array<Uint8Array>(capacity).fill(NO_BYTES);
    this.signers = new Array<Address>(capacity).fill(NO_BYTES);
    this.origins = new Array<MessageOrigin>(capacity).fill(NOBODY);
    this.tags = new Float64Array(capacity);
    this.received = new Float64Array(capacity);
  }

  /** Messages that wait. */
  get size(): number {
    return this.held;
  }

  /** False when it is full. */
  put(waiting: Readonly<Waiting>): boolean {
    if (this.held === this.capacity) return false;
    const at = (this.head + this.held) % this.capacity;
    this.messages[at] = waiting.message;
    this.signers[at] = waiting.signer;
    this.origins[at] = waiting.origin;
    this.tags[at] = waiting.tag;
    this.received[at] = waiting.receivedUs;
    this.held++;
    return true;
  }

  /** Moves the earliest message into `out`; false when none waits. */
  take(out: Waiting): boolean {
    if (this.held === 0) return false;
    const at = this.head;
    out.message = this.messages[at]!;
    out.signer = this.signers[at]!;
    out.origin = this.origins[at]!;
    out.tag = this.tags[at]!;
    out.receivedUs = this.received[at]!;
    // Let go of what was taken: the ring must not keep a closed connection alive.
    this.messages[at] = NO_BYTES;
    this.signers[at] = NO_BYTES;
    this.origins[at] = NOBODY;
    this.head = (at + 1) % this.capacity;
    this.held--;
    return true;
  }
}

export const newWaiting = (): Waiting => ({
  message: NO_BYTES,
  signer: NO_BYTES,
  tag: 0,
  origin: NOBODY,
  receivedUs: 0,
});
