/**
 * Random sessions that lead every kind of step into its corners: random-session.ts with many markets and accounts of
 * sixteen positions, ladders, halts, stale prices, defective rounds, changing parameters, and values at their bounds.
 * Whatever it tries is applied only if the engine admits it.
 */
import { concat, viewOf } from '#protocol/bytes.ts';
import { DISCONNECT, encodeRecord, MESSAGE, PRICE_ROUND } from '#protocol/command.ts';
import { CLIENT_ID_MAX, QUOTE_MAX, SIZE_MAX, TIME_MS_MAX } from '#protocol/limits.ts';
import {
  type ChainParameters,
  DEFAULT_CHAIN_PARAMETERS,
  encodeChainParameters,
  encodeMarketConfig,
  encodePublisher,
  FEED_ONLY,
  ISOLATED_ONLY,
  type MarketConfig,
  NO_MARKET_LIMITS,
} from '#protocol/market.ts';
import { encodeUnsignedMessage } from '#protocol/message.ts';
import type { Operation, PlaceOperation } from '#protocol/operation.ts';
import { encodePriceRound } from '#protocol/price-report.ts';
import * as queue from '#protocol/queue-entry.ts';
import { type TestKey, testKey, testSigning } from '../auth/keys.ts';
import { RandomSession, SESSION_MARKETS } from '../support/random-session.ts';

/** More than fit into one account, and a second leaf of prices. */
const MARKETS = 19;
const NOBODY = new Uint8Array(20);
const FIRST_PRICE = 10_000;

export class StepSession extends RandomSession {
  private readonly stranger = testKey(900);
  /** Publishers beyond the five of every session. */
  private readonly latePublishers: TestKey[] = [505, 506, 507].map(testKey);
  private configs: MarketConfig[] = [];

  constructor(seed: number) {
    super({ seed, signed: true, traders: 6, chain: { sessionKeysMax: 3 } });
    this.configs = [...SESSION_MARKETS];
    for (let market = this.configs.length; market < MARKETS; market++) {
      const config = { ...SESSION_MARKETS[market % 3]!, market, symbol: `M${market}-PERP` };
      this.configs.push(config);
      this.configureMarket(config);
      this.price(market, FIRST_PRICE);
    }
    this.deposit(5, 1e12);
    this.deposit(4, 1e12);
  }

  override next(): void {
    const { random } = this;
    const dice = random.below(100);
    if (dice < 55) super.next();
    else if (dice < 67) this.order();
    else if (dice < 71) this.round();
    else if (dice < 74) this.wide();
    else if (dice < 77) this.ladder();
    else if (dice < 80) this.reconfigureMarket();
    else if (dice < 82) this.reconfigureChain();
    else if (dice < 85) this.oddOperations();
    else if (dice < 88) this.money();
    else if (dice < 90) this.letTimePass();
    else if (dice < 92) this.oddEntries();
    else if (dice < 94) this.publishers_();
    else if (dice < 96) this.timers();
    else if (dice < 97) this.squeeze();
    else if (dice < 99) this.isolated();
    else this.pinned();
  }

  /** An order near the market of some market, with something odd about it now and then. */
  private order(): void {
    const { random } = this;
    const account = random.between(1, this.state.accounts.count);
    this.send(account, [this.someOrder(random.below(this.configs.length))]);
  }

  private someOrder(market: number): PlaceOperation {
    const { random, state } = this;
    const mark = state.market(market)?.mark || FIRST_PRICE;
    const timeInForce = random.below(4) as 0 | 1 | 2 | 3;
    const odd = random.below(12);
    return {
      kind: 'place',
      market: odd === 0 ? random.between(this.configs.length, 1_100) : market,
      side: random.below(2) as 0 | 1,
      price:
        odd === 1
          ? random.below(2) * 4_000_000_000
          : Math.max(1, mark + random.signed(random.below(3) === 0 ? 2_000 : 60)),
      size: odd === 2 ? [0, 1, SIZE_MAX, 2_000_000][random.below(4)]! : random.between(1, 3_000),
      timeInForce,
      postOnly: odd === 3 || (timeInForce < 2 && random.below(6) === 0),
      reduceOnly: random.below(5) === 0,
      marketOrder: odd === 4 || (timeInForce >= 2 && random.below(3) === 0),
      selfTradePrevention: random.below(4) as 0 | 1 | 2 | 3,
      clientId: odd === 5 ? CLIENT_ID_MAX : random.below(3) === 0 ? random.between(1, 9) : 0,
      expiry:
        odd === 6
          ? [0, this.now, TIME_MS_MAX, TIME_MS_MAX + 1, 5][random.below(5)]!
          : timeInForce === 1
            ? this.now + random.between(1, 8_000)
            : 0,
    };
  }

