/** The embedded L1: starts, keeps its state over restarts, ends cleanly, and says in one sentence what is wrong. */

import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { DEMO_ASSETS, DEMO_MARKETS } from '#client/demo/markets.ts';
import type { AssetConfig } from '#protocol/asset.ts';
import { DEFAULT_CHAIN_PARAMETERS } from '#protocol/market.ts';
import { connectL1, type L1Client } from '#settlement/l1/client.ts';
import { PROJECT_ROOT } from '#settlement/l1/compile.ts';
import { findRollup } from '#settlement/l1/contracts.ts';
import { type DeployOptions, deployRollup } from '#settlement/l1/deploy.ts';
import { startDevnet } from '#settlement/l1/devnet.ts';
import { EventReader } from '#settlement/l1/events.ts';
import { fetchPostedBatch } from '#settlement/l1/posted-batch.ts';
import { deployTestTokens } from '#settlement/l1/test-tokens.ts';
import * as actions from '#settlement/l1/vault-actions.ts';
import { commit, finalize, passSeconds, planNow, rejection, startFixture } from './l1-fixture.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'devnet-'));
});
afterEach(() => rm(directory, { recursive: true }));

test('a second start resumes: contracts, batches, events, calldata, and anchors from before', async () => {
  const stateFile = path.join(directory, 'l1', 'state.json');
  const fixture = await startFixture({ devnet: { stateFile } });
  const { l1, rollup, chain } = fixture;
  const first = chain.next(await planNow(fixture, { inputBytes: 30_000 }));
  await commit(l1, rollup, first);
  const second = chain.next(await planNow(fixture));
  const cursor = new EventReader(l1, rollup, { confirmations: 0 });
  const before = (await cursor.poll()).events;
  await fixture.devnet.stop();

  const devnet = await startDevnet({ stateFile });
  try {
    expect(devnet.resumed).toBe(true);
    const again = await connectL1({ url: devnet.url, key: devnet.accounts[0]!.key, pollMs: 20 });
    const found = await findRollup(again);
    expect(found).toEqual(rollup);
    const reader = new EventReader(again, found, { confirmations: 0 });
    const events = (await reader.poll()).events;
    expect(events).toEqual(before);
    const committed = events.find((event) => event.kind === 'committed')!;
    expect(await fetchPostedBatch(again, committed, fixture.domain)).toEqual(first);
    // The anchor of the second batch is a block from before the restart.
    await commit(again, found, second);
    await passSeconds(again, found.windowSeconds);
    await finalize(again, found, first);
    expect(await actions.rollupStatus(again, found)).toMatchObject({ committedId: 2, finalId: 1 });
  } finally {
    await devnet.stop();
  }
}, 60_000);

test('blocks come by themselves when asked to', async () => {
  const devnet = await startDevnet({ blockTimeSeconds: 1 });
  try {
    const l1 = await connectL1({ url: devnet.url });
    await expect.poll(() => l1.public.getBlockNumber(), { timeout: 10_000 }).toBeGreaterThanOrEqual(2n);
  } finally {
    await devnet.stop();
  }
}, 60_000);

test('a port in use, and a state file that is none: one sentence that says what to do', async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  expect(await rejection(startDevnet({ port }))).toMatchObject({
    code: 'devnet',
    message: `devnet: port ${port} on 127.0.0.1 can't be used (EADDRINUSE): choose another port, or 0 for any`,
  });
  server.close();
  const stateFile = path.join(directory, 'state.json');
  await writeFile(stateFile, '{"nonsense');
  const error = (await rejection(startDevnet({ stateFile }))) as Error;
  expect(error.message).toContain('move the file away to begin with an empty chain');
  expect(error.message).not.toContain('\n');
}, 60_000);

