/**
 * The cases of test/vectors/steps-market.json, steps of MarketSteps.sol out of random sessions and price rounds at every
 * bound under the domain separator `domain`, and of steps-ticks.json, samples and fundings at the ends of books and
 * indexes; as test/support/step-vectors.ts draws them. `npx tsx test/settlement/market-step-vectors.ts` writes the files;
 * a test holds them to this.
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { toHex } from '#protocol/bytes.ts';
import { nobleKeccak as keccak } from '#protocol/hash.ts';
import { encodeMarketConfig } from '#protocol/market.ts';
import { QUEUE_CONFIGURE_MARKET } from '#protocol/queue-entry.ts';
import { StepKind } from '#state/trace.ts';
import { testSigning } from '../auth/keys.ts';
import { RandomSession, SESSION_MARKETS, type SessionOptions } from '../support/random-session.ts';
import { pickSteps, type StepVector, stepsOf, vectorColumns } from '../support/step-vectors.ts';
import { RoundDesk, roundEdges } from './round-commands.ts';

export const MARKET_KINDS: readonly number[] = [
  StepKind.PRICE_ROUND,
  StepKind.SAMPLE,
  StepKind.FUNDING,
  StepKind.EXPIRE,
];

const SESSIONS: readonly SessionOptions[] = [
  { seed: 21 },
  { seed: 22, chain: { sampleIntervalMs: 100, fundingIntervalMs: 1_000 } },
  { seed: 23, traders: 5, chain: { markClampPpm: 0, indexEmaTauMs: 1, markEmaTauMs: 86_400_000 } },
];

export function* marketSteps(options: SessionOptions, commands: number): Generator<StepVector> {
  const session = new RandomSession({ ...options, signed: true }).run(commands);
  yield* stepsOf(session.commands, { keccak, wants: (kind) => MARKET_KINDS.includes(kind) });
}

/** Every round stands for a rule of its own. */
export function* roundSteps(): Generator<StepVector> {
  const session = new RandomSession({ seed: 24, signed: true });
  const before = session.commands.length;
  roundEdges(session);
  const rounds = new Set(session.commands.slice(before).map(({ record }) => toHex(record)));
  for (const step of stepsOf(session.commands, { keccak, wants: (kind) => kind === StepKind.PRICE_ROUND }))
    if (rounds.has(toHex(step.record))) yield step;
}

/** Books and indexes at their ends when a sample and a funding fall due. */
export function* tickSteps(each: number): Generator<StepVector> {
  const wants = (kind: number): boolean => kind === StepKind.SAMPLE || kind === StepKind.FUNDING;
  for (const index of [9_990, 1, 9_000, 10_000, 11_500, 20_000]) {
    const chain = { sampleIntervalMs: 2_000, fundingIntervalMs: 6_000 };
    const session = new RandomSession({ seed: 25, chain });
    books(session);
    const before = session.commands.length;
    const desk = new RoundDesk(session);
    const setIndex = (tilt: number): void => {
      for (let market = 0; market < 3; market++)
        desk.round(
          desk.reports(5).map(({ publisher }) => desk.report(publisher, index + tilt, { market })),
          market,
        );
    };
    for (const [n, ms] of [2_000, 2_000, 2_000, 1_000, 9_000, 10_000, 10_001, 20_000].entries()) {
      setIndex(n % 3);
      session.now += ms;
      session.clock();
    }
    const steps = [...stepsOf(session.commands.slice(0, before), { keccak, wants })].length;
    const ticks = [...stepsOf(session.commands, { keccak, wants })].slice(steps);
    yield* index === 9_990 ? ticks : pickSteps(ticks, each);
  }
}

/** Market 0: bids alone. 1: more than 32 levels, which do not hold the impact notional. 2: two deep levels a side. 3: nothing. */
function books(session: RandomSession): void {
  const markets = session.state.markets.length;
  const config = { ...SESSION_MARKETS[0]!, market: markets, symbol: 'M3-PERP' };
  session.enqueue(QUEUE_CONFIGURE_MARKET, new Uint8Array(20), encodeMarketConfig(config));
  const place = (market: number, side: 0 | 1, price: number, size: number): void => {
    session.send(5, [{ kind: 'place', market, side, price, size, timeInForce: 0 }]);
  };
  place(0, 0, 9_990, 10);
  for (let level = 0; level < 18; level++)
    for (const side of [0, 1] as const)
      place(1, side, side === 0 ? 9_999 - level : 10_001 + level, 1 + level);
  for (const side of [0, 1] as const) {
    place(2, side, side === 0 ? 9_999 : 10_001, 2_000);
    place(2, side, side === 0 ? 9_998 : 10_002, 30_000);
  }
}

function* random(each: number): Generator<StepVector> {
  for (const options of SESSIONS) yield* pickSteps(marketSteps(options, 400), each);
}

export const marketStepVectors = (each = 1): Record<string, unknown> => ({
  domain: toHex(testSigning.separator),
  ...vectorColumns([...roundSteps(), ...random(each)]),
});

export const tickStepVectors = (each = 1): Record<string, unknown> => vectorColumns([...tickSteps(each)]);

export const MARKET_STEPS_FILE = fileURLToPath(new URL('../vectors/steps-market.json', import.meta.url));
export const TICK_STEPS_FILE = fileURLToPath(new URL('../vectors/steps-ticks.json', import.meta.url));

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const each = Number(process.argv[2] ?? 1);
  for (const [file, vectors] of [
    [MARKET_STEPS_FILE, marketStepVectors(each)],
    [TICK_STEPS_FILE, tickStepVectors(each)],
  ] as const)
    writeFileSync(file, `${JSON.stringify(vectors, undefined, 1)}\n`);
}
