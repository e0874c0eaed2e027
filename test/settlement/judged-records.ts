/**
 * Records as the engine's admission judges them, for the `judged` cases of test/vectors/message.json: every rule of form,
 * every reason of authentication, and their bounds.
 */
import { secp256k1 } from '@noble/curves/secp256k1.js';
import { createRecover, recoverWithNoble, signersOf } from '#auth/recover.ts';
import { concat, setU64, toHex, viewOf } from '#protocol/bytes.ts';
import {
  DISCONNECT,
  encodeRecord,
  MESSAGE,
  NO_SIGNERS,
  recordKind,
  recordTime,
  VERSION,
} from '#protocol/command.ts';
import { nobleKeccak as keccak } from '#protocol/hash.ts';
import { MESSAGE_HEADER_BYTES, SIGNATURE_BYTES } from '#protocol/limits.ts';
import { encodeUnsignedMessage } from '#protocol/message.ts';
import type { Operation } from '#protocol/operation.ts';
import { stepReads } from '#prover-stub/step-reads.ts';
import { allLeaves } from '#state/all-leaves.ts';
import { ENGINE_VERSION } from '#state/exchange-state.ts';
import { globalsKey } from '#state/keys.ts';
import { StepKind } from '#state/trace.ts';
import { signDigest, signedMessage, type TestKey, testKey, testSigning } from '../auth/keys.ts';
import { Random } from '../state/random-state.ts';
import { RandomSession } from '../support/random-session.ts';
import { encodeSlice } from '../support/step-vectors.ts';
import { emptyTrees } from '../support/witnessed-session.ts';
import { OPERATIONS, to32 } from './sample-operations.ts';

const ORDER = secp256k1.Point.CURVE().n;

export interface Judged {
  readonly why: string;
  readonly kind: number;
  readonly record: string;
  readonly slice: string;
  /** Reject code of the engine's admission; of VERSION, 65535 where the engine would stop. */
  readonly code: number;
}

/** An exchange with an account and keys of every scope; everything about messages can be judged in it. */
class Court {
  readonly session = new RandomSession({ seed: 33, signed: true });
  readonly owner = testKey(100);
  readonly account = 1;
  readonly trade = testKey(301);
  readonly cancel = testKey(302);
  readonly both = testKey(303);
  readonly ended = testKey(304);
  readonly brief = testKey(305);
  readonly cases: Judged[] = [];
  private readonly recover = createRecover(keccak, recoverWithNoble);

  constructor() {
    const { session } = this;
    const { now } = session;
    const grant = (key: TestKey, scope: number, expiry: number): Operation => ({
      kind: 'session-key',
      key: key.address,
      scope,
      expiry,
    });
    this.take(500, [
      grant(this.trade, 1, now + 1e6),
      grant(this.cancel, 2, now + 1e6),
      grant(this.both, 3, now + 1e6),
      grant(this.ended, 3, now + 1e6),
      grant(this.brief, 3, now + 1_000),
    ]);
    this.take(400, [grant(this.ended, 0, 0), { kind: 'cancel-on-disconnect', enabled: true, graceMs: 0 }]);
    this.take(600, [{ kind: 'cancel-all' }], this.both);
  }

  body(operations: readonly Operation[], options: MessageOptions = {}): Uint8Array {
    const { account = this.account, nonce = 501, validUntil = this.session.now, key = this.owner } = options;
    return signedMessage({ account, nonce, validUntil, operations }, key, options.scheme);
  }

  message(why: string, operations: readonly Operation[], options: MessageOptions = {}): void {
    this.judge(why, encodeRecord(MESSAGE, options.time ?? this.session.now, this.body(operations, options)));
  }

  /** A body changed before it is signed, so that only the form is wrong. */
  malformed(
    why: string,
    operations: readonly Operation[],
    change: (unsigned: Uint8Array) => Uint8Array,
    scheme?: 1 | 2,
  ): void {
    const fields = { account: this.account, nonce: 501, validUntil: this.session.now, operations };
    const unsigned = change(encodeUnsignedMessage(fields, scheme));
    this.judge(why, encodeRecord(MESSAGE, this.session.now, concat(unsigned, this.signAnyway(unsigned))));
  }

