/**
 * An exchange for tests: the real engine and state, commands built without signatures (the signer is given),
 * a clock that the test moves, and the invariants of margin.md section 10 asserted after every command.
 */

import { Engine } from '#engine/engine.ts';
import { concat } from '#protocol/bytes.ts';
import {
  CLOCK,
  type Command,
  encodeRecord,
  MESSAGE,
  NO_SIGNERS,
  PRICE_ROUND,
  QUEUE_ENTRY,
} from '#protocol/command.ts';
import { type DecodedEvent, decodeEvent } from '#protocol/event.ts';
import { RECORD_HEADER_BYTES, SIGNATURE_BYTES } from '#protocol/limits.ts';
import {
  type ChainParameters,
  DEFAULT_CHAIN_PARAMETERS,
  encodeChainParameters,
  encodeMarketConfig,
  encodePublisher,
  type MarketConfig,
  NO_MARKET_LIMITS,
} from '#protocol/market.ts';
import { encodeUnsignedMessage } from '#protocol/message.ts';
import type { Operation, PlaceOperation } from '#protocol/operation.ts';
import { encodePriceRound } from '#protocol/price-report.ts';
import {
  encodeMoneyPayload,
  encodeQueueEntry,
  QUEUE_CONFIGURE_CHAIN,
  QUEUE_CONFIGURE_MARKET,
  QUEUE_CONFIGURE_PUBLISHER,
  QUEUE_DEPOSIT,
} from '#protocol/queue-entry.ts';
import { rejectName } from '#protocol/reject.ts';
import { ExchangeState } from '#state/exchange-state.ts';
import { NO_TRACE, type Trace } from '#state/trace.ts';
import { checkInvariants } from './invariants.ts';

/** 20 bytes that stand for a person: the last four hold `n`. */
export function testAddress(n: number): Uint8Array {
  const bytes = new Uint8Array(20).fill(0xaa);
  new DataView(bytes.buffer).setUint32(16, n);
  return bytes;
}

export const TEST_MARKET: MarketConfig = {
  market: 0,
  symbol: 'BTC-PERP',
  status: 0,
  qm: 1,
  maxPrice: 100_000_000,
  maxPosition: 2_800_000,
  maxOpenInterest: 0,
  maxOrderSize: 2_000_000,
  minNotional: 1,
  takerFeePpm: 500,
  makerFeePpm: -100,
  bandPpm: 0,
  profitWeightPpm: 1_000_000,
  ...NO_MARKET_LIMITS,
  tickSizeE9: 100_000_000,
  tiers: [
    { lower: 0, initialPpm: 20_000, maintenancePpm: 12_000 },
    { lower: 1_000_000, initialPpm: 40_000, maintenancePpm: 24_000 },
  ],
};

/** 10 % initial, 5 % maintenance, no fees, one q per tick and lot. */
export const PLAIN_MARKET: MarketConfig = {
  ...TEST_MARKET,
  maxPrice: 100_000,
  maxPosition: 1_000_000,
  maxOrderSize: 1_000_000,
  takerFeePpm: 0,
  makerFeePpm: 0,
  tiers: [{ lower: 0, initialPpm: 100_000, maintenancePpm: 50_000 }],
};

export interface TestExchangeOptions {
  markets?: readonly MarketConfig[];
  chain?: Partial<ChainParameters>;
  trace?: Trace;
  state?: ExchangeState;
  /** Off for long speed-bound sessions only. */
  checkInvariants?: boolean;
}

export class TestExchange {
  readonly state: ExchangeState;
  readonly engine: Engine;
  now = 1_700_000_000_000;
  /** Every command applied, for replays. */
  readonly commands: Command[] = [];
  deposited = 0n;
  private queueIndex = 0;
  private readonly nonces = new Map<number, number>();
  private reportSequence = 0;
  private readonly checks: boolean;

