/**
 * Blobs of a transaction, each held against the hash that L1 has of it, so that it does not matter who serves them: a
 * beacon node (its standard HTTP API), or the node itself where it is a development chain. Beacon nodes keep blobs for
 * about 18 days; archives with the same API longer.
 *
 *   GET BASE/eth/v1/beacon/genesis, /eth/v1/config/spec          to find the slot of a block
 *   GET BASE/eth/v1/beacon/blobs/SLOT?versioned_hashes=…         { data: [blob] }
 *   GET BASE/eth/v1/beacon/blob_sidecars/SLOT                    { data: [{ blob }] }, of older nodes
 */
import { fromHex } from '#protocol/bytes.ts';
import { BLOB_BYTES } from './blob-codec.ts';
import type { Hex, L1Client } from './client.ts';
import { DEVNET_CHAIN_ID } from './client.ts';
import { L1Error, l1Error } from './errors.ts';
import { type Kzg, versionedHash } from './kzg.ts';

/** A transaction that carried blobs. */
export interface BlobPlace {
  readonly transaction: Hex;
  readonly blockNumber: number;
  readonly blockTimeMs: number;
  /** In order. */
  readonly hashes: readonly Hex[];
}

export interface FetchedBlobs {
  readonly blobs: readonly Uint8Array[];
  readonly commitments: readonly Hex[];
}

const TIMEOUT_MS = 20_000;
/** A block has fewer. */
const BLOBS_LOOKED_AT = 64;

export class BlobSource {
  private readonly l1: L1Client;
  private readonly kzg: Kzg;
  private readonly beacon: string | undefined;
  private slots: { readonly genesisMs: number; readonly slotMs: number } | undefined;

  /** `beacon`: its base URL; without one only development chains have blobs. */
  constructor(l1: L1Client, kzg: Kzg, beacon?: string) {
    this.l1 = l1;
    this.kzg = kzg;
    this.beacon = beacon?.replace(/\/$/, '');
  }

  /** Rejects with `L1Error` code `unreachable` when nobody has them all. */
  async fetch(place: BlobPlace): Promise<FetchedBlobs> {
    const found = new Map<Hex, { blob: Uint8Array; commitment: Hex }>();
    for (const text of (await this.candidates(place)).slice(0, BLOBS_LOOKED_AT)) {
      const blob = blobOf(text);
      if (blob === undefined) continue;
      const commitment = await this.kzg.commitment(blob).catch(() => undefined);
      if (commitment !== undefined) found.set(versionedHash(commitment), { blob, commitment });
    }
    const all = place.hashes.map((hash) => {
      const one = found.get(hash);
      if (one === undefined)
        throw new L1Error(
          'unreachable',
          `transaction ${place.transaction}: expected blob ${hash}, got none from ${this.beacon ?? this.l1.url}`,
        );
      return one;
    });
    return { blobs: all.map(({ blob }) => blob), commitments: all.map(({ commitment }) => commitment) };
  }

  private async candidates(place: BlobPlace): Promise<readonly unknown[]> {
    if (this.beacon !== undefined) return this.fromBeacon(this.beacon, place);
    if (this.l1.chainId !== DEVNET_CHAIN_ID)
      throw new L1Error(
        'unreachable',
        `transaction ${place.transaction}: expected the URL of a beacon node for its blobs, got none`,
      );
    try {
      const params = [place.transaction];
      return ((await this.l1.public.request({
        method: 'anvil_getBlobsByTransactionHash',
        params,
      } as never)) ?? []) as unknown[];
    } catch (error) {
      throw new L1Error('unreachable', l1Error(error, `blobs of ${place.transaction}`).message, {
        cause: error,
      });
    }
  }

  private async fromBeacon(base: string, place: BlobPlace): Promise<readonly unknown[]> {
    const id = await this.blockId(base, place);
    const query = place.hashes.map((hash) => `versioned_hashes=${hash}`).join('&');
    const blobs = await getJson(`${base}/eth/v1/beacon/blobs/${id}?${query}`);
    if (blobs !== undefined) return dataOf(blobs);
    const sidecars = await getJson(`${base}/eth/v1/beacon/blob_sidecars/${id}`);
    return dataOf(sidecars).map((sidecar) => (sidecar as { blob?: unknown } | null)?.blob);
  }

  /** The slot of the block; its number where the node has no slots, which is so on development chains. */
  private async blockId(base: string, place: BlobPlace): Promise<number> {
    if (this.slots === undefined) {
      const [genesis, spec] = await Promise.all([
        getJson(`${base}/eth/v1/beacon/genesis`),
        getJson(`${base}/eth/v1/config/spec`),
      ]);
      const genesisSeconds = Number(fieldOf(genesis, 'genesis_time'));
      const slotSeconds = Number(fieldOf(spec, 'SECONDS_PER_SLOT'));
      if (!(genesisSeconds >= 0) || !(slotSeconds > 0)) return place.blockNumber;
      this.slots = { genesisMs: genesisSeconds * 1000, slotMs: slotSeconds * 1000 };
    }
    return Math.floor((place.blockTimeMs - this.slots.genesisMs) / this.slots.slotMs);
  }
}

/** Undefined when there is no such thing there. */
async function getJson(url: string): Promise<unknown> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) });
    if (response.status === 200) return await response.json();
    await response.body?.cancel();
    if ([400, 404, 405, 410].includes(response.status)) return undefined;
    throw new Error(`expected status 200, got ${response.status}`);
  } catch (cause) {
    throw new L1Error('unreachable', `${url}: ${(cause as Error).message}`, { cause });
  }
}

const dataOf = (answer: unknown): unknown[] => {
  const data = (answer as { data?: unknown } | undefined)?.data;
  return Array.isArray(data) ? data : [];
};

const fieldOf = (answer: unknown, field: string): unknown =>
  (answer as { data?: Readonly<Record<string, unknown>> } | undefined)?.data?.[field];

const blobOf = (text: unknown): Uint8Array | undefined =>
  typeof text === 'string' && text.length === 2 + 2 * BLOB_BYTES && /^0x[0-9a-f]+$/i.test(text)
    ? fromHex(text)
    : undefined;
