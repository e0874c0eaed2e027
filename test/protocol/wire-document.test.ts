/** docs/wire-protocol.md is true: its tables are read and held against the encoders, its example against the signer. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { concat, fromHex, getI64, getU48, getU64, toHex, viewOf } from '#protocol/bytes.ts';
import { REMOVE_REASON_NAMES } from '#protocol/event.ts';
import { nobleKeccak } from '#protocol/hash.ts';
import { encodeUnsignedMessage } from '#protocol/message.ts';
import { OPERATION_BYTES, OPERATION_NAMES } from '#protocol/operation.ts';
import { encodeReport } from '#protocol/price-report.ts';
import { PRIVATE_QUERIES } from '#protocol/query.ts';
import { encodeReceipt, GENESIS_CURSOR, RECEIPT_BYTES, RECEIPT_TYPE } from '#protocol/receipt.ts';
import { Reject } from '#protocol/reject.ts';
import {
  BUNDLE_TYPE,
  LOGIN_TYPE,
  OPERATION_TYPES,
  PRICE_REPORT_TYPE,
  SigningDomain,
} from '#protocol/signing.ts';
import * as wire from '#protocol/wire.ts';
import * as data from '#protocol/wire-market-data.ts';
import { encodeReceiptFrame, RECEIPT_FRAME_BYTES } from '#protocol/wire-receipt.ts';
import { signDigest, testKey } from '../auth/keys.ts';

const document = readFileSync(new URL('../../docs/wire-protocol.md', import.meta.url), 'utf8');

interface Row {
  readonly offset: number;
  readonly type: string;
  readonly field: string;
}

/** The table under a heading. */
function layout(heading: string): readonly Row[] {
  const from = document.indexOf(`\n### ${heading}\n`);
  if (from < 0) throw new Error(`expected a heading ${heading}, got none`);
  const section = document.slice(from + 1, document.indexOf('\n#', from + 6));
  return [...section.matchAll(/^\| (\d+) \| (\w+) \| (\w+) \|/gm)].map((match) => ({
    offset: Number(match[1]),
    type: match[2]!,
    field: match[3]!,
  }));
}

function read(view: DataView, { offset, type }: Row): number {
  switch (type) {
    case 'u8':
      return view.getUint8(offset);
    case 'u16':
      return view.getUint16(offset, true);
    case 'u32':
      return view.getUint32(offset, true);
    case 'u48':
      return getU48(view, offset);
    case 'u64':
      return getU64(view, offset);
    case 'i64':
      return getI64(view, offset);
    default:
      throw new Error(`expected a type that the test knows, got ${type}`);
  }
}

/** Distinct values for every field, so that no two can be taken for each other. */
function distinct<Value>(fields: readonly string[]): Value {
  return Object.fromEntries(fields.map((field, i) => [field, i + 1])) as Value;
}

const names = (heading: string): string[] => layout(heading).map((row) => row.field);

