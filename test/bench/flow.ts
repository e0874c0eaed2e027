/** The stream of operations on which engines are compared: 47.5 % add, 37.5 % cancel, 10 % replace, 5 % IOC. */
import { random } from './rows.ts';

export interface FlowOperation {
  kind: 'add' | 'cancel' | 'replace' | 'ioc';
  account: number;
  side: 0 | 1;
  price: number;
  size: number;
  /** Add and IOC: the operation's own id; cancel and replace: the id of the order meant. */
  id: number;
}

export interface FlowOptions {
  operations: number;
  accounts: number;
  seed: number;
  /** Mid price in ticks and how far orders stand from it. */
  mid: number;
  spread: number;
}

/** Ids rise from 1 with every add and IOC; cancels and replaces name an order that may have been filled. */
export function makeFlow(options: FlowOptions): FlowOperation[] {
  const next = random(options.seed);
  const live: { id: number; account: number; side: 0 | 1 }[] = [];
  const flow: FlowOperation[] = [];
  let id = 1;
  let mid = options.mid;
  const priceOf = (side: 0 | 1): number => {
    const distance = Math.floor(next() * next() * options.spread);
    return side === 0 ? mid - distance : mid + 1 + distance;
  };
  for (let n = 0; n < options.operations; n++) {
    if (n % 1000 === 0) mid += Math.floor(next() * 3) - 1;
    const draw = next();
    const side = next() < 0.5 ? 0 : 1;
    const account = 1 + Math.floor(next() * options.accounts);
    if (draw < 0.475 || live.length === 0) {
      const order = { id: id++, account, side } as const;
      live.push(order);
      flow.push({ kind: 'add', ...order, price: priceOf(side), size: 1 + Math.floor(next() * 10) });
    } else if (draw < 0.95) {
      const at = Math.floor(next() * live.length);
      const order = live[at]!;
      if (draw < 0.85) {
        live[at] = live[live.length - 1]!;
        live.pop();
        flow.push({ kind: 'cancel', ...order, price: 0, size: 0 });
      } else {
        flow.push({
          kind: 'replace',
          ...order,
          price: priceOf(order.side),
          size: 1 + Math.floor(next() * 10),
        });
      }
    } else {
      flow.push({
        kind: 'ioc',
        id: id++,
        account,
        side,
        price: side === 0 ? mid + 3 : mid - 3,
        size: 1 + Math.floor(next() * 12),
      });
    }
  }
  return flow;
}
