/**
 * A sequencer that cheats: it runs changed rules or posts changed bytes, lets everything else follow, signs with the
 * real key, and the real contract takes it. The verifier names each, and strikes it when it has a key.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createWasmKeccak } from '#auth/wasm-keccak.ts';
import { encodeWithdrawn } from '#protocol/batch.ts';
import { equalBytes, fromHex, toHex } from '#protocol/bytes.ts';
import type { Command } from '#protocol/command.ts';
import { encodeMoneyPayload, encodeQueueEntry, nextQueueHash, QUEUE_DEPOSIT } from '#protocol/queue-entry.ts';
import type { Difference } from '#prover-stub/difference.ts';
import { runVerifier, verifyOnce } from '#prover-stub/main.ts';
import { rollupStatus } from '#settlement/l1/vault-actions.ts';
import { encodeDiff, type LeafChange } from '#state/diff.ts';
import { KeyKind } from '#state/keys.ts';
import { stateRoot } from '#state/state-root.ts';
import { passSeconds } from '../settlement/l1-fixture.ts';
import { atTime, flipped, L1Session, OWNERS, PRICE } from './l1-session.ts';
import { type Insides, type Posted, TestSequencer } from './test-sequencer.ts';

const keccak = await createWasmKeccak();

/** The commands of the second batch, by name, in the order in which they are executed. */
const SCRIPT = [
  'price',
  'maker A',
  'maker B',
  'taker',
  'withdrawal',
  'poor order',
  'good for a second',
  'tick',
  'ladder',
] as const;
type Name = (typeof SCRIPT)[number];

/** How a sequencer departs from honesty in the second batch. */
interface Cheat {
  readonly name: string;
  /** Before and after the engine applies a command. */
  readonly before?: Partial<Record<Name, (insides: Insides) => void>>;
  readonly after?: Partial<Record<Name, (insides: Insides) => void>>;
  /** What is executed and what is posted instead of a command. */
  readonly instead?: Partial<Record<Name, (command: Command) => { executed: Command; posted?: Uint8Array }>>;
  readonly add?: (sequencer: TestSequencer, commands: Readonly<Record<Name, Command>>) => void;
  readonly alter?: (posted: Posted, insides: Insides) => void;
  /** The batch's number is 2 and is checked for all. */
  readonly named: Partial<Difference>;
  /** Words that the leaves behind a wrong root must say. */
  readonly leaves?: RegExp;
}

const ACCOUNT = { makerA: 1, makerB: 2, taker: 3, rich: 4, poor: 5 };
const market = ({ state }: Insides) => state.market(0)!;

function addCash({ state, trace }: Insides, account: number, amount: number): void {
  state.accounts.cash[account] = state.accounts.cash[account]! + amount;
  trace.account(account);
}

