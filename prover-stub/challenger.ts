/**
 * Strikes batches that a verifier has found to be wrong: builds the proof, tries it as a call, commits to it, sends it a
 * block later, and takes the reward when the claim period is over. Every state is kept before the transaction that
 * leaves it, and each can be told from L1, so that a challenger goes on after a crash; what salts its commitments follows
 * from its key and the batch.
 *
 *   found → committed → struck → done         by this challenger
 *   found → committed → claimed → done        another one was faster; the older commitment is shown
 *   found → done                              the batch is gone before anything was sent
 */
import { concat, fromHex, toHex } from '#protocol/bytes.ts';
import type { Keccak } from '#protocol/hash.ts';
import { rollupAbi } from '#settlement/l1/abi.ts';
import {
  challengeCommitment,
  claimReward,
  commitChallenge,
  proveFraud,
  readCommitment,
  readReward,
  takeReward,
} from '#settlement/l1/challenge-actions.ts';
import { type Address, accountOf, type Hex, type L1Client } from '#settlement/l1/client.ts';
import type { RollupContracts } from '#settlement/l1/contracts.ts';
import { L1Error, l1Error } from '#settlement/l1/errors.ts';
import type { VerifierAlert } from './alerts.ts';
import { buildProof } from './build-proof.ts';
import { describeFraud } from './fraud.ts';
import { type Operation, rowKey } from './store.ts';
import type { Accusation, Verifier } from './verifier.ts';

export interface ChallengerOptions {
  /** With the key that pays, and that rewards go to. */
  readonly l1: L1Client;
  readonly rollup: RollupContracts;
  readonly keccak: Keccak;
  readonly verifier: Verifier;
  /** That key, 32 bytes: salts follow from it. */
  readonly secret: Uint8Array;
  readonly say?: (sentence: string) => void;
  readonly alert?: (alert: VerifierAlert) => Promise<void>;
}

type Stage = 'found' | 'committed' | 'struck' | 'claimed' | 'done';

interface Case {
  readonly number: number;
  readonly batch: number;
  readonly hash: Hex;
  readonly what: string;
  readonly proof: Hex;
  readonly salt: Hex;
  readonly stage: Stage;
}

export interface ChallengerStatus {
  readonly address: Address;
  /** Batches accused so far, and how far each has come. */
  readonly cases: readonly {
    readonly batch: number;
    readonly hash: string;
    readonly what: string;
    readonly stage: Stage;
  }[];
  readonly committed: number;
  readonly struck: number;
  readonly rewards: number;
  /** Why the last attempt did not succeed. */
  readonly trouble: string | null;
}

/** Before a batch whose proof failed is looked at again. */
const RETRY_MS = 30_000;

export class Challenger {
  private readonly options: ChallengerOptions;
  private readonly address: Address;
  private cases: Case[] = [];
  private counters = { committed: 0, struck: 0, rewards: 0 };
  private trouble: string | undefined;
  private failed: { readonly hash: Hex; readonly atMs: number } | undefined;

  /** Goes on where an earlier one with this verifier's store stopped. */
  static async open(options: ChallengerOptions): Promise<Challenger> {
    const challenger = new Challenger(options);
    for await (const { value } of options.verifier.store.rows<Case>('case')) challenger.cases.push(value);
    return challenger;
  }

  private constructor(options: ChallengerOptions) {
    this.options = options;
    this.address = accountOf(options.l1).address;
  }

  status(): ChallengerStatus {
    const { address, cases, counters, trouble } = this;
    return {
      address,
      cases: cases.map(({ batch, hash, what, stage }) => ({ batch, hash, what, stage })),
      ...counters,
      trouble: trouble ?? null,
    };
  }

  /** Does what can be done now; resolves with true when nothing is left to do until L1 moves. Never rejects. */
  async step(): Promise<boolean> {
    try {
      let isIdle = await this.accuse();
      for (const one of this.cases) if (one.stage !== 'done') isIdle = (await this.advance(one)) && isIdle;
      this.trouble = undefined;
      return isIdle;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      if (this.trouble !== reason) this.options.say?.(`challenge: ${reason}`);
      this.trouble = reason;
      return true;
    }
  }

  /** Opens a case for the batch that the verifier has found to be wrong. */
  private async accuse(): Promise<boolean> {
    const { verifier, keccak, l1, rollup, secret, say } = this.options;
    const accusation = await verifier.accusation();
    if (accusation === undefined) return true;
    const hash = toHex(accusation.batch.hash);
    if (this.cases.some((one) => one.hash === hash)) return true;
    if (this.failed?.hash === hash && Date.now() - this.failed.atMs < RETRY_MS) return true;
    this.failed = { hash, atMs: Date.now() };
    const built = await buildProof({
      ...{ l1, rollup, keccak, search: accusation.search },
      ...(accusation.evidence === undefined ? {} : { evidence: accusation.evidence }),
      ...(say === undefined ? {} : { say }),
    });
    if (built === undefined) {
      await this.fail(accusation);
      return true;
    }
    const { proof, fraud, repairs } = built;
    const what = describeFraud(fraud);
    if (repairs > 0)
      say?.(`batch ${accusation.difference.batch}: ${repairs} leaves were added to the witness`);
    const salt = toHex(keccak(concat(secret, accusation.batch.hash)));
    const number = this.cases.length;
    await this.keep({ number, batch: accusation.difference.batch, hash, what, proof, salt, stage: 'found' });
    this.failed = undefined;
    return false;
  }

