/**
 * Everybody leaves without the operator: real trades on a real L1, then every process of the operator is killed, and
 * each user gets out by `sluice exit` with a key and an L1. Every sum is worked out by hand.
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { SluiceClient } from '#client/client.ts';
import { DEMO_CHAIN } from '#client/demo/markets.ts';
import { connectL1, type L1Client, withKey } from '#settlement/l1/client.ts';
import {
  approveVault,
  deposit,
  forceWithdraw,
  mintTestTokens,
  rollupStatus,
  tokenBalance,
} from '#settlement/l1/vault-actions.ts';
import { passSeconds } from '../settlement/l1-fixture.ts';
import { DEPOSIT, FundedL1, MARKET } from './funded-l1.ts';
import { Programs, type Started } from './programs.ts';
import { until } from './until.ts';

const LIVENESS_SECONDS = 900;
const CLAIM_SECONDS = 3_600;
/** q per tick and lot of the market. */
const QM = 10;
const TAKER_PPM = 450;
const REBATE_PPM = 50;
/** Index at the end, ticks. */
const LAST_PRICE = 660_000;
const WITHDRAWN = 123_456_789;
/** Demanded through L1 while the sequencer runs, and collected. */
const DEMANDED = 1_500_000;
const LATE_DEPOSITS = [0, 0, 0, 777_000_001, 555_000_002];
const TRADERS = 4;

interface ExitAnswer {
  readonly stage: string;
  readonly accounts: readonly { readonly equity: string; readonly registered: boolean }[];
  readonly receives: readonly {
    readonly refunds: string;
    readonly withdrawals: string;
    readonly claim: string;
  }[];
  readonly toDo: readonly { readonly kind: string }[];
  readonly nextAt?: number;
  readonly done: readonly { readonly kind: string; readonly paid?: { readonly amount: string } }[];
}

/** What trading has brought each, q, by hand. */
class Hand {
  readonly cash = Array.from({ length: TRADERS }, () => DEPOSIT);
  fees = 0;

  /** `lots` between a maker and a taker at a price, against what both hold at the end. */
  trade(of: { maker: number; taker: number; takerBuys: boolean; lots: number; price: number }): void {
    const notional = of.lots * of.price * QM;
    // Sizes are chosen so that fees are whole.
    const [fee, rebate] = [(notional * TAKER_PPM) / 1e6, (notional * REBATE_PPM) / 1e6];
    expect([fee, rebate].every(Number.isInteger)).toBe(true);
    const gain = of.lots * (LAST_PRICE - of.price) * QM * (of.takerBuys ? 1 : -1);
    this.cash[of.taker]! += gain - fee;
    this.cash[of.maker]! += rebate - gain;
    this.fees += fee - rebate;
  }
}

/** Far from the next funding tick, so that none comes while the test runs. */
function fundingIntervalMs(): number {
  const left = (interval: number): number => interval - (Date.now() % interval);
  return left(3_600_000) > left(2_500_000) ? 3_600_000 : 2_500_000;
}

let programs: Programs;
let l1: FundedL1;
let client: L1Client;
let sequencer: Started;
let submitter: Started;
const hand = new Hand();

const keyOf = (n: number): Record<string, string> => ({ SLUICE_KEY: l1.trader(n).key });
const exit = (n: number, ...flags: string[]): Promise<ExitAnswer> =>
  programs.json<ExitAnswer>(['exit', ...flags], keyOf(n));
const balanceOf = (n: number): Promise<bigint> =>
  tokenBalance(client, l1.rollup, { address: l1.trader(n).address });

beforeAll(async () => {
  programs = await Programs.in('sluice-exit-');
  l1 = await FundedL1.start(TRADERS, {
    windowSeconds: 3,
    livenessSeconds: LIVENESS_SECONDS,
    claimPeriodSeconds: CLAIM_SECONDS,
    inclusionMs: 600_000,
    chain: {
      ...DEMO_CHAIN,
      stalenessMs: 60_000,
      voidMs: 3_600_000,
      fundingIntervalMs: fundingIntervalMs(),
    },
  });
  client = await connectL1({ url: l1.devnet.url, key: l1.devnet.accounts[0]!.key });
  programs.env.SLUICE_L1 = l1.devnet.url;
  sequencer = await programs.launch(
    'started',
    ...['sequencer', '--port', '0', '--confirmations', '0', '--batch-ms', '500', '--log-level', 'warn'],
  );
  submitter = await programs.launch(
    'started',
    ...['submitter', '--port', '0', '--sequencer', sequencer.facts.http!],
  );
}, 240_000);

afterAll(async () => {
  await programs?.close();
  await l1?.devnet.stop();
}, 60_000);

