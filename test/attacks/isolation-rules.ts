/** Other rules for isolated accounts, risk pools, own leverage, and what a position requires. */
import type { Rule } from './rules.ts';

const ISOLATE = 'handlers/isolate';
const SETTINGS = 'handlers/account-settings';
const ACCESS = 'risk/access';
const MARGIN = 'risk/margin';

export const ISOLATION_RULES: readonly Rule[] = [
  [
    'isolate: the account is not isolated',
    'isolation',
    [ISOLATE, 'state.accounts.isolatedMarket[account] = isolatedMarket;', ''],
  ],
  [
    'isolate: to another market',
    'isolation',
    [
      ISOLATE,
      'state.accounts.isolatedMarket[account] = isolatedMarket;',
      'state.accounts.isolatedMarket[account] = isolatedMarket === 0 ? 1 : isolatedMarket;',
    ],
  ],
  [
    'isolate: in another pool',
    'isolation',
    [ISOLATE, 'state.accounts.riskPool[account] = riskPool;', 'state.accounts.riskPool[account] = 0;'],
  ],
  [
    'isolate: for another owner',
    'isolation',
    [
      ISOLATE,
      'const owner = state.accounts.owner(account).slice();',
      'const owner = state.accounts.owner(4).slice();',
    ],
  ],
  [
    'isolate: one that is there is opened again',
    'isolation',
    [ISOLATE, 'state.accountOf(owner, subaccount) !== 0', 'state.accountOf(owner, subaccount) > 1_000'],
  ],
  [
    'isolate: a good one is refused',
    'isolation',
    [ISOLATE, 'state.accountOf(owner, subaccount) !== 0', 'state.accountOf(owner, subaccount) === 0'],
  ],
  [
    'access: an isolated account trades another market',
    'isolation',
    [ACCESS, 'else if (isolatedMarket !== config.market) return Reject.ACCOUNT_ISOLATED;', ''],
  ],
  [
    'access: an account trades a market of another pool',
    'isolation',
    [
      ACCESS,
      'return accounts.riskPool[account] === config.riskPool ? Reject.NONE : Reject.RISK_POOL_MISMATCH;',
      'return Reject.NONE;',
    ],
  ],
  [
    'access: a good order is kept out',
    'trade',
    [
      ACCESS,
      'accounts.riskPool[account] === config.riskPool ?',
      'accounts.riskPool[account] !== config.riskPool ?',
    ],
  ],
  ['leverage: is not kept', 'isolation', [SETTINGS, 'state.positions.setLeveragePpm(slot, initialPpm);', '']],
  [
    'leverage: another one',
    'isolation',
    [
      SETTINGS,
      'state.positions.setLeveragePpm(slot, initialPpm);',
      'state.positions.setLeveragePpm(slot, initialPpm === 0 ? 0 : initialPpm - 1);',
    ],
  ],
  [
    'leverage: can not be given up',
    'isolation',
    [
      SETTINGS,
      'if (initialPpm === 0) return Reject.NONE;',
      'if (initialPpm === 0) return Reject.INVALID_LEVERAGE;',
    ],
  ],
  [
    'leverage: one beyond bounds is kept',
    'isolation',
    [SETTINGS, 'if (initialPpm > MILLION) return Reject.INVALID_LEVERAGE;', ''],
  ],
  [
    'leverage: one that the margin does not carry is kept',
    'isolation',
    [
      'risk/pre-trade',
      'return after.initial <= before.initial || after.equityInitial >= after.initial;',
      'return true;',
    ],
  ],
  [
    'margin: an account asks less of itself than it said',
    'isolation',
    [MARGIN, 'this.leveragePpm = positions.leveragePpm(slot);', ''],
  ],
];
