/** Other rules for orders as they come in, are amended and canceled. */
import type { Rule } from './rules.ts';

const PLACE = 'handlers/place';
const AMEND = 'handlers/amend';
const TRADE = 'risk/pre-trade';

export const ORDER_RULES: readonly Rule[] = [
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
