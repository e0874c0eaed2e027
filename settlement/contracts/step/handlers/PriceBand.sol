// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {FixedPoint} from "../FixedPoint.sol";
import {MarketContext} from "../risk/Markets.sol";

/// @title Bounds of limit prices around the mark
/// @notice Twin of `priceBand` and `withinBand` in sequencer/engine/handlers/place.ts.
library PriceBand {
    /// @notice Both inclusive; the whole range when the market has no band or no mark.
    function bounds(MarketContext memory context) internal pure returns (uint256 low, uint256 high) {
        uint256 band = context.config.bandPpm;
        uint256 mark = context.prices.mark;
        uint256 maxPrice = context.config.maxPrice;
        if (band == 0 || mark == 0) return (1, maxPrice);
        low = FixedPoint.max(1, FixedPoint.mulPpmUp(mark, FixedPoint.MILLION - band));
        high = FixedPoint.min(maxPrice, FixedPoint.mulPpmDown(mark, FixedPoint.MILLION + band));
    }

    /// @notice True also when the market has no band or no mark.
    function holds(MarketContext memory context, uint256 price) internal pure returns (bool) {
        if (context.config.bandPpm == 0 || context.prices.mark == 0) return true;
        (uint256 low, uint256 high) = bounds(context);
        return price >= low && price <= high;
    }
}
