/**
 * Events tell the whole truth: books, positions and money rebuilt from events alone equal the state after random
 * sessions that touch every kind of command.
 */
import { describe, expect, it } from 'vitest';
import { type DecodedEvent, decodeEvent } from '#protocol/event.ts';
import { RandomSession, SESSION_MARKETS } from '../support/random-session.ts';

const SEED = Number(process.env.SEED ?? 20_261_122);
console.log(`events: SEED=${SEED}`);

interface Shadow {
  account: number;
  market: number;
  side: number;
  price: number;
  size: number;
  priority: number;
}

/** Everything that can be known from events. */
class Ledger {
  readonly orders = new Map<number, Shadow>();
  readonly money = new Map<number, number>();
  readonly positions = new Map<string, number>();
  readonly fees = new Map<number, number>();
  readonly funding = new Map<number, number>();
  trades = 0;

  private add(account: number, amount: number): void {
    this.money.set(account, (this.money.get(account) ?? 0) + amount);
  }

  private fill(account: number, e: DecodedEvent, side: number, fee: number): void {
    const sign = side === 0 ? 1 : -1;
    const key = `${account}/${e.market}`;
    this.positions.set(key, (this.positions.get(key) ?? 0) + sign * Number(e.size));
    const { qm } = SESSION_MARKETS[Number(e.market)]!;
    this.add(account, -sign * Number(e.size) * Number(e.price) * qm - fee);
  }

  take(event: DecodedEvent): void {
    const e = event as DecodedEvent & Record<string, number>;
    const order = this.orders.get(e.orderId!);
    switch (event.event) {
      case 'ORDER_RESTED':
        expect(order).toBeUndefined();
        this.orders.set(e.orderId!, {
          account: e.account!,
          market: e.market!,
          side: e.side!,
          price: e.price!,
          size: e.size!,
          priority: e.priority!,
        });
        break;
      case 'ORDER_REMOVED':
        if (e.rested === 1) {
          expect(order).toMatchObject({ size: e.size, price: e.price, side: e.side, account: e.account });
          this.orders.delete(e.orderId!);
        } else expect(e.size).toBeGreaterThan(0);
        break;
      case 'ORDER_REDUCED':
        expect(order!.size).toBe(e.oldSize);
        expect(e.newSize).toBeGreaterThan(0);
        expect(e.newSize).toBeLessThan(e.oldSize!);
        order!.size = e.newSize!;
        break;
      case 'TRADE': {
        const maker = this.orders.get(e.makerOrderId!)!;
        expect(e.tradeId).toBe(++this.trades);
        expect([maker.account, maker.price, 1 - maker.side]).toEqual([e.makerAccount, e.price, e.takerSide]);
        expect(e.makerAccount).not.toBe(e.takerAccount);
        maker.size -= e.size!;
        expect(maker.size).toBe(e.makerRemaining);
        if (maker.size === 0) this.orders.delete(e.makerOrderId!);
        this.fill(e.makerAccount!, event, maker.side, e.makerFee!);
        this.fill(e.takerAccount!, event, e.takerSide!, e.takerFee!);
        this.fees.set(e.market!, (this.fees.get(e.market!) ?? 0) + e.makerFee! + e.takerFee!);
        break;
      }
      case 'DEPOSIT':
        this.add(e.account!, e.amount!);
        break;
      case 'WITHDRAWAL':
        this.add(e.account!, -e.amount!);
        break;
      case 'TRANSFER':
        this.add(e.from!, -e.amount!);
        this.add(e.to!, e.amount!);
        break;
      case 'FUNDING_PAYMENT':
        this.add(e.account!, e.amount!);
        this.funding.set(e.market!, (this.funding.get(e.market!) ?? 0) - e.amount!);
        expect(e.position).toBe(this.positions.get(`${e.account}/${e.market}`) ?? 0);
        break;
    }
  }
}

describe('events', () => {
  for (const seed of [SEED, SEED + 1, SEED + 2])
    it(`rebuild books, positions and money, seed ${seed}`, () => {
      // Funding every ten seconds and an index that lives longer than most pauses, so that payments happen.
      const chain = { sampleIntervalMs: 2_000, fundingIntervalMs: 10_000, voidMs: 60_000 };
      const session = new RandomSession({ seed, traders: 6, chain });
      const { engine, state } = session;
      const ledger = new Ledger();
      const kinds = new Set<string>();
      const takeAll = (): void => {
        const rested = new Set<number>();
        for (let row = 0; row < engine.events.count; row++) {
          const event = decodeEvent(engine.events.data, row);
          kinds.add(event.event);
          ledger.take(event);
          if (event.event === 'ORDER_RESTED') rested.add(Number(event.orderId));
        }
        for (const id of rested) {
          const slot = state.orders.find(id);
          if (slot >= 0) expect(state.orders.priority(slot)).toBe(ledger.orders.get(id)!.priority);
        }
      };
      for (let account = 1; account <= session.state.accounts.count; account++)
        ledger.money.set(account, session.state.accounts.cash[account]!);
      const apply = engine.apply.bind(engine);
      engine.apply = (command) => {
        apply(command);
        takeAll();
      };
      session.run(2_500);
      const { accounts, positions, orders, markets } = session.state;

      const held = new Map<number, Shadow>();
      for (let account = 1; account <= accounts.count; account++) {
        let money = accounts.cash[account]!;
        for (let at = accounts.firstPosition[account]!; at >= 0; at = positions.next(at)) {
          money += positions.v(at);
          const key = `${account}/${positions.market(at)}`;
          expect(`${key}: ${positions.size(at)}`).toBe(`${key}: ${ledger.positions.get(key) ?? 0}`);
          for (let slot = positions.ownHead(at); slot >= 0; slot = orders.ownNext(slot))
            held.set(orders.id(slot), {
              account,
              market: orders.market(slot),
              side: orders.side(slot),
              price: orders.price(slot),
              size: orders.size(slot),
              priority: orders.priority(slot),
            });
        }
        expect(`account ${account}: ${money}`).toBe(`account ${account}: ${ledger.money.get(account) ?? 0}`);
      }
      const byId = (map: ReadonlyMap<number, Shadow>): unknown => [...map].sort(([a], [b]) => a - b);
      expect(byId(ledger.orders)).toEqual(byId(held));
      for (const market of markets) {
        const id = market!.config.market;
        expect(market!.fees).toBe(ledger.fees.get(id) ?? 0);
        expect(market!.fundingBalance).toBe(ledger.funding.get(id) ?? 0);
      }
      expect(ledger.trades).toBeGreaterThan(100);
      for (const kind of ['ORDER_REDUCED', 'FUNDING_PAYMENT', 'TRANSFER', 'WITHDRAWAL', 'DEAD_MAN_SET'])
        expect(kinds).toContain(kind);
    });
});
