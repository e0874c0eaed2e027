// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Bytes} from "../Bytes.sol";
import {Keys} from "../Keys.sol";
import {Leaves, LeavesLib} from "../Leaves.sol";

/// @notice A margin tier: requirement = ⌈N · rate / 1e6⌉ − deduction.
struct Tier {
    uint256 initialPpm;
    uint256 initialDeduction;
    uint256 maintenancePpm;
    uint256 maintenanceDeduction;
}

/// @notice sequencer/protocol/market.ts, MarketConfig; symbol and display tick are not needed.
struct MarketConfig {
    uint256 market;
    uint256 status;
    uint256 qm;
    uint256 maxPrice;
    uint256 maxPosition;
    uint256 maxOpenInterest;
    uint256 maxOrderSize;
    uint256 minNotional;
    uint256 takerFeePpm;
    int256 makerFeePpm;
    uint256 bandPpm;
    uint256 profitWeightPpm;
    uint256 riskPool;
    /// @dev ISOLATED_ONLY, FEED_ONLY, FAST_BACKSTOP.
    uint256 flags;
    /// @dev Whole quote, as are the next two and the last two; 0 no cap.
    uint256 profitCap;
    uint256 openInterestLower;
    uint256 openInterestUpper;
    uint256 concentrationPpm;
    uint256 confidenceMaxPpm;
    uint256 deviationPpm;
    uint256 backstopCap;
    uint256 insuranceClaim;
    /// @dev The leaf's value: tiers are looked up in it.
    bytes packed;
}

struct MarketState {
    bool halted;
    uint256 openInterest;
    int256 fees;
    int256 fundingBalance;
    uint256 fundingTick;
    int256 premiumSum;
    uint256 premiumCount;
    uint256 lastPrice;
    uint256 sampleTime;
    uint256 sampleBid;
    uint256 sampleAsk;
    uint256 sampleLast;
    int256 basisEma;
    /// @dev -1: none.
    int256 bookEma;
}

/// @notice Row of a market in its leaf of prices.
struct Prices {
    uint256 index;
    uint256 mark;
    uint256 indexTime;
    uint256 confidence;
    int256 fundingIndex;
    /// @dev EMA of the index, ticks; 0 while there was none.
    uint256 twap;
    /// @dev Initial rate that open interest asks for, as of the last sample; 0 none.
    uint256 openInterestPpm;
    /// @dev Whole quote within 2 % of the mark on the thinner side, as of the last sample.
    uint256 depth;
    /// @dev As of the last round: pricing/Validity.sol.
    uint256 validity;
}

