/**
 * Commitments to blobs and proofs about them (EIP-4844, EIP-7594), in a thread of its own that starts when it is first
 * asked and ends with the process or `close`. One blob takes about half a second for its commitment and as much for
 * each proof; the 128 cell proofs, which networks after Fusaka ask for, several seconds.
 *
 *   const kzg = new Kzg();
 *   const sidecar = await kzg.sidecar(packBlobs(inputs), 'proofs');
 *   const opening = await kzg.open(blob, { index: 4096 + 7, commitment });
 *   await kzg.close();
 */
import { Worker } from 'node:worker_threads';
import { sha256 } from '@noble/hashes/sha2.js';
import { fromHex, toHex } from '#protocol/bytes.ts';
import { BLOB_ELEMENTS, pointOf } from './blob-codec.ts';
import type { Hex } from './client.ts';
import { L1Error } from './errors.ts';

/** What nodes check a blob by: one proof a blob, or (since Fusaka) 128 cell proofs a blob. */
export type SidecarForm = 'proofs' | 'cells';

/** What goes with a transaction that carries blobs, and is not part of its hash. */
export interface Sidecar {
  readonly form: SidecarForm;
  readonly blobs: readonly Hex[];
  readonly commitments: readonly Hex[];
  readonly proofs: readonly Hex[];
}

/** One field element of a blob, as BlobLib.sol opens it. */
export interface ElementOpening {
  /** Of the batch's stream: blob · 4,096 + element. */
  readonly index: number;
  /** Its value, 32 bytes. */
  readonly y: Hex;
  readonly commitment: Hex;
  readonly proof: Hex;
}

/** The name by which a transaction and the BLOBHASH opcode know a blob. */
export function versionedHash(commitment: Hex): Hex {
  const hash = sha256(fromHex(commitment));
  hash[0] = 1;
  return toHex(hash);
}

/** The point at infinity: commitment to zeros, and every proof of them. */
const INFINITY: Hex = `0xc0${'00'.repeat(47)}`;
export const CELLS_PER_BLOB = 128;

/** One blob of nothing, for a transaction that must carry one to replace one. */
export const emptySidecar = (form: SidecarForm): Sidecar => ({
  form,
  blobs: [`0x${'00'.repeat(BLOB_ELEMENTS * 32)}`],
  commitments: [INFINITY],
  proofs: Array.from({ length: form === 'cells' ? CELLS_PER_BLOB : 1 }, () => INFINITY),
});

type Request =
  | { readonly kind: 'commitment' | 'cellProofs'; readonly blob: Hex }
  | { readonly kind: 'proof'; readonly blob: Hex; readonly commitment: Hex }
  | { readonly kind: 'opening'; readonly blob: Hex; readonly point: string };

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

export class Kzg {
  private worker: Worker | undefined;
  private readonly waiting = new Map<number, Waiting>();
  private next = 0;

  commitment(blob: Uint8Array): Promise<Hex> {
    return this.ask({ kind: 'commitment', blob: toHex(blob) });
  }

  /** Everything that a node wants to see of these blobs. */
  async sidecar(blobs: readonly Uint8Array[], form: SidecarForm): Promise<Sidecar> {
    const commitments: Hex[] = [];
    const proofs: Hex[] = [];
    const texts = blobs.map((blob) => toHex(blob));
    for (const blob of texts) {
      const commitment = await this.ask<Hex>({ kind: 'commitment', blob });
      commitments.push(commitment);
      if (form === 'proofs') proofs.push(await this.ask<Hex>({ kind: 'proof', blob, commitment }));
      else proofs.push(...(await this.ask<Hex[]>({ kind: 'cellProofs', blob })));
    }
    return { form, blobs: texts, commitments, proofs };
  }

  /** Proves what element `index` of the stream is, `blob` being the one that holds it. */
  async open(
    blob: Uint8Array,
    at: { readonly index: number; readonly commitment: Hex },
  ): Promise<ElementOpening> {
    const point = `0x${pointOf(at.index % BLOB_ELEMENTS)
      .toString(16)
      .padStart(64, '0')}`;
    const [proof, y] = await this.ask<[Hex, Hex]>({ kind: 'opening', blob: toHex(blob), point });
    return { ...at, y, proof };
  }

  /** Ends the thread; what is asked for still is refused. */
  async close(): Promise<void> {
    const { worker } = this;
    this.worker = undefined;
    this.fail(new L1Error('rejected', 'kzg: closed'));
    await worker?.terminate();
  }

  private ask<Value>(request: Request): Promise<Value> {
    this.worker ??= this.start();
    const { worker } = this;
    const id = this.next++;
    return new Promise<Value>((resolve, reject) => {
      this.waiting.set(id, { resolve: resolve as (value: unknown) => void, reject });
      worker.ref();
      worker.postMessage({ id, ...request });
    });
  }

  private start(): Worker {
    const worker = new Worker(new URL('./kzg-thread.mjs', import.meta.url), { execArgv: [] });
    worker.on('message', ({ id, value, error }: { id: number; value?: unknown; error?: string }) => {
      const one = this.waiting.get(id);
      this.waiting.delete(id);
      // A thread with nothing to do keeps no process alive.
      if (this.waiting.size === 0) worker.unref();
      if (error === undefined) one?.resolve(value);
      else one?.reject(new L1Error('rejected', `kzg: ${error}`));
    });
    const ended = (error: Error): void => {
      // After `close` there is nobody who waits.
      if (this.worker !== worker) return;
      this.worker = undefined;
      this.fail(error);
    };
    worker.on('error', ended);
    worker.on('exit', (code) => ended(new L1Error('rejected', `kzg: its thread ended with code ${code}`)));
    return worker;
  }

  private fail(error: Error): void {
    for (const { reject } of this.waiting.values()) reject(error);
    this.waiting.clear();
  }
}
