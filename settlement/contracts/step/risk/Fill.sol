// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {FixedPoint} from "../FixedPoint.sol";

/// @notice Lots bought (side 0) or sold by one account at `lotValue` q a lot.
struct Fill {
    uint256 side;
    uint256 lots;
    uint256 lotValue;
}

/// @notice A position after a fill, and what the fill realized; q and signed lots.
struct FillOutcome {
    int256 size;
    int256 v;
    /// @dev Moves to cash.
    int256 realized;
}

/// @title The arithmetic of a fill on one position
/// @notice Twin of sequencer/engine/risk/fill.ts.
library FillLib {
    /// @notice +1 for a buyer, −1 for a seller.
    function sign(uint256 side) internal pure returns (int256) {
        return side == 0 ? int256(1) : int256(-1);
    }

    /// @notice Whether `size` would be reduced by a fill on `side`.
    function opposes(int256 size, uint256 side) internal pure returns (bool) {
        return side == 0 ? size < 0 : size > 0;
    }

    /// @notice Reducing by |Δ| realizes ⌊v·|Δ|/|s|⌋ + proceeds and v keeps the rest; a trade through zero is a
    /// reduction and an opening.
    function outcome(int256 size, int256 v, Fill memory fill) internal pure returns (FillOutcome memory out) {
        int256 direction = sign(fill.side);
        int256 opening = int256(fill.lots);
        int256 lotValue = int256(fill.lotValue);
        if (opposes(size, fill.side)) {
            int256 held = direction < 0 ? size : -size;
            int256 reducing = FixedPoint.minSigned(held, opening);
            int256 share = FixedPoint.fdiv(v * reducing, held);
            out.realized = share - direction * reducing * lotValue;
            v -= share;
            size += direction * reducing;
            opening -= reducing;
            if (size == 0) {
                out.realized += v;
                v = 0;
            }
        }
        out.size = size + direction * opening;
        out.v = v - direction * opening * lotValue;
    }
}
