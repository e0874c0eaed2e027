/**
 * Attacks by what is sequenced: messages that nobody may send, queue entries that L1 does not have in this place, times
 * and records that are not those that were executed. The engine is changed as far as it would refuse them.
 */
import { viewOf } from '#protocol/bytes.ts';
import {
  CLOCK,
  type Command,
  DISCONNECT,
  encodeRecord,
  NO_SIGNERS,
  QUEUE_ENTRY,
  recordTime,
  VERSION,
} from '#protocol/command.ts';
import { encodeUnsignedMessage } from '#protocol/message.ts';
import type { Operation } from '#protocol/operation.ts';
import { encodeQueueEntry, nextQueueHash, type QueueEntry } from '#protocol/queue-entry.ts';
import type { TestKey } from '../auth/keys.ts';
import type { Attack } from './attack.ts';
import { changedEngine, type Edit } from './changed-engine.ts';
import type { CommandMaker } from './command-maker.ts';
import type { Forger } from './forger.ts';
import { ACCOUNT, type AccountName, KEY, PUBLISHERS } from './keys.ts';
import type { SceneName } from './scenes.ts';
import type { Stage } from './stage.ts';

interface Play {
  readonly stage: Stage;
  readonly forger: Forger;
  /** Goes on behind the scene's last command. */
  readonly make: CommandMaker;
}

/** How the scene is played; the edits make an engine that goes along with it. */
interface Deed {
  readonly scene: SceneName;
  readonly edits?: readonly Edit[];
  readonly stepwise?: boolean;
  play(play: Play): void;
}

const MESSAGE = 'handlers/message';
const QUEUE = 'handlers/queue-entry';
const NO_SIGNER_CHECK: Edit = [MESSAGE, 'if (!accounts.isOwner(account, signer, 0)) {', 'if (account < 0) {'];
const ANY_SCOPE: Edit = [MESSAGE, 'if (scope === SCOPE_OWNER) return true;', 'if (scope >= 0) return true;'];
const ANY_TIME: Edit = ['engine', 'if (command.recordTime(view) < now)', 'if (now < 0)'];

const timeOf = ({ record }: Command): number => recordTime(viewOf(record));
const stamped = (record: Uint8Array, time: number): Uint8Array =>
  encodeRecord(record[4]!, time, record.slice(12));

/** All commands of the scene as they are, then what is added. */
function honestly({ stage, forger }: Play): void {
  for (const command of stage.commands) forger.apply(command);
}

/** Commands of the scene, but one of them in another way. */
function instead({ stage, forger }: Play, name: string, how: (command: Command) => void): void {
  stage.command(name);
  for (const command of stage.commands) {
    if (command.name === name) how(command);
    else forger.apply(command);
  }
}

/** A message behind the honest ones. */
const adding =
  (account: AccountName, operations: readonly Operation[], key?: TestKey) =>
  (play: Play): void => {
    honestly(play);
    play.make.send('added', account, operations, key);
    play.forger.apply(play.make.made.at(-1)!);
  };

/** A message whose nonce and validity are chosen. */
const signing =
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

const buy: Operation = { kind: 'place', market: 0, side: 0, price: 9_000, size: 10, timeInForce: 0 };
const withdraw: Operation = { kind: 'withdraw', asset: 0, amount: 1_000 };

