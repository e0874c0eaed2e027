/**
 * Proofs of fraud in the bytes that Challenges takes: the calldata of one of its checks. Whoever finds a fraud says
 * which check and what it opens; header, trace and posted bytes come from the batch.
 *
 *   const proof = encodeFraudProof(batch, { check: 'diff', key, pre, post }, keccak);
 *   await proveFraud(l1, rollup, proof);                                          // challenge-actions.ts
 */
import { encodeFunctionData, type Hex, toFunctionSelector } from 'viem';
import { encodeHeader, type SignedBatch } from '#protocol/batch.ts';
import { toHex } from '#protocol/bytes.ts';
import type { Keccak } from '#protocol/hash.ts';
import { openSegment } from '#protocol/trace-proof.ts';
import { challengesAbi } from './abi.ts';
import type { ElementOpening } from './kzg.ts';

/** What a check opens beside what was posted. Leaf proofs are packed (state/tree-proof.ts). */
export type FraudProof =
  | { readonly check: 'step'; readonly segment: number; readonly witness: StepWitness }
  | { readonly check: 'inputs'; readonly segment: number }
  | {
      readonly check: 'blobs';
      readonly segment: number;
      /** Versioned hashes of the batch's blobs, in order. */
      readonly hashes: readonly Hex[];
      /** Of exactly the elements that hold the segment's part. */
      readonly openings: readonly ElementOpening[];
    }
  | { readonly check: 'diff'; readonly key: Uint8Array; readonly pre: Uint8Array; readonly post: Uint8Array }
  | { readonly check: 'clock'; readonly post: Uint8Array }
  | { readonly check: 'queue'; readonly post: Uint8Array }
  | {
      readonly check: 'withdrawn';
      readonly asset: number;
      readonly pre: Uint8Array;
      readonly post: Uint8Array;
    };
export type FraudCheck = FraudProof['check'];

/** Of one segment: multiproofs of the two trees, the record that it begins within, hints, the records it takes up. */
export interface StepWitness {
  readonly ledger: Uint8Array;
  readonly book: Uint8Array;
  readonly carried: Uint8Array;
  readonly hints: Uint8Array;
  readonly inputs: Uint8Array;
}

const CHECKS = {
  step: 'checkStep',
  inputs: 'checkInputs',
  blobs: 'checkBlobs',
  diff: 'checkDiff',
  clock: 'checkClock',
  queue: 'checkQueue',
  withdrawn: 'checkWithdrawn',
} as const satisfies Record<FraudCheck, string>;

/** Throws where the batch has no such segment. */
export function encodeFraudProof(batch: SignedBatch, proof: FraudProof, keccak: Keccak): Hex {
  const abi = challengesAbi;
  const header = toHex(encodeHeader(batch.header));
  const functionName = CHECKS[proof.check];
  switch (proof.check) {
    case 'step': {
      const { ledger, book, carried, hints, inputs } = proof.witness;
      const witness = {
        ledger: toHex(ledger),
        book: toHex(book),
        carried: toHex(carried),
        hints: toHex(hints),
      };
      const segment = segmentProof(batch, proof.segment, keccak);
      return encodeFunctionData({
        abi,
        functionName: 'checkStep',
        args: [header, segment, toHex(inputs), witness],
      });
    }
    case 'inputs':
      return encodeFunctionData({
        abi,
        functionName: 'checkInputs',
        args: [header, segmentProof(batch, proof.segment, keccak), toHex(batch.inputs)],
      });
    case 'blobs':
      return encodeFunctionData({
        abi,
        functionName: 'checkBlobs',
        args: [
          header,
          segmentProof(batch, proof.segment, keccak),
          proof.hashes,
          proof.openings.map(({ index, ...rest }) => ({ ...rest, index: BigInt(index) })),
        ],
      });
    case 'diff':
      return encodeFunctionData({
        abi,
        functionName: 'checkDiff',
        args: [header, toHex(batch.diff), toHex(proof.key), leafProofs(proof)],
      });
    case 'clock':
    case 'queue':
      return encodeFunctionData({
        abi,
        functionName: functionName as 'checkClock' | 'checkQueue',
        args: [header, toHex(proof.post)],
      });
    case 'withdrawn':
      return encodeFunctionData({
        abi,
        functionName: 'checkWithdrawn',
        args: [header, toHex(batch.withdrawn), proof.asset, leafProofs(proof)],
      });
  }
}

/** Which check a proof is, by its selector as Challenges announces it; undefined for none. */
export function fraudCheckOf(proof: Hex): FraudCheck | undefined {
  const selector = proof.slice(0, 10).toLowerCase();
  return (Object.keys(CHECKS) as FraudCheck[]).find((check) => selectorOf(check) === selector);
}

function selectorOf(check: FraudCheck): Hex {
  const item = challengesAbi.find((one) => one.type === 'function' && one.name === CHECKS[check]);
  return toFunctionSelector(item as Parameters<typeof toFunctionSelector>[0]);
}

function leafProofs({ pre, post }: { readonly pre: Uint8Array; readonly post: Uint8Array }) {
  return { pre: toHex(pre), post: toHex(post) };
}

/** The segment with the one before it, as contracts open it; segment 0 goes on from the header. */
export function segmentProof(
  { trace, header }: Pick<SignedBatch, 'trace' | 'header'>,
  index: number,
  keccak: Keccak,
) {
  const { segment, path } = openSegment(trace, header, index, keccak);
  const before = index === 0 ? undefined : openSegment(trace, header, index - 1, keccak);
  return {
    index,
    segment: toHex(segment),
    path: toHex(path),
    before: before === undefined ? '0x' : toHex(before.segment),
    beforePath: before === undefined ? '0x' : toHex(before.path),
  } as const;
}
