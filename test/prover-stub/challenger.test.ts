/** The challenger on a real L1: it goes on after a crash, is paid, is not robbed by a faster one, and says what it does. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createWasmKeccak } from '#auth/wasm-keccak.ts';
import type { SignedBatch } from '#protocol/batch.ts';
import { fromHex, toHex } from '#protocol/bytes.ts';
import type { VerifierAlert } from '#prover-stub/alerts.ts';
import type { ChallengerStatus } from '#prover-stub/challenger.ts';
import { type RunningVerifier, type RunOptions, runVerifier } from '#prover-stub/main.ts';
import { readReward } from '#settlement/l1/challenge-actions.ts';
import { rollupStatus } from '#settlement/l1/vault-actions.ts';
import { passSeconds } from '../settlement/l1-fixture.ts';
import { L1Session, PRICE } from './l1-session.ts';
import { TestSequencer } from './test-sequencer.ts';

const keccak = await createWasmKeccak();
const PROGRAM = fileURLToPath(new URL('../../client/cli/sluice.ts', import.meta.url));
/** Of the development accounts. */
const FIRST = 6;
const SECOND = 7;

let session: L1Session;
let directory: string;
let batches: SignedBatch[];
let snapshot: unknown;
const children: ChildProcess[] = [];

const rpc = (method: string, ...params: unknown[]): Promise<unknown> =>
  session.fixture.l1.public.request({ method, params } as never);
const keyOf = (account: number) => session.fixture.devnet.accounts[account]!.key;
const addressOf = (account: number) => session.fixture.devnet.accounts[account]!.address;
const balanceOf = (account: number) => session.fixture.l1.public.getBalance({ address: addressOf(account) });

beforeAll(async () => {
  session = await L1Session.start();
  directory = await mkdtemp(path.join(tmpdir(), 'sluice-challenger-'));
  const { domain, sequencerKey } = session.fixture;
  const sequencer = new TestSequencer({ domain, secret: sequencerKey, keccak });
  for (const command of await session.queueCommands()) sequencer.apply(command);
  sequencer.apply(session.price(PRICE));
  await session.post(sequencer.cut(await session.place()));
  // The second batch gives account 4 money out of nothing.
  sequencer.apply(session.order(1, 1, PRICE, 100));
  sequencer.apply(session.order(2, 0, PRICE, 60), undefined, ({ state, trace }) => {
    state.accounts.cash[4]! += 1;
    trace.account(4);
  });
  batches = sequencer.cut(await session.place());
  snapshot = await rpc('evm_snapshot');
}, 120_000);
beforeEach(async () => {
  await rpc('evm_revert', snapshot);
  snapshot = await rpc('evm_snapshot');
  await rm(directory, { recursive: true, force: true });
});
afterAll(async () => {
  for (const child of children) child.kill('SIGKILL');
  await session?.fixture.devnet.stop();
  await rm(directory, { recursive: true, force: true });
});

const run = (account: number | undefined, more: Partial<RunOptions> = {}): Promise<RunningVerifier> =>
  runVerifier({
    ...{ l1: session.fixture.devnet.url, port: 0, workers: 0, pollMs: 20 },
    data: path.join(directory, `${account}`),
    ...(account === undefined ? {} : { challengeKey: fromHex(keyOf(account)) }),
    ...more,
  });
const stageOf = (running: RunningVerifier) => running.challenges()?.cases[0]?.stage;
const until = (running: RunningVerifier, stage: string) =>
  expect.poll(() => stageOf(running), { timeout: 20_000, interval: 10 }).toBe(stage);

/** The program, with the first challenger's key in its environment. */
function start(...options: string[]) {
  const child = spawn(
    process.execPath,
    [
      ...[
        '--import',
        'tsx',
        PROGRAM,
        'verifier',
        '--l1',
        session.fixture.devnet.url,
        '--json',
        '--port',
        '0',
      ],
      ...['--challenge', '--workers', '0', ...options],
    ],
    {
      stdio: ['ignore', 'pipe', 'ignore'],
      cwd: path.join(path.dirname(PROGRAM), '../..'),
      env: { ...process.env, SLUICE_CHALLENGE_KEY: keyOf(FIRST) },
    },
  );
  children.push(child);
  let out = '';
  child.stdout.on('data', (data: Buffer) => {
    out += data;
  });
  const started = async () => {
    await expect.poll(() => out, { timeout: 60_000 }).toContain('\n');
    return JSON.parse(out.split('\n')[0]!) as { status: string; challenger: string };
  };
  return { child, started };
}

const challengesOf = async (status: string): Promise<ChallengerStatus> =>
  (await (await fetch(status.replace('/status', '/challenges'))).json()) as ChallengerStatus;

