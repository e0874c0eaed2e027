/** `sluice leverage`: how much margin the account asks of itself in a market. */
import { Argument, Command } from 'commander';
import { initialPpmOf } from '../../actions/set-leverage.ts';
import { formatUnits } from '../../units.ts';
import { asTrader } from '../connect.ts';
import { decimal, type TraderOptions, withExamples, withTrader } from '../options.ts';
import { print } from '../output.ts';

const PERCENT_DECIMALS = 4;

export const leverageCommand = (): Command =>
  withExamples(
    withTrader(
      new Command('leverage')
        .description('set the leverage of the account in a market, at most what the market gives')
        .argument('<market>', 'symbol, such as BTC-PERP')
        .addArgument(new Argument('<times>', 'leverage, 1 or more; 0 gives it up').argParser(decimal)),
    ),
    'sluice leverage BTC-PERP 5',
    'sluice leverage BTC-PERP 0',
  ).action(async (market: string, times: number, options: TraderOptions) => {
    await asTrader(options, async (client) => {
      const outcome = await client.setLeverage({ market, leverage: times });
      print(options, outcome, () =>
        times === 0
          ? `${market}: the market's own margin`
          : `${market}: at least ${formatUnits(initialPpmOf(times), PERCENT_DECIMALS)} % of initial margin`,
      );
    });
  });
