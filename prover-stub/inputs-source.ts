/**
 * Inputs of batches that are not in calldata: from the own store, the blobs of L1, peers (the sequencer and other
 * verifiers, GET PEER/inputs/ID), or the answers to demands on L1. Whoever gives them, they count only when they fold to
 * the running hashes of the committed trace; only blobs are what they are, since a batch whose blobs hold something
 * else is proven wrong by them.
 */
import type { SignedBatch } from '#protocol/batch.ts';
import { concat, equalBytes } from '#protocol/bytes.ts';
import type { Keccak } from '#protocol/hash.ts';
import type { Hash } from '#protocol/units.ts';
import { ELEMENT_BYTES, unpackBlobs } from '#settlement/l1/blob-codec.ts';
import { BlobSource, type FetchedBlobs } from '#settlement/l1/blob-source.ts';
import type { L1Client } from '#settlement/l1/client.ts';
import type { RollupContracts } from '#settlement/l1/contracts.ts';
import { readAnswers, readDemandCounts } from '#settlement/l1/demand-actions.ts';
import { L1Error } from '#settlement/l1/errors.ts';
import { Kzg } from '#settlement/l1/kzg.ts';
import type { CarriedBatch } from '#settlement/l1/posted-batch.ts';
import { firstMisfolded, isSegment, segmentsOf } from './fold-inputs.ts';
import { rowKey, type VerifierStore } from './store.ts';

export interface InputsOptions {
  /** HTTP base URLs. */
  readonly peers?: readonly string[];
  /** Beacon node, for blobs. */
  readonly beacon?: string;
}

/** Where a batch was committed. */
export interface CommitPlace {
  readonly blockNumber: number;
  readonly blockTimeMs: number;
}

/** Blobs that hold something else than the trace says, or too much: what a proof opens. */
export interface BlobEvidence extends FetchedBlobs {
  readonly hashes: readonly `0x${string}`[];
  /** First segment that they do not hold. */
  readonly segment: number;
  /** In words. */
  readonly got: string;
}

export interface FoundInputs {
  readonly batch: SignedBatch;
  /** Inputs were in calldata, so that inputsHash is bound to them by the contract. */
  readonly inCalldata: boolean;
  /** Set when L1 itself shows the batch to be wrong. */
  readonly evidence?: BlobEvidence;
}

/** A batch whose inputs nobody gives. */
export interface MissingInputs {
  /** Without inputs. */
  readonly batch: SignedBatch;
  /** Those that are not known by answers on L1 either. */
  readonly segments: readonly number[];
}

/** Everything else goes on; the batch and those after it wait. */
export class InputsMissing extends L1Error {
  readonly missing: MissingInputs;

  constructor(missing: MissingInputs, reasons: readonly string[]) {
    const { batch, segments } = missing;
    const why = reasons.length === 0 ? 'no peer is named' : reasons.join('; ');
    super(
      'unreachable',
      `batch ${batch.header.id}: expected the inputs of ${segments.length} of its ${batch.trace.length} segments from somebody, got none (${why})`,
    );
    this.missing = missing;
  }
}

interface InputsRow {
  readonly hash: Hash;
  readonly inputs: Uint8Array;
}

const TIMEOUT_MS = 20_000;

export class InputsSource {
  private readonly l1: L1Client;
  private readonly rollup: RollupContracts;
  private readonly store: VerifierStore;
  private readonly keccak: Keccak;
  private readonly peers: readonly string[];
  private readonly blobs: BlobSource;
  readonly kzg = new Kzg();

  constructor(
    of: {
      readonly l1: L1Client;
      readonly rollup: RollupContracts;
      readonly store: VerifierStore;
      readonly keccak: Keccak;
    },
    { peers = [], beacon }: InputsOptions = {},
  ) {
    this.l1 = of.l1;
    this.rollup = of.rollup;
    this.store = of.store;
    this.keccak = of.keccak;
    this.peers = peers.map((url) => url.replace(/\/$/, ''));
    this.blobs = new BlobSource(of.l1, this.kzg, beacon);
  }

  /** Rejects with `InputsMissing` when nobody gives them. */
  async complete({ batch, elsewhere }: CarriedBatch, place: CommitPlace): Promise<FoundInputs> {
    if (elsewhere === undefined) return { batch, inCalldata: true };
    const kept = await this.kept(batch.header.id, batch.hash);
    if (kept !== undefined) return { batch: { ...batch, inputs: kept }, inCalldata: false };
    const reasons: string[] = [];
    if (elsewhere.carrier === 'blobs') {
      const { transaction, hashes } = elsewhere;
      const blobs = await this.blobs
        .fetch({ transaction, hashes, ...place })
        .catch(noteIn(reasons, this.l1.url));
      if (blobs !== undefined) return this.fromBlobs(batch, { ...blobs, hashes });
    }
    const inputs =
      (await this.fromPeers(batch, reasons)) ?? (await this.fromAnswers(batch, place.blockNumber, reasons));
    await this.keep(batch, inputs);
    return { batch: { ...batch, inputs }, inCalldata: false };
  }

