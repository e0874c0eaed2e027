// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Opening} from "../libraries/BlobLib.sol";
import {Witness} from "../step/IStepProver.sol";

/// @notice One segment of a batch, opened with the one before it: together they say what the segment goes on from.
struct SegmentProof {
    uint32 index;
    /// @dev Segment and path as TraceProof draws them.
    bytes segment;
    bytes path;
    /// @dev The same of segment `index - 1`; both empty for segment 0, which goes on from the header's pre-values.
    bytes before;
    bytes beforePath;
}

/// @notice One leaf of the ledger before and after a batch.
struct LeafProofs {
    /// @dev Packed proofs (sequencer/state/tree-proof.ts) of the leaf, or of its absence, under the header's pre and post
    /// ledger root.
    bytes pre;
    bytes post;
}

/// @notice The batch that a check found wrong.
struct Accused {
    uint64 id;
    bytes32 hash;
    bytes header;
}

/// @title Proofs that a committed batch is wrong
/// @notice Anyone, without a bond, strikes a batch in one transaction. A proof is the calldata of one of the checks
/// below; `proveFraud` runs it against this contract and lets the rollup strike the batch whose header it names.
///
/// Every check is total: for each committed batch that differs from what re-execution gives, one of them accepts a proof,
/// and for each that does not, none accepts anything. A proof that does not open reverts with the error that says where;
/// one that opens and shows no difference reverts with NoFraud. Failing calls are passed on, never interpreted (the one
/// exception, a diff that no encoder made, is told by the selector of its error, which no lack of gas can make), so no
/// result depends on gas.
///
/// A header is opened by its hash, so a reorg can't turn a proof against another batch.
interface IChallenges {
    /// @notice The batch of this hash was proven wrong by one of the checks, `check` its selector.
    event FraudProven(uint64 indexed id, bytes32 indexed hash, bytes4 indexed check, address by);

    /// @notice The proof opens, and shows the batch to be right.
    error NoFraud(bytes32 hash);
    /// @notice The proof is not the calldata of a check.
    error UnknownCheck(bytes4 got);
    /// @notice The bytes given are not those that the header names.
    error WrongBytes(bytes32 field, bytes32 expected, bytes32 got);
    /// @notice The inputs given are no whole records, or not those of the segment.
    error WrongInputs(bool whole, bytes32 expected, bytes32 got);
    /// @notice Segment 0 was opened with one before it.
    error NothingBefore(uint256 got);
    /// @notice Ether from someone else than the rollup.
    error NotRollup(address expected, address got);

    /// @notice Strikes the batch that `proof` shows to be wrong, and all after it, and opens the reward under the batch's
    /// hash. Reverts with the cause when the proof does not hold, with IRollup's errors when the batch is final or gone.
    /// @param proof calldata of one of the checks below
    /// @param beneficiary and `salt`: of an older commitment to this proof, which then claims the reward at once; without
    /// one (zeros, or a commitment that is too young) the batch is struck all the same
    /// @return hash of the struck batch: the fault of `claimReward` and `takeReward`
    function proveFraud(bytes calldata proof, address beneficiary, bytes32 salt) external returns (bytes32 hash);

    // --- the checks: views that return the batch when it is wrong, and revert otherwise ---

    /// @notice STEP: re-execution of the segment gives another state root, sequence, weight, or a fault; or the first
    /// segment begins, or the last ends, at another time than the header says.
    /// @param header as posted, here and in all checks
    /// @param inputs records that the segment takes up
    function checkStep(
        bytes calldata header,
        SegmentProof calldata segment,
        bytes calldata inputs,
        Witness calldata witness
    ) external view returns (Accused memory);

    /// @notice INPUTS: the segment's part of the posted inputs is no whole records, or does not fold to the trace's hash.
    /// @param inputs all inputs of the batch, as posted
    function checkInputs(bytes calldata header, SegmentProof calldata segment, bytes calldata inputs)
        external
        view
        returns (Accused memory);

    /// @notice INPUTS, when they are in blobs: an element that holds the segment's part has more than 31 bytes, or that part
    /// is no whole records or does not fold to the trace's hash.
    /// @param blobs versioned hashes of the batch's blobs, in order
    /// @param openings of exactly the elements that hold the segment's part, in order
    function checkBlobs(
        bytes calldata header,
        SegmentProof calldata segment,
        bytes32[] calldata blobs,
        Opening[] calldata openings
    ) external view returns (Accused memory);

    /// @notice DIFF: the diff up to `key` is not what an encoder makes, or the leaf of `key` after the batch is not what
    /// the diff makes of the leaf before: a wrong value, an entry for a leaf that stayed, no entry for one that changed.
    /// A diff that is malformed behind its last readable key is shown with the highest key, 32 bytes of ones.
    /// @param diff as posted
    /// @param leaf of `key`
    function checkDiff(bytes calldata header, bytes calldata diff, bytes32 key, LeafProofs calldata leaf)
        external
        view
        returns (Accused memory);

    /// @notice BOUNDARY: the clock in the leaf GLOBALS after the batch is not the header's timeLast.
    /// @param post packed proof of GLOBALS, or its absence, under the post ledger root
    function checkClock(bytes calldata header, bytes calldata post) external view returns (Accused memory);

    /// @notice BOUNDARY: the cursor in the leaf QUEUE after the batch is not the header's.
    /// @param post packed proof of QUEUE, or its absence, under the post ledger root
    function checkQueue(bytes calldata header, bytes calldata post) external view returns (Accused memory);

    /// @notice BOUNDARY: the leaf WITHDRAWN_TOTAL of `asset` did not grow by what the batch says was withdrawn.
    /// @param withdrawn totals as posted
    /// @param leaf WITHDRAWN_TOTAL of the asset
    function checkWithdrawn(
        bytes calldata header,
        bytes calldata withdrawn,
        uint16 asset,
        LeafProofs calldata leaf
    ) external view returns (Accused memory);

    /// @notice Re-executes segments.
    function stepProver() external view returns (address);
}
