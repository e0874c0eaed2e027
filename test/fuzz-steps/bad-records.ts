/** Records that may not enter the sequence, each for one reason of its own: the contract finds the fault that we find. */
import { concat, setU64, viewOf } from '#protocol/bytes.ts';
import {
  CLOCK,
  type Command,
  EVALUATE,
  encodeRecord,
  MESSAGE,
  NO_SIGNERS,
  PRICE_ROUND,
  QUEUE_ENTRY,
} from '#protocol/command.ts';
import type { Keccak } from '#protocol/hash.ts';
import { RECORD_BODY_BYTES_MAX } from '#protocol/limits.ts';
import { encodeUnsignedMessage } from '#protocol/message.ts';
import { encodeQueueEntry, QUEUE_EVALUATE_LIQUIDATION } from '#protocol/queue-entry.ts';
import { StepFault } from '#prover-stub/step-outcome.ts';
import { signedMessage, testKey } from '../auth/keys.ts';
import { compareSegment, type Disagreement } from './compare.ts';
import type { Coverage } from './coverage.ts';
import { EpisodeSession, NOBODY } from './episodes/episode.ts';
import { placeIn, replayAt } from './faults.ts';
import type { Rig } from './rig.ts';

interface BadRecord {
  readonly why: string;
  readonly record: Uint8Array;
  readonly signers?: Uint8Array;
  readonly fault: number;
}

const { BAD_RECORD, INADMISSIBLE } = StepFault;
const NOTHING = new Uint8Array(0);

export async function compareBadRecords(
  rig: Rig,
  keccak: Keccak,
  coverage?: Coverage,
): Promise<Disagreement | undefined> {
  const session = new EpisodeSession(1);
  session.send(5, [
    { kind: 'session-key', key: testKey(301).address, scope: 3, expiry: session.now + 60_000 },
  ]);
  const place = placeIn(session.commands, session.commands.length, keccak);
  for (const { why, record, signers = NO_SIGNERS, fault } of badRecords(session)) {
    const command: Command = { record, signers };
    const segment = replayAt(place, [command], keccak);
    const where = `record: ${why}`;
    if (segment.outcome.fault !== fault)
      return { where, what: `fault: expected ${fault}, found ${segment.outcome.fault}` };
    const what = await compareSegment(rig, segment);
    coverage?.fault(segment.outcome.fault);
    if (what !== undefined) return { where, what };
  }
  return undefined;
}

function badRecords(session: EpisodeSession): BadRecord[] {
  const { now } = session;
  const clock = encodeRecord(CLOCK, now, NOTHING);
  const bad = (why: string, record: Uint8Array): BadRecord => ({ why, record, fault: BAD_RECORD });
  const changed = (bytes: Uint8Array, at: number, value: number): Uint8Array => {
    const copy = bytes.slice();
    copy[at] = value;
    return copy;
  };
  return [
    bad('a header cut short', clock.subarray(0, 11)),
    bad('a body that is missing', changed(clock, 0, 1)),
    bad('too long a body', encodeRecord(CLOCK, now, new Uint8Array(RECORD_BODY_BYTES_MAX + 1))),
    bad('kind 0', changed(clock, 4, 0)),
    bad('kind 8', changed(clock, 4, 8)),
    bad('the reserved byte', changed(clock, 5, 1)),
    bad('before the last one', encodeRecord(CLOCK, now - 1, NOTHING)),
    ...entries(session, changed),
    ...messages(session, changed),
    ...rounds(session),
    ...evaluations(session),
  ];
}

type Change = (bytes: Uint8Array, at: number, value: number) => Uint8Array;

