/** The program `sluice`: runs one command, prints one sentence if it fails, and exits with a code that tells why. */
import { readFileSync } from 'node:fs';
import { CommanderError } from 'commander';
import { report } from './failure.ts';
import { createProgram } from './program.ts';

const HELP_CODES = ['commander.help', 'commander.helpDisplayed', 'commander.version'];

async function main(argv: readonly string[]): Promise<number> {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  const json = argv.includes('--json') || ['1', 'true'].includes(process.env.SLUICE_JSON ?? '');
  try {
    const program = await createProgram(version, argv);
    await program.parseAsync(argv, { from: 'user' });
    return typeof process.exitCode === 'number' ? process.exitCode : 0;
  } catch (error) {
    if (error instanceof CommanderError && HELP_CODES.includes(error.code)) return error.exitCode;
    return report(error, json);
  }
}

// A reader that has gone (| head) is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

process.exitCode = await main(process.argv.slice(2));