  constructor(options: TestExchangeOptions = {}) {
    this.state = options.state ?? new ExchangeState();
    this.engine = new Engine(this.state, options.trace ?? NO_TRACE);
    this.checks = options.checkInvariants ?? true;
    this.queue(
      QUEUE_CONFIGURE_CHAIN,
      new Uint8Array(20),
      encodeChainParameters({ ...DEFAULT_CHAIN_PARAMETERS, ...options.chain }),
    );
    for (let index = 0; index < 5; index++)
      this.queue(
        QUEUE_CONFIGURE_PUBLISHER,
        new Uint8Array(20),
        encodePublisher({ index, address: testAddress(9000 + index), weight: 1 }),
      );
    for (const market of options.markets ?? [TEST_MARKET])
      this.queue(QUEUE_CONFIGURE_MARKET, new Uint8Array(20), encodeMarketConfig(market));
  }

  apply(command: Command): DecodedEvent[] {
    this.engine.apply(command);
    this.commands.push(command);
    const events: DecodedEvent[] = [];
    for (let row = 0; row < this.engine.events.count; row++)
      events.push(decodeEvent(this.engine.events.data, row));
    if (this.checks) checkInvariants(this.state, this.deposited);
    return events;
  }

  queue(kind: number, owner: Uint8Array, payload: Uint8Array): DecodedEvent[] {
    const body = encodeQueueEntry({ index: this.queueIndex++, kind, owner, payload });
    return this.apply({ record: encodeRecord(QUEUE_ENTRY, this.now, body), signers: NO_SIGNERS });
  }

  /** Deposits for (owner n, subaccount) and returns the account. */
  deposit(n: number, amount: number, subaccount = 0): number {
    this.deposited += BigInt(amount);
    this.queue(QUEUE_DEPOSIT, testAddress(n), encodeMoneyPayload({ asset: 0, subaccount, amount }));
    return this.state.accountOf(testAddress(n), subaccount);
  }

  messageCommand(
    account: number,
    operations: readonly Operation[],
    options: { signer?: Uint8Array; nonce?: number; validUntil?: number } = {},
  ): Command {
    const nonce = options.nonce ?? (this.nonces.get(account) ?? 0) + 1;
    if (options.nonce === undefined) this.nonces.set(account, nonce);
    const unsigned = encodeUnsignedMessage({
      account,
      nonce,
      validUntil: options.validUntil ?? this.now + 60_000,
      operations,
    });
    const body = concat(unsigned, new Uint8Array(SIGNATURE_BYTES));
    return {
      record: encodeRecord(MESSAGE, this.now, body),
      signers: options.signer ?? this.state.accounts.owner(account).slice(),
    };
  }

  /** Sends operations as one message; throws with the code's name when the message is not admitted. */
  send(account: number, ...operations: Operation[]): DecodedEvent[] {
    const command = this.messageCommand(account, operations);
    const code = this.engine.admit(command, this.now);
    if (code !== 0) throw new Error(`message refused: ${rejectName(code)}`);
    return this.apply(command);
  }

  /** Result rows of a message, by operation. */
  results(events: readonly DecodedEvent[]): DecodedEvent[] {
    return events.filter((event) => event.event === 'OPERATION_RESULT');
  }

  /** Places a GTC limit order unless told otherwise; returns its result row. */
  place(
    account: number,
    order: Partial<PlaceOperation> & { side: 0 | 1; price: number; size: number },
  ): DecodedEvent {
    const events = this.send(account, { kind: 'place', market: 0, timeInForce: 0, ...order });
    return this.results(events)[0]!;
  }

  /** A round of five equal reports. */
  price(market: number, price: number): DecodedEvent[] {
    const sequence = this.nextReport();
    const reports = [0, 1, 2, 3, 4].map((publisher) => ({
      market,
      publisher,
      time: this.now,
      sequence,
      price,
      confidence: 1,
      signature: new Uint8Array(SIGNATURE_BYTES),
    }));
    const signers = concat(...reports.map((report) => testAddress(9000 + report.publisher)));
    return this.apply({
      record: encodeRecord(PRICE_ROUND, this.now, encodePriceRound(market, reports)),
      signers,
    });
  }

  /** A report sequence above all used so far. */
  nextReport(): number {
    return ++this.reportSequence;
  }

  clock(): DecodedEvent[] {
    return this.apply({ record: encodeRecord(CLOCK, this.now, new Uint8Array(0)), signers: NO_SIGNERS });
  }

  advance(ms: number): void {
    this.now += ms;
  }
}

export const recordBody = (command: Command): Uint8Array => command.record.subarray(RECORD_HEADER_BYTES);
