/**
 * The batcher's thread: re-execution with trees, segments and diffs, against what one core can verify of
 * single-signed orders; and what a root costs beyond its hashes.
 */
import { createRecover, signersOf } from '#auth/recover.ts';
import { signDigest } from '#auth/sign-digest.ts';
import { createWasmKeccak } from '#auth/wasm-keccak.ts';
import { BatchMaker } from '#batcher/batch-maker.ts';
import { DEFAULT_POLICY } from '#batcher/policy.ts';
import { Engine } from '#engine/engine.ts';
import { EntryWriter } from '#journal/entry.ts';
import { concat } from '#protocol/bytes.ts';
import { type Command, encodeRecord, MESSAGE } from '#protocol/command.ts';
import type { Keccak } from '#protocol/hash.ts';
import { encodeUnsignedMessage } from '#protocol/message.ts';
import { allLeaves } from '#state/all-leaves.ts';
import { GENESIS_START } from '#state/batch-builder.ts';
import { ExchangeState } from '#state/exchange-state.ts';
import { encodeSnapshot, loadSnapshot, loadState } from '#state/snapshot.ts';
import { StateTree } from '#state/state-tree.ts';
import { testKey, testSigning } from '../auth/keys.ts';
import { TEST_MARKET, TestExchange } from '../support/exchange.ts';
import { makeFlow } from './flow.ts';
import { median, type Row } from './rows.ts';

const ACCOUNTS = 1000;
const OPERATIONS = 40_000;
const ROUNDS = 3;
const GROUP = 256;

/** One operation a message, as single-signed orders come; signers stand beside empty signatures. */
export function singleOrders(operations: number): Command[] {
  const exchange = new TestExchange({
    checkInvariants: false,
    markets: [{ ...TEST_MARKET, maxPrice: 1_000_000 }],
    chain: { openOrdersMax: 10_000, voidMs: 3_600_000 },
  });
  for (let n = 1; n <= ACCOUNTS; n++) exchange.deposit(n, 1_000_000_000_000);
  exchange.price(0, 100_000);
  for (const operation of makeFlow({
    operations,
    accounts: ACCOUNTS,
    seed: 7,
    mid: 100_000,
    spread: 400,
  })) {
    const { account, id, side, price, size } = operation;
    const target = { market: 0, by: 'client', id } as const;
    exchange.send(
      account,
      operation.kind === 'cancel'
        ? { kind: 'cancel', ...target }
        : operation.kind === 'replace'
          ? { kind: 'amend', ...target, price, size }
          : {
              kind: 'place',
              market: 0,
              side,
              price,
              size,
              timeInForce: operation.kind === 'add' ? 0 : 2,
              clientId: id,
            },
    );
  }
  return exchange.commands;
}

function groupsOf(commands: readonly Command[]): { firstSeq: number; count: number; payload: Uint8Array }[] {
  const groups = [];
  for (let at = 0; at < commands.length; at += GROUP) {
    const group = commands.slice(at, at + GROUP);
    const writer = new EntryWriter();
    for (const { record, signers } of group) writer.append(record, signers);
    groups.push({ firstSeq: at + 1, count: group.length, payload: writer.payload.slice() });
  }
  return groups;
}

const seconds = (run: () => void): number => {
  const start = performance.now();
  run();
  return (performance.now() - start) / 1000;
};

/** Single-signed orders that one core can verify a second. */
export function verificationRate(keccak: Keccak): number {
  const key = testKey(1);
  const unsigned = encodeUnsignedMessage({
    account: 1,
    nonce: 1,
    validUntil: 1,
    operations: [{ kind: 'place', market: 0, side: 0, price: 1, size: 1, timeInForce: 0 }],
  });
  const body = concat(unsigned, signDigest(testSigning.message(unsigned), key.secret));
  const record = encodeRecord(MESSAGE, 1, body);
  const recover = createRecover(keccak);
  const count = 4_000;
  return (
    count /
    seconds(() => {
      for (let i = 0; i < count; i++) signersOf(record, testSigning, recover);
    })
  );
}

/** Seconds of one keccak256 of a node's preimage. */
function hashSeconds(keccak: Keccak): number {
  const bytes = new Uint8Array(66);
  const count = 300_000;
  return (
    seconds(() => {
      for (let i = 0; i < count; i++) keccak(bytes);
    }) / count
  );
}