  /** A round of which some reports are defective; a third of the weight may be. */
  private round(): void {
    const { random, state } = this;
    const market = random.below(this.configs.length + 1);
    const index = state.market(market)?.index || FIRST_PRICE;
    const keys = [...this.publishers, ...this.latePublishers];
    const spread = random.below(3) === 0 ? 400 : 20;
    const halting = random.below(12) === 0;
    const shift = random.signed(60);
    const signers: Uint8Array[] = [];
    const list = [];
    for (const [publisher, key] of keys.entries()) {
      if (random.below(7) === 0 && publisher > 0) continue;
      if (
        publisher >= this.publishers.length &&
        state.publishers[publisher] === undefined &&
        random.below(3) > 0
      )
        continue;
      const defect = random.below(9);
      const price = halting ? 30_000 : Math.max(1, index + shift + random.signed(spread + 1));
      const report = {
        market,
        publisher: defect === 0 && publisher === keys.length - 1 ? 15 : publisher,
        time:
          this.now +
          (defect === 1
            ? random.signed(2 * state.chain.stalenessMs + 2)
            : defect === 2
              ? state.chain.futureMs + random.below(2)
              : 0),
        sequence: defect === 3 ? random.below(this.reportSequence + 1) : ++this.reportSequence,
        price: defect === 4 ? 0 : price,
        confidence: random.below(20) === 0 ? 0xffff_ffff : random.below(50),
      };
      const signer = defect === 5 ? this.stranger : key;
      list.push({ ...report, signature: this.sign(testSigning.report(report), signer) });
      signers.push(signer.address);
    }
    if (list.length === 0) return;
    this.apply(encodeRecord(PRICE_ROUND, this.now, encodePriceRound(market, list)), concat(...signers));
  }

  /** Two rich accounts come to positions in many markets; or the seventeenth is tried. */
  private wide(): void {
    const { random, state } = this;
    const maker = state.accountOf(this.owners[4]!.address, 0);
    const taker = state.accountOf(this.owners[5]!.address, 0);
    const first = random.below(MARKETS);
    const count = random.between(2, 17);
    const side = random.below(2) as 0 | 1;
    const orders = (own: 0 | 1, timeInForce: 0 | 2): Operation[] =>
      Array.from({ length: count }, (_, i) => {
        const market = (first + i) % MARKETS;
        const price = state.market(market)!.mark || FIRST_PRICE;
        return { kind: 'place', market, side: own, price, size: random.between(1, 40), timeInForce };
      });
    this.send(maker, orders(side, 0));
    this.send(taker, orders((1 - side) as 0 | 1, 2));
  }

  /** Up to 50 levels on one side, then a fill-or-kill through some of them. */
  private ladder(): void {
    const { random, state } = this;
    const market = random.below(MARKETS);
    const mark = state.market(market)!.mark || FIRST_PRICE;
    const side = random.below(2) as 0 | 1;
    const away = side === 0 ? -1 : 1;
    const account = state.accountOf(this.owners[4]!.address, 0);
    const count = random.between(10, 50);
    const step = random.between(1, 30);
    this.send(
      account,
      Array.from({ length: count }, (_, i) => ({
        kind: 'place' as const,
        market,
        side,
        price: Math.max(1, mark + away * (5 + i * step)),
        size: random.between(1, 30),
        timeInForce: 0 as const,
      })),
    );
    const other = state.accountOf(this.owners[5]!.address, 0);
    const size = random.between(1, 15 * count);
    const price = Math.max(1, mark + away * (5 + random.below(count + 1) * step));
    const stp = random.below(4) as 0 | 1 | 2 | 3;
    const fok = { kind: 'place', market, price, size, timeInForce: 3, selfTradePrevention: stp } as const;
    this.send(random.below(4) === 0 ? account : other, [
      { ...fok, side: (1 - side) as 0 | 1, reduceOnly: random.below(6) === 0 },
    ]);
    if (random.below(2) === 0) this.send(account, [{ kind: 'cancel-all', market }]);
  }

  private configureMarket(config: MarketConfig): void {
    this.enqueue(queue.QUEUE_CONFIGURE_MARKET, NOBODY, encodeMarketConfig(config));
  }

