/** The fields of every kind of leaf, as state/leaves.ts draws them: what a malicious sequencer may alter. */
import { viewOf } from '#protocol/bytes.ts';
import { PUBLISHERS_MAX } from '#protocol/limits.ts';
import { KeyKind, PRICES_PER_LEAF, REGISTER_INCOMING, REGISTER_MESSAGE, REGISTER_WALK } from '#state/keys.ts';
import { ACCOUNT_BYTES, POSITION_BYTES, PRICES_ROW_BYTES, PUBLISHER_ROW_BYTES } from '#state/leaves.ts';
import { accountName } from './keys.ts';

export interface Field {
  readonly name: string;
  readonly offset: number;
  readonly bytes: number;
}

type Widths = readonly (readonly [name: string, bytes: number])[];

const CHAIN: Widths = [
  ['staleness', 4],
  ['void time', 4],
  ['future', 4],
  ['sample interval', 4],
  ['funding interval', 4],
  ['open orders at most', 4],
  ['session keys at most', 4],
  ['index average time', 4],
  ['mark average time', 4],
  ['mark clamp', 4],
  ['withdrawal floor', 4],
  ['average index time', 4],
  ['liquidation buffer', 4],
  ['slice interval', 4],
  ['book phase', 4],
  ['auction time', 4],
  ['auction round', 4],
  ['discount at start', 4],
  ['liquidation fee', 4],
  ['small notional', 4],
  ['slice notional', 4],
  ['stable feed', 4],
  ['depeg price', 4],
  ['depeg slope', 4],
];
const GLOBALS: Widths = [
  ['seq', 8],
  ['clock', 6],
  ['engine version', 4],
  ['accounts', 4],
  ['markets', 2],
  ['next sample time', 6],
  ['next funding time', 6],
  ['sample cursor', 2],
  ['funding cursor', 2],
  ...CHAIN,
  ['next accrual time', 6],
  ['accrual cursor', 2],
  ['assets', 2],
];
const ACCOUNT: Widths = [
  ['owner', 20],
  ['subaccount', 1],
  ['cash', 8],
  ['highest nonce', 8],
  ['nonce bits', 32],
  ['dead-man deadline', 6],
  ['cancel-on-disconnect', 6],
  ['open orders', 4],
  ['session keys', 2],
  ['position count', 1],
  ['asset count', 1],
  ['risk pool', 1],
  ['flags', 1],
  ['isolated market', 2],
  ['rest', 3],
];
const POSITION: Widths = [
  ['market', 2],
  ['size', 8],
  ['v', 8],
  ['funding index', 16],
  ['bid lots', 8],
  ['ask lots', 8],
  ['bid quote', 8],
  ['ask quote', 8],
  ['reduce-only lots', 8],
  ['leverage', 4],
];
const POOL: Widths = [
  ['supply index', 16],
  ['borrow index', 16],
  ['supply shares', 8],
  ['debt shares', 8],
  ['cash', 8],
  ['reserve', 8],
  ['accrued to', 6],
  ['rate', 4],
  ['collateral', 8],
];
const MARKET_CONFIG: Widths = [
  ['market', 2],
  ['status', 1],
  ['tiers', 1],
  ['symbol', 16],
  ['unit', 8],
  ['highest price', 4],
  ['largest position', 8],
  ['open interest at most', 8],
  ['largest order', 8],
  ['least notional', 8],
  ['taker fee', 4],
  ['maker fee', 4],
  ['band', 4],
  ['profit weight', 4],
  ['tick size', 8],
  ['risk pool', 1],
  ['flags', 1],
  ['padding', 2],
  ['profit cap', 4],
  ['open interest lower', 4],
  ['open interest upper', 4],
  ['concentration', 4],
  ['confidence', 4],
  ['deviation', 4],
  ['backstop cap', 4],
  ['insurance claim', 4],
  ['last padding', 4],
  ['first tier', 16],
  ['second tier', 16],
];
const MARKET_STATE: Widths = [
  ['halt', 1],
  ['open interest', 8],
  ['fees', 8],
  ['funding balance', 8],
  ['funding ticks', 4],
  ['premium sum', 8],
  ['premiums', 4],
  ['last price', 4],
  ['sample time', 6],
  ['sample bid', 4],
  ['sample ask', 4],
  ['sample last', 4],
  ['basis average', 16],
  ['book average', 16],
];
const PRICES_ROW: Widths = [
  ['index', 4],
  ['mark', 4],
  ['index time', 6],
  ['confidence', 4],
  ['funding index', 16],
  ['average index', 4],
  ['open-interest rate', 4],
  ['depth', 4],
  ['validity', 1],
  ['last byte', 1],
];
const ORDER: Widths = [
  ['id', 8],
  ['account', 4],
  ['size', 8],
  ['client id', 8],
  ['expiry', 6],
  ['flags', 1],
];
const MESSAGE: Widths = [
  ['hash', 32],
  ['account', 4],
  ['scope', 1],
  ['count', 1],
  ['next operation', 1],
  ['offset', 2],
];
const INCOMING: Widths = [
  ['account', 4],
  ['market', 2],
  ['flags', 1],
  ['price', 4],
  ['size', 8],
  ['remaining', 8],
  ['order id', 8],
  ['priority', 8],
  ['client id', 8],
  ['expiry', 6],
  ['marks', 1],
  ['filled', 8],
  ['filled quote', 8],
];
const WALK: Widths = [
  ['account', 4],
  ['market', 2],
  ['reason', 1],
  ['canceled', 4],
  ['of a message', 1],
];