it('trades, and one withdrawal is final and not collected', async () => {
  const url = sequencer.facts.url!;
  await l1.reportPrice(url);
  const clients = await l1.connect(url);
  const meet = async (of: Parameters<Hand['trade']>[0]): Promise<void> => {
    const side = of.takerBuys ? 0 : 1;
    await place(clients[of.maker]!, 1 - side, of.price, of.lots);
    const { results } = await place(clients[of.taker]!, side, of.price, of.lots);
    expect(results[0]).toMatchObject({ status: 'filled', filledSize: of.lots });
    hand.trade(of);
  };
  await meet({ maker: 0, taker: 1, takerBuys: true, lots: 200, price: 650_010 });
  await meet({ maker: 2, taker: 3, takerBuys: true, lots: 400, price: 650_020 });
  await l1.reportPrice(url, 655_000);
  // These two close at a profit for one; the first two stay open.
  await meet({ maker: 2, taker: 3, takerBuys: false, lots: 400, price: 654_980 });
  await l1.reportPrice(url, LAST_PRICE);
  // An order that is void after the freeze.
  await place(clients[1]!, 0, 640_000, 100);
  expect((await exit(3, '--demand', '1.5', '--yes')).done).toMatchObject([{ kind: 'demand' }]);
  hand.cash[3]! -= DEMANDED;
  const { seq, results } = await clients[2]!.sendOperations([
    { kind: 'withdraw', asset: 0, amount: WITHDRAWN },
  ]);
  expect(results[0]).toMatchObject({ status: 'done' });
  hand.cash[2]! -= WITHDRAWN;
  await until('the withdrawal to be final', async () => {
    const { stage } = await clients[2]!.finality({ seq });
    return stage === 'final';
  });
  expect(await exit(0)).toMatchObject({ stage: 'running', toDo: [], done: [] });
  expect(await exit(2)).toMatchObject({ stage: 'running', toDo: [{ kind: 'withdraw' }], done: [] });
  await until('the demand to be final', async () => (await exit(3)).toDo.length > 0);
  expect(await exit(3, '--yes')).toMatchObject({
    stage: 'running',
    done: [{ kind: 'withdraw', paid: { amount: `${DEMANDED}` } }],
  });
  await Promise.all(clients.map((one) => one.close()));
}, 240_000);

it('is silent from now on: anyone may freeze', async () => {
  await programs.kill(submitter);
  await programs.kill(sequencer);
  for (const [n, amount] of LATE_DEPOSITS.entries()) {
    if (amount === 0) continue;
    const own = withKey(client, l1.trader(n).key);
    await mintTestTokens(own, l1.rollup, { address: l1.trader(n).address, amount });
    await approveVault(own, l1.rollup, { asset: 0, amount });
    await deposit(own, l1.rollup, { asset: 0, subaccount: 0, amount });
  }
  await forceWithdraw(withKey(client, l1.trader(0).key), l1.rollup, {
    asset: 0,
    amount: 5,
    subaccount: 0,
  });
  await passSeconds(client, LIVENESS_SECONDS + 1);
  const view = await exit(0);
  expect(view).toMatchObject({ stage: 'overdue', toDo: [{ kind: 'freeze' }], done: [] });
  expect((await rollupStatus(client, l1.rollup)).frozen).toBe(false);
  expect(await programs.run(['exit'], keyOf(0))).toMatch(
    /anyone may freeze the rollup[\s\S]*you receive[\s\S]*tUSD[\s\S]*freeze the rollup[\s\S]*nothing was sent: give --yes\n$/,
  );
}, 120_000);

it('freezes, settles and registers, and pays what comes first', async () => {
  // The second freezes, settles and registers in one go.
  const second = await exit(1, '--yes');
  expect(second.stage).toBe('claiming');
  expect(second.done.map(({ kind }) => kind)).toEqual(
    expect.arrayContaining(['freeze', 'settle', 'prices', 'register']),
  );
  for (const n of [0, 2, 3]) {
    const { accounts, receives, toDo, nextAt } = await exit(n, '--yes');
    expect(accounts).toEqual([expect.objectContaining({ equity: `${hand.cash[n]}`, registered: true })]);
    expect(receives).toMatchObject([{ refunds: '0', withdrawals: '0', claim: `${hand.cash[n]}` }]);
    expect(toDo).toEqual([]);
    expect(nextAt).toBeGreaterThan(0);
  }
  const late = await exit(4, '--yes');
  expect(late.done.filter(({ kind }) => kind === 'refund')).toMatchObject([
    { paid: { amount: `${LATE_DEPOSITS[4]}` } },
  ]);
  expect(await Promise.all([0, 1, 2, 3, 4].map(balanceOf))).toEqual([
    0n,
    0n,
    BigInt(WITHDRAWN),
    BigInt(DEMANDED + LATE_DEPOSITS[3]!),
    BigInt(LATE_DEPOSITS[4]!),
  ]);
  // Left halfway and taken up again: nothing is done twice.
  expect(await exit(3, '--yes')).toMatchObject({ stage: 'claiming', done: [] });
}, 240_000);

it('pays everybody to the last unit; what stays is the collected fees', async () => {
  const waiting = exit(0, '--yes', '--wait');
  await passSeconds(client, CLAIM_SECONDS);
  expect((await waiting).done.map(({ kind }) => kind)).toEqual(['claim']);
  for (const n of [1, 2, 3]) {
    const { stage, done } = await exit(n, '--yes');
    expect(stage).toBe('paying');
    expect(done).toMatchObject([{ kind: 'claim', paid: { amount: `${hand.cash[n]}` } }]);
  }
  const expected = [0, 1, 2, 3].map((n) =>
    BigInt(hand.cash[n]! + [0, 0, WITHDRAWN, DEMANDED][n]! + LATE_DEPOSITS[n]!),
  );
  expect(await Promise.all([0, 1, 2, 3].map(balanceOf))).toEqual(expected);
  expect(await balanceOf(4)).toBe(BigInt(LATE_DEPOSITS[4]!));
  expect(hand.fees).toBeGreaterThan(0);
  const left = await tokenBalance(client, l1.rollup, { address: l1.rollup.vault });
  expect(left).toBe(BigInt(hand.fees));
  expect(await exit(1, '--yes')).toMatchObject({ stage: 'paying', toDo: [], done: [] });
  expect(await programs.run(['exit'], keyOf(1))).toMatch(/you will receive nothing \(more\)\n$/);
}, 240_000);

const place = (client: SluiceClient, side: number, price: number, size: number) =>
  client.sendOperations([
    { kind: 'place', market: MARKET, side: side as 0 | 1, price, size, timeInForce: 0 },
  ]);
