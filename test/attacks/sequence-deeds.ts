import { DISCONNECT, encodeRecord, NO_SIGNERS, VERSION } from '#protocol/command.ts';
import {
  ANY_INDEX,
  ANY_TIME,
  type Deed,
  entries,
  honestly,
  instead,
  stamped,
  timeOf,
  withAmount,
} from './deeds.ts';
import { KEY, PUBLISHERS } from './keys.ts';

export const SEQUENCE_DEEDS: Readonly<Record<string, Deed>> = {
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
