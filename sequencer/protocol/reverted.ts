/** What a strike makes void of what clients were told. */

/** A strike ended `epoch`: receipts of it, or of earlier ones, for command `fromSeq` or a later one are void. */
export interface Reverted {
  readonly epoch: number;
  readonly fromSeq: number;
}

/** Whether one of the strikes, as a greeting names them, has made the receipt void. */
export const isReverted = (
  receipt: { readonly epoch: number; readonly seq: number },
  reverted: readonly Reverted[],
): boolean => reverted.some(({ epoch, fromSeq }) => receipt.epoch <= epoch && receipt.seq >= fromSeq);
