/**
 * What a demo keeps between two starts: who it is, its keys, where its rollup is. Only one demo at a time may hold a
 * directory. Everything that can be wrong with it is one sentence that says what to do.
 *
 *   DIR/demo.json      what this directory holds (Deployment)
 *   DIR/keys.json      private keys of a development chain, made at the first start
 *   DIR/l1/state.json  the embedded L1's state
 *   DIR/sequencer, submitter, verifier, logs
 */
import { createHash, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, realpath, rename, rm, writeFile } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { z } from 'zod';
import { PUBLISHERS_MIN } from '#protocol/limits.ts';

export class DataDirectoryError extends Error {
  override readonly name = 'DataDirectoryError';
}

const KEY = z.string().regex(/^0x[0-9a-f]{64}$/);
const KEYS = z.object({
  sequencer: KEY,
  submitter: KEY,
  publishers: z.array(KEY).length(PUBLISHERS_MIN),
  /** Traders, or the accounts of a replay. */
  accounts: z.array(KEY),
});
export type DemoKeys = z.infer<typeof KEYS>;

const DEPLOYMENT = z.object({
  version: z.literal(1),
  kind: z.enum(['demo', 'replay', 'prices']),
  chainId: z.number().int().positive(),
  rollup: z.string().regex(/^0x[0-9a-fA-F]{40}$/),
});
export type Deployment = z.infer<typeof DEPLOYMENT>;

export class DataDirectory {
  readonly root: string;
  private readonly lock: Server;

  private constructor(root: string, lock: Server) {
    this.root = root;
    this.lock = lock;
  }

  /** Makes the directory if it is not there, and holds it until `release`. */
  static async open(directory: string): Promise<DataDirectory> {
    const root = path.resolve(directory);
    try {
      await mkdir(path.join(root, 'logs'), { recursive: true });
    } catch (error) {
      throw new DataDirectoryError(
        `--data: can't write to ${root} (${(error as NodeJS.ErrnoException).code}): choose another directory with --data`,
      );
    }
    const lock = await hold(await realpath(root));
    if (lock === undefined)
      throw new DataDirectoryError(
        `--data: ${root} is used by another run: stop that one, or choose another directory with --data`,
      );
    return new DataDirectory(root, lock);
  }

  async release(): Promise<void> {
    await new Promise<void>((resolve) => this.lock.close(() => resolve()));
  }

  file(...parts: string[]): string {
    return path.join(this.root, ...parts);
  }

  get l1StateFile(): string {
    return this.file('l1', 'state.json');
  }

  /** Undefined in a fresh directory. */
  async deployment(): Promise<Deployment | undefined> {
    const deployment = await this.read('demo.json', DEPLOYMENT);
    if (deployment === undefined && (await this.hasJournal()))
      throw new DataDirectoryError(
        `--data: ${this.root} holds a journal but no demo.json: move it away, or choose another directory with --data`,
      );
    return deployment;
  }

  /** The embedded L1's state must be there once a journal is: throws the sentence when it is gone. */
  async checkEmbeddedL1(): Promise<void> {
    if (existsSync(this.l1StateFile) || !(await this.hasJournal())) return;
    throw new DataDirectoryError(
      `--data: ${this.root} holds a journal, but ${this.l1StateFile} with the L1 that it belongs to is gone: bring that file back, name the L1 with --l1, or begin anew with another --data`,
    );
  }

  async saveDeployment(deployment: Deployment): Promise<void> {
    await this.write('demo.json', deployment);
  }

  /**
   * The keys, made at the first call; more accounts are added when there are too few. With a seed anybody can make them:
   * for replays that must come out the same, on a chain of their own.
   */
  async keys(accounts: number, seed?: number): Promise<DemoKeys> {
    let made = 0;
    const make = (): string =>
      seed === undefined
        ? `0x${randomBytes(32).toString('hex')}`
        : `0x${createHash('sha256').update(`development key ${seed} ${made++}`).digest('hex')}`;
    const known = await this.read('keys.json', KEYS);
    if (known !== undefined && known.accounts.length >= accounts) return known;
    if (known === undefined && (await this.hasJournal()))
      throw new DataDirectoryError(
        `--data: ${this.file('keys.json')} is gone, and nobody can sign for the accounts in ${this.root}: bring it back, or choose another directory with --data`,
      );
    const keys: DemoKeys = known ?? {
      sequencer: make(),
      submitter: make(),
      publishers: Array.from({ length: PUBLISHERS_MIN }, make),
      accounts: [],
    };
    while (keys.accounts.length < accounts) keys.accounts.push(make());
    await this.write('keys.json', keys);
    return keys;
  }

  private async hasJournal(): Promise<boolean> {
    const entries = await readdir(this.file('sequencer')).catch(() => []);
    return entries.length > 0;
  }

  private async read<Shape>(name: string, shape: z.ZodType<Shape>): Promise<Shape | undefined> {
    const file = this.file(name);
    if (!existsSync(file)) return undefined;
    try {
      return shape.parse(JSON.parse(await readFile(file, 'utf8')));
    } catch (error) {
      const issue = error instanceof z.ZodError ? error.issues[0] : undefined;
      const detail =
        issue === undefined ? (error as Error).message : `${issue.path.join('.')}: ${issue.message}`;
      throw new DataDirectoryError(
        `--data: ${file} can't be read (${detail}): restore it, or choose another directory with --data`,
      );
    }
  }

  private async write(name: string, value: unknown): Promise<void> {
    const file = this.file(name);
    await writeFile(`${file}.new`, `${JSON.stringify(value, undefined, 2)}\n`, { mode: 0o600 });
    await rename(`${file}.new`, file);
  }
}

/** Empties a directory that an earlier replay has made; any other is left as it is. */
export async function clearEarlierReplay(directory: string): Promise<void> {
  try {
    const { kind } = DEPLOYMENT.parse(JSON.parse(await readFile(path.join(directory, 'demo.json'), 'utf8')));
    if (kind === 'demo') return;
  } catch {
    return;
  }
  const held = await DataDirectory.open(directory);
  await rm(directory, { recursive: true, force: true });
  await held.release();
}

/** A name that one process can hold and that goes with it; undefined when another has it. */
async function hold(root: string): Promise<Server | undefined> {
  const name = `sluice-${createHash('sha256').update(root).digest('hex').slice(0, 32)}`;
  // Abstract names vanish with their process; elsewhere a socket file may have been left behind.
  const address = process.platform === 'linux' ? `\0${name}` : path.join(tmpdir(), `${name}.sock`);
  const server = await listen(address);
  if (server !== undefined || process.platform === 'linux' || (await answers(address))) return server;
  await rm(address, { force: true });
  return listen(address);
}

function listen(address: string): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.unref();
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(undefined);
      else reject(error);
    });
    server.listen(address, () => resolve(server));
  });
}

function answers(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(address, () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
