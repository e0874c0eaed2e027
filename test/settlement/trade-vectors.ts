/**
 * The cases of test/vectors/steps-trade.json: PLACE, MATCH, REST and AMEND steps of random sessions on the engine, for
 * PlaceSteps and MatchSteps. `npx tsx test/settlement/trade-vectors.ts` writes the file; a test holds the file to this.
 * With a number it writes so many steps of further sessions instead, for a longer comparison.
 *
 *   shared   items of slices that more than one case has or that end in many zeros, which are cut off
 *   cases    kind, code, record, note (what is special about the step), and
 *            slice    as Leaves.sol draws it, but for items  u8 2 ‖ u16 index into shared
 *            writes   changed leaves as Leaves.sol draws them
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Engine } from '#engine/engine.ts';
import { concat, toHex } from '#protocol/bytes.ts';
import { CLOCK, type Command, encodeRecord } from '#protocol/command.ts';
import {
  CLIENT_ID_MAX,
  MILLION,
  PRICE_MAX,
  SIZE_MAX,
  TIME_MS_MAX,
  TRADING_CASH_MAX,
} from '#protocol/limits.ts';
import { encodeMarketConfig, FEED_ONLY, ISOLATED_ONLY, type MarketConfig } from '#protocol/market.ts';
import type { AmendOperation, Operation, PlaceOperation } from '#protocol/operation.ts';
import { QUEUE_CONFIGURE_MARKET } from '#protocol/queue-entry.ts';
import { ExchangeState } from '#state/exchange-state.ts';
import { KeyKind } from '#state/keys.ts';
import { StepKind } from '#state/trace.ts';
import { Random } from '../state/random-state.ts';
import { RandomSession, SESSION_MARKETS } from '../support/random-session.ts';
import { encodeEntry, encodeLeaf, type RecordedStep, StepRecorder } from '../support/step-recorder.ts';

export interface TradeCase {
  readonly kind: number;
  readonly code: number;
  readonly note: string;
  readonly record: string;
  readonly slice: string;
  readonly writes: string;
}
export interface TradeVectors {
  readonly shared: readonly string[];
  readonly cases: readonly TradeCase[];
}

const KINDS = [StepKind.PLACE, StepKind.MATCH, StepKind.REST, StepKind.AMEND];
const SEEDS = [11, 12, 13, 14];
const COMMANDS = 1_500;
const NOBODY = new Uint8Array(20);

const tiers = (count: number): MarketConfig['tiers'] =>
  Array.from({ length: count }, (_, n) => ({
    lower: n * n * 300,
    initialPpm: 20_000 + n * 15_000,
    maintenancePpm: 12_000 + n * 9_000,
  }));

/** The markets of a session with the rules that sessions leave out: bands, limits of open interest, many tiers. */
function strictMarket(random: Random, market: MarketConfig): MarketConfig {
  return {
    ...market,
    status: random.below(5) === 0 ? 1 : random.below(8) === 0 ? 2 : 0,
    maxOpenInterest: random.below(2) === 0 ? 0 : random.between(5_000, 60_000),
    maxOrderSize: 90_000,
    maxPosition: 150_000,
    minNotional: oneOf(random, 1, 1, 1, 3_000_000),
    bandPpm: random.below(3) === 0 ? 0 : random.between(3_000, 30_000),
    makerFeePpm: random.between(-100, 200),
    takerFeePpm: random.between(200, 700),
    profitCap: oneOf(random, 0, 0, 5),
    concentrationPpm: oneOf(random, 0, 200_000, 10_000_000),
    riskPool: random.below(12) === 0 ? 1 : 0,
    flags: oneOf(random, 0, 0, 0, 0, 0, 0, ISOLATED_ONLY, FEED_ONLY),
    tiers: tiers(random.between(1, 8)),
  };
}

const oneOf = <T>(random: Random, ...options: readonly T[]): T => options[random.below(options.length)]!;

