/**
 * Where an owner stands on the way out: what they will receive, and what can be done now to get it. Everything follows
 * from L1, so a way that was left halfway is simply looked at again.
 *
 *   const exit = new Exit(l1, rollup, owner, keccak);
 *   const view = await exit.look();
 *   for (const action of view.actions) await perform(l1, rollup, action);      // perform.ts
 */
import { fromHex, getU128be, toHex, viewOf } from '#protocol/bytes.ts';
import type { Keccak } from '#protocol/hash.ts';
import { decodeMoneyPayload, QUEUE_DEPOSIT, type QueueEntry } from '#protocol/queue-entry.ts';
import { QUOTE_ASSET } from '#protocol/units.ts';
import type { Address, L1Client } from '#settlement/l1/client.ts';
import type { RollupContracts } from '#settlement/l1/contracts.ts';
import type { AccountProof, AssetProof, MarketProof } from '#settlement/l1/escape-actions.ts';
import {
  type AssetState,
  type EscapeState,
  readEscapeState,
  readRefunded,
  readRegistered,
} from '#settlement/l1/escape-state.ts';
import { readBatchRecord } from '#settlement/l1/rollup-state.ts';
import type { WithdrawalProof } from '#settlement/l1/vault-actions.ts';
import {
  accountKey,
  assetConfigKey,
  globalsKey,
  marketConfigKey,
  poolKey,
  pricesKey,
  withdrawnKey,
} from '#state/keys.ts';
import { FinalLedger, type ProvenValue } from './final-ledger.ts';
import { claimsIn, type LedgerClaims, type OwnClaim } from './ledger-claims.ts';
import { queueEntries } from './queue-entries.ts';
import { paymentsOf } from './shares.ts';

export type ExitStage =
  /** The sequencer does its part: withdraw, or force a withdrawal. */
  | 'running'
  /** An entry is overdue or the sequencer is silent: anyone may freeze. */
  | 'overdue'
  /** Frozen; batches still wait for their window. */
  | 'pending'
  /** Frozen, nothing pending: anyone may settle. */
  | 'unsettled'
  /** Claims are registered. */
  | 'claiming'
  /** Claims are paid. */
  | 'paying';

export type ExitAction =
  | { readonly kind: 'freeze' }
  | { readonly kind: 'finalize'; readonly batch: number }
  | { readonly kind: 'settle' }
  | { readonly kind: 'withdraw'; readonly proof: WithdrawalProof; readonly amount: bigint }
  | { readonly kind: 'count'; readonly entries: readonly QueueEntry[] }
  | { readonly kind: 'refund'; readonly entry: QueueEntry; readonly asset: number; readonly amount: bigint }
  | { readonly kind: 'prices'; readonly globals: ProvenValue; readonly markets: readonly MarketProof[] }
  | { readonly kind: 'assets'; readonly assets: readonly AssetProof[] }
  | { readonly kind: 'register'; readonly accounts: readonly AccountProof[] }
  | { readonly kind: 'claim'; readonly owner: Address; readonly asset: number; readonly amount: bigint };

/** Of one token, ledger units; what was paid before is not in it. */
export interface Receipt {
  readonly asset: number;
  /** Deposits that no final batch has taken up. */
  readonly refunds: bigint;
  /** Final withdrawals that are not paid yet. */
  readonly withdrawals: bigint;
  /** Share of the rest. Before payments begin: what it is if everybody registers. */
  readonly claim: bigint;
}

/** Of one account of the owner, as of the last final batch. */
export interface AccountClaim extends OwnClaim {
  readonly registered: boolean;
}

export interface ExitView {
  readonly stage: ExitStage;
  readonly state: EscapeState;
  readonly accounts: readonly AccountClaim[];
  readonly receives: readonly Receipt[];
  /** In this order; an action may be refused when somebody else has just done it. */
  readonly actions: readonly ExitAction[];
  /** When there will be more to do, seconds of L1 time; undefined when nothing is left. */
  readonly nextAt: number | undefined;
}

/** Queue entries of one countDeposits. */
const COUNT_AT_ONCE = 200;
/** Accounts of one registerClaims. */
const REGISTER_AT_ONCE = 8;
const MARKETS_AT_ONCE = 16;

export class Exit {
  private readonly l1: L1Client;
  private readonly rollup: RollupContracts;
  readonly owner: Address;
  readonly ledger: FinalLedger;
  private claims: { readonly batch: number; readonly of: LedgerClaims } | undefined;

  constructor(l1: L1Client, rollup: RollupContracts, owner: Address, keccak: Keccak) {
    this.l1 = l1;
    this.rollup = rollup;
    this.owner = owner.toLowerCase() as Address;
    this.ledger = new FinalLedger(l1, rollup, keccak);
  }

