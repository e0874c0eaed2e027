/**
 * The cases of test/vectors/receipt.json and trace-proof.json: what sequencer/protocol/receipt.ts and trace-proof.ts
 * say, for ReceiptLib.sol and TraceProof.sol. `npx tsx test/settlement/receipt-vectors.ts` writes the files; a test
 * holds the files to this.
 *
 *   receipt.json       chainId, rollup, receipt (149 bytes), digest, signer, and a chain: before, links, after
 *   trace-proof.json   trace, firstStep, firstSeq, root, and of every segment segment and path
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { decodeTrace, type TraceEntry, traceRoot } from '#protocol/batch.ts';
import { concat, toHex } from '#protocol/bytes.ts';
import { nobleKeccak as keccak } from '#protocol/hash.ts';
import { encodeSignedReceipt, foldLinks, hashReceipt } from '#protocol/receipt.ts';
import { SigningDomain } from '#protocol/signing.ts';
import { openSegment } from '#protocol/trace-proof.ts';
import { addressOfKey, signDigest } from './batch-builder.ts';
import { batchVectors } from './batch-vectors.ts';

export interface ReceiptCase {
  readonly chainId: number;
  readonly rollup: string;
  readonly receipt: string;
  readonly digest: string;
  readonly signer: string;
  readonly before: string;
  readonly links: string;
  readonly after: string;
}
export interface TraceProofCase {
  readonly trace: string;
  readonly firstStep: number;
  readonly firstSeq: number;
  readonly root: string;
  readonly segments: readonly { readonly segment: string; readonly path: string }[];
}

const hash = (label: string): Uint8Array => keccak(new TextEncoder().encode(label));

function receiptCases(): ReceiptCase[] {
  return Array.from({ length: 16 }, (_, i) => {
    const rollup = hash(`rollup ${i}`).subarray(12);
    const key = hash(`key ${i}`);
    const domain = { chainId: [1, 31_337, 2 ** 31][i % 3]!, verifyingContract: rollup };
    const before = i === 0 ? new Uint8Array(32) : hash(`before ${i}`);
    const links = concat(...Array.from({ length: i }, (_, n) => hash(`link ${i} ${n}`)));
    const after = foldLinks(before, links, keccak);
    const extreme = i === 1 ? Number.MAX_SAFE_INTEGER : undefined;
    const receipt = {
      epoch: i === 1 ? 2 ** 32 - 1 : i + 1,
      seq: extreme ?? 7 * i ** 3 + 1,
      inputHash: after,
      queueNext: extreme ?? i ** 2,
      queueHash: i === 0 ? new Uint8Array(32) : hash(`queue ${i}`),
    };
    const digest = hashReceipt(receipt, new SigningDomain(domain, keccak), keccak);
    return {
      chainId: domain.chainId,
      rollup: toHex(rollup),
      receipt: toHex(encodeSignedReceipt({ ...receipt, signature: signDigest(digest, key) })),
      digest: toHex(digest),
      signer: toHex(addressOfKey(key)),
      before: toHex(before),
      links: toHex(links),
      after: toHex(after),
    };
  });
}

/** Traces of one to seventeen segments: every shape of tree in which a node is lifted. */
function traceProofCases(): TraceProofCase[] {
  const entries = batchVectors().trace.flatMap(({ trace }) =>
    decodeTrace(Buffer.from(trace.slice(2), 'hex')),
  );
  return [1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 13, 16, 17].map((length) => {
    const trace: TraceEntry[] = Array.from({ length }, (_, i) => ({
      ...entries[(length * 31 + i) % entries.length]!,
      nextStep: 100 + 9 * i,
      nextSeq: 10 + 3 * i,
      inputEnd: 500 * (i + 1),
      weight: 1_000_000 + i,
    }));
    const start = { firstStep: 91, firstSeq: 7 };
    return {
      trace: toHex(concat(...trace.map((_, i) => openSegment(trace, start, i, keccak).segment.subarray(20)))),
      ...start,
      root: toHex(traceRoot(trace, start, keccak)),
      segments: trace.map((_, i) => {
        const { segment, path } = openSegment(trace, start, i, keccak);
        return { segment: toHex(segment), path: toHex(path) };
      }),
    };
  });
}

export const receiptVectors = () => ({ receipt: receiptCases(), traceProof: traceProofCases() });

const file = (name: string): string => fileURLToPath(new URL(`../vectors/${name}.json`, import.meta.url));
export const RECEIPT_VECTOR_FILES = { receipt: file('receipt'), traceProof: file('trace-proof') };

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const vectors = receiptVectors();
  const write = (name: keyof typeof RECEIPT_VECTOR_FILES): void =>
    writeFileSync(RECEIPT_VECTOR_FILES[name], `${JSON.stringify({ cases: vectors[name] }, null, 1)}\n`);
  write('receipt');
  write('traceProof');
}
