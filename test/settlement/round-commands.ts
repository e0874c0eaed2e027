/**
 * Price rounds at every bound of what counts: reports that are signed by nobody or somebody else, stale, out of order,
 * from the future, of no publisher or without a price, and rounds that just do or do not suffice.
 */
import { createRecover, signersOf } from '#auth/recover.ts';
import { encodeRecord, NO_SIGNERS, PRICE_ROUND, QUEUE_ENTRY } from '#protocol/command.ts';
import { nobleKeccak } from '#protocol/hash.ts';
import { encodePublisher } from '#protocol/market.ts';
import { encodePriceRound, type PriceReport } from '#protocol/price-report.ts';
import { encodeQueueEntry, QUEUE_CONFIGURE_PUBLISHER } from '#protocol/queue-entry.ts';
import { signDigest, type TestKey, testKey, testSigning } from '../auth/keys.ts';
import type { RandomSession } from '../support/random-session.ts';

const recover = createRecover(nobleKeccak);
const HALF_ORDER_PLUS_1 = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a1n;
const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;

type Change = Partial<PriceReport> & { readonly signer?: TestKey };

/** Publisher n of a session signs with this key; the session itself has set the first five. */
export const publisherKey = (n: number): TestKey => testKey(500 + n);

export class RoundDesk {
  private readonly session: RandomSession;
  /** Above all sequences that the session has used. */
  private sequence = 1_000_000_000;

  constructor(session: RandomSession) {
    this.session = session;
  }

  weigh(index: number, weight: number, address = publisherKey(index).address): void {
    this.session.enqueue(
      QUEUE_CONFIGURE_PUBLISHER,
      new Uint8Array(20),
      encodePublisher({ index, address, weight }),
    );
  }

  report(publisher: number, price: number, change: Change = {}): PriceReport {
    const { signer, signature, ...fields } = change;
    const plain = {
      ...{ market: 0, publisher, time: this.session.now, sequence: this.sequence, price, confidence: 3 },
      ...fields,
    };
    return {
      ...plain,
      signature: signature ?? signDigest(testSigning.report(plain), signer ?? publisherKey(publisher)),
    };
  }

  /** Prices 100, 101, … by publishers 0 to `count - 1`, but for the reports that are given. */
  reports(count: number, given: readonly PriceReport[] = []): PriceReport[] {
    const reports = Array.from({ length: count }, (_, n) => this.report(n, 100 + n));
    for (const report of given) reports[report.publisher] = report;
    return reports;
  }

  /** Adds a round to the session, admitted or not. Returns whether it was. */
  round(
    reports: readonly PriceReport[],
    market = 0,
    tamper: (record: Uint8Array) => Uint8Array = (r) => r,
  ): boolean {
    const { session } = this;
    const record = tamper(encodeRecord(PRICE_ROUND, session.now, encodePriceRound(market, reports)));
    this.sequence++;
    const signers = signersOf(record, testSigning, recover) ?? NO_SIGNERS;
    if (session.apply(record, signers)) return true;
    session.commands.push({ record, signers });
    return false;
  }
}

/** A signature with one of its three numbers replaced. */
function withNumber(signature: Uint8Array, at: 0 | 32, value: bigint): Uint8Array {
  const changed = signature.slice();
  for (let i = 31, rest = value; i >= 0; i--, rest >>= 8n) changed[at + i] = Number(rest & 0xffn);
  return changed;
}

const withV = (signature: Uint8Array, v: number): Uint8Array => {
  const changed = signature.slice();
  changed[64] = v;
  return changed;
};

/** Publishers 0 … 8 with weights of which 0 … 5 have exactly two thirds. */
export function roundEdges(session: RandomSession): void {
  const desk = new RoundDesk(session);
  const { now, state } = session;
  for (let n = 0; n < 9; n++) desk.weigh(n, n < 5 ? 1 : n === 5 ? 3 : n === 6 ? 2 : 1);
  desk.round(desk.reports(6));
  desk.round(desk.reports(5));
  desk.round(desk.reports(9));
  countingEdges(desk, now, state.chain);
  for (const [i, signature] of badSignatures(desk).entries())
    desk.round(desk.reports(9, [desk.report(8 * (i % 2), 100, { signature })]));
  formEdges(desk);
  valueEdges(desk, session);
  publisherEdges(desk);
}

/** The report of publisher 5 has so much weight that the index shows whether it counts. */
function countingEdges(desk: RoundDesk, now: number, chain: { stalenessMs: number; futureMs: number }): void {
  const changes: Change[] = [
    { signer: testKey(777) },
    { time: now - chain.stalenessMs },
    { time: now - chain.stalenessMs - 1 },
    { time: now + chain.futureMs },
    { time: now + chain.futureMs + 1 },
    { time: 0 },
    { time: 2 ** 48 - 1 },
    { price: 0 },
    { price: 1 },
    { sequence: 0 },
    { sequence: 2 ** 53 - 1, publisher: 6 },
    { sequence: 2 ** 53 - 1, publisher: 6 },
    { publisher: 9 },
  ];
  for (const change of changes) {
    const at = change.publisher ?? 5;
    desk.round(desk.reports(Math.max(9, at + 1), [desk.report(at, 5_000, change)]));
  }
  desk.round(desk.reports(6, [desk.report(5, 5_000, { signer: testKey(777) })]));
  // The sequence of the round before.
  const again = desk.report(5, 4_000);
  desk.round(desk.reports(9, [again]));
  desk.round(desk.reports(9, [again]));
}