describe('layouts', () => {
  const report = distinct<wire.ExecutionReport>(names('EXECUTION_REPORT'));
  const event = distinct<wire.AccountEvent>(names('ACCOUNT_EVENT'));
  const ticker = { ...distinct<data.Ticker>(names('TICKER')), indexVoid: true };
  const trade = { ...distinct<data.PublicTrade>(names('TRADE')), takerSide: 1 };
  const status = distinct<data.MarketStatusEvent>(names('MARKET_STATUS'));
  const result = { ...distinct<wire.OperationResult>(names('Result')), status: 3 } as const;
  const reply = { tag: 0, seq: 5, time: 6, account: 7, results: [result, result] };
  const head = { market: 1, previous: 2, sequence: 3, time: 4 };
  const level = { price: 1, size: 2 };
  const order = { orderId: 1, size: 2, priority: 3, price: 4, side: 0 };
  const signature = new Uint8Array(65);
  const price = { market: 1, publisher: 2, time: 3, sequence: 4, price: 5, confidence: 6, signature };

  test.each<[heading: string, frame: Uint8Array, values: object]>([
    ['EXECUTION_REPORT', wire.encodeExecutionReport(report), report],
    ['ACCOUNT_EVENT', wire.encodeAccountEvent(event), event],
    ['TICKER', data.encodeTicker(ticker), { ...ticker, indexVoid: 1 }],
    ['TRADE', data.encodeTrade(trade), trade],
    ['MARKET_STATUS', data.encodeMarketStatus(status), status],
    ['REPLY', wire.encodeReply(reply), { ...reply, count: 2 }],
    ['Result', wire.encodeReply(reply).subarray(wire.REPLY_HEADER_BYTES), result],
    [
      'LOGGED_IN',
      wire.encodeLoggedIn({ tag: 0, account: 1, reportSequence: 2 }),
      { account: 1, reportSequence: 2 },
    ],
    ['LOGIN', wire.encodeLogin(0, { account: 1, time: 2, signature }), { account: 1, time: 2 }],
    ['PRICE_REPORT', wire.encodePriceReport(0, 1, encodeReport(price)), price],
    [
      'BOOK_SNAPSHOT',
      data.encodeBookSnapshot({ ...head, bids: [level], asks: [level, level] })[0]!,
      { ...head, bidCount: 1, askCount: 2 },
    ],
    [
      'BOOK_DELTA',
      data.encodeBookDelta({ ...head, changes: [{ ...level, side: 1 }] }),
      { ...head, count: 1 },
    ],
    ['ORDERS_SNAPSHOT', data.encodeOrdersSnapshot({ ...head, orders: [order] })[0]!, { ...head, count: 1 }],
    [
      'Message',
      encodeUnsignedMessage({ account: 1, nonce: 2, validUntil: 3, operations: [{ kind: 'cancel-all' }] }),
      { scheme: 1, count: 1, length: 8, account: 1, nonce: 2, validUntil: 3 },
    ],
  ])('%s', (heading, frame, values) => {
    const rows = layout(heading).filter((row) => row.field !== 'signature' && /^[ui]\d+$/.test(row.type));
    expect(rows.length).toBeGreaterThan(1);
    const told = Object.fromEntries(rows.map((row) => [row.field, read(viewOf(frame), row)]));
    const expected = Object.fromEntries(
      rows.map((row) => [row.field, values[row.field as keyof typeof values]]),
    );
    expect(told).toEqual(expected);
  });

  test.each([
    ['EXECUTION_REPORT', wire.EXECUTION_REPORT_BYTES],
    ['ACCOUNT_EVENT', wire.ACCOUNT_EVENT_BYTES],
    ['TICKER', data.TICKER_BYTES],
    ['TRADE', data.TRADE_BYTES],
    ['MARKET_STATUS', data.MARKET_STATUS_BYTES],
  ])('%s has every field and its length', (heading, bytes) => {
    const from = document.indexOf(`\n### ${heading}\n`);
    expect(document.slice(from, document.indexOf('\n#', from + 6))).toContain(`\n${bytes} bytes.`);
    const encoded = { EXECUTION_REPORT: 21, ACCOUNT_EVENT: 8, TICKER: 16, TRADE: 11, MARKET_STATUS: 4 };
    expect(layout(heading).length).toBe(encoded[heading as keyof typeof encoded]);
  });
});

describe('receipts', () => {
  const receipt = {
    ...GENESIS_CURSOR,
    epoch: 1,
    seq: 2,
    inputHash: new Uint8Array(32).fill(3),
    queueNext: 4,
    queueHash: new Uint8Array(32).fill(5),
  };

  test('stand big-endian in their frame, as drawn', () => {
    const frame = encodeReceiptFrame({ previous: 9, receipt: { ...receipt, signature: new Uint8Array(65) } });
    expect(frame.length).toBe(RECEIPT_FRAME_BYTES);
    const [previous, whole] = layout('RECEIPT') as [Row, Row];
    expect(read(viewOf(frame), previous)).toBe(9);
    expect(frame.subarray(whole.offset, whole.offset + RECEIPT_BYTES)).toEqual(encodeReceipt(receipt));
    const view = viewOf(encodeReceipt(receipt));
    const told = layout('The receipt').map(({ offset, type, field }) => [
      field,
      type === 'u32'
        ? view.getUint32(offset)
        : type === 'u64'
          ? Number(view.getBigUint64(offset))
          : offset === RECEIPT_BYTES
            ? 'end'
            : view.getUint8(offset),
    ]);
    expect(Object.fromEntries(told)).toEqual({
      epoch: 1,
      seq: 2,
      inputHash: 3,
      queueNext: 4,
      queueHash: 5,
      signature: 'end',
    });
  });
});

