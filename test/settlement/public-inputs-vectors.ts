/**
 * The cases of test/vectors/public-inputs.json: what prover-stub/public-inputs.ts and prover.ts say, for
 * PublicInputs.sol and StubVerifier.sol. `npx tsx test/settlement/public-inputs-vectors.ts` writes the file; a test
 * holds the file to this.
 *
 *   cases   chainId, rollup, header (510 bytes), publicInputs (366), attestation (105), attester
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { decodeHeader, encodeHeader, hashHeader, type SignedBatch } from '#protocol/batch.ts';
import { fromHex, toHex } from '#protocol/bytes.ts';
import { nobleKeccak as keccak } from '#protocol/hash.ts';
import { SigningDomain } from '#protocol/signing.ts';
import { AttestingProver } from '#prover-stub/prover.ts';
import { batchVectors } from './batch-vectors.ts';

export interface PublicInputsCase {
  readonly chainId: number;
  readonly rollup: string;
  readonly header: string;
  readonly publicInputs: string;
  readonly attestation: string;
  readonly attester: string;
}

export function publicInputsVectors(): Promise<PublicInputsCase[]> {
  return Promise.all(
    batchVectors().header.map(async ({ chainId, rollup, header: bytes }, i) => {
      const header = { ...decodeHeader(fromHex(bytes)), version: 1 };
      const domain = { chainId, verifyingContract: fromHex(rollup) };
      const hash = hashHeader(header, new SigningDomain(domain, keccak), keccak);
      const prover = new AttestingProver(keccak(Uint8Array.of(i)), domain, keccak);
      // An attester signs what it is about; the other parts are for provers that execute.
      const posted = { header, hash } as SignedBatch;
      const proof = await prover.prove({ posted, records: [], signers: [] });
      return {
        ...{ chainId, rollup, header: toHex(encodeHeader(header)) },
        publicInputs: toHex(proof.publicInputs),
        attestation: toHex(proof.bytes),
        attester: toHex(prover.address),
      };
    }),
  );
}

export const PUBLIC_INPUTS_VECTOR_FILE = fileURLToPath(
  new URL('../vectors/public-inputs.json', import.meta.url),
);

if (process.argv[1] === fileURLToPath(import.meta.url))
  writeFileSync(
    PUBLIC_INPUTS_VECTOR_FILE,
    `${JSON.stringify({ cases: await publicInputsVectors() }, null, 1)}\n`,
  );
