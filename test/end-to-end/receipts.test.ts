/**
 * Receipts on a real L1 with a real sequencer: a client keeps them while it trades; all of them are confirmed by what
 * is committed, through a restart of the sequencer; and one that its key signed for another history takes its bond.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { signDigest } from '#auth/sign-digest.ts';
import { SluiceClient } from '#client/client.ts';
import type { ReceiptProblem } from '#client/receipt-check.ts';
import { ReceiptFile, readReceiptFile } from '#client/receipt-file.ts';
import { ReceiptKeeper } from '#client/receipts.ts';
import { fromHex } from '#protocol/bytes.ts';
import { nobleKeccak as keccak } from '#protocol/hash.ts';
import { hashReceipt, type Receipt, type SignedReceipt } from '#protocol/receipt.ts';
import { SigningDomain } from '#protocol/signing.ts';
import type { SequencerSettings } from '#sequencer/config.ts';
import { runSequencer, type Sequencer } from '#sequencer/main.ts';
import { connectL1, type L1Client } from '#settlement/l1/client.ts';
import { checkEquivocation, proveEquivocation, receiptsProof } from '#settlement/l1/equivocation.ts';
import { ReceiptJudge } from '#settlement/l1/receipt-standing.ts';
import { rollupStatus } from '#settlement/l1/vault-actions.ts';
import { HttpBatchSource } from '#settlement/submitter/batch-source.ts';
import { Submitter } from '#settlement/submitter/submitter.ts';
import { sluice } from '../client/program.ts';
import { FundedL1 } from './funded-l1.ts';
import { committed, trade } from './two-traders.ts';
import { until } from './until.ts';

const SUBMITTER = 2;
const WITNESS = 3;
let directory: string;
let l1: FundedL1;
let witness: L1Client;
let sequencer: Sequencer;
let submitter: Submitter | undefined;

const settings = (): SequencerSettings => ({
  data: join(directory, 'sequencer'),
  port: 0,
  l1: l1.devnet.url,
  rollup: l1.rollup.rollup,
  confirmations: 0,
  key: l1.sequencerKey,
  workers: 1,
  batchMs: 300,
  receiptMs: 40,
  logLevel: 'silent',
});

async function start(): Promise<void> {
  sequencer = await runSequencer(settings());
  await until('the sequencer to be ready', async () => (await fetch(`${sequencer.httpUrl}/ready`)).ok);
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sluice-receipts-'));
  l1 = await FundedL1.start(2);
  witness = await connectL1({ url: l1.devnet.url, key: l1.devnet.accounts[WITNESS]!.key });
  await start();
  submitter = new Submitter({
    l1: await connectL1({ url: l1.devnet.url, key: l1.devnet.accounts[SUBMITTER]!.key }),
    rollup: l1.rollup,
    source: new HttpBatchSource(sequencer.httpUrl),
    directory: join(directory, 'submitter'),
    alert: () => {},
  });
  await submitter.start();
  await l1.reportPrice(sequencer.url);
}, 120_000);
afterAll(async () => {
  await submitter?.stop();
  await sequencer?.stop();
  await l1?.devnet.stop();
  await rm(directory, { recursive: true, force: true });
});

describe('receipts', () => {
  it('cover every own command, and all are confirmed by what is committed, also after a restart', async () => {
    const file = join(directory, 'receipts.jsonl');
    const problems: ReceiptProblem[] = [];
    const clients = await l1.connect(sequencer.url);
    const options = {
      sequencer: fromHex(l1.rollup.sequencer),
      onProblem: (problem: ReceiptProblem) => problems.push(problem),
    };
    const keeper = await ReceiptKeeper.start(clients[0]!.session, { ...options, file });
    const seqs = await trade(clients, 8, { pauseMs: 30 });
    const last = await keeper.covering(seqs.at(-1)!);
    expect(last.receipt.epoch).toBe(1);
    // Of the three orders of a round two are the maker's.
    const own = keeper.kept.flatMap((kept) => kept.own.map(({ seq }) => seq));
    expect(own).toEqual(seqs.filter((_, i) => i % 3 !== 1));
    expect(keeper.kept.length).toBeGreaterThan(3);
    await committed(last.receipt.seq, clients[0]!);
    await keeper.close();
    for (const client of clients) await client.close();

    // Another process, the same history: what it signs continues what the client holds.
    await submitter!.stop();
    submitter = undefined;
    await sequencer.stop();
    await start();
    submitter = new Submitter({
      l1: await connectL1({ url: l1.devnet.url, key: l1.devnet.accounts[SUBMITTER]!.key }),
      rollup: l1.rollup,
      source: new HttpBatchSource(sequencer.httpUrl),
      directory: join(directory, 'submitter'),
      alert: () => {},
    });
    await submitter.start();
    await l1.reportPrice(sequencer.url);
    const again = await l1.connect(sequencer.url);
    const second = await ReceiptKeeper.start(again[0]!.session, { ...options, file });
    const later = await trade(again, 4, { pauseMs: 30 });
    const end = await second.covering(later.at(-1)!);
    await second.close();
    // The clock may have gone on: the newest receipt can be of a later command.
    await committed(second.kept.at(-1)!.receipt.seq, again[0]!);
    for (const client of again) await client.close();

    expect(problems).toEqual([]);
    const kept = await readReceiptFile(file);
    expect(kept.length).toBeGreaterThan(keeper.kept.length);
    const judge = new ReceiptJudge(witness, l1.rollup, keccak);
    for (const { receipt } of kept)
      expect(await judge.standing(receipt)).toMatchObject({ state: 'confirmed' });
    const program = await sluice(['receipts', '--l1', l1.devnet.url, '--file', file, '--json']);
    expect(program.code).toBe(0);
    const states = (JSON.parse(program.out) as { state: string }[]).map(({ state }) => state);
    expect(new Set(states)).toEqual(new Set(['confirmed']));
    expect(states.length).toBe(kept.length);
    const fetched = await sluice([
      'receipts',
      'get',
      `${end.receipt.seq}`,
      '--url',
      sequencer.url,
      '--l1',
      l1.devnet.url,
      '--file',
      file,
    ]);
    expect(fetched.out).toContain(`receipt ${end.receipt.seq} of epoch 1 covers command ${end.receipt.seq}`);
  }, 180_000);

  it('of a second history that the same key tells elsewhere contradict what was committed', async () => {
    const file = join(directory, 'elsewhere.jsonl');
    const liar = await runSequencer({ ...settings(), data: join(directory, 'elsewhere') });
    try {
      await until('the liar to be ready', async () => (await fetch(`${liar.httpUrl}/ready`)).ok);
      const client = await SluiceClient.connect({ url: liar.url });
      const problems: ReceiptProblem[] = [];
      const keeper = await ReceiptKeeper.start(client.session, {
        sequencer: fromHex(l1.rollup.sequencer),
        file,
        onProblem: (problem) => problems.push(problem),
      });
      // By itself its history has no fault: only L1 knows the other one.
      const { receipt } = await keeper.covering(1);
      await keeper.close();
      await client.close();
      expect(problems).toEqual([]);
      const standing = await new ReceiptJudge(witness, l1.rollup, keccak).standing(receipt);
      if (standing.state !== 'contradicted')
        throw new Error(`expected a contradiction, got ${standing.state}`);
      await checkEquivocation(witness, l1.rollup, standing.proof);
    } finally {
      await liar.stop();
    }
  }, 60_000);

  it('for another history, signed with the same key, take the bond; honest and void ones do not', async () => {
    const file = join(directory, 'forged.jsonl');
    const [honest] = (await readReceiptFile(join(directory, 'receipts.jsonl'))).slice(2);
    const sign = (receipt: Receipt): SignedReceipt => ({
      ...receipt,
      signature: signDigest(
        hashReceipt(receipt, new SigningDomain(l1.rollup.domain, keccak), keccak),
        fromHex(l1.sequencerKey),
      ),
    });
    const { signature: _, ...fields } = honest!.receipt;
    const forged = sign({ ...fields, inputHash: keccak(fields.inputHash) });
    const lost = sign({ ...forged, queueHash: keccak(fields.queueHash) });
    const ahead = sign({ ...forged, seq: 1_000_000 });
    const judge = new ReceiptJudge(witness, l1.rollup, keccak);
    expect(await judge.standing(lost)).toMatchObject({ state: 'void' });
    expect(await judge.standing(ahead)).toEqual({ state: 'open' });
    const standing = await judge.standing(forged);
    if (standing.state !== 'contradicted') throw new Error(`expected a contradiction, got ${standing.state}`);
    expect(standing.isPunished).toBe(false);

    // What does not count is refused before anything is paid.
    const pair = (a: SignedReceipt, b: SignedReceipt) => receiptsProof(a, b, b.inputHash, new Uint8Array(0));
    await expect(
      checkEquivocation(witness, l1.rollup, pair(honest!.receipt, honest!.receipt)),
    ).rejects.toThrow('NoContradiction');
    await expect(checkEquivocation(witness, l1.rollup, pair(honest!.receipt, lost))).rejects.toThrow(
      'VoidByReorg',
    );
    await checkEquivocation(witness, l1.rollup, pair(honest!.receipt, forged));

    const kept = await ReceiptFile.open(file);
    await kept.append({ receipt: forged, own: [], stretch: undefined });
    await kept.close();
    expect((await rollupStatus(witness, l1.rollup)).bondWei).toBe(l1.rollup.bondWei);
    const told = await sluice(['receipts', '--l1', l1.devnet.url, '--file', file]);
    expect(told.out).toMatch(/CONTRADICTED\s+by batch \d+/);
    const program = await sluice([
      'receipts',
      '--prove',
      '--l1',
      l1.devnet.url,
      '--file',
      file,
      '--key',
      l1.devnet.accounts[WITNESS]!.key,
    ]);
    expect(program.out).toContain('the bond of the sequencer is gone');
    expect((await rollupStatus(witness, l1.rollup)).bondWei).toBe(0n);
    expect(await judge.standing(forged)).toMatchObject({ state: 'contradicted', isPunished: true });
    await expect(proveEquivocation(witness, l1.rollup, standing.proof)).rejects.toThrow(/BondTooLow/);
    // What was true stays true.
    expect(await judge.standing(honest!.receipt)).toMatchObject({ state: 'confirmed' });
  }, 120_000);
});
