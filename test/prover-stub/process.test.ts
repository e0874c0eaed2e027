/** `sluice verifier` as a process of its own: exit codes, kill -9, the same roots as here. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createWasmKeccak } from '#auth/wasm-keccak.ts';
import { toHex } from '#protocol/bytes.ts';
import { L1Session, PRICE } from './l1-session.ts';
import { TestSequencer } from './test-sequencer.ts';

const keccak = await createWasmKeccak();
const PROGRAM = fileURLToPath(new URL('../../client/cli/sluice.ts', import.meta.url));

describe('the verifier as a process', () => {
  let session: L1Session;
  let sequencer: TestSequencer;
  let directory: string;
  const children: ChildProcess[] = [];

  beforeAll(async () => {
    session = await L1Session.start();
    const { domain, sequencerKey } = session.fixture;
    sequencer = new TestSequencer({ domain, secret: sequencerKey, keccak });
    directory = await mkdtemp(path.join(tmpdir(), 'sluice-test-'));
  }, 60_000);
  afterAll(async () => {
    for (const child of children) child.kill('SIGKILL');
    await session?.fixture.devnet.stop();
    await rm(directory, { recursive: true, force: true });
  });

  function start(...options: string[]): {
    child: ChildProcess;
    output: () => string;
    ended: Promise<number | null>;
  } {
    const { url } = session.fixture.devnet;
    const child = spawn(
      process.execPath,
      ['--import', 'tsx', PROGRAM, 'verifier', '--l1', url, '--json', ...options],
      { stdio: ['ignore', 'pipe', 'pipe'], cwd: path.join(path.dirname(PROGRAM), '../..') },
    );
    children.push(child);
    let text = '';
    child.stdout.on('data', (data: Buffer) => {
      text += data;
    });
    child.stderr.resume();
    const ended = new Promise<number | null>((resolve) => child.on('exit', (code) => resolve(code)));
    return { child, output: () => text, ended };
  }

  const data = () => ['--data', path.join(directory, 'data'), '--snapshot-every', '4', '--port', '0'];
  const statusOf = async (output: () => string): Promise<Record<string, unknown> | undefined> => {
    const line = /"status":"([^"]+)"/.exec(output());
    if (line === null) return undefined;
    return (await (await fetch(line[1]!)).json()) as Record<string, unknown>;
  };

  async function post(count: number): Promise<void> {
    for (let i = 0; i < count; i++) {
      for (const command of await session.queueCommands()) sequencer.apply(command);
      sequencer.apply(session.price(PRICE));
      sequencer.apply(session.order(1, 1, PRICE, 100));
      sequencer.apply(session.order(2, 0, PRICE, 150));
      session.now += 200;
      await session.post(sequencer.cut(await session.place()));
    }
  }

  test('says so with exit code 0, and has the roots that were made here', async () => {
    await post(2);
    const { output, ended } = start('--once');
    expect(await ended).toBe(0);
    const verdict = JSON.parse(output()) as { verdict: string; status: { head: Record<string, unknown> } };
    const { header, hash } = sequencer.last!;
    expect(verdict.verdict).toBe('verified');
    expect(verdict.status.head).toMatchObject({
      hash: toHex(hash),
      ledgerRoot: toHex(header.postLedgerRoot),
      bookRoot: toHex(header.postBookRoot),
      seq: header.nextSeq - 1,
    });
  });

  test('goes on after kill -9, wherever it was hit', async () => {
    for (let round = 0; round < 3; round++) {
      const { child, output, ended } = start(...data());
      const before = sequencer.batches.length;
      await post(2);
      await expect
        .poll(async () => (await statusOf(output))?.verified ?? 0, { timeout: 30_000, interval: 20 })
        .toBeGreaterThanOrEqual(before + round);
      child.kill('SIGKILL');
      await ended;
    }
    const { child, output, ended } = start(...data());
    await expect
      .poll(async () => (await statusOf(output))?.verified, { timeout: 30_000 })
      .toBe(sequencer.batches.length);
    const status = await statusOf(output);
    expect(status).toMatchObject({ mismatches: 0, committed: sequencer.batches.length });
    expect((status!.head as { hash: string }).hash).toBe(toHex(sequencer.last!.hash));
    child.kill('SIGTERM');
    expect(await ended).toBe(0);
  });

  test('names what is wrong with exit code 1, and can not tell with 2', async () => {
    sequencer.apply(session.clock());
    const batches = sequencer.cut(await session.place(), (posted) => {
      posted.diff = new Uint8Array(0);
    });
    await session.post(batches);
    const { output, ended } = start('--once');
    expect(await ended).toBe(1);
    const { verdict, sentence } = JSON.parse(output()) as { verdict: string; sentence: string };
    expect(verdict).toBe('different');
    expect(sentence).toMatch(/^batch \d+, diff, globals, seq: expected \d+, got \d+$/);
    const nowhere = start('--once', '--rollup', `0x${'ab'.repeat(20)}`);
    expect(await nowhere.ended).toBe(2);
    expect(nowhere.output()).toContain('"unknown"');
  });
});
