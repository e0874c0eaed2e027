/**
 * EIP-712: what wallets, session keys, publishers and the sequencer sign. Domain: name "Sluice", version "1",
 * chain id, Rollup address. One readable type per operation (scheme 1); a bundle signs its packed bytes
 * (scheme 2). Signatures are 65 bytes r ‖ s ‖ v, s in the lower half of the order (EIP-2), v 27 or 28.
 */
import { concat, getU64, setU64be, setU128be, viewOf } from './bytes.ts';
import type { Keccak } from './hash.ts';
import { MESSAGE_HEADER_BYTES } from './limits.ts';
import {
  messageAccount,
  messageNonce,
  messageOperationBytes,
  messageValidUntil,
  SCHEME_SINGLE,
} from './message.ts';
import * as op from './operation.ts';

const ascii = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0));

export interface Domain {
  readonly chainId: number;
  /** 20 bytes: the Rollup contract. */
  readonly verifyingContract: Uint8Array;
}

export const DOMAIN_TYPE =
  'EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)';

const ENVELOPE = 'uint32 account,uint64 nonce,uint64 validUntil';
export const ORDER_TYPE = `Order(${ENVELOPE},uint16 market,bool isSell,uint32 price,uint64 size,uint8 timeInForce,bool postOnly,bool reduceOnly,bool marketOrder,uint8 selfTradePrevention,uint64 clientId,uint64 expiry)`;
export const CANCEL_TYPE = `Cancel(${ENVELOPE},uint16 market,bool byClientId,uint64 id)`;
export const CANCEL_ALL_TYPE = `CancelAll(${ENVELOPE},uint16 market,bool everyMarket)`;
export const AMEND_TYPE = `Amend(${ENVELOPE},uint16 market,bool byClientId,uint64 id,uint32 price,uint64 size)`;
export const WITHDRAW_TYPE = `Withdraw(${ENVELOPE},uint16 asset,uint64 amount)`;
export const TRANSFER_TYPE = `Transfer(${ENVELOPE},uint16 asset,uint32 toAccount,uint64 amount)`;
export const SESSION_KEY_TYPE = `SessionKey(${ENVELOPE},address key,uint8 scope,uint64 expiry)`;
export const CANCEL_AFTER_TYPE = `CancelAfter(${ENVELOPE},uint64 deadline)`;
export const CANCEL_ON_DISCONNECT_TYPE = `CancelOnDisconnect(${ENVELOPE},bool enabled,uint32 graceMs)`;
export const SET_LEVERAGE_TYPE = `SetLeverage(${ENVELOPE},uint16 market,uint32 initialPpm)`;
export const ISOLATE_TYPE = `Isolate(${ENVELOPE},uint8 subaccount,uint16 market,uint32 riskPool)`;
export const LOCK_TYPE = `Lock(${ENVELOPE},bool locked)`;
export const BUNDLE_TYPE = `Operations(${ENVELOPE},bytes operations)`;
export const LOGIN_TYPE = 'Login(uint32 account,uint64 time)';
export const PRICE_REPORT_TYPE =
  'PriceReport(uint16 market,uint8 publisher,uint64 time,uint64 sequence,uint32 price,uint32 confidence)';

/** By operation kind byte. */
export const OPERATION_TYPES: readonly string[] = [
  '',
  ORDER_TYPE,
  CANCEL_TYPE,
  CANCEL_ALL_TYPE,
  AMEND_TYPE,
  WITHDRAW_TYPE,
  TRANSFER_TYPE,
  SESSION_KEY_TYPE,
  CANCEL_AFTER_TYPE,
  CANCEL_ON_DISCONNECT_TYPE,
  '',
  SET_LEVERAGE_TYPE,
  ISOLATE_TYPE,
  '',
  LOCK_TYPE,
];

/** Writes 32-byte words, big-endian, as abi.encode does. */
class Words {
  readonly bytes: Uint8Array;
  private readonly view: DataView;
  private at = 0;
  constructor(count: number) {
    this.bytes = new Uint8Array(32 * count);
    this.view = viewOf(this.bytes);
  }
  hash(value: Uint8Array): this {
    this.bytes.set(value, this.at);
    this.at += 32;
    return this;
  }
  address(value: Uint8Array): this {
    this.bytes.set(value, this.at + 12);
    this.at += 32;
    return this;
  }
  uint(value: number): this {
    setU64be(this.view, this.at + 24, value);
    this.at += 32;
    return this;
  }
  u128(value: bigint): this {
    setU128be(this.view, this.at + 16, value);
    this.at += 32;
    return this;
  }
  bit(value: number): this {
    this.bytes[this.at + 31] = value === 0 ? 0 : 1;
    this.at += 32;
    return this;
  }
}

export { Words as AbiWords };

export function domainSeparator(domain: Domain, keccak: Keccak): Uint8Array {
  return keccak(
    new Words(5)
      .hash(keccak(ascii(DOMAIN_TYPE)))
      .hash(keccak(ascii('Sluice')))
      .hash(keccak(ascii('1')))
      .uint(domain.chainId)
      .address(domain.verifyingContract).bytes,
  );
}

export const typeHash = (type: string, keccak: Keccak): Uint8Array => keccak(ascii(type));

/** Digests of everything that is signed under one domain; type hashes are computed once. */
export class SigningDomain {
  readonly separator: Uint8Array;
  private readonly keccak: Keccak;
  private readonly operationTypeHashes: readonly Uint8Array[];
  private readonly bundleTypeHash: Uint8Array;
  private readonly loginTypeHash: Uint8Array;
  private readonly reportTypeHash: Uint8Array;

