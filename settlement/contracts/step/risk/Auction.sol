// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {FixedPoint} from "../FixedPoint.sol";

/// @notice The account for sale, as of the round's end, and the clock of the auction; q and ms.
struct AuctionScope {
    int256 equity;
    uint256 maintenance;
    uint256 notional;
    /// @dev Of the equity what is neither cash nor positions: assets less debts.
    int256 assets;
    uint256 elapsed;
    uint256 auctionMs;
    uint256 discountStartPpm;
    uint256 liquidationBufferPpm;
    /// @dev Whole quote.
    uint256 smallNotional;
}

/// @notice What a round is settled by.
struct AuctionTerms {
    /// @dev What the whole account would cost its buyer; negative: what the buyer would be given.
    int256 base;
    /// @dev What the insurance fund would pay the buyer of the whole.
    uint256 subsidy;
    /// @dev Largest fraction for sale, ppm.
    uint256 cap;
}

/// @title The arithmetic of auctions
/// @notice Twin of sequencer/engine/risk/auction.ts, which says what it means.
library Auction {
    uint256 private constant MILLION = 1_000_000;
    int256 private constant MILLION_SIGNED = 1_000_000;

    /// @notice b(t) = min(⌊π(t) · N⌋, max(V, 0)).
    function bonus(AuctionScope memory s) internal pure returns (uint256) {
        if (s.equity <= 0) return 0;
        uint256 t = FixedPoint.min(s.elapsed, s.auctionMs);
        uint256 scaled = s.discountStartPpm * s.notional * (s.auctionMs - t) + MILLION * s.maintenance * t;
        return FixedPoint.min(scaled / (MILLION * s.auctionMs), uint256(s.equity));
    }

    /// @notice While V < 0 from −V up to M − V; else 0.
    function subsidy(AuctionScope memory s) internal pure returns (uint256) {
        if (s.equity >= 0) return 0;
        uint256 t = FixedPoint.min(s.elapsed, s.auctionMs);
        return s.maintenance * t / s.auctionMs + uint256(-s.equity);
    }

    /// @notice f* = ⌈((1 + β) M − V) / ((1 + β) M − b)⌉ in ppm, within 0 … 1e6; all of a small account.
    function fractionCap(AuctionScope memory s, uint256 bonus_) internal pure returns (uint256) {
        if (s.notional < s.smallNotional * MILLION) return MILLION;
        int256 wanted = int256((MILLION + s.liquidationBufferPpm) * s.maintenance);
        int256 missing = wanted - MILLION_SIGNED * s.equity;
        int256 gained = wanted - MILLION_SIGNED * int256(bonus_);
        if (missing <= 0) return 0;
        if (missing >= gained) return MILLION;
        return FixedPoint.divUp(uint256(missing) * MILLION, uint256(gained));
    }

    function terms(AuctionScope memory s) internal pure returns (AuctionTerms memory t) {
        uint256 bonus_ = bonus(s);
        t.base = s.assets - (s.equity < 0 ? s.equity : int256(bonus_));
        t.subsidy = subsidy(s);
        t.cap = fractionCap(s, bonus_);
    }

    /// @notice ⌈f · amount⌉ q.
    function priceOf(uint256 fractionPpm, int256 amount) internal pure returns (int256) {
        return -FixedPoint.fdiv(-(int256(fractionPpm) * amount), MILLION_SIGNED);
    }

    /// @notice Who among the bids of a round (by ascending bidder, at most 64) is rounded up: bit i for the i-th.
    function roundedUp(uint256[] memory fractions, uint256 total, uint256 cap) internal pure returns (uint256 mask) {
        if (total <= cap) return 0;
        uint256 count = fractions.length;
        uint256[] memory remainders = new uint256[](count);
        uint256 left = cap;
        for (uint256 i = 0; i < count; i++) {
            uint256 scaled = fractions[i] * cap;
            remainders[i] = scaled % total;
            left -= scaled / total;
        }
        // At most 63 are left: the largest is looked for so often, among equals the first.
        for (; left > 0; left--) {
            uint256 best = count;
            for (uint256 i = 0; i < count; i++) {
                if (mask & (1 << i) != 0) continue;
                if (best == count || remainders[i] > remainders[best]) best = i;
            }
            mask |= 1 << best;
        }
    }

    /// @notice Fraction that the i-th bid of a round gets, ppm.
    function allotted(uint256 fraction, uint256 total, uint256 cap, uint256 mask, uint256 i)
        internal
        pure
        returns (uint256)
    {
        return total <= cap ? fraction : fraction * cap / total + ((mask >> i) & 1);
    }

    /// @notice End of the round in which a bid at `now_` takes part.
    function roundEnd(uint256 began, uint256 now_, uint256 roundMs) internal pure returns (uint256) {
        return began + ((now_ - began) / roundMs + 1) * roundMs;
    }
}
