/** The sequencer as a whole on a real L1: starts, serves, stops, resumes; what stands in its way has a sentence. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SluiceClient } from '#client/client.ts';
import type { SequencerSettings } from '#sequencer/config.ts';
import { runSequencer, type Sequencer } from '#sequencer/main.ts';
import { DEPOSIT, FundedL1, MARK, MARKET } from './funded-l1.ts';
import { until } from './until.ts';

let directory: string;
let l1: FundedL1;
const running: Sequencer[] = [];

const settings = (): SequencerSettings => ({
  data: join(directory, 'sequencer'),
  port: 0,
  l1: l1.devnet.url,
  rollup: l1.rollup.rollup,
  confirmations: 0,
  key: l1.sequencerKey,
  workers: 1,
  batchMs: 200,
  l1StaleMs: 1_500,
  logLevel: 'silent',
});

async function start(changes: Partial<SequencerSettings> = {}): Promise<Sequencer> {
  const sequencer = await runSequencer({ ...settings(), ...changes });
  running.push(sequencer);
  return sequencer;
}

const ready = (sequencer: Sequencer): Promise<void> =>
  until('the sequencer to be ready', async () => (await fetch(`${sequencer.httpUrl}/ready`)).ok);

const bid = (client: SluiceClient, price: number, size = 200) =>
  client.sendOperations([{ kind: 'place', market: MARKET, side: 0, price, size, timeInForce: 0 }]);
const ask = (client: SluiceClient, price: number, size = 200) =>
  client.sendOperations([{ kind: 'place', market: MARKET, side: 1, price, size, timeInForce: 0 }]);

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sluice-sequencer-'));
  l1 = await FundedL1.start(2);
});
afterAll(async () => {
  for (const sequencer of running) await sequencer.stop();
  await l1.devnet.stop();
  await rm(directory, { recursive: true, force: true });
});

describe('the sequencer', () => {
  it('trades, tells how it is, stops in order and resumes where it was', async () => {
    const first = await start();
    await ready(first);
    await l1.reportPrice(first.url);
    await until(
      'the deposits',
      () => (first.status() as { state: { accounts: number } }).state.accounts === 2,
    );
    const [maker, taker] = (await l1.connect(first.url)) as [SluiceClient, SluiceClient];
    const resting = await ask(maker, MARK + 10);
    const { seq, results } = await bid(taker, MARK + 10, 50);
    expect(results[0]).toMatchObject({ status: 'filled', filledSize: 50 });
    expect((await maker.session.query('account', { account: maker.account! })).positions[0]!.size).toBe(-50);

    await until('a signed batch', async () => (await taker.finality({ seq })).stage === 'batched');
    const status = (await (await fetch(`${first.httpUrl}/status`)).json()) as Record<
      string,
      Record<string, number>
    >;
    expect(status.journal!.durableSeq).toBeGreaterThanOrEqual(seq);
    expect(status.totals).toMatchObject({ orders: 2, trades: 1, messages: 2 });
    expect(status.batches!.signed).toBeGreaterThan(0);
    expect(status.l1!.queueNext).toBe(status.l1!.queueLength);
    const metrics = await (await fetch(`${first.httpUrl}/metrics`)).text();
    expect(metrics).toMatch(/^sluice_trades_total 1$/m);
    expect(metrics).toMatch(/^sluice_gateway_connections 2$/m);

    await Promise.all([maker.close(), taker.close()]);
    const before = (first.status() as { state: { seq: number } }).state.seq;
    await first.stop();

    const second = await start();
    await ready(second);
    expect((second.status() as { state: { seq: number } }).state.seq).toBeGreaterThanOrEqual(before);
    const again = (await l1.connect(second.url)) as [SluiceClient, SluiceClient];
    const open = await again[0].session.query('open-orders', { account: again[0].account! });
    expect(open).toMatchObject([{ orderId: resting.results[0]!.orderId, size: 150 }]);
    const fills = await again[1].session.query('fills', { account: again[1].account! });
    expect(fills).toMatchObject([{ event: 'TRADE', seq, size: 50 }]);
    const deposits = await again[1].session.query('transfers', { account: again[1].account! });
    expect(deposits).toMatchObject([{ event: 'DEPOSIT', amount: DEPOSIT }]);
    await Promise.all(again.map((client) => client.close()));
    await second.stop();
  });

  it('says in one sentence what stands in its way, and leaves nothing running', async () => {
    const first = await start();
    await expect(runSequencer({ ...settings(), port: 0 })).rejects.toThrow(/in use by another process/);
    const elsewhere = { ...settings(), data: join(directory, 'elsewhere') };
    await expect(runSequencer({ ...elsewhere, port: first.port })).rejects.toThrow(
      new RegExp(`expected 127.0.0.1:${first.port} to be free to listen on`),
    );
    const { accounts } = l1.devnet;
    await expect(runSequencer({ ...elsewhere, key: accounts[2]!.key })).rejects.toThrow(
      /signing key: expected that of 0x[0-9a-fA-F]{40}, which the rollup names as its sequencer/,
    );
    await expect(runSequencer({ ...elsewhere, l1: 'http://127.0.0.1:9' })).rejects.toThrow(/127\.0\.0\.1:9/);
    await expect(runSequencer({ ...elsewhere, batchMs: 0 })).rejects.toThrow(
      'configuration: batch-ms (settings): expected at least 1, got 0',
    );
    // What was refused holds nothing: the same directory can be used at once.
    const other = await start(elsewhere);
    await other.stop();
    await first.stop();
  });

  it('lets no money leave while L1 is silent, and goes on matching', async () => {
    const sequencer = await start();
    await ready(sequencer);
    const [maker, taker] = (await l1.connect(sequencer.url)) as [SluiceClient, SluiceClient];
    const withdraw = () =>
      taker.sendOperations([{ kind: 'withdraw', asset: 0, amount: 1_000 }]).then(
        ({ results }) => results[0]!.code ?? 'done',
        (error: { code: string }) => error.code,
      );
    expect(await withdraw()).toBe('done');
    await l1.devnet.stop();
    await until('withdrawals to be refused', async () => (await withdraw()) === 'L1_STALE');
    await maker.cancelAll();
    await ask(maker, MARK + 20, 100);
    expect((await bid(taker, MARK + 20, 100)).results[0]).toMatchObject({ status: 'filled' });
    await Promise.all([maker.close(), taker.close()]);
    await sequencer.stop();
  });
});