test('leaves an honest chain alone', async () => {
  const running = await run(FIRST);
  try {
    await expect.poll(() => running.status().verified, { timeout: 20_000 }).toBe(1);
    expect(running.challenges()).toMatchObject({ cases: [], committed: 0, struck: 0, trouble: null });
  } finally {
    await running.stop();
  }
});

test('goes on after kill -9 with its commitment under way, and takes its reward after a restart', async () => {
  await session.post(batches);
  // Blocks come only when they are asked for.
  await rpc('evm_setAutomine', false);
  const data = path.join(directory, `${FIRST}`);
  const { child, started } = start('--data', data);
  const { status } = await started();
  await expect
    .poll(async () => (await challengesOf(status)).cases[0]?.stage, { timeout: 20_000 })
    .toBe('found');
  await expect
    .poll(async () => ((await rpc('txpool_status')) as { pending: string }).pending, { timeout: 20_000 })
    .toBe('0x1');
  child.kill('SIGKILL');
  await new Promise((resolve) => child.once('exit', resolve));
  await rpc('evm_setAutomine', true);
  await rpc('evm_mine');

  let running = await run(FIRST);
  await until(running, 'struck');
  expect(running.challenges()!.cases).toHaveLength(1);
  // The commitment was made by the one that was killed.
  expect(running.challenges()).toMatchObject({
    committed: 0,
    struck: 1,
    cases: [{ what: expect.stringMatching(/^step of segment \d+$/) }],
  });
  await running.stop();
  const { l1, rollup } = session.fixture;
  expect(await rollupStatus(l1, rollup)).toMatchObject({ committedId: 1, epoch: 2, bondWei: 0n });

  const reward = await readReward(l1, rollup, batches[0]!.hash);
  expect(reward.candidate).toBe(addressOf(FIRST));
  const before = await balanceOf(FIRST);
  running = await run(FIRST);
  await passSeconds(l1, rollup.windowSeconds + 2);
  await until(running, 'done');
  expect(running.challenges()!.rewards).toBe(1);
  await running.stop();
  const gained = (await balanceOf(FIRST)) - before;
  expect(gained).toBeGreaterThan((reward.amountWei * 9n) / 10n);
});

test('a rival that strikes first with a younger commitment does not get the reward', async () => {
  await session.post(batches);
  const alerts: VerifierAlert[] = [];
  let release = (): void => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  // The first one stands still after its commitment until the second has struck.
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const alert = JSON.parse(Buffer.concat(parts).toString()) as VerifierAlert;
      alerts.push(alert);
      const answer = (): void => {
        response.end();
      };
      if (alert.kind === 'challenge-committed') void held.then(answer);
      else answer();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  const first = await run(FIRST, { alerts: { url: `http://127.0.0.1:${port}/` } });
  try {
    await expect
      .poll(() => alerts.map(({ kind }) => kind), { timeout: 20_000 })
      .toContain('challenge-committed');
    const second = await run(SECOND);
    await until(second, 'struck');
    await second.stop();
    release();
    await until(first, 'claimed');
    const { l1, rollup } = session.fixture;
    expect((await readReward(l1, rollup, batches[0]!.hash)).candidate).toBe(addressOf(FIRST));
    expect(alerts[0]).toMatchObject({ kind: 'difference', batch: 2 });
  } finally {
    release();
    await first.stop();
    server.close();
    server.closeAllConnections();
  }
});

test('is a flag of the program, with metrics and a command that is told', async () => {
  await session.post(batches);
  const told = path.join(directory, 'told');
  const { child, started } = start(
    ...['--data', path.join(directory, 'process')],
    ...['--alert-command', `cat >> ${told}; echo >> ${told}`],
  );
  const kinds = async (): Promise<string[]> => {
    const text = await readFile(told, 'utf8').catch(() => '');
    const lines = text.split('\n').filter((line) => line !== '');
    return lines.map((line) => (JSON.parse(line) as VerifierAlert).kind);
  };
  await expect
    .poll(kinds, { timeout: 60_000 })
    .toEqual(['difference', 'challenge-committed', 'batch-struck']);
  const { status, challenger } = await started();
  expect(challenger).toBe(addressOf(FIRST));
  const metrics = await (await fetch(status.replace('/status', '/metrics'))).text();
  expect(metrics).toMatch(/sluice_verifier_batches_struck_total 1/);
  expect(await challengesOf(status)).toMatchObject({
    struck: 1,
    cases: [{ batch: 2, hash: toHex(batches[0]!.hash) }],
  });
  child.kill('SIGTERM');
  await new Promise((resolve) => child.once('exit', resolve));
}, 120_000);