/** Orders that are refused, for every reason, and some that are not. */
function oddPlace(random: Random, now: number): PlaceOperation {
  return {
    kind: 'place',
    market: random.below(4),
    side: oneOf(random, 0, 1),
    price: oneOf(
      random,
      0,
      1,
      20_000,
      20_001,
      PRICE_MAX,
      9_990,
      10_000,
      10_010,
      random.between(9_000, 11_000),
    ),
    size: oneOf(random, 0, 1, 30, 30, 400, 90_000, 90_001, 1_000_000, 1_000_001, SIZE_MAX),
    timeInForce: oneOf(random, 0, 1, 2, 3),
    postOnly: random.below(4) === 0,
    reduceOnly: random.below(3) === 0,
    marketOrder: random.below(4) === 0,
    selfTradePrevention: oneOf(random, 0, 1, 2, 3),
    clientId: oneOf(random, 0, 0, 0, 1, CLIENT_ID_MAX),
    expiry: oneOf(random, 0, 0, 0, now, now + 1, now + 5_000, TIME_MS_MAX, TIME_MS_MAX + 1),
  };
}

function oddAmend(random: Random, state: ExchangeState, account: number): AmendOperation {
  const own: { market: number; id: number; price: number; size: number }[] = [];
  const { accounts, positions, orders } = state;
  for (let at = accounts.firstPosition[account]!; at >= 0; at = positions.next(at))
    for (let slot = positions.ownHead(at); slot >= 0; slot = orders.ownNext(slot))
      own.push({
        market: positions.market(at),
        id: orders.id(slot),
        price: orders.price(slot),
        size: orders.size(slot),
      });
  const order = own[random.below(own.length)] ?? { market: random.below(4), id: 0, price: 10_000, size: 5 };
  return {
    kind: 'amend',
    market: order.market,
    by: 'order',
    id: order.id,
    price: oneOf(random, order.price, order.price, 0, 9_800, 10_200, 20_001, random.between(9_900, 10_100)),
    size: oneOf(random, order.size, order.size, 0, 1, order.size + 1, order.size * 2, 100_000, SIZE_MAX),
  };
}

function sessionCommands(seed: number, count: number): readonly Command[] {
  const random = new Random(seed);
  const session = new RandomSession({
    seed,
    chain: { openOrdersMax: 12, sampleIntervalMs: 1_000, fundingIntervalMs: 4_000 },
  });
  while (session.commands.length < count) {
    session.run(random.below(14));
    // Without a price round, so that the index grows stale.
    if (random.below(4) === 0) session.now += 10_001;
    const account = random.between(1, session.state.accounts.count);
    const odd = (): Operation =>
      random.below(3) === 0 ? oddAmend(random, session.state, account) : oddPlace(random, session.now);
    session.send(account, Array.from({ length: random.between(1, 6) }, odd));
    if (random.below(4) > 0) continue;
    for (const market of SESSION_MARKETS)
      session.enqueue(QUEUE_CONFIGURE_MARKET, NOBODY, encodeMarketConfig(strictMarket(random, market)));
  }
  return session.commands;
}

/**
 * Runs commands; now and then an account's cash is another one, so that margins fail and bounds are met, and depth and
 * open interest are as no sample found them.
 */
function recordSession(commands: readonly Command[], seed: number, keep: (step: RecordedStep) => void): void {
  const random = new Random(seed);
  const state = new ExchangeState();
  const recorder = new StepRecorder(state, KINDS, keep);
  const engine = new Engine(state, recorder);
  for (const command of commands) {
    recorder.apply(engine, command);
    if (random.below(12) > 0 || state.accounts.count === 0) continue;
    const account = random.between(1, state.accounts.count);
    const dice = random.below(8);
    state.accounts.cash[account] =
      dice === 0
        ? (random.below(2) * 2 - 1) * (TRADING_CASH_MAX + random.between(0, 3) - 1)
        : dice < 4
          ? random.signed(2 ** 31)
          : random.below(2 ** 32);
    recorder.account(account);
    const market = random.below(SESSION_MARKETS.length);
    state.markets[market]!.depth = oneOf(random, 0, 1, random.below(2_000));
    state.markets[market]!.openInterestPpm = oneOf(random, 0, 0, random.below(MILLION));
    recorder.prices(market);
    recorder.endStep();
  }
}

