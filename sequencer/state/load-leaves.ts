/**
 * Reads leaves (leaves.ts) back into an empty ExchangeState. Leaves come by ascending key, the ledger's first.
 * What the state derives (lists, indexes, caches) is rebuilt, and leaves that say the same thing twice are held
 * against each other; a leaf that does not fit throws with noun, expected and got.
 */

import { decodeAssetConfig } from '#protocol/asset.ts';
import { compareBytes, getU48be, getU64be, toHex, viewOf } from '#protocol/bytes.ts';
import { divDown } from '#protocol/fixed-point.ts';
import { MILLION, PUBLISHERS_MAX } from '#protocol/limits.ts';
import { CHAIN_PARAMETERS_BYTES, decodeChainParameters, decodeMarketConfig } from '#protocol/market.ts';
import type { Side } from '#protocol/units.ts';
import { LIQUIDATING, type NonceWindow } from './accounts.ts';
import type { ExchangeState } from './exchange-state.ts';
import { KeyKind, PRICES_PER_LEAF, priorityPrice } from './keys.ts';
import { LeafReader } from './leaf-bytes.ts';
import { ADDRESS_BYTES, NONCE_BITS_BYTES } from './leaves.ts';
import { Liquidation } from './liquidation-state.ts';

/** An order whose leaf was read and which waits for its side of the book to be complete. */
interface PendingOrder {
  readonly price: number;
  readonly slot: number;
}

export class LeafLoader {
  private readonly state: ExchangeState;
  private previous: Uint8Array | undefined;
  private accounts = 0;
  private markets = 0;
  private assets = 0;
  private pools = 0;
  /** Orders of one side of one market, in key order: best price first. */
  private pending: PendingOrder[] = [];
  private pendingMarket = 0;
  private pendingSide: Side = 0;
  /** Session keys that each account's leaf speaks of. */
  private readonly sessionKeys: number[] = [];
  private owners = 0;
  private expiries = 0;
  private levels = 0;
  private indexed = 0;
  private clientIndexed = 0;
  private totals = 0;

  /** `state` must be fresh; it may be used after `finish`. */
  constructor(state: ExchangeState) {
    this.state = state;
  }

  load(key: Uint8Array, value: Uint8Array): void {
    if (this.previous !== undefined && compareBytes(this.previous, key) >= 0)
      throw new Error(`leaf ${toHex(key)}: expected a key above ${toHex(this.previous)}`);
    this.previous = key;
    const kind = key[0]!;
    if (kind !== KeyKind.ORDER) this.placePending();
    const noun = NOUNS.get(kind);
    if (noun === undefined) throw new Error(`leaf ${toHex(key)}: expected a known kind, got ${kind}`);
    const reader = new LeafReader(noun, value);
    this.read(kind, viewOf(key), key, reader);
    reader.done();
  }

  /** Rebuilds what needs everything else and checks the totals. */
  finish(): ExchangeState {
    const { state } = this;
    this.placePending();
    expect('globals', 'accounts', this.accounts, state.accounts.count);
    expect('globals', 'markets', this.markets, state.markets.length);
    expect('globals', 'assets', this.assets, state.assets.length);
    expect('pool', 'entries', state.assets.length, this.pools);
    expect('owner', 'entries', state.accounts.count, this.owners);
    expect('withdrawn total', 'entries', state.withdrawnTotals.size, this.totals);
    expect('order index', 'entries', state.orders.count, this.indexed);
    this.checkLevels();
    this.checkAccounts();
    return state;
  }

