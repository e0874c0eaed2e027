/** `sluice book`: the order book of a market, once or as it changes. */
import { Command, Option } from 'commander';
import { BUY, SELL } from '#protocol/units.ts';
import type { SluiceClient } from '../../client.ts';
import type { BookL2, BookL3 } from '../../order-book.ts';
import { asVisitor, untilStopped } from '../connect.ts';
import { type ConnectionOptions, whole, withConnection, withExamples } from '../options.ts';
import { clock, print, printLine, table } from '../output.ts';
import { price, side, size } from './show.ts';

interface BookOptions extends ConnectionOptions {
  readonly levels: number;
  readonly orders?: boolean;
  readonly follow?: boolean;
}

export const bookCommand = (): Command =>
  withExamples(
    withConnection(
      new Command('book')
        .description('show the order book of a market')
        .argument('<market>', 'symbol, such as BTC-PERP')
        .addOption(new Option('--levels <n>', 'levels a side').argParser(whole(1, 100_000)).default(10))
        .option('--orders', 'every order instead of levels')
        .option('--follow', 'top of book whenever it changes, until Ctrl-C'),
    ),
    'sluice book BTC-PERP',
    'sluice book ETH-PERP --orders --json',
    'sluice book BTC-PERP --follow',
  ).action(async (market: string, options: BookOptions) => {
    await asVisitor(options, async (client) => {
      if (options.follow) return follow(client, market, options);
      if (options.orders) {
        const { book } = await client.watchBookL3({ market });
        print(options, ordersOf(book), () => ordersText(client, book));
        return;
      }
      const { book } = await client.watchBookL2({ market });
      print(options, levelsOf(book, options.levels), () => levelsText(client, book, options.levels));
    });
  });

const levelsOf = (book: BookL2, count: number) => ({
  market: book.market,
  sequence: book.sequence,
  time: book.time,
  bids: book.levels(BUY, count),
  asks: book.levels(SELL, count),
});

function levelsText(client: SluiceClient, book: BookL2, count: number): string {
  const bids = book.levels(BUY, count);
  const asks = book.levels(SELL, count);
  const rows = Array.from({ length: Math.max(bids.length, asks.length) }, (_, rank) => {
    const bid = bids[rank];
    const ask = asks[rank];
    return [
      bid === undefined ? '' : size(client, book.market, bid.size),
      bid === undefined ? '' : price(client, book.market, bid.price),
      ask === undefined ? '' : price(client, book.market, ask.price),
      ask === undefined ? '' : size(client, book.market, ask.size),
    ];
  });
  return rows.length === 0 ? 'the book is empty' : table(['bid size>', 'bid>', 'ask>', 'ask size>'], rows);
}

const ordersOf = (book: BookL3) => ({
  market: book.market,
  sequence: book.sequence,
  time: book.time,
  orders: [...book.orders(BUY), ...book.orders(SELL)],
});

const ordersText = (client: SluiceClient, book: BookL3): string =>
  book.count === 0
    ? 'the book is empty'
    : table(
        ['side', 'price>', 'size>', 'order>'],
        ordersOf(book).orders.map((order) => [
          side(order.side),
          price(client, book.market, order.price),
          size(client, book.market, order.size),
          order.orderId,
        ]),
      );

async function follow(client: SluiceClient, market: string, options: BookOptions): Promise<void> {
  let last = '';
  const show = (book: BookL2): void => {
    const bid = book.best(BUY);
    const ask = book.best(SELL);
    const text = [
      bid === undefined
        ? '-'
        : `${size(client, book.market, bid.size)} @ ${price(client, book.market, bid.price)}`,
      ask === undefined
        ? '-'
        : `${price(client, book.market, ask.price)} @ ${size(client, book.market, ask.size)}`,
    ].join(' | ');
    if (text === last) return;
    last = text;
    printLine(
      options,
      { time: book.time, sequence: book.sequence, bid, ask },
      () => `${clock(book.time)}  ${text}`,
    );
  };
  const lost = new Promise<never>((_, reject) => {
    client.onDisconnected((farewell) => reject(new Error(farewell.sentence)));
  });
  await client.watchBookL2({ market, onUpdate: (book) => show(book) });
  await Promise.race([untilStopped(), lost]);
}
