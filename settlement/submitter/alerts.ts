/** What an operator must hear, once each: an alert is raised when a trouble begins, and cleared when it has passed. */

export type AlertCode =
  | 'l1-unreachable'
  /** The sequencer does not answer, or answers with no batch. */
  | 'source'
  /** The next signed batch does not continue the chain on L1. */
  | 'fork'
  /** The contract would refuse the next transaction; it is held back and tried again. */
  | 'refused'
  /** A transaction was mined and reverted. */
  | 'reverted'
  /** Fees are above the cap; nothing new is sent until they fall. */
  | 'fee-spike'
  /** A nonce could not be moved in all attempts; nothing more is sent until it moves. */
  | 'stuck'
  /** Someone else used our key. */
  | 'foreign-transaction'
  | 'low-balance'
  /** No carrier that may be used can take the next batch, or its blobs can't be made. */
  | 'carrier'
  /** Someone asks for inputs on L1; it is being answered. */
  | 'demanded'
  /** A demand can't be answered: when it is due, the batch is struck and the bond gone. */
  | 'unanswerable';

export interface Alert {
  readonly code: AlertCode;
  /** One sentence with what was expected and got. */
  readonly message: string;
  readonly atMs: number;
}

export class Alerts {
  private readonly standing = new Map<AlertCode, Alert>();
  private readonly report: (alert: Alert) => void;
  private readonly now: () => number;

  constructor(report: (alert: Alert) => void, now: () => number) {
    this.report = report;
    this.now = now;
  }

  /** Tells the operator unless this very sentence stands already. */
  raise(code: AlertCode, message: string): void {
    if (this.standing.get(code)?.message === message) return;
    const alert = { code, message, atMs: this.now() };
    this.standing.set(code, alert);
    this.report(alert);
  }

  clear(...codes: AlertCode[]): void {
    for (const code of codes) this.standing.delete(code);
  }

  get active(): readonly Alert[] {
    return [...this.standing.values()];
  }
}
