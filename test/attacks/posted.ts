/** Attacks on what is posted of an honest execution: header, trace, diff, totals, inputs. Hashes and signature follow. */
import { assert } from '#protocol/assert.ts';
import { encodeWithdrawn, type TraceEntry } from '#protocol/batch.ts';
import { compareBytes, concat, setU48, viewOf } from '#protocol/bytes.ts';
import { CLOCK, encodeRecord } from '#protocol/command.ts';
import { SEGMENT_WEIGHT_MAX } from '#protocol/limits.ts';
import { nextQueueHash } from '#protocol/queue-entry.ts';
import { splitRecords } from '#prover-stub/split-inputs.ts';
import { applyDiff, encodeDiff, type LeafChange } from '#state/diff.ts';
import { accountKey, globalsKey, KeyKind, marketConfigKey } from '#state/keys.ts';
import { loadSnapshot } from '#state/snapshot.ts';
import { stateRoot } from '#state/state-root.ts';
import type { Attack } from './attack.ts';
import type { Posted } from './forger.ts';
import { ACCOUNT } from './keys.ts';
import type { SceneName } from './scenes.ts';
import type { Stage } from './stage.ts';

type Alter = (posted: Posted, stage: Stage) => void;

/** Changes one entry of the trace. */
const entry =
  (index: number | 'last', change: (entry: TraceEntry, posted: Posted) => Partial<TraceEntry>): Alter =>
  (posted) => {
    const at = index === 'last' ? posted.trace.length - 1 : index;
    const old = posted.trace[at]!;
    posted.trace[at] = { ...old, ...change(old, posted) };
  };

const flipped = (bytes: Uint8Array, at = 0): Uint8Array => {
  const changed = bytes.slice();
  changed[at]! ^= 1;
  return changed;
};

/** Other inputs, under running hashes that fit them: `change` gets the records of each segment. */
const records =
  (change: (segments: Uint8Array[][], stage: Stage) => void): Alter =>
  (posted, stage) => {
    const { keccak } = stage.world;
    let start = 0;
    const segments = posted.trace.map(({ inputEnd }) => {
      const part = splitRecords(posted.inputs.subarray(start, inputEnd)).map((record) => record.slice());
      start = inputEnd;
      return part;
    });
    change(segments, stage);
    let hash = posted.header.preInputHash;
    let inputEnd = 0;
    posted.trace = posted.trace.map((old, i) => {
      for (const record of segments[i]!) {
        hash = keccak(concat(hash, keccak(record)));
        inputEnd += record.length;
      }
      return { ...old, inputEnd, inputHash: hash };
    });
    posted.inputs = concat(...segments.flat());
    posted.header = { ...posted.header, postInputHash: hash };
  };

/** Another diff of the same ledger. */
const changes =
  (change: (list: LeafChange[], stage: Stage) => LeafChange[]): Alter =>
  (posted, stage) => {
    const { ledger } = loadSnapshot(stage.world.base.snapshot, stage.world.keccak).trees;
    const list = applyDiff(posted.diff, (key) => ledger.get(key)).map(({ key, value }) => ({
      key,
      oldValue: ledger.get(key),
      newValue: value,
    }));
    posted.diff = encodeDiff(change(list, stage));
  };

const isKind =
  (kind: number) =>
  ({ key }: LeafChange): boolean =>
    key[0] === kind;
const without = (kind: number): Alter =>
  changes((list) => {
    const at = list.findIndex(isKind(kind));
    assert(at >= 0, `the batch changes a leaf of kind ${kind}`);
    return list.filter((_, i) => i !== at);
  });
const altered = (kind: number, byte: number): Alter =>
  changes((list) => {
    const at = list.findIndex(isKind(kind));
    assert(at >= 0, `the batch changes a leaf of kind ${kind}`);
    return list.map((one, i) => (i === at ? { ...one, newValue: flipped(one.newValue!, byte) } : one));
  });