/// @title Leaves MARKET_CONFIG, MARKET_STATE and PRICES
library MarketLib {
    using Bytes for bytes;

    uint256 internal constant ACTIVE = 0;
    uint256 internal constant REDUCE_ONLY = 1;
    uint256 internal constant HALTED = 2;

    uint256 internal constant ISOLATED_ONLY = 1;
    uint256 internal constant FEED_ONLY = 2;
    uint256 internal constant FAST_BACKSTOP = 4;

    uint256 internal constant CONFIG_BYTES = 128;
    uint256 internal constant TIER_BYTES = 16;
    uint256 internal constant STATE_BYTES = 95;
    uint256 internal constant ROW_BYTES = 48;
    uint256 private constant MILLION = 1_000_000;

    /// @return config meaningless when there is no such market
    function loadConfig(Leaves memory leaves, uint256 market)
        internal
        pure
        returns (MarketConfig memory config, bool present)
    {
        bytes memory value;
        (value, present) = LeavesLib.get(leaves, Keys.marketConfig(market));
        if (present) _decodeConfig(value, config);
    }

    /// @notice q of notional per tick and lot of a market that is configured: all that an order's totals need.
    function loadUnit(Leaves memory leaves, uint256 market) internal pure returns (uint256) {
        (bytes memory value,) = LeavesLib.get(leaves, Keys.marketConfig(market));
        return value.u(20, 8);
    }

    function decodeConfig(bytes memory value) internal pure returns (MarketConfig memory c) {
        _decodeConfig(value, c);
    }

    function _decodeConfig(bytes memory value, MarketConfig memory c) private pure {
        uint256 word = value.u(0, 32);
        c.market = word >> 240;
        c.status = uint8(word >> 232);
        c.qm = uint64(word >> 32);
        c.maxPrice = uint32(word);
        word = value.u(32, 32);
        c.maxPosition = word >> 192;
        c.maxOpenInterest = uint64(word >> 128);
        c.maxOrderSize = uint64(word >> 64);
        c.minNotional = uint64(word);
        word = value.u(64, 32);
        c.takerFeePpm = word >> 224;
        c.makerFeePpm = int32(uint32(word >> 192));
        c.bandPpm = uint32(word >> 160);
        c.profitWeightPpm = uint32(word >> 128);
        word = value.u(88, 32);
        c.riskPool = word >> 248;
        c.flags = uint8(word >> 240);
        c.profitCap = uint32(word >> 192);
        c.openInterestLower = uint32(word >> 160);
        c.openInterestUpper = uint32(word >> 128);
        c.concentrationPpm = uint32(word >> 96);
        c.confidenceMaxPpm = uint32(word >> 64);
        c.deviationPpm = uint32(word >> 32);
        c.backstopCap = uint32(word);
        c.insuranceClaim = value.u(120, 4);
        c.packed = value;
    }

    /// @notice The last tier that begins at or below a notional, in q; a market has at least one.
    function tierOf(MarketConfig memory config, uint256 notional) internal pure returns (Tier memory tier) {
        (tier.initialPpm, tier.initialDeduction) = initialRate(config, notional);
        (tier.maintenancePpm, tier.maintenanceDeduction) = maintenanceRate(config, notional);
    }

    /// @notice Initial margin in the tier of a notional: its rate, and its deduction in q.
    function initialRate(MarketConfig memory config, uint256 notional)
        internal
        pure
        returns (uint256 ppm, uint256 deduction)
    {
        return _rate(config.packed, notional, 32);
    }

    /// @notice The same of maintenance margin.
    function maintenanceRate(MarketConfig memory config, uint256 notional)
        internal
        pure
        returns (uint256 ppm, uint256 deduction)
    {
        return _rate(config.packed, notional, 0);
    }

    /// @dev d_k = d_{k-1} + lower_k · (r_k − r_{k-1}): whole q, because lower_k is whole quote (margin.md section 3).
    /// @param shift of the rate in the 16 bytes of a tier
    function _rate(bytes memory value, uint256 notional, uint256 shift)
        private
        pure
        returns (uint256 ppm, uint256 deduction)
    {
        uint256 tier = value.u(CONFIG_BYTES, 16);
        ppm = uint32(tier >> shift);
        uint256 end = CONFIG_BYTES + value.u(3, 1) * TIER_BYTES;
        // Bounded: lower is below 2^64, rates are at most 1e6 and do not fall, tiers are 8.
        unchecked {
            for (uint256 start = CONFIG_BYTES + TIER_BYTES; start < end; start += TIER_BYTES) {
                tier = value.u(start, 16);
                uint256 lower = tier >> 64;
                if (lower * MILLION > notional) break;
                uint256 next = uint32(tier >> shift);
                deduction += lower * (next - ppm);
                ppm = next;
            }
        }
    }

    /// @notice The state of a market that is configured.
    function loadState(Leaves memory leaves, uint256 market) internal pure returns (MarketState memory) {
        (bytes memory value,) = LeavesLib.get(leaves, Keys.marketState(market));
        return decodeState(value);
    }

    function storeState(Leaves memory leaves, uint256 market, MarketState memory state) internal pure {
        LeavesLib.set(leaves, Keys.marketState(market), encodeState(state));
    }

    function decodeState(bytes memory value) internal pure returns (MarketState memory s) {
        s.halted = value.u(0, 1) != 0;
        s.openInterest = value.u(1, 8);
        s.fees = value.i(9, 8);
        s.fundingBalance = value.i(17, 8);
        s.fundingTick = value.u(25, 4);
        s.premiumSum = value.i(29, 8);
        s.premiumCount = value.u(37, 4);
        s.lastPrice = value.u(41, 4);
        s.sampleTime = value.u(45, 6);
        s.sampleBid = value.u(51, 4);
        s.sampleAsk = value.u(55, 4);
        s.sampleLast = value.u(59, 4);
        s.basisEma = value.i(63, 16);
        s.bookEma = value.i(79, 16);
    }

    function encodeState(MarketState memory s) internal pure returns (bytes memory value) {
        uint256 at;
        (value, at) = Bytes.allocate(STATE_BYTES);
        at = Bytes.put(at, s.halted ? 1 : 0, 1);
        at = Bytes.put(at, s.openInterest, 8);
        at = Bytes.putSigned(at, s.fees, 8);
        at = Bytes.putSigned(at, s.fundingBalance, 8);
        at = Bytes.put(at, s.fundingTick, 4);
        at = Bytes.putSigned(at, s.premiumSum, 8);
        at = Bytes.put(at, s.premiumCount, 4);
        at = Bytes.put(at, s.lastPrice, 4);
        at = Bytes.put(at, s.sampleTime, 6);
        at = Bytes.put(at, s.sampleBid, 4);
        at = Bytes.put(at, s.sampleAsk, 4);
        at = Bytes.put(at, s.sampleLast, 4);
        at = Bytes.putSigned(at, s.basisEma, 16);
        Bytes.putSigned(at, s.bookEma, 16);
    }

    /// @notice ACTIVE, REDUCE_ONLY or HALTED.
    function status(MarketConfig memory config, MarketState memory state) internal pure returns (uint256) {
        return state.halted ? HALTED : config.status;
    }

    /// @notice Row of the market in its leaf of prices; zeros where there is none.
    function loadPrices(Leaves memory leaves, uint256 market) internal pure returns (Prices memory p) {
        (bytes memory value, bool present) = LeavesLib.get(leaves, Keys.prices(market));
        if (!present) return p;
        uint256 at = ROW_BYTES * (market % Keys.PRICES_PER_LEAF);
        p.index = value.u(at, 4);
        p.mark = value.u(at + 4, 4);
        p.indexTime = value.u(at + 8, 6);
        p.confidence = value.u(at + 14, 4);
        p.fundingIndex = value.i(at + 18, 16);
        uint256 word = value.u(at + 34, 14);
        p.twap = word >> 80;
        p.openInterestPpm = uint32(word >> 48);
        p.depth = uint32(word >> 16);
        p.validity = uint8(word >> 8);
    }

    /// @notice Writes the row into its leaf, which appears with its first market.
    function storePrices(Leaves memory leaves, uint256 market, Prices memory p) internal pure {
        (bytes memory before, bool present) = LeavesLib.get(leaves, Keys.prices(market));
        (bytes memory value, uint256 start) = Bytes.allocate(ROW_BYTES * Keys.PRICES_PER_LEAF);
        if (present) {
            assembly ("memory-safe") {
                mcopy(start, add(before, 32), mload(value))
            }
        }
        uint256 row = start + ROW_BYTES * (market % Keys.PRICES_PER_LEAF);
        bytes32 after_;
        assembly ("memory-safe") {
            // The row's last field is written by a whole word, which reaches into the next row.
            after_ := mload(add(row, ROW_BYTES))
        }
        uint256 at = Bytes.put(row, p.index, 4);
        at = Bytes.put(at, p.mark, 4);
        at = Bytes.put(at, p.indexTime, 6);
        at = Bytes.put(at, p.confidence, 4);
        at = Bytes.putSigned(at, p.fundingIndex, 16);
        at = Bytes.put(
            at, (p.twap << 80) | (p.openInterestPpm << 48) | (p.depth << 16) | (p.validity << 8), 14
        );
        assembly ("memory-safe") {
            mstore(at, after_)
        }
        LeavesLib.set(leaves, Keys.prices(market), value);
    }
}
