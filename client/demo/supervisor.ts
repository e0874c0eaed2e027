/**
 * The processes of a demo: L1, sequencer, submitter, verifier, publishers. Started in order, each when the one before
 * is ready, and ended in the opposite order; one that ends by itself ends the run with its sentence.
 */

import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { toHex } from '#protocol/bytes.ts';
import type { ChainParameters, MarketConfig } from '#protocol/market.ts';
import { increaseTime, sendEther } from '#settlement/l1/bulk-actions.ts';
import { type Address, connectL1, type Hex, type L1Client } from '#settlement/l1/client.ts';
import { findRollup, type RollupContracts } from '#settlement/l1/contracts.ts';
import type { Devnet } from '#settlement/l1/devnet.ts';
import { isTransient, L1Error } from '#settlement/l1/errors.ts';
import { keySigner } from '../signer.ts';
import { type Role, RoleError, startRole } from './child-process.ts';
import { type DataDirectory, DataDirectoryError, type DemoKeys } from './data-directory.ts';
import type { Carrier } from './flags.ts';
import type { JobKind } from './job.ts';
import { publisherRole, sequencerRole, submitterRole, verifierRole } from './roles.ts';
import { fetchStatus, type Vitals, vitalsOf } from './vitals.ts';

export interface SupervisorOptions {
  readonly directory: DataDirectory;
  readonly keys: DemoKeys;
  readonly kind: JobKind;
  /** Of the sequencer; 0: any free one. */
  readonly port: number;
  /** An L1 of the user's; one is started when undefined. */
  readonly l1: string | undefined;
  readonly chain: ChainParameters;
  readonly markets: readonly MarketConfig[];
  /** Seconds from commit to final. */
  readonly windowSeconds: number;
  /** Where the submitter puts inputs. */
  readonly carrier: Carrier;
  /** See Job. */
  readonly clockStartMs?: number | undefined;
  readonly l1StartSeconds?: number | undefined;
  /** Told what is being done, one phrase each. */
  readonly say: (phrase: string) => void;
}

const HOST = '127.0.0.1';
/** Gas for all batches of a long run. */
const SUBMITTER_WEI = 50n * 10n ** 18n;
const BLOCK_SECONDS = 1;
const STOP_ORDER: readonly (readonly string[])[] = [['publisher'], ['verifier', 'submitter'], ['sequencer']];
/** First key of the mnemonic of development chains, known to everybody. */
const DEVELOPMENT_PAYER: Hex = '0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80';
const DEVELOPMENT_CHAIN_ID = 31_337;

export class Supervisor {
  /** Resolves with one sentence when something has ended that should not have. */
  readonly failed: Promise<string>;
  l1!: L1Client;
  rollup!: RollupContracts;
  /** Whether the data directory was used before. */
  resumed = false;
  private readonly options: SupervisorOptions;
  private devnet: Devnet | undefined;
  private readonly roles: Role[] = [];
  private port = 0;
  private ports = { submitter: 0, verifier: 0 };
  private stopping: Promise<void> | undefined;
  private fail: (sentence: string) => void = () => {};

  private constructor(options: SupervisorOptions) {
    this.options = options;
    this.failed = new Promise((resolve) => {
      this.fail = resolve;
    });
  }

  /** Everything is ready but for traders and publishers; whatever was started is stopped again when this rejects. */
  static async start(options: SupervisorOptions, signal: AbortSignal): Promise<Supervisor> {
    const supervisor = new Supervisor(options);
    try {
      await supervisor.begin(signal);
      return supervisor;
    } catch (error) {
      await supervisor.stop();
      throw error;
    }
  }

  /** For clients. */
  get url(): string {
    return `ws://${HOST}:${this.port}/ws`;
  }
  get httpUrl(): string {
    return `http://${HOST}:${this.port}`;
  }
  get l1Url(): string {
    return this.devnet?.url ?? this.options.l1!;
  }

