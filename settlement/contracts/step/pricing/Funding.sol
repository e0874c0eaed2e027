// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Bytes} from "../Bytes.sol";
import {FixedPoint} from "../FixedPoint.sol";
import {Keys} from "../Keys.sol";
import {Leaf, Leaves, LeavesLib} from "../Leaves.sol";
import {Limits} from "../Limits.sol";
import {Tier} from "../leaves/Market.sol";

/// @notice Lots and q that fill the impact notional; 0 lots when the best 32 levels do not hold it.
struct Impact {
    uint256 lots;
    uint256 quote;
}

/// @title Funding rate and premium
/// @notice Twin of sequencer/engine/pricing/funding.ts; rates in ppb, truncated where a sign remains.
library Funding {
    using Bytes for bytes;

    int256 private constant INTEREST_PPB = 100_000;
    int256 private constant INTEREST_CLAMP_PPB = 500_000;
    int256 private constant RATE_8H_MAX_PPB = 320_000_000;
    uint256 private constant RATE_MAX_PPB = 40_000_000;
    uint256 private constant PREMIUM_MAX_PPB = 4_000_000_000;
    uint256 private constant PPB_OF_PPM = 1_000;
    uint256 private constant BILLION = 1_000_000_000;
    /// @dev 500 quote, in q.
    uint256 private constant IMPACT_QUOTE = 500_000_000;

    /// @notice q that the impact price is averaged over: 500 quote / initial margin rate of the first tier.
    function impactNotional(uint256 initialPpm) internal pure returns (uint256) {
        return FixedPoint.divUp(IMPACT_QUOTE * FixedPoint.MILLION, initialPpm);
    }

    /// @notice Walks the best levels until `target` q are filled; the last level is taken in part, rounded up to a lot.
    /// @dev Reads of the range of levels as many as it takes, at most 32, whatever the slice holds beyond.
    /// @param qm of the market
    function impactFill(Leaves memory leaves, uint256 market, uint256 side, uint256 target, uint256 qm)
        internal
        pure
        returns (Impact memory)
    {
        bytes32 prefix = Keys.levels(market, side);
        Leaf[] memory levels;
        bool complete = false;
        uint256 lots = 0;
        uint256 quote = 0;
        for (uint256 n = 0; n < Limits.DEPTH_LEVELS_MAX; n++) {
            if (n >= levels.length) {
                if (!complete) (levels, complete) = LeavesLib.range(leaves, prefix, Keys.SIDE_BITS, n + 1);
                if (n >= levels.length) break;
            }
            uint256 lotValue = Keys.priceOf(levels[n].key) * qm;
            uint256 size = levels[n].value.u(0, 8);
            uint256 needed = FixedPoint.divUp(target - quote, lotValue);
            if (size >= needed) return Impact({lots: lots + needed, quote: quote + needed * lotValue});
            lots += size;
            quote += size * lotValue;
        }
        return Impact({lots: 0, quote: 0});
    }

    /// @notice trunc(1e9 · (max(0, bid − index) − max(0, index − ask)) / index) with bid and ask the average impact
    /// prices quote / (lots · qm), kept as fractions, each side at most 4e9; a missing side counts 0.
    /// @param index above 0
    function premiumPpb(Impact memory bid, Impact memory ask, uint256 index, uint256 qm)
        internal
        pure
        returns (int256)
    {
        uint256 bidFair = index * qm * bid.lots;
        uint256 askFair = index * qm * ask.lots;
        uint256 above = bid.quote > bidFair ? _part(bid.quote - bidFair, bidFair) : 0;
        uint256 below = ask.quote < askFair ? _part(askFair - ask.quote, askFair) : 0;
        return int256(above) - int256(below);
    }

    /// @notice Rate of one interval: F8 = P + clamp(1e5 − P, ±5e5), trunc(clamp(F8, ±3.2e8) / 8), within ±most; ppb.
    function fundingRatePpb(int256 premium, int256 most) internal pure returns (int256) {
        int256 interest = FixedPoint.clamp(INTEREST_PPB - premium, -INTEREST_CLAMP_PPB, INTEREST_CLAMP_PPB);
        int256 rate8h = FixedPoint.clamp(premium + interest, -RATE_8H_MAX_PPB, RATE_8H_MAX_PPB);
        return FixedPoint.clamp(rate8h / 8, -most, most);
    }

    /// @notice The largest funding rate of an interval in ppb: min(4 %, 6 · (IM − MM) / 8) of the first tier.
    function rateMaxPpb(Tier memory tier) internal pure returns (int256) {
        uint256 spreadPpb = (tier.initialPpm - tier.maintenancePpm) * PPB_OF_PPM;
        return int256(FixedPoint.min(RATE_MAX_PPB, 6 * spreadPpb / 8));
    }

    /// @dev Nothing over `fair` 0 is asked for only where lots are 0, and then there is no quote either.
    function _part(uint256 over, uint256 fair) private pure returns (uint256) {
        return FixedPoint.min(BILLION * over / fair, PREMIUM_MAX_PPB);
    }
}
