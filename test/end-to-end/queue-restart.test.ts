/**
 * What entered the L1 queue while no sequencer ran: one entry of every kind, a configuration change behind its timelock
 * among them, is taken up when the sequencer starts again.
 */
import { mnemonicToAccount } from 'viem/accounts';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { SluiceClient } from '#client/client.ts';
import { DEMO_CHAIN, DEMO_MARKETS } from '#client/demo/markets.ts';
import { fromHex } from '#protocol/bytes.ts';
import { encodeChainParameters, encodeMarketConfig, encodePublisher } from '#protocol/market.ts';
import {
  QUEUE_CONFIGURE_CHAIN,
  QUEUE_CONFIGURE_MARKET,
  QUEUE_CONFIGURE_PUBLISHER,
} from '#protocol/queue-entry.ts';
import { connectL1, type L1Client, withKey } from '#settlement/l1/client.ts';
import { enterConfiguration, proposeConfiguration } from '#settlement/l1/configuration-actions.ts';
import { DEVNET_MNEMONIC } from '#settlement/l1/devnet.ts';
import {
  approveVault,
  deposit,
  forceCancelAll,
  forceReduceOnly,
  forceWithdraw,
  mintTestTokens,
  rollupStatus,
} from '#settlement/l1/vault-actions.ts';
import { passSeconds } from '../settlement/l1-fixture.ts';
import { DEPOSIT, FundedL1, MARK, MARKET } from './funded-l1.ts';
import { Programs, type Started } from './programs.ts';
import { until } from './until.ts';

const WINDOW_SECONDS = 3;
const INCLUSION_SECONDS = 60;
/** Account of the devnet that may propose configuration. */
const CONFIGURATOR = 3;
const WITHDRAWN = 1_000_007;
const MORE = 5_000_003;
const CHAIN = { ...DEMO_CHAIN, stalenessMs: 60_000, voidMs: 3_600_000 };

let programs: Programs;
let l1: FundedL1;
let client: L1Client;

const startSequencer = (): Promise<Started> =>
  programs.launch(
    'started',
    ...['sequencer', '--port', '0', '--confirmations', '0', '--batch-ms', '500', '--log-level', 'warn'],
  );
const as = (n: number): L1Client => withKey(client, l1.trader(n).key);
const place = (of: SluiceClient, side: 0 | 1, price: number, size: number) =>
  of.sendOperations([{ kind: 'place', market: MARKET, side, price, size, timeInForce: 0 }]);

beforeAll(async () => {
  programs = await Programs.in('sluice-queue-');
  l1 = await FundedL1.start(3, {
    windowSeconds: WINDOW_SECONDS,
    inclusionMs: INCLUSION_SECONDS * 1000,
    chain: CHAIN,
    configurator: mnemonicToAccount(DEVNET_MNEMONIC, { addressIndex: CONFIGURATOR }).address,
  });
  client = await connectL1({ url: l1.devnet.url, key: l1.devnet.accounts[CONFIGURATOR]!.key });
  programs.env.SLUICE_L1 = l1.devnet.url;
}, 240_000);

afterAll(async () => {
  await programs?.close();
  await l1?.devnet.stop();
}, 60_000);

it('takes up every kind that entered while it was away', async () => {
  const first = await startSequencer();
  const url = first.facts.url!;
  await l1.reportPrice(url);
  const traders = await l1.connect(url);
  // 0 is long 200 and 1 short; 2 bids for what 0 shall close; 1 has an order that shall go.
  await place(traders[1]!, 1, MARK, 200);
  expect((await place(traders[0]!, 0, MARK, 200)).results[0]).toMatchObject({ status: 'filled' });
  await place(traders[2]!, 0, MARK - 100, 150);
  await place(traders[1]!, 1, MARK + 1_000, 70);
  const config = DEMO_MARKETS[MARKET]!.config;
  const changes = [
    { kind: QUEUE_CONFIGURE_CHAIN, payload: encodeChainParameters({ ...CHAIN, openOrdersMax: 777 }) },
    { kind: QUEUE_CONFIGURE_MARKET, payload: encodeMarketConfig({ ...config, takerFeePpm: 321 }) },
    {
      kind: QUEUE_CONFIGURE_PUBLISHER,
      payload: encodePublisher({ index: 6, address: fromHex(l1.trader(0).address), weight: 3 }),
    },
  ];
  const proposals = [];
  for (const change of changes) proposals.push(await proposeConfiguration(client, l1.rollup, change));
  await Promise.all(traders.map((one) => one.close()));
  await programs.kill(first);

  await mintTestTokens(as(0), l1.rollup, { address: l1.trader(0).address, amount: MORE });
  await approveVault(as(0), l1.rollup, { asset: 0, amount: MORE });
  await deposit(as(0), l1.rollup, { asset: 0, subaccount: 4, amount: MORE });
  await forceWithdraw(as(1), l1.rollup, { asset: 0, amount: WITHDRAWN, subaccount: 0 });
  await forceCancelAll(as(1), l1.rollup, { subaccount: 0 });
  // Price 0: as far as the band reaches.
  const order = { market: MARKET, subaccount: 0, side: 1, price: 0, size: 1_000 } as const;
  const closing = await forceReduceOnly(as(0), l1.rollup, order);
  await passSeconds(client, WINDOW_SECONDS + INCLUSION_SECONDS + 1);
  let last = closing;
  for (const proposal of proposals) last = await enterConfiguration(as(2), l1.rollup, proposal);
  expect(last.index).toBe(closing.index + 3);

  const second = await startSequencer();
  const reader = await SluiceClient.connect({ url: second.facts.url! });
  await until('the queue to be taken up', async () => {
    const { queueNext } = await reader.session.query('chain', {});
    return queueNext === last.index + 1;
  });
  const { parameters, publishers } = await reader.session.query('chain', {});
  expect(parameters.openOrdersMax).toBe(777);
  expect(publishers).toContainEqual(expect.objectContaining({ index: 6, weight: 3 }));
  const [market] = await reader.session.query('markets', {});
  expect(market!.config.takerFeePpm).toBe(321);
  await reader.close();
  const again = await l1.connect(second.facts.url!);
  const views = await Promise.all(again.map((one) => one.accountView()));
  // The bid had 150 of the 200 that were to be closed.
  expect(views[0]!.positions).toMatchObject([{ size: 50 }]);
  expect(views[1]).toMatchObject({ openOrders: 0, positions: [{ size: -200 }] });
  expect(views[2]!.positions).toMatchObject([{ size: 150 }]);
  const accounts = await again[0]!.session.query('accounts', { owner: l1.trader(0).address });
  expect(accounts.map(({ subaccount }) => subaccount).sort()).toEqual([0, 4]);
  const paid = await again[1]!.session.query('transfers', { account: again[1]!.account! });
  expect(paid).toContainEqual(expect.objectContaining({ event: 'WITHDRAWAL', amount: WITHDRAWN, forced: 1 }));
  expect(paid).toContainEqual(expect.objectContaining({ event: 'DEPOSIT', amount: DEPOSIT }));
  await Promise.all(again.map((one) => one.close()));

  // And L1 has it: the committed chain of batches has passed the last entry, which nobody could freeze over.
  const submitter = await programs.launch(
    'started',
    ...['submitter', '--port', '0', '--sequencer', second.facts.http!],
  );
  await until('the entries to be committed', async () => {
    const { queueNext } = await rollupStatus(client, l1.rollup);
    return queueNext === last.index + 1;
  });
  expect((await rollupStatus(client, l1.rollup)).frozen).toBe(false);
  await programs.kill(submitter);
}, 240_000);
