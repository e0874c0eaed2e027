/** A verifier from the calldata of posted batches, signatures and all, against the batcher that made them. */
import { createRecover, signersOf } from '#auth/recover.ts';
import { signDigest } from '#auth/sign-digest.ts';
import { createWasmKeccak } from '#auth/wasm-keccak.ts';
import { BatchMaker } from '#batcher/batch-maker.ts';
import { DEFAULT_POLICY } from '#batcher/policy.ts';
import { Engine } from '#engine/engine.ts';
import { EntryWriter } from '#journal/entry.ts';
import type { SignedBatch } from '#protocol/batch.ts';
import { concat } from '#protocol/bytes.ts';
import {
  type Command,
  encodeRecord,
  MESSAGE,
  NO_SIGNERS,
  PRICE_ROUND,
  QUEUE_ENTRY,
} from '#protocol/command.ts';
import { type Keccak, ZERO_HASH } from '#protocol/hash.ts';
import {
  DEFAULT_CHAIN_PARAMETERS,
  encodeChainParameters,
  encodeMarketConfig,
  encodePublisher,
} from '#protocol/market.ts';
import { encodeUnsignedMessage } from '#protocol/message.ts';
import type { Operation } from '#protocol/operation.ts';
import { encodePriceRound } from '#protocol/price-report.ts';
import * as queue from '#protocol/queue-entry.ts';
import { type ChainTip, GENESIS_TIP } from '#prover-stub/chain-tip.ts';
import { deriveBatch } from '#prover-stub/derive.ts';
import { ReExecution } from '#prover-stub/re-execute.ts';
import { type SignerSource, signersHere, signersInThreads } from '#prover-stub/signers.ts';
import { decodeCommitBatch, encodeCommitBatch } from '#settlement/l1/batch-calldata.ts';
import { placeBatch } from '#state/batch-assembly.ts';
import { GENESIS_START } from '#state/batch-builder.ts';
import { ExchangeState } from '#state/exchange-state.ts';
import { TEST_DOMAIN, testKey, testSigning } from '../auth/keys.ts';
import { ANCHOR, contextOf, l1Queue, madeFacts } from '../prover-stub/made-facts.ts';
import { TEST_MARKET } from '../support/exchange.ts';
import { type FlowOperation, makeFlow } from './flow.ts';
import { median, type Row } from './rows.ts';

const ACCOUNTS = 200;
const OPERATIONS = 15_000;
const ROUNDS = 3;
const GROUP = 256;
const AHEAD = 4;
const START = 1_700_000_000_000;
const SEQUENCER = testKey(77);

interface Flow {
  readonly commands: readonly Command[];
  readonly entries: readonly queue.QueueEntry[];
}

/** Single-signed orders as users send them, after deposits and a price, with real signatures. */
function signedFlow(): Flow {
  const engine = new Engine(new ExchangeState());
  const owners = Array.from({ length: ACCOUNTS }, (_, i) => testKey(1_000 + i));
  const publishers = Array.from({ length: 5 }, (_, i) => testKey(500 + i));
  const commands: Command[] = [];
  const entries: queue.QueueEntry[] = [];
  let now = START;
  const apply = (kind: number, body: Uint8Array, signers: Uint8Array): void => {
    const command = { record: encodeRecord(kind, now, body), signers };
    const code = engine.admit(command, now);
    if (code !== 0) throw new Error(`bench: expected every command to be admitted, got code ${code}`);
    engine.apply(command);
    commands.push(command);
  };
  const enqueue = (kind: number, owner: Uint8Array, payload: Uint8Array): void => {
    const entry = { index: entries.length, kind, owner, payload };
    entries.push(entry);
    apply(QUEUE_ENTRY, queue.encodeQueueEntry(entry), NO_SIGNERS);
  };
  const nobody = new Uint8Array(20);
  const chain = { ...DEFAULT_CHAIN_PARAMETERS, openOrdersMax: 10_000, voidMs: 3_600_000 };
  enqueue(queue.QUEUE_CONFIGURE_CHAIN, nobody, encodeChainParameters(chain));
  enqueue(queue.QUEUE_CONFIGURE_MARKET, nobody, encodeMarketConfig({ ...TEST_MARKET, maxPrice: 1_000_000 }));
  for (const [index, { address }] of publishers.entries())
    enqueue(queue.QUEUE_CONFIGURE_PUBLISHER, nobody, encodePublisher({ index, address, weight: 1 }));
  const money = queue.encodeMoneyPayload({ asset: 0, subaccount: 0, amount: 1_000_000_000_000 });
  for (const { address } of owners) enqueue(queue.QUEUE_DEPOSIT, address, money);
  const reports = publishers.map(({ secret }, publisher) => {
    const report = { market: 0, publisher, time: now, sequence: 1, price: 100_000, confidence: 1 };
    return { ...report, signature: signDigest(testSigning.report(report), secret) };
  });
  apply(PRICE_ROUND, encodePriceRound(0, reports), concat(...publishers.map(({ address }) => address)));
  let nonce = 0;
  const flow = makeFlow({ operations: OPERATIONS, accounts: ACCOUNTS, seed: 7, mid: 100_000, spread: 400 });
  for (const operation of flow) {
    const key = owners[operation.account - 1]!;
    const operations = [operationOf(operation)];
    const fields = { account: operation.account, nonce: ++nonce, validUntil: now + 600_000, operations };
    const unsigned = encodeUnsignedMessage(fields);
    apply(MESSAGE, concat(unsigned, signDigest(testSigning.message(unsigned), key.secret)), key.address);
    if (nonce % 20 === 0) now++;
  }
  return { commands, entries };
}

