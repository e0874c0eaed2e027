// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice A contract that can run some kinds of step on a slice of the state.
interface ISteps {
    /// @notice This contract runs no step of that kind.
    error UnknownStep(uint8 kind);

    /// @notice Runs one step. Reverts when the slice lacks a leaf that the step needs; of everything else it makes a result.
    /// @param kind StepKind
    /// @param record the whole record (12-byte header included) that the step belongs to; empty for EXPIRE, SAMPLE, FUNDING,
    /// MATCH, REST and WALK, unless a message is open (then its record, since the operation's end needs its operation kind)
    /// @param domain EIP-712 domain separator of the rollup
    /// @param slice what the step may see of the state: Leaves.sol draws it
    /// @return writes the leaves that it set or removed: Leaves.sol draws them
    /// @return code reject code (0 = done); Reject.INADMISSIBLE when a record's own step finds it inadmissible (the
    /// sequencer must not have taken it): the segment is then a fraud
    function step(uint8 kind, bytes calldata record, bytes32 domain, bytes calldata slice)
        external
        view
        returns (bytes memory writes, uint256 code);
}