function badSignatures(desk: RoundDesk): Uint8Array[] {
  const { signature } = desk.report(8, 100);
  return [
    withV(signature, 26),
    withV(signature, 29),
    withV(signature, 0),
    withNumber(signature, 0, 0n),
    withNumber(signature, 0, ORDER),
    withNumber(signature, 32, 0n),
    withNumber(signature, 32, HALF_ORDER_PLUS_1),
    new Uint8Array(65),
    // No point of the curve has this abscissa.
    withNumber(signature, 0, 5n),
  ];
}

function formEdges(desk: RoundDesk): void {
  const tampers: ((record: Uint8Array) => Uint8Array)[] = [
    (record) => changed(record, 12 + 3, 1),
    (record) => changed(record, 12 + 2, 0),
    (record) => changed(record, 12 + 2, 8),
    (record) => changed(record, 12 + 4 + 1, 1),
    (record) => changed(record, 12 + 4 + 89, 0),
    (record) => changed(record, 12 + 4 + 8 * 89, 16),
    (record) => changed(record, 12 + 4 + 8 + 6, 0x20),
    (record) => resized(record, record.length + 1),
    (record) => resized(record, record.length - 1),
    (record) => resized(record, 12 + 4),
    (record) => resized(record, 12),
    (record) => resized(record, 13),
  ];
  for (const tamper of tampers) desk.round(desk.reports(9), 0, tamper);
  desk.round(
    desk.reports(9).map((report) => desk.report(report.publisher, report.price, { market: 9 })),
    9,
  );
  desk.round(
    desk.reports(9).map((report) => desk.report(report.publisher, report.price, { market: 0xffff })),
    0xffff,
  );
  desk.round(desk.reports(9), 1);
}

function changed(record: Uint8Array, at: number, value: number): Uint8Array {
  const copy = record.slice();
  copy[at] = value;
  return copy;
}

function resized(record: Uint8Array, length: number): Uint8Array {
  const copy = new Uint8Array(length);
  copy.set(record.subarray(0, length));
  new DataView(copy.buffer).setUint32(0, length - 12, true);
  return copy;
}

function valueEdges(desk: RoundDesk, session: RandomSession): void {
  const { maxPrice } = session.state.market(0)!.config;
  const all = (price: number, confidence = 3): PriceReport[] =>
    desk.reports(9).map(({ publisher }) => desk.report(publisher, price, { confidence }));
  desk.round(all(1));
  desk.round(all(maxPrice, 2 ** 32 - 1));
  desk.round(
    desk
      .reports(9)
      .map(({ publisher }) =>
        desk.report(publisher, publisher < 5 ? maxPrice : 1, { confidence: 2 ** 32 - 1 }),
      ),
  );
  desk.round(all(maxPrice + 1));
  desk.round(all(2 ** 32 - 1));
  desk.round(all(10_000));
}

/** Weights at their bound; a set that is too small; a publisher without an address, for whom nobody can sign. */
function publisherEdges(desk: RoundDesk): void {
  for (let n = 0; n < 16; n++) desk.weigh(n, 1_000_000);
  desk.round(desk.reports(16));
  desk.round(desk.reports(11));
  desk.round(desk.reports(10));
  for (let n = 4; n < 16; n++) desk.weigh(n, 0);
  desk.round(desk.reports(16));
  desk.round(desk.reports(4));
  desk.weigh(4, 1, new Uint8Array(20));
  desk.round(desk.reports(5, [desk.report(4, 100, { signature: new Uint8Array(65) })]));
  desk.round(desk.reports(4));
  desk.weigh(4, 1);
  desk.round(desk.reports(4));
}

/** Queue entries that are not the next one, or not whole; never admitted. */
export function refuseEntries(session: RandomSession): void {
  const index = session.queueEntries.length;
  const payload = Uint8Array.of(0);
  const refuse = (body: Uint8Array): void => {
    const record = encodeRecord(QUEUE_ENTRY, session.now, body);
    if (session.apply(record)) throw new Error('queue entry: expected it refused, got it admitted');
    session.commands.push({ record, signers: NO_SIGNERS });
  };
  for (const kind of [0, 1, 2, 3, 7, 16, 17, 18])
    for (const wrong of [index - 1, index + 1, 2 ** 53 - 1])
      refuse(encodeQueueEntry({ index: wrong, kind, owner: new Uint8Array(20), payload }));
  const whole = encodeQueueEntry({ index, kind: 2, owner: new Uint8Array(20), payload });
  for (const length of [0, 1, 8, 31, 32, whole.length - 1, whole.length + 1])
    refuse(resizedBody(whole, length));
  refuse(changed(whole, 9, 1));
  refuse(changed(whole, 7, 0x20));
  refuse(changed(whole, 11, 1));
}

function resizedBody(body: Uint8Array, length: number): Uint8Array {
  const copy = new Uint8Array(length);
  copy.set(body.subarray(0, length));
  return copy;
}
