/**
 * Keeps the sequencer's receipts: verifies each, follows the history from one to the next, and finds the commands of
 * this client in it. What it keeps is evidence: with it anyone can show on L1 that the sequencer told two histories.
 *
 *   const keeper = await ReceiptKeeper.start(client.session, { sequencer, file: 'receipts.jsonl' });
 *   const order = await client.placeOrder(…);
 *   const { receipt } = await keeper.covering(order.seq);
 */
import { createRecover } from '#auth/recover.ts';
import { foldLinks, LINK_BYTES, type SignedReceipt } from '#protocol/receipt.ts';
import { isReverted, type Reverted } from '#protocol/reverted.ts';
import { watchReceipts } from './actions/watch-receipts.ts';
import { Listeners } from './listeners.ts';
import {
  checkStretch,
  contradictionOf,
  isSignedBySequencer,
  type OwnCommand,
  type ReceiptChecker,
  type ReceiptProblem,
  readReceiptView,
  type Stretch,
} from './receipt-check.ts';
import { ReceiptFile, readReceiptFile } from './receipt-file.ts';
import type { Session } from './session.ts';

/** A receipt that was found good. */
export interface KeptReceipt {
  readonly receipt: SignedReceipt;
  /** Commands of this client that it covers and the receipts before did not. */
  readonly own: readonly OwnCommand[];
  /** The history from the first of them on; undefined when there is none. */
  readonly stretch: Stretch | undefined;
}

export interface ReceiptKeeperOptions {
  /** 20 bytes: whom the rollup names as its sequencer on L1. The server's word is not enough. */
  readonly sequencer: Uint8Array;
  /** Keeps them in this file, too, one line of JSON each, and goes on from the last one that stands there. */
  readonly file?: string;
  /**
   * Asks for the links of every command between two receipts (32 bytes each), not only of the own ones: finds out at
   * once when a receipt does not continue the one before. Default true.
   */
  readonly follow?: boolean;
  readonly onKept?: (kept: KeptReceipt) => void;
  readonly onProblem?: (problem: ReceiptProblem) => void;
  /** A strike has made receipts void, and what was answered and not yet covered by one. */
  readonly onReverted?: (reverted: RevertedReceipts) => void;
  /** Receipts in memory; default 4,096. */
  readonly keptMax?: number;
}

/** What of this client's a strike took back, as the greeting after it says. */
export interface RevertedReceipts {
  readonly by: Reverted;
  /** Of those in memory. */
  readonly receipts: readonly KeptReceipt[];
  /** Answered, in no receipt yet, and void. */
  readonly own: readonly OwnCommand[];
}

interface Waiting {
  readonly seq: number;
  readonly resolve: (kept: KeptReceipt) => void;
}

export class ReceiptKeeper {
  readonly problems = new Listeners<ReceiptProblem>();
  readonly reversals = new Listeners<RevertedReceipts>();
  /** Ascending within an epoch. */
  readonly kept: KeptReceipt[] = [];
  private readonly session: Session;
  private readonly checker: ReceiptChecker;
  private readonly follow: boolean;
  private readonly keptMax: number;
  private readonly file: ReceiptFile | undefined;
  private readonly receipts = new Listeners<KeptReceipt>();
  /** Answered and not yet found in a receipt; ascending. */
  private own: OwnCommand[] = [];
  private waiting: Waiting[] = [];
  private last: SignedReceipt | undefined;
  /** Of the greeting. */
  private reverted: readonly Reverted[] = [];
  private work: Promise<void> = Promise.resolve();
  private readonly ends: (() => void)[] = [];

  /** Subscribes, and listens to what the session sends from now on. */
  static async start(session: Session, options: ReceiptKeeperOptions): Promise<ReceiptKeeper> {
    const file = options.file === undefined ? undefined : await ReceiptFile.open(options.file);
    const keeper = new ReceiptKeeper(session, options, file);
    if (options.file !== undefined) {
      const earlier = (await readReceiptFile(options.file)).map(({ receipt }) => receipt);
      keeper.last = earlier.findLast((receipt) => isSignedBySequencer(receipt, keeper.checker));
    }
    keeper.ends.push(session.replies.add((command) => keeper.own.push(command)));
    keeper.ends.push(session.ups.add(({ reverted = [] }) => keeper.takeBack(reverted)));
    const watch = await watchReceipts(session, {
      onReceipt: (receipt) => keeper.take(receipt),
    });
    keeper.ends.push(() => watch.close());
    return keeper;
  }

  private constructor(session: Session, options: ReceiptKeeperOptions, file: ReceiptFile | undefined) {
    const { keccak, context } = session;
    this.session = session;
    this.file = file;
    this.follow = options.follow ?? true;
    this.keptMax = options.keptMax ?? 4_096;
    this.checker = {
      digests: context.digests,
      keccak,
      recover: createRecover(keccak),
      sequencer: options.sequencer,
    };
    if (options.onProblem !== undefined) this.problems.add(options.onProblem);
    if (options.onKept !== undefined) this.receipts.add(options.onKept);
    if (options.onReverted !== undefined) this.reversals.add(options.onReverted);
    this.reverted = session.transport.hello.reverted ?? [];
  }

