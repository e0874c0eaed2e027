/** `sluice demo`, which is npm start: everything at once on this machine. The job itself is in client/demo. */
import { Command } from 'commander';
import { DEMO_FLAGS, type DemoFlags } from '../../demo/flags.ts';
import { withExamples } from '../options.ts';

/** Adds the demo's flags; their values are its own to check. */
export function withDemoFlags(command: Command, without: readonly string[] = []): Command {
  for (const [flags, meaning] of DEMO_FLAGS)
    if (!without.some((name) => flags.startsWith(`--${name} `))) command.option(flags, meaning);
  return command;
}

/** Runs the demo; its verdict is the program's exit code. */
export async function runDemoWith(flags: DemoFlags): Promise<void> {
  const { runDemo } = await import('../../demo/main.ts');
  process.exitCode = await runDemo(flags);
}

export const demoCommand = (): Command =>
  withExamples(
    withDemoFlags(
      new Command('demo').description(
        'run everything on this machine: L1, contracts, sequencer, submitter, verifier, publishers, traders',
      ),
    ),
    'sluice demo',
    'sluice demo --duration 60 --report report.json',
    'sluice demo --replay es_replay.csv --speed max --fills fills.csv --book-end book.csv',
  ).action((flags: DemoFlags) => runDemoWith(flags));
