/**
 * Configuration by file, environment and flags: a flag beats the environment variable that its help names, which
 * beats the file, which beats the default. The file is YAML or JSON: `--config FILE`, SLUICE_CONFIG, or sluice.yaml in
 * the working directory. Its keys are the long flags without dashes in front; a map named after a command holds what
 * only that command is to see:
 *
 *   url: ws://127.0.0.1:9900
 *   key-file: ./trader.key
 *   sequencer:
 *     port: 9900
 *
 * Values are checked like flags; a key that no command knows is an error.
 */
import { existsSync, readFileSync } from 'node:fs';
import type { Command, Option } from 'commander';
import { parse } from 'yaml';
import { UsageError } from './failure.ts';
import { collect } from './options.ts';

export const DEFAULT_FILE = 'sluice.yaml';

type Values = Readonly<Record<string, unknown>>;

const isMap = (value: unknown): value is Values =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The file's map, or an empty one when there is none and none was named. Throws a UsageError. */
export function readConfiguration(path: string | undefined): { file: string; values: Values } {
  const file = path ?? DEFAULT_FILE;
  if (path === undefined && !existsSync(file)) return { file, values: {} };
  let values: unknown;
  try {
    values = parse(readFileSync(file, 'utf8')) ?? {};
  } catch (cause) {
    throw new UsageError(`configuration file ${file}: ${(cause as Error).message.split('\n')[0]}`, { cause });
  }
  if (!isMap(values)) throw new UsageError(`configuration file ${file}: expected a map, got something else`);
  return { file, values };
}

const flagOf = (option: Option): string => option.long?.replace(/^--(no-)?/, '') ?? '';

/** Settings of the file for one command: those of its own map, then those at the top. */
function valuesFor(name: string, { file, values }: { file: string; values: Values }): Values {
  const own = values[name];
  if (own !== undefined && !isMap(own))
    throw new UsageError(`configuration file ${file}: ${name}: expected a map, got ${JSON.stringify(own)}`);
  const shared = Object.entries(values).filter(([, value]) => !isMap(value));
  return { ...Object.fromEntries(shared), ...own };
}

/**
 * Fills what neither flag nor environment has set. To be called before a command's action. `everyFlag` names the
 * flags of all commands; it is asked only when the file has a key that this command does not know.
 */
export async function applyConfiguration(
  program: Command,
  command: Command,
  path: string | undefined,
  everyFlag: () => Promise<ReadonlySet<string>>,
): Promise<void> {
  const read = readConfiguration(path);
  const { file, values } = read;
  const section = topCommand(program, command);
  const own = new Set(command.options.map(flagOf));
  const commands = new Set(program.commands.map((one) => one.name()));
  const strangers = Object.keys(values).filter((key) => !own.has(key) && !commands.has(key));
  const known = strangers.length === 0 ? own : await everyFlag();
  for (const key of strangers)
    if (!known.has(key))
      throw new UsageError(`configuration file ${file}: expected the name of a flag or command, got ${key}`);

  const settings = valuesFor(section.name(), read);
  const flags = new Set([...everyCommandOf(section)].flatMap((one) => one.options.map(flagOf)));
  for (const key of Object.keys(values[section.name()] ?? {}))
    if (!flags.has(key))
      throw new UsageError(
        `configuration file ${file}: ${section.name()}: expected one of ${[...flags].join(', ')}, got ${key}`,
      );
  for (const option of command.options) {
    const name = option.attributeName();
    const source = command.getOptionValueSource(name);
    const value = settings[flagOf(option)];
    if ((source !== undefined && source !== 'default') || value === undefined) continue;
    command.setOptionValueWithSource(name, checked(option, value, file), 'config');
  }
}

function* everyCommandOf(command: Command): Generator<Command> {
  yield command;
  for (const child of command.commands) yield* everyCommandOf(child);
}

function checked(option: Option, value: unknown, file: string): unknown {
  const where = `configuration file ${file}: ${flagOf(option)}`;
  if (option.isBoolean()) {
    if (typeof value !== 'boolean')
      throw new UsageError(`${where}: expected true or false, got ${JSON.stringify(value)}`);
    return value;
  }
  const parseOne = (one: unknown, previous: unknown): unknown => {
    if (typeof one !== 'string' && typeof one !== 'number')
      throw new UsageError(`${where}: expected text or a number, got ${JSON.stringify(one)}`);
    const text = String(one);
    if (option.argChoices !== undefined && !option.argChoices.includes(text))
      throw new UsageError(`${where}: expected one of ${option.argChoices.join(', ')}, got ${text}`);
    try {
      return option.parseArg === undefined ? text : option.parseArg(text, previous as never);
    } catch (cause) {
      throw new UsageError(`${where}: ${(cause as Error).message}`, { cause });
    }
  };
  if (!option.variadic && option.parseArg !== collect) return parseOne(value, undefined);
  const list = Array.isArray(value) ? value : [value];
  let result: unknown;
  for (const one of list)
    result =
      option.parseArg === undefined
        ? [...((result as unknown[]) ?? []), parseOne(one, undefined)]
        : parseOne(one, result);
  return result;
}

function topCommand(program: Command, command: Command): Command {
  let top = command;
  while (top.parent !== null && top.parent !== program) top = top.parent;
  return top;
}