/** A leaf that the batch leaves alone. */
const superfluous = (key: Uint8Array): Alter =>
  changes((list, { world }) => {
    const oldValue = loadSnapshot(world.base.snapshot, world.keccak).trees.ledger.get(key)!;
    return [...list, { key, oldValue, newValue: flipped(oldValue, 30) }];
  });

const rootOf =
  (index: number): Alter =>
  (posted, stage) =>
    entry(index, ({ stateRoot }) => ({ stateRoot: stage.world.keccak(stateRoot) }))(posted, stage);

const lastRoot =
  (field: 'postLedgerRoot' | 'postBookRoot'): Alter =>
  (posted, { world }) => {
    posted.header = { ...posted.header, [field]: world.keccak(posted.header[field]) };
    const { postLedgerRoot, postBookRoot } = posted.header;
    const root = stateRoot(postLedgerRoot, postBookRoot, world.keccak);
    posted.trace[posted.trace.length - 1] = { ...posted.trace.at(-1)!, stateRoot: root };
  };

const header =
  (change: (header: Posted['header'], stage: Stage) => Partial<Posted['header']>): Alter =>
  (posted, stage) => {
    posted.header = { ...posted.header, ...change(posted.header, stage) };
  };

/** The queue's cursor somewhere else on the real queue. */
const cursor = (shift: number): Alter =>
  header((h, { world }) => {
    const first = world.base.tip.queueNext;
    const queueNext = h.queueNext + shift;
    const queueHash = world.waiting
      .slice(0, queueNext - first)
      .reduce((hash, one) => nextQueueHash(world.keccak, hash, one), world.base.batch.header.queueHash);
    return { queueNext, queueHash };
  });

/** The first two segments as one, with the weight that a segment may have at most. */
const merged: Alter = (posted) => {
  const [first, second] = posted.trace;
  const weight = Math.min(SEGMENT_WEIGHT_MAX, first!.weight + second!.weight);
  posted.trace.splice(0, 2, { ...second!, weight });
};

/** All of it as one segment. */
const oneSegment: Alter = (posted) => {
  posted.trace = [{ ...posted.trace.at(-1)!, weight: SEGMENT_WEIGHT_MAX }];
};

type Row = readonly [name: string, scene: SceneName, stepwise: boolean, alter: Alter];

