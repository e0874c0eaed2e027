/** Other rules for orders, matching, margin and fees. */
import type { Rule } from './rules.ts';

const MATCH = 'book/match';
const PLACE = 'handlers/place';
const AMEND = 'handlers/amend';
const TRADE = 'risk/pre-trade';

export const TRADING_RULES: readonly Rule[] = [
  [
    'match: the first maker is skipped for the one behind it',
    'orders',
    [
      MATCH,
      'meet(core, risk, opposite.bestOrder());',
      'const first = opposite.bestOrder(); const next = core.state.orders.next(first); meet(core, risk, next >= 0 ? next : first);',
    ],
  ],
  [
    'match: a worse-priced maker comes first',
    'trade',
    [
      MATCH,
      'opposite.bestOrder());',
      'opposite.depth > 1 ? core.state.levels.head(opposite.levelAt(1)) : opposite.bestOrder());',
    ],
  ],
  [
    'match: fills one tick above',
    'trade',
    [MATCH, 'const price = orders.price(maker);', 'const price = orders.price(maker) + 1;'],
  ],
  [
    "match: fills at the taker's price",
    'trade',
    [MATCH, 'const price = orders.price(maker);', 'const price = incoming.price;'],
  ],
  [
    'match: the taker pays no fee',
    'trade',
    [MATCH, 'const takerFee = mulPpmUp(notional, takerFeePpm);', 'const takerFee = 0;'],
  ],
  [
    "match: the taker's fee is rounded down",
    'self-trades',
    [
      MATCH,
      'const takerFee = mulPpmUp(notional, takerFeePpm);',
      'const takerFee = mulPpmDown(notional, takerFeePpm) - 1;',
    ],
  ],
  [
    'match: the taker pays the fee twice',
    'trade',
    [
      MATCH,
      'const takerFee = mulPpmUp(notional, takerFeePpm);',
      'const takerFee = 2 * mulPpmUp(notional, takerFeePpm);',
    ],
  ],
  [
    'match: one account pays no fee',
    'trade',
    [
      MATCH,
      'const takerFee = mulPpmUp(notional, takerFeePpm);',
      'const takerFee = incoming.account === 4 ? 0 : mulPpmUp(notional, takerFeePpm);',
    ],
  ],
  [
    'match: the rebate is doubled',
    'trade',
    [MATCH, ': 0 - mulPpmDown(notional, -makerFeePpm)', ': 0 - 2 * mulPpmDown(notional, -makerFeePpm)'],
  ],
  ['match: the rebate is withheld', 'trade', [MATCH, ': 0 - mulPpmDown(notional, -makerFeePpm)', ': 0']],
  [
    'match: fees do not reach the fee account',
    'trade',
    [MATCH, 'market.fees += fill.makerFee + fill.takerFee;', ''],
  ],
  ['match: the last price is not kept', 'trade', [MATCH, 'market.lastPrice = fill.price;', '']],
  [
    'match: trades are counted twice',
    'trade',
    [MATCH, 'state.nextTradeId++;', 'state.nextTradeId; state.nextTradeId += 2;'],
  ],
  [
    'match: a lot less is filled',
    'trade',
    [
      MATCH,
      'let lots = Math.min(incoming.remaining, orders.size(maker));',
      'let lots = Math.max(1, Math.min(incoming.remaining, orders.size(maker)) - 1);',
    ],
  ],
  [
    'match: ends after the first maker',
    'trade',
    [MATCH, 'while (incoming.remaining > 0 &&', 'while (incoming.filled === 0 && incoming.remaining > 0 &&'],
  ],
  [
    'match: goes on beyond the limit price',
    'trade',
    [MATCH, 'opposite.crosses(incoming.price)', 'opposite.depth > 0'],
  ],
  [
    'match: never happens',
    'trade',
    [MATCH, 'while (incoming.remaining > 0 &&', 'while (incoming.remaining < 0 &&'],
  ],
  [
    'match: a good maker is canceled for want of margin',
    'trade',
    [
      MATCH,
      'if (!risk.carries(market, makerAccount,',
      'if (makerAccount === 1 || !risk.carries(market, makerAccount,',
    ],
  ],
  [
    'match: a maker without margin is filled',
    'prices',
    [
      MATCH,
      'if (!risk.carries(market, makerAccount,',
      'if (makerAccount !== 5 && !risk.carries(market, makerAccount,',
    ],
  ],
  [
    'match: a good maker is canceled as too rich',
    'trade',
    [MATCH, 'if (!mayTrade(state, makerAccount))', 'if (makerAccount === 2)'],
  ],
  [
    'match: a good taker is dropped as too rich',
    'trade',
    [MATCH, 'if (!mayTrade(state, incoming.account))', 'if (incoming.account === 4)'],
  ],
  [
    'match: a reduce-only maker fills beyond its position',
    'caps',
    [
      MATCH,
      'lots = Math.min(lots, cap);\n  }\n  if ((incoming',
      'lots = lots + 0 * cap;\n  }\n  if ((incoming',
    ],
  ],
  [
    'match: a reduce-only maker is canceled while it reduces',
    'caps',
    [MATCH, 'makerSide);\n    if (cap === 0) {', 'makerSide);\n    if (cap > 0) {'],
  ],
  [
    'match: a reduce-only taker goes beyond its position',
    'caps',
    [MATCH, 'const cap = reducible(state, incoming, takerSide);', 'const cap = Number.MAX_SAFE_INTEGER;'],
  ],
  [
    'match: a taker trades with itself',
    'self-trades',
    [MATCH, 'if (makerAccount === incoming.account) {', 'if (incoming.account < 0) {'],
  ],
  [
    'match: a self-trade spares the maker',
    'self-trades',
    [
      'book/self-trade-prevention',
      'if (choice === STP_EXPIRE_MAKER || choice === STP_EXPIRE_BOTH)',
      'if (choice === STP_EXPIRE_MAKER)',
    ],
  ],
  [
    'match: a self-trade spares the taker',
    'self-trades',
    [
      'book/self-trade-prevention',
      'if (choice === STP_EXPIRE_TAKER || choice === STP_EXPIRE_BOTH)',
      'if (choice === STP_EXPIRE_TAKER)',
    ],
  ],
  [
    'match: a self-trade cancels instead of decrementing',
    'self-trades',
    [
      'book/self-trade-prevention',
      'else reduceAndTell(core, maker, lots, 1);',
      'else cancelResting(core, maker, RemoveReason.SELF_TRADE);',
    ],
  ],
  [
    'match: open interest is not counted',
    'trade',
    [
      'risk/settle-fill',
      'market.openInterest += Math.max(outcome.size, 0) - Math.max(before, 0);',
      'market.openInterest += 0 * before;',
    ],
  ],
  [
    'match: realized profit goes nowhere',
    'trade',
    [
      'risk/settle-fill',
      'addCash(core, account, outcome.realized - fee);',
      'addCash(core, account, 0 - fee);',
    ],
  ],
  [
    'match: realized profit is paid twice',
    'trade',
    [
      'risk/settle-fill',
      'addCash(core, account, outcome.realized - fee);',
      'addCash(core, account, 2 * outcome.realized - fee);',
    ],
  ],
  [
    'match: a position opens with the wrong sign',
    'trade',
    ['risk/fill', 'size += sign * opening;', 'size -= sign * opening;'],
  ],
  [
    'match: entry values take a lot for two',
    'trade',
    ['risk/fill', 'v -= sign * opening * fill.lotValue;', 'v -= 2 * sign * opening * fill.lotValue;'],
  ],
  [
    'match: funding is not settled before a fill',
    'ticks',
    ['risk/settle-fill', 'settleFunding(core, slot);\n  const before', 'const before'],
  ],

  [
    'rest: a good-till-canceled rest is dropped',
    'trade',
    [MATCH, 'if (timeInForce === IOC || timeInForce === FOK) drop', 'if (timeInForce < 4) drop'],
  ],
  [
    'rest: an immediate order comes to rest',
    'caps',
    [MATCH, 'if (timeInForce === IOC || timeInForce === FOK) drop', 'if (timeInForce === FOK) drop'],
  ],
  [
    'rest: an order jumps the queue',
    'trade',
    [PLACE, 'incoming.priority = incoming.orderId;', 'incoming.priority = 1;'],
  ],
  [
    'rest: open totals are not counted',
    'trade',
    [
      'book/resting',
      'else positions.addOpen(position, side, remaining, remaining * market.lotValue(price));',
      '',
    ],
  ],
  [
    'rest: open orders are not counted',
    'trade',
    ['book/resting', 'state.accounts.openOrders[account] = state.accounts.openOrders[account]! + 1;', ''],
  ],
  [
    'rest: an expiry is forgotten',
    'trade stepwise',
    [
      'book/resting',
      'if (expiry !== 0) {\n    state.expiries.push',
      'if (expiry < 0) {\n    state.expiries.push',
    ],
  ],

  [
    'place: a good order is rejected',
    'trade',
    [
      PLACE,
      'if (market === undefined) return Reject.UNKNOWN_MARKET;',
      'if (market === undefined || order.account === 3) return Reject.UNKNOWN_MARKET;',
    ],
  ],
  [
    'place: a good order is rejected for want of margin',
    'trade',
    [
      PLACE,
      'return risk.admit(market, risked);',
      'risk.admit(market, risked); return risked.account === 4 ? Reject.INSUFFICIENT_MARGIN : 0;',
    ],
  ],
  [
    'place: margin is not checked',
    'orders',
    [PLACE, 'return risk.admit(market, risked);', 'risk.admit(market, risked); return Reject.NONE;'],
  ],
  [
    'place: margin is not checked for one account',
    'orders',
    [
      PLACE,
      'return risk.admit(market, risked);',
      'const code = risk.admit(market, risked); return risked.account === 5 ? Reject.NONE : code;',
    ],
  ],
  [
    'place: a post-only order crosses',
    'orders',
    [PLACE, 'if (postOnly && opposite.crosses(order.price))', 'if (postOnly && order.price === 0)'],
  ],
  [
    'place: a post-only order that does not cross is rejected',
    'orders',
    [PLACE, 'if (postOnly && opposite.crosses(order.price))', 'if (postOnly)'],
  ],
  [
    'place: fill-or-kill fills in part',
    'orders',
    [PLACE, '!isFillable(state,', 'state.seq < 0 && !isFillable(state,'],
  ],
  ['place: a fillable fill-or-kill is killed', 'orders', [PLACE, '!isFillable(state,', 'isFillable(state,']],
  [
    'place: a client id is used twice',
    'orders',
    [
      PLACE,
      'if (order.clientId !== 0 && state.clientIds.find',
      'if (order.clientId < 0 && state.clientIds.find',
    ],
  ],
  ['place: an order below the least notional', 'orders', [PLACE, '< config.minNotional)', '< 0)']],
  [
    'place: a price outside the band',
    'orders',
    [PLACE, 'if (!withinBand(market, order.price)) return Reject.PRICE_OUTSIDE_BAND;', ''],
  ],
  [
    'place: a price beyond the market',
    'orders',
    [
      PLACE,
      '} else if (order.price < 1 || order.price > config.maxPrice) return Reject.PRICE_OUT_OF_RANGE;',
      '}',
    ],
  ],
  ['place: a size beyond the market', 'orders', [PLACE, 'order.size > config.maxOrderSize ||', '']],
  [
    'place: an order on a market that is not there',
    'orders',
    [
      PLACE,
      'const market = state.market(order.market);',
      'order.market = Math.min(order.market, 1); const market = state.market(order.market);',
    ],
  ],
  [
    'place: reduce-only increases',
    'orders',
    [TRADE, 'if (!opposes) return Reject.REDUCE_ONLY_WOULD_INCREASE;', ''],
  ],
  ['place: an order that has expired', 'orders', [PLACE, 'order.expiry <= state.now ||', '']],
  [
    'place: open interest goes beyond its limit',
    'orders',
    [TRADE, 'if (maxOpenInterest > 0 &&', 'if (maxOpenInterest < 0 &&'],
  ],
  [
    'place: a stale price is taken',
    'stale',
    [TRADE, 'if (after.stale) return Reject.ORACLE_STALE;', 'after.stale = false;'],
  ],
  [
    'place: a fresh price counts as stale',
    'trade',
    [TRADE, 'if (after.stale) return', 'if (order.account === 4) return'],
  ],
  [
    'place: an order in a halted market',
    'prices',
    [PLACE, 'if (status === MARKET_HALTED) return Reject.MARKET_HALTED;', ''],
  ],
  [
    'place: more open orders than allowed',
    'limits',
    [PLACE, '>= state.chain.openOrdersMax', '>= state.chain.openOrdersMax + 1'],
  ],
  [
    'place: a market order is bound to nothing',
    'orders',
    [
      PLACE,
      'order.price = side === BUY ? band.high : band.low;',
      'order.price = side === BUY ? band.low : band.high;',
    ],
  ],
  [
    'place: the other side',
    'trade',
    [PLACE, 'order.flags = view.getUint8(at + 1);', 'order.flags = view.getUint8(at + 1) ^ 1;'],
  ],
  [
    'place: half of the size',
    'trade',
    [PLACE, 'order.size = getU64(view, at + 8);', 'order.size = Math.ceil(getU64(view, at + 8) / 2);'],
  ],
  [
    'place: a better price for the house',
    'trade',
    [PLACE, 'order.price = view.getUint32(at + 4, true);', 'order.price = view.getUint32(at + 4, true) - 1;'],
  ],
  [
    'place: an order id is left out',
    'trade',
    [
      PLACE,
      'incoming.orderId = state.nextOrderId++;',
      'state.nextOrderId++; incoming.orderId = state.nextOrderId++;',
    ],
  ],
  [
    'place: in the name of another account',
    'trade',
    [
      PLACE,
      'order.account = state.message.account;',
      'order.account = state.message.account === 3 ? 4 : state.message.account;',
    ],
  ],

  [
    'amend: a moved order keeps its place in time',
    'changes stepwise',
    [
      AMEND,
      'incoming.priority = state.nextOrderId++;',
      'incoming.priority = orders.priority(slot); state.nextOrderId++;',
    ],
  ],
  [
    'amend: a smaller order loses its place',
    'changes',
    [AMEND, 'if (price === orders.price(slot) && size < orders.size(slot)) {', 'if (price < 0) {'],
  ],
  [
    'amend: ignored',
    'changes stepwise',
    [AMEND, 'if (code !== Reject.NONE) {', 'if (code !== Reject.NONE || size === 400) {'],
  ],
  ['amend: a lot is lost', 'changes stepwise', [AMEND, 'incoming.size = size;', 'incoming.size = size - 1;']],
  [
    'amend: the old price stays',
    'changes',
    [AMEND, 'incoming.price = price;', 'incoming.price = orders.price(slot);'],
  ],
  [
    'amend: margin is not checked',
    'limits',
    [AMEND, 'return risk.admit(market, risked);', 'risk.admit(market, risked); return Reject.NONE;'],
  ],
  [
    'amend: the order of another account',
    'changes',
    ['handlers/find-order', 'orders.account(slot) !== name.account ||', ''],
  ],
  [
    'cancel: ignored',
    'changes',
    ['handlers/cancel', 'cancelResting(core, slot, RemoveReason.CANCELED);', ''],
  ],
  [
    'cancel: the order behind it',
    'changes',
    ['handlers/cancel', 'id: getU64(view, at + 8),', 'id: getU64(view, at + 8) - 2,'],
  ],
  [
    'cancel: a good cancel is rejected',
    'changes',
    ['handlers/cancel', 'if (slot < 0) {', 'if (slot >= 0) {'],
  ],
  [
    'cancel-all: ends after one order',
    'changes',
    ['handlers/walk', 'if (slot < 0) {', 'if (slot < 0 || walk.canceled === 1) {'],
  ],
  [
    'cancel-all: of every market instead of one',
    'changes',
    ['handlers/cancel-all', 'market, reason', 'market: -1, reason'],
  ],
  [
    'cancel-all: the last order first',
    'bundle',
    [
      'handlers/walk',
      'const head = positions.ownHead(slot);',
      'const head = walk.canceled < 0 ? -1 : positions.ownTail(slot);',
    ],
    ['handlers/walk', 'if (slot < 0) {', 'if (slot < 0 || walk.canceled === 1) {'],
  ],
  [
    'cancel-all: of another account',
    'changes',
    [
      'handlers/cancel-all',
      'const { account } = state.message;',
      'const account = state.message.account === 1 ? 2 : state.message.account;',
    ],
  ],
];
