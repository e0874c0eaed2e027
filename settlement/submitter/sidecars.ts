/**
 * The blobs of batches under way, made beside everything else: asked for one that is not ready, this says so and makes
 * it. After a restart they are made again from the signed batch, which names the same bytes.
 */
import type { SignedBatch } from '#protocol/batch.ts';
import { toHex } from '#protocol/bytes.ts';
import { packBlobs } from '../l1/blob-codec.ts';
import type { Hex } from '../l1/client.ts';
import { Kzg, type Sidecar, type SidecarForm, versionedHash } from '../l1/kzg.ts';

interface Entry {
  ready?: Sidecar;
  failed?: Error;
}

/** More than can be under way. */
const KEPT_MAX = 24;

export class Sidecars {
  readonly form: SidecarForm;
  private readonly kzg = new Kzg();
  private readonly entries = new Map<string, Entry>();
  private readonly onReady: () => void;

  /** `onReady`: one was made, or could not be. */
  constructor(form: SidecarForm, onReady: () => void = () => {}) {
    this.form = form;
    this.onReady = onReady;
  }

  /** Undefined while it is being made. Throws what made that impossible. */
  of(batch: Pick<SignedBatch, 'hash' | 'inputs'>): Sidecar | undefined {
    const key = toHex(batch.hash);
    const entry = this.entries.get(key) ?? this.begin(key, batch.inputs);
    if (entry.failed !== undefined) {
      this.entries.delete(key);
      throw entry.failed;
    }
    return entry.ready;
  }

  close(): Promise<void> {
    return this.kzg.close();
  }

  private begin(key: string, inputs: Uint8Array): Entry {
    const entry: Entry = {};
    this.entries.set(key, entry);
    for (const oldest of this.entries.keys()) {
      if (this.entries.size <= KEPT_MAX) break;
      this.entries.delete(oldest);
    }
    this.kzg
      .sidecar(packBlobs(inputs), this.form)
      .then(
        (sidecar) => {
          entry.ready = sidecar;
        },
        (error: Error) => {
          entry.failed = error;
        },
      )
      .finally(this.onReady);
    return entry;
  }
}

export const blobHashesOf = ({ commitments }: Sidecar): Hex[] => commitments.map(versionedHash);
