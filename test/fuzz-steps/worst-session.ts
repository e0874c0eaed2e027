/**
 * A state in which steps cost the most that bounds allow: accounts of sixteen positions in sixteen leaves of prices, markets
 * of eight tiers, ladders of more than 32 levels, sixteen publishers, messages of fifty operations; and commands whose
 * steps meet all of that. What users can force of the trees' depth comes on top (deepen.ts).
 */
import { largestPosition } from '#engine/risk/slice.ts';
import { concat, viewOf } from '#protocol/bytes.ts';
import { type Command, DISCONNECT, encodeRecord, PRICE_ROUND, VERSION } from '#protocol/command.ts';
import { PUBLISHERS_MAX, TIERS_MAX } from '#protocol/limits.ts';
import {
  DEFAULT_CHAIN_PARAMETERS,
  encodeChainParameters,
  encodeMarketConfig,
  encodePublisher,
  type MarketConfig,
} from '#protocol/market.ts';
import type { Operation } from '#protocol/operation.ts';
import { encodePriceRound } from '#protocol/price-report.ts';
import * as queue from '#protocol/queue-entry.ts';
import { ENGINE_VERSION, type ExchangeState } from '#state/exchange-state.ts';
import { PRICES_PER_LEAF } from '#state/keys.ts';
import { type TestKey, testKey, testSigning } from '../auth/keys.ts';
import { RandomSession, SESSION_MARKETS } from '../support/random-session.ts';

/** Where the account's next slice would go. */
const largestMarket = (state: ExchangeState, account: number): number =>
  state.positions.market(largestPosition(state, account));

const NOBODY = new Uint8Array(20);
const PRICE = 10_000;
const POSITIONS = 16;
/** Of the second account, so that two have no leaf of prices in common but the one where they meet. */
const MARKETS = 2 * POSITIONS * PRICES_PER_LEAF;
const tiers = Array.from({ length: TIERS_MAX }, (_, i) => ({
  lower: i * 50,
  initialPpm: 20_000 + 1_000 * i,
  maintenancePpm: 12_000 + 1_000 * i,
}));

/** Of market n for the first account's, and for the second's, n from 0. */
const marketOf = (n: number): number => n * PRICES_PER_LEAF;
const otherMarketOf = (n: number): number => (n === 0 ? 0 : (POSITIONS - 1 + n) * PRICES_PER_LEAF);

export class WorstSession extends RandomSession {
  /** Commands before are setup; from here on they are what is measured. */
  readonly from: number;
  private readonly latePublishers: TestKey[] = Array.from({ length: PUBLISHERS_MAX - 5 }, (_, i) =>
    testKey(520 + i),
  );
  private readonly maker: number;
  private readonly taker: number;
  private readonly crowd: number;

  constructor() {
    super({
      seed: 1,
      signed: true,
      chain: {
        ...{ stalenessMs: 600_000, voidMs: 3_600_000, futureMs: 60_000 },
        ...{ sampleIntervalMs: 3_600_000, fundingIntervalMs: 1_000, openOrdersMax: 1_000 },
      },
    });
    for (let market = 0; market < MARKETS; market++) this.configureMarket(market);
    // Ticks of so many markets would come before every command: they wait for their turn.
    this.chain({ fundingIntervalMs: 86_400_000 });
    this.maker = this.deposit(5, 1e12);
    this.crowd = this.deposit(4, 1e12);
    const used = new Set(Array.from({ length: POSITIONS }, (_, n) => [marketOf(n), otherMarketOf(n)]).flat());
    for (const market of used) this.price(market, PRICE);
    this.taker = this.deposit(3, 350_000, 7);
    this.deposit(3, 1_000_000, 8);
    this.hold(this.taker, marketOf, 0);
    this.hold(this.maker, otherMarketOf, 1);
    this.from = this.commands.length;
    this.measured();
  }

  private configureMarket(market: number, more: Partial<MarketConfig> = {}): void {
    const config = {
      ...SESSION_MARKETS[0]!,
      ...{ market, symbol: `M${market}-PERP`, tiers, takerFeePpm: 0, makerFeePpm: 0 },
      // Everything that a round and a sample may look at.
      ...{ deviationPpm: 1_000_000, confidenceMaxPpm: 1_000_000 },
      ...{ openInterestLower: 1, openInterestUpper: 2 ** 28 },
      ...more,
    };
    this.enqueue(queue.QUEUE_CONFIGURE_MARKET, NOBODY, encodeMarketConfig(config));
  }

  private chain(more: Partial<typeof DEFAULT_CHAIN_PARAMETERS>): void {
    const parameters = { ...DEFAULT_CHAIN_PARAMETERS, ...this.state.chain, ...more };
    this.enqueue(queue.QUEUE_CONFIGURE_CHAIN, NOBODY, encodeChainParameters(parameters));
  }