  private reconfigureMarket(): void {
    const { random } = this;
    const market = random.below(MARKETS);
    const base = SESSION_MARKETS[market % 3]!;
    const tiers = [{ lower: 0, initialPpm: 20_000, maintenancePpm: 12_000 }];
    for (let i = random.below(8); i > 0; i--) {
      const last = tiers.at(-1)!;
      tiers.push({
        lower: last.lower + random.between(1, 40),
        initialPpm: last.initialPpm + random.below(20_000),
        maintenancePpm: last.maintenancePpm + random.below(8_000),
      });
    }
    for (const tier of tiers) tier.maintenancePpm = Math.min(tier.maintenancePpm, tier.initialPpm);
    const takerFeePpm = random.below(1_000);
    const pick = <T>(...values: readonly T[]): T => values[random.below(values.length)]!;
    const lower = pick(0, 0, 1, 200);
    const config: MarketConfig = {
      ...base,
      market: random.below(25) === 0 ? MARKETS + random.below(3) + 1 : market,
      symbol: `M${market}-PERP`,
      status: pick(0, 0, 0, 0, 1, 2),
      qm: random.below(15) === 0 ? base.qm + 1 : base.qm,
      maxPrice: pick(20_000, 20_000, 15_000, 9_000),
      maxPosition: pick(1_000_000, 1_000_000, 5_000),
      maxOrderSize: pick(1_000_000, 4_000),
      maxOpenInterest: pick(0, 0, 3_000, 30_000),
      minNotional: pick(1, 1, 5_000_000),
      takerFeePpm,
      makerFeePpm: pick(-takerFeePpm, 0, takerFeePpm),
      bandPpm: pick(0, 0, 2_000, 50_000, 1_000_000),
      profitWeightPpm: pick(0, 500_000, 1_000_000),
      ...NO_MARKET_LIMITS,
      riskPool: pick(0, 0, 0, 0, 1),
      flags: pick(0, 0, 0, 0, 0, ISOLATED_ONLY, FEED_ONLY),
      profitCap: pick(0, 0, 1, 50),
      openInterestLower: lower,
      openInterestUpper: lower === 0 ? 0 : lower + random.between(1, 2_000),
      concentrationPpm: pick(0, 0, 1, 300_000, 1_000_000, 10_000_000),
      deviationPpm: pick(0, 0, 0, 5_000, 30_000),
      confidenceMaxPpm: pick(0, 0, 0, 2_000),
      tiers,
    };
    this.configureMarket(config);
    // Most soon come back to what trades.
    if (random.below(3) > 0) this.configureMarket({ ...base, market, symbol: `M${market}-PERP` });
  }

  /** Subaccounts of one market or another pool, margin in and out, orders and leverage in whatever market. */
  private isolated(): void {
    const { random, state } = this;
    const account = random.between(1, state.accounts.count);
    const market = random.below(MARKETS);
    if (random.below(3) === 0) this.send(account, [this.isolation(market)]);
    const isolatedMarket = state.accounts.isolatedMarket[account]!;
    const own = isolatedMarket < MARKETS && random.below(4) > 0 ? isolatedMarket : market;
    const ppm = [0, 1, 20_000, 100_000, 333_333, 1_000_000, 1_000_001][random.below(7)]!;
    const toAccount = random.between(1, state.accounts.count);
    this.send(account, [
      { kind: 'transfer', asset: 0, toAccount, amount: random.below(40_000_000) },
      { kind: 'set-leverage', market: own, initialPpm: ppm },
      this.someOrder(own),
    ]);
  }

  private reconfigureChain(): void {
    const { random } = this;
    const pick = <T>(...values: readonly T[]): T => values[random.below(values.length)]!;
    const parameters: ChainParameters = {
      ...DEFAULT_CHAIN_PARAMETERS,
      stalenessMs: pick(100, 3_000, 600_000),
      voidMs: pick(600_000, 600_000, 3_000, 3_600_000),
      futureMs: pick(0, 3_000),
      sampleIntervalMs: pick(100, 5_000, 60_000),
      fundingIntervalMs: pick(1_000, 60_000, 3_600_000),
      openOrdersMax: pick(4, 60, 1_000),
      sessionKeysMax: pick(0, 2, 16),
      markClampPpm: pick(0, 5_000, 1_000_000),
      withdrawalFloorPpm: pick(0, 100_000, 1_000_000),
      indexEmaTauMs: pick(1, 150_000),
      markEmaTauMs: pick(1, 30_000),
      twapTauMs: pick(1, 300_000),
    };
    this.enqueue(queue.QUEUE_CONFIGURE_CHAIN, NOBODY, encodeChainParameters(parameters));
  }

