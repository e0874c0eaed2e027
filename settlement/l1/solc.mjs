#!/usr/bin/env node
// Presents npm's solc as the compiler binary that forge expects: --version, and standard JSON on standard input.
// Flags about paths (--allow-paths, --base-path, --include-path) are for a compiler that reads files; forge sends
// every source along.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const solc = createRequire(import.meta.url)('solc');

if (process.argv.includes('--version')) {
  process.stdout.write(
    `solc, the solidity compiler commandline interface\nVersion: ${solc.version().replace('Emscripten.clang', 'Linux.g++')}\n`,
  );
} else if (process.argv.includes('--standard-json')) {
  process.stdout.write(solc.compile(readFileSync(0, 'utf8')));
} else {
  process.stderr.write(
    `solc: expected --version or --standard-json, got ${process.argv.slice(2).join(' ') || 'nothing'}\n`,
  );
  process.exit(1);
}
