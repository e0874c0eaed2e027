/** Receipts as the sequencer signs them: what they say, when, and that no restart makes it say something else. */
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createRecover } from '#auth/recover.ts';
import { equalBytes, toHex, viewOf } from '#protocol/bytes.ts';
import { CLOCK, encodeRecord } from '#protocol/command.ts';
import { nobleKeccak as keccak } from '#protocol/hash.ts';
import {
  decodeSignedReceipt,
  foldLinks,
  hashReceipt,
  type SignedReceipt,
  sameCursor,
} from '#protocol/receipt.ts';
import { SigningDomain } from '#protocol/signing.ts';
import { decodeReceiptFrame } from '#protocol/wire-receipt.ts';
import { ReceiptFeed } from '#receipts/receipt-feed.ts';
import type { Receipts } from '#receipts/receipts.ts';
import { TEST_DOMAIN } from '../auth/keys.ts';
import { anyRecords, INTERVAL_MS, plainCursor, ReceiptDesk, SEQUENCER } from './fixtures.ts';

const recover = createRecover(keccak);
const domain = new SigningDomain(TEST_DOMAIN, keccak);
let desk: ReceiptDesk;
beforeEach(() => {
  desk = new ReceiptDesk();
});
afterEach(() => desk.dispose());

const clocks = (count: number, from = 0): Uint8Array[] =>
  Array.from({ length: count }, (_, i) => encodeRecord(CLOCK, from + i, new Uint8Array(0)));

/** What every receipt must be: signed by the key, true of the records, and one a command and epoch. */
function check(receipts: readonly SignedReceipt[], records: readonly Uint8Array[]): void {
  const said = new Map<string, string>();
  for (const receipt of receipts) {
    const signer = recover(hashReceipt(receipt, domain, keccak), receipt.signature);
    expect(signer).toEqual(SEQUENCER.address);
    expect(sameCursor(receipt, plainCursor(records, receipt.seq))).toBe(true);
    const place = `${receipt.epoch}:${receipt.seq}`;
    expect(said.get(place) ?? toHex(receipt.inputHash)).toBe(toHex(receipt.inputHash));
    said.set(place, toHex(receipt.inputHash));
  }
}

async function checkCovering(receipts: Receipts, records: readonly Uint8Array[]): Promise<void> {
  const last = receipts.last?.seq ?? 0;
  for (let seq = 1; seq <= records.length; seq++) {
    const view = await receipts.covering(seq);
    if (seq > last) expect(view).toBeNull();
    else {
      const receipt = decodeSignedReceipt(view!.receipt);
      expect(receipt.seq).toBeGreaterThanOrEqual(seq);
      expect(view!.links.length).toBe(32 * (receipt.seq - seq + 1));
      expect(view!.links.subarray(0, 32)).toEqual(keccak(records[seq - 1]!));
      expect(foldLinks(view!.before, view!.links, keccak)).toEqual(receipt.inputHash);
    }
  }
}

