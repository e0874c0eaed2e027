/**
 * The price relay: collects signed reports of the publishers, keeps the freshest of each per market, and makes a
 * round of them when enough weight has something new. It decides when, never what: the reports go in as signed,
 * and the state machine judges them again.
 */

import type { CommandSource, OwnCommand, Scheduler } from '#pipeline/ports.ts';
import { compareBytes, concat, viewOf } from '#protocol/bytes.ts';
import { PRICE_ROUND } from '#protocol/command.ts';
import { PRICE_REPORT_BYTES } from '#protocol/limits.ts';
import { decodeReport, encodePriceRound, type PriceReport } from '#protocol/price-report.ts';
import { Reject, type RejectCode } from '#protocol/reject.ts';
import type { Address, MarketId, TimeMs } from '#protocol/units.ts';

/** What the relay has to know of the state. */
export interface OracleFacts {
  hasMarket(market: MarketId): boolean;
  /** By index in the publisher set; weight 0: none. */
  readonly publishers: readonly ({ readonly address: Address; readonly weight: number } | undefined)[];
  /** Highest sequence of the publisher that a round has used. */
  usedSequence(market: MarketId, publisher: number): number;
  readonly stalenessMs: number;
  readonly futureMs: number;
}

export interface PriceRelayOptions {
  readonly facts: OracleFacts;
  readonly scheduler: Scheduler;
  readonly now: () => TimeMs;
  readonly wake: () => void;
  /** How long the others are waited for once one has reported; default 50. */
  readonly collectMs?: number;
  /** Least time between two rounds of a market; default 50. */
  readonly roundMs?: number;
}

interface Held {
  readonly report: PriceReport;
  readonly signer: Address;
}

interface MarketReports {
  readonly market: MarketId;
  /** By publisher; what no round has used yet. */
  readonly held: (Held | undefined)[];
  /** When the first of them came; Infinity when none is held. */
  since: TimeMs;
  lastRound: TimeMs;
}

export class PriceRelay implements CommandSource {
  readonly totals = { reports: 0, refused: 0, rounds: 0, roundsRefused: 0 };
  private readonly options: PriceRelayOptions;
  private readonly collectMs: number;
  private readonly roundMs: number;
  private readonly markets = new Map<MarketId, MarketReports>();
  private cancelAlarm: (() => void) | undefined;

  constructor(options: PriceRelayOptions) {
    this.options = options;
    this.collectMs = options.collectMs ?? 50;
    this.roundMs = options.roundMs ?? 50;
  }

  /** `bytes`: one report (price-report.ts) signed by `signer`; copied. 0 when kept, else why it is of no use. */
  submit(market: MarketId, bytes: Uint8Array, signer: Address): RejectCode {
    const code = this.keep(market, bytes, signer);
    if (code === Reject.NONE) this.totals.reports++;
    else this.totals.refused++;
    return code;
  }

  take(now: TimeMs): OwnCommand | undefined {
    let next = Number.POSITIVE_INFINITY;
    for (const reports of this.markets.values()) {
      const ready = this.readyAt(reports, now);
      if (ready <= now) return this.round(reports, now);
      next = Math.min(next, ready);
    }
    if (next !== Number.POSITIVE_INFINITY) this.arm(next - now);
    return undefined;
  }

  settled(code: RejectCode): void {
    if (code === Reject.NONE) this.totals.rounds++;
    else this.totals.roundsRefused++;
  }

  stop(): void {
    this.cancelAlarm?.();
  }

  private keep(market: MarketId, bytes: Uint8Array, signer: Address): RejectCode {
    const { facts, now, wake } = this.options;
    if (bytes.length !== PRICE_REPORT_BYTES) return Reject.MALFORMED_MESSAGE;
    if (!facts.hasMarket(market)) return Reject.UNKNOWN_MARKET;
    const report = decodeReport(viewOf(bytes), 0, market);
    const { publisher, time } = report;
    const known = facts.publishers[publisher];
    if (known === undefined || known.weight === 0) return Reject.UNKNOWN_PUBLISHER;
    if (compareBytes(known.address, signer) !== 0) return Reject.BAD_SIGNATURE;
    if (report.price < 1) return Reject.PRICE_OUT_OF_RANGE;
    const at = now();
    if (time < at - facts.stalenessMs) return Reject.REPORT_STALE;
    if (time > at + facts.futureMs) return Reject.REPORT_FROM_FUTURE;
    const reports = this.reportsOf(market);
    const newest = reports.held[publisher]?.report.sequence ?? facts.usedSequence(market, publisher);
    if (!Number.isSafeInteger(report.sequence) || report.sequence <= newest)
      return Reject.REPORT_OUT_OF_ORDER;
    reports.held[publisher] = { report, signer: signer.slice() };
    reports.since = Math.min(reports.since, at);
    wake();
    return Reject.NONE;
  }

  /** When the market's reports make a round; Infinity while they don't. */
  private readyAt(reports: MarketReports, now: TimeMs): TimeMs {
    if (reports.since === Number.POSITIVE_INFINITY) return Number.POSITIVE_INFINITY;
    const { facts } = this.options;
    let weight = 0;
    let total = 0;
    facts.publishers.forEach((publisher, index) => {
      total += publisher?.weight ?? 0;
      if (this.counts(reports.held[index], now)) weight += publisher?.weight ?? 0;
    });
    if (total === 0 || 3 * weight < 2 * total) return Number.POSITIVE_INFINITY;
    const collected = weight === total ? now : reports.since + this.collectMs;
    return Math.max(collected, reports.lastRound + this.roundMs);
  }

  private counts(held: Held | undefined, now: TimeMs): held is Held {
    return held !== undefined && held.report.time >= now - this.options.facts.stalenessMs;
  }

  /** Publishers ascending, their signers beside them. */
  private round(reports: MarketReports, now: TimeMs): OwnCommand {
    const used = reports.held.filter((held) => this.counts(held, now)) as Held[];
    reports.held.length = 0;
    reports.since = Number.POSITIVE_INFINITY;
    reports.lastRound = now;
    return {
      kind: PRICE_ROUND,
      body: encodePriceRound(
        reports.market,
        used.map((held) => held.report),
      ),
      signers: concat(...used.map((held) => held.signer)),
    };
  }

  private reportsOf(market: MarketId): MarketReports {
    let reports = this.markets.get(market);
    if (reports === undefined) {
      reports = { market, held: [], since: Number.POSITIVE_INFINITY, lastRound: 0 };
      this.markets.set(market, reports);
    }
    return reports;
  }

  private arm(ms: number): void {
    this.cancelAlarm?.();
    this.cancelAlarm = this.options.scheduler.after(Math.max(1, ms), () => {
      this.cancelAlarm = undefined;
      this.options.wake();
    });
  }
}