  constructor(domain: Domain, keccak: Keccak) {
    this.keccak = keccak;
    this.separator = domainSeparator(domain, keccak);
    this.operationTypeHashes = OPERATION_TYPES.map((type) => typeHash(type, keccak));
    this.bundleTypeHash = typeHash(BUNDLE_TYPE, keccak);
    this.loginTypeHash = typeHash(LOGIN_TYPE, keccak);
    this.reportTypeHash = typeHash(PRICE_REPORT_TYPE, keccak);
  }

  /** keccak256(0x1901 ‖ separator ‖ structHash). */
  digest(structHash: Uint8Array): Uint8Array {
    return this.keccak(concat(Uint8Array.of(0x19, 0x01), this.separator, structHash));
  }

  /** Digest of a well-formed message (`checkMessage` is 0) at `offset`; the signature is not read. */
  message(bytes: Uint8Array, offset = 0): Uint8Array {
    const view = viewOf(bytes);
    const scheme = view.getUint8(offset);
    return this.digest(
      scheme === SCHEME_SINGLE ? this.singleHash(bytes, view, offset) : this.bundleHash(bytes, view, offset),
    );
  }

  login(account: number, time: number): Uint8Array {
    return this.digest(this.keccak(new Words(3).hash(this.loginTypeHash).uint(account).uint(time).bytes));
  }

  report(report: {
    market: number;
    publisher: number;
    time: number;
    sequence: number;
    price: number;
    confidence: number;
  }): Uint8Array {
    return this.digest(
      this.keccak(
        new Words(7)
          .hash(this.reportTypeHash)
          .uint(report.market)
          .uint(report.publisher)
          .uint(report.time)
          .uint(report.sequence)
          .uint(report.price)
          .uint(report.confidence).bytes,
      ),
    );
  }

  private bundleHash(bytes: Uint8Array, view: DataView, offset: number): Uint8Array {
    const start = offset + MESSAGE_HEADER_BYTES;
    const operations = bytes.subarray(start, start + messageOperationBytes(view, offset));
    return this.keccak(
      envelope(new Words(5), this.bundleTypeHash, view, offset).hash(this.keccak(operations)).bytes,
    );
  }

  private singleHash(bytes: Uint8Array, view: DataView, offset: number): Uint8Array {
    const at = offset + MESSAGE_HEADER_BYTES;
    const kind = view.getUint8(at);
    const second = view.getUint8(at + 1);
    const market = view.getUint16(at + 2, true);
    const typeHash = this.operationTypeHashes[kind]!;
    const begin = (count: number): Words => envelope(new Words(4 + count), typeHash, view, offset);
    let words: Words;
    switch (kind) {
      case op.PLACE:
        words = begin(11)
          .uint(market)
          .bit(second & 1)
          .uint(view.getUint32(at + 4, true))
          .uint(getU64(view, at + 8))
          .uint(op.timeInForceOfFlags(second))
          .bit(second & op.POST_ONLY_BIT)
          .bit(second & op.REDUCE_ONLY_BIT)
          .bit(second & op.MARKET_ORDER_BIT)
          .uint(op.stpOfFlags(second))
          .uint(getU64(view, at + 16))
          .uint(getU64(view, at + 24));
        break;
      case op.CANCEL:
        words = begin(3)
          .uint(market)
          .bit(second)
          .uint(getU64(view, at + 8));
        break;
      case op.CANCEL_ALL:
        words = begin(2).uint(market).bit(second);
        break;
      case op.AMEND:
        words = begin(5)
          .uint(market)
          .bit(second)
          .uint(getU64(view, at + 16))
          .uint(view.getUint32(at + 4, true))
          .uint(getU64(view, at + 8));
        break;
      case op.WITHDRAW:
        words = begin(2)
          .uint(market)
          .uint(getU64(view, at + 8));
        break;
      case op.TRANSFER:
        words = begin(3)
          .uint(market)
          .uint(view.getUint32(at + 4, true))
          .uint(getU64(view, at + 8));
        break;
      case op.SESSION_KEY:
        words = begin(3)
          .address(bytes.subarray(at + 4, at + 24))
          .uint(second)
          .uint(getU64(view, at + 24));
        break;
      case op.CANCEL_AFTER:
        words = begin(1).uint(getU64(view, at + 8));
        break;
      case op.CANCEL_ON_DISCONNECT:
        words = begin(2)
          .bit(second)
          .uint(view.getUint32(at + 4, true));
        break;
      case op.SET_LEVERAGE:
        words = begin(2)
          .uint(market)
          .uint(view.getUint32(at + 4, true));
        break;
      case op.ISOLATE:
        words = begin(3)
          .uint(second)
          .uint(market)
          .uint(view.getUint32(at + 4, true));
        break;
      case op.LOCK:
        words = begin(1).bit(second);
        break;
      default:
        throw new Error(`signing: expected a known kind of operation, got ${kind}`);
    }
    return this.keccak(words.bytes);
  }
}

function envelope(words: Words, typeHash: Uint8Array, view: DataView, offset: number): Words {
  return words
    .hash(typeHash)
    .uint(messageAccount(view, offset))
    .uint(messageNonce(view, offset))
    .uint(messageValidUntil(view, offset));
}
