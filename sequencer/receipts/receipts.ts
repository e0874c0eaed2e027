/**
 * Receipts as the process sees them: durable commands go to a thread of their own, which hashes them and signs; a
 * receipt is kept durable before anybody is told of it. What the thread has no room for is read from the journal
 * later, so the corridor pays for a copy and never waits here.
 *
 *   corridor ── durable commands ──► thread: running hash ── every interval ──► receipt ── memory ──► stream, queries
 */
import { Worker } from 'node:worker_threads';
import type { CommandConsumer, JournalSource, ReceiptMemory, Scheduler } from '#pipeline/ports.ts';
import { ThreadFeed } from '#pipeline/thread-feed.ts';
import type { ReceiptView } from '#protocol/query.ts';
import {
  encodeSignedReceipt,
  GENESIS_CURSOR,
  type InputCursor,
  type SignedReceipt,
} from '#protocol/receipt.ts';
import type { Domain } from '#protocol/signing.ts';
import type { Seq } from '#protocol/units.ts';
import type { ReceiptsAnswer, ReceiptsRequest, ReceiptsWorkerData } from './receipts-worker.ts';
import { marksOf } from './restart.ts';

export interface ReceiptsOptions {
  readonly domain: Domain;
  /** 32 bytes: the Rollup's sequencer. */
  readonly key: Uint8Array;
  readonly journal: JournalSource & { readonly lastSeq: Seq };
  readonly memory: ReceiptMemory;
  readonly scheduler: Scheduler;
  readonly epoch: number;
  /** Last epoch that a strike ended: what was said in it is void. Default 0, none. */
  readonly struckEpoch?: number;
  /** Where the journal's kept commands begin, as a signed batch says; default genesis. */
  readonly base?: InputCursor;
  /** Least time between two receipts. */
  readonly intervalMs: number;
  /** Commands whose links are kept. */
  readonly keptCommands: number;
  /** Called once; the process must end. */
  readonly onFatal: (error: Error) => void;
}

export class ReceiptsError extends Error {
  override readonly name = 'ReceiptsError';
}

/** A receipt is asked for after so many commands at the latest: the links between two are few enough for an L1 transaction. */
export const COMMANDS_PER_RECEIPT = 2_048;
/** Commands in the thread's hands beyond which it is given no more. */
const FED_COMMANDS_MAX = 65_536;
const KEPT_RECEIPTS_MAX = 16_384;

type Answered<Kind extends ReceiptsAnswer['kind']> = Extract<ReceiptsAnswer, { kind: Kind }>;

export class Receipts implements CommandConsumer {
  private readonly options: ReceiptsOptions;
  private readonly worker: Worker;
  private readonly commands: ThreadFeed;
  private hashedSeq: Seq;
  private firstKept: Seq;
  private isDead = false;
  /** In the order of asking; the thread answers in the same order. */
  private readonly waiting: ((answer: ReceiptsAnswer) => void)[] = [];
  private stopTimer: (() => void) | undefined;
  private signing: Promise<void> | undefined;
  /** Commands given to the thread since a receipt was asked for last. */
  private sinceAsked = 0;
  /** Ascending, durable in the memory; the last one is what clients know. */
  private readonly kept: SignedReceipt[] = [];
  private listener: (receipt: SignedReceipt, previous: Seq) => void = () => {};
  private closing: Promise<void> | undefined;
  private markDead: () => void = () => {};
  private readonly died: Promise<void>;

  /**
   * Resolves when the thread runs; commands since `base` are read from the journal by and by. Rejects when what was
   * signed before can't be in the journal.
   */
  static async start(options: ReceiptsOptions): Promise<Receipts> {
    const start = options.base ?? GENESIS_CURSOR;
    const marks = marksOf({ ...options, start, last: options.memory.last, lastSeq: options.journal.lastSeq });
    const data: ReceiptsWorkerData = {
      program: new URL('./receipts-worker.ts', import.meta.url).href,
      start,
      marks,
      kept: options.keptCommands,
      domain: options.domain,
      epoch: options.epoch,
      key: options.key,
    };
    const worker = new Worker(new URL('../auth/thread.mjs', import.meta.url), {
      workerData: data,
      execArgv: [],
    });
    await new Promise<void>((resolve, reject) => {
      worker.once('message', (answer: ReceiptsAnswer) => {
        if (answer.kind === 'ready') resolve();
        else reject(new ReceiptsError(answer.kind === 'failed' ? answer.message : answer.kind));
      });
      worker.once('error', reject);
    }).catch(async (error) => {
      await worker.terminate();
      throw error;
    });
    return new Receipts(options, start.seq, worker);
  }

  private constructor(options: ReceiptsOptions, startSeq: Seq, worker: Worker) {
    const { memory, epoch, journal } = options;
    this.options = options;
    this.died = new Promise((resolve) => {
      this.markDead = resolve;
    });
    this.worker = worker;
    this.commands = new ThreadFeed({
      name: 'receipts',
      journal,
      after: startSeq,
      hasRoom: () => this.commands.fedSeq - this.hashedSeq < FED_COMMANDS_MAX,
      feed: (firstSeq, count, payload) => this.feed(firstSeq, count, payload),
      onError: (error) => this.fail(error),
    });
    this.hashedSeq = startSeq;
    this.firstKept = startSeq + 1;
    if (memory.last?.epoch === epoch) this.kept.push(memory.last);
    worker.removeAllListeners('error');
    worker.on('error', (error) => this.fail(error));
    worker.on('exit', (code) => {
      if (this.closing === undefined)
        this.fail(new ReceiptsError(`receipts: the thread ended with code ${code}`));
    });
    worker.on('message', (answer: ReceiptsAnswer) => this.take(answer));
    this.commands.catchUp();
  }

