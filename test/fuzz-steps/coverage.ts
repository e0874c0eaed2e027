/** What a run of the differential fuzz has reached: kinds of step, reject codes, faults. */
import { Reject, rejectName } from '#protocol/reject.ts';
import type { WitnessedSegment } from '#prover-stub/segment-witness.ts';
import { faultName, StepFault } from '#prover-stub/step-outcome.ts';
import { StepKind } from '#state/trace.ts';

/** Codes that a step gives: those from the form of orders on but the oracle's, whose rounds are not admitted. */
export const STEP_CODES: readonly number[] = Object.values(Reject).filter(
  (code) =>
    code === Reject.NONE || code === Reject.UNKNOWN_ACCOUNT || (code >= 200 && code < 600) || code >= 700,
);

export class Coverage {
  readonly kinds = new Map<number, number>();
  readonly codes = new Map<number, number>();
  readonly faults = new Map<number, number>();
  segments = 0;
  steps = 0;
  /** Records whose admission the contract judged, and how many it refused. */
  judged = 0;
  refused = 0;
  /** Steps of the longest segment. */
  longest = 0;

  segment({ kinds }: WitnessedSegment): void {
    this.segments++;
    this.steps += kinds.length;
    this.longest = Math.max(this.longest, kinds.length);
    for (const kind of kinds) count(this.kinds, kind);
  }

  code(_kind: number, code: number): void {
    count(this.codes, code);
  }

  fault(fault: number): void {
    this.judged++;
    if (fault === StepFault.INADMISSIBLE || fault === StepFault.BAD_RECORD) this.refused++;
    count(this.faults, fault);
  }

  /** Names of step kinds, reject codes and faults that were not reached. */
  missing(): string[] {
    const kinds = Object.entries(StepKind).filter(([, kind]) => !this.kinds.has(kind));
    const codes = STEP_CODES.filter((code) => !this.codes.has(code));
    const faults = Object.values(StepFault).filter((fault) => !this.faults.has(fault));
    return [
      ...kinds.map(([name]) => name),
      ...codes.map(rejectName),
      ...faults.map((fault) => `fault ${faultName(fault)}`),
    ];
  }

  lines(): string[] {
    const table = (counts: ReadonlyMap<number, number>, name: (key: number) => string): string =>
      [...counts]
        .sort(([a], [b]) => a - b)
        .map(([key, number]) => `${name(key)} ${number}`)
        .join(', ');
    const kind = (number: number): string =>
      Object.entries(StepKind).find(([, one]) => one === number)?.[0] ?? `${number}`;
    const missing = this.missing();
    return [
      `segments ${this.segments}, steps ${this.steps}, longest segment ${this.longest} steps, records judged ${this.judged}, refused ${this.refused}`,
      `step kinds ${this.kinds.size} of ${Object.keys(StepKind).length}: ${table(this.kinds, kind)}`,
      `reject codes ${[...this.codes.keys()].filter((code) => STEP_CODES.includes(code)).length} of ${STEP_CODES.length}: ${table(this.codes, rejectName)}`,
      `faults: ${table(this.faults, faultName)}`,
      ...(missing.length === 0 ? [] : [`not reached: ${missing.join(', ')}`]),
    ];
  }
}

function count(counts: Map<number, number>, key: number): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
