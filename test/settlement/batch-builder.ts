/**
 * Builds signed batches that Rollup takes, without an engine: a ledger tree with WITHDRAWN leaves, arbitrary
 * inputs cut into segments, everything else consistent. For tests of the settlement layer alone.
 */
import { secp256k1 } from '@noble/curves/secp256k1.js';
import {
  BATCH_VERSION,
  type BatchHeader,
  encodeWithdrawn,
  FIRST_BATCH_ID,
  FIRST_EPOCH,
  FIRST_SEQ,
  FIRST_STEP,
  hashHeader,
  type SignedBatch,
  type TraceEntry,
  traceRoot,
} from '#protocol/batch.ts';
import { concat, setU128be, viewOf } from '#protocol/bytes.ts';
import { nobleKeccak as keccak, ZERO_HASH } from '#protocol/hash.ts';
import { SigningDomain } from '#protocol/signing.ts';
import { withdrawnKey } from '#state/keys.ts';
import { StateTree } from '#state/state-tree.ts';
import { encodePath, prove } from '#state/tree-proof.ts';

/** 65 bytes r ‖ s ‖ v, s in the lower half. */
export function signDigest(digest: Uint8Array, key: Uint8Array): Uint8Array {
  const signature = secp256k1.sign(digest, key, { prehash: false, lowS: true, format: 'recovered' });
  return concat(signature.subarray(1), Uint8Array.of(27 + signature[0]!));
}

export const addressOfKey = (key: Uint8Array): Uint8Array =>
  keccak(secp256k1.getPublicKey(key, false).subarray(1)).slice(12);

export interface BatchPlan {
  readonly timeFirst: number;
  readonly timeLast: number;
  readonly anchor: { readonly number: number; readonly hash: Uint8Array };
  /** The queue after this batch; as before it when left out. */
  readonly queue?: { readonly next: number; readonly hash: Uint8Array };
  readonly withdrawals?: readonly {
    readonly owner: Uint8Array;
    readonly asset: number;
    readonly amount: bigint;
  }[];
  /** Bytes of inputs; cut into segments of at most 4,096. Default 300. */
  readonly inputBytes?: number;
  /** Most input bytes of a segment; default 4,096. */
  readonly segmentBytes?: number;
  /** Changes to the finished header, made before it is signed. */
  readonly header?: Partial<BatchHeader>;
}

/** A chain of batches; `next` extends it. */
export class BatchChain {
  readonly batches: SignedBatch[] = [];
  readonly ledger = new StateTree(keccak);
  epoch = FIRST_EPOCH;
  private readonly domain: SigningDomain;
  private readonly key: Uint8Array;
  private readonly withdrawn = new Map<string, bigint>();

  constructor(domain: SigningDomain, sequencerKey: Uint8Array) {
    this.domain = domain;
    this.key = sequencerKey;
  }

  get last(): SignedBatch | undefined {
    return this.batches.at(-1);
  }

  next(plan: BatchPlan): SignedBatch {
    const batch = this.build(plan);
    this.batches.push(batch);
    return batch;
  }

  /** Drops batches after `id`, as after a new epoch on top of it. */
  rewind(id: number): void {
    this.batches.length = id;
  }

  /** Proof of the leaf WITHDRAWN(owner, asset) under the ledger root of the last batch. */
  withdrawalProof(owner: Uint8Array, asset: number): { total: bigint; path: Uint8Array } {
    const proof = prove(this.ledger, withdrawnKey(owner, asset));
    const total = this.withdrawn.get(leafName(owner, asset));
    if (proof === undefined || total === undefined) throw new Error('no such withdrawal');
    return { total, path: encodePath(proof.siblings) };
  }

  sign(header: BatchHeader): { hash: Uint8Array; signature: Uint8Array } {
    const hash = hashHeader(header, this.domain, keccak);
    return { hash, signature: signDigest(hash, this.key) };
  }

