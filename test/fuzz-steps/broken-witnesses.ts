/**
 * Witnesses that are short, false or malformed, and states and slices that no engine makes: the contracts revert, each
 * time with the error that says why, and never find a fault.
 */
import { encodeFunctionData, type Hex } from 'viem';
import { concat, toHex, viewOf } from '#protocol/bytes.ts';
import { CLOCK, encodeRecord } from '#protocol/command.ts';
import type { Keccak } from '#protocol/hash.ts';
import { domainSeparator } from '#protocol/signing.ts';
import type { SegmentWitness, WitnessedSegment } from '#prover-stub/segment-witness.ts';
import { L1Error } from '#settlement/l1/errors.ts';
import { encodeRunSegment, STEP_FAMILIES } from '#settlement/l1/step-prover.ts';
import { stepProverAbi } from '#settlement/l1/step-prover-abi.ts';
import { globalsKey, REGISTER_MESSAGE, registerKey } from '#state/keys.ts';
import { LEAF, multiproof, OPAQUE, WITHHELD } from '#state/multiproof.ts';
import { type StateTrees, stateRoot } from '#state/state-root.ts';
import { LEAF_TAG, type StateTree } from '#state/state-tree.ts';
import { StepKind } from '#state/trace.ts';
import { TEST_DOMAIN } from '../auth/keys.ts';
import { emptyTrees, rangesOf, traceSession, witnessesOf } from '../support/witnessed-session.ts';
import type { Disagreement } from './compare.ts';
import { bid, EpisodeSession } from './episodes/episode.ts';
import { callContract, type Rig } from './rig.ts';
import { vectorSteps } from './vector-steps.ts';

interface Broken {
  readonly name: string;
  readonly to: 'StepProver' | (typeof STEP_FAMILIES)[number];
  readonly data: Hex;
  /** Name of the error; empty where it is answered all the same. */
  readonly error: string;
}

export async function compareBroken(rig: Rig, keccak: Keccak): Promise<Disagreement | undefined> {
  for (const { name, to, data, error } of broken(keccak)) {
    const address = to === 'StepProver' ? rig.contracts.stepProver : rig.contracts.families[to];
    let got = '';
    try {
      await callContract(rig, address, data);
    } catch (cause) {
      if (!(cause instanceof L1Error) || cause.code !== 'reverted') throw cause;
      got = cause.revert?.name ?? 'an error without a name';
    }
    if (got !== error)
      return { where: name, what: `expected ${error || 'an answer'}, got ${got || 'an answer'}` };
  }
  return undefined;
}

function* broken(keccak: Keccak): Generator<Broken, void, undefined> {
  const domain = domainSeparator(TEST_DOMAIN, keccak);
  const run = (name: string, witness: SegmentWitness, error: string): Broken => ({
    name: `witness: ${name}`,
    to: 'StepProver',
    data: encodeRunSegment({ ...witness, domain }),
    error,
  });
  const { inMessage, inTicks } = segmentsWithin(keccak);
  yield run('whole', inMessage, '');
  yield run('of another state', { ...inMessage, preStateRoot: new Uint8Array(32) }, 'WrongState');
  yield run('without the record of its message', { ...inMessage, carried: new Uint8Array(0) }, 'WrongRecord');
  yield run('without the record of its ticks', { ...inTicks, carried: new Uint8Array(0) }, 'WrongRecord');
  yield* brokenHints(inMessage, run);
  yield* brokenProofs(inMessage, keccak, run);
  yield* strangeStates(keccak, run);
  yield* brokenSlices();
}

type Run = (name: string, witness: SegmentWitness, error: string) => Broken;

/** Segments that begin within a message, and within the ticks before a record. */
function segmentsWithin(keccak: Keccak): Record<'inMessage' | 'inTicks', SegmentWitness> {
  const session = new EpisodeSession(2);
  for (let market = 3; market < 40; market++) session.market(market);
  session.send(
    5,
    Array.from({ length: 40 }, (_, n) => bid(9_000 - n, 1)),
  );
  session.wait(5_000);
  const { commands } = session;
  const segments = [...witnessesOf(commands, rangesOf(traceSession(commands, keccak)), keccak)];
  const within = (kinds: readonly number[]): SegmentWitness => {
    const isMeant = ({ witness, kinds: [first] }: WitnessedSegment): boolean =>
      witness.carried.length > 0 && kinds.includes(first!);
    return segments.find(isMeant)!.witness;
  };
  return { inMessage: within([StepKind.PLACE, StepKind.REST]), inTicks: within([StepKind.SAMPLE]) };
}