  /** Positions of 100 lots against the crowd in sixteen markets; the crowd closes what it has against itself. */
  private hold(account: number, market: (n: number) => number, side: 0 | 1): void {
    for (let n = 0; n < POSITIONS; n++) {
      const order = { market: market(n), price: PRICE, size: 100 } as const;
      const other = this.counterparty(n);
      this.sendDone(other, [{ kind: 'place', ...order, side: (1 - side) as 0 | 1, timeInForce: 0 }]);
      this.sendDone(account, [{ kind: 'place', ...order, side, timeInForce: 2 }]);
    }
  }

  /** Nobody can hold more than sixteen positions, so each market has its own other side. */
  private counterparty(n: number): number {
    return this.deposit(n % 3, 1_000_000_000, 20 + n);
  }

  private sendDone(account: number, operations: readonly Operation[]): void {
    if (!this.send(account, operations)) throw new Error('worst session: expected a message admitted');
  }

  private measured(): void {
    const { maker, taker, crowd } = this;
    const expiry = (): number => this.now + 50_000_000;
    const place = (side: 0 | 1, price: number, size: number, more = {}): Operation => ({
      ...{ kind: 'place', market: 0, side, price, size, timeInForce: 0 },
      ...more,
    });
    const gtd = (clientId: number) => ({ timeInForce: 1, clientId, expiry: expiry() });
    // Levels far from each other and from where trades are.
    for (const side of [0, 1] as const)
      this.sendDone(
        crowd,
        Array.from({ length: 45 }, (_, i) => place(side, side === 0 ? 9_000 - i : 11_000 + i, 1)),
      );
    // PLACE that looks at 32 levels and at all margins, and is refused for neither; MESSAGE of fifty operations.
    this.sendDone(maker, [place(0, 11_044, 32, { timeInForce: 3, clientId: 77 })]);
    this.sendDone(
      maker,
      Array.from({ length: 50 }, (_, i) => place(0, 8_000 - i, 1, gtd(1_000 + i))),
    );
    // AMEND to another price, CANCEL and WALK of orders with client id and expiry.
    this.sendDone(maker, [{ kind: 'amend', market: 0, by: 'client', id: 1_000, price: 8_500, size: 2 }]);
    this.sendDone(maker, [{ kind: 'cancel', market: 0, by: 'client', id: 1_001 }]);
    this.sendDone(maker, [{ kind: 'cancel-all' }]);
    // An expiry that stands from here on: whoever takes a record looks at the first one.
    this.sendDone(maker, [place(0, 7_000, 1, { timeInForce: 1, clientId: 4_000, expiry: this.now + 1e12 })]);
    // MATCH of two full accounts, the taker's margin checked too: it is below, and reduces. The maker's order goes.
    this.price(0, 9_400);
    this.sendDone(maker, [place(0, 9_400, 5, gtd(2_000))]);
    this.sendDone(taker, [place(1, 9_400, 8, gtd(2_001))]);
    // Money with sixteen unsettled fundings; those of the second account stay so until its own turn.
    this.unsettle();
    this.sendDone(maker, [{ kind: 'withdraw', asset: 0, amount: 1_000 }]);
    const other = this.deposit(5, 1_000, 1);
    this.unsettle();
    this.sendDone(maker, [{ kind: 'transfer', asset: 0, toAccount: other, amount: 1_000 }]);
    this.forced();
    this.liquidations();
    this.settings();
    this.ends();
    this.sendDone(maker, [{ kind: 'lock', locked: true }]);
    this.sendDone(maker, [{ kind: 'lock', locked: false }]);
  }

  /** A round of funding for every market, and fresh prices after it. */
  private unsettle(): void {
    this.chain({ fundingIntervalMs: 1_000, sampleIntervalMs: 100 });
    this.now += 1_000;
    this.clock();
    this.now += 86_400_000;
    this.chain({ fundingIntervalMs: 86_400_000, sampleIntervalMs: 3_600_000 });
    for (let n = 0; n < POSITIONS; n++)
      for (const market of [marketOf(n), otherMarketOf(n)]) this.price(market, PRICE);
  }

  /** Queue entries; a withdrawal of the second account with its fundings unsettled. */
  private forced(): void {
    const owner = this.state.accounts.owner(this.taker).slice();
    const money = (subaccount: number, amount: number, asset = 0): Uint8Array =>
      queue.encodeMoneyPayload({ asset, subaccount, amount });
    this.enqueue(queue.QUEUE_WITHDRAW, owner, money(7, 1));
    this.enqueue(queue.QUEUE_DEPOSIT, owner, money(99, 1_000));
    this.enqueue(queue.QUEUE_DEPOSIT, owner, money(7, 1_000, 1));
    this.enqueue(queue.QUEUE_CANCEL_ALL, owner, Uint8Array.of(7));
    this.enqueue(
      queue.QUEUE_REDUCE_ONLY_IOC,
      owner,
      queue.encodeReduceOnlyPayload({ market: 0, subaccount: 7, side: 1, price: 0, size: 1 }),
    );
    this.configureMarket(17, { bandPpm: 1 });
  }

