/**
 * The ports of the corridor: what the pipeline needs from the outside world. Interfaces only; adapters
 * implement them (journal/, feed/, oracle/, settlement/l1/) and only main.ts knows both sides.
 *
 * "Durable" on this page means: the promise resolved, and a power cut in the next instant loses nothing of it.
 */
import type { SignedBatch } from '#protocol/batch.ts';
import type { QueueEntry } from '#protocol/queue-entry.ts';
import type { SignedReceipt } from '#protocol/receipt.ts';
import type { RejectCode } from '#protocol/reject.ts';
import type { AccountId, Address, Hash, MarketId, Seq, TimeMs } from '#protocol/units.ts';
import type { Channel, SubscribeRequest } from '#protocol/wire.ts';

/** The only source of time. */
export interface Clock {
  /** Milliseconds since 1970 UTC; may step backwards, the pipeline keeps command times from doing so. */
  nowMs(): TimeMs;
}

/** Waiting, so that a simulator can let weeks pass. */
export interface Scheduler {
  /** Calls back once, not before `ms` have passed; returns what cancels it. Holds no process up. */
  after(ms: number, callback: () => void): () => void;
  /** Microseconds of a clock that never steps back; for measuring, never for commands. */
  monotonicUs(): number;
}

export type DiskErrorCode =
  | 'not-found'
  | 'exists'
  /** No room: what was asked for was not done, and nothing of it stays behind. */
  | 'disk-full'
  /** Another process holds the lock. */
  | 'locked'
  /** Anything else: after a write or flush the bytes on disk are unknown. */
  | 'io';

/** What every method of Disk and DiskFile rejects with (an Error with these facts). */
export interface DiskFailure extends Error {
  readonly code: DiskErrorCode;
  readonly path: string;
  readonly cause?: unknown;
}

/**
 * One open file. Bytes given to a write must not change until its promise settles. A rejected write or flush
 * leaves the written range unknown: it must not be retried on this file.
 */
export interface DiskFile {
  readonly path: string;
  /** Writes all bytes at `position`; not durable before the next `fdatasync` of this file. */
  pwrite(bytes: Uint8Array, position: number): Promise<void>;
  /** As `pwrite`, and durable when it resolves; says nothing of earlier writes. One trip where two would do. */
  pwriteDurable(bytes: Uint8Array, position: number): Promise<void>;
  /** Fills `into` from `position`; returns the bytes read, fewer only at the end of the file. */
  pread(into: Uint8Array, position: number): Promise<number>;
  /** Everything written to this file so far is durable, its length included. */
  fdatasync(): Promise<void>;
  /** Not durable before the next `fdatasync`. */
  truncate(bytes: number): Promise<void>;
  size(): Promise<number>;
  close(): Promise<void>;
}

/**
 * Files by path. Creating, renaming and unlinking are durable only after `syncDirectory` of the directory;
 * the contents of a renamed file only if they were flushed before.
 */
export interface Disk {
  /** An existing file, for reading and writing; `not-found` otherwise. */
  open(path: string): Promise<DiskFile>;
  /**
   * A new file of `bytes` zero bytes whose blocks are allocated and flushed, so that overwriting them can
   * not run out of space; `exists` when there is one. `disk-full` leaves no file behind.
   */
  create(path: string, bytes: number): Promise<DiskFile>;
  /** Replaces `to` if it exists. */
  rename(from: string, to: string): Promise<void>;
  unlink(path: string): Promise<void>;
  /** Names in a directory, sorted by code unit; empty when there is no such directory. */
  list(directory: string): Promise<string[]>;
  /** With its parents; no error when it exists. */
  makeDirectory(path: string): Promise<void>;
  syncDirectory(path: string): Promise<void>;
  /** Bytes that a new file in this directory could take. */
  freeBytes(directory: string): Promise<number>;
  /** Exclusive until released or the process ends, however it ends; `locked` when another holds it. */
  lock(path: string): Promise<DiskLock>;
}

