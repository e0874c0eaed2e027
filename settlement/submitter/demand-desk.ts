/**
 * Answers demands for inputs: keeps the list of those that are open, and says which to answer next, with the records
 * from the signed batch. A demand that is not answered strikes its batch and takes the whole bond, so trouble here is
 * the loudest alert there is.
 */
import { equalBytes, toHex } from '#protocol/bytes.ts';
import type { Hex, L1Client } from '../l1/client.ts';
import type { RollupContracts } from '../l1/contracts.ts';
import {
  type DemandCounts,
  demandedSegment,
  encodeAnswer,
  type OpenDemand,
  readDemand,
  readDemandCounts,
} from '../l1/demand-actions.ts';
import type { Alerts } from './alerts.ts';
import type { BatchSource } from './batch-source.ts';
import type { Work } from './intent-store.ts';

export interface DemandStatus {
  /** Demands ever made of this rollup's batches. */
  readonly made: number;
  /** Open now. */
  readonly open: number;
  /** Answers of this process that were sent. */
  readonly answered: number;
  /** When the first of the open ones is due; undefined when there is none. */
  readonly dueMs: number | undefined;
}

export interface Answer {
  readonly work: Work & { readonly kind: 'answer' };
  readonly data: Hex;
}

export class DemandDesk {
  private readonly l1: L1Client;
  private readonly rollup: RollupContracts;
  private readonly source: BatchSource;
  private readonly alerts: Alerts;
  private open = new Map<number, OpenDemand>();
  private known = 0;
  private answered = 0;
  private counts: DemandCounts = { count: 0, open: 0, feeWei: 0n };

  constructor(l1: L1Client, rollup: RollupContracts, source: BatchSource, alerts: Alerts) {
    this.l1 = l1;
    this.rollup = rollup;
    this.source = source;
    this.alerts = alerts;
  }

  get status(): DemandStatus {
    const due = [...this.open.values()].map(({ answerUntilMs }) => answerUntilMs);
    return {
      made: this.counts.count,
      open: this.open.size,
      answered: this.answered,
      dueMs: due.length === 0 ? undefined : Math.min(...due),
    };
  }

  isOpen(id: number): boolean {
    return this.open.has(id);
  }

  /** Reads what is open; costs three calls while nothing is. Rejects with `L1Error`. */
  async observe(): Promise<void> {
    const counts = await readDemandCounts(this.l1, this.rollup);
    // After a reorg an id may be another's.
    if (counts.count < this.known) this.known = 0;
    const ids = [...this.open.keys(), ...range(this.known + 1, counts.count)];
    const open = new Map<number, OpenDemand>();
    if (ids.length > 0 && counts.open > 0)
      for (const id of ids) {
        const demand = await readDemand(this.l1, this.rollup, id);
        if (demand === undefined) continue;
        open.set(id, demand);
        if (!this.open.has(id)) this.announce(demand);
      }
    this.counts = counts;
    this.known = counts.count;
    this.open = open;
    if (open.size === 0) this.alerts.clear('demanded', 'unanswerable');
  }

  /** Answers that are not under way, the most urgent first. */
  async *answers(isUnderWay: (demand: number) => boolean): AsyncGenerator<Answer, void, undefined> {
    const urgent = [...this.open.values()].sort((a, b) => a.answerUntilMs - b.answerUntilMs);
    for (const demand of urgent) {
      if (isUnderWay(demand.id)) continue;
      const answer = await this.answerTo(demand);
      if (answer !== undefined) yield answer;
    }
  }

  noteSent(): void {
    this.answered += 1;
  }

  private async answerTo(demand: OpenDemand): Promise<Answer | undefined> {
    const { id, batch: batchId, batchHash } = demand;
    let why = `expected batch ${batchId} (${toHex(batchHash)}) from the sequencer, got none`;
    try {
      const batch = await this.source.get(batchId);
      const segment =
        batch !== undefined && equalBytes(batch.hash, batchHash) ? demandedSegment(batch, demand) : undefined;
      if (segment !== undefined)
        return {
          work: { kind: 'answer', demand: id, batch: batchId, segment: segment.segment },
          data: encodeAnswer(id, segment.inputs),
        };
    } catch (error) {
      why = (error as Error).message;
    }
    this.alerts.raise(
      'unanswerable',
      `demand ${id} for inputs of batch ${batchId}, due ${new Date(demand.answerUntilMs).toISOString()}: ${why}: unanswered, it strikes the batch and takes the bond`,
    );
    return undefined;
  }

  private announce({ id, batch, inputBytes, answerUntilMs, demander }: OpenDemand): void {
    this.alerts.raise(
      'demanded',
      `demand ${id} by ${demander}: ${inputBytes} bytes of the inputs of batch ${batch}, due ${new Date(answerUntilMs).toISOString()}`,
    );
  }
}

function* range(first: number, last: number): Generator<number> {
  for (let n = first; n <= last; n++) yield n;
}
