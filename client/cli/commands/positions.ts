/** `sluice positions`: what an account holds. */
import { Command } from 'commander';
import { formatUnits } from '../../units.ts';
import { asTrader } from '../connect.ts';
import { type TraderOptions, withExamples, withTrader } from '../options.ts';
import { print, table } from '../output.ts';
import { liquidation, marketOf, money, price, size, symbol } from './show.ts';

export const positionsCommand = (): Command =>
  withExamples(
    withTrader(new Command('positions').description('show open positions')),
    'sluice positions',
  ).action(async (options: TraderOptions) => {
    await asTrader(options, async (client) => {
      const { positions } = await client.accountView();
      const held = positions.filter((position) => position.size !== 0);
      print(options, positions, () =>
        held.length === 0
          ? 'no positions'
          : table(
              ['market', 'size>', 'entry>', 'mark>', 'liquidation>', 'unrealized>', 'funding>'],
              held.map((position) => [
                symbol(client, position.market),
                size(client, position.market, position.size),
                entry(position, marketOf(client, position.market)),
                price(client, position.market, position.markPrice),
                liquidation(client, position),
                money(position.unrealizedPnl),
                money(position.unsettledFunding),
              ]),
            ),
      );
    });
  });

/** Average price of what is held: |v| / |size| / qm ticks, cut to a thousandth of a tick; a display only. */
function entry(
  position: { size: number; v: number },
  market: { qm: number; tickSizeE9: number } | undefined,
): string {
  if (market === undefined || market.tickSizeE9 === 0) return '-';
  const cost = BigInt(Math.abs(position.v)) * BigInt(market.tickSizeE9);
  const average = cost / (BigInt(Math.abs(position.size)) * BigInt(market.qm));
  return formatUnits(average, 9);
}
