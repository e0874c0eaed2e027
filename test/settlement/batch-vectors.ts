/**
 * The cases of test/vectors/header.json, trace.json and withdraw.json: what sequencer/protocol/batch.ts says of
 * batches, for BatchLib.sol and Vault.sol. `npx tsx test/settlement/batch-vectors.ts` writes the files; a test
 * holds the files to this.
 *
 *   header.json    chainId, rollup, header (510 bytes), digest, signature, signer
 *   trace.json     trace (posted entries), firstStep, firstSeq, root, and nextStep, nextSeq, inputEnd, inputHash,
 *                  stateRoot of its end
 *   withdraw.json  owner, asset, total, key, value, root, path: leaf WITHDRAWN(owner, asset) under a ledger root;
 *                  withdrawn: packed totals, with their assets and amounts
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import {
  decodeHeader,
  encodeTrace,
  encodeWithdrawn,
  HEADER_BYTES,
  HEADER_FIELDS,
  hashHeader,
  type TraceEntry,
  traceRoot,
} from '#protocol/batch.ts';
import { concat, setU64be, setU128be, toHex, viewOf } from '#protocol/bytes.ts';
import { nobleKeccak as keccak } from '#protocol/hash.ts';
import { SigningDomain } from '#protocol/signing.ts';
import { accountKey, globalsKey, ownerKey, withdrawnKey } from '#state/keys.ts';
import { StateTree } from '#state/state-tree.ts';
import { encodePath, prove } from '#state/tree-proof.ts';
import { addressOfKey, signDigest } from './batch-builder.ts';

export interface HeaderCase {
  readonly chainId: number;
  readonly rollup: string;
  readonly header: string;
  readonly digest: string;
  readonly signature: string;
  readonly signer: string;
}
export interface TraceCase {
  readonly trace: string;
  readonly firstStep: number;
  readonly firstSeq: number;
  readonly root: string;
  readonly nextStep: number;
  readonly nextSeq: number;
  readonly inputEnd: number;
  readonly inputHash: string;
  readonly stateRoot: string;
}
export interface WithdrawCase {
  readonly owner: string;
  readonly asset: number;
  readonly total: string;
  readonly key: string;
  readonly value: string;
  readonly root: string;
  readonly path: string;
}
export interface WithdrawnCase {
  readonly withdrawn: string;
  readonly assets: readonly number[];
  readonly amounts: readonly string[];
}
export interface BatchVectors {
  readonly header: readonly HeaderCase[];
  readonly trace: readonly TraceCase[];
  readonly withdraw: { readonly leaves: readonly WithdrawCase[]; readonly totals: readonly WithdrawnCase[] };
}

/** Deterministic hashes and numbers: keccak of a label and a counter. */
function stream(label: string): { bytes(length: number): Uint8Array; below(bound: number): number } {
  let count = 0;
  const next = (): Uint8Array =>
    keccak(concat(new TextEncoder().encode(label), Uint8Array.of(count >> 8, count++ & 255)));
  return {
    bytes: (length) => {
      const parts: Uint8Array[] = [];
      for (let left = length; left > 0; left -= 32) parts.push(next());
      return concat(...parts).slice(0, length);
    },
    below: (bound) => Number(viewOf(next()).getBigUint64(0) % BigInt(bound)),
  };
}

const COUNTER_MAX = 2 ** 53 - 1;
/** 64-bit fields stay within 2^53, as every reader demands. */
function headerOf(fill: (width: number) => Uint8Array): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES);
  let at = 0;
  for (const [, width] of HEADER_FIELDS) {
    const part = fill(width);
    if (width === 8) part.set([0, part[1]! & 0x1f]);
    bytes.set(part, at);
    at += width;
  }
  return bytes;
}

function headerCases(): HeaderCase[] {
  const random = stream('header');
  const headers = [
    headerOf((width) => new Uint8Array(width)),
    headerOf((width) => new Uint8Array(width).fill(0xff)),
    // Each byte tells where it stands.
    headerOf(
      (
        (at) => (width: number) =>
          Uint8Array.from({ length: width }, () => at++ & 0xff)
      )(0),
    ),
    ...Array.from({ length: 13 }, () => headerOf((width) => random.bytes(width))),
  ];
  return headers.map((header, i) => {
    const chainId = [1, 31_337, COUNTER_MAX][i % 3]!;
    const rollup = random.bytes(20);
    const key = random.bytes(32);
    const digest = hashHeader(
      decodeHeader(header),
      new SigningDomain({ chainId, verifyingContract: rollup }, keccak),
      keccak,
    );
    return {
      chainId,
      rollup: toHex(rollup),
      header: toHex(header),
      digest: toHex(digest),
      signature: toHex(signDigest(digest, key)),
      signer: toHex(addressOfKey(key)),
    };
  });
}

