/**
 * Shows on L1 that the sequencer signed two histories (Equivocation.sol). A proof is the calldata of one of the
 * contract's checks; whoever sends one commits to it a block before, so that a copy earns nothing.
 *
 *   const proof = receiptsProof(earlier, later, before, links);
 *   const { fault } = await proveEquivocation(l1, rollup, proof);   // the whole bond is gone
 *   await takeEquivocationReward(l1, rollup, fault);                // after the claim period
 */
import { encodeAbiParameters, encodeFunctionData, type Hex, keccak256, parseEventLogs } from 'viem';
import { encodeHeader, type SignedBatch } from '#protocol/batch.ts';
import { concat, toHex, viewOf } from '#protocol/bytes.ts';
import { recordBytes } from '#protocol/command.ts';
import type { Keccak } from '#protocol/hash.ts';
import { encodeSignedReceipt, foldLinks, LINK_BYTES, type SignedReceipt } from '#protocol/receipt.ts';
import { openSegment } from '#protocol/trace-proof.ts';
import type { Hash, Seq } from '#protocol/units.ts';
import { equivocationAbi } from './abi.ts';
import { accountOf, type L1Client, send } from './client.ts';
import type { RollupContracts } from './contracts.ts';
import { L1Error, l1Error } from './errors.ts';

type Signed = Pick<SignedBatch, 'header' | 'signature'>;

/** Two headers of one (epoch, id). */
export const headersProof = (a: Signed, b: Signed): Hex =>
  encodeFunctionData({
    abi: equivocationAbi,
    functionName: 'checkHeaders',
    args: [
      toHex(encodeHeader(a.header)),
      toHex(a.signature),
      toHex(encodeHeader(b.header)),
      toHex(b.signature),
    ],
  });

/** Two receipts of one epoch; `before` and `links` as IEquivocation.checkReceipts says. */
export const receiptsProof = (
  earlier: SignedReceipt,
  later: SignedReceipt,
  before: Hash,
  links: Uint8Array,
): Hex =>
  encodeFunctionData({
    abi: equivocationAbi,
    functionName: 'checkReceipts',
    args: [
      toHex(encodeSignedReceipt(earlier)),
      toHex(encodeSignedReceipt(later)),
      toHex(before),
      toHex(links),
    ],
  });

/** What a committed batch says of the history at one command. */
export interface CommittedPlace {
  /** Running input hash after the command. */
  readonly inputHash: Hash;
  /** Segment of the trace that holds it. */
  readonly segment: number;
  /** Record hashes of the segment's commands. */
  readonly links: Uint8Array;
}

/**
 * Undefined when the batch does not hold the command, or its inputs are not those of its trace. Where the inputs are
 * not at hand (`inputs` empty), only the last command of a segment has a place: the trace names the hash after it.
 */
export function committedPlace(
  batch: Pick<SignedBatch, 'header' | 'trace' | 'inputs'>,
  seq: Seq,
  keccak: Keccak,
): CommittedPlace | undefined {
  const { header, trace, inputs } = batch;
  const segment = trace.findIndex(({ nextSeq }) => seq < nextSeq);
  const entry = trace[segment];
  if (entry === undefined || seq < header.firstSeq) return undefined;
  const previous = trace[segment - 1];
  const firstSeq = previous?.nextSeq ?? header.firstSeq;
  if (inputs.length === 0 && seq + 1 === entry.nextSeq)
    return { inputHash: entry.inputHash, segment, links: new Uint8Array(0) };
  const links = linksOf(inputs.subarray(previous?.inputEnd ?? 0, entry.inputEnd), keccak);
  if (links?.length !== LINK_BYTES * (entry.nextSeq - firstSeq)) return undefined;
  const through = LINK_BYTES * (seq + 1 - firstSeq);
  const before = previous?.inputHash ?? header.preInputHash;
  const inputHash = foldLinks(before, links.subarray(0, through), keccak);
  const end = foldLinks(inputHash, links.subarray(through), keccak);
  return toHex(end) === toHex(entry.inputHash) ? { inputHash, segment, links } : undefined;
}

function linksOf(records: Uint8Array, keccak: Keccak): Uint8Array | undefined {
  const view = viewOf(records);
  const links: Hash[] = [];
  for (let at = 0; at < records.length; ) {
    if (at + 4 > records.length) return undefined;
    const end = at + recordBytes(view, at);
    if (end > records.length) return undefined;
    links.push(keccak(records.subarray(at, end)));
    at = end;
  }
  return concat(...links);
}

