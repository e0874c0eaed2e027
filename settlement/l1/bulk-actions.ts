/**
 * Many transactions of one key at once, for development chains and tests: consecutive nonces, sent without waiting
 * in between, then waited for together. Amounts are ledger units. Everything rejects with `L1Error`.
 */
import { type Address, encodeFunctionData, type Hex, parseEventLogs, type TransactionReceipt } from 'viem';
import { toHex } from '#protocol/bytes.ts';
import { queueAbi, tokenAbi, vaultAbi } from './abi.ts';
import { accountOf, type Call, type L1Client, send, sendOnly } from './client.ts';
import type { RollupContracts } from './contracts.ts';
import { L1Error, l1Error } from './errors.ts';
import { approveVault, assetOf, tokenBalance, type WithdrawalProof } from './vault-actions.ts';

/** Sends all calls in order; resolves when every one is mined. None may depend on the ones before. */
export async function sendMany(
  l1: L1Client,
  calls: readonly Omit<Call, 'nonce'>[],
): Promise<TransactionReceipt[]> {
  const { address } = accountOf(l1);
  const hashes: Hex[] = [];
  try {
    const first = await l1.public.getTransactionCount({ address, blockTag: 'pending' });
    for (const [i, call] of calls.entries()) hashes.push(await sendOnly(l1, { ...call, nonce: first + i }));
    const receipts = await Promise.all(
      hashes.map((hash) =>
        l1.public.waitForTransactionReceipt({ hash, pollingInterval: l1.pollMs, timeout: 120_000 }),
      ),
    );
    receipts.forEach((receipt, i) => {
      if (receipt.status === 'reverted')
        throw new L1Error('reverted', `${calls[i]!.doing}: transaction ${hashes[i]} was mined and reverted`);
    });
    return receipts;
  } catch (error) {
    throw l1Error(error, calls[hashes.length]?.doing ?? 'send');
  }
}

export interface Funding {
  readonly owner: Address;
  readonly amount: number;
}

/** Mints test tokens as far as the sender lacks them and deposits them for their owners, sub-account 0. */
export async function depositTestTokens(
  l1: L1Client,
  rollup: RollupContracts,
  deposits: readonly Funding[],
  asset = 0,
): Promise<void> {
  const { token, scale } = assetOf(rollup, asset);
  const sender = accountOf(l1).address;
  const total = deposits.reduce((sum, { amount }) => sum + BigInt(amount) * scale, 0n);
  const held = await tokenBalance(l1, rollup, { address: sender, asset });
  if (held < total)
    await send(l1, {
      to: token,
      data: encodeFunctionData({ abi: tokenAbi, functionName: 'mint', args: [sender, total - held] }),
      doing: 'mint test tokens',
    });
  await approveVault(l1, rollup, { asset });
  await sendMany(
    l1,
    deposits.map(({ owner, amount }) => ({
      to: rollup.queue,
      data: encodeFunctionData({
        abi: queueAbi,
        functionName: 'depositFor',
        args: [owner, asset, 0, BigInt(amount)],
      }),
      doing: `deposit for ${owner}`,
    })),
  );
}

/** Pays every owner what the proofs show and was not paid yet; resolves with the amounts, in the order of the proofs. */
export async function withdrawMany(
  l1: L1Client,
  rollup: RollupContracts,
  proofs: readonly WithdrawalProof[],
): Promise<bigint[]> {
  const receipts = await sendMany(
    l1,
    proofs.map((proof) => ({
      to: rollup.vault,
      data: encodeFunctionData({
        abi: vaultAbi,
        functionName: 'withdraw',
        args: [proof.owner, proof.asset, proof.total, BigInt(proof.batchId), toHex(proof.path)],
      }),
      doing: `withdraw for ${proof.owner}`,
    })),
  );
  return receipts.map((receipt) => {
    const [event] = parseEventLogs({ abi: vaultAbi, eventName: 'Withdrawn', logs: receipt.logs });
    if (event === undefined) throw new L1Error('malformed', 'withdraw: expected a Withdrawn event, got none');
    return event.args.amount;
  });
}

/** Gives ether, for gas. */
export const sendEther = (l1: L1Client, to: Address, wei: bigint): Promise<TransactionReceipt> =>
  send(l1, { to, data: '0x', value: wei, doing: `send ether to ${to}` });

/** Moves the clock of a development chain on; other chains refuse. */
export async function increaseTime(l1: L1Client, seconds: number): Promise<void> {
  try {
    await l1.public.request({
      method: 'evm_increaseTime' as never,
      params: [Math.floor(seconds)] as never,
    });
  } catch (error) {
    throw l1Error(error, 'move the clock of L1');
  }
}
