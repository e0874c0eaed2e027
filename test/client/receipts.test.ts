/** What a client makes of receipts: true ones are taken, and nothing that was changed on the way or at the source. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { createRecover } from '#auth/recover.ts';
import { signDigest } from '#auth/sign-digest.ts';
import {
  checkStretch,
  contradictionOf,
  isSignedBySequencer,
  type OwnCommand,
  type ReceiptChecker,
  readReceiptView,
  type Stretch,
} from '#client/receipt-check.ts';
import { ReceiptFile, readReceiptFile } from '#client/receipt-file.ts';
import { concat } from '#protocol/bytes.ts';
import { nobleKeccak as keccak } from '#protocol/hash.ts';
import {
  encodeSignedReceipt,
  foldLinks,
  hashReceipt,
  type Receipt,
  recordOfMessage,
  type SignedReceipt,
} from '#protocol/receipt.ts';
import { SigningDomain } from '#protocol/signing.ts';
import { TEST_DOMAIN, testKey } from '../auth/keys.ts';

const SEQUENCER = testKey(77);
const checker: ReceiptChecker = {
  digests: new SigningDomain(TEST_DOMAIN, keccak),
  keccak,
  recover: createRecover(keccak),
  sequencer: SEQUENCER.address,
};
const directory = mkdtempSync(join(tmpdir(), 'sluice-receipt-file-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const messageAt = (seq: number, fork = 0): Uint8Array => new Uint8Array(40).fill(seq + 100 * fork);
const commandAt = (seq: number, fork = 0): OwnCommand => ({
  seq,
  time: 1_000 + seq,
  message: messageAt(seq, fork),
});
const linkAt = (seq: number, fork: number): Uint8Array =>
  keccak(recordOfMessage(messageAt(seq, fork), 1_000 + seq));
const linksOf = (from: number, through: number, fork = 0): Uint8Array =>
  concat(...Array.from({ length: through - from + 1 }, (_, i) => linkAt(from + i, fork)));
/** The history: `fork` is what the sequencer made of all its commands. */
const hashAt = (seq: number, fork = 0): Uint8Array =>
  foldLinks(new Uint8Array(32), linksOf(1, seq, fork), keccak);
const sign = (receipt: Receipt, key = SEQUENCER.secret): SignedReceipt => ({
  ...receipt,
  signature: signDigest(hashReceipt(receipt, checker.digests, keccak), key),
});
const receiptAt = (seq: number, fork = 0, epoch = 1): SignedReceipt =>
  sign({ epoch, seq, inputHash: hashAt(seq, fork), queueNext: 2, queueHash: new Uint8Array(32).fill(9) });
const stretchOf = (from: number, through: number, fork = 0): Stretch => ({
  from,
  before: hashAt(from - 1, fork),
  links: linksOf(from, through, fork),
});

const place = fc
  .tuple(
    fc.integer({ min: 1, max: 20 }),
    fc.integer({ min: 0, max: 20 }),
    fc.nat(),
    fc.integer({ min: 1, max: 255 }),
  )
  .map(([from, more, at, mask]) => ({ from, through: from + more, at, mask }));