function traceCases(): TraceCase[] {
  const random = stream('trace');
  return [1, 2, 3, 4, 5, 7, 8, 9, 33, 100].map((count) => {
    const firstStep = count === 1 ? 0 : random.below(2 ** 40);
    const firstSeq = count === 1 ? 1 : random.below(2 ** 40);
    let [nextStep, nextSeq, inputEnd] = [firstStep, firstSeq, 0];
    const trace: TraceEntry[] = Array.from({ length: count }, () => {
      nextStep += 1 + random.below(1_000);
      nextSeq += random.below(50);
      inputEnd += random.below(4_097);
      return {
        nextStep,
        nextSeq,
        inputEnd,
        weight: random.below(10_000_001),
        inputHash: random.bytes(32),
        stateRoot: random.bytes(32),
      };
    });
    const last = trace.at(-1)!;
    return {
      trace: toHex(encodeTrace(trace)),
      firstStep,
      firstSeq,
      root: toHex(traceRoot(trace, { firstStep, firstSeq }, keccak)),
      nextStep,
      nextSeq,
      inputEnd,
      inputHash: toHex(last.inputHash),
      stateRoot: toHex(last.stateRoot),
    };
  });
}

function withdrawCases(): BatchVectors['withdraw'] {
  const random = stream('withdraw');
  const ledger = new StateTree(keccak);
  const leaves: Omit<WithdrawCase, 'root' | 'path'>[] = [];
  const cases: WithdrawCase[] = [];
  const add = (owner: Uint8Array, asset: number, total: bigint): void => {
    const value = new Uint8Array(16);
    setU128be(viewOf(value), 0, total);
    const key = withdrawnKey(owner, asset);
    ledger.set(key, value);
    leaves.push({ owner: toHex(owner), asset, total: String(total), key: toHex(key), value: toHex(value) });
  };
  const snapshot = (): void => {
    const root = toHex(ledger.root());
    for (const leaf of leaves) {
      const proof = prove(ledger, Uint8Array.from(Buffer.from(leaf.key.slice(2), 'hex')))!;
      cases.push({ ...leaf, root, path: toHex(encodePath(proof.siblings)) });
    }
    leaves.length = 0;
  };
  // The only leaf of the ledger: a path without siblings.
  add(new Uint8Array(20).fill(0x11), 0, 1n);
  snapshot();
  ledger.set(globalsKey(), random.bytes(64));
  for (let i = 0; i < 40; i++) {
    ledger.set(accountKey(i), random.bytes(100));
    ledger.set(ownerKey(random.bytes(20), i), random.bytes(4));
  }
  add(new Uint8Array(20).fill(0xff), 65_535, 2n ** 128n - 1n);
  add(new Uint8Array(20), 0, 2n ** 64n);
  for (let i = 0; i < 12; i++) {
    const amount = new Uint8Array(8);
    setU64be(viewOf(amount), 0, random.below(COUNTER_MAX));
    add(random.bytes(20), random.below(3), viewOf(amount).getBigUint64(0));
  }
  snapshot();
  const totals = [[], [0], [0, 1], [3, 7, 63, 65_535]].map((assets) => {
    const amounts = assets.map((asset) =>
      asset === 7 ? 2n ** 128n - 1n : BigInt(random.below(COUNTER_MAX)),
    );
    return {
      withdrawn: toHex(encodeWithdrawn(assets.map((asset, i) => ({ asset, amount: amounts[i]! })))),
      assets,
      amounts: amounts.map(String),
    };
  });
  return { leaves: cases, totals };
}

export const batchVectors = (): BatchVectors => ({
  header: headerCases(),
  trace: traceCases(),
  withdraw: withdrawCases(),
});

export const VECTOR_FILES = {
  header: fileURLToPath(new URL('../vectors/header.json', import.meta.url)),
  trace: fileURLToPath(new URL('../vectors/trace.json', import.meta.url)),
  withdraw: fileURLToPath(new URL('../vectors/withdraw.json', import.meta.url)),
} as const;

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const vectors = batchVectors();
  writeFileSync(VECTOR_FILES.header, `${JSON.stringify({ cases: vectors.header }, null, 1)}\n`);
  writeFileSync(VECTOR_FILES.trace, `${JSON.stringify({ cases: vectors.trace }, null, 1)}\n`);
  writeFileSync(VECTOR_FILES.withdraw, `${JSON.stringify(vectors.withdraw, null, 1)}\n`);
}
