// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Leaves} from "../Leaves.sol";
import {StepKind} from "../StepKind.sol";
import {QueueEntry} from "../handlers/QueueEntry.sol";
import {Family} from "./Family.sol";

/// @title Steps of what users ask for through the L1 queue
/// @notice DEPOSIT, FORCED.
contract QueueSteps is Family {
    /// @inheritdoc Family
    function _run(uint8 kind, bytes calldata record, bytes32, Leaves memory leaves)
        internal
        pure
        override
        returns (uint256)
    {
        if (kind != StepKind.DEPOSIT && kind != StepKind.FORCED) revert UnknownStep(kind);
        return QueueEntry.run(leaves, record);
    }
}
