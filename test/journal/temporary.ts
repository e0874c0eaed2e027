/** A directory of its own for each test that needs the real disk; gone when the test file is done. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';

const made: string[] = [];

/** Registers the removal with the test file that imports this. */
export function removeTemporaryAfterAll(): void {
  afterAll(() => {
    for (const path of made.splice(0)) rmSync(path, { recursive: true, force: true });
  });
}

export function temporaryDirectory(): string {
  const path = mkdtempSync(join(tmpdir(), 'sluice-'));
  made.push(path);
  return path;
}