  private async fail({ difference, batch }: Accusation): Promise<void> {
    const sentence = `batch ${difference.batch} (${toHex(batch.hash)}): no check of ${this.options.rollup.challenges} takes what is wrong with it`;
    this.trouble = sentence;
    await this.tell('challenge-failed', difference.batch, sentence);
  }

  /** One stage on; true when it has to wait for L1. */
  private async advance(one: Case): Promise<boolean> {
    switch (one.stage) {
      case 'found':
        return this.commit(one);
      case 'committed':
        return this.strike(one);
      case 'struck':
      case 'claimed':
        return this.take(one);
      case 'done':
        return true;
    }
  }

  private claim({ salt }: Case): { beneficiary: Address; salt: Hex } {
    return { beneficiary: this.address, salt };
  }

  private async commit(one: Case): Promise<boolean> {
    const { l1, rollup } = this.options;
    const commitment = challengeCommitment(one.proof, this.claim(one));
    if ((await readCommitment(l1, rollup, commitment)) === undefined) {
      if (!(await this.stands(one))) {
        await this.keep({ ...one, stage: 'done' });
        return true;
      }
      await commitChallenge(l1, rollup, commitment);
      this.counters.committed++;
    }
    await this.keep({ ...one, stage: 'committed' });
    await this.tell(
      'challenge-committed',
      one.batch,
      `batch ${one.batch}: committed to a proof by ${one.what}`,
    );
    return false;
  }

  private async strike(one: Case): Promise<boolean> {
    const { l1, rollup } = this.options;
    const claim = this.claim(one);
    const made = await readCommitment(l1, rollup, challengeCommitment(one.proof, claim));
    if (made === undefined) {
      // A reorg took it.
      await this.keep({ ...one, stage: 'found' });
      return false;
    }
    if ((await this.block()).number < made) return true;
    if (!(await this.stands(one))) {
      await this.showOlder(one, made);
      return false;
    }
    // Mined in a later block than the commitment: one that is sent now can't be mined in a block that is there.
    const strike = await proveFraud(l1, rollup, one.proof, claim);
    this.counters.struck++;
    await this.keep({ ...one, stage: 'struck' });
    await this.tell('batch-struck', one.batch, `batch ${strike.id} (${one.hash}) was struck by ${one.what}`);
    return false;
  }

  /** Somebody else struck it: the reward is the oldest commitment's. */
  private async showOlder(one: Case, made: number): Promise<void> {
    const { l1, rollup } = this.options;
    const reward = await readReward(l1, rollup, fromHex(one.hash));
    const claim = { ...this.claim(one), proof: one.proof };
    const now = await this.block();
    if (reward.candidate === this.address) {
      await this.keep({ ...one, stage: 'claimed' });
      return;
    }
    if (reward.amountWei === 0n || now.timeMs > reward.claimUntilMs) {
      await this.keep({ ...one, stage: 'done' });
      return;
    }
    try {
      await claimReward(l1, rollup, fromHex(one.hash), claim);
      await this.keep({ ...one, stage: 'claimed' });
    } catch (error) {
      if (!(error instanceof L1Error) || error.code !== 'reverted') throw error;
      this.options.say?.(`reward of batch ${one.batch}, committed in block ${made}: ${error.message}`);
      await this.keep({ ...one, stage: 'done' });
    }
  }

  private async take(one: Case): Promise<boolean> {
    const { l1, rollup } = this.options;
    const hash = fromHex(one.hash);
    const reward = await readReward(l1, rollup, hash);
    if (reward.amountWei === 0n) {
      // Taken by anyone for its candidate, or the strike left the chain with a reorg.
      await this.keep({ ...one, stage: (await this.stands(one)) ? 'committed' : 'done' });
      return true;
    }
    if ((await this.block()).timeMs <= reward.claimUntilMs) return true;
    if (reward.candidate === this.address) {
      await takeReward(l1, rollup, hash);
      this.counters.rewards++;
      await this.tell('reward-taken', one.batch, `batch ${one.batch}: took ${reward.amountWei} wei`);
    }
    await this.keep({ ...one, stage: 'done' });
    return false;
  }

  /** Whether the accused batch is on L1. */
  private async stands({ batch, hash }: Case): Promise<boolean> {
    const { l1, rollup } = this.options;
    const record = await l1.public
      .readContract({
        address: rollup.rollup,
        abi: rollupAbi,
        functionName: 'batches',
        args: [BigInt(batch)],
      })
      .catch((error: unknown) => {
        throw l1Error(error, `batch ${batch}`);
      });
    return record.hash === hash;
  }

  private async block(): Promise<{ readonly number: number; readonly timeMs: number }> {
    const { l1 } = this.options;
    const block = await l1.public.getBlock({ blockTag: 'latest' }).catch((error: unknown) => {
      throw l1Error(error, 'latest block');
    });
    return { number: Number(block.number), timeMs: Number(block.timestamp) * 1000 };
  }

  private async keep(one: Case): Promise<void> {
    const operation: Operation = { type: 'put', key: rowKey('case', one.number), value: one };
    await this.options.verifier.store.write([operation]);
    this.cases = [...this.cases.filter(({ number }) => number !== one.number), one];
  }

  private async tell(kind: VerifierAlert['kind'], batch: number, sentence: string): Promise<void> {
    this.options.say?.(sentence);
    await this.options.alert?.({ kind, batch, sentence });
  }
}
