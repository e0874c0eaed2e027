/**
 * The batcher as the process sees it: takes durable commands, hands them to its thread, signs and stores the
 * batches that come back. What the thread has no room for is read from the journal later, so the corridor never
 * waits here and memory stays bounded.
 */
import { Worker } from 'node:worker_threads';
import type {
  BatchStore,
  CommandConsumer,
  JournalSource,
  L1View,
  Scheduler,
  SnapshotInfo,
  SnapshotStore,
} from '#pipeline/ports.ts';
import { ThreadFeed } from '#pipeline/thread-feed.ts';
import { type BatchHeader, HEADER_FIELDS, type SignedBatch } from '#protocol/batch.ts';
import { equalBytes, toHex } from '#protocol/bytes.ts';
import type { Keccak } from '#protocol/hash.ts';
import { type Domain, SigningDomain } from '#protocol/signing.ts';
import type { Hash, Seq } from '#protocol/units.ts';
import { placeBatch } from '#state/batch-assembly.ts';
import type { MadeBatch } from './batch-maker.ts';
import type { BatcherAnswer, BatcherRequest, BatcherWorkerData } from './batcher-worker.ts';
import type { DraftStore } from './draft-file.ts';
import { type BatchPolicy, checkPolicy, DEFAULT_POLICY } from './policy.ts';
import { type KnownBatch, NO_PARENT, planStart, type StartPlan } from './restart.ts';
import type { BatchSigner } from './signer.ts';

export interface BatcherOptions {
  readonly domain: Domain;
  readonly keccak: Keccak;
  readonly journal: JournalSource & { readonly lastSeq: Seq };
  readonly snapshots: SnapshotStore;
  readonly batches: BatchStore;
  readonly drafts: DraftStore;
  readonly signer: BatchSigner;
  readonly scheduler: Scheduler;
  /** Batches name its anchor; without one they wait. */
  readonly l1: Pick<L1View, 'anchor' | 'onChange'>;
  readonly epoch: number;
  /** Last batch of the epochs before; needed when `epoch` is a new one. */
  readonly epochAfterId?: number;
  readonly policy?: BatchPolicy;
  /** Commands between two snapshots; default 250,000. */
  readonly snapshotEvery?: number;
  /** Durable commands not yet executed here at which `isBehind`; default 200,000. */
  readonly behindCommands?: number;
  /** In order; also those that were signed before the start but are only made again are not told. */
  readonly onBatch?: (batch: SignedBatch) => void;
  readonly onSnapshot?: (snapshot: SnapshotInfo) => void;
  /** Called once; the process must end. */
  readonly onFatal: (error: Error) => void;
}

export interface BatcherStatus {
  /** Last command that the thread has executed. */
  readonly executedSeq: Seq;
  /** Last command in a signed batch (of which steps may be left to the next one). */
  readonly batchedSeq: Seq;
  /** Id of the last signed batch, 0 before the first. */
  readonly batchId: number;
  /** Durable commands that the thread has not executed. */
  readonly backlog: number;
  /** Made and not yet signed and stored. */
  readonly pendingBatches: number;
  /** Reads the journal instead of being fed. */
  readonly isCatchingUp: boolean;
  /** Signed batches whose making again is still to come. */
  readonly toRemake: number;
}

export class BatcherError extends Error {
  override readonly name = 'BatcherError';
}

/** Commands and batches in the thread's hands beyond which it is given no more. */
const FED_COMMANDS_MAX = 16_384;
const PENDING_BATCHES_MAX = 16;
const SNAPSHOT_EVERY = 250_000;
const BEHIND_COMMANDS = 200_000;

export class Batcher implements CommandConsumer {
  /** The batch after which it began, which ends with a whole command; undefined at genesis. */
  readonly base: BatchHeader | undefined;

  private readonly options: BatcherOptions;
  private readonly domain: SigningDomain;
  private readonly policy: BatchPolicy;
  private readonly worker: Worker;
  private readonly known: KnownBatch[];

  private readonly commands: ThreadFeed;
  private executedSeq: Seq;
  private last: { readonly header: BatchHeader; readonly hash: Hash } | undefined;
  private snapshotSeq: Seq;
  private pending = 0;
  private signing: Promise<void> = Promise.resolve();
  /** Requests given to the thread, and those that it has answered. */
  private asked = 0;
  private answered = 0;
  private stopTimer: (() => void) | undefined;
  private closing: Promise<void> | undefined;
  private isDead = false;

