/** Every leaf of a state, computed from scratch: what the trees hold, said plainly. */
import { assert, InvariantError } from '#protocol/assert.ts';
import { compareBytes, equalBytes, fromHex, toHex } from '#protocol/bytes.ts';
import type { ExchangeState } from './exchange-state.ts';
import * as keys from './keys.ts';
import * as leaves from './leaves.ts';
import type { StateTrees } from './state-root.ts';

export type Leaf = readonly [key: Uint8Array, value: Uint8Array];

/** Leaves by ascending key. Linear in the state; batcher and verifier keep their trees step by step instead. */
export function allLeaves(state: ExchangeState): { ledger: Leaf[]; book: Leaf[] } {
  const found: Leaf[] = [];
  visitLeaves(state, (key, value) => found.push([key, value]));
  found.sort(([a], [b]) => compareBytes(a, b));
  const split = found.findIndex(([key]) => keys.isBookKey(key));
  return split < 0
    ? { ledger: found, book: [] }
    : { ledger: found.slice(0, split), book: found.slice(split) };
}

/** Throws unless the trees hold exactly the leaves of the state; hashes nothing. */
export function checkTrees(state: ExchangeState, trees: StateTrees): void {
  let ledger = 0;
  let book = 0;
  visitLeaves(state, (key, value) => {
    const isBook = keys.isBookKey(key);
    if (isBook) book++;
    else ledger++;
    const held = (isBook ? trees.book : trees.ledger).get(key);
    if (held === undefined || !equalBytes(held, value))
      throw new InvariantError(
        `tree leaf ${toHex(key)}: expected ${toHex(value)}, got ${held === undefined ? 'none' : toHex(held)}`,
      );
  });
  assert(trees.ledger.size === ledger, `ledger leaves: expected ${ledger}, got ${trees.ledger.size}`);
  assert(trees.book.size === book, `book leaves: expected ${book}, got ${trees.book.size}`);
}

/** Calls with every leaf once, in no order of use. */
export function visitLeaves(state: ExchangeState, visit: (key: Uint8Array, value: Uint8Array) => void): void {
  const add = (key: Uint8Array, value: leaves.LeafValue): void => {
    if (value !== undefined) visit(key, value);
  };
  add(keys.globalsKey(), leaves.globalsLeaf(state));
  add(keys.publishersKey(), leaves.publishersLeaf(state));
  add(keys.queueKey(), leaves.queueLeaf(state));
  add(keys.countersKey(), leaves.countersLeaf(state));
  for (const register of [
    keys.REGISTER_MESSAGE,
    keys.REGISTER_INCOMING,
    keys.REGISTER_WALK,
    keys.REGISTER_RECORD,
  ])
    add(keys.registerKey(register), leaves.registerLeaf(state, register));
  for (const [id, total] of state.withdrawn) {
    const [owner, asset] = id.split(':') as [string, string];
    add(keys.withdrawnKey(fromHex(owner), Number(asset)), leaves.withdrawnLeaf(total));
  }
  for (const [asset, total] of state.withdrawnTotals)
    add(keys.withdrawnTotalKey(asset), leaves.withdrawnLeaf(total));
  for (const { config } of state.assets) {
    add(keys.assetConfigKey(config.asset), leaves.assetConfigLeaf(state, config.asset));
    add(keys.poolKey(config.asset), leaves.poolLeaf(state, config.asset));
  }
  for (const riskPool of state.funds.keys()) add(keys.fundKey(riskPool), leaves.fundLeaf(state, riskPool));
  addMarkets(state, add);
  addAccounts(state, add);
}

type Add = (key: Uint8Array, value: leaves.LeafValue) => void;

function addMarkets(state: ExchangeState, add: Add): void {
  for (let id = 0; id < state.markets.length; id++) {
    if (id % keys.PRICES_PER_LEAF === 0)
      add(keys.pricesKey(id), leaves.pricesLeaf(state, id / keys.PRICES_PER_LEAF));
    const market = state.market(id);
    if (market === undefined) continue;
    add(keys.marketConfigKey(id), leaves.marketConfigLeaf(state, id));
    add(keys.marketStateKey(id), leaves.marketStateLeaf(state, id));
    add(keys.oracleKey(id), leaves.oracleLeaf(state, id));
    add(keys.marketRiskKey(id), leaves.marketRiskLeaf(state, id));
    for (const book of [market.bids, market.asks])
      for (let n = 0; n < book.depth; n++) {
        const price = book.priceAt(n);
        add(keys.levelKey(id, book.side, price), leaves.levelLeaf(state, id, book.side, price));
      }
  }
}

function addAccounts(state: ExchangeState, add: Add): void {
  const { accounts, positions, orders } = state;
  for (let account = 1; account <= accounts.count; account++) {
    add(keys.accountKey(account), leaves.accountLeaf(state, account));
    const owner = accounts.owner(account);
    add(keys.ownerKey(owner, accounts.subaccount(account)), leaves.ownerLeaf(account));
    const deadMan = accounts.deadMan[account]!;
    if (deadMan !== 0)
      add(
        keys.expiryKey(deadMan, keys.EXPIRY_DEAD_MAN, account),
        leaves.expiryLeaf(state, deadMan, keys.EXPIRY_DEAD_MAN, account),
      );
    add(keys.liquidationKey(account), leaves.liquidationLeaf(state, account));
    for (const { key } of state.sessionKeys.get(account) ?? [])
      add(keys.sessionKeyKey(account, key), leaves.sessionKeyLeaf(state, account, key));
    for (let slot = accounts.firstPosition[account]!; slot >= 0; slot = positions.next(slot))
      for (let order = positions.ownHead(slot); order >= 0; order = orders.ownNext(order))
        addOrder(state, order, add);
  }
}

function addOrder(state: ExchangeState, slot: number, add: Add): void {
  const { orders } = state;
  const id = orders.id(slot);
  const account = orders.account(slot);
  const market = orders.market(slot);
  const price = orders.price(slot);
  const priority = orders.priority(slot);
  const clientId = orders.clientId(slot);
  const expiry = orders.expiry(slot);
  add(
    keys.orderKey(market, orders.side(slot), price, priority),
    leaves.orderLeaf(state, id, price, priority),
  );
  add(keys.orderIndexKey(account, market, id), leaves.orderIndexLeaf(state, id));
  if (clientId !== 0)
    add(
      keys.clientIndexKey(account, market, clientId),
      leaves.clientIndexLeaf(state, account, market, clientId),
    );
  if (expiry !== 0)
    add(
      keys.expiryKey(expiry, keys.EXPIRY_ORDER, id),
      leaves.expiryLeaf(state, expiry, keys.EXPIRY_ORDER, id),
    );
}
