/** `sluice sequencer`: matches, journals, batches, and serves clients. Its settings are the table of config.ts. */
import { Command, Option } from 'commander';
import { environmentSource, fileSource, readConfig, settings } from '#sequencer/config.ts';
import { readConfiguration } from '../configuration.ts';
import { untilStopped } from '../connect.ts';
import { UsageError } from '../failure.ts';
import { type CommonOptions, jsonOption, withExamples } from '../options.ts';
import { facts, printLine } from '../output.ts';

export function sequencerCommand(): Command {
  const command = new Command('sequencer').description('run the sequencer');
  for (const { flag, variable, fallback, description } of settings())
    command.addOption(
      new Option(
        `${flag} <value>`,
        `${description} (${fallback === '' ? '' : `default: ${fallback}, `}env: ${variable})`,
      ),
    );
  command.addOption(jsonOption());
  withExamples(
    command,
    'sluice sequencer --data ./sequencer-data --l1 http://127.0.0.1:8545',
    'sluice sequencer --config sluice.yaml --port 0',
  );
  return command.action(async (options: CommonOptions) => {
    const config = configOf(command);
    // Loaded here, so that --help does not wait for the whole house.
    const { runSequencer } = await import('#sequencer/main.ts');
    const sequencer = await runSequencer(config);
    printLine(
      options,
      { kind: 'started', url: sequencer.url, http: sequencer.httpUrl, rollup: sequencer.rollup },
      () =>
        facts([
          ['clients', sequencer.url],
          ['status, metrics, batches', sequencer.httpUrl],
          ['rollup', sequencer.rollup],
        ]),
    );
    const ended = await Promise.race([untilStopped(), sequencer.failed]);
    await sequencer.stop();
    if (ended instanceof Error) throw ended;
  });
}

/** What flags, environment and file say, in this order. */
function configOf(command: Command): ReturnType<typeof readConfig> {
  const program = command.parent!;
  const { file, values } = readConfiguration(program.opts<{ config?: string }>().config);
  const flags = Object.fromEntries(
    settings().flatMap(({ name }) =>
      command.getOptionValueSource(name) === 'cli' ? [[name, command.getOptionValue(name)]] : [],
    ),
  );
  try {
    return readConfig([
      { name: 'flags', values: flags },
      environmentSource(process.env),
      fileSource(file, values),
    ]);
  } catch (cause) {
    if (cause instanceof Error && cause.name === 'ConfigError')
      throw new UsageError(cause.message, { cause });
    throw cause;
  }
}
