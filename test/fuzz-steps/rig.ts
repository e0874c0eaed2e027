/** An Anvil with the step prover on it: segments as the contracts execute them. */
import { equalBytes, toHex } from '#protocol/bytes.ts';
import { nobleKeccak } from '#protocol/hash.ts';
import { type Domain, domainSeparator } from '#protocol/signing.ts';
import type { SegmentWitness, WitnessedSegment } from '#prover-stub/segment-witness.ts';
import { faultName } from '#prover-stub/step-outcome.ts';
import { type Address, connectL1, type Hex, type L1Client } from '#settlement/l1/client.ts';
import { startDevnet } from '#settlement/l1/devnet.ts';
import { l1Error } from '#settlement/l1/errors.ts';
import {
  decodeSegmentOutcome,
  deployStepProver,
  encodeRunSegment,
  type SegmentOutcome,
  type StepProverContracts,
} from '#settlement/l1/step-prover.ts';
import { stateRoot } from '#state/state-root.ts';
import { TEST_DOMAIN } from '../auth/keys.ts';

/** What no segment may need (settlement.md section 2), and the calldata that nodes take as one transaction. */
export const SEGMENT_GAS_MAX = 12_000_000n;
export const SEGMENT_CALLDATA_MAX = 131_072;

/** Sees every call with its answer, undefined when it reverted. */
export type Watch = (to: Address, data: Hex, answer: Hex | undefined) => void;

export interface Rig {
  readonly l1: L1Client;
  readonly contracts: StepProverContracts;
  readonly watch?: Watch;
  run(witness: SegmentWitness, gas?: bigint): Promise<SegmentOutcome>;
  /** Gas of the call as a transaction, its calldata included. */
  gas(witness: SegmentWitness): Promise<bigint>;
  stop(): Promise<void>;
}

export async function startRig(
  domain: Domain = TEST_DOMAIN,
  watching?: (contracts: StepProverContracts) => Watch,
): Promise<Rig> {
  const devnet = await startDevnet();
  try {
    const l1 = await connectL1({ url: devnet.url, key: devnet.accounts[0]!.key, pollMs: 20 });
    const contracts = await deployStepProver(l1);
    const separator = domainSeparator(domain, nobleKeccak);
    const callOf = (witness: SegmentWitness) => ({ ...witness, domain: separator });
    const watch = watching?.(contracts);
    const rig: Rig = {
      l1,
      contracts,
      ...(watch === undefined ? {} : { watch }),
      run: async (witness, gas = SEGMENT_GAS_MAX) =>
        decodeSegmentOutcome(
          await callContract(rig, contracts.stepProver, encodeRunSegment(callOf(witness)), gas),
        ),
      gas: (witness) =>
        l1.public.estimateGas({
          account: devnet.accounts[0]!.address,
          to: contracts.stepProver,
          data: encodeRunSegment(callOf(witness)),
        }),
      stop: () => devnet.stop(),
    };
    return rig;
  } catch (error) {
    await devnet.stop();
    throw error;
  }
}

/** What a witness adds to a transaction for its steps; records come once a segment and have bounds of their own. */
export const witnessBytes = ({ ledger, book, hints }: SegmentWitness): number =>
  ledger.length + book.length + hints.length;

/** In what the contract's outcome differs from the engine's, in words; undefined when in nothing. */
export function disagreement(
  { outcome }: Pick<WitnessedSegment, 'outcome'>,
  got: SegmentOutcome,
): string | undefined {
  if (outcome.fault !== got.fault)
    return `fault: expected ${faultName(outcome.fault)}, got ${faultName(got.fault)}`;
  if (outcome.fault !== 0) return undefined;
  const root = stateRoot(got.ledgerRoot, got.bookRoot, nobleKeccak);
  for (const field of ['nextSeq', 'weight', 'timeFirst', 'timeLast'] as const)
    if (outcome[field] !== got[field]) return `${field}: expected ${outcome[field]}, got ${got[field]}`;
  if (!equalBytes(outcome.stateRoot, root))
    return `stateRoot: expected ${toHex(outcome.stateRoot)}, got ${toHex(root)}`;
  return undefined;
}

/** What a contract answers to a call; rejects with `L1Error`. */
export async function callContract(
  rig: Rig,
  to: Address,
  data: Hex,
  gas: bigint = SEGMENT_GAS_MAX,
): Promise<Hex> {
  let answer: Hex;
  try {
    answer = (await rig.l1.public.call({ to, data, gas })).data ?? '0x';
  } catch (error) {
    rig.watch?.(to, data, undefined);
    throw l1Error(error, 'step');
  }
  rig.watch?.(to, data, answer);
  return answer;
}
