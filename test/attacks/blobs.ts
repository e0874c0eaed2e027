/**
 * Attacks on inputs in blobs: what the sequencer signed is honest, what its submitter put into the blobs is not. The
 * verifier gets the blobs from L1, and opens the elements that are wrong.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SignedBatch } from '#protocol/batch.ts';
import { concat, fromHex, toHex } from '#protocol/bytes.ts';
import { buildProof } from '#prover-stub/build-proof.ts';
import { describeFraud } from '#prover-stub/fraud.ts';
import { InputsSource } from '#prover-stub/inputs-source.ts';
import { splitRecords } from '#prover-stub/split-inputs.ts';
import { VerifierStore } from '#prover-stub/store.ts';
import { encodeCommitBatch } from '#settlement/l1/batch-calldata.ts';
import { packBlobs } from '#settlement/l1/blob-codec.ts';
import type { Hex } from '#settlement/l1/client.ts';
import { Kzg, type Sidecar } from '#settlement/l1/kzg.ts';
import { fetchCarriedBatch } from '#settlement/l1/posted-batch.ts';
import { broadcast, minedAs, signTransaction } from '#settlement/l1/transactions.ts';
import { blobHashesOf } from '#settlement/submitter/sidecars.ts';
import { SUBMITTER } from '../settlement/l1-fixture.ts';
import type { Attack } from './attack.ts';
import type { Stage } from './stage.ts';
import { L1Snapshot, refusal, searchOf, strikeCommitted, type Verdict } from './trial.ts';

const GWEI = 10n ** 9n;

/** What goes into the blobs instead of the inputs. */
const LIES: Readonly<Record<string, (inputs: Uint8Array) => Uint8Array[]>> = {
  'a byte of a record': (inputs) => {
    const changed = inputs.slice();
    changed[60]! ^= 1;
    return packBlobs(changed);
  },
  'the length of a record': (inputs) => {
    const changed = inputs.slice();
    changed[0]! ^= 1;
    return packBlobs(changed);
  },
  nothing: (inputs) => packBlobs(new Uint8Array(inputs.length)),
  'two records exchanged': (inputs) => {
    const [first, second] = splitRecords(inputs);
    return packBlobs(concat(second!, first!, inputs.subarray(first!.length + second!.length)));
  },
  'an element of 32 bytes': (inputs) => {
    const blobs = packBlobs(inputs);
    blobs[0]![0] = 1;
    return blobs;
  },
  'inputs shifted by a byte': (inputs) => packBlobs(concat(Uint8Array.of(0), inputs.subarray(0, -1))),
};

export const byBlobs = (): Attack[] =>
  Object.keys(LIES).map((name) => ({
    ...{ name: `blobs: ${name}`, family: 'blobs', scene: 'money', stepwise: true, isConsistent: false },
    forge: ({ honest }) => honest,
  }));

/** As `tryAttacks`, for attacks that are in the blobs alone. */
export async function tryBlobs(
  stage: Stage,
  attacks: readonly Attack[],
  tell: (verdict: Verdict) => void,
): Promise<void> {
  if (attacks.length === 0) return;
  const { world, honest } = stage;
  const kzg = new Kzg();
  const snapshot = new L1Snapshot(world);
  await snapshot.take();
  try {
    const truth = await kzg.sidecar(packBlobs(honest.inputs), 'proofs');
    for (const attack of attacks) {
      const lie = LIES[attack.name.slice('blobs: '.length)]!;
      const sidecar = await kzg.sidecar(lie(honest.inputs), 'proofs');
      const proof = await proofAgainst(stage, await commitWith(stage, sidecar));
      await snapshot.restore();
      await commitWith(stage, truth);
      const refused = await refusal(world, proof);
      await snapshot.restore();
      await commitWith(stage, sidecar);
      const gas = await strikeCommitted(world, proof);
      await snapshot.restore();
      const stood = refused === 'WrongBytes';
      const words = stood ? `BLOBS, ${gas.toLocaleString('en-US')} gas` : `the twin: ${refused}`;
      tell({ attack, struck: stood, words });
    }
  } finally {
    await kzg.close();
  }
}

/** Commits the stage's honest batch with these blobs; resolves with the transaction. */
async function commitWith({ world, honest }: Stage, sidecar: Sidecar): Promise<Hex> {
  const client = world.fixture.as(SUBMITTER);
  const { address } = client.account!;
  const { hash, raw } = await signTransaction(client, {
    to: world.fixture.rollup.rollup,
    data: encodeCommitBatch({ ...honest, inputs: new Uint8Array(0) }),
    nonce: await client.public.getTransactionCount({ address }),
    gas: 12_000_000n,
    maxFeePerGas: 100n * GWEI,
    maxPriorityFeePerGas: GWEI,
    maxFeePerBlobGas: 100n * GWEI,
    blobHashes: blobHashesOf(sidecar),
  });
  await broadcast(client, raw, sidecar);
  for (;;) {
    const mined = await minedAs(client, hash);
    if (mined === undefined) continue;
    if (!mined.success) throw new Error('the rollup did not take the batch with its blobs');
    return hash;
  }
}

/** The verifier has the transaction, and asks L1 for its blobs. */
async function proofAgainst({ world, honest }: Stage, transaction: Hex): Promise<Hex> {
  const { l1, keccak, domain } = world;
  const { rollup } = world.fixture;
  const folder = mkdtempSync(join(tmpdir(), 'sluice-blobs-'));
  const store = await VerifierStore.open(folder, { chainId: rollup.chainId, rollup: rollup.rollup }, keccak);
  const source = new InputsSource({ l1, rollup, store, keccak });
  try {
    const at = { transactionHash: fromHex(transaction) };
    const carried = await fetchCarriedBatch(l1, { id: 2, hash: honest.hash, at }, domain, keccak);
    const { batch, evidence } = await source.complete(carried, { blockNumber: 0, blockTimeMs: 0 });
    if (evidence === undefined) throw new Error('the verifier finds nothing wrong with the blobs');
    const search = () => ({ ...searchOf(world, batch as SignedBatch), misfolded: evidence.segment });
    const built = await buildProof({ l1, rollup, keccak, search, evidence });
    if (built === undefined) throw new Error(`no check takes what is wrong in ${toHex(batch.hash)}`);
    if (built.fraud.check !== 'inputs') throw new Error(`expected inputs, got ${describeFraud(built.fraud)}`);
    return built.proof;
  } finally {
    await source.close();
    await store.close();
    rmSync(folder, { recursive: true });
  }
}
