import { concat, setU48, viewOf } from '#protocol/bytes.ts';
import { CLOCK, encodeRecord } from '#protocol/command.ts';
import { accountKey, KeyKind, marketConfigKey } from '#state/keys.ts';
import { loadSnapshot } from '#state/snapshot.ts';
import { ACCOUNT } from './keys.ts';
import { altered, changes, longWay, type Row, records, superfluous, without } from './posted-tools.ts';

export const BYTES_ROWS: readonly Row[] = [
  [
    'a record of no kind',
    'money',
    false,
    records((segments) => {
      segments[0]![0]![4] = 9;
    }),
  ],
  [
    'a record of kind zero',
    'money',
    false,
    records((segments) => {
      segments[0]![0]![4] = 0;
    }),
  ],
  [
    'a record with its reserved byte set',
    'trade',
    false,
    records((segments) => {
      segments[0]![1]![5] = 1;
    }),
  ],
  [
    'a record of an earlier time',
    'trade',
    false,
    records((segments) => {
      setU48(viewOf(segments[0]![1]!), 6, 5);
    }),
  ],
  [
    'a record of the future',
    'trade',
    false,
    records((segments) => {
      const view = viewOf(segments[0]![1]!);
      view.setUint32(6, view.getUint32(6, true) + 60, true);
    }),
  ],
  [
    'a record of a body too long',
    'money',
    false,
    records((segments, { world }) => {
      segments[0]!.push(encodeRecord(CLOCK, world.start + 2_900, new Uint8Array(2_049)));
    }),
  ],
  [
    'a record more than its steps take up',
    'money',
    false,
    records((segments, { world }) => {
      segments.at(-1)!.push(encodeRecord(CLOCK, world.start + 59_000, new Uint8Array(0)));
    }),
  ],
  [
    'a record less than its steps need',
    'trade',
    false,
    records((segments) => {
      segments
        .filter((one) => one.length > 0)
        .at(-1)!
        .pop();
    }),
  ],
  [
    'a record twice',
    'money',
    false,
    records((segments) => {
      segments[0]!.unshift(segments[0]![0]!);
    }),
  ],
  [
    'two records exchanged',
    'trade',
    false,
    records((segments) => {
      const [a, b] = segments[0]!.splice(0, 2);
      segments[0]!.unshift(b!, a!);
    }),
  ],
  [
    'a signature of a record',
    'trade',
    false,
    records((segments) => {
      const record = segments[0]![0]!;
      record[record.length - 20]! ^= 1;
    }),
  ],
  [
    'the amount in a record',
    'money',
    false,
    records((segments) => {
      segments[0]![0]![12 + 24 + 8]! ^= 1;
    }),
  ],
  [
    'a price report in a record',
    'prices',
    true,
    records((segments) => {
      segments[0]![0]![12 + 4 + 16]! ^= 1;
    }),
  ],
  [
    'the index of a queue entry',
    'queue',
    false,
    records((segments) => {
      segments[0]![0]![12]! ^= 1;
    }),
  ],
  [
    'the payload of a queue entry',
    'queue',
    false,
    records((segments) => {
      const record = segments[0]![0]!;
      record[record.length - 1]! ^= 1;
    }),
  ],

  ['diff without an account', 'money', false, without(KeyKind.ACCOUNT)],
  ['diff without the clock', 'trade', false, without(KeyKind.GLOBALS)],
  ['diff without a market', 'trade', false, without(KeyKind.MARKET_STATE)],
  ['diff without prices', 'prices', false, without(KeyKind.PRICES)],
  ['diff without report sequences', 'prices', false, without(KeyKind.ORACLE)],
  ['diff without a withdrawal', 'money', false, without(KeyKind.WITHDRAWN)],
  ['diff without the total of withdrawals', 'money', false, without(KeyKind.WITHDRAWN_TOTAL)],
  ['diff without the queue', 'queue', false, without(KeyKind.QUEUE)],
  ['diff without a new owner', 'queue', false, without(KeyKind.OWNER)],
  ['diff without a configuration', 'queue', false, without(KeyKind.MARKET_CONFIG)],
  ['diff without the publishers', 'queue', false, without(KeyKind.PUBLISHERS)],
  [
    'diff of nothing',
    'money',
    false,
    (posted) => {
      posted.diff = new Uint8Array(0);
    },
  ],
  ['diff with another balance', 'money', false, altered(KeyKind.ACCOUNT, 28)],
  ['diff with another owner', 'money', false, altered(KeyKind.ACCOUNT, 3)],
  ['diff with another time', 'trade', false, altered(KeyKind.GLOBALS, 13)],
  ['diff with other fees', 'trade', false, altered(KeyKind.MARKET_STATE, 16)],
  ['diff with another mark', 'prices', false, altered(KeyKind.PRICES, 7)],
  ['diff with another withdrawal', 'money', false, altered(KeyKind.WITHDRAWN, 15)],
  ['diff with another total of withdrawals', 'money', false, altered(KeyKind.WITHDRAWN_TOTAL, 15)],
  ['diff with another queue hash', 'queue', false, altered(KeyKind.QUEUE, 20)],
  ['diff with an account that did not change', 'money', false, superfluous(accountKey(ACCOUNT.makerB))],
  ['diff with a configuration that did not change', 'money', false, superfluous(marketConfigKey(1))],
  [
    'diff with an account that is deleted',
    'money',
    false,
    changes((list, { world }) => {
      const key = accountKey(ACCOUNT.makerB);
      return [
        ...list,
        {
          key,
          oldValue: loadSnapshot(world.base.snapshot, world.keccak).trees.ledger.get(key),
          newValue: undefined,
        },
      ];
    }),
  ],
  [
    'diff with an account that is made up',
    'money',
    false,
    changes((list) => [
      ...list,
      { key: accountKey(77), oldValue: undefined, newValue: new Uint8Array(88).fill(1) },
    ]),
  ],
  [
    'diff cut short',
    'money',
    false,
    (posted) => {
      posted.diff = posted.diff.slice(0, -1);
    },
  ],
  [
    'diff cut to its first bytes',
    'trade',
    false,
    (posted) => {
      posted.diff = posted.diff.slice(0, 9);
    },
  ],
  [
    'diff with a byte behind it',
    'money',
    false,
    (posted) => {
      posted.diff = concat(posted.diff, Uint8Array.of(0));
    },
  ],
  [
    'diff with its first entry twice',
    'money',
    false,
    (posted) => {
      posted.diff = concat(posted.diff, posted.diff.slice(0, 20));
    },
  ],
  [
    'diff that is no diff',
    'money',
    false,
    (posted, { world }) => {
      posted.diff = world.keccak(posted.diff);
    },
  ],
  [
    'diff of another mode',
    'money',
    false,
    (posted) => {
      posted.diff = posted.diff.slice();
      posted.diff[0]! ^= 0x40;
    },
  ],
  ['diff with an unneeded run', 'trade', false, (posted, stage) => longWay(posted, stage)],
];
