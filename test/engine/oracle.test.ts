/** Price rounds: who counts, how many are enough, what the index and the mark become. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bookPrice, emaStep, markPrice } from '#engine/pricing/mark-price.ts';
import { indexOf, lowerWeightedMedian } from '#engine/pricing/oracle-price.ts';
import { concat } from '#protocol/bytes.ts';
import { encodeRecord, PRICE_ROUND } from '#protocol/command.ts';
import { encodePublisher } from '#protocol/market.ts';
import { QUEUE_CONFIGURE_PUBLISHER } from '#protocol/queue-entry.ts';
import { rejectName } from '#protocol/reject.ts';
import { Levels } from '#state/book-side.ts';
import { MarketState } from '#state/market-state.ts';
import { Orders } from '#state/orders.ts';
import { buy, Desk, only, sell } from '../support/desk.ts';
import { TEST_MARKET, testAddress } from '../support/exchange.ts';

const SEED = Number(process.env.SEED ?? 20_261_122);
console.log(`oracle properties: SEED=${SEED}`);
const NOBODY = new Uint8Array(20);

function publisher(desk: Desk, index: number, weight: number, address = testAddress(9000 + index)): void {
  desk.queue(QUEUE_CONFIGURE_PUBLISHER, NOBODY, encodePublisher({ index, address, weight }));
}

const admitted = (desk: Desk, ...round: Parameters<Desk['roundCommand']>): string =>
  rejectName(desk.engine.admit(desk.roundCommand(...round), desk.now));

const report = (publisherIndex: number, changes = {}): { publisher: number } => ({
  publisher: publisherIndex,
  ...changes,
});
const four = [report(0), report(1), report(2), report(3)];

describe('which rounds are taken', () => {
  it('two thirds of the weight, exactly, are enough', () => {
    const desk = new Desk();
    publisher(desk, 5, 1);
    // 4 of 6, then 3 of 6.
    expect(admitted(desk, 0, four)).toBe('NONE');
    expect(admitted(desk, 0, four.slice(1))).toBe('TOO_FEW_REPORTS');
    publisher(desk, 0, 3);
    // Weights 3, 1, 1, 1, 1, 1: 5 of 8 is below two thirds, 6 of 8 above.
    expect(admitted(desk, 0, [report(0), report(1), report(2)])).toBe('TOO_FEW_REPORTS');
    expect(admitted(desk, 0, [report(0), report(1), report(2), report(3)])).toBe('NONE');
  });

  it('a publisher without weight does not count, on either side of the fraction', () => {
    const desk = new Desk();
    publisher(desk, 5, 1);
    publisher(desk, 5, 0);
    expect(admitted(desk, 0, [...four.slice(0, 3), report(5)])).toBe('TOO_FEW_REPORTS');
    expect(admitted(desk, 0, four)).toBe('NONE');
  });

  it('fewer than five publishers make no price', () => {
    const desk = new Desk();
    publisher(desk, 4, 0);
    expect(admitted(desk, 0, four)).toBe('TOO_FEW_REPORTS');
    publisher(desk, 7, 1);
    expect(admitted(desk, 0, four)).toBe('NONE');
  });

  it('a report is dropped when stale, from the future, out of order, void, or not signed by its publisher', () => {
    const desk = new Desk();
    const { now } = desk;
    const withOdd = (odd: object): string => admitted(desk, 0, [...four.slice(0, 3), report(3, odd)]);
    expect(withOdd({})).toBe('NONE');
    expect(withOdd({ time: now - 3_000 })).toBe('NONE');
    expect(withOdd({ time: now - 3_001 })).toBe('TOO_FEW_REPORTS');
    expect(withOdd({ time: now + 3_000 })).toBe('NONE');
    expect(withOdd({ time: now + 3_001 })).toBe('TOO_FEW_REPORTS');
    expect(withOdd({ price: 0 })).toBe('TOO_FEW_REPORTS');
    expect(withOdd({ signer: testAddress(9000) })).toBe('TOO_FEW_REPORTS');
    expect(withOdd({ publisher: 6 })).toBe('TOO_FEW_REPORTS');
    desk.round(0, [report(3, { sequence: 1_000_000 }), report(0), report(1), report(2)]);
    expect(withOdd({ sequence: 1_000_000 })).toBe('TOO_FEW_REPORTS');
    expect(withOdd({ sequence: 1_000_001 })).toBe('NONE');
  });

  it('sequences are per market, and only those of reports that counted are used up', () => {
    const desk = new Desk({ markets: [TEST_MARKET, { ...TEST_MARKET, market: 1, symbol: 'TWO' }] });
    publisher(desk, 5, 1);
    const sequence = 500;
    desk.round(0, [
      report(4, { sequence, time: desk.now - 4_000 }),
      ...[0, 1, 2, 3].map((n) => report(n, { sequence })),
    ]);
    const at = (market: number, counted: number[]): string =>
      admitted(
        desk,
        market,
        counted.map((n) => report(n, { sequence })),
      );
    expect(at(0, [0, 1, 2, 3])).toBe('TOO_FEW_REPORTS');
    expect(at(1, [0, 1, 2, 3])).toBe('NONE');
    for (const old of [0, 1, 2, 3]) {
      // Four of six are needed: one that sends its old number again breaks the round.
      const others = [0, 1, 2, 3].filter((n) => n !== old).map((n) => report(n, { sequence: 501 }));
      expect(admitted(desk, 0, [...others, report(old, { sequence })])).toBe('TOO_FEW_REPORTS');
    }
    // The stale report used none up: its publisher may send 500 again.
    expect(at(0, [4])).toBe('TOO_FEW_REPORTS');
    desk.round(0, [...[0, 1, 2].map((n) => report(n, { sequence: 501 })), report(4, { sequence })]);
  });

  it('an unknown market, missing signers and odd bytes are refused, never thrown at', () => {
    const desk = new Desk();
    expect(admitted(desk, 7, four)).toBe('UNKNOWN_MARKET');
    const good = desk.roundCommand(0, four);
    expect(rejectName(desk.engine.admit({ ...good, signers: good.signers.slice(20) }, desk.now))).toBe(
      'BAD_SIGNATURE',
    );
    const twice = concat(good.record, good.record.slice(16, 16 + 89));
    twice[14] = 5;
    expect(rejectName(desk.engine.admit({ record: twice, signers: good.signers }, desk.now))).toBe(
      'MALFORMED_MESSAGE',
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), (body) => {
        const record = encodeRecord(PRICE_ROUND, desk.now, body);
        expect(rejectName(desk.engine.admit({ record, signers: good.signers }, desk.now))).not.toMatch(
          /UNKNOWN_CODE/,
        );
      }),
      { seed: SEED, numRuns: 2_000 },
    );
  });

  it('a round that is not admitted changes nothing when it comes as an input', () => {
    const desk = new Desk();
    desk.price(0, 1_000);
    const market = desk.state.market(0)!;
    desk.advance(500);
    expect(only(desk.apply(desk.roundCommand(0, four.slice(0, 3))), 'PRICE')).toEqual([]);
    expect([market.index, market.indexTime]).toEqual([1_000, desk.now - 500]);
  });
});

describe('index', () => {
  it('is the lower weighted median: at most half of the weight lies on either side', () => {
    const items = fc.array(
      fc.record({ value: fc.integer({ min: 1, max: 30 }), weight: fc.integer({ min: 1, max: 9 }) }),
      { minLength: 1, maxLength: 16 },
    );
    fc.assert(
      fc.property(items, (list) => {
        const median = lowerWeightedMedian(list);
        const total = list.reduce((sum, item) => sum + item.weight, 0);
        const below = list.reduce((sum, item) => sum + (item.value < median ? item.weight : 0), 0);
        const upTo = list.reduce((sum, item) => sum + (item.value <= median ? item.weight : 0), 0);
        expect(2 * below).toBeLessThan(total);
        expect(2 * upTo).toBeGreaterThanOrEqual(total);
        expect(list.some((item) => item.value === median)).toBe(true);
      }),
      { seed: SEED, numRuns: 1_000 },
    );
  });

  it('confidence is the median confidence plus the median distance from the index', () => {
    expect(
      indexOf([
        { price: 100, confidence: 5, weight: 1 },
        { price: 104, confidence: 1, weight: 1 },
        { price: 90, confidence: 9, weight: 1 },
      ]),
    ).toEqual({ index: 100, confidence: 5 + 4 });
    expect(indexOf([{ price: 1, confidence: 2 ** 32 - 1, weight: 1 }])).toEqual({
      index: 1,
      confidence: 2 ** 32 - 1,
    });
  });

  it('two liars of five do not move it beyond the honest prices', () => {
    const desk = new Desk();
    const prices = [1_000, 1_001, 1_002, 99_000_000, 1];
    const event = desk.round(
      0,
      prices.map((price, n) => report(n, { price })),
    );
    expect(event).toMatchObject({ index: 1_001, reports: 5, code: 0 });
  });
});

describe('mark', () => {
  const held = (changes: Partial<MarketState>): MarketState =>
    Object.assign(new MarketState(TEST_MARKET, new Levels(), new Orders()), changes);
  const million = 1_000_000n;

  it('is the median of index with basis, book, and smoothed book; the index without a book', () => {
    expect(markPrice(held({}), 5_000)).toBe(0);
    expect(markPrice(held({ index: 1_000 }), 5_000)).toBe(1_000);
    const book = { index: 1_000, sampleBid: 1_010, sampleAsk: 1_020, sampleLast: 0 };
    expect(bookPrice(held(book))).toBe(1_015);
    // A book that was never smoothed does not count yet.
    expect(markPrice(held({ ...book, index: 2_000 }), 5_000)).toBe(2_000);
    expect(markPrice(held({ ...book, bookEma: 1_004n * million }), 5_000)).toBe(1_004);
    expect(markPrice(held({ ...book, bookEma: 1_040n * million }), 5_000)).toBe(1_015);
    expect(markPrice(held({ ...book, bookEma: 900n * million }), 5_000)).toBe(1_000);
  });

  it('keeps the basis within 50 bp of the index and rounds down', () => {
    const basis = (ticks: bigint, index = 10_000): number =>
      markPrice(held({ index, basisEma: ticks }), 5_000);
    expect(basis(49n * million)).toBe(10_049);
    expect(basis(51n * million)).toBe(10_050);
    expect(basis(-51n * million)).toBe(9_950);
    expect(basis(1_999_999n)).toBe(10_001);
    expect(basis(-1n)).toBe(9_999);
  });

  it('stays within 1 and maxPrice', () => {
    expect(markPrice(held({ index: 1, basisEma: -million }), 1_000_000)).toBe(1);
    const { maxPrice } = TEST_MARKET;
    expect(markPrice(held({ index: maxPrice, basisEma: 9n * million }), 5_000)).toBe(maxPrice);
  });

  it('takes the last trade between bid and ask, and neither side alone', () => {
    const sides = { sampleBid: 100, sampleAsk: 110 };
    expect(bookPrice(held({ ...sides, sampleLast: 104 }))).toBe(104);
    expect(bookPrice(held({ ...sides, sampleLast: 90 }))).toBe(100);
    expect(bookPrice(held({ ...sides, sampleLast: 200 }))).toBe(110);
    expect(bookPrice(held({ sampleBid: 100, sampleLast: 100 }))).toBe(0);
    expect(bookPrice(held({ sampleAsk: 100, sampleLast: 100 }))).toBe(0);
    expect(bookPrice(held({ sampleBid: 100, sampleAsk: 101 }))).toBe(100);
  });

  it('smooths with e + floor((x - e) dt / (tau + dt)), down also below zero', () => {
    expect(emaStep(0n, 100n, { dt: 5, tau: 145 })).toBe(3n);
    expect(emaStep(0n, -100n, { dt: 5, tau: 145 })).toBe(-4n);
    expect(emaStep(50n, 50n, { dt: 1_000, tau: 1 })).toBe(50n);
    expect(emaStep(7n, 100n, { dt: 0, tau: 1 })).toBe(7n);
  });

  it('does not move with an order or a trade, only with rounds and samples', () => {
    const desk = new Desk();
    const [a, b] = [desk.deposit(1, 1e10), desk.deposit(2, 1e10)];
    desk.price(0, 1_000);
    const market = desk.state.market(0)!;
    desk.done(a, buy(10, 900));
    desk.done(b, sell(10, 950));
    // The last price is the one it traded at, not the one the taker would have paid.
    desk.done(a, buy(5, 990));
    expect([market.mark, market.sampleBid, market.lastPrice]).toEqual([1_000, 0, 950]);
    desk.now = desk.state.nextSampleTime;
    const events = desk.clock();
    expect(only(events, 'SAMPLE')).toMatchObject([{ bid: 900, ask: 950 }]);
    expect([market.sampleBid, market.sampleAsk, market.sampleLast]).toEqual([900, 950, 950]);
    expect(market.mark).toBe(950);
  });
});