const ROWS: readonly Row[] = [
  ['root of the first segment', 'trade', false, rootOf(0)],
  ['root of a middle segment', 'trade', true, rootOf(7)],
  [
    'root of the last but one',
    'ticks',
    true,
    (posted, stage) => rootOf(posted.trace.length - 2)(posted, stage),
  ],
  ['last ledger root', 'money', false, lastRoot('postLedgerRoot')],
  ['last book root', 'trade', false, lastRoot('postBookRoot')],
  [
    'two roots exchanged',
    'trade',
    true,
    (posted) => {
      const [a, b] = [posted.trace[3]!, posted.trace[4]!];
      posted.trace[3] = { ...a, stateRoot: b.stateRoot };
      posted.trace[4] = { ...b, stateRoot: a.stateRoot };
    },
  ],
  [
    'roots of the state before',
    'money',
    false,
    (posted, stage) => {
      const { preLedgerRoot, preBookRoot } = posted.header;
      posted.header = { ...posted.header, postLedgerRoot: preLedgerRoot, postBookRoot: preBookRoot };
      const root = stateRoot(preLedgerRoot, preBookRoot, stage.world.keccak);
      entry('last', () => ({ stateRoot: root }))(posted, stage);
    },
  ],

  ['weight one too small', 'trade', false, entry(0, ({ weight }) => ({ weight: weight - 1 }))],
  ['weight one too large', 'trade', false, entry(0, ({ weight }) => ({ weight: weight + 1 }))],
  ['weight zero', 'money', false, entry('last', () => ({ weight: 0 }))],
  [
    'weight of the last segment too small',
    'ticks',
    false,
    entry('last', ({ weight }) => ({ weight: weight - 7 })),
  ],
  ['two segments as one, too heavy to re-execute', 'trade', false, merged],
  ['the whole batch as one segment', 'ticks', false, oneSegment],
  ['a light batch as one segment of the largest weight', 'bundle', true, oneSegment],

  ['seq of a segment one too high', 'trade', true, entry(2, ({ nextSeq }) => ({ nextSeq: nextSeq + 1 }))],
  ['seq of a segment one too low', 'trade', true, entry(3, ({ nextSeq }) => ({ nextSeq: nextSeq - 1 }))],
  [
    'last seq one too high',
    'money',
    false,
    (posted, stage) => {
      entry('last', ({ nextSeq }) => ({ nextSeq: nextSeq + 1 }))(posted, stage);
      posted.header = { ...posted.header, nextSeq: posted.header.nextSeq + 1 };
    },
  ],
  [
    'last seq one too low',
    'money',
    false,
    (posted, stage) => {
      entry('last', ({ nextSeq }) => ({ nextSeq: nextSeq - 1 }))(posted, stage);
      posted.header = { ...posted.header, nextSeq: posted.header.nextSeq - 1 };
    },
  ],
  [
    'a step more is claimed',
    'trade',
    false,
    (posted, stage) => {
      entry('last', ({ nextStep }) => ({ nextStep: nextStep + 1 }))(posted, stage);
      posted.header = { ...posted.header, nextStep: posted.header.nextStep + 1 };
    },
  ],
  [
    'a step less is claimed',
    'trade',
    false,
    (posted, stage) => {
      entry('last', ({ nextStep }) => ({ nextStep: nextStep - 1 }))(posted, stage);
      posted.header = { ...posted.header, nextStep: posted.header.nextStep - 1 };
    },
  ],
  [
    'a thousand steps more are claimed',
    'settings',
    false,
    (posted, stage) => {
      entry('last', ({ nextStep }) => ({ nextStep: nextStep + 1_000 }))(posted, stage);
      posted.header = { ...posted.header, nextStep: posted.header.nextStep + 1_000 };
    },
  ],
  [
    'a boundary of segments one step later',
    'trade',
    false,
    entry(0, ({ nextStep }) => ({ nextStep: nextStep + 1 })),
  ],
  [
    'a boundary of segments one step earlier',
    'trade',
    false,
    entry(0, ({ nextStep }) => ({ nextStep: nextStep - 1 })),
  ],

  [
    'input hash of a segment',
    'trade',
    false,
    entry(0, ({ inputHash }) => ({ inputHash: flipped(inputHash) })),
  ],
  [
    'last input hash',
    'money',
    false,
    (posted, stage) => {
      const inputHash = stage.world.keccak(posted.header.postInputHash);
      entry('last', () => ({ inputHash }))(posted, stage);
      posted.header = { ...posted.header, postInputHash: inputHash };
    },
  ],
  [
    'a segment that ends within a record',
    'trade',
    false,
    entry(0, ({ inputEnd }) => ({ inputEnd: inputEnd - 1 })),
  ],
  ['a segment that ends within a header', 'trade', true, entry(0, () => ({ inputEnd: 5 }))],
  [
    'a record in the segment before its own',
    'trade',
    false,
    records((segments) => segments[0]!.push(segments[1]!.shift()!)),
  ],
  [
    'a record in the segment behind its own',
    'trade',
    false,
    records((segments) => segments[1]!.unshift(segments[0]!.pop()!)),
  ],
  [
    'a byte of the inputs',
    'trade',
    false,
    (posted) => {
      posted.inputs = flipped(posted.inputs, 60);
    },
  ],
  [
    'the last byte of the inputs',
    'queue',
    false,
    (posted) => {
      posted.inputs = flipped(posted.inputs, posted.inputs.length - 1);
    },
  ],
  [
    'the length of a record',
    'money',
    false,
    (posted) => {
      posted.inputs = flipped(posted.inputs, 0);
    },
  ],
  [
    'a length beyond everything',
    'money',
    false,
    (posted) => {
      posted.inputs = posted.inputs.slice();
      posted.inputs.fill(0xff, 0, 4);
    },
  ],
  [
    'inputs of zeros',
    'money',
    false,
    (posted) => {
      posted.inputs = new Uint8Array(posted.inputs.length);
    },
  ],
  [
    'a last record cut short',
    'money',
    false,
    (posted, stage) => {
      posted.inputs = posted.inputs.slice(0, -1);
      entry('last', ({ inputEnd }) => ({ inputEnd: inputEnd - 1 }))(posted, stage);
    },
  ],
  [
    'a byte behind the last record',
    'money',
    false,
    (posted, stage) => {
      posted.inputs = concat(posted.inputs, Uint8Array.of(0));
      entry('last', ({ inputEnd }) => ({ inputEnd: inputEnd + 1 }))(posted, stage);
    },
  ],
  [
    'records of two segments that do not fold',
    'trade',
    true,
    (posted) => {
      const [first, second] = splitRecords(posted.inputs);
      posted.inputs = concat(second!, first!, posted.inputs.subarray(first!.length + second!.length));
    },
  ],

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

  [
    'a withdrawn total one too large',
    'money',
    false,
    (posted) => {
      posted.withdrawn = flipped(posted.withdrawn, 17);
    },
  ],
  [
    'a withdrawn total that is left out',
    'money',
    false,
    (posted) => {
      posted.withdrawn = new Uint8Array(0);
    },
  ],
  [
    'a withdrawn total where nothing was withdrawn',
    'trade',
    false,
    (posted) => {
      posted.withdrawn = encodeWithdrawn([{ asset: 0, amount: 1n }]);
    },
  ],
  [
    'a withdrawn total of another asset',
    'money',
    false,
    (posted) => {
      posted.withdrawn = concat(posted.withdrawn, encodeWithdrawn([{ asset: 5, amount: 900n }]));
    },
  ],
  [
    'a withdrawn total of everything',
    'money',
    false,
    (posted) => {
      posted.withdrawn = encodeWithdrawn([{ asset: 0, amount: 2n ** 127n }]);
    },
  ],
  [
    'a withdrawn total of what went back',
    'queue',
    false,
    (posted) => {
      posted.withdrawn = new Uint8Array(0);
    },
  ],

  ['first time later', 'trade', false, header(({ timeFirst }) => ({ timeFirst: timeFirst + 1 }))],
  ['first time earlier', 'trade', false, header(({ timeFirst }) => ({ timeFirst: timeFirst - 1 }))],
  [
    'first time of the batch before',
    'ticks',
    false,
    header((_, { world }) => ({ timeFirst: world.base.tip.timeLast })),
  ],
  ['last time later', 'trade', false, header(({ timeLast }) => ({ timeLast: timeLast + 1 }))],
  ['last time earlier', 'ticks', false, header(({ timeLast }) => ({ timeLast: timeLast - 1 }))],
  ['last time an hour later', 'stale', false, header(({ timeLast }) => ({ timeLast: timeLast + 3_600_000 }))],

  ['queue cursor one further', 'money', false, cursor(1)],
  ['queue cursor one back', 'queue', false, cursor(-1)],
  ['queue cursor at the end', 'trade', false, cursor(10)],
  ['queue cursor where it was', 'queue', false, cursor(-10)],
];

/** A run that bridges nothing: the same leaves, and not as an encoder writes them. */
function longWay(posted: Posted, { world }: Stage): void {
  const { ledger } = loadSnapshot(world.base.snapshot, world.keccak).trees;
  const list = applyDiff(posted.diff, (key) => ledger.get(key));
  const first = list.find(({ key }) => compareBytes(key, globalsKey()) === 0);
  assert(first !== undefined, 'every batch changes the globals');
  // The first entry's head, length of its suffix and suffix stand before its runs.
  const runs = 2 + posted.diff[1]!;
  posted.diff = concat(posted.diff.subarray(0, runs), Uint8Array.of(0xf0), posted.diff.subarray(runs));
}

export const byPosting = (): Attack[] =>
  ROWS.map(([name, scene, stepwise, alter]) => ({
    ...{ name: `batch: ${name}`, family: 'batch', scene, stepwise, isConsistent: false },
    forge: (stage) => stage.forge({}, (posted) => alter(posted, stage)),
  }));
