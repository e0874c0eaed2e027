/**
 * An L1 of one's own: Anvil from npm as a child process on 127.0.0.1.
 *
 *   const devnet = await startDevnet({ port: 0, blockTimeSeconds: 1, stateFile: 'data/l1/state.json' });
 *   devnet.url, devnet.accounts[0].key …
 *   await devnet.stop();                                  // writes the state file
 *
 * The child lives in its own process group, so that Ctrl-C reaches it only through `stop`, and behind a shell that
 * holds a pipe from this process: if this process dies in any way, the pipe closes and the child ends too, writing
 * its state first.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import path from 'node:path';
import type { Address, Hex } from 'viem';
import { mnemonicToAccount } from 'viem/accounts';
import { toHex } from '#protocol/bytes.ts';
import { DEVNET_CHAIN_ID } from './client.ts';
import { L1Error } from './errors.ts';

/** Known to everybody: for development chains only. */
export const DEVNET_MNEMONIC = 'test test test test test test test test test test test junk';

export interface DevnetOptions {
  /** 0 (default): any free one. */
  readonly port?: number;
  /** Seconds between blocks; without it every transaction is mined at once and time stands still between them. */
  readonly blockTimeSeconds?: number;
  /** Read at start when it exists, written at stop and every `saveSeconds`. */
  readonly stateFile?: string;
  /** Default 60. */
  readonly saveSeconds?: number;
  readonly chainId?: number;
  /** Funded with 10,000 ether each; default 10. */
  readonly accounts?: number;
  /** Mnemonic of the accounts; default `DEVNET_MNEMONIC`. */
  readonly mnemonic?: string;
  /** Further arguments for anvil. */
  readonly arguments?: readonly string[];
}

export interface DevnetAccount {
  readonly address: Address;
  readonly key: Hex;
}

export interface Devnet {
  readonly url: string;
  readonly port: number;
  readonly chainId: number;
  readonly accounts: readonly DevnetAccount[];
  /** True when the state file was there and was loaded. */
  readonly resumed: boolean;
  /** Resolves when the child has ended, expected or not, with what it said last. */
  readonly ended: Promise<string>;
  /** Ends the child; resolves when it is gone and its state is written. */
  stop(): Promise<void>;
}

const HOST = '127.0.0.1';
const START_MS_MAX = 60_000;
const STOP_MS_MAX = 30_000;
/** Blocks may take a batch of 128 KiB at the calldata floor price many times over. */
const BLOCK_GAS = 60_000_000;

/** Blocks whose state can still be asked for; more would go to files in the user's home directory. */
const STATES_KEPT = 1_000;

/** The child is run behind this: it ends when our end of its standard input closes. */
const SUPERVISOR =
  'exec 3<&0; "$@" </dev/null & child=$!; { cat <&3 >/dev/null; kill -TERM $child; } 2>/dev/null & wait $child';

/** Rejects with `L1Error` code `devnet`, in one sentence that says what to do. */
export async function startDevnet(options: DevnetOptions = {}): Promise<Devnet> {
  const binary = anvilBinary();
  const port = options.port ?? 0;
  // A free port can be taken by another in the moment before the child binds it: then once more.
  for (let attempt = 1; ; attempt++) {
    try {
      return await start(binary, port === 0 ? await freePort() : await claimPort(port), options);
    } catch (error) {
      if (port !== 0 || attempt === 3 || !(error instanceof PortTaken)) throw error;
    }
  }
}

class PortTaken extends L1Error {}

