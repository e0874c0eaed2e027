// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {FixedPoint} from "../FixedPoint.sol";

/// @notice A position that is to be closed, as it stood when the round began.
struct BankruptPosition {
    /// @dev Signed lots, never 0.
    int256 size;
    uint256 lotValue;
    /// @dev Maintenance margin of this position alone.
    uint256 positionMaintenance;
    /// @dev M and V of its account; M > 0.
    uint256 maintenance;
    int256 equity;
}

/// @notice An account with a position in the market, on whichever side.
struct Holder {
    int256 size;
    int256 v;
    int256 equity;
    int256 maintenance;
}

/// @title The arithmetic of auto-deleveraging
/// @notice Twin of sequencer/engine/risk/adl.ts, which says what it means.
library Adl {
    uint256 internal constant BANDS = 5;
    int256 private constant MILLION = 1_000_000;

    /// @notice Z(lots): up for longs, which are paid it, down for shorts, which pay it.
    function zeroQuote(BankruptPosition memory p, uint256 lots) internal pure returns (int256) {
        int256 held = int256(FixedPoint.abs(p.size));
        int256 unit = held * int256(p.maintenance);
        int256 change = int256(p.positionMaintenance) * p.equity;
        int256 whole = int256(p.lotValue) * unit;
        if (p.size > 0) return -FixedPoint.fdiv(-int256(lots) * (whole - change), unit);
        return FixedPoint.fdiv(int256(lots) * (whole + change), unit);
    }

    /// @notice Whether the holder is asked: the other side, no loss at Z, E > 0, V > 0 and M > 0.
    function isCandidate(BankruptPosition memory p, Holder memory h) internal pure returns (bool) {
        if (h.size == 0 || (h.size > 0) == (p.size > 0)) return false;
        if (h.v == 0 || h.equity <= 0 || h.maintenance <= 0) return false;
        uint256 held = FixedPoint.abs(p.size);
        return h.v * int256(held) + h.size * zeroQuote(p, held) >= 0;
    }

    /// @notice Band of a candidate by its score (U / E) · (M / V): 0 is taken from first, 4 last.
    function bandOf(Holder memory h, uint256 lotValue) internal pure returns (uint256 band) {
        int256 scaled = (h.size * int256(lotValue) + h.v) * h.maintenance * MILLION;
        int256 denominator = int256(FixedPoint.abs(h.v)) * h.equity;
        for (int256 edge = MILLION; band < BANDS - 1 && scaled < edge * denominator; edge /= 10) band++;
    }

    /// @notice Of `total` that a band of `sum` gives together, what falls on the next `part` behind `before`.
    function shareOf(uint256 total, uint256 sum, uint256 before, uint256 part) internal pure returns (uint256) {
        return _nearest(total, before + part, sum) - _nearest(total, before, sum);
    }

    /// @notice A position after `lots` of it (at most what it holds) were closed for `quote` q in all.
    function closeLots(int256 size, int256 v, uint256 lots, int256 quote)
        internal
        pure
        returns (int256 sizeAfter, int256 vAfter, int256 realized)
    {
        int256 closed = int256(lots);
        int256 share = FixedPoint.fdiv(v * closed, int256(FixedPoint.abs(size)));
        vAfter = v - share;
        sizeAfter = size > 0 ? size - closed : size + closed;
        realized = size > 0 ? share + quote : share - quote;
        if (sizeAfter == 0) {
            realized += vAfter;
            vAfter = 0;
        }
    }

    function _nearest(uint256 total, uint256 count, uint256 sum) private pure returns (uint256) {
        return (2 * total * count + sum) / (2 * sum);
    }
}
