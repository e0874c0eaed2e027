/**
 * The cases of test/vectors/diff.json. Diffs are assembled by hand, byte by byte, so that neither encoder nor
 * decoder has a part in them. `npx tsx test/state/diff-vectors.ts` writes the file; a test holds the file to this.
 *
 *   cases       before: leaves of the ledger; after: leaves that the batch changed, by ascending key (value is
 *               empty where deleted); diff: its only encoding
 *   malformed   before, diff: what no encoder makes of that ledger; offset: the byte at which it shows
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { toHex } from '#protocol/bytes.ts';
import { LEAF_VALUE_BYTES_MAX } from '#protocol/limits.ts';
import { accountKey, globalsKey, ownerKey, pricesKey } from '#state/keys.ts';

export interface Leaf {
  readonly key: string;
  readonly value: string;
}
export interface DiffVectors {
  readonly cases: readonly {
    why: string;
    before: readonly Leaf[];
    after: readonly (Leaf & { deleted: boolean })[];
    diff: string;
  }[];
  readonly malformed: readonly { why: string; before: readonly Leaf[]; diff: string; offset: number }[];
}

const globals = toHex(globalsKey());
const account = (id: number): string => toHex(accountKey(id));
const leaf = (key: string, value: string): Leaf => ({ key, value });
const set = (key: string, value: string): Leaf & { deleted: boolean } => ({ key, value, deleted: false });
const gone = (key: string): Leaf & { deleted: boolean } => ({ key, value: '0x', deleted: true });
/** Hexadecimal groups, spaced as the entries' fields are. */
const diff = (...groups: string[]): string => `0x${groups.join('').replaceAll(' ', '')}`;
const repeat = (byte: string, times: number): string => byte.repeat(times);

