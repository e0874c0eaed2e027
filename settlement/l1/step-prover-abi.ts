/** ABI of StepProver, typed, with the errors of everything that it calls. */
import { parseAbi } from 'viem';

export const stepProverAbi = parseAbi([
  'struct Witness { bytes ledger; bytes book; bytes carried; bytes hints; }',
  'struct Outcome { uint256 fault; bytes32 ledgerRoot; bytes32 bookRoot; uint256 nextSeq; uint256 weight; uint256 timeFirst; uint256 timeLast; }',
  'function run(bytes32 preStateRoot, uint256 steps, bytes32 domain, bytes inputs, Witness witness) view returns (Outcome)',
  'function step(uint8 kind, bytes record, bytes32 domain, bytes slice) view returns (bytes writes, uint256 code)',
  'error WrongState(bytes32 expected, bytes32 got)',
  'error HintsMissing(uint256 step)',
  'error HintsMalformed(uint256 offset)',
  'error WritesMalformed(uint256 expected, uint256 got)',
  'error WrongRecord(bytes32 expected, bytes32 got)',
  'error WrongOperation(uint256 kind)',
  'error LeafLength(bytes32 key, uint256 expected, uint256 got)',
  'error LeafMissing(bytes32 key)',
  'error RangeMissing(bytes32 prefix, uint256 bits, uint256 least)',
  'error SliceEnd(uint256 expected, uint256 got)',
  'error SliceOrder(bytes32 previous, bytes32 key)',
  'error Malformed(bytes32 field, uint256 offset)',
  'error OpaqueReached(bytes32 key)',
  'error ValueWithheld(bytes32 key)',
  'error ValueLength(uint256 expectedAtMost, uint256 got)',
  'error UnknownStep(uint8 kind)',
]);
