/**
 * Group commit: what was applied gathers in the open group while the one before is being flushed. One flush is
 * in flight at a time; when it is done the next one starts with whatever has come meanwhile, and only then is
 * anybody told of the group that is now durable.
 */
import type { Seq } from '#protocol/units.ts';
import type { ExchangeState } from '#state/exchange-state.ts';
import { Group } from './group.ts';
import type { Journal, StateMark } from './ports.ts';
import { stateDigest } from './state-digest.ts';

export interface GroupCommitOptions {
  readonly journal: Journal;
  readonly state: ExchangeState;
  readonly epoch: number;
  /** Commands between two state marks in the journal. */
  readonly markEvery: number;
  /** The group is durable: answer, publish. It is reused afterwards. */
  readonly tell: (group: Group) => void;
  /** There is room again. */
  readonly onRoom: () => void;
  readonly onFatal: (error: unknown) => void;
}

export class GroupCommit {
  /** Where applied commands and their answers go. */
  open = new Group();
  /** Last command that is durable. */
  durableSeq: Seq;
  readonly totals = { flushes: 0, commands: 0, bytes: 0 };

  private readonly options: GroupCommitOptions;
  private inFlight: Group | undefined;
  /** Three are in use at most: one gathers, one is flushed, one is told. */
  private readonly free = [new Group(), new Group()];
  private lastMark: Seq;
  private dead = false;

  constructor(options: GroupCommitOptions) {
    this.options = options;
    this.durableSeq = options.journal.lastSeq;
    this.lastMark = options.journal.lastSeq;
  }

  /** Nothing is in flight and nothing waits. */
  get idle(): boolean {
    return this.inFlight === undefined && this.open.empty;
  }

  /** Starts a flush unless one is in flight or there is nothing to flush. `mark` asks for a state mark. */
  flush(mark = false): void {
    if (this.inFlight !== undefined || this.dead) return;
    const group = this.open;
    if (group.empty) return;
    this.inFlight = group;
    this.open = this.free.pop() ?? new Group();
    // Refusals alone need no frame: what they read is durable, as no flush is in flight.
    if (group.commands === 0) {
      this.onDurable(group);
      return;
    }
    const { journal, epoch, onFatal } = this.options;
    journal
      .append({
        epoch,
        after: journal.head.hash,
        firstSeq: group.firstSeq,
        count: group.commands,
        payload: group.entries.payload,
        ...this.markIfDue(mark),
      })
      .then(
        () => this.onDurable(group),
        (cause: unknown) => {
          this.dead = true;
          const range = `${group.firstSeq} to ${group.lastSeq}`;
          onFatal(
            new Error(`journal: expected commands ${range} to become durable, the write failed`, { cause }),
          );
        },
      );
  }

  private markIfDue(mark: boolean): { mark?: StateMark } {
    const { state, markEvery } = this.options;
    if (!mark && state.seq - this.lastMark < markEvery) return {};
    this.lastMark = state.seq;
    return { mark: { seq: state.seq, engineVersion: state.engineVersion, stateHash: stateDigest(state) } };
  }

  private onDurable(group: Group): void {
    const { tell, onRoom, onFatal } = this.options;
    try {
      this.inFlight = undefined;
      if (group.commands > 0) {
        this.durableSeq = group.lastSeq;
        this.totals.flushes++;
        this.totals.commands += group.commands;
        this.totals.bytes += group.entries.length;
      }
      // The disk works on the next group while this one is told; refusals alone keep their place in line.
      if (this.open.commands > 0) this.flush();
      tell(group);
      group.reset();
      this.free.push(group);
      this.flush();
    } catch (error) {
      this.dead = true;
      onFatal(error);
      return;
    }
    onRoom();
  }
}