/** A receipt against a committed batch that holds its command. */
export function traceProof(
  receipt: SignedReceipt,
  batch: Pick<SignedBatch, 'header' | 'trace'>,
  place: CommittedPlace,
  keccak: Keccak,
): Hex {
  const { header, trace } = batch;
  const open = (index: number) => openSegment(trace, header, index, keccak);
  const { segment, path } = open(place.segment);
  const before = place.segment === 0 ? undefined : open(place.segment - 1);
  return encodeFunctionData({
    abi: equivocationAbi,
    functionName: 'checkTrace',
    args: [
      toHex(encodeSignedReceipt(receipt)),
      toHex(encodeHeader(header)),
      {
        index: place.segment,
        segment: toHex(segment),
        path: toHex(path),
        before: before === undefined ? '0x' : toHex(before.segment),
        beforePath: before === undefined ? '0x' : toHex(before.path),
      },
      toHex(place.links),
    ],
  });
}

/** Names the contract's reason when the proof does not count now; rejects with `L1Error` then. */
export async function checkEquivocation(l1: L1Client, rollup: RollupContracts, proof: Hex): Promise<void> {
  try {
    await l1.public.simulateContract({
      address: rollup.equivocation,
      abi: equivocationAbi,
      functionName: 'proveEquivocation',
      args: [proof, accountOf(l1).address, `0x${'00'.repeat(32)}`],
      account: accountOf(l1),
    });
  } catch (error) {
    throw l1Error(error, 'prove equivocation');
  }
}

/**
 * Checks the proof, commits to it, waits for the next block and sends it. The sender's own address is the
 * beneficiary. Rejects with `L1Error`; the reward can be taken when `claimUntil` (seconds) is over.
 */
export async function proveEquivocation(
  l1: L1Client,
  rollup: RollupContracts,
  proof: Hex,
): Promise<{
  readonly fault: Hex;
  readonly transaction: Hex;
  readonly claimUntil: number;
  readonly rewardWei: bigint;
}> {
  await checkEquivocation(l1, rollup, proof);
  const beneficiary = accountOf(l1).address;
  const salt = toHex(crypto.getRandomValues(new Uint8Array(32)));
  const commitment = keccak256(
    encodeAbiParameters(
      [{ type: 'address' }, { type: 'bytes32' }, { type: 'bytes32' }],
      [beneficiary, salt, keccak256(proof)],
    ),
  );
  const committed = await send(l1, {
    to: rollup.equivocation,
    data: encodeFunctionData({ abi: equivocationAbi, functionName: 'commitChallenge', args: [commitment] }),
    doing: 'commit to the proof',
  });
  await untilAfter(l1, committed.blockNumber);
  const receipt = await send(l1, {
    to: rollup.equivocation,
    data: encodeFunctionData({
      abi: equivocationAbi,
      functionName: 'proveEquivocation',
      args: [proof, beneficiary, salt],
    }),
    doing: 'prove equivocation',
  });
  const [opened] = parseEventLogs({ abi: equivocationAbi, eventName: 'RewardOpened', logs: receipt.logs });
  if (opened === undefined)
    throw new L1Error('malformed', 'prove equivocation: expected a RewardOpened event, got none');
  const { fault, claimUntil, amount } = opened.args;
  return {
    fault,
    transaction: receipt.transactionHash,
    claimUntil: Number(claimUntil),
    rewardWei: amount,
  };
}

/** Pays the reward of a fault to whose commitment was the oldest; anyone may send it. */
export async function takeEquivocationReward(
  l1: L1Client,
  rollup: RollupContracts,
  fault: Hex,
): Promise<void> {
  await send(l1, {
    to: rollup.equivocation,
    data: encodeFunctionData({ abi: equivocationAbi, functionName: 'takeReward', args: [fault] }),
    doing: 'take the reward',
  });
}

/** A transaction that is sent now can't be mined in `block` any more. */
async function untilAfter(l1: L1Client, block: bigint): Promise<void> {
  // The commitment is mined: whatever comes next is in a later block, unless the node is behind itself.
  while ((await l1.public.getBlockNumber({ cacheTime: 0 })) < block)
    await new Promise((resolve) => setTimeout(resolve, l1.pollMs));
}
