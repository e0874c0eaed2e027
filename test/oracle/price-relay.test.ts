/** The relay decides when a round is made and of which reports; what is of no use is refused with its reason. */
import { describe, expect, it } from 'vitest';
import { Reject } from '#protocol/reject.ts';
import { Corridor } from '../support/corridor.ts';
import { TEST_MARKET } from '../support/exchange.ts';
import { settle } from '../support/manual-clock.ts';

const started = (): Promise<Corridor> =>
  new Corridor({ markets: [TEST_MARKET, { ...TEST_MARKET, market: 1, symbol: 'ETH-PERP' }] }).start();

const rounds = (corridor: Corridor, market: number) =>
  corridor.log.events.filter((row) => row.event === 'PRICE' && row.market === market);

describe('price relay', () => {
  it('makes a round at once when all have reported', async () => {
    const corridor = await started();
    for (let publisher = 0; publisher < 5; publisher++)
      expect(corridor.report({ market: 0, publisher, price: 1_000 + publisher, sequence: 1 })).toBe(0);
    await settle();
    expect(rounds(corridor, 0)).toMatchObject([{ index: 1_002, reports: 5 }]);
    expect(rounds(corridor, 1)).toEqual([]);
  });

  it('waits for the last ones, but not longer than the window, and needs two thirds of the weight', async () => {
    const corridor = await started();
    for (const publisher of [4, 2, 0]) corridor.report({ market: 0, publisher, price: 1_000, sequence: 1 });
    await corridor.clock.advance(1_000);
    expect(rounds(corridor, 0)).toEqual([]);
    corridor.report({ market: 0, publisher: 3, price: 2_000, sequence: 1 });
    await settle();
    expect(rounds(corridor, 0)).toMatchObject([{ index: 1_000, reports: 4 }]);
    // The next four come within the window.
    await corridor.clock.advance(100);
    for (const publisher of [0, 1, 2, 3])
      corridor.report({ market: 0, publisher, price: 3_000, sequence: 2 });
    await corridor.clock.advance(49);
    expect(rounds(corridor, 0).length).toBe(1);
    await corridor.clock.advance(1);
    expect(rounds(corridor, 0)[1]).toMatchObject({ index: 3_000, reports: 4 });
  });

  it('uses the freshest report of each, and none twice', async () => {
    const corridor = await started();
    corridor.report({ market: 0, publisher: 0, price: 1, sequence: 1 });
    for (let publisher = 0; publisher < 5; publisher++)
      corridor.report({ market: 0, publisher, price: 5_000, sequence: 2 });
    await settle();
    expect(rounds(corridor, 0)).toMatchObject([{ index: 5_000, reports: 5 }]);
    await corridor.clock.advance(500);
    expect(rounds(corridor, 0).length).toBe(1);
  });

  it('keeps rounds of a market apart by the interval', async () => {
    const corridor = await started();
    for (let sequence = 1; sequence <= 10; sequence++) {
      for (let publisher = 0; publisher < 5; publisher++)
        corridor.report({ market: 0, publisher, price: 1_000 + sequence, sequence });
      await corridor.clock.advance(10);
    }
    await corridor.clock.advance(60);
    // A hundred milliseconds and a bit at one in fifty, and the last price got through.
    expect(rounds(corridor, 0).length).toBe(3);
    expect(corridor.state.market(0)!.index).toBe(1_010);
  });

  it('leaves out what has become stale while it waited', async () => {
    const corridor = await started();
    const { stalenessMs } = corridor.state.chain;
    for (const publisher of [0, 1, 2]) corridor.report({ market: 0, publisher, price: 1_000, sequence: 1 });
    await corridor.clock.advance(stalenessMs + 1);
    corridor.report({ market: 0, publisher: 3, price: 2_000, sequence: 1 });
    await corridor.clock.advance(200);
    expect(rounds(corridor, 0)).toEqual([]);
    for (const publisher of [0, 1, 2]) corridor.report({ market: 0, publisher, price: 2_000, sequence: 2 });
    await corridor.clock.advance(200);
    expect(rounds(corridor, 0)).toMatchObject([{ index: 2_000, reports: 4 }]);
  });

  it('refuses what is of no use, with the reason that counts', async () => {
    const corridor = await started();
    const good = { market: 0, publisher: 1, price: 1_000, sequence: 5 };
    const now = corridor.pipeline.now();
    const { stalenessMs, futureMs } = corridor.state.chain;
    expect(corridor.report({ ...good, market: 7 })).toBe(Reject.UNKNOWN_MARKET);
    expect(corridor.report({ ...good, publisher: 9 })).toBe(Reject.UNKNOWN_PUBLISHER);
    expect(corridor.report({ ...good, price: 0 })).toBe(Reject.PRICE_OUT_OF_RANGE);
    expect(corridor.report({ ...good, time: now - stalenessMs - 1 })).toBe(Reject.REPORT_STALE);
    expect(corridor.report({ ...good, time: now + futureMs + 1 })).toBe(Reject.REPORT_FROM_FUTURE);
    expect(corridor.report(good)).toBe(Reject.NONE);
    expect(corridor.report(good)).toBe(Reject.REPORT_OUT_OF_ORDER);
    expect(corridor.report({ ...good, sequence: 4 })).toBe(Reject.REPORT_OUT_OF_ORDER);
    expect(corridor.relay.submit(0, new Uint8Array(88), new Uint8Array(20))).toBe(Reject.MALFORMED_MESSAGE);
    expect(corridor.relay.submit(0, new Uint8Array(89), new Uint8Array(20))).toBe(Reject.BAD_SIGNATURE);
    expect(corridor.relay.totals).toMatchObject({ reports: 1, refused: 9 });
  });

  it('goes on after the sequences of a round, also across a restart', async () => {
    const corridor = await started();
    for (let publisher = 0; publisher < 5; publisher++)
      corridor.report({ market: 0, publisher, price: 1_000, sequence: 9 });
    await settle();
    expect(corridor.report({ market: 0, publisher: 0, price: 1_000, sequence: 9 })).toBe(
      Reject.REPORT_OUT_OF_ORDER,
    );
    const { journal, engine, l1, clock } = corridor;
    await corridor.pipeline.close();
    const again = await new Corridor({ journal, engine, l1, clock }).start();
    expect(again.report({ market: 0, publisher: 0, price: 1_000, sequence: 9 })).toBe(
      Reject.REPORT_OUT_OF_ORDER,
    );
    expect(again.report({ market: 0, publisher: 0, price: 1_000, sequence: 10 })).toBe(Reject.NONE);
  });
});
