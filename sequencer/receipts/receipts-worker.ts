/** Thread that hashes the journal's commands and signs receipts (input-chain.ts); started and fed by receipts.ts. */
import { parentPort, workerData } from 'node:worker_threads';
import { signDigest } from '#auth/sign-digest.ts';
import { createWasmKeccak } from '#auth/wasm-keccak.ts';
import { hashReceipt, type SignedReceipt } from '#protocol/receipt.ts';
import { type Domain, SigningDomain } from '#protocol/signing.ts';
import type { Seq } from '#protocol/units.ts';
import { type ChainOptions, InputChain, type Links } from './input-chain.ts';

export interface ReceiptsWorkerData extends ChainOptions {
  /** URL of this module, for thread.mjs. */
  readonly program: string;
  readonly domain: Domain;
  readonly epoch: number;
  /** 32 bytes. */
  readonly key: Uint8Array;
}

/** What the thread is told. */
export type ReceiptsRequest =
  /** Journal entries; the buffer is given away. */
  | {
      readonly kind: 'commands';
      readonly firstSeq: Seq;
      readonly count: number;
      readonly payload: Uint8Array;
    }
  /** Signs a receipt for all commands given so far. */
  | { readonly kind: 'sign' }
  | { readonly kind: 'links'; readonly from: Seq; readonly through: Seq };

/** What the thread tells: `ready` first, then one answer to each request, in order. */
export type ReceiptsAnswer =
  | { readonly kind: 'ready' }
  | { readonly kind: 'hashed'; readonly seq: Seq; readonly firstKept: Seq }
  /** None while something signed before the start was not passed. */
  | { readonly kind: 'receipt'; readonly receipt: SignedReceipt | undefined }
  | { readonly kind: 'links'; readonly links: Links | undefined }
  | { readonly kind: 'failed'; readonly message: string; readonly stack: string | undefined };

const port = parentPort;
if (port === null) throw new Error('receipts-worker: expected to run as a worker thread');
const tell = (answer: ReceiptsAnswer): void => port.postMessage(answer);

const { domain, epoch, key, ...chainOptions } = workerData as ReceiptsWorkerData;
let answer: ((request: ReceiptsRequest) => ReceiptsAnswer) | undefined;
const fail = (error: unknown): void => {
  answer = undefined;
  const { message, stack } = error instanceof Error ? error : new Error(String(error));
  tell({ kind: 'failed', message, stack });
};

try {
  const keccak = await createWasmKeccak();
  const chain = new InputChain(chainOptions, keccak);
  const digests = new SigningDomain(domain, keccak);
  answer = (request) => {
    switch (request.kind) {
      case 'commands':
        chain.apply(request.payload, request.firstSeq, request.count);
        return { kind: 'hashed', seq: chain.cursor.seq, firstKept: chain.firstSeq };
      case 'sign': {
        if (chain.hasMarks) return { kind: 'receipt', receipt: undefined };
        const receipt = { epoch, ...chain.cursor };
        const signature = signDigest(hashReceipt(receipt, digests, keccak), key);
        return { kind: 'receipt', receipt: { ...receipt, signature } };
      }
      case 'links':
        return { kind: 'links', links: chain.links(request.from, request.through) };
    }
  };
  tell({ kind: 'ready' });
} catch (error) {
  fail(error);
}

port.on('message', (request: ReceiptsRequest) => {
  if (answer === undefined) return;
  try {
    tell(answer(request));
  } catch (error) {
    fail(error);
  }
});
