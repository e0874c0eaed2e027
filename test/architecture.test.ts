/** The code's own form: which room may import which (ARCHITECTURE.md), purity, file sizes, words. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const FOLDERS = ['sequencer', 'settlement', 'prover-stub', 'client', 'test'];

/** A room is the longest of these prefixes that fits a path; what it may import beside itself stands behind it. */
const ROOMS: Readonly<Record<string, readonly string[]>> = {
  'sequencer/protocol': [],
  'sequencer/state': ['sequencer/protocol'],
  'sequencer/engine': ['sequencer/protocol', 'sequencer/state'],
  'sequencer/pipeline/ports.ts': ['sequencer/protocol', 'sequencer/state'],
  // How durable commands reach a thread: nothing but ports.
  'sequencer/pipeline/thread-feed.ts': ['sequencer/protocol', 'sequencer/pipeline/ports.ts'],
  'sequencer/pipeline': [
    'sequencer/protocol',
    'sequencer/state',
    'sequencer/engine',
    'sequencer/pipeline/ports.ts',
    // The form of a command in the journal, which writer and readers share.
    'sequencer/journal/entry.ts',
  ],
  'sequencer/journal': ['sequencer/protocol', 'sequencer/pipeline/ports.ts'],
  'sequencer/feed': [
    'sequencer/protocol',
    'sequencer/state',
    'sequencer/engine',
    'sequencer/pipeline/ports.ts',
  ],
  'sequencer/oracle': ['sequencer/protocol', 'sequencer/pipeline/ports.ts'],
  'sequencer/auth': ['sequencer/protocol'],
  'sequencer/batcher': [
    'sequencer/protocol',
    'sequencer/state',
    'sequencer/engine',
    'sequencer/pipeline/ports.ts',
    'sequencer/pipeline/thread-feed.ts',
    'sequencer/auth',
    'sequencer/journal/entry.ts',
  ],
  'sequencer/receipts': [
    'sequencer/protocol',
    'sequencer/pipeline/ports.ts',
    'sequencer/pipeline/thread-feed.ts',
    'sequencer/auth',
    'sequencer/journal/entry.ts',
  ],
  'sequencer/gateway': [
    'sequencer/protocol',
    'sequencer/pipeline/ports.ts',
    'sequencer/auth',
    'sequencer/feed',
  ],
  // The composition root: only here do both sides of a port meet.
  'sequencer/main.ts': ['sequencer', 'settlement/l1'],
  'sequencer/main': ['sequencer', 'settlement/l1'],
  'sequencer/config.ts': ['sequencer/protocol'],
  'settlement/l1': ['sequencer/protocol', 'sequencer/state'],
  'settlement/submitter': ['sequencer/protocol', 'settlement/l1'],
  'prover-stub': [
    'sequencer/protocol',
    'sequencer/state',
    'sequencer/engine',
    'sequencer/auth',
    'settlement/l1',
  ],
  client: ['sequencer/protocol', 'sequencer/state', 'settlement/l1', 'sequencer/auth', 'client/cli/roles'],
  // The program starts the roles; nothing else of the client knows them.
  'client/cli/roles': ['sequencer/main.ts', 'sequencer', 'settlement', 'prover-stub', 'client'],
  test: ['sequencer', 'settlement', 'prover-stub', 'client'],
};

const PURE = ['sequencer/protocol', 'sequencer/state', 'sequencer/engine'];

function sources(folder: string): string[] {
  const found: string[] = [];
  for (const name of readdirSync(join(ROOT, folder)).sort()) {
    const path = join(folder, name);
    if (name === 'node_modules' || name === 'out' || name === 'data') continue;
    if (statSync(join(ROOT, path)).isDirectory()) found.push(...sources(path));
    else if (name.endsWith('.ts')) found.push(path);
  }
  return found;
}

const files = FOLDERS.flatMap(sources);
const imports: Record<string, string> = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')).imports;

