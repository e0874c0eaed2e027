/**
 * Runs a scenario that a trader can read. One sentence per line; what follows the arrow is everything that the
 * line does to orders and money, in order, and must match to the letter.
 *
 *   # text                                          a remark
 *   given fees taker 0.05 % maker -0.01 %           before the first deposit: also margin, band, index, funding, deviation,
 *                                                   confidence, open interest
 *   alice and bob deposit 10000
 *   alice sells 2 @ 100.5 post-only as ladder       → rests 2 @ 100.5
 *   bob buys 3 @ 101                                → fills 2 @ 100.5 from alice, rests 1 @ 101
 *   bob cancels all                                 → canceled 1 @ 101
 *   +30s                                            time passes while publishers report the same price
 *   +11s without prices                             time passes and nobody reports
 *   index 105                                       five publishers report 105
 *   given market MEME at 20 of pool 1               a second market: also "for isolated accounts"
 *   alice isolates alice/1 to MEME                  opens a subaccount of one market; without "to" of the first one
 *   alice opens alice/2 in pool 1                   a cross account of a risk pool
 *   alice sets leverage 5                           0 gives it up
 *   alice/1 buys 2 MEME @ 20                        index MEME 25, expect alice/1 MEME-position 2
 *   publishers report 105, 104, 300, 105 ± 0.5      the first four of them, each within half a quote
 *   expect alice position -2, cash 10000.02         also open, equity, free, funding
 *   expect book bids 1 @ 99 bob; asks none
 *   expect market index 105, validity stale         also mark, average, depth, initial (of open interest, %), may
 *
 * Prices and money are in quote, sizes in the base asset: ticks of 0.1, lots of 0.01.
 */
import { mayLiquidate, mayMargin, mayOpen, Validity, validityOf } from '#engine/pricing/validity.ts';
import { concat, viewOf } from '#protocol/bytes.ts';
import type { DecodedEvent } from '#protocol/event.ts';
import { REMOVE_REASON_NAMES } from '#protocol/event.ts';
import { MILLION } from '#protocol/limits.ts';
import {
  DEFAULT_CHAIN_PARAMETERS,
  encodeMarketConfig,
  ISOLATED_ONLY,
  type MarketConfig,
} from '#protocol/market.ts';
import type { Operation, PlaceOperation } from '#protocol/operation.ts';
import {
  encodeMoneyPayload,
  QUEUE_CANCEL_ALL,
  QUEUE_CONFIGURE_MARKET,
  QUEUE_WITHDRAW,
} from '#protocol/queue-entry.ts';
import { rejectName } from '#protocol/reject.ts';
import { Desk } from '../support/desk.ts';
import { TEST_MARKET, testAddress } from '../support/exchange.ts';

const TICKS = 10;
const LOTS = 100;
const Q = 1_000_000;

const VALIDITY_NAMES = new Map(
  Object.entries(Validity).map(([name, validity]) => [validity, name.toLowerCase()] as [number, string]),
);

const QUIET = new Set([
  'OPERATION_RESULT',
  'SAMPLE',
  'PRICE',
  'QUEUE_PROCESSED',
  'MARKET_CONFIGURED',
  'DEAD_MAN_SET',
  'SESSION_KEY_SET',
  'LOCK_SET',
  'DEPOSIT',
  'ACCOUNT_CREATED',
  'LEVERAGE_SET',
]);

const plain = (value: number): string => String(Number(value.toFixed(6)));
const price = (ticks: number): string => plain(ticks / TICKS);
const size = (lots: number): string => plain(lots / LOTS);
const quote = (q: number): string => plain(q / Q);

/** Sizes, prices and money of a scenario are decimal; more digits than the market has are a mistake in the text. */
function whole(text: string, per: number): number {
  const value = Number(text) * per;
  const rounded = Math.round(value);
  if (!(Math.abs(value - rounded) < 1e-6)) throw new Error(`expected a multiple of 1/${per}, got ${text}`);
  return rounded;
}

const MILLISECONDS: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };
function duration(text: string): number {
  const [, amount, unit] = /^(\d+)(ms|s|m|h)$/.exec(text) ?? [];
  if (amount === undefined) throw new Error(`expected a time like 30s, got ${text}`);
  return Number(amount) * MILLISECONDS[unit!]!;
}

