/** Puts the stream `receipts` beside those of the feed. */
import type { FeedListener, FeedSource, StreamStart } from '#pipeline/ports.ts';
import type { SignedReceipt } from '#protocol/receipt.ts';
import type { RejectCode } from '#protocol/reject.ts';
import type { SubscribeRequest } from '#protocol/wire.ts';
import { encodeReceiptFrame } from '#protocol/wire-receipt.ts';
import type { Receipts } from './receipts.ts';

export class ReceiptFeed implements FeedSource {
  private readonly feed: FeedSource;
  private readonly receipts: Pick<Receipts, 'last' | 'after'>;
  private listener: FeedListener | undefined;

  constructor(feed: FeedSource, receipts: Pick<Receipts, 'last' | 'after' | 'listen'>) {
    this.feed = feed;
    this.receipts = receipts;
    receipts.listen((receipt, previous) => this.tell(receipt, previous));
  }

  listen(listener: FeedListener): void {
    this.listener = listener;
    this.feed.listen(listener);
  }

  /** Receipts begin with the last one. */
  start(request: SubscribeRequest): StreamStart | RejectCode {
    if (request.channel !== 'receipts') return this.feed.start(request);
    const { last } = this.receipts;
    const { fromSeq } = request;
    const missed = fromSeq === undefined || fromSeq === 0 ? undefined : this.receipts.after(fromSeq);
    if (missed === undefined) {
      const frames = last === undefined ? [] : [encodeReceiptFrame({ previous: 0, receipt: last })];
      return { sequence: last?.seq ?? 0, resumed: false, frames };
    }
    let previous = fromSeq!;
    const frames = missed.map((receipt) => {
      const frame = encodeReceiptFrame({ previous, receipt });
      previous = receipt.seq;
      return frame;
    });
    return { sequence: previous, resumed: true, frames };
  }

  private tell(receipt: SignedReceipt, previous: number): void {
    const { listener } = this;
    if (listener?.wants('receipts', 0) !== true) return;
    listener.onFrames('receipts', 0, encodeReceiptFrame({ previous, receipt }), receipt.seq);
    listener.onEndOfBatch();
  }
}