export function diffVectors(): DiffVectors {
  const lastKey = `0x${repeat('ff', 32)}`;
  const stretch = Array.from({ length: 40 }, (_, i) => (i + 1).toString(16).padStart(2, '0')).join('');
  return {
    cases: [
      { why: 'nothing changed', before: [leaf(globals, '0x01')], after: [], diff: '0x' },
      {
        why: 'a leaf inserted: zeros are the base',
        before: [],
        after: [set(globals, '0x0000000500')],
        diff: diff('60 01 01', '0005', '31 05', '00'),
      },
      {
        why: 'an empty value inserted',
        before: [],
        after: [set(globals, '0x')],
        diff: diff('60 01 01 0000 00'),
      },
      {
        why: 'zeros inserted',
        before: [],
        after: [set(globals, '0x000000')],
        diff: diff('60 01 01 0003 00'),
      },
      {
        why: 'a leaf updated in place',
        before: [leaf(globals, '0x0102030405060708')],
        after: [set(globals, '0x01020304050607ff')],
        diff: diff('20 01 01', '71 ff', '00'),
      },
      {
        why: 'a leaf deleted',
        before: [leaf(globals, '0x01')],
        after: [gone(globals)],
        diff: diff('00 01 01'),
      },
      {
        why: 'a leaf grows: zeros follow the old value in the base',
        before: [leaf(globals, '0x0102')],
        after: [set(globals, '0x0102000003')],
        diff: diff('40 01 01', '0005', '41 03', '00'),
      },
      {
        why: 'a leaf shrinks to its beginning',
        before: [leaf(globals, '0x010203')],
        after: [set(globals, '0x01')],
        diff: diff('40 01 01 0001 00'),
      },
      {
        why: 'a leaf shrinks to nothing',
        before: [leaf(globals, '0x010203')],
        after: [set(globals, '0x')],
        diff: diff('40 01 01 0000 00'),
      },
      {
        why: 'keys share what the one before them has; zeros at the end are trimmed',
        before: [leaf(account(256), '0x01'), leaf(account(257), '0x01')],
        after: [set(account(256), '0x02'), gone(account(257)), set(account(65536), '0x09')],
        diff: diff('20 04 02000001', '01 02 00', '04 01 01', '62 01 01', '0001', '01 09 00'),
      },
      {
        why: 'one equal byte stays in a stretch, two end it',
        before: [leaf(globals, '0x00000000000000000000')],
        after: [set(globals, '0x01000100000100000001')],
        diff: diff('20 01 01', '03 010001', '21 01', '31 01', '00'),
      },
      {
        why: 'a distance of 15 fits a run, one of 16 is a hop, one of 300 two hops',
        before: [leaf(globals, `0x${repeat('00', 400)}`)],
        after: [
          set(
            globals,
            `0x${repeat('00', 15)}01${repeat('00', 16)}02${repeat('00', 300)}03${repeat('00', 66)}`,
          ),
        ],
        diff: diff('20 01 01', 'f1 01', '10 01 02', 'f0 30 c1 03', '00'),
      },
      {
        why: 'a stretch of 40 bytes: runs of 15, 15 and 10',
        before: [leaf(globals, `0x${repeat('00', 50)}`)],
        after: [set(globals, `0x${repeat('00', 5)}${stretch}${repeat('00', 5)}`)],
        diff: diff(
          '20 01 01',
          '5f',
          stretch.slice(0, 30),
          '0f',
          stretch.slice(30, 60),
          '0a',
          stretch.slice(60),
          '00',
        ),
      },
      {
        why: 'kinds apart and the greatest key, whose suffix is 32 bytes long',
        before: [leaf(globals, '0x05'), leaf(toHex(pricesKey(0)), '0x07'), leaf(lastKey, '0xaa')],
        after: [set(globals, '0x06'), gone(toHex(pricesKey(0))), set(lastKey, '0xab')],
        diff: diff('20 01 01 01 06 00', '00 01 06', '20 20', repeat('ff', 32), '01 ab 00'),
      },
      {
        why: 'keys that differ in the last byte alone: 31 bytes shared',
        before: [leaf(`0x${repeat('01', 32)}`, '0x01'), leaf(`0x${repeat('01', 31)}02`, '0x01')],
        after: [gone(`0x${repeat('01', 32)}`), gone(`0x${repeat('01', 31)}02`)],
        diff: diff('00 20', repeat('01', 32), '1f 01 02'),
      },
      {
        why: 'a new owner and its account in one batch',
        before: [leaf(globals, '0x0000000a')],
        after: [
          set(globals, '0x0000000b'),
          set(account(10), '0x0000000000000000'),
          set(toHex(ownerKey(new Uint8Array(20).fill(0xab), 0)), '0x0000000a'),
        ],
        diff: diff(
          '20 01 01',
          '31 0b 00',
          '60 05 020000000a',
          '0008',
          '00',
          '60 15 03',
          repeat('ab', 20),
          '0004',
          '31 0a 00',
        ),
      },
    ],
    malformed: [
      { why: 'mode 4', before: [], diff: diff('80 01 01'), offset: 0 },
      { why: 'the head alone', before: [], diff: diff('20'), offset: 1 },
      { why: 'no suffix', before: [leaf(globals, '0x01')], diff: diff('00 00'), offset: 1 },
      { why: 'a suffix beyond 32 bytes', before: [], diff: diff('00 21', repeat('01', 33)), offset: 1 },
      {
        why: 'shared bytes and suffix beyond 32 bytes',
        before: [leaf(globals, '0x01')],
        diff: diff('00 01 01', '01 20', repeat('01', 32)),
        offset: 4,
      },
      { why: 'the suffix is cut', before: [], diff: diff('00 05 02000000'), offset: 2 },
      { why: 'the zero key', before: [], diff: diff('60 01 00 0000 00'), offset: 2 },
      {
        why: 'a zero at the end of the suffix',
        before: [leaf(globals, '0x01')],
        diff: diff('00 02 0100'),
        offset: 3,
      },
      {
        why: 'the same key twice',
        before: [leaf(globals, '0x01')],
        diff: diff('00 01 01', '00 01 01'),
        offset: 5,
      },
      {
        why: 'keys descend',
        before: [leaf(globals, '0x01'), leaf(account(1), '0x01')],
        diff: diff('00 05 0200000001', '00 01 01'),
        offset: 9,
      },
      {
        why: 'a longer prefix is shared than said',
        before: [leaf(account(1), '0x01'), leaf(account(2), '0x01')],
        diff: diff('00 05 0200000001', '00 05 0200000002'),
        offset: 9,
      },
      {
        why: 'a zero byte shared with the zero key, not said',
        before: [leaf(`0x0001${repeat('00', 30)}`, '0x01')],
        diff: diff('00 02 0001'),
        offset: 2,
      },
      { why: 'delete of an absent key', before: [], diff: diff('00 01 01'), offset: 0 },
      { why: 'update of an absent key', before: [], diff: diff('20 01 01 01 01 00'), offset: 0 },
      {
        why: 'insert of a present key',
        before: [leaf(globals, '0x01')],
        diff: diff('60 01 01 0001 01 02 00'),
        offset: 0,
      },
      {
        why: 'resize to the same length',
        before: [leaf(globals, '0x01')],
        diff: diff('40 01 01 0001 01 02 00'),
        offset: 3,
      },
      {
        why: 'a length beyond the longest value',
        before: [],
        diff: diff('60 01 01', (LEAF_VALUE_BYTES_MAX + 1).toString(16).padStart(4, '0'), '00'),
        offset: 3,
      },
      { why: 'the length is cut', before: [], diff: diff('60 01 01 00'), offset: 4 },
      {
        why: 'the end of the runs is missing',
        before: [leaf(globals, '0x01')],
        diff: diff('20 01 01 01 02'),
        offset: 5,
      },
      {
        why: 'bytes of the run are cut',
        before: [leaf(globals, '0x0101')],
        diff: diff('20 01 01 02 02'),
        offset: 4,
      },
      {
        why: 'a run beyond the value',
        before: [leaf(globals, '0x01')],
        diff: diff('20 01 01 02 0203 00'),
        offset: 3,
      },
      {
        why: 'a hop beyond the value',
        before: [leaf(globals, '0x01')],
        diff: diff('20 01 01 10 00'),
        offset: 3,
      },
      {
        why: 'an update that changes nothing',
        before: [leaf(globals, '0x01')],
        diff: diff('20 01 01 00'),
        offset: 3,
      },
      {
        why: 'an update that writes the old byte',
        before: [leaf(globals, '0x01')],
        diff: diff('20 01 01 01 01 00'),
        offset: 3,
      },
      {
        why: 'a stretch that begins with an equal byte',
        before: [leaf(globals, '0x0101')],
        diff: diff('20 01 01 02 0102 00'),
        offset: 3,
      },
      {
        why: 'a stretch that ends with an equal byte',
        before: [leaf(globals, '0x0101')],
        diff: diff('20 01 01 02 0201 00'),
        offset: 3,
      },
      {
        why: 'two equal bytes inside a stretch',
        before: [leaf(globals, '0x01010101')],
        diff: diff('20 01 01 04 02010102 00'),
        offset: 3,
      },
      {
        why: 'a stretch split at one equal byte',
        before: [leaf(globals, '0x010101')],
        diff: diff('20 01 01 01 02 11 02 00'),
        offset: 3,
      },
      {
        why: 'a stretch split before its fifteenth byte',
        before: [leaf(globals, '0x0101')],
        diff: diff('20 01 01 01 02 01 02 00'),
        offset: 3,
      },
      {
        why: 'hops of 16 where one of 32 does',
        before: [leaf(globals, `0x${repeat('00', 33)}`)],
        diff: diff('20 01 01 10 10 01 02 00'),
        offset: 3,
      },
      {
        why: 'a small hop before a great one',
        before: [leaf(globals, `0x${repeat('00', 257)}`)],
        diff: diff('20 01 01 10 f0 01 02 00'),
        offset: 3,
      },
      {
        why: 'a hop after which nothing changes',
        before: [leaf(globals, `0x${repeat('00', 33)}`)],
        diff: diff('20 01 01 01 02 10 00'),
        offset: 5,
      },
      {
        why: 'a byte after the last entry',
        before: [leaf(globals, '0x01')],
        diff: diff('20 01 01 01 02 00', '00'),
        offset: 7,
      },
    ],
  };
}

export const DIFF_VECTORS_FILE = fileURLToPath(new URL('../vectors/diff.json', import.meta.url));

if (process.argv[1] === fileURLToPath(import.meta.url))
  writeFileSync(DIFF_VECTORS_FILE, `${JSON.stringify(diffVectors(), null, 1)}\n`);
