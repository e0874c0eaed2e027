/** Makes stamped and signed commands one after the other: the honest users and publishers of the attacks. */
import { concat, viewOf } from '#protocol/bytes.ts';
import {
  CLOCK,
  type Command,
  DISCONNECT,
  EVALUATE,
  encodeRecord,
  MESSAGE,
  NO_SIGNERS,
  PRICE_ROUND,
  QUEUE_ENTRY,
  VERSION,
} from '#protocol/command.ts';
import { encodeUnsignedMessage } from '#protocol/message.ts';
import type { Operation, PlaceOperation } from '#protocol/operation.ts';
import { encodePriceRound } from '#protocol/price-report.ts';
import { encodeQueueEntry, type QueueEntry } from '#protocol/queue-entry.ts';
import type { SigningDomain } from '#protocol/signing.ts';
import { ENGINE_VERSION } from '#state/exchange-state.ts';
import { signDigest, type TestKey } from '../auth/keys.ts';
import { ACCOUNT, type AccountName, KEY, PUBLISHERS } from './keys.ts';

export interface NamedCommand extends Command {
  readonly name: string;
}

/** One report of a round; what is not given is as it should be. */
export interface ReportPlan {
  readonly publisher: number;
  readonly price: number;
  readonly confidence?: number;
  readonly key?: TestKey;
  readonly sequence?: number;
  /** Milliseconds, negative: older than the round. */
  readonly shift?: number;
}

export type OrderPlan = Partial<PlaceOperation> & Pick<PlaceOperation, 'side' | 'price' | 'size'>;

const OWNER_OF: Readonly<Record<AccountName, TestKey>> = {
  makerA: KEY.makerA,
  makerB: KEY.makerB,
  taker: KEY.taker,
  rich: KEY.rich,
  poor: KEY.poor,
  vault: KEY.taker,
  isolated: KEY.taker,
  pooled: KEY.taker,
};

export class CommandMaker {
  readonly domain: SigningDomain;
  /** Of the next command. */
  now: number;
  readonly made: NamedCommand[] = [];
  nonce = 0;
  sequence = 0;

  constructor(domain: SigningDomain, now: number) {
    this.domain = domain;
    this.now = now;
  }

  /** Another one that goes on from here and keeps its own list. */
  fork(): CommandMaker {
    const maker = new CommandMaker(this.domain, this.now);
    maker.nonce = this.nonce;
    maker.sequence = this.sequence;
    return maker;
  }

  clock(name: string, time = this.now): void {
    this.now = time;
    this.add(name, CLOCK, new Uint8Array(0));
  }

  version(name: string): void {
    this.add(name, VERSION, Uint8Array.of(ENGINE_VERSION, 0, 0, 0));
  }

  disconnect(name: string, account: AccountName): void {
    const body = new Uint8Array(4);
    viewOf(body).setUint32(0, ACCOUNT[account], true);
    this.add(name, DISCONNECT, body);
  }

  evaluate(name: string, account: AccountName): void {
    const body = new Uint8Array(4);
    viewOf(body).setUint32(0, ACCOUNT[account], true);
    this.add(name, EVALUATE, body);
  }

  entry(name: string, entry: QueueEntry): void {
    this.add(name, QUEUE_ENTRY, encodeQueueEntry(entry));
  }

  send(name: string, account: AccountName, operations: readonly Operation[], key = OWNER_OF[account]): void {
    const fields = {
      account: ACCOUNT[account],
      nonce: ++this.nonce,
      validUntil: this.now + 600_000,
      operations,
    };
    this.signed(name, encodeUnsignedMessage(fields), key);
  }

  signed(name: string, unsigned: Uint8Array, key: TestKey): void {
    const body = concat(unsigned, signDigest(this.domain.message(unsigned), key));
    this.add(name, MESSAGE, body, key.address);
  }

  order(name: string, account: AccountName, plan: OrderPlan, key = OWNER_OF[account]): void {
    this.send(name, account, [{ kind: 'place', market: 0, timeInForce: 0, ...plan }], key);
  }

  /** Five equal reports, or as planned. */
  round(name: string, market: number, reports: number | readonly ReportPlan[]): void {
    const plans =
      typeof reports === 'number'
        ? PUBLISHERS.map((_, publisher) => ({ publisher, price: reports }))
        : reports;
    const signers: Uint8Array[] = [];
    const list = plans.map((plan: ReportPlan) => {
      const key = plan.key ?? PUBLISHERS[plan.publisher]!;
      const report = {
        market,
        publisher: plan.publisher,
        time: this.now + (plan.shift ?? 0),
        sequence: plan.sequence ?? ++this.sequence,
        price: plan.price,
        confidence: plan.confidence ?? 1,
      };
      signers.push(key.address);
      return { ...report, signature: signDigest(this.domain.report(report), key) };
    });
    this.add(name, PRICE_ROUND, encodePriceRound(market, list), concat(...signers));
  }

  private add(name: string, kind: number, body: Uint8Array, signers: Uint8Array = NO_SIGNERS): void {
    this.made.push({ name, record: encodeRecord(kind, this.now++, body), signers });
  }
}