  /** What this verifier has kept of a batch. */
  async kept(id: number, hash?: Hash): Promise<Uint8Array | undefined> {
    const row = await this.store.get<InputsRow>(rowKey('inputs', id));
    return row === undefined || (hash !== undefined && !equalBytes(row.hash, hash)) ? undefined : row.inputs;
  }

  close(): Promise<void> {
    return this.kzg.close();
  }

  private async keep(batch: SignedBatch, inputs: Uint8Array): Promise<void> {
    const value: InputsRow = { hash: batch.hash, inputs };
    await this.store.write([{ type: 'put', key: rowKey('inputs', batch.header.id), value }]);
  }

  private async fromBlobs(
    batch: SignedBatch,
    fetched: FetchedBlobs & { readonly hashes: readonly `0x${string}`[] },
  ): Promise<FoundInputs> {
    const { bytes, unclean } = unpackBlobs(fetched.blobs, batch.header.inputBytes);
    const full = { ...batch, inputs: bytes };
    const found = { batch: full, inCalldata: false };
    const misfolded = firstMisfolded(batch, bytes, this.keccak);
    const segments = segmentsOf(batch);
    // An element that two segments share is wrong for the first of them.
    const overfull =
      unclean === undefined
        ? -1
        : segments.findIndex(({ start, end }) => end > start && end > unclean * ELEMENT_BYTES);
    if (misfolded === undefined && overfull < 0) {
      await this.keep(batch, bytes);
      return found;
    }
    const isOverfull = overfull >= 0 && (misfolded === undefined || overfull <= misfolded);
    const segment = isOverfull ? overfull : misfolded!;
    const got = isOverfull ? `more in element ${unclean}` : 'other bytes';
    return { ...found, evidence: { ...fetched, segment, got } };
  }

  private async fromPeers(batch: SignedBatch, reasons: string[]): Promise<Uint8Array | undefined> {
    for (const peer of this.peers) {
      const url = `${peer}/inputs/${batch.header.id}`;
      const inputs = await fetchBytes(url, batch.header.inputBytes).catch(noteIn(reasons, url));
      if (inputs === undefined) continue;
      const misfolded = firstMisfolded(batch, inputs, this.keccak);
      if (misfolded === undefined) return inputs;
      reasons.push(`${url}: other bytes than the trace names, from segment ${misfolded} on`);
    }
    return undefined;
  }

  /** Puts the batch together of the records that answers have put on L1. */
  private async fromAnswers(
    batch: SignedBatch,
    fromBlock: number,
    reasons: readonly string[],
  ): Promise<Uint8Array> {
    const { count } = await readDemandCounts(this.l1, this.rollup);
    const answers =
      count === 0 ? [] : await readAnswers(this.l1, this.rollup, { batch: batch.header.id, fromBlock });
    const parts = segmentsOf(batch).map((segment) =>
      segment.end === segment.start
        ? new Uint8Array(0)
        : answers.find((bytes) => isSegment(segment, bytes, this.keccak)),
    );
    const segments = parts.flatMap((part, segment) => (part === undefined ? [segment] : []));
    if (segments.length > 0) throw new InputsMissing({ batch, segments }, reasons);
    return concat(...parts.map((part) => part!));
  }
}

const noteIn =
  (reasons: string[], what: string) =>
  (error: unknown): undefined => {
    const { message } = error instanceof Error ? error : new Error(String(error));
    reasons.push(message.includes(what) ? message : `${what}: ${message}`);
  };

/** Undefined when it is not there. Rejects when it is not of that length. */
async function fetchBytes(url: string, length: number): Promise<Uint8Array | undefined> {
  const response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) });
  if (response.status !== 200) {
    await response.body?.cancel();
    throw new Error(`expected status 200, got ${response.status}`);
  }
  const parts: Uint8Array[] = [];
  let got = 0;
  for await (const part of response.body ?? []) {
    got += part.length;
    // Whoever sends more is not listened to.
    if (got > length) break;
    parts.push(part);
  }
  if (got !== length) throw new Error(`expected ${length} bytes, got ${got > length ? 'more' : got}`);
  return concat(...parts);
}
