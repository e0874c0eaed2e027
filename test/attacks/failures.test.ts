/**
 * Failures of real systems, each by its name: what has cost others money must not be possible here. On the real
 * contracts, the real state tree and the real engine; where an attack of the suite shows the same, this is its short form.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeFunctionData } from 'viem';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { HEADER_FIELDS, type SignedBatch } from '#protocol/batch.ts';
import { fromHex, getU128be, toHex, viewOf } from '#protocol/bytes.ts';
import { encodeRecord } from '#protocol/command.ts';
import { ZERO_HASH } from '#protocol/hash.ts';
import { encodePublisher } from '#protocol/market.ts';
import { encodeMoneyPayload, QUEUE_CONFIGURE_PUBLISHER, QUEUE_WITHDRAW } from '#protocol/queue-entry.ts';
import { Reject } from '#protocol/reject.ts';
import { buildProof } from '#prover-stub/build-proof.ts';
import { queueAbi, rollupAbi } from '#settlement/l1/abi.ts';
import { proveFraudData } from '#settlement/l1/challenge-actions.ts';
import { withKey } from '#settlement/l1/client.ts';
import { proposeConfiguration } from '#settlement/l1/configuration-actions.ts';
import { EventReader } from '#settlement/l1/events.ts';
import { encodeFraudProof } from '#settlement/l1/fraud-proof.ts';
import { fetchPostedBatch } from '#settlement/l1/posted-batch.ts';
import { signTransaction } from '#settlement/l1/transactions.ts';
import * as actions from '#settlement/l1/vault-actions.ts';
import { Submitter } from '#settlement/submitter/submitter.ts';
import { applyDiff } from '#state/diff.ts';
import { accountKey, globalsKey, withdrawnKey, withdrawnTotalKey } from '#state/keys.ts';
import { ACCOUNT_BYTES } from '#state/leaves.ts';
import { StateTree } from '#state/state-tree.ts';
import { encodePath, encodeProof, leafHash, prove } from '#state/tree-proof.ts';
import { finalize, passSeconds, rejection, SUBMITTER } from '../settlement/l1-fixture.ts';
import type { CommandMaker } from './command-maker.ts';
import { ACCOUNT, KEY } from './keys.ts';
import type { SceneName } from './scenes.ts';
import { Stage } from './stage.ts';
import { commitBatch, L1Snapshot, refusal, searchOf, strike } from './trial.ts';
import { World } from './world.ts';

describe('failures of real systems', () => {
  let world: World;
  let snapshot: L1Snapshot;
  const stages = new Map<string, Stage>();

  beforeAll(async () => {
    world = await World.open();
    snapshot = new L1Snapshot(world);
    await snapshot.take();
  }, 180_000);
  beforeEach(() => snapshot.restore());
  afterAll(() => world?.stop());

  const stageOf = (scene: SceneName, stepwise = false): Stage => {
    const id = `${scene} ${stepwise}`;
    const stage = stages.get(id) ?? new Stage({ world, scene, stepwise });
    stages.set(id, stage);
    return stage;
  };
  /** A stage of other commands. */
  const staged = (plan: (make: CommandMaker) => void): Stage => {
    const make = world.maker.fork();
    make.now = world.start + 2_000;
    plan(make);
    return new Stage({ world, scene: 'money', stepwise: false, commands: make.made });
  };
  const rollup = () => world.fixture.rollup;
  const proofOf = async (batch: SignedBatch) => {
    const { l1, keccak } = world;
    const built = await buildProof({ l1, rollup: rollup(), keccak, search: () => searchOf(world, batch) });
    expect(built).toBeDefined();
    return built!;
  };
  /** The contracts re-execute every segment and find what the engine found. */
  const stands = async (stage: Stage): Promise<void> => {
    await commitBatch(world, stage.honest);
    for (const [segment, { witness, outcome }] of stage.witnesses().entries()) {
      const fraud = { check: 'step', segment, witness, outcome } as const;
      expect(await refusal(world, encodeFraudProof(stage.honest, fraud, world.keccak))).toBe('NoFraud');
    }
  };
  const reverts = async (promise: Promise<unknown>): Promise<string | undefined> =>
    ((await rejection(promise)) as { revert?: { name: string } }).revert?.name;
  const makeFinal = async (...batches: SignedBatch[]): Promise<void> => {
    await passSeconds(world.l1, rollup().windowSeconds + 1);
    for (const batch of batches) await finalize(world.l1, rollup(), batch);
  };
  const tampered = (stage = stageOf('money')): SignedBatch =>
    stage.forge({ tamper: (index, write) => index === 0 && write(accountKey(ACCOUNT.poor), undefined) });

  test('hash without second-preimage resistance', async () => {
    const { honest } = stageOf('money');
    await commitBatch(world, honest);
    const proof = prove(stageOf('money').ledger, globalsKey())!;
    // An inner node is not taken for a leaf: the path without its last sibling would end at one.
    const shorter = { ...proof, siblings: proof.siblings.slice(0, -1) };
    const fraud = { check: 'clock', post: encodeProof(shorter) } as const;
    expect(await refusal(world, encodeFraudProof(honest, fraud, world.keccak))).toBe('WrongRoot');
    // And what a node's hash is of is never what a leaf's is of: their first bytes differ.
    const node = new Uint8Array(66).fill(7);
    node[0] = 1;
    const leaf = node.slice(0, 65);
    leaf[0] = 0;
    expect(toHex(leafHash(leaf.slice(1, 33), leaf.slice(33), world.keccak))).not.toBe(
      toHex(world.keccak(node)),
    );
  });

  test('a new-account leaf that hashes to zero', () => {
    const { ledger } = stageOf('queue');
    const key = accountKey(7);
    const value = ledger.get(key)!;
    expect(value.length).toBe(ACCOUNT_BYTES);
    expect(toHex(leafHash(key, value, world.keccak))).not.toBe(toHex(ZERO_HASH));
    const before = toHex(ledger.root());
    ledger.delete(key);
    expect(toHex(ledger.root())).not.toBe(before);
    ledger.set(key, value);
    expect(toHex(ledger.root())).toBe(before);
  });

  test('bid and ask impact prices swapped', async () => {
    const stage = stageOf('ticks');
    const forger = stage.forger();
    for (const command of stage.commands.slice(0, 2)) forger.apply(command);
    // Bids at 2,004 over an index of 2,000: longs pay.
    expect(forger.state.market(1)).toMatchObject({ sampleBid: 2_004, index: 2_000, premiumSum: 2_000_000 });
    await stands(stage);
  });

  /** The poor account is short by 100 lots from 10,030, and the price goes to 12,000. */
  const broke = (make: CommandMaker): void => {
    make.order('fills all', 'rich', { side: 0, price: 10_030, size: 1_250, timeInForce: 2 });
    make.round('jump', 0, 12_000);
  };
  /** With the maker's rebate. */
  const equity = 100_000 + 100 * (10_030 - 12_000) + 100;

  test('signed comparison true for 10 ≤ −10', async () => {
    const stage = staged((make) => {
      broke(make);
      make.send('withdraws ten', 'poor', [{ kind: 'withdraw', asset: 0, amount: 10 }]);
    });
    expect(stage.ledger.get(withdrawnKey(KEY.poor.address, 0))).toBeUndefined();
    await stands(stage);
  });

  test('an equality computed but not enforced', async () => {
    const { honest } = stageOf('money');
    // Times are proven, not compared: checkStep and checkClock.
    for (const [field] of HEADER_FIELDS.filter(([name]) => name !== 'timeFirst' && name !== 'timeLast')) {
      const header = { ...honest.header, [field]: changed(honest.header[field]) };
      const signed = stageOf('money').forger().sign(header);
      expect(await committing({ ...honest, header, ...signed }), field).toBeDefined();
    }
    await commitBatch(world, honest);
  });
  const changed = (value: number | Uint8Array) =>
    typeof value === 'number' ? value + 1 : world.keccak(value);
  const committing = (batch: SignedBatch): Promise<string | undefined> =>
    commitBatch(world, batch).then(
      () => undefined,
      (error: Error) => error.message,
    );

  test('a withdrawal debited on L2 and never credited on L1', async () => {
    const stage = stageOf('money');
    const { state } = stage.forger();
    const before = state.accounts.cash[ACCOUNT.taker]! + state.accounts.cash[ACCOUNT.vault]!;
    const forger = stage.forger();
    for (const command of stage.commands) forger.apply(command);
    const { cash } = forger.state.accounts;
    const debited = before - cash[ACCOUNT.taker]! - cash[ACCOUNT.vault]!;
    expect(debited).toBe(1_500_000);
    for (const key of [withdrawnKey(KEY.taker.address, 0), withdrawnTotalKey(0)])
      expect(getU128be(viewOf(stage.ledger.get(key)!), 0)).toBe(BigInt(debited));
    expect(getU128be(viewOf(stage.honest.withdrawn), 2)).toBe(BigInt(debited));
    await commitBatch(world, stage.honest);
    await makeFinal(world.base.batch, stage.honest);
    expect(await pays(stage, KEY.taker.address, 2)).toBe(BigInt(debited));
  });

  /** What the vault pays for the owner's leaf under the final ledger of a batch. */
  const pays = async (stage: Stage, owner: Uint8Array, batchId: number): Promise<bigint> => {
    const key = withdrawnKey(owner, 0);
    const total = getU128be(viewOf(stage.ledger.get(key)!), 0);
    const path = encodePath(prove(stage.ledger, key)!.siblings);
    const proof = { owner: toHex(owner), asset: 0, total, batchId, path };
    return (await actions.withdraw(world.l1, rollup(), proof)).amount;
  };

  test('negative equity withdrawn as its absolute value', async () => {
    const stage = staged((make) => {
      broke(make);
      make.send('withdraws its debt', 'poor', [{ kind: 'withdraw', asset: 0, amount: -equity }]);
      for (const [i, entry] of world.waiting.entries()) make.entry(`entry ${i}`, entry);
    });
    // The last entry forces a withdrawal of everything the poor account has: nothing.
    const forger = stage.forger();
    for (const command of stage.commands) forger.apply(command);
    const { equityMaintenance } = forger.engine.risk.margin(ACCOUNT.poor);
    expect(equityMaintenance).toBe(equity);
    expect(equity).toBe(-96_900);
    expect(stage.ledger.get(withdrawnKey(KEY.poor.address, 0))).toBeUndefined();
    await stands(stage);
  });

  test('a deposit route without an asset check', async () => {
    const l1 = withKey(world.l1, toHex(KEY.taker.secret));
    const unknown = { asset: 7, subaccount: 0, amount: 5 };
    expect(await reverts(actions.deposit(world.l1, rollup(), unknown))).toBe('UnknownAsset');
    const owner = toHex(KEY.rich.address);
    expect(await reverts(actions.deposit(world.l1, rollup(), { ...unknown, owner }))).toBe('UnknownAsset');
    expect(await reverts(actions.forceWithdraw(l1, rollup(), unknown))).toBe('UnknownAsset');
  });

  test('asset indices in the root but missing from the published data', async () => {
    // Every leaf that a batch changes stands in its diff, or the diff would not lead to the root that was posted.
    for (const scene of ['queue', 'money', 'prices'] as const) {
      const { honest } = stageOf(scene);
      const ledger = await ledgerOf([world.base.batch, honest]);
      expect(toHex(ledger.root())).toBe(toHex(honest.header.postLedgerRoot));
    }
  });
  const ledgerOf = async (batches: readonly SignedBatch[]): Promise<StateTree> => {
    const ledger = new StateTree(world.keccak);
    for (const { diff } of batches)
      for (const { key, value } of applyDiff(diff, (one) => ledger.get(one))) {
        if (value === undefined) ledger.delete(key);
        else ledger.set(key, value);
      }
    return ledger;
  };

  test('key reuse with nonce reset', async () => {
    const stage = stageOf('settings');
    const forger = stage.forger();
    for (const command of stage.commands) forger.apply(command);
    // The session key was registered anew since this message.
    const used = stage.command('session key is used');
    const time = forger.state.now + 1;
    const again = { ...used, record: encodeRecord(used.record[4]!, time, used.record.slice(12)) };
    expect(forger.engine.admit(again, time)).toBe(Reject.NONCE_USED);
    await stands(stage);
  });

  test('an overflow that blocks valid exits', async () => {
    const stage = stageOf('queue');
    await commitBatch(world, stage.honest);
    await makeFinal(world.base.batch, stage.honest);
    // A deposit beyond what an account may hold went back, and is paid to the last unit.
    expect(await pays(stage, KEY.rich.address, 2)).toBe(2n ** 50n);
  });

  test('ecrecover returning zero', async () => {
    const stage = stageOf('money');
    const unrecoverable = stage.honest.signature.slice().fill(0xff, 0, 32);
    expect(await committing({ ...stage.honest, signature: unrecoverable })).toMatch(/SignatureMalformed/);
    const zero = { asset: 0, subaccount: 0, amount: 5, owner: toHex(new Uint8Array(20)) };
    expect(await reverts(actions.deposit(world.l1, rollup(), zero))).toBe('OutOfRange');
    const nobody = encodePublisher({ index: 6, address: new Uint8Array(20), weight: 1 });
    const change = { kind: QUEUE_CONFIGURE_PUBLISHER, payload: nobody };
    expect(await reverts(proposeConfiguration(world.l1, rollup(), change))).toBe('OutOfRange');
    // A message whose signature recovers to nobody is signed by nobody.
    const forger = stage.forger();
    const { record } = stage.command('withdraws');
    const posted = record.slice().fill(0xff, record.length - 65, record.length - 33);
    for (const command of stage.commands)
      forger.apply(command, command.name === 'withdraws' ? posted : command.record);
    const batch = forger.close(stage.place());
    const built = await proofOf(batch);
    expect(built.fraud).toMatchObject({ check: 'step', outcome: { fault: 2 } });
    await strike(world, { batch, proof: built.proof });
  });

  test('freeze replayed after unfreeze', async () => {
    const { l1 } = world;
    const freeze = {
      to: rollup().rollup,
      data: encodeFunctionData({ abi: rollupAbi, functionName: 'freeze' }),
    };
    await passSeconds(l1, rollup().livenessSeconds + 1);
    const account = world.fixture.devnet.accounts[SUBMITTER]!.address;
    const frozen = () =>
      l1.public.readContract({ address: rollup().rollup, abi: rollupAbi, functionName: 'frozen' });
    expect(await frozen()).toBe(false);
    await world.rpc('eth_sendTransaction', { from: account, ...freeze });
    await expect.poll(frozen).toBe(true);
    await expect(l1.public.call({ account, ...freeze })).rejects.toThrow();
    expect(await committing(stageOf('money').honest)).toMatch(/RollupFrozen/);
    // Frozen is for good: there is no way back that could be replayed.
    const names = rollupAbi.flatMap((item) => (item.type === 'function' ? [item.name] : []));
    expect(names.filter((name) => /unfreeze|thaw|resume|restart/i.test(name))).toEqual([]);
  });

  test('cheap spam of forced requests', async () => {
    const { l1 } = world;
    const account = toHex(KEY.taker.address);
    const args = [QUEUE_WITHDRAW, toHex(encodeMoneyPayload({ asset: 0, subaccount: 0, amount: 1 }))] as const;
    const data = encodeFunctionData({ abi: queueAbi, functionName: 'requestForced', args });
    const fee = await actions.queueFee(l1, rollup(), QUEUE_WITHDRAW);
    expect(fee).toBeGreaterThan(0n);
    const short = l1.public.call({ account, to: rollup().queue, data, value: fee - 1n });
    await expect(short).rejects.toThrow(/FeeTooLow|reverted/);
    const spammer = withKey(l1, toHex(KEY.taker.secret));
    for (let i = 0; i < 12; i++)
      await actions.forceWithdraw(spammer, rollup(), { asset: 0, subaccount: 0, amount: 1 });
    expect(await actions.queueFee(l1, rollup(), QUEUE_WITHDRAW)).toBeGreaterThan(fee);
  });

  test('an implementation contract left uninitialised', async () => {
    const parts = [
      'rollup',
      'queue',
      'vault',
      'challenges',
      'demands',
      'equivocation',
      'escapeHatch',
    ] as const;
    for (const part of parts) {
      const code = await world.l1.public.getCode({ address: rollup()[part] });
      // No code of one contract runs on the storage of another: what a constructor made is all there is.
      expect(opcodesOf(fromHex(code!)), part).not.toContain(DELEGATECALL);
    }
    const names = rollupAbi.flatMap((item) => (item.type === 'function' ? [item.name] : []));
    expect(names.filter((name) => /init|upgrade|implementation|owner/i.test(name))).toEqual([]);
  });

  test('a reorg that makes a challenge hit another claim', async () => {
    const batch = tampered();
    const { proof } = await proofOf(batch);
    const here = new L1Snapshot(world);
    await here.take();
    await commitBatch(world, batch);
    // The chain forgets that batch; another one takes its number.
    await here.restore();
    await commitBatch(world, stageOf('money').honest);
    expect(await refusal(world, proof)).toBe('WrongField');
    await here.restore();
    await strike(world, { batch, proof });
  });

  test('a last-second challenge', async () => {
    const { l1 } = world;
    const batch = tampered();
    const { proof } = await proofOf(batch);
    await commitBatch(world, batch);
    const { deadline } = await l1.public.readContract({
      address: rollup().rollup,
      abi: rollupAbi,
      functionName: 'batches',
      args: [2n],
    });
    // In the last second of the window nothing is final, and a strike needs no answer of anybody.
    await world.rpc('evm_setNextBlockTimestamp', Number(deadline) - 1);
    await world.rpc('evm_mine');
    expect(await refusal(world, proof)).toBe('a strike');
    await world.rpc('evm_setNextBlockTimestamp', Number(deadline) + 1);
    await world.rpc('evm_mine');
    for (const one of [world.base.batch, batch]) await finalize(l1, rollup(), one);
    expect(await refusal(world, proof)).toBe('AlreadyFinal');
  });

  test('an unbounded loop that bricks resolution', async () => {
    const stage = stageOf('money');
    const wrong = (index: number, write: (key: Uint8Array, value: undefined) => void): void => {
      if (index === 0) write(accountKey(ACCOUNT.poor), undefined);
    };
    const forger = stage.forger({ tamper: wrong });
    for (const command of stage.commands) forger.apply(command);
    const chain = [forger.close(stage.place())];
    const make = world.maker.fork();
    make.now = forger.state.now + 1;
    for (let id = 3; id < 15; id++) {
      make.clock(`clock ${id}`);
      forger.apply(make.made.at(-1)!);
      chain.push(forger.close({ ...stage.place(), id, parentHash: chain.at(-1)!.hash }));
    }
    const { proof } = await proofOf(chain[0]!);
    const alone = await strike(world, { batch: chain[0]!, proof });
    await snapshot.restore();
    for (const batch of chain) await commitBatch(world, batch);
    const data = proveFraudData(proof);
    const from = world.fixture.devnet.accounts[SUBMITTER]!.address;
    const gas = await world.l1.public.estimateGas({ account: from, to: rollup().challenges, data });
    // A strike costs what it costs, however many batches it takes with it.
    expect(Number(gas)).toBeLessThan(1.1 * alone);
  });

  test('a batcher stuck in "replacement underpriced"', async () => {
    const { l1 } = world;
    const { honest } = stageOf('money');
    const directory = mkdtempSync(join(tmpdir(), 'sluice-stuck-'));
    const client = world.fixture.as(SUBMITTER);
    let clock = 1_000_000;
    const submitter = new Submitter({
      l1: client,
      rollup: rollup(),
      source: { get: async (id) => (id === 2 ? honest : undefined) },
      directory,
      now: () => clock,
    });
    try {
      await world.rpc('evm_setAutomine', false);
      // A dear transaction of an earlier life sits on the nonce.
      const address = actions.addressOf(client);
      const fees = { maxFeePerGas: 50n * 10n ** 9n, maxPriorityFeePerGas: 50n * 10n ** 9n };
      const nonce = await l1.public.getTransactionCount({ address });
      const signed = await signTransaction(client, { to: address, data: '0x', gas: 21_000n, nonce, ...fees });
      await l1.public.sendRawTransaction({ serializedTransaction: signed.raw });
      await submitter.open();
      for (let i = 0; i < 12; i++) {
        await submitter.step();
        clock += 60_000;
      }
      await world.rpc('evm_mine');
      await submitter.step();
      expect(await actions.rollupStatus(l1, rollup())).toMatchObject({ committedId: 2 });
    } finally {
      await submitter.stop();
      await world.rpc('evm_setAutomine', true);
      rmSync(directory, { recursive: true });
    }
  });

  test('withdrawals refused while the prover lags', async () => {
    const stage = stageOf('money');
    await commitBatch(world, stage.honest);
    await makeFinal(world.base.batch, stage.honest);
    const forger = stage.forger();
    for (const command of stage.commands) forger.apply(command);
    forger.close(stage.place());
    const make = world.maker.fork();
    make.now = forger.state.now + 1;
    make.clock('later');
    forger.apply(make.made.at(-1)!);
    const next = forger.close({ ...stage.place(), id: 3, parentHash: stage.honest.hash });
    await commitBatch(world, next);
    // Batch 3 is not final, nobody has proven anything: what batch 2 owes is paid.
    expect(await pays(stage, KEY.taker.address, 2)).toBe(1_500_000n);
  });

  test('a migration that leaves published data undecodable', async () => {
    const { l1, domain, keccak } = world;
    const stage = stageOf('queue');
    await commitBatch(world, stage.honest);
    const { events } = await new EventReader(l1, rollup(), { confirmations: 0 }).poll();
    const posted: SignedBatch[] = [];
    for (const event of events)
      if (event.kind === 'committed') posted.push(await fetchPostedBatch(l1, event, domain, keccak));
    // From the first batch on, what L1 has is enough for every balance; a batch of another version never gets there.
    expect(posted.map(({ header }) => header.id)).toEqual([1, 2]);
    expect(toHex((await ledgerOf(posted)).root())).toBe(toHex(stage.honest.header.postLedgerRoot));
    await snapshot.restore();
    const { header } = stage.honest;
    const other = { ...header, version: 2 };
    expect(await committing({ ...stage.honest, header: other, ...stage.forger().sign(other) })).toMatch(
      /WrongField/,
    );
  });
});

const DELEGATECALL = 0xf4;

/** Opcodes of runtime code, without what stands behind PUSH and without the metadata at its end. */
function opcodesOf(code: Uint8Array): Set<number> {
  const end = code.length - 2 - ((code.at(-2)! << 8) | code.at(-1)!);
  const opcodes = new Set<number>();
  for (let i = 0; i < (end > 0 && end < code.length ? end : code.length); i++) {
    const opcode = code[i]!;
    opcodes.add(opcode);
    if (opcode >= 0x5f && opcode <= 0x7f) i += opcode - 0x5f;
  }
  return opcodes;
}
