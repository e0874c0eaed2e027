/**
 * After a strike, on a real L1: an operator posts one wrong batch, a verifier strikes it by itself, the sequencer ends,
 * and its data are recovered into the new epoch. Twice. Clients are told what was reverted, and no money is lost.
 */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { signDigest } from '#auth/sign-digest.ts';
import type { SluiceClient } from '#client/client.ts';
import { claim, withdrawalProof } from '#client/exit.ts';
import { ReceiptKeeper, type RevertedReceipts } from '#client/receipts.ts';
import { keySigner } from '#client/signer.ts';
import { hashHeader, type SignedBatch, traceRoot } from '#protocol/batch.ts';
import { fromHex } from '#protocol/bytes.ts';
import { nobleKeccak as keccak } from '#protocol/hash.ts';
import { SigningDomain } from '#protocol/signing.ts';
import { type RunningVerifier, runVerifier, verifyOnce } from '#prover-stub/main.ts';
import type { SequencerSettings } from '#sequencer/config.ts';
import { recoverData } from '#sequencer/main/recover.ts';
import { runSequencer, type Sequencer } from '#sequencer/main.ts';
import { connectL1, type L1Client } from '#settlement/l1/client.ts';
import { rollupStatus, tokenBalance } from '#settlement/l1/vault-actions.ts';
import type { BatchSource } from '#settlement/submitter/batch-source.ts';
import { HttpBatchSource } from '#settlement/submitter/batch-source.ts';
import { Submitter } from '#settlement/submitter/submitter.ts';
import { sluice } from '../client/program.ts';
import { passSeconds } from '../settlement/l1-fixture.ts';
import { DEPOSIT, FundedL1 } from './funded-l1.ts';
import { committed, stageOf, trade } from './two-traders.ts';
import { until as untilSo } from './until.ts';

const SUBMITTER = 2;
const CHALLENGER = 3;
const WINDOW_SECONDS = 40;
const WITHDRAWN = 123_456_789;

let directory: string;
let l1: FundedL1;
let reader: L1Client;
let sequencer: Sequencer;
let submitter: Submitter;
let verifier: RunningVerifier;
let source: WrongSource;
const alerts: string[] = [];

/** What the sequencer has signed, but for one batch, of which a wrong one is posted that the same key has signed. */
class WrongSource implements BatchSource {
  httpUrl = '';
  /** The next batch above it is posted wrong. */
  wrongAfter: number | undefined;
  private wrong: SignedBatch | undefined;

  async get(id: number): Promise<SignedBatch | undefined> {
    const batch = await new HttpBatchSource(this.httpUrl).get(id);
    if (batch === undefined || this.wrongAfter === undefined || id !== this.wrongAfter + 1) return batch;
    this.wrong ??= this.wronged(batch);
    return batch.header.epoch === this.wrong.header.epoch ? this.wrong : batch;
  }

  isHonest(): void {
    this.wrongAfter = undefined;
    this.wrong = undefined;
  }

  /** Claims less work for its first segment than there was. */
  private wronged(batch: SignedBatch): SignedBatch {
    const [first, ...others] = batch.trace;
    const trace = [{ ...first!, weight: first!.weight - 1 }, ...others];
    const header = { ...batch.header, traceRoot: traceRoot(trace, batch.header, keccak) };
    const hash = hashHeader(header, new SigningDomain(l1.rollup.domain, keccak), keccak);
    return { ...batch, header, trace, hash, signature: signDigest(hash, fromHex(l1.sequencerKey)) };
  }
}

const settings = (data: string, port = 0): SequencerSettings => ({
  data: join(directory, data),
  port,
  l1: l1.devnet.url,
  rollup: l1.rollup.rollup,
  confirmations: 0,
  key: l1.sequencerKey,
  workers: 1,
  batchMs: 300,
  receiptMs: 40,
  snapshotCommands: 20,
  logLevel: 'silent',
});

const until = (what: string, isSo: () => Promise<boolean> | boolean): Promise<void> =>
  untilSo(what, isSo, () => alerts.join('; '));

/** Below those that systems give to outgoing connections: one that reconnects must not take it. */
async function freePort(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(10_000 * Math.random());
    const server = createServer();
    const isFree = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false));
      server.listen(port, '127.0.0.1', () => resolve(true));
    });
    if (!isFree) continue;
    await new Promise((resolve) => server.close(resolve));
    return port;
  }
}

async function start(data: string, port: number): Promise<void> {
  sequencer = await runSequencer(settings(data, port));
  source.httpUrl = sequencer.httpUrl;
  await until('the sequencer to be ready', async () => (await fetch(`${sequencer.httpUrl}/ready`)).ok);
}