async function start(binary: string, port: number, options: DevnetOptions): Promise<Devnet> {
  const chainId = options.chainId ?? DEVNET_CHAIN_ID;
  const mnemonic = options.mnemonic ?? DEVNET_MNEMONIC;
  const count = options.accounts ?? 10;
  const resumed = options.stateFile !== undefined && existsSync(options.stateFile);
  const child = spawn('/bin/sh', ['-c', SUPERVISOR, 'sh', binary, ...(await anvilArguments(port, options))], {
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true,
  });
  child.stdin.on('error', () => {});
  const said: string[] = [];
  const listen = (data: Buffer): void => {
    said.push(data.toString());
    if (said.length > 50) said.shift();
  };
  child.stdout.on('data', listen);
  child.stderr.on('data', listen);
  const ended = new Promise<string>((resolve) => {
    child.on('error', (error) => resolve(error.message));
    child.on('close', () => resolve(lastLine(said)));
  });

  const url = `http://${HOST}:${port}`;
  const outcome = await Promise.race([ready(url, chainId), ended.then((words) => ({ words }))]);
  if (outcome !== true) {
    child.stdin.end();
    const words = typeof outcome === 'object' ? outcome.words : outcome;
    if (/address already in use/i.test(said.join('')))
      throw new PortTaken(
        'devnet',
        `devnet: port ${port} on ${HOST} is in use: choose another port, or 0 for any`,
      );
    throw new L1Error(
      'devnet',
      resumed
        ? `devnet: anvil did not start from ${options.stateFile} (${words}): move the file away to begin with an empty chain`
        : `devnet: anvil did not start: ${words}`,
      { details: said.join('') },
    );
  }
  const accounts = Array.from({ length: count }, (_, index) => {
    const account = mnemonicToAccount(mnemonic, { addressIndex: index });
    return { address: account.address, key: toHex(account.getHdKey().privateKey!) };
  });
  let stopping: Promise<void> | undefined;
  return {
    url,
    port,
    chainId,
    accounts,
    resumed,
    ended,
    stop: () => {
      stopping ??= stopChild(child, ended);
      return stopping;
    },
  };
}

async function anvilArguments(port: number, options: DevnetOptions): Promise<string[]> {
  const list = ['--host', HOST, '--port', `${port}`, '--chain-id', `${options.chainId ?? DEVNET_CHAIN_ID}`];
  list.push('--accounts', `${options.accounts ?? 10}`, '--mnemonic', options.mnemonic ?? DEVNET_MNEMONIC);
  list.push('--gas-limit', `${BLOCK_GAS}`, '--prune-history', `${STATES_KEPT}`);
  list.push('--quiet', '--no-request-size-limit');
  if (options.blockTimeSeconds !== undefined) list.push('--block-time', `${options.blockTimeSeconds}`);
  if (options.stateFile !== undefined) {
    await mkdir(path.dirname(path.resolve(options.stateFile)), { recursive: true });
    list.push('--state', options.stateFile, '--state-interval', `${options.saveSeconds ?? 60}`);
  }
  return [...list, ...(options.arguments ?? [])];
}

async function stopChild(child: ChildProcess, ended: Promise<string>): Promise<void> {
  child.stdin?.end();
  const overdue = setTimeout(() => {
    // The group is the shell and anvil, nothing else.
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  }, STOP_MS_MAX);
  await ended;
  clearTimeout(overdue);
}

/** True once the node answers with the chain id; otherwise a sentence. */
async function ready(url: string, chainId: number): Promise<true | string> {
  const until = Date.now() + START_MS_MAX;
  let last = 'no answer';
  while (Date.now() < until) {
    try {
      const response = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: '{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":[]}',
      });
      const { result } = (await response.json()) as { result?: string };
      if (Number(result) === chainId) return true;
      last = `expected chain id ${chainId}, got ${Number(result)}`;
    } catch (error) {
      last = (error as Error).message;
    }
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
  return `${last} within ${START_MS_MAX / 1000} s`;
}

/** The platform package's binary itself: npm's launcher would be one more process that signals don't pass. */
function anvilBinary(): string {
  const platform = `@foundry-rs/anvil-${process.platform}-${process.arch === 'x64' ? 'amd64' : process.arch}`;
  try {
    const manifest = createRequire(import.meta.url).resolve(`${platform}/package.json`);
    const binary = path.join(path.dirname(manifest), 'bin', 'anvil');
    if (existsSync(binary)) return binary;
  } catch {}
  throw new L1Error(
    'devnet',
    `devnet: the anvil binary is missing (package ${platform}): run "npm ci" without --omit=optional, or use an L1 of your own with --l1 URL`,
  );
}

async function claimPort(port: number): Promise<number> {
  try {
    return await bind(port);
  } catch (error) {
    throw new L1Error(
      'devnet',
      `devnet: port ${port} on ${HOST} can't be used (${(error as NodeJS.ErrnoException).code}): choose another port, or 0 for any`,
      { cause: error },
    );
  }
}

const freePort = (): Promise<number> => bind(0);

function bind(port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(port, HOST, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : port));
    });
  });
}

const lastLine = (said: readonly string[]): string =>
  said.join('').trim().split('\n').at(-1)?.trim() || 'it ended without a word';
