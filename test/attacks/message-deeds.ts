/** Messages that nobody may send, and messages that are executed otherwise than they were signed. */
import { viewOf } from '#protocol/bytes.ts';
import { encodeUnsignedMessage } from '#protocol/message.ts';
import {
  ANY_SCOPE,
  adding,
  buy,
  type Deed,
  honestly,
  instead,
  MESSAGE,
  NO_SIGNER_CHECK,
  signing,
  stamped,
  timeOf,
  withdraw,
} from './deeds.ts';
import { ACCOUNT, KEY } from './keys.ts';

export const MESSAGE_DEEDS: Readonly<Record<string, Deed>> = {
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
};
