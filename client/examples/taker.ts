/**
 * A taker of one page: buys when the best ask is below the index price and sells when the best bid is above it, by
 * more than its fee, with orders that fill at once or not at all; brings its position back before it ends.
 *
 *   SLUICE_KEY=0x… node --import tsx client/examples/taker.ts BTC-PERP [ws://127.0.0.1:9900]
 */
import { SluiceClient } from '../client.ts';
import { SluiceError } from '../errors.ts';
import { keySigner } from '../signer.ts';
import { formatPrice, formatQuote, formatSize } from '../units.ts';

const [symbol = 'BTC-PERP', url = 'ws://127.0.0.1:9900'] = process.argv.slice(2);
const key = process.env.SLUICE_KEY;
if (key === undefined) throw new Error('SLUICE_KEY: expected the private key of a funded account, got none');

const client = await SluiceClient.connect({ url, signer: keySigner(key) });
await client.loadMarkets();
const config = client.market(symbol);
const { market } = config;
/** Lots at most in one order and in the position. */
const SIZE_MAX = 10;
const POSITION_MAX = 100;
const EDGE_PPM = config.takerFeePpm + 100;

let position = (await client.accountView()).positions.find((one) => one.market === market)?.size ?? 0;
let paid = 0;
await client.watchAccount({
  onFill: (fill) => {
    if (fill.market !== market) return;
    position += fill.side === 0 ? fill.size : -fill.size;
    paid += fill.fee;
    const what = `${fill.side === 0 ? 'bought' : 'sold'} ${formatSize(config, fill.size)} at ${formatPrice(config, fill.price)}`;
    console.log(`${what}, position ${formatSize(config, position)}, fees ${formatQuote(paid)}`);
  },
});

let busy = false;
await client.watchTicker({
  market,
  onTicker: ({ indexPrice, indexVoid, bidPrice, bidSize, askPrice, askSize }) => {
    if (busy || indexVoid) return;
    const edge = (indexPrice * EDGE_PPM) / 1_000_000;
    if (askPrice > 0 && askPrice + edge < indexPrice && position < POSITION_MAX)
      take('buy', askPrice, askSize);
    else if (bidPrice > indexPrice + edge && position > -POSITION_MAX) take('sell', bidPrice, bidSize);
  },
});

function take(side: 'buy' | 'sell', price: number, size: number): void {
  busy = true;
  client
    .placeOrder({ market, side, price, size: Math.min(size, SIZE_MAX), timeInForce: 'IOC' })
    .catch(report)
    .finally(() => {
      busy = false;
    });
}

function report(error: unknown): void {
  console.error(error instanceof SluiceError ? `${error.code}: ${error.shortMessage}` : error);
}

process.once('SIGINT', async () => {
  if (position !== 0) {
    const side = position > 0 ? 'sell' : 'buy';
    const close = { market, side, size: Math.abs(position), type: 'market', reduceOnly: true } as const;
    await client.placeOrder(close).catch(report);
  }
  await client.close();
});
