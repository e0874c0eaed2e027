/** Recovers signers in worker threads, many at a time, so that a signature never holds up the engine's thread. */
import { Worker } from 'node:worker_threads';
import { assert } from '#protocol/assert.ts';
import { Reject, type RejectCode } from '#protocol/reject.ts';
import type { Domain } from '#protocol/signing.ts';
import type { Address } from '#protocol/units.ts';
import { batchId, decodeAnswer, encodeRequest, type SignedItem } from './verification-batch.ts';
import type { VerifyWorkerData } from './verify-worker.ts';

/** 20 bytes of who signed, or BAD_SIGNATURE, or BUSY when it was not looked at. */
export type Verdict = Address | RejectCode;

export interface Authenticator {
  /**
   * Verdicts in the order of the items. Several calls may be in flight and need not settle in order: the
   * caller keeps the order of arrival. Never rejects; items beyond the bound, or lost with a worker, are BUSY.
   */
  verify(items: readonly SignedItem[]): Promise<Verdict[]>;
  /** Items in flight. */
  readonly pending: number;
  /** Ends the threads; what is in flight is BUSY. */
  close(): Promise<void>;
}

export interface AuthenticatorOptions {
  readonly domain: Domain;
  /** Threads; at least 1. */
  readonly workers: number;
  /** Items in flight beyond which the answer is BUSY. */
  readonly pendingMax?: number;
  /** Called once when workers keep dying; the process should end. */
  readonly onFatal: (error: Error) => void;
  /** Told of each worker that died and was replaced. */
  readonly onWorkerLost?: (error: Error) => void;
  /** The thread's program; another one only in tests of crashes. */
  readonly program?: URL;
}

/** Some 50 µs an item: a chunk takes a few milliseconds at most, and small ones are not worth splitting. */
const CHUNK_ITEMS_MAX = 64;
const CHUNK_ITEMS_MIN = 8;
const PENDING_MAX_DEFAULT = 16_384;
/** So many deaths within the window are no accident. */
const CRASHES_MAX = 5;
const CRASH_WINDOW_MS = 30_000;
const START_TIMEOUT_MS = 30_000;

interface Chunk {
  readonly count: number;
  readonly settle: (verdicts: Verdict[]) => void;
}

interface Lane {
  readonly worker: Worker;
  ready: Promise<void>;
  /** False while it starts. */
  started: boolean;
  readonly chunks: Map<number, Chunk>;
  items: number;
}

/** Resolves when all threads are ready; rejects when one can't start. */
export async function createAuthenticator(options: AuthenticatorOptions): Promise<Authenticator> {
  const pool = new WorkerPool(options);
  try {
    await pool.started();
  } catch (cause) {
    await pool.close();
    throw new Error('signature workers: expected every thread to start, got a failure', { cause });
  }
  return pool;
}

class WorkerPool implements Authenticator {
  pending = 0;
  private readonly options: AuthenticatorOptions;
  private readonly pendingMax: number;
  private readonly lanes: Lane[] = [];
  private readonly crashTimes: number[] = [];
  private nextBatchId = 1;
  /** All threads have been ready once. */
  private launched = false;
  private closed = false;

  constructor(options: AuthenticatorOptions) {
    assert(options.workers >= 1, `signature workers: expected at least 1, got ${options.workers}`);
    this.options = options;
    this.pendingMax = options.pendingMax ?? PENDING_MAX_DEFAULT;
    for (let i = 0; i < options.workers; i++) this.lanes.push(this.start());
  }

  async started(): Promise<void> {
    await Promise.all(this.lanes.map((lane) => lane.ready));
    this.launched = true;
  }

  verify(items: readonly SignedItem[]): Promise<Verdict[]> {
    const room = this.closed ? 0 : Math.max(0, this.pendingMax - this.pending);
    const taken = Math.min(items.length, room);
    if (taken === 0) return Promise.resolve(items.map(() => Reject.BUSY));
    const share = Math.ceil(taken / this.lanes.length);
    const chunkItems = Math.min(CHUNK_ITEMS_MAX, Math.max(CHUNK_ITEMS_MIN, share));
    if (taken <= chunkItems && taken === items.length) return this.dispatch(items);
    const chunks: Promise<Verdict[]>[] = [];
    for (let at = 0; at < taken; at += chunkItems)
      chunks.push(this.dispatch(items.slice(at, Math.min(at + chunkItems, taken))));
    return Promise.all(chunks).then((verdicts) => {
      const all = verdicts.flat();
      while (all.length < items.length) all.push(Reject.BUSY);
      return all;
    });
  }

