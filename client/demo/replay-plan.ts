/**
 * Who sends what in a replay: every row of a recording becomes one operation of one account. Orders that rest
 * belong to maker accounts, takes to taker accounts, so that no order meets its own account; a cancel or amend
 * comes from the account that owns the order. The row's id is the order's client id.
 */
import type { Operation } from '#protocol/operation.ts';
import { GTC, IOC } from '#protocol/units.ts';
import type { RecordedRow } from './recording.ts';

export const REPLAY_MAKERS = 50;
export const REPLAY_TAKERS = 10;

export interface PlannedOperation {
  /** Place of the sender among the replay's accounts: makers first, then takers. */
  readonly sender: number;
  readonly operation: Operation;
}

export interface ReplayPlan {
  readonly accounts: number;
  /** One per row, in the order of the rows. */
  readonly operations: readonly PlannedOperation[];
  /** Lots, for each account, that its open orders and its position never exceed together. */
  readonly lotsMax: readonly number[];
  /** Ticks. */
  readonly priceMax: number;
  /** Largest order, lots. */
  readonly sizeMax: number;
}

export function planReplay(
  rows: readonly RecordedRow[],
  options: { readonly market: number; readonly makers?: number; readonly takers?: number },
): ReplayPlan {
  const { market, makers = REPLAY_MAKERS, takers = REPLAY_TAKERS } = options;
  const owners = new Map<number, number>();
  const lots = new Array<number>(makers + takers).fill(0);
  const lotsMax = [...lots];
  let adds = 0;
  let takes = 0;
  let priceMax = 1;
  let sizeMax = 1;
  const operations = rows.map(({ op, id, side, price, size }): PlannedOperation => {
    priceMax = Math.max(priceMax, price);
    sizeMax = Math.max(sizeMax, size);
    let sender = owners.get(id)!;
    if (op === 'take') sender = makers + (takes++ % takers);
    else if (op === 'add') {
      sender = adds++ % makers;
      owners.set(id, sender);
    }
    // What an amend replaces is not known without matching: its new size counts on top.
    lots[sender]! += op === 'cancel' ? -size : size;
    lotsMax[sender] = Math.max(lotsMax[sender]!, lots[sender]!);
    if (op === 'amend')
      return { sender, operation: { kind: 'amend', market, by: 'client', id, price, size } };
    if (op === 'cancel') return { sender, operation: { kind: 'cancel', market, by: 'client', id } };
    const timeInForce = op === 'take' ? IOC : GTC;
    return { sender, operation: { kind: 'place', market, side, price, size, timeInForce, clientId: id } };
  });
  return { accounts: makers + takers, operations, lotsMax, priceMax, sizeMax };
}