const status = () => rollupStatus(reader, l1.rollup);

interface Book {
  readonly accounts: readonly unknown[];
  readonly orders: readonly unknown[];
}
/** What the traders own and have open. */
async function bookOf(clients: readonly SluiceClient[]): Promise<Book> {
  const accounts = [];
  const orders = [];
  for (const client of clients) {
    const { cash, positions } = (await client.session.query('account', {
      account: client.account!,
    })) as unknown as Record<string, unknown>;
    accounts.push({ cash, positions });
    orders.push(await client.session.query('open-orders', { account: client.account! }));
  }
  return { accounts, orders };
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sluice-recover-'));
  l1 = await FundedL1.start(2, { windowSeconds: WINDOW_SECONDS });
  const { devnet, rollup } = l1;
  reader = await connectL1({ url: devnet.url, key: devnet.accounts[0]!.key });
  source = new WrongSource();
  await start('one', await freePort());
  submitter = new Submitter({
    l1: await connectL1({ url: devnet.url, key: devnet.accounts[SUBMITTER]!.key }),
    rollup,
    source,
    directory: join(directory, 'submitter'),
    pollMs: 100,
    alert: ({ message }) => alerts.push(message),
  });
  await submitter.start();
  verifier = await runVerifier({
    ...{ l1: devnet.url, data: join(directory, 'verifier'), port: 0, workers: 0, pollMs: 50 },
    challengeKey: fromHex(devnet.accounts[CHALLENGER]!.key),
  });
  await l1.reportPrice(sequencer.url);
}, 120_000);
afterAll(async () => {
  await verifier?.stop();
  await submitter?.stop();
  await sequencer?.stop();
  await l1?.devnet.stop();
  await rm(directory, { recursive: true, force: true });
}, 60_000);

