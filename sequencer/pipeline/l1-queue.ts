/** Entries of the L1 queue become commands: in the contract's order, each once, as soon as they are deep enough. */
import { equalBytes, toHex, viewOf } from '#protocol/bytes.ts';
import { NO_SIGNERS, QUEUE_ENTRY } from '#protocol/command.ts';
import { MESSAGE_HEADER_BYTES } from '#protocol/limits.ts';
import { messageOperationCount } from '#protocol/message.ts';
import { OPERATION_BYTES, WITHDRAW } from '#protocol/operation.ts';
import { encodeQueueEntry } from '#protocol/queue-entry.ts';
import type { RejectCode } from '#protocol/reject.ts';
import type { Hash, TimeMs } from '#protocol/units.ts';
import type { ExchangeState } from '#state/exchange-state.ts';
import type { CommandSource, L1View, OwnCommand } from './ports.ts';

export interface L1QueueOptions {
  readonly state: ExchangeState;
  readonly l1: L1View;
  /** Without a word from L1 for so long, no money leaves. */
  readonly staleMs: number;
}

export class L1Queue implements CommandSource {
  private readonly options: L1QueueOptions;
  private expected: { index: number; prefixHash: Hash } | undefined;

  constructor(options: L1QueueOptions) {
    this.options = options;
  }

  take(): OwnCommand | undefined {
    const { state, l1 } = this.options;
    const entry = l1.entries(state.queueNext, 1)[0];
    if (entry === undefined) return undefined;
    this.expected = entry;
    return { kind: QUEUE_ENTRY, body: encodeQueueEntry(entry), signers: NO_SIGNERS };
  }

  /** Throws when L1 and the state machine disagree: what was sequenced before is no longer what L1 says. */
  settled(code: RejectCode): void {
    const { state } = this.options;
    const { index, prefixHash } = this.expected!;
    if (code !== 0) throw new Error(`L1 queue entry ${index}: expected it to be admitted, got code ${code}`);
    if (!equalBytes(state.queueHash, prefixHash))
      throw new Error(
        `L1 queue: expected prefix hash ${toHex(prefixHash)} after entry ${index}, got ${toHex(state.queueHash)}: ` +
          'L1 was reorganized deeper than the configured depth; run sluice recover',
      );
  }

  /** True when L1 has been silent for too long at clock time `nowMs`. */
  isStale(nowMs: TimeMs): boolean {
    return nowMs - this.options.l1.seenAtMs > this.options.staleMs;
  }
}

/** True when one of a well-formed message's operations is a withdrawal. */
export function hasWithdrawal(message: Uint8Array): boolean {
  let at = MESSAGE_HEADER_BYTES;
  for (let i = messageOperationCount(viewOf(message)); i > 0; i--) {
    const kind = message[at]!;
    if (kind === WITHDRAW) return true;
    at += OPERATION_BYTES[kind]!;
  }
  return false;
}
