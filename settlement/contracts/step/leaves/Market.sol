// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Bytes} from "../Bytes.sol";
import {Keys} from "../Keys.sol";
import {Leaves, LeavesLib} from "../Leaves.sol";

/// @notice A margin tier: requirement = ⌈N · rate / 1e6⌉ − deduction.
struct Tier {
    /// @dev q.
    uint256 lower;
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
    Tier[] tiers;
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
}

/// @title Leaves MARKET_CONFIG, MARKET_STATE and PRICES
library MarketLib {
    using Bytes for bytes;

    uint256 internal constant ACTIVE = 0;
    uint256 internal constant REDUCE_ONLY = 1;
    uint256 internal constant HALTED = 2;

    uint256 internal constant CONFIG_BYTES = 88;
    uint256 internal constant TIER_BYTES = 16;
    uint256 internal constant STATE_BYTES = 95;
    uint256 internal constant ROW_BYTES = 34;
    uint256 private constant MILLION = 1_000_000;

    /// @return config meaningless when there is no such market
    function loadConfig(Leaves memory leaves, uint256 market)
        internal
        pure
        returns (MarketConfig memory config, bool present)
    {
        bytes memory value;
        (value, present) = LeavesLib.get(leaves, Keys.marketConfig(market));
        if (present) config = decodeConfig(value);
    }

    /// @notice q of notional per tick and lot of a market that is configured: all that an order's totals need.
    function loadUnit(Leaves memory leaves, uint256 market) internal pure returns (uint256) {
        (bytes memory value,) = LeavesLib.get(leaves, Keys.marketConfig(market));
        return value.u(20, 8);
    }

    function decodeConfig(bytes memory value) internal pure returns (MarketConfig memory c) {
        c.market = value.u(0, 2);
        c.status = value.u(2, 1);
        c.qm = value.u(20, 8);
        c.maxPrice = value.u(28, 4);
        c.maxPosition = value.u(32, 8);
        c.maxOpenInterest = value.u(40, 8);
        c.maxOrderSize = value.u(48, 8);
        c.minNotional = value.u(56, 8);
        c.takerFeePpm = value.u(64, 4);
        c.makerFeePpm = value.i(68, 4);
        c.bandPpm = value.u(72, 4);
        c.profitWeightPpm = value.u(76, 4);
        _decodeTiers(value, c);
    }

    /// @dev d_k = d_{k-1} + lower_k · (r_k − r_{k-1}): whole q, because lower_k is whole quote (margin.md section 3).
    function _decodeTiers(bytes memory value, MarketConfig memory c) private pure {
        uint256 count = value.u(3, 1);
        c.tiers = new Tier[](count);
        for (uint256 n = 0; n < count; n++) {
            uint256 at = CONFIG_BYTES + n * TIER_BYTES;
            Tier memory tier = c.tiers[n];
            uint256 lower = value.u(at, 8);
            tier.lower = lower * MILLION;
            tier.initialPpm = value.u(at + 8, 4);
            tier.maintenancePpm = value.u(at + 12, 4);
            if (n == 0) continue;
            Tier memory last = c.tiers[n - 1];
            tier.initialDeduction = last.initialDeduction + lower * (tier.initialPpm - last.initialPpm);
            tier.maintenanceDeduction =
                last.maintenanceDeduction + lower * (tier.maintenancePpm - last.maintenancePpm);
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
        assembly ("memory-safe") {
            mstore(at, after_)
        }
        LeavesLib.set(leaves, Keys.prices(market), value);
    }
}
