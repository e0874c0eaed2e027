/**
 * A market maker of one page: a ladder of five levels a side around the index price, replaced by one signed message
 * whenever the price has moved, leaning against its own position; everything is canceled when it falls silent.
 *
 *   SLUICE_KEY=0x… node --import tsx client/examples/market-maker.ts BTC-PERP [ws://127.0.0.1:9900]
 */
import type { Ladder } from '../actions/replace-ladder.ts';
import { SluiceClient } from '../client.ts';
import { SluiceError } from '../errors.ts';
import { keySigner } from '../signer.ts';

const [symbol = 'BTC-PERP', url = 'ws://127.0.0.1:9900'] = process.argv.slice(2);
const key = process.env.SLUICE_KEY;
if (key === undefined) throw new Error('SLUICE_KEY: expected the private key of a funded account, got none');

const client = await SluiceClient.connect({ url, signer: keySigner(key) });
await client.loadMarkets();
const { market } = client.market(symbol);

const LEVELS = 5;
const SPREAD_PPM = 400;
/** Lots of a level, and of a position at which quotes lean by a whole spread. */
const SIZE = 20;
const POSITION_MAX = 400;

// If this program or its connection dies, so do its orders.
await client.cancelOnDisconnect({ graceMs: 2_000 });
await client.cancelAll({ market });
const heartbeat = setInterval(() => client.cancelAfter({ afterMs: 15_000 }).catch(report), 5_000);

let position = (await client.accountView()).positions.find((one) => one.market === market)?.size ?? 0;
await client.watchAccount({
  onFill: (fill) => {
    if (fill.market !== market) return;
    position += fill.side === 0 ? fill.size : -fill.size;
    console.log(`${fill.side === 0 ? 'bought' : 'sold'} ${fill.size} at ${fill.price}, position ${position}`);
  },
  // Reports that the server no longer has: ask where we stand.
  onGap: () => void refresh(),
});

let ladder: Ladder | undefined;
let quoted = 0;
let busy = false;
await client.watchTicker({
  market,
  onTicker: ({ indexPrice, indexVoid }) => {
    const tick = Math.max(1, Math.round((indexPrice * SPREAD_PPM) / 1_000_000));
    const lean = Math.round((Math.max(-1, Math.min(1, position / POSITION_MAX)) * tick) / 2);
    const mid = indexPrice - lean;
    if (indexVoid || busy || Math.abs(mid - quoted) < tick / 4) return;
    busy = true;
    quote(mid, tick)
      .catch(report)
      .finally(() => {
        busy = false;
      });
  },
});

async function quote(mid: number, spread: number): Promise<void> {
  const level = (side: -1 | 1, rank: number) => ({
    price: mid + side * Math.ceil(spread / 2 + (rank * spread) / 2),
    size: SIZE,
  });
  const ranks = [...Array(LEVELS).keys()];
  const bids = position < POSITION_MAX ? ranks.map((rank) => level(-1, rank)) : [];
  const asks = position > -POSITION_MAX ? ranks.map((rank) => level(1, rank)) : [];
  ladder = await client.replaceLadder({
    market,
    bids,
    asks,
    ...(ladder === undefined ? {} : { previous: ladder }),
  });
  quoted = mid;
}

/** After anything uncertain, begin from what the exchange says. */
async function refresh(): Promise<void> {
  await client.cancelAll({ market });
  ladder = undefined;
  quoted = 0;
  position = (await client.accountView()).positions.find((one) => one.market === market)?.size ?? 0;
}

function report(error: unknown): void {
  console.error(error instanceof SluiceError ? `${error.code}: ${error.shortMessage}` : error);
}

client.onConnected(() => void refresh().catch(report));
process.once('SIGINT', async () => {
  clearInterval(heartbeat);
  await client.cancelAll({ market }).catch(report);
  await client.close();
});