describe('receipts', () => {
  it('say what a plain fold of the journal says, through restarts, and every command opens', async () => {
    await fc.assert(
      fc.asyncProperty(
        anyRecords(60),
        fc.array(fc.constantFrom('group', 'interval', 'restart'), { minLength: 10, maxLength: 25 }),
        async (records, steps) => {
          const one = new ReceiptDesk();
          try {
            let receipts = await one.start();
            let at = 0;
            for (const step of steps) {
              if (step === 'group') {
                await one.append(records.slice(at, at + 5));
                at += 5;
              } else if (step === 'interval') {
                await one.clock.advance(INTERVAL_MS);
                await receipts.flush();
              } else {
                await one.crash();
                receipts = await one.start();
              }
            }
            await receipts.flush();
            check(one.told, one.records);
            expect(one.told).toEqual(one.remembered);
            expect(receipts.last?.seq ?? 0).toBe(one.records.length);
            await checkCovering(receipts, one.records);
            expect(one.fatal).toBeUndefined();
          } finally {
            await one.dispose();
          }
        },
      ),
      { numRuns: 8 },
    );
  }, 60_000);

  it('are signed once an interval while commands come, and not at all while none come', async () => {
    const receipts = await desk.start();
    for (let group = 0; group < 4; group++) await desk.append(clocks(3, 3 * group));
    await desk.clock.advance(INTERVAL_MS - 1);
    expect(desk.told).toEqual([]);
    await desk.clock.advance(1);
    await receipts.flush();
    expect(desk.told.map(({ seq }) => seq)).toEqual([12]);
    await desk.clock.advance(10 * INTERVAL_MS);
    await receipts.flush();
    expect(desk.told.length).toBe(1);
    await desk.append(clocks(2, 12));
    await desk.clock.advance(INTERVAL_MS);
    await receipts.flush();
    expect(desk.told.map(({ seq }) => seq)).toEqual([12, 14]);
  });

  it('come sooner when many commands come, so that no answer holds more links than a reader takes', async () => {
    const receipts = await desk.start();
    for (let group = 0; group < 9; group++) await desk.append(clocks(1_000, 1_000 * group));
    while ((desk.told.at(-1)?.seq ?? 0) < 3_000) await new Promise((resolve) => setImmediate(resolve));
    const [first] = desk.told;
    expect((await receipts.covering(first!.seq))?.links.length).toBe(32);
  });

  it('are kept durable before anybody is told: a crash in between gives the same bytes again', async () => {
    let release: () => void = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const first = await desk.start();
    await desk.append(clocks(5));
    await first.flush();
    await desk.crash();

    const remembered: SignedReceipt[] = [];
    desk.slot = undefined;
    const second = await desk.start({
      memory: {
        last: desk.told[0],
        remember: (receipt) => {
          remembered.push(receipt);
          return held;
        },
      },
    });
    await desk.append(clocks(5, 5));
    const flushed = second.flush();
    while (remembered.length === 0) await new Promise((resolve) => setImmediate(resolve));
    expect(desk.told.length).toBe(1);
    expect(await second.covering(8)).toBeNull();
    release();
    await flushed;
    expect(desk.told.length).toBe(2);
    await desk.crash();

    // The memory has the second one; had it been told or not, it is the one that comes again.
    const third = await desk.start({ memory: { last: remembered[0], remember: () => Promise.resolve() } });
    await third.flush();
    while ((await third.covering(8)) === null) await new Promise((resolve) => setImmediate(resolve));
    expect(decodeSignedReceipt((await third.covering(8))!.receipt)).toEqual(desk.told[1]);
  });

  it('begin after the batch at which the journal was cut', async () => {
    const first = await desk.start();
    const records = fc.sample(anyRecords(40), 1)[0]!;
    await desk.append(records.slice(0, 20));
    await desk.append(records.slice(20));
    await first.flush();
    await desk.crash();
    await desk.journal.pruneBelow(21);
    const second = await desk.start({ base: plainCursor(records, 20) });
    await desk.append(clocks(5, 100));
    await second.flush();
    check(desk.told, desk.records);
    expect(desk.told.at(-1)!.seq).toBe(45);
    expect(await second.covering(20)).toBeUndefined();
    expect((await second.covering(21))!.before).toEqual(plainCursor(records, 20).inputHash);
  });

  it('forget what lies further back than is kept', async () => {
    const receipts = await desk.start({ keptCommands: 16 });
    for (let group = 0; group < 10; group++) {
      await desk.append(clocks(4, 4 * group));
      await receipts.flush();
    }
    expect(await receipts.covering(24)).toBeUndefined();
    const view = (await receipts.covering(26))!;
    expect(foldLinks(view.before, view.links, keccak)).toEqual(decodeSignedReceipt(view.receipt).inputHash);
    expect(receipts.after(12)).toBeUndefined();
    expect(receipts.after(32)!.map(({ seq }) => seq)).toEqual([36, 40]);
  });
});