function lay(widths: Widths, from = 0, prefix = ''): Field[] {
  let offset = from;
  return widths.map(([name, bytes]) => {
    const field = { name: `${prefix}${name}`, offset, bytes };
    offset += bytes;
    return field;
  });
}

/** Whose leaf it is, as attacks are named. */
export function leafLabel(key: Uint8Array): string {
  const view = viewOf(key);
  switch (key[0]) {
    case KeyKind.GLOBALS:
      return 'globals';
    case KeyKind.ACCOUNT:
      return `${accountName(view.getUint32(1))}'s`;
    case KeyKind.OWNER:
      return 'owner leaf';
    case KeyKind.MARKET_CONFIG:
      return 'configuration';
    case KeyKind.MARKET_STATE:
      return 'market';
    case KeyKind.PRICES:
      return 'prices';
    case KeyKind.PUBLISHERS:
      return 'publishers';
    case KeyKind.ORACLE:
      return 'reports';
    case KeyKind.WITHDRAWN:
      return "owner's withdrawn total";
    case KeyKind.WITHDRAWN_TOTAL:
      return 'withdrawn total of all';
    case KeyKind.ASSET_CONFIG:
      return 'asset configuration';
    case KeyKind.POOL:
      return 'pool';
    case KeyKind.FUND:
      return 'insurance fund';
    case KeyKind.MARKET_RISK:
      return 'pacing';
    case KeyKind.LIQUIDATION:
      return 'liquidation';
    case KeyKind.QUEUE:
      return 'queue cursor';
    case KeyKind.COUNTERS:
      return 'counters';
    case KeyKind.ORDER:
      return 'order';
    case KeyKind.LEVEL:
      return 'level';
    case KeyKind.ORDER_INDEX:
      return 'order index';
    case KeyKind.CLIENT_INDEX:
      return 'client index';
    case KeyKind.SESSION_KEY:
      return 'session key';
    case KeyKind.EXPIRY:
      return 'expiry entry';
    case KeyKind.REGISTER:
      return `${['message', 'incoming', 'walk', 'record'][key[1]!]} register`;
    default:
      throw new Error(`leaf of kind ${key[0]}: expected a kind of keys.ts`);
  }
}

