/** `sluice recover`: after a strike, a new data directory out of the old one. */
import { Command, Option } from 'commander';
import { settings } from '#sequencer/config.ts';
import { jsonOption, type L1FlagOptions, whole, withExamples, withL1 } from '../options.ts';
import { facts, print, table } from '../output.ts';

interface RecoverCommandOptions extends L1FlagOptions {
  readonly data: string;
  readonly into: string;
  readonly confirmations: number;
  readonly segmentBytes: number;
  readonly json?: boolean;
}

const REPLACED_SHOWN = 20;

/** As the sequencer has it. */
const defaultOf = (name: string): number => Number(settings().find((one) => one.name === name)!.fallback);

export const recoverCommand = (): Command =>
  withExamples(
    withL1(
      new Command('recover')
        .description('after a strike: bring the data of a sequencer into the new epoch')
        .requiredOption('--data <directory>', 'data of the stopped sequencer; they stay as they are')
        .requiredOption('--into <directory>', 'empty or new: the data to go on with')
        .addOption(
          new Option('--confirmations <n>', 'L1 blocks that must lie on top of the strike; waited for')
            .env('SLUICE_CONFIRMATIONS')
            .default(defaultOf('confirmations'))
            .argParser(whole(0, 1_000)),
        )
        .addOption(
          new Option('--segment-bytes <n>', 'length of a journal segment file')
            .env('SLUICE_SEGMENT_BYTES')
            .default(defaultOf('segmentBytes'))
            .argParser(whole(1024 * 1024, 2 ** 32)),
        )
        .addOption(jsonOption()),
    ),
    'sluice recover --data ./sequencer-data --into ./sequencer-data-2',
    'sluice bond top-up                              # a strike takes the whole bond',
    'sluice sequencer --data ./sequencer-data-2',
  ).action(async (options: RecoverCommandOptions) => {
    const { data, into, l1, rollup, confirmations, segmentBytes } = options;
    // Loaded here, so that --help does not wait for the whole house.
    const { recoverData } = await import('#sequencer/main/recover.ts');
    const recovered = await recoverData({
      ...{ data, into, l1, rollup, confirmations, segmentBytes },
      onProgress: (progress) =>
        process.stderr.write(
          progress.stage === 'waiting'
            ? `the strike of block ${progress.strikeBlock} is not deep enough yet: L1 is settled up to block ${progress.settledBlock}\n`
            : `command ${progress.seq} of ${progress.lastSeq}\n`,
        ),
    });
    const { epoch, struckEpoch, batchId, fromSeq, lastSeq, replaced } = recovered;
    // The last command is a clock of the recovery itself.
    const judged = lastSeq - fromSeq;
    print(options, recovered, () =>
      [
        facts([
          ['last valid batch', batchId === 0 ? 'none' : batchId],
          ['epoch', `${epoch}; a strike ended epoch ${struckEpoch}`],
          ['commands kept as they were', fromSeq - 1],
          ['commands judged again', judged],
          ['replaced by a clock', replaced.length],
          ['receipts reverted', `from command ${fromSeq} on, of epochs up to ${struckEpoch}`],
        ]),
        ...(replaced.length === 0
          ? []
          : [
              '',
              table(
                ['command>', 'these rules say'],
                replaced.slice(0, REPLACED_SHOWN).map(({ seq, reason }) => [seq, reason]),
              ),
              ...(replaced.length > REPLACED_SHOWN
                ? [`and ${replaced.length - REPLACED_SHOWN} more, all in ${into}/recovered.json`]
                : []),
            ]),
        '',
        'what to do next:',
        '  sluice bond top-up                 # commits need the full bond again',
        `  sluice sequencer --data ${into}`,
        `keep ${data} until the batches of epoch ${epoch} are final`,
      ].join('\n'),
    );
  });
