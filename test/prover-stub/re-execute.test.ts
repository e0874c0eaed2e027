import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRecover, signersOf } from '#auth/recover.ts';
import { createWasmKeccak } from '#auth/wasm-keccak.ts';
import { HEADER_FIELDS, type SignedBatch, type TraceEntry, traceRoot } from '#protocol/batch.ts';
import { concat, toHex } from '#protocol/bytes.ts';
import { ZERO_HASH } from '#protocol/hash.ts';
import { deriveBatch } from '#prover-stub/derive.ts';
import { type Difference, DifferenceFound } from '#prover-stub/difference.ts';
import { ReExecution } from '#prover-stub/re-execute.ts';
import { splitRecords } from '#prover-stub/split-inputs.ts';
import { allLeaves, checkTrees } from '#state/all-leaves.ts';
import { encodeDiff } from '#state/diff.ts';
import { testKey, testSigning } from '../auth/keys.ts';
import { RandomSession } from '../support/random-session.ts';
import { ANCHOR, contextOf, l1Queue, madeFacts } from './made-facts.ts';
import { TestSequencer } from './test-sequencer.ts';

const SEED = Number(process.env.SEED ?? 20_261_122);
console.log(`re-execution properties: SEED=${SEED}`);
const keccak = await createWasmKeccak();
const recover = createRecover(keccak);
const SEQUENCER = testKey(77);
const context = contextOf(testSigning, SEQUENCER.address, keccak);
const PLACE = { epoch: 1, anchor: ANCHOR };

function verify(
  execution: ReExecution,
  batches: readonly SignedBatch[],
  session: RandomSession,
): Difference | undefined {
  const queue = l1Queue(session.queueEntries, keccak);
  try {
    for (const batch of batches) {
      const { tip } = execution;
      const derived = deriveBatch(batch, tip, madeFacts(batch, tip, queue), context);
      const signers = derived.records.map((record) => signersOf(record, testSigning, recover));
      execution.execute(derived, signers);
    }
    return undefined;
  } catch (error) {
    if (error instanceof DifferenceFound) return error.difference;
    throw error;
  }
}

const sequencer = (options: Partial<ConstructorParameters<typeof TestSequencer>[0]> = {}): TestSequencer =>
  new TestSequencer({ domain: testSigning, secret: SEQUENCER.secret, keccak, ...options });

/** Header and trace as if `posted` were right, as far as whole records go. */
function withHashes(posted: SignedBatch): Pick<SignedBatch, 'trace' | 'header'> {
  const { inputs, diff, withdrawn } = posted;
  let records: readonly Uint8Array[] = [];
  try {
    records = splitRecords(inputs);
  } catch {}
  let hash: Uint8Array = ZERO_HASH;
  let at = 0;
  let next = 0;
  const trace = posted.trace.map((entry) => {
    for (; next < records.length && at < entry.inputEnd; next++) {
      hash = keccak(concat(hash, keccak(records[next]!)));
      at += records[next]!.length;
    }
    return { ...entry, inputHash: hash };
  });
  const header = {
    ...posted.header,
    traceRoot: traceRoot(trace, posted.header, keccak),
    postInputHash: hash,
    inputsHash: keccak(inputs),
    diffHash: keccak(diff),
    withdrawnHash: keccak(withdrawn),
  };
  return { trace, header };
}

