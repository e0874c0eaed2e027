/** Accounts in columns: owner, cash, nonce window, switches; positions hang on `firstPosition`. */
import { NONCE_WINDOW_BITS } from '#protocol/limits.ts';
import type { AssetRow } from './asset-state.ts';

/** The market of an account that is not isolated. */
export const NOT_ISOLATED = 0xffff;
/** Flags of an account: under liquidation, locked by its kill switch, the backstop vault. */
export const LIQUIDATING = 1;
export const LOCKED = 2;
export const BACKSTOP_VAULT = 4;

const NO_ROWS: readonly AssetRow[] = [];
const WORDS = NONCE_WINDOW_BITS / 32;

/** A window of used nonces: the highest one and a bitmap of those up to 255 below it (bit 0 = the highest). */
export interface NonceWindow {
  high: number;
  /** Eight 32-bit words, word 0 bit 0 = the highest. */
  readonly bits: Uint32Array;
}

export const newNonceWindow = (): NonceWindow => {
  const bits = new Uint32Array(WORDS);
  // Nonce 0 counts as used, so that an empty window needs no case of its own.
  bits[0] = 1;
  return { high: 0, bits };
};

/** True when `nonce` is used, or so far below the highest that it can't be told. */
export function nonceState(window: NonceWindow, nonce: number): 'fresh' | 'used' | 'old' {
  if (nonce > window.high) return 'fresh';
  const back = window.high - nonce;
  if (back >= NONCE_WINDOW_BITS) return 'old';
  return (window.bits[back >>> 5]! >>> (back & 31)) & 1 ? 'used' : 'fresh';
}

/** Marks a fresh nonce as used. */
export function useNonce(window: NonceWindow, nonce: number): void {
  const { bits } = window;
  if (nonce <= window.high) {
    const back = window.high - nonce;
    bits[back >>> 5] = bits[back >>> 5]! | (1 << (back & 31));
    return;
  }
  const shift = nonce - window.high;
  window.high = nonce;
  if (shift >= NONCE_WINDOW_BITS) bits.fill(0);
  else {
    const words = shift >>> 5;
    const rest = shift & 31;
    for (let i = WORDS - 1; i >= 0; i--) {
      const from = i - words;
      const low = from >= 0 ? bits[from]! : 0;
      const lower = from >= 1 ? bits[from - 1]! : 0;
      bits[i] = rest === 0 ? low : (low << rest) | (lower >>> (32 - rest));
    }
  }
  bits[0] = bits[0]! | 1;
}

export class Accounts {
  /** Accounts created; ids are 1 … count. */
  count = 0;
  private capacity: number;
  private owners: Uint8Array;
  private subaccounts: Uint8Array;
  /** q, signed. */
  cash: Float64Array;
  /** Head of the account's position list (ascending market), -1 none. */
  firstPosition: Int32Array;
  positionCount: Uint8Array;
  openOrders: Int32Array;
  /** Dead-man deadline, ms; 0 disarmed. */
  deadMan: Float64Array;
  /** Cancel-on-disconnect: grace period in ms plus 1; 0 off. */
  disconnectGrace: Float64Array;
  /** Session keys ever registered (ended ones count: their nonces are remembered). */
  sessionKeys: Uint8Array;
  /** Markets of this pool alone may be traded. */
  riskPool: Uint8Array;
  flags: Uint8Array;
  /** The one market of an isolated account, NOT_ISOLATED for others. */
  isolatedMarket: Uint16Array;
  readonly nonces: (NonceWindow | undefined)[] = [];
  /** Holdings besides quote cash, ascending by asset; undefined while there were none. */
  private readonly assets: (AssetRow[] | undefined)[] = [];

  constructor(capacity = 64) {
    this.capacity = capacity;
    this.owners = new Uint8Array(capacity * 20);
    this.subaccounts = new Uint8Array(capacity);
    this.cash = new Float64Array(capacity);
    this.firstPosition = new Int32Array(capacity).fill(-1);
    this.positionCount = new Uint8Array(capacity);
    this.openOrders = new Int32Array(capacity);
    this.deadMan = new Float64Array(capacity);
    this.disconnectGrace = new Float64Array(capacity);
    this.sessionKeys = new Uint8Array(capacity);
    this.riskPool = new Uint8Array(capacity);
    this.flags = new Uint8Array(capacity);
    this.isolatedMarket = new Uint16Array(capacity).fill(NOT_ISOLATED);
  }

  has(account: number): boolean {
    return account >= 1 && account <= this.count;
  }