  /** How everybody is; throws while a role does not answer. */
  async vitals(): Promise<Vitals> {
    const [sequencer, submitter, verifier] = await Promise.all([
      fetchStatus(this.httpUrl),
      fetchStatus(`http://${HOST}:${this.ports.submitter}`),
      fetchStatus(`http://${HOST}:${this.ports.verifier}`),
    ]);
    return vitalsOf({ sequencer, submitter, verifier });
  }

  /** The clock of an L1 of our own goes on by so many seconds. */
  advanceL1(seconds: number): Promise<void> {
    return increaseTime(this.l1, seconds);
  }

  /** Five publishers with a seeded random walk, in one process. */
  async startPublishers(seed: number, startPrices: ReadonlyMap<string, string>): Promise<void> {
    const { directory, keys } = this.options;
    await this.startRole(
      publisherRole({
        url: this.url,
        keys: keys.publishers,
        seed,
        startPrices,
        log: directory.file('logs', 'publisher.log'),
      }),
    );
  }

  /** Ends everything that was started, in order; resolves when all of it is gone. */
  stop(): Promise<void> {
    this.stopping ??= this.end();
    return this.stopping;
  }

  private async begin(signal: AbortSignal): Promise<void> {
    const { options } = this;
    this.port = await freePort(options.port, '--port');
    await this.startL1();
    signal.throwIfAborted();
    await this.findOrDeploy();
    signal.throwIfAborted();
    const { directory, keys, say } = options;
    const common = { l1: this.l1Url, rollup: this.rollup.rollup, sequencer: this.httpUrl };
    const role = (name: string) => ({
      ...common,
      data: directory.file(name),
      log: directory.file('logs', `${name}.log`),
    });
    const keyFile = async (name: string, key: string): Promise<string> => {
      const file = directory.file(`${name}.key`);
      await writeFile(file, `${key}\n`, { mode: 0o600 });
      return file;
    };
    say('starting sequencer, submitter and verifier');
    this.ports = { submitter: await freePort(0, 'submitter'), verifier: await freePort(0, 'verifier') };
    // They need the L1 only; the submitter waits for the sequencer by itself.
    await allOrNothing([
      this.startRole(
        sequencerRole({
          ...role('sequencer'),
          port: this.port,
          keyFile: await keyFile('sequencer', keys.sequencer),
          clockStartMs: this.options.clockStartMs,
        }),
      ),
      this.startRole(
        submitterRole({
          ...role('submitter'),
          port: this.ports.submitter,
          keyFile: await keyFile('submitter', keys.submitter),
          carrier: this.options.carrier,
        }),
      ),
      this.startRole(verifierRole({ ...role('verifier'), port: this.ports.verifier })),
    ]);
    signal.throwIfAborted();
  }

  private async startRole(spec: Parameters<typeof startRole>[0]): Promise<void> {
    const role = await startRole(spec);
    this.roles.push(role);
    void role.ended.then((sentence) => {
      if (this.stopping === undefined) this.fail(sentence);
    });
  }

  private async startL1(): Promise<void> {
    const { options } = this;
    if (options.l1 === undefined) {
      await options.directory.checkEmbeddedL1();
      options.say('starting the L1');
      // Loaded here: with an L1 of the user's nobody pays for it.
      const { startDevnet } = await import('#settlement/l1/devnet.ts');
      this.devnet = await startDevnet({
        stateFile: options.directory.l1StateFile,
        blockTimeSeconds: BLOCK_SECONDS,
        saveSeconds: 10,
        ...(options.l1StartSeconds === undefined
          ? {}
          : { arguments: ['--timestamp', String(options.l1StartSeconds)] }),
      });
      void this.devnet.ended.then((words) => {
        if (this.stopping === undefined) this.fail(`L1: ended by itself: ${words}`);
      });
    }
    const reader = await connectL1({ url: this.l1Url }).catch((error: unknown) => {
      if (options.l1 === undefined || !isTransient(error)) throw error;
      throw new RoleError(
        `--l1: ${options.l1} does not answer as an L1: start it, or leave --l1 out to have one started`,
      );
    });
    this.l1 = await connectL1({ url: this.l1Url, key: payerKey(reader.chainId) });
  }

