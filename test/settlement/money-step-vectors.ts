/**
 * The cases of test/vectors/steps-money.json and steps-queue.json: steps of MoneySteps.sol (WITHDRAW, TRANSFER) and of
 * QueueSteps.sol (DEPOSIT, FORCED, CONFIGURE) out of random sessions and at bounds, as test/support/step-vectors.ts draws
 * them. `npx tsx test/settlement/money-step-vectors.ts` writes the files; a test holds them to this.
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { nobleKeccak as keccak } from '#protocol/hash.ts';
import { QUOTE_MAX } from '#protocol/limits.ts';
import {
  type ChainParameters,
  DEFAULT_CHAIN_PARAMETERS,
  encodeChainParameters,
  encodeMarketConfig,
  encodePublisher,
  type MarketConfig,
} from '#protocol/market.ts';
import * as queue from '#protocol/queue-entry.ts';
import { StepKind } from '#state/trace.ts';
import { testKey } from '../auth/keys.ts';
import { RandomSession, SESSION_MARKETS, type SessionOptions } from '../support/random-session.ts';
import { pickSteps, type StepVector, stepsOf, vectorColumns } from '../support/step-vectors.ts';
import { refuseEntries } from './round-commands.ts';

export const MONEY_KINDS: readonly number[] = [StepKind.WITHDRAW, StepKind.TRANSFER];
export const QUEUE_KINDS: readonly number[] = [StepKind.DEPOSIT, StepKind.FORCED, StepKind.CONFIGURE];

const SESSIONS: readonly SessionOptions[] = [
  { seed: 31 },
  { seed: 32, chain: { fundingIntervalMs: 1_000, voidMs: 600_000 } },
  { seed: 33, traders: 5, chain: { withdrawalFloorPpm: 0 } },
];

const NOBODY = new Uint8Array(20);

export function* moneySteps(
  kinds: readonly number[],
  options: SessionOptions,
  count: number,
): Generator<StepVector> {
  const session = new RandomSession(options).run(count);
  edges(session, count === 0 ? 1 : 6);
  yield* stepsOf(session.commands, { keccak, wants: (kind) => kinds.includes(kind) });
}

/** Owner of trader n of a session; the session gives trader n account n + 1. */
const owner = (trader: number): Uint8Array => testKey(100 + trader).address;

/** Amounts and configurations at their bounds and beyond. */
export function edges(session: RandomSession, traders: number): void {
  for (const { market } of SESSION_MARKETS) session.price(market, 10_000);
  messages(session, traders);
  deposits(session);
  messages(session, traders);
  forced(session, traders);
  configurations(session);
  refuseEntries(session);
  // No index is fresh any more, and who has a position can take out nothing.
  session.now += 700_000;
  for (let account = 1; account <= 5; account++)
    session.send(account, [
      { kind: 'withdraw', asset: 1, amount: 0 },
      { kind: 'transfer', asset: 1, toAccount: 999, amount: 2 ** 53 - 1 },
    ]);
  for (let trader = 0; trader < 5; trader++)
    session.enqueue(queue.QUEUE_WITHDRAW, owner(trader), money(1, 0, 0));
}

function messages(session: RandomSession, traders: number): void {
  const { accounts } = session.state;
  for (const account of [5, 7, 1, 2].slice(0, traders)) {
    const cash = accounts.cash[account]!;
    for (const asset of [0, 1, 0xffff])
      for (const amount of [0, 1, cash, cash + 1, 2 ** 50, 2 ** 53 - 1])
        session.send(account, [{ kind: 'withdraw', asset, amount: Math.max(0, amount) }]);
    for (const toAccount of [0, 1, 2, 7, account, accounts.count, accounts.count + 1, 2 ** 32 - 1]) {
      const room = toAccount <= accounts.count ? QUOTE_MAX / 2 - accounts.cash[toAccount]! : 5;
      for (const amount of [0, 1, room, room + 1, 2 ** 53 - 1])
        session.send(account, [{ kind: 'transfer', asset: 0, toAccount, amount }]);
      for (const amount of [1, 2 ** 53 - 1])
        session.send(account, [{ kind: 'transfer', asset: 9, toAccount, amount }]);
    }
  }
}

const money = (asset: number, subaccount: number, amount: number): Uint8Array =>
  queue.encodeMoneyPayload({ asset, subaccount, amount });

function deposits(session: RandomSession): void {
  const { state } = session;
  const half = QUOTE_MAX / 2;
  const fresh = testKey(900).address;
  const give = (to: Uint8Array, asset: number, subaccount: number, amount: number): void =>
    session.enqueue(queue.QUEUE_DEPOSIT, to, money(asset, subaccount, amount));
  give(fresh, 7, 3, 0);
  give(fresh, 7, 4, 5);
  give(fresh, 7, 4, 2 ** 53 - 1);
  give(fresh, 0, 255, half);
  give(fresh, 0, 254, half + 1);
  give(fresh, 0, 255, 1);
  give(fresh, 0, 253, 0);
  give(NOBODY, 0xffff, 0, 2 ** 53 - 1);
  const cash = state.accounts.cash[5]!;
  give(owner(4), 0, 0, half - cash);
  give(owner(4), 0, 0, 1);
  // 2^53 and more is no amount.
  const large = money(0, 0, 0);
  large[4] = 0x20;
  session.enqueue(queue.QUEUE_DEPOSIT, fresh, large);
  session.enqueue(queue.QUEUE_WITHDRAW, owner(4), large);
}

