/** Thread that makes batches (batch-maker.ts); started and fed by batcher.ts. */
import { parentPort, workerData } from 'node:worker_threads';
import { createWasmKeccak } from '#auth/wasm-keccak.ts';
import type { Seq } from '#protocol/units.ts';
import { BatchMaker, type MadeBatch, type MakerOptions } from './batch-maker.ts';

export interface BatcherWorkerData extends MakerOptions {
  /** URL of this module, for thread.mjs. */
  readonly program: string;
}

/** What the thread is told. */
export type BatcherRequest =
  /** Journal entries; the buffer is given away. */
  | {
      readonly kind: 'commands';
      readonly firstSeq: Seq;
      readonly count: number;
      readonly payload: Uint8Array;
    }
  | { readonly kind: 'cut' };

/** What the thread tells, in order. */
export type BatcherAnswer =
  | { readonly kind: 'ready'; readonly seq: Seq }
  | { readonly kind: 'batch'; readonly made: MadeBatch }
  /** Answers each request, after its batches. */
  | { readonly kind: 'done'; readonly seq: Seq }
  | { readonly kind: 'failed'; readonly message: string; readonly stack: string | undefined };

const port = parentPort;
if (port === null) throw new Error('batcher-worker: expected to run as a worker thread');
const tell = (answer: BatcherAnswer): void => port.postMessage(answer);
const tellBatch = (made: MadeBatch): void => {
  const transfer = made.snapshot === undefined ? [] : [made.snapshot.bytes.buffer as ArrayBuffer];
  port.postMessage({ kind: 'batch', made } satisfies BatcherAnswer, transfer);
};
const fail = (error: unknown): void => {
  const { message, stack } = error instanceof Error ? error : new Error(String(error));
  tell({ kind: 'failed', message, stack });
};

let maker: BatchMaker | undefined;
let isDead = false;
try {
  maker = new BatchMaker(workerData as BatcherWorkerData, await createWasmKeccak());
  tell({ kind: 'ready', seq: maker.state.seq });
} catch (error) {
  fail(error);
}

port.on('message', (request: BatcherRequest) => {
  if (maker === undefined || isDead) return;
  try {
    if (request.kind === 'commands')
      for (const made of maker.apply(request.payload, request.firstSeq, request.count)) tellBatch(made);
    else {
      const made = maker.cut();
      if (made !== undefined) tellBatch(made);
    }
    tell({ kind: 'done', seq: maker.state.seq });
  } catch (error) {
    isDead = true;
    fail(error);
  }
});
