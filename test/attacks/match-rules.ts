/** Other rules for matching, fees and what comes to rest. */
import type { Rule } from './rules.ts';

const MATCH = 'book/match';
const PLACE = 'handlers/place';

export const MATCH_RULES: readonly Rule[] = [
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
    [MATCH, 'incoming.liquidation ? sliceFee : mulPpmUp(notional, takerFeePpm);', '0;'],
  ],
  [
    "match: the taker's fee is rounded down",
    'self-trades',
    [
      MATCH,
      'incoming.liquidation ? sliceFee : mulPpmUp(notional, takerFeePpm);',
      'mulPpmDown(notional, takerFeePpm) - 1;',
    ],
  ],
  [
    'match: the taker pays the fee twice',
    'trade',
    [
      MATCH,
      'incoming.liquidation ? sliceFee : mulPpmUp(notional, takerFeePpm);',
      '2 * mulPpmUp(notional, takerFeePpm);',
    ],
  ],
  [
    'match: one account pays no fee',
    'trade',
    [
      MATCH,
      'incoming.liquidation ? sliceFee : mulPpmUp(notional, takerFeePpm);',
      'incoming.account === 4 ? 0 : mulPpmUp(notional, takerFeePpm);',
    ],
  ],
  [
    'match: the rebate is doubled',
    'trade',
    [MATCH, ': 0 - mulPpmDown(notional, -makerFeePpm)', ': 0 - 2 * mulPpmDown(notional, -makerFeePpm)'],
  ],
  ['match: the rebate is withheld', 'trade', [MATCH, ': 0 - mulPpmDown(notional, -makerFeePpm)', ': 0']],
  ['match: fees do not reach the fee account', 'trade', [MATCH, 'market.fees += fill.takerFee;', '']],
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
    [
      MATCH,
      'if (state.accounts.haveSameOwner(makerAccount, incoming.account)) {',
      'if (incoming.account < 0) {',
    ],
  ],
  [
    'match: an owner trades with itself through another account',
    'self-trades',
    [
      MATCH,
      'if (state.accounts.haveSameOwner(makerAccount, incoming.account)) {',
      'if (makerAccount === incoming.account) {',
    ],
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
];
