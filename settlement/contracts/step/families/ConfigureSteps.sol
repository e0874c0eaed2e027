// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Leaves} from "../Leaves.sol";
import {StepKind} from "../StepKind.sol";
import {Configure} from "../handlers/Configure.sol";
import {Family} from "./Family.sol";

/// @title Steps of configuration
/// @notice CONFIGURE.
contract ConfigureSteps is Family {
    /// @inheritdoc Family
    function _run(uint8 kind, bytes calldata record, bytes32, Leaves memory leaves)
        internal
        pure
        override
        returns (uint256)
    {
        if (kind != StepKind.CONFIGURE) revert UnknownStep(kind);
        return Configure.run(leaves, record);
    }
}