test('it ends when the process that started it is killed', async () => {
  const script = `import { startDevnet } from '#settlement/l1/devnet.ts';
    const devnet = await startDevnet();
    console.log(devnet.url);
    setInterval(() => {}, 1000);`;
  const file = path.join(PROJECT_ROOT, 'test', 'settlement', `.devnet-child-${process.pid}.mts`);
  await writeFile(file, script);
  try {
    const child = spawn(process.execPath, ['--import', 'tsx', file], {
      cwd: PROJECT_ROOT,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const url = await new Promise<string>((resolve) =>
      child.stdout.once('data', (data) => resolve(String(data).trim())),
    );
    await connectL1({ url });
    child.kill('SIGKILL');
    await expect
      .poll(
        () =>
          connectL1({ url }).then(
            () => 'alive',
            () => 'gone',
          ),
        { timeout: 20_000 },
      )
      .toBe('gone');
  } finally {
    await rm(file);
  }
}, 60_000);

/** Tokens of 6, 18 and 8 decimals, with what they are worth as collateral; refuses what does not fit together. */
async function severalAssets(l1: L1Client, options: Omit<DeployOptions, 'tokens' | 'assets'>): Promise<void> {
  const tokens = await deployTestTokens(l1);
  const several = { ...options, markets: DEMO_MARKETS.map(({ config }) => config), tokens };
  const rollup = await deployRollup(l1, { ...several, assets: DEMO_ASSETS });
  expect(
    rollup.assets.map(({ symbol, decimals, tokenDecimals, scale }) => [
      symbol,
      decimals,
      tokenDecimals,
      scale,
    ]),
  ).toEqual([
    ['tUSD', 6, 6, 1n],
    ['tETH', 8, 18, 10n ** 10n],
    ['tBTC', 8, 8, 1n],
  ]);
  expect(rollup.genesisEntries).toBe(
    1 + DEMO_MARKETS.length + options.publishers.length + DEMO_ASSETS.length,
  );
  const refused = async (assets: readonly AssetConfig[]): Promise<string> =>
    ((await rejection(deployRollup(l1, { ...several, assets }))) as Error).message;
  const [quote, eth, btc] = DEMO_ASSETS;
  expect(await refused([quote!, { ...eth!, decimals: 9 }])).toBe(
    'genesis: assets[1].decimals: expected 8 (18 of tETH at a scale of 10000000000), got 9',
  );
  expect(await refused([quote!, btc!])).toBe('genesis: assets[1].asset: expected 1, got 2');
  expect(await refused([quote!, { ...eth!, feed: 3 }])).toBe(
    'genesis: assets[1].feed: expected one of 3 markets, got 3',
  );
  expect(await refused([quote!, eth!, btc!, { ...btc!, asset: 3 }])).toBe(
    'genesis: assets: expected at most the 3 of the vault, got asset 3',
  );
  const odd = tokens.map((token, i) => (i === 1 ? { ...token, scale: 3n } : token));
  expect(((await rejection(deployRollup(l1, { ...options, tokens: odd }))) as Error).message).toContain(
    'asset 1 (tETH): expected a scale of 1 to 10^18, a power of ten, got 3',
  );
}

test('a chain with no rollup, with two, of another id', async () => {
  const devnet = await startDevnet();
  try {
    const l1 = await connectL1({ url: devnet.url, key: devnet.accounts[0]!.key, pollMs: 20 });
    expect(await rejection(findRollup(l1))).toMatchObject({ code: 'no-rollup' });
    expect(await rejection(connectL1({ url: devnet.url, chainId: 5 }))).toMatchObject({
      code: 'wrong-chain',
      message: `l1 ${devnet.url}: expected chain id 5, got 31337`,
    });
    const options = {
      sequencer: devnet.accounts[1]!.address,
      windowSeconds: 5,
      chain: DEFAULT_CHAIN_PARAMETERS,
      markets: [],
      publishers: devnet.accounts.slice(0, 5).map(({ address }) => ({ address, weight: 1 })),
    };
    const first = await deployRollup(l1, options);
    const second = await deployRollup(l1, {
      ...options,
      tokens: [{ token: first.assets[0]!.token, depositMin: 10, cap: 1_000 }],
    });
    expect(second.assets[0]).toMatchObject({ symbol: 'tUSD', decimals: 6, depositMin: 10, cap: 1_000 });
    await severalAssets(l1, options);
    const error = (await rejection(findRollup(l1))) as Error;
    expect(error).toMatchObject({ code: 'ambiguous-rollup' });
    expect(error.message).toContain(first.rollup);
    expect(await findRollup(l1, { address: second.rollup })).toEqual(second);
    expect(
      await rejection(deployRollup(l1, { ...options, publishers: options.publishers.slice(1) })),
    ).toMatchObject({
      message: 'genesis: publishers: expected 5 to 16, got 4',
    });
    expect(await rejection(deployRollup(l1, { ...options, windowSeconds: 0 }))).toMatchObject({
      revert: { name: 'OutOfRange' },
    });
  } finally {
    await devnet.stop();
  }
}, 60_000);

test('no answer at all is told apart', async () => {
  expect(await rejection(connectL1({ url: 'http://127.0.0.1:1' }))).toMatchObject({ code: 'unreachable' });
});
