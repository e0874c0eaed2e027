/** The arithmetic of liquidations (margin.md section 7), in bigint where products exceed 2^53. */
import { divDown } from '#protocol/fixed-point.ts';

/** CM = ⌊2 · MM / 3⌋, q: below it the book is left for the auction. */
export const closeOut = (maintenance: number): number => divDown(2 * maintenance, 3);
