// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {FixedPoint} from "../FixedPoint.sol";

/// @title Deviation guard
/// @notice Twin of sequencer/engine/pricing/deviation.ts: a move that a single round reports does not become the index
/// before a second round repeats it.
library Deviation {
    /// @notice The index after a round that says `price`, and what waits for a second round (0: nothing); ticks.
    /// @param index before the round; 0 none, then the price is taken
    /// @param pending what waits; 0 nothing
    /// @param deviationPpm 0: no guard
    function confirm(uint256 price, uint256 index, uint256 pending, uint256 deviationPpm)
        internal
        pure
        returns (uint256 taken, uint256 waiting)
    {
        if (index == 0 || deviationPpm == 0 || !_isBeyond(price, index, deviationPpm)) return (price, 0);
        bool up = price > index;
        if (pending == 0 || pending > index != up) return (index, price);
        uint256 both = pending < price == up ? pending : price;
        return _isBeyond(price, both, deviationPpm) ? (both, price) : (price, 0);
    }

    function _isBeyond(uint256 price, uint256 from, uint256 deviationPpm) private pure returns (bool) {
        uint256 move = price > from ? price - from : from - price;
        return move * FixedPoint.MILLION > from * deviationPpm;
    }
}
