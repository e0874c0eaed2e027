/**
 * The place of the attacks: the real contracts on an Anvil, a queue full of all kinds of entries, and one honest batch
 * after which accounts have positions, orders, session keys and switches. Every attack is a second batch on top.
 */
import { createRecover, signersOf } from '#auth/recover.ts';
import { createWasmKeccak } from '#auth/wasm-keccak.ts';
import type { SignedBatch } from '#protocol/batch.ts';
import { fromHex, toHex } from '#protocol/bytes.ts';
import { type Keccak, ZERO_HASH } from '#protocol/hash.ts';
import { encodeChainParameters, encodeMarketConfig, encodePublisher } from '#protocol/market.ts';
import {
  QUEUE_CONFIGURE_CHAIN,
  QUEUE_CONFIGURE_MARKET,
  QUEUE_CONFIGURE_PUBLISHER,
  type QueueEntry,
} from '#protocol/queue-entry.ts';
import { SigningDomain } from '#protocol/signing.ts';
import { type ChainTip, tipAfter } from '#prover-stub/chain-tip.ts';
import { type L1Client, withKey } from '#settlement/l1/client.ts';
import {
  type ConfigurationChange,
  enterConfiguration,
  proposeConfiguration,
} from '#settlement/l1/configuration-actions.ts';
import { EventReader } from '#settlement/l1/events.ts';
import {
  approveVault,
  deposit,
  forceCancelAll,
  forceReduceOnly,
  forceWithdraw,
  mintTestTokens,
} from '#settlement/l1/vault-actions.ts';
import { encodeSnapshot } from '#state/snapshot.ts';
import type { TestKey } from '../auth/keys.ts';
import { commit, DEPLOYER, type L1Fixture, passSeconds, startFixture } from '../settlement/l1-fixture.ts';
import { CHAIN, DEPOSITS, MARKETS, playBase } from './base.ts';
import { CommandMaker } from './command-maker.ts';
import { Forger } from './forger.ts';
import { KEY, LATE_PUBLISHER, PUBLISHERS } from './keys.ts';

const INCLUSION_MS = 600_000;
const WINDOW_SECONDS = 3_600;

/** What batch 2 goes on from. */
export interface Base {
  readonly batch: SignedBatch;
  readonly snapshot: Uint8Array;
  readonly tip: ChainTip;
}

export class World {
  readonly fixture: L1Fixture;
  readonly keccak: Keccak;
  readonly domain: SigningDomain;
  /** Time of the first command. */
  readonly start: number;
  /** Goes on behind the first batch. */
  readonly maker: CommandMaker;
  readonly base: Base;
  /** Entries that the first batch left in the queue. */
  readonly waiting: readonly QueueEntry[];
  /** Of the second batch. */
  readonly anchor: { readonly number: number; readonly hash: Uint8Array };

  private constructor(fields: Omit<World, 'rpc' | 'recover' | 'stop' | 'l1'>) {
    this.fixture = fields.fixture;
    this.keccak = fields.keccak;
    this.domain = fields.domain;
    this.start = fields.start;
    this.maker = fields.maker;
    this.base = fields.base;
    this.waiting = fields.waiting;
    this.anchor = fields.anchor;
  }

  static async open(): Promise<World> {
    const keccak = await createWasmKeccak();
    const deployer = await startFixture({
      deploy: {
        chain: CHAIN,
        markets: MARKETS,
        publishers: PUBLISHERS.map(({ address }) => ({ address, weight: 1 })),
        windowSeconds: WINDOW_SECONDS,
        inclusionMs: INCLUSION_MS,
        // Few entries are a crowd.
        intervalMs: 30_000,
        feeDoublingMs: 60_000,
        configurator: '0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266',
      },
    });
    try {
      return await World.prepare(deployer, keccak);
    } catch (error) {
      await deployer.devnet.stop();
      throw error;
    }
  }

