// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {FixedPoint} from "../FixedPoint.sol";
import {MarketState} from "../leaves/Market.sol";

/// @title Mark price
/// @notice Twin of sequencer/engine/pricing/mark-price.ts: median of the index with the smoothed basis, of the book, and
/// of the smoothed book; derived from rounds and samples alone.
library MarkPrice {
    /// @notice e + ⌊(x − e) · dt / (τ + dt)⌋.
    /// @param tau above 0
    function emaStep(int256 ema, int256 x, uint256 dt, uint256 tau) internal pure returns (int256) {
        return ema + FixedPoint.fdiv((x - ema) * int256(dt), int256(tau + dt));
    }

    /// @notice Median of bid, ask and last trade as of the last sample, ticks; 0 while a side is missing.
    function bookPrice(MarketState memory state) internal pure returns (uint256) {
        if (state.sampleBid == 0 || state.sampleAsk == 0) return 0;
        if (state.sampleLast == 0) return (state.sampleBid + state.sampleAsk) / 2;
        return FixedPoint.median3(state.sampleBid, state.sampleAsk, state.sampleLast);
    }

    /// @notice Ticks, 1 … maxPrice; the index alone while the book has no two sides. 0 while there is no index.
    function markPrice(MarketState memory state, uint256 index, uint256 maxPrice, uint256 markClampPpm)
        internal
        pure
        returns (uint256)
    {
        if (index == 0) return 0;
        int256 limit = int256(index * markClampPpm);
        int256 basis = FixedPoint.clamp(state.basisEma, -limit, limit);
        int256 mark = int256(index) + FixedPoint.fdiv(basis, FixedPoint.MILLION_SIGNED);
        uint256 book = bookPrice(state);
        if (book != 0 && state.bookEma >= 0) {
            mark = _median3(mark, int256(book), state.bookEma / FixedPoint.MILLION_SIGNED);
        }
        return uint256(FixedPoint.clamp(mark, 1, int256(maxPrice)));
    }

    function _median3(int256 a, int256 b, int256 c) private pure returns (int256) {
        return FixedPoint.maxSigned(FixedPoint.minSigned(a, b), FixedPoint.minSigned(FixedPoint.maxSigned(a, b), c));
    }
}
