// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IQueue} from "../interfaces/IQueue.sol";
import {Bounds} from "./Bounds.sol";

/// @title Configuration entries: shape and bounds
/// @notice Twin of sequencer/protocol/market.ts and asset.ts, which draw the bytes; shared vectors
/// test/vectors/configuration.json. What depends on the state (the units of a market and of an asset never change, ids have
/// no gaps, an asset's feed exists) only the state machine can check: an entry that breaks it does nothing.
library ConfigurationLib {
    uint8 internal constant CHAIN = 16;
    uint8 internal constant MARKET = 17;
    uint8 internal constant PUBLISHER = 18;
    uint8 internal constant ASSET = 19;

    uint256 internal constant CHAIN_BYTES = 96;
    uint256 internal constant MARKET_HEADER_BYTES = 128;
    uint256 internal constant TIER_BYTES = 16;
    uint256 internal constant TIERS_MAX = 8;
    uint256 internal constant PUBLISHER_BYTES = 25;
    uint256 internal constant ASSET_BYTES = 144;
    uint256 internal constant HAIRCUTS_MAX = 4;

    uint256 internal constant MILLION = 1_000_000;
    uint256 internal constant PRICE_MAX = 2 ** 32 - 1;
    uint256 internal constant SIZE_MAX = 2 ** 48 - 1;
    uint256 internal constant NOTIONAL_MAX = 2 ** 48;
    uint256 internal constant EXACT_MAX = 2 ** 53 - 1;
    uint256 internal constant WHOLE_QUOTE_MAX = 2 ** 28;
    uint256 internal constant UNITS_MAX = 2 ** 51;
    uint256 internal constant MARKETS_MAX = 1024;
    uint256 internal constant ASSETS_MAX = 64;
    uint256 internal constant PUBLISHERS_MAX = 16;
    uint256 internal constant FEE_PPM_MAX = 100_000;
    uint256 internal constant WEIGHT_PPM_MAX = 10 * MILLION;
    uint256 internal constant RATE_PPM_MAX = 10 * MILLION;
    uint256 internal constant DECIMALS_MAX = 12;
    uint256 internal constant QUOTE_ASSET = 0;
    uint256 internal constant NO_FEED = 0xffff;
    uint256 internal constant DAY_MS = 86_400_000;
    uint256 internal constant HOUR_MS = 3_600_000;

    /// @notice A symbol is 1 to 16 of A-Z, 0-9 and '-', then zeros.
    error SymbolMalformed(bytes16 got);

    /// @notice Reverts unless the payload has the length of its kind.
    function checkShape(uint8 kind, bytes memory payload) internal pure {
        if (kind == CHAIN) {
            _checkLength(kind, CHAIN_BYTES, payload.length);
        } else if (kind == MARKET) {
            // The fourth byte of the header counts the tiers that follow it.
            if (payload.length < MARKET_HEADER_BYTES) _checkLength(kind, MARKET_HEADER_BYTES, payload.length);
            uint256 tiers = uint8(payload[3]);
            Bounds.check("market.tiers", 1, TIERS_MAX, tiers);
            _checkLength(kind, MARKET_HEADER_BYTES + TIER_BYTES * tiers, payload.length);
        } else if (kind == PUBLISHER) {
            _checkLength(kind, PUBLISHER_BYTES, payload.length);
        } else if (kind == ASSET) {
            _checkLength(kind, ASSET_BYTES, payload.length);
        } else {
            revert IQueue.KindNotSupported(kind);
        }
    }

    /// @notice Reverts unless the payload has the length of its kind and every value is within its bounds.
    function check(uint8 kind, bytes memory payload) internal pure {
        checkShape(kind, payload);
        if (kind == CHAIN) _checkChain(payload);
        else if (kind == MARKET) _checkMarket(payload);
        else if (kind == PUBLISHER) _checkPublisher(payload);
        else _checkAsset(payload);
    }

    function _checkChain(bytes memory p) private pure {
        uint256 stalenessMs = _within(p, 0, 4, "chain.stalenessMs", 100, 600_000);
        _within(p, 4, 4, "chain.voidMs", stalenessMs, HOUR_MS);
        _within(p, 8, 4, "chain.futureMs", 0, 60_000);
        _within(p, 12, 4, "chain.sampleIntervalMs", 100, HOUR_MS);
        _within(p, 16, 4, "chain.fundingIntervalMs", 1_000, DAY_MS);
        _within(p, 20, 4, "chain.openOrdersMax", 1, 10_000);
        _within(p, 24, 4, "chain.sessionKeysMax", 0, 32);
        _within(p, 28, 4, "chain.indexEmaTauMs", 1, DAY_MS);
        _within(p, 32, 4, "chain.markEmaTauMs", 1, DAY_MS);
        _within(p, 36, 4, "chain.markClampPpm", 0, MILLION);
        _within(p, 40, 4, "chain.withdrawalFloorPpm", 0, MILLION);
        _within(p, 44, 4, "chain.twapTauMs", 1, DAY_MS);
        _within(p, 48, 4, "chain.liquidationBufferPpm", 0, MILLION);
        _within(p, 52, 4, "chain.sliceIntervalMs", 1_000, HOUR_MS);
        _within(p, 56, 4, "chain.bookPhaseMs", 1_000, HOUR_MS);
        _within(p, 60, 4, "chain.auctionMs", 1_000, HOUR_MS);
        _within(p, 64, 4, "chain.auctionRoundMs", 100, 60_000);
        _within(p, 68, 4, "chain.discountStartPpm", 0, MILLION);
        _within(p, 72, 4, "chain.liquidationFeePpm", 0, FEE_PPM_MAX);
        _within(p, 76, 4, "chain.smallNotional", 0, WHOLE_QUOTE_MAX);
        _within(p, 80, 4, "chain.sliceNotional", 0, WHOLE_QUOTE_MAX);
        _within(p, 84, 4, "chain.stableFeed", 0, MARKETS_MAX);
        _within(p, 88, 4, "chain.depegPpm", 0, MILLION);
        _within(p, 92, 4, "chain.depegSlope", 0, 100);
    }

    function _checkMarket(bytes memory p) private pure {
        _within(p, 0, 2, "market.market", 0, MARKETS_MAX - 1);
        _within(p, 2, 1, "market.status", 0, 2);
        _checkSymbol(p);
        uint256 qm = _within(p, 20, 8, "market.qm", 1, NOTIONAL_MAX);
        uint256 maxPrice = _within(p, 28, 4, "market.maxPrice", 1, PRICE_MAX);
        uint256 maxPosition = _within(p, 32, 8, "market.maxPosition", 1, SIZE_MAX);
        Bounds.check("market.maxNotional", 1, NOTIONAL_MAX, qm * maxPrice * maxPosition);
        _within(p, 40, 8, "market.maxOpenInterest", 0, SIZE_MAX);
        _within(p, 48, 8, "market.maxOrderSize", 1, SIZE_MAX);
        _within(p, 56, 8, "market.minNotional", 0, NOTIONAL_MAX);
        int256 taker = int256(_within(p, 64, 4, "market.takerFeePpm", 0, FEE_PPM_MAX));
        int256 maker = int32(uint32(_uint(p, 68, 4)));
        if (maker < -taker || maker > int256(FEE_PPM_MAX)) {
            revert Bounds.OutOfRange("market.makerFeePpm", uint256(-taker), FEE_PPM_MAX, uint256(maker));
        }
        _within(p, 72, 4, "market.bandPpm", 0, MILLION);
        _within(p, 76, 4, "market.profitWeightPpm", 0, MILLION);
        _within(p, 80, 8, "market.tickSizeE9", 0, EXACT_MAX);
        _checkLimits(p);
        _checkTiers(p);
    }

    /// @dev Caps and add-ons; each of them 0 where there is none.
    function _checkLimits(bytes memory p) private pure {
        _within(p, 89, 1, "market.flags", 0, 7);
        _within(p, 90, 2, "market.padding", 0, 0);
        _within(p, 92, 4, "market.profitCap", 0, WHOLE_QUOTE_MAX);
        uint256 lower = _within(p, 96, 4, "market.openInterestLower", 0, WHOLE_QUOTE_MAX);
        uint256 least = lower == 0 && _uint(p, 100, 4) == 0 ? 0 : lower + 1;
        _within(p, 100, 4, "market.openInterestUpper", least, WHOLE_QUOTE_MAX);
        _within(p, 104, 4, "market.concentrationPpm", 0, 10 * MILLION);
        _within(p, 108, 4, "market.confidenceMaxPpm", 0, MILLION);
        _within(p, 112, 4, "market.deviationPpm", 0, MILLION);
        _within(p, 116, 4, "market.backstopCap", 0, WHOLE_QUOTE_MAX);
        _within(p, 120, 4, "market.insuranceClaim", 0, WHOLE_QUOTE_MAX);
        _within(p, 124, 4, "market.padding", 0, 0);
    }

    function _checkAsset(bytes memory p) private pure {
        bool quote = _within(p, 0, 2, "asset.asset", 0, ASSETS_MAX - 1) == QUOTE_ASSET;
        _within(p, 2, 1, "asset.status", 0, 1);
        _checkSymbol(p);
        _within(p, 22, 2, "asset.padding", 0, 0);
        _checkWeights(p, quote);
        _checkHaircuts(p, quote);
        _within(p, 80, 8, "asset.userCap", 0, UNITS_MAX);
        _within(p, 88, 8, "asset.globalCap", 0, UNITS_MAX);
        _within(p, 96, 4, "asset.baseRatePpm", 0, RATE_PPM_MAX);
        _within(p, 100, 4, "asset.slope1Ppm", 0, RATE_PPM_MAX);
        _within(p, 104, 4, "asset.slope2Ppm", 0, RATE_PPM_MAX);
        _within(p, 108, 4, "asset.kinkPpm", 1, MILLION - 1);
        _within(p, 112, 4, "asset.reservePpm", 0, MILLION);
        _within(p, 116, 4, "asset.utilizationCapPpm", 0, MILLION);
        _within(p, 120, 8, "asset.supplyCap", 0, UNITS_MAX);
        _within(p, 128, 8, "asset.borrowCap", 0, UNITS_MAX);
        // Bit 1: negative cash borrows, which is quote.
        _within(p, 136, 1, "asset.flags", 0, quote ? 3 : 1);
        _within(p, 137, 7, "asset.padding", 0, 0);
    }

    /// @dev The quote asset is the unit of everything: it needs no feed, and counts in full.
    function _checkWeights(bytes memory p, bool quote) private pure {
        (uint256 decimalsMin, uint256 decimalsMax) = quote ? (uint256(6), uint256(6)) : (0, DECIMALS_MAX);
        _within(p, 3, 1, "asset.decimals", decimalsMin, decimalsMax);
        (uint256 feedMin, uint256 feedMax) = quote ? (NO_FEED, NO_FEED) : (0, MARKETS_MAX - 1);
        _within(p, 20, 2, "asset.feed", feedMin, feedMax);
        uint256 least = quote ? MILLION : 0;
        uint256 threshold = _within(p, 28, 4, "asset.liquidationThresholdPpm", least, MILLION);
        _within(p, 24, 4, "asset.collateralFactorPpm", least, threshold);
        uint256 most = quote ? MILLION : WEIGHT_PPM_MAX;
        uint256 initial = _within(p, 32, 4, "asset.debtWeightInitialPpm", MILLION, most);
        _within(p, 36, 4, "asset.debtWeightMaintenancePpm", MILLION, initial);
        _within(p, 40, 8, "asset.tickValue", 1, quote ? 1 : NOTIONAL_MAX);
    }

    /// @dev Ends rise and shares do not among the rows that are used, which stand first; the others are zero.
    function _checkHaircuts(bytes memory p, bool quote) private pure {
        uint256 upToMin = 1;
        uint256 upToMax = quote ? 0 : WHOLE_QUOTE_MAX;
        uint256 ppmMax = MILLION;
        for (uint256 i = 0; i < HAIRCUTS_MAX; i++) {
            uint256 offset = 48 + 8 * i;
            if (_uint(p, offset, 8) == 0) {
                upToMax = 0;
                continue;
            }
            upToMin = _within(p, offset, 4, "haircut.upTo", upToMin, upToMax) + 1;
            ppmMax = _within(p, offset + 4, 4, "haircut.ppm", 0, ppmMax);
        }
    }

    /// @dev Lower ends rise from zero, rates never fall, and no initial rate is below its maintenance rate.
    function _checkTiers(bytes memory p) private pure {
        uint256 tiers = uint8(p[3]);
        uint256 lowerMin = 0;
        uint256 lowerMax = 0;
        uint256 initialMin = 1;
        uint256 maintenanceMin = 1;
        for (uint256 i = 0; i < tiers; i++) {
            uint256 offset = MARKET_HEADER_BYTES + TIER_BYTES * i;
            lowerMin = _within(p, offset, 8, "tier.lower", lowerMin, lowerMax) + 1;
            lowerMax = NOTIONAL_MAX / MILLION;
            initialMin = _within(p, offset + 8, 4, "tier.initialPpm", initialMin, MILLION);
            maintenanceMin = _within(p, offset + 12, 4, "tier.maintenancePpm", maintenanceMin, initialMin);
        }
    }

    function _checkSymbol(bytes memory p) private pure {
        bytes16 symbol = bytes16(uint128(_uint(p, 4, 16)));
        uint256 length = 16;
        while (length > 0 && symbol[length - 1] == 0) length--;
        bool fine = length > 0;
        for (uint256 i = 0; i < length; i++) {
            bytes1 c = symbol[i];
            fine = fine && ((c >= "A" && c <= "Z") || (c >= "0" && c <= "9") || c == "-");
        }
        if (!fine) revert SymbolMalformed(symbol);
    }

    /// @dev Weight 0 removes. A publisher without an address would speak for every signature that does not recover.
    function _checkPublisher(bytes memory p) private pure {
        _within(p, 0, 1, "publisher.index", 0, PUBLISHERS_MAX - 1);
        uint256 weight = _within(p, 21, 4, "publisher.weight", 0, MILLION);
        if (weight != 0) Bounds.check("publisher.address", 1, type(uint160).max, _uint(p, 1, 20));
    }

    function _within(bytes memory p, uint256 offset, uint256 width, bytes32 field, uint256 low, uint256 high)
        private
        pure
        returns (uint256 got)
    {
        got = _uint(p, offset, width);
        Bounds.check(field, low, high, got);
    }

    /// @dev Big-endian, `width` bytes at `offset`. What stands behind the payload is shifted out.
    function _uint(bytes memory p, uint256 offset, uint256 width) private pure returns (uint256 value) {
        assembly ("memory-safe") {
            value := shr(sub(256, mul(8, width)), mload(add(add(p, 32), offset)))
        }
    }

    function _checkLength(uint8 kind, uint256 expected, uint256 got) private pure {
        if (expected != got) revert IQueue.PayloadLength(kind, expected, got);
    }
}
