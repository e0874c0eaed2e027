/** Batches of the batcher on a real L1: the contracts take them, also where they end within a command. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { signDigest } from '#auth/sign-digest.ts';
import { BatchMaker } from '#batcher/batch-maker.ts';
import { FIRST_EPOCH, type SignedBatch } from '#protocol/batch.ts';
import { concat, fromHex } from '#protocol/bytes.ts';
import {
  CLOCK,
  type Command,
  encodeRecord,
  MESSAGE,
  NO_SIGNERS,
  PRICE_ROUND,
  QUEUE_ENTRY,
} from '#protocol/command.ts';
import { ZERO_HASH } from '#protocol/hash.ts';
import { COMMIT_CALLDATA_BYTES_MAX, SIGNATURE_BYTES } from '#protocol/limits.ts';
import { encodeUnsignedMessage } from '#protocol/message.ts';
import type { Operation } from '#protocol/operation.ts';
import { encodePriceRound } from '#protocol/price-report.ts';
import { encodeQueueEntry } from '#protocol/queue-entry.ts';
import { commitBatchBytes } from '#settlement/l1/batch-calldata.ts';
import { EventReader } from '#settlement/l1/events.ts';
import * as actions from '#settlement/l1/vault-actions.ts';
import { placeBatch } from '#state/batch-assembly.ts';
import { GENESIS_START } from '#state/batch-builder.ts';
import { applyDiff } from '#state/diff.ts';
import { withdrawnKey } from '#state/keys.ts';
import { StateTree } from '#state/state-tree.ts';
import { encodePath, prove } from '#state/tree-proof.ts';
import {
  ALICE,
  commit,
  finalize,
  type L1Fixture,
  passSeconds,
  startFixture,
} from '../settlement/l1-fixture.ts';
import { TEST_MARKET } from '../support/exchange.ts';
import { keccak, payloadOf } from './fixtures.ts';

const ORDERS = 40;

describe('batches of the batcher on L1', () => {
  let fixture: L1Fixture;
  beforeAll(async () => {
    fixture = await startFixture({ deploy: { markets: [TEST_MARKET] } });
  }, 60_000);
  afterAll(() => fixture?.devnet.stop());

  it('are committed one after the other, and pay a withdrawal against their ledger', async () => {
    const { rollup, l1, domain, sequencerKey, devnet } = fixture;
    const alice = fixture.as(ALICE);
    const owner = actions.addressOf(alice);
    await actions.mintTestTokens(alice, rollup, { address: owner, amount: 2_000_000_000 });
    await actions.approveVault(alice, rollup, { asset: 0 });
    await actions.deposit(alice, rollup, { asset: 0, amount: 1_000_000_000, subaccount: 0 });

    const reader = new EventReader(l1, rollup, { confirmations: 0 });
    const { events, through } = await reader.poll();
    const now = through!.timeMs;
    const own = (record: Uint8Array): Command => ({ record, signers: NO_SIGNERS });
    const commands: Command[] = events.flatMap((event) =>
      event.kind === 'queued' ? [own(encodeRecord(QUEUE_ENTRY, now, encodeQueueEntry(event.entry)))] : [],
    );
    const publishers = devnet.accounts.slice(0, 5).map(({ address }) => fromHex(address));
    const reports = publishers.map((_, publisher) => ({
      market: 0,
      publisher,
      time: now,
      sequence: 1,
      price: 10_000,
      confidence: 1,
      signature: new Uint8Array(SIGNATURE_BYTES),
    }));
    commands.push({
      record: encodeRecord(PRICE_ROUND, now, encodePriceRound(0, reports)),
      signers: concat(...publishers),
    });
    const send = (nonce: number, operations: readonly Operation[]): void => {
      const unsigned = encodeUnsignedMessage({ account: 1, nonce, validUntil: now + 1_000, operations });
      const record = encodeRecord(MESSAGE, now, concat(unsigned, new Uint8Array(SIGNATURE_BYTES)));
      commands.push({ record, signers: fromHex(owner) });
    };
    const place = { kind: 'place', market: 0, side: 0, size: 1_000, timeInForce: 0 } as const;
    send(
      1,
      Array.from({ length: ORDERS }, (_, i): Operation => ({ ...place, price: 9_000 + i })),
    );
    send(2, [{ kind: 'cancel-all' }]);
    send(3, [{ kind: 'withdraw', asset: 0, amount: 300 }]);
    commands.push(own(encodeRecord(CLOCK, now, new Uint8Array(0))));

    const maker = new BatchMaker(
      {
        start: GENESIS_START,
        policy: { commandsMax: 100, bytesMax: 200, intervalMs: 1 },
        snapshotEvery: 1e9,
        ends: [],
      },
      keccak,
    );
    const made = [...maker.apply(payloadOf(commands), 1, commands.length), maker.cut()].filter(
      (batch) => batch !== undefined,
    );
    expect(maker.state.orders.count).toBe(0);
    expect(made.filter(({ batch }) => !batch.isWhole).length).toBeGreaterThan(2);
    expect(made.some(({ batch }) => batch.inputs.length === 0)).toBe(true);

    const ledger = new StateTree(keccak);
    const posted: SignedBatch[] = [];
    for (const { batch } of made) {
      const parent = posted.at(-1);
      const place = {
        epoch: FIRST_EPOCH,
        id: (parent?.header.id ?? 0) + 1,
        parentHash: parent?.hash ?? ZERO_HASH,
        anchor: through!,
      };
      const unsigned = placeBatch(batch, place, domain, keccak);
      const signed: SignedBatch = { ...unsigned, signature: signDigest(unsigned.hash, sequencerKey) };
      expect(commitBatchBytes(signed).length).toBeLessThanOrEqual(COMMIT_CALLDATA_BYTES_MAX);
      await commit(l1, rollup, signed);
      for (const { key, value } of applyDiff(signed.diff, (key) => ledger.get(key)))
        value === undefined ? ledger.delete(key) : ledger.set(key, value);
      expect(ledger.root()).toEqual(signed.header.postLedgerRoot);
      posted.push(signed);
    }
    const id = posted.length;
    expect(await actions.rollupStatus(l1, rollup)).toMatchObject({ committedId: id });

    await passSeconds(l1, rollup.windowSeconds + 1);
    for (const batch of posted) await finalize(l1, rollup, batch);
    const path = encodePath(prove(ledger, withdrawnKey(fromHex(owner), 0))!.siblings);
    const paid = await actions.withdraw(l1, rollup, { owner, asset: 0, total: 300n, batchId: id, path });
    expect(paid.amount).toBe(300n);
  }, 120_000);
});