/** Posts a wrong batch while the clients trade on, until the sequencer has ended; resolves with its last command. */
async function struck(clients: readonly SluiceClient[]): Promise<number> {
  const { committedId, epoch } = await status();
  source.wrongAfter = Math.max(committedId, submitter.status().committed + submitter.status().inFlight);
  const seqs: number[] = [];
  const ended = sequencer.failed;
  let isOver = false;
  void ended.then(() => {
    isOver = true;
  });
  const refusals: string[] = [];
  while (!isOver) {
    try {
      seqs.push(...(await trade(clients, 1)));
    } catch (error) {
      refusals.push((error as Error).message);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const sentence = (await ended).message;
  expect(sentence).toContain(`batch ${source.wrongAfter + 1} was struck on L1`);
  expect(sentence).toContain('sluice recover --data');
  const refused = await clients[0]!.sendOperations([{ kind: 'cancel-all' }]).then(
    () => 'taken',
    (error: { code: string }) => error.code,
  );
  expect(refused).toBe('BATCH_STRUCK');
  // Nothing of it stays, and no commit of the old epoch comes through.
  expect(await status()).toMatchObject({ committedId: source.wrongAfter, epoch: epoch + 1, bondWei: 0n });
  expect(seqs.length).toBeGreaterThan(0);
  return seqs.at(-1)!;
}

describe('after a strike', () => {
  it('the data go on in the new epoch, and clients know what was reverted; and so after a second one', async () => {
    const clients = await l1.connect(sequencer.url);
    const reversals: RevertedReceipts[] = [];
    const problems: unknown[] = [];
    const file = join(directory, 'receipts.jsonl');
    const keeper = await ReceiptKeeper.start(clients[0]!.session, {
      sequencer: fromHex(l1.rollup.sequencer),
      file,
      onReverted: (reverted) => reversals.push(reverted),
      onProblem: (problem) => problems.push(problem),
    });
    const early = await trade(clients, 20);
    await committed(early.at(-1)!, clients[0]!);
    const { port } = sequencer;

    for (const [round, [data, into]] of [
      ['one', 'two'],
      ['two', 'three'],
    ].entries()) {
      const { seq: withdrawal, results } = await clients[0]!.sendOperations([
        { kind: 'withdraw', asset: 0, amount: WITHDRAWN },
      ]);
      expect(results[0]).toMatchObject({ status: 'done' });
      const last = await struck(clients);
      expect(last).toBeGreaterThan(withdrawal);
      const before = await bookOf(clients);
      expect(await stageOf(clients[0]!, last)).toBe('journaled');
      await sequencer.stop();

      // Neither on the old data, nor on a recovery that was cut short.
      await expect(runSequencer(settings(data!))).rejects.toThrow(
        new RegExp(`a strike on L1 ended epoch ${round + 1}.*sluice recover --data`),
      );
      const shown = await sluice([
        ...['recover', '--data', join(directory, data!), '--into', join(directory, into!)],
        ...['--l1', l1.devnet.url, '--confirmations', '0', '--json'],
      ]);
      expect(shown.err).not.toMatch(/error/);
      expect(shown.code).toBe(0);
      const recovered = JSON.parse(shown.out) as Awaited<ReturnType<typeof recoverData>>;
      expect(recovered).toMatchObject({
        ...{ struckEpoch: round + 1, epoch: round + 2, batchId: source.wrongAfter },
        replaced: [],
      });
      expect(recovered.fromSeq).toBeLessThanOrEqual(last);
      expect(recovered.lastSeq).toBeGreaterThan(last);
      await expect(
        recoverData({
          ...{ data: join(directory, into!), into: join(directory, 'never'), l1: l1.devnet.url },
          ...{ rollup: undefined, confirmations: 0, segmentBytes: 2 ** 20 },
        }),
      ).rejects.toThrow(/got younger ones or none: start the sequencer/);
      expect(await readdir(join(directory, 'never')).catch(() => [])).toEqual([]);

      // What the strike took back is marked, whatever the sequencer says.
      const checked = await sluice(['receipts', '--l1', l1.devnet.url, '--file', file, '--json']);
      const standings = JSON.parse(checked.out) as { epoch: number; seq: number; state: string }[];
      for (const { seq, state } of standings)
        expect(state).toBe(seq >= recovered.fromSeq ? 'reverted' : 'confirmed');
      expect(standings.filter(({ state }) => state === 'reverted').length).toBeGreaterThan(0);

      // Nothing is committed without a bond, and the submitter says so.
      source.isHonest();
      await start(into!, port);
      await until('the submitter to ask for the bond', () =>
        alerts.some((alert) => alert.includes('sluice bond top-up')),
      );
      const paid = await sluice([
        ...['bond', 'top-up', '--l1', l1.devnet.url, '--key', l1.devnet.accounts[0]!.key],
      ]);
      expect(paid.out).toMatch(/full/);
      alerts.length = 0;

      await until('the clients to be back', () => clients.every((client) => client.isConnected));
      expect(clients[0]!.reverted.at(-1)).toEqual({ epoch: round + 1, fromSeq: recovered.fromSeq });
      await until('the reversal to be told', () => reversals.length === round + 1);
      expect(reversals[round]!.by).toEqual({ epoch: round + 1, fromSeq: recovered.fromSeq });
      expect(reversals[round]!.receipts.map(({ receipt }) => receipt.seq)).toEqual(
        // The clock and prices went on after the last order until the sequencer saw the strike.
        keeper.kept
          .filter(({ receipt: { epoch, seq } }) => epoch <= round + 1 && seq >= recovered.fromSeq)
          .map(({ receipt }) => receipt.seq),
      );
      // Nothing was changed by these rules, so everybody has what they had.
      expect(await bookOf(clients)).toEqual(before);

      await l1.reportPrice(sequencer.url);
      const [later] = (await trade(clients, 3)).slice(-1);
      const covered = await keeper.covering(later!);
      expect(covered.receipt.epoch).toBe(round + 2);
      await committed(later!, clients[0]!);
      expect(await status()).toMatchObject({ epoch: round + 2 });
      expect(await verifyOnce({ l1: l1.devnet.url, workers: 0 })).toMatchObject({ verdict: 'verified' });
      expect(verifier.challenges()).toMatchObject({ struck: round + 1 });
    }
    expect(problems).toEqual([]);

    // Money goes out, exactly what was asked for in the two stretches that were struck.
    const signer = keySigner(l1.trader(0).key);
    const owner = l1.trader(0).address;
    await passSeconds(reader, WINDOW_SECONDS + 1);
    let proof: Awaited<ReturnType<typeof withdrawalProof>>;
    await until('both withdrawals to be final', async () => {
      proof = await withdrawalProof(clients[0]!.session, owner);
      return proof?.total === BigInt(2 * WITHDRAWN);
    });
    expect(signer.address).toEqual(fromHex(owner));
    await claim(reader, l1.rollup, proof!);
    expect(await tokenBalance(reader, l1.rollup, { address: owner })).toBe(BigInt(2 * WITHDRAWN));
    expect(await tokenBalance(reader, l1.rollup, { address: l1.rollup.vault })).toBe(
      BigInt(2 * DEPOSIT - 2 * WITHDRAWN),
    );
    await keeper.close();
    for (const client of clients) await client.close();
  }, 280_000);
});
