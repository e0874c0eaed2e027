/** Attacks on what is posted of an honest execution: header, trace, diff, totals, inputs. Hashes and signature follow. */
import type { Attack } from './attack.ts';
import { BYTES_ROWS } from './posted-bytes.ts';
import { TRACE_ROWS } from './posted-trace.ts';

export const byPosting = (): Attack[] =>
  [...TRACE_ROWS, ...BYTES_ROWS].map(([name, scene, stepwise, alter]) => ({
    ...{ name: `batch: ${name}`, family: 'batch', scene, stepwise, isConsistent: false },
    forge: (stage) => stage.forge({}, (posted) => alter(posted, stage)),
  }));
