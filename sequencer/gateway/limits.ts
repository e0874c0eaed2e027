/** Quotas of the gateway: published in HELLO, counted by token buckets, so that no sender can hurt another. */
import { CLIENT_PACKET_BYTES_MAX } from '#protocol/limits.ts';
import type { Quotas } from '#protocol/wire.ts';

export const DEFAULT_QUOTAS: Quotas = {
  framesPerSecond: 5_000,
  framesBurst: 10_000,
  bytesPerSecond: 8_000_000,
  operationsPerSecondPerAccount: 50_000,
  operationsBurstPerAccount: 100_000,
  packetBytesMax: CLIENT_PACKET_BYTES_MAX,
  subscriptionsPerConnection: 256,
  connectionsPerAddress: 256,
  failuresPerMinute: 120,
  inboxFrames: 512,
  idleTimeoutSeconds: 60,
  backpressureBytesMax: 262_144,
};

/** Frames refused for their rate, in multiples of the burst, after which the connection is closed. */
export const FLOOD_BURSTS = 4;
/** Frames of all connections that wait for their turn. */
export const WAITING_FRAMES_MAX = 65_536;
/** Connections of all addresses. */
export const CONNECTIONS_MAX = 16_384;
/** Queries in flight of one connection, and of all. */
export const QUERIES_PER_CONNECTION_MAX = 8;
export const QUERIES_MAX = 256;
/** Answers to queries and snapshots that one connection has asked for and not read. */
export const BULK_BYTES_MAX = 16_777_216;

/** Refills steadily up to `burst`; a clock that steps back gives nothing and takes nothing. */
export class TokenBucket {
  private tokens: number;
  private last: number;
  private readonly perMs: number;
  private readonly burst: number;

  constructor(rate: { perSecond: number; burst: number }, nowMs: number) {
    this.perMs = rate.perSecond / 1_000;
    this.burst = rate.burst;
    this.tokens = rate.burst;
    this.last = nowMs;
  }

  /** Takes `count` tokens when there are so many; a count above the burst is taken from a full bucket. */
  take(count: number, nowMs: number): boolean {
    this.refill(nowMs);
    if (this.tokens < Math.min(count, this.burst)) return false;
    this.tokens -= count;
    return true;
  }

  /** Nothing was taken for so long that it is as good as new. */
  isFull(nowMs: number): boolean {
    this.refill(nowMs);
    return this.tokens >= this.burst;
  }

  isEmpty(nowMs: number): boolean {
    this.refill(nowMs);
    return this.tokens < 1;
  }

  private refill(nowMs: number): void {
    if (nowMs > this.last) this.tokens = Math.min(this.burst, this.tokens + (nowMs - this.last) * this.perMs);
    this.last = nowMs;
  }
}

interface AddressRecord {
  connections: number;
  readonly failures: TokenBucket;
}

/** Connections and failures per network address (an IPv6 address counts by its /64). */
export class AddressBook {
  private readonly records = new Map<string, AddressRecord>();
  private readonly quotas: Quotas;

  constructor(quotas: Quotas) {
    this.quotas = quotas;
  }

  /** Counts a connection in; each needs a later `close`. Says why it should be turned away. */
  open(address: string, nowMs: number): 'ok' | 'too-many-connections' | 'too-many-failures' {
    const record = this.record(address, nowMs);
    record.connections++;
    if (record.failures.isEmpty(nowMs)) return 'too-many-failures';
    return record.connections > this.quotas.connectionsPerAddress ? 'too-many-connections' : 'ok';
  }

  close(address: string): void {
    const record = this.records.get(address);
    if (record !== undefined) record.connections--;
  }

  /** Counts a bad signature or malformed frame; false when the address has used up its budget. */
  fail(address: string, nowMs: number): boolean {
    return this.record(address, nowMs).failures.take(1, nowMs);
  }

  /** Forgets addresses without connections and fresh failures. */
  prune(nowMs: number): void {
    for (const [address, record] of this.records)
      if (record.connections === 0 && record.failures.isFull(nowMs)) this.records.delete(address);
  }

  get size(): number {
    return this.records.size;
  }

  private record(address: string, nowMs: number): AddressRecord {
    let record = this.records.get(address);
    if (record === undefined) {
      const burst = this.quotas.failuresPerMinute;
      record = { connections: 0, failures: new TokenBucket({ perSecond: burst / 60, burst }, nowMs) };
      this.records.set(address, record);
    }
    return record;
  }
}

/** Operations per account over all of its connections. */
export class AccountRates {
  private readonly buckets = new Map<number, TokenBucket>();
  private readonly quotas: Quotas;

  constructor(quotas: Quotas) {
    this.quotas = quotas;
  }

  take(account: number, operations: number, nowMs: number): boolean {
    let bucket = this.buckets.get(account);
    if (bucket === undefined) {
      const { operationsPerSecondPerAccount: perSecond, operationsBurstPerAccount: burst } = this.quotas;
      bucket = new TokenBucket({ perSecond, burst }, nowMs);
      this.buckets.set(account, bucket);
    }
    return bucket.take(operations, nowMs);
  }

  prune(nowMs: number): void {
    for (const [account, bucket] of this.buckets) if (bucket.isFull(nowMs)) this.buckets.delete(account);
  }

  get size(): number {
    return this.buckets.size;
  }
}

/** Key of an address as uWebSockets.js gives it: 4 bytes, or 16 of which the first 8 count. */
export function addressKey(bytes: Uint8Array): string {
  const isMapped =
    bytes.length === 16 && bytes.subarray(0, 10).every((byte) => byte === 0) && bytes[10] === 0xff;
  const significant = bytes.length === 16 ? (isMapped ? bytes.subarray(12) : bytes.subarray(0, 8)) : bytes;
  return Buffer.from(significant).toString('hex');
}
