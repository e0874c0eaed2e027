/**
 * Resting orders: compact records in two typed arrays with a free list. An order is linked into the FIFO of
 * its price level (by priority) and into its owner's list for the market (by order id).
 *
 *   f (5 doubles): id, priority, size (open lots), client id, expiry (ms, 0 none)
 *   i (8 int32):   account, price (u32), market << 8 | flags, level, next, prev, ownNext, ownPrev
 *
 * `flags` is the flags byte of the PLACE operation. -1 is "none" in every link.
 */
import { IdHash } from './id-hash.ts';

const F = 5;
const I = 8;

export class Orders {
  private f: Float64Array;
  private i: Int32Array;
  private capacity: number;
  private freeHead = -1;
  private used = 0;
  /** Orders held. */
  count = 0;
  readonly byId = new IdHash();

  constructor(capacity = 1024) {
    this.capacity = capacity;
    this.f = new Float64Array(capacity * F);
    this.i = new Int32Array(capacity * I);
  }

  allocate(id: number): number {
    let slot = this.freeHead;
    if (slot >= 0) {
      this.freeHead = this.i[slot * I + 4]!;
    } else {
      if (this.used === this.capacity) this.grow();
      slot = this.used++;
    }
    this.f[slot * F] = id;
    this.byId.set(id, slot);
    this.count++;
    return slot;
  }

  free(slot: number): void {
    this.byId.delete(this.f[slot * F]!);
    this.i[slot * I + 4] = this.freeHead;
    this.freeHead = slot;
    this.count--;
  }

  private grow(): void {
    this.capacity *= 2;
    const f = new Float64Array(this.capacity * F);
    f.set(this.f);
    this.f = f;
    const i = new Int32Array(this.capacity * I);
    i.set(this.i);
    this.i = i;
  }

  /** Slot of an order id, -1 when it does not rest. */
  find(id: number): number {
    return this.byId.get(id);
  }

  id(slot: number): number {
    return this.f[slot * F]!;
  }
  priority(slot: number): number {
    return this.f[slot * F + 1]!;
  }
  setPriority(slot: number, value: number): void {
    this.f[slot * F + 1] = value;
  }
  size(slot: number): number {
    return this.f[slot * F + 2]!;
  }
  setSize(slot: number, value: number): void {
    this.f[slot * F + 2] = value;
  }
  clientId(slot: number): number {
    return this.f[slot * F + 3]!;
  }
  setClientId(slot: number, value: number): void {
    this.f[slot * F + 3] = value;
  }
  expiry(slot: number): number {
    return this.f[slot * F + 4]!;
  }
  setExpiry(slot: number, value: number): void {
    this.f[slot * F + 4] = value;
  }
  account(slot: number): number {
    return this.i[slot * I]!;
  }
  setAccount(slot: number, value: number): void {
    this.i[slot * I] = value;
  }
  price(slot: number): number {
    return this.i[slot * I + 1]! >>> 0;
  }
  setPrice(slot: number, value: number): void {
    this.i[slot * I + 1] = value;
  }
  market(slot: number): number {
    return this.i[slot * I + 2]! >> 8;
  }
  flags(slot: number): number {
    return this.i[slot * I + 2]! & 0xff;
  }
  side(slot: number): 0 | 1 {
    return (this.i[slot * I + 2]! & 1) as 0 | 1;
  }
  setMarketAndFlags(slot: number, market: number, flags: number): void {
    this.i[slot * I + 2] = (market << 8) | flags;
  }
  level(slot: number): number {
    return this.i[slot * I + 3]!;
  }
  setLevel(slot: number, value: number): void {
    this.i[slot * I + 3] = value;
  }
  next(slot: number): number {
    return this.i[slot * I + 4]!;
  }
  setNext(slot: number, value: number): void {
    this.i[slot * I + 4] = value;
  }
  prev(slot: number): number {
    return this.i[slot * I + 5]!;
  }
  setPrev(slot: number, value: number): void {
    this.i[slot * I + 5] = value;
  }
  ownNext(slot: number): number {
    return this.i[slot * I + 6]!;
  }
  setOwnNext(slot: number, value: number): void {
    this.i[slot * I + 6] = value;
  }
  ownPrev(slot: number): number {
    return this.i[slot * I + 7]!;
  }
  setOwnPrev(slot: number, value: number): void {
    this.i[slot * I + 7] = value;
  }
}

/** Finds the order of (account, market, client id); holds slots only, the key is read from the orders. */
export class ClientIndex {
  private readonly orders: Orders;
  private slots: Int32Array;
  private mask: number;
  private size = 0;

  constructor(orders: Orders, capacity = 1024) {
    this.orders = orders;
    this.slots = new Int32Array(capacity).fill(-1);
    this.mask = capacity - 1;
  }

  private home(account: number, market: number, clientId: number): number {
    let h = Math.imul((clientId | 0) ^ Math.imul((clientId / 4294967296) | 0, 0x9e3779b1), 0x85ebca6b);
    h = Math.imul(h ^ Math.imul(account, 0xc2b2ae35) ^ Math.imul(market, 0x27d4eb2f), 0x165667b1);
    return (h ^ (h >>> 15)) & this.mask;
  }

  private homeOf(slot: number): number {
    const { orders } = this;
    return this.home(orders.account(slot), orders.market(slot), orders.clientId(slot));
  }

  /** Slot of the order, -1 when there is none. */
  find(account: number, market: number, clientId: number): number {
    const { orders, slots, mask } = this;
    let at = this.home(account, market, clientId);
    for (;;) {
      const slot = slots[at]!;
      if (slot < 0) return -1;
      if (
        orders.clientId(slot) === clientId &&
        orders.account(slot) === account &&
        orders.market(slot) === market
      )
        return slot;
      at = (at + 1) & mask;
    }
  }

  /** The order's account, market and client id must be set, and the key not held. */
  add(slot: number): void {
    if (this.size * 2 >= this.mask) this.grow();
    let at = this.homeOf(slot);
    while (this.slots[at]! >= 0) at = (at + 1) & this.mask;
    this.slots[at] = slot;
    this.size++;
  }

  remove(slot: number): void {
    const { slots, mask } = this;
    let at = this.homeOf(slot);
    while (slots[at] !== slot) {
      if (slots[at]! < 0) return;
      at = (at + 1) & mask;
    }
    this.size--;
    let next = at;
    for (;;) {
      next = (next + 1) & mask;
      const other = slots[next]!;
      if (other < 0) break;
      if (((next - this.homeOf(other)) & mask) >= ((next - at) & mask)) {
        slots[at] = other;
        at = next;
      }
    }
    slots[at] = -1;
  }

  private grow(): void {
    const old = this.slots;
    this.slots = new Int32Array(old.length * 2).fill(-1);
    this.mask = this.slots.length - 1;
    this.size = 0;
    for (const slot of old) if (slot >= 0) this.add(slot);
  }
}