  judge(why: string, record: Uint8Array): void {
    const { session } = this;
    const { state, engine } = session;
    const signers = signersOf(record, testSigning, this.recover) ?? NO_SIGNERS;
    const time = recordTime(viewOf(record));
    const kind = {
      [MESSAGE]: StepKind.MESSAGE,
      [DISCONNECT]: StepKind.DISCONNECT,
      [VERSION]: StepKind.VERSION,
    }[recordKind(viewOf(record))]!;
    const isOther =
      kind === StepKind.VERSION &&
      (record.length !== 16 || viewOf(record).getUint32(12, true) !== ENGINE_VERSION);
    const code = isOther ? 65_535 : engine.admit({ record, signers }, time);
    const leaves = new Map(
      Object.values(allLeaves(state))
        .flat()
        .map(([key, value]) => [toHex(key), value]),
    );
    const globals = leaves.get(toHex(globalsKey()))!.slice();
    viewOf(globals).setUint16(8, Math.floor(time / 2 ** 32));
    viewOf(globals).setUint32(10, time % 2 ** 32);
    leaves.set(toHex(globalsKey()), globals);
    const reads = stepReads(kind, { state, trees: emptyTrees(keccak), record, signers });
    const slice = encodeSlice(
      reads,
      (key) => leaves.get(toHex(key)),
      () => [],
    );
    this.cases.push({ why, kind, record: toHex(record), slice: toHex(slice), code });
  }

  private take(nonce: number, operations: readonly Operation[], key = this.owner): void {
    const record = encodeRecord(MESSAGE, this.session.now, this.body(operations, { nonce, key }));
    if (!this.session.apply(record, key.address)) throw new Error(`nonce ${nonce}: expected to be taken`);
  }

  private signAnyway(unsigned: Uint8Array): Uint8Array {
    try {
      return signDigest(testSigning.message(unsigned), this.owner);
    } catch {
      return new Uint8Array(SIGNATURE_BYTES).fill(27);
    }
  }
}

interface MessageOptions {
  readonly account?: number;
  readonly nonce?: number;
  readonly validUntil?: number;
  readonly key?: TestKey;
  readonly scheme?: 1 | 2;
  readonly time?: number;
}

const ALL: Operation = { kind: 'cancel-all' };

export function judgedCases(): Judged[] {
  const court = new Court();
  judgeForms(court);
  judgeSigners(court);
  judgeNonces(court);
  judgeScopes(court);
  judgeOthers(court);
  judgeMutations(court);
  return court.cases;
}

function judgeForms(court: Court): void {
  const set =
    (at: number, value: number) =>
    (bytes: Uint8Array): Uint8Array => {
      bytes[at] = value;
      return bytes;
    };
  const setWide =
    (at: number, value: number) =>
    (bytes: Uint8Array): Uint8Array => {
      setU64(viewOf(bytes), at, value);
      return bytes;
    };
  const resized =
    (operations: Uint8Array) =>
    (bytes: Uint8Array): Uint8Array => {
      const changed = concat(bytes.subarray(0, MESSAGE_HEADER_BYTES), operations);
      viewOf(changed).setUint16(2, operations.length, true);
      return changed;
    };
  for (const scheme of [0, 3, 255]) court.malformed(`scheme ${scheme}`, [ALL], set(0, scheme));
  for (const count of [0, 2, 50, 51, 255])
    court.malformed(`${count} counted, 1 there`, [ALL], set(1, count), 2);
  court.malformed('1 counted, 2 there', [ALL, ALL], set(1, 1));
  court.malformed('two in a single', [ALL, ALL], set(0, 1));
  court.malformed('none', [ALL], (bytes) => set(1, 0)(resized(new Uint8Array(0))(bytes)), 2);
  const many = (count: number): Operation[] => Array.from({ length: count }, () => ALL);
  court.message('50 operations', many(50));
  court.malformed('51 operations', many(51), (bytes) => bytes);
  for (const off of [7, 9, 0]) court.malformed(`length field ${off}`, [ALL], set(2, off));
  for (const at of [8, 16])
    for (const value of [2 ** 53, 2 ** 56, 2 ** 63])
      court.malformed(`u64 at ${at}: ${value}`, [ALL], setWide(at, value));
  for (const kind of [0, 10, 11, 32, 33, 64, 255])
    for (const scheme of [1, 2] as const)
      court.malformed(`kind ${kind}`, [ALL], set(MESSAGE_HEADER_BYTES, kind), scheme);
  for (const operation of OPERATIONS) {
    const whole = encodeUnsignedMessage({ account: 1, nonce: 1, validUntil: 1, operations: [operation] });
    const bytes = whole.slice(MESSAGE_HEADER_BYTES);
    court.malformed(`${operation.kind} short`, [operation], resized(bytes.subarray(0, -1)));
    court.malformed(`${operation.kind} long`, [operation], resized(concat(bytes, Uint8Array.of(0))));
  }
  for (const length of [0, 1, 24, 88, 89, 90, 1_689, 1_690, 2_048])
    court.judge(`${length} bytes of zeros`, encodeRecord(MESSAGE, court.session.now, new Uint8Array(length)));
}