  /** Resolves when the thread stands at its snapshot; commands since are read from the journal by and by. */
  static async start(options: BatcherOptions): Promise<Batcher> {
    const policy = options.policy ?? DEFAULT_POLICY;
    checkPolicy(policy);
    const plan = await planStart({ ...options, epochAfterId: options.epochAfterId });
    const data: BatcherWorkerData = {
      program: new URL('./batcher-worker.ts', import.meta.url).href,
      ...(plan.snapshot === undefined ? {} : { snapshot: plan.snapshot }),
      start: plan.start,
      policy,
      snapshotEvery: options.snapshotEvery ?? SNAPSHOT_EVERY,
      ends: plan.known.map(({ header }) => header.nextStep),
    };
    const worker = new Worker(new URL('../auth/thread.mjs', import.meta.url), {
      workerData: data,
      execArgv: [],
    });
    await new Promise<void>((resolve, reject) => {
      worker.once('message', (answer: BatcherAnswer) => {
        if (answer.kind === 'ready') resolve();
        else reject(new BatcherError(`batcher: ${answer.kind === 'failed' ? answer.message : answer.kind}`));
      });
      worker.once('error', reject);
    }).catch(async (error) => {
      await worker.terminate();
      throw error;
    });
    return new Batcher(options, policy, plan, worker);
  }

  private constructor(options: BatcherOptions, policy: BatchPolicy, plan: StartPlan, worker: Worker) {
    this.options = options;
    this.policy = policy;
    this.domain = new SigningDomain(options.domain, options.keccak);
    this.worker = worker;
    this.known = [...plan.known];
    this.base = plan.base?.header;
    this.last = plan.base;
    this.snapshotSeq = plan.start.nextSeq - 1;
    this.executedSeq = this.snapshotSeq;
    this.commands = new ThreadFeed({
      name: 'batcher',
      journal: options.journal,
      after: this.snapshotSeq,
      hasRoom: () => this.hasRoom(),
      feed: (firstSeq, count, payload) => this.feed(firstSeq, count, payload),
      onError: (error) => this.fail(error),
    });
    worker.removeAllListeners('error');
    worker.on('error', (error) => this.fail(error));
    worker.on('exit', (code) => {
      if (this.closing === undefined)
        this.fail(new BatcherError(`batcher: its thread ended with code ${code}`));
    });
    worker.on('message', (answer: BatcherAnswer) => this.take(answer));
    this.commands.catchUp();
  }

  /** Restarts begin at the newest snapshot: the journal is needed from there on. */
  get acknowledgedSeq(): Seq {
    return this.snapshotSeq;
  }

  get status(): BatcherStatus {
    return {
      executedSeq: this.executedSeq,
      batchedSeq: (this.last?.header.nextSeq ?? 1) - 1,
      batchId: this.last?.header.id ?? 0,
      backlog: this.commands.durableSeq - this.executedSeq,
      pendingBatches: this.pending,
      isCatchingUp: this.commands.isCatchingUp,
      toRemake: this.known.length,
    };
  }

  /** So far behind that the corridor should let nothing new in. */
  isBehind(): boolean {
    return this.commands.durableSeq - this.executedSeq > (this.options.behindCommands ?? BEHIND_COMMANDS);
  }

  onCommands(firstSeq: Seq, count: number, payload: Uint8Array): void {
    this.commands.onCommands(firstSeq, count, payload);
  }

  /** Ends the open batch, and resolves when every command durable by now is in a signed and stored batch. */
  async flush(): Promise<void> {
    await this.commands.caughtUp();
    this.ask({ kind: 'cut' });
    const cut = this.asked;
    while (this.answered < cut && !this.isDead) await this.commands.room();
    await this.signing;
  }

  /** Ends the thread when what is being signed is stored; what is not in a batch waits for the next start. */
  close(): Promise<void> {
    this.closing ??= this.shutDown();
    return this.closing;
  }

  private async shutDown(): Promise<void> {
    this.isDead = true;
    this.stopTimer?.();
    this.commands.end();
    await this.worker.terminate();
    await this.signing;
  }

  private hasRoom(): boolean {
    return this.commands.fedSeq - this.executedSeq < FED_COMMANDS_MAX && this.pending < PENDING_BATCHES_MAX;
  }

  /** `payload` is given away. */
  private feed(firstSeq: Seq, count: number, payload: Uint8Array): void {
    this.ask({ kind: 'commands', firstSeq, count, payload }, [payload.buffer as ArrayBuffer]);
    this.stopTimer ??= this.options.scheduler.after(this.policy.intervalMs, () => {
      this.stopTimer = undefined;
      this.ask({ kind: 'cut' });
    });
  }

  private ask(request: BatcherRequest, transfer: ArrayBuffer[] = []): void {
    if (this.isDead) return;
    this.asked++;
    this.worker.postMessage(request, transfer);
  }

