/** A test exchange with the short words that engine tests and scenarios speak. */
import { concat, viewOf } from '#protocol/bytes.ts';
import {
  type Command,
  DISCONNECT,
  EVALUATE,
  encodeRecord,
  NO_SIGNERS,
  PRICE_ROUND,
  QUEUE_ENTRY,
} from '#protocol/command.ts';
import type { DecodedEvent } from '#protocol/event.ts';
import { SIGNATURE_BYTES } from '#protocol/limits.ts';
import type { Operation, PlaceOperation } from '#protocol/operation.ts';
import { encodePriceRound, type PriceReport } from '#protocol/price-report.ts';
import { encodeQueueEntry } from '#protocol/queue-entry.ts';
import { Reject } from '#protocol/reject.ts';
import { TestExchange, testAddress } from './exchange.ts';

export interface BookRow {
  readonly id: number;
  readonly account: number;
  readonly price: number;
  readonly size: number;
}

type OrderExtras = Partial<Omit<PlaceOperation, 'kind' | 'side' | 'price' | 'size'>>;

export const order = (
  side: 0 | 1,
  size: number,
  price: number,
  extras: OrderExtras = {},
): PlaceOperation => ({
  kind: 'place',
  market: 0,
  side,
  price,
  size,
  timeInForce: 0,
  ...extras,
});
export const buy = (size: number, price: number, extras?: OrderExtras): PlaceOperation =>
  order(0, size, price, extras);
export const sell = (size: number, price: number, extras?: OrderExtras): PlaceOperation =>
  order(1, size, price, extras);

export const only = (events: readonly DecodedEvent[], name: DecodedEvent['event']): DecodedEvent[] =>
  events.filter((event) => event.event === name);

export class Desk extends TestExchange {
  /** Sends one operation and returns its result row. */
  result(account: number, operation: Operation): DecodedEvent {
    return this.results(this.send(account, operation))[0]!;
  }

  /** Reject code of one operation, 0 when done. */
  code(account: number, operation: Operation): number {
    return Number(this.result(account, operation).code);
  }

  /** Sends one operation that must be done. */
  done(account: number, operation: Operation): DecodedEvent[] {
    const events = this.send(account, operation);
    const { code } = this.results(events)[0]!;
    if (code !== 0) throw new Error(`${operation.kind}: expected it done, got code ${code}`);
    return events;
  }

  /** Two accounts trade at `price`; the first ends `size` lots longer. */
  trade(buyer: number, seller: number, size: number, price: number, market = 0): void {
    this.done(seller, sell(size, price, { market }));
    this.done(buyer, buy(size, price, { market, timeInForce: 2 }));
  }

  cash(account: number): number {
    return this.state.accounts.cash[account]!;
  }

  position(account: number, market = 0): number {
    const slot = this.state.findPosition(account, market);
    return slot < 0 ? 0 : this.state.positions.size(slot);
  }

  /** Resting orders of a side, first in priority first. */
  book(side: 0 | 1, market = 0): BookRow[] {
    const { orders, levels } = this.state;
    const half = this.state.market(market)!.book(side);
    const rows: BookRow[] = [];
    for (let n = 0; n < half.depth; n++)
      for (let slot = levels.head(half.levelAt(n)); slot >= 0; slot = orders.next(slot))
        rows.push({
          id: orders.id(slot),
          account: orders.account(slot),
          price: orders.price(slot),
          size: orders.size(slot),
        });
    return rows;
  }

  /** A round with these reports and the right signers, unless told otherwise; not applied. */
  roundCommand(
    market: number,
    reports: readonly (Partial<PriceReport> & { signer?: Uint8Array })[],
  ): Command {
    const made = reports.map((report, i) => ({
      market,
      publisher: i,
      time: this.now,
      sequence: this.nextReport(),
      price: 100,
      confidence: 1,
      signature: new Uint8Array(SIGNATURE_BYTES),
      signer: testAddress(9000 + (report.publisher ?? i)),
      ...report,
    }));
    const full = made.sort((a, b) => a.publisher - b.publisher);
    return {
      record: encodeRecord(PRICE_ROUND, this.now, encodePriceRound(market, full)),
      signers: concat(...full.map((report) => report.signer)),
    };
  }

  /** Applies a round that must be admitted. */
  round(market: number, reports: readonly (Partial<PriceReport> & { signer?: Uint8Array })[]): DecodedEvent {
    const command = this.roundCommand(market, reports);
    const code = this.engine.admit(command, this.now);
    if (code !== Reject.NONE) throw new Error(`round: expected it admitted, got code ${code}`);
    return only(this.apply(command), 'PRICE')[0]!;
  }

  /** A queue entry of any index, not applied. */
  entryCommand(index: number, kind: number, owner: Uint8Array, payload: Uint8Array): Command {
    const body = encodeQueueEntry({ index, kind, owner, payload });
    return { record: encodeRecord(QUEUE_ENTRY, this.now, body), signers: NO_SIGNERS };
  }

  disconnectCommand(account: number): Command {
    return this.accountCommand(DISCONNECT, account);
  }

  evaluateCommand(account: number): Command {
    return this.accountCommand(EVALUATE, account);
  }

  evaluate(account: number): DecodedEvent[] {
    return this.apply(this.evaluateCommand(account));
  }

  /** A record whose body is an account. */
  private accountCommand(kind: number, account: number): Command {
    const body = new Uint8Array(4);
    viewOf(body).setUint32(0, account, true);
    return { record: encodeRecord(kind, this.now, body), signers: NO_SIGNERS };
  }

  /** Lets time pass and keeps the prices of every market fresh on the way, as publishers do. */
  pass(ms: number): DecodedEvent[] {
    const until = this.now + ms;
    const events: DecodedEvent[] = [];
    while (this.now < until) {
      this.now = Math.min(until, this.now + 2_000);
      events.push(...this.clock());
      for (const market of this.state.markets)
        if (market !== undefined && market.index > 0)
          events.push(...this.price(market.config.market, market.index));
    }
    return events;
  }
}
