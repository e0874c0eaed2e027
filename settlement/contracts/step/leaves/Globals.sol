// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Bytes} from "../Bytes.sol";
import {Keys} from "../Keys.sol";
import {Leaves, LeavesLib} from "../Leaves.sol";

/// @notice Chain parameters: sequencer/protocol/market.ts draws them.
struct ChainParameters {
    uint256 stalenessMs;
    uint256 voidMs;
    uint256 futureMs;
    uint256 sampleIntervalMs;
    uint256 fundingIntervalMs;
    uint256 openOrdersMax;
    uint256 sessionKeysMax;
    uint256 indexEmaTauMs;
    uint256 markEmaTauMs;
    uint256 markClampPpm;
    uint256 withdrawalFloorPpm;
    uint256 twapTauMs;
    uint256 liquidationBufferPpm;
    uint256 sliceIntervalMs;
    uint256 bookPhaseMs;
    uint256 auctionMs;
    uint256 auctionRoundMs;
    uint256 discountStartPpm;
    uint256 liquidationFeePpm;
    /// @dev Whole quote, as is the next.
    uint256 smallNotional;
    uint256 sliceNotional;
    /// @dev Market id + 1 whose index is the quote asset's price in 1e-6; 0 none.
    uint256 stableFeed;
    uint256 depegPpm;
    uint256 depegSlope;
}

/// @notice Clock, counters and chain parameters.
struct Globals {
    uint256 seq;
    uint256 now_;
    uint256 engineVersion;
    uint256 accounts;
    uint256 markets;
    uint256 nextSampleTime;
    uint256 nextFundingTime;
    uint256 sampleCursor;
    uint256 fundingCursor;
    ChainParameters chain;
    /// @dev ms; 0 before the first asset.
    uint256 nextAccrualTime;
    uint256 accrualCursor;
    /// @dev Highest id + 1.
    uint256 assets;
}

