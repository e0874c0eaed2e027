/** What a run did, for programs: report.json. Whether it was a success is decided here too. */
import { writeFile } from 'node:fs/promises';
import type { JobKind } from './job.ts';
import { isEqualReplay, type ReplayVerdict } from './replay-compare.ts';

export interface DemoReport {
  readonly kind: JobKind;
  /** Of the traders and the publishers' walk. */
  readonly seed: number;
  readonly seconds: number;
  /** Operations; `canceled`: orders canceled on request. */
  readonly orders: {
    readonly sent: number;
    readonly accepted: number;
    readonly rejected: number;
    readonly canceled: number;
  };
  /** Trades: each has a maker and a taker. */
  readonly fills: number;
  /** From sending a message to its durable answer, seen by the client, microseconds. */
  readonly latencyUs: {
    readonly orderToReply: { readonly p50: number; readonly p99: number; readonly p999: number };
  };
  /** Operations a second between the first and the last answer. */
  readonly throughput: { readonly ordersPerSecond: number };
  readonly journal: { readonly records: number; readonly bytes: number; readonly flushes: number };
  readonly batches: {
    readonly signed: number;
    readonly committed: number;
    readonly final: number;
    readonly struck: number;
  };
  /** Of the submitter's key. */
  readonly l1: {
    readonly transactions: number;
    readonly gas: number;
    readonly calldataBytes: number;
    readonly blobBytes: number;
  };
  /** `batches`: the last one that the verifier has re-executed. */
  readonly verifier: {
    readonly steps: number;
    readonly mismatches: number;
    readonly batches: number;
    /** Of the state after its last batch, which ends with command `seq`. */
    readonly stateRoot: string;
    readonly seq: number;
  };
  readonly withdrawals: { readonly requested: number; readonly paid: number };
  /**
   * q: what the vault holds on L1 less what the ledger of the verifier's last batch owes (cash,
   * positions, fees, funding, withdrawn and not paid).
   */
  readonly conservation: {
    readonly vault: number;
    readonly leftBehind: number;
    readonly difference: number;
  };
  readonly replay?: ReplayVerdict;
  /** False when the run was interrupted: then not everything was waited for. */
  readonly complete: boolean;
  /** Why it is no success, in sentences. */
  readonly problems: readonly string[];
}

/** Sentences for everything that keeps a run from being a success; none for a good one. */
export function problemsOf(report: Omit<DemoReport, 'problems'>): string[] {
  const { batches, verifier, withdrawals, conservation, replay } = report;
  const problems: string[] = [];
  const expect = (holds: boolean, sentence: string): void => {
    if (!holds) problems.push(sentence);
  };
  expect(report.complete, 'the run was interrupted before everything was final');
  expect(verifier.mismatches === 0, `verifier: expected no mismatch, got ${verifier.mismatches}`);
  expect(verifier.steps > 0, 'verifier: expected steps, got none');
  expect(
    verifier.batches >= batches.final,
    `verifier: expected ${batches.final} batches re-executed, got ${verifier.batches}`,
  );
  expect(batches.final > 0, 'batches: expected final ones, got none');
  expect(batches.struck === 0, `batches: expected none struck, got ${batches.struck}`);
  expect(
    withdrawals.paid === withdrawals.requested,
    `withdrawals: expected ${withdrawals.requested} paid, got ${withdrawals.paid}`,
  );
  expect(
    conservation.difference === 0,
    `conservation: expected the vault to hold ${conservation.leftBehind}, got ${conservation.vault}`,
  );
  if (replay !== undefined && !isEqualReplay(replay))
    problems.push(
      `replay: expected ${replay.takes} takes and the end book as recorded, got ${replay.takesEqual} takes and a book that ${
        replay.bookEqual === false ? 'differs' : 'agrees'
      }${replay.differences.length > 0 ? ` (${replay.differences[0]})` : ''}`,
    );
  return problems;
}

export const writeReport = (file: string, report: DemoReport): Promise<void> =>
  writeFile(file, `${JSON.stringify(report, undefined, 2)}\n`);

const count = new Intl.NumberFormat('en-US');

/** A page for people. */
export function summaryOf(report: DemoReport): string {
  const { orders, latencyUs, batches, l1, verifier, withdrawals, conservation, replay } = report;
  const { p50, p99, p999 } = latencyUs.orderToReply;
  const rows: (readonly [string, string])[] = [
    [
      'orders',
      `${count.format(orders.sent)} sent, ${count.format(orders.accepted)} accepted, ${count.format(orders.rejected)} rejected, ${count.format(orders.canceled)} canceled`,
    ],
    ['fills', count.format(report.fills)],
    [
      'order → reply',
      `p50 ${count.format(p50)} µs, p99 ${count.format(p99)} µs, p99.9 ${count.format(p999)} µs`,
    ],
    ['throughput', `${count.format(report.throughput.ordersPerSecond)} orders/s`],
    [
      'journal',
      `${count.format(report.journal.records)} commands, ${count.format(report.journal.bytes)} bytes, ${count.format(report.journal.flushes)} flushes`,
    ],
    [
      'batches',
      `${batches.signed} signed, ${batches.committed} committed, ${batches.final} final, ${batches.struck} struck`,
    ],
    [
      'L1',
      `${count.format(l1.transactions)} transactions, ${count.format(l1.gas)} gas, ${count.format(l1.calldataBytes)} bytes of calldata${l1.blobBytes === 0 ? '' : `, ${count.format(l1.blobBytes)} in blobs`}`,
    ],
    ['verifier', `${count.format(verifier.steps)} steps re-executed, ${verifier.mismatches} mismatches`],
    ['withdrawals', `${withdrawals.requested} requested, ${withdrawals.paid} paid`],
    [
      'conservation',
      `vault ${count.format(conservation.vault)}, left behind ${count.format(conservation.leftBehind)}, difference ${conservation.difference}`,
    ],
  ];
  if (replay !== undefined)
    rows.push([
      'replay',
      replay.takesEqual === undefined
        ? `${replay.takes} takes, nothing recorded to compare with`
        : `${replay.takesEqual} of ${replay.takes} takes as recorded, end book ${replay.bookEqual === undefined ? 'not recorded' : replay.bookEqual ? 'equal' : 'DIFFERS'}`,
    ]);
  if (report.kind !== 'replay') rows.push(['seed', String(report.seed)]);
  const width = Math.max(...rows.map(([name]) => name.length));
  const { problems } = report;
  let verdict = problems.map((problem) => `NOT GOOD: ${problem}`).join('\n');
  if (problems.length === 0) verdict = 'Everything was verified and conserved.';
  else if (problems.length === 1 && !report.complete)
    verdict = `Stopped before everything was final: ${verifier.batches} batches were verified, nothing differed. The next start goes on from here.`;
  return [...rows.map(([name, value]) => `  ${name.padEnd(width)}  ${value}`), '', verdict].join('\n');
}