function judgeSigners(court: Court): void {
  const { session, owner } = court;
  for (const operation of OPERATIONS)
    for (const scheme of [1, 2] as const) court.message(`owner: ${operation.kind}`, [operation], { scheme });
  court.message('a stranger', [ALL], { key: testKey(999) });
  court.message('another owner', [ALL], { key: testKey(101) });
  for (const account of [0, session.state.accounts.count + 1, 0xffff_ffff])
    court.message(`account ${account}`, [ALL], { account });
  court.message('of the last millisecond', [ALL], { validUntil: session.now + 9, time: session.now + 9 });
  court.message('late by a millisecond', [ALL], { validUntil: session.now + 8, time: session.now + 9 });
  const good = court.body([ALL]);
  const signature = good.subarray(-SIGNATURE_BYTES);
  const bad = (why: string, r: Uint8Array, s: Uint8Array, v: number): void => {
    const body = concat(good.subarray(0, -SIGNATURE_BYTES), r, s, Uint8Array.of(v));
    court.judge(why, encodeRecord(MESSAGE, session.now, body));
  };
  const [r, s, v] = [signature.slice(0, 32), signature.slice(32, 64), signature[64]!];
  const twin = to32(ORDER - BigInt(toHex(s)));
  bad('the twin with high s', r, twin, 55 - v);
  for (const other of [0, 1, 26, 29, 255]) bad(`v ${other}`, r, s, other);
  bad('the other v', r, s, 55 - v);
  for (const scalar of [0n, ORDER, ORDER + 1n]) {
    bad(`r ${scalar}`, to32(scalar), s, v);
    bad(`s ${scalar}`, r, to32(scalar), v);
  }
  for (let n = 0; n < 6; n++) bad(`r ${n}`, to32(BigInt(n)), s, v);
  const elsewhere = signDigest(keccak(good), owner);
  bad('of another digest', elsewhere.slice(0, 32), elsewhere.slice(32, 64), elsewhere[64]!);
}

function judgeNonces(court: Court): void {
  const { session, both, brief, ended } = court;
  const day = 86_400_000;
  for (const nonce of [
    0,
    1,
    244,
    245,
    399,
    400,
    401,
    499,
    500,
    501,
    756,
    session.now + day,
    session.now + day + 1,
  ])
    court.message(`nonce ${nonce} of the owner`, [ALL], { nonce });
  for (const nonce of [0, 344, 345, 400, 500, 599, 600, 601, session.now + day, session.now + day + 1])
    court.message(`nonce ${nonce} of a session key`, [ALL], { nonce, key: both });
  for (const ms of [0, 999, 1_000, 1_001])
    court.message(`${ms} ms later`, [ALL], {
      key: brief,
      nonce: 1,
      time: session.now + ms,
      validUntil: session.now + 2_000,
    });
  court.message('an ended key', [ALL], { key: ended, nonce: 1 });
  court.message('a key of another account', [ALL], { account: 2, key: both, nonce: 700 });
}

function judgeScopes(court: Court): void {
  const { trade, cancel, both } = court;
  const kinds = OPERATIONS.filter(
    (operation, i) => OPERATIONS.findIndex(({ kind }) => kind === operation.kind) === i,
  );
  for (const [name, key] of Object.entries({ trade, cancel, both }))
    for (const operation of kinds) {
      court.message(`${name}: ${operation.kind}`, [operation], { key, nonce: 800 });
      court.message(`${name}: bundled ${operation.kind}`, [ALL, operation], { key, nonce: 800 });
    }
}

function judgeOthers(court: Court): void {
  const { session } = court;
  const u32 = (value: number, length = 4): Uint8Array => {
    const bytes = new Uint8Array(Math.max(length, 4));
    viewOf(bytes).setUint32(0, value, true);
    return bytes.slice(0, length);
  };
  for (const account of [0, 1, 2, session.state.accounts.count + 1, 0xffff_ffff])
    court.judge(`disconnect ${account}`, encodeRecord(DISCONNECT, session.now, u32(account)));
  for (const length of [0, 3, 5])
    court.judge('disconnect', encodeRecord(DISCONNECT, session.now, u32(1, length)));
  for (const version of [0, 1, 2, 257, 0x0100_0000])
    court.judge(`version ${version}`, encodeRecord(VERSION, session.now, u32(version)));
  for (const length of [0, 3, 5]) court.judge('version', encodeRecord(VERSION, session.now, u32(1, length)));
}

/** Good messages with a byte changed at random. */
function judgeMutations(court: Court): void {
  const random = new Random(99);
  for (let i = 0; i < 60; i++) {
    const operation = OPERATIONS[random.below(OPERATIONS.length)]!;
    const record = encodeRecord(
      MESSAGE,
      court.session.now,
      court.body([operation, ALL].slice(0, 1 + random.below(2))),
    );
    const at = 12 + random.below(record.length - 12);
    record[at] = random.below(256);
    court.judge(`byte ${at} changed`, record);
  }
}
