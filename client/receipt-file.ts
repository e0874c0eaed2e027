/**
 * Kept receipts in a file that is only ever appended to, one line of JSON each:
 *
 *   {"receipt":"0x… 149 bytes","own":[{"seq":7,"time":…,"message":"0x…"}],"from":7,"before":"0x…","links":"0x…"}
 *
 * `own` and what follows is left out where the receipt covers no command of the client.
 */
import { type FileHandle, open, readFile } from 'node:fs/promises';
import { fromHex, toHex } from '#protocol/bytes.ts';
import { decodeSignedReceipt, encodeSignedReceipt } from '#protocol/receipt.ts';
import { SluiceError } from './errors.ts';
import type { KeptReceipt } from './receipts.ts';

export class ReceiptFile {
  private readonly handle: FileHandle;

  private constructor(handle: FileHandle) {
    this.handle = handle;
  }

  /** Made when it is not there; a last line that was cut is taken away. */
  static async open(path: string): Promise<ReceiptFile> {
    const handle = await open(path, 'a+');
    const bytes = await handle.readFile();
    const whole = bytes.lastIndexOf('\n') + 1;
    if (whole < bytes.length) await handle.truncate(whole);
    return new ReceiptFile(handle);
  }

  async append(kept: KeptReceipt): Promise<void> {
    await this.handle.write(`${lineOf(kept)}\n`);
  }

  async close(): Promise<void> {
    await this.handle.close();
  }
}

function lineOf({ receipt, own, stretch }: KeptReceipt): string {
  return JSON.stringify({
    receipt: toHex(encodeSignedReceipt(receipt)),
    ...(stretch !== undefined && {
      own: own.map(({ seq, time, message }) => ({ seq, time, message: toHex(message) })),
      from: stretch.from,
      before: toHex(stretch.before),
      links: toHex(stretch.links),
    }),
  });
}

/** In the order of keeping. Throws a SluiceError that names the line; a last line that was cut is left out. */
export async function readReceiptFile(path: string): Promise<KeptReceipt[]> {
  const lines = (await readFile(path, 'utf8')).split('\n');
  return lines.flatMap((line, i): KeptReceipt[] => {
    if (line === '') return [];
    try {
      const row = JSON.parse(line);
      const receipt = decodeSignedReceipt(fromHex(row.receipt));
      if (row.from === undefined) return [{ receipt, own: [], stretch: undefined }];
      const own = row.own.map((command: { seq: number; time: number; message: string }) => ({
        ...command,
        message: fromHex(command.message),
      }));
      const stretch = { from: row.from, before: fromHex(row.before), links: fromHex(row.links) };
      return [{ receipt, own, stretch }];
    } catch (cause) {
      if (i === lines.length - 1) return [];
      throw new SluiceError(
        'INVALID_ARGUMENT',
        `${path}, line ${i + 1}: expected a kept receipt, got something else`,
        { cause, details: { path, line: i + 1 } },
      );
    }
  });
}
