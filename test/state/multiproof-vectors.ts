/**
 * The cases of test/vectors/multiproof.json: `npx tsx test/state/multiproof-vectors.ts` writes the file, a test holds
 * the file to this. Roots and answers are the naive tree's; the fast tree only says what a proof has to show.
 *
 * runs      a proof, its root, and a script of what is done to the partial tree, packed one after the other:
 *             GET     0 ‖ key ‖ u16 length (0xffff: absent) ‖ value
 *             SET     1 ‖ key ‖ u16 length ‖ value ‖ root afterwards
 *             REMOVE  2 ‖ key ‖ u8 present ‖ root afterwards
 *             RANGE   3 ‖ prefix ‖ u16 bits ‖ u8 max ‖ u8 count ‖ u8 complete ‖ count × (key ‖ u16 length ‖ value)
 * malformed a proof that breaks a rule, with the rule's name and the byte at which its item begins; for the rule "end"
 *           the byte at which the last item ends
 * refused   a proof, and a script that it can't answer, with the error's name and the key that the error names
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { concat, fromHex, toHex } from '#protocol/bytes.ts';
import { nobleKeccak } from '#protocol/hash.ts';
import { accountKey, globalsKey, levelKey, orderKey, registerKey } from '#state/keys.ts';
import { LEAF, multiproof, NODE, OPAQUE, WITHHELD } from '#state/multiproof.ts';
import { prefixKey, StateTree } from '#state/state-tree.ts';
import { NaiveTree } from '#test/reference/naive-tree.ts';
import { Random } from './random-state.ts';

export interface MultiproofVectors {
  readonly runs: readonly { name: string; root: string; proof: string; steps: number; script: string }[];
  readonly malformed: readonly { name: string; proof: string; field: string; offset: number }[];
  readonly refused: readonly { name: string; proof: string; script: string; error: string; key: string }[];
}

type Entries = readonly (readonly [Uint8Array, Uint8Array])[];
const ABSENT = 0xffff;
const u16 = (value: number): Uint8Array => Uint8Array.of(value >> 8, value & 0xff);
const sized = (value: Uint8Array): Uint8Array => concat(u16(value.length), value);
const text = new TextEncoder();

export function fastTree(entries: Entries): StateTree {
  const tree = new StateTree(nobleKeccak);
  for (const [key, value] of entries) tree.set(key, value);
  return tree;
}

/** Does things to a tree, writes down what came out, and what of the first tree had to be seen for it. */
export class Script {
  readonly parts: Uint8Array[] = [];
  steps = 0;
  private readonly before: StateTree;
  private readonly fast: StateTree;
  private readonly naive = new NaiveTree();
  private readonly values = new Map<string, Uint8Array>();
  private readonly others = new Map<string, Uint8Array>();

  constructor(entries: Entries) {
    this.before = fastTree(entries);
    this.fast = fastTree(entries);
    for (const [key, value] of entries) this.naive.set(key, value);
  }

  get(key: Uint8Array): void {
    this.see(key, true);
    const value = this.naive.get(key);
    this.add(0, key, value === undefined ? u16(ABSENT) : sized(value));
  }

  set(key: Uint8Array, value: Uint8Array): void {
    this.see(key, false);
    this.fast.set(key, value);
    this.naive.set(key, value);
    this.add(1, key, sized(value), this.rootAfter());
  }

  remove(key: Uint8Array): void {
    this.see(key, false);
    this.fast.delete(key);
    this.add(2, key, Uint8Array.of(this.naive.delete(key) ? 1 : 0), this.rootAfter());
  }

  range(prefix: Uint8Array, bits: number, max: number): void {
    this.see(prefixKey(prefix, bits), false);
    const under = this.naive
      .entries()
      .filter(([key]) => toHex(prefixKey(key, bits)) === toHex(prefixKey(prefix, bits)));
    const first = under.slice(0, max);
    for (const [key] of first) this.see(key, true);
    const complete = first.length === under.length ? 1 : 0;
    const listed = first.map(([key, value]) => concat(key, sized(value)));
    this.add(3, prefix, u16(bits), Uint8Array.of(max, first.length, complete), ...listed);
  }

  get root(): Uint8Array {
    return this.before.root();
  }

  proof(): Uint8Array {
    return multiproof(this.before, { values: this.values.values(), others: this.others.values() });
  }

  /** The naive tree takes seconds over hundreds of leaves; of those the fast one has tests of its own. */
  private rootAfter(): Uint8Array {
    return this.naive.size > 100 ? this.fast.root() : this.naive.root();
  }

  /** What a search meets has to be shown as far as it was there from the beginning. */
  private see(key: Uint8Array, withValue: boolean): void {
    const found = this.fast.search(key);
    if (found === undefined || this.before.get(found.key) === undefined) return;
    const id = toHex(found.key);
    if (withValue && id === toHex(key)) this.values.set(id, found.key);
    else this.others.set(id, found.key);
  }

  private add(kind: number, ...parts: Uint8Array[]): void {
    this.steps++;
    this.parts.push(Uint8Array.of(kind), ...parts);
  }
}

