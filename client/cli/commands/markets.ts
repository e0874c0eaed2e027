/** `sluice markets`: what can be traded, and how it stands. */
import { Command } from 'commander';
import { formatUnits } from '../../units.ts';
import { asVisitor } from '../connect.ts';
import { type ConnectionOptions, withConnection, withExamples } from '../options.ts';
import { print, table } from '../output.ts';
import { MARKET_STATUS, price, size } from './show.ts';

const PERCENT_DECIMALS = 4;

export const marketsCommand = (): Command =>
  withExamples(
    withConnection(new Command('markets').description('list the markets')),
    'sluice markets',
  ).action(async (options: ConnectionOptions) => {
    await asVisitor(options, async (client) => {
      const markets = await client.markets();
      print(options, markets, () =>
        table(
          [
            'market',
            'status',
            'index>',
            'mark>',
            'last>',
            'open interest>',
            'initial %>',
            'depth>',
            'pool>',
            'tick>',
            'lot>',
            'taker %>',
            'maker %>',
          ],
          markets.map(({ config, ...state }) => [
            config.symbol,
            MARKET_STATUS[state.status] ?? state.status,
            price(client, config.market, state.indexPrice),
            price(client, config.market, state.markPrice),
            price(client, config.market, state.lastPrice),
            size(client, config.market, state.openInterest),
            formatUnits(state.initialPpm, PERCENT_DECIMALS),
            state.depth === 0 ? '-' : state.depth,
            config.riskPool,
            price(client, config.market, 1),
            size(client, config.market, 1),
            formatUnits(config.takerFeePpm, PERCENT_DECIMALS),
            formatUnits(config.makerFeePpm, PERCENT_DECIMALS),
          ]),
        ),
      );
    });
  });