  /** Creates the next account and returns its id. */
  create(owner: Uint8Array, subaccount: number): number {
    const id = ++this.count;
    if (id >= this.capacity) this.grow();
    this.owners.set(owner, id * 20);
    this.subaccounts[id] = subaccount;
    this.firstPosition[id] = -1;
    this.nonces[id] = newNonceWindow();
    return id;
  }

  /** 20 bytes, a view that must not be kept. */
  owner(account: number): Uint8Array {
    return this.owners.subarray(account * 20, account * 20 + 20);
  }
  subaccount(account: number): number {
    return this.subaccounts[account]!;
  }
  nonce(account: number): NonceWindow {
    return this.nonces[account]!;
  }

  /** Not to be changed by the reader; rows in ascending order of assets. */
  assetRows(account: number): readonly AssetRow[] {
    return this.assets[account] ?? NO_ROWS;
  }

  findAsset(account: number, asset: number): AssetRow | undefined {
    return this.assets[account]?.find((row) => row.asset === asset);
  }

  /** The row of an asset, created in its place when there is none. */
  ensureAsset(account: number, asset: number): AssetRow {
    this.assets[account] ??= [];
    const rows = this.assets[account];
    let place = 0;
    while (place < rows.length && rows[place]!.asset < asset) place++;
    const held = rows[place];
    if (held?.asset === asset) return held;
    const created: AssetRow = { asset, balance: 0, supplyShares: 0, debtShares: 0 };
    rows.splice(place, 0, created);
    return created;
  }

  /** Drops the row when nothing is left in it. */
  releaseAsset(account: number, asset: number): void {
    const rows = this.assets[account];
    const place = rows?.findIndex((row) => row.asset === asset) ?? -1;
    if (rows === undefined || place < 0) return;
    const { balance, supplyShares, debtShares } = rows[place]!;
    if (balance === 0 && supplyShares === 0 && debtShares === 0) rows.splice(place, 1);
  }

  isOwner(account: number, signers: Uint8Array, offset: number): boolean {
    const start = account * 20;
    for (let i = 0; i < 20; i++) if (this.owners[start + i] !== signers[offset + i]) return false;
    return true;
  }

  /** A copy that holds one account alone, as account 1, for questions of what would be. */
  alone(account: number): Accounts {
    const copy = new Accounts(2);
    copy.create(this.owner(account), this.subaccount(account));
    copy.cash[1] = this.cash[account]!;
    copy.firstPosition[1] = this.firstPosition[account]!;
    copy.positionCount[1] = this.positionCount[account]!;
    copy.openOrders[1] = this.openOrders[account]!;
    copy.deadMan[1] = this.deadMan[account]!;
    copy.disconnectGrace[1] = this.disconnectGrace[account]!;
    copy.sessionKeys[1] = this.sessionKeys[account]!;
    copy.riskPool[1] = this.riskPool[account]!;
    copy.flags[1] = this.flags[account]!;
    copy.isolatedMarket[1] = this.isolatedMarket[account]!;
    copy.assets[1] = this.assetRows(account).map((row) => ({ ...row }));
    return copy;
  }

  /** The kill switch is on: it may only reduce, and nothing leaves it. */
  isLocked(account: number): boolean {
    return (this.flags[account]! & LOCKED) !== 0;
  }

  /** Whether two accounts belong to the same owner. */
  haveSameOwner(one: number, other: number): boolean {
    return one === other || this.isOwner(one, this.owners, other * 20);
  }

  private grow(): void {
    this.capacity *= 2;
    const wider = <T extends Uint8Array | Uint16Array | Int32Array | Float64Array>(from: T, to: T): T => {
      to.set(from);
      return to;
    };
    const n = this.capacity;
    this.owners = wider(this.owners, new Uint8Array(n * 20));
    this.subaccounts = wider(this.subaccounts, new Uint8Array(n));
    this.cash = wider(this.cash, new Float64Array(n));
    this.firstPosition = wider(this.firstPosition, new Int32Array(n).fill(-1));
    this.positionCount = wider(this.positionCount, new Uint8Array(n));
    this.openOrders = wider(this.openOrders, new Int32Array(n));
    this.deadMan = wider(this.deadMan, new Float64Array(n));
    this.disconnectGrace = wider(this.disconnectGrace, new Float64Array(n));
    this.sessionKeys = wider(this.sessionKeys, new Uint8Array(n));
    this.riskPool = wider(this.riskPool, new Uint8Array(n));
    this.flags = wider(this.flags, new Uint8Array(n));
    this.isolatedMarket = wider(this.isolatedMarket, new Uint16Array(n).fill(NOT_ISOLATED));
  }
}
