/**
 * Is a receipt what it seems: signed by the sequencer, with links that lead to it, over the commands that this client
 * sent, and one history with the receipt before? Nothing here asks anybody; L1 is asked by receipt-standing.ts.
 */
import type { Recover } from '#auth/recover.ts';
import { equalBytes } from '#protocol/bytes.ts';
import type { Keccak } from '#protocol/hash.ts';
import {
  decodeSignedReceipt,
  hashReceipt,
  LINK_BYTES,
  nextInputHash,
  recordOfMessage,
  type SignedReceipt,
} from '#protocol/receipt.ts';
import type { SigningDomain } from '#protocol/signing.ts';
import type { Hash } from '#protocol/units.ts';

/** A message of this client that was answered: it must stand in the history at this place. */
export interface OwnCommand {
  readonly seq: number;
  /** Of the REPLY. */
  readonly time: number;
  /** Whole, with its signature. */
  readonly message: Uint8Array;
}

/** The history from one command on to a receipt, as the sequencer tells it. */
export interface Stretch {
  /** First command. */
  readonly from: number;
  /** Running input hash before it. */
  readonly before: Hash;
  /** 32 bytes a command. */
  readonly links: Uint8Array;
}

/** Two receipts of one epoch that can't both be true, as Equivocation.checkReceipts takes them. */
export interface TwoReceipts {
  readonly earlier: SignedReceipt;
  readonly later: SignedReceipt;
  /** Hash of the later one's history after the command of the earlier one. */
  readonly before: Hash;
  /** Links of the commands after it, up to that of the later one. */
  readonly links: Uint8Array;
}

export type ReceiptProblem =
  /** Not signed by the sequencer of this rollup. */
  | { readonly kind: 'forged'; readonly receipt: SignedReceipt }
  /** The links told do not lead to the receipt. */
  | { readonly kind: 'broken'; readonly receipt: SignedReceipt; readonly from: number }
  /** The history holds something else where this client's command was answered to stand. */
  | { readonly kind: 'missing-command'; readonly receipt: SignedReceipt; readonly own: OwnCommand }
  /** The sequencer signed two histories: its bond can be taken. */
  | { readonly kind: 'contradiction'; readonly receipts: TwoReceipts }
  /** The links of own commands are not told (any more). */
  | { readonly kind: 'untold'; readonly from: number; readonly through: number };

/** Who must have signed, and how that is found out. */
export interface ReceiptChecker {
  readonly digests: SigningDomain;
  readonly keccak: Keccak;
  readonly recover: Recover;
  /** 20 bytes: the sequencer that the rollup names on L1. */
  readonly sequencer: Uint8Array;
}

export function isSignedBySequencer(receipt: SignedReceipt, checker: ReceiptChecker): boolean {
  const { digests, keccak, recover, sequencer } = checker;
  const signer = recover(hashReceipt(receipt, digests, keccak), receipt.signature);
  return signer !== undefined && equalBytes(signer, sequencer);
}

/**
 * Follows the stretch up to the receipt. `previous`: a receipt that was found good before, of which the stretch must
 * be the continuation when it reaches so far back. The first problem found, a contradiction before all others.
 */
export function checkStretch(
  receipt: SignedReceipt,
  stretch: Stretch,
  own: readonly OwnCommand[],
  previous: SignedReceipt | undefined,
  keccak: Keccak,
): ReceiptProblem | undefined {
  const { from, before, links } = stretch;
  const broken = { kind: 'broken', receipt, from } as const;
  if (links.length !== LINK_BYTES * (receipt.seq - from + 1) || before.length !== 32) return broken;
  const known = previous?.epoch === receipt.epoch ? previous : undefined;
  const ownAt = new Map(own.map((command) => [command.seq, command]));
  let missing: OwnCommand | undefined;
  let contradiction: ReceiptProblem | undefined;
  let hash = before;
  for (let seq = from - 1; ; seq++) {
    if (known?.seq === seq && !equalBytes(known.inputHash, hash))
      contradiction = {
        kind: 'contradiction',
        receipts: {
          earlier: known,
          later: receipt,
          before: hash,
          links: links.slice(LINK_BYTES * (seq - from + 1)),
        },
      };
    if (seq === receipt.seq) break;
    const at = LINK_BYTES * (seq + 1 - from);
    const link = links.subarray(at, at + LINK_BYTES);
    const command = ownAt.get(seq + 1);
    if (command !== undefined && !equalBytes(linkOf(command, keccak), link)) missing ??= command;
    hash = nextInputHash(hash, link, keccak);
  }
  // What does not lead to the signature is only talk.
  if (!equalBytes(hash, receipt.inputHash)) return broken;
  if (contradiction !== undefined) return contradiction;
  return missing === undefined ? undefined : { kind: 'missing-command', receipt, own: missing };
}

/** Hash of the record that the command must have become. */
export const linkOf = (command: OwnCommand, keccak: Keccak): Hash =>
  keccak(recordOfMessage(command.message, command.time));

/** Two receipts for one command with different hashes. */
export function contradictionOf(a: SignedReceipt, b: SignedReceipt): TwoReceipts | undefined {
  if (a.epoch !== b.epoch || a.seq !== b.seq || equalBytes(a.inputHash, b.inputHash)) return undefined;
  return { earlier: a, later: b, before: b.inputHash, links: new Uint8Array(0) };
}

/** The answer of the query `receipt`, or undefined when it is none. */
export function readReceiptView(
  view: { readonly receipt: Uint8Array; readonly before: Uint8Array; readonly links: Uint8Array },
  from: number,
): { receipt: SignedReceipt; stretch: Stretch } | undefined {
  const { receipt, before, links } = view;
  if (![receipt, before, links].every((bytes) => bytes instanceof Uint8Array)) return undefined;
  try {
    return { receipt: decodeSignedReceipt(receipt), stretch: { from, before, links } };
  } catch {
    return undefined;
  }
}
