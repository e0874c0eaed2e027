/**
 * Random sessions that touch every kind of step: seeded, checked by the engine's own admission, with real
 * signatures when asked for. What comes out is the list of commands.
 */
import { Engine } from '#engine/engine.ts';
import { concat, setU64, viewOf } from '#protocol/bytes.ts';
import {
  CLOCK,
  type Command,
  DISCONNECT,
  EVALUATE,
  encodeRecord,
  MESSAGE,
  NO_SIGNERS,
  PRICE_ROUND,
  QUEUE_ENTRY,
  VERSION,
} from '#protocol/command.ts';
import { SIGNATURE_BYTES } from '#protocol/limits.ts';
import {
  type ChainParameters,
  DEFAULT_CHAIN_PARAMETERS,
  encodeChainParameters,
  encodeMarketConfig,
  encodePublisher,
  type MarketConfig,
  NO_MARKET_LIMITS,
} from '#protocol/market.ts';
import { encodeUnsignedMessage } from '#protocol/message.ts';
import type { Operation } from '#protocol/operation.ts';
import { encodePriceRound } from '#protocol/price-report.ts';
import * as queue from '#protocol/queue-entry.ts';
import { ENGINE_VERSION, ExchangeState } from '#state/exchange-state.ts';
import { signDigest, type TestKey, testKey, testSigning } from '../auth/keys.ts';
import { Random } from '../state/random-state.ts';

export const SESSION_MARKETS: readonly MarketConfig[] = [0, 1, 2].map((market) => ({
  market,
  symbol: `M${market}-PERP`,
  status: 0,
  qm: [1, 10, 250][market]!,
  maxPrice: 20_000,
  maxPosition: 1_000_000,
  maxOpenInterest: 0,
  maxOrderSize: 1_000_000,
  minNotional: 1,
  takerFeePpm: 500,
  makerFeePpm: -100,
  bandPpm: 0,
  profitWeightPpm: [1_000_000, 500_000, 0][market]!,
  ...NO_MARKET_LIMITS,
  tickSizeE9: 100_000_000,
  tiers: [
    { lower: 0, initialPpm: 20_000, maintenancePpm: 12_000 },
    { lower: 1_000_000, initialPpm: 40_000, maintenancePpm: 24_000 },
  ],
}));

export interface SessionOptions {
  readonly seed: number;
  readonly traders?: number;
  /** Real signatures, for what recovers signers; otherwise signers stand beside zero signatures. */
  readonly signed?: boolean;
  readonly chain?: Partial<ChainParameters>;
  readonly startTime?: number;
}

const PUBLISHERS = 5;

export class RandomSession {
  readonly engine: Engine;
  readonly commands: Command[] = [];
  /** As the L1 queue would have them. */
  readonly queueEntries: queue.QueueEntry[] = [];
  now: number;
  protected readonly random: Random;
  private readonly signed: boolean;
  protected readonly owners: TestKey[];
  protected readonly sessionKeys: TestKey[];
  protected readonly publishers: TestKey[];
  private readonly byAddress = new Map<string, TestKey>();
  protected nonce = 0;
  protected reportSequence = 0;

  constructor(options: SessionOptions) {
    this.random = new Random(options.seed);
    this.signed = options.signed ?? false;
    this.engine = new Engine(new ExchangeState());
    this.now = options.startTime ?? 1_700_000_000_000;
    const key = (n: number): TestKey => {
      const made = testKey(n);
      this.byAddress.set(made.address.join(), made);
      return made;
    };
    this.owners = Array.from({ length: options.traders ?? 6 }, (_, i) => key(100 + i));
    this.sessionKeys = Array.from({ length: 4 }, (_, i) => key(300 + i));
    this.publishers = Array.from({ length: PUBLISHERS }, (_, i) => key(500 + i));
    this.configure(options.chain ?? {});
  }

  get state(): ExchangeState {
    return this.engine.state;
  }

  /** Appends `count` random commands. */
  run(count: number): this {
    const until = this.commands.length + count;
    while (this.commands.length < until) this.next();
    return this;
  }

  next(): void {
    const { random } = this;
    if (random.below(3) === 0) this.now += random.below(400);
    const dice = random.below(100);
    if (dice < 64) this.message();
    else if (dice < 76) this.price(random.below(SESSION_MARKETS.length), random.between(9_800, 10_200));
    else if (dice < 82) {
      this.now += random.below(5) === 0 ? random.below(4_000_000) : random.below(9_000);
      this.clock();
      for (const { market } of SESSION_MARKETS) this.price(market, random.between(9_900, 10_100));
    } else if (dice < 92) this.queueEntry();
    else if (dice < 96) this.disconnect(random.between(1, this.state.accounts.count));
    else if (dice < 97) this.apply(encodeRecord(VERSION, this.now, Uint8Array.of(ENGINE_VERSION, 0, 0, 0)));
    else this.clock();
  }