  async close(): Promise<void> {
    this.closed = true;
    await Promise.all(
      this.lanes.map(async (lane) => {
        await lane.worker.terminate();
        this.failChunks(lane);
      }),
    );
  }

  /** Gives one chunk to the thread with the fewest items; one that is starting only when there is no other. */
  private dispatch(items: readonly SignedItem[]): Promise<Verdict[]> {
    let lane = this.lanes[0]!;
    for (const candidate of this.lanes) {
      if (candidate.started !== lane.started ? candidate.started : candidate.items < lane.items)
        lane = candidate;
    }
    const id = this.nextBatchId;
    this.nextBatchId = (id + 1) >>> 0;
    const request = encodeRequest(id, items);
    lane.items += items.length;
    this.pending += items.length;
    return new Promise((settle) => {
      lane.chunks.set(id, { count: items.length, settle });
      lane.worker.postMessage(request, [request]);
    });
  }

  private start(): Lane {
    const program = this.options.program ?? new URL('./verify-worker.ts', import.meta.url);
    const data: VerifyWorkerData = { program: program.href, domain: this.options.domain };
    const worker = new Worker(new URL('./thread.mjs', import.meta.url), { workerData: data, execArgv: [] });
    const lane: Lane = { worker, ready: Promise.resolve(), started: false, chunks: new Map(), items: 0 };
    lane.ready = new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(new Error(`signature worker: expected it to be ready within ${START_TIMEOUT_MS} ms`));
        void worker.terminate();
      }, START_TIMEOUT_MS);
      worker.on('message', (message: ArrayBuffer | 'ready') => {
        if (message !== 'ready') return this.settle(lane, message);
        clearTimeout(timer);
        lane.started = true;
        resolve();
      });
      let cause: unknown;
      worker.on('error', (error) => {
        cause = error;
      });
      worker.on('exit', (code) => {
        clearTimeout(timer);
        const error = new Error(`signature worker: expected it to run on, got exit code ${code}`, { cause });
        reject(error);
        this.lost(lane, error);
      });
    });
    // A thread that is replaced later has nobody who waits for it; its exit is dealt with in `lost`.
    lane.ready.catch(() => {});
    return lane;
  }

  private settle(lane: Lane, answer: ArrayBuffer): void {
    const chunk = lane.chunks.get(batchId(answer));
    if (chunk === undefined) return;
    lane.chunks.delete(batchId(answer));
    lane.items -= chunk.count;
    this.pending -= chunk.count;
    chunk.settle(decodeAnswer(answer).map((signer) => signer ?? Reject.BAD_SIGNATURE));
  }

  private failChunks(lane: Lane): void {
    for (const chunk of lane.chunks.values()) {
      this.pending -= chunk.count;
      chunk.settle(new Array<Verdict>(chunk.count).fill(Reject.BUSY));
    }
    lane.chunks.clear();
    lane.items = 0;
  }

  private lost(lane: Lane, error: Error): void {
    this.failChunks(lane);
    if (this.closed || !this.launched) return;
    const now = performance.now();
    this.crashTimes.push(now);
    while (this.crashTimes[0]! < now - CRASH_WINDOW_MS) this.crashTimes.shift();
    if (this.crashTimes.length >= CRASHES_MAX) {
      this.closed = true;
      this.options.onFatal(
        new Error(
          `signature workers: expected fewer than ${CRASHES_MAX} crashes in ${CRASH_WINDOW_MS / 1000} s, got ${this.crashTimes.length}; the process must stop`,
          { cause: error },
        ),
      );
      return;
    }
    this.options.onWorkerLost?.(error);
    const at = this.lanes.indexOf(lane);
    this.lanes[at] = this.start();
  }
}
