/** From flags to a connected client that is closed again whatever happens. */
import { readFileSync } from 'node:fs';
import type { Hello } from '#protocol/wire.ts';
import { SluiceClient } from '../client.ts';
import { SluiceError } from '../errors.ts';
import { keySigner, type Signer } from '../signer.ts';
import { DEVELOPMENT_CHAIN_ID, DEVELOPMENT_KEYS, DEVELOPMENT_ROLES } from './development-keys.ts';
import { UsageError } from './failure.ts';
import type { ConnectionOptions, KeyOptions, TraderOptions } from './options.ts';

/** Runs with a client that only reads public things. */
export async function asVisitor<Result>(
  options: ConnectionOptions,
  run: (client: SluiceClient) => Promise<Result>,
  connection: { readonly reconnect?: boolean } = {},
): Promise<Result> {
  const client = await SluiceClient.connect({
    url: options.url,
    ...(connection.reconnect ? {} : { reconnect: false }),
  });
  try {
    await client.loadMarkets();
    return await run(client);
  } finally {
    await client.close();
  }
}

/**
 * Runs with a client in a trader's name. `observe` (the default): the connection does not count for
 * cancel-on-disconnect, as a command that ends at once must not cancel what it placed.
 */
export async function asTrader<Result>(
  options: TraderOptions,
  run: (client: SluiceClient) => Promise<Result>,
  connection: { readonly reconnect?: boolean; readonly login?: boolean } = {},
): Promise<Result> {
  const client = await SluiceClient.connect({
    url: options.url,
    signer: (hello) => signerFor(options, hello.chainId),
    observe: true,
    ...(options.account === undefined ? {} : { account: options.account }),
    ...(connection.reconnect ? {} : { reconnect: false }),
    ...(connection.login === undefined ? {} : { login: connection.login }),
  });
  try {
    await client.loadMarkets();
    return await run(client);
  } finally {
    await client.close();
  }
}

/** The trader's private key as text; a development key only on the development chain. */
export function traderKey(options: KeyOptions, chainId: number): string {
  if (options.key !== undefined) return options.key;
  if (options.keyFile !== undefined) {
    try {
      return readFileSync(options.keyFile, 'utf8').trim();
    } catch (cause) {
      throw new UsageError(`key file ${options.keyFile}: ${(cause as Error).message}`, { cause });
    }
  }
  if (chainId === DEVELOPMENT_CHAIN_ID) return DEVELOPMENT_KEYS[options.dev ?? DEVELOPMENT_ROLES.trader]!;
  throw new SluiceError(
    'SIGNER_MISSING',
    options.dev === undefined
      ? `key: expected --key-file, SLUICE_KEY or --key on chain ${chainId}, got none`
      : `--dev: expected chain ${DEVELOPMENT_CHAIN_ID}, got chain ${chainId}: development keys are known to everybody`,
    { details: { chainId } },
  );
}

export const signerFor = (options: TraderOptions, chainId: Hello['chainId']): Signer =>
  keySigner(traderKey(options, chainId));

/** Resolves at SIGINT or SIGTERM: for commands that run until they are told to stop. */
export const untilStopped = (): Promise<NodeJS.Signals> =>
  new Promise((resolve) => {
    const stop = (signal: NodeJS.Signals): void => {
      process.off('SIGINT', stop);
      process.off('SIGTERM', stop);
      resolve(signal);
    };
    process.on('SIGINT', stop);
    process.on('SIGTERM', stop);
  });