function operationOf({ kind, side, price, size, id }: FlowOperation): Operation {
  const target = { market: 0, by: 'client', id } as const;
  if (kind === 'cancel') return { kind: 'cancel', ...target };
  if (kind === 'replace') return { kind: 'amend', ...target, price, size };
  const timeInForce = kind === 'add' ? 0 : 2;
  return { kind: 'place', market: 0, side, price, size, timeInForce, clientId: id };
}

/** The batcher's own thread's work: seconds it took, and the batches as they go to L1. */
function makeBatches({ commands }: Flow, keccak: Keccak): { seconds: number; calldata: Uint8Array[] } {
  const groups = [];
  for (let at = 0; at < commands.length; at += GROUP) {
    const writer = new EntryWriter();
    const group = commands.slice(at, at + GROUP);
    for (const { record, signers } of group) writer.append(record, signers);
    groups.push({ firstSeq: at + 1, count: group.length, payload: writer.payload.slice() });
  }
  const options = { start: GENESIS_START, policy: DEFAULT_POLICY, snapshotEvery: 1e9, ends: [] };
  const maker = new BatchMaker(options, keccak);
  const before = performance.now();
  const made = groups.flatMap(({ payload, firstSeq, count }) => maker.apply(payload, firstSeq, count));
  const rest = maker.cut();
  const seconds = (performance.now() - before) / 1000;
  const calldata: Uint8Array[] = [];
  let parentHash = ZERO_HASH;
  for (const { batch } of rest === undefined ? made : [...made, rest]) {
    const place = { epoch: 1, id: calldata.length + 1, parentHash, anchor: ANCHOR };
    const unsigned = placeBatch(batch, place, testSigning, keccak);
    parentHash = unsigned.hash;
    const signature = signDigest(unsigned.hash, SEQUENCER.secret);
    calldata.push(Buffer.from(encodeCommitBatch({ ...unsigned, signature }).slice(2), 'hex'));
  }
  return { seconds, calldata };
}

/** Seconds from calldata to the last root, the signatures of coming batches recovered meanwhile. */
async function verifyAll(
  calldata: readonly Uint8Array[],
  { entries }: Flow,
  tools: { keccak: Keccak; signers: SignerSource },
): Promise<number> {
  const { keccak, signers } = tools;
  const context = contextOf(testSigning, SEQUENCER.address, keccak);
  const facts = l1Queue(entries, keccak);
  const execution = new ReExecution(keccak);
  const before = performance.now();
  let tip: ChainTip = GENESIS_TIP;
  const prepare = (bytes: Uint8Array) => {
    const batch: SignedBatch = decodeCommitBatch(bytes, testSigning, keccak);
    const derived = deriveBatch(batch, tip, madeFacts(batch, tip, facts), context);
    tip = derived.tip;
    return { derived, signers: signers.recover(derived.records) };
  };
  const ahead = calldata.slice(0, AHEAD).map(prepare);
  for (let next = AHEAD; ahead.length > 0; next++) {
    const first = ahead.shift()!;
    execution.execute(first.derived, await first.signers);
    if (next < calldata.length) ahead.push(prepare(calldata[next]!));
  }
  return (performance.now() - before) / 1000;
}

export async function measure(): Promise<Row[]> {
  const keccak = await createWasmKeccak();
  const flow = signedFlow();
  const recover = createRecover(keccak);
  const threads = await signersInThreads(TEST_DOMAIN, keccak, { workers: 1, onFatal: () => {} });
  const here = signersHere(TEST_DOMAIN, keccak);
  const rates = {
    batcher: [] as number[],
    threads: [] as number[],
    here: [] as number[],
    recovery: [] as number[],
  };
  try {
    for (let round = 0; round < ROUNDS; round++) {
      const { seconds, calldata } = makeBatches(flow, keccak);
      rates.batcher.push(OPERATIONS / seconds);
      rates.threads.push(OPERATIONS / (await verifyAll(calldata, flow, { keccak, signers: threads })));
      rates.here.push(OPERATIONS / (await verifyAll(calldata, flow, { keccak, signers: here })));
      const some = flow.commands.slice(-3_000);
      const before = performance.now();
      for (const { record } of some) signersOf(record, testSigning, recover);
      rates.recovery.push((some.length * 1000) / (performance.now() - before));
    }
  } finally {
    await threads.close();
  }
  const batcher = { name: 'batcher', value: median(rates.batcher) };
  const verifier = median(rates.threads);
  return [
    {
      name: 'verifier from calldata, one thread recovers signatures',
      value: verifier,
      unit: 'operations/s',
      baseline: batcher,
      ratio: { value: verifier / batcher.value, floor: 0.5, stretch: 1, higherIsBetter: true },
    },
    {
      name: 'verifier from calldata, one thread in all',
      value: median(rates.here),
      unit: 'operations/s',
      baseline: { name: 'signatures recovered', value: median(rates.recovery) },
    },
  ];
}
