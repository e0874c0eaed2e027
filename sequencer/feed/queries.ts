/**
 * Answers to queries (protocol/query.ts). What is read from the live state may rest on commands that are not
 * durable yet: such an answer is made at once and let go when everything that had been applied by then is
 * durable. So an answer is never older than the asking, and never tells what a crash could take back.
 */

import { isFresh } from '#engine/pricing/validity.ts';
import type { BatchView, HistoryRow, HistoryStore, QueryAnswer, QuerySource } from '#pipeline/ports.ts';
import { toHex } from '#protocol/bytes.ts';
import { decodeEvent } from '#protocol/event.ts';
import { MARKETS_MAX, SUBACCOUNTS_MAX } from '#protocol/limits.ts';
import type {
  ChainView,
  FinalityView,
  HistoryEntry,
  MarketView,
  QueryName,
  QueryTable,
  ReceiptView,
  WithdrawalProofView,
} from '#protocol/query.ts';
import { Reject } from '#protocol/reject.ts';
import type { Domain } from '#protocol/signing.ts';
import type { Seq } from '#protocol/units.ts';
import type { ExchangeState } from '#state/exchange-state.ts';
import { AccountQueries } from './account-queries.ts';
import type { OrderIndex } from './order-index.ts';
import {
  address,
  HISTORY_LIMIT_MAX,
  historyPage,
  integer,
  optionalInteger,
  type Parameters,
  QueryRefusal,
} from './parameters.ts';
import { supposition } from './supposition.ts';

export interface QueriesOptions {
  readonly state: ExchangeState;
  readonly domain: Domain;
  readonly history: HistoryStore;
  readonly orderIndex: OrderIndex;
  readonly batches: BatchView;
  readonly durableSeq: () => Seq;
  /** Resolves when everything applied so far is durable. */
  readonly whenDurable: () => Promise<void>;
  /** Proof against the newest final ledger root; null when the owner has none there. */
  readonly withdrawalProof: (owner: Uint8Array, asset: number) => Promise<WithdrawalProofView | null>;
  /** The receipt that covers a durable command: null when there is none yet, undefined when it is not kept any more. */
  readonly receipt: (seq: Seq) => Promise<ReceiptView | null | undefined>;
  /** Told of a failure that is the server's, not the asker's. */
  readonly onError: (error: unknown) => void;
}

type Handlers = { [Name in QueryName]: (parameters: Parameters) => Promise<QueryTable[Name]['answer']> };

const ASSET_MAX = 2 ** 16 - 1;
const ACCOUNT_MAX = 2 ** 32 - 1;
const CANDLE_INTERVALS = [60_000, 3_600_000, 86_400_000];

export class Queries implements QuerySource {
  private readonly options: QueriesOptions;
  private readonly accounts: AccountQueries;
  private readonly handlers: Handlers;

  constructor(options: QueriesOptions) {
    this.options = options;
    this.accounts = new AccountQueries(options.state);
    const { history } = options;
    this.handlers = {
      chain: () => this.live(() => this.chain()),
      markets: () => this.live(() => this.markets()),
      accounts: (p) => this.live(() => this.accounts.accountsOf(address(p, 'owner'), SUBACCOUNTS_MAX)),
      account: (p) => this.live(() => this.account(p)),
      'what-if': (p) => this.live(() => this.whatIf(p)),
      'open-orders': (p) => this.live(() => this.accounts.openOrders(accountOf(p), optionalMarket(p))),
      order: (p) => this.live(() => this.order(p)),
      orders: async (p) => entries(await history.orders(accountOf(p), historyPage(p))),
      fills: async (p) => entries(await history.fills(accountOf(p), historyPage(p))),
      funding: async (p) => entries(await history.funding(accountOf(p), historyPage(p))),
      transfers: async (p) => entries(await history.transfers(accountOf(p), historyPage(p))),
      trades: async (p) => entries(await history.trades(marketOf(p), historyPage(p))),
      'funding-rates': async (p) => entries(await history.fundingRates(marketOf(p), historyPage(p))),
      candles: (p) => this.candles(p),
      finality: (p) => this.finality(p),
      receipt: (p) => this.receipt(p),
      'withdrawal-proof': (p) =>
        options.withdrawalProof(address(p, 'owner'), integer(p, 'asset', { max: ASSET_MAX })),
    };
  }

  async answer(query: string, parameters: Parameters): Promise<QueryAnswer> {
    const names = Object.keys(this.handlers);
    if (!names.includes(query))
      return refusal(
        Reject.UNKNOWN_QUERY,
        `query: expected one of ${names.join(', ')}, got ${query.slice(0, 40)}`,
      );
    try {
      return { ok: true, answer: await this.handlers[query as QueryName](parameters) };
    } catch (error) {
      if (error instanceof QueryRefusal) return refusal(error.code, error.message);
      this.options.onError(error);
      return refusal(Reject.BUSY, `query ${query}: the store did not answer; ask again`);
    }
  }

  /** Reads now, speaks when that is durable. */
  private async live<Answer>(read: () => Answer): Promise<Answer> {
    const answer = read();
    await this.options.whenDurable();
    return answer;
  }

