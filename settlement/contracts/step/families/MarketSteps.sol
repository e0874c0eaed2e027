// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ISteps} from "../ISteps.sol";
import {Leaves, LeavesLib} from "../Leaves.sol";
import {Reject} from "../Reject.sol";
import {StepKind} from "../StepKind.sol";
import {PriceRound} from "../handlers/PriceRound.sol";
import {Ticks} from "../handlers/Ticks.sol";

/// @title Steps of prices and of time
/// @notice PRICE_ROUND, SAMPLE, FUNDING, EXPIRE.
contract MarketSteps is ISteps {
    /// @inheritdoc ISteps
    function step(uint8 kind, bytes calldata record, bytes32 domain, bytes calldata slice)
        external
        pure
        override
        returns (bytes memory writes, uint256 code)
    {
        Leaves memory leaves = LeavesLib.open(slice);
        code = _run(kind, record, domain, leaves);
        writes = LeavesLib.writes(leaves);
    }

    function _run(uint8 kind, bytes calldata record, bytes32 domain, Leaves memory leaves)
        private
        pure
        returns (uint256)
    {
        if (kind == StepKind.PRICE_ROUND) return PriceRound.run(leaves, record, domain);
        if (kind == StepKind.SAMPLE) Ticks.sample(leaves);
        else if (kind == StepKind.FUNDING) Ticks.fund(leaves);
        else if (kind == StepKind.EXPIRE) Ticks.expire(leaves);
        else revert UnknownStep(kind);
        return Reject.NONE;
    }
}