  /** Resolves with the first receipt for command `seq` or a later one, when it was found good. */
  covering(seq: number): Promise<KeptReceipt> {
    const found = this.kept.find(({ receipt }) => receipt.seq >= seq && !this.isReverted(receipt));
    return found === undefined
      ? new Promise((resolve) => this.waiting.push({ seq, resolve }))
      : Promise.resolve(found);
  }

  /** Whether a strike has made this receipt void, as far as the sequencer's greetings say; L1 says so in any case. */
  isReverted(receipt: SignedReceipt): boolean {
    return isReverted(receipt, this.reverted);
  }

  /** Stops; what arrived before is worked off and written. */
  async close(): Promise<void> {
    for (const end of this.ends.splice(0)) end();
    await this.work;
    await this.file?.close();
  }

  /** A greeting names strikes: what it reverts is told once, after what came before it was worked off. */
  private takeBack(reverted: readonly Reverted[]): void {
    // Answered before this connection: in an epoch that the strike ended, or in one before.
    const answered = new Set(this.own);
    this.work = this.work.then(() => {
      const known = Math.max(0, ...this.reverted.map(({ epoch }) => epoch));
      this.reverted = reverted;
      for (const by of reverted) {
        if (by.epoch <= known) continue;
        const receipts = this.kept.filter(({ receipt }) => isReverted(receipt, [by]));
        const own = this.own.filter((command) => answered.has(command) && command.seq >= by.fromSeq);
        this.own = this.own.filter((command) => !own.includes(command));
        if (receipts.length + own.length > 0) this.reversals.emit({ by, receipts, own });
      }
    });
  }

  private take(receipt: SignedReceipt): void {
    const { session } = this;
    this.work = this.work.then(() => this.examine(receipt)).catch((error) => session.troubles.emit(error));
  }

  /** A receipt of the stream: everything between the last good one and this one, when it is asked for. */
  private async examine(told: SignedReceipt): Promise<void> {
    if (!isSignedBySequencer(told, this.checker)) {
      this.problems.emit({ kind: 'forged', receipt: told });
      return;
    }
    const again = this.kept.find(({ receipt }) => receipt.epoch === told.epoch && receipt.seq === told.seq);
    if (again !== undefined) {
      const receipts = contradictionOf(again.receipt, told);
      if (receipts !== undefined) this.problems.emit({ kind: 'contradiction', receipts });
      return;
    }
    let from = this.firstToAsk(told);
    while (from !== undefined && from <= told.seq) {
      const view = await this.session.query('receipt', { seq: from }).catch(() => null);
      const read = view === null ? undefined : readReceiptView(view, from);
      if (read === undefined) {
        if (this.own.some(({ seq }) => seq <= told.seq))
          this.problems.emit({ kind: 'untold', from, through: told.seq });
        this.own = this.own.filter(({ seq }) => seq > told.seq);
        break;
      }
      const { receipt, stretch } = read;
      if (!isSignedBySequencer(receipt, this.checker)) {
        this.problems.emit({ kind: 'forged', receipt });
        return;
      }
      const isTold = receipt.seq >= told.seq;
      const receipts = contradictionOf(told, receipt);
      if (receipts !== undefined) {
        this.problems.emit({ kind: 'contradiction', receipts });
        return;
      }
      if (!(await this.keep(receipt, stretch))) return;
      if (isTold) return;
      from = receipt.seq + 1;
    }
    await this.keep(told, undefined);
  }

  /** First command whose links are of use: after the last receipt, or the first own one. */
  private firstToAsk(told: SignedReceipt): number | undefined {
    const own = this.own.find(({ seq }) => seq <= told.seq)?.seq;
    const { last } = this;
    const next =
      this.follow && last !== undefined && last.epoch === told.epoch && last.seq < told.seq
        ? last.seq + 1
        : undefined;
    return own !== undefined && next !== undefined ? Math.min(own, next) : (own ?? next);
  }

  private async keep(receipt: SignedReceipt, stretch: Stretch | undefined): Promise<boolean> {
    const own =
      stretch === undefined ? [] : this.own.filter(({ seq }) => seq >= stretch.from && seq <= receipt.seq);
    if (stretch !== undefined) {
      const problem = checkStretch(receipt, stretch, own, this.last, this.checker.keccak);
      this.own = this.own.filter((command) => !own.includes(command));
      if (problem !== undefined) {
        this.problems.emit(problem);
        return false;
      }
    }
    const kept: KeptReceipt = { receipt, own, stretch: this.shorten(stretch, own) };
    this.last = receipt;
    this.kept.push(kept);
    if (this.kept.length > this.keptMax) this.kept.shift();
    await this.file?.append(kept);
    const { waiting } = this;
    this.waiting = waiting.filter(({ seq }) => seq > receipt.seq);
    for (const { seq, resolve } of waiting) if (seq <= receipt.seq) resolve(kept);
    this.receipts.emit(kept);
    return true;
  }

  /** Only from the first own command on: what lies before shows nothing of this client's. */
  private shorten(stretch: Stretch | undefined, own: readonly OwnCommand[]): Stretch | undefined {
    const first = own[0]?.seq;
    if (stretch === undefined || first === undefined) return undefined;
    const { keccak } = this.checker;
    const skipped = LINK_BYTES * (first - stretch.from);
    return {
      from: first,
      before: foldLinks(stretch.before, stretch.links.subarray(0, skipped), keccak),
      links: stretch.links.slice(skipped),
    };
  }
}