const FULL_MARKETS = 31;

/**
 * The dearest steps: two accounts with positions in 16 markets each, one market in common, all with 8 tiers and funding
 * due, trade; the taker only reduces.
 */
export function fullSession(): readonly Command[] {
  const session = new RandomSession({ seed: 1, traders: 8 });
  const template = SESSION_MARKETS[0]!;
  for (let market = 0; market < FULL_MARKETS; market++)
    session.enqueue(
      QUEUE_CONFIGURE_MARKET,
      NOBODY,
      encodeMarketConfig({
        ...template,
        market,
        symbol: `M${market}-PERP`,
        qm: [1, 10, 250][market] ?? 1,
        tiers: tiers(8),
      }),
    );
  const prices = (price: number): void => {
    for (let market = 0; market < FULL_MARKETS; market++) session.price(market, price);
  };
  prices(10_000);
  const order = (market: number, side: 0 | 1, size: number) =>
    ({ kind: 'place', market, side, price: 10_000, size, timeInForce: 0 }) as const;
  const [maker, taker, first, second] = [6, 5, 4, 3];
  const trade = (market: number, buyer: number, seller: number): void => {
    session.send(buyer, [order(market, 0, 40)]);
    session.send(seller, [order(market, 1, 40)]);
  };
  for (let market = 0; market < 16; market++) trade(market, first, maker);
  for (let market = 16; market < FULL_MARKETS; market++) trade(market, taker, second);
  trade(0, taker, second);
  session.now += 3_600_001;
  session.apply(encodeRecord(CLOCK, session.now, new Uint8Array(0)));
  session.now += 3_600_001;
  prices(10_020);
  session.send(first, [order(20, 0, 1)]);
  session.send(maker, [{ ...order(0, 0, 20), clientId: 7, timeInForce: 1, expiry: session.now + 9_000 }]);
  session.send(taker, [{ ...order(0, 1, 30), reduceOnly: true }]);
  return session.commands;
}

/** Amendments that random sessions hardly ever ask for: of a post-only order that would cross, of a reduce-only one. */
function amendSession(): readonly Command[] {
  const session = new RandomSession({ seed: 2 });
  const [buyer, seller] = [4, 3];
  const buy = { kind: 'place', market: 0, side: 0, price: 9_990, size: 40, timeInForce: 0 } as const;
  const sell = { ...buy, side: 1, price: 10_010, clientId: 1 } as const;
  const amend = { kind: 'amend', market: 0, by: 'client', id: 2, price: 10_010, size: 40 } as const;
  session.send(seller, [sell]);
  session.send(buyer, [{ ...buy, postOnly: true, clientId: 2 }, amend, { ...amend, price: 10_009 }]);
  session.send(buyer, [{ ...buy, price: 10_010 }]);
  session.send(buyer, [{ ...sell, price: 10_050, reduceOnly: true, clientId: 3 }]);
  const closing = { ...amend, id: 3, price: 10_050 } as const;
  session.send(buyer, [
    { ...closing, size: 41 },
    { ...closing, price: 10_040 },
    { ...closing, size: 39 },
  ]);
  return session.commands;
}

const leafSizes = (step: RecordedStep): number =>
  step.leaves.reduce((sum, { value }) => sum + 34 + (value?.length ?? 0), step.record.length) +
  step.ranges.reduce((sum, range) => sum + range.length, 0);

