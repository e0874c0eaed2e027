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

/** All commands of the tree by their path of names, without the program's own. */
function commandsOf(program: Command): Map<string, Command> {
  const found = new Map<string, Command>();
  for (const command of program.commands) found.set(command.name(), command);
  return found;
}

/** Fills what neither flag nor environment has set. To be called before a command's action. */
export function applyConfiguration(program: Command, command: Command, path: string | undefined): void {
  const { file, values } = readConfiguration(path);
  const commands = commandsOf(program);
  const known = new Set<string>();
  const collect = (one: Command): void => {
    for (const option of one.options) known.add(flagOf(option));
    one.commands.forEach(collect);
  };
  collect(program);
  for (const key of Object.keys(values))
    if (!known.has(key) && !commands.has(key))
      throw new UsageError(`configuration file ${file}: expected the name of a flag or command, got ${key}`);

  const section = topCommand(program, command);
  const own = values[section.name()];
  if (own !== undefined && !isMap(own))
    throw new UsageError(`configuration file ${file}: ${section.name()}: expected a map, got ${String(own)}`);
  if (isMap(own)) {
    const flags = new Set([...section.options, ...command.options].map(flagOf));
    for (const key of Object.keys(own))
      if (!flags.has(key) && !section.commands.some((child) => child.options.some((o) => flagOf(o) === key)))
        throw new UsageError(
          `configuration file ${file}: ${section.name()}: expected one of ${[...flags].join(', ')}, got ${key}`,
        );
  }
  for (const option of command.options) {
    const name = option.attributeName();
    const source = command.getOptionValueSource(name);
    if (source !== undefined && source !== 'default') continue;
    const value = (isMap(own) ? own[flagOf(option)] : undefined) ?? values[flagOf(option)];
    if (value === undefined || isMap(value)) continue;
    command.setOptionValueWithSource(name, checked(option, value, file), 'config');
  }
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
  if (!option.variadic) return parseOne(value, undefined);
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
