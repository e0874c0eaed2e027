/**
 * Makes verified batches final at once, on rollups whose contract trusts the proofs that this verifier makes. Where it
 * stands is read from L1 each time, so that it needs no memory, and others that finalize are no matter: what they were
 * faster with is done.
 */
import { toHex } from '#protocol/bytes.ts';
import { type Address, accountOf, type L1Client } from '#settlement/l1/client.ts';
import type { RollupContracts } from '#settlement/l1/contracts.ts';
import { L1Error, revertSentence } from '#settlement/l1/errors.ts';
import { proofRefusal, proveBatch, readTrustedVerifier } from '#settlement/l1/prove-actions.ts';
import { rollupStatus } from '#settlement/l1/vault-actions.ts';
import type { ProvenBatch, Verifier } from './verifier.ts';

export interface FinalizerOptions {
  /** With the key that pays. */
  readonly l1: L1Client;
  readonly rollup: RollupContracts;
  readonly verifier: Verifier;
  /** Whose attestations are sent; undefined where proofs are of another kind. */
  readonly attester?: Uint8Array;
  readonly say?: (sentence: string) => void;
}

export interface FinalizerStatus {
  readonly address: Address;
  /** Contract that judges the proofs. */
  readonly trusts: Address;
  /** Made final by this process. */
  readonly proven: number;
  /** Batch that somebody has demanded the inputs of: it waits. */
  readonly held: number | null;
  /** Why the last attempt did not succeed. */
  readonly trouble: string | null;
}

/** The rollup trusts no proofs, or not this verifier's. The message says what is expected. */
export class FinalizerError extends Error {
  override readonly name = 'FinalizerError';
  readonly code = 'NOT_TRUSTED';
}

export class Finalizer {
  private readonly options: FinalizerOptions;
  private readonly address: Address;
  private readonly trusts: Address;
  private proven = 0;
  private held: number | undefined;
  private trouble: string | undefined;

  /** Rejects with `FinalizerError` where it could never succeed, and with `L1Error`. */
  static async open(options: FinalizerOptions): Promise<Finalizer> {
    const { l1, rollup, attester } = options;
    const trusted = await readTrustedVerifier(l1, rollup);
    if (trusted === undefined)
      throw new FinalizerError(
        `finalize: expected a rollup that was deployed with a verifier, but ${rollup.rollup} trusts no proofs: its batches become final when their window of ${rollup.windowSeconds} s is over`,
      );
    if (
      attester !== undefined &&
      trusted.attester !== undefined &&
      toHex(attester) !== trusted.attester.toLowerCase()
    )
      throw new FinalizerError(
        `finalize: expected the key of ${trusted.attester}, whom rollup ${rollup.rollup} trusts, got that of ${toHex(attester)}`,
      );
    return new Finalizer(options, trusted.address);
  }

  private constructor(options: FinalizerOptions, trusts: Address) {
    this.options = options;
    this.address = accountOf(options.l1).address;
    this.trusts = trusts;
  }

  status(): FinalizerStatus {
    const { address, trusts, proven, held, trouble } = this;
    return { address, trusts, proven, held: held ?? null, trouble: trouble ?? null };
  }

  /** Proves the next batch, if there is one; resolves with true when nothing is left to do until L1 moves. Never rejects. */
  async step(): Promise<boolean> {
    try {
      const isIdle = await this.finalizeNext();
      this.trouble = undefined;
      return isIdle;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      if (this.trouble !== reason) this.options.say?.(`finalize: ${reason}`);
      this.trouble = reason;
      return true;
    }
  }

  private async finalizeNext(): Promise<boolean> {
    const { l1, rollup, verifier } = this.options;
    const { finalId } = await rollupStatus(l1, rollup);
    const id = finalId + 1;
    let batch = await verifier.proven(id);
    if (batch === undefined) {
      this.held = undefined;
      return true;
    }
    let refusal = await this.refusal(batch);
    if (refusal?.name === 'ProofRefused') {
      // A kept proof may be that of an earlier key.
      batch = (await verifier.proven(id, { anew: true })) ?? batch;
      refusal = await this.refusal(batch);
    }
    this.held = refusal?.name === 'BatchHeld' ? id : undefined;
    if (this.held !== undefined) return true;
    if (refusal !== undefined) {
      if (await this.isDone(id)) return false;
      throw new L1Error(
        'reverted',
        `batch ${id}: expected its proof to be taken, got ${revertSentence(refusal)}`,
        { revert: refusal },
      );
    }
    return this.send(batch);
  }

  private refusal({ posted, proof }: ProvenBatch): ReturnType<typeof proofRefusal> {
    return proofRefusal(this.options.l1, this.options.rollup, posted, proof.bytes);
  }

  private async send({ posted, proof }: ProvenBatch): Promise<boolean> {
    const { l1, rollup, say } = this.options;
    const { id } = posted.header;
    try {
      await proveBatch(l1, rollup, posted, proof.bytes);
    } catch (error) {
      if (error instanceof L1Error && error.code === 'reverted' && (await this.isDone(id))) return false;
      throw error;
    }
    this.proven++;
    say?.(`batch ${id} is final by a proof`);
    return false;
  }

  /** Whether somebody else was faster. */
  private async isDone(id: number): Promise<boolean> {
    const { l1, rollup } = this.options;
    return (await rollupStatus(l1, rollup)).finalId >= id;
  }
}
