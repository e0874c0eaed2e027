/** The memory of the last receipt, on the real disk: it survives, and damage is found. */
import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { NodeDisk } from '#journal/node-disk.ts';
import { ReceiptSlot } from '#journal/receipt-slot.ts';
import type { SignedReceipt } from '#protocol/receipt.ts';
import { removeTemporaryAfterAll, temporaryDirectory } from './temporary.ts';

removeTemporaryAfterAll();
const disk = new NodeDisk();

const receiptAt = (seq: number): SignedReceipt => ({
  epoch: 2,
  seq,
  inputHash: new Uint8Array(32).fill(seq),
  queueNext: 3 * seq,
  queueHash: new Uint8Array(32).fill(255 - seq),
  signature: new Uint8Array(65).fill(27),
});

test('the last receipt is there again after every write', async () => {
  const directory = temporaryDirectory();
  let slot = await ReceiptSlot.open(disk, directory);
  expect(slot.last).toBeUndefined();
  for (let seq = 1; seq <= 5; seq++) {
    await slot.remember(receiptAt(seq));
    await slot.close();
    slot = await ReceiptSlot.open(disk, directory);
    expect(slot.last).toEqual(receiptAt(seq));
  }
  await slot.close();
});

test('a write that was cut leaves the one before; two unreadable slots are no fresh start', async () => {
  const directory = temporaryDirectory();
  const slot = await ReceiptSlot.open(disk, directory);
  await slot.remember(receiptAt(1));
  await slot.remember(receiptAt(2));
  await slot.close();
  const path = `${directory}/receipts/last`;
  const bytes = readFileSync(path);
  const damage = (at: number): void => {
    bytes[at]! ^= 0x10;
    writeFileSync(path, bytes);
  };
  // Two writes made the file: the fourth stands in slot 0.
  damage(40);
  const older = await ReceiptSlot.open(disk, directory);
  expect(older.last).toEqual(receiptAt(1));
  await older.close();
  damage(4096 + 100);
  await expect(ReceiptSlot.open(disk, directory)).rejects.toThrow(
    'last receipt: expected one readable slot of two, got none',
  );
});

test('a file that was half made when the process ended is made again', async () => {
  const directory = temporaryDirectory();
  await disk.makeDirectory(`${directory}/receipts`);
  writeFileSync(`${directory}/receipts/last.new`, 'half');
  const slot = await ReceiptSlot.open(disk, directory);
  await slot.remember(receiptAt(7));
  expect(slot.last).toEqual(receiptAt(7));
  await slot.close();
});
