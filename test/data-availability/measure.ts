/**
 * What an order costs on L1 in each carrier, measured: real contracts on Anvil, orders with real signatures, the
 * batcher's own maker, the submitter itself. Deposits, configuration and prices are in a batch of their own that is
 * not counted; the chain goes back to it for each carrier.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createWasmKeccak } from '#auth/wasm-keccak.ts';
import { BatchMaker, type MadeBatch } from '#batcher/batch-maker.ts';
import { type BatchPolicy, INPUT_BYTES_MAX_MAX } from '#batcher/policy.ts';
import { EntryWriter } from '#journal/entry.ts';
import type { SignedBatch } from '#protocol/batch.ts';
import type { Command } from '#protocol/command.ts';
import { ZERO_HASH } from '#protocol/hash.ts';
import type { Operation } from '#protocol/operation.ts';
import { verifyOnce } from '#prover-stub/main.ts';
import { approveVault, deposit, mintTestTokens, rollupStatus } from '#settlement/l1/vault-actions.ts';
import { CARRIERS, type Carrier } from '#settlement/submitter/carrier.ts';
import { Submitter } from '#settlement/submitter/submitter.ts';
import { type BatchPlace, placeBatch } from '#state/batch-assembly.ts';
import { GENESIS_START } from '#state/batch-builder.ts';
import { signDigest, type TestKey, testKey } from '../auth/keys.ts';
import { random } from '../bench/rows.ts';
import { L1Session, PRICE } from '../prover-stub/l1-session.ts';
import { DEPLOYER, passSeconds, SUBMITTER } from '../settlement/l1-fixture.ts';

/** Orders under one signature, and how many of them are sent. */
export interface FlowSize {
  readonly perSignature: number;
  readonly orders: number;
}

export interface Cost {
  readonly perSignature: number;
  readonly carrier: Carrier;
  readonly orders: number;
  readonly batches: number;
  /** Over all batches. */
  readonly inputBytes: number;
  readonly diffBytes: number;
  readonly traceBytes: number;
  readonly calldataBytes: number;
  readonly gas: number;
  readonly blobs: number;
}

const OWNERS: readonly TestKey[] = Array.from({ length: 50 }, (_, i) => testKey(3_000 + i));
const DEPOSIT = 1e10;
const SEED = 7;
const keccak = await createWasmKeccak();

/** Each as the batcher is set up for it. */
const POLICIES: Readonly<Record<Carrier, BatchPolicy>> = {
  calldata: { commandsMax: 1_000_000, bytesMax: 84_000, intervalMs: 1_000 },
  blobs: { commandsMax: 1_000_000, bytesMax: 84_000, intervalMs: 1_000, inputBytesMax: INPUT_BYTES_MAX_MAX },
  'off-chain': {
    commandsMax: 1_000_000,
    bytesMax: 84_000,
    intervalMs: 1_000,
    inputBytesMax: INPUT_BYTES_MAX_MAX,
  },
};

/** Rejects when a verifier does not find what was posted to be right. */
export async function measureCosts(flows: readonly FlowSize[]): Promise<Cost[]> {
  const costs: Cost[] = [];
  for (const flow of flows) {
    const session = await startSession();
    try {
      costs.push(...(await measureFlow(session, flow)));
    } finally {
      await session.fixture.devnet.stop();
    }
  }
  return costs;
}

async function startSession(): Promise<L1Session> {
  const session = await L1Session.start({}, { inputsOffChain: true });
  const { l1, rollup, devnet } = session.fixture;
  const { address } = devnet.accounts[DEPLOYER]!;
  await mintTestTokens(l1, rollup, { address, amount: OWNERS.length * DEPOSIT });
  await approveVault(l1, rollup, { asset: 0 });
  for (const { address: owner } of OWNERS)
    await deposit(l1, rollup, {
      asset: 0,
      amount: DEPOSIT,
      subaccount: 0,
      owner: `0x${Buffer.from(owner).toString('hex')}`,
    });
  const { timestamp } = await l1.public.getBlock({ blockTag: 'latest' });
  session.now = Number(timestamp) * 1000;
  // Room for the time that the orders take.
  await passSeconds(l1, 60);
  return session;
}

async function measureFlow(session: L1Session, flow: FlowSize): Promise<Cost[]> {
  const setup = [...(await session.queueCommands()), session.price(PRICE)];
  const orders = orderCommands(session, flow);
  const costs: Cost[] = [];
  const rpc = (method: string, ...params: unknown[]): Promise<unknown> =>
    session.fixture.l1.public.request({ method, params } as never);
  for (const carrier of CARRIERS) {
    const snapshot = await rpc('evm_snapshot');
    costs.push(await measureCarrier(session, flow, { setup, orders, carrier }));
    await rpc('evm_revert', snapshot);
  }
  return costs;
}