  private static async prepare(fixture: L1Fixture, keccak: Keccak): Promise<World> {
    const { l1, rollup } = fixture;
    const domain = new SigningDomain(rollup.domain, keccak);
    const { address } = fixture.devnet.accounts[DEPLOYER]!;
    await mintTestTokens(l1, rollup, { address, amount: 2 ** 50 + 1e12 });
    await approveVault(l1, rollup, { asset: 0 });
    const pay = (owner: TestKey, amount: number, subaccount = 0) =>
      deposit(l1, rollup, { asset: 0, amount, subaccount, owner: toHex(owner.address) });
    for (const [name, subaccount, amount] of DEPOSITS)
      await pay(KEY[name as keyof typeof KEY], amount, subaccount);
    const changes: ConfigurationChange[] = [
      { kind: QUEUE_CONFIGURE_MARKET, payload: encodeMarketConfig({ ...MARKETS[0]!, takerFeePpm: 700 }) },
      { kind: QUEUE_CONFIGURE_CHAIN, payload: encodeChainParameters({ ...CHAIN, openOrdersMax: 14 }) },
      {
        kind: QUEUE_CONFIGURE_PUBLISHER,
        payload: encodePublisher({ index: 5, address: LATE_PUBLISHER.address, weight: 2 }),
      },
    ];
    const proposed = [];
    for (const change of changes) proposed.push(await proposeConfiguration(l1, rollup, change));
    const { timestamp } = await l1.public.getBlock({ blockTag: 'latest' });
    const start = Math.ceil(Number(timestamp) / 60) * 60_000 + 1_000;

    const reader = new EventReader(l1, rollup, { confirmations: 0 });
    const queued = async (): Promise<QueueEntry[]> =>
      (await reader.poll()).events.flatMap((event) => (event.kind === 'queued' ? [event.entry] : []));
    const maker = new CommandMaker(domain, start);
    for (const entry of await queued()) maker.entry(`entry ${entry.index}`, entry);
    playBase(maker);
    const forger = new Forger({ keccak, domain, secret: fixture.sequencerKey });
    for (const command of maker.made) forger.apply(command);
    await passSeconds(l1, WINDOW_SECONDS + INCLUSION_MS / 1000 + 60);
    const batch = forger.close({ id: 1, parentHash: ZERO_HASH, epoch: 1, anchor: await latest(l1) });
    await commit(l1, rollup, batch);

    await pay(KEY.taker, 5_000_000);
    await pay(KEY.stranger, 7_000_000);
    const as = async (key: TestKey): Promise<L1Client> => {
      const params = [toHex(key.address), '0x56bc75e2d63100000'];
      await l1.public.request({ method: 'anvil_setBalance', params } as never);
      return withKey(l1, toHex(key.secret));
    };
    const taker = await as(KEY.taker);
    await forceWithdraw(taker, rollup, { asset: 0, subaccount: 0, amount: 1_000_000 });
    await forceCancelAll(await as(KEY.makerA), rollup, { subaccount: 0 });
    await forceReduceOnly(taker, rollup, { market: 0, subaccount: 0, side: 1, price: 0, size: 150 });
    await pay(KEY.rich, 2 ** 50);
    for (const change of proposed) await enterConfiguration(l1, rollup, change);
    await forceWithdraw(await as(KEY.poor), rollup, { asset: 0, subaccount: 0, amount: 1_000_000_000 });
    const waiting = await queued();

    const anchor = await latest(l1);
    await l1.public.request({ method: 'evm_mine', params: [] } as never);
    return new World({
      ...{ fixture, keccak, domain, start, maker, waiting, anchor },
      base: {
        batch,
        snapshot: encodeSnapshot(forger.state.seq, forger.trees),
        tip: tipAfter(batch.header, {
          hash: batch.hash,
          inputsQueueNext: batch.header.queueNext,
          segments: batch.trace.length,
        }),
      },
    });
  }

  get l1(): L1Client {
    return this.fixture.l1;
  }

  rpc<T>(method: string, ...params: unknown[]): Promise<T> {
    return this.l1.public.request({ method, params } as never) as Promise<T>;
  }

  /** Who signed records, as anybody finds out who has only their bytes. */
  readonly recover = async (records: readonly Uint8Array[]): Promise<readonly (Uint8Array | undefined)[]> => {
    const recover = createRecover(this.keccak);
    return records.map((record) => signersOf(record, this.domain, recover));
  };

  stop(): Promise<void> {
    return this.fixture.devnet.stop();
  }
}

async function latest(l1: L1Client): Promise<{ number: number; hash: Uint8Array }> {
  const block = await l1.public.getBlock({ blockTag: 'latest' });
  return { number: Number(block.number), hash: fromHex(block.hash) };
}
