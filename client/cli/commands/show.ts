/** How commands show what the exchange says: sides, orders, fills, positions, as rows of tables. */
import type { MarketConfig } from '#protocol/market.ts';
import type { HistoryEntry, OpenOrderView, PositionView } from '#protocol/query.ts';
import { rejectName } from '#protocol/reject.ts';
import { TIME_IN_FORCE_NAMES } from '#protocol/units.ts';
import type { OperationOutcome } from '../../actions/send-operations.ts';
import type { SluiceClient } from '../../client.ts';
import { formatPrice, formatQuote, formatSize } from '../../units.ts';
import { type Cell, time } from '../output.ts';

export const side = (code: number): string => (code === 0 ? 'buy' : 'sell');
export const MARKET_STATUS = ['active', 'reduce-only', 'halted'] as const;

/** Configuration of a market, or undefined when this client has not seen it. */
export function marketOf(client: SluiceClient, id: number): MarketConfig | undefined {
  try {
    return client.market(id);
  } catch {
    return undefined;
  }
}

export const symbol = (client: SluiceClient, id: number): string =>
  marketOf(client, id)?.symbol ?? `market ${id}`;
export const price = (client: SluiceClient, id: number, ticks: number): string => {
  const market = marketOf(client, id);
  return ticks === 0 ? '-' : market === undefined ? `${ticks} ticks` : formatPrice(market, ticks);
};
export const size = (client: SluiceClient, id: number, lots: number): string => {
  const market = marketOf(client, id);
  return market === undefined ? `${lots} lots` : formatSize(market, lots);
};

/** The prices at which the account is liquidated by this market alone; both sides where both exist. */
export function liquidation(client: SluiceClient, position: PositionView): string {
  const { market, liquidationBelow: below, liquidationAbove: above } = position;
  const prices = below === above ? [below] : [below, above].filter((ticks) => ticks !== 0);
  return prices.map((ticks) => price(client, market, ticks)).join(' / ');
}

export const ORDER_HEADINGS = [
  'order',
  'market',
  'side',
  'price>',
  'open size>',
  'tif',
  'flags',
  'client id>',
];

export const orderRow = (client: SluiceClient, order: OpenOrderView): Cell[] => [
  order.orderId,
  symbol(client, order.market),
  side(order.side),
  price(client, order.market, order.price),
  size(client, order.market, order.size),
  TIME_IN_FORCE_NAMES[order.timeInForce] ?? order.timeInForce,
  [order.postOnly ? 'post-only' : '', order.reduceOnly ? 'reduce-only' : ''].filter(Boolean).join(' ') || '-',
  order.clientId === 0 ? '-' : order.clientId,
];

/** A column of a history row as a number. */
export const column = (entry: HistoryEntry, name: string): number => Number(entry[name] ?? 0);

/** One past event of an order in a few words. */
export function orderEvent(client: SluiceClient, entry: HistoryEntry): Cell[] {
  const market = column(entry, 'market');
  const at = (lots: number): string =>
    `${size(client, market, lots)} at ${price(client, market, column(entry, 'price'))}`;
  switch (entry.event) {
    case 'ORDER_RESTED':
      return [
        time(entry.time),
        column(entry, 'orderId'),
        symbol(client, market),
        side(column(entry, 'side')),
        `rested ${at(column(entry, 'size'))}`,
      ];
    case 'ORDER_REMOVED':
      return [
        time(entry.time),
        column(entry, 'orderId'),
        symbol(client, market),
        side(column(entry, 'side')),
        `removed ${at(column(entry, 'size'))}`,
      ];
    case 'ORDER_REDUCED':
      return [
        time(entry.time),
        column(entry, 'orderId'),
        symbol(client, market),
        side(column(entry, 'side')),
        `reduced to ${at(column(entry, 'newSize'))}`,
      ];
    default: {
      const code = column(entry, 'code');
      return [
        time(entry.time),
        column(entry, 'orderId') || '-',
        '',
        '',
        code === 0 ? doneText(entry) : `rejected ${rejectName(code)}`,
      ];
    }
  }
}

/** The result of an operation does not say in which market; lots need none to be told from nothing. */
function doneText(entry: HistoryEntry): string {
  const canceled = column(entry, 'canceled');
  if (canceled > 0) return `canceled ${canceled}`;
  const [filled, remaining] = [column(entry, 'filled'), column(entry, 'remaining')];
  if (filled === 0) return 'accepted';
  return remaining === 0 ? 'filled whole' : 'filled in part';
}

/** What became of an order, as one line. */
export function outcomeLine(client: SluiceClient, market: number, outcome: OperationOutcome): string {
  const parts = [`order ${outcome.orderId || '-'} ${outcome.status}`];
  if (outcome.filledSize > 0) parts.push(`${size(client, market, outcome.filledSize)} filled`);
  if (outcome.remainingSize > 0) parts.push(`${size(client, market, outcome.remainingSize)} open`);
  if (outcome.code !== undefined) parts.push(outcome.code);
  return parts.join(', ');
}

export const money = formatQuote;
