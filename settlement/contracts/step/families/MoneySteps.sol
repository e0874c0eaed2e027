// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Leaves} from "../Leaves.sol";
import {StepKind} from "../StepKind.sol";
import {Money} from "../handlers/Money.sol";
import {Family} from "./Family.sol";

/// @title Steps of money that leaves an account
/// @notice WITHDRAW, TRANSFER.
contract MoneySteps is Family {
    /// @inheritdoc Family
    function _run(uint8 kind, bytes calldata record, bytes32, Leaves memory leaves)
        internal
        pure
        override
        returns (uint256)
    {
        if (kind == StepKind.WITHDRAW) return Money.withdraw(leaves, record);
        if (kind == StepKind.TRANSFER) return Money.transfer(leaves, record);
        revert UnknownStep(kind);
    }
}
