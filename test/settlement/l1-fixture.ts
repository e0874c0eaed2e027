/** An Anvil with a deployed rollup, five funded roles, and shortcuts that tests of the settlement layer share. */

import { encodeFunctionData } from 'viem';
import type { SignedBatch } from '#protocol/batch.ts';
import { fromHex, toHex } from '#protocol/bytes.ts';
import { nobleKeccak as keccak } from '#protocol/hash.ts';
import { DEFAULT_CHAIN_PARAMETERS } from '#protocol/market.ts';
import { AbiWords, SigningDomain, typeHash } from '#protocol/signing.ts';
import { queueAbi, rollupAbi } from '#settlement/l1/abi.ts';
import { encodeCommitBatch, encodeFinalizeBatch } from '#settlement/l1/batch-calldata.ts';
import { connectL1, type L1Client, send, withKey } from '#settlement/l1/client.ts';
import type { RollupContracts } from '#settlement/l1/contracts.ts';
import { type DeployOptions, deployRollup } from '#settlement/l1/deploy.ts';
import { type Devnet, type DevnetOptions, startDevnet } from '#settlement/l1/devnet.ts';
import { rollupStatus } from '#settlement/l1/vault-actions.ts';
import { BatchChain, type BatchPlan, signDigest } from './batch-builder.ts';

export interface L1Fixture {
  readonly devnet: Devnet;
  /** Under the deployer's key. */
  readonly l1: L1Client;
  readonly rollup: RollupContracts;
  readonly domain: SigningDomain;
  readonly chain: BatchChain;
  /** The sequencer's signing key. */
  readonly sequencerKey: Uint8Array;
  as(account: number): L1Client;
  /** Signed by the sequencer, on top of the last committed batch. */
  openEpoch(epoch: number): Promise<void>;
}

export const DEPLOYER = 0;
export const SEQUENCER = 1;
export const SUBMITTER = 2;
export const ALICE = 3;
export const BOB = 4;

export async function startFixture(
  options: { readonly devnet?: DevnetOptions; readonly deploy?: Partial<DeployOptions> } = {},
): Promise<L1Fixture> {
  const devnet = await startDevnet(options.devnet);
  try {
    const key = (account: number) => devnet.accounts[account]!.key;
    const l1 = await connectL1({ url: devnet.url, key: key(DEPLOYER), pollMs: 20 });
    const rollup = await deployRollup(l1, {
      sequencer: devnet.accounts[SEQUENCER]!.address,
      submitter: devnet.accounts[SUBMITTER]!.address,
      windowSeconds: 60,
      chain: DEFAULT_CHAIN_PARAMETERS,
      markets: [],
      publishers: devnet.accounts.slice(0, 5).map(({ address }) => ({ address, weight: 1 })),
      ...options.deploy,
    });
    const domain = new SigningDomain(rollup.domain, keccak);
    const sequencerKey = fromHex(key(SEQUENCER));
    return {
      devnet,
      l1,
      rollup,
      domain,
      sequencerKey,
      chain: new BatchChain(domain, sequencerKey),
      as: (account) => withKey(l1, key(account)),
      openEpoch: async (epoch) => {
        const { committedHash } = await rollupStatus(l1, rollup);
        const words = new AbiWords(3).hash(typeHash('Epoch(uint32 epoch,bytes32 parentHash)', keccak));
        const digest = domain.digest(keccak(words.uint(epoch).hash(fromHex(committedHash)).bytes));
        const signature = toHex(signDigest(digest, sequencerKey));
        await send(l1, {
          to: rollup.rollup,
          data: encodeFunctionData({ abi: rollupAbi, functionName: 'openEpoch', args: [epoch, signature] }),
          doing: `open epoch ${epoch}`,
        });
      },
    };
  } catch (error) {
    await devnet.stop();
    throw error;
  }
}

/** A plan that L1 takes now: anchor the latest block but one, times of the latest block, the whole queue consumed. */
export async function planNow(fixture: L1Fixture, more: Partial<BatchPlan> = {}): Promise<BatchPlan> {
  const { l1, rollup, chain } = fixture;
  const latest = await l1.public.getBlock({ blockTag: 'latest' });
  const anchor = await l1.public.getBlock({ blockNumber: latest.number - 1n });
  const count = await l1.public.readContract({
    address: rollup.queue,
    abi: queueAbi,
    functionName: 'length',
  });
  const [hash] = await l1.public.readContract({
    address: rollup.queue,
    abi: queueAbi,
    functionName: 'entries',
    args: [count - 1n],
  });
  const time = Math.max(Number(latest.timestamp) * 1000, chain.last?.header.timeLast ?? 0);
  return {
    timeFirst: time,
    timeLast: time,
    anchor: { number: Number(anchor.number), hash: fromHex(anchor.hash) },
    queue: { next: Number(count), hash: fromHex(hash) },
    ...more,
  };
}

export const commit = (l1: L1Client, rollup: RollupContracts, batch: SignedBatch) =>
  send(l1, { to: rollup.rollup, data: encodeCommitBatch(batch), doing: `commit ${batch.header.id}` });

export const finalize = (l1: L1Client, rollup: RollupContracts, batch: SignedBatch) =>
  send(l1, { to: rollup.rollup, data: encodeFinalizeBatch(batch), doing: `finalize ${batch.header.id}` });

/** Lets L1 time pass and mines a block. */
export async function passSeconds(l1: L1Client, seconds: number): Promise<void> {
  await l1.public.request({ method: 'evm_increaseTime', params: [seconds] } as never);
  await l1.public.request({ method: 'evm_mine', params: [] } as never);
}

/** The `L1Error` that a promise rejects with; throws when it resolves. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('expected a rejection, got a result');
}