  private read(kind: number, key: DataView, bytes: Uint8Array, reader: LeafReader): void {
    const { state } = this;
    switch (kind) {
      case KeyKind.GLOBALS:
        this.readGlobals(reader);
        break;
      case KeyKind.ACCOUNT:
        this.readAccount(key.getUint32(1), reader);
        break;
      case KeyKind.OWNER:
        expect('owner', toHex(bytes), state.accountOf(bytes.slice(1, 21), bytes[21]!), reader.u32());
        this.owners++;
        break;
      case KeyKind.MARKET_CONFIG:
        this.readMarketConfig(key.getUint16(1), reader);
        break;
      case KeyKind.MARKET_STATE:
        this.readMarketState(key.getUint16(1), reader);
        break;
      case KeyKind.PRICES:
        this.readPrices(key.getUint16(1), reader);
        break;
      case KeyKind.PUBLISHERS:
        this.readPublishers(reader);
        break;
      case KeyKind.ORACLE: {
        const market = this.market(key.getUint16(1));
        for (let i = 0; i < PUBLISHERS_MAX; i++) market.reportSequences[i] = reader.u64();
        market.twapFine = reader.u64();
        market.pendingIndex = reader.u32();
        expect('oracle', 'average in ticks', market.twap, divDown(market.twapFine, MILLION));
        break;
      }
      case KeyKind.WITHDRAWN:
        state.setWithdrawn(bytes.slice(1, 21), key.getUint16(21), reader.i128());
        break;
      case KeyKind.WITHDRAWN_TOTAL: {
        const asset = key.getUint16(1);
        const total = this.state.withdrawnTotals.get(asset) ?? 0n;
        const got = reader.i128();
        if (total !== got)
          throw new Error(`withdrawn total leaf, asset ${asset}: expected ${total}, got ${got}`);
        this.totals++;
        break;
      }
      case KeyKind.ASSET_CONFIG:
        this.readAssetConfig(key.getUint16(1), reader);
        break;
      case KeyKind.POOL:
        this.readPool(key.getUint16(1), reader);
        break;
      case KeyKind.FUND:
        state.funds.set(bytes[1]!, reader.i64());
        break;
      case KeyKind.MARKET_RISK:
        this.market(key.getUint16(1)).pacedUntil = reader.u48();
        break;
      case KeyKind.LIQUIDATION:
        this.readLiquidation(key.getUint32(1), reader);
        break;
      case KeyKind.QUEUE:
        state.queueNext = reader.u64();
        state.queueHash = reader.bytes(32);
        break;
      case KeyKind.COUNTERS:
        state.nextOrderId = reader.u64();
        state.nextTradeId = reader.u64();
        break;
      case KeyKind.ORDER:
        this.readOrder(key, reader);
        break;
      case KeyKind.LEVEL: {
        const side = bytes[3] as Side;
        const price = priorityPrice(side, key.getUint32(4));
        const level = this.market(key.getUint16(1)).book(side).find(price);
        expect('level', toHex(bytes), level < 0 ? 0 : state.levels.size(level), reader.u64());
        this.levels++;
        break;
      }
      case KeyKind.ORDER_INDEX:
        this.readOrderIndex(key, reader);
        break;
      case KeyKind.CLIENT_INDEX: {
        const slot = state.clientIds.find(key.getUint32(1), key.getUint16(5), getU64be(key, 7));
        expect('client index', toHex(bytes), slot < 0 ? 0 : state.orders.id(slot), reader.u64());
        this.clientIndexed++;
        break;
      }
      case KeyKind.SESSION_KEY: {
        const scope = reader.u8();
        const expiry = reader.u64();
        const account = key.getUint32(1);
        state.addSessionKey(account, { key: bytes.slice(5, 25), scope, expiry, nonces: readNonces(reader) });
        break;
      }
      case KeyKind.EXPIRY:
        state.expiries.push({ time: getU48be(key, 1), kind: bytes[7]!, id: getU64be(key, 8) });
        this.expiries++;
        break;
      default:
        // A trace holds registers between the steps of one command; a snapshot is taken between commands.
        throw new Error('register leaf: expected none between commands');
    }
  }

