/** How far the liquidation of one account has come (margin.md section 7). */

/** Its orders are canceled, and it may only reduce. */
export const PHASE_RESTRICTED = 1;
/** Its positions are sold on the book, slice by slice. */
export const PHASE_BOOK = 2;
export const PHASE_AUCTION = 3;
export const PHASE_BACKSTOP = 4;
export const PHASE_DELEVERAGING = 5;
export const PHASE_NAMES = ['', 'restricted', 'book', 'auction', 'backstop', 'deleveraging'] as const;

export class Liquidation {
  phase = PHASE_RESTRICTED;
  /** ms: of the phase, and of the whole. */
  phaseBegan: number;
  readonly began: number;
  /** Market and time of the last slice, ms; zeros while there was none. */
  market = 0;
  sliceTime = 0;

  constructor(began: number) {
    this.began = began;
    this.phaseBegan = began;
  }
}