const CHEATS: readonly Cheat[] = [
  {
    name: 'a fill at another price',
    after: {
      taker: (insides) => {
        const { state, trace } = insides;
        for (const [account, change] of [
          [ACCOUNT.taker, 500],
          [ACCOUNT.makerA, -500],
        ] as const) {
          const slot = state.findPosition(account, 0);
          state.positions.setV(slot, state.positions.v(slot) + change);
          trace.account(account);
        }
      },
    },
    named: { part: 'segment', field: 'stateRoot' },
    leaves: /account 1, position 0, v: expected -?\d+, got -?\d+; account 3, position 0, v/,
  },
  {
    name: 'a margin decision',
    before: {
      'poor order': ({ engine }) => {
        const { risk } = engine;
        const honest = risk.admit;
        risk.admit = (...asked) => (risk.order.account === ACCOUNT.poor ? 0 : honest.apply(risk, asked));
      },
    },
    named: { part: 'segment' },
    leaves: /account 5, open orders: expected 0, got 1/,
  },
  {
    name: 'a fee',
    after: {
      taker: (insides) => {
        market(insides).fees -= 7;
        insides.trace.marketState(0);
        addCash(insides, ACCOUNT.taker, 7);
      },
    },
    named: { part: 'segment', field: 'stateRoot' },
    leaves: /account 3, cash: expected \d+, got \d+; market 0 state, fees/,
  },
  {
    name: 'money out of nothing',
    after: { price: (insides) => addCash(insides, ACCOUNT.rich, 1) },
    named: { part: 'segment', field: 'stateRoot', segment: 0 },
    leaves: /account 4, cash: expected 100000000000, got 100000000001$/,
  },
  {
    name: 'a price',
    after: {
      price: (insides) => {
        market(insides).index = PRICE + 3;
        insides.trace.prices(0);
      },
    },
    named: { part: 'segment', field: 'stateRoot', segment: 0 },
    leaves: new RegExp(`market 0 index price: expected ${PRICE}, got ${PRICE + 3}`),
  },
  {
    name: 'a time',
    instead: {
      price: (command) => ({
        executed: { ...command, record: atTime(command.record, timeOf(command) + 400) },
        posted: command.record,
      }),
    },
    named: { part: 'segment', field: 'stateRoot', segment: 0 },
    leaves: /market 0 index time: expected \d+, got \d+/,
  },
  {
    name: 'a maker that is skipped',
    before: {
      taker: (insides) => {
        const { asks } = market(insides);
        const first = asks.bestOrder();
        asks.remove(first);
        asks.append(first);
      },
    },
    named: { part: 'segment', field: 'stateRoot' },
    leaves: /account 1, .*; account 2, /,
  },
  {
    name: 'a tick that is left out',
    before: {
      tick: ({ state }) => {
        state.nextSampleTime += 60_000;
      },
    },
    named: { part: 'segment' },
    leaves: /globals, next sample time.*market 0 state, /,
  },
  {
    name: 'an expiry that is left out',
    before: {
      tick: ({ state }) => {
        state.expiries.pop();
      },
    },
    named: { part: 'segment' },
    leaves: /account 1, open orders: expected 1, got 2/,
  },
  {
    name: 'a queue entry that is claimed and not executed',
    after: {
      price: (insides) => takeUp(insides, extra(1_000_000)),
    },
    named: { part: 'queue', field: 'queueNext (entries among the inputs)' },
  },
  {
    name: 'a queue entry of another amount',
    add: (sequencer, { ladder }) => {
      const entry = extra(9_000_000);
      const before = sequencer.state.queueHash;
      const record = recordOf(encodeQueueEntry(entry), timeOf(ladder));
      sequencer.apply({ record, signers: new Uint8Array(0) }, record, ({ state, trace }) => {
        state.queueHash = nextQueueHash(keccak, before, extra(1_000_000));
        trace.queue();
      });
    },
    named: { part: 'queue', field: 'payload of entry 12' },
  },
  {
    name: 'an entry of the diff',
    alter: (posted, { state }) => {
      posted.diff = changedDiff(posted, state.accounts.cash[ACCOUNT.rich]!);
    },
    named: {
      part: 'diff',
      field: 'account 4, cash',
      expected: '100000000000',
      got: '100000000001',
    },
  },
  {
    name: 'bytes that are no diff',
    alter: (posted) => {
      posted.diff = posted.diff.slice(0, -1);
    },
    named: { part: 'diff', field: 'bytes', expected: 'a diff of the ledger before' },
  },
  {
    name: 'a segment root',
    alter: ({ trace }) => {
      trace[1] = { ...trace[1]!, stateRoot: keccak(trace[1]!.stateRoot) };
    },
    named: { part: 'segment', field: 'stateRoot', segment: 1 },
    leaves: /^the posted diff tells of no other ledger$/,
  },
  {
    name: 'the last ledger root',
    alter: (posted) => {
      const postLedgerRoot = keccak(posted.header.postLedgerRoot);
      posted.header = { ...posted.header, postLedgerRoot };
      const last = posted.trace.length - 1;
      posted.trace[last] = {
        ...posted.trace[last]!,
        stateRoot: stateRoot(postLedgerRoot, posted.header.postBookRoot, keccak),
      };
    },
    named: { part: 'segment', field: 'stateRoot' },
  },
  {
    name: 'the signature of a user',
    instead: {
      'maker A': (command) => ({
        executed: command,
        posted: flipped(command.record, command.record.length - 40),
      }),
    },
    named: { part: 'inputs', field: 'admission' },
  },
  {
    name: 'an order in the name of another',
    instead: {
      'maker A': (command) => ({ executed: { ...command, signers: OWNERS[0]!.address } }),
      'maker B': (command) => ({ executed: { ...command, signers: OWNERS[1]!.address } }),
    },
    add: (sequencer) => {
      const [command] = stolen;
      sequencer.apply(
        { record: command!.record, signers: OWNERS[ACCOUNT.rich - 1]!.address },
        command!.record,
      );
    },
    named: { part: 'inputs', field: 'admission', got: 'SIGNER_NOT_AUTHORIZED' },
  },
  {
    name: 'a nonce used twice',
    add: (sequencer, commands) => {
      const again = commands.withdrawal;
      const window = sequencer.state.accounts.nonce(ACCOUNT.taker);
      window.high--;
      const record = atTime(again.record, timeOf(commands.ladder));
      sequencer.apply({ ...again, record });
    },
    named: { part: 'inputs', field: 'admission', got: 'NONCE_USED' },
  },
  {
    name: 'a price of too few publishers',
    add: (sequencer, commands) => {
      const record = atTime(fewReports.record, timeOf(commands.ladder));
      sequencer.state.publishers[4] = { ...sequencer.state.publishers[4]!, weight: 0 };
      sequencer.state.publishers[3] = { ...sequencer.state.publishers[3]!, weight: 0 };
      sequencer.apply({ ...fewReports, record });
    },
    named: { part: 'inputs', field: 'admission', got: 'TOO_FEW_REPORTS' },
  },
  {
    name: 'a segment that weighs too much',
    alter: ({ trace }) => {
      trace.splice(trace.length - 3, 1);
    },
    named: { part: 'segment', field: 'weight of its steps', expected: 'at most 10000000' },
  },
  {
    name: 'a weight that is too low',
    alter: ({ trace }) => {
      trace[0] = { ...trace[0]!, weight: trace[0]!.weight - 1 };
    },
    named: { part: 'segment', field: 'weight', segment: 0 },
  },
  {
    name: 'the totals withdrawn',
    alter: (posted) => {
      posted.withdrawn = encodeWithdrawn([{ asset: 0, amount: 1_000_000_000n }]);
    },
    named: { part: 'withdrawn', field: 'totals' },
  },
  {
    name: 'a withdrawal that is not debited',
    after: { withdrawal: (insides) => addCash(insides, ACCOUNT.taker, 1_000) },
    named: { part: 'segment', field: 'stateRoot' },
    leaves: /account 3, cash/,
  },
  {
    name: 'a message of which an operation is skipped',
    before: {
      ladder: ({ state }) => {
        // The register says from the start that the first operation is done.
        const { message } = state;
        let next = 0;
        Object.defineProperty(message, 'next', {
          configurable: true,
          get: () => next,
          set: (value: number) => {
            next = value === 1 ? 2 : value;
            if (value === 1) message.offset += 32;
          },
        });
      },
    },
    named: { part: 'segment', field: 'stateRoot' },
  },
];