/// @title Leaf GLOBALS
/// @notice 146 bytes as sequencer/state/leaves.ts draws them; absent before the first command.
library GlobalsLib {
    using Bytes for bytes;

    uint256 internal constant BYTES = 146;
    uint256 internal constant CHAIN_BYTES = 96;
    uint256 internal constant ENGINE_VERSION = 1;

    function load(Leaves memory leaves) internal pure returns (Globals memory) {
        (bytes memory value, bool present) = LeavesLib.get(leaves, Keys.GLOBALS);
        return decode(value, present);
    }

    function store(Leaves memory leaves, Globals memory g) internal pure {
        LeavesLib.set(leaves, Keys.GLOBALS, encode(g));
    }

    /// @notice Before the first command: zeros, the first version of the rules and the default parameters.
    function decode(bytes memory value, bool present) internal pure returns (Globals memory g) {
        if (!present) {
            g.engineVersion = ENGINE_VERSION;
            g.chain = ChainParameters({
                stalenessMs: 3_000,
                voidMs: 10_000,
                futureMs: 3_000,
                sampleIntervalMs: 5_000,
                fundingIntervalMs: 3_600_000,
                openOrdersMax: 1_000,
                sessionKeysMax: 16,
                indexEmaTauMs: 150_000,
                markEmaTauMs: 30_000,
                markClampPpm: 5_000,
                withdrawalFloorPpm: 100_000,
                twapTauMs: 300_000,
                liquidationBufferPpm: 100_000,
                sliceIntervalMs: 10_000,
                bookPhaseMs: 15_000,
                auctionMs: 60_000,
                auctionRoundMs: 500,
                discountStartPpm: 2_500,
                liquidationFeePpm: 10_000,
                smallNotional: 1_000,
                sliceNotional: 100_000,
                stableFeed: 0,
                depegPpm: 990_000,
                depegSlope: 4
            });
            return g;
        }
        g.seq = value.u(0, 8);
        g.now_ = value.u(8, 6);
        g.engineVersion = value.u(14, 4);
        g.accounts = value.u(18, 4);
        g.markets = value.u(22, 2);
        g.nextSampleTime = value.u(24, 6);
        g.nextFundingTime = value.u(30, 6);
        g.sampleCursor = value.u(36, 2);
        g.fundingCursor = value.u(38, 2);
        g.chain = decodeChain(value, 40);
        g.nextAccrualTime = value.u(136, 6);
        g.accrualCursor = value.u(142, 2);
        g.assets = value.u(144, 2);
    }

    function decodeChain(bytes memory value, uint256 at) internal pure returns (ChainParameters memory c) {
        c.stalenessMs = value.u(at, 4);
        c.voidMs = value.u(at + 4, 4);
        c.futureMs = value.u(at + 8, 4);
        c.sampleIntervalMs = value.u(at + 12, 4);
        c.fundingIntervalMs = value.u(at + 16, 4);
        c.openOrdersMax = value.u(at + 20, 4);
        c.sessionKeysMax = value.u(at + 24, 4);
        c.indexEmaTauMs = value.u(at + 28, 4);
        c.markEmaTauMs = value.u(at + 32, 4);
        c.markClampPpm = value.u(at + 36, 4);
        c.withdrawalFloorPpm = value.u(at + 40, 4);
        c.twapTauMs = value.u(at + 44, 4);
        c.liquidationBufferPpm = value.u(at + 48, 4);
        c.sliceIntervalMs = value.u(at + 52, 4);
        c.bookPhaseMs = value.u(at + 56, 4);
        c.auctionMs = value.u(at + 60, 4);
        c.auctionRoundMs = value.u(at + 64, 4);
        c.discountStartPpm = value.u(at + 68, 4);
        c.liquidationFeePpm = value.u(at + 72, 4);
        c.smallNotional = value.u(at + 76, 4);
        c.sliceNotional = value.u(at + 80, 4);
        c.stableFeed = value.u(at + 84, 4);
        c.depegPpm = value.u(at + 88, 4);
        c.depegSlope = value.u(at + 92, 4);
    }

    function encode(Globals memory g) internal pure returns (bytes memory value) {
        uint256 at;
        (value, at) = Bytes.allocate(BYTES);
        at = Bytes.put(at, g.seq, 8);
        at = Bytes.put(at, g.now_, 6);
        at = Bytes.put(at, g.engineVersion, 4);
        at = Bytes.put(at, g.accounts, 4);
        at = Bytes.put(at, g.markets, 2);
        at = Bytes.put(at, g.nextSampleTime, 6);
        at = Bytes.put(at, g.nextFundingTime, 6);
        at = Bytes.put(at, g.sampleCursor, 2);
        at = Bytes.put(at, g.fundingCursor, 2);
        ChainParameters memory c = g.chain;
        at = Bytes.put(at, c.stalenessMs, 4);
        at = Bytes.put(at, c.voidMs, 4);
        at = Bytes.put(at, c.futureMs, 4);
        at = Bytes.put(at, c.sampleIntervalMs, 4);
        at = Bytes.put(at, c.fundingIntervalMs, 4);
        at = Bytes.put(at, c.openOrdersMax, 4);
        at = Bytes.put(at, c.sessionKeysMax, 4);
        at = Bytes.put(at, c.indexEmaTauMs, 4);
        at = Bytes.put(at, c.markEmaTauMs, 4);
        at = Bytes.put(at, c.markClampPpm, 4);
        at = Bytes.put(at, c.withdrawalFloorPpm, 4);
        at = Bytes.put(at, c.twapTauMs, 4);
        at = Bytes.put(at, c.liquidationBufferPpm, 4);
        at = Bytes.put(at, c.sliceIntervalMs, 4);
        at = Bytes.put(at, c.bookPhaseMs, 4);
        at = Bytes.put(at, c.auctionMs, 4);
        at = Bytes.put(at, c.auctionRoundMs, 4);
        at = Bytes.put(at, c.discountStartPpm, 4);
        at = Bytes.put(at, c.liquidationFeePpm, 4);
        at = Bytes.put(at, c.smallNotional, 4);
        at = Bytes.put(at, c.sliceNotional, 4);
        at = Bytes.put(at, c.stableFeed, 4);
        at = Bytes.put(at, c.depegPpm, 4);
        at = Bytes.put(at, c.depegSlope, 4);
        at = Bytes.put(at, g.nextAccrualTime, 6);
        at = Bytes.put(at, g.accrualCursor, 2);
        Bytes.put(at, g.assets, 2);
    }
}
