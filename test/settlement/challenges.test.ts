/**
 * Wrong batches by the real key on a real L1, each struck by the proof for it; the honest batch by none. The batches
 * come from the engine, the proofs are taken from its trees.
 */
import { privateKeyToAddress } from 'viem/accounts';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createWasmKeccak } from '#auth/wasm-keccak.ts';
import { type BatchHeader, encodeWithdrawn, type SignedBatch, traceRoot } from '#protocol/batch.ts';
import { equalBytes, toHex } from '#protocol/bytes.ts';
import type { Command } from '#protocol/command.ts';
import type { Operation } from '#protocol/operation.ts';
import { nextQueueHash, QUEUE_CANCEL_ALL } from '#protocol/queue-entry.ts';
import { findFraud } from '#prover-stub/find-fraud.ts';
import { signersHere } from '#prover-stub/signers.ts';
import * as challenge from '#settlement/l1/challenge-actions.ts';
import type { Hex } from '#settlement/l1/client.ts';
import { encodeFraudProof, type FraudProof, fraudCheckOf } from '#settlement/l1/fraud-proof.ts';
import { forceCancelAll, rollupStatus } from '#settlement/l1/vault-actions.ts';
import { encodeDiff, type LeafChange } from '#state/diff.ts';
import { accountKey, globalsKey, KeyKind, queueKey, withdrawnTotalKey } from '#state/keys.ts';
import { encodeProof, prove } from '#state/tree-proof.ts';
import { flipped, L1Session, PRICE } from '../prover-stub/l1-session.ts';
import { TestSequencer } from '../prover-stub/test-sequencer.ts';
import { ALICE, BOB, commit, passSeconds, rejection } from './l1-fixture.ts';

const keccak = await createWasmKeccak();
const LAST_KEY = new Uint8Array(32).fill(0xff);

let session: L1Session;
let sequencer: TestSequencer;
let first: Command[];
let honest: SignedBatch;
let changes: readonly LeafChange[];
/** Packed proofs before and after the second batch. */
let leaves: Map<string, { pre: Uint8Array; post: Uint8Array }>;
let snapshot: unknown;

const rpc = (method: string, ...params: unknown[]): Promise<unknown> =>
  session.fixture.l1.public.request({ method, params } as never);
const leaf = (key: Uint8Array) => leaves.get(toHex(key))!;
/** An account that the second batch changes. */
const accountChange = () => changes.find(({ key }) => key[0] === KeyKind.ACCOUNT)!;

/** The honest batch with other bytes, everything over them made anew. */
function altered(
  more: { header?: Partial<BatchHeader> } & Partial<Omit<SignedBatch, 'header' | 'hash' | 'signature'>>,
): SignedBatch {
  const { trace, withdrawn, diff, inputs } = { ...honest, ...more };
  const header = {
    ...{ ...honest.header, ...more.header },
    traceRoot: traceRoot(trace, honest.header, keccak),
    inputsHash: keccak(inputs),
    diffHash: keccak(diff),
    withdrawnHash: keccak(withdrawn),
  };
  return { header, ...sequencer.sign(header), trace, withdrawn, diff, inputs };
}

const changed = (change: LeafChange, at: number): LeafChange => ({
  ...change,
  newValue: flipped(change.newValue!, at),
});

const diffProof = (key: Uint8Array): FraudProof => ({ check: 'diff', key, ...leaf(key) });
const clockProof = (): FraudProof => ({ check: 'clock', post: leaf(globalsKey()).post });
const queueProof = (): FraudProof => ({ check: 'queue', post: leaf(queueKey()).post });
const withdrawnProof = (asset: number): FraudProof => ({
  check: 'withdrawn',
  asset,
  ...leaf(withdrawnTotalKey(asset)),
});

/** What a search for frauds comes to: one of them holds. */
const search = (accused: SignedBatch): Promise<FraudProof[]> =>
  findFraud({
    keccak,
    between: first,
    accused,
    recover: (records) => signersHere(session.fixture.rollup.domain, keccak).recover(records),
  });

/** The first of them that the contract takes. */
async function found(accused: SignedBatch): Promise<FraudProof> {
  const { l1, rollup } = session.fixture;
  for (const fraud of await search(accused))
    try {
      await challenge.checkProof(l1, rollup, encodeFraudProof(accused, fraud, keccak));
      return fraud;
    } catch (error) {
      expect(error).toMatchObject({ revert: { name: 'NoFraud' } });
    }
  throw new Error('no fraud was found');
}

interface Lie {
  readonly name: string;
  readonly batch: () => SignedBatch;
  /** By default the one that a search finds. */
  readonly proof?: () => FraudProof;
}

