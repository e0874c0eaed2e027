/** The arithmetic of a fill on one position (margin.md section 1). */
import { mulDivDown } from '#protocol/fixed-point.ts';
import { signOf } from '#protocol/units.ts';

/** A position after a fill, and what the fill realized; q and signed lots. */
export class FillOutcome {
  size = 0;
  v = 0;
  /** Moves to cash. */
  realized = 0;
}

/**
 * Size `s`, entry `v` after buying (side 0) or selling `lots` at `lotValue` q a lot. Reducing by |Δ| realizes
 * ⌊v·|Δ|/|s|⌋ + proceeds and v keeps the rest; a trade through zero is a reduction and an opening.
 */
export function fillOutcome(
  out: FillOutcome,
  position: { size: number; v: number },
  fill: { side: number; lots: number; lotValue: number },
): FillOutcome {
  const sign = signOf(fill.side as 0 | 1);
  let { size, v } = position;
  let realized = 0;
  let opening = fill.lots;
  if (size !== 0 && Math.sign(size) !== sign) {
    const held = Math.abs(size);
    const reducing = Math.min(held, fill.lots);
    const share = mulDivDown(v, reducing, held);
    realized = share - sign * reducing * fill.lotValue;
    v -= share;
    size += sign * reducing;
    opening -= reducing;
    if (size === 0) {
      realized += v;
      v = 0;
    }
  }
  if (opening > 0) {
    size += sign * opening;
    v -= sign * opening * fill.lotValue;
  }
  // Adding +0 keeps a negative zero out of the state.
  out.size = size + 0;
  out.v = v + 0;
  out.realized = realized + 0;
  return out;
}
