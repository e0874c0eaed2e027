/** How the roles are, as their /status tells it: read strictly, so that a change of one is seen here and not in zeros. */
import { z } from 'zod';

const COUNT = z.number().int().nonnegative();
const AMOUNT = z.string().regex(/^-?\d+$/);

const SEQUENCER = z.object({
  journal: z.object({ durableSeq: COUNT, records: COUNT, bytes: COUNT, flushes: COUNT }),
  batches: z.object({ signed: COUNT, committed: COUNT, final: COUNT }),
});
const SUBMITTER = z.object({
  transactions: COUNT,
  gas: COUNT,
  calldataBytes: COUNT,
  blobs: COUNT,
  alerts: z.array(z.object({ message: z.string() })),
});
const VERIFIER = z.object({
  verified: COUNT,
  steps: COUNT,
  mismatches: COUNT,
  verdict: z.string(),
  head: z.object({ stateRoot: z.string().regex(/^0x[0-9a-f]{64}$/), seq: COUNT }),
  ledger: z.object({ batch: COUNT, owed: AMOUNT, withdrawn: AMOUNT }),
});

export interface Vitals {
  /** `durableSeq`: the last durable command; the others since the sequencer's start. */
  readonly journal: {
    readonly durableSeq: number;
    readonly records: number;
    readonly bytes: number;
    readonly flushes: number;
  };
  readonly batches: {
    readonly signed: number;
    readonly committed: number;
    readonly final: number;
  };
  readonly submitter: z.infer<typeof SUBMITTER>;
  readonly verifier: z.infer<typeof VERIFIER>;
}

export class VitalsError extends Error {
  override readonly name = 'VitalsError';
}

const ANSWER_MS_MAX = 5_000;

/** JSON of `BASE/status`. */
export async function fetchStatus(base: string): Promise<unknown> {
  const url = `${base}/status`;
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(ANSWER_MS_MAX) });
    if (response.ok) return await response.json();
    throw new Error(`expected status 200, got ${response.status}`);
  } catch (cause) {
    throw new VitalsError(`${url}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

/** Throws VitalsError naming the field when a role answers something else than agreed. */
export function vitalsOf(answers: {
  readonly sequencer: unknown;
  readonly submitter: unknown;
  readonly verifier: unknown;
}): Vitals {
  const read = <Shape>(name: string, shape: z.ZodType<Shape>, answer: unknown): Shape => {
    const parsed = shape.safeParse(answer);
    if (parsed.success) return parsed.data;
    const issue = parsed.error.issues[0]!;
    throw new VitalsError(`${name}: /status ${issue.path.join('.')}: ${issue.message}`);
  };
  const sequencer = read('sequencer', SEQUENCER, answers.sequencer);
  return {
    journal: sequencer.journal,
    batches: sequencer.batches,
    submitter: read('submitter', SUBMITTER, answers.submitter),
    verifier: read('verifier', VERIFIER, answers.verifier),
  };
}
