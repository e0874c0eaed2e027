/**
 * The exchange as a price replay sees it: one thing after the other, each answered before the next is sent, and
 * nothing in it that depends on the machine's clock. So the same replay makes the same commands.
 */
import { concat } from '#protocol/bytes.ts';
import { encodeUnsignedMessage } from '#protocol/message.ts';
import type { Operation } from '#protocol/operation.ts';
import { encodeReport } from '#protocol/price-report.ts';
import type { Reply } from '#protocol/wire.ts';
import { type MessageOutcome, outcomeOf } from '../../actions/send-operations.ts';
import type { SluiceClient } from '../../client.ts';
import { RejectedError } from '../../errors.ts';
import type { Identity } from '../../session.ts';
import type { KeySigner } from '../../signer.ts';
import { settled } from '../../transport.ts';
import type { Tally } from '../tally.ts';

export interface VenueOptions {
  readonly client: SluiceClient;
  /** In the order of the publisher set. */
  readonly publishers: readonly KeySigner[];
  /** Until when messages are valid, ms: after the last row. */
  readonly validUntil: number;
  readonly tally: Tally;
}

/** Half width of a report, of the price. */
const CONFIDENCE_PPM = 100;
const MILLION = 1_000_000;

export class Venue {
  private readonly options: VenueOptions;
  private readonly nonces = new Map<number, number>();
  /** Operations that were refused, by code. */
  readonly refusals = new Map<string, number>();

  constructor(options: VenueOptions) {
    this.options = options;
  }

  /** All publishers report the same price; resolves when the exchange has all reports. */
  async report(market: number, timeMs: number, price: number): Promise<void> {
    const { client, publishers } = this.options;
    const { session } = client;
    const confidence = Math.max(1, Math.round((price * CONFIDENCE_PPM) / MILLION));
    await Promise.all(
      publishers.map((signer, publisher) => {
        const unsigned = { market, publisher, time: timeMs, sequence: timeMs, price, confidence };
        const signature = signer.signDigest(session.context.digests.report(unsigned));
        return settled<undefined>((settle) =>
          session.transport.sendPriceReport(market, encodeReport({ ...unsigned, signature }), settle),
        );
      }),
    );
  }

  /** Undefined when the message was refused as a whole: the account may not do that now. */
  async send(
    { signer, account }: Identity,
    operations: readonly Operation[],
  ): Promise<MessageOutcome | undefined> {
    const { client, tally, validUntil } = this.options;
    const { session } = client;
    const nonce = (this.nonces.get(account) ?? 0) + 1;
    this.nonces.set(account, nonce);
    const unsigned = encodeUnsignedMessage({ account, nonce, validUntil, operations });
    const message = concat(unsigned, (signer as KeySigner).signMessage(session.context, unsigned));
    const start = performance.now();
    try {
      const reply = await settled<Reply>((settle) => session.transport.sendMessage(message, settle));
      const outcome = outcomeOf(reply);
      tally.replied(outcome.results, (performance.now() - start) * 1_000);
      for (const { code, filledSize } of outcome.results) {
        if (filledSize > 0) tally.fills++;
        if (code !== undefined) this.refuse(code);
      }
      return outcome;
    } catch (error) {
      if (!(error instanceof RejectedError)) throw error;
      tally.refused(operations.length);
      this.refuse(error.code);
      return undefined;
    }
  }

  private refuse(code: string): void {
    this.refusals.set(code, (this.refusals.get(code) ?? 0) + 1);
  }
}