  private take(answer: BatcherAnswer): void {
    switch (answer.kind) {
      case 'failed': {
        const error = new BatcherError(`batcher: ${answer.message}`);
        if (answer.stack !== undefined) error.stack = answer.stack;
        this.fail(error);
        break;
      }
      case 'done':
        this.answered++;
        this.executedSeq = answer.seq;
        this.commands.gotOn();
        break;
      case 'batch':
        this.pending++;
        this.signing = this.signing
          .then(() => (this.isDead ? undefined : this.keep(answer.made)))
          .then(
            () => {
              this.pending--;
              this.commands.gotOn();
            },
            (error) => this.fail(error instanceof Error ? error : new Error(String(error))),
          );
        break;
      case 'ready':
        break;
    }
  }

  /** Gives the batch its place, signs and stores it; a known one is only held against what it was. */
  private async keep({ batch, snapshot }: MadeBatch): Promise<void> {
    const { epoch, keccak, batches } = this.options;
    const known = this.known[0];
    const { last } = this;
    const anchor = known === undefined ? await this.anchor() : anchorOf(known.header);
    if (anchor === undefined) return;
    const place = {
      epoch: known?.header.epoch ?? epoch,
      id: (last?.header.id ?? 0) + 1,
      parentHash: last?.hash ?? NO_PARENT,
      anchor,
    };
    const unsigned = placeBatch(batch, place, this.domain, keccak);
    if (known !== undefined) checkSame(known, unsigned.header, unsigned.hash);
    if (known?.hash === undefined) {
      if (known === undefined) await this.options.drafts.save(unsigned.header);
      const signature = await this.options.signer.sign(unsigned.header, unsigned.hash);
      const signed: SignedBatch = { ...unsigned, signature };
      await batches.put(signed);
      this.last = { header: signed.header, hash: signed.hash };
      this.options.onBatch?.(signed);
    }
    this.last = { header: unsigned.header, hash: unsigned.hash };
    this.known.shift();
    if (snapshot !== undefined) await this.keepSnapshot(unsigned.header, snapshot);
  }

  private async keepSnapshot(
    header: BatchHeader,
    snapshot: NonNullable<MadeBatch['snapshot']>,
  ): Promise<void> {
    const { snapshots } = this.options;
    const seq = header.nextSeq - 1;
    const meta = {
      seq,
      ledgerRoot: header.postLedgerRoot,
      bookRoot: header.postBookRoot,
      batchId: header.id,
    };
    const { bytes, engineVersion } = snapshot;
    const info = await snapshots.save({ ...meta, engineVersion }, bytes);
    await snapshots.markVerified(seq);
    this.snapshotSeq = seq;
    this.options.onSnapshot?.({ ...info, verified: true });
  }

  /** The present anchor, not before that of the last batch; waits for it. Undefined when closed meanwhile. */
  private async anchor(): Promise<{ number: number; hash: Hash } | undefined> {
    const { l1 } = this.options;
    const least = this.last?.header.anchorNumber ?? 0;
    while (!this.isDead) {
      if (l1.anchor !== undefined && l1.anchor.number >= least) return l1.anchor;
      await new Promise<void>((resolve) => {
        void this.commands.room().then(resolve);
        const stop = l1.onChange(() => {
          stop();
          resolve();
        });
      });
    }
    return undefined;
  }

  private fail(error: Error): void {
    if (this.isDead) return;
    this.isDead = true;
    this.stopTimer?.();
    this.commands.end();
    this.options.onFatal(error);
  }
}

const anchorOf = (header: BatchHeader): { number: number; hash: Hash } => ({
  number: header.anchorNumber,
  hash: header.anchorHash,
});

/** Re-execution must reproduce what was signed, to the bit. */
function checkSame(known: KnownBatch, got: BatchHeader, hash: Hash): void {
  const { header } = known;
  for (const [field, width] of HEADER_FIELDS) {
    const [a, b] = [header[field], got[field]];
    const same = width === 32 ? equalBytes(a as Hash, b as Hash) : a === b;
    if (!same)
      throw new BatcherError(
        `batcher: batch ${header.id} was signed with ${field} ${show(a)}, executing it again gives ${show(b)}: ` +
          'stop, and verify the chain before anything else is signed',
      );
  }
  if (known.hash !== undefined && !equalBytes(known.hash, hash))
    throw new BatcherError(
      `batcher: batch ${header.id} was signed as ${toHex(known.hash)}, its header gives ${toHex(hash)}`,
    );
}

const show = (value: number | Uint8Array): string => (typeof value === 'number' ? `${value}` : toHex(value));