/** The fields of a leaf with this value; of rows, those that differ from `before` and the first. */
export function fieldsOf(key: Uint8Array, value: Uint8Array, before: Uint8Array | undefined): Field[] {
  switch (key[0]) {
    case KeyKind.GLOBALS:
      return lay(GLOBALS);
    case KeyKind.ACCOUNT:
      return [...lay(ACCOUNT), ...positions(value)];
    case KeyKind.MARKET_CONFIG:
      return lay(MARKET_CONFIG);
    case KeyKind.MARKET_STATE:
      return lay(MARKET_STATE);
    case KeyKind.PRICES:
      return lay(PRICES_ROW, rowOf(value, before, PRICES_ROW_BYTES, PRICES_PER_LEAF) * PRICES_ROW_BYTES);
    case KeyKind.LIQUIDATION:
      return lay([
        ['phase', 1],
        ['begin of the phase', 6],
        ['begin', 6],
        ['market', 2],
        ['time of the slice', 6],
        ['rest', 16],
      ]);
    case KeyKind.POOL:
      return lay(POOL);
    case KeyKind.PUBLISHERS: {
      const row = rowOf(value, before, PUBLISHER_ROW_BYTES, 16);
      return lay(
        [
          ['address', 20],
          ['weight', 4],
        ],
        row * PUBLISHER_ROW_BYTES,
      );
    }
    case KeyKind.ORACLE:
      return [
        ...Array.from({ length: 6 }, (_, i) => ({ name: `of publisher ${i}`, offset: 8 * i, bytes: 8 })),
        { name: 'average index', offset: 8 * PUBLISHERS_MAX, bytes: 8 },
        { name: 'waiting index', offset: 8 * PUBLISHERS_MAX + 8, bytes: 4 },
      ];
    case KeyKind.QUEUE:
      return lay([
        ['next entry', 8],
        ['prefix hash', 32],
      ]);
    case KeyKind.COUNTERS:
      return lay([
        ['next order id', 8],
        ['next trade id', 8],
      ]);
    case KeyKind.ORDER:
      return lay(ORDER);
    case KeyKind.ORDER_INDEX:
      return lay([
        ['side', 1],
        ['price', 4],
        ['priority', 8],
      ]);
    case KeyKind.SESSION_KEY:
      return lay([
        ['scope', 1],
        ['expiry', 8],
        ['highest nonce', 8],
        ['nonce bits', 32],
      ]);
    case KeyKind.REGISTER:
      return registerFields(key[1]!, value.length);
    default:
      return value.length === 0 ? [] : [{ name: 'value', offset: 0, bytes: value.length }];
  }
}

function registerFields(register: number, length: number): Field[] {
  if (register === REGISTER_MESSAGE) return lay(MESSAGE);
  if (register === REGISTER_INCOMING) return lay(INCOMING);
  if (register === REGISTER_WALK) return lay(WALK);
  return [{ name: 'hash', offset: 0, bytes: length }];
}

/** Of the first position: attacks on others are the same. */
function positions(value: Uint8Array): Field[] {
  return value.length < ACCOUNT_BYTES + POSITION_BYTES ? [] : lay(POSITION, ACCOUNT_BYTES, 'position ');
}

/** The first row that was written. */
function rowOf(value: Uint8Array, before: Uint8Array | undefined, bytes: number, rows: number): number {
  for (let row = 0; row < rows; row++)
    for (let i = row * bytes; i < (row + 1) * bytes; i++) if (value[i] !== (before?.[i] ?? 0)) return row;
  return 0;
}

/** One more in the field, as a big-endian number; at its end one less. */
export function bumped(value: Uint8Array, { offset, bytes }: Field): { value: Uint8Array; by: '+1' | '-1' } {
  const changed = value.slice();
  const all = value.subarray(offset, offset + bytes).every((byte) => byte === 0xff);
  for (let i = offset + bytes - 1; i >= offset; i--) {
    changed[i] = (changed[i]! + (all ? 255 : 1)) & 0xff;
    if (all ? changed[i] !== 0xff : changed[i] !== 0) break;
  }
  return { value: changed, by: all ? '-1' : '+1' };
}