function entries({ now, queueEntries }: EpisodeSession, changed: Change): BadRecord[] {
  const index = queueEntries.length;
  const whole = encodeQueueEntry({ index, kind: 2, owner: NOBODY, payload: Uint8Array.of(0) });
  const entry = (why: string, body: Uint8Array): BadRecord => ({
    why: `queue entry: ${why}`,
    record: encodeRecord(QUEUE_ENTRY, now, body),
    fault: INADMISSIBLE,
  });
  const far = whole.slice();
  setU64(viewOf(far), 0, index + 1);
  return [
    entry('cut short', whole.subarray(0, 31)),
    entry('another length', whole.subarray(0, 32)),
    entry('the reserved byte', changed(whole, 9, 1)),
    entry('an index beyond 2^53', changed(whole, 7, 0x20)),
    entry('not the next one', far),
  ];
}

function messages({ now }: EpisodeSession, changed: Change): BadRecord[] {
  const owner = testKey(104);
  const operations = [{ kind: 'cancel-all' }] as const;
  const fields = { account: 5, nonce: 1_000, validUntil: now, operations };
  const good = signedMessage(fields, owner);
  const message = (why: string, body: Uint8Array, signers: Uint8Array = owner.address): BadRecord => ({
    why: `message: ${why}`,
    record: encodeRecord(MESSAGE, now, body),
    signers,
    fault: INADMISSIBLE,
  });
  const v = good.length - 1;
  return [
    message('no signature', encodeUnsignedMessage(fields), NO_SIGNERS),
    message('v 26', changed(good, v, 26), NO_SIGNERS),
    message('no operation', changed(good, 1, 0), NO_SIGNERS),
    message('an unknown operation', changed(good, 24, 99), NO_SIGNERS),
    message('every market and one', changed(good, 26, 1), NO_SIGNERS),
    message(
      'an isolated account of a risk pool',
      changed(
        signedMessage({ ...fields, operations: [{ kind: 'isolate', subaccount: 1, market: 0 }] }, owner),
        28,
        1,
      ),
      NO_SIGNERS,
    ),
    message('a stranger', signedMessage(fields, testKey(999)), testKey(999).address),
    message(
      'a lock by a key that may not',
      signedMessage({ ...fields, operations: [{ kind: 'lock', locked: true }] }, testKey(301)),
      testKey(301).address,
    ),
    message('expired', signedMessage({ ...fields, validUntil: now - 1 }, owner)),
    message('no such account', signedMessage({ ...fields, account: 99 }, owner)),
    message('nonce 0', signedMessage({ ...fields, nonce: 0 }, owner)),
    message(
      'a nonce of the day after tomorrow',
      signedMessage({ ...fields, nonce: now + 86_400_001 }, owner),
    ),
  ];
}

function rounds({ now }: EpisodeSession): BadRecord[] {
  const round = (why: string, body: Uint8Array): BadRecord => ({
    why: `round: ${why}`,
    record: encodeRecord(PRICE_ROUND, now, body),
    fault: INADMISSIBLE,
  });
  return [
    round('no reports', Uint8Array.of(0, 0, 0, 0)),
    round('more reports than publishers', concat(Uint8Array.of(0, 0, 17, 0), new Uint8Array(17 * 89))),
    round('nobody has signed', concat(Uint8Array.of(0, 0, 1, 0), new Uint8Array(89))),
  ];
}

function evaluations({ now, queueEntries }: EpisodeSession): BadRecord[] {
  const evaluation = (why: string, body: Uint8Array, kind: number = EVALUATE): BadRecord => ({
    why: `evaluation: ${why}`,
    record: encodeRecord(kind, now, body),
    fault: INADMISSIBLE,
  });
  const payload = new Uint8Array(4);
  const entry = { index: queueEntries.length + 1, kind: QUEUE_EVALUATE_LIQUIDATION, owner: NOBODY, payload };
  return [
    evaluation('cut short', new Uint8Array(3)),
    evaluation('too long', new Uint8Array(5)),
    evaluation('of no account', Uint8Array.of(99, 0, 0, 0)),
    evaluation('not the next entry', encodeQueueEntry(entry), QUEUE_ENTRY),
  ];
}
