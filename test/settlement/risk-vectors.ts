/**
 * The cases of test/vectors/risk.json: what sequencer/engine/risk says of accounts with values up to their bounds, for
 * settlement/contracts/step/risk. `npx tsx test/settlement/risk-vectors.ts` writes the file; a test holds the file to
 * this. With a number it writes so many cases, for a longer comparison.
 *
 *   cases   slice (Leaves.sol draws it) of one account and its markets, the account's id, and lists of signed 16-byte words:
 *     margins       market left out (−1: none), V_I, V_M, IM, MM, ΣN, stale
 *     withdrawals   asset, amount, code; the amount that is free
 *     fills         size, v, side, lots, lotValue; size, v, realized after
 *     admissions    market, side, price, size, reduceOnly, rests, replacedLots, replacedQuote; code, reducing
 *     carried       market, side, lots, lotValue, fee, openLots; whether
 *     settled       market, side, lots, lotValue, fee of a fill; account and market state behind it
 *     settledAll    leaves after all funding is settled, as writes
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Core } from '#engine/core.ts';
import { FillOutcome, fillOutcome } from '#engine/risk/fill.ts';
import { Margin, MarginCalculator } from '#engine/risk/margin.ts';
import { RiskChecks } from '#engine/risk/pre-trade.ts';
import { settleAllFunding, settleFill } from '#engine/risk/settle-fill.ts';
import { checkWithdrawal, withdrawable } from '#engine/risk/withdrawable.ts';
import { concat, toHex } from '#protocol/bytes.ts';
import { NOTIONAL_MAX, TRADING_CASH_MAX, WHOLE_QUOTE_MAX } from '#protocol/limits.ts';
import { DEFAULT_CHAIN_PARAMETERS, type MarketConfig, NO_MARKET_LIMITS } from '#protocol/market.ts';
import { ExchangeState } from '#state/exchange-state.ts';
import * as keys from '#state/keys.ts';
import * as leaves from '#state/leaves.ts';
import { NO_TRACE } from '#state/trace.ts';
import { Random } from '../state/random-state.ts';
import { encodeEntry, encodeLeaf, type LeafItem } from '../support/step-recorder.ts';

export interface RiskCase {
  readonly seed: number;
  readonly account: number;
  readonly slice: string;
  readonly margins: string;
  readonly withdrawals: string;
  readonly fills: string;
  readonly admissions: string;
  readonly carried: string;
  readonly settled: string;
  readonly settledAccount: string;
  readonly settledState: string;
  readonly settledAll: string;
}

const CASES = 25;
const QUERIES = 6;
const WORD = 2n ** 128n;

const word = (value: number | bigint | boolean): string =>
  ((BigInt(value) + WORD) % WORD).toString(16).padStart(32, '0');
const words = (...values: readonly (number | bigint | boolean)[]): string => values.map(word).join('');
const oneOf = <T>(random: Random, ...options: readonly T[]): T => options[random.below(options.length)]!;

/** Any integer of 0 … `most`, of every size, and the ends more often. */
function upTo(random: Random, most: number): number {
  if (random.below(10) === 0) return most;
  const scale = 2 ** random.below(Math.ceil(Math.log2(most + 1)) + 1);
  return Math.min(most, Math.floor((random.below(2 ** 30) / 2 ** 30) * scale));
}

