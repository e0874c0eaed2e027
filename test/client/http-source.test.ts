/** The HTTP source against a real server that answers well, badly, late or not at all; and several sources as one. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SluiceError } from '#client/errors.ts';
import { HttpSource, ticksOf, valueAt } from '#client/publisher/http-source.ts';
import { firstOf, fixedSource, medianOf, type PriceSource } from '#client/publisher/price-source.ts';
import { until } from '../end-to-end/until.ts';
import { BTC } from './live-exchange.ts';

const SEED = Number(process.env.SEED ?? 20_261_122);
console.log(`http source properties: SEED=${SEED}`);

let server: Server;
let url: string;
/** What the server says; undefined: it never answers. */
let answer: { status?: number; body: string } | undefined;
let asked = 0;
const sources: HttpSource[] = [];
const troubles: SluiceError[] = [];

beforeEach(async () => {
  asked = 0;
  troubles.length = 0;
  answer = { body: '{"data":[{"price":"64000.04"}]}' };
  server = createServer((_, response) => {
    asked++;
    if (answer === undefined) return;
    response.writeHead(answer.status ?? 200, { 'content-type': 'application/json' });
    response.end(answer.body);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/ticker`;
});

afterEach(async () => {
  for (const source of sources.splice(0)) source.stop();
  server.closeAllConnections();
  await new Promise((resolve) => {
    server.close(resolve);
  });
});

function start(more: { maxAgeMs?: number; timeoutMs?: number } = {}): HttpSource {
  const feed = { market: BTC, url, path: ['data', '0', 'price'] };
  const source = HttpSource.start({ feed, pollMs: 5, onTrouble: (error) => troubles.push(error), ...more });
  sources.push(source);
  return source;
}
const priceOf = (source: PriceSource): number | undefined => source.priceAt(BTC.market, 0)?.price;

describe('a price over HTTP', () => {
  it('is asked again and again, and knows its own market alone', async () => {
    const source = start();
    expect(priceOf(source)).toBeUndefined();
    await until('the first price', () => priceOf(source) === 640_000);
    expect(source.priceAt(BTC.market)).toEqual({ price: 640_000, confidence: 64 });
    expect(source.priceAt(BTC.market + 1)).toBeUndefined();
    answer = { body: '{"data":[{"price":64001}]}' };
    await until('the next price', () => priceOf(source) === 640_010);
  });

  it.each([
    ['an error', { status: 500, body: '{"data":[{"price":1}]}' }],
    ['no JSON', { body: '<html>' }],
    ['another form', { body: '{"price":1}' }],
    ['a price of zero', { body: '{"data":[{"price":"0"}]}' }],
    ['a price that is none', { body: '{"data":[{"price":"-5"}]}' }],
    ['too much', { body: `{"data":[{"price":"1"}],"more":"${'x'.repeat(1_000_001)}"}` }],
  ])('%s changes nothing, is told, and the price grows old', async (_, bad) => {
    const source = start({ maxAgeMs: 1_000 });
    await until('the first price', () => priceOf(source) === 640_000);
    answer = bad;
    const before = asked;
    await until('a trouble', () => troubles.length > 0 && asked > before + 1);
    expect([640_000, undefined]).toContain(priceOf(source));
    await until('an old price', () => priceOf(source) === undefined);
    expect(troubles[0]!.message).toContain(url);
    answer = { body: '{"data":[{"price":"64002"}]}' };
    await until('a price again', () => priceOf(source) === 640_020);
  });

  it('a server that stalls is given up, and asked anew', async () => {
    answer = undefined;
    const source = start({ timeoutMs: 100 });
    await until('a trouble', () => troubles.length >= 2);
    expect(priceOf(source)).toBeUndefined();
    answer = { body: '{"data":[{"price":"64002"}]}' };
    await until('a price again', () => priceOf(source) === 640_020);
  });

  it('reads decimals exactly, to the nearest tick, at any scale', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 2 ** 32 - 1 }),
        fc.integer({ min: -6, max: 6 }),
        (ticks, scale) => {
          // BTC ticks are 0.1: the text says ticks / 10 / 10^scale.
          const digits = `${ticks}`.padStart(12, '0');
          const point = digits.length - 1 - scale;
          const padded = point > digits.length ? digits.padEnd(point, '0') : digits;
          expect(ticksOf(`${padded.slice(0, point)}.${padded.slice(point)}0`, BTC, scale)).toBe(ticks);
        },
      ),
      { seed: SEED },
    );
    expect(ticksOf('0.04', BTC, 1)).toBe(4);
    expect(ticksOf(0.05, BTC)).toBe(1);
    for (const bad of ['', '1e5', ' 1', null, undefined, {}, Number.NaN, 0.04, 429_496_729.6])
      expect(() => ticksOf(bad, BTC), String(bad)).toThrow('price document: expected');
  });

  it('finds no way along what a document inherits', () => {
    expect(valueAt({ a: [{ b: 3 }] }, ['a', '0', 'b'])).toBe(3);
    expect(valueAt({}, ['constructor', 'name'])).toBeUndefined();
    expect(valueAt('text', ['length'])).toBeUndefined();
  });
});

describe('several sources as one', () => {
  const at = (price: number | undefined, confidence = 1): PriceSource =>
    fixedSource(new Map(price === undefined ? [] : [[BTC.market, { price, confidence }]]));
  const median = (...prices: (number | undefined)[]): unknown =>
    medianOf(prices.map((price) => at(price))).priceAt(BTC.market, 0);

  it('say their lower median once more than half of them have a price', () => {
    expect(median(100, 104, 90)).toEqual({ price: 100, confidence: 1 + 4 });
    expect(median(100, 104, 90, 1_000)).toEqual({ price: 100, confidence: 1 + 4 });
    expect(median(100, 100, 7_000_000)).toEqual({ price: 100, confidence: 1 });
    expect(median(100, undefined, 102)).toEqual({ price: 100, confidence: 1 });
    expect(median(100, undefined)).toBeUndefined();
    expect(median()).toBeUndefined();
  });

  it('or the first that knows the market', () => {
    expect(firstOf([at(undefined), at(5), at(6)]).priceAt(BTC.market, 0)).toEqual({
      price: 5,
      confidence: 1,
    });
    expect(firstOf([]).priceAt(BTC.market, 0)).toBeUndefined();
  });
});