describe('a stretch of the history', () => {
  it('is taken when it leads to the receipt over the own commands and the receipt before', () => {
    fc.assert(
      fc.property(place, ({ from, through, at }) => {
        const own = Array.from({ length: through - from + 1 }, (_, i) => commandAt(from + i));
        const previous = from > 1 ? receiptAt(from - 1 + (at % (through - from + 1))) : undefined;
        const stretch = stretchOf(from, through);
        expect(checkStretch(receiptAt(through), stretch, own, previous, keccak)).toBeUndefined();
      }),
      { numRuns: 40 },
    );
  });

  it('is broken by any changed bit of links or of the hash before', () => {
    fc.assert(
      fc.property(place, ({ from, through, at, mask }) => {
        const { before, links } = stretchOf(from, through);
        const all = concat(before, links);
        all[at % all.length]! ^= mask;
        const stretch = { from, before: all.slice(0, 32), links: all.slice(32) };
        const receipt = receiptAt(through);
        for (const previous of [undefined, from > 1 ? receiptAt(from - 1) : undefined])
          expect(checkStretch(receipt, stretch, [commandAt(from)], previous, keccak)?.kind).toBe('broken');
      }),
      { numRuns: 60 },
    );
  });

  it('is broken by links left out, added, doubled or exchanged', () => {
    fc.assert(
      fc.property(place, ({ from, through, at }) => {
        const { before, links } = stretchOf(from, through);
        const parts = Array.from({ length: through - from + 1 }, (_, i) => links.slice(32 * i, 32 * i + 32));
        const i = at % parts.length;
        const changed = [
          parts.toSpliced(i, 1),
          parts.toSpliced(i, 0, parts[i]!),
          ...(parts.length > 1
            ? [parts.toSpliced(i, 1).toSpliced((i + 1) % parts.length, 0, parts[i]!)]
            : []),
        ];
        for (const list of changed) {
          if (list.length === parts.length && list.every((link, n) => link === parts[n])) continue;
          const stretch = { from, before, links: concat(...list) };
          expect(checkStretch(receiptAt(through), stretch, [], undefined, keccak)?.kind).toBe('broken');
        }
      }),
      { numRuns: 40 },
    );
  });

  it('shows when something else stands where an own command was answered to stand', () => {
    fc.assert(
      fc.property(place, ({ from, through, at, mask }) => {
        const command = commandAt(from + (at % (through - from + 1)));
        const message = command.message.slice();
        message[at % message.length]! ^= mask;
        for (const own of [
          { ...command, message },
          { ...command, time: command.time + 1 },
        ])
          expect(
            checkStretch(receiptAt(through), stretchOf(from, through), [own], undefined, keccak),
          ).toMatchObject({ kind: 'missing-command', own });
      }),
      { numRuns: 40 },
    );
  });

  it('shows two histories, with what L1 needs to see them', () => {
    fc.assert(
      fc.property(place, ({ from, through, at }) => {
        const earlier = receiptAt(Math.max(1, from - 1 + (at % (through - from + 2))), 0);
        const later = receiptAt(through, 1);
        const problem = checkStretch(later, stretchOf(from, through, 1), [], earlier, keccak);
        if (earlier.seq < from - 1) return;
        if (problem?.kind !== 'contradiction')
          throw new Error(`expected a contradiction, got ${problem?.kind}`);
        const { before, links } = problem.receipts;
        expect(problem.receipts).toMatchObject({ earlier, later });
        expect(links.length).toBe(32 * (through - earlier.seq));
        expect(foldLinks(before, links, keccak)).toEqual(later.inputHash);
        expect(before).toEqual(hashAt(earlier.seq, 1));
      }),
      { numRuns: 40 },
    );
  });

  it('of another epoch continues nothing', () => {
    const previous = receiptAt(4, 1, 1);
    expect(checkStretch(receiptAt(9, 0, 2), stretchOf(5, 9), [], previous, keccak)).toBeUndefined();
  });
});

describe('a receipt', () => {
  it('counts only with the signature of the sequencer over every field', () => {
    const receipt = receiptAt(5);
    expect(isSignedBySequencer(receipt, checker)).toBe(true);
    const stranger = sign(receipt, testKey(78).secret);
    expect(isSignedBySequencer(stranger, checker)).toBe(false);
    for (const change of [
      { epoch: 2 },
      { seq: 6 },
      { inputHash: hashAt(6) },
      { queueNext: 3 },
      { queueHash: new Uint8Array(32) },
      { signature: receipt.signature.slice(1) },
    ])
      expect(isSignedBySequencer({ ...receipt, ...change }, checker)).toBe(false);
  });

  it('contradicts another one for the same command of its epoch only', () => {
    const [a, b] = [receiptAt(5), receiptAt(5, 1)];
    expect(contradictionOf(a, b)).toEqual({
      earlier: a,
      later: b,
      before: b.inputHash,
      links: new Uint8Array(0),
    });
    expect(contradictionOf(a, a)).toBeUndefined();
    expect(contradictionOf(a, receiptAt(6, 1))).toBeUndefined();
    expect(contradictionOf(a, receiptAt(5, 1, 2))).toBeUndefined();
  });

  it('is read from an answer of the server, or not', () => {
    const receipt = encodeSignedReceipt(receiptAt(9));
    const { before, links } = stretchOf(5, 9);
    expect(readReceiptView({ receipt, before, links }, 5)).toEqual({
      receipt: receiptAt(9),
      stretch: stretchOf(5, 9),
    });
    expect(readReceiptView({ receipt: receipt.subarray(1), before, links }, 5)).toBeUndefined();
    expect(readReceiptView({ receipt, before, links: 'text' as unknown as Uint8Array }, 5)).toBeUndefined();
  });
});

describe('the file', () => {
  it('gives back what was kept, in any number of runs; a last line that was cut is left out', async () => {
    const path = join(directory, 'receipts.jsonl');
    const kept = [
      { receipt: receiptAt(4), own: [], stretch: undefined },
      { receipt: receiptAt(9), own: [commandAt(5), commandAt(8)], stretch: stretchOf(5, 9) },
    ];
    for (const one of kept) {
      const file = await ReceiptFile.open(path);
      await file.append(one);
      await file.close();
    }
    expect(await readReceiptFile(path)).toEqual(kept);
    const text = readFileSync(path, 'utf8');
    writeFileSync(path, text + text.slice(0, 60));
    expect(await readReceiptFile(path)).toEqual(kept);
    const file = await ReceiptFile.open(path);
    await file.append(kept[0]!);
    await file.close();
    expect(await readReceiptFile(path)).toEqual([...kept, kept[0]]);
    writeFileSync(path, `${text.slice(0, 60)}\n${text}`);
    await expect(readReceiptFile(path)).rejects.toThrow(`${path}, line 1: expected a kept receipt`);
  });
});