function closeKey(random: Random): Uint8Array {
  const key = new Uint8Array(32).fill(random.below(2) * 0xff);
  for (let i = random.below(4); i > 0; i--) {
    const flip = random.below(256);
    key[flip >> 3]! ^= 0x80 >> (flip & 7);
  }
  return key;
}

const exchangeKey = (random: Random): Uint8Array =>
  [
    () => accountKey(random.below(20)),
    () => orderKey(random.below(2), random.below(2), 4000 + random.below(4), random.below(6)),
    () => levelKey(random.below(2), random.below(2), 4000 + random.below(4)),
    () => registerKey(random.below(4)),
  ][random.below(4)]!();

const lengths = [0, 1, 16, 30, 31, 32, 40, 100, 300];

function randomRun(
  random: Random,
  size: number,
  steps: number,
  newKey: (random: Random) => Uint8Array,
): Script {
  const value = (): Uint8Array => random.bytes(lengths[random.below(lengths.length)]!);
  const entries = Array.from({ length: size }, () => [newKey(random), value()] as const);
  const keys = entries.map(([key]) => key);
  const anyKey = (): Uint8Array =>
    keys.length > 0 && random.below(3) > 0 ? keys[random.below(keys.length)]! : newKey(random);
  const script = new Script(entries);
  for (let i = 0; i < steps; i++) {
    const key = anyKey();
    const kind = random.below(8);
    if (kind < 2) script.get(key);
    else if (kind < 5) {
      script.set(key, value());
      keys.push(key);
    } else if (kind < 7) script.remove(key);
    else
      script.range(key, [0, 8, 24, 32, 64, 255, 256, random.below(257)][random.below(8)]!, random.below(6));
  }
  return script;
}

/** The longest path that keys can have: one key differs from all others in a bit of its own. */
export const deepest = (): [Uint8Array, Uint8Array][] =>
  Array.from({ length: 257 }, (_, bit) => {
    const key = new Uint8Array(32);
    if (bit < 256) key[bit >> 3]! = 0x80 >> (bit & 7);
    return [key, Uint8Array.of(bit & 0xff)];
  });

