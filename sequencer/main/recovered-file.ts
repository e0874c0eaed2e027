/**
 * What a data directory says of the strikes that it was recovered from.
 *
 *   DATA/recovered.json   JSON of `Recovered`
 *   DATA/recovering       while a recovery is filling the directory: it is of no use before the end
 */
import type { Disk } from '#pipeline/ports.ts';
import type { Reverted } from '#protocol/reverted.ts';
import type { Seq } from '#protocol/units.ts';

export interface Recovered {
  /** Epoch that the strike ended: receipts of it, or of earlier ones, for `fromSeq` and later are void. */
  readonly struckEpoch: number;
  /** Epoch in which the commands go on. */
  readonly epoch: number;
  /** Last batch that L1 still had; 0 for none. */
  readonly batchId: number;
  /** First command that was judged again. */
  readonly fromSeq: Seq;
  readonly lastSeq: Seq;
  /** Commands that these rules would not have admitted: a CLOCK stands in their place. */
  readonly replaced: readonly { readonly seq: Seq; readonly reason: string }[];
  /** What earlier recoveries have reverted, and this one has not. */
  readonly before: readonly Reverted[];
}

const NAME = 'recovered.json';
const UNFINISHED = 'recovering';
/** Room for a million replaced commands. */
const BYTES_MAX = 64 * 1024 * 1024;

/** Every stretch of receipts that a strike made void, oldest first. */
export const revertedOf = (recovered: Recovered | undefined): Reverted[] =>
  recovered === undefined
    ? []
    : [...recovered.before, { epoch: recovered.struckEpoch, fromSeq: recovered.fromSeq }];

/** Marks the directory as of no use until `writeRecovered`. */
export async function beginRecovery(disk: Disk, directory: string): Promise<void> {
  await disk.makeDirectory(directory);
  await (await disk.create(`${directory}/${UNFINISHED}`, 1)).close();
  await disk.syncDirectory(directory);
}

/** True when a recovery into this directory was begun and has not ended. */
export const isUnfinished = async (disk: Disk, directory: string): Promise<boolean> =>
  (await disk.list(directory)).includes(UNFINISHED);

/** Ends the recovery; durable when it resolves. */
export async function writeRecovered(disk: Disk, directory: string, recovered: Recovered): Promise<void> {
  const bytes = new TextEncoder().encode(`${JSON.stringify(recovered)}\n`);
  const file = await disk.create(`${directory}/${NAME}.new`, bytes.length);
  await file.pwriteDurable(bytes, 0);
  await file.close();
  await disk.rename(`${directory}/${NAME}.new`, `${directory}/${NAME}`);
  await disk.syncDirectory(directory);
  await disk.unlink(`${directory}/${UNFINISHED}`);
  await disk.syncDirectory(directory);
}

/** Undefined when the data were never recovered. */
export async function readRecovered(disk: Disk, directory: string): Promise<Recovered | undefined> {
  if (!(await disk.list(directory)).includes(NAME)) return undefined;
  const file = await disk.open(`${directory}/${NAME}`);
  try {
    const size = await file.size();
    if (size > BYTES_MAX)
      throw new Error(`${directory}/${NAME}: expected at most ${BYTES_MAX} bytes, got ${size}`);
    const bytes = new Uint8Array(size);
    await file.pread(bytes, 0);
    return JSON.parse(new TextDecoder().decode(bytes)) as Recovered;
  } finally {
    await file.close();
  }
}