  private chain(): ChainView {
    const { state, domain } = this.options;
    return {
      chainId: domain.chainId,
      rollup: toHex(domain.verifyingContract),
      queueNext: state.queueNext,
      parameters: state.chain,
      publishers: state.publishers.flatMap((publisher, index) =>
        publisher === undefined
          ? []
          : [{ index, address: toHex(publisher.address), weight: publisher.weight }],
      ),
    };
  }

  private markets(): MarketView[] {
    const { state } = this.options;
    return state.markets.flatMap((market) =>
      market === undefined
        ? []
        : [
            {
              config: market.config,
              status: market.status(),
              indexPrice: market.index,
              indexTime: market.indexTime,
              indexVoid: !isFresh(state, market),
              markPrice: market.mark,
              lastPrice: market.lastPrice,
              openInterest: market.openInterest,
              initialPpm: Math.max(market.tiers[0]!.initialPpm, market.openInterestPpm),
              openInterestPpm: market.openInterestPpm,
              depth: market.depth,
              nextFundingTime: state.nextFundingTime,
            },
          ],
    );
  }

  private account(parameters: Parameters) {
    const account = accountOf(parameters);
    const view = this.accounts.account(account);
    if (view === undefined)
      throw new QueryRefusal(Reject.UNKNOWN_ACCOUNT, `account: expected one that exists, got ${account}`);
    return view;
  }

  private whatIf(parameters: Parameters) {
    const { account } = this.account(parameters);
    return this.accounts.whatIf(account, supposition(parameters, this.options.state));
  }

  private order(parameters: Parameters) {
    const orderId = optionalInteger(parameters, 'orderId', { min: 1 });
    if (orderId !== undefined) return this.accounts.find(accountOf(parameters), { orderId });
    const clientId = integer(parameters, 'clientId', { min: 1 });
    return this.accounts.find(accountOf(parameters), { market: marketOf(parameters), clientId });
  }

  private candles(parameters: Parameters) {
    const intervalMs = integer(parameters, 'intervalMs');
    if (!CANDLE_INTERVALS.includes(intervalMs))
      throw new QueryRefusal(
        Reject.MALFORMED_FRAME,
        `query intervalMs: expected one of ${CANDLE_INTERVALS.join(', ')}, got ${intervalMs}`,
      );
    return this.options.history.candles(marketOf(parameters), intervalMs, {
      from: integer(parameters, 'from'),
      to: integer(parameters, 'to'),
      limit: optionalInteger(parameters, 'limit', { min: 1, max: HISTORY_LIMIT_MAX }) ?? HISTORY_LIMIT_MAX,
    });
  }

  /** accepted → journaled → batched → committed → final. */
  private async finality(parameters: Parameters): Promise<FinalityView> {
    const { state, batches, durableSeq } = this.options;
    const seq = this.seqAskedFor(parameters);
    if (seq < 1 || seq > state.seq)
      throw new QueryRefusal(
        Reject.MALFORMED_FRAME,
        `query seq: expected a command from 1 to ${durableSeq()}, got ${seq}`,
      );
    if (seq > durableSeq()) return { seq, stage: 'accepted' };
    const batch = await batches.batchOf(seq);
    if (batch === undefined) return { seq, stage: 'journaled' };
    return {
      seq,
      stage: batch.stage,
      batch: batch.id,
      batchHash: toHex(batch.hash),
      ...(batch.transaction !== undefined && { transaction: toHex(batch.transaction) }),
      ...(batch.stage === 'committed' && batch.finalAtMs !== undefined && { finalAt: batch.finalAtMs }),
    };
  }

  private async receipt(parameters: Parameters): Promise<ReceiptView | null> {
    const seq = integer(parameters, 'seq', { min: 1 });
    const view = seq > this.options.durableSeq() ? null : await this.options.receipt(seq);
    if (view === undefined)
      throw new QueryRefusal(
        Reject.MALFORMED_FRAME,
        `query seq: expected a recent command, got ${seq}: its links are not kept any more`,
      );
    return view;
  }

  private seqAskedFor(parameters: Parameters): Seq {
    const seq = optionalInteger(parameters, 'seq', { min: 1 });
    if (seq !== undefined) return seq;
    const orderId = integer(parameters, 'orderId', { min: 1 });
    const found = this.options.orderIndex.seqOf(orderId);
    if (found === undefined)
      throw new QueryRefusal(
        Reject.UNKNOWN_ORDER,
        `query orderId: expected a recent order, got ${orderId}; ask by the seq of its reply`,
      );
    return found;
  }
}

const refusal = (code: QueryRefusal['code'], sentence: string): QueryAnswer => ({
  ok: false,
  code,
  sentence,
});

const accountOf = (parameters: Parameters): number => integer(parameters, 'account', { max: ACCOUNT_MAX });
const marketOf = (parameters: Parameters): number => integer(parameters, 'market', { max: MARKETS_MAX - 1 });
const optionalMarket = (parameters: Parameters): number | undefined =>
  optionalInteger(parameters, 'market', { max: MARKETS_MAX - 1 });

/** Rows by column name, as the query's answer has them. */
function entries(rows: readonly HistoryRow[]): HistoryEntry[] {
  return rows.map(({ columns, cursor }) => ({ ...decodeEvent(Float64Array.from(columns), 0), cursor }));
}
