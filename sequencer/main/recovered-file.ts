/** DATA/recovered.json: what was taken back when these data were recovered after a strike. */
import type { Disk } from '#pipeline/ports.ts';
import type { Seq } from '#protocol/units.ts';

export interface Recovered {
  /** Epoch that the strike ended: receipts of it, or of earlier ones, for `fromSeq` and later are void. */
  readonly struckEpoch: number;
  /** Epoch in which the commands go on. */
  readonly epoch: number;
  /** First command that was judged again. */
  readonly fromSeq: Seq;
  readonly lastSeq: Seq;
  /** Commands that these rules would not have admitted: a CLOCK stands in their place. */
  readonly replaced: readonly { readonly seq: Seq; readonly reason: string }[];
}

const NAME = 'recovered.json';
/** Room for a million replaced commands. */
const BYTES_MAX = 64 * 1024 * 1024;

/** Durable when it resolves. */
export async function writeRecovered(disk: Disk, directory: string, recovered: Recovered): Promise<void> {
  const bytes = new TextEncoder().encode(`${JSON.stringify(recovered)}\n`);
  const file = await disk.create(`${directory}/${NAME}.new`, bytes.length);
  await file.pwriteDurable(bytes, 0);
  await file.close();
  await disk.rename(`${directory}/${NAME}.new`, `${directory}/${NAME}`);
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