export function multiproofVectors(): MultiproofVectors {
  const runs: [string, Script][] = [];
  for (let seed = 1; seed <= 8; seed++) {
    const random = new Random(seed);
    runs.push([`close keys ${seed}`, randomRun(random, 3 * seed, 24, closeKey)]);
    runs.push([`exchange ${seed}`, randomRun(random, 40, 24, exchangeKey)]);
  }
  const one: Entries = [[accountKey(5), text.encode('account 5')]];

  const emptied = new Script(one);
  emptied.range(new Uint8Array(32), 0, 0);
  emptied.remove(accountKey(6));
  emptied.remove(accountKey(5));
  emptied.get(accountKey(5));
  emptied.range(new Uint8Array(32), 0, 3);
  emptied.set(accountKey(6), text.encode('again'));
  emptied.range(new Uint8Array(32), 0, 1);
  runs.push(['the last leaf goes', emptied]);

  const grown = new Script([]);
  grown.get(globalsKey());
  grown.remove(globalsKey());
  grown.range(globalsKey(), 256, 1);
  for (const [key, value] of deepest().slice(0, 6)) grown.set(key, value);
  grown.range(new Uint8Array(32), 0, 255);
  runs.push(['from nothing', grown]);

  const deep = new Script(deepest());
  deep.get(new Uint8Array(32));
  deep.set(new Uint8Array(32), text.encode('deepest'));
  deep.remove(fromHex(`0x${'00'.repeat(31)}01`));
  deep.range(new Uint8Array(32), 254, 4);
  deep.set(fromHex(`0x${'00'.repeat(31)}03`), new Uint8Array(4096).fill(7));
  runs.push(['the deepest path', deep]);

  const shape = exchangeShape();
  const named = multiproof(shape, { values: [accountKey(1)], others: [accountKey(2)] });
  const malformed: MultiproofVectors['malformed'][number][] = [];
  const bad = (name: string, field: string, offset: number, ...parts: Uint8Array[]): void => {
    malformed.push({ name, proof: toHex(concat(...parts)), field, offset });
  };
  const cut = (name: string, ...parts: Uint8Array[]): void =>
    bad(name, 'end', extent(concat(...parts)), ...parts);
  const bytes = (...given: number[]): Uint8Array => Uint8Array.from(given);
  const opaque = concat(bytes(OPAQUE), new Uint8Array(32).fill(9));
  const leaf = (key: Uint8Array, value: Uint8Array): Uint8Array =>
    concat(bytes(LEAF, key.length), key, sized(value));
  bad('a tag that is none', 'tag', 0, bytes(4), opaque);
  bad('a tag that is none, further down', 'tag', 35, bytes(NODE, 3), opaque, bytes(0xff));
  cut('the hash is cut', opaque.slice(0, 32));
  cut('a node and nothing', bytes(NODE, 3));
  cut('a node of one byte', bytes(NODE));
  cut('the right child is missing', bytes(NODE, 3), opaque);
  bad('the same bit again', 'bit index', 2, bytes(NODE, 3, NODE, 3), opaque, opaque, opaque);
  bad('a smaller bit below', 'bit index', 2, bytes(NODE, 3, NODE, 2), opaque, opaque, opaque);
  bad('a smaller bit on the right', 'bit index', 35, bytes(NODE, 3), opaque, bytes(NODE, 0), opaque, opaque);
  bad('bit 255 twice', 'bit index', 2, bytes(NODE, 255, NODE, 255), opaque, opaque, opaque);
  bad('bit 0 twice', 'bit index', 2, bytes(NODE, 0, NODE, 0), opaque, opaque, opaque);
  bad('a key of 33 bytes', 'key length', 0, leaf(new Uint8Array(33), bytes(1)));
  bad('a withheld key of 255 bytes', 'key length', 0, bytes(WITHHELD, 255), new Uint8Array(300));
  bad('a key on the wrong side', 'key', 2, bytes(NODE, 0), leaf(bytes(0x80), bytes(1)), opaque);
  bad('a right key on the wrong side', 'key', 35, bytes(NODE, 0), opaque, leaf(bytes(0x40), bytes(1)));
  bad(
    'the wrong side two nodes above',
    'key',
    4,
    bytes(NODE, 0, NODE, 9),
    leaf(bytes(0x80), bytes(1)),
    opaque,
    opaque,
  );
  bad('a value of 4,097 bytes', 'value length', 0, leaf(bytes(1), new Uint8Array(4097)));
  bad('a value of 65,535 bytes', 'value length', 0, bytes(LEAF, 1, 2, 0xff, 0xff), new Uint8Array(100));
  cut('the value is cut', leaf(bytes(1), bytes(1, 2, 3)).slice(0, -1));
  cut('the length is cut', bytes(LEAF, 1, 1, 0));
  cut('the value hash is cut', bytes(WITHHELD, 1, 1), new Uint8Array(31));
  cut('a byte behind a leaf', leaf(bytes(1), bytes(7)), bytes(0));
  cut('a byte behind an opaque root', opaque, bytes(0));
  cut('a tree behind a tree', named, named);
  cut('its last byte is missing', named.slice(0, -1));

  const refused: MultiproofVectors['refused'][number][] = [];
  const refuse = (name: string, key: Uint8Array, error: string, use: (script: Script) => void): void => {
    const script = new Script([...shape.entries()].map((entry) => [entry.key, entry.value] as const));
    use(script);
    refused.push({
      name,
      proof: toHex(named),
      script: toHex(concat(...script.parts)),
      error,
      key: toHex(key),
    });
  };
  refuse('a leaf left out', accountKey(9), 'OpaqueReached', (s) => s.get(accountKey(9)));
  refuse('an insertion beside a leaf left out', accountKey(70), 'OpaqueReached', (s) =>
    s.set(accountKey(70), bytes(1)),
  );
  refuse('a removal of a leaf left out', accountKey(9), 'OpaqueReached', (s) => s.remove(accountKey(9)));
  refuse('a range whose first leaf is left out', accountKey(8), 'OpaqueReached', (s) =>
    s.range(accountKey(8), 37, 1),
  );
  refuse('a range that goes on into what is left out', accountKey(0), 'OpaqueReached', (s) =>
    s.range(accountKey(0), 8, 9),
  );
  refuse('a value withheld', accountKey(2), 'ValueWithheld', (s) => s.get(accountKey(2)));
  refuse('a range with a value withheld', accountKey(2), 'ValueWithheld', (s) =>
    s.range(accountKey(2), 256, 1),
  );

  return {
    runs: runs.map(([name, script]) => ({
      name,
      root: toHex(script.root),
      proof: toHex(script.proof()),
      steps: script.steps,
      script: toHex(concat(...script.parts)),
    })),
    malformed,
    refused,
  };
}

/** Accounts 1 to 12 with values longer than a hash. */
export const exchangeShape = (): StateTree =>
  fastTree(
    Array.from(
      { length: 12 },
      (_, i) => [accountKey(i + 1), text.encode(`account ${i + 1} `.repeat(5))] as const,
    ),
  );

/** How far the items of a proof go when there are zeros behind it, as there are behind calldata. */
function extent(proof: Uint8Array): number {
  const bytes = concat(proof, new Uint8Array(5000));
  let at = 0;
  for (let missing = 1; missing > 0; ) {
    const tag = bytes[at]!;
    const n = bytes[at + 1]!;
    missing += tag === NODE ? 1 : -1;
    if (tag === OPAQUE) at += 33;
    else if (tag === NODE) at += 2;
    else if (tag === WITHHELD) at += 34 + n;
    else at += 4 + n + 256 * bytes[at + 2 + n]! + bytes[at + 3 + n]!;
  }
  return at;
}

export const MULTIPROOF_VECTORS_FILE = fileURLToPath(new URL('../vectors/multiproof.json', import.meta.url));

if (process.argv[1] === fileURLToPath(import.meta.url))
  writeFileSync(MULTIPROOF_VECTORS_FILE, `${JSON.stringify(multiproofVectors(), null, 1)}\n`);
