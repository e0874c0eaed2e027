// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Leaves} from "../Leaves.sol";
import {StepKind} from "../StepKind.sol";
import {Evaluate} from "../handlers/Evaluate.sol";
import {Family} from "./Family.sol";

/// @title Steps of liquidations
/// @notice EVALUATE.
contract LiquidationSteps is Family {
    /// @inheritdoc Family
    function _run(uint8 kind, bytes calldata record, bytes32, Leaves memory leaves)
        internal
        pure
        override
        returns (uint256)
    {
        if (kind != StepKind.EVALUATE) revert UnknownStep(kind);
        return Evaluate.run(leaves, record);
    }
}