export interface DiskLock {
  release(): Promise<void>;
}

/** End of the journal: the last command's seq (0 before the first) and the hash of the last frame. */
export interface JournalHead {
  readonly seq: Seq;
  /** 32 bytes; what the next append must name as its predecessor. */
  readonly hash: Hash;
}

/** State after command `seq`, for comparison on replay. */
export interface StateMark {
  readonly seq: Seq;
  /** Version of the engine that computed it. */
  readonly engineVersion: number;
  /** 32 bytes. */
  readonly stateHash: Hash;
}

export interface JournalAppend {
  /** Not below that of the frame before; an append of an older epoch is refused (a fenced writer). */
  readonly epoch: number;
  /** Hash of the frame that the writer takes for the last one; refused when it is not. */
  readonly after: Hash;
  /** Must be head.seq + 1. */
  readonly firstSeq: Seq;
  /** Commands in the payload, at least 1; 0 for a mark alone. */
  readonly count: number;
  /** Entries (journal/entry.ts), at most JOURNAL_PAYLOAD_BYTES_MAX; copied before `append` returns. */
  readonly payload: Uint8Array;
  /** State after a command up to the payload's last, journaled with it under the same flush. */
  readonly mark?: StateMark;
}

/** What a reader of the journal is given, in order. */
export type JournalRecord =
  | {
      readonly kind: 'commands';
      readonly epoch: number;
      readonly firstSeq: Seq;
      readonly count: number;
      /** Entries (journal/entry.ts); valid until the next record is asked for. */
      readonly payload: Uint8Array;
    }
  | ({ readonly kind: 'mark'; readonly epoch: number } & StateMark);

/** Reads a journal that may still be growing under another's hands. */
export interface JournalSource {
  /**
   * All records from the one that holds command `seq` (its payload may begin earlier) up to and including
   * the one that holds `through` and its mark; without `through`, all that is durable when called, where
   * the source knows that. `seq` above `through` yields nothing; `seq` below what is kept throws.
   */
  readFrom(seq: Seq, through?: Seq): AsyncIterable<JournalRecord>;
}

/** The truth: nothing derived from a command leaves the process before its append has resolved. */
export interface Journal extends JournalSource {
  /** Last durable frame. */
  readonly head: JournalHead;
  /** Seq of the last durable command; 0 when there is none. */
  readonly lastSeq: Seq;
  /** First command still kept; lastSeq + 1 when none is. */
  readonly firstSeq: Seq;
  /**
   * Payload bytes that can surely be appended before the disk must give more space. Below a few groups the
   * corridor answers "busy" instead of sequencing what it could not make durable.
   */
  readonly headroomBytes: number;
  /**
   * Resolves with the new head when the frame (and its mark) is durable. One at a time: a second call before
   * the first has settled throws. Refused (stale epoch, other predecessor, wrong seq, disk full) means that
   * nothing was written; after any other failure the journal is dead, every later call rejects, and the
   * process must end without a retry.
   */
  append(frame: JournalAppend): Promise<JournalHead>;
  /** Drops whole segments that hold only commands below `seq`; what a snapshot and all consumers have passed. */
  pruneBelow(seq: Seq): Promise<void>;
  /** Waits for the append in flight; the data directory is free afterwards. */
  close(): Promise<void>;
}

export interface SnapshotMeta {
  /** State after this command. */
  readonly seq: Seq;
  readonly ledgerRoot: Hash;
  readonly bookRoot: Hash;
  /** Last batch that ends at or before `seq`; 0 before the first. */
  readonly batchId: number;
  readonly engineVersion: number;
}

export interface SnapshotInfo extends SnapshotMeta {
  /** Bytes of the payload. */
  readonly bytes: number;
  /** The batcher replayed the journal to the same roots: older journal may be dropped. */
  readonly verified: boolean;
}

