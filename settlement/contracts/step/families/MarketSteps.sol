// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Leaves} from "../Leaves.sol";
import {Reject} from "../Reject.sol";
import {StepKind} from "../StepKind.sol";
import {PriceRound} from "../handlers/PriceRound.sol";
import {Ticks} from "../handlers/Ticks.sol";
import {Family} from "./Family.sol";

/// @title Steps of prices and of time
/// @notice PRICE_ROUND, SAMPLE, FUNDING, EXPIRE.
contract MarketSteps is Family {
    /// @inheritdoc Family
    function _run(uint8 kind, bytes calldata record, bytes32 domain, Leaves memory leaves)
        internal
        pure
        override
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
