/**
 * The client library: one connection to a Sluice sequencer, everything that can be asked of it, typed.
 *
 *   const client = await SluiceClient.connect({ url: 'ws://127.0.0.1:9900', signer: keySigner(key) });
 *   await client.loadMarkets();
 *   const order = await client.placeOrder({ market: 'BTC-PERP', side: 'buy', price: '64000', size: '0.01' });
 *   console.log(order.status, await client.finality({ orderId: order.orderId }));
 *   await client.close();
 *
 * Each method is an action of its own in actions/; here they are bound to one session. Calls throw SluiceError
 * (errors.ts): a RejectedError keyed by the exchange's code, or one of the client's own codes.
 */
import type { MarketConfig } from '#protocol/market.ts';
import type { Operation } from '#protocol/operation.ts';
import type {
  AccountView,
  CandleView,
  ChainView,
  FinalityView,
  HistoryEntry,
  HistoryParameters,
  MarketView,
  OpenOrderView,
  QueryName,
  QueryTable,
  WhatIfView,
} from '#protocol/query.ts';
import type { Reverted } from '#protocol/reverted.ts';
import type { Hello, Quotas } from '#protocol/wire.ts';
import { amendOrder } from './actions/amend-order.ts';
import { cancelAfter } from './actions/cancel-after.ts';
import { cancelAll } from './actions/cancel-all.ts';
import { cancelOnDisconnect } from './actions/cancel-on-disconnect.ts';
import { cancelOrder } from './actions/cancel-order.ts';
import { isolate } from './actions/isolate.ts';
import { setLock } from './actions/lock.ts';
import {
  type MarketReference,
  marketIdOf,
  type OrderForm,
  type OrderReference,
} from './actions/order-form.ts';
import { placeOrder } from './actions/place-order.ts';
import { type Ladder, replaceLadder } from './actions/replace-ladder.ts';
import {
  type MessageOutcome,
  type SendOptions,
  type SingleOutcome,
  sendOperations,
  signOperations,
} from './actions/send-operations.ts';
import { setLeverage } from './actions/set-leverage.ts';
import { endSessionKey, setSessionKey } from './actions/set-session-key.ts';
import { transfer } from './actions/transfer.ts';
import { type AccountWatch, watchAccount } from './actions/watch-account.ts';
import { type BookWatch, watchBookL2, watchBookL3 } from './actions/watch-book.ts';
import { type Watch, watchMarketStatus, watchTicker, watchTrades } from './actions/watch-market.ts';
import { type WhatIf, whatIf } from './actions/what-if.ts';
import { withdraw } from './actions/withdraw.ts';
import type { SluiceError } from './errors.ts';

import type { BookL2, BookL3 } from './order-book.ts';
import { type Identity, Session, type SessionOptions } from './session.ts';
import { type Farewell, type Settle, settled } from './transport.ts';

/** Parameters of an action without its session. */
type Of<Action> = Action extends (session: Session, parameters: infer Parameters, ...rest: never[]) => unknown
  ? Parameters
  : never;
type History = Omit<HistoryParameters, 'account'>;

export class SluiceClient {
  /** For actions of your own. */
  readonly session: Session;

  private constructor(session: Session) {
    this.session = session;
  }

  /**
   * Connects, checks the greeting, finds the signer's account and logs in. Throws CONNECT_FAILED,
   * PROTOCOL_MISMATCH, WRONG_CHAIN or a RejectedError. Later losses of the connection are healed by themselves.
   */
  static async connect(options: SessionOptions): Promise<SluiceClient> {
    return new SluiceClient(await Session.open(options));
  }

  // The connection

  get hello(): Hello {
    return this.session.transport.hello;
  }
  /** What may be sent how fast; who stays inside is never throttled. */
  get quotas(): Quotas {
    return this.hello.quotas;
  }
  /** What strikes have made void, oldest first: see `isReverted` of protocol/reverted.ts. Empty where there was none. */
  get reverted(): readonly Reverted[] {
    return this.hello.reverted ?? [];
  }
  get isConnected(): boolean {
    return this.session.transport.isOpen;
  }
  get account(): number | undefined {
    return this.session.account;
  }
  /** The server's clock, milliseconds. */
  serverNow(): number {
    return this.session.transport.serverNow();
  }
  onConnected(listener: (hello: Hello) => void): () => void {
    return this.session.ups.add(listener);
  }
  onDisconnected(listener: (farewell: Farewell) => void): () => void {
    return this.session.downs.add(listener);
  }
  /** Troubles that belong to no call. */
  onTrouble(listener: (error: SluiceError) => void): () => void {
    return this.session.troubles.add(listener);
  }
  /** Round trip in milliseconds. */
  async ping(): Promise<number> {
    const start = performance.now();
    await settled((settle: Settle<{ time: number }>) => this.session.transport.sendPing(settle));
    return performance.now() - start;
  }
  /** Again after a first deposit, when there was no account at connect; see `findAccount`. */
  login(): Promise<void> {
    return this.session.login();
  }
  findAccount(): Promise<number | undefined> {
    return this.session.findAccount();
  }
  close(): Promise<void> {
    return this.session.close();
  }

  // Order entry

