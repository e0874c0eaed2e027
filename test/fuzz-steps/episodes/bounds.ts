/** Episodes at the bounds of money, of time and of configuration. */

import { type AssetConfig, encodeAssetConfig } from '#protocol/asset.ts';
import { fromHex } from '#protocol/bytes.ts';
import { encodeRecord, VERSION } from '#protocol/command.ts';
import { TIME_MS_MAX } from '#protocol/limits.ts';
import * as queue from '#protocol/queue-entry.ts';
import { ENGINE_VERSION } from '#state/exchange-state.ts';
import { TEST_ASSET, TEST_QUOTE_ASSET } from '#test/support/assets.ts';
import { testKey } from '../../auth/keys.ts';
import { CONFIGURATION_BASES, configurationCases } from '../../settlement/configuration-vectors.ts';
import { ask, bid, type Episode, type EpisodeSession, IOC, NOBODY } from './episode.ts';

const [RICH, OTHER] = [5, 6];
/** maxPosition · maxPrice is NOTIONAL_MAX. */
const WIDEST = {
  maxPrice: 2 ** 24,
  maxPosition: 2 ** 24,
  maxOrderSize: 2 ** 24,
  takerFeePpm: 0,
  makerFeePpm: 0,
};
const HIGH = 16_700_000;
const LOW = 1_000;

/** `winner` buys low and sells high, as much as a market allows. */
function swing(session: EpisodeSession, winner: number, loser: number): void {
  session.price(0, LOW);
  session.trade(winner, loser, LOW, 2 ** 24);
  session.price(0, HIGH);
  session.send(winner, [ask(HIGH, 2 ** 24)]);
  session.send(loser, [bid(HIGH, 2 ** 24, { ...IOC, reduceOnly: true })]);
}

/** Funding beyond what one settlement moves, cash beyond what may be paid in, and beyond what may trade. */
function fortunes(session: EpisodeSession): void {
  session.chain({ fundingIntervalMs: 1_000, sampleIntervalMs: 1_000, voidMs: 3_600_000 });
  session.wait(3_600_000);
  session.market(0, WIDEST);
  session.deposit(RICH - 1, 1e15);
  session.deposit(OTHER - 1, 1e15);
  session.deposit(3, 1e12);
  swing(session, RICH, OTHER);
  swing(session, RICH, OTHER);
  const tiers = [{ lower: 0, initialPpm: 100_000, maintenancePpm: 10_000 }];
  session.market(0, { ...WIDEST, tiers });
  session.price(0, 12_000_000);
  session.trade(OTHER, RICH, 12_000_000, 2 ** 24);
  // A bid far above the index: the longs pay the most that they can, again and again.
  session.send(4, [bid(16_500_000, 1_000)]);
  for (let n = 0; n < 19; n++) session.wait(1_000);
  session.send(4, [{ kind: 'cancel-all' }]);
  for (const account of [RICH, OTHER]) session.send(account, [{ kind: 'withdraw', asset: 0, amount: 1 }]);
  session.send(OTHER, [ask(12_000_000, 2 ** 24, { reduceOnly: true })]);
  session.send(RICH, [bid(12_000_000, 2 ** 24, IOC)]);
  swing(session, RICH, OTHER);
  session.send(RICH, [ask(HIGH, 10)]);
  session.send(4, [bid(HIGH, 10, IOC), bid(HIGH, 10)]);
  session.send(RICH, [ask(HIGH, 10, IOC)]);
  session.deposit(RICH - 1, 1);
  session.send(OTHER, [{ kind: 'transfer', asset: 0, toAccount: RICH, amount: 1 }]);
}

/** Orders that rest at prices a market had before, worth more than it would take now. */
function outgrown(session: EpisodeSession): void {
  session.deposit(RICH - 1, 1e15);
  session.market(0, WIDEST);
  session.price(0, 16_000_000);
  session.send(RICH, [bid(16_000_000, 2 ** 24)]);
  session.price(0, 8_000_000);
  session.market(0, { ...WIDEST, maxPrice: 2 ** 23, maxPosition: 2 ** 25 });
  session.send(RICH, [bid(8_000_000, 2 ** 24)]);
}

