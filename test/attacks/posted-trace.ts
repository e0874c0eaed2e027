import { encodeWithdrawn } from '#protocol/batch.ts';
import { concat } from '#protocol/bytes.ts';
import { splitRecords } from '#prover-stub/split-inputs.ts';
import { stateRoot } from '#state/state-root.ts';
import {
  cursor,
  entry,
  flipped,
  header,
  lastRoot,
  merged,
  oneSegment,
  type Row,
  records,
  rootOf,
} from './posted-tools.ts';

export const TRACE_ROWS: readonly Row[] = [
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
  ['weight one too large', 'trade', false, entry('lightest', ({ weight }) => ({ weight: weight + 1 }))],
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
