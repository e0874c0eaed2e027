/**
 * From an accused batch to bytes that strike it: finds what can be proven, and tries it as a call. Where the contract
 * misses a leaf, the witness is made again with it; that should never be needed, and is said.
 */
import type { Keccak } from '#protocol/hash.ts';
import { BLOB_ELEMENTS, elementsOf } from '#settlement/l1/blob-codec.ts';
import { checkProof } from '#settlement/l1/challenge-actions.ts';
import type { Hex, L1Client } from '#settlement/l1/client.ts';
import type { RollupContracts } from '#settlement/l1/contracts.ts';
import { L1Error } from '#settlement/l1/errors.ts';
import { encodeFraudProof, type FraudProof } from '#settlement/l1/fraud-proof.ts';
import { type ElementOpening, Kzg } from '#settlement/l1/kzg.ts';
import { type MissingRead, missingOf } from '#settlement/l1/step-prover.ts';
import { type FraudSearch, findFraud } from './find-fraud.ts';
import { segmentsOf } from './fold-inputs.ts';
import { describeFraud, type Fraud } from './fraud.ts';
import type { BlobEvidence } from './inputs-source.ts';
import type { ExtraReads } from './segment-witness.ts';

/** Leaves that are added to a witness before it is given up. */
const REPAIRS_MAX = 16;

export interface ProofBuilding {
  readonly l1: L1Client;
  readonly rollup: RollupContracts;
  readonly keccak: Keccak;
  /** Makes the search anew: its commands are read once. */
  readonly search: () => FraudSearch;
  /** Where the batch's blobs show that it is wrong. */
  readonly evidence?: BlobEvidence;
  readonly say?: (sentence: string) => void;
}

export interface BuiltProof {
  readonly proof: Hex;
  readonly fraud: Fraud;
  /** Leaves that had to be added. */
  readonly repairs: number;
}

/** Undefined when nothing of the batch can be proven wrong. Rejects with `L1Error` when L1 does not answer. */
export async function buildProof(building: ProofBuilding): Promise<BuiltProof | undefined> {
  const { l1, rollup, keccak, say } = building;
  let extra: ExtraReads = { leaves: [], ranges: [] };
  for (let repairs = 0; repairs <= REPAIRS_MAX; repairs++) {
    const search = building.search();
    const frauds = await findFraud(repairs === 0 ? search : { ...search, extra });
    let missing: MissingRead | undefined;
    for (const fraud of frauds) {
      const proof = encodeFraudProof(search.accused, await provable(fraud, building, search), keccak);
      try {
        await checkProof(l1, rollup, proof);
        return { proof, fraud, repairs };
      } catch (error) {
        if (!(error instanceof L1Error) || error.code !== 'reverted') throw error;
        say?.(`proof by ${describeFraud(fraud)}: ${error.message}`);
        missing ??= missingOf(error);
      }
    }
    if (missing === undefined) return undefined;
    extra = withRead(extra, missing);
  }
  return undefined;
}

/** Inputs in blobs are shown by opening the elements that hold the segment's part. */
async function provable(
  fraud: Fraud,
  { evidence }: ProofBuilding,
  { accused }: FraudSearch,
): Promise<FraudProof> {
  if (fraud.check !== 'inputs' || evidence === undefined) return fraud;
  const { blobs, commitments, hashes, segment } = evidence;
  const { start, end } = segmentsOf(accused)[segment]!;
  const { first, count } = elementsOf(start, end);
  const openings: ElementOpening[] = [];
  const kzg = new Kzg();
  try {
    for (let index = first; index < first + count; index++) {
      const blob = Math.floor(index / BLOB_ELEMENTS);
      openings.push(await kzg.open(blobs[blob]!, { index, commitment: commitments[blob]! }));
    }
  } finally {
    await kzg.close();
  }
  return { check: 'blobs', segment, hashes, openings };
}

function withRead(extra: ExtraReads, { key, range }: MissingRead): ExtraReads {
  if (range === undefined) return { ...extra, leaves: [...extra.leaves, key] };
  const read = { prefix: key, bits: range.bits, max: Math.max(1, range.least) };
  return { ...extra, ranges: [...extra.ranges, read] };
}
