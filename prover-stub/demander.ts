/**
 * Demands on L1 the inputs that nobody gives, and strikes the batch when nobody answers. Which demands are its own it
 * reads from L1, so it keeps nothing; what it has earned is taken as soon as it is owed.
 *
 *   inputs missing → (after a while, for peers to come back) demanded → answered: the verifier finds them on L1
 *                                                                     → unanswered: struck, half of the bond is owed
 */
import { toHex } from '#protocol/bytes.ts';
import { type Address, accountOf, type L1Client } from '#settlement/l1/client.ts';
import type { RollupContracts } from '#settlement/l1/contracts.ts';
import {
  type DemandParameters,
  demandedSegment,
  demandInputs,
  type OpenDemand,
  readDemand,
  readDemandCounts,
  readDemandParameters,
  readOwed,
  strikeUnanswered,
  withdrawDemand,
  withdrawOwed,
} from '#settlement/l1/demand-actions.ts';
import { l1Error } from '#settlement/l1/errors.ts';
import { readBatchRecord } from '#settlement/l1/rollup-state.ts';
import type { VerifierAlert } from './alerts.ts';
import type { MissingInputs } from './inputs-source.ts';
import type { Verifier } from './verifier.ts';

export interface DemanderOptions {
  /** With the key that pays; the challenger's may be the same, if both are stepped in turn. */
  readonly l1: L1Client;
  readonly rollup: RollupContracts;
  readonly verifier: Pick<Verifier, 'missing' | 'postedWithoutInputs'>;
  /** How long peers have, before anything is paid; default a sixteenth of the window, at most 5 minutes. */
  readonly patienceMs?: number;
  /** Most wei that one demand may cost; default 0.5 ether. */
  readonly feeMaxWei?: bigint;
  readonly say?: (sentence: string) => void;
  readonly alert?: (alert: VerifierAlert) => Promise<void>;
  readonly now?: () => number;
}

export interface DemanderStatus {
  readonly address: Address;
  /** Open demands of this key. */
  readonly open: readonly { readonly id: number; readonly batch: number; readonly answerUntilMs: number }[];
  /** By this process. */
  readonly demanded: number;
  readonly answered: number;
  readonly struck: number;
  /** Why the last attempt did not succeed. */
  readonly trouble: string | null;
}

/** Demands that are open at the lowest prices. */
const OPEN_LEAST = 4;
const FIVE_MINUTES_MS = 300_000;

export class Demander {
  private readonly options: DemanderOptions;
  private readonly address: Address;
  private readonly now: () => number;
  private parameters: DemandParameters | undefined;
  private open = new Map<number, OpenDemand>();
  /** Demands up to this id were looked at. */
  private known = 0;
  private missingSince: { readonly hash: string; readonly atMs: number } | undefined;
  private counters = { demanded: 0, answered: 0, struck: 0 };
  private trouble: string | undefined;
  private isSettled = false;

  constructor(options: DemanderOptions) {
    this.options = options;
    this.address = accountOf(options.l1).address;
    this.now = options.now ?? Date.now;
  }

  status(): DemanderStatus {
    const open = [...this.open.values()].map(({ id, batch, answerUntilMs }) => ({
      id,
      batch,
      answerUntilMs,
    }));
    return { address: this.address, open, ...this.counters, trouble: this.trouble ?? null };
  }

  /** Does what can be done now; resolves with true when nothing is left to do until L1 moves. Never rejects. */
  async step(): Promise<boolean> {
    const { missing } = this.options.verifier;
    // Without missing inputs and demands of its own there is nothing to ask L1 for.
    if (missing === undefined && this.isSettled) return true;
    try {
      await this.observe();
      let isIdle = true;
      for (const demand of [...this.open.values()]) isIdle = (await this.pursue(demand)) && isIdle;
      if (missing !== undefined) isIdle = (await this.demand(missing)) && isIdle;
      if (isIdle && this.open.size === 0) await this.takeOwed();
      this.isSettled = isIdle && this.open.size === 0;
      this.trouble = undefined;
      return isIdle;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      if (this.trouble !== reason) this.options.say?.(`demand: ${reason}`);
      this.trouble = reason;
      return true;
    }
  }

