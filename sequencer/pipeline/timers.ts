/**
 * What has to happen without anybody asking: CLOCK commands when a tick or an expiry is due and nothing else has
 * let time pass, and DISCONNECT commands for accounts whose last order-entry connection is gone for longer than
 * their grace period.
 */
import { viewOf } from '#protocol/bytes.ts';
import { CLOCK, DISCONNECT, NO_SIGNERS } from '#protocol/command.ts';
import type { AccountId, TimeMs } from '#protocol/units.ts';
import type { ExchangeState } from '#state/exchange-state.ts';
import type { CommandSource, OwnCommand, Scheduler } from './ports.ts';

const CLOCK_COMMAND: OwnCommand = { kind: CLOCK, body: new Uint8Array(0), signers: NO_SIGNERS };
/** The state is looked at this often even if nothing seems due: an order may have come with an early expiry. */
const LOOK_MS_MAX = 1_000;

export interface TimersOptions {
  readonly state: ExchangeState;
  readonly scheduler: Scheduler;
  /** Time of the next command. */
  readonly now: () => TimeMs;
  /** Something is due. */
  readonly wake: () => void;
}

export class Timers implements CommandSource {
  private readonly options: TimersOptions;
  /** Open order-entry connections per account; absent when none. */
  private readonly connections = new Map<AccountId, number>();
  /** Accounts without a connection that asked for cancel-on-disconnect: when their grace is over. */
  private readonly gone = new Map<AccountId, TimeMs>();
  private lastClock: TimeMs = -1;
  private cancelAlarm: (() => void) | undefined;
  private alarmAt = Number.POSITIVE_INFINITY;
  private stopped = false;

  constructor(options: TimersOptions) {
    this.options = options;
  }

  /** Sets the first alarm. Accounts whose connections a crash has cut count as gone from now on. */
  start(): void {
    const { state, now } = this.options;
    for (let account = 1; account <= state.accounts.count; account++)
      if (this.graceOf(account) !== undefined && state.accounts.openOrders[account]! > 0)
        this.gone.set(account, now() + this.graceOf(account)!);
    this.arm();
  }

  stop(): void {
    this.stopped = true;
    this.cancelAlarm?.();
  }

  connected(account: AccountId): void {
    this.connections.set(account, (this.connections.get(account) ?? 0) + 1);
    this.gone.delete(account);
  }

  disconnected(account: AccountId): void {
    const left = (this.connections.get(account) ?? 0) - 1;
    if (left > 0) {
      this.connections.set(account, left);
      return;
    }
    this.connections.delete(account);
    const grace = this.graceOf(account);
    if (grace === undefined) return;
    this.gone.set(account, this.options.now() + grace);
    this.arm();
  }

  take(now: TimeMs): OwnCommand | undefined {
    const account = this.dueAccount(now);
    if (account !== undefined) {
      this.gone.delete(account);
      const body = new Uint8Array(4);
      viewOf(body).setUint32(0, account, true);
      return { kind: DISCONNECT, body, signers: NO_SIGNERS };
    }
    // One a millisecond at most: a clock that stands still must not be a loop.
    if (now > this.lastClock && this.nextTick() <= now) {
      this.lastClock = now;
      return CLOCK_COMMAND;
    }
    this.arm();
    return undefined;
  }

  /** A DISCONNECT is refused only when the switch was turned off meanwhile. */
  settled(): void {}

  /** The account whose grace ended first; its switch may have been turned off meanwhile. */
  private dueAccount(now: TimeMs): AccountId | undefined {
    for (const [account, at] of this.gone) {
      if (this.graceOf(account) === undefined) this.gone.delete(account);
      else if (at <= now) return account;
    }
    return undefined;
  }

  private graceOf(account: AccountId): number | undefined {
    const armed = this.options.state.accounts.disconnectGrace[account] ?? 0;
    return armed === 0 ? undefined : armed - 1;
  }

  /** When the next sample, funding tick, order expiry or dead-man deadline is due; Infinity for none. */
  private nextTick(): TimeMs {
    const { state } = this.options;
    let next = state.expiries.peek()?.time ?? Number.POSITIVE_INFINITY;
    if (state.nextSampleTime > 0) next = Math.min(next, state.nextSampleTime);
    if (state.nextFundingTime > 0) next = Math.min(next, state.nextFundingTime);
    return next;
  }

  private arm(): void {
    if (this.stopped) return;
    const now = this.options.now();
    let next = Math.min(this.nextTick(), now + LOOK_MS_MAX);
    for (const at of this.gone.values()) next = Math.min(next, at);
    // An alarm that rings before is as good: it looks again.
    if (this.alarmAt <= next && this.alarmAt > now) return;
    this.cancelAlarm?.();
    this.alarmAt = next;
    this.cancelAlarm = this.options.scheduler.after(Math.max(1, next - now), () => {
      this.alarmAt = Number.POSITIVE_INFINITY;
      this.cancelAlarm = undefined;
      this.options.wake();
    });
  }
}
