/**
 * Durable commands on their way to a consumer that works in a thread of its own. They are handed on while it has
 * room; what it has no room for is read from the journal later, so the corridor never waits and memory stays bounded.
 */
import type { JournalSource } from './ports.ts';

export interface ThreadFeedOptions {
  /** In sentences about failures. */
  readonly name: string;
  readonly journal: JournalSource & { readonly lastSeq: number };
  /** The last command that the consumer does not need. */
  readonly after: number;
  readonly hasRoom: () => boolean;
  /** Entries (journal/entry.ts) in order; `payload` is given away. */
  readonly feed: (firstSeq: number, count: number, payload: Uint8Array) => void;
  /** The journal could not be read; nothing more is fed. */
  readonly onError: (error: Error) => void;
}

export class ThreadFeed {
  private readonly options: ThreadFeedOptions;
  /** Last command known to be durable, and last one fed. */
  durableSeq: number;
  fedSeq: number;
  /** Reads the journal instead of being handed commands. */
  isCatchingUp = false;
  private isEnded = false;
  private waiters: (() => void)[] = [];

  constructor(options: ThreadFeedOptions) {
    this.options = options;
    this.durableSeq = options.journal.lastSeq;
    this.fedSeq = options.after;
  }

  /** As a `CommandConsumer` is told. */
  onCommands(firstSeq: number, count: number, payload: Uint8Array): void {
    this.durableSeq = Math.max(this.durableSeq, firstSeq + count - 1);
    if (this.isCatchingUp || this.isEnded) return;
    if (firstSeq === this.fedSeq + 1 && this.options.hasRoom()) this.pass(firstSeq, count, payload.slice());
    else this.catchUp();
  }

  /** Reads from the journal until everything durable is fed. */
  catchUp(): void {
    if (this.isCatchingUp || this.isEnded || this.fedSeq >= this.durableSeq) return;
    this.isCatchingUp = true;
    this.readOn().then(
      () => {
        this.isCatchingUp = false;
        // Commands may have become durable since the last look.
        this.catchUp();
      },
      (error) => this.options.onError(error instanceof Error ? error : new Error(String(error))),
    );
  }

  /** Resolves when everything durable by now was fed, or nothing will be any more. */
  async caughtUp(): Promise<void> {
    const through = this.durableSeq;
    while (this.fedSeq < through && !this.isEnded) await this.room();
  }

  /** Resolves after the consumer has got on. */
  room(): Promise<void> {
    return new Promise((resolve) => this.waiters.push(resolve));
  }

  /** The consumer has got on: it may have room. */
  gotOn(): void {
    for (const wake of this.waiters.splice(0)) wake();
  }

  /** Feeds nothing more, and wakes whoever waits. */
  end(): void {
    this.isEnded = true;
    this.gotOn();
  }

  private pass(firstSeq: number, count: number, payload: Uint8Array): void {
    this.fedSeq = firstSeq + count - 1;
    this.options.feed(firstSeq, count, payload);
  }

  private async readOn(): Promise<void> {
    const through = this.durableSeq;
    const { journal, hasRoom, name } = this.options;
    for await (const record of journal.readFrom(this.fedSeq + 1, through)) {
      if (record.kind !== 'commands') continue;
      while (!hasRoom() && !this.isEnded) await this.room();
      if (this.isEnded) return;
      this.pass(record.firstSeq, record.count, record.payload.slice());
    }
    if (this.fedSeq < through && !this.isEnded)
      throw new Error(`${name}: expected the journal to reach command ${through}, got ${this.fedSeq}`);
  }
}