function anyConfig(random: Random, market: number): MarketConfig {
  const priceBits = random.between(1, 31);
  const unitBits = random.below(48 - priceBits);
  const sizeBits = 48 - priceBits - unitBits;
  const count = random.between(1, 8);
  const maintenance = random.between(1, 100_000);
  return {
    market,
    symbol: `M${market}-PERP`,
    status: 0,
    qm: Math.max(1, 2 ** unitBits - random.below(2)),
    maxPrice: 2 ** priceBits,
    maxPosition: 2 ** sizeBits,
    maxOpenInterest: random.below(3) === 0 ? upTo(random, 2 ** sizeBits) : 0,
    maxOrderSize: 2 ** sizeBits,
    minNotional: 1,
    takerFeePpm: oneOf(random, 0, 450, 100_000),
    makerFeePpm: 0,
    bandPpm: 0,
    profitWeightPpm: oneOf(random, 0, 1_000_000, random.below(1_000_001)),
    ...NO_MARKET_LIMITS,
    profitCap: oneOf(random, 0, 0, upTo(random, WHOLE_QUOTE_MAX)),
    concentrationPpm: oneOf(random, 0, 1, 1_000_000, upTo(random, 10_000_000)),
    tickSizeE9: 1,
    tiers: Array.from({ length: count }, (_, n) => ({
      lower: n === 0 ? 0 : Math.floor((NOTIONAL_MAX / 1e6) * (n / count) ** 4) + n,
      initialPpm: Math.min(1_000_000, maintenance * 2 + n * oneOf(random, 1, 1) * 100_000),
      maintenancePpm: Math.min(1_000_000, maintenance + n * 60_000),
    })),
  };
}

interface World {
  readonly state: ExchangeState;
  readonly account: number;
  readonly random: Random;
}

function anyWorld(seed: number): World {
  const random = new Random(seed);
  const state = new ExchangeState();
  state.seq = 1;
  state.now = 1_700_000_000_000;
  state.chain = { ...DEFAULT_CHAIN_PARAMETERS, withdrawalFloorPpm: oneOf(random, 0, 100_000, 1_000_000) };
  const isFull = seed % 12 === 0;
  const ids = isFull ? Array.from({ length: 17 }, (_, n) => n) : [0, 5, 40].slice(0, random.between(1, 3));
  const isStale = random.below(4) === 0;
  for (const id of ids) {
    state.configureMarket(anyConfig(random, id));
    const market = state.market(id)!;
    market.index = market.mark = Math.max(1, upTo(random, market.config.maxPrice));
    if (random.below(20) === 0) market.index = market.mark = 0;
    market.indexTime = state.now - (isStale ? random.between(9_990, 10_010) : random.below(10_001));
    market.fundingTick = 5;
    market.fundingIndex = BigInt(random.signed(2 ** 31)) * 2n ** BigInt(random.below(60));
    market.openInterest = upTo(random, market.config.maxPosition);
    market.openInterestPpm = oneOf(random, 0, 0, upTo(random, 1_000_000));
    market.depth = oneOf(random, 0, upTo(random, 2 ** 32 - 1), upTo(random, 1_000));
    market.fundingBalance = random.signed(2 ** 31);
  }
  const account = state.createAccount(random.bytes(20), 3);
  state.accounts.cash[account] =
    (random.below(3) === 0 ? -1 : 1) * upTo(random, oneOf(random, TRADING_CASH_MAX, 2 ** 40));
  for (const id of ids.slice(0, isFull ? 16 : random.between(0, ids.length)))
    fillPosition(random, state, account, id);
  return { state, account, random };
}

function fillPosition(random: Random, state: ExchangeState, account: number, id: number): void {
  const { positions } = state;
  const { maxPosition, maxPrice, qm } = state.market(id)!.config;
  const slot = state.ensurePosition(account, id);
  const price = (): number => Math.max(1, upTo(random, maxPrice));
  const size = oneOf(random, 0, 1, 1, -1, -1) * upTo(random, maxPosition);
  positions.setSize(slot, size + 0);
  positions.setV(slot, 0 - size * price() * qm);
  const [bidLots, askLots] = [upTo(random, maxPosition), upTo(random, maxPosition)].map((lots) =>
    random.below(2) === 0 ? lots : 0,
  ) as [number, number];
  positions.setOpen(slot, {
    bidLots,
    askLots,
    bidQuote: bidLots * price() * qm,
    askQuote: askLots * price() * qm,
    reduceOnlyLots: random.below(3) === 0 ? upTo(random, Math.abs(size)) : 0,
  });
  positions.setLeveragePpm(slot, oneOf(random, 0, 0, upTo(random, 1_000_000)));
  if (random.below(3) === 0) return;
  positions.setFundingTick(slot, 4);
  positions.fundingIndex[slot]! += BigInt(random.signed(2 ** 31)) * 2n ** BigInt(random.below(60));
}