/** The newest three snapshots, and always the newest verified one. Payloads are opaque here. */
export interface SnapshotStore {
  /** Durable when it resolves; `payload` must not change until then. */
  save(meta: SnapshotMeta, payload: Uint8Array): Promise<SnapshotInfo>;
  /** Newest first. */
  list(): Promise<SnapshotInfo[]>;
  /** Its contents, checked against their hash; throws a named error when they differ or are gone. */
  load(seq: Seq): Promise<{ info: SnapshotInfo; payload: Uint8Array }>;
  markVerified(seq: Seq): Promise<void>;
  close(): Promise<void>;
}

/** One header per (epoch, id), ever: what the sequencer's key has signed. */
export interface SignedCommitment {
  readonly epoch: number;
  readonly id: number;
  readonly parentHash: Hash;
  /** EIP-712 digest of the header. */
  readonly hash: Hash;
}

/** The last receipt that may have left the process. */
export interface ReceiptMemory {
  readonly last: SignedReceipt | undefined;
  /** Called before the receipt is told to anybody; durable when it resolves. */
  remember(receipt: SignedReceipt): Promise<void>;
}

/** Signed batches by id, and the signer's memory. */
export interface BatchStore {
  /**
   * Called before signing; durable when it resolves. Rejects when another hash was ever allowed for this
   * (epoch, id), or the epoch is below one already used. The same hash again is allowed.
   */
  remember(commitment: SignedCommitment): Promise<void>;
  /** Durable when it resolves; rejects unless its commitment was remembered. */
  put(batch: SignedBatch): Promise<void>;
  /** The newest epoch's batch with this id, checked by hash; undefined when there is none. */
  get(id: number): Promise<SignedBatch | undefined>;
  /** The batch that was signed last; undefined before the first. */
  latest(): Promise<SignedBatch | undefined>;
  /** Batches of the valid chain from `id` on, ascending, at most `limit`. */
  list(id: number, limit: number): Promise<SignedBatch[]>;
  close(): Promise<void>;
}

/** Event rows (protocol/event.ts) as the engine wrote them: `count` rows of EVENT_STRIDE columns. */
export interface EventRows {
  readonly data: Float64Array;
  readonly count: number;
}

/**
 * Is given the events of durable commands, in order and without gaps. The journal is pruned below the least
 * acknowledged seq; after a restart everything above it comes again.
 */
export interface EventConsumer {
  readonly name: string;
  /**
   * Events of one or more commands ending with `throughSeq` (possibly no rows). The buffer is reused
   * afterwards. `endOfBatch`: nothing more is waiting, so send what was gathered. Must not throw.
   */
  onEvents(rows: EventRows, throughSeq: Seq, endOfBatch: boolean): void;
  /** Every command up to here needs not be given again. */
  readonly acknowledgedSeq: Seq;
}

/** One past event of an account or market, with its place for paging. */
export interface HistoryRow {
  /** Kind and columns as in protocol/event.ts, EVENT_STRIDE numbers (column 1 seq, column 2 time). */
  readonly columns: readonly number[];
  /** `before` of the page that continues after this row. */
  readonly cursor: HistoryCursor;
}

export interface HistoryCursor {
  readonly seq: Seq;
  /** Place among the rows of this seq in the same list, from 0. */
  readonly place: number;
}

export interface HistoryPage {
  /** At most 1,000; default 100. */
  readonly limit?: number;
  /** Only rows older than this place. */
  readonly before?: HistoryCursor;
  /** Only rows at or after this time. */
  readonly fromTime?: TimeMs;
  /** Only rows at or before this time. */
  readonly toTime?: TimeMs;
}

export interface Candle {
  /** Start of the interval, milliseconds. */
  readonly time: TimeMs;
  /** Ticks. */
  readonly open: number;
  readonly high: number;
  readonly low: number;
  readonly close: number;
  /** Lots traded. */
  readonly volume: number;
  readonly trades: number;
}

