/** What commits and finalizations cost on a real L1, and that the submitter's limits cover it with room to spare. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { encodeTrace, WITHDRAWN_ENTRY_BYTES } from '#protocol/batch.ts';
import { encodeCommitBatch, encodeFinalizeBatch } from '#settlement/l1/batch-calldata.ts';
import { calldataGas, TRANSACTION_GAS_MAX } from '#settlement/l1/transactions.ts';
import { commitGas, finalizeGas } from '#settlement/submitter/gas.ts';
import { commit, finalize, type L1Fixture, passSeconds, planNow, startFixture } from './l1-fixture.ts';

let fixture: L1Fixture;
beforeAll(async () => {
  fixture = await startFixture();
}, 60_000);
afterAll(() => fixture?.devnet.stop());

const CASES: readonly { inputBytes: number; segmentBytes: number; withdrawals: number }[] = [
  { inputBytes: 10, segmentBytes: 4_096, withdrawals: 0 },
  { inputBytes: 2_000, segmentBytes: 4_096, withdrawals: 1 },
  { inputBytes: 60_000, segmentBytes: 4_096, withdrawals: 64 },
  { inputBytes: 112_000, segmentBytes: 4_096, withdrawals: 3 },
  // Heavy segments: many of them for few bytes.
  { inputBytes: 60_000, segmentBytes: 100, withdrawals: 1 },
];

test.each(CASES)('%o', async ({ inputBytes, segmentBytes, withdrawals }) => {
  const { l1, rollup, chain } = fixture;
  const batch = chain.next(
    await planNow(fixture, {
      inputBytes,
      segmentBytes,
      withdrawals: Array.from({ length: withdrawals }, (_, asset) => ({
        owner: new Uint8Array(20).fill(asset + 1),
        asset,
        amount: 2n ** 60n + BigInt(asset),
      })),
    }),
  );
  const data = encodeCommitBatch(batch);
  const limit = commitGas(data, batch);
  const { gasUsed } = await commit(l1, rollup, batch);
  const segments = encodeTrace(batch.trace).length / 92;
  console.log(`commit: ${(data.length - 2) / 2} bytes, ${segments} segments: ${gasUsed} gas, limit ${limit}`);
  // Large batches pay the floor of their calldata, to the unit; what executes below it is not seen.
  if (gasUsed === calldataGas(data).floor) expect(gasUsed).toBeLessThanOrEqual(limit);
  else expect(gasUsed).toBeLessThan((limit * 97n) / 100n);
  expect(limit).toBeLessThan(TRANSACTION_GAS_MAX);

  await passSeconds(l1, rollup.windowSeconds);
  const finalLimit = finalizeGas(encodeFinalizeBatch(batch), batch);
  const final = await finalize(l1, rollup, batch);
  console.log(
    `finalize: ${batch.withdrawn.length / WITHDRAWN_ENTRY_BYTES} assets: ${final.gasUsed} gas, limit ${finalLimit}`,
  );
  expect(final.gasUsed).toBeLessThan((finalLimit * 97n) / 100n);
});
