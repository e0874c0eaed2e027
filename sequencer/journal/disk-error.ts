/** What a Disk rejects with: the operation, the path and a code that callers can switch on. */
import type { DiskErrorCode, DiskFailure } from '#pipeline/ports.ts';

export class DiskError extends Error implements DiskFailure {
  override readonly name = 'DiskError';
  readonly code: DiskErrorCode;
  readonly path: string;

  constructor(code: DiskErrorCode, path: string, detail: string, cause?: unknown) {
    super(`${path}: ${detail}`, cause === undefined ? undefined : { cause });
    this.code = code;
    this.path = path;
  }
}

/** The code of a disk's failure; undefined for any other error. */
export const diskErrorCode = (error: unknown): DiskErrorCode | undefined =>
  error instanceof DiskError ? error.code : undefined;
