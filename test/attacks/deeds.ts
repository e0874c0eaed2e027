/** What attacks by commands are made of: how a scene is played in another way. */
import { viewOf } from '#protocol/bytes.ts';
import { CLOCK, type Command, encodeRecord, NO_SIGNERS, QUEUE_ENTRY, recordTime } from '#protocol/command.ts';
import { encodeUnsignedMessage } from '#protocol/message.ts';
import type { Operation } from '#protocol/operation.ts';
import { encodeQueueEntry, nextQueueHash, type QueueEntry } from '#protocol/queue-entry.ts';
import type { TestKey } from '../auth/keys.ts';
import type { Edit } from './changed-engine.ts';
import type { CommandMaker } from './command-maker.ts';
import type { Forger } from './forger.ts';
import { ACCOUNT, type AccountName } from './keys.ts';
import type { SceneName } from './scenes.ts';
import type { Stage } from './stage.ts';

export interface Play {
  readonly stage: Stage;
  readonly forger: Forger;
  /** Goes on behind the scene's last command. */
  readonly make: CommandMaker;
}

/** How the scene is played; the edits make an engine that goes along with it. */
export interface Deed {
  readonly scene: SceneName;
  readonly edits?: readonly Edit[];
  readonly stepwise?: boolean;
  play(play: Play): void;
}

export const MESSAGE = 'handlers/message';
export const QUEUE = 'handlers/queue-entry';
export const NO_SIGNER_CHECK: Edit = [
  MESSAGE,
  'if (!accounts.isOwner(account, signer, 0)) {',
  'if (account < 0) {',
];
export const ANY_SCOPE: Edit = [
  MESSAGE,
  'if (scope === SCOPE_OWNER) return true;',
  'if (scope >= 0) return true;',
];
export const ANY_TIME: Edit = ['engine', 'if (command.recordTime(view) < now)', 'if (now < 0)'];

export const timeOf = ({ record }: Command): number => recordTime(viewOf(record));
export const stamped = (record: Uint8Array, time: number): Uint8Array =>
  encodeRecord(record[4]!, time, record.slice(12));

/** All commands of the scene as they are, then what is added. */
export function honestly({ stage, forger }: Play): void {
  for (const command of stage.commands) forger.apply(command);
}

/** Commands of the scene, but one of them in another way. */
export function instead({ stage, forger }: Play, name: string, how: (command: Command) => void): void {
  stage.command(name);
  for (const command of stage.commands) {
    if (command.name === name) how(command);
    else forger.apply(command);
  }
}

/** A message behind the honest ones. */
export const adding =
  (account: AccountName, operations: readonly Operation[], key?: TestKey) =>
  (play: Play): void => {
    honestly(play);
    play.make.send('added', account, operations, key);
    play.forger.apply(play.make.made.at(-1)!);
  };

/** A message whose nonce and validity are chosen. */
export const signing =
  (account: AccountName, fields: (now: number) => { nonce: number; validUntil: number }, key: TestKey) =>
  (play: Play): void => {
    honestly(play);
    const { make, forger } = play;
    const operations: Operation[] = [{ kind: 'cancel-all' }];
    make.signed(
      'added',
      encodeUnsignedMessage({ account: ACCOUNT[account], ...fields(make.now), operations }),
      key,
    );
    forger.apply(make.made.at(-1)!);
  };

export const buy: Operation = { kind: 'place', market: 0, side: 0, price: 9_000, size: 10, timeInForce: 0 };
export const withdraw: Operation = { kind: 'withdraw', asset: 0, amount: 1_000 };

/** The scene's queue entries in other ways; the cursor is what L1 says all the same. */
export function entries(
  { stage, forger }: Play,
  how: (waiting: readonly QueueEntry[]) => readonly QueueEntry[],
): void {
  const { waiting, keccak } = stage.world;
  const start = forger.state.queueHash;
  const first = forger.state.queueNext;
  let now = stage.world.start + 2_000;
  const told = how(waiting.slice(0, 3));
  for (const entry of told) {
    forger.apply({ record: encodeRecord(QUEUE_ENTRY, now++, encodeQueueEntry(entry)), signers: NO_SIGNERS });
  }
  forger.meanwhile({ record: encodeRecord(CLOCK, now, new Uint8Array(0)), signers: NO_SIGNERS }, () => {
    forger.state.queueNext = first + 3;
    forger.state.queueHash = waiting
      .slice(0, 3)
      .reduce((hash, entry) => nextQueueHash(keccak, hash, entry), start);
    forger.trace.queue();
  });
}

export const ANY_INDEX: Edit = [
  QUEUE,
  'return entry?.index === core.state.queueNext ? entry : undefined;',
  'return entry;',
];
export const withAmount = (entry: QueueEntry, amount: number): QueueEntry => {
  const payload = entry.payload.slice();
  viewOf(payload).setBigUint64(3, BigInt(amount));
  return { ...entry, payload };
};