/** Leaf kinds that a step makes appear (+) or go (-), or changes in place (~) or in length (%). */
function writesOf(step: RecordedStep, isMeant: (kind: number) => boolean): string {
  return step.writes
    .filter(({ key }) => isMeant(key[0]!))
    .map(({ key, value, before }) => {
      const change =
        before === undefined ? '+' : value === undefined ? '-' : value.length === before.length ? '~' : '%';
      return `${key[0]!.toString(16)}${change}`;
    })
    .join(' ');
}

/** Leaves that say less of a step: every operation ends in a register, any order may have these indexes. */
const ATTENDANT: ReadonlySet<number> = new Set([KeyKind.REGISTER, KeyKind.CLIENT_INDEX, KeyKind.EXPIRY]);

/** What is special about a step, in two ways. */
function notesOf(step: RecordedStep): string[] {
  const events = new Set(step.events);
  return [
    `kind ${step.kind} code ${step.code} events ${[...events].join(',')} writes ${writesOf(step, (kind) => !ATTENDANT.has(kind))}`,
    `kind ${step.kind} indexes ${writesOf(step, (kind) => ATTENDANT.has(kind))}`,
  ];
}

function encodeCases(chosen: ReadonlyMap<string, RecordedStep>): TradeVectors {
  const counts = new Map<string, number>();
  for (const { leaves } of chosen.values())
    for (const leaf of leaves) {
      const item = toHex(encodeLeaf(leaf));
      const isZeros = item.endsWith('0'.repeat(128));
      counts.set(item, (counts.get(item) ?? 0) + (isZeros ? 2 : 1));
    }
  const shared = [...counts].filter(([, count]) => count > 1).map(([item]) => item);
  const indexes = new Map(shared.map((item, index) => [item, index]));
  const cases = [...chosen].map(([note, step]) => ({
    kind: step.kind,
    code: step.code,
    note,
    record: toHex(step.record),
    slice: toHex(
      concat(
        ...step.leaves.map((leaf) => {
          const item = encodeLeaf(leaf);
          const index = indexes.get(toHex(item));
          return index === undefined ? item : Uint8Array.of(2, index >> 8, index & 0xff);
        }),
        ...step.ranges,
      ),
    ),
    writes: toHex(concat(...step.writes.map(encodeEntry))),
  }));
  return { shared: shared.map((item) => item.replace(/(00)+$/, '')), cases };
}

/** Of each sort of step the one with the smallest slice. */
export function tradeVectors(): TradeVectors {
  const chosen = new Map<string, RecordedStep>();
  const keep = (step: RecordedStep): void => {
    for (const note of notesOf(step)) {
      const held = chosen.get(note);
      if (held === undefined || leafSizes(step) < leafSizes(held)) chosen.set(note, step);
    }
  };
  for (const seed of SEEDS) recordSession(sessionCommands(seed, COMMANDS), seed, keep);
  recordSession(amendSession(), 0, keep);
  recordSession(fullSession(), 0, (step) => {
    if (leafSizes(step) > 5_500) chosen.set(`full ${notesOf(step)[0]}`, step);
  });
  return encodeCases(chosen);
}

/** So many steps as they come, of sessions from `seed` on. */
function manySteps(count: number, seed: number): TradeVectors {
  const chosen = new Map<string, RecordedStep>();
  for (let session = seed; chosen.size < count; session++)
    recordSession(sessionCommands(session, COMMANDS), session, (step) => {
      if (chosen.size < count)
        chosen.set(`session ${session}, step ${chosen.size}: ${notesOf(step)[0]}`, step);
    });
  return encodeCases(chosen);
}

export const TRADE_VECTORS_FILE = fileURLToPath(new URL('../vectors/steps-trade.json', import.meta.url));

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [count, seed] = process.argv.slice(2).map(Number);
  const vectors = count === undefined ? tradeVectors() : manySteps(count, seed ?? 1_000);
  writeFileSync(TRADE_VECTORS_FILE, `${JSON.stringify(vectors)}\n`);
}