  private build(plan: BatchPlan): SignedBatch {
    const parent = this.last;
    const before = parent?.header;
    const id = before === undefined ? FIRST_BATCH_ID : before.id + 1;
    const withdrawn = this.applyWithdrawals(plan.withdrawals ?? []);
    // Something changes in every batch: an empty ledger root would not tell one batch from another.
    this.ledger.set(concat(Uint8Array.of(0x01), new Uint8Array(31)), keccak(Uint8Array.of(id)));
    const postLedgerRoot = this.ledger.root();
    const postBookRoot = keccak(Uint8Array.of(0xb0, id));
    const inputs = fill(plan.inputBytes ?? 300, id);
    const diff = fill(100 + id, id + 7);
    const start = {
      firstStep: before?.nextStep ?? FIRST_STEP,
      firstSeq: before?.nextSeq ?? FIRST_SEQ,
    };
    const postInputHash = keccak(inputs);
    const trace = segments(
      start,
      { bytes: inputs.length, segment: plan.segmentBytes ?? 4096 },
      {
        inputHash: postInputHash,
        stateRoot: keccak(concat(Uint8Array.of(0x03), postLedgerRoot, postBookRoot)),
      },
    );
    const end = trace.at(-1)!;
    const header: BatchHeader = {
      version: BATCH_VERSION,
      epoch: this.epoch,
      id,
      parentHash: parent?.hash ?? ZERO_HASH,
      preLedgerRoot: before?.postLedgerRoot ?? ZERO_HASH,
      preBookRoot: before?.postBookRoot ?? ZERO_HASH,
      postLedgerRoot,
      postBookRoot,
      traceRoot: traceRoot(trace, start, keccak),
      traceLength: trace.length,
      ...start,
      nextStep: end.nextStep,
      nextSeq: end.nextSeq,
      preInputHash: before?.postInputHash ?? ZERO_HASH,
      postInputHash,
      inputBytes: inputs.length,
      inputsHash: keccak(inputs),
      diffHash: keccak(diff),
      withdrawnHash: keccak(withdrawn),
      queueFirst: before?.queueNext ?? 0,
      queueNext: plan.queue?.next ?? before?.queueNext ?? 0,
      queueHash: plan.queue?.hash ?? before?.queueHash ?? ZERO_HASH,
      anchorNumber: plan.anchor.number,
      anchorHash: plan.anchor.hash,
      timeFirst: plan.timeFirst,
      timeLast: plan.timeLast,
      ...plan.header,
    };
    return { header, ...this.sign(header), trace, withdrawn, diff, inputs };
  }

  private applyWithdrawals(withdrawals: NonNullable<BatchPlan['withdrawals']>): Uint8Array {
    const totals = new Map<number, bigint>();
    for (const { owner, asset, amount } of withdrawals) {
      totals.set(asset, (totals.get(asset) ?? 0n) + amount);
      const name = leafName(owner, asset);
      const total = (this.withdrawn.get(name) ?? 0n) + amount;
      this.withdrawn.set(name, total);
      const value = new Uint8Array(16);
      setU128be(viewOf(value), 0, total);
      this.ledger.set(withdrawnKey(owner, asset), value);
    }
    const sorted = [...totals].sort(([a], [b]) => a - b);
    return encodeWithdrawn(sorted.map(([asset, amount]) => ({ asset, amount })));
  }
}

const leafName = (owner: Uint8Array, asset: number): string =>
  `${Buffer.from(owner).toString('hex')}/${asset}`;

/** Deterministic bytes, some of them zero. */
function fill(length: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let x = (seed * 2654435761 + 1) % 2 ** 32;
  for (let i = 0; i < length; i++) {
    x = (Math.imul(x, 1664525) + 1013904223) >>> 0;
    bytes[i] = x >>> 29 === 0 ? 0 : x >>> 24;
  }
  return bytes;
}

function segments(
  start: { firstStep: number; firstSeq: number },
  inputs: { bytes: number; segment: number },
  last: { inputHash: Uint8Array; stateRoot: Uint8Array },
): TraceEntry[] {
  const count = Math.max(1, Math.ceil(inputs.bytes / inputs.segment));
  return Array.from({ length: count }, (_, i) => ({
    nextStep: start.firstStep + 3 * (i + 1),
    nextSeq: start.firstSeq + i + 1,
    inputEnd: i === count - 1 ? inputs.bytes : inputs.segment * (i + 1),
    weight: 1_000 + i,
    inputHash: i === count - 1 ? last.inputHash : keccak(Uint8Array.of(i)),
    stateRoot: i === count - 1 ? last.stateRoot : keccak(Uint8Array.of(i, 1)),
  }));
}

/** A signed batch of a made-up chain, for codecs and vectors. */
export function anyBatch(plan: Partial<BatchPlan> = {}): SignedBatch {
  const domain = new SigningDomain(
    { chainId: 31_337, verifyingContract: new Uint8Array(20).fill(0xc0) },
    keccak,
  );
  return new BatchChain(domain, new Uint8Array(32).fill(7)).next({
    timeFirst: 1_700_000_000_000,
    timeLast: 1_700_000_004_321,
    anchor: { number: 12, hash: new Uint8Array(32).fill(3) },
    queue: { next: 6, hash: new Uint8Array(32).fill(4) },
    withdrawals: [
      { owner: new Uint8Array(20).fill(1), asset: 0, amount: 5n },
      { owner: new Uint8Array(20).fill(2), asset: 0, amount: 2n ** 60n },
      { owner: new Uint8Array(20).fill(2), asset: 3, amount: 1n },
    ],
    ...plan,
  });
}
