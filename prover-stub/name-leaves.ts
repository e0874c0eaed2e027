/** Ledger leaves in words: whose leaf it is, and in which field two values of it differ. Layouts: state/leaves.ts. */
import { toHex, viewOf } from '#protocol/bytes.ts';
import { PUBLISHERS_MAX } from '#protocol/limits.ts';
import { KeyKind, PRICES_PER_LEAF } from '#state/keys.ts';
import { type LeafValue, PRICES_ROW_BYTES, PUBLISHER_ROW_BYTES } from '#state/leaves.ts';

/** Name, bytes, and whether it is shown as a signed number (`i`), an unsigned one (`u`) or bytes (`b`). */
type Field = readonly [name: string, bytes: number, form: 'i' | 'u' | 'b'];

const GLOBALS: readonly Field[] = [
  ['seq', 8, 'u'],
  ['time', 6, 'u'],
  ['engine version', 4, 'u'],
  ['accounts', 4, 'u'],
  ['markets', 2, 'u'],
  ['next sample time', 6, 'u'],
  ['next funding time', 6, 'u'],
  ['sample cursor', 2, 'u'],
  ['funding cursor', 2, 'u'],
  ['chain parameters', 96, 'b'],
  ['next accrual time', 6, 'u'],
  ['accrual cursor', 2, 'u'],
  ['assets', 2, 'u'],
];
const ACCOUNT: readonly Field[] = [
  ['owner', 20, 'b'],
  ['subaccount', 1, 'u'],
  ['cash', 8, 'i'],
  ['highest nonce', 8, 'u'],
  ['nonce bits', 32, 'b'],
  ['dead-man deadline', 6, 'u'],
  ['cancel-on-disconnect', 6, 'u'],
  ['open orders', 4, 'u'],
  ['session keys', 2, 'u'],
  ['positions', 1, 'u'],
  ['assets', 1, 'u'],
  ['risk pool', 1, 'u'],
  ['flags', 1, 'u'],
  ['isolated market', 2, 'u'],
  ['bytes 93 to 95', 3, 'b'],
];
const POSITION: readonly Field[] = [
  ['market', 2, 'u'],
  ['size', 8, 'i'],
  ['v', 8, 'i'],
  ['funding index', 16, 'i'],
  ['bid lots', 8, 'u'],
  ['ask lots', 8, 'u'],
  ['bid quote', 8, 'u'],
  ['ask quote', 8, 'u'],
  ['reduce-only lots', 8, 'u'],
  ['leverage', 4, 'u'],
];
const ASSET_ROW: readonly Field[] = [
  ['asset', 2, 'u'],
  ['balance', 8, 'u'],
  ['supply shares', 8, 'u'],
  ['debt shares', 8, 'u'],
];
const POOL: readonly Field[] = [
  ['supply index', 16, 'u'],
  ['borrow index', 16, 'u'],
  ['supply shares', 8, 'u'],
  ['debt shares', 8, 'u'],
  ['cash', 8, 'u'],
  ['reserve', 8, 'u'],
  ['accrued to', 6, 'u'],
  ['rate', 4, 'u'],
  ['collateral', 8, 'u'],
];
const LIQUIDATION: readonly Field[] = [
  ['phase', 1, 'u'],
  ['phase began', 6, 'u'],
  ['began', 6, 'u'],
  ['market of the last slice', 2, 'u'],
  ['time of the last slice', 6, 'u'],
  ['auction', 16, 'b'],
];
const MARKET_STATE: readonly Field[] = [
  ['halted', 1, 'u'],
  ['open interest', 8, 'u'],
  ['fees', 8, 'i'],
  ['funding balance', 8, 'i'],
  ['funding ticks', 4, 'u'],
  ['premium sum', 8, 'i'],
  ['premiums', 4, 'u'],
  ['last price', 4, 'u'],
  ['sample time', 6, 'u'],
  ['sample bid', 4, 'u'],
  ['sample ask', 4, 'u'],
  ['sample last', 4, 'u'],
  ['basis average', 16, 'i'],
  ['book average', 16, 'i'],
];
const PRICES_ROW: readonly Field[] = [
  ['index price', 4, 'u'],
  ['mark price', 4, 'u'],
  ['index time', 6, 'u'],
  ['confidence', 4, 'u'],
  ['funding index', 16, 'i'],
  ['average index', 4, 'u'],
  ['open-interest rate', 4, 'u'],
  ['depth', 4, 'u'],
  ['validity', 1, 'u'],
  ['last byte', 1, 'u'],
];
const PUBLISHER_ROW: readonly Field[] = [
  ['address', 20, 'b'],
  ['weight', 4, 'u'],
];
const ORACLE_AVERAGE: readonly Field[] = [
  ['average index, millionths', 8, 'u'],
  ['waiting index', 4, 'u'],
];
const QUEUE: readonly Field[] = [
  ['next entry', 8, 'u'],
  ['prefix hash', 32, 'b'],
];

export interface LeafDifference {
  readonly leaf: string;
  readonly field: string;
  readonly expected: string;
  readonly got: string;
}