  /** Rejects with `L1Error`, and with `SluiceError` when L1's batches do not fit together. */
  async look(onBatch?: (done: number, of: number) => void): Promise<ExitView> {
    const state = await readEscapeState(this.l1, this.rollup, this.owner);
    await this.ledger.moveTo(state.finalId, state.ledgerRoot, onBatch);
    const claims = this.readClaims();
    const registered = await readRegistered(this.l1, this.rollup, {
      accounts: claims.own.map(({ account }) => account),
      markets: claims.markets,
    });
    const waiting = await queueEntries(this.l1, this.rollup, {
      from: state.queueNext,
      to: state.queueLength,
    });
    const accounts = claims.own.map((one) => ({ ...one, registered: registered.accounts.has(one.account) }));
    const stage = stageOf(state);
    const refunds = await this.refunds(waiting);
    const withdrawals = this.withdrawals(state);
    const shares = this.shares(state, waiting, claims);
    const receives = this.rollup.assets.map(({ asset }) => ({
      asset,
      refunds: sum(refunds.filter((one) => one.asset === asset).map((one) => one.amount)),
      withdrawals: sum(withdrawals.filter((one) => one.proof.asset === asset).map((one) => one.amount)),
      claim: state.assets[asset]!.claimPaid ? 0n : shares[asset]!,
    }));
    const context = { stage, state, accounts, markets: claims.markets, known: registered.markets, waiting };
    const { actions, nextAt } = await this.steps({ ...context, refunds, withdrawals, receives });
    return { stage, state, accounts, receives, actions, nextAt };
  }

  private async steps(at: {
    readonly stage: ExitStage;
    readonly state: EscapeState;
    readonly accounts: readonly AccountClaim[];
    readonly markets: readonly number[];
    readonly known: ReadonlySet<number>;
    readonly waiting: readonly QueueEntry[];
    readonly refunds: readonly Extract<ExitAction, { kind: 'refund' }>[];
    readonly withdrawals: readonly Extract<ExitAction, { kind: 'withdraw' }>[];
    readonly receives: readonly Receipt[];
  }): Promise<Pick<ExitView, 'actions' | 'nextAt'>> {
    const { stage, state, withdrawals } = at;
    switch (stage) {
      case 'running':
        return { actions: withdrawals, nextAt: undefined };
      case 'overdue':
        return { actions: [...withdrawals, { kind: 'freeze' }], nextAt: undefined };
      case 'pending': {
        const actions: ExitAction[] = [...withdrawals];
        const first = state.finalId + 1;
        let nextAt: number | undefined;
        for (let batch = first; batch <= state.committedId && nextAt === undefined; batch++) {
          const { deadline } = await readBatchRecord(this.l1, this.rollup, batch);
          if (deadline <= state.now) actions.push({ kind: 'finalize', batch });
          else nextAt = deadline;
        }
        return { actions, nextAt };
      }
      case 'unsettled':
        return { actions: [...withdrawals, { kind: 'settle' }], nextAt: undefined };
      default: {
        const { settled } = state;
        const claims = at.receives
          .filter(({ claim }) => claim > 0n)
          .map(({ asset, claim }) => ({ kind: 'claim', owner: this.owner, asset, amount: claim }) as const);
        const isClaiming = stage === 'claiming';
        const needsCount = at.refunds.length > 0 || (!isClaiming && claims.length > 0);
        const counts = needsCount ? this.counts(settled!.counted, at.waiting) : [];
        const last = isClaiming ? this.registrations(at) : claims;
        const waits = isClaiming && at.accounts.some(({ claims: own }) => own.size > 0);
        return {
          actions: [...withdrawals, ...counts, ...at.refunds, ...last],
          nextAt: waits ? settled!.claimsUntil : undefined,
        };
      }
    }
  }

  private counts(counted: number, waiting: readonly QueueEntry[]): ExitAction[] {
    const left = waiting.filter(({ index }) => index >= counted);
    return pieces(left, COUNT_AT_ONCE).map((entries) => ({ kind: 'count', entries }));
  }

  /** Prices first, then what assets are worth, then the accounts: each needs those before. */
  private registrations(at: {
    readonly state: EscapeState;
    readonly accounts: readonly AccountClaim[];
    readonly markets: readonly number[];
    readonly known: ReadonlySet<number>;
  }): ExitAction[] {
    const open = at.accounts.filter(({ claims, registered }) => claims.size > 0 && !registered);
    if (open.length === 0) return [];
    // All that the vault holds, not only what the owner has: what covers a lack is shared by value.
    const assets = this.rollup.assets
      .map(({ asset }) => asset)
      .filter(
        (asset) =>
          !at.state.assets[asset]!.isProven && this.ledger.prove(assetConfigKey(asset)) !== undefined,
      );
    const missing = at.markets.filter((market) => !at.known.has(market));
    const leaf = (key: Uint8Array): ProvenValue => this.ledger.prove(key)!;
    return [
      ...pieces(missing, MARKETS_AT_ONCE).map(
        (part): ExitAction => ({
          kind: 'prices',
          globals: leaf(globalsKey()),
          markets: part.map((market) => ({
            market,
            config: leaf(marketConfigKey(market)),
            prices: leaf(pricesKey(market)),
          })),
        }),
      ),
      ...pieces(assets, MARKETS_AT_ONCE).map(
        (part): ExitAction => ({
          kind: 'assets',
          assets: part.map((asset) => ({
            asset,
            config: leaf(assetConfigKey(asset)),
            pool: leaf(poolKey(asset)),
          })),
        }),
      ),
      ...pieces(open, REGISTER_AT_ONCE).map(
        (part): ExitAction => ({
          kind: 'register',
          accounts: part.map(({ account }) => ({ account, leaf: leaf(accountKey(account)) })),
        }),
      ),
    ];
  }

