// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {FixedPoint} from "../FixedPoint.sol";
import {MarketConfig, Prices} from "../leaves/Market.sol";

/// @title What the price of a market may be used for
/// @notice Twin of sequencer/engine/pricing/validity.ts: the ladder, what the clock makes of it, and what each rung allows.
library Validity {
    uint256 internal constant VALID = 0;
    uint256 internal constant STALE = 2;
    uint256 internal constant UNCERTAIN = 3;
    uint256 internal constant VOLATILE = 4;
    uint256 internal constant VOID = 5;
    uint256 internal constant UNREPEATED = 6;

    /// @dev Sets of validities, a bit each: the whole matrix.
    uint256 private constant LIQUIDATE = (1 << VALID) | (1 << UNCERTAIN) | (1 << UNREPEATED);
    uint256 private constant MARGIN = 1 << VALID;
    uint256 private constant OPEN = 1 << VALID;
    uint256 private constant VOLATILE_RATIO = 5;

    /// @notice As of now.
    function of_(Prices memory prices, uint256 now_, uint256 voidMs) internal pure returns (uint256) {
        if (prices.index == 0) return VOID;
        return now_ <= prices.indexTime + voidMs ? prices.validity : STALE;
    }

    /// @notice Whether positions may be liquidated at the market's mark, and funding be charged.
    function mayLiquidate(Prices memory prices, uint256 now_, uint256 voidMs) internal pure returns (bool) {
        return (LIQUIDATE >> of_(prices, now_, voidMs)) & 1 != 0;
    }

    /// @notice Whether money may leave accounts that have a position or an order in the market.
    function mayMargin(Prices memory prices, uint256 now_, uint256 voidMs) internal pure returns (bool) {
        return (MARGIN >> of_(prices, now_, voidMs)) & 1 != 0;
    }

    /// @notice Whether orders that open risk in the market are taken.
    function mayOpen(Prices memory prices, uint256 now_, uint256 voidMs) internal pure returns (bool) {
        return (OPEN >> of_(prices, now_, voidMs)) & 1 != 0;
    }

    /// @notice What a round makes of its market.
    /// @param index after the round, above 0
    /// @param average of the index before it, ticks; 0 none
    /// @param pending what waits to be repeated; 0 nothing
    function ofRound(
        MarketConfig memory config,
        uint256 index,
        uint256 confidence,
        uint256 average,
        uint256 pending
    ) internal pure returns (uint256) {
        if (config.deviationPpm != 0 && average != 0) {
            uint256 ratio = index > average ? index / average : average / index;
            if (ratio > VOLATILE_RATIO) return VOLATILE;
        }
        uint256 most = config.confidenceMaxPpm;
        if (most != 0 && confidence * FixedPoint.MILLION > index * most) return UNCERTAIN;
        return pending == 0 ? VALID : UNREPEATED;
    }
}
