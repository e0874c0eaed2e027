/**
 * Registers hold unfinished work between steps (settlement.md section 2): while one is occupied only its
 * continuation is legal. They are plain working variables of the live engine; traces store them as leaves.
 */

const NO_RECORD = new Uint8Array(0);

/**
 * A record whose time has let ticks run and whose own step is still to come. Without it a segment cut behind the
 * ticks would look like the record's end, and the record itself could be skipped.
 */
export class RecordRegister {
  active = false;
  /** Its leaf holds the keccak256 of the whole record. */
  record: Uint8Array = NO_RECORD;
}

/** The message whose operations are being executed. */
export class MessageRegister {
  active = false;
  /** The record whose body is the signed message; its leaf holds the keccak256 of that body. */
  record: Uint8Array = NO_RECORD;
  account = 0;
  /** What the signer may do: SCOPE bits of a session key, `SCOPE_OWNER` for the owner. */
  scope = 0;
  count = 0;
  /** Operation to be executed next, from 0. */
  next = 0;
  /** Byte offset of that operation in the message's operations. */
  offset = 0;
}

export const SCOPE_OWNER = 0xff;

/** The order that is matching. */
export class IncomingRegister {
  active = false;
  account = 0;
  market = 0;
  /** Flags byte of PLACE. */
  flags = 0;
  /** Worst price it accepts, ticks. */
  price = 0;
  size = 0;
  remaining = 0;
  orderId = 0;
  /** Place in time priority that it takes when it rests. */
  priority = 0;
  clientId = 0;
  expiry = 0;
  /** Admitted only because it reduces: each fill must not lower equity over maintenance margin. */
  reducing = false;
  /** It was resting before and was amended. */
  amended = false;
  /** Forced by the L1 queue, not by a message. */
  forced = false;
  /** A slice of its account's liquidation. */
  liquidation = false;
  filled = 0;
  filledQuote = 0;
}

/** A walk that cancels an account's orders one by one, by market and order id. */
export class WalkRegister {
  active = false;
  account = 0;
  /** -1: every market. */
  market = -1;
  /** RemoveReason. */
  reason = 0;
  canceled = 0;
  /** Part of the message in the message register. */
  ofMessage = false;
}