  apply(record: Uint8Array, signers: Uint8Array = NO_SIGNERS): boolean {
    const command = { record, signers };
    if (this.engine.admit(command, this.now) !== 0) return false;
    this.engine.apply(command);
    this.commands.push(command);
    return true;
  }

  clock(): void {
    this.apply(encodeRecord(CLOCK, this.now, new Uint8Array(0)));
  }

  deposit(trader: number, amount: number, subaccount = 0): number {
    const { address } = this.owners[trader]!;
    this.enqueue(queue.QUEUE_DEPOSIT, address, queue.encodeMoneyPayload({ asset: 0, subaccount, amount }));
    return this.state.accountOf(address, subaccount);
  }

  price(market: number, price: number): void {
    const sequence = ++this.reportSequence;
    const reports = this.publishers.map((key, publisher) => {
      const report = { market, publisher, time: this.now, sequence, price: price + publisher, confidence: 1 };
      return { ...report, signature: this.sign(testSigning.report(report), key) };
    });
    this.apply(
      encodeRecord(PRICE_ROUND, this.now, encodePriceRound(market, reports)),
      concat(...this.publishers.map((key) => key.address)),
    );
  }

  /** Sends operations of an account, signed by its owner or another key. */
  send(account: number, operations: readonly Operation[], signer?: TestKey): boolean {
    const key = signer ?? this.byAddress.get(this.state.accounts.owner(account).join())!;
    const fields = { account, nonce: ++this.nonce, validUntil: this.now + 60_000, operations };
    const unsigned = encodeUnsignedMessage(fields);
    const body = concat(unsigned, this.sign(testSigning.message(unsigned), key));
    return this.apply(encodeRecord(MESSAGE, this.now, body), key.address);
  }

  enqueue(kind: number, owner: Uint8Array, payload: Uint8Array): void {
    const entry = { index: this.queueEntries.length, kind, owner, payload };
    this.queueEntries.push(entry);
    this.apply(encodeRecord(QUEUE_ENTRY, this.now, queue.encodeQueueEntry(entry)));
  }

  protected sign(digest: Uint8Array, key: TestKey): Uint8Array {
    return this.signed ? signDigest(digest, key) : new Uint8Array(SIGNATURE_BYTES);
  }

  private configure(chain: Partial<ChainParameters>): void {
    const nobody = new Uint8Array(20);
    const parameters = { ...DEFAULT_CHAIN_PARAMETERS, openOrdersMax: 60, ...chain };
    this.enqueue(queue.QUEUE_CONFIGURE_CHAIN, nobody, encodeChainParameters(parameters));
    this.publishers.forEach(({ address }, index) => {
      this.enqueue(queue.QUEUE_CONFIGURE_PUBLISHER, nobody, encodePublisher({ index, address, weight: 1 }));
    });
    for (const market of SESSION_MARKETS)
      this.enqueue(queue.QUEUE_CONFIGURE_MARKET, nobody, encodeMarketConfig(market));
    this.owners.forEach((_, trader) => {
      this.deposit(trader, [2e7, 5e7, 2e8, 1e9, 1e10, 3e9][trader % 6]!);
    });
    this.deposit(0, 1_000_000, 1);
    this.deposit(4, 1_000_000, 1);
    for (const { market } of SESSION_MARKETS) this.price(market, 10_000);
  }

  protected message(): void {
    const { random, state } = this;
    const account = random.between(1, state.accounts.count);
    const bySession = random.below(6) === 0 ? this.sessionKeys[random.below(4)] : undefined;
    const count = random.below(8) === 0 ? random.between(1, 50) : random.between(1, 4);
    this.send(
      account,
      Array.from({ length: count }, () => this.operation(account)),
      bySession,
    );
  }

  protected operation(account: number): Operation {
    const { random, state } = this;
    const market = random.below(20) === 0 ? 9 : random.below(SESSION_MARKETS.length);
    const price = random.between(9_950, 10_050);
    const dice = random.below(100);
    if (dice < 66) {
      const timeInForce = ([0, 0, 0, 0, 0, 1, 1, 2, 2, 3] as const)[random.below(10)]!;
      return {
        kind: 'place',
        market,
        side: random.below(2) as 0 | 1,
        price,
        size: random.between(1, random.below(6) === 0 ? 100_000 : 2_000),
        timeInForce,
        postOnly: timeInForce < 2 && random.below(8) === 0,
        reduceOnly: random.below(6) === 0,
        marketOrder: timeInForce >= 2 && random.below(3) === 0,
        selfTradePrevention: random.below(4) as 0 | 1 | 2 | 3,
        clientId: random.below(3) === 0 ? random.between(1, 6) : 0,
        expiry: timeInForce === 1 ? this.now + random.between(1, 20_000) : 0,
      };
    }
    const by = random.below(3) === 0 ? ('client' as const) : ('order' as const);
    const id = by === 'client' ? random.between(1, 6) : this.orderOf(account);
    if (dice < 74) return { kind: 'cancel', market, by, id };
    if (dice < 84) return { kind: 'amend', market, by, id, price, size: random.between(1, 3_000) };
    if (dice < 86) return random.below(2) === 0 ? { kind: 'cancel-all' } : { kind: 'cancel-all', market };
    if (dice < 89)
      return { kind: 'withdraw', asset: random.below(9) === 0 ? 1 : 0, amount: random.below(3_000_000) };
    if (dice < 92)
      return {
        kind: 'transfer',
        asset: 0,
        toAccount: random.between(1, state.accounts.count),
        amount: random.below(900_000),
      };
    if (dice < 95)
      return {
        kind: 'session-key',
        key: this.sessionKeys[random.below(4)]!.address,
        scope: random.below(8),
        expiry: random.below(4) === 0 ? 0 : this.now + random.below(100_000),
      };
    if (dice < 98)
      return {
        kind: 'cancel-after',
        deadline: random.below(4) === 0 ? 0 : this.now + random.between(500, 30_000),
      };
    if (dice < 99)
      return random.below(3) > 0
        ? { kind: 'set-leverage', market, initialPpm: random.below(5) * random.below(300_000) }
        : this.isolation(market);
    // Mostly unlocked again at once, so that sessions go on.
    if (random.below(3) === 0) return { kind: 'lock', locked: random.below(3) === 0 };
    return { kind: 'cancel-on-disconnect', enabled: random.below(4) > 0, graceMs: random.below(5_000) };
  }

