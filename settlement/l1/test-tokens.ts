/** Tokens of development chains: a dollar of 6 decimals, an ether of 18 of which the ledger counts 8, a bitcoin of 8. */
import { encodeDeployData, getAddress } from 'viem';
import { sendMany } from './bulk-actions.ts';
import type { L1Client } from './client.ts';
import { type Artifacts, compileContracts } from './compile.ts';
import type { VaultAsset } from './vault-asset.ts';

export interface TestToken {
  readonly name: string;
  readonly symbol: string;
  readonly decimals: number;
  /** Of these the ledger counts so many. */
  readonly ledgerDecimals: number;
}

export const TEST_USD: TestToken = { name: 'Test USD', symbol: 'tUSD', decimals: 6, ledgerDecimals: 6 };

/** In the order of the vault's assets: the quote asset first. */
export const TEST_TOKENS: readonly TestToken[] = [
  TEST_USD,
  { name: 'Test Ether', symbol: 'tETH', decimals: 18, ledgerDecimals: 8 },
  { name: 'Test Bitcoin', symbol: 'tBTC', decimals: 8, ledgerDecimals: 8 },
];

const CAP = 2 ** 51;

/** Deploys tokens that anyone can mint; resolves with what the vault takes of each. Rejects with `L1Error`. */
export async function deployTestTokens(
  l1: L1Client,
  tokens: readonly TestToken[] = TEST_TOKENS,
  artifacts?: Artifacts,
): Promise<VaultAsset[]> {
  const { abi, bytecode } = (artifacts ?? (await compileContracts())).TestToken;
  const receipts = await sendMany(
    l1,
    tokens.map(({ name, symbol, decimals }) => ({
      data: encodeDeployData({ abi, bytecode, args: [name, symbol, decimals] }),
      doing: `deploy ${symbol}`,
    })),
  );
  return tokens.map(({ decimals, ledgerDecimals }, i) => ({
    token: getAddress(receipts[i]!.contractAddress!),
    scale: 10n ** BigInt(decimals - ledgerDecimals),
    depositMin: 1,
    cap: CAP,
  }));
}