export async function measure(): Promise<Row[]> {
  const keccak = await createWasmKeccak();
  const commands = singleOrders(OPERATIONS);
  const groups = groupsOf(commands);
  const rates: number[] = [];
  let bytes = 0;
  let segments = 0;
  let steps = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const maker = new BatchMaker(
      { start: GENESIS_START, policy: DEFAULT_POLICY, snapshotEvery: Number.MAX_SAFE_INTEGER, ends: [] },
      keccak,
    );
    const made: ReturnType<BatchMaker['apply']> = [];
    const elapsed = seconds(() => {
      for (const { payload, firstSeq, count } of groups) made.push(...maker.apply(payload, firstSeq, count));
    });
    rates.push(commands.length / elapsed);
    bytes = made.reduce(
      (sum, { batch }) => sum + batch.inputs.length + 92 * batch.segments.length + batch.diff.length,
      0,
    );
    bytes /= made.at(-1)!.batch.nextSeq - 1;
    segments = made.reduce((sum, { batch }) => sum + batch.segments.length, 0);
    steps = made.at(-1)!.batch.nextStep;
  }
  const rate = median(rates);
  const intake = verificationRate(keccak);
  return [
    {
      name: 'batcher, single-signed orders',
      value: rate,
      unit: 'orders/s',
      baseline: { name: 'verification, one core', value: intake },
      ratio: { value: rate / intake, floor: 1, stretch: 2, higherIsBetter: true },
    },
    { name: 'batcher, bytes for L1', value: bytes, unit: 'bytes/order' },
    { name: 'batcher, steps in a segment', value: steps / segments, unit: 'steps' },
    ...snapshotRows(commands, keccak),
    rootRow(keccak),
  ];
}

function snapshotRows(commands: readonly Command[], keccak: Keccak): Row[] {
  const state = new ExchangeState(keccak);
  const engine = new Engine(state);
  for (const command of commands) engine.apply(command);
  const { ledger, book } = allLeaves(state);
  const trees = { ledger: new StateTree(keccak), book: new StateTree(keccak) };
  trees.ledger.loadSorted(ledger);
  trees.book.loadSorted(book);
  const leaves = ledger.length + book.length;
  trees.ledger.root();
  trees.book.root();
  let snapshot = new Uint8Array(0);
  const encode = seconds(() => {
    snapshot = encodeSnapshot(state.seq, trees) as Uint8Array<ArrayBuffer>;
  });
  const load = seconds(() => loadState(snapshot, keccak));
  const checked = seconds(() => loadSnapshot(snapshot, keccak));
  return [
    { name: 'snapshot, encode', value: leaves / encode, unit: 'leaves/s' },
    { name: 'snapshot, load', value: leaves / load, unit: 'leaves/s' },
    { name: 'snapshot, load and check roots', value: leaves / checked, unit: 'leaves/s' },
    { name: 'snapshot, size', value: snapshot.length / leaves, unit: 'bytes/leaf' },
  ];
}

/** 10,000 of 100,000 leaves change, then the root: time over that of as many bare hashes. */
function rootRow(keccak: Keccak): Row {
  const tree = new StateTree(keccak);
  const key = (n: number): Uint8Array => {
    const bytes = new Uint8Array(32);
    new DataView(bytes.buffer).setUint32(1, Math.imul(n, 0x9e3779b1));
    return bytes;
  };
  const value = new Uint8Array(100);
  for (let n = 0; n < 100_000; n++) tree.set(key(n), value);
  tree.root();
  const ratios: number[] = [];
  let rate = 0;
  for (let round = 1; round <= 5; round++) {
    const before = tree.hashes;
    const elapsed = seconds(() => {
      for (let n = 0; n < 10_000; n++) {
        const changed = value.slice();
        changed[0] = round;
        tree.set(key(n * 10), changed);
      }
      tree.root();
    });
    rate = 10_000 / elapsed;
    ratios.push(elapsed / ((tree.hashes - before) * hashSeconds(keccak)));
  }
  return {
    name: 'state root, 10,000 of 100,000 leaves',
    value: rate,
    unit: 'leaves/s',
    ratio: { value: median(ratios), floor: 2, stretch: 1.2, higherIsBetter: false },
  };
}
