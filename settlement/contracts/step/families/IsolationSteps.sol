// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Leaves} from "../Leaves.sol";
import {StepKind} from "../StepKind.sol";
import {Isolate} from "../handlers/Isolate.sol";
import {SetLeverage} from "../handlers/SetLeverage.sol";
import {Family} from "./Family.sol";

/// @title Steps of what an account may risk: its own subaccounts and its own leverage
/// @notice ISOLATE, SET_LEVERAGE.
contract IsolationSteps is Family {
    /// @inheritdoc Family
    function _run(uint8 kind, bytes calldata record, bytes32, Leaves memory leaves)
        internal
        pure
        override
        returns (uint256)
    {
        if (kind == StepKind.ISOLATE) return Isolate.run(leaves, record);
        if (kind == StepKind.SET_LEVERAGE) return SetLeverage.run(leaves, record);
        revert UnknownStep(kind);
    }
}