const LIES: readonly Lie[] = [
  {
    name: 'diff: a wrong value',
    batch: () => {
      const lie = accountChange();
      return altered({ diff: encodeDiff(changes.map((one) => (one === lie ? changed(lie, 25) : one))) });
    },
    proof: () => diffProof(accountChange().key),
  },
  {
    name: 'diff: a changed leaf left out',
    batch: () => altered({ diff: encodeDiff(changes.filter((one) => one !== accountChange())) }),
    proof: () => diffProof(accountChange().key),
  },
  {
    name: 'diff: bytes that are no entry',
    batch: () => altered({ diff: Uint8Array.of(...honest.diff, 0xff) }),
    proof: () => diffProof(LAST_KEY),
  },
  {
    name: 'boundary: the clock',
    batch: () => altered({ header: { timeLast: honest.header.timeLast + 1 } }),
    proof: clockProof,
  },
  {
    name: 'boundary: a queue entry that was not executed',
    batch: () => {
      const { queueNext, queueHash } = honest.header;
      const owner = Uint8Array.from(Buffer.from(aliceAddress().slice(2), 'hex'));
      const entry = { index: queueNext, kind: QUEUE_CANCEL_ALL, owner, payload: Uint8Array.of(0) };
      const hash = nextQueueHash(keccak, queueHash, entry);
      return altered({ header: { queueNext: queueNext + 1, queueHash: hash } });
    },
    proof: queueProof,
  },
  {
    name: 'boundary: more withdrawn than the ledger says',
    batch: () => altered({ withdrawn: encodeWithdrawn([{ asset: 0, amount: 1_001n }]) }),
    proof: () => withdrawnProof(0),
  },
  {
    name: 'boundary: a withdrawal of another asset',
    batch: () =>
      altered({
        withdrawn: encodeWithdrawn([
          { asset: 0, amount: 1_000n },
          { asset: 3, amount: 1n },
        ]),
      }),
    proof: () => withdrawnProof(3),
  },
  {
    name: 'inputs: a byte of a record',
    batch: () => altered({ inputs: flipped(honest.inputs, 40) }),
    proof: () => ({ check: 'inputs', segment: 0 }),
  },
  {
    name: 'steps: a weight',
    batch: () => altered({ trace: honest.trace.map((entry) => ({ ...entry, weight: entry.weight + 1 })) }),
  },
  {
    name: 'steps: a state root in between',
    batch: () =>
      altered({
        trace: honest.trace.map((entry, i) =>
          i === 0 ? { ...entry, stateRoot: keccak(entry.stateRoot) } : entry,
        ),
      }),
  },
  {
    name: 'steps: the first time',
    batch: () => altered({ header: { timeFirst: honest.header.timeFirst - 1 } }),
  },
];

const aliceAddress = (): Hex => privateKeyToAddress(session.fixture.devnet.accounts[ALICE]!.key);

