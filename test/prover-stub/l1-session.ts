/** An exchange on a real L1 for tests of verifiers: deployed contracts, deposits, commands with real signatures. */
import { concat, fromHex, toHex, viewOf } from '#protocol/bytes.ts';
import {
  CLOCK,
  type Command,
  encodeRecord,
  MESSAGE,
  NO_SIGNERS,
  PRICE_ROUND,
  QUEUE_ENTRY,
} from '#protocol/command.ts';
import { DEFAULT_CHAIN_PARAMETERS, type MarketConfig } from '#protocol/market.ts';
import { encodeUnsignedMessage } from '#protocol/message.ts';
import type { Operation } from '#protocol/operation.ts';
import { encodePriceRound } from '#protocol/price-report.ts';
import { encodeQueueEntry } from '#protocol/queue-entry.ts';
import type { DeployOptions } from '#settlement/l1/deploy.ts';
import type { DevnetOptions } from '#settlement/l1/devnet.ts';
import { EventReader } from '#settlement/l1/events.ts';
import { approveVault, deposit, mintTestTokens } from '#settlement/l1/vault-actions.ts';
import type { BatchPlace } from '#state/batch-assembly.ts';
import { signDigest, type TestKey, testKey } from '../auth/keys.ts';
import {
  commit,
  DEPLOYER,
  finalize,
  type L1Fixture,
  passSeconds,
  startFixture,
} from '../settlement/l1-fixture.ts';
import { TEST_MARKET } from '../support/exchange.ts';
import type { TestSequencer } from './test-sequencer.ts';

export const MARKET: MarketConfig = { ...TEST_MARKET, symbol: 'T-PERP' };
export const PRICE = 10_000;
/** Owners of accounts 1, 2, …; the last one is poor. */
export const OWNERS: readonly TestKey[] = [100, 101, 102, 103, 104].map(testKey);
const DEPOSITS = [1e11, 1e11, 1e11, 1e11, 1_000];
const PUBLISHERS: readonly TestKey[] = [500, 501, 502, 503, 504].map(testKey);
/** L1 is put so far ahead of the exchange, so that tests have room to let its time pass. */
const AHEAD_SECONDS = 60;

export class L1Session {
  readonly fixture: L1Fixture;
  /** Of the next command. */
  now = 0;
  private readonly reader: EventReader;
  private nonce = 0;
  private reportSequence = 0;

  static async start(devnet: DevnetOptions = {}, deploy: Partial<DeployOptions> = {}): Promise<L1Session> {
    const fixture = await startFixture({
      devnet,
      deploy: {
        chain: { ...DEFAULT_CHAIN_PARAMETERS, stalenessMs: 30_000, voidMs: 60_000 },
        markets: [MARKET],
        publishers: PUBLISHERS.map(({ address }) => ({ address, weight: 1 })),
        ...deploy,
      },
    });
    const { l1, rollup } = fixture;
    const total = DEPOSITS.reduce((sum, amount) => sum + amount, 0);
    const { address } = fixture.devnet.accounts[DEPLOYER]!;
    await mintTestTokens(l1, rollup, { address, amount: 2 * total });
    await approveVault(l1, rollup, { asset: 0 });
    const session = new L1Session(fixture);
    for (const [i, amount] of DEPOSITS.entries()) await session.deposit(i, amount);
    const { timestamp } = await l1.public.getBlock({ blockTag: 'latest' });
    session.now = Number(timestamp) * 1000;
    await passSeconds(l1, AHEAD_SECONDS);
    return session;
  }

  constructor(fixture: L1Fixture) {
    this.fixture = fixture;
    this.reader = new EventReader(fixture.l1, fixture.rollup, { confirmations: 0 });
  }

  async deposit(owner: number, amount: number): Promise<void> {
    const { l1, rollup } = this.fixture;
    const address = toHex(OWNERS[owner]!.address);
    await deposit(l1, rollup, { asset: 0, amount, subaccount: 0, owner: address });
  }

  /** Entries that have come into the queue since the last call. */
  async queueCommands(): Promise<Command[]> {
    const commands: Command[] = [];
    const { events } = await this.reader.poll();
    for (const event of events)
      if (event.kind === 'queued')
        commands.push({
          record: this.record(QUEUE_ENTRY, encodeQueueEntry(event.entry)),
          signers: NO_SIGNERS,
        });
    return commands;
  }

  /** A round of `count` equal reports. */
  price(price: number, count = PUBLISHERS.length): Command {
    const sequence = ++this.reportSequence;
    const signing = PUBLISHERS.slice(0, count);
    const reports = signing.map((key, publisher) => {
      const report = { market: 0, publisher, time: this.now, sequence, price, confidence: 1 };
      return { ...report, signature: signDigest(this.fixture.domain.report(report), key) };
    });
    const record = this.record(PRICE_ROUND, encodePriceRound(0, reports));
    return { record, signers: concat(...signing.map(({ address }) => address)) };
  }

  /** Signed by the owner of the account with that number less one, or by another key. */
  message(account: number, operations: readonly Operation[], signer = OWNERS[account - 1]!): Command {
    const fields = { account, nonce: ++this.nonce, validUntil: this.now + 600_000, operations };
    const unsigned = encodeUnsignedMessage(fields);
    const body = concat(unsigned, signDigest(this.fixture.domain.message(unsigned), signer));
    return { record: this.record(MESSAGE, body), signers: signer.address };
  }

  order(account: number, side: 0 | 1, price: number, size: number): Command {
    return this.message(account, [{ kind: 'place', market: 0, side, price, size, timeInForce: 0 }]);
  }

  clock(): Command {
    return { record: this.record(CLOCK, new Uint8Array(0)), signers: NO_SIGNERS };
  }

  /** The latest block as anchor. */
  async place(): Promise<Omit<BatchPlace, 'id' | 'parentHash'>> {
    const block = await this.fixture.l1.public.getBlock({ blockTag: 'latest' });
    return { epoch: 1, anchor: { number: Number(block.number), hash: fromHex(block.hash) } };
  }

  /** Commits what the sequencer has cut and L1 does not have. */
  async post(batches: TestSequencer['batches']): Promise<void> {
    const { l1, rollup } = this.fixture;
    for (const batch of batches) await commit(l1, rollup, batch);
  }

  async finalizeAll(batches: TestSequencer['batches']): Promise<void> {
    const { l1, rollup } = this.fixture;
    await passSeconds(l1, rollup.windowSeconds + 1);
    for (const batch of batches) await finalize(l1, rollup, batch);
  }

  private record(kind: number, body: Uint8Array): Uint8Array {
    return encodeRecord(kind, this.now++, body);
  }
}

/** The same record at another time. */
export function atTime(record: Uint8Array, time: number): Uint8Array {
  const kind = record[4]!;
  const body = record.slice(12);
  return encodeRecord(kind, time, body);
}

/** Changes one byte of a copy. */
export function flipped(bytes: Uint8Array, at: number): Uint8Array {
  const changed = bytes.slice();
  viewOf(changed).setUint8(at, changed[at]! ^ 1);
  return changed;
}