  placeOrder(form: OrderForm, options?: SendOptions): Promise<SingleOutcome> {
    return placeOrder(this.session, form, options);
  }
  cancelOrder(
    order: { readonly market: MarketReference } & OrderReference,
    options?: SendOptions,
  ): Promise<SingleOutcome> {
    return cancelOrder(this.session, order, options);
  }
  cancelAll(scope?: { readonly market?: MarketReference }, options?: SendOptions): Promise<SingleOutcome> {
    return cancelAll(this.session, scope, options);
  }
  amendOrder(order: Of<typeof amendOrder>, options?: SendOptions): Promise<SingleOutcome> {
    return amendOrder(this.session, order, options);
  }
  replaceLadder(ladder: Of<typeof replaceLadder>, options?: SendOptions): Promise<Ladder> {
    return replaceLadder(this.session, ladder, options);
  }
  /** 1 to 50 operations under one signature; each is executed or refused on its own, in order. */
  sendOperations(operations: readonly Operation[], options?: SendOptions): Promise<MessageOutcome> {
    return sendOperations(this.session, operations, options);
  }
  /** A signed message without sending it (`sendMessage` does): to prepare, to measure, to hand over. */
  async signOperations(
    operations: readonly Operation[],
    identity?: Identity,
    validUntil?: number,
  ): Promise<Uint8Array> {
    return signOperations(this.session, operations, identity, validUntil);
  }
  withdraw(money: Of<typeof withdraw>, options?: SendOptions): Promise<SingleOutcome> {
    return withdraw(this.session, money, options);
  }
  transfer(money: Of<typeof transfer>, options?: SendOptions): Promise<SingleOutcome> {
    return transfer(this.session, money, options);
  }
  setSessionKey(key: Of<typeof setSessionKey>, options?: SendOptions): Promise<SingleOutcome> {
    return setSessionKey(this.session, key, options);
  }
  endSessionKey(key: Of<typeof endSessionKey>, options?: SendOptions): Promise<SingleOutcome> {
    return endSessionKey(this.session, key, options);
  }
  cancelAfter(timer: Of<typeof cancelAfter>, options?: SendOptions): Promise<SingleOutcome> {
    return cancelAfter(this.session, timer, options);
  }
  cancelOnDisconnect(setting: Of<typeof cancelOnDisconnect>, options?: SendOptions): Promise<SingleOutcome> {
    return cancelOnDisconnect(this.session, setting, options);
  }
  /** The kill switch. */
  setLock(locked: boolean, options?: SendOptions): Promise<SingleOutcome> {
    return setLock(this.session, locked, options);
  }

  /** `leverage` 0 gives the setting up. */
  setLeverage(setting: Of<typeof setLeverage>, options?: SendOptions): Promise<SingleOutcome> {
    return setLeverage(this.session, setting, options);
  }
  isolate(opened: Of<typeof isolate>, options?: SendOptions): Promise<SingleOutcome> {
    return isolate(this.session, opened, options);
  }

  // Streams

  /** Execution reports, fills and money of the account; needs a login. */
  watchAccount(watch: Of<typeof watchAccount>): Promise<AccountWatch> {
    return watchAccount(this.session, watch);
  }
  watchTrades(watch: Of<typeof watchTrades>): Promise<Watch> {
    return watchTrades(this.session, watch);
  }
  watchTicker(watch: Of<typeof watchTicker>): Promise<Watch> {
    return watchTicker(this.session, watch);
  }
  watchMarketStatus(watch: Of<typeof watchMarketStatus>): Promise<Watch> {
    return watchMarketStatus(this.session, watch);
  }
  watchBookL2(watch: Of<typeof watchBookL2>): Promise<BookWatch<BookL2>> {
    return watchBookL2(this.session, watch);
  }
  watchBookL3(watch: Of<typeof watchBookL3>): Promise<BookWatch<BookL3>> {
    return watchBookL3(this.session, watch);
  }

  // Queries

  /** Any query by name; the methods below are the usual ones. */
  query<Name extends QueryName>(
    name: Name,
    parameters: QueryTable[Name]['parameters'],
  ): Promise<QueryTable[Name]['answer']> {
    return this.session.query(name, parameters);
  }
  /** Reads the markets' configurations, so that symbols and decimal text are understood. */
  loadMarkets(): Promise<readonly MarketConfig[]> {
    return this.session.loadMarkets();
  }
  market(reference: MarketReference): MarketConfig {
    return this.session.market(reference);
  }
  chain(): Promise<ChainView> {
    return this.query('chain', {});
  }
  markets(): Promise<readonly MarketView[]> {
    return this.query('markets', {});
  }
  accountView(): Promise<AccountView> {
    return this.query('account', { account: this.ownAccount });
  }
  /** What the account would be; changes nothing. */
  whatIf(question: WhatIf): Promise<WhatIfView> {
    return whatIf(this.session, this.ownAccount, question);
  }
  openOrders(scope: { readonly market?: MarketReference } = {}): Promise<readonly OpenOrderView[]> {
    const market = scope.market === undefined ? {} : { market: marketIdOf(this.session, scope.market) };
    return this.query('open-orders', { account: this.ownAccount, ...market });
  }
  /** History, newest first. */
  orders(page: History = {}): Promise<readonly HistoryEntry[]> {
    return this.query('orders', { ...page, account: this.ownAccount });
  }
  fills(page: History = {}): Promise<readonly HistoryEntry[]> {
    return this.query('fills', { ...page, account: this.ownAccount });
  }
  funding(page: History = {}): Promise<readonly HistoryEntry[]> {
    return this.query('funding', { ...page, account: this.ownAccount });
  }
  transfers(page: History = {}): Promise<readonly HistoryEntry[]> {
    return this.query('transfers', { ...page, account: this.ownAccount });
  }
  candles(parameters: QueryTable['candles']['parameters']): Promise<readonly CandleView[]> {
    return this.query('candles', parameters);
  }
  /** How far an order or a command has come: accepted, journaled, batched, committed, final. */
  finality(of: { readonly orderId: number } | { readonly seq: number }): Promise<FinalityView> {
    return this.query('finality', of);
  }

  private get ownAccount(): number {
    return this.session.identity().account;
  }
}
