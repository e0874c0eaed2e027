/** Thread that keeps the final ledger (ledger-at-batch.ts); started and fed by final-ledger.ts. */
import { parentPort } from 'node:worker_threads';
import { createWasmKeccak } from '#auth/wasm-keccak.ts';
import type { WithdrawalProofView } from '#protocol/query.ts';
import type { Address, Hash } from '#protocol/units.ts';
import { LedgerAtBatch } from './ledger-at-batch.ts';

export type LedgerRequest =
  | { readonly kind: 'load'; readonly payload: Uint8Array; readonly batchId: number }
  | { readonly kind: 'apply'; readonly id: number; readonly diff: Uint8Array; readonly root: Hash }
  | { readonly kind: 'prove'; readonly owner: Address; readonly asset: number };

/** One for each request, in order. */
export interface LedgerAnswer {
  readonly batchId: number;
  readonly proof: WithdrawalProofView | null;
  /** Why it could not be done. */
  readonly failure?: string;
}

const port = parentPort;
if (port === null) throw new Error('final-ledger-worker: expected to run as a worker thread');
const requests: LedgerRequest[] = [];
let ledger: LedgerAtBatch | undefined;

function answer(request: LedgerRequest): void {
  const at = ledger!;
  let proof: WithdrawalProofView | null = null;
  let failure: string | undefined;
  try {
    if (request.kind === 'load') at.load(request.payload, request.batchId);
    else if (request.kind === 'apply') at.apply(request.id, request.diff, request.root);
    else proof = at.proof(request.owner, request.asset);
  } catch (error) {
    failure = error instanceof Error ? error.message : String(error);
  }
  const { batchId } = at;
  port!.postMessage({ batchId, proof, ...(failure !== undefined && { failure }) } satisfies LedgerAnswer);
}

port.on('message', (request: LedgerRequest) => {
  if (ledger === undefined) requests.push(request);
  else answer(request);
});
ledger = new LedgerAtBatch(await createWasmKeccak());
for (const request of requests) answer(request);
