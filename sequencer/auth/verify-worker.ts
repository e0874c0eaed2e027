/** Thread that recovers the signers of batches (verification-batch.ts); started by authenticator.ts. */
import { parentPort, workerData } from 'node:worker_threads';
import { type Domain, SigningDomain } from '#protocol/signing.ts';
import { createRecover } from './recover.ts';
import { answerRequest } from './verification-batch.ts';
import { createWasmKeccak } from './wasm-keccak.ts';

export interface VerifyWorkerData {
  /** URL of this module, for thread.mjs. */
  readonly program: string;
  readonly domain: Domain;
}

const port = parentPort;
if (port === null) throw new Error('verify-worker: expected to run as a worker thread');
const keccak = await createWasmKeccak();
const domain = new SigningDomain((workerData as VerifyWorkerData).domain, keccak);
const recover = createRecover(keccak);

port.on('message', (request: ArrayBuffer) => {
  const answer = answerRequest(request, domain, recover);
  port.postMessage(answer, [answer]);
});
port.postMessage('ready');
