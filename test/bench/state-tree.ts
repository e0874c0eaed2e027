/**
 * What a state tree of 300,000 keys costs with a wasm keccak: updates with a root after each and every 64, reads,
 * insertions, bulk load; each beside the cost of the hashes alone, measured in the same round.
 * `node --import tsx test/bench/state-tree.ts [keys] [rounds]` prints medians.
 */
import { createKeccak } from 'hash-wasm';
import { StateTree } from '#state/state-tree.ts';

const keyCount = Number(process.argv[2] ?? 300_000);
const rounds = Number(process.argv[3] ?? 5);
const hasher = await createKeccak(256);
const keccak = (bytes: Uint8Array): Uint8Array => hasher.init().update(bytes).digest('binary');

let state = 0x2545f491;
/** Xorshift: the same keys in every run. */
function random(): number {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  return state >>> 0;
}
function randomKey(): Uint8Array {
  const key = new Uint8Array(32);
  const view = new DataView(key.buffer);
  key[0] = 0x41;
  view.setUint32(1, random());
  view.setUint32(5, random());
  return key;
}

const measured = new Map<string, number[]>();
const note = (name: string, figure: number): void => {
  measured.set(name, [...(measured.get(name) ?? []), figure]);
};
/** Nanoseconds per call, over `times` calls. */
function nanoseconds(times: number, work: (i: number) => void): number {
  const start = performance.now();
  for (let i = 0; i < times; i++) work(i);
  return ((performance.now() - start) * 1e6) / times;
}

const keys = Array.from({ length: keyCount }, randomKey);
const value = new Uint8Array(40);
const tree = new StateTree(keccak);
for (const key of keys) tree.set(key, value);
tree.root();
const sorted = [...tree.entries()].map((entry) => [entry.key, entry.value] as const);
const preimage = new Uint8Array(66);
const view = new DataView(value.buffer);
const hashOnce = (i: number): void => {
  preimage[5] = i;
  keccak(preimage);
};
nanoseconds(100_000, hashOnce);

let writes = 0;
for (let round = 0; round < rounds; round++) {
  const hashNs = nanoseconds(100_000, hashOnce);
  note('keccak of 66 bytes, ns', hashNs);
  for (const every of [1, 64]) {
    const hashesBefore = tree.hashes;
    const times = 320 * 64;
    const ns = nanoseconds(times, (i) => {
      view.setUint32(0, ++writes);
      tree.set(keys[random() % keyCount]!, value);
      if ((i + 1) % every === 0) tree.root();
    });
    const hashes = (tree.hashes - hashesBefore) / times;
    note(`updates/s, root every ${every}`, 1e9 / ns);
    note(`hashes an update, root every ${every}`, hashes);
    note(`CPU ÷ hashes alone, root every ${every}`, ns / (hashes * hashNs));
  }
  note('reads/s', 1e9 / nanoseconds(50_000, () => void tree.get(keys[random() % keyCount]!)));
  const fresh = Array.from({ length: 5_000 }, randomKey);
  note(
    'insertions/s, root after each',
    1e9 /
      nanoseconds(fresh.length, (i) => {
        tree.set(fresh[i]!, value);
        tree.root();
      }),
  );
  note(
    'deletions/s, root after each',
    1e9 /
      nanoseconds(fresh.length, (i) => {
        tree.delete(fresh[i]!);
        tree.root();
      }),
  );
  const loaded = new StateTree(keccak);
  note('bulk load, ms', nanoseconds(1, () => loaded.loadSorted(sorted)) / 1e6);
  note('first root, ms', nanoseconds(1, () => loaded.root()) / 1e6);
}

console.log(`${keyCount} keys, medians of ${rounds} rounds`);
for (const [name, figures] of measured) {
  const median = figures.sort((a, b) => a - b)[figures.length >> 1]!;
  console.log(`${name.padEnd(38)} ${median.toFixed(median < 100 ? 2 : 0)}`);
}