  private readGlobals(reader: LeafReader): void {
    const { state } = this;
    state.seq = reader.u64();
    state.now = reader.u48();
    state.engineVersion = reader.u32();
    this.accounts = reader.u32();
    this.markets = reader.u16();
    state.nextSampleTime = reader.u48();
    state.nextFundingTime = reader.u48();
    state.sampleCursor = reader.u16();
    state.fundingCursor = reader.u16();
    const chain = decodeChainParameters(reader.bytes(CHAIN_PARAMETERS_BYTES));
    if (chain === undefined) throw new Error('globals leaf: expected chain parameters within their bounds');
    state.chain = chain;
    state.nextAccrualTime = reader.u48();
    state.accrualCursor = reader.u16();
    this.assets = reader.u16();
  }

  private readAccount(account: number, reader: LeafReader): void {
    const { accounts, positions } = this.state;
    const owner = reader.bytes(ADDRESS_BYTES);
    expect('account', 'next id', account, this.state.createAccount(owner, reader.u8()));
    accounts.cash[account] = reader.i64();
    const nonces = readNonces(reader);
    const window = accounts.nonce(account);
    window.high = nonces.high;
    window.bits.set(nonces.bits);
    accounts.deadMan[account] = reader.u48();
    accounts.disconnectGrace[account] = reader.u48();
    accounts.openOrders[account] = reader.u32();
    this.sessionKeys[account] = reader.u16();
    const count = reader.u8();
    const rows = reader.u8();
    accounts.riskPool[account] = reader.u8();
    accounts.flags[account] = reader.u8();
    accounts.isolatedMarket[account] = reader.u16();
    for (const byte of reader.bytes(3)) expect('account', 'bytes 93 to 95', 0, byte);
    let last = -1;
    for (let i = 0; i < count; i++) {
      const slot = positions.allocate(account, reader.u16());
      positions.setSize(slot, reader.i64());
      positions.setV(slot, reader.i64());
      positions.fundingIndex[slot] = reader.i128();
      positions.setOpen(slot, {
        bidLots: reader.u64(),
        askLots: reader.u64(),
        bidQuote: reader.u64(),
        askQuote: reader.u64(),
        reduceOnlyLots: reader.u64(),
      });
      positions.setLeveragePpm(slot, reader.u32());
      if (last < 0) accounts.firstPosition[account] = slot;
      else positions.setNext(last, slot);
      last = slot;
    }
    accounts.positionCount[account] = count;
    for (let i = 0; i < rows; i++) {
      const row = accounts.ensureAsset(account, reader.u16());
      row.balance = reader.u64();
      row.supplyShares = reader.u64();
      row.debtShares = reader.u64();
    }
    expect('account', 'asset rows', rows, accounts.assetRows(account).length);
  }

  private readMarketConfig(market: number, reader: LeafReader): void {
    const config = decodeMarketConfig(reader.rest());
    if (config === undefined || config.market !== market)
      throw new Error(`market config leaf ${market}: expected a sound configuration of that market`);
    this.state.configureMarket(config);
  }

  private readMarketState(id: number, reader: LeafReader): void {
    const market = this.market(id);
    market.halted = reader.u8() === 1;
    market.openInterest = reader.u64();
    market.fees = reader.i64();
    market.fundingBalance = reader.i64();
    market.fundingTick = reader.u32();
    market.premiumSum = reader.i64();
    market.premiumCount = reader.u32();
    market.lastPrice = reader.u32();
    market.sampleTime = reader.u48();
    market.sampleBid = reader.u32();
    market.sampleAsk = reader.u32();
    market.sampleLast = reader.u32();
    market.basisEma = reader.i128();
    market.bookEma = reader.i128();
  }

