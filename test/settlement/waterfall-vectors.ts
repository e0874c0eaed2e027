/**
 * The cases of test/vectors/waterfall.json: what sequencer/engine/risk/auction.ts and adl.ts say of values up to their
 * bounds, for settlement/contracts/step/risk. `npx tsx test/settlement/waterfall-vectors.ts` writes the file; a test holds
 * the file to this. Lists of signed 32-byte words:
 *
 *   terms      V, M, ΣN, W, elapsed, auctionMs, discountStartPpm, liquidationBufferPpm, smallNotional; base, subsidy, cap,
 *              a fraction; its price
 *   rounds     one string each: cap, total, mask, then fraction and allotment of each bid
 *   zeroes     size, lotValue, positionMaintenance, M, V, lots; Z(lots), Z(all)
 *   holders    the five of a position, size, v, V, M of a holder; whether it is asked, its band
 *   shares     total, sum, before, part; share
 *   closings   size, v, lots, quote; size, v, realized
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import * as adl from '#engine/risk/adl.ts';
import * as auction from '#engine/risk/auction.ts';
import { Random } from '../state/random-state.ts';

const CASES = 60;
const WORD = 2n ** 256n;
const QUOTE = 2 ** 50;

const words = (...values: readonly (number | bigint | boolean)[]): string =>
  values.map((value) => ((BigInt(value) + WORD) % WORD).toString(16).padStart(64, '0')).join('');

/** 0 … `most`, of every size. */
function upTo(random: Random, most: number): number {
  const scale = 2 ** random.below(Math.ceil(Math.log2(most + 1)) + 1);
  return Math.min(most, Math.floor((random.below(2 ** 30) / 2 ** 30) * scale));
}
const signed = (random: Random, most: number): number =>
  upTo(random, most) * (random.below(2) === 0 ? 1 : -1) + 0;

function terms(random: Random): string {
  const maintenance = 1 + upTo(random, QUOTE);
  const scope = {
    equity: Math.min(signed(random, QUOTE), maintenance - 1),
    maintenance,
    notional: maintenance + upTo(random, QUOTE),
    assets: signed(random, QUOTE),
  };
  const clock = {
    auctionMs: random.between(1_000, 3_600_000),
    elapsed: upTo(random, 4_000_000),
    discountStartPpm: upTo(random, 1_000_000),
  };
  const chain = { liquidationBufferPpm: upTo(random, 1_000_000), smallNotional: upTo(random, 2 ** 28) };
  const { base, subsidy, cap } = auction.auctionTerms(scope, clock, chain);
  const fraction = random.between(1, 1_000_000);
  return words(
    scope.equity,
    scope.maintenance,
    scope.notional,
    scope.assets,
    clock.elapsed,
    clock.auctionMs,
    clock.discountStartPpm,
    chain.liquidationBufferPpm,
    chain.smallNotional,
    base,
    subsidy,
    cap,
    fraction,
    auction.priceOf(fraction, base),
  );
}

function round(random: Random): string {
  const most = random.below(2) === 0 ? 10 : 1_000_000;
  const fractions = Array.from({ length: random.between(1, 64) }, () => random.between(1, most));
  const total = fractions.reduce((sum, fraction) => sum + fraction, 0);
  const cap = Math.min(1_000_000, upTo(random, total + 10));
  const up = auction.roundedUp(fractions, cap);
  const rows = fractions.map((fraction, i) =>
    words(fraction, auction.allotted(fraction, { total, cap, up }, i)),
  );
  return `0x${words(cap, total, up)}${rows.join('')}`;
}

function anyPosition(random: Random): adl.BankruptPosition {
  const lots = 1 + upTo(random, 2 ** 30);
  const positionMaintenance = 1 + upTo(random, 2 ** 40);
  return {
    size: random.below(2) === 0 ? lots : -lots,
    lotValue: 1 + upTo(random, 2 ** 18),
    positionMaintenance,
    maintenance: positionMaintenance + (random.below(2) === 0 ? 0 : upTo(random, 2 ** 40)),
    equity: signed(random, 2 ** 40),
  };
}

const positionWords = (p: adl.BankruptPosition): string =>
  words(p.size, p.lotValue, p.positionMaintenance, p.maintenance, p.equity);

function zero(random: Random): string {
  const position = anyPosition(random);
  const held = Math.abs(position.size);
  const lots = 1 + random.below(held);
  return positionWords(position) + words(lots, adl.zeroQuote(position, lots), adl.zeroQuote(position, held));
}

function holder(random: Random): string {
  const position = anyPosition(random);
  const lots = upTo(random, 2 ** 30) * (random.below(8) === 0 ? 1 : -1) * Math.sign(position.size) + 0;
  // Near the quote at which it is asked, as often as not.
  const near = -Math.floor(
    (lots / Math.abs(position.size)) * adl.zeroQuote(position, Math.abs(position.size)),
  );
  const v = Math.max(-QUOTE, Math.min(QUOTE, near + signed(random, 2 ** 34)));
  const maintenance = upTo(random, 2 ** 40);
  const profit = lots * position.lotValue + v;
  // A score of every size, for those that have one.
  const wantedPpm = 10 ** random.between(2, 6) * random.between(1, 9);
  const scored = Math.floor((profit / Math.abs(v)) * (maintenance / wantedPpm) * 1e6);
  const isScored = scored > 0 && scored < QUOTE && random.below(8) > 0;
  const held = { size: lots, v, equity: isScored ? scored : signed(random, 2 ** 40), maintenance };
  const asked = adl.isCandidate(position, held);
  const band = asked ? adl.bandOf(adl.scoreOf(held, position.lotValue)) : 0;
  return positionWords(position) + words(held.size, held.v, held.equity, held.maintenance, asked, band);
}

function share(random: Random): string {
  const sum = 1 + upTo(random, 2 ** 50);
  const total = Math.min(sum, upTo(random, 2 ** 50));
  const before = Math.min(sum, upTo(random, 2 ** 50));
  const part = Math.min(sum - before, upTo(random, 2 ** 50));
  return words(total, sum, before, part, adl.shareOf(total, sum, before, part));
}

function closing(random: Random): string {
  const held = 1 + upTo(random, 2 ** 47);
  const position = { size: random.below(2) === 0 ? held : -held, v: signed(random, QUOTE) };
  const lots = random.below(4) === 0 ? held : Math.min(held, upTo(random, held));
  const quote = signed(random, QUOTE);
  const { size, v, realized } = adl.closeLots(position, lots, quote);
  return words(position.size, position.v, lots, quote, size, v, realized);
}

export function waterfallVectors(count = CASES): Readonly<Record<string, string | readonly string[]>> {
  const random = new Random(7_701);
  const list = (one: (random: Random) => string): string[] =>
    Array.from({ length: count }, () => one(random));
  return {
    terms: `0x${list(terms).join('')}`,
    rounds: list(round),
    zeroes: `0x${list(zero).join('')}`,
    holders: `0x${list(holder).concat(list(holder), list(holder)).join('')}`,
    shares: `0x${list(share).join('')}`,
    closings: `0x${list(closing).join('')}`,
  };
}

export const WATERFALL_VECTORS_FILE = fileURLToPath(new URL('../vectors/waterfall.json', import.meta.url));

if (process.argv[1] === fileURLToPath(import.meta.url))
  writeFileSync(
    WATERFALL_VECTORS_FILE,
    `${JSON.stringify(waterfallVectors(process.argv[2] === undefined ? CASES : Number(process.argv[2])))}\n`,
  );
