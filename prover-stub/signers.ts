/** Who signed the records of a batch: recovered in worker threads, or in this one. */
import { type Authenticator, createAuthenticator } from '#auth/authenticator.ts';
import { createRecover, signersOf } from '#auth/recover.ts';
import { type SignedItem, VERIFY_MESSAGE, VERIFY_REPORT } from '#auth/verification-batch.ts';
import { concat, viewOf } from '#protocol/bytes.ts';
import { MESSAGE, NO_SIGNERS, PRICE_ROUND, recordKind } from '#protocol/command.ts';
import type { Keccak } from '#protocol/hash.ts';
import { PRICE_REPORT_BYTES, PRICE_ROUND_HEADER_BYTES, RECORD_HEADER_BYTES } from '#protocol/limits.ts';
import { checkPriceRound } from '#protocol/price-report.ts';
import { type Domain, SigningDomain } from '#protocol/signing.ts';

export interface SignerSource {
  /**
   * Of whole records: 20 bytes per signature in order, empty for kinds without signatures, undefined when the body
   * is malformed or any of its signatures is none.
   */
  recover(records: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]>;
  close(): Promise<void>;
}

/** In the caller's thread. */
export function signersHere(domain: Domain, keccak: Keccak): SignerSource {
  const signing = new SigningDomain(domain, keccak);
  const recover = createRecover(keccak);
  return {
    recover: (records) => Promise.resolve(records.map((record) => signersOf(record, signing, recover))),
    close: () => Promise.resolve(),
  };
}

/** In `workers` threads. `onFatal`: they keep dying, and records are recovered here from then on. */
export async function signersInThreads(
  domain: Domain,
  keccak: Keccak,
  options: { readonly workers: number; readonly onFatal: (error: Error) => void },
): Promise<SignerSource> {
  const pool = await createAuthenticator({ domain, ...options });
  return new PooledSigners(pool, signersHere(domain, keccak));
}

class PooledSigners implements SignerSource {
  private readonly pool: Authenticator;
  private readonly here: SignerSource;

  constructor(pool: Authenticator, here: SignerSource) {
    this.pool = pool;
    this.here = here;
  }

  async recover(records: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]> {
    const items = records.map(itemsOf);
    const verdicts = await this.pool.verify(items.flatMap((own) => own ?? []));
    let at = 0;
    const signers: (Uint8Array | undefined)[] = [];
    for (const [i, own] of items.entries()) {
      if (own === undefined) {
        signers.push(undefined);
        continue;
      }
      const mine = verdicts.slice(at, at + own.length);
      at += own.length;
      const addresses = mine.filter((verdict) => verdict instanceof Uint8Array);
      // The pool says neither yes nor no where it was busy: whatever was not an address is looked at once more.
      if (addresses.length === own.length) signers.push(own.length === 0 ? NO_SIGNERS : concat(...addresses));
      else signers.push((await this.here.recover([records[i]!]))[0]);
    }
    return signers;
  }

  close(): Promise<void> {
    return this.pool.close();
  }
}

/** The signed things in a record; undefined when it is malformed. */
function itemsOf(record: Uint8Array): SignedItem[] | undefined {
  const view = viewOf(record);
  switch (recordKind(view)) {
    case MESSAGE:
      return [{ kind: VERIFY_MESSAGE, bytes: record.subarray(RECORD_HEADER_BYTES) }];
    case PRICE_ROUND: {
      if (!checkPriceRound(view, RECORD_HEADER_BYTES, record.length - RECORD_HEADER_BYTES)) return undefined;
      const market = record.subarray(RECORD_HEADER_BYTES, RECORD_HEADER_BYTES + 2);
      return Array.from({ length: view.getUint8(RECORD_HEADER_BYTES + 2) }, (_, i) => {
        const at = RECORD_HEADER_BYTES + PRICE_ROUND_HEADER_BYTES + i * PRICE_REPORT_BYTES;
        return { kind: VERIFY_REPORT, bytes: concat(market, record.subarray(at, at + PRICE_REPORT_BYTES)) };
      });
    }
    default:
      return [];
  }
}
