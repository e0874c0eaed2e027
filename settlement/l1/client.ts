/**
 * The connection to L1: a public client, and an account when a key is given. Nothing is retried here: who calls
 * knows whether trying again is right.
 *
 *   const l1 = await connectL1({ url: 'http://127.0.0.1:8545', key: '0x…' });
 *   const { address } = accountOf(l1);
 *   await send(l1, { to, data, doing: 'deposit' });        // simulated, sent, mined, or an L1Error
 */
import {
  type Account,
  type Address,
  type Chain,
  createPublicClient,
  defineChain,
  type Hex,
  http,
  type PublicClient,
  type TransactionReceipt,
  type Transport,
  webSocket,
} from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { L1Error, l1Error } from './errors.ts';

export type { Address, Hex } from 'viem';

export interface L1Options {
  /** http(s) or ws(s). */
  readonly url: string;
  /** 32-byte private key; without one nothing can be sent. */
  readonly key?: Hex;
  /** Checked when given. */
  readonly chainId?: number;
  /** Between polls for receipts; 1,000 by default, 100 on a development chain (chain id 31337). */
  readonly pollMs?: number;
  /** For one request; 20,000 by default. */
  readonly timeoutMs?: number;
}

export interface L1Client {
  readonly url: string;
  readonly chainId: number;
  readonly public: PublicClient<Transport, Chain>;
  /** Local account of `key`. */
  readonly account: (Account & { readonly type: 'local' }) | undefined;
  readonly pollMs: number;
}

export const DEVNET_CHAIN_ID = 31_337;

/** Rejects with `L1Error` code `unreachable` or `wrong-chain`. */
export async function connectL1(options: L1Options): Promise<L1Client> {
  const transport = transportFor(options);
  const chainId = await createPublicClient({ transport })
    .getChainId()
    .catch((error) => {
      throw l1Error(error, `l1 ${options.url}`);
    });
  if (options.chainId !== undefined && options.chainId !== chainId)
    throw new L1Error(
      'wrong-chain',
      `l1 ${options.url}: expected chain id ${options.chainId}, got ${chainId}`,
    );
  const pollMs = options.pollMs ?? (chainId === DEVNET_CHAIN_ID ? 100 : 1_000);
  const chain = defineChain({
    id: chainId,
    name: `chain ${chainId}`,
    nativeCurrency: { name: 'Ether', symbol: 'ETH', decimals: 18 },
    rpcUrls: { default: { http: [options.url] } },
  });
  return {
    url: options.url,
    chainId,
    public: createPublicClient({ chain, transport, pollingInterval: pollMs, cacheTime: 0 }),
    account: options.key === undefined ? undefined : privateKeyToAccount(options.key),
    pollMs,
  };
}

function transportFor(options: L1Options): Transport {
  const common = { retryCount: 0, timeout: options.timeoutMs ?? 20_000 };
  return /^wss?:/.test(options.url) ? webSocket(options.url, common) : http(options.url, common);
}

/** The same connection under another key. */
export const withKey = (l1: L1Client, key: Hex): L1Client => ({ ...l1, account: privateKeyToAccount(key) });

/** Throws `L1Error` code `rejected` when the client has no key. */
export function accountOf(l1: L1Client): Account & { readonly type: 'local' } {
  if (l1.account === undefined)
    throw new L1Error('rejected', `l1 ${l1.url}: expected a key to send with, got none`);
  return l1.account;
}

export interface Call {
  readonly to?: Address;
  readonly data: Hex;
  /** Wei. */
  readonly value?: bigint;
  readonly nonce?: number;
  /** What this does, for error messages. */
  readonly doing: string;
}

/**
 * Estimates (so that a revert is seen before anything is paid), sends, and waits until it is mined. For single
 * actions of users and tests; the submitter has its own stream (settlement/submitter). Rejects with `L1Error`.
 */
export async function send(l1: L1Client, call: Call): Promise<TransactionReceipt> {
  const hash = await sendOnly(l1, call);
  try {
    const receipt = await l1.public.waitForTransactionReceipt({
      hash,
      pollingInterval: l1.pollMs,
      timeout: 120_000,
    });
    if (receipt.status === 'reverted')
      throw new L1Error('reverted', `${call.doing}: transaction ${hash} was mined and reverted`);
    return receipt;
  } catch (error) {
    throw l1Error(error, call.doing);
  }
}

/** As `send`, without waiting: resolves with the transaction's hash. */
export async function sendOnly(l1: L1Client, call: Call): Promise<Hex> {
  const account = accountOf(l1);
  try {
    const fees = await l1.public.estimateFeesPerGas();
    const nonce =
      call.nonce ?? (await l1.public.getTransactionCount({ address: account.address, blockTag: 'pending' }));
    const target = call.to === undefined ? {} : { to: call.to };
    const value = call.value ?? 0n;
    const gas = await l1.public.estimateGas({ account, ...target, data: call.data, value });
    const serialized = await account.signTransaction({
      type: 'eip1559',
      chainId: l1.chainId,
      nonce,
      ...target,
      data: call.data,
      value,
      // Another transaction before this one may make it dearer (a refund, a colder slot).
      gas: gas + gas / 8n,
      maxFeePerGas: fees.maxFeePerGas,
      maxPriorityFeePerGas: fees.maxPriorityFeePerGas,
    });
    return await l1.public.sendRawTransaction({ serializedTransaction: serialized });
  } catch (error) {
    throw l1Error(error, call.doing);
  }
}