  /** Operations with fields at their ends, alone and in bundles. */
  private oddOperations(): void {
    const { random, state } = this;
    const account = random.between(1, state.accounts.count);
    const market = random.below(MARKETS + 1);
    const id = this.orderOf(account);
    const key = random.below(4) === 0 ? new Uint8Array(20) : this.sessionKeys[random.below(4)]!.address;
    const slot = state.orders.find(id);
    const as =
      slot < 0 ? { price: 1, size: 1 } : { price: state.orders.price(slot), size: state.orders.size(slot) };
    const all: Operation[] = [
      { kind: 'cancel', market, by: 'order', id: random.below(2) === 0 ? 0 : id },
      { kind: 'cancel', market, by: 'client', id: CLIENT_ID_MAX },
      {
        kind: 'amend',
        market,
        by: 'order',
        id,
        price: random.below(3) * 10_000,
        size: random.below(3) * 100,
      },
      { kind: 'amend', market, by: 'client', id: random.below(9), price: 10_000, size: random.below(4_000) },
      { kind: 'amend', market: slot < 0 ? market : state.orders.market(slot), by: 'order', id, ...as },
      { kind: 'cancel-all', market },
      { kind: 'session-key', key, scope: random.below(9), expiry: random.below(2) * (this.now + 5_000) },
      { kind: 'session-key', key, scope: 3, expiry: TIME_MS_MAX + random.below(2) },
      { kind: 'session-key', key, scope: 0, expiry: 0 },
      {
        kind: 'cancel-after',
        deadline: [0, 1, this.now + 999, this.now + 1_000, TIME_MS_MAX, TIME_MS_MAX + 1][random.below(6)]!,
      },
      { kind: 'cancel-on-disconnect', enabled: random.below(2) === 0, graceMs: 600_000 + random.below(2) },
      { kind: 'lock', locked: random.below(4) === 0 },
      { kind: 'lock', locked: false },
      this.someOrder(random.below(MARKETS)),
    ];
    this.send(
      account,
      Array.from({ length: random.between(1, 12) }, () => all[random.below(all.length)]!),
    );
  }

  private money(): void {
    const { random, state } = this;
    const account = random.between(1, state.accounts.count);
    const cash = state.accounts.cash[account]!;
    const amount = [
      0,
      1,
      Math.max(0, Math.floor(cash / 2)),
      Math.max(0, cash),
      Math.max(1, Math.floor(cash / 50)),
      QUOTE_MAX,
    ][random.below(6)]!;
    const to =
      random.below(5) === 0
        ? state.accounts.count + random.below(2)
        : random.between(1, state.accounts.count);
    const asset = random.below(10) === 0 ? 1 : 0;
    this.send(account, [
      random.below(2) === 0
        ? { kind: 'withdraw', asset, amount }
        : { kind: 'transfer', asset, toAccount: to, amount },
    ]);
    if (random.below(3) > 0) return;
    const owner = state.accounts.owner(account).slice();
    const subaccount = state.accounts.subaccount(account);
    this.enqueue(queue.QUEUE_WITHDRAW, owner, queue.encodeMoneyPayload({ asset, subaccount, amount }));
  }

  /** Prices grow old, ticks fall due many at a time. */
  private letTimePass(): void {
    const { random } = this;
    this.now += [1_000, 20_000, 700_000, 4_000_000][random.below(4)]!;
    if (random.below(2) === 0) this.clock();
    else this.order();
    if (random.below(3) === 0) return;
    for (let market = 0; market < MARKETS; market++)
      this.price(market, this.state.market(market)!.index || FIRST_PRICE);
  }

  private oddEntries(): void {
    const { random } = this;
    const { address } = this.owners[random.below(this.owners.length)]!;
    const kinds = [0, 1, 2, 3, 4, 5, 16, 17, 18, 255];
    const kind = kinds[random.below(kinds.length)]!;
    const bytes = random.bytes([0, 1, 4, 11, 16, 25, 48, 104, 256][random.below(9)]!);
    if (random.below(2) === 0) bytes.fill(0);
    this.enqueue(kind, address, bytes);
    const subaccount = random.below(5);
    if (random.below(2) === 0)
      this.enqueue(
        queue.QUEUE_DEPOSIT,
        address,
        queue.encodeMoneyPayload({
          asset: random.below(3),
          subaccount,
          amount: [0, 1, 2 ** 50, 2 ** 53 - 1][random.below(4)]!,
        }),
      );
    if (random.below(3) === 0) this.enqueue(queue.QUEUE_CANCEL_ALL, address, Uint8Array.of(subaccount));
    if (random.below(3) === 0)
      this.enqueue(
        queue.QUEUE_REDUCE_ONLY_IOC,
        address,
        queue.encodeReduceOnlyPayload({
          market: random.below(MARKETS + 1),
          subaccount: 0,
          side: random.below(2) as 0 | 1,
          price: random.below(2) === 0 ? 0 : random.between(9_000, 11_000),
          size: random.between(1, 50),
        }),
      );
  }