/** Path of what a specifier names, relative to the root; undefined for packages. */
function target(file: string, specifier: string): string | undefined {
  if (specifier.startsWith('.')) return relative(ROOT, resolve(ROOT, dirname(file), specifier));
  if (!specifier.startsWith('#')) return undefined;
  for (const [pattern, path] of Object.entries(imports)) {
    const prefix = pattern.slice(0, -1);
    if (specifier.startsWith(prefix)) return join(path.slice(0, -1), specifier.slice(prefix.length));
  }
  throw new Error(`${file}: ${specifier} matches no entry of package.json imports`);
}

const roomOf = (path: string): string | undefined =>
  Object.keys(ROOMS)
    .filter((room) => path === room || path.startsWith(`${room}/`))
    .sort((a, b) => b.length - a.length)[0];

const specifiers = (text: string): string[] =>
  [
    ...text.matchAll(
      /(?:^|\n)\s*(?:import|export)\s[^;'"]*?from\s+['"]([^'"]+)['"]|import\(\s*['"]([^'"]+)['"]\s*\)|(?:^|\n)import\s+['"]([^'"]+)['"]/g,
    ),
  ].map((match) => (match[1] ?? match[2] ?? match[3])!);

describe('architecture', () => {
  it('sees the source files', () => {
    expect(files.length).toBeGreaterThan(100);
    for (const folder of FOLDERS) expect(files.some((file) => file.startsWith(folder))).toBe(true);
  });

  it('keeps the arrows', () => {
    const wrong: string[] = [];
    let edges = 0;
    for (const file of files) {
      const room = roomOf(file);
      if (room === undefined) {
        wrong.push(`${file}: stands in no room`);
        continue;
      }
      for (const specifier of specifiers(readFileSync(join(ROOT, file), 'utf8'))) {
        const to = target(file, specifier);
        if (to === undefined) continue;
        edges++;
        const toRoom = roomOf(to) ?? to;
        const allowed =
          toRoom === room || ROOMS[room]!.some((prefix) => to === prefix || to.startsWith(`${prefix}/`));
        if (!allowed) wrong.push(`${file} imports ${to}`);
      }
    }
    expect(wrong).toEqual([]);
    expect(edges).toBeGreaterThan(300);
  });

  it('keeps protocol, state and engine pure', () => {
    const wrong: string[] = [];
    for (const file of files.filter((path) => PURE.some((room) => path.startsWith(`${room}/`)))) {
      const text = readFileSync(join(ROOT, file), 'utf8');
      const code = text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/\/\/.*$/gm, '');
      for (const specifier of specifiers(text))
        if (!specifier.startsWith('.') && !specifier.startsWith('#') && !specifier.startsWith('@noble/'))
          wrong.push(`${file}: imports ${specifier}`);
      for (const word of [
        'Date.',
        'new Date',
        'Math.random',
        'performance.',
        'setTimeout',
        'setInterval',
        'async ',
        'await ',
        'process.',
        'console.',
        'Buffer.',
        'parseFloat',
        'toFixed',
        'Math.sqrt',
        'Math.exp',
        'Math.log',
        'toLocale',
      ])
        if (code.includes(word)) wrong.push(`${file}: uses ${word}`);
      if (/^(export )?let /m.test(code)) wrong.push(`${file}: has mutable module state`);
    }
    expect(wrong).toEqual([]);
  });

  it('begins every source file with what it is, and keeps it readable in one sitting', () => {
    const wrong: string[] = [];
    for (const file of files.filter((path) => !path.startsWith('test/'))) {
      const text = readFileSync(join(ROOT, file), 'utf8');
      if (!text.startsWith('/**') && !text.startsWith('#!')) wrong.push(`${file}: no opening sentence`);
      const lines = text.split('\n').length;
      if (lines > 750) wrong.push(`${file}: ${lines} lines`);
    }
    expect(wrong).toEqual([]);
  });

  it('has no test that is switched off', () => {
    const marks = ['skip', 'only', 'todo'].map((word) => new RegExp(`\\b(?:it|test|describe)\\.${word}\\b`));
    const wrong = files.filter(
      (file) =>
        file.startsWith('test/') && marks.some((mark) => mark.test(readFileSync(join(ROOT, file), 'utf8'))),
    );
    expect(wrong).toEqual([]);
  });
});
