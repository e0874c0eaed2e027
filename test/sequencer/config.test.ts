/** Configuration: precedence of its sources, bounds, and errors that say field, source, expected and got. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  ConfigError,
  environmentSource,
  fileSource,
  quotasOf,
  readConfig,
  settings,
  settingsMarkdown,
} from '#sequencer/config.ts';

const flags = (values: Record<string, unknown>) => ({ name: 'flags', values });

describe('configuration', () => {
  it('has a default for everything that needs one', () => {
    expect(readConfig([])).toMatchObject({ host: '127.0.0.1', port: 9_900, workers: 2, logLevel: 'info' });
    expect(quotasOf(readConfig([]))).toEqual({});
    expect(quotasOf(readConfig([flags({ framesPerSecond: 7 })]))).toEqual({ framesPerSecond: 7 });
  });

  it('lets flags beat the environment, and that the file', () => {
    const file = fileSource('sluice.yaml', {
      port: 1,
      host: '0.0.0.0',
      sequencer: { port: 2, 'batch-ms': 500 },
      'key-file': './x.key',
    });
    const environment = environmentSource({
      SLUICE_PORT: '3',
      SLUICE_WORKERS: '4',
      SLUICE_KEY: '0x12',
      OTHER: '5',
    });
    const config = readConfig([flags({ port: '4', host: undefined }), environment, file]);
    expect(config).toMatchObject({ port: 4, host: '0.0.0.0', workers: 4, batchMs: 500, keyFile: './x.key' });
    expect(config.key).toBeUndefined();
    expect(readConfig([environment, file]).port).toBe(3);
    expect(readConfig([file]).port).toBe(2);
  });

  it.each([
    [{ port: 'x' }, 'configuration: port (flags): expected number, got "x"'],
    [{ port: '70000' }, 'configuration: port (flags): expected at most 65535, got "70000"'],
    [{ batchMs: 0 }, 'configuration: batch-ms (flags): expected at least 1, got 0'],
    [{ rollup: '0x12' }, 'configuration: rollup (flags): expected 0x and 40 hexadecimal digits, got "0x12"'],
    [{ l1: 'localhost' }, 'configuration: l1 (flags): expected an http(s) or ws(s) URL, got "localhost"'],
    [
      { logLevel: 'loud' },
      'configuration: log-level (flags): expected one of trace, debug, info, warn, error, silent, got "loud"',
    ],
    [{ speed: 1 }, 'configuration: expected settings of the table, got speed'],
  ])('refuses %j', (values, sentence) => {
    expect(() => readConfig([flags(values)])).toThrow(new ConfigError(sentence));
  });

  it('never shows a key', () => {
    expect(() => readConfig([flags({ key: 'c0ffee' })])).toThrow(/^((?!c0ffee).)*$/);
    expect(settings().find(({ name }) => name === 'key')).toMatchObject({
      isSecret: true,
      variable: 'SLUICE_SEQUENCER_KEY',
    });
  });

  it('refuses files that say what nobody knows', () => {
    expect(() => fileSource('f.yaml', [1])).toThrow('configuration file f.yaml: expected a map');
    expect(() => fileSource('f.yaml', { sequencer: 7 })).toThrow('sequencer: expected a map, got number');
    expect(() => fileSource('f.yaml', { sequencer: { prot: 7 } })).toThrow(
      /expected one of data, .*, got prot$/,
    );
  });

  it('lists every setting once, with a meaning', () => {
    const names = settings().map(({ flag }) => flag);
    expect(new Set(names).size).toBe(names.length);
    for (const { description } of settings()) expect(description.length).toBeGreaterThan(5);
    const page = readFileSync(new URL('../../docs/configuration.md', import.meta.url), 'utf8');
    expect(page).toContain(settingsMarkdown());
  });
});
