/** What a key has sent, as the blocks of a stopped embedded L1 tell it. */
import { readFileSync } from 'node:fs';
import type { DemoReport } from '#client/demo/report.ts';
import { keySigner } from '#client/signer.ts';
import { toHex } from '#protocol/bytes.ts';
import { connectL1 } from '#settlement/l1/client.ts';
import { startDevnet } from '#settlement/l1/devnet.ts';

const BLOB_BYTES = 131_072;

/** Starts the L1 again from its state and sums the first `count` transactions of the key in `keyFile`. */
export async function sentByL1(run: {
  readonly stateFile: string;
  readonly keyFile: string;
  readonly count: number;
}): Promise<DemoReport['l1']> {
  const { stateFile, count } = run;
  const address = toHex(keySigner(readFileSync(run.keyFile, 'utf8')).address);
  const devnet = await startDevnet({ stateFile, blockTimeSeconds: 3_600 });
  try {
    const l1 = await connectL1({ url: devnet.url });
    const sum = { transactions: 0, gas: 0, calldataBytes: 0, blobBytes: 0 };
    const latest = await l1.public.getBlockNumber();
    for (let number = 0n; number <= latest; number++) {
      const block = await l1.public.getBlock({ blockNumber: number, includeTransactions: true });
      for (const transaction of block.transactions) {
        if (transaction.from.toLowerCase() !== address || transaction.nonce >= count) continue;
        const receipt = await l1.public.getTransactionReceipt({ hash: transaction.hash });
        sum.transactions++;
        sum.gas += Number(receipt.gasUsed);
        sum.calldataBytes += (transaction.input.length - 2) / 2;
        sum.blobBytes += BLOB_BYTES * (transaction.blobVersionedHashes?.length ?? 0);
      }
    }
    return sum;
  } finally {
    await devnet.stop();
  }
}
