/** The sequencer's receipts as they come; receipts.ts verifies and keeps them. */
import type { SignedReceipt } from '#protocol/receipt.ts';
import type { Session } from '../session.ts';
import { ReceiptsReader, type StreamGap } from '../stream-readers.ts';
import { hold } from '../streams.ts';
import type { Watch } from './watch-market.ts';

/** The last receipt and all that follow, signatures not checked; `onGap`: receipts that are not told any more. */
export async function watchReceipts(
  session: Session,
  watch: {
    readonly onReceipt: (receipt: SignedReceipt) => void;
    readonly onGap?: (gap: StreamGap) => void;
  },
): Promise<Watch> {
  const { release } = await hold(
    session,
    { channel: 'receipts' },
    () => new ReceiptsReader(),
    (reader) => [reader.receipts.add(watch.onReceipt), watch.onGap && reader.gaps.add(watch.onGap)],
  );
  return { close: release };
}