  /** A price falls or rises by up to a half, and accounts are looked at, some of them through the queue. */
  private squeeze(): void {
    const { random, state } = this;
    const market = random.below(MARKETS);
    const before = state.market(market)!.index || FIRST_PRICE;
    this.price(market, Math.max(1, before + random.signed(Math.floor(before / 2))));
    for (let round = random.between(1, 3); round > 0; round--) {
      for (let account = 1; account <= state.accounts.count; account++) {
        if (random.below(4) > 0) this.evaluate(account);
        else
          this.enqueue(
            queue.QUEUE_EVALUATE_LIQUIDATION,
            this.owners[random.below(this.owners.length)]!.address,
            queue.encodeEvaluatePayload(random.below(20) === 0 ? 99 : account),
          );
      }
      this.now += [0, 400, 4_000, 16_000][random.below(4)]!;
    }
    if (random.below(3) === 0) return;
    this.price(market, before);
    for (let account = 1; account <= state.accounts.count; account++) this.evaluate(account);
  }

  private publishers_(): void {
    const { random } = this;
    const late = random.below(this.latePublishers.length);
    const weight = [0, 1, 3, 1_000_000][random.below(4)]!;
    const { address } = this.latePublishers[late]!;
    this.enqueue(
      queue.QUEUE_CONFIGURE_PUBLISHER,
      NOBODY,
      encodePublisher({
        index: this.publishers.length + late,
        address,
        weight: random.below(8) === 0 ? 1_000_001 : weight,
      }),
    );
    if (random.below(3) > 0)
      this.enqueue(
        queue.QUEUE_CONFIGURE_PUBLISHER,
        NOBODY,
        encodePublisher({ index: this.publishers.length + late, address, weight: 0 }),
      );
  }

  /** Dead-man, disconnects and expiries with orders at stake, under a session key now and then. */
  private timers(): void {
    const { random, state } = this;
    const account = random.between(1, state.accounts.count);
    const market = random.below(MARKETS);
    const mark = state.market(market)!.mark || FIRST_PRICE;
    const count = random.between(1, 4);
    this.send(account, [
      { kind: 'cancel-on-disconnect', enabled: true, graceMs: random.below(2_000) },
      { kind: 'cancel-after', deadline: this.now + 1_000 + random.below(2_000) },
      ...Array.from({ length: count }, (_, i) => ({
        kind: 'place' as const,
        market,
        side: 0 as const,
        price: Math.max(1, mark - 300 - i),
        size: 1,
        timeInForce: 1 as const,
        expiry: this.now + 1 + random.below(2_000),
        clientId: random.below(2) * (100 + i),
      })),
    ]);
    if (random.below(2) === 0) {
      const body = new Uint8Array(4);
      viewOf(body).setUint32(0, account, true);
      this.apply(encodeRecord(DISCONNECT, this.now, body));
    }
    if (random.below(2) === 0) {
      this.now += random.below(3_000);
      this.clock();
    }
  }

  /** Messages that stretch authentication: session keys, old and far nonces, both schemes. */
  private pinned(): void {
    const { random, state } = this;
    const account = random.between(1, state.accounts.count);
    const owner = this.owners.find(({ address }) => state.accounts.isOwner(account, address, 0));
    const key = random.below(2) === 0 ? owner : this.sessionKeys[random.below(4)];
    if (key === undefined) return;
    const window = state.accounts.nonce(account);
    const nonce = Math.max(
      0,
      [window.high - 255, window.high - random.below(300), window.high + random.below(400), this.now][
        random.below(4)
      ]!,
    );
    const operations: Operation[] =
      random.below(2) === 0
        ? [{ kind: 'cancel-all' }]
        : [this.someOrder(0), { kind: 'cancel', market: 0, by: 'order', id: this.orderOf(account) }];
    const unsigned = encodeUnsignedMessage(
      { account, nonce, validUntil: this.now + random.below(3), operations },
      operations.length === 1 && random.below(2) === 0 ? 2 : undefined,
    );
    const body = concat(unsigned, this.sign(testSigning.message(unsigned), key));
    this.apply(encodeRecord(MESSAGE, this.now, body), key.address);
  }
}
