/** What happens without anybody asking: ticks and expiries let time pass, lost connections cancel after their grace. */
import { describe, expect, it } from 'vitest';
import { RemoveReason } from '#protocol/event.ts';
import type { Operation } from '#protocol/operation.ts';
import { Corridor } from '../support/corridor.ts';

const bid = (price: number, extra: Partial<Operation> = {}): Operation =>
  ({ kind: 'place', market: 0, side: 0, price, size: 10, timeInForce: 0, ...extra }) as Operation;

async function trader(): Promise<{ corridor: Corridor; account: number }> {
  const corridor = await new Corridor().start();
  const account = await corridor.deposit(1, 1_000_000_000_000);
  await corridor.price(0, 1_000_000);
  return { corridor, account };
}

const countOf = (corridor: Corridor, event: string): number =>
  corridor.log.events.filter((row) => row.event === event).length;

describe('timers', () => {
  it('lets samples and funding run on time while nothing else comes', async () => {
    const { corridor } = await trader();
    const { sampleIntervalMs } = corridor.state.chain;
    const before = countOf(corridor, 'SAMPLE');
    const seq = corridor.state.seq;
    await corridor.clock.advance(10 * sampleIntervalMs);
    expect(countOf(corridor, 'SAMPLE') - before).toBe(10);
    // One command a tick, none for looking in vain.
    expect(corridor.state.seq - seq).toBe(10);
    await corridor.clock.advance(corridor.state.chain.fundingIntervalMs);
    expect(countOf(corridor, 'FUNDING_RATE')).toBe(1);
    expect(corridor.fatal).toBeUndefined();
  });

  it('expires orders at their time, whoever is silent', async () => {
    const { corridor, account } = await trader();
    const expiry = corridor.clock.nowMs() + 1_234;
    await corridor.send(account, bid(900_000, { timeInForce: 1, expiry } as never));
    await corridor.clock.advance(1_233);
    expect(corridor.state.orders.count).toBe(1);
    await corridor.clock.advance(1);
    expect(corridor.state.orders.count).toBe(0);
    const removed = corridor.log.events.find((row) => row.event === 'ORDER_REMOVED');
    expect(removed).toMatchObject({ reason: RemoveReason.EXPIRED, time: expiry });
  });

  it('cancels when the dead-man deadline passes, and not when it was moved', async () => {
    const { corridor, account } = await trader();
    const now = corridor.clock.nowMs();
    await corridor.send(account, bid(900_000), { kind: 'cancel-after', deadline: now + 2_000 });
    await corridor.clock.advance(1_500);
    await corridor.send(account, { kind: 'cancel-after', deadline: now + 5_000 });
    await corridor.clock.advance(1_500);
    expect(corridor.state.orders.count).toBe(1);
    await corridor.clock.advance(2_000);
    expect(corridor.state.orders.count).toBe(0);
  });

  it('cancels on disconnect after the grace, unless a connection came back or the switch went off', async () => {
    const { corridor, account } = await trader();
    const other = await corridor.deposit(2, 1_000_000_000_000);
    const cancelOn = (graceMs: number): Operation => ({
      kind: 'cancel-on-disconnect',
      enabled: true,
      graceMs,
    });
    await corridor.send(account, bid(900_000), cancelOn(500));
    await corridor.send(other, bid(900_000));
    const { timers } = corridor;
    timers.connected(account);
    timers.connected(account);
    timers.connected(other);
    timers.disconnected(account);
    await corridor.clock.advance(1_000);
    expect(corridor.state.orders.count).toBe(2);
    timers.disconnected(account);
    await corridor.clock.advance(400);
    timers.connected(account);
    await corridor.clock.advance(1_000);
    expect(corridor.state.orders.count).toBe(2);
    timers.disconnected(account);
    timers.disconnected(other);
    await corridor.clock.advance(499);
    expect(corridor.state.orders.count).toBe(2);
    await corridor.clock.advance(1);
    expect(corridor.state.accounts.openOrders[account]).toBe(0);
    expect(corridor.state.accounts.openOrders[other]).toBe(1);

    await corridor.send(account, bid(900_000));
    timers.connected(account);
    timers.disconnected(account);
    await corridor.send(account, { kind: 'cancel-on-disconnect', enabled: false, graceMs: 0 });
    const seq = corridor.state.seq;
    await corridor.clock.advance(2_000);
    expect(corridor.state.accounts.openOrders[account]).toBe(1);
    expect(corridor.state.seq - seq).toBeLessThanOrEqual(1);
  });

  it('counts accounts whose connections a crash has cut as gone', async () => {
    const { corridor, account } = await trader();
    await corridor.send(account, bid(900_000), { kind: 'cancel-on-disconnect', enabled: true, graceMs: 700 });
    const { journal, engine, l1, clock } = corridor;
    await corridor.pipeline.close();
    const again = await new Corridor({ journal, engine, l1, clock }).start();
    await clock.advance(699);
    expect(again.state.orders.count).toBe(1);
    await clock.advance(1);
    expect(again.state.orders.count).toBe(0);
  });

  it('lets no more than one clock command a millisecond through when the clock stands still', async () => {
    const { corridor } = await trader();
    corridor.clock.set(corridor.state.nextSampleTime + 1);
    const seq = corridor.state.seq;
    for (let i = 0; i < 50; i++) corridor.pipeline.wake();
    await corridor.clock.advance(0);
    expect(corridor.state.seq - seq).toBe(1);
  });
});
