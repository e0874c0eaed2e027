/**
 * Positions: one record for each (account, market) with a position or an open order, linked per account in
 * ascending market order.
 *
 *   f (8 doubles): s (signed lots), v (q, minus the signed cost of what is held),
 *                  bidLots, askLots (open, not reduce-only), bidQuote, askQuote (their Σ price · lots · qm, q),
 *                  reduceOnlyLots (open, either side), leveragePpm (the account's own floor of the initial rate)
 *   i (6 int32):   account, market, next, ownHead, ownTail (its resting orders by order id), fundingTick
 *
 * The funding index at the last settlement is a bigint beside them, looked at only when `fundingTick` is behind.
 */
const F = 8;
const I = 6;

export class Positions {
  private f: Float64Array;
  private i: Int32Array;
  private capacity: number;
  private freeHead = -1;
  private used = 0;
  readonly fundingIndex: bigint[] = [];

  constructor(capacity = 256) {
    this.capacity = capacity;
    this.f = new Float64Array(capacity * F);
    this.i = new Int32Array(capacity * I);
  }

  allocate(account: number, market: number): number {
    let slot = this.freeHead;
    if (slot >= 0) this.freeHead = this.i[slot * I + 2]!;
    else {
      if (this.used === this.capacity) this.grow();
      slot = this.used++;
    }
    this.f.fill(0, slot * F, slot * F + F);
    const at = slot * I;
    this.i[at] = account;
    this.i[at + 1] = market;
    this.i[at + 2] = -1;
    this.i[at + 3] = -1;
    this.i[at + 4] = -1;
    this.i[at + 5] = 0;
    this.fundingIndex[slot] = 0n;
    return slot;
  }

  /** Takes over what another record holds, except its place in the account's list. */
  copyFrom(slot: number, other: Positions, otherSlot: number): void {
    this.f.set(other.f.subarray(otherSlot * F, otherSlot * F + F), slot * F);
    const to = slot * I;
    const from = otherSlot * I;
    this.i[to + 3] = other.i[from + 3]!;
    this.i[to + 4] = other.i[from + 4]!;
    this.i[to + 5] = other.i[from + 5]!;
    this.fundingIndex[slot] = other.fundingIndex[otherSlot]!;
  }

  free(slot: number): void {
    this.i[slot * I + 2] = this.freeHead;
    this.freeHead = slot;
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

  size(slot: number): number {
    return this.f[slot * F]!;
  }
  setSize(slot: number, value: number): void {
    this.f[slot * F] = value;
  }
  v(slot: number): number {
    return this.f[slot * F + 1]!;
  }
  setV(slot: number, value: number): void {
    this.f[slot * F + 1] = value;
  }
  bidLots(slot: number): number {
    return this.f[slot * F + 2]!;
  }
  askLots(slot: number): number {
    return this.f[slot * F + 3]!;
  }
  bidQuote(slot: number): number {
    return this.f[slot * F + 4]!;
  }
  askQuote(slot: number): number {
    return this.f[slot * F + 5]!;
  }
  reduceOnlyLots(slot: number): number {
    return this.f[slot * F + 6]!;
  }
  /** Adds to the open-order totals of a side (0 bids, 1 asks); negative to take away. */
  addOpen(slot: number, side: number, lots: number, quote: number): void {
    const at = slot * F + side;
    this.f[at + 2] = this.f[at + 2]! + lots;
    this.f[at + 4] = this.f[at + 4]! + quote;
  }
  addReduceOnly(slot: number, lots: number): void {
    this.f[slot * F + 6] = this.f[slot * F + 6]! + lots;
  }
  leveragePpm(slot: number): number {
    return this.f[slot * F + 7]!;
  }
  setLeveragePpm(slot: number, value: number): void {
    this.f[slot * F + 7] = value;
  }
  /** All open-order totals at once, when a leaf is loaded. */
  setOpen(
    slot: number,
    open: { bidLots: number; askLots: number; bidQuote: number; askQuote: number; reduceOnlyLots: number },
  ): void {
    const at = slot * F;
    this.f[at + 2] = open.bidLots;
    this.f[at + 3] = open.askLots;
    this.f[at + 4] = open.bidQuote;
    this.f[at + 5] = open.askQuote;
    this.f[at + 6] = open.reduceOnlyLots;
  }
  account(slot: number): number {
    return this.i[slot * I]!;
  }
  market(slot: number): number {
    return this.i[slot * I + 1]!;
  }
  next(slot: number): number {
    return this.i[slot * I + 2]!;
  }
  setNext(slot: number, value: number): void {
    this.i[slot * I + 2] = value;
  }
  ownHead(slot: number): number {
    return this.i[slot * I + 3]!;
  }
  setOwnHead(slot: number, value: number): void {
    this.i[slot * I + 3] = value;
  }
  ownTail(slot: number): number {
    return this.i[slot * I + 4]!;
  }
  setOwnTail(slot: number, value: number): void {
    this.i[slot * I + 4] = value;
  }
  fundingTick(slot: number): number {
    return this.i[slot * I + 5]!;
  }
  setFundingTick(slot: number, value: number): void {
    this.i[slot * I + 5] = value;
  }
}
