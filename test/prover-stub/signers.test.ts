import { afterAll, expect, test } from 'vitest';
import { createRecover } from '#auth/recover.ts';
import { createWasmKeccak } from '#auth/wasm-keccak.ts';
import { fromHex } from '#protocol/bytes.ts';
import { AttestingProver, attesterOf } from '#prover-stub/prover.ts';
import { encodePublicInputs, PUBLIC_INPUTS_BYTES } from '#prover-stub/public-inputs.ts';
import { signersHere, signersInThreads } from '#prover-stub/signers.ts';
import { TEST_DOMAIN, testKey, testSigning } from '../auth/keys.ts';
import { RandomSession } from '../support/random-session.ts';
import { ANCHOR } from './made-facts.ts';
import { TestSequencer } from './test-sequencer.ts';

const keccak = await createWasmKeccak();
const here = signersHere(TEST_DOMAIN, keccak);
const threads = await signersInThreads(TEST_DOMAIN, keccak, { workers: 1, onFatal: () => {} });
afterAll(() => threads.close());
const session = new RandomSession({ seed: 21, signed: true }).run(150);

test('signers recovered in threads are those recovered here, and those who signed', async () => {
  const records = session.commands.map(({ record }) => record);
  const expected = session.commands.map(({ signers }) => new Uint8Array(signers));
  expect(await here.recover(records)).toEqual(expected);
  expect(await threads.recover(records)).toEqual(expected);
});

test('a byte changed anywhere in a record gives the same answer in both', async () => {
  const changed = session.commands.map(({ record }, i) => {
    const bytes = record.slice();
    // Kind and length are the same: what is not a record does not come this far.
    const at = 12 + ((7 * i) % Math.max(1, bytes.length - 12));
    if (at < bytes.length) bytes[at]! ^= 1 + (i % 255);
    return bytes;
  });
  const signers = await here.recover(changed);
  expect(await threads.recover(changed)).toEqual(signers);
  expect(signers.some((one) => one === undefined)).toBe(true);
  expect(signers.some((one) => one !== undefined && one.length > 0)).toBe(true);
});

test('public inputs bind every field of the header, and an attestation binds them', async () => {
  const sequencer = new TestSequencer({ domain: testSigning, secret: testKey(77).secret, keccak });
  for (const command of session.commands) sequencer.apply(command);
  const [batch] = sequencer.cut({ epoch: 1, anchor: ANCHOR });
  const key = testKey(5);
  const prover = new AttestingProver(key.secret, TEST_DOMAIN, keccak);
  const proof = await prover.prove({ posted: batch!, records: [], signers: [] });
  const tools = { keccak, recover: createRecover(keccak) };
  expect(proof.publicInputs.length).toBe(PUBLIC_INPUTS_BYTES);
  expect(proof.publicInputs.subarray(30, 62)).toEqual(batch!.hash);
  expect(attesterOf(proof, TEST_DOMAIN, tools)).toEqual(key.address);
  for (let at = 0; at < PUBLIC_INPUTS_BYTES; at++) {
    const publicInputs = proof.publicInputs.slice();
    publicInputs[at]! ^= 1;
    expect(attesterOf({ ...proof, publicInputs }, TEST_DOMAIN, tools)).toBeUndefined();
  }
  const elsewhere = { chainId: 1, verifyingContract: fromHex(`0x${'ab'.repeat(20)}`) };
  expect(attesterOf(proof, elsewhere, tools)).not.toEqual(key.address);
  const { header, hash } = batch!;
  expect(encodePublicInputs(header, hash, elsewhere)).not.toEqual(proof.publicInputs);
});