function sliceOf({ state, account }: World): Uint8Array {
  const items: LeafItem[] = [
    { key: keys.globalsKey(), value: leaves.globalsLeaf(state) },
    accountItem(state, account),
  ];
  const ids = state.markets.flatMap((market) => (market === undefined ? [] : [market.config.market]));
  for (const id of ids)
    items.push({ key: keys.marketConfigKey(id), value: leaves.marketConfigLeaf(state, id) });
  for (const id of ids)
    items.push({ key: keys.marketStateKey(id), value: leaves.marketStateLeaf(state, id) });
  for (const group of new Set(ids.map((id) => Math.floor(id / keys.PRICES_PER_LEAF))))
    items.push({ key: keys.pricesKey(group * keys.PRICES_PER_LEAF), value: leaves.pricesLeaf(state, group) });
  return concat(...items.map(encodeLeaf));
}

const marginWords = (except: number | bigint, m: Margin): string =>
  words(except, m.equityInitial, m.equityMaintenance, m.initial, m.maintenance, m.notional, m.stale);

function marginsOf({ state, account, random }: World): string {
  const calculator = new MarginCalculator(state);
  const except = marketOf(state, random);
  return (
    marginWords(-1n, calculator.compute(new Margin(), account)) +
    marginWords(except, calculator.compute(new Margin(), account, except))
  );
}

const marketOf = (state: ExchangeState, random: Random): number =>
  oneOf(random, ...state.markets.filter((market) => market !== undefined)).config.market;

function withdrawalsOf({ state, account, random }: World): string {
  const margin = new RiskChecks(state).margin(account);
  const free = withdrawable(state, account, margin);
  const amounts = [0, 1, free, free + 1, upTo(random, 2 ** 52)].map((amount) => ({ asset: 0, amount }));
  return [...amounts, { asset: 1, amount: 1 }]
    .map((money) => words(money.asset, money.amount, checkWithdrawal(state, account, margin, money), free))
    .join('');
}

function anyFill(state: ExchangeState, random: Random, market: number) {
  const { maxPosition, maxPrice, qm } = state.market(market)!.config;
  return {
    side: random.below(2),
    lots: Math.max(1, upTo(random, maxPosition)),
    lotValue: Math.max(1, upTo(random, maxPrice)) * qm,
  };
}

function fillsOf({ state, account, random }: World): string {
  let fills = '';
  for (let n = 0; n < QUERIES; n++) {
    const market = marketOf(state, random);
    const slot = state.findPosition(account, market);
    const size = slot < 0 ? 0 : state.positions.size(slot);
    // Off by rounding, as it is after reductions.
    const v = slot < 0 || size === 0 ? 0 : state.positions.v(slot) + random.signed(3);
    const fill = anyFill(state, random, market);
    if (random.below(4) === 0 && size !== 0) fill.lots = Math.abs(size);
    const after = fillOutcome(new FillOutcome(), { size, v }, fill);
    fills += words(size, v, fill.side, fill.lots, fill.lotValue, after.size, after.v, after.realized);
  }
  return fills;
}

function admissionsOf({ state, account, random }: World): string {
  const risk = new RiskChecks(state);
  let admissions = '';
  for (let n = 0; n < QUERIES; n++) {
    const id = marketOf(state, random);
    const market = state.market(id)!;
    const slot = state.findPosition(account, id);
    const side = random.below(2);
    const reduceOnly = random.below(4) === 0;
    const replaced = random.below(3) === 0 && slot >= 0;
    const { positions } = state;
    const openLots = side === 0 ? positions.bidLots(slot) : positions.askLots(slot);
    const openQuote = side === 0 ? positions.bidQuote(slot) : positions.askQuote(slot);
    const size = Math.max(1, upTo(random, oneOf(random, market.config.maxPosition, 4)));
    const order = {
      account,
      side,
      price: Math.max(1, upTo(random, market.config.maxPrice)),
      size,
      reduceOnly,
      rests: replaced || random.below(2) === 0,
      replacedLots: replaced ? (reduceOnly ? positions.reduceOnlyLots(slot) : openLots) : 0,
      replacedQuote: replaced && !reduceOnly ? openQuote : 0,
    };
    const code = risk.admit(market, order);
    admissions += words(id, side, order.price, size, reduceOnly, order.rests, order.replacedLots);
    admissions += words(order.replacedQuote, code, risk.reducing);
  }
  return admissions;
}