export class Scenario {
  private market: MarketConfig = {
    ...TEST_MARKET,
    symbol: 'ETH-PERP',
    qm: 1_000,
    maxPrice: 1_000_000,
    maxPosition: 280_000,
    maxOrderSize: 280_000,
    takerFeePpm: 0,
    makerFeePpm: 0,
    tiers: [{ lower: 0, initialPpm: 100_000, maintenancePpm: 50_000 }],
  };
  private chain = { ...DEFAULT_CHAIN_PARAMETERS };
  private index = 100 * TICKS;
  private desk: Desk | undefined;
  private readonly people: string[] = [];
  private readonly accounts = new Map<string, number>();
  /** Markets beside the first one, by name. */
  private readonly others: { readonly name: string; market: MarketConfig; readonly index: number }[] = [];
  private readonly names = new Map<string, { account: number; id: number }>();
  private keyNonce = 0;

  run(text: string): void {
    text.split('\n').forEach((line, i) => {
      try {
        this.line(line);
      } catch (cause) {
        throw new Error(`line ${i + 1}: ${line.trim()}\n  ${(cause as Error).message}`, { cause });
      }
    });
  }

  private line(line: string): void {
    const sentence = line.replace(/#.*$/, '').trim().replace(/\s+/g, ' ');
    if (sentence === '') return;
    const [what, expected] = sentence.split(' → ');
    if (what!.startsWith('given ')) this.given(what!.slice(6));
    else if (what!.startsWith('expect ')) this.expect(what!.slice(7));
    else {
      const told = this.act(what!);
      if (told !== (expected ?? 'done'))
        throw new Error(`expected: ${expected ?? 'done'}\n  got:      ${told}`);
    }
  }

  private get exchange(): Desk {
    if (this.desk === undefined) {
      const others = this.others.map(({ market }) => market);
      this.desk = new Desk({ markets: [this.market, ...others], chain: this.chain });
      for (const { market, index } of this.others) this.desk.price(market.market, index);
      this.desk.price(0, this.index);
    }
    return this.desk;
  }

  private given(setting: string): void {
    const ppm = (percent: string): number => whole(percent, 10_000);
    const rules: [RegExp, (found: string[]) => void][] = [
      [
        /^fees taker (\S+) % maker (\S+) %$/,
        ([taker, maker]) => {
          this.market = { ...this.market, takerFeePpm: ppm(taker!), makerFeePpm: ppm(maker!) };
        },
      ],
      [
        /^margin initial (\S+) % maintenance (\S+) %$/,
        ([initial, maintenance]) => {
          const tier = { lower: 0, initialPpm: ppm(initial!), maintenancePpm: ppm(maintenance!) };
          this.market = { ...this.market, tiers: [tier] };
        },
      ],
      [
        /^band (\S+) %$/,
        ([band]) => {
          this.market = { ...this.market, bandPpm: ppm(band!) };
        },
      ],
      [
        /^deviation (\S+) %$/,
        ([share]) => {
          this.market = { ...this.market, deviationPpm: ppm(share!) };
        },
      ],
      [
        /^confidence (\S+) %$/,
        ([share]) => {
          this.market = { ...this.market, confidenceMaxPpm: ppm(share!) };
        },
      ],
      [
        /^open interest from (\S+) to (\S+)$/,
        ([lower, upper]) => {
          const limits = { openInterestLower: whole(lower!, 1), openInterestUpper: whole(upper!, 1) };
          this.market = { ...this.market, ...limits };
        },
      ],
      [
        /^index (\S+)$/,
        ([at]) => {
          this.index = whole(at!, TICKS);
        },
      ],
      [
        /^market (\S+) at (\S+)(?: of pool (\d+))?( for isolated accounts)?$/,
        ([name, at, pool, isolated]) => {
          const market = {
            ...this.market,
            ...{ market: this.others.length + 1, symbol: `${name}-PERP` },
            ...{ riskPool: Number(pool ?? 0), flags: isolated === undefined ? 0 : ISOLATED_ONLY },
          };
          this.others.push({ name: name!, market, index: whole(at!, TICKS) });
        },
      ],
      [
        /^open interest of at most (\S+)$/,
        ([most]) => {
          this.market = { ...this.market, maxOpenInterest: whole(most!, LOTS) };
        },
      ],
      [
        /^profit counts (\S+) % up to (\S+)$/,
        ([weight, cap]) => {
          this.market = { ...this.market, profitWeightPpm: ppm(weight!), profitCap: whole(cap!, 1) };
        },
      ],
      [
        /^concentration (\S+) %$/,
        ([factor]) => {
          this.market = { ...this.market, concentrationPpm: ppm(factor!) };
        },
      ],
      [
        /^funding every (\S+)$/,
        ([every]) => {
          this.chain = { ...this.chain, fundingIntervalMs: duration(every!), sampleIntervalMs: 1_000 };
        },
      ],
    ];
    this.match(setting, rules);
    // Once trading, a new setting is a new configuration of the market.
    if (this.desk !== undefined)
      this.desk.queue(QUEUE_CONFIGURE_MARKET, new Uint8Array(20), encodeMarketConfig(this.market));
  }

  private match<Result>(sentence: string, rules: readonly [RegExp, (found: string[]) => Result][]): Result {
    for (const [pattern, rule] of rules) {
      const found = pattern.exec(sentence);
      if (found !== null) return rule(found.slice(1));
    }
    throw new Error(`not understood: ${sentence}`);
  }

  private act(sentence: string): string {
    return this.match<string>(sentence, [
      [
        /^\+(\S+)( without prices)?$/,
        ([time, quiet]) => {
          if (quiet === undefined) return this.tell(0, this.exchange.pass(duration(time!)));
          this.exchange.advance(duration(time!));
          return this.tell(0, this.exchange.clock());
        },
      ],
      [
        /^index (\S+) (\S+)$/,
        ([name, at]) => this.tell(0, this.exchange.price(this.marketId(name), whole(at!, TICKS))),
      ],
      [/^index (\S+)$/, ([at]) => this.tell(0, this.exchange.price(0, whole(at!, TICKS)))],
      [/^publishers report (.+?)(?: ± (\S+))?$/, ([prices, width]) => this.publish(prices!, width)],
      [
        /^(.+) deposits? (\S+)$/,
        ([who, amount]) => {
          for (const name of who!.split(/, | and /)) this.deposit(name, whole(amount!, Q));
          return 'done';
        },
      ],
      [
        /^(\S+) forces a withdrawal of (\S+)$/,
        ([who, amount]) => {
          const { n, subaccount } = this.person(who!);
          const payload = encodeMoneyPayload({ asset: 0, subaccount, amount: whole(amount!, Q) });
          return this.forced(this.account(who!), QUEUE_WITHDRAW, n, payload);
        },
      ],
      [
        /^(\S+) forces the cancel of all orders$/,
        ([who]) => {
          const { n, subaccount } = this.person(who!);
          return this.forced(this.account(who!), QUEUE_CANCEL_ALL, n, Uint8Array.of(subaccount));
        },
      ],
      [
        /^(\S+) is disconnected$/,
        ([who]) => {
          const command = this.exchange.disconnectCommand(this.account(who!));
          const code = this.exchange.engine.admit(command, this.exchange.now);
          if (code !== 0) return `nothing: ${rejectName(code)}`;
          return this.tell(this.account(who!), this.exchange.apply(command));
        },
      ],
      [
        /^(\S+)(?: by key (\S+))? (.+)$/,
        ([who, key, action]) => this.send(who!, key, this.operation(who!, action!)),
      ],
    ]);
  }

  /** Publishers 0, 1, … report a price each; `none` for one that does not. */
  private publish(prices: string, width = '0.1'): string {
    const confidence = whole(width, TICKS);
    const reports = prices
      .split(', ')
      .map((at, publisher) => ({ publisher, at, confidence }))
      .filter(({ at }) => at !== 'none')
      .map(({ at, ...report }) => ({ ...report, price: whole(at, TICKS) }));
    const command = this.exchange.roundCommand(0, reports);
    const code = this.exchange.engine.admit(command, this.exchange.now);
    return code === 0 ? this.tell(0, this.exchange.apply(command)) : `refused ${rejectName(code)}`;
  }

  private operation(who: string, action: string): { operation: Operation; name?: string | undefined } {
    const { exchange } = this;
    return this.match<{ operation: Operation; name?: string | undefined }>(action, [
      [
        /^(buys|sells) (\S+)(?: ([A-Z]+))? (?:@ (\S+)|at market)(.*?)(?: as (\S+))?$/,
        ([side, lots, market, at, extras, name]) => ({
          operation: {
            ...this.order(side!, lots!, at, extras!.trim().split(' ')),
            market: this.marketId(market),
          },
          name,
        }),
      ],
      [
        /^isolates (\S+)(?: to (\S+))?$/,
        ([opened, market]) => {
          const { subaccount } = this.person(opened!);
          return { operation: { kind: 'isolate', subaccount, market: this.marketId(market) } };
        },
      ],
      [
        /^opens (\S+) in pool (\d+)$/,
        ([opened, pool]) => {
          const { subaccount } = this.person(opened!);
          return { operation: { kind: 'isolate', subaccount, riskPool: Number(pool) } };
        },
      ],
      [
        /^sets leverage (\S+)$/,
        ([times]) => {
          const initialPpm = Number(times) === 0 ? 0 : whole(String(MILLION / Number(times)), 1);
          return { operation: { kind: 'set-leverage', market: 0, initialPpm } };
        },
      ],
      [/^cancels all$/, () => ({ operation: { kind: 'cancel-all' } })],
      [
        /^cancels (\S+)$/,
        ([name]) => ({
          operation: { kind: 'cancel', market: 0, by: 'order', id: this.orderNamed(who, name!) },
        }),
      ],
      [
        /^amends (\S+) to (\S+) @ (\S+)$/,
        ([name, lots, at]) => ({
          operation: {
            kind: 'amend',
            market: 0,
            by: 'order',
            id: this.orderNamed(who, name!),
            size: whole(lots!, LOTS),
            price: whole(at!, TICKS),
          },
        }),
      ],
      [
        /^withdraws (\S+)$/,
        ([amount]) => ({ operation: { kind: 'withdraw', asset: 0, amount: whole(amount!, Q) } }),
      ],
      [
        /^transfers (\S+) to (\S+)$/,
        ([amount, to]) => ({
          operation: {
            kind: 'transfer',
            asset: 0,
            amount: whole(amount!, Q),
            toAccount: this.account(to!),
          },
        }),
      ],
      [
        /^gives key (\S+) the right to (trade|cancel|lock) for (\S+)$/,
        ([key, scope, time]) => ({
          operation: {
            kind: 'session-key',
            key: keyAddress(key!),
            scope: scope === 'trade' ? 3 : scope === 'cancel' ? 2 : 4,
            expiry: exchange.now + duration(time!),
          },
        }),
      ],
      [
        /^ends key (\S+)$/,
        ([key]) => ({
          operation: { kind: 'session-key', key: keyAddress(key!), scope: 0, expiry: 0 },
        }),
      ],
      [
        /^sets the dead-man timer to (\S+)$/,
        ([time]) => ({
          operation: { kind: 'cancel-after', deadline: exchange.now + duration(time!) },
        }),
      ],
      [/^disarms the dead-man timer$/, () => ({ operation: { kind: 'cancel-after', deadline: 0 } })],
      [/^(un)?locks$/, ([un]) => ({ operation: { kind: 'lock', locked: un === undefined } })],
      [
        /^asks for cancel on disconnect$/,
        () => ({ operation: { kind: 'cancel-on-disconnect', enabled: true, graceMs: 0 } }),
      ],
    ]);
  }

  private order(
    side: string,
    lots: string,
    at: string | undefined,
    extras: readonly string[],
  ): PlaceOperation {
    const order = {
      kind: 'place' as const,
      market: 0,
      side: side === 'buys' ? (0 as const) : (1 as const),
      size: whole(lots, LOTS),
      price: at === undefined ? 0 : whole(at, TICKS),
      timeInForce: (at === undefined ? 2 : 0) as PlaceOperation['timeInForce'],
      marketOrder: at === undefined,
      postOnly: false,
      reduceOnly: false,
      selfTradePrevention: 0 as NonNullable<PlaceOperation['selfTradePrevention']>,
      expiry: 0,
    };
    for (let i = 0; i < extras.length; i++) {
      switch (extras[i]) {
        case '':
          break;
        case 'ioc':
          order.timeInForce = 2;
          break;
        case 'fok':
          order.timeInForce = 3;
          break;
        case 'for':
          order.timeInForce = 1;
          order.expiry = this.exchange.now + duration(extras[++i] ?? '');
          break;
        case 'post-only':
          order.postOnly = true;
          break;
        case 'reduce-only':
          order.reduceOnly = true;
          break;
        case 'expire-taker':
          order.selfTradePrevention = 1;
          break;
        case 'expire-both':
          order.selfTradePrevention = 2;
          break;
        case 'decrement':
          order.selfTradePrevention = 3;
          break;
        default:
          throw new Error(`not understood: ${extras[i]}`);
      }
    }
    return order;
  }

  private send(
    who: string,
    key: string | undefined,
    { operation, name }: { operation: Operation; name?: string | undefined },
  ): string {
    const { exchange } = this;
    const account = this.account(who);
    const command = exchange.messageCommand(
      account,
      [operation],
      key === undefined ? {} : { signer: keyAddress(key), nonce: ++this.keyNonce },
    );
    const code = exchange.engine.admit(command, exchange.now);
    if (code !== 0) return `refused ${rejectName(code)}`;
    const events = exchange.apply(command);
    const [result] = exchange.results(events);
    if (name !== undefined) this.names.set(`${who}/${name}`, { account, id: Number(result!.orderId) });
    return this.tell(account, events);
  }

  private forced(account: number, kind: number, n: number, payload: Uint8Array): string {
    return this.tell(account, this.exchange.queue(kind, testAddress(n), payload));
  }

  /** Everything that happened to orders and money, as seen by `account`. */
  private tell(account: number, events: readonly DecodedEvent[]): string {
    const whose = (other: unknown): string => (other === account ? '' : `${this.nameOf(Number(other))}'s `);
    const phrases: string[] = [];
    for (const event of events) {
      const e = event as DecodedEvent & Record<string, number>;
      const at = `${size(e.size!)} @ ${price(e.price!)}`;
      switch (event.event) {
        case 'OPERATION_RESULT':
          if (e.code !== 0) phrases.push(`rejected ${rejectName(e.code!)}`);
          break;
        case 'QUEUE_PROCESSED':
          if (e.code !== 0) phrases.push(`refused ${rejectName(e.code!)}`);
          break;
        case 'ORDER_RESTED':
          phrases.push(`rests ${at}`);
          break;
        case 'TRADE':
          phrases.push(`fills ${at} from ${this.nameOf(e.makerAccount!)}`);
          break;
        case 'ORDER_REDUCED':
          phrases.push(`${whose(e.account)}cut to ${size(e.newSize!)} @ ${price(e.price!)}`);
          break;
        case 'ORDER_REMOVED': {
          const reason = REMOVE_REASON_NAMES[e.reason!]!;
          if (reason === 'amended') break;
          const because = reason.startsWith('canceled') || reason === 'not-filled' ? '' : ` (${reason})`;
          phrases.push(
            e.rested === 1
              ? `${whose(e.account)}canceled ${at}${because}`
              : `${size(e.size!)} not kept${because}`,
          );
          break;
        }
        case 'WITHDRAWAL':
          phrases.push(`${quote(e.amount!)} goes to L1`);
          break;
        case 'TRANSFER':
          phrases.push(`${quote(e.amount!)} goes to ${this.nameOf(e.to!)}`);
          break;
        case 'FUNDING_RATE':
          phrases.push(e.paused === 1 ? 'funding is paused' : `funding rate ${plain(e.ratePpb! / 1e7)} %`);
          break;
        case 'FUNDING_PAYMENT':
          phrases.push(
            `${this.nameOf(e.account!)} ${e.amount! < 0 ? 'pays' : 'receives'} ${quote(Math.abs(e.amount!))} of funding`,
          );
          break;
        default:
          if (!QUIET.has(event.event)) throw new Error(`no words for ${event.event}`);
      }
    }
    return phrases.length === 0 ? 'done' : phrases.join(', ');
  }

  private expect(what: string): void {
    const { exchange } = this;
    const differ = (label: string, expected: string, got: string): void => {
      if (expected !== got) throw new Error(`${label}: expected ${expected}, got ${got}`);
    };
    if (what.startsWith('book ')) {
      differ('book', what.slice(5), this.bookText());
      return;
    }
    if (what.startsWith('market ')) {
      for (const part of what.slice(7).split(', ')) {
        const [field, ...expected] = part.split(' ');
        differ(field!, expected.join(' '), this.marketText(field!));
      }
      return;
    }
    const [who, ...rest] = what.split(' ');
    const account = this.account(who!);
    const margin = exchange.engine.risk.margin(account);
    const free = margin.equityInitial - margin.initial;
    for (const part of rest.join(' ').split(', ')) {
      const [field, expected] = part.split(' ');
      const got: Record<string, string> = {
        position: size(exchange.position(account)),
        cash: quote(exchange.cash(account)),
        equity: quote(margin.equityMaintenance),
        free: quote(free),
        initial: quote(margin.initial),
        maintenance: quote(margin.maintenance),
        ...Object.fromEntries(
          this.others.map(({ name, market }) => [
            `${name}-position`,
            size(exchange.position(account, market.market)),
          ]),
        ),
        open: String(exchange.state.accounts.openOrders[account]),
        withdrawn: quote(Number(exchange.state.withdrawnBy(exchange.state.accounts.owner(account), 0))),
      };
      if (got[field!] === undefined) throw new Error(`not understood: ${field}`);
      differ(`${who} ${field}`, expected!.replace(/^\+/, ''), got[field!]!);
    }
  }

  private marketText(field: string): string {
    const { state } = this.exchange;
    const market = state.market(0)!;
    switch (field) {
      case 'index':
      case 'mark':
        return price(market[field]);
      case 'average':
        return price(market.twap);
      case 'depth':
        return String(market.depth);
      case 'initial':
        return `${plain(market.openInterestPpm / 10_000)} %`;
      case 'validity':
        return VALIDITY_NAMES.get(validityOf(state, market))!;
      case 'may': {
        const words = [
          mayLiquidate(state, market) ? 'liquidate' : '',
          mayMargin(state, market) ? 'withdraw' : '',
          mayOpen(state, market) ? 'open' : '',
        ].filter((word) => word !== '');
        return words.length === 0 ? 'nothing' : words.join(' and ');
      }
      default:
        throw new Error(`not understood: ${field}`);
    }
  }

  private bookText(): string {
    const half = (side: 0 | 1): string => {
      const rows = this.exchange
        .book(side)
        .map((row) => `${size(row.size)} @ ${price(row.price)} ${this.nameOf(row.account)}`);
      return rows.length === 0 ? 'none' : rows.join(', ');
    };
    return `bids ${half(0)}; asks ${half(1)}`;
  }

  /** `alice` is the first subaccount of a person, `alice/1` the second. */
  private person(name: string): { n: number; subaccount: number } {
    const [base, subaccount] = name.split('/');
    let at = this.people.indexOf(base!);
    if (at < 0) at = this.people.push(base!) - 1;
    return { n: at + 1, subaccount: Number(subaccount ?? 0) };
  }

  private deposit(name: string, amount: number): void {
    const { n, subaccount } = this.person(name);
    this.accounts.set(name, this.exchange.deposit(n, amount, subaccount));
  }

  /** 0 for the first market, which has no name. */
  private marketId(name: string | undefined): number {
    if (name === undefined) return 0;
    const other = this.others.find((one) => one.name === name);
    if (other === undefined) throw new Error(`expected a market that was given, got ${name}`);
    return other.market.market;
  }

  private account(name: string): number {
    const { n, subaccount } = this.person(name);
    const account =
      this.accounts.get(name) ?? (this.exchange.state.accountOf(testAddress(n), subaccount) || undefined);
    if (account !== undefined) this.accounts.set(name, account);
    if (account === undefined) throw new Error(`expected somebody who has deposited, got ${name}`);
    return account;
  }

  private nameOf(account: number): string {
    for (const [name, id] of this.accounts) if (id === account) return name;
    return `account ${account}`;
  }

  private orderNamed(who: string, name: string): number {
    const [owner, own] = name.includes('/') ? name.split('/') : [who, name];
    const order = this.names.get(`${owner}/${own}`);
    if (order === undefined) throw new Error(`expected the name of an order of ${owner}, got ${own}`);
    return order.id;
  }
}

/** A key's address is its name. */
function keyAddress(name: string): Uint8Array {
  const letters = Uint8Array.from(name, (letter) => letter.charCodeAt(0)).slice(0, 20);
  const address = concat(letters, new Uint8Array(20 - letters.length));
  viewOf(address).setUint8(19, 0x77);
  return address;
}