/** Samples of books that are deep, thin, upside down against the index, or of a market without one. */
function samples(session: EpisodeSession): void {
  session.market(3);
  session.deposit(RICH - 1, 1e12);
  session.send(RICH, [bid(9_900, 1, { market: 3 }), ask(9_900, 20_000, { market: 2 })]);
  session.send(
    RICH,
    Array.from({ length: 34 }, (_, n) => ask(10_100 + n, 1, { market: 1 })),
  );
  session.send(OTHER, [bid(9_000, 3_000_000 / 250, { market: 2 })]);
  session.send(OTHER, [bid(10_500, 300_000), ask(10_600, 300_000)]);
  session.wait(5_000);
  for (let market = 0; market < 3; market++) session.price(market, 10_000);
  session.wait(5_000);
  session.wait(5_000);
  for (let market = 0; market < 3; market++) session.price(market, 10_000);
  session.wait(3_600_000);
  session.price(0, 20_001);
  session.price(1, 1);
  session.send(OTHER, [bid(9_000, 1)]);
  session.wait(10_000);
  // A funding without a sample since the last one.
  session.chain({ fundingIntervalMs: 1_000, sampleIntervalMs: 3_600_000 });
  session.wait(3_600_000);
  session.price(2, 10_000);
  session.wait(1_000);
}

/** Money and settings, refused for every reason. */
function refusedMoney(session: EpisodeSession): void {
  const { now } = session;
  const money = (asset: number, subaccount: number, amount: number): Uint8Array =>
    queue.encodeMoneyPayload({ asset, subaccount, amount });
  const key = (n: number): Uint8Array => testKey(300 + n).address;
  session.send(RICH, [
    { kind: 'withdraw', asset: 1, amount: 1 },
    { kind: 'withdraw', asset: 0, amount: 0 },
    { kind: 'withdraw', asset: 0, amount: 2 ** 50 },
    { kind: 'transfer', asset: 0, toAccount: 1, amount: 1 },
    { kind: 'transfer', asset: 0, toAccount: 99, amount: 1 },
    { kind: 'transfer', asset: 0, toAccount: RICH, amount: 1 },
    { kind: 'transfer', asset: 0, toAccount: 8, amount: 1 },
  ]);
  session.chain({ sessionKeysMax: 1 });
  session.send(RICH, [{ kind: 'session-key', key: NOBODY, scope: 1, expiry: now + 9_000 }]);
  session.send(RICH, [
    { kind: 'session-key', key: key(0), scope: 3, expiry: now + 9_000 },
    { kind: 'session-key', key: key(1), scope: 3, expiry: now + 9_000 },
    { kind: 'session-key', key: key(0), scope: 8, expiry: now + 9_000 },
    { kind: 'session-key', key: key(0), scope: 1, expiry: now },
    { kind: 'session-key', key: key(0), scope: 0, expiry: now + 9_000 },
    { kind: 'session-key', key: NOBODY, scope: 1, expiry: now + 9_000 },
    { kind: 'session-key', key: key(0), scope: 0, expiry: 0 },
    { kind: 'cancel-after', deadline: now + 999 },
    { kind: 'cancel-after', deadline: TIME_MS_MAX },
    { kind: 'cancel-after', deadline: 0 },
    { kind: 'cancel-on-disconnect', enabled: true, graceMs: 600_001 },
    { kind: 'cancel-on-disconnect', enabled: true, graceMs: 600_000 },
  ]);
  session.send(RICH, [{ kind: 'session-key', key: key(0), scope: 4, expiry: session.now + 9_000 }]);
  session.send(RICH, [bid(9_000, 1), bid(9_000, 1, { market: 1 })]);
  session.send(RICH, [{ kind: 'lock', locked: true }], testKey(300));
  session.send(RICH, [{ kind: 'lock', locked: false }], testKey(300));
  session.send(RICH, [
    bid(9_000, 1),
    ask(9_000, 1, { reduceOnly: true }),
    { kind: 'withdraw', asset: 0, amount: 1 },
    { kind: 'transfer', asset: 0, toAccount: OTHER, amount: 1 },
    { kind: 'lock', locked: false },
  ]);
  session.send(RICH, [{ kind: 'session-key', key: key(0), scope: 0, expiry: 0 }]);
  session.send(RICH, [{ kind: 'cancel-on-disconnect', enabled: true, graceMs: 1 }]);
  session.send(RICH, [bid(9_000, 1), bid(9_000, 1, { market: 1 })]);
  const account = new Uint8Array(4);
  account[0] = RICH;
  session.disconnect(RICH);
  session.apply(encodeRecord(VERSION, session.now, Uint8Array.of(ENGINE_VERSION, 0, 0, 0)));
  const owner = session.owner(RICH - 1);
  for (const payload of [money(1, 0, 1), money(0, 0, 0), money(0, 9, 1), money(0, 0, 2 ** 50), account])
    session.enqueue(queue.QUEUE_WITHDRAW, owner, payload);
  session.enqueue(queue.QUEUE_WITHDRAW, owner, money(0, 0, 1));
  session.enqueue(queue.QUEUE_DEPOSIT, owner, money(1, 0, 5));
  session.enqueue(queue.QUEUE_DEPOSIT, owner, money(1, 0, 0));
  session.enqueue(queue.QUEUE_DEPOSIT, owner, money(0, 0, 2 ** 50));
  session.enqueue(queue.QUEUE_DEPOSIT, owner, account);
  for (const payload of [Uint8Array.of(0), Uint8Array.of(9), account])
    session.enqueue(queue.QUEUE_CANCEL_ALL, owner, payload);
  for (const kind of [4, 255]) session.enqueue(kind, owner, account);
  session.send(OTHER, [bid(9_000, 1, { timeInForce: 1, expiry: session.now + 5 })]);
  session.send(OTHER, [{ kind: 'cancel-after', deadline: session.now + 1_000 }, bid(9_000, 1)]);
  session.wait(2_000);
}

