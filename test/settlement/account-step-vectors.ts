/**
 * The cases of test/vectors/steps-account.json: steps of AccountSteps.sol out of random sessions, as
 * test/support/step-vectors.ts draws them, under the domain separator `domain`.
 * `npx tsx test/settlement/account-step-vectors.ts` writes the file; a test holds it to this.
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { toHex } from '#protocol/bytes.ts';
import { nobleKeccak as keccak } from '#protocol/hash.ts';
import { TIME_MS_MAX } from '#protocol/limits.ts';
import { StepKind } from '#state/trace.ts';
import { testKey, testSigning } from '../auth/keys.ts';
import { RandomSession, type SessionOptions } from '../support/random-session.ts';
import { pickSteps, type StepVector, stepsOf, vectorColumns } from '../support/step-vectors.ts';

export const ACCOUNT_KINDS: readonly number[] = [
  StepKind.MESSAGE,
  StepKind.CANCEL,
  StepKind.CANCEL_ALL,
  StepKind.WALK,
  StepKind.SESSION_KEY,
  StepKind.CANCEL_AFTER,
  StepKind.CANCEL_ON_DISCONNECT,
  StepKind.LOCK,
  StepKind.CLOCK,
  StepKind.DISCONNECT,
  StepKind.VERSION,
];

const SESSIONS: readonly SessionOptions[] = [
  { seed: 11 },
  { seed: 12, chain: { sessionKeysMax: 2 } },
  { seed: 13, traders: 5, chain: { sessionKeysMax: 1 } },
];

/** Every step of the account family of one session. */
export function* accountSteps(options: SessionOptions, commands: number): Generator<StepVector> {
  const session = new RandomSession({ ...options, signed: true }).run(commands);
  edges(session);
  yield* stepsOf(session.commands, { keccak, wants: (kind) => ACCOUNT_KINDS.includes(kind) });
}

/** Operations at the bounds of what is allowed, and next to them. */
function edges(session: RandomSession): void {
  const account = 5;
  const { address: key } = testKey(301);
  const { now } = session;
  const last = TIME_MS_MAX;
  for (const deadline of [now + 999, now + 1_000, last, last, last + 1, 0, 0])
    session.send(account, [{ kind: 'cancel-after', deadline }]);
  for (const graceMs of [600_000, 600_001])
    for (const enabled of [true, false])
      session.send(account, [{ kind: 'cancel-on-disconnect', enabled, graceMs }]);
  const none = new Uint8Array(20);
  const keys: [Uint8Array, scope: number, expiry: number][] = [
    [none, 1, now + 1],
    [none, 0, 0],
    [Uint8Array.from({ length: 20 }, (_, i) => (i === 19 ? 1 : 0)), 0, 0],
    [key, 0, 0],
    [key, 3, now],
    [key, 8, now + 1],
    [key, 0, now + 1],
    [key, 3, last + 1],
    [key, 3, last],
    [key, 255, 0],
  ];
  for (const [address, scope, expiry] of keys)
    session.send(account, [{ kind: 'session-key', key: address, scope, expiry }]);
  for (const id of [0, 2 ** 53 - 1])
    for (const by of ['order', 'client'] as const)
      session.send(account, [{ kind: 'cancel', market: 0, by, id }]);
  session.send(account, [{ kind: 'cancel-all', market: 0xffff }, { kind: 'cancel-all' }], testKey(301));
  session.send(account, [{ kind: 'cancel-all' }], testKey(301));
  session.send(account, [{ kind: 'session-key', key, scope: 4, expiry: last }]);
  session.send(account, [{ kind: 'lock', locked: true }], testKey(301));
  session.send(account, [{ kind: 'lock', locked: false }], testKey(301));
  session.send(account, [
    { kind: 'lock', locked: false },
    { kind: 'lock', locked: false },
  ]);
}

function* all(): Generator<StepVector> {
  for (const options of SESSIONS) yield* accountSteps(options, 500);
}

export const accountStepVectors = (each = 3): Record<string, unknown> => ({
  domain: toHex(testSigning.separator),
  ...vectorColumns(pickSteps(all(), each)),
});

export const ACCOUNT_STEPS_FILE = fileURLToPath(new URL('../vectors/steps-account.json', import.meta.url));

if (process.argv[1] === fileURLToPath(import.meta.url))
  writeFileSync(ACCOUNT_STEPS_FILE, `${JSON.stringify(accountStepVectors(), undefined, 1)}\n`);
