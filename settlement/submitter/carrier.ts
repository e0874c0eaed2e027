/**
 * Where the inputs of a batch go: into the calldata that commits it, into blobs beside it, or nowhere on L1 where the
 * rollup was deployed for that. `auto` takes the cheaper of the first two at the prices of the moment, and leaves
 * inputs off chain only when neither can carry them. The diff is in calldata always.
 */
import type { SignedBatch } from '#protocol/batch.ts';
import { COMMIT_CALLDATA_BYTES_MAX } from '#protocol/limits.ts';
import { encodeCommitBatch } from '../l1/batch-calldata.ts';
import { BLOBS_MAX, blobsFor, GAS_PER_BLOB } from '../l1/blob-codec.ts';
import type { Hex } from '../l1/client.ts';
import { TRANSACTION_GAS_MAX } from '../l1/transactions.ts';
import { commitGas } from './gas.ts';

export const CARRIERS = ['calldata', 'blobs', 'off-chain'] as const;
export type Carrier = (typeof CARRIERS)[number];
export type CarrierChoice = Carrier | 'auto';

/** Prices that it depends on, wei. */
export interface CarrierMarket {
  readonly baseFeePerGas: bigint;
  readonly blobBaseFeePerGas: bigint | undefined;
}

export interface CarriedCommit {
  readonly carrier: Carrier;
  readonly data: Hex;
  /** Upper bound. */
  readonly gas: bigint;
  readonly blobs: number;
  /** What it costs at most, at these prices; large commits pay the floor of their calldata, which is exact. */
  readonly wei: bigint;
}

const NOTHING = new Uint8Array(0);

/**
 * The batch in each carrier that can take it, the cheapest first. `elsewhere`: the rollup lets the sender put inputs
 * elsewhere than in calldata; `offChain`: and it takes none at all.
 */
export function carriersOf(
  batch: SignedBatch,
  market: CarrierMarket,
  may: { readonly elsewhere: boolean; readonly offChain: boolean },
): CarriedCommit[] {
  const bare = { ...batch, inputs: NOTHING };
  const found = [carried('calldata', batch, market)];
  // A batch without inputs has nothing to put elsewhere.
  if (batch.inputs.length > 0 && may.elsewhere) {
    const isInReach = market.blobBaseFeePerGas !== undefined && blobsFor(batch.inputs.length) <= BLOBS_MAX;
    if (isInReach) found.push(carried('blobs', bare, market, blobsFor(batch.inputs.length)));
    if (may.offChain) found.push(carried('off-chain', bare, market));
  }
  return found
    .filter(({ data, gas }) => data.length / 2 - 1 <= COMMIT_CALLDATA_BYTES_MAX && gas <= TRANSACTION_GAS_MAX)
    .sort((a, b) => (a.wei < b.wei ? -1 : a.wei > b.wei ? 1 : 0));
}

/** The one to use; undefined when none that may be used can take the batch. */
export function chooseCarrier(
  choice: CarrierChoice,
  carriers: readonly CarriedCommit[],
): CarriedCommit | undefined {
  if (choice !== 'auto') return carriers.find(({ carrier }) => carrier === choice) ?? withoutInputs(carriers);
  return carriers.find(({ carrier }) => carrier !== 'off-chain') ?? carriers[0];
}

/** A batch without inputs goes as it is, whatever was chosen. */
const withoutInputs = (carriers: readonly CarriedCommit[]): CarriedCommit | undefined =>
  carriers.length === 1 && carriers[0]!.blobs === 0 && carriers[0]!.carrier === 'calldata'
    ? carriers[0]
    : undefined;

function carried(
  carrier: Carrier,
  batch: SignedBatch,
  { baseFeePerGas, blobBaseFeePerGas = 0n }: CarrierMarket,
  blobs = 0,
): CarriedCommit {
  const data = encodeCommitBatch(batch);
  const gas = commitGas(data, batch);
  const blobGas = BigInt(blobs) * GAS_PER_BLOB;
  return { carrier, data, gas, blobs, wei: gas * baseFeePerGas + blobGas * blobBaseFeePerGas };
}