/** Of the development accounts. */
const CHALLENGER = 6;
/** Deposit that stands in the queue of L1 and that no honest second batch takes up. */
const QUEUED = 12;
const extra = (amount: number) => ({
  index: QUEUED,
  kind: QUEUE_DEPOSIT,
  owner: OWNERS[ACCOUNT.rich - 1]!.address,
  payload: encodeMoneyPayload({ asset: 0, subaccount: 0, amount }),
});

function takeUp({ state, trace }: Insides, entry: ReturnType<typeof extra>): void {
  state.queueHash = nextQueueHash(keccak, state.queueHash, entry);
  state.queueNext++;
  trace.queue();
}

const timeOf = ({ record }: Command): number =>
  new DataView(record.buffer, record.byteOffset).getUint32(6, true) +
  2 ** 32 * new DataView(record.buffer, record.byteOffset).getUint16(10, true);

const recordOf = (body: Uint8Array, time: number): Uint8Array => {
  const bytes = new Uint8Array(12 + body.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, body.length, true);
  bytes[4] = 3;
  view.setUint32(6, time % 2 ** 32, true);
  view.setUint16(10, Math.floor(time / 2 ** 32), true);
  bytes.set(body, 12);
  return bytes;
};

let changesOfHonest: readonly LeafChange[] = [];
/** Signed by another than the owner of its account. */
let stolen: Command[] = [];
let fewReports: Command;

/** The honest diff with one unit more for the rich account, which the batch does not touch. */
function changedDiff(_: Posted, cash: number): Uint8Array {
  const account = richLeaf;
  const changed = account.slice();
  new DataView(changed.buffer).setBigInt64(21, BigInt(cash) + 1n);
  return encodeDiff([
    ...changesOfHonest.filter(({ key }) => !(key[0] === KeyKind.ACCOUNT && key[4] === ACCOUNT.rich)),
    { key: richKey, oldValue: account, newValue: changed },
  ]);
}
let richLeaf: Uint8Array;
let richKey: Uint8Array;