describe('names and codes', () => {
  const hex = (type: number): string => `0x${type.toString(16).padStart(2, '0')}`;

  test('every frame type stands in its table, and no other', () => {
    const told = [...document.matchAll(/^\| (0x[0-9a-f]{2}) \| ([A-Z_]+) \|/gm)].map((match) => [
      match[2],
      match[1],
    ]);
    expect(told).toEqual(Object.entries(wire.FrameType).map(([name, type]) => [name, hex(type)]));
  });

  test('every reject code, and no other', () => {
    const told = [...document.matchAll(/^\| (\d+) \| ([A-Z0-9_]{4,}) \| (.+) \|$/gm)].map((match) => [
      match[2],
      Number(match[1]),
    ]);
    expect(told).toEqual(Object.entries(Reject).filter(([, code]) => code !== 0));
  });

  test('every goodbye with its close code', () => {
    for (const [name, code] of Object.entries(wire.GoodbyeCode))
      expect(document).toContain(`| ${code} ${name} | ${wire.WEBSOCKET_CLOSE_BASE + code} |`);
  });

  test('operations, channels, private queries, remove reasons, signed types', () => {
    OPERATION_NAMES.slice(1).forEach((name, i) => {
      if (name === '') return;
      const title = name.toUpperCase().replaceAll('-', '_');
      expect(document).toContain(`| ${i + 1} ${title} | ${OPERATION_BYTES[i + 1]} |`);
    });
    for (const channel of wire.CHANNELS) expect(document).toContain(`| \`${channel}\` |`);
    for (const query of PRIVATE_QUERIES) expect(document).toContain(`| \`${query}\` * |`);
    REMOVE_REASON_NAMES.slice(1).forEach((name, i) => {
      const loose = name.replaceAll('-', '[- ]');
      expect(document).toMatch(new RegExp(`[ ,]${i + 1} ${loose}[, ]`));
    });
    for (const type of [
      ...OPERATION_TYPES.filter((type) => type !== ''),
      BUNDLE_TYPE,
      LOGIN_TYPE,
      PRICE_REPORT_TYPE,
      RECEIPT_TYPE,
    ])
      expect(document).toContain(`\n${type}\n`);
  });
});

describe('the worked example', () => {
  const block = (name: string): string => {
    const match = document.match(new RegExp(`\`\`\`${name}\\n([^\`]+)\`\`\``));
    if (match === null) throw new Error(`expected a block ${name}, got none`);
    return `0x${match[1]!.replace(/\s/g, '')}`;
  };
  const rollup = fromHex('5fbdb2315678afecb367f032d93f642f64180aa3');
  const domain = new SigningDomain({ chainId: 31_337, verifyingContract: rollup }, nobleKeccak);
  const key = testKey(1);
  const unsigned = encodeUnsignedMessage({
    account: 1,
    nonce: 1_700_000_000_000,
    validUntil: 1_700_000_060_000,
    operations: [
      {
        kind: 'place',
        market: 0,
        side: 0,
        price: 50_000,
        size: 10,
        timeInForce: 0,
        postOnly: true,
        clientId: 42,
      },
    ],
  });
  const digest = domain.message(unsigned);
  const signature = signDigest(digest, key);

  test('is what the code signs and sends, byte by byte', () => {
    expect(document).toContain(toHex(key.address));
    expect(block('separator')).toBe(toHex(domain.separator));
    expect(block('unsigned')).toBe(toHex(unsigned));
    expect(block('digest')).toBe(toHex(digest));
    expect(block('signature')).toBe(toHex(signature));
    expect(block('frame')).toBe(toHex(wire.encodeMessageFrame(7, concat(unsigned, signature))));
  });

  test('the answer and the login are too', () => {
    const decoded = wire.decodeReply(viewOf(fromHex(block('reply'))), 0);
    expect(decoded).toEqual({
      tag: 7,
      seq: 1_234,
      time: 1_700_000_000_005,
      account: 1,
      results: [
        {
          code: 0,
          status: wire.OperationStatus.RESTING,
          operation: 1,
          canceled: 0,
          orderId: 99,
          filledSize: 0,
          remainingSize: 10,
        },
      ],
    });
    const time = 1_700_000_000_000;
    const login = { account: 1, time, signature: signDigest(domain.login(1, time), key) };
    expect(block('login')).toBe(toHex(wire.encodeLogin(8, login)));
  });
});