  private readPrices(group: number, reader: LeafReader): void {
    for (let row = 0; row < PRICES_PER_LEAF; row++) {
      const index = reader.u32();
      const mark = reader.u32();
      const indexTime = reader.u48();
      const confidence = reader.u32();
      const fundingIndex = reader.i128();
      const twap = reader.u32();
      const openInterestPpm = reader.u32();
      const depth = reader.u32();
      const validity = reader.u8();
      expect('prices', `last byte of row ${row}`, 0, reader.u8());
      const market = this.state.market(group * PRICES_PER_LEAF + row);
      if (market !== undefined) {
        market.index = index;
        market.mark = mark;
        market.indexTime = indexTime;
        market.confidence = confidence;
        market.fundingIndex = fundingIndex;
        market.twap = twap;
        market.openInterestPpm = openInterestPpm;
        market.depth = depth;
        market.validity = validity;
      } else if (
        index + mark + indexTime + confidence + twap + openInterestPpm + depth + validity !== 0 ||
        fundingIndex !== 0n
      )
        throw new Error(`prices leaf ${group}: expected zeros in row ${row}, which has no market`);
    }
  }

  private readAssetConfig(asset: number, reader: LeafReader): void {
    const config = decodeAssetConfig(reader.rest());
    if (config === undefined || config.asset !== asset)
      throw new Error(`asset config leaf ${asset}: expected a sound configuration of that asset`);
    this.state.configureAsset(config);
  }

  private readPool(asset: number, reader: LeafReader): void {
    const held = this.state.assets[asset];
    if (held === undefined) throw new Error(`pool leaf ${asset}: expected the asset to be configured`);
    held.supplyIndex = reader.i128();
    held.borrowIndex = reader.i128();
    held.supplyShares = reader.u64();
    held.debtShares = reader.u64();
    held.cash = reader.u64();
    held.reserve = reader.u64();
    held.accrued = reader.u48();
    held.ratePpm = reader.u32();
    held.collateral = reader.u64();
    this.pools++;
  }

  private readLiquidation(account: number, reader: LeafReader): void {
    const { accounts, liquidations } = this.state;
    const phase = reader.u8();
    const phaseBegan = reader.u48();
    const held = new Liquidation(reader.u48());
    held.phase = phase;
    held.phaseBegan = phaseBegan;
    held.market = reader.u16();
    held.sliceTime = reader.u48();
    for (const byte of reader.bytes(16)) expect('liquidation', 'bytes 21 to 36', 0, byte);
    expect('liquidation', `flag of account ${account}`, LIQUIDATING, accounts.flags[account]! & LIQUIDATING);
    liquidations.set(account, held);
  }

  private readPublishers(reader: LeafReader): void {
    for (let i = 0; i < PUBLISHERS_MAX; i++) {
      const address = reader.bytes(ADDRESS_BYTES);
      const weight = reader.u32();
      const isHole = weight === 0 && address.every((byte) => byte === 0);
      this.state.publishers[i] = isHole ? undefined : { address, weight };
    }
  }

  private readOrder(key: DataView, reader: LeafReader): void {
    const { orders, clientIds } = this.state;
    const market = key.getUint16(1);
    const side = key.getUint8(3) as Side;
    const price = priorityPrice(side, key.getUint32(4));
    const slot = orders.allocate(reader.u64());
    orders.setPriority(slot, getU64be(key, 8));
    orders.setPrice(slot, price);
    orders.setAccount(slot, reader.u32());
    orders.setSize(slot, reader.u64());
    orders.setClientId(slot, reader.u64());
    orders.setExpiry(slot, reader.u48());
    orders.setMarketAndFlags(slot, market, reader.u8());
    expect('order', 'side', side, orders.side(slot));
    if (orders.clientId(slot) !== 0) clientIds.add(slot);
    if (market !== this.pendingMarket || side !== this.pendingSide) this.placePending();
    this.pendingMarket = market;
    this.pendingSide = side;
    this.pending.push({ price, slot });
  }

  /** Appends the waiting side from the worst level to the best, so that no level is inserted before others. */
  private placePending(): void {
    const { pending } = this;
    if (pending.length === 0) return;
    const book = this.market(this.pendingMarket).book(this.pendingSide);
    let end = pending.length;
    while (end > 0) {
      let start = end - 1;
      while (start > 0 && pending[start - 1]!.price === pending[start]!.price) start--;
      for (let i = start; i < end; i++) book.append(pending[i]!.slot);
      end = start;
    }
    this.pending = [];
  }