  /** Which of its demands are open. */
  private async observe(): Promise<void> {
    const { l1, rollup } = this.options;
    const { count } = await readDemandCounts(l1, rollup);
    if (count < this.known) this.known = 0;
    for (const id of this.open.keys())
      if ((await readDemand(l1, rollup, id)) === undefined) {
        this.open.delete(id);
        this.counters.answered += 1;
      }
    for (let id = this.known + 1; id <= count; id++) {
      const demand = await readDemand(l1, rollup, id);
      if (demand?.demander.toLowerCase() === this.address.toLowerCase()) this.open.set(id, demand);
    }
    this.known = count;
  }

  /** True while there is nothing to do but wait. */
  private async pursue(demand: OpenDemand): Promise<boolean> {
    const { l1, rollup, verifier } = this.options;
    const { id, batch, batchHash, answerUntilMs } = demand;
    const record = await readBatchRecord(l1, rollup, batch);
    if (toHex(record.hash) !== toHex(batchHash)) {
      // Struck for another reason: the fee comes back.
      await withdrawDemand(l1, rollup, id);
      this.open.delete(id);
      return false;
    }
    if ((await this.chainTimeMs()) <= answerUntilMs) return true;
    const { header } = await verifier.postedWithoutInputs(batch);
    await strikeUnanswered(l1, rollup, id, header);
    this.open.delete(id);
    this.counters.struck += 1;
    const sentence = `batch ${batch} (${toHex(batchHash)}) was struck: nobody answered demand ${id} for its inputs`;
    this.options.say?.(sentence);
    await this.options.alert?.({ kind: 'batch-struck', batch, sentence });
    return false;
  }

  private async demand({ batch, segments }: MissingInputs): Promise<boolean> {
    const { l1, rollup, say } = this.options;
    const { feeMaxWei = 500_000_000_000_000_000n } = this.options;
    if (!this.isOutOfPatience(toHex(batch.hash))) return true;
    const { id } = batch.header;
    const asked = new Set(
      [...this.open.values()].flatMap((demand) =>
        demand.batch === id ? (demandedSegment(batch, demand)?.segment ?? []) : [],
      ),
    );
    const next = segments.filter((segment) => !asked.has(segment));
    const wanted = await this.openAtOnce(id, next.length);
    if (next.length === 0 || asked.size >= wanted) return true;
    const { feeWei } = await readDemandCounts(l1, rollup);
    if (feeWei > feeMaxWei)
      throw new Error(
        `batch ${id}: expected a fee of at most ${feeMaxWei} wei, got ${feeWei}: waiting for demands to be closed`,
      );
    const demand = await demandInputs(l1, rollup, { batch, segment: next[0]!, feeWei });
    this.counters.demanded += 1;
    const sentence = `batch ${id}: nobody gives the inputs of its segment ${next[0]}: demand ${demand}, for ${feeWei} wei`;
    say?.(sentence);
    await this.options.alert?.({ kind: 'inputs-demanded', batch: id, sentence });
    return false;
  }

  private isOutOfPatience(hash: string): boolean {
    if (this.missingSince?.hash !== hash) this.missingSince = { hash, atMs: this.now() };
    const { rollup } = this.options;
    const patienceMs =
      this.options.patienceMs ?? Math.min(FIVE_MINUTES_MS, (rollup.windowSeconds * 1000) / 16);
    return this.now() - this.missingSince.atMs >= patienceMs;
  }

  /** So many that all can be asked for in time, though each answer may come at the last moment. */
  private async openAtOnce(batch: number, left: number): Promise<number> {
    const { l1, rollup } = this.options;
    this.parameters ??= await readDemandParameters(l1, rollup);
    const answerMs = this.parameters.answerSeconds * 1000;
    const { deadline } = await readBatchRecord(l1, rollup, batch);
    const leftMs = deadline * 1000 - answerMs - (await this.chainTimeMs());
    const rounds = Math.max(1, Math.floor(leftMs / answerMs));
    return Math.max(OPEN_LEAST, Math.ceil(left / rounds));
  }

  private async takeOwed(): Promise<void> {
    const { l1, rollup, say } = this.options;
    const owed = await readOwed(l1, rollup, this.address);
    if (owed === 0n) return;
    await withdrawOwed(l1, rollup);
    say?.(`took ${owed} wei that demands have earned`);
  }

  private async chainTimeMs(): Promise<number> {
    const { l1 } = this.options;
    const block = await l1.public.getBlock({ blockTag: 'latest' }).catch((error: unknown) => {
      throw l1Error(error, 'latest block');
    });
    return Number(block.timestamp) * 1000;
  }
}