describe('nothing is signed that contradicts what was signed', () => {
  it('when the journal lost its end', async () => {
    const receipts = await desk.start();
    await desk.append(clocks(10));
    await receipts.flush();
    await desk.crash();
    const shorter = new ReceiptDesk();
    await shorter.append(clocks(9));
    await expect(desk.start({ journal: shorter.journal })).rejects.toThrow(
      'receipts: expected the journal to reach command 10, for which a receipt was signed in epoch 1, got 9',
    );
    await shorter.dispose();
  });

  it('when the journal holds other commands', async () => {
    const receipts = await desk.start();
    await desk.append(clocks(10));
    await receipts.flush();
    await desk.crash();
    const other = new ReceiptDesk();
    await other.append([...clocks(5), ...clocks(8, 99)]);
    const again = await desk.start({ journal: other.journal });
    await again.flush();
    while (desk.fatal === undefined) await new Promise((resolve) => setImmediate(resolve));
    expect(desk.fatal.message).toMatch(
      /^receipts: receipt 10 of epoch 1 was signed with 0x[0-9a-f]{64} after/,
    );
    expect(desk.told.length).toBe(1);
    await other.dispose();
  });

  it('when the epoch goes back, or goes on without a strike', async () => {
    const receipts = await desk.start({ epoch: 3 });
    await desk.append(clocks(10));
    await receipts.flush();
    await desk.crash();
    await expect(desk.start({ epoch: 2 })).rejects.toThrow('receipts: expected epoch 3 or later, got 2');
    const shorter = new ReceiptDesk();
    await shorter.append(clocks(4, 50));
    const { journal } = shorter;
    await expect(desk.start({ epoch: 4, journal })).rejects.toThrow(
      'expected the journal to reach command 10',
    );
    // The strike of epoch 3 took its history away: the next epoch has one of its own.
    desk.journal = journal;
    const struck = await desk.start({ epoch: 4, struckEpoch: 3, journal });
    await struck.flush();
    expect(desk.told.map(({ epoch, seq }) => [epoch, seq])).toEqual([
      [3, 10],
      [4, 4],
    ]);
    check(desk.told.slice(1), shorter.records);
    await shorter.dispose();
  });
});

describe('the stream', () => {
  it('begins with the last receipt, continues after one that is kept, and begins anew otherwise', async () => {
    const receipts = await desk.start();
    const feed = new ReceiptFeed(
      {
        start: () => {
          throw new Error('not asked');
        },
        listen() {},
      },
      receipts,
    );
    const frames: Uint8Array[] = [];
    feed.listen({
      wants: (channel, subject) => channel === 'receipts' && subject === 0,
      onFrames: (_channel, _subject, bytes) => frames.push(bytes.slice()),
      onEndOfBatch() {},
    });
    const read = (list: readonly Uint8Array[]) =>
      list.map((bytes) => {
        const decoded = decodeReceiptFrame(viewOf(bytes), 0);
        if (typeof decoded === 'number') throw new Error(`expected a receipt, got code ${decoded}`);
        return [decoded.previous, decoded.receipt.seq];
      });
    expect(feed.start({ channel: 'receipts' })).toEqual({ sequence: 0, resumed: false, frames: [] });
    for (let group = 0; group < 3; group++) {
      await desk.append(clocks(4, 4 * group));
      await receipts.flush();
    }
    expect(read(frames)).toEqual([
      [0, 4],
      [4, 8],
      [8, 12],
    ]);
    const start = (fromSeq?: number) => {
      const begun = feed.start({ channel: 'receipts', ...(fromSeq === undefined ? {} : { fromSeq }) });
      if (typeof begun === 'number') throw new Error(`expected a start, got code ${begun}`);
      return { ...begun, frames: read(begun.frames) };
    };
    expect(start()).toEqual({ sequence: 12, resumed: false, frames: [[0, 12]] });
    expect(start(4)).toEqual({
      sequence: 12,
      resumed: true,
      frames: [
        [4, 8],
        [8, 12],
      ],
    });
    expect(start(12)).toEqual({ sequence: 12, resumed: true, frames: [] });
    expect(start(5)).toEqual({ sequence: 12, resumed: false, frames: [[0, 12]] });
    expect(equalBytes(frames[0]!.subarray(8, 16), new Uint8Array(8))).toBe(true);
  });
});
