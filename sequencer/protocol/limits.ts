/** Every bound of the protocol, in one place and asserted against each other at load. */
import { assert } from './assert.ts';

/** Operations under one signature. A market maker replaces a ladder of 25 levels a side in one message. */
export const MESSAGE_OPERATIONS_MAX = 50;
/** The longest operation (SESSION_KEY, PLACE) is 32 bytes. */
export const OPERATION_BYTES_MAX = 32;
export const SIGNATURE_BYTES = 65;
export const MESSAGE_HEADER_BYTES = 24;
export const MESSAGE_BYTES_MAX =
  MESSAGE_HEADER_BYTES + MESSAGE_OPERATIONS_MAX * OPERATION_BYTES_MAX + SIGNATURE_BYTES;

export const RECORD_HEADER_BYTES = 12;
/** Signed reports in one price round; the publisher set is no larger. */
export const PUBLISHERS_MAX = 16;
export const PUBLISHERS_MIN = 5;
export const PRICE_REPORT_BYTES = 89;
export const PRICE_ROUND_HEADER_BYTES = 4;
export const PRICE_ROUND_BYTES_MAX = PRICE_ROUND_HEADER_BYTES + PUBLISHERS_MAX * PRICE_REPORT_BYTES;
/** Payload of one L1 queue entry (settlement.md section 3). */
export const QUEUE_PAYLOAD_BYTES_MAX = 256;
export const QUEUE_ENTRY_HEADER_BYTES = 32;
export const RECORD_BODY_BYTES_MAX = 2048;
/** Entries of one group commit: more than a thousand of the longest. */
export const JOURNAL_PAYLOAD_BYTES_MAX = 4 * 1024 * 1024;

/** Input bytes and weight of one segment: what one L1 transaction can re-execute (settlement.md section 2). */
export const SEGMENT_INPUT_BYTES_MAX = 4096;
export const SEGMENT_WEIGHT_MAX = 10_000_000;

/** Positions (markets with a position or an open order) in one account leaf. */
export const POSITIONS_MAX = 16;
/** Assets besides quote cash in one account leaf. */
export const ASSET_ROWS_MAX = 8;
export const OPEN_ORDERS_PER_ACCOUNT_MAX = 10_000;
export const SESSION_KEYS_PER_ACCOUNT_MAX = 32;
export const SUBACCOUNTS_MAX = 256;
export const MARKETS_MAX = 1024;
/** Risk pools are numbered by one byte. */
export const RISK_POOL_MAX = 255;
/** Interest of every asset is brought up to date this often, and when its pool is touched. */
export const ACCRUAL_INTERVAL_MS = 3_600_000;
export const ASSETS_MAX = 64;
export const TIERS_MAX = 8;
/** Price levels a side that one sample or fill-or-kill check reads. */
export const DEPTH_LEVELS_MAX = 32;
/** Fresh nonces may lie this far below the highest one seen. */
export const NONCE_WINDOW_BITS = 256;
/** A nonce may be at most this far ahead of the clock, so that one slip cannot use up the whole range. */
export const NONCE_AHEAD_MS_MAX = 86_400_000;

/** One value in a state tree; a full account leaf is the longest and stays far below. */
export const LEAF_VALUE_BYTES_MAX = 4096;
/** Ledger diff of one batch: it goes into one L1 transaction, of which nodes accept 128 KiB. */
export const DIFF_BYTES_MAX = 131_072;
/**
 * Input of the transaction that commits a batch. Whoever proves it wrong sends its diff or inputs again, within what
 * nodes accept, and proofs beside them.
 */
export const COMMIT_CALLDATA_BYTES_MAX = 118_784;

/** Binary frames (wire.ts). The length field is 16 bits wide. */
export const FRAME_HEADER_BYTES = 8;
export const FRAME_BYTES_MAX = 2 ** 16 - 1;
/** Longest frame that a client may send: a full message fits, and nothing much longer is of use. */
export const CLIENT_FRAME_BYTES_MAX = 2048;
/** One WebSocket message from a client: a few full frames. */
export const CLIENT_PACKET_BYTES_MAX = 16_384;
/** The sentence in a REJECT or GOODBYE frame, UTF-8. */
export const SENTENCE_BYTES_MAX = 400;
/** A login must be signed for a time at most this far from the server's clock. */
export const LOGIN_AGE_MS_MAX = 60_000;

export const PRICE_MAX = 2 ** 32 - 1;
export const SIZE_MAX = 2 ** 48 - 1;
export const CLIENT_ID_MAX = Number.MAX_SAFE_INTEGER;
export const TIME_MS_MAX = 2 ** 48 - 1;
/** maxPosition · maxPrice · qm, and every open-order total, stay within this (margin.md section 1). */
export const NOTIONAL_MAX = 2 ** 48;
/** The same in whole quote, for caps of configurations. */
export const WHOLE_QUOTE_MAX = 2 ** 28;
/** |cash| and |v| of one position. */
export const QUOTE_MAX = 2 ** 51;
/** An account trades, and is paid funding, only within this, so that no single fill takes its cash beyond QUOTE_MAX. */
export const TRADING_CASH_MAX = QUOTE_MAX - 2 * NOTIONAL_MAX;
/** Most that one settlement of a position's funding moves: half of what a position can be worth. */
export const FUNDING_PAYMENT_MAX = NOTIONAL_MAX / 2;
export const MILLION = 1_000_000;
export const BILLION = 1_000_000_000;

assert(WHOLE_QUOTE_MAX * MILLION <= NOTIONAL_MAX, 'caps in whole quote are notionals');
assert(POSITIONS_MAX * NOTIONAL_MAX < 2 ** 53, 'the notional of a full account fits a safe integer');
assert(
  QUOTE_MAX + POSITIONS_MAX * (NOTIONAL_MAX + FUNDING_PAYMENT_MAX) <= 2 ** 53,
  'the equity of a full account fits a safe integer',
);
assert(RECORD_HEADER_BYTES + MESSAGE_BYTES_MAX <= SEGMENT_INPUT_BYTES_MAX, 'a message fits a segment');
assert(MESSAGE_BYTES_MAX <= RECORD_BODY_BYTES_MAX, 'a message fits a record');
assert(PRICE_ROUND_BYTES_MAX <= RECORD_BODY_BYTES_MAX, 'a full price round fits a record');
assert(
  QUEUE_ENTRY_HEADER_BYTES + QUEUE_PAYLOAD_BYTES_MAX <= RECORD_BODY_BYTES_MAX,
  'a queue entry fits a record',
);
assert(PUBLISHERS_MIN <= PUBLISHERS_MAX, 'publisher bounds');
assert(FRAME_HEADER_BYTES + MESSAGE_BYTES_MAX <= CLIENT_FRAME_BYTES_MAX, 'a message fits a frame');
assert(CLIENT_FRAME_BYTES_MAX <= CLIENT_PACKET_BYTES_MAX, 'a frame fits a packet');
assert(CLIENT_PACKET_BYTES_MAX <= FRAME_BYTES_MAX, 'packets of clients stay below the longest frame');