  /** Own deposits that no final batch has taken up and that were not paid back. */
  private async refunds(waiting: readonly QueueEntry[]): Promise<Extract<ExitAction, { kind: 'refund' }>[]> {
    const own = waiting.flatMap((entry): Extract<ExitAction, { kind: 'refund' }>[] => {
      const money = entry.kind === QUEUE_DEPOSIT ? decodeMoneyPayload(entry.payload) : undefined;
      if (money === undefined || toHex(entry.owner) !== this.owner) return [];
      return [{ kind: 'refund', entry, asset: money.asset, amount: BigInt(money.amount) }];
    });
    const paid = await readRefunded(
      this.l1,
      this.rollup,
      own.map(({ entry }) => entry.index),
    );
    return own.filter(({ entry }) => !paid.has(entry.index));
  }

  private withdrawals(state: EscapeState): Extract<ExitAction, { kind: 'withdraw' }>[] {
    const holder = fromHex(this.owner);
    return this.rollup.assets.flatMap(({ asset }): Extract<ExitAction, { kind: 'withdraw' }>[] => {
      const proven = this.ledger.prove(withdrawnKey(holder, asset));
      if (proven === undefined) return [];
      const total = getU128be(viewOf(proven.value), 0);
      const amount = total - state.assets[asset]!.withdrawnPaid;
      const proof = { owner: this.owner, asset, total, batchId: this.ledger.batchId, path: proven.path };
      return amount > 0n ? [{ kind: 'withdraw', proof, amount }] : [];
    });
  }

  /** Payment of each asset. Once claims are paid it is exact; before, as if everybody registers. */
  private shares(state: EscapeState, waiting: readonly QueueEntry[], ledger: LedgerClaims): bigint[] {
    const { settled } = state;
    const isOver = settled !== undefined && settled.claimsUntil <= state.now;
    const pools = state.assets.map((asset, i) => ({
      pool: settled?.distributing === true ? asset.pool : restOf(asset, i, state, waiting),
      claimTotal: isOver ? asset.claimTotal : (ledger.totals.get(i) ?? 0n),
      asset: isOver && i !== QUOTE_ASSET && !asset.isProven ? undefined : ledger.asset(i),
    }));
    const own = isOver ? new Map(state.assets.map(({ claim }, i) => [i, claim])) : ledger.ownTotals;
    return paymentsOf(pools, own);
  }

  private readClaims(): LedgerClaims {
    if (this.claims?.batch !== this.ledger.batchId)
      this.claims = { batch: this.ledger.batchId, of: claimsIn(this.ledger, this.owner) };
    return this.claims.of;
  }
}

function stageOf(state: EscapeState): ExitStage {
  if (state.settled !== undefined) return state.now < state.settled.claimsUntil ? 'claiming' : 'paying';
  if (state.frozen) return state.committedId > state.finalId ? 'pending' : 'unsettled';
  const entryIsDue = state.due !== undefined && state.now * 1000 > state.due.deadlineMs;
  return entryIsDue || state.now > state.silentFrom ? 'overdue' : 'running';
}

/** What is left of an asset for claims when refunds and withdrawals are taken off. */
function restOf(of: AssetState, asset: number, state: EscapeState, waiting: readonly QueueEntry[]): bigint {
  const { held, reserved, withdrawalsDue } = of;
  const counted = state.settled !== undefined && state.settled.counted === state.queueLength;
  let refunds = reserved;
  if (!counted)
    for (const { kind, payload } of waiting) {
      const money = kind === QUEUE_DEPOSIT ? decodeMoneyPayload(payload) : undefined;
      if (money?.asset === asset) refunds += BigInt(money.amount);
    }
  const rest = held - refunds - withdrawalsDue;
  return rest > 0n ? rest : 0n;
}

const sum = (amounts: readonly bigint[]): bigint => amounts.reduce((total, amount) => total + amount, 0n);

function pieces<Item>(items: readonly Item[], size: number): Item[][] {
  const parts: Item[][] = [];
  for (let i = 0; i < items.length; i += size) parts.push(items.slice(i, i + size));
  return parts;
}