/** The scene's queue entries in other ways; the cursor is what L1 says all the same. */
function entries(
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

const ANY_INDEX: Edit = [
  QUEUE,
  'return entry?.index === core.state.queueNext ? entry : undefined;',
  'return entry;',
];
const withAmount = (entry: QueueEntry, amount: number): QueueEntry => {
  const payload = entry.payload.slice();
  viewOf(payload).setBigUint64(3, BigInt(amount));
  return { ...entry, payload };
};

const DEEDS: Readonly<Record<string, Deed>> = {
  'message: a nonce is used twice': {
    scene: 'money',
    edits: [[MESSAGE, "if (freshness === 'used') return refused(Reject.NONCE_USED);", '']],
    play: (play) => {
      honestly(play);
      const again = play.stage.command('withdraws');
      play.forger.apply({ ...again, record: stamped(again.record, play.make.now) });
    },
  },
  'message: a nonce below the window is used': {
    scene: 'money',
    edits: [
      [
        MESSAGE,
        "if (freshness === 'old') return refused(Reject.NONCE_TOO_OLD);",
        "if (freshness === 'old') { nonces = { high: 0, bits: new Uint32Array(8) }; }",
      ],
    ],
    play: (play) => {
      signing('rich', (now) => ({ nonce: 5_000, validUntil: now + 1_000 }), KEY.rich)(play);
      play.make.signed(
        'old',
        encodeUnsignedMessage({
          account: ACCOUNT.rich,
          nonce: 7,
          validUntil: play.make.now + 1_000,
          operations: [withdraw],
        }),
        KEY.rich,
      );
      play.forger.apply(play.make.made.at(-1)!);
    },
  },
  'message: a nonce of the day after tomorrow': {
    scene: 'money',
    edits: [
      [MESSAGE, 'if (nonce > time + NONCE_AHEAD_MS_MAX) return refused(Reject.NONCE_TOO_FAR_AHEAD);', ''],
    ],
    play: signing('rich', (now) => ({ nonce: now + 172_800_000, validUntil: now + 1_000 }), KEY.rich),
  },
  'message: one that is no longer valid': {
    scene: 'money',
    edits: [
      [MESSAGE, 'if (messageValidUntil(view, body) < time) return refused(Reject.MESSAGE_EXPIRED);', ''],
    ],
    play: signing('rich', (now) => ({ nonce: 9_000, validUntil: now - 1 }), KEY.rich),
  },
  'message: a stranger signs for an account': {
    scene: 'money',
    edits: [NO_SIGNER_CHECK],
    play: adding('rich', [withdraw], KEY.stranger),
  },
  'message: another owner signs for an account': {
    scene: 'trade',
    edits: [NO_SIGNER_CHECK],
    play: adding('rich', [buy], KEY.makerA),
  },
  "message: another account's session key signs": {
    scene: 'trade',
    edits: [NO_SIGNER_CHECK],
    play: adding('rich', [buy], KEY.trading),
  },
  'message: a stranger signs, and nothing is done': {
    scene: 'money',
    play: adding('rich', [withdraw], KEY.stranger),
  },
  'message: a session key places beyond its scope': {
    scene: 'trade',
    edits: [ANY_SCOPE],
    play: adding('makerB', [buy], KEY.canceling),
  },
  'message: a session key withdraws': {
    scene: 'money',
    edits: [ANY_SCOPE],
    play: adding('makerA', [withdraw], KEY.trading),
  },
  'message: a session key registers another': {
    scene: 'settings',
    edits: [ANY_SCOPE],
    play: adding(
      'makerB',
      [{ kind: 'session-key', key: KEY.stranger.address, scope: 3, expiry: 2_000_000_000_000 }],
      KEY.canceling,
    ),
  },
  'message: a session key transfers': {
    scene: 'money',
    edits: [ANY_SCOPE],
    play: adding('makerA', [{ kind: 'transfer', asset: 0, toAccount: ACCOUNT.rich, amount: 9 }], KEY.trading),
  },
  'message: a session key that is over places': {
    scene: 'ticks',
    edits: [[MESSAGE, 'if (sessionKey.expiry <= time) return refused(Reject.SESSION_KEY_EXPIRED);', '']],
    play: adding('taker', [buy], KEY.ending),
  },
  'message: a session key that was ended places': {
    scene: 'settings',
    edits: [
      [MESSAGE, 'if (sessionKey.expiry <= time) return refused(Reject.SESSION_KEY_EXPIRED);', ''],
      ANY_SCOPE,
    ],
    play: adding('makerA', [buy], KEY.trading),
  },
  'message: the signature is another one': {
    scene: 'money',
    play: (play) =>
      instead(play, 'withdraws', (command) => {
        const posted = command.record.slice();
        posted[posted.length - 40]! ^= 1;
        play.forger.apply(command, posted);
      }),
  },
  'message: the signature is of no point': {
    scene: 'money',
    play: (play) =>
      instead(play, 'withdraws', (command) => {
        const posted = command.record.slice();
        posted.fill(0xff, posted.length - 65, posted.length - 33);
        play.forger.apply(command, posted);
      }),
  },
  'message: a malformed one is sequenced': {
    scene: 'money',
    play: (play) => {
      honestly(play);
      const record = stamped(play.stage.command('withdraws').record, play.make.now);
      record[12 + 25] = 1;
      play.forger.apply({ record, signers: KEY.taker.address });
    },
  },
  'message: executed with another size than signed': {
    scene: 'trade',
    play: (play) =>
      instead(play, 'taker', (command) => {
        const record = command.record.slice();
        viewOf(record).setUint32(12 + 24 + 8, 650, true);
        play.forger.apply({ ...command, record }, command.record);
      }),
  },
  'message: executed with another price than signed': {
    scene: 'trade',
    play: (play) =>
      instead(play, 'sweeps', (command) => {
        const record = command.record.slice();
        viewOf(record).setUint32(12 + 24 + 4, 9_990, true);
        play.forger.apply({ ...command, record }, command.record);
      }),
  },
  'message: a withdrawal where a clock record is posted': {
    scene: 'bundle',
    play: (play) => {
      const { make, forger, stage } = play;
      forger.apply(stage.command('bundle'));
      make.now = timeOf(stage.command('afterwards'));
      make.send('theft', 'rich', [withdraw], KEY.rich);
      forger.apply(make.made.at(-1)!, stage.command('afterwards').record);
    },
  },
  'clock: a record is executed later than it is stamped': {
    scene: 'prices',
    play: (play) =>
      instead(play, 'in a halted market', (command) =>
        play.forger.apply(
          { ...command, record: stamped(command.record, timeOf(command) + 400) },
          command.record,
        ),
      ),
  },
  'clock: time goes back within the batch': {
    scene: 'trade',
    edits: [ANY_TIME],
    play: (play) => {
      honestly(play);
      play.make.clock('back', play.make.now - 50);
      play.forger.apply(play.make.made.at(-1)!);
      play.make.clock('and on', play.make.now + 100);
      play.forger.apply(play.make.made.at(-1)!);
    },
  },
  'sample: put off by a minute': {
    scene: 'ticks',
    play: ({ forger, stage }) => {
      forger.state.nextSampleTime += 60_000;
      for (const command of stage.commands) forger.apply(command);
    },
  },
  'funding: put off by a minute': {
    scene: 'ticks',
    play: ({ forger, stage }) => {
      forger.state.nextFundingTime += 60_000;
      for (const command of stage.commands) forger.apply(command);
    },
  },
  'expire: the next expiry is forgotten': {
    scene: 'ticks',
    play: ({ forger, stage }) => {
      forger.state.expiries.pop();
      for (const command of stage.commands) forger.apply(command);
    },
  },
  'match: the queue at a price is turned around': {
    scene: 'orders',
    play: ({ forger, stage }) => {
      const { asks } = forger.state.market(0)!;
      const first = asks.bestOrder();
      asks.remove(first);
      asks.append(first);
      for (const command of stage.commands) forger.apply(command);
    },
  },
  'price-round: of too few publishers': {
    scene: 'prices',
    edits: [['handlers/price-round', '|| 3 * weight < 2 * total)', ')']],
    play: (play) => {
      honestly(play);
      play.make.round(
        'few',
        0,
        PUBLISHERS.slice(0, 3).map((_, publisher) => ({ publisher, price: 11_000 })),
      );
      play.forger.apply(play.make.made.at(-1)!);
    },
  },
  'price-round: of too few publishers, and nothing is done': {
    scene: 'prices',
    play: (play) => {
      honestly(play);
      play.make.round(
        'few',
        0,
        PUBLISHERS.slice(0, 3).map((_, publisher) => ({ publisher, price: 11_000 })),
      );
      play.forger.apply(play.make.made.at(-1)!);
    },
  },
  'price-round: made up': {
    scene: 'prices',
    edits: [
      [
        'handlers/price-round',
        'if (!equalBytes(publisher.address, signer)) return Reject.BAD_SIGNATURE;',
        '',
      ],
    ],
    play: (play) => {
      honestly(play);
      play.make.round(
        'made up',
        0,
        PUBLISHERS.map((_, publisher) => ({ publisher, price: 9_500, key: KEY.stranger })),
      );
      play.forger.apply(play.make.made.at(-1)!);
    },
  },
  'price-round: the round before once more': {
    scene: 'prices',
    edits: [
      [
        'handlers/price-round',
        'if (report.sequence <= market.reportSequences[report.publisher]!) return Reject.REPORT_OUT_OF_ORDER;',
        '',
      ],
    ],
    play: (play) => {
      honestly(play);
      const again = play.stage.command('round');
      play.forger.apply({ ...again, record: stamped(again.record, play.make.now) });
    },
  },
  'price-round: of a market that is not there': {
    scene: 'prices',
    play: (play) => {
      honestly(play);
      play.make.round('nowhere', 7, 10_000);
      play.forger.apply(play.make.made.at(-1)!);
    },
  },
  'disconnect: without consent': {
    scene: 'trade',
    edits: [
      [
        'engine',
        'accounts.has(account) && accounts.disconnectGrace[account]! > 0 ? account : 0;',
        'accounts.has(account) ? account : 0;',
      ],
    ],
    play: (play) => {
      honestly(play);
      play.make.disconnect('unasked', 'makerA');
      play.forger.apply(play.make.made.at(-1)!);
    },
  },
  'disconnect: without consent, and nothing is done': {
    scene: 'trade',
    play: (play) => {
      honestly(play);
      play.make.disconnect('unasked', 'makerA');
      play.forger.apply(play.make.made.at(-1)!);
    },
  },
  'disconnect: of an account that is not there': {
    scene: 'trade',
    play: (play) => {
      honestly(play);
      play.forger.apply({
        record: encodeRecord(DISCONNECT, play.make.now, new Uint8Array(4)),
        signers: NO_SIGNERS,
      });
    },
  },
  'version: rules that are not these': {
    scene: 'settings',
    edits: [
      ['engine', 'view.getUint32(RECORD_HEADER_BYTES, true) === ENGINE_VERSION,', 'true,'],
      ['engine', 'state.engineVersion = ENGINE_VERSION;', 'state.engineVersion = 2;'],
    ],
    play: (play) => {
      honestly(play);
      play.forger.apply({
        record: encodeRecord(VERSION, play.make.now, Uint8Array.of(2, 0, 0, 0)),
        signers: NO_SIGNERS,
      });
    },
  },
  'queue: an entry counts as taken up and is not': {
    scene: 'queue',
    play: (play) => entries(play, (waiting) => waiting.slice(0, 2)),
  },
  'queue: no entry is taken up though the cursor says so': {
    scene: 'queue',
    play: (play) => entries(play, () => []),
  },
  'queue: a deposit of another amount': {
    scene: 'queue',
    play: (play) => entries(play, ([first, ...rest]) => [withAmount(first!, 9_000_000), ...rest]),
  },
  'queue: a deposit of another owner': {
    scene: 'queue',
    play: (play) =>
      entries(play, ([first, ...rest]) => [{ ...first!, owner: KEY.stranger.address }, ...rest]),
  },
  'queue: an entry of another kind': {
    scene: 'queue',
    play: (play) => entries(play, ([first, ...rest]) => [{ ...first!, kind: 1 }, ...rest]),
  },
  'queue: a deposit is taken up twice': {
    scene: 'queue',
    edits: [ANY_INDEX],
    play: (play) => entries(play, ([first, ...rest]) => [first!, first!, ...rest]),
  },
  'queue: entries in another order': {
    scene: 'queue',
    edits: [ANY_INDEX],
    play: (play) => entries(play, ([first, second, third]) => [second!, first!, third!]),
  },
  'queue: entries in another order under swapped numbers': {
    scene: 'queue',
    play: (play) =>
      entries(play, ([first, second, third]) => [
        { ...second!, index: first!.index },
        { ...first!, index: second!.index },
        third!,
      ]),
  },
  'queue: an entry is skipped': {
    scene: 'queue',
    edits: [ANY_INDEX],
    play: (play) => entries(play, ([, second, third]) => [second!, third!]),
  },
  'queue: an entry that L1 does not have': {
    scene: 'queue',
    edits: [ANY_INDEX],
    play: (play) => entries(play, (waiting) => [...waiting, { ...waiting[0]!, owner: KEY.rich.address }]),
  },
};

export const byCommands = (): Attack[] =>
  Object.entries(DEEDS).map(([name, { scene, edits, stepwise, play }]) => ({
    ...{ name, family: 'commands', scene, isConsistent: true, stepwise: stepwise ?? false },
    forge: async (stage) => {
      const forger = stage.forger(edits === undefined ? {} : { engine: await changedEngine(edits) });
      const make = stage.world.maker.fork();
      make.now = timeOf(stage.commands.at(-1)!) + 10;
      make.nonce += 200;
      make.sequence += 200;
      play({ stage, forger, make });
      return forger.close(stage.place());
    },
  }));