/** What happened, for queries: an event consumer with memory. All pages are newest first. */
export interface HistoryStore extends EventConsumer {
  /** Life of the account's orders: OPERATION_RESULT, ORDER_RESTED, ORDER_REDUCED, ORDER_REMOVED. */
  orders(account: AccountId, page?: HistoryPage): Promise<HistoryRow[]>;
  /** TRADE rows in which the account was maker or taker. */
  fills(account: AccountId, page?: HistoryPage): Promise<HistoryRow[]>;
  /** FUNDING_PAYMENT rows. */
  funding(account: AccountId, page?: HistoryPage): Promise<HistoryRow[]>;
  /** DEPOSIT, WITHDRAWAL and TRANSFER rows. */
  transfers(account: AccountId, page?: HistoryPage): Promise<HistoryRow[]>;
  /** TRADE rows of a market. */
  trades(market: MarketId, page?: HistoryPage): Promise<HistoryRow[]>;
  /** FUNDING_RATE rows of a market. */
  fundingRates(market: MarketId, page?: HistoryPage): Promise<HistoryRow[]>;
  /** Candles of an interval (60_000, 3_600_000 or 86_400_000 ms) with from ≤ time ≤ to, newest first. */
  candles(
    market: MarketId,
    intervalMs: number,
    range: { from: TimeMs; to: TimeMs; limit: number },
  ): Promise<Candle[]>;
  /** Writes what is gathered; `acknowledgedSeq` moves up when it resolves. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

export interface L1Anchor {
  readonly number: number;
  /** 32 bytes. */
  readonly hash: Hash;
  /** Block time, milliseconds. */
  readonly timeMs: TimeMs;
}

/** A queue entry deep enough below L1's head to be sequenced. */
export interface ConfirmedEntry extends QueueEntry {
  readonly blockNumber: number;
  /** Prefix hash of the queue after this entry, as the contract has it. */
  readonly prefixHash: Hash;
  /** It must be in a committed batch by then, milliseconds. */
  readonly deadlineMs: TimeMs;
}

/** L1 as far as it is settled; synchronous reads of what a follower has gathered. */
export interface L1View {
  /** Latest block that batches may name; undefined before the first was seen. */
  readonly anchor: L1Anchor | undefined;
  /** Clock time at which L1 last answered; an old one stops withdrawals and new deposits, not matching. */
  readonly seenAtMs: TimeMs;
  /** Confirmed entries from `index` on without gaps, at most `limit`. */
  entries(index: number, limit: number): readonly ConfirmedEntry[];
  /** Calls back when the anchor has moved or entries have come; returns the unsubscription. */
  onChange(listener: () => void): () => void;
}

/** Who waits for the answer to a message. Neither method may throw, nor submit anything before it returns. */
export interface MessageOrigin {
  /** The message is durable: a whole REPLY frame, a view that is valid during the call. */
  reply(frame: Uint8Array): void;
  /** The message had no effect at all; `tag` is that of the submission. */
  reject(tag: number, code: RejectCode): void;
}

/** Where the gateway hands in what it has read and verified. Synchronous: a submission only joins the inbox. */
export interface Intake {
  /**
   * `message`: a whole well-formed signed message (message.ts), which must not change until it is answered;
   * `signer`: 20 bytes, recovered from its signature. Returns 0 when taken: `origin` is then told exactly once,
   * in the order of submission. BUSY or SHUTTING_DOWN: not taken, and `origin` is told nothing.
   */
  submitMessage(message: Uint8Array, signer: Address, tag: number, origin: MessageOrigin): RejectCode;
  /** `report`: 89 bytes (price-report.ts), copied. 0 when taken, else why it is of no use. */
  submitReport(market: MarketId, report: Uint8Array, signer: Address): RejectCode;
  /** Whether `signer` may read what is private to the account: its owner, or one of its living session keys. */
  mayRead(account: AccountId, signer: Address): RejectCode;
  /** An order-entry connection logged in to the account, or went: for cancel-on-disconnect. Calls must pair up. */
  connected(account: AccountId): void;
  disconnected(account: AccountId): void;
}

