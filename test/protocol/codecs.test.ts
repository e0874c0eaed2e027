/** Codecs of what is journaled and posted: what goes in comes out, and no bytes make them throw or lie. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type AssetConfig,
  assetConfigProblem,
  decodeAssetConfig,
  encodeAssetConfig,
} from '#protocol/asset.ts';
import * as batch from '#protocol/batch.ts';
import * as bytes from '#protocol/bytes.ts';
import * as command from '#protocol/command.ts';
import { nobleKeccak } from '#protocol/hash.ts';
import { MESSAGE_BYTES_MAX, RECORD_HEADER_BYTES } from '#protocol/limits.ts';
import * as market from '#protocol/market.ts';
import { checkMessage, encodeUnsignedMessage } from '#protocol/message.ts';
import {
  checkOperations,
  decodeOperation,
  encodeOperation,
  OPERATION_BYTES,
  type Operation,
} from '#protocol/operation.ts';
import * as price from '#protocol/price-report.ts';
import * as queue from '#protocol/queue-entry.ts';
import { Reject, rejectName } from '#protocol/reject.ts';
import { operation } from '../client/arbitraries.ts';
import { TEST_MARKET } from '../support/exchange.ts';

const SEED = Number(process.env.SEED ?? 20_261_122);
console.log(`codec properties: SEED=${SEED}`);
const runs = (numRuns: number) => ({ seed: SEED, numRuns });

const u53 = fc.oneof(fc.maxSafeNat(), fc.constantFrom(0, 2 ** 32 - 1, 2 ** 32, Number.MAX_SAFE_INTEGER));
const u48 = fc.integer({ min: 0, max: 2 ** 48 - 1 });
const u32 = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const u16 = fc.nat(65_535);
const address = fc.uint8Array({ minLength: 20, maxLength: 20 });
const hash = fc.uint8Array({ minLength: 32, maxLength: 32 });
describe('integers', () => {
  it('keep their value in every width, order and sign', () => {
    const view = new DataView(new ArrayBuffer(24));
    fc.assert(
      fc.property(u53, u48, fc.maxSafeInteger(), (unsigned, short, signed) => {
        bytes.setU64(view, 3, unsigned);
        expect(bytes.getU64(view, 3)).toBe(unsigned);
        expect(view.getBigUint64(3, true)).toBe(BigInt(unsigned));
        bytes.setU64be(view, 3, unsigned);
        expect(bytes.getU64be(view, 3)).toBe(unsigned);
        expect(view.getBigUint64(3)).toBe(BigInt(unsigned));
        bytes.setI64(view, 1, signed);
        expect(bytes.getI64(view, 1)).toBe(signed + 0);
        expect(view.getBigInt64(1, true)).toBe(BigInt(signed));
        bytes.setI64be(view, 1, signed);
        expect(bytes.getI64be(view, 1)).toBe(signed + 0);
        expect(view.getBigInt64(1)).toBe(BigInt(signed));
        bytes.setU48(view, 5, short);
        expect(bytes.getU48(view, 5)).toBe(short);
        bytes.setU48be(view, 5, short);
        expect(bytes.getU48be(view, 5)).toBe(short);
      }),
      runs(2_000),
    );
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 127n), max: 2n ** 127n - 1n }), (value) => {
        bytes.setI128be(view, 0, value);
        expect(bytes.getI128be(view, 0)).toBe(value);
        bytes.setU128be(view, 0, value < 0n ? -value : value);
        expect(bytes.getU128be(view, 0)).toBe(value < 0n ? -value : value);
      }),
      runs(500),
    );
  });

  it('hexadecimal goes both ways and refuses what is none', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (data) => {
        expect(bytes.fromHex(bytes.toHex(data))).toEqual(data);
        expect(bytes.fromHex(bytes.toHex(data).slice(2).toUpperCase())).toEqual(data);
      }),
      runs(200),
    );
    for (const bad of ['0x1', 'zz', '0x0g', '0X00']) expect(() => bytes.fromHex(bad)).toThrow(/hexadecimal/);
  });
});

describe('operations', () => {
  it('come out as they went in, in the length of their kind, and are well formed', () => {
    fc.assert(
      fc.property(operation, (one) => {
        const encoded = encodeOperation(one);
        expect(encoded.length).toBe(OPERATION_BYTES[encoded[0]!]);
        const view = bytes.viewOf(encoded);
        expect(checkOperations(view, 0, encoded.length, 1)).toBe(Reject.NONE);
        expect(decodeOperation(view, 0)).toEqual(one);
        expect(encodeOperation(decodeOperation(view, 0))).toEqual(encoded);
      }),
      runs(1_000),
    );
  });

  it('bytes that pass the check are the bytes of what is decoded from them: one form only', () => {
    let passed = 0;
    fc.assert(
      fc.property(operation, fc.array(fc.tuple(fc.nat(31), fc.nat(255)), { maxLength: 3 }), (one, flips) => {
        const encoded = encodeOperation(one);
        for (const [at, value] of flips) encoded[at % encoded.length] = value;
        const view = bytes.viewOf(encoded);
        if (checkOperations(view, 0, encoded.length, 1) !== Reject.NONE) return;
        passed++;
        expect(encodeOperation(decodeOperation(view, 0))).toEqual(encoded);
      }),
      runs(5_000),
    );
    expect(passed).toBeGreaterThan(500);
  });

  it('any bytes get a code and no exception, and the check looks at nothing beyond its range', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(60), (data, count) => {
        const code = checkOperations(bytes.viewOf(data), 0, data.length, count);
        expect(rejectName(code)).not.toMatch(/UNKNOWN_CODE/);
        const longer = bytes.concat(new Uint8Array(3).fill(0xee), data, new Uint8Array(40).fill(0xee));
        expect(checkOperations(bytes.viewOf(longer), 3, data.length, count)).toBe(code);
      }),
      runs(5_000),
    );
    expect(() => decodeOperation(new DataView(new ArrayBuffer(40)), 0)).toThrow(
      /expected a known kind, got 0/,
    );
  });
});

describe('messages', () => {
  it('of up to fifty operations are well formed, whole and not one byte off', () => {
    const fields = fc.record({
      account: u32,
      nonce: u53,
      validUntil: u53,
      operations: fc.array(operation, { minLength: 1, maxLength: 50 }),
    });
    fc.assert(
      fc.property(fields, (message) => {
        const whole = bytes.concat(encodeUnsignedMessage(message), new Uint8Array(65));
        const view = bytes.viewOf(whole);
        expect(whole.length).toBeLessThanOrEqual(MESSAGE_BYTES_MAX);
        expect(checkMessage(view, 0, whole.length)).toBe(Reject.NONE);
        for (const length of [whole.length - 1, whole.length - 65, 0, 24, 89])
          if (length !== whole.length) expect(checkMessage(view, 0, length)).toBe(Reject.MALFORMED_MESSAGE);
        const longer = bytes.concat(whole, new Uint8Array(1));
        expect(checkMessage(bytes.viewOf(longer), 0, longer.length)).toBe(Reject.MALFORMED_MESSAGE);
      }),
      runs(200),
    );
  });

  it('hold exactly the operations they count, and one only under the single scheme', () => {
    const cancelAll: Operation = { kind: 'cancel-all' };
    const judge = (operations: readonly Operation[], scheme: 1 | 2, count?: number): string => {
      const unsigned = encodeUnsignedMessage({ account: 1, nonce: 1, validUntil: 1, operations }, scheme);
      if (count !== undefined) unsigned[1] = count;
      const whole = bytes.concat(unsigned, new Uint8Array(65));
      return rejectName(checkMessage(bytes.viewOf(whole), 0, whole.length));
    };
    expect(judge([cancelAll], 1)).toBe('NONE');
    expect(judge([cancelAll], 2)).toBe('NONE');
    expect(judge([cancelAll, cancelAll], 2)).toBe('NONE');
    // Under the single scheme only the first operation would be signed.
    expect(judge([cancelAll, cancelAll], 1)).toBe('MALFORMED_MESSAGE');
    // Bytes behind the last counted operation, and an operation fewer than counted.
    expect(judge([cancelAll, cancelAll], 2, 1)).toBe('MALFORMED_MESSAGE');
    expect(judge([cancelAll, cancelAll], 2, 3)).toBe('MALFORMED_MESSAGE');
  });

  it('any bytes get a code and no exception', () => {
    const near = fc
      .tuple(fc.array(operation, { minLength: 1, maxLength: 4 }), fc.array(fc.tuple(u16, fc.nat(255))))
      .map(([operations, flips]) => {
        const fields = { account: 1, nonce: 1, validUntil: 1, operations };
        const whole = bytes.concat(encodeUnsignedMessage(fields), new Uint8Array(65));
        for (const [at, value] of flips) whole[at % whole.length] = value;
        return whole;
      });
    const codes = new Set<string>();
    fc.assert(
      fc.property(fc.oneof(near, fc.uint8Array({ maxLength: 400 })), (data) => {
        const name = rejectName(checkMessage(bytes.viewOf(data), 0, data.length));
        codes.add(name);
        expect(name).not.toMatch(/UNKNOWN_CODE/);
      }),
      runs(5_000),
    );
    expect([...codes].sort()).toEqual([
      'MALFORMED_MESSAGE',
      'MALFORMED_OPERATION',
      'NONE',
      'TOO_MANY_OPERATIONS',
      'UNKNOWN_OPERATION',
    ]);
  });
});

describe('records', () => {
  it('carry kind, time and body', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 6 }),
        u48,
        fc.uint8Array({ maxLength: 300 }),
        (kind, time, body) => {
          const record = command.encodeRecord(kind, time, body);
          const view = bytes.viewOf(record);
          expect([command.recordKind(view), command.recordTime(view)]).toEqual([kind, time]);
          expect([command.recordBodyBytes(view), command.recordBytes(view)]).toEqual([
            body.length,
            record.length,
          ]);
          expect(record.subarray(RECORD_HEADER_BYTES)).toEqual(body);
        },
      ),
      runs(300),
    );
  });
});

describe('price rounds', () => {
  const report = fc.record({
    market: fc.constant(3),
    publisher: fc.nat(15),
    time: u48,
    sequence: u53,
    price: u32,
    confidence: u32,
    signature: fc.uint8Array({ minLength: 65, maxLength: 65 }),
  });

  it('sort by publisher and come out as they went in', () => {
    const reports = fc.uniqueArray(report, { selector: (r) => r.publisher, minLength: 1, maxLength: 16 });
    fc.assert(
      fc.property(reports, (list) => {
        const body = price.encodePriceRound(3, list);
        const view = bytes.viewOf(body);
        expect(price.checkPriceRound(view, 0, body.length)).toBe(true);
        const decoded = list.map((_, i) => price.decodeReport(view, 4 + 89 * i, 3));
        expect(decoded).toEqual([...list].sort((a, b) => a.publisher - b.publisher));
      }),
      runs(200),
    );
  });

  it('refuse a publisher twice, out of order or out of range, and never throw', () => {
    const make = (...publishers: number[]): Uint8Array => {
      const body = new Uint8Array(4 + 89 * publishers.length);
      body[2] = publishers.length;
      publishers.forEach((publisher, i) => {
        body[4 + 89 * i] = publisher;
      });
      return body;
    };
    const judge = (body: Uint8Array): boolean => price.checkPriceRound(bytes.viewOf(body), 0, body.length);
    expect([judge(make(0, 1)), judge(make(15))]).toEqual([true, true]);
    expect([judge(make(1, 1)), judge(make(2, 1)), judge(make(16)), judge(make())]).toEqual(
      Array(4).fill(false),
    );
    expect(judge(make(0, 1).subarray(0, 4 + 88))).toBe(false);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 500 }), (body) => {
        expect(typeof judge(body)).toBe('boolean');
      }),
      runs(2_000),
    );
  });
});

describe('queue entries', () => {
  it('come out as they went in; other bytes are undefined or exactly one entry', () => {
    const entry = fc.record({
      index: u53,
      kind: fc.nat(255),
      owner: address,
      payload: fc.uint8Array({ maxLength: 256 }),
    });
    fc.assert(
      fc.property(entry, (one) => {
        expect(queue.decodeQueueEntry(queue.encodeQueueEntry(one))).toEqual(one);
      }),
      runs(300),
    );
    fc.assert(
      fc.property(entry, fc.array(fc.tuple(fc.nat(40), fc.nat(255)), { maxLength: 2 }), (one, flips) => {
        const encoded = queue.encodeQueueEntry(one);
        for (const [at, value] of flips) encoded[at % encoded.length] = value;
        const decoded = queue.decodeQueueEntry(encoded);
        if (decoded !== undefined) expect(queue.encodeQueueEntry(decoded)).toEqual(encoded);
      }),
      runs(2_000),
    );
  });

  it('money payloads are 11 bytes with a safe amount', () => {
    fc.assert(
      fc.property(fc.record({ asset: u16, subaccount: fc.nat(255), amount: u53 }), (money) => {
        expect(queue.decodeMoneyPayload(queue.encodeMoneyPayload(money))).toEqual(money);
      }),
      runs(200),
    );
    const beyond = new Uint8Array(11).fill(0xff);
    expect(queue.decodeMoneyPayload(beyond)).toBeUndefined();
    expect(queue.decodeMoneyPayload(new Uint8Array(10))).toBeUndefined();
    expect(queue.decodeMoneyPayload(new Uint8Array(12))).toBeUndefined();
  });

  it('the prefix hash depends on every part', () => {
    const one = { kind: 1, owner: new Uint8Array(20), payload: Uint8Array.of(1) };
    const zero = new Uint8Array(32);
    const hashes = [
      [zero, one],
      [new Uint8Array(32).fill(1), one],
      [zero, { ...one, kind: 2 }],
      [zero, { ...one, owner: new Uint8Array(20).fill(1) }],
      [zero, { ...one, payload: Uint8Array.of(2) }],
    ].map(([prefix, entry]) =>
      bytes.toHex(queue.nextQueueHash(nobleKeccak, prefix as Uint8Array, entry as typeof one)),
    );
    expect(new Set(hashes).size).toBe(5);
  });
});

describe('configuration', () => {
  const tiers = fc
    .array(fc.tuple(fc.integer({ min: 1, max: 9_000 }), fc.nat(9_000), fc.nat(9_000)), {
      minLength: 1,
      maxLength: 8,
    })
    .map((steps) => {
      let at = { lower: 0, initialPpm: 20_000, maintenancePpm: 10_000 };
      return steps.map(([lower, initial, maintenance], i) => {
        if (i > 0)
          at = {
            lower: at.lower + lower,
            initialPpm: at.initialPpm + Math.max(initial, maintenance),
            maintenancePpm: at.maintenancePpm + maintenance,
          };
        return at;
      });
    });

  it('of assets comes out as it went in', () => {
    const ppm = fc.nat(1_000_000);
    const units = fc.nat(2 ** 51);
    const config = fc
      .record({
        asset: fc.integer({ min: 1, max: 63 }),
        symbol: fc.stringMatching(/^[A-Z0-9-]{1,16}$/),
        status: fc.constantFrom<0 | 1>(0, 1),
        decimals: fc.nat(12),
        feed: fc.nat(1_023),
        tickValue: fc.integer({ min: 1, max: 2 ** 48 }),
        weights: fc.tuple(ppm, ppm),
        debtWeights: fc.tuple(
          fc.integer({ min: 1_000_000, max: 10_000_000 }),
          fc.integer({ min: 1_000_000, max: 10_000_000 }),
        ),
        steps: fc.array(fc.tuple(fc.integer({ min: 1, max: 2 ** 26 }), ppm), { maxLength: 4 }),
        userCap: units,
        globalCap: units,
        baseRatePpm: fc.nat(10_000_000),
        slope1Ppm: fc.nat(10_000_000),
        slope2Ppm: fc.nat(10_000_000),
        kinkPpm: fc.integer({ min: 1, max: 999_999 }),
        reservePpm: ppm,
        utilizationCapPpm: ppm,
        supplyCap: units,
        borrowCap: units,
        flags: fc.nat(1),
      })
      .map(({ weights, debtWeights, steps, ...rest }): AssetConfig => {
        const upTo = (last: number): number =>
          steps.slice(0, last + 1).reduce((sum, [width]) => sum + width, 0);
        const shares = steps.map(([, share]) => share).sort((a, b) => b - a);
        return {
          ...rest,
          collateralFactorPpm: Math.min(...weights),
          liquidationThresholdPpm: Math.max(...weights),
          debtWeightInitialPpm: Math.max(...debtWeights),
          debtWeightMaintenancePpm: Math.min(...debtWeights),
          haircuts: steps.map((_, i) => ({ upTo: upTo(i), ppm: shares[i]! })),
        };
      });
    fc.assert(
      fc.property(config, (one) => {
        expect(assetConfigProblem(one)).toBeUndefined();
        const encoded = encodeAssetConfig(one);
        expect(encoded.length).toBe(144);
        expect(decodeAssetConfig(encoded)).toEqual(one);
        expect(decodeAssetConfig(encoded.subarray(1))).toBeUndefined();
        expect(decodeAssetConfig(bytes.concat(encoded, new Uint8Array(1)))).toBeUndefined();
      }),
      runs(300),
    );
  });

  it('of markets and chain comes out as it went in', () => {
    const config = fc.record({
      market: fc.nat(1_023),
      symbol: fc.stringMatching(/^[A-Z0-9-]{1,16}$/),
      status: fc.constantFrom<0 | 1 | 2>(0, 1, 2),
      qm: fc.integer({ min: 1, max: 1_000 }),
      maxPrice: fc.integer({ min: 1, max: 2 ** 20 }),
      maxPosition: fc.integer({ min: 1, max: 2 ** 18 }),
      maxOpenInterest: u48,
      maxOrderSize: fc.integer({ min: 1, max: 2 ** 48 - 1 }),
      minNotional: u48,
      takerFeePpm: fc.nat(100_000),
      makerFeePpm: fc.constantFrom(-0 + 0, 7, 100_000),
      bandPpm: fc.nat(1_000_000),
      profitWeightPpm: fc.nat(1_000_000),
      riskPool: fc.nat(255),
      flags: fc.nat(7),
      profitCap: fc.nat(2 ** 28),
      openInterestLower: fc.nat(2 ** 27),
      openInterestUpper: fc.integer({ min: 2 ** 27 + 1, max: 2 ** 28 }),
      concentrationPpm: fc.nat(10_000_000),
      confidenceMaxPpm: fc.nat(1_000_000),
      deviationPpm: fc.nat(1_000_000),
      backstopCap: fc.nat(2 ** 28),
      insuranceClaim: fc.nat(2 ** 28),
      tickSizeE9: u53,
      tiers,
    });
    fc.assert(
      fc.property(config, (one) => {
        expect(market.marketConfigProblem(one)).toBeUndefined();
        const encoded = market.encodeMarketConfig(one);
        expect(encoded.length).toBeLessThanOrEqual(256);
        expect(market.decodeMarketConfig(encoded)).toEqual(one);
        // One byte more or less is no configuration.
        expect(market.decodeMarketConfig(encoded.subarray(1))).toBeUndefined();
        expect(market.decodeMarketConfig(bytes.concat(encoded, new Uint8Array(1)))).toBeUndefined();
      }),
      runs(300),
    );
    const chain = market.DEFAULT_CHAIN_PARAMETERS;
    expect(market.decodeChainParameters(market.encodeChainParameters(chain))).toEqual(chain);
    const rebate = { ...TEST_MARKET, makerFeePpm: -500 };
    expect(market.decodeMarketConfig(market.encodeMarketConfig(rebate))).toEqual(rebate);
  });

  it('any bytes are undefined or within the bounds, in one form', () => {
    const good = market.encodeMarketConfig(TEST_MARKET);
    let passed = 0;
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(119), fc.nat(255)), { minLength: 1, maxLength: 3 }), (flips) => {
        const encoded = good.slice();
        for (const [at, value] of flips) encoded[at] = value;
        const decoded = market.decodeMarketConfig(encoded);
        if (decoded === undefined) return;
        passed++;
        expect(market.marketConfigProblem(decoded)).toBeUndefined();
        expect(market.encodeMarketConfig(decoded)).toEqual(encoded);
      }),
      runs(3_000),
    );
    expect(passed).toBeGreaterThan(100);
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 40, maxLength: 60 }), (data) => {
        const decoded = market.decodeChainParameters(data);
        if (decoded !== undefined) expect(market.encodeChainParameters(decoded)).toEqual(data);
      }),
      runs(1_000),
    );
  });

  it('problems name field, expected and got', () => {
    expect(market.marketConfigProblem({ ...TEST_MARKET, qm: 0 })).toMatch(
      /^market\.qm: expected an integer from 1 to \d+, got 0$/,
    );
    expect(market.chainParametersProblem({ ...market.DEFAULT_CHAIN_PARAMETERS, futureMs: 60_001 })).toBe(
      'chain.futureMs: expected an integer from 0 to 60000, got 60001',
    );
  });

  it('publishers are 25 bytes', () => {
    const one = { index: 15, address: new Uint8Array(20).fill(4), weight: 1_000_000 };
    expect(market.decodePublisher(market.encodePublisher(one))).toEqual(one);
    expect(market.decodePublisher(new Uint8Array(24))).toBeUndefined();
    expect(market.decodePublisher(new Uint8Array(26))).toBeUndefined();
  });
});

describe('batches', () => {
  const header = fc.record(
    Object.fromEntries(
      batch.HEADER_FIELDS.map(([name, width]) => [
        name,
        width === 32 ? hash : width === 8 ? u53 : width === 4 ? u32 : u16,
      ]),
    ) as never,
  ) as fc.Arbitrary<batch.BatchHeader>;
  const trace = fc.array(
    fc.record({ nextStep: u53, nextSeq: u53, inputEnd: u32, weight: u53, inputHash: hash, stateRoot: hash }),
    { minLength: 1, maxLength: 9 },
  );

  it('headers and traces come out as they went in', () => {
    fc.assert(
      fc.property(header, trace, (one, entries) => {
        expect(batch.decodeHeader(batch.encodeHeader(one))).toEqual(one);
        expect(batch.encodeHeader(one).length).toBe(batch.HEADER_BYTES);
        expect(batch.decodeTrace(batch.encodeTrace(entries))).toEqual(entries);
      }),
      runs(200),
    );
  });

  it('other bytes are refused with a sentence: wrong lengths, and numbers beyond 2^53', () => {
    expect(() => batch.decodeHeader(new Uint8Array(509))).toThrow(
      'batch header: expected 510 bytes, got 509',
    );
    expect(() => batch.decodeHeader(new Uint8Array(510).fill(0xff))).toThrow(/id: expected at most 2\^53/);
    expect(() => batch.decodeTrace(new Uint8Array(91))).toThrow(/whole entries of 92 bytes, got 91/);
    for (const at of [0, 8, 20]) {
      const bad = new Uint8Array(184);
      bad[92 + at] = 0xff;
      expect(() => batch.decodeTrace(bad)).toThrow(/trace\[1\]\.\w+: expected at most 2\^53/);
    }
  });

  it('the trace root depends on every entry, its place and where the batch begins', () => {
    fc.assert(
      fc.property(trace, fc.nat(8), (entries, pick) => {
        const start = { firstStep: 1, firstSeq: 2 };
        const root = (list: readonly batch.TraceEntry[], from = start): string =>
          bytes.toHex(batch.traceRoot(list, from, nobleKeccak));
        const i = pick % entries.length;
        const changed = entries.map((entry, n) =>
          n === i ? { ...entry, inputEnd: (entry.inputEnd + 1) % 2 ** 32 } : entry,
        );
        const roots = [
          root(entries),
          root(changed),
          root(entries, { ...start, firstStep: 3 }),
          root(entries, { ...start, firstSeq: 3 }),
          root([...entries, entries[0]!]),
        ];
        expect(new Set(roots).size).toBe(5);
      }),
      runs(50),
    );
  });
});

describe('reject codes', () => {
  it('have one name each, and names one code', () => {
    const codes = Object.values(Reject);
    expect(new Set(codes).size).toBe(codes.length);
    for (const [name, code] of Object.entries(Reject)) expect(rejectName(code)).toBe(name);
    expect(rejectName(999)).toBe('UNKNOWN_CODE_999');
    // In the order of the page: a lower code is stronger.
    expect([...codes].sort((a, b) => a - b)).toEqual(codes);
  });
});