/** `account 7`, `market 0 state`, …; the key in hexadecimal when it is of no ledger kind. */
export function leafName(key: Uint8Array): string {
  const view = viewOf(key);
  switch (key[0]) {
    case KeyKind.GLOBALS:
      return 'globals';
    case KeyKind.ACCOUNT:
      return `account ${view.getUint32(1)}`;
    case KeyKind.OWNER:
      return `owner ${toHex(key.subarray(1, 21))}, sub-account ${key[21]}`;
    case KeyKind.MARKET_CONFIG:
      return `market ${view.getUint16(1)} configuration`;
    case KeyKind.MARKET_STATE:
      return `market ${view.getUint16(1)} state`;
    case KeyKind.PRICES:
      return `prices of markets ${view.getUint16(1) * PRICES_PER_LEAF} and up`;
    case KeyKind.PUBLISHERS:
      return 'publishers';
    case KeyKind.ORACLE:
      return `market ${view.getUint16(1)} reports`;
    case KeyKind.WITHDRAWN:
      return `withdrawn by ${toHex(key.subarray(1, 21))} of asset ${view.getUint16(21)}`;
    case KeyKind.WITHDRAWN_TOTAL:
      return `withdrawn by all of asset ${view.getUint16(1)}`;
    case KeyKind.ASSET_CONFIG:
      return `asset ${view.getUint16(1)} configuration`;
    case KeyKind.POOL:
      return `asset ${view.getUint16(1)} pool`;
    case KeyKind.FUND:
      return `insurance fund of pool ${key[1]}`;
    case KeyKind.MARKET_RISK:
      return `market ${view.getUint16(1)} pacing`;
    case KeyKind.LIQUIDATION:
      return `liquidation of account ${view.getUint32(1)}`;
    case KeyKind.QUEUE:
      return 'queue';
    default:
      return `leaf ${toHex(key)}`;
  }
}

/** The first field in which the values differ; undefined when they are the same. */
export function firstDifference(
  key: Uint8Array,
  expected: LeafValue,
  got: LeafValue,
): LeafDifference | undefined {
  const leaf = leafName(key);
  if (expected === undefined || got === undefined) {
    if (expected === got) return undefined;
    const word = (value: LeafValue): string => (value === undefined ? 'no leaf' : toHex(value));
    return { leaf, field: 'value', expected: word(expected), got: word(got) };
  }
  let at = 0;
  while (at < expected.length && at < got.length && expected[at] === got[at]) at++;
  if (at === expected.length && at === got.length) return undefined;
  for (const { name, start, bytes, form } of fieldsOf(key, expected.length > got.length ? expected : got))
    if (at < start + bytes)
      return {
        leaf,
        field: name,
        expected: shown(expected, start, bytes, form),
        got: shown(got, start, bytes, form),
      };
  return { leaf, field: `byte ${at}`, expected: toHex(expected), got: toHex(got) };
}

/** Where an account says how many rows it has. */
const POSITIONS_AT = 87;
const ASSET_ROWS_AT = 88;

interface PlacedField {
  readonly name: string;
  readonly start: number;
  readonly bytes: number;
  readonly form: Field[2];
}

function fieldsOf(key: Uint8Array, value: Uint8Array): PlacedField[] {
  const { length } = value;
  const placed: PlacedField[] = [];
  let start = 0;
  const place = (fields: readonly Field[], prefix = ''): void => {
    for (const [name, bytes, form] of fields) {
      placed.push({ name: prefix + name, start, bytes, form });
      start += bytes;
    }
  };
  const rows = (fields: readonly Field[], count: number, prefix: (row: number) => string): void => {
    for (let row = 0; row < count; row++) place(fields, prefix(row));
  };
  switch (key[0]) {
    case KeyKind.GLOBALS:
      place(GLOBALS);
      break;
    case KeyKind.ACCOUNT:
      place(ACCOUNT);
      rows(POSITION, value[POSITIONS_AT] ?? 0, (row) => `position ${row}, `);
      rows(ASSET_ROW, value[ASSET_ROWS_AT] ?? 0, (row) => `asset row ${row}, `);
      break;
    case KeyKind.OWNER:
      place([['account', 4, 'u']]);
      break;
    case KeyKind.MARKET_STATE:
      place(MARKET_STATE);
      break;
    case KeyKind.PRICES: {
      const first = viewOf(key).getUint16(1) * PRICES_PER_LEAF;
      rows(PRICES_ROW, Math.ceil(length / PRICES_ROW_BYTES), (row) => `market ${first + row} `);
      break;
    }
    case KeyKind.PUBLISHERS:
      rows(PUBLISHER_ROW, Math.ceil(length / PUBLISHER_ROW_BYTES), (row) => `publisher ${row} `);
      break;
    case KeyKind.ORACLE:
      rows([['sequence', 8, 'u']], PUBLISHERS_MAX, (row) => `publisher ${row} `);
      place(ORACLE_AVERAGE);
      break;
    case KeyKind.WITHDRAWN_TOTAL:
    case KeyKind.WITHDRAWN:
      place([['amount', 16, 'u']]);
      break;
    case KeyKind.POOL:
      place(POOL);
      break;
    case KeyKind.FUND:
      place([['amount', 8, 'i']]);
      break;
    case KeyKind.MARKET_RISK:
      place([['slices wait until', 6, 'u']]);
      break;
    case KeyKind.LIQUIDATION:
      place(LIQUIDATION);
      break;
    case KeyKind.QUEUE:
      place(QUEUE);
      break;
  }
  return placed;
}

function shown(value: Uint8Array, start: number, bytes: number, form: Field[2]): string {
  const part = value.subarray(start, start + bytes);
  if (part.length < bytes) return part.length === 0 ? 'nothing' : toHex(part);
  if (form === 'b') return toHex(part);
  let number = 0n;
  for (const byte of part) number = (number << 8n) | BigInt(byte);
  return `${form === 'i' ? BigInt.asIntN(8 * bytes, number) : number}`;
}
