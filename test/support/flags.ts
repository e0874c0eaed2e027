/** Flags of the commands in test/: help, whole numbers, and a sentence with exit code 2 for what is wrong. */
import { Command, InvalidArgumentError } from 'commander';

const EXIT_USAGE = 2;

/** Reads a whole number from 0, or fails with field, expected and got. */
export function whole(value: string): number {
  const number = Number(value);
  if (!/^\d+$/.test(value) || !Number.isSafeInteger(number))
    throw new InvalidArgumentError(`expected a whole number from 0, got ${JSON.stringify(value)}.`);
  return number;
}

/** `npm run NAME -- FLAGS`; the caller adds options and parses. */
export const flagsOf = (name: string, meaning: string): Command =>
  new Command(`npm run ${name} --`)
    .description(meaning)
    .showHelpAfterError('(--help lists the flags)')
    .allowExcessArguments(false)
    .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : EXIT_USAGE));
