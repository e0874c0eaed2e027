/**
 * Executes commands once more with a trace that gathers witnesses, up to what the posted segments claim or to the first
 * command that can't be executed.
 */
import { Engine } from '#engine/engine.ts';
import { viewOf } from '#protocol/bytes.ts';
import { COMMAND_KINDS_MAX, type Command, recordBytes, recordKind, recordTime } from '#protocol/command.ts';
import { RECORD_BODY_BYTES_MAX, RECORD_HEADER_BYTES } from '#protocol/limits.ts';
import type { ExchangeState } from '#state/exchange-state.ts';
import type { StateTrees } from '#state/state-root.ts';
import { type WitnessedSegment, WitnessTrace, type WitnessTraceOptions } from './segment-witness.ts';

export class SegmentReplay {
  readonly state: ExchangeState;
  readonly trees: StateTrees;
  private readonly trace: WitnessTrace;
  private readonly engine: Engine;
  private isFinished = false;

  /** `state` is as a command left it. */
  constructor(options: WitnessTraceOptions) {
    this.state = options.state;
    this.trees = options.trees;
    this.trace = new WitnessTrace(options);
    this.engine = new Engine(options.state, this.trace);
  }

  /** Nothing more is to be learned from further commands. */
  get isDone(): boolean {
    return this.isFinished || this.trace.isDone;
  }

  /** Number of the next step. */
  get nextStep(): number {
    return this.trace.nextStep;
  }

  /** Executes a whole record; gives the segments that ended. The one with a fault is the last. */
  apply(command: Command): WitnessedSegment[] {
    if (this.isDone) return [];
    const { trace, engine, state } = this;
    if (isBadRecord(command.record, state.now)) {
      trace.finish(true);
      this.isFinished = true;
      return trace.takeWitnessed();
    }
    const isInadmissible = engine.admit(command, recordTime(viewOf(command.record))) !== 0;
    trace.begin(command, isInadmissible);
    try {
      engine.apply(command);
    } catch (error) {
      if (!isInadmissible) throw error;
    }
    trace.end();
    if (isInadmissible) this.finish();
    return trace.takeWitnessed();
  }

  /** There are no more commands. */
  end(): WitnessedSegment[] {
    if (!this.isDone) this.finish();
    return this.trace.takeWitnessed();
  }

  /** Brings what was executed into the trees where no segment is being watched. */
  bringTrees(): void {
    this.trace.bringTrees();
  }

  private finish(): void {
    this.trace.finish();
    this.isFinished = true;
  }
}

/** A record of which no contract lets a step begin: fault BAD_RECORD. */
export function isBadRecord(record: Uint8Array, now: number): boolean {
  const view = viewOf(record);
  return (
    record.length < RECORD_HEADER_BYTES ||
    record.length > RECORD_HEADER_BYTES + RECORD_BODY_BYTES_MAX ||
    record.length !== recordBytes(view) ||
    recordKind(view) < 1 ||
    recordKind(view) > COMMAND_KINDS_MAX ||
    record[5] !== 0 ||
    recordTime(view) < now
  );
}
