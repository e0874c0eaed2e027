import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Authenticator, createAuthenticator, type Verdict } from '#auth/authenticator.ts';
import { type SignedItem, VERIFY_LOGIN, VERIFY_MESSAGE, VERIFY_REPORT } from '#auth/verification-batch.ts';
import { concat, toHex } from '#protocol/bytes.ts';
import { encodeReport } from '#protocol/price-report.ts';
import { Reject } from '#protocol/reject.ts';
import { encodeLogin, frameBody } from '#protocol/wire.ts';
import { signDigest, signedMessage, TEST_DOMAIN, testKey, testSigning } from './keys.ts';

const show = (verdict: Verdict | undefined): string | number | undefined =>
  verdict instanceof Uint8Array ? toHex(verdict) : verdict;

const messageBy = (n: number): SignedItem => ({
  kind: VERIFY_MESSAGE,
  bytes: signedMessage(
    {
      account: n,
      nonce: n,
      validUntil: 9_000,
      operations: [{ kind: 'cancel', market: 1, by: 'order', id: n }],
    },
    testKey(n),
  ),
});

const loginBy = (n: number, account = n): SignedItem => {
  const signature = signDigest(testSigning.login(account, 5_000), testKey(n));
  return { kind: VERIFY_LOGIN, bytes: frameBody(encodeLogin(1, { account, time: 5_000, signature })) };
};

const reportBy = (n: number): SignedItem => {
  const fields = { market: 4, publisher: 2, time: 1_000, sequence: n, price: 100, confidence: 3 };
  const signature = signDigest(testSigning.report(fields), testKey(n));
  return { kind: VERIFY_REPORT, bytes: concat(Uint8Array.of(4, 0), encodeReport({ ...fields, signature })) };
};

describe('two workers', () => {
  let authenticator: Authenticator;
  beforeAll(async () => {
    authenticator = await createAuthenticator({
      domain: TEST_DOMAIN,
      workers: 2,
      pendingMax: 300,
      onFatal: (error) => {
        throw error;
      },
    });
  });
  afterAll(() => authenticator.close());

  test('messages, reports and logins, good and bad, come back in order', async () => {
    const items = [messageBy(1), reportBy(2), loginBy(3), messageBy(4), loginBy(5)];
    const bad = items[3]!.bytes.slice();
    bad[bad.length - 1] = 0;
    items[3] = { kind: VERIFY_MESSAGE, bytes: bad };
    items.push({ kind: VERIFY_MESSAGE, bytes: Uint8Array.of(1, 2, 3) }, { kind: VERIFY_LOGIN, bytes: bad });
    const verdicts = await authenticator.verify(items);
    expect(verdicts.map(show)).toEqual([
      toHex(testKey(1).address),
      toHex(testKey(2).address),
      toHex(testKey(3).address),
      Reject.BAD_SIGNATURE,
      toHex(testKey(5).address),
      Reject.BAD_SIGNATURE,
      Reject.BAD_SIGNATURE,
    ]);
  });

  test('a batch is split over threads and joined in order', async () => {
    const items = Array.from({ length: 200 }, (_, i) => messageBy(i + 1));
    const [first, second] = await Promise.all([
      authenticator.verify(items),
      authenticator.verify(items.slice(0, 50)),
    ]);
    expect(first!.map(show)).toEqual(items.map((_, i) => toHex(testKey(i + 1).address)));
    expect(second!.map(show)).toEqual(first!.slice(0, 50).map(show));
    expect(authenticator.pending).toBe(0);
  });

  test('what is beyond the bound is busy, and there is room again afterwards', async () => {
    const items = Array.from({ length: 310 }, () => messageBy(1));
    const full = authenticator.verify(items);
    expect(authenticator.pending).toBe(300);
    const refused = await authenticator.verify([messageBy(2)]);
    expect(refused).toEqual([Reject.BUSY]);
    const verdicts = await full;
    expect(verdicts.filter((verdict) => verdict === Reject.BUSY).length).toBe(10);
    expect(verdicts.slice(300)).toEqual(new Array(10).fill(Reject.BUSY));
    expect(show((await authenticator.verify([messageBy(2)]))[0])).toBe(toHex(testKey(2).address));
  });
});

describe('a worker that dies', () => {
  const program = new URL('./crashing-worker.ts', import.meta.url);
  const poison = (): SignedItem => loginBy(1, 0xdead);

  test('its items are busy, it is replaced, and after too many deaths the process is told to stop', async () => {
    const lost: Error[] = [];
    let reportFatal: (error: Error) => void = () => {};
    const fatal = new Promise<Error>((resolve) => {
      reportFatal = resolve;
    });
    const authenticator = await createAuthenticator({
      domain: TEST_DOMAIN,
      workers: 1,
      program,
      onFatal: reportFatal,
      onWorkerLost: (error) => lost.push(error),
    });
    for (let crash = 1; crash <= 4; crash++) {
      expect(await authenticator.verify([poison(), messageBy(3)])).toEqual([Reject.BUSY, Reject.BUSY]);
      expect(show((await authenticator.verify([messageBy(3)]))[0])).toBe(toHex(testKey(3).address));
      expect(lost.length).toBe(crash);
    }
    expect(await authenticator.verify([poison()])).toEqual([Reject.BUSY]);
    expect((await fatal).message).toContain('got 5');
    expect(await authenticator.verify([messageBy(3)])).toEqual([Reject.BUSY]);
    expect(authenticator.pending).toBe(0);
    await authenticator.close();
  });

  test('a program that does not start is an error at once', async () => {
    await expect(
      createAuthenticator({
        domain: TEST_DOMAIN,
        workers: 1,
        program: new URL('./no-such-worker.ts', import.meta.url),
        onFatal: () => {},
      }),
    ).rejects.toThrow('signature workers: expected every thread to start');
  });
});