describe('challenges', () => {
  beforeAll(async () => {
    session = await L1Session.start();
    const { domain, sequencerKey, l1, rollup } = session.fixture;
    sequencer = new TestSequencer({ domain, secret: sequencerKey, keccak });
    first = await session.queueCommands();
    for (const command of first) sequencer.apply(command);
    await session.post(sequencer.cut(await session.place()));
    // In the queue, and nowhere else.
    await forceCancelAll(session.fixture.as(ALICE), rollup, { subaccount: 0 });
    const before = proofs(sequencer);
    sequencer.apply(session.price(PRICE));
    sequencer.apply(session.order(1, 1, PRICE, 20));
    sequencer.apply(session.order(2, 0, PRICE, 20));
    sequencer.apply(session.message(3, [{ kind: 'withdraw', asset: 0, amount: 1_000 }]));
    // More bytes than one segment takes.
    for (let i = 0; i < 4; i++)
      sequencer.apply(
        session.message(
          4,
          Array.from({ length: 40 }, (_, n) => ({
            ...{ kind: 'place', market: 0, side: 1, price: PRICE + 5 + n, size: 1, timeInForce: 0 },
          })) as Operation[],
        ),
      );
    honest = sequencer.cut(await session.place())[0]!;
    changes = sequencer.changes;
    expect(honest.trace.length).toBeGreaterThan(1);
    leaves = new Map(
      keys().map((key) => [
        toHex(key),
        { pre: before(key), post: encodeProof(prove(sequencer.trees.ledger, key)) },
      ]),
    );
    await passSeconds(l1, 10);
    snapshot = await rpc('evm_snapshot');
  }, 60_000);
  afterAll(() => session?.fixture.devnet.stop());
  beforeEach(async () => {
    await rpc('evm_revert', snapshot);
    snapshot = await rpc('evm_snapshot');
  });

  const keys = (): Uint8Array[] => [
    globalsKey(),
    queueKey(),
    ...[0, 1, 3].map(withdrawnTotalKey),
    ...[1, 2, 3].map((account) => accountKey(account)),
    LAST_KEY,
  ];
  /** Proofs of all leaves that tests ask for, as the ledger stands. */
  function proofs(of: TestSequencer): (key: Uint8Array) => Uint8Array {
    const taken = new Map(keys().map((key) => [toHex(key), encodeProof(prove(of.trees.ledger, key))]));
    return (key) => taken.get(toHex(key))!;
  }

  test.each(LIES)('$name', async ({ batch, proof }) => {
    const { l1, rollup } = session.fixture;
    const lie = batch();
    await commit(l1, rollup, lie);
    const fraud = proof?.() ?? (await found(lie));
    const bytes = encodeFraudProof(lie, fraud, keccak);
    expect(fraudCheckOf(bytes)).toBe(fraud.check);
    expect(await challenge.checkProof(l1, rollup, bytes)).toEqual({ id: 2, hash: lie.hash });
    const strike = await challenge.proveFraud(session.fixture.as(BOB), rollup, bytes);
    expect(strike).toMatchObject({ id: 2, hash: lie.hash, check: fraud.check });
    expect(await challenge.readStrikes(l1, rollup)).toMatchObject([{ id: 2, check: fraud.check }]);
    const { receipt: _, ...rest } = strike;
    expect(await challenge.readStrikes(l1, rollup)).toEqual([rest]);
    const status = await rollupStatus(l1, rollup);
    expect(status).toMatchObject({ committedId: 1, committedHash: toHex(honest.header.parentHash) });
    // A search of its own comes to a proof that the contract takes too.
    const other = encodeFraudProof(lie, await found(lie), keccak);
    expect(await challenge.checkProof(l1, rollup, other)).toEqual({ id: 2, hash: lie.hash });
  });

  test('the honest batch is struck by none of these proofs', async () => {
    const { l1, rollup } = session.fixture;
    await commit(l1, rollup, honest);
    expect(await search(honest)).toEqual([]);
    const all: FraudProof[] = [
      ...keys().map(diffProof),
      ...honest.trace.map((_, segment): FraudProof => ({ check: 'inputs', segment })),
      ...[0, 1, 3].map(withdrawnProof),
      clockProof(),
      queueProof(),
    ];
    for (const fraud of all) {
      const bytes = encodeFraudProof(honest, fraud, keccak);
      expect(await rejection(challenge.proveFraud(l1, rollup, bytes))).toMatchObject({
        code: 'reverted',
        revert: { name: 'NoFraud', args: [toHex(honest.hash)] },
      });
      expect(await rejection(challenge.checkProof(l1, rollup, bytes))).toMatchObject({ code: 'reverted' });
    }
  });

  test('who committed first earns the reward, whoever strikes', async () => {
    const { l1, rollup, as } = session.fixture;
    const lie = LIES.find(({ name }) => name === 'boundary: the clock')!.batch();
    await commit(l1, rollup, lie);
    const proof = encodeFraudProof(lie, clockProof(), keccak);
    const beneficiary = '0x00000000000000000000000000000000000b0b00' as const;
    const claim = { beneficiary, salt: toHex(new Uint8Array(32).fill(9)) };
    const commitment = challenge.challengeCommitment(proof, claim);
    expect(await challenge.readCommitment(l1, rollup, commitment)).toBeUndefined();
    const committed = await challenge.commitChallenge(as(BOB), rollup, commitment);
    expect(await challenge.readCommitment(l1, rollup, commitment)).toBe(Number(committed.blockNumber));
    const copied = { ...claim, beneficiary: aliceAddress() };
    const strike = await challenge.proveFraud(as(ALICE), rollup, proof, copied);
    expect((await challenge.readReward(l1, rollup, strike.hash)).candidate).toBeUndefined();
    expect(await rejection(challenge.proveFraud(as(BOB), rollup, proof, claim))).toMatchObject({
      revert: { name: 'NoSuchBatch' },
    });
    await challenge.claimReward(as(BOB), rollup, strike.hash, { ...claim, proof });
    const reward = await challenge.readReward(l1, rollup, strike.hash);
    expect(reward.amountWei).toBe(rollup.bondWei / 2n);
    expect(reward.candidate?.toLowerCase()).toBe(beneficiary);
    expect(await rejection(challenge.takeReward(l1, rollup, strike.hash))).toMatchObject({
      revert: { name: 'ClaimsOpen' },
    });
    await passSeconds(l1, rollup.windowSeconds + 1);
    await challenge.takeReward(l1, rollup, strike.hash);
    expect(await l1.public.getBalance({ address: beneficiary })).toBe(rollup.bondWei / 2n);
    expect((await challenge.readReward(l1, rollup, strike.hash)).amountWei).toBe(0n);
  });

  test('after a strike the next epoch goes on from the parent, with a bond', async () => {
    const { l1, rollup } = session.fixture;
    const lie = LIES.find(({ name }) => name === 'boundary: the clock')!.batch();
    await commit(l1, rollup, lie);
    await challenge.proveFraud(l1, rollup, encodeFraudProof(lie, clockProof(), keccak));
    const again = altered({ header: { epoch: 2 } });
    expect(await rejection(commit(l1, rollup, again))).toMatchObject({ revert: { name: 'BondTooLow' } });
    await challenge.topUpBond(l1, rollup, rollup.bondWei);
    expect(await rejection(commit(l1, rollup, honest))).toMatchObject({ revert: { name: 'WrongField' } });
    await commit(l1, rollup, again);
    expect(equalBytes(again.header.parentHash, honest.header.parentHash)).toBe(true);
    expect((await rollupStatus(l1, rollup)).committedId).toBe(2);
  });
});