describe('re-execution', () => {
  it('reproduces every batch of a random session, whatever cut it, from bytes alone', () => {
    fc.assert(
      fc.property(
        fc.record({
          seed: fc.integer(),
          cuts: fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 5 }),
          batchBytesMax: fc.option(fc.integer({ min: 400, max: 8_000 }), { nil: undefined }),
        }),
        ({ seed, cuts, batchBytesMax }) => {
          const session = new RandomSession({ seed, signed: true });
          const making = sequencer(batchBytesMax === undefined ? {} : { trace: { batchBytesMax } });
          let done = 0;
          for (const count of cuts) {
            session.run(count);
            for (const command of session.commands.slice(done)) making.apply(command);
            done = session.commands.length;
            making.cut(PLACE);
          }
          const execution = new ReExecution(keccak);
          expect(verify(execution, making.batches, session)).toBeUndefined();
          expect(execution.tip.hash).toEqual(making.last!.hash);
          checkTrees(execution.state, execution.trees);
          expect(allLeaves(execution.state)).toEqual(allLeaves(making.state));
        },
      ),
      { seed: SEED, numRuns: 12 },
    );
  });

  it('goes on from a snapshot as if it had never stopped', () => {
    const session = new RandomSession({ seed: 8, signed: true });
    const making = sequencer();
    let done = 0;
    for (let i = 0; i < 6; i++) {
      session.run(20);
      for (const command of session.commands.slice(done)) making.apply(command);
      done = session.commands.length;
      making.cut(PLACE);
    }
    const execution = new ReExecution(keccak);
    expect(verify(execution, making.batches.slice(0, 3), session)).toBeUndefined();
    const snapshot = execution.snapshot()!;
    const resumed = new ReExecution(keccak, { snapshot, tip: execution.tip });
    expect(verify(resumed, making.batches.slice(3), session)).toBeUndefined();
    expect(toHex(resumed.tip.ledgerRoot)).toBe(toHex(making.last!.header.postLedgerRoot));
    const other = { ...execution.tip, bookRoot: new Uint8Array(32) };
    expect(() => new ReExecution(keccak, { snapshot, tip: other })).toThrow(
      'expected the state after batch 3',
    );
  });

  it('finds each field of a header that is not what the commands give', () => {
    const session = new RandomSession({ seed: 3, signed: true });
    const honest = sequencer();
    for (const command of session.commands) honest.apply(command);
    honest.cut(PLACE);
    session.run(30);
    for (const command of session.commands.slice(honest.last!.header.nextSeq - 1)) honest.apply(command);
    const [good] = honest.cut(PLACE);
    for (const [field, width] of HEADER_FIELDS) {
      const value = good!.header[field];
      const other =
        width === 32
          ? (value as Uint8Array).map((byte, i) => (i === 31 ? byte ^ 1 : byte))
          : (value as number) + 1;
      const header = { ...good!.header, [field]: other };
      const batch = { ...good!, header, ...honest.sign(header) };
      const found = verify(new ReExecution(keccak), [honest.batches[0]!, batch], session);
      expect(found, field).toBeDefined();
      expect(found!.batch, field).toBe(2);
      // Some fields are found through what they are hashes or ends of.
      if (field !== 'timeFirst' && field !== 'timeLast' && !field.startsWith('post'))
        expect(found!.field, `${field}: ${JSON.stringify(found)}`).toContain(
          field.startsWith('anchor') ? 'hash of block' : field,
        );
    }
  });

  it('finds each field of each segment that is not what the commands give', () => {
    const session = new RandomSession({ seed: 4, signed: true }).run(120);
    const making = sequencer();
    for (const command of session.commands) making.apply(command);
    const [good] = making.cut(PLACE);
    const count = good!.trace.length;
    expect(count).toBeGreaterThan(3);
    const changes: readonly ((entry: TraceEntry) => Partial<TraceEntry>)[] = [
      ({ nextStep }) => ({ nextStep: nextStep - 1 }),
      ({ nextStep }) => ({ nextStep: nextStep + 1 }),
      ({ nextSeq }) => ({ nextSeq: nextSeq + 1 }),
      ({ inputEnd }) => ({ inputEnd: inputEnd - 1 }),
      ({ weight }) => ({ weight: weight - 1 }),
      ({ inputHash }) => ({ inputHash: keccak(inputHash) }),
      ({ stateRoot }) => ({ stateRoot: keccak(stateRoot) }),
    ];
    fc.assert(
      fc.property(fc.integer({ min: 0, max: count - 2 }), fc.constantFrom(...changes), (segment, change) => {
        const trace = [...good!.trace];
        trace[segment] = { ...trace[segment]!, ...change(trace[segment]!) };
        // Made anew, as a sequencer that cheats would.
        const fresh = sequencer();
        for (const command of session.commands) fresh.apply(command);
        const [bad] = fresh.cut(PLACE, (posted) => {
          posted.trace = trace;
        });
        const found = verify(new ReExecution(keccak), [bad!], session);
        expect(found).toBeDefined();
        // A step more or less shows where it is taken away from or added to.
        expect([segment, segment + 1]).toContain(found!.segment);
        expect(found!.batch).toBe(1);
      }),
      { seed: SEED, numRuns: 25 },
    );
  });

  it('finds any byte that was changed unless that makes another honest batch, and never fails otherwise', () => {
    const session = new RandomSession({ seed: 12, signed: true }).run(160);
    const honest = sequencer();
    for (const command of session.commands) honest.apply(command);
    const [good] = honest.cut(PLACE);
    const parts = ['inputs', 'diff', 'withdrawn'] as const;
    for (const part of parts) expect(good![part].length, part).toBeGreaterThan(0);
    fc.assert(
      fc.property(
        fc.constantFrom(...parts),
        fc.nat(),
        fc.array(fc.integer({ min: 1, max: 255 }), { minLength: 1, maxLength: 4 }),
        (part, at, changes) => {
          const bytes = good![part].slice();
          for (const [i, change] of changes.entries()) bytes[(at + i) % bytes.length]! ^= change;
          const posted = { ...good!, [part]: bytes };
          const { trace, header } = withHashes(posted);
          const batch = { ...posted, trace, header, ...honest.sign(header) };
          const found = verify(new ReExecution(keccak), [batch], session);
          if (found !== undefined) {
            expect(found.batch).toBe(1);
            return;
          }
          // A report less, or another time within a segment, is another batch, and an honest one.
          const twin = sequencer();
          for (const record of splitRecords(bytes))
            twin.apply({ record, signers: signersOf(record, testSigning, recover)! });
          const [same] = twin.cut(PLACE);
          expect(same!.trace).toEqual(batch.trace);
          expect(same!.diff).toEqual(batch.diff);
        },
      ),
      { seed: SEED, numRuns: 40 },
    );
  });

  it('says of a diff that is not what changed, which leaf and field', () => {
    const session = new RandomSession({ seed: 5, signed: true }).run(40);
    const making = sequencer();
    for (const command of session.commands) making.apply(command);
    const { ledger } = allLeaves(making.state);
    for (const [key, value] of ledger) {
      const fresh = sequencer();
      for (const command of session.commands) fresh.apply(command);
      const changes = ledger.map(([at, held]) =>
        at === key
          ? { key: at, newValue: value.map((byte, i) => (i === value.length - 1 ? byte ^ 1 : byte)) }
          : { key: at, newValue: held },
      );
      const [bad] = fresh.cut(PLACE, (posted) => {
        posted.diff = encodeDiff(changes);
      });
      const found = verify(new ReExecution(keccak), [bad!], session);
      expect(found).toMatchObject({ batch: 1, part: 'diff' });
      expect(found!.expected).not.toBe(found!.got);
    }
  });
});
