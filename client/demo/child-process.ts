/**
 * A role in a process of its own: started with a log file, awaited by its health endpoint, ended in order. It stands
 * in its own process group, so that Ctrl-C reaches it only through us, and on a leash, so that it never outlives us.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream, type WriteStream } from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const HERE = path.dirname(fileURLToPath(import.meta.url));
export const PACKAGE_ROOT = path.resolve(HERE, '../..');
const PROGRAM = path.resolve(HERE, '../cli/sluice.ts');

/** Until a health endpoint says yes. */
const READY_MS_MAX = 60_000;
const POLL_MS = 50;
const LAST_WORDS_MAX = 20;

export interface RoleSpec {
  /** Name of the role and of its log file. */
  readonly name: string;
  /** Arguments after the program's name. */
  readonly arguments: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** Answers 200 when the role is ready; without one it counts as ready at once. */
  readonly health?: string;
  readonly logFile: string;
}

export interface Role {
  readonly name: string;
  readonly pid: number;
  /** Resolves when the process has ended, with one sentence. */
  readonly ended: Promise<string>;
  readonly exitCode: number | undefined;
  /** Asks it to end, insists after `graceMs`; resolves when it is gone. */
  stop(graceMs?: number): Promise<void>;
}

export class RoleError extends Error {
  override readonly name = 'RoleError';
}

/** Starts `sluice ROLE …`; resolves when it is ready, rejects with a RoleError that carries its own sentence. */
export const startRole = (spec: RoleSpec): Promise<Role> =>
  startProcess(spec, ['--import', import.meta.resolve('tsx'), PROGRAM, ...spec.arguments]);

/** As `startRole` for any program of node. */
export async function startProcess(spec: RoleSpec, nodeArguments: readonly string[]): Promise<Role> {
  const log = createWriteStream(spec.logFile, { flags: 'a' });
  const child = spawn(
    process.execPath,
    ['--import', pathToFileURL(path.join(HERE, 'leash.mjs')).href, ...nodeArguments],
    {
      cwd: PACKAGE_ROOT,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      env: { ...process.env, ...spec.environment },
    },
  );
  const role = new StartedRole(spec.name, child, log, spec.logFile);
  if (spec.health === undefined) return role;
  const outcome = await Promise.race([isHealthy(spec.health, role), role.ended]);
  if (outcome === true) return role;
  await role.stop();
  throw new RoleError(
    outcome === false
      ? `${spec.name}: no answer of ${spec.health} within ${READY_MS_MAX / 1_000} s; see ${spec.logFile}`
      : outcome,
  );
}

class StartedRole implements Role {
  readonly name: string;
  readonly pid: number;
  readonly ended: Promise<string>;
  exitCode: number | undefined;
  private readonly child: ChildProcess;
  private readonly words: string[] = [];

  constructor(name: string, child: ChildProcess, log: WriteStream, logFile: string) {
    this.name = name;
    this.child = child;
    this.pid = child.pid ?? 0;
    child.stdout?.pipe(log, { end: false });
    child.stderr?.on('data', (data: Buffer) => {
      log.write(data);
      for (const line of data.toString().split('\n')) if (isSentence(line)) this.words.push(sentenceOf(line));
      if (this.words.length > LAST_WORDS_MAX) this.words.splice(0, this.words.length - LAST_WORDS_MAX);
    });
    this.ended = new Promise((resolve) => {
      child.on('error', (error) => resolve(`${name}: ${error.message}`));
      child.on('close', (code, signal) => {
        log.end();
        this.exitCode = code ?? 1;
        const how = signal === null ? `ended with code ${code}` : `was ended by ${signal}`;
        resolve(`${name}: ${this.words.at(-1) ?? `${how}; see ${logFile}`}`);
      });
    });
  }

  async stop(graceMs = 10_000): Promise<void> {
    if (this.exitCode !== undefined || this.pid === 0) return;
    this.child.kill('SIGTERM');
    const insist = setTimeout(() => {
      // The group: a role may have helpers.
      try {
        process.kill(-this.pid, 'SIGKILL');
      } catch {}
    }, graceMs);
    await this.ended;
    clearTimeout(insist);
  }
}

/** Text for people: no JSON of a log, no line of a stack, no bare frame of Node's crash report. */
const isSentence = (line: string): boolean =>
  line.trim() !== '' && !/^\s*(\{|at |\^|node:|Node\.js v|\((Use |node:))/.test(line);

/** Without the mark that the program puts before its last words. */
const sentenceOf = (line: string): string => line.trim().replace(/^error( [A-Z0-9_]+)?: /, '');

/** True when the endpoint answered 200, false when it took too long or the role has ended. */
async function isHealthy(url: string, role: Role): Promise<boolean> {
  const until = performance.now() + READY_MS_MAX;
  while (performance.now() < until && role.exitCode === undefined) {
    try {
      const response = await fetch(url, { signal: AbortSignal.timeout(2_000) });
      await response.body?.cancel();
      if (response.ok) return true;
    } catch {}
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  return false;
}
