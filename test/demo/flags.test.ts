/** Flags: what is taken, and the sentence for what is not. */
import { describe, expect, test } from 'vitest';
import { type DemoFlags, FlagError, readDemoFlags } from '#client/demo/flags.ts';

describe('flags of the demo', () => {
  test('defaults', () => {
    const options = readDemoFlags({ seed: 1 });
    expect(options).toMatchObject({ data: 'data/demo', port: 9_900, speed: 1, quiet: false, seed: 1 });
    expect(options.isDefaultData).toBe(true);
    expect(readDemoFlags({ replay: 'x.csv' }).data).toBe('data/replay');
  });

  test('text is read as numbers', () => {
    expect(readDemoFlags({ port: '0', duration: '2.5', seed: '7' })).toMatchObject({
      port: 0,
      duration: 2.5,
      seed: 7,
    });
    expect(readDemoFlags({ replay: 'x.csv', speed: 'max' }).speed).toBe('max');
    expect(readDemoFlags({ replay: 'x.csv', speed: '60' }).speed).toBe(60);
  });

  test('a price replay comes out the same without being asked to', () => {
    expect(readDemoFlags({ replayPrices: 'x.csv', accounts: '7', speed: 'max' })).toMatchObject({
      data: 'data/replay',
      accounts: 7,
      rows: Number.POSITIVE_INFINITY,
      shock: false,
      seed: 1,
    });
  });

  test('a seed is drawn when none is given', () => {
    const { seed } = readDemoFlags({});
    expect(Number.isSafeInteger(seed) && seed >= 0).toBe(true);
  });

  test.each<[DemoFlags, string]>([
    [{ port: '99999' }, '--port: expected a port from 0 to 65535, got "99999"'],
    [{ port: 'http' }, '--port: expected a port from 0 to 65535, got "http"'],
    [{ l1: 'localhost:8545' }, '--l1: expected a URL that begins with http://'],
    [{ replay: 'x.csv', speed: 'fast' }, '--speed: expected a number above 0, or max, got "fast"'],
    [{ replay: 'x.csv', speed: '0' }, '--speed: expected a number above 0, or max, got "0"'],
    [{ duration: '0' }, '--duration: expected seconds from 1, got "0"'],
    [{ speed: '2' }, '--speed: expected --replay or --replay-prices beside it, got none'],
    [{ accounts: '5' }, '--accounts: expected --replay-prices beside it, got none'],
    [{ shock: true }, '--shock: expected --replay-prices beside it, got none'],
    [{ replayPrices: 'x.csv', accounts: '0' }, '--accounts: expected a whole number from 1 to 100000'],
    [{ replayPrices: 'x.csv', speed: '2' }, '--speed: expected max for --replay-prices, got 2'],
    [{ replayPrices: 'x.csv', replay: 'y.csv' }, '--replay-prices: expected no --replay beside it'],
    [{ replayPrices: 'x.csv', l1: 'http://x' }, '--l1: expected none beside --replay-prices'],
    [{ replayPrices: 'x.csv', duration: '5' }, '--duration: expected no replay beside it'],
    [{ fills: 'f.csv' }, '--fills: expected --replay beside it, got none'],
    [{ bookEnd: 'b.csv' }, '--book-end: expected --replay beside it, got none'],
    [{ replay: 'x.csv', duration: '5' }, '--duration: expected no replay beside it'],
    [{ seed: '-1' }, '--seed: expected a whole number from 0'],
  ])('%j is refused', (flags, sentence) => {
    expect(() => readDemoFlags(flags)).toThrow(FlagError);
    expect(() => readDemoFlags(flags)).toThrow(sentence);
  });
});