/** Orders around one price, from every owner in turn: about half of them trade. */
function orderCommands(session: L1Session, { perSignature, orders }: FlowSize): Command[] {
  const next = random(SEED);
  const below = (bound: number): number => Math.floor(next() * bound);
  const firstAccount = 6;
  const commands: Command[] = [];
  for (let id = 1; id <= orders; ) {
    const owner = commands.length % OWNERS.length;
    const operations: Operation[] = [];
    for (; operations.length < perSignature && id <= orders; id++)
      operations.push({
        kind: 'place',
        market: 0,
        side: below(2) as 0 | 1,
        price: PRICE - 8 + below(17),
        size: 1 + below(20),
        timeInForce: 0,
        clientId: id,
      });
    commands.push(session.message(firstAccount + owner, operations, OWNERS[owner]!));
  }
  return commands;
}

async function measureCarrier(
  session: L1Session,
  flow: FlowSize,
  of: { readonly setup: readonly Command[]; readonly orders: readonly Command[]; readonly carrier: Carrier },
): Promise<Cost> {
  const { setup, orders, carrier } = of;
  const maker = new BatchMaker(
    { start: GENESIS_START, policy: POLICIES[carrier], snapshotEvery: 1e9, ends: [] },
    keccak,
  );
  const before = made(maker, setup, 1);
  const after = made(maker, orders, 1 + setup.length);
  const batches = placed(session, [...before, ...after], await session.place());
  // An anchor is an earlier block.
  await passSeconds(session.fixture.l1, 1);
  const counted = batches.slice(before.length);
  const directory = await mkdtemp(path.join(tmpdir(), 'sluice-bytes-'));
  const { rollup, devnet, l1 } = session.fixture;
  const submitter = new Submitter({
    l1: session.fixture.as(SUBMITTER),
    rollup,
    source: { get: async (id) => batches.find(({ header }) => header.id === id && id <= through) },
    directory,
    carrier,
    finalize: false,
    inFlightMax: 1,
    confirmations: 0,
  });
  let through = before.length;
  await submitter.open();
  try {
    const committed = async (id: number): Promise<void> => {
      for (;;) {
        await submitter.step();
        if ((await rollupStatus(l1, rollup)).committedId === id) break;
        const [alert] = submitter.status().alerts;
        if (alert !== undefined) throw new Error(alert.message);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      // Once more, so that the last one is counted.
      await submitter.step();
    };
    await committed(through);
    const start = submitter.status();
    through = batches.length;
    await committed(through);
    const end = submitter.status();
    if (carrier !== 'off-chain') {
      const { verdict, sentence } = await verifyOnce({ l1: devnet.url });
      if (verdict !== 'verified')
        throw new Error(`${carrier}: expected batches to be right, got ${sentence}`);
    }
    const sum = (part: (batch: SignedBatch) => number): number =>
      counted.reduce((total, batch) => total + part(batch), 0);
    return {
      ...{ perSignature: flow.perSignature, carrier, orders: flow.orders, batches: counted.length },
      inputBytes: sum(({ inputs }) => inputs.length),
      diffBytes: sum(({ diff }) => diff.length),
      traceBytes: sum(({ trace }) => 92 * trace.length),
      calldataBytes: end.calldataBytes - start.calldataBytes,
      gas: end.gas - start.gas,
      blobs: end.blobs - start.blobs,
    };
  } finally {
    await submitter.stop();
    await rm(directory, { recursive: true, force: true });
  }
}

function made(maker: BatchMaker, commands: readonly Command[], firstSeq: number): MadeBatch[] {
  const writer = new EntryWriter();
  for (const { record, signers } of commands) writer.append(record, signers);
  const batches = maker.apply(writer.payload.slice(), firstSeq, commands.length);
  const last = maker.cut();
  return last === undefined ? batches : [...batches, last];
}

function placed(
  session: L1Session,
  batches: readonly MadeBatch[],
  place: Omit<BatchPlace, 'id' | 'parentHash'>,
): SignedBatch[] {
  const { domain, sequencerKey } = session.fixture;
  let parentHash = ZERO_HASH;
  return batches.map(({ batch }, i) => {
    const unsigned = placeBatch(batch, { ...place, id: i + 1, parentHash }, domain, keccak);
    parentHash = unsigned.hash;
    const signature = signDigest(unsigned.hash, { secret: sequencerKey, address: new Uint8Array(20) });
    return { ...unsigned, signature };
  });
}
