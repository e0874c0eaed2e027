// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Bytes} from "../Bytes.sol";
import {FixedPoint} from "../FixedPoint.sol";
import {Keys} from "../Keys.sol";
import {Leaf, Leaves, LeavesLib} from "../Leaves.sol";
import {Limits} from "../Limits.sol";
import {MarketConfig, MarketLib} from "../leaves/Market.sol";

/// @title What a sample reads out of a market for margin
/// @notice Twin of sequencer/engine/pricing/depth.ts.
library Depth {
    using Bytes for bytes;

    uint256 private constant BUY = 0;
    uint256 private constant SELL = 1;
    uint256 private constant DEPTH_MAX = type(uint32).max;

    /// @notice Whole quote that rests within 2 % of the mark on the thinner side, down, at most 2^32 − 1.
    /// @param mark as it stands before the sample
    /// @param qm of the market
    function ofBook(Leaves memory leaves, uint256 market, uint256 mark, uint256 qm) internal pure returns (uint256) {
        return FixedPoint.min(ofSide(leaves, market, BUY, mark, qm), ofSide(leaves, market, SELL, mark, qm));
    }

    /// @dev Reads of the range of levels as many as count, and one more where there is one, at most 32.
    function ofSide(Leaves memory leaves, uint256 market, uint256 side, uint256 mark, uint256 qm)
        internal
        pure
        returns (uint256)
    {
        bytes32 prefix = Keys.levels(market, side);
        Leaf[] memory levels;
        bool complete = false;
        uint256 quote = 0;
        for (uint256 n = 0; n < Limits.DEPTH_LEVELS_MAX; n++) {
            if (n >= levels.length) {
                if (!complete) (levels, complete) = LeavesLib.range(leaves, prefix, Keys.SIDE_BITS, n + 1);
                if (n >= levels.length) break;
            }
            uint256 price = Keys.priceOf(levels[n].key);
            if (side == BUY ? 50 * price < 49 * mark : 50 * price > 51 * mark) break;
            quote += levels[n].value.u(0, 8) * price * qm;
        }
        return FixedPoint.min(quote / FixedPoint.MILLION, DEPTH_MAX);
    }

    /// @notice Initial rate that open interest asks for: base + ⌊(1e6 − base) · (OI − L) / (U − L)⌋ within base and 1e6,
    /// OI the notional of the open interest at the mark; 0 where the market has no such limits.
    function openInterestRate(MarketConfig memory config, uint256 openInterest, uint256 mark)
        internal
        pure
        returns (uint256)
    {
        if (config.openInterestUpper == 0) return 0;
        (uint256 base,) = MarketLib.initialRate(config, 0);
        uint256 notional = openInterest * mark * config.qm;
        uint256 lower = config.openInterestLower * FixedPoint.MILLION;
        if (notional <= lower) return base;
        uint256 span = config.openInterestUpper * FixedPoint.MILLION - lower;
        uint256 over = FixedPoint.min(notional - lower, span);
        return base + (FixedPoint.MILLION - base) * over / span;
    }
}
