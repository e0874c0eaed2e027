// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ISteps} from "../ISteps.sol";
import {Leaves, LeavesLib} from "../Leaves.sol";
import {StepKind} from "../StepKind.sol";
import {Money} from "../handlers/Money.sol";

/// @title Steps of money that leaves an account
/// @notice WITHDRAW, TRANSFER.
contract MoneySteps is ISteps {
    /// @inheritdoc ISteps
    function step(uint8 kind, bytes calldata record, bytes32, bytes calldata slice)
        external
        pure
        override
        returns (bytes memory writes, uint256 code)
    {
        Leaves memory leaves = LeavesLib.open(slice);
        code = _run(kind, record, leaves);
        writes = LeavesLib.writes(leaves);
    }

    function _run(uint8 kind, bytes calldata record, Leaves memory leaves) private pure returns (uint256) {
        if (kind == StepKind.WITHDRAW) return Money.withdraw(leaves, record);
        if (kind == StepKind.TRANSFER) return Money.transfer(leaves, record);
        revert UnknownStep(kind);
    }
}