describe('a sequencer that cheats', () => {
  let session: L1Session;
  let first: Command[];
  let second: Record<Name, Command>;
  /** Of the first and the second batch. */
  let places: Awaited<ReturnType<L1Session['place']>>[];
  let snapshot: unknown;

  const rpc = (method: string, ...params: unknown[]): Promise<unknown> =>
    session.fixture.l1.public.request({ method, params } as never);
  const fresh = (): TestSequencer => {
    const { domain, sequencerKey } = session.fixture;
    const sequencer = new TestSequencer({ domain, secret: sequencerKey, keccak });
    for (const command of first) sequencer.apply(command);
    sequencer.cut(places[0]!);
    return sequencer;
  };

  beforeAll(async () => {
    session = await L1Session.start();
    first = await session.queueCommands();
    expect(first.length).toBe(QUEUED);
    places = [await session.place()];
    const sequencer = fresh();
    await session.post(sequencer.batches);
    await session.deposit(ACCOUNT.rich - 1, 1_000_000);
    await passSeconds(session.fixture.l1, 60);
    places.push(await session.place());

    const order = (side: 0 | 1, price: number, size: number, more = {}) =>
      ({ kind: 'place', market: 0, side, price, size, timeInForce: 0, ...more }) as const;
    second = {
      price: session.price(PRICE),
      'maker A': (() => {
        session.now += 1_000;
        return session.order(ACCOUNT.makerA, 1, PRICE, 300);
      })(),
      'maker B': session.order(ACCOUNT.makerB, 1, PRICE, 300),
      taker: session.order(ACCOUNT.taker, 0, PRICE, 200),
      withdrawal: session.message(ACCOUNT.taker, [{ kind: 'withdraw', asset: 0, amount: 1_000 }]),
      'poor order': session.order(ACCOUNT.poor, 0, PRICE - 10, 5_000),
      'good for a second': session.message(ACCOUNT.makerA, [
        order(1, PRICE + 20, 50, { timeInForce: 1, expiry: session.now + 1_000 }),
      ]),
      tick: (() => {
        session.now += 6_000;
        return session.clock();
      })(),
      ladder: session.message(
        ACCOUNT.makerB,
        Array.from({ length: 50 }, (_, i) => order(1, PRICE + 30 + i, 10 + i)),
      ),
    };
    stolen = [session.message(ACCOUNT.rich, [order(0, PRICE - 50, 10)], OWNERS[0]!)];
    fewReports = session.price(PRICE + 500, 3);
    snapshot = await rpc('evm_snapshot');

    const honest = play(fresh(), { name: 'nothing', named: {} });
    const trees = honest.trees;
    richKey = new Uint8Array(32);
    richKey[0] = KeyKind.ACCOUNT;
    richKey[4] = ACCOUNT.rich;
    richLeaf = trees.ledger.get(richKey)!;
    changesOfHonest = honest.changes;
  }, 60_000);
  afterAll(() => session?.fixture.devnet.stop());

  function play(sequencer: TestSequencer, cheat: Cheat): TestSequencer {
    for (const name of SCRIPT) {
      const { executed, posted } = cheat.instead?.[name]?.(second[name]) ?? { executed: second[name] };
      cheat.before?.[name]?.(sequencer);
      sequencer.apply(executed, posted ?? executed.record, cheat.after?.[name]);
    }
    cheat.add?.(sequencer, second);
    sequencer.cut(places[1]!, cheat.alter);
    return sequencer;
  }

  async function verdictOn(sequencer: TestSequencer) {
    await rpc('evm_revert', snapshot);
    snapshot = await rpc('evm_snapshot');
    await session.post(sequencer.batches.slice(1));
    return verifyOnce({ l1: session.fixture.devnet.url, workers: 0 });
  }

  test('is found honest while it is', async () => {
    const sequencer = play(fresh(), { name: 'nothing', named: {} });
    expect(sequencer.last!.trace.length).toBeGreaterThan(4);
    expect(equalBytes(sequencer.last!.diff, encodeDiff(changesOfHonest))).toBe(true);
    expect(await verdictOn(sequencer)).toMatchObject({ verdict: 'verified' });
  });

  test.each(CHEATS)('$name', async (cheat) => {
    const sequencer = play(fresh(), cheat);
    const verdict = await verdictOn(sequencer);
    expect(verdict.verdict).toBe('different');
    expect(verdict.difference).toMatchObject({ batch: 2, ...cheat.named });
    expect(verdict.status).toMatchObject({ verified: 1, mismatches: 1, committed: 2 });
    if (cheat.leaves !== undefined) expect(verdict.difference!.leaves!.join('; ')).toMatch(cheat.leaves);
    expect(await struck()).toMatchObject({ batch: 2, hash: toHex(sequencer.last!.hash) });
  });

  /** Lets a challenger look at L1 until it has struck what is wrong; resolves with what it made of it. */
  async function struck() {
    const { fixture } = session;
    const data = await mkdtemp(path.join(tmpdir(), 'sluice-challenger-'));
    const said: string[] = [];
    const running = await runVerifier({
      ...{ l1: fixture.devnet.url, data, port: 0, workers: 0, pollMs: 20 },
      challengeKey: fromHex(fixture.devnet.accounts[CHALLENGER]!.key),
      say: (sentence) => said.push(sentence),
    });
    try {
      await expect
        .poll(() => running.challenges(), { timeout: 20_000, interval: 20, message: said.join('; ') })
        .toMatchObject({ struck: 1 });
      expect(await rollupStatus(fixture.l1, fixture.rollup)).toMatchObject({ committedId: 1, epoch: 2 });
      expect(said.filter((sentence) => sentence.includes('added to the witness'))).toEqual([]);
      return running.challenges()!.cases[0];
    } finally {
      await running.stop();
      await rm(data, { recursive: true, force: true });
    }
  }
});
