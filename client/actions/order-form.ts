/** Orders as a trader writes them → PLACE operations. Numbers are ticks and lots; text is decimal. */
import { PRICE_MAX, SIZE_MAX } from '#protocol/limits.ts';
import type { PlaceOperation } from '#protocol/operation.ts';
import {
  BUY,
  GTC,
  GTD,
  IOC,
  SELF_TRADE_PREVENTION_NAMES,
  SELL,
  type SelfTradePrevention,
  type Side,
  TIME_IN_FORCE_NAMES,
  type TimeInForce,
} from '#protocol/units.ts';
import { invalidArgument } from '../errors.ts';
import type { Session } from '../session.ts';
import { parsePrice, parseSize } from '../units.ts';

export type SideName = 'buy' | 'sell';
/** Id, or symbol (needs `loadMarkets`). */
export type MarketReference = number | string;

export interface OrderForm {
  readonly market: MarketReference;
  readonly side: SideName;
  /** Ticks, or decimal text in quote. Optional for market orders: the worst price to take. */
  readonly price?: number | string;
  /** Lots, or decimal text in base. */
  readonly size: number | string;
  /** `limit` (default) or `market`. */
  readonly type?: 'limit' | 'market';
  /** Default GTC; IOC for market orders; GTD when `expiry` is given. */
  readonly timeInForce?: (typeof TIME_IN_FORCE_NAMES)[number];
  readonly postOnly?: boolean;
  readonly reduceOnly?: boolean;
  /** Default expire-maker. */
  readonly selfTradePrevention?: (typeof SELF_TRADE_PREVENTION_NAMES)[number];
  /** Your own number for the order, below 2^53; a second order with it is refused while the first rests. */
  readonly clientId?: number;
  /** Milliseconds; GTD. */
  readonly expiry?: number;
}

export const sideOf = (name: SideName): Side => {
  if (name !== 'buy' && name !== 'sell') throw invalidArgument('side', 'buy or sell', name);
  return name === 'buy' ? BUY : SELL;
};

export const marketIdOf = (session: Session, market: MarketReference): number =>
  typeof market === 'number' ? market : session.market(market).market;

/** Ticks. */
export function priceOf(session: Session, market: MarketReference, price: number | string): number {
  if (typeof price === 'string') return parsePrice(session.market(market), price);
  return integer('price', price, PRICE_MAX);
}

/** Lots. */
export function sizeOf(session: Session, market: MarketReference, size: number | string): number {
  if (typeof size === 'string') return parseSize(session.market(market), size);
  return integer('size', size, SIZE_MAX);
}

export function integer(field: string, value: number, most: number = Number.MAX_SAFE_INTEGER): number {
  if (!Number.isSafeInteger(value) || value < 0 || value > most)
    throw invalidArgument(field, `a whole number from 0 to ${most}`, value);
  return value;
}

function indexOfName<Name extends string>(field: string, names: readonly Name[], name: Name): number {
  const index = names.indexOf(name);
  if (index < 0) throw invalidArgument(field, `one of ${names.join(', ')}`, name);
  return index;
}

export function placeOperation(session: Session, form: OrderForm): PlaceOperation {
  const marketOrder = form.type === 'market';
  if (form.price === undefined && !marketOrder)
    throw invalidArgument('price', 'ticks or decimal text for a limit order', form.price);
  const timeInForce =
    form.timeInForce === undefined
      ? marketOrder
        ? IOC
        : form.expiry === undefined
          ? GTC
          : GTD
      : (indexOfName('timeInForce', TIME_IN_FORCE_NAMES, form.timeInForce) as TimeInForce);
  return {
    kind: 'place',
    market: marketIdOf(session, form.market),
    side: sideOf(form.side),
    price: form.price === undefined ? 0 : priceOf(session, form.market, form.price),
    size: sizeOf(session, form.market, form.size),
    timeInForce,
    postOnly: form.postOnly ?? false,
    reduceOnly: form.reduceOnly ?? false,
    marketOrder,
    selfTradePrevention:
      form.selfTradePrevention === undefined
        ? 0
        : (indexOfName(
            'selfTradePrevention',
            SELF_TRADE_PREVENTION_NAMES,
            form.selfTradePrevention,
          ) as SelfTradePrevention),
    clientId: integer('clientId', form.clientId ?? 0),
    expiry: integer('expiry', form.expiry ?? 0),
  };
}

/** By the exchange's order id or by your own client id. */
export type OrderReference = { readonly orderId: number } | { readonly clientId: number };

export const referenceOf = (order: OrderReference): { by: 'order' | 'client'; id: number } =>
  'orderId' in order
    ? { by: 'order', id: integer('orderId', order.orderId) }
    : { by: 'client', id: integer('clientId', order.clientId) };