  /** The second account is liquidated: of sixteen positions, through the queue and by records, with a slice that fills. */
  private liquidations(): void {
    const owner = this.state.accounts.owner(this.taker).slice();
    const dear = marketOf(3);
    const margin = this.engine.risk.margin(this.taker);
    // One requirement is raised until V is nine tenths of M.
    const lacking = (10 * margin.equityMaintenance) / 9 - margin.maintenance;
    const more = Math.round((lacking * 1_000_000) / (100 * PRICE));
    const dearer = tiers.map(({ lower, initialPpm, maintenancePpm }) => ({
      ...{ lower, initialPpm: initialPpm + more, maintenancePpm: maintenancePpm + more },
    }));
    this.configureMarket(dear, { tiers: dearer });
    this.enqueue(queue.QUEUE_EVALUATE_LIQUIDATION, owner, queue.encodeEvaluatePayload(this.taker));
    this.now += 600;
    const market = largestMarket(this.state, this.taker);
    const { mark } = this.state.market(market)!;
    this.sendDone(this.maker, [
      {
        ...{ kind: 'place', market, side: 0, price: mark, size: 1, timeInForce: 1, clientId: 5_000 },
        expiry: this.now + 1e9,
      },
    ]);
    this.evaluate(this.taker);
    this.configureMarket(dear);
    this.evaluate(this.taker);
  }

  private settings(): void {
    const { maker } = this;
    this.sendDone(maker, [
      { kind: 'session-key', key: testKey(700).address, scope: 3, expiry: this.now + 90_000_000 },
      { kind: 'cancel-on-disconnect', enabled: true, graceMs: 1 },
      // The requirement of sixteen positions, before and after.
      { kind: 'set-leverage', market: marketOf(POSITIONS - 1), initialPpm: 30_000 },
      { kind: 'isolate', subaccount: 99, market: marketOf(3) },
      { kind: 'cancel-after', deadline: this.now + 80_000_000 },
      { kind: 'cancel-after', deadline: this.now + 85_000_000 },
    ]);
    this.latePublishers.forEach(({ address }, i) => {
      this.enqueue(
        queue.QUEUE_CONFIGURE_PUBLISHER,
        NOBODY,
        encodePublisher({ index: 5 + i, address, weight: 1 }),
      );
    });
    const reports = [...this.publishers, ...this.latePublishers].map((key, publisher) => {
      const report = {
        ...{ market: 0, publisher, time: this.now, sequence: ++this.reportSequence },
        ...{ price: PRICE + ((publisher * 7) % 16), confidence: (publisher * 5) % 16 },
      };
      return { report: { ...report, signature: this.sign(testSigning.report(report), key) }, key };
    });
    this.apply(
      encodeRecord(
        PRICE_ROUND,
        this.now,
        encodePriceRound(
          0,
          reports.map(({ report }) => report),
        ),
      ),
      concat(...reports.map(({ key }) => key.address)),
    );
    this.apply(encodeRecord(VERSION, this.now, Uint8Array.of(ENGINE_VERSION, 0, 0, 0)));
  }

  /**
   * Orders and a timer that end by time, a sample over levels that do not hold the impact notional and all lie within 2 %
   * of the mark, a disconnect.
   */
  private ends(): void {
    const { maker } = this;
    for (const side of [0, 1] as const)
      this.sendDone(
        this.crowd,
        Array.from({ length: 45 }, (_, i) => ({
          ...({ kind: 'place', market: 0, side, size: 1, timeInForce: 0 } as const),
          price: side === 0 ? PRICE - 10 - i : PRICE + 10 + i,
        })),
      );
    this.sendDone(maker, [
      {
        ...{ kind: 'place', market: 0, side: 0, price: 8_000, size: 1, timeInForce: 1, clientId: 3_000 },
        expiry: this.now + 10,
      },
      { kind: 'cancel-after', deadline: this.now + 1_000 },
    ]);
    this.now += 2_000;
    this.clock();
    const body = new Uint8Array(4);
    viewOf(body).setUint32(0, maker, true);
    this.apply(encodeRecord(DISCONNECT, this.now, body));
    this.clock();
  }

  get measuredCommands(): readonly Command[] {
    return this.commands.slice(this.from);
  }
}