  /** The journal is needed after it. */
  get acknowledgedSeq(): Seq {
    return this.hashedSeq;
  }

  /** The last receipt that was told; undefined before the first of this epoch. */
  get last(): SignedReceipt | undefined {
    return this.kept.at(-1);
  }

  /** One listener, told of every receipt when it may be told to anybody. */
  listen(listener: (receipt: SignedReceipt, previous: Seq) => void): void {
    this.listener = listener;
  }

  /** Receipts after the one for command `seq`, ascending; undefined when some are not kept any more. */
  after(seq: Seq): SignedReceipt[] | undefined {
    const { kept } = this;
    if (seq !== 0 && !kept.some((receipt) => receipt.seq === seq)) return undefined;
    return kept.filter((receipt) => receipt.seq > seq);
  }

  /**
   * The first receipt for command `seq` or a later one, with the links to it. Null while there is none, undefined when
   * the links are not kept any more.
   */
  async covering(seq: Seq): Promise<ReceiptView | null | undefined> {
    const { kept } = this;
    let [low, high] = [0, kept.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (kept[middle]!.seq < seq) low = middle + 1;
      else high = middle;
    }
    const receipt = kept[low];
    if (receipt === undefined) return null;
    // Before it was hashed again after a restart, nothing can be said of it.
    if (receipt.seq > this.hashedSeq) return null;
    if (seq < this.firstKept) return undefined;
    const { links } = await this.ask({ kind: 'links', from: seq, through: receipt.seq });
    return links === undefined ? undefined : { receipt: encodeSignedReceipt(receipt), ...links };
  }

  onCommands(firstSeq: Seq, count: number, payload: Uint8Array): void {
    this.commands.onCommands(firstSeq, count, payload);
  }

  /** Signs for everything durable by now, and resolves when it was told. */
  async flush(): Promise<void> {
    await this.commands.caughtUp();
    for (let turn = 0; turn < 2 && !this.isDead; turn++)
      await Promise.race([this.signing ?? this.sign(), this.died]);
  }

  /** Ends the thread; a receipt that is being kept is told before. */
  close(): Promise<void> {
    this.closing ??= this.shutDown();
    return this.closing;
  }

  private async shutDown(): Promise<void> {
    await Promise.race([this.signing, this.died]);
    this.isDead = true;
    this.stopTimer?.();
    this.commands.end();
    await this.worker.terminate();
  }

  /** `payload` is given away. */
  private feed(firstSeq: Seq, count: number, payload: Uint8Array): void {
    const request: ReceiptsRequest = { kind: 'commands', firstSeq, count, payload };
    void this.ask(request, [payload.buffer as ArrayBuffer]).then(({ seq, firstKept }) => {
      this.hashedSeq = seq;
      this.firstKept = firstKept;
      this.forget();
      this.commands.gotOn();
    });
    this.sinceAsked += count;
    if (this.sinceAsked >= COMMANDS_PER_RECEIPT) void this.sign();
    else
      this.stopTimer ??= this.options.scheduler.after(this.options.intervalMs, () => {
        this.stopTimer = undefined;
        void this.sign();
      });
  }

  /** One at a time: what has come meanwhile is signed for by the next one. */
  private sign(): Promise<void> {
    this.signing ??= this.signNow()
      .catch((error) => this.fail(error instanceof Error ? error : new Error(String(error))))
      .then(() => {
        this.signing = undefined;
      });
    return this.signing;
  }

  private async signNow(): Promise<void> {
    if (this.isDead) return;
    this.sinceAsked = 0;
    const { receipt } = await this.ask({ kind: 'sign' });
    const previous = this.last?.seq ?? 0;
    if (receipt === undefined || receipt.seq <= previous || receipt.seq === 0) return;
    await this.options.memory.remember(receipt);
    this.kept.push(receipt);
    this.listener(receipt, previous);
  }

  /** Receipts whose links are gone, but for the last one. */
  private forget(): void {
    const { kept, firstKept } = this;
    let gone = Math.max(0, kept.length - KEPT_RECEIPTS_MAX);
    while (gone < kept.length - 1 && kept[gone]!.seq < firstKept) gone++;
    if (gone > 0) kept.splice(0, gone);
  }

  private ask<Kind extends ReceiptsRequest['kind']>(
    request: ReceiptsRequest & { readonly kind: Kind },
    transfer: ArrayBuffer[] = [],
  ): Promise<Answered<{ commands: 'hashed'; sign: 'receipt'; links: 'links' }[Kind]>> {
    return new Promise((resolve) => {
      // After the end nobody is answered: everything stops.
      if (this.isDead) return;
      this.waiting.push(resolve as (answer: ReceiptsAnswer) => void);
      this.worker.postMessage(request, transfer);
    });
  }

  private take(answer: ReceiptsAnswer): void {
    if (answer.kind === 'failed') {
      const error = new ReceiptsError(answer.message);
      if (answer.stack !== undefined) error.stack = answer.stack;
      this.fail(error);
    } else this.waiting.shift()?.(answer);
  }

  private fail(error: Error): void {
    if (this.isDead) return;
    this.isDead = true;
    this.markDead();
    this.stopTimer?.();
    this.commands.end();
    this.options.onFatal(error);
  }
}
