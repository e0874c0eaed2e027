/** `sluice finality`: how far an order has come on its way to L1. */
import { Argument, Command, Option } from 'commander';
import { FINALITY_STAGES, type FinalityStage, type FinalityView } from '#protocol/query.ts';
import { asVisitor } from '../connect.ts';
import { type ConnectionOptions, whole, withConnection, withExamples } from '../options.ts';
import { facts, print, time } from '../output.ts';

interface FinalityOptions extends ConnectionOptions {
  readonly seq?: number;
  readonly wait?: FinalityStage;
}

const POLL_MS = 500;

export const finalityCommand = (): Command =>
  withExamples(
    withConnection(
      new Command('finality')
        .description('how far an order has come: accepted, journaled, batched, committed, final')
        .addArgument(new Argument('[order]', 'order id').argParser(whole(1)))
        .addOption(new Option('--seq <n>', 'a command by its place in the journal').argParser(whole(1)))
        .addOption(new Option('--wait <stage>', 'wait until it has come so far').choices(FINALITY_STAGES)),
    ),
    'sluice finality 1234',
    'sluice finality 1234 --wait final',
  ).action(async (orderId: number | undefined, options: FinalityOptions, command: Command) => {
    if ((orderId === undefined) === (options.seq === undefined))
      command.error('error: expected an order id or --seq, and only one of them');
    await asVisitor(options, async (client) => {
      const of = orderId === undefined ? { seq: options.seq! } : { orderId };
      let view = await client.finality(of);
      const enough = (seen: FinalityView): boolean =>
        options.wait === undefined ||
        FINALITY_STAGES.indexOf(seen.stage) >= FINALITY_STAGES.indexOf(options.wait);
      while (!enough(view)) {
        await new Promise((resolve) => setTimeout(resolve, POLL_MS));
        view = await client.finality(of);
      }
      print(options, view, () =>
        facts([
          [
            'stage',
            FINALITY_STAGES.map((stage) => (stage === view.stage ? stage.toUpperCase() : stage)).join(' → '),
          ],
          ['seq', view.seq],
          ['batch', view.batch],
          ['batch hash', view.batchHash],
          ['transaction', view.transaction],
          ['final at', view.finalAt === undefined ? undefined : time(view.finalAt)],
        ]),
      );
    });
  });
