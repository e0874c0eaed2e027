/**
 * A slow, obvious order book for one market: a list of orders, sorted anew for every match. The twin against
 * which the engine's book is tested; no margin, no accounts beyond "whose order is it".
 */
import type { AmendOperation, PlaceOperation } from '#protocol/operation.ts';

export interface NaiveOrder {
  id: number;
  account: number;
  side: 0 | 1;
  price: number;
  size: number;
  /** Place in time: lower came first. */
  priority: number;
  postOnly: boolean;
  clientId: number;
}

export interface NaiveTrade {
  maker: number;
  taker: number;
  price: number;
  size: number;
}

export class NaiveBook {
  orders: NaiveOrder[] = [];
  trades: NaiveTrade[] = [];
  private counter = 1;
  private readonly ownerOf: (account: number) => number;

  /** `ownerOf`: orders of one owner never trade with each other. */
  constructor(ownerOf: (account: number) => number = (account) => account) {
    this.ownerOf = ownerOf;
  }

  /** Resting orders of a side, first in priority first. */
  side(side: 0 | 1): NaiveOrder[] {
    return this.orders
      .filter((order) => order.side === side)
      .sort((a, b) => (side === 0 ? b.price - a.price : a.price - b.price) || a.priority - b.priority);
  }

  /** Returns the order's id, or undefined when it is refused. */
  place(account: number, op: PlaceOperation): number | undefined {
    const clientId = op.clientId ?? 0;
    if (clientId !== 0 && this.orders.some((o) => o.account === account && o.clientId === clientId))
      return undefined;
    const crossing = this.crossing(op.side, op.price);
    if (op.postOnly && crossing.length > 0) return undefined;
    if (op.timeInForce === 3 && !this.fillable(account, op)) return undefined;
    const id = this.counter++;
    this.run({ id, account, ...op, clientId, priority: id });
    return id;
  }

  cancel(account: number, id: number): boolean {
    const before = this.orders.length;
    this.orders = this.orders.filter((order) => !(order.id === id && order.account === account));
    return this.orders.length < before;
  }

  amend(account: number, op: AmendOperation): boolean {
    const order = this.orders.find(
      (o) =>
        o.account === account && (op.by === 'order' ? o.id === op.id : o.clientId === op.id && op.id !== 0),
    );
    if (order === undefined) return false;
    if (order.price === op.price && order.size === op.size) return false;
    if (order.price === op.price && op.size < order.size) {
      order.size = op.size;
      return true;
    }
    if (order.postOnly && this.crossing(order.side, op.price).length > 0) return false;
    this.orders = this.orders.filter((o) => o !== order);
    this.run({
      id: order.id,
      account,
      side: order.side,
      price: op.price,
      size: op.size,
      timeInForce: 0,
      postOnly: order.postOnly,
      clientId: order.clientId,
      priority: this.counter++,
      selfTradePrevention: 0,
    });
    return true;
  }

  /** Whether an order at `price` would cross one of its owner's. */
  meetsOwn({ account, side }: { account: number; side: 0 | 1 }, price: number): boolean {
    return this.crossing(side, price).some((o) => this.ownerOf(o.account) === this.ownerOf(account));
  }

  private crossing(side: 0 | 1, price: number): NaiveOrder[] {
    return this.side((1 - side) as 0 | 1).filter((o) => (side === 0 ? o.price <= price : o.price >= price));
  }

  /** As documented for fill-or-kill: own orders of the side are taken off wherever they rest; 32 levels. */
  private fillable(account: number, op: PlaceOperation): boolean {
    const opposite = this.side((1 - op.side) as 0 | 1);
    const own = opposite.filter((o) => o.account === account).reduce((sum, o) => sum + o.size, 0);
    const stp = op.selfTradePrevention ?? 0;
    if (own > 0 && (stp === 1 || stp === 2)) return false;
    const levels = [...new Set(opposite.map((o) => o.price))].slice(0, 32);
    const available = this.crossing(op.side, op.price)
      .filter((o) => levels.includes(o.price))
      .reduce((sum, o) => sum + o.size, 0);
    return available >= op.size + own;
  }

  private run(taker: {
    id: number;
    account: number;
    side: 0 | 1;
    price: number;
    size: number;
    timeInForce: number;
    postOnly?: boolean;
    clientId: number;
    priority: number;
    selfTradePrevention?: number;
  }): void {
    let remaining = taker.size;
    while (remaining > 0) {
      const maker = this.crossing(taker.side, taker.price)[0];
      if (maker === undefined) break;
      const lots = Math.min(remaining, maker.size);
      if (this.ownerOf(maker.account) === this.ownerOf(taker.account)) {
        const stp = taker.selfTradePrevention ?? 0;
        if (stp === 0 || stp === 2) maker.size = 0;
        if (stp === 1 || stp === 2) remaining = 0;
        if (stp === 3) {
          maker.size -= lots;
          remaining -= lots;
        }
      } else {
        maker.size -= lots;
        remaining -= lots;
        this.trades.push({ maker: maker.id, taker: taker.id, price: maker.price, size: lots });
      }
      this.orders = this.orders.filter((order) => order.size > 0);
    }
    if (remaining > 0 && taker.timeInForce <= 1) {
      this.orders.push({
        id: taker.id,
        account: taker.account,
        side: taker.side,
        price: taker.price,
        size: remaining,
        priority: taker.priority,
        postOnly: taker.postOnly ?? false,
        clientId: taker.clientId,
      });
    }
  }
}
