/** The door between gateway and corridor: cheap refusals here, everything else into the inbox. */
import { equalBytes } from '#protocol/bytes.ts';
import { Reject, type RejectCode } from '#protocol/reject.ts';
import type { AccountId, Address, MarketId } from '#protocol/units.ts';
import type { ExchangeState } from '#state/exchange-state.ts';
import { hasWithdrawal, type L1Queue } from './l1-queue.ts';
import type { Pipeline } from './pipeline.ts';
import type { Clock, Intake, MessageOrigin } from './ports.ts';
import type { Timers } from './timers.ts';

export interface CorridorRooms {
  readonly state: ExchangeState;
  readonly pipeline: Pipeline;
  readonly timers: Timers;
  readonly l1Queue: L1Queue;
  readonly clock: Clock;
  /** Takes a verified price report; 0, or why it is of no use. */
  readonly takeReport: (market: MarketId, report: Uint8Array, signer: Address) => RejectCode;
}

export class CorridorIntake implements Intake {
  private readonly rooms: CorridorRooms;

  constructor(rooms: CorridorRooms) {
    this.rooms = rooms;
  }

  submitMessage(message: Uint8Array, signer: Address, tag: number, origin: MessageOrigin): RejectCode {
    const { pipeline, l1Queue, clock } = this.rooms;
    if (l1Queue.isStale(clock.nowMs()) && hasWithdrawal(message)) return Reject.L1_STALE;
    return pipeline.submit(message, signer, tag, origin);
  }

  submitReport(market: MarketId, report: Uint8Array, signer: Address): RejectCode {
    return this.rooms.takeReport(market, report, signer);
  }

  /** Reads the live state: a key that is not durable yet may log in early, and sees durable facts only. */
  mayRead(account: AccountId, signer: Address): RejectCode {
    const { state, pipeline } = this.rooms;
    if (!state.accounts.has(account)) return Reject.UNKNOWN_ACCOUNT;
    if (equalBytes(state.accounts.owner(account), signer)) return Reject.NONE;
    const sessionKey = state.sessionKey(account, signer);
    if (sessionKey === undefined) return Reject.SIGNER_NOT_AUTHORIZED;
    return sessionKey.expiry <= pipeline.now() ? Reject.SESSION_KEY_EXPIRED : Reject.NONE;
  }

  connected(account: AccountId): void {
    this.rooms.timers.connected(account);
  }

  disconnected(account: AccountId): void {
    this.rooms.timers.disconnected(account);
  }
}
