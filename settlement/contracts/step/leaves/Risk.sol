// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Bytes} from "../Bytes.sol";
import {Keys} from "../Keys.sol";
import {Leaves, LeavesLib} from "../Leaves.sol";

/// @title Leaves FUND and MARKET_RISK
/// @notice As sequencer/state/leaves.ts draws them; absent while empty.
library RiskLib {
    using Bytes for bytes;

    /// @notice Insurance fund of a risk pool, q.
    function fund(Leaves memory leaves, uint256 riskPool) internal pure returns (int256) {
        (bytes memory value, bool present) = LeavesLib.get(leaves, Keys.fund(riskPool));
        return present ? value.i(0, 8) : int256(0);
    }

    /// @notice Moves money into the insurance fund of a pool.
    /// @param amount above 0
    function addToFund(Leaves memory leaves, uint256 riskPool, int256 amount) internal pure {
        int256 held = fund(leaves, riskPool) + amount;
        LeavesLib.set(leaves, Keys.fund(riskPool), abi.encodePacked(int64(held)));
    }

    /// @notice Liquidations wait with their slices in the market until then, ms.
    function pacedUntil(Leaves memory leaves, uint256 market) internal pure returns (uint256) {
        (bytes memory value, bool present) = LeavesLib.get(leaves, Keys.marketRisk(market));
        return present ? value.u(0, 6) : 0;
    }

    function pace(Leaves memory leaves, uint256 market, uint256 until) internal pure {
        LeavesLib.set(leaves, Keys.marketRisk(market), abi.encodePacked(uint48(until)));
    }
}