function forced(session: RandomSession, traders: number): void {
  for (let trader = 0; trader < traders; trader++)
    for (const [asset, amount] of [
      [1, 1],
      [0, 0],
      [0, 1],
      [0, 2 ** 53 - 1],
      [0, 1],
    ] as const)
      session.enqueue(queue.QUEUE_WITHDRAW, owner(trader), money(asset, 0, amount));
  session.enqueue(queue.QUEUE_WITHDRAW, NOBODY, money(0, 0, 1));
  for (const payload of [[0], [9], [], [0, 0]])
    session.enqueue(queue.QUEUE_CANCEL_ALL, owner(0), Uint8Array.from(payload));
  const reduce = (trader: number, change: Partial<queue.ReduceOnlyRequest>): void => {
    const request = { market: 0, subaccount: 0, side: 0 as const, price: 0, size: 1, ...change };
    session.enqueue(queue.QUEUE_REDUCE_ONLY_IOC, owner(trader), queue.encodeReduceOnlyPayload(request));
  };
  for (let trader = 0; trader < traders; trader++)
    for (const side of [0, 1] as const)
      for (const market of [0, 1, 2]) {
        reduce(trader, { side, market });
        reduce(trader, { side, market, price: 10_000, size: 1_000_000 });
      }
  for (const change of [
    { size: 0 },
    { size: 2 ** 53 - 1 },
    { size: 1_000_001 },
    { price: 2 ** 32 - 1 },
    { price: 20_001 },
    { market: 0xffff },
    { subaccount: 8 },
    { side: 2 as 0 },
  ])
    reduce(0, change);
  const long = queue.encodeReduceOnlyPayload({ market: 0, subaccount: 0, side: 0, price: 0, size: 0 });
  long[9] = 0x20;
  session.enqueue(queue.QUEUE_REDUCE_ONLY_IOC, owner(0), long);
  for (const kind of [3, 4, 5, 6, 15, 19, 255]) session.enqueue(kind, owner(0), Uint8Array.of(1, 2, 3));
  session.enqueue(9, owner(0), new Uint8Array(2_004));
  session.enqueue(queue.QUEUE_DEPOSIT, owner(0), new Uint8Array(0));
}

function configurations(session: RandomSession): void {
  const market = (id: number, change: Partial<MarketConfig> = {}): void => {
    const config = { ...SESSION_MARKETS[0]!, market: id, symbol: `N${id}`, ...change };
    session.enqueue(queue.QUEUE_CONFIGURE_MARKET, NOBODY, encodeMarketConfig(config));
  };
  const chain = (change: Partial<ChainParameters>): void =>
    session.enqueue(
      queue.QUEUE_CONFIGURE_CHAIN,
      NOBODY,
      encodeChainParameters({ ...DEFAULT_CHAIN_PARAMETERS, ...change }),
    );
  // From now on a first market would set other times than those that stand.
  chain({ sampleIntervalMs: 7_001, fundingIntervalMs: 50_001 });
  market(4);
  market(3);
  // In a record whose time lets ticks run first.
  session.now += 3_700_000;
  market(4);
  market(4, { qm: 2 });
  market(4, { status: 2, tiers: Array.from({ length: 8 }, (_, n) => tier(n)) });
  for (let id = 5; id < 18; id++) market(id);
  market(1023);
  market(1024);
  // Its index is 10,002: five publishers report 10,000 and up.
  market(0, { maxPrice: 10_001 });
  market(0, { maxPrice: 10_002 });
  market(0, { maxPrice: 1 });
  market(0, { maxPrice: 20_000, symbol: 'A-Z0-9-012345678' });
  market(0, { symbol: 'a' });
  for (const change of [{}, { voidMs: 600_000 }, { voidMs: 100 }, { futureMs: 60_001 }]) chain(change);
  for (const [index, weight] of [
    [15, 1_000_000],
    [15, 0],
    [16, 1],
    [0, 1_000_001],
  ] as const)
    session.enqueue(
      queue.QUEUE_CONFIGURE_PUBLISHER,
      NOBODY,
      encodePublisher({ index, address: owner(1), weight }),
    );
  for (const kind of [16, 17, 18]) session.enqueue(kind, NOBODY, new Uint8Array(0));
}

const tier = (n: number): { lower: number; initialPpm: number; maintenancePpm: number } => ({
  lower: n * 40_000_000,
  initialPpm: 20_000 + n,
  maintenancePpm: 10_000 + n,
});

function* all(kinds: readonly number[]): Generator<StepVector> {
  for (const options of SESSIONS) yield* moneySteps(kinds, options, 500);
}

/** All of a session that has seen no trade: each for a bound of its own. */
const bounds = (kinds: readonly number[]): Generator<StepVector> => moneySteps(kinds, { seed: 35 }, 0);

export const moneyStepVectors = (each = 1): Record<string, Record<string, unknown>> => ({
  money: vectorColumns([...pickSteps(all(MONEY_KINDS), each), ...bounds(MONEY_KINDS)]),
  queue: vectorColumns([...pickSteps(all(QUEUE_KINDS), each), ...bounds(QUEUE_KINDS)]),
});

export const MONEY_STEPS_FILE = fileURLToPath(new URL('../vectors/steps-money.json', import.meta.url));
export const QUEUE_STEPS_FILE = fileURLToPath(new URL('../vectors/steps-queue.json', import.meta.url));

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { money: moneyColumns, queue: queueColumns } = moneyStepVectors(Number(process.argv[2] ?? 1));
  writeFileSync(MONEY_STEPS_FILE, `${JSON.stringify(moneyColumns, undefined, 1)}\n`);
  writeFileSync(QUEUE_STEPS_FILE, `${JSON.stringify(queueColumns, undefined, 1)}\n`);
}
