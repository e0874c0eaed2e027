// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice What a prover adds to the inputs of a segment so that it can be re-executed.
struct Witness {
    /// @dev Multiproofs of what the steps read of the two trees.
    bytes ledger;
    bytes book;
    /// @dev Records that an earlier segment took and this one still works on.
    bytes carried;
    /// @dev Per step, the leaves and ranges that it reads.
    bytes hints;
}

/// @notice What the steps of a segment lead to.
struct Outcome {
    /// @dev 0, or BAD_RECORD 1, INADMISSIBLE 2, OVERWEIGHT 3, INPUTS_LEFT 4 (input records that no step of the segment
    /// began), NO_INPUT 5 (a step needs a record and none is left).
    uint256 fault;
    bytes32 ledgerRoot;
    bytes32 bookRoot;
    uint256 nextSeq;
    uint256 weight;
    /// @dev The clock after the first step began, and at the end.
    uint256 timeFirst;
    uint256 timeLast;
}

/// @title Re-execution of a segment
interface IStepProver {
    /// @notice Re-executes `steps` steps from the state `preStateRoot` = keccak256(0x03 ‖ ledger root ‖ book root).
    /// Reverts when the witness does not open.
    /// @param domain EIP-712 domain separator of the rollup
    /// @param inputs the whole records that the segment takes up; the caller binds them to the trace
    function run(bytes32 preStateRoot, uint256 steps, bytes32 domain, bytes calldata inputs, Witness calldata witness)
        external
        view
        returns (Outcome memory);
}