function* brokenHints(witness: SegmentWitness, run: Run): Generator<Broken, void, undefined> {
  const { hints } = witness;
  const first = viewOf(hints).getUint16(0);
  /** Hints whose first step asks for one thing more. */
  const more = (...item: number[]): SegmentWitness => {
    const head = new Uint8Array(2);
    viewOf(head).setUint16(0, first + item.length);
    return {
      ...witness,
      hints: concat(head, hints.subarray(2, 2 + first), Uint8Array.from(item), hints.subarray(2 + first)),
    };
  };
  yield run('without hints', { ...witness, hints: new Uint8Array(0) }, 'HintsMissing');
  yield run(
    'with half of its hints',
    { ...witness, hints: hints.subarray(0, 2 + first - 1) },
    'HintsMissing',
  );
  yield run('a hint of a key of 33 bytes', more(0, 33, ...new Array(33).fill(0)), 'HintsMalformed');
  yield run('a hint of no kind', more(2, 0, 0, 0), 'HintsMalformed');
  yield run('a hint of a prefix of 257 bits', more(1, 1, 1, ...new Array(34).fill(0)), 'HintsMalformed');
  yield run('a hint that ends within', more(1, 0, 8, 1), 'HintsMalformed');
  yield run('a leaf twice', more(0, 1, 1), 'SliceOrder');
  // Harmless: a range that nobody needs.
  yield run('a range of the ledger', more(1, 0, 8, 1, 1), '');
  yield run('a range of nothing', more(1, 0, 8, 1, 0), '');
}