function carriedOf({ state, account, random }: World): string {
  const risk = new RiskChecks(state);
  let carried = '';
  for (let n = 0; n < QUERIES; n++) {
    const id = marketOf(state, random);
    const fill = anyFill(state, random, id);
    const slot = state.findPosition(account, id);
    if (random.below(2) === 0 && slot >= 0 && state.positions.size(slot) !== 0) {
      fill.side = state.positions.size(slot) > 0 ? 1 : 0;
      fill.lots = Math.max(1, upTo(random, Math.abs(state.positions.size(slot))));
    }
    const fee = random.signed(1_000);
    const openLots = random.below(2) === 0 ? fill.lots : 0;
    const carries = risk.carries(state.market(id)!, account, fill, fee, openLots);
    carried += words(id, fill.side, fill.lots, fill.lotValue, fee, openLots, carries);
  }
  return carried;
}

/** A fill to be settled, and the market's open interest raised for it. */
function settlementOf({ state, random }: World) {
  const id = marketOf(state, random);
  const fill = anyFill(state, random, id);
  const fee = random.signed(1_000);
  const market = state.market(id)!;
  // What others hold: open interest never falls below what an account has.
  market.openInterest += 2 * market.config.maxPosition;
  return { id, fill, fee };
}

const accountItem = (state: ExchangeState, account: number): LeafItem => ({
  key: keys.accountKey(account),
  value: leaves.accountLeaf(state, account),
});

function riskCase(seed: number): RiskCase {
  const world = anyWorld(seed);
  const { state, account } = world;
  const { id, fill, fee } = settlementOf(world);
  const queries = {
    seed,
    account,
    slice: toHex(sliceOf(world)),
    margins: `0x${marginsOf(world)}`,
    withdrawals: `0x${withdrawalsOf(world)}`,
    fills: `0x${fillsOf(world)}`,
    admissions: `0x${admissionsOf(world)}`,
    carried: `0x${carriedOf(world)}`,
    settled: `0x${words(id, fill.side, fill.lots, fill.lotValue, fee)}`,
  };
  settleFill(new Core(state, NO_TRACE), account, id, fill, fee);
  return {
    ...queries,
    settledAccount: toHex(leaves.accountLeaf(state, account)!),
    settledState: toHex(leaves.marketStateLeaf(state, id)!),
    settledAll: toHex(settledAllOf(seed)),
  };
}

/** The leaves of the same world after all its funding is settled. */
function settledAllOf(seed: number): Uint8Array {
  const world = anyWorld(seed);
  settlementOf(world);
  const { state, account } = world;
  settleAllFunding(new Core(state, NO_TRACE), account);
  const items = [accountItem(state, account)];
  for (const market of state.markets) {
    if (market === undefined) continue;
    const { market: id } = market.config;
    items.push({ key: keys.marketStateKey(id), value: leaves.marketStateLeaf(state, id) });
  }
  return concat(...items.map(encodeEntry));
}

export const riskVectors = (count = CASES): { readonly cases: readonly RiskCase[] } => ({
  cases: Array.from({ length: count }, (_, seed) => riskCase(seed)),
});

export const RISK_VECTORS_FILE = fileURLToPath(new URL('../vectors/risk.json', import.meta.url));

if (process.argv[1] === fileURLToPath(import.meta.url))
  writeFileSync(
    RISK_VECTORS_FILE,
    `${JSON.stringify(riskVectors(process.argv[2] === undefined ? CASES : Number(process.argv[2])))}\n`,
  );
