/** Other rules for liquidations: who is liquidated, when, and how. */
import type { Rule } from './rules.ts';

const EVALUATE = 'handlers/evaluate';
const MATCH = 'book/match';

export const LIQUIDATION_RULES: readonly Rule[] = [
  [
    'evaluate: a sound account is liquidated',
    'liquidation',
    [
      EVALUATE,
      'if (margin.equityMaintenance >= margin.maintenance) {',
      'if (margin.equityMaintenance >= 20 * margin.maintenance) {',
    ],
  ],
  [
    'evaluate: an account below maintenance margin is let be',
    'liquidation',
    [
      EVALUATE,
      'if (margin.equityMaintenance >= margin.maintenance) {',
      'if (2 * margin.equityMaintenance >= margin.maintenance) {',
    ],
  ],
  [
    'evaluate: it is not marked',
    'liquidation',
    [EVALUATE, 'state.accounts.flags[account] = state.accounts.flags[account]! | LIQUIDATING;', ''],
  ],
  [
    'evaluate: its orders stay',
    'liquidation',
    [
      EVALUATE,
      'openWalk(core, { account, market: -1, reason: RemoveReason.LIQUIDATION, ofMessage: false });',
      '',
    ],
  ],
  [
    'evaluate: goes to auction at once',
    'liquidation',
    [EVALUATE, 'margin.equityMaintenance >= closeOut(margin.maintenance);', 'margin.equityMaintenance < 0;'],
  ],
  [
    'evaluate: never goes to auction',
    'liquidation stepwise',
    [
      EVALUATE,
      'margin.equityMaintenance >= closeOut(margin.maintenance);',
      'margin.equityMaintenance < 1e15;',
    ],
  ],
  [
    'evaluate: it is never over',
    'liquidation',
    [EVALUATE, 'if (held !== undefined) end(core, account, margin);', ''],
  ],
  ['slice: larger by a lot', 'liquidation', [EVALUATE, 'order.size = size;', 'order.size = size + 1;']],
  [
    'slice: at a worse price',
    'liquidation',
    [EVALUATE, 'slicePrice(position, clock));', 'slicePrice(position, clock) + 1);'],
  ],
  [
    'slice: follows at once',
    'liquidation',
    [EVALUATE, 'if (now < held.sliceTime + chain.auctionRoundMs) return;', ''],
  ],
  ['slice: left out', 'liquidation', [EVALUATE, 'sendSlice(core, account, held, margin);', '']],
  [
    'slice: its fee is not kept for the insurance fund',
    'liquidation',
    [MATCH, 'state.addToFund(riskPool, fill.takerFee);', 'state.markets[0]!.fees += fill.takerFee;'],
  ],
];
