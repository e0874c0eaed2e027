/** What a verifier says of itself. */
import type { Difference } from './difference.ts';

/** What `status` says, ready for JSON: amounts and hashes are text. */
export interface VerifierStatus {
  readonly rollup: string;
  readonly chainId: number;
  /** Batches on L1. */
  readonly committed: number;
  readonly final: number;
  /** Last batch that was re-executed and found as posted. */
  readonly verified: number;
  /** Over all verified batches. */
  readonly steps: number;
  readonly segments: number;
  readonly commands: number;
  readonly mismatches: number;
  /** In a sentence. */
  readonly verdict: string;
  readonly difference: (Difference & { readonly sentence: string }) | null;
  readonly head: {
    readonly hash: string;
    readonly ledgerRoot: string;
    readonly bookRoot: string;
    readonly stateRoot: string;
    readonly seq: number;
    readonly time: number;
    readonly queueNext: number;
  };
  /** Of the last verified batch; sums in q as totals.ts has them, as text. */
  readonly ledger: { readonly batch: number; readonly accounts: number } & Readonly<
    Record<'cash' | 'entryValue' | 'fees' | 'funding' | 'insurance' | 'owed' | 'withdrawn', string>
  >;
  readonly l1: {
    readonly url: string;
    readonly block: number;
    readonly reorgs: number;
    readonly frozen: boolean;
    /** Why it can't be read at the moment. */
    readonly trouble: string | null;
  };
  /** The next batch and how many of its segments nobody gives the inputs of; null when there is none. */
  readonly missing: { readonly batch: number; readonly segments: number } | null;
}
