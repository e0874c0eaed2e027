/** Configuration through L1: announced, entered by anyone after the timelock, seen by the reader as a queue entry. */
import { mnemonicToAccount } from 'viem/accounts';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { toHex } from '#protocol/bytes.ts';
import { DEFAULT_CHAIN_PARAMETERS, encodeChainParameters, encodePublisher } from '#protocol/market.ts';
import { QUEUE_CONFIGURE_CHAIN, QUEUE_CONFIGURE_PUBLISHER } from '#protocol/queue-entry.ts';
import {
  cancelConfiguration,
  enterConfiguration,
  openProposals,
  proposeConfiguration,
} from '#settlement/l1/configuration-actions.ts';
import { DEVNET_MNEMONIC } from '#settlement/l1/devnet.ts';
import { EventReader } from '#settlement/l1/events.ts';
import { ALICE, BOB, type L1Fixture, passSeconds, rejection, startFixture } from './l1-fixture.ts';

const CONFIGURATOR = ALICE;
const chain = {
  kind: QUEUE_CONFIGURE_CHAIN,
  payload: encodeChainParameters({ ...DEFAULT_CHAIN_PARAMETERS, voidMs: 20_000 }),
};
const publisher = {
  kind: QUEUE_CONFIGURE_PUBLISHER,
  payload: encodePublisher({ index: 7, address: new Uint8Array(20).fill(7), weight: 3 }),
};

let fixture: L1Fixture;
beforeAll(async () => {
  fixture = await startFixture({
    deploy: {
      configurator: mnemonicToAccount(DEVNET_MNEMONIC, { addressIndex: CONFIGURATOR }).address,
      inclusionMs: 60_000,
    },
  });
}, 60_000);
afterAll(() => fixture?.devnet.stop());

test('a change is announced, waits, and becomes an entry; a canceled one never does', async () => {
  const { rollup, l1 } = fixture;
  const configurator = fixture.as(CONFIGURATOR);
  const anyone = fixture.as(BOB);
  expect(await rejection(proposeConfiguration(anyone, rollup, chain))).toMatchObject({
    code: 'reverted',
    revert: { name: 'NotConfigurator' },
  });
  const one = await proposeConfiguration(configurator, rollup, chain);
  const two = await proposeConfiguration(configurator, rollup, publisher);
  expect(await openProposals(l1, rollup)).toEqual([one, two]);
  expect(await rejection(enterConfiguration(anyone, rollup, one))).toMatchObject({
    revert: { name: 'NotEnterable' },
  });
  await cancelConfiguration(configurator, rollup, two.id);

  // Window and inclusion delay: 60 s each.
  await passSeconds(l1, 121);
  const queued = await enterConfiguration(anyone, rollup, one);
  expect(queued.index).toBe(rollup.genesisEntries);
  expect(await rejection(enterConfiguration(anyone, rollup, two))).toMatchObject({
    revert: { name: 'NoSuchProposal' },
  });
  expect(await openProposals(l1, rollup)).toEqual([]);

  const { events } = await new EventReader(l1, rollup, { confirmations: 0 }).poll();
  const last = events.at(-1);
  if (last?.kind !== 'queued') throw new Error(`expected a queue entry last, got ${last?.kind}`);
  expect(last.entry).toMatchObject({ index: queued.index, kind: chain.kind, owner: new Uint8Array(20) });
  expect(toHex(last.entry.payload)).toBe(toHex(chain.payload));
});

test('a value out of bounds is not even announced', async () => {
  const payload = chain.payload.slice();
  payload.fill(0, 0, 4);
  expect(
    await rejection(proposeConfiguration(fixture.as(CONFIGURATOR), fixture.rollup, { ...chain, payload })),
  ).toMatchObject({ revert: { name: 'OutOfRange' } });
});