  /** A new subaccount: of one market, or of a risk pool. */
  protected isolation(market: number): Operation {
    const { random } = this;
    const subaccount = random.below(5);
    return random.below(3) > 0
      ? { kind: 'isolate', subaccount, market }
      : { kind: 'isolate', subaccount, riskPool: random.below(2) };
  }

  /** An open order of the account, when it has one. */
  protected orderOf(account: number): number {
    const { state, random } = this;
    const { accounts, positions, orders } = state;
    const ids: number[] = [];
    for (let at = accounts.firstPosition[account]!; at >= 0; at = positions.next(at))
      for (let slot = positions.ownHead(at); slot >= 0; slot = orders.ownNext(slot))
        ids.push(orders.id(slot));
    return ids.length === 0 ? random.between(1, 100) : ids[random.below(ids.length)]!;
  }

  disconnect(account: number): void {
    this.ofAccount(DISCONNECT, account);
  }

  evaluate(account: number): void {
    this.ofAccount(EVALUATE, account);
  }

  /** A record whose body is an account. */
  private ofAccount(kind: number, account: number): void {
    const body = new Uint8Array(4);
    viewOf(body).setUint32(0, account, true);
    this.apply(encodeRecord(kind, this.now, body));
  }

  protected queueEntry(): void {
    const { random } = this;
    const { address } = this.owners[random.below(this.owners.length)]!;
    const subaccount = random.below(6) === 0 ? random.below(3) : 0;
    const nobody = new Uint8Array(20);
    const money = queue.encodeMoneyPayload({
      asset: random.below(6) === 0 ? random.below(3) : 0,
      subaccount,
      amount: random.below(20) === 0 ? 2 ** 50 : random.below(50_000_000),
    });
    switch (random.below(9)) {
      case 8: {
        const market = SESSION_MARKETS[random.below(SESSION_MARKETS.length)]!;
        const payload = queue.encodeReduceOnlyPayload({
          market: random.below(12) === 0 ? 9 : market.market,
          subaccount,
          side: random.below(2) as 0 | 1,
          price: random.below(2) === 0 ? 0 : random.between(1, 2_000),
          size: random.between(1, 8),
        });
        this.enqueue(queue.QUEUE_REDUCE_ONLY_IOC, address, payload);
        break;
      }
      case 0:
      case 1:
      case 2:
        this.enqueue(queue.QUEUE_DEPOSIT, address, money);
        break;
      case 3:
        this.enqueue(queue.QUEUE_WITHDRAW, address, money);
        break;
      case 4:
        this.enqueue(queue.QUEUE_CANCEL_ALL, address, Uint8Array.of(subaccount));
        break;
      case 5:
        this.enqueue(random.below(30), address, random.bytes(random.below(40)));
        break;
      case 6: {
        const market = SESSION_MARKETS[random.below(SESSION_MARKETS.length)]!;
        const status = random.below(4) === 0 ? 1 : 0;
        const changed = { ...market, status, takerFeePpm: random.between(200, 600) } as MarketConfig;
        this.enqueue(queue.QUEUE_CONFIGURE_MARKET, nobody, encodeMarketConfig(changed));
        break;
      }
      default: {
        const index = random.between(5, 7);
        const payload = encodePublisher({ index, address: random.bytes(20), weight: 0 });
        this.enqueue(queue.QUEUE_CONFIGURE_PUBLISHER, nobody, payload);
      }
    }
  }
}

/** The seq of a queue-entry body set apart, for tests that tamper with it. */
export function withQueueIndex(record: Uint8Array, index: number): Uint8Array {
  const changed = record.slice();
  setU64(viewOf(changed), 12, index);
  return changed;
}