/** Of every field of a configuration a value below its bounds and one above, as far as there are such. */
function configurations(session: EpisodeSession): void {
  session.market(3);
  const held = new Set<string>();
  for (const { kind, length, offset, patch, valid } of configurationCases()) {
    const size = BigInt(patch === '0x' ? 0 : patch);
    const name = `${kind} ${length} ${offset} ${patch.length} ${size < 4n} ${valid}`;
    if (held.has(name) || (valid && offset !== 0)) continue;
    held.add(name);
    const base = CONFIGURATION_BASES.find((one) => one.kind === kind)!.payload;
    const payload = new Uint8Array(length);
    payload.set(base.subarray(0, length));
    payload.set(fromHex(patch), offset);
    session.enqueue(kind, NOBODY, payload);
  }
  session.market(3, { qm: 2 });
  session.market(3, { takerFeePpm: 100_001 });
  session.market(3, { symbol: '' });
  session.market(99);
}

/** Assets that come in order, and what may not change of them. */
function assets(session: EpisodeSession): void {
  const configure = (config: AssetConfig): void =>
    session.enqueue(queue.QUEUE_CONFIGURE_ASSET, NOBODY, encodeAssetConfig(config));
  configure(TEST_ASSET);
  configure(TEST_QUOTE_ASSET);
  configure({ ...TEST_ASSET, feed: 99 });
  configure(TEST_ASSET);
  configure({ ...TEST_ASSET, decimals: 9 });
  configure({ ...TEST_ASSET, tickValue: 2 });
  configure({ ...TEST_ASSET, liquidationThresholdPpm: 1_000_001 });
  configure({ ...TEST_ASSET, status: 1, feed: 1 });
  session.market(0, { openInterestLower: 1, openInterestUpper: 2 });
  session.market(0, { openInterestLower: 2, openInterestUpper: 2 });
  session.market(0, { openInterestLower: 1, openInterestUpper: 2 ** 28 + 1 });
}

export const BOUND_EPISODES: readonly Episode[] = [
  { name: 'fortunes', play: fortunes },
  { name: 'orders that a market outgrew', play: outgrown },
  { name: 'samples', play: samples },
  { name: 'refused money and settings', play: refusedMoney },
  { name: 'configurations', play: configurations },
  { name: 'assets', play: assets },
];