  private async findOrDeploy(): Promise<void> {
    const { directory, keys, kind, say } = this.options;
    const known = await directory.deployment();
    if (known === undefined) {
      say('deploying the contracts');
      this.rollup = await this.deploy();
      await sendEther(this.l1, toHex(keySigner(keys.submitter).address), SUBMITTER_WEI);
      await directory.saveDeployment({
        version: 1,
        kind,
        chainId: this.l1.chainId,
        rollup: this.rollup.rollup,
      });
      return;
    }
    this.resumed = true;
    if (known.kind !== kind)
      throw new DataDirectoryError(
        `--data: ${directory.root} holds a ${known.kind}, not a ${kind}: choose another directory with --data`,
      );
    if (known.chainId !== this.l1.chainId)
      throw new DataDirectoryError(
        `--data: ${directory.root} belongs to chain ${known.chainId}, but ${this.l1Url} is chain ${this.l1.chainId}: name its L1 with --l1, or choose another directory with --data`,
      );
    try {
      this.rollup = await findRollup(this.l1, { address: known.rollup as Address });
    } catch (error) {
      if (error instanceof L1Error && error.code === 'no-rollup')
        throw new DataDirectoryError(
          `--data: the rollup ${known.rollup} of ${directory.root} is not on ${this.l1Url}: name its L1 with --l1, or choose another directory with --data`,
        );
      throw error;
    }
    const ours = toHex(keySigner(keys.sequencer).address);
    if (this.rollup.sequencer.toLowerCase() !== ours)
      throw new DataDirectoryError(
        `--data: the rollup ${known.rollup} on ${this.l1Url} is not that of ${directory.root}, its sequencer is another: name its own L1 with --l1, or choose another directory with --data`,
      );
  }

  private async deploy(): Promise<RollupContracts> {
    const { keys, chain, markets, windowSeconds } = this.options;
    const { deployRollup } = await import('#settlement/l1/deploy.ts');
    return deployRollup(this.l1, {
      sequencer: toHex(keySigner(keys.sequencer).address),
      submitter: toHex(keySigner(keys.submitter).address),
      chain,
      markets,
      publishers: keys.publishers.map((key) => ({ address: keySigner(key).address, weight: 1 })),
      windowSeconds,
    });
  }

  private async end(): Promise<void> {
    // Who asks before who serves: publishers, then verifier and submitter, then the sequencer, L1 last.
    for (const names of STOP_ORDER)
      await Promise.all(this.roles.filter(({ name }) => names.includes(name)).map((role) => role.stop()));
    await this.devnet?.stop();
  }
}

/** Waits for all of them, so that what has started is known; then throws the first failure. */
async function allOrNothing(starts: readonly Promise<void>[]): Promise<void> {
  const failed = (await Promise.allSettled(starts)).find((result) => result.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}

/** The L1 key that pays for deployment and deposits. */
function payerKey(chainId: number): Hex {
  const given = process.env.SLUICE_L1_KEY;
  if (given !== undefined) {
    if (/^0x[0-9a-fA-F]{64}$/.test(given)) return given as Hex;
    throw new RoleError('SLUICE_L1_KEY: expected 0x and 64 hexadecimal digits, got something else');
  }
  if (chainId === DEVELOPMENT_CHAIN_ID) return DEVELOPMENT_PAYER;
  throw new RoleError(
    `SLUICE_L1_KEY: expected the key of an account with ether on chain ${chainId}, got none`,
  );
}

/** The port itself when it is free, any free one for 0; rejects with a sentence that names `flag`. */
export function freePort(port: number, flag: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(
        new RoleError(
          error.code === 'EADDRINUSE'
            ? `${flag}: port ${port} on ${HOST} is in use: stop what uses it, or choose another (0: any free one)`
            : `${flag}: can't listen on port ${port} of ${HOST} (${error.code}): choose another (0: any free one)`,
        ),
      );
    });
    server.listen({ host: HOST, port, exclusive: true }, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : port));
    });
  });
}
