/**
 * Every program alone, started as an operator would, on a real L1: money in, an order until it is final, money out,
 * a verdict from L1 alone, and money out once more with the sequencer gone.
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { DEVELOPMENT_KEYS, DEVELOPMENT_ROLES } from '#client/cli/development-keys.ts';
import { keySigner } from '#client/signer.ts';
import { toHex } from '#protocol/bytes.ts';
import { connectL1 } from '#settlement/l1/client.ts';
import { findRollup } from '#settlement/l1/contracts.ts';
import { tokenBalance } from '#settlement/l1/vault-actions.ts';
import { type Running, sluice } from '../client/program.ts';
import { Programs } from './programs.ts';

let programs: Programs;
const trader = toHex(keySigner(DEVELOPMENT_KEYS[DEVELOPMENT_ROLES.trader]).address);

async function stop({ child, done }: Running): Promise<number | null> {
  child.kill('SIGINT');
  return (await done).code;
}

beforeAll(async () => {
  programs = await Programs.in('sluice-cli-e2e-');
}, 120_000);

afterAll(() => programs?.close(), 120_000);

it('runs the whole way', async () => {
  const { directory, env } = programs;
  const launch = programs.launch.bind(programs);
  const run = (...args: string[]) => programs.run(args);
  const json = (...args: string[]) => programs.json<ReturnType<typeof JSON.parse>>(args);
  const l1 = await launch('started', 'devnet', '--port', '0', '--window', '3s');
  env.SLUICE_L1 = l1.facts.l1!;
  const sequencer = await launch(
    'started',
    'sequencer',
    '--port',
    '0',
    '--confirmations',
    '1',
    '--batch-ms',
    '3000',
    '--log-level',
    'warn',
  );
  env.SLUICE_URL = sequencer.facts.url!;
  const verifier = await launch('started', 'verifier', '--port', '0');
  const proofs = verifier.facts.status!.replace('/status', '');
  const submitter = await launch('started', 'submitter', '--port', '0', '--sequencer', sequencer.facts.http!);
  const publisher = await launch(
    'publishing',
    'publisher',
    '--source',
    'fixed',
    '--price',
    'BTC-PERP=64000',
    '--price',
    'ETH-PERP=3200',
  );

  expect(await json('deposit', '1000', '--mint')).toMatchObject({ account: 1, amount: 1_000_000_000 });
  const order = await json('order', 'buy', '0.01', 'BTC-PERP', '@', '63000');
  expect(order).toMatchObject({ status: 'resting' });
  const final = await json('finality', `${order.orderId}`, '--wait', 'final');
  expect(final).toMatchObject({ stage: 'final', seq: order.seq });
  await run('cancel', '--all');

  // Money out: the tokens arrive on L1.
  const client = await connectL1({ url: env.SLUICE_L1 });
  const rollup = await findRollup(client);
  const balance = () => tokenBalance(client, rollup, { address: trader as `0x${string}` });
  expect(await balance()).toBe(0n);
  expect(await run('withdraw', '100')).toMatch(
    /^requested 100 tUSD\n(.*\n)*final 100 tUSD\npaid 100 tUSD\n$/,
  );
  expect(await balance()).toBe(100_000_000n);

  // Ether of 18 decimals, in and out to the last unit of the token.
  const eth = () => tokenBalance(client, rollup, { address: trader as `0x${string}`, asset: 1 });
  expect(await run('faucet', '1.50000001', 'tETH')).toMatch(/^minted 1.50000001 tETH for 0xa0Ee7A14/);
  expect(await eth()).toBe(1_500_000_010_000_000_000n);
  expect(await run('deposit', '1.5', '--asset', 'teth')).toMatch(/^deposited 1.5 tETH to account 1 /);
  expect(await eth()).toBe(10_000_000_000n);
  expect(await run('vault')).toMatch(/tETH +1 +1\.5 +22517998\.13685248 +0 +0 +0\.00000001/);
  const tooFine = await sluice(['deposit', '0.000000001', '--asset', 'tETH'], { cwd: directory, env });
  expect(tooFine.err).toContain('amount: expected at most 8 decimals, got "0.000000001"');
  const tooMuch = await sluice(['deposit', '2', '--asset', 'tETH'], { cwd: directory, env });
  expect(tooMuch.err).toContain('expected at least 2 tETH on L1');
  expect(tooMuch.err).toContain('got 0.00000001 tETH');

  // A demand through L1 is taken up by the sequencer.
  await run('withdraw', '1.5', '--asset', 'tETH', '--force');
  await run('withdraw', '11', '--force');
  const requested = await json('withdraw', '22.5', '--no-wait');
  await run('finality', '--seq', `${requested.seq}`, '--wait', 'final');

  // From here on nobody needs the sequencer.
  expect(await stop(publisher.running)).toBe(0);
  expect(await stop(submitter.running)).toBe(0);
  expect(await stop(sequencer.running)).toBe(0);
  const verdict = await json('verifier', '--once');
  expect(verdict).toMatchObject({
    verdict: 'verified',
    status: { mismatches: 0, verified: verdict.status.committed },
  });
  expect(verdict.status.verified).toBeGreaterThanOrEqual(final.batch);
  expect((await sluice(['withdraw', '--claim'], { cwd: directory, env })).code).toBe(3);
  let paid = await sluice(['withdraw', '--claim', '--proofs', proofs], { cwd: directory, env });
  // The running verifier may still be on its way to the last batch.
  while (paid.err.startsWith('error NOT_FOUND'))
    paid = await sluice(['withdraw', '--claim', '--proofs', proofs], { cwd: directory, env });
  expect(paid).toMatchObject({ code: 0, err: '' });
  expect(await balance()).toBe(100_000_000n + 33_500_000n);
  expect(await run('withdraw', '--claim', '--asset', 'tETH', '--proofs', proofs)).toMatch(
    /^paid 1.5 tETH in 0x/,
  );
  expect(await eth()).toBe(1_500_000_010_000_000_000n);

  expect(await stop(verifier.running)).toBe(0);
  expect(await stop(l1.running)).toBe(0);
}, 480_000);