/** An item of a multiproof. */
interface Item {
  readonly at: number;
  readonly end: number;
  readonly tag: number;
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

function itemsOf(proof: Uint8Array): Item[] {
  const items: Item[] = [];
  for (let at = 0; at < proof.length; ) {
    const tag = proof[at]!;
    const n = tag >= LEAF ? proof[at + 1]! : 0;
    const key = new Uint8Array(32);
    key.set(proof.subarray(at + 2, at + 2 + n));
    const from = at + 4 + n;
    const length = tag === LEAF ? viewOf(proof).getUint16(at + 2 + n) : 0;
    const end =
      tag === OPAQUE ? at + 33 : tag === LEAF ? from + length : tag === WITHHELD ? from + 30 : at + 2;
    items.push({ at, end, tag, key, value: proof.slice(from, from + length) });
    at = end;
  }
  return items;
}

function* brokenProofs(
  witness: SegmentWitness,
  keccak: Keccak,
  run: Run,
): Generator<Broken, void, undefined> {
  const { ledger } = witness;
  const items = itemsOf(ledger);
  const globals = items.find(({ tag, key }) => tag === LEAF && toHex(key) === toHex(globalsKey()))!;
  const node = items.find(({ at }) => ledger[at] === 1)!;
  const instead = ({ at, end }: Item, ...parts: Uint8Array[]): SegmentWitness => ({
    ...witness,
    ledger: concat(ledger.subarray(0, at), ...parts, ledger.subarray(end)),
  });
  const with_ = (at: number, byte: number): SegmentWitness => {
    const changed = ledger.slice();
    changed[at] = byte;
    return { ...witness, ledger: changed };
  };
  const hash = keccak(globals.value);
  const leafHash = keccak(concat(Uint8Array.of(LEAF_TAG), globals.key, hash));
  const withheld = [Uint8Array.of(WITHHELD, 1), globals.key.subarray(0, 1), hash];
  yield run('the clock withheld', instead(globals, ...withheld), 'ValueWithheld');
  yield run('the clock out of sight', instead(globals, Uint8Array.of(OPAQUE), leafHash), 'OpaqueReached');
  yield run('a byte behind its end', { ...witness, ledger: concat(ledger, Uint8Array.of(0)) }, 'Malformed');
  yield run('an item of no kind', with_(globals.at, 4), 'Malformed');
  yield run('a key of 33 bytes', with_(globals.at + 1, 33), 'Malformed');
  yield run('a value of 4,097 bytes', with_(globals.at + 3, 0x20), 'Malformed');
  yield run('a key on another side', with_(globals.at + 2, 0xff), 'Malformed');
  yield run('a node that divides where the one above does', instead(node, node2(ledger, node)), 'Malformed');
}

/** Twice the same node, one below the other. */
const node2 = (proof: Uint8Array, { at, end }: Item): Uint8Array =>
  concat(proof.subarray(at, end), proof.subarray(at, end));

/** One step of a state made of leaves alone: of the carried record if there is one, else of a clock. */
export function witnessOfState(
  keccak: Keccak,
  change: (trees: StateTrees) => void = () => {},
  carried: Uint8Array = new Uint8Array(0),
): SegmentWitness {
  const trees = emptyTrees(keccak);
  change(trees);
  const keys = (tree: StateTree): Uint8Array[] => [...tree.entries()].map(({ key }) => key);
  const proof = (tree: StateTree): Uint8Array => multiproof(tree, { values: keys(tree), others: [] });
  return {
    ledger: proof(trees.ledger),
    book: proof(trees.book),
    carried,
    hints: new Uint8Array(2),
    inputs: carried.length === 0 ? CLOCK_RECORD : new Uint8Array(0),
    steps: 1,
    preStateRoot: stateRoot(trees.ledger.root(), trees.book.root(), keccak),
  };
}

const CLOCK_RECORD = encodeRecord(CLOCK, 5, new Uint8Array(0));

/** States that no engine leads to. */
function* strangeStates(keccak: Keccak, run: Run): Generator<Broken, void, undefined> {
  const message = registerKey(REGISTER_MESSAGE);
  // A message whose first operation is of kind 0.
  const record = encodeRecord(1, 5, new Uint8Array(64));
  const register = concat(keccak(record.subarray(12)), new Uint8Array(9));
  const set = (key: Uint8Array, value: Uint8Array) => (trees: StateTrees) => trees.book.set(key, value);
  yield run('of the empty state', witnessOfState(keccak), '');
  yield run('a register of no use', witnessOfState(keccak, set(registerKey(9), CLOCK_RECORD)), '');
  const short = witnessOfState(keccak, set(message, CLOCK_RECORD), record);
  yield run('a register cut short', short, 'LeafLength');
  yield run(
    'an operation of no kind',
    witnessOfState(keccak, set(message, register), record),
    'WrongOperation',
  );
}

/** Slices that StepProver would not make, and steps that a family does not have. */
function* brokenSlices(): Generator<Broken, void, undefined> {
  const none = new Uint8Array(0);
  const step = (
    name: string,
    to: Broken['to'],
    kind: number,
    slice: Uint8Array,
    error: string,
    record = none,
  ) => ({
    name: `slice: ${name}`,
    to,
    data: encodeFunctionData({
      abi: stepProverAbi,
      functionName: 'step',
      args: [kind, toHex(record), toHex(new Uint8Array(32)), toHex(slice)],
    }),
    error,
  });
  const absent = (key: Uint8Array): Uint8Array => concat(Uint8Array.of(0), key, Uint8Array.of(0xff, 0xff));
  const register = (n: number): Uint8Array => absent(registerKey(n));
  const range = (prefix: number, bits: number, ...rest: number[]): Uint8Array => {
    const head = new Uint8Array(33);
    head[0] = 1;
    head[1] = prefix;
    return concat(head, Uint8Array.of(bits >> 8, bits & 0xff, ...rest));
  };
  for (const family of STEP_FAMILIES) {
    yield step(`${family}, step 0`, family, 0, none, 'UnknownStep');
    yield step(`${family}, step 24`, family, 24, none, 'UnknownStep');
  }
  const twice = concat(register(0), register(0));
  yield step('a leaf twice', 'AccountSteps', StepKind.CLOCK, twice, 'SliceOrder');
  yield step('cut short', 'AccountSteps', StepKind.CLOCK, register(0).subarray(0, 20), 'SliceEnd');
  yield step('without a leaf', 'AccountSteps', StepKind.WALK, none, 'LeafMissing');
  yield step('no message', 'AccountSteps', StepKind.CANCEL, register(0), 'LeafMissing');
  yield step('no walk', 'AccountSteps', StepKind.WALK, register(2), 'RangeMissing');
  yield step('no order', 'MatchSteps', StepKind.MATCH, register(1), 'RangeMissing');
  const short = concat(register(1), range(0x41, 32, 0, 0));
  yield step('a range cut short', 'MatchSteps', StepKind.MATCH, fromPlace(short), 'RangeMissing');
  const due = concat(
    register(0),
    range(0x46, 8, 1, 1),
    Uint8Array.of(0x46),
    new Uint8Array(31),
    Uint8Array.of(0, 0),
  );
  yield step('an expiry without its order', 'MarketSteps', StepKind.EXPIRE, due, 'LeafMissing');
  yield* withoutPrices(step);
}

/** The range of the sells of market 0, which a register of nothing (a buy in market 0) meets. */
function fromPlace(slice: Uint8Array): Uint8Array {
  const changed = slice.slice();
  changed[35 + 1 + 3] = 1;
  return changed;
}

/** A sample of a market whose group of prices has no leaf yet: zeros. */
function* withoutPrices(
  step: (name: string, to: Broken['to'], kind: number, slice: Uint8Array, error: string) => Broken,
): Generator<Broken, void, undefined> {
  const PRICES = 0x06;
  for (const { kind, slice } of vectorSteps()) {
    if (kind !== StepKind.SAMPLE) continue;
    const parts: Uint8Array[] = [];
    let at = 0;
    while (slice[at] === 0 && at < slice.length) {
      const length = viewOf(slice).getUint16(at + 33);
      const end = at + 35 + (length === 0xffff ? 0 : length);
      parts.push(
        slice[at + 1] === PRICES
          ? concat(slice.subarray(at, at + 33), Uint8Array.of(0xff, 0xff))
          : slice.subarray(at, end),
      );
      at = end;
    }
    yield step('no prices', 'MarketSteps', kind, concat(...parts, slice.subarray(at)), '');
    return;
  }
}
