/** Honest second batches: each a handful of commands that lead some kinds of step where they have something to do. */
import { BTC_PRICE, DEAD_MAN_AT, ETH_PRICE, EXPIRY_AT, FUNDING_AT, SAMPLE_AT } from './base.ts';
import type { CommandMaker, NamedCommand, ReportPlan } from './command-maker.ts';
import { ACCOUNT, type AccountName, KEY, LATE_PUBLISHER } from './keys.ts';
import type { World } from './world.ts';

type Plan = (make: CommandMaker, world: World) => void;

/** Numbers of the base's orders, by the client ids that it gave them. */
export type OrderIds = Readonly<
  Record<'aSells' | 'bSells' | 'bDearer' | 'richBuys' | 'richCheaper' | 'takerBuys', number>
>;

/** What `base.ts` places in its first four orders is filled; the rest rest. */
export const ORDER: OrderIds = {
  aSells: 5,
  bSells: 6,
  bDearer: 7,
  richBuys: 11,
  takerBuys: 12,
  richCheaper: 13,
};

const reports = (prices: readonly number[]): ReportPlan[] =>
  prices.map((price, publisher) => ({ publisher, price, confidence: 1 + publisher }));

const PLANS = {
  trade: (make) => {
    make.order('session order', 'makerA', { side: 0, price: 9_950, size: 10 }, KEY.trading);
    make.order('taker', 'taker', { side: 0, price: 10_010, size: 700 });
    make.order('rests', 'rich', {
      side: 0,
      price: 10_000,
      size: 50,
      timeInForce: 1,
      expiry: make.now + 9_000,
      clientId: 6,
    });
    make.order('sweeps', 'taker', { side: 1, price: 9_985, size: 600 });
    make.order('meets reduce-only', 'rich', { side: 0, price: 10_050, size: 650, timeInForce: 2 });
    make.order('reduces', 'taker', { side: 1, price: 9_980, size: 100, reduceOnly: true });
    make.order('flips', 'taker', { side: 1, price: 9_960, size: 200, timeInForce: 2 });
  },
  orders: (make) => {
    make.order('poor order', 'poor', { side: 0, price: 10_000, size: 5_000 });
    make.order('post-only crosses', 'rich', {
      side: 0,
      price: 10_000,
      size: 10,
      timeInForce: 0,
      postOnly: true,
    });
    make.order('post-only rests', 'rich', { side: 0, price: 9_999, size: 10, postOnly: true });
    make.order('fok fails', 'rich', { side: 0, price: 10_010, size: 5_000, timeInForce: 3 });
    make.order('fok fills', 'rich', { side: 0, price: 10_000, size: 250, timeInForce: 3 });
    make.order('duplicate client id', 'makerA', { side: 0, price: 9_000, size: 1, clientId: 8 });
    make.order('notional too small', 'rich', { market: 1, side: 0, price: 2_000, size: 1 });
    make.order('outside the band', 'rich', { market: 1, side: 0, price: 1_000, size: 100 });
    make.order('price beyond all', 'rich', { side: 1, price: 200_000_000, size: 10 });
    make.order('size beyond all', 'rich', { market: 1, side: 0, price: 2_000, size: 200_000 });
    make.order('reduce-only increases', 'taker', { side: 0, price: 9_000, size: 10, reduceOnly: true });
    make.order('unknown market', 'rich', { market: 9, side: 0, price: 2_000, size: 100 });
    make.order('expired at once', 'rich', {
      side: 0,
      price: 9_000,
      size: 10,
      timeInForce: 1,
      expiry: make.now - 5,
    });
    make.order('too much interest', 'rich', { side: 0, price: 9_000, size: 60_000 });
    make.order('market order', 'makerA', { side: 1, price: 0, size: 100, timeInForce: 2, marketOrder: true });
  },
  'self-trades': (make) => {
    make.order('clears the way', 'makerA', { side: 1, price: 9_990, size: 400, timeInForce: 2 });
    make.order('decrement', 'taker', { side: 1, price: 9_985, size: 50, selfTradePrevention: 3 });
    make.order('expire taker', 'taker', { side: 1, price: 9_985, size: 30, selfTradePrevention: 1 });
    make.order('expire maker', 'taker', { side: 1, price: 9_985, size: 30, selfTradePrevention: 0 });
    make.order('another bid', 'taker', { side: 0, price: 9_986, size: 40 });
    make.order('expire both', 'taker', { side: 1, price: 9_986, size: 10, selfTradePrevention: 2 });
    make.order('bid of another account', 'vault', { side: 0, price: 9_987, size: 10 });
    make.order('meets it', 'taker', { side: 1, price: 9_987, size: 4, selfTradePrevention: 3 });
  },
  caps: (make) => {
    make.order('comes down to a hundred', 'taker', { side: 1, price: 9_960, size: 900, timeInForce: 2 });
    make.order('meets a capped maker', 'rich', { side: 0, price: 10_050, size: 1_400, timeInForce: 2 });
    make.order('finds nothing left to reduce', 'rich', { side: 0, price: 10_060, size: 40, timeInForce: 2 });
    make.order('long again', 'taker', { side: 0, price: 9_000, size: 10 });
    make.order('a bid', 'makerB', { side: 0, price: 9_950, size: 500 });
    make.order('caps a short', 'makerA', { side: 1, price: 9_950, size: 7, timeInForce: 2 });
    make.order('ETH beyond', 'makerB', {
      market: 1,
      side: 1,
      price: 2_004,
      size: 400,
      timeInForce: 2,
      reduceOnly: true,
    });
  },
  limits: (make) => {
    const place = (i: number) =>
      ({
        kind: 'place',
        market: 0,
        side: 0,
        price: 9_000 + i,
        size: 10,
        timeInForce: 0,
        clientId: i + 1,
      }) as const;
    make.send(
      'many orders',
      'vault',
      Array.from({ length: 14 }, (_, i) => place(i)),
    );
    for (const [i, key] of [KEY.spare, KEY.canceling, KEY.trading].entries())
      make.send(`session key ${i + 1}`, 'vault', [
        { kind: 'session-key', key: key.address, scope: 3, expiry: make.now + 60_000 },
      ]);
    make.send('grows beyond its margin', 'poor', [
      { kind: 'amend', market: 0, by: 'client', id: 3, price: 10_030, size: 2_000 },
    ]);
  },
  changes: (make) => {
    make.send('cancel', 'rich', [{ kind: 'cancel', market: 0, by: 'order', id: ORDER.richCheaper }]);
    make.send('cancel by client id', 'makerA', [{ kind: 'cancel', market: 0, by: 'client', id: 8 }]);
    make.send('cancel of another', 'taker', [{ kind: 'cancel', market: 0, by: 'order', id: ORDER.bSells }]);
    make.send('shrinks', 'makerB', [
      { kind: 'amend', market: 0, by: 'order', id: ORDER.bDearer, price: 10_010, size: 400 },
    ]);
    make.send('moves', 'rich', [{ kind: 'amend', market: 0, by: 'client', id: 1, price: 9_991, size: 420 }]);
    make.send('crosses', 'rich', [
      { kind: 'amend', market: 0, by: 'client', id: 1, price: 10_000, size: 350 },
    ]);
    make.send('amend of another', 'taker', [
      { kind: 'amend', market: 0, by: 'order', id: ORDER.bDearer, price: 10_010, size: 1 },
    ]);
    make.send(
      'session cancel',
      'makerB',
      [{ kind: 'cancel', market: 0, by: 'client', id: 2 }],
      KEY.canceling,
    );
    make.send('cancel-all', 'makerA', [{ kind: 'cancel-all', market: 0 }]);
    make.send('cancel-all in one market', 'rich', [{ kind: 'cancel-all', market: 0 }]);
  },
  settings: (make) => {
    const ahead = make.now;
    const key = (address: Uint8Array, scope: number, expiry: number) =>
      [{ kind: 'session-key', key: address, scope, expiry }] as const;
    make.send('session key is used', 'makerB', [{ kind: 'cancel-all', market: 1 }], KEY.canceling);
    make.send('new session key', 'rich', key(KEY.spare.address, 3, ahead + 60_000));
    make.send('session key ends', 'makerA', key(KEY.trading.address, 0, 0));
    make.send('session key narrows', 'makerB', key(KEY.canceling.address, 1, ahead + 90_000));
    make.send('session key of no scope', 'poor', key(KEY.spare.address, 0, ahead + 60_000));
    make.send('session key over', 'poor', key(KEY.spare.address, 1, ahead - 60_000));
    make.send('arms', 'taker', [{ kind: 'cancel-after', deadline: ahead + 15_000 }]);
    make.send('disarms', 'rich', [{ kind: 'cancel-after', deadline: 0 }]);
    make.send('too near', 'makerA', [{ kind: 'cancel-after', deadline: ahead + 100 }]);
    make.send('switches on', 'taker', [{ kind: 'cancel-on-disconnect', enabled: true, graceMs: 2_000 }]);
    make.send('grace too long', 'rich', [{ kind: 'cancel-on-disconnect', enabled: true, graceMs: 700_000 }]);
    make.send('lock key', 'vault', key(KEY.spare.address, 4, ahead + 60_000));
    make.send('locks', 'vault', [{ kind: 'lock', locked: true }], KEY.spare);
    make.send('does not unlock', 'vault', [{ kind: 'lock', locked: false }], KEY.spare);
    make.send('locked, withdraws', 'vault', [{ kind: 'withdraw', asset: 0, amount: 5 }]);
    make.send('locked, orders', 'vault', [
      { kind: 'place', market: 0, side: 0, price: 9_000, size: 10, timeInForce: 0 },
    ]);
    make.send('locked, transfers', 'vault', [{ kind: 'transfer', asset: 0, toAccount: 5, amount: 5 }]);
    make.send('unlocks', 'vault', [{ kind: 'lock', locked: false }]);
    make.version('version');
    make.clock('clock');
    make.disconnect('disconnect', 'makerB');
  },
  bundle: (make) => {
    make.send('bundle', 'makerA', [
      { kind: 'place', market: 0, side: 1, price: 10_040, size: 20, timeInForce: 0, clientId: 30 },
      { kind: 'place', market: 0, side: 0, price: 9_940, size: 30, timeInForce: 0, clientId: 31 },
      { kind: 'cancel', market: 0, by: 'client', id: 30 },
      { kind: 'amend', market: 0, by: 'client', id: 31, price: 9_941, size: 25 },
      { kind: 'withdraw', asset: 0, amount: 1_234_567 },
      { kind: 'place', market: 0, side: 0, price: 10_000, size: 5, timeInForce: 2 },
      { kind: 'cancel-all' },
    ]);
    make.clock('afterwards');
  },
  money: (make) => {
    make.send('withdraws', 'taker', [{ kind: 'withdraw', asset: 0, amount: 1_000_000 }]);
    make.send('withdraws again', 'taker', [{ kind: 'withdraw', asset: 0, amount: 500_000 }]);
    make.send('withdraws too much', 'poor', [{ kind: 'withdraw', asset: 0, amount: 99_000 }]);
    make.send('withdraws what it has not', 'rich', [{ kind: 'withdraw', asset: 0, amount: 2e11 }]);
    make.send('withdraws another asset', 'rich', [{ kind: 'withdraw', asset: 3, amount: 5 }]);
    make.send('transfers', 'taker', [
      { kind: 'transfer', asset: 0, toAccount: ACCOUNT.vault, amount: 2_000_000 },
    ]);
    make.send('transfers back', 'vault', [
      { kind: 'transfer', asset: 0, toAccount: ACCOUNT.taker, amount: 700 },
    ]);
    make.send('transfers to a stranger', 'taker', [
      { kind: 'transfer', asset: 0, toAccount: ACCOUNT.rich, amount: 3_000 },
    ]);
    make.send('transfers too much', 'vault', [
      { kind: 'transfer', asset: 0, toAccount: ACCOUNT.taker, amount: 2e9 },
    ]);
  },
  prices: (make) => {
    make.round('round', 0, reports([10_050, 10_020, 10_080, 10_010, 10_060]));
    make.round('four of five', 0, reports([10_030, 10_040, 10_050, 10_060]));
    const four = reports([9_990, 9_980, 10_000, 10_010]);
    make.round('one is stale', 0, [...four, { publisher: 4, price: 9_000, shift: -15_000 }]);
    make.round('one is replayed', 0, [...four, { publisher: 4, price: 9_000, sequence: 1 }]);
    make.round('one is forged', 0, [...four, { publisher: 4, price: 9_000, key: KEY.stranger }]);
    make.round('one is unknown', 0, [...four, { publisher: 9, price: 9_000, key: LATE_PUBLISHER }]);
    make.round('one is early', 0, [...four, { publisher: 4, price: 9_000, shift: 4_000 }]);
    make.round('one is of no price', 0, [...four, { publisher: 4, price: 0 }]);
    make.round('jump', 0, 12_000);
    make.order('meets a maker without margin', 'rich', {
      side: 0,
      price: 10_030,
      size: 1_300,
      timeInForce: 2,
    });
    make.round('beyond the market', 1, 25_000);
    make.round('beyond the market again', 1, 25_000);
    // One that only reduces: what opens is refused for its price's sake too.
    make.order('in a halted market', 'rich', {
      market: 1,
      side: 0,
      price: 2_000,
      size: 100,
      reduceOnly: true,
    });
  },
  guard: (make, { start }) => {
    const tries = (when: string): void => {
      make.order(`opens ${when}`, 'taker', { market: 1, side: 0, price: 2_000, size: 100, timeInForce: 2 });
      make.send(`withdraws ${when}`, 'makerB', [{ kind: 'withdraw', asset: 0, amount: 1_000 }]);
    };
    make.round('a spike', 1, 3_000);
    tries('in a spike');
    make.round('back again', 1, 2_003);
    make.round('a crash begins', 1, 1_500);
    make.round('a crash goes on', 1, 1_000);
    make.round('a crash ends', 1, 1_010);
    tries('after the crash');
    make.round(
      'nobody is sure',
      1,
      [0, 1, 2, 3, 4].map((publisher) => ({ publisher, price: 1_010, confidence: 400 })),
    );
    tries('while nobody is sure');
    make.round('far up', 1, 13_000);
    make.round('far up again', 1, 13_000);
    tries('far up');
    make.clock('sampled far up', start + SAMPLE_AT + 100);
  },
  stale: (make, { start }) => {
    make.clock('prices grow old', start + 45_000);
    make.order('on old prices', 'rich', { side: 0, price: 10_000, size: 100, timeInForce: 2 });
    make.send('withdraws on old prices', 'taker', [{ kind: 'withdraw', asset: 0, amount: 1_000 }]);
  },
  ticks: (make, { start }) => {
    make.order('moves the last price', 'rich', { side: 0, price: 10_000, size: 20, timeInForce: 2 });
    make.clock('sample due', start + SAMPLE_AT + 100);
    make.clock('order expires', start + EXPIRY_AT + 50);
    make.clock('dead-man falls', start + DEAD_MAN_AT + 20);
    make.round('fresh BTC', 0, BTC_PRICE + 15);
    make.round('fresh ETH', 1, ETH_PRICE + 1);
    make.clock('another sample', start + FUNDING_AT - 20_000);
    make.clock('funding due', start + FUNDING_AT + 10);
    make.order('settles by a fill', 'taker', { side: 0, price: 10_000, size: 50, timeInForce: 2 });
    make.send('settles by a withdrawal', 'makerB', [{ kind: 'withdraw', asset: 0, amount: 5_000 }]);
  },
  isolation: (make) => {
    const leverage = (initialPpm: number, market = 0) =>
      [{ kind: 'set-leverage', market, initialPpm }] as const;
    const margin = (account: AccountName, amount: number) =>
      [{ kind: 'transfer', asset: 0, toAccount: ACCOUNT[account], amount }] as const;
    make.send('opens an isolated account', 'taker', [{ kind: 'isolate', subaccount: 2, market: 0 }]);
    make.send('opens one of another pool', 'taker', [{ kind: 'isolate', subaccount: 3, riskPool: 7 }]);
    make.send('opens what is open', 'taker', [{ kind: 'isolate', subaccount: 1, market: 0 }]);
    make.send('adds margin', 'taker', margin('isolated', 300_000));
    make.send('adds margin to the pool', 'taker', margin('pooled', 300_000_000));
    make.order('isolated order', 'isolated', { side: 0, price: 10_000, size: 100 });
    make.order('isolated in another market', 'isolated', { market: 1, side: 0, price: 2_000, size: 4 });
    make.order('in a market of another pool', 'pooled', { side: 0, price: 10_000, size: 50 });
    make.send('takes too much margin out', 'isolated', margin('taker', 290_000));
    make.send('takes margin out', 'isolated', margin('taker', 20_000));
    make.send('lowers its leverage', 'rich', leverage(200_000));
    make.send('lowers it too far', 'isolated', leverage(900_000));
    make.send('leverage beyond all', 'rich', leverage(1_000_001));
    make.send('leverage of nothing', 'rich', leverage(300_000, 1));
    make.order('with its leverage', 'rich', { side: 0, price: 9_000, size: 40_000 });
    make.send('gives its leverage up', 'rich', leverage(0));
  },
  liquidation: (make) => {
    make.order('poor bids', 'poor', { side: 0, price: 9_000, size: 1 });
    // All that is offered; the poor account is short by 100 lots then.
    make.order('fills all', 'rich', { side: 0, price: 10_050, size: 1_450, timeInForce: 2 });
    make.evaluate('looks at a sound account', 'poor');
    make.round('BTC rises', 0, 10_910);
    make.evaluate('is restricted', 'poor');
    make.order('opens no more', 'poor', { side: 1, price: 11_000, size: 1 });
    make.send('takes nothing out', 'poor', [{ kind: 'withdraw', asset: 0, amount: 1 }]);
    make.order('offers', 'makerB', { side: 1, price: 10_912, size: 2 });
    make.evaluate('a slice', 'poor');
    make.evaluate('too soon', 'poor');
    make.now += 600;
    make.order('offers more', 'makerB', { side: 1, price: 10_911, size: 3 });
    make.evaluate('another slice', 'poor');
    make.round('BTC rises on', 0, 11_090);
    make.evaluate('goes to auction', 'poor');
    make.round('BTC falls', 0, 10_300);
    make.evaluate('is over', 'poor');
  },
  queue: (make, { waiting }) => {
    for (const [i, name] of QUEUE_NAMES.entries()) make.entry(name, waiting[i]!);
    make.order('after the change', 'rich', { side: 0, price: 10_000, size: 10, timeInForce: 2 });
  },
} satisfies Readonly<Record<string, Plan>>;

/** In the order in which the world put them into the queue. */
const QUEUE_NAMES = [
  'deposit',
  'first deposit of an owner',
  'forced withdrawal',
  'forced cancel-all',
  'forced order',
  'deposit that goes back',
  'market changes',
  'chain changes',
  'publisher comes',
  'forced withdrawal of all',
];

export type SceneName = keyof typeof PLANS;
export const SCENES = Object.keys(PLANS) as SceneName[];

/** Commands of the second batch, the first of them two seconds after the first batch's first. */
export function playScene(world: World, name: SceneName): NamedCommand[] {
  const make = world.maker.fork();
  make.now = world.start + 2_000;
  const plan: Plan = PLANS[name];
  plan(make, world);
  return make.made;
}