/** Market (ticker, books, trades) or account (account) that a stream is about; 0 for `status` and `receipts`. */
export type StreamSubject = number;

/** Where a subscription begins. */
export interface StreamStart {
  /** What follows continues after this sequence. */
  readonly sequence: number;
  /** As in Subscribed (wire.ts). */
  readonly resumed: boolean;
  /** To be sent first: snapshot, merged delta, or reports that were missed. May be kept. */
  readonly frames: readonly Uint8Array[];
}

/** The streams of the feed. All of them tell durable facts only. */
export interface FeedSource {
  /**
   * State of a stream as of the last publication, or what it has told since `fromSeq`. It serves new
   * subscribers, and readers that were slow: leave their stream alone until they have drained, then ask again
   * with the last sequence that was sent to them. Rights are the gateway's to check.
   */
  start(request: SubscribeRequest): StreamStart | RejectCode;
  /** One listener; a second call replaces the first. */
  listen(listener: FeedListener): void;
}

export interface FeedListener {
  /** False: nobody listens to this stream, and its frames need not be made. */
  wants(channel: Channel, subject: StreamSubject): boolean;
  /** One or more whole frames that continue the stream up to `sequence`; a view that is valid during the call. */
  onFrames(channel: Channel, subject: StreamSubject, frames: Uint8Array, sequence: number): void;
  /** Everything of this group commit was given: send what was gathered. */
  onEndOfBatch(): void;
}

/** Answers queries (protocol/query.ts). An answer is let go only when everything it was read from is durable. */
export interface QuerySource {
  /**
   * `parameters`: the unpacked QUERY body. The gateway has checked that a private query's account is logged in.
   * Resolves with what is to be packed, or a code with a sentence; never rejects.
   */
  answer(query: string, parameters: Readonly<Record<string, unknown>>): Promise<QueryAnswer>;
}
export type QueryAnswer =
  | { readonly ok: true; readonly answer: unknown }
  | { readonly ok: false; readonly code: RejectCode; readonly sentence: string };

/** Is given every durable command, in order and without gaps, in the form of the journal. */
export interface CommandConsumer {
  /** Entries (journal/entry.ts) of `count` commands from `firstSeq` on; copied during the call. Must not throw. */
  onCommands(firstSeq: Seq, count: number, payload: Uint8Array): void;
  /** It is done with every command up to here. */
  readonly acknowledgedSeq: Seq;
}

/** A command that no user sent: a price round, an entry of the L1 queue, the passing of time. */
export interface OwnCommand {
  readonly kind: number;
  readonly body: Uint8Array;
  /** 20 bytes per signature in the body. */
  readonly signers: Uint8Array;
}

/** A room that has commands of its own. It wakes the corridor when there is something to take. */
export interface CommandSource {
  /** The next command, undefined when there is none now. */
  take(now: TimeMs): OwnCommand | undefined;
  /** What became of the command taken last: it was applied (0), or the engine refused it with a code. */
  settled(code: RejectCode): void;
}

/** Where batches stand, on this side and on L1: for finality, status and the bound on what is not posted. */
export interface BatchView {
  /** The batch that was signed last; undefined before the first. */
  readonly signed: { readonly id: number; readonly nextSeq: Seq } | undefined;
  /** Highest id that L1 has committed or finalized, 0 before the first; as far as L1 was seen. */
  readonly committed: number;
  readonly final: number;
  /** The batch that holds command `seq`; undefined when it is not batched yet. */
  batchOf(seq: Seq): Promise<BatchState | undefined>;
}
export interface BatchState {
  readonly id: number;
  readonly hash: Hash;
  readonly stage: 'batched' | 'committed' | 'final';
  /** L1 transaction that committed it; 32 bytes. */
  readonly transaction?: Hash;
  /** When its challenge window ends. */
  readonly finalAtMs?: TimeMs;
}