  /** Index leaves come by account, market and order id: the order of an account's own lists. */
  private readOrderIndex(key: DataView, reader: LeafReader): void {
    const { state } = this;
    const { orders, positions } = state;
    const account = key.getUint32(1);
    const market = key.getUint16(5);
    const id = getU64be(key, 7);
    const slot = orders.find(id);
    if (slot < 0) throw new Error(`order index leaf: expected a resting order, got id ${id}`);
    expect('order index', `account of order ${id}`, orders.account(slot), account);
    expect('order index', `market of order ${id}`, orders.market(slot), market);
    expect('order index', `side of order ${id}`, orders.side(slot), reader.u8());
    expect('order index', `price of order ${id}`, orders.price(slot), reader.u32());
    expect('order index', `priority of order ${id}`, orders.priority(slot), reader.u64());
    const position = state.findPosition(account, market);
    if (position < 0) throw new Error(`order index leaf: expected a position record for order ${id}`);
    const tail = positions.ownTail(position);
    orders.setOwnPrev(slot, tail);
    orders.setOwnNext(slot, -1);
    if (tail < 0) positions.setOwnHead(position, slot);
    else orders.setOwnNext(tail, slot);
    positions.setOwnTail(position, slot);
    this.indexed++;
  }

  private checkLevels(): void {
    let held = 0;
    for (const market of this.state.markets)
      if (market !== undefined) held += market.bids.depth + market.asks.depth;
    expect('level', 'levels', held, this.levels);
  }

  private checkAccounts(): void {
    const { state } = this;
    const { accounts, positions, orders } = state;
    let withClientId = 0;
    let due = 0;
    let liquidating = 0;
    for (let account = 1; account <= accounts.count; account++) {
      let open = 0;
      if (accounts.deadMan[account] !== 0) due++;
      if ((accounts.flags[account]! & LIQUIDATING) !== 0) liquidating++;
      for (let slot = accounts.firstPosition[account]!; slot >= 0; slot = positions.next(slot)) {
        const market = this.market(positions.market(slot));
        const settled = positions.fundingIndex[slot] === market.fundingIndex;
        positions.setFundingTick(slot, settled ? market.fundingTick : -1);
        for (let order = positions.ownHead(slot); order >= 0; order = orders.ownNext(order)) {
          open++;
          if (orders.clientId(order) !== 0) withClientId++;
          if (orders.expiry(order) !== 0) due++;
        }
      }
      expect('account', `open orders of ${account}`, open, accounts.openOrders[account]!);
      expect(
        'account',
        `session keys of ${account}`,
        this.sessionKeys[account]!,
        accounts.sessionKeys[account]!,
      );
    }
    expect('client index', 'entries', withClientId, this.clientIndexed);
    expect('expiry', 'entries', due, this.expiries);
    expect('liquidation', 'entries', liquidating, state.liquidations.size);
  }

  private market(id: number) {
    const market = this.state.market(id);
    if (market === undefined)
      throw new Error(`market ${id}: expected a configuration leaf before its others`);
    return market;
  }
}

function readNonces(reader: LeafReader): NonceWindow {
  const high = reader.u64();
  const bytes = reader.bytes(NONCE_BITS_BYTES);
  const view = viewOf(bytes);
  const bits = new Uint32Array(NONCE_BITS_BYTES / 4);
  for (let i = 0; i < bits.length; i++) bits[i] = view.getUint32(NONCE_BITS_BYTES - 4 - 4 * i);
  return { high, bits };
}

function expect(noun: string, field: string, expected: number, got: number): void {
  if (expected !== got) throw new Error(`${noun} leaf, ${field}: expected ${expected}, got ${got}`);
}

const NOUNS = new Map<number, string>(
  Object.entries(KeyKind).map(([name, kind]) => [kind, name.toLowerCase().replaceAll('_', ' ')]),
);
