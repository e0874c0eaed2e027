/** The demo as a user starts it, in a process of its own: output, exit code, and what it leaves behind. */
import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { PACKAGE_ROOT } from '#client/demo/child-process.ts';

export interface DemoProcess {
  readonly child: ChildProcess;
  /** Everything that was printed so far. */
  readonly output: () => string;
  readonly errors: () => string;
  readonly ended: Promise<number>;
  /** Resolves when the output matches; rejects when the process ends before. */
  until(pattern: RegExp): Promise<void>;
}

export function startDemo(...flags: string[]): DemoProcess {
  const child = spawn(process.execPath, ['--import', 'tsx', 'client/cli/sluice.ts', 'demo', ...flags], {
    cwd: PACKAGE_ROOT,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  let errors = '';
  const listeners = new Set<() => void>();
  child.stdout.on('data', (data: Buffer) => {
    output += data.toString();
    for (const listener of listeners) listener();
  });
  child.stderr.on('data', (data: Buffer) => {
    errors += data.toString();
  });
  const ended = new Promise<number>((resolve) => {
    child.on('close', (code) => resolve(code ?? -1));
  });
  return {
    child,
    output: () => output,
    errors: () => errors,
    ended,
    until: (pattern) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          if (!pattern.test(output)) return;
          listeners.delete(look);
          resolve();
        };
        listeners.add(look);
        look();
        void ended.then((code) =>
          reject(new Error(`expected ${pattern}, the demo ended with ${code}:\n${output}\n${errors}`)),
        );
      }),
  };
}

/** Process ids whose command line holds all of these words. */
export function processesWith(...words: string[]): number[] {
  const found: number[] = [];
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const line = readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ');
      if (words.every((word) => line.includes(word))) found.push(Number(name));
    } catch {
      // It has ended meanwhile.
    }
  }
  return found;
}
