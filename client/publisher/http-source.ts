/**
 * Prices out of JSON documents behind addresses: each feed is asked again and again by itself, and a price that has not been
 * confirmed for a while is none. An answer that is late, too long, of another form or not above zero changes nothing.
 */
import type { MarketConfig } from '#protocol/market.ts';
import { SluiceError } from '../errors.ts';
import type { PriceSource, SourcedPrice } from './price-source.ts';

export interface HttpFeed {
  readonly market: MarketConfig;
  readonly url: string;
  /** Names of objects and places of arrays that lead to the price, from the outside in. */
  readonly path: readonly string[];
  /** The price is the number that stands there times 10^scale; default 0. */
  readonly scale?: number;
}

export interface HttpSourceOptions {
  readonly feed: HttpFeed;
  /** Between the end of an answer and the next question; default 1 s. */
  readonly pollMs?: number;
  /** Until a question counts as not answered; default 2 s. */
  readonly timeoutMs?: number;
  /** How long a price holds without another; default 5 s. */
  readonly maxAgeMs?: number;
  /** Half width of the reports, parts per million of the price; default 100. */
  readonly confidencePpm?: number;
  readonly onTrouble?: (error: SluiceError) => void;
}

/** A price in a document is short, and a document that is not is not one of prices. */
const DOCUMENT_BYTES_MAX = 1_000_000;
const TICK_DECIMALS = 9;
const MILLION = 1_000_000;
export const SCALE_MAX = 18;

/**
 * Ticks of a decimal price, to the nearest: a JSON number, or a string as exchanges send them.
 * Throws INVALID_ARGUMENT when it is neither or not above zero.
 */
export function ticksOf(value: unknown, market: MarketConfig, scale = 0): number {
  const text = typeof value === 'number' ? value.toFixed(TICK_DECIMALS) : value;
  const match = typeof text === 'string' ? /^(\d{1,18})(?:\.(\d{1,30}))?$/.exec(text) : null;
  if (match === null) throw unusable('a decimal price', JSON.stringify(value) ?? 'nothing');
  const fraction = (match[2] ?? '').padEnd(30, '0');
  // In 1e-30, then in 1e-9 ticks of the market.
  const exact = BigInt(match[1]! + fraction);
  const unit = 10n ** BigInt(30 - TICK_DECIMALS - scale) * BigInt(market.tickSizeE9);
  const ticks = (exact + unit / 2n) / unit;
  if (ticks < 1n || ticks > 0xffff_ffffn) throw unusable('a price of 1 to 2^32 - 1 ticks', `${ticks}`);
  return Number(ticks);
}

/** What stands at a path of a document; undefined where the path leads nowhere. */
export function valueAt(document: unknown, path: readonly string[]): unknown {
  let value = document;
  for (const name of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
    value = (value as Record<string, unknown>)[name];
  }
  return value;
}

const unusable = (expected: string, got: string): SluiceError =>
  new SluiceError('INVALID_ARGUMENT', `price document: expected ${expected}, got ${got}`, {
    details: { expected, got },
  });

export class HttpSource implements PriceSource {
  private readonly options: HttpSourceOptions;
  private readonly stopping = new AbortController();
  private held: (SourcedPrice & { readonly at: number }) | undefined;
  private timer: NodeJS.Timeout | undefined;

  private constructor(options: HttpSourceOptions) {
    this.options = options;
  }

  /** Begins to ask at once. `stop` ends it. */
  static start(options: HttpSourceOptions): HttpSource {
    const source = new HttpSource(options);
    void source.ask();
    return source;
  }

  stop(): void {
    clearTimeout(this.timer);
    this.stopping.abort();
  }

  priceAt(market: number): SourcedPrice | undefined {
    const { held, options } = this;
    if (held === undefined || market !== options.feed.market.market) return undefined;
    if (performance.now() - held.at > (options.maxAgeMs ?? 5_000)) return undefined;
    return { price: held.price, confidence: held.confidence };
  }

  private async ask(): Promise<void> {
    const { feed, timeoutMs = 2_000, pollMs = 1_000, confidencePpm = 100, onTrouble } = this.options;
    // The price is as old as the question.
    const at = performance.now();
    try {
      const signal = AbortSignal.any([this.stopping.signal, AbortSignal.timeout(timeoutMs)]);
      const document: unknown = JSON.parse(await textOf(feed.url, signal));
      const price = ticksOf(valueAt(document, feed.path), feed.market, feed.scale);
      this.held = { price, confidence: Math.max(1, Math.round((price * confidencePpm) / MILLION)), at };
    } catch (cause) {
      if (this.stopping.signal.aborted) return;
      const reason = (cause as Error).message;
      onTrouble?.(new SluiceError('MALFORMED_ANSWER', `price feed ${feed.url}: ${reason}`, { cause }));
    }
    if (!this.stopping.signal.aborted) this.timer = setTimeout(() => void this.ask(), pollMs);
  }
}

async function textOf(url: string, signal: AbortSignal): Promise<string> {
  const response = await fetch(url, { signal, headers: { accept: 'application/json' } });
  if (!response.ok || response.body === null) throw unusable('status 200', `${response.status}`);
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body) {
    length += chunk.length;
    if (length > DOCUMENT_BYTES_MAX) throw unusable(`at most ${DOCUMENT_BYTES_MAX} bytes`, 'more');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
