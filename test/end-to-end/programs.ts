/** Programs of the command line that a test starts, asks and ends; all have one directory and one environment. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Running, sluice, start } from '../client/program.ts';

export interface Started {
  readonly running: Running;
  /** Its first line of JSON. */
  readonly facts: Readonly<Record<string, string>>;
}

export class Programs {
  readonly directory: string;
  /** For programs that are started from now on. */
  readonly env: Record<string, string> = {};
  private readonly started: Running[] = [];

  private constructor(directory: string) {
    this.directory = directory;
  }

  static async in(prefix: string): Promise<Programs> {
    return new Programs(await mkdtemp(join(tmpdir(), prefix)));
  }

  /** Starts a program and waits for its first line of JSON of this kind. */
  async launch(kind: string, ...args: string[]): Promise<Started> {
    const running = start('client/cli/sluice.ts', [...args, '--json'], {
      cwd: this.directory,
      env: this.env,
    });
    this.started.push(running);
    let ended = false;
    void running.done.then(() => {
      ended = true;
    });
    for (;;) {
      for (const line of running.out().split('\n'))
        if (line.includes(`"kind":"${kind}"`)) return { running, facts: JSON.parse(line) };
      if (ended) throw new Error(`${args[0]} ended: ${(await running.done).err}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** What a command prints; throws unless it ends well. */
  async run(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<string> {
    const { code, out, err } = await sluice(args, { cwd: this.directory, env: { ...this.env, ...env } });
    if (code !== 0 || err !== '') throw new Error(`sluice ${args.join(' ')}: exit code ${code}, ${err}`);
    return out;
  }

  async json<Answer>(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Answer> {
    return JSON.parse(await this.run([...args, '--json'], env)) as Answer;
  }

  /** No goodbye. */
  async kill({ running }: Started): Promise<void> {
    running.child.kill('SIGKILL');
    await running.done;
  }

  async close(): Promise<void> {
    for (const running of [...this.started].reverse()) {
      running.child.kill('SIGTERM');
      await running.done;
    }
    await rm(this.directory, { recursive: true, force: true });
  }
}
