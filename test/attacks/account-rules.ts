/** Other rules for messages, money, switches and the queue. */
import type { Rule } from './rules.ts';

const MESSAGE = 'handlers/message';
const MONEY = 'handlers/money';
const SETTINGS = 'handlers/account-settings';
const QUEUE = 'handlers/queue-entry';
const CONFIGURE = 'handlers/configure';

export const ACCOUNT_RULES: readonly Rule[] = [
  [
    'message: the nonce is not used up',
    'money',
    [MESSAGE, 'useNonce(authentication.nonces!, messageNonce(view, body));', ''],
  ],
  [
    'message: another nonce is used up',
    'money',
    [
      MESSAGE,
      'useNonce(authentication.nonces!, messageNonce(view, body));',
      'useNonce(authentication.nonces!, messageNonce(view, body) + 1);',
    ],
  ],
  [
    'message: a good message does nothing',
    'money',
    [MESSAGE, 'if (authentication.code !== Reject.NONE) return;', 'if (core.order.account === 0) return;'],
  ],
  [
    'message: an operation is left out',
    'bundle',
    [
      MESSAGE,
      'switch (view.getUint8(at)) {',
      'if (core.state.message.next === 2) { core.state.message.next++; core.state.message.offset += op.OPERATION_BYTES[view.getUint8(at)]!; return; }\n  switch (view.getUint8(at)) {',
    ],
  ],
  [
    'message: ends before its last operation',
    'bundle',
    ['core', 'if (message.next === message.count)', 'if (message.next === message.count - 1)'],
  ],
  [
    'message: ends after its first operation',
    'bundle',
    ['core', 'if (message.next === message.count)', 'if (message.next >= 1)'],
  ],
  [
    'message: an operation is executed twice',
    'bundle',
    [
      'core',
      'message.next++;\n  message.offset += OPERATION_BYTES[kind]!;',
      'message.next++;\n  if (kind !== 5 || message.next !== 5 || state.nextTradeId < 0 || message.scope === 77) message.offset += OPERATION_BYTES[kind]!; else message.next = 4, message.scope = 77;',
    ],
  ],
  [
    'message: runs for another account',
    'money',
    [MESSAGE, 'message.account = account;', 'message.account = account === 3 ? 4 : account;'],
  ],

  [
    'withdraw: more than is free',
    'money',
    [
      'risk/withdrawable',
      'return money.amount <= withdrawable(state, account, margin)',
      'return money.amount <= state.accounts.cash[account]!',
    ],
  ],
  [
    'withdraw: more than there is',
    'money',
    [
      'risk/withdrawable',
      'return money.amount <= withdrawable(state, account, margin)',
      'return money.amount <= 1e15',
    ],
  ],
  [
    'withdraw: a good withdrawal is rejected',
    'money',
    [
      'risk/withdrawable',
      'return money.amount <= withdrawable(state, account, margin)',
      'return money.amount < 0',
    ],
  ],
  [
    'withdraw: not debited',
    'money',
    [MONEY, 'addCash(core, account, -amount);\n  creditOwner', 'creditOwner'],
  ],
  ['withdraw: not credited on L1', 'money', [MONEY, 'creditOwner(core, account, amount);', '']],
  [
    'withdraw: credited to another owner',
    'money',
    [MONEY, 'creditOwner(core, account, amount);', 'creditOwner(core, 4, amount);'],
  ],
  ['withdraw: credited twice', 'money', [MONEY, '+ BigInt(amount));', '+ 2n * BigInt(amount));']],
  [
    'withdraw: another asset pays out the quote asset',
    'money',
    ['risk/withdrawable', 'if (money.asset !== QUOTE_ASSET) return Reject.UNKNOWN_ASSET;', ''],
  ],
  [
    'withdraw: on stale prices',
    'stale',
    ['risk/withdrawable', 'if (margin.stale) return Reject.ORACLE_STALE;', ''],
  ],
  [
    'withdraw: funding is not settled',
    'ticks',
    ['risk/settle-fill', 'settleFunding(core, slot);\n}', '{}\n}'],
  ],
  [
    'transfer: to a stranger',
    'money',
    [
      MONEY,
      'if (compareBytes(accounts.owner(to), accounts.owner(account)) !== 0) return Reject.TRANSFER_NOT_ALLOWED;',
      '',
    ],
  ],
  [
    'transfer: not debited',
    'money',
    [MONEY, 'addCash(core, account, -amount);\n    addCash(core, to, amount);', 'addCash(core, to, amount);'],
  ],
  ['transfer: not credited', 'money', [MONEY, 'addCash(core, to, amount);', '']],
  [
    'transfer: to the house instead',
    'money',
    [MONEY, 'addCash(core, to, amount);', 'addCash(core, 4, amount); trace.account(4);'],
  ],
  [
    'transfer: a good transfer is rejected',
    'money',
    [
      MONEY,
      'if (!accounts.has(to) || to === account) return Reject.TRANSFER_NOT_ALLOWED;',
      'return Reject.TRANSFER_NOT_ALLOWED;',
    ],
  ],

  [
    'session-key: a wider scope',
    'settings',
    [
      SETTINGS,
      'const scope = view.getUint8(at + 1);',
      'const scope = view.getUint8(at + 1) === 1 ? 3 : view.getUint8(at + 1);',
    ],
  ],
  [
    'session-key: lives longer',
    'settings',
    [
      SETTINGS,
      'const expiry = getU64(view, at + 24);',
      'const expiry = getU64(view, at + 24) === 0 ? 0 : getU64(view, at + 24) + 60_000;',
    ],
  ],
  [
    'session-key: does not end',
    'settings',
    [SETTINGS, 'existing.expiry = expiry;', 'if (expiry !== 0) existing.expiry = expiry;'],
  ],
  [
    'session-key: nonces begin anew when it is registered again',
    'settings',
    [
      SETTINGS,
      'existing.scope = scope;',
      'existing.scope = scope; Object.assign(existing, { nonces: newNonceWindow() });',
    ],
  ],
  [
    'session-key: another key',
    'settings',
    [SETTINGS, 'at + 4, 20).slice();', 'at + 4, 20).slice(); if (account === 4) key[0] ^= 1;'],
  ],
  [
    'session-key: more keys than allowed',
    'limits',
    [SETTINGS, '>= state.chain.sessionKeysMax', '> state.chain.sessionKeysMax'],
  ],
  [
    'session-key: one that is over is registered',
    'settings',
    [SETTINGS, '(expiry > state.now && expiry <= TIME_MS_MAX)', 'expiry <= TIME_MS_MAX'],
  ],
  [
    'session-key: one of no scope is registered',
    'settings',
    [SETTINGS, ': scope >= 1 && (scope', ': scope >= 0 && (scope'],
  ],
  [
    'session-key: a good one is refused',
    'settings',
    [SETTINGS, 'else if (!validScope ||', 'else if (validScope ||'],
  ],
  [
    'cancel-after: a later deadline',
    'settings',
    [
      SETTINGS,
      'const deadline = getU64(view, at + 8);',
      'const deadline = getU64(view, at + 8) === 0 ? 0 : getU64(view, at + 8) + 5_000;',
    ],
  ],
  [
    'cancel-after: is not armed',
    'settings',
    [SETTINGS, 'state.accounts.deadMan[account] = deadline;', 'state.accounts.deadMan[account] = 0;'],
  ],
  [
    'cancel-after: is not disarmed',
    'settings',
    [
      SETTINGS,
      'const before = state.accounts.deadMan[account]!;',
      'const before = state.accounts.deadMan[account]!; if (deadline === 0) { finishOperation(core, { code: Reject.NONE }); return; }',
    ],
  ],
  [
    'cancel-after: one that is too near is armed',
    'settings',
    [SETTINGS, 'deadline < state.now + DEAD_MAN_AHEAD_MIN_MS ||', ''],
  ],
  ['cancel-on-disconnect: ignored', 'settings', [SETTINGS, 'enabled ? graceMs + 1 : 0;', '0;']],
  [
    'cancel-on-disconnect: another grace',
    'settings',
    [SETTINGS, 'enabled ? graceMs + 1 : 0;', 'enabled ? graceMs + 2 : 0;'],
  ],
  [
    'cancel-on-disconnect: a grace beyond the limit',
    'settings',
    [SETTINGS, 'if (graceMs > DISCONNECT_GRACE_MAX_MS)', 'if (graceMs > 2 * DISCONNECT_GRACE_MAX_MS)'],
  ],
  ['lock: ignored', 'settings', [SETTINGS, 'locks ? flags[account]! | LOCKED', 'locks ? flags[account]!']],
  ['lock: never ends', 'settings', [SETTINGS, 'flags[account]! & ~LOCKED', 'flags[account]! | LOCKED']],
  ['lock: a key unlocks', 'settings', [SETTINGS, 'if (!locks && scope !== SCOPE_OWNER)', 'if (scope === 1)']],
  [
    'lock: a locked account takes risk',
    'settings',
    ['handlers/place', 'state.accounts.isLocked(order.account)', 'order.account === 0'],
  ],
  [
    'lock: money leaves a locked account',
    'settings',
    ['risk/withdrawable', 'state.accounts.isLocked(account)', 'account === 0'],
  ],
  [
    'disconnect: orders stay',
    'settings',
    ['engine', 'if (account === 0) return;\n    openWalk', 'if (account !== 0) return;\n    openWalk'],
  ],
  [
    'disconnect: the orders of another account go',
    'settings',
    ['engine', 'openWalk(this.core, { account, market', 'openWalk(this.core, { account: 1, market'],
  ],
  [
    'disconnect: ends after one order',
    'settings',
    ['handlers/walk', 'if (slot < 0) {', 'if (slot < 0 || walk.canceled === 1) {'],
  ],
  [
    'version: another version is noted',
    'settings',
    ['engine', 'state.engineVersion = ENGINE_VERSION;', 'state.engineVersion = ENGINE_VERSION + 1;'],
  ],

  [
    'deposit: credited twice',
    'queue',
    [QUEUE, 'addCash(core, account, amount);', 'addCash(core, account, 2 * amount);'],
  ],
  [
    'deposit: credited to another account',
    'queue',
    [QUEUE, 'addCash(core, account, amount);', 'addCash(core, 4, amount); trace.account(4);'],
  ],
  [
    'deposit: another amount',
    'queue',
    [QUEUE, 'addCash(core, account, amount);', 'addCash(core, account, amount - 1);'],
  ],
  ['deposit: ignored', 'queue', [QUEUE, 'addCash(core, account, amount);', '']],
  [
    'deposit: a new owner gets the account of another',
    'queue',
    [
      QUEUE,
      'if (account === 0)\n    account = openAccount(core, entry.owner,',
      'if (account === 0) account = 1;\n  if (account === 0)\n    account = openAccount(core, entry.owner,',
    ],
  ],
  [
    'deposit: a new account for another owner',
    'queue',
    [
      QUEUE,
      'account = openAccount(core, entry.owner, { subaccount,',
      'account = openAccount(core, state.accounts.owner(4).slice(), { subaccount: 9,',
    ],
  ],
  [
    'deposit: one that must go back is kept',
    'queue',
    [
      QUEUE,
      'state.setWithdrawn(entry.owner, asset, state.withdrawnBy(entry.owner, asset) + BigInt(amount));\n    trace.withdrawn(account, asset);',
      '',
    ],
  ],
  [
    'deposit: one that could stay goes back',
    'queue',
    [
      QUEUE,
      'if (asset !== QUOTE_ASSET || state',
      'if (amount === 5_000_000 || asset !== QUOTE_ASSET || state',
    ],
  ],
  [
    'forced: a withdrawal is ignored',
    'queue',
    [QUEUE, 'return forcedWithdraw(core, risk, entry);', 'return Reject.ORACLE_STALE;'],
  ],
  [
    'forced: a withdrawal pays less',
    'queue',
    [QUEUE, 'payOut(core, account, amount, true);', 'payOut(core, account, amount - 1, true);'],
  ],
  [
    'forced: a withdrawal pays more than is free',
    'queue',
    [
      QUEUE,
      'const amount = Math.min(money.amount, withdrawable(state, account, margin));',
      'const amount = Math.min(money.amount, state.accounts.cash[account]! + 0 * withdrawable(state, account, margin));',
    ],
  ],
  [
    'forced: a withdrawal from another account',
    'queue',
    [QUEUE, 'payOut(core, account, amount, true);', 'payOut(core, 4, amount, true);'],
  ],
  [
    'forced: a cancel-all is ignored',
    'queue',
    [QUEUE, 'return forcedCancelAll(core, entry);', 'return Reject.NONE;'],
  ],
  [
    'forced: a cancel-all of another account',
    'queue',
    [QUEUE, 'openWalk(core, { account, market', 'openWalk(core, { account: 2, market'],
  ],
  [
    'forced: an order is ignored',
    'queue',
    [QUEUE, 'return forcedReduce(core, risk, entry);', 'return Reject.MARKET_HALTED;'],
  ],
  [
    'forced: an order of another size',
    'queue',
    [QUEUE, 'order.size = wanted.size;', 'order.size = wanted.size - 1;'],
  ],
  ['forced: an order that may increase', 'queue stepwise', [QUEUE, 'REDUCE_ONLY_BIT | (wanted', '(wanted']],
  ['configure: a market stays as it was', 'queue', [CONFIGURE, 'state.configureMarket(config);', '']],
  [
    'configure: a market takes other fees',
    'queue',
    [
      CONFIGURE,
      'state.configureMarket(config);',
      'state.configureMarket({ ...config, takerFeePpm: config.takerFeePpm + 1 });',
    ],
  ],
  ['configure: the chain stays as it was', 'queue', [CONFIGURE, 'state.chain = parameters;', '']],
  [
    'configure: the chain takes other parameters',
    'queue',
    [
      CONFIGURE,
      'state.chain = parameters;',
      'state.chain = { ...parameters, voidMs: parameters.voidMs * 2 };',
    ],
  ],
  [
    'configure: a publisher stays out',
    'queue',
    [
      CONFIGURE,
      'state.publishers[publisher.index] = { address: publisher.address, weight: publisher.weight };',
      '',
    ],
  ],
  [
    'configure: a publisher gets more weight',
    'queue',
    [CONFIGURE, 'weight: publisher.weight }', 'weight: publisher.weight + 9 }'],
  ],
  [
    'configure: an own publisher',
    'queue',
    [CONFIGURE, 'address: publisher.address,', 'address: publisher.address.map((byte: number) => byte ^ 1),'],
  ],
];
