/** What a run of the demo does once the processes are up: the traders, or a replay. */
import type { ChainParameters, MarketConfig } from '#protocol/market.ts';
import type { Identity } from '../session.ts';
import type { ReplayVerdict } from './replay-compare.ts';
import type { Supervisor } from './supervisor.ts';
import type { Tally } from './tally.ts';

/** Ctrl-C. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
}

export interface JobContext {
  readonly supervisor: Supervisor;
  /** As many as the job has asked for, with money. */
  readonly identities: readonly Identity[];
  readonly tally: Tally;
  readonly signal: AbortSignal;
  /** What is going on, for the status screen. */
  readonly say: (phrase: string) => void;
}

/** A replay is of an order flow, or of prices alone. */
export type JobKind = 'demo' | 'replay' | 'prices';

export interface Job {
  readonly kind: JobKind;
  readonly title: string;
  readonly chain: ChainParameters;
  readonly markets: readonly MarketConfig[];
  readonly accounts: number;
  /** q for each account, or for each its own. */
  readonly funding: number | readonly number[];
  /** What each account withdraws of its free collateral at the end, 0 … 1. */
  readonly withdrawShare: number;
  /** Time at which the exchange's clock stands, to be moved by price reports alone; undefined: the machine's clock. */
  readonly clockStartMs?: number;
  /** Time of the first block of an L1 of one's own. */
  readonly l1StartSeconds?: number;
  /** Resolves when it is done: nothing more is sent by its traders. Throws what the signal was aborted with. */
  run(context: JobContext): Promise<{ readonly replay: ReplayVerdict | undefined }>;
}
