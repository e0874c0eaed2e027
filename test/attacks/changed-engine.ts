/**
 * An engine with other rules: a copy of the engine's sources in a folder of its own, changed by text substitution, and
 * loaded from there. Everything else (state, trees, batches) is the product's.
 */
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { EngineClass } from './forger.ts';

/** File below sequencer/engine without its ending, what stands there exactly once, and what shall stand there. */
export type Edit = readonly [file: string, from: string, to: string];

const ROOT = join(import.meta.dirname, '..', '..');
const SOURCE = join(ROOT, 'sequencer', 'engine');
// Below the root, where package.json says what #protocol and #state are.
const COPIES = join(ROOT, '.cache', 'attacks', `${process.pid}`);

let copies = 0;

export async function changedEngine(edits: readonly Edit[]): Promise<EngineClass> {
  const folder = join(COPIES, `${copies++}`);
  mkdirSync(folder, { recursive: true });
  cpSync(SOURCE, folder, { recursive: true });
  for (const [file, from, to] of edits) {
    const path = join(folder, `${file}.ts`);
    const text = readFileSync(path, 'utf8');
    const parts = text.split(from);
    if (parts.length !== 2)
      throw new Error(`${file}.ts: expected "${from}" once, got it ${parts.length - 1} times`);
    writeFileSync(path, parts.join(to));
  }
  const { Engine } = (await import(pathToFileURL(join(folder, 'engine.ts')).href)) as { Engine: EngineClass };
  return Engine;
}

export const dropCopies = (): void => rmSync(COPIES, { recursive: true, force: true });
