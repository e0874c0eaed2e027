/** Other rules for time, ticks, prices and funding. */
import type { Rule } from './rules.ts';

const TICKS = 'handlers/ticks';
const ROUND = 'handlers/price-round';
const ORACLE = 'pricing/oracle-price';
const MARK = 'pricing/mark-price';
const FUNDING = 'pricing/funding';
const GUARD = 'pricing/deviation';
const VALIDITY = 'pricing/validity';
const DEPTH = 'pricing/depth';

export const TIME_RULES: readonly Rule[] = [
  [
    'clock: late by 400 ms',
    'ticks',
    ['core', 'this.state.now = this.time;', 'this.state.now = this.time + 400;'],
    ['engine', 'command.recordTime(view) < now', 'command.recordTime(view) + 400 < now'],
  ],
  [
    'clock: stands still',
    'trade',
    ['core', 'this.state.now = this.time;', 'if (this.state.seq % 2 === 0) this.state.now = this.time;'],
  ],
  ['clock: seqs are left out', 'trade', ['core', 'this.state.seq++;', 'this.state.seq += 2;']],
  [
    'expire: left out',
    'ticks',
    [TICKS, 'while (state.expiries.nextTime() <= time) {', 'while (state.expiries.nextTime() < 0) {'],
  ],
  [
    'expire: too early',
    'ticks',
    [
      TICKS,
      'while (state.expiries.nextTime() <= time) {',
      'while (state.expiries.nextTime() <= time + 60_000) {',
    ],
    [TICKS, 'due.time > time) break;', 'due.time > time + 60_000) break;'],
  ],
  [
    'expire: an order is forgotten but not canceled',
    'ticks',
    [TICKS, 'cancelResting(core, state.orders.find(due.id), RemoveReason.EXPIRED);\n    return;', 'return;'],
  ],
  [
    'expire: another order goes',
    'ticks',
    [TICKS, 'state.orders.find(due.id), RemoveReason', 'state.orders.find(due.id - 1), RemoveReason'],
  ],
  [
    'expire: a dead-man switch falls and cancels nothing',
    'ticks',
    [
      TICKS,
      'openWalk(core, { account: due.id, market: -1, reason: RemoveReason.DEAD_MAN, ofMessage: false });\n  runWalk(core);',
      '',
    ],
  ],
  ['expire: a dead-man switch stays armed', 'ticks', [TICKS, 'state.accounts.deadMan[due.id] = 0;', '']],
  [
    'expire: a dead-man switch cancels for another account',
    'ticks',
    [TICKS, 'openWalk(core, { account: due.id, market', 'openWalk(core, { account: 1, market'],
  ],
  [
    'sample: left out',
    'ticks',
    [TICKS, 'state.nextSampleTime !== 0 && state.nextSampleTime <= time', 'state.nextSampleTime < 0'],
  ],
  [
    'sample: of one market left out',
    'ticks',
    [TICKS, 'for (let id = 0; id < markets; id++) sample', 'for (let id = 1; id < markets; id++) sample'],
  ],
  [
    'sample: too early',
    'ticks',
    [TICKS, 'state.nextSampleTime <= time)', 'state.nextSampleTime <= time + 3_000)'],
  ],
  [
    'sample: the next one too late',
    'ticks',
    [
      TICKS,
      'state.nextSampleTime = nextAligned(state.now, chain.sampleIntervalMs);',
      'state.nextSampleTime = nextAligned(state.now, 2 * chain.sampleIntervalMs);',
    ],
  ],
  [
    'sample: another best bid',
    'ticks',
    [TICKS, 'market.sampleBid = market.bids.bestPrice();', 'market.sampleBid = market.bids.bestPrice() + 1;'],
  ],
  [
    'sample: bids and asks swapped',
    'ticks',
    [
      TICKS,
      'impactFill(market.bids, levels, target, qm),\n      impactFill(market.asks, levels, target, qm),',
      'impactFill(market.asks, levels, target, qm),\n      impactFill(market.bids, levels, target, qm),',
    ],
  ],
  [
    'sample: a premium of the top of the book alone',
    'ticks',
    [
      TICKS,
      'const target = impactNotional(market.tiers[0]!.initialPpm);',
      'const target = 1 + 0 * impactNotional(market.tiers[0]!.initialPpm);',
    ],
  ],
  ['sample: the sum forgets a sample', 'ticks', [TICKS, 'market.premiumSum += premium;', '']],
  ['sample: a sample counts twice', 'ticks', [TICKS, 'market.premiumCount++;', 'market.premiumCount += 2;']],
  [
    'sample: a premium on a void index',
    'stale',
    [
      TICKS,
      'const sound = mayLiquidate(state, market);\n  let premium = 0;',
      'const sound = market.index > 0;\n  let premium = 0;',
    ],
  ],
  [
    'sample: the averages move twice as fast',
    'ticks',
    [MARK, '(x - ema) * BigInt(step.dt)', '2n * (x - ema) * BigInt(step.dt)'],
  ],
  [
    'sample: the mark follows the index alone',
    'ticks',
    [MARK, ': median3(fair, book, Number(fdiv(market.bookEma, BigInt(MILLION))));', ': fair;'],
  ],
  ['sample: the mark is not taken over', 'ticks stepwise', [TICKS, 'market.mark = mark;', '']],
  [
    'funding: left out',
    'ticks',
    [TICKS, 'state.nextFundingTime !== 0 && state.nextFundingTime <= time', 'state.nextFundingTime < 0'],
  ],
  [
    'funding: of one market left out',
    'ticks',
    [TICKS, 'for (let id = 0; id < markets; id++) fund', 'for (let id = 1; id < markets; id++) fund'],
  ],
  [
    'funding: too early',
    'ticks',
    [TICKS, 'state.nextFundingTime <= time)', 'state.nextFundingTime <= time + 30_000)'],
  ],
  [
    'funding: the next one too early',
    'ticks',
    [
      TICKS,
      'state.nextFundingTime = nextAligned(state.now, state.chain.fundingIntervalMs);',
      'state.nextFundingTime = nextAligned(state.now, state.chain.fundingIntervalMs / 2);',
    ],
  ],
  [
    'funding: the wrong way',
    'ticks',
    [TICKS, 'market.fundingIndex += BigInt(rate)', 'market.fundingIndex -= BigInt(rate)'],
  ],
  ['funding: paid the wrong way', 'ticks', ['risk/margin', 'fdiv(-BigInt(size) *', 'fdiv(BigInt(size) *']],
  [
    'funding: rounded in favor of the payer',
    'ticks',
    [
      'risk/margin',
      'return Number(clamp(owed, -PAYMENT_MAX, PAYMENT_MAX));',
      'return Number(clamp(owed + 1n, -PAYMENT_MAX, PAYMENT_MAX));',
    ],
  ],
  [
    'funding: not booked against the market',
    'ticks',
    ['risk/settle-fill', 'market.fundingBalance -= payment;', ''],
  ],
  ['funding: another rate', 'ticks', [FUNDING, 'Math.trunc(rate8h / 8)', 'Math.trunc(rate8h / 4)']],
  ['funding: no interest', 'ticks', [FUNDING, 'premium + interest)', 'premium + 0 * interest)']],
  [
    'funding: premiums are not dropped',
    'ticks',
    [TICKS, 'market.premiumSum = 0;\n  market.premiumCount = 0;', ''],
  ],
  [
    'funding: paused though the index is fresh',
    'ticks',
    [
      TICKS,
      'const rate = sound ? fundingRatePpb(premium, market.fundingRateMax()) : 0;',
      'const rate = sound ? 0 * fundingRatePpb(premium, market.fundingRateMax()) : 0;',
    ],
  ],

  [
    'price-round: the highest report',
    'prices stepwise',
    [ORACLE, 'if (2 * sum >= total) return item.value;', 'if (sum >= total) return item.value;'],
  ],
  [
    'price-round: the lowest report',
    'prices stepwise',
    [ORACLE, 'if (2 * sum >= total) return item.value;', 'if (sum >= 0) return item.value;'],
  ],
  [
    'price-round: the upper median',
    'prices stepwise',
    [ORACLE, 'if (2 * sum >= total) return item.value;', 'if (2 * sum > total) return item.value;'],
  ],
  [
    'price-round: no dispersion in the confidence',
    'prices stepwise',
    [ORACLE, 'confidence + dispersion,', 'confidence + 0 * dispersion,'],
  ],
  [
    'price-round: ignored',
    'prices',
    [
      ROUND,
      'if (code !== Reject.NONE || market === undefined) return;',
      'if (code === Reject.NONE || market === undefined) return;',
    ],
  ],
  [
    'price-round: a report counts for another price',
    'prices',
    [
      ROUND,
      'used.push({ ...report, weight: own });',
      'used.push({ ...report, price: report.price + 7, weight: own });',
    ],
  ],
  [
    'price-round: a good report does not count',
    'prices stepwise',
    [
      ROUND,
      'if (report.price < 1) return Reject.PRICE_OUT_OF_RANGE;',
      'if (report.price === 10_020 || report.price < 1) return Reject.PRICE_OUT_OF_RANGE;',
    ],
  ],
  [
    'price-round: a stale report counts',
    'prices stepwise',
    [ROUND, 'if (report.time < time - state.chain.stalenessMs) return Reject.REPORT_STALE;', ''],
  ],
  [
    'price-round: a report from the future counts',
    'prices stepwise',
    [ROUND, 'if (report.time > time + state.chain.futureMs) return Reject.REPORT_FROM_FUTURE;', ''],
  ],
  [
    'price-round: a replayed report counts',
    'prices stepwise',
    [
      ROUND,
      'if (report.sequence <= market.reportSequences[report.publisher]!) return Reject.REPORT_OUT_OF_ORDER;',
      '',
    ],
  ],
  [
    'price-round: a forged report counts',
    'prices stepwise',
    [ROUND, 'if (!equalBytes(publisher.address, signer)) return Reject.BAD_SIGNATURE;', ''],
  ],
  [
    'price-round: a report of no price counts',
    'prices stepwise',
    [ROUND, 'if (report.price < 1) return Reject.PRICE_OUT_OF_RANGE;', ''],
  ],
  [
    'price-round: an unknown publisher counts',
    'prices',
    [
      ROUND,
      'const publisher = state.publishers[report.publisher];',
      'state.publishers[9] ??= { address: signer.slice(), weight: 0 }; const publisher = report.publisher === 9 ? { address: signer, weight: 1 } : state.publishers[report.publisher];',
    ],
    [
      ROUND,
      'const own = state.publishers[report.publisher]!.weight;',
      'const own = state.publishers[report.publisher]!.weight || 1;',
    ],
  ],
  [
    'price-round: sequences are not remembered',
    'prices',
    [ROUND, 'for (const report of used) market.reportSequences[report.publisher] = report.sequence;', ''],
  ],
  [
    'price-round: the index seems older',
    'prices',
    [ROUND, 'market.indexTime = state.now;', 'market.indexTime = state.now - 1;'],
  ],
  [
    'price-round: the mark does not follow',
    'prices',
    [ROUND, 'market.mark = markPrice(market, state.chain.markClampPpm);', ''],
  ],
  [
    'price-round: a price beyond the market does not halt it',
    'prices',
    [ROUND, 'if (index > config.maxPrice) return false;', ''],
  ],
  [
    'price-round: a move counts before it is repeated',
    'guard',
    [
      GUARD,
      'if (!isRepeated) return { index, pending: price };',
      'if (!isRepeated) return { index: price, pending: 0 };',
    ],
  ],
  [
    'price-round: a repeated move is held back for ever',
    'guard',
    [GUARD, 'const isRepeated = pending !== 0 &&', 'const isRepeated = pending < 0 &&'],
  ],
  [
    'price-round: of two rounds the one that moves further',
    'guard stepwise',
    [
      GUARD,
      'Math.min(price, pending) : Math.max(price, pending)',
      'Math.max(price, pending) : Math.min(price, pending)',
    ],
  ],
  [
    'price-round: an unrepeated price is called valid',
    'guard stepwise',
    [VALIDITY, 'return pending === 0 ? Validity.VALID : Validity.UNREPEATED;', 'return Validity.VALID;'],
  ],
  [
    'price-round: an uncertain price is called valid',
    'guard stepwise',
    [VALIDITY, 'return Validity.UNCERTAIN;', 'return Validity.VALID;'],
  ],
  [
    'price-round: a volatile price is called valid',
    'guard',
    [VALIDITY, 'return Validity.VOLATILE;', 'return Validity.VALID;'],
  ],
  [
    'price-round: orders open at an unrepeated price',
    'guard',
    [
      VALIDITY,
      '[Validity.UNREPEATED]: { liquidate: true, margin: false, open: false }',
      '[Validity.UNREPEATED]: { liquidate: true, margin: true, open: true }',
    ],
  ],
  [
    'price-round: money leaves at an uncertain price',
    'guard',
    [
      VALIDITY,
      '[Validity.UNCERTAIN]: { liquidate: true, margin: false, open: false }',
      '[Validity.UNCERTAIN]: { liquidate: true, margin: true, open: false }',
    ],
  ],
  ['price-round: the average stands still', 'prices', [ROUND, 'market.twapFine = average;', '']],
  [
    'price-round: the average of whole ticks alone',
    'prices',
    [ROUND, 'market.twapFine = average;', 'market.twapFine = MILLION * divDown(average, MILLION);'],
  ],
  [
    'price-round: an average over another time',
    'prices',
    [ROUND, 'tau: state.chain.twapTauMs,', 'tau: 2 * state.chain.twapTauMs,'],
  ],
  [
    'sample: depth of a narrower band',
    'ticks',
    [
      DEPTH,
      '50 * price >= 49 * mark : 50 * price <= 51 * mark',
      '1000 * price >= 999 * mark : 1000 * price <= 1001 * mark',
    ],
  ],
  [
    'sample: depth of the thicker side',
    'ticks',
    [DEPTH, 'Math.min(\n    sideDepth(market.bids', 'Math.max(\n    sideDepth(market.bids'],
  ],
  [
    'sample: open interest asks for less',
    'ticks',
    [DEPTH, 'return base + Number(fdiv(', 'return base + 0 * Number(fdiv('],
  ],
  [
    'sample: open interest at another price',
    'ticks',
    [DEPTH, 'BigInt(openInterest) * BigInt(mark)', 'BigInt(openInterest) * BigInt(market.index)'],
  ],
  [
    'price-round: a good price halts the market',
    'prices',
    [ROUND, 'if (index > config.maxPrice) return false;', 'if (index > 11_000) return false;'],
  ],
];
