/** What the stores beside the journal reject with. */

export type StoreErrorCode =
  /** The store is not where it should be, or can not be opened. */
  | 'not-open'
  | 'locked'
  /** A value differs from what was written. */
  | 'corrupt'
  /** Something that should be there is not. */
  | 'missing'
  /** The signer's memory forbids it. */
  | 'signed-other'
  | 'stale-epoch'
  | 'wrong-parent'
  /** A batch was given that the signer's memory does not know. */
  | 'not-remembered'
  /** A flush failed: what was acknowledged stays, what was gathered since is in the journal. */
  | 'write-failed';

export class StoreError extends Error {
  override readonly name = 'StoreError';
  readonly code: StoreErrorCode;
  /** Directory of the store. */
  readonly store: string;

  constructor(code: StoreErrorCode, store: string, detail: string, cause?: unknown) {
    super(`${store}: ${detail}`, cause === undefined ? undefined : { cause });
    this.code = code;
    this.store = store;
  }
}
