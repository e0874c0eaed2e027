// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Bytes} from "../Bytes.sol";
import {Keys} from "../Keys.sol";
import {Leaves, LeavesLib} from "../Leaves.sol";
import {Limits} from "../Limits.sol";
import {Reject} from "../Reject.sol";
import {AssetLib} from "../leaves/Asset.sol";
import {Globals, GlobalsLib} from "../leaves/Globals.sol";
import {MarketConfig, MarketLib, MarketState, Prices} from "../leaves/Market.sol";
import {OracleLib, Publisher} from "../leaves/Oracle.sol";
import {Entry, EntryLib} from "./Entry.sol";
import {Ticks} from "./Ticks.sol";

/// @title CONFIGURE: chain parameters, markets, publishers and assets through the L1 queue
/// @notice Twin of sequencer/engine/handlers/configure.ts and of the decoders and bounds of sequencer/protocol/market.ts
/// and asset.ts, which draw the bytes; shared vectors test/vectors/configuration.json. What is out of bounds does nothing.
library Configure {
    using Bytes for bytes;

    uint256 internal constant CHAIN = 16;
    uint256 internal constant MARKET = 17;
    uint256 internal constant PUBLISHER = 18;
    uint256 internal constant ASSET = 19;

    uint256 private constant PUBLISHER_BYTES = 25;
    uint256 private constant SYMBOL = 4;
    uint256 private constant SYMBOL_BYTES = 16;
    uint256 private constant MILLION = 1_000_000;
    uint256 private constant HOUR_MS = 3_600_000;
    uint256 private constant DAY_MS = 86_400_000;
    int256 private constant FEE_PPM_MAX = 100_000;
    uint256 private constant WEIGHT_PPM_MAX = 10 * MILLION;
    uint256 private constant RATE_PPM_MAX = 10 * MILLION;
    uint256 private constant QUOTE_DECIMALS = 6;

    /// @notice The record's own step, CONFIGURE: the entry's kind alone decides what is done.
    /// @dev Leaves: QUEUE*, none for a record that is not a whole entry; what a kind and payload that are known need stands
    /// at the functions below; * written.
    /// @return code INADMISSIBLE for what is not the next whole entry
    function run(Leaves memory leaves, bytes calldata record) internal pure returns (uint256 code) {
        (Entry memory entry, bool admissible) = EntryLib.take(leaves, record);
        if (!admissible) return Reject.INADMISSIBLE;
        uint256 kind = entry.kind;
        if (kind == CHAIN) return chain(leaves, entry.payload);
        if (kind == MARKET) return market(leaves, entry.payload);
        if (kind == PUBLISHER) return publisher(leaves, entry.payload);
        // The schedule brings the kinds of configuration alone: this is ASSET.
        return asset(leaves, entry.payload);
    }

    /// @notice New chain parameters.
    /// @dev Leaves: GLOBALS, written.
    function chain(Leaves memory leaves, bytes memory payload) internal pure returns (uint256 code) {
        if (!isChain(payload)) return Reject.CONFIGURATION_INVALID;
        Globals memory globals = GlobalsLib.load(leaves);
        globals.chain = GlobalsLib.decodeChain(payload, 0);
        GlobalsLib.store(leaves, globals);
        return Reject.NONE;
    }

    /// @notice Adds the next market or changes one; its unit (qm) is fixed for good, ids have no gaps.
    /// @dev Leaves, m the market of the payload, none for a payload that is out of bounds: GLOBALS*, MARKET_CONFIG(m)*,
    /// MARKET_STATE(m)*, PRICES(m)*; * written.
    function market(Leaves memory leaves, bytes memory payload) internal pure returns (uint256 code) {
        if (!isMarket(payload)) return Reject.CONFIGURATION_INVALID;
        uint256 id = payload.u(0, 2);
        Globals memory globals = GlobalsLib.load(leaves);
        if (id > globals.markets) return Reject.CONFIGURATION_INVALID;
        if (id < globals.markets) {
            (MarketConfig memory config,) = MarketLib.loadConfig(leaves, id);
            if (config.qm != payload.u(20, 8)) return Reject.CONFIGURATION_INVALID;
            MarketState memory state = MarketLib.loadState(leaves, id);
            state.halted = MarketLib.loadPrices(leaves, id).index > payload.u(28, 4);
            MarketLib.storeState(leaves, id, state);
        } else {
            _add(leaves, globals, id);
        }
        LeavesLib.set(leaves, Keys.marketConfig(id), payload);
        return Reject.NONE;
    }

    /// @notice Sets, replaces or (weight 0) removes a publisher.
    /// @dev Leaves: PUBLISHERS, written; none for a payload that is out of bounds.
    function publisher(Leaves memory leaves, bytes memory payload) internal pure returns (uint256 code) {
        if (!isPublisher(payload)) return Reject.CONFIGURATION_INVALID;
        Publisher[16] memory rows = OracleLib.loadPublishers(leaves);
        Publisher memory row = rows[payload.u(0, 1)];
        row.signer = address(uint160(payload.u(1, 20)));
        row.weight = payload.u(21, 4);
        OracleLib.storePublishers(leaves, rows);
        return Reject.NONE;
    }

    /// @notice Adds the next asset or changes one; what a unit of it is worth (decimals, tickValue) is fixed for good, its feed
    /// is a market that exists, ids have no gaps.
    /// @dev Leaves, a the asset of the payload, none for a payload that is out of bounds: GLOBALS*, ASSET_CONFIG(a)*,
    /// POOL(a)*; * written.
    function asset(Leaves memory leaves, bytes memory payload) internal pure returns (uint256 code) {
        if (!isAsset(payload)) return Reject.CONFIGURATION_INVALID;
        uint256 id = payload.u(0, 2);
        Globals memory globals = GlobalsLib.load(leaves);
        if (id > globals.assets) return Reject.CONFIGURATION_INVALID;
        if (id != Limits.QUOTE_ASSET && payload.u(20, 2) >= globals.markets) return Reject.CONFIGURATION_INVALID;
        if (id < globals.assets) {
            (bytes memory before,) = LeavesLib.get(leaves, Keys.assetConfig(id));
            if (before.u(3, 1) != payload.u(3, 1) || before.u(40, 8) != payload.u(40, 8)) {
                return Reject.CONFIGURATION_INVALID;
            }
        } else {
            globals.assets = id + 1;
            if (globals.nextAccrualTime == 0) {
                globals.nextAccrualTime = Ticks.nextAligned(globals.now_, Limits.ACCRUAL_INTERVAL_MS);
            }
            GlobalsLib.store(leaves, globals);
            AssetLib.storePool(leaves, id, AssetLib.createPool(globals.now_));
        }
        LeavesLib.set(leaves, Keys.assetConfig(id), payload);
        return Reject.NONE;
    }

    /// @notice Whether the bytes are chain parameters within their bounds.
    function isChain(bytes memory p) internal pure returns (bool) {
        if (p.length != GlobalsLib.CHAIN_BYTES) return false;
        return _within(p, 0, 4, 100, 600_000) && _within(p, 4, 4, p.u(0, 4), HOUR_MS) && _within(p, 8, 4, 0, 60_000)
            && _within(p, 12, 4, 100, HOUR_MS) && _within(p, 16, 4, 1_000, DAY_MS)
            && _within(p, 20, 4, 1, Limits.OPEN_ORDERS_PER_ACCOUNT_MAX)
            && _within(p, 24, 4, 0, Limits.SESSION_KEYS_PER_ACCOUNT_MAX) && _within(p, 28, 4, 1, DAY_MS)
            && _within(p, 32, 4, 1, DAY_MS) && _within(p, 36, 4, 0, MILLION) && _within(p, 40, 4, 0, MILLION)
            && _areLiquidations(p) && _within(p, 84, 4, 0, Limits.MARKETS_MAX) && _within(p, 88, 4, 0, MILLION)
            && _within(p, 92, 4, 0, 100);
    }

    /// @notice Whether the bytes are one market's configuration within its bounds.
    function isMarket(bytes memory p) internal pure returns (bool) {
        if (p.length < MarketLib.CONFIG_BYTES) return false;
        uint256 tiers = p.u(3, 1);
        if (tiers < 1 || tiers > Limits.TIERS_MAX) return false;
        if (p.length != MarketLib.CONFIG_BYTES + tiers * MarketLib.TIER_BYTES) return false;
        return _within(p, 0, 2, 0, Limits.MARKETS_MAX - 1) && _within(p, 2, 1, 0, MarketLib.HALTED) && _isSymbol(p)
            && _isSized(p) && _isPriced(p) && _isLimited(p) && _areTiers(p, tiers);
    }

    /// @notice Whether the bytes are one asset's configuration within its bounds.
    function isAsset(bytes memory p) internal pure returns (bool) {
        if (p.length != AssetLib.CONFIG_BYTES) return false;
        return _within(p, 0, 2, 0, Limits.ASSETS_MAX - 1) && _within(p, 2, 1, 0, AssetLib.REDUCE_ONLY)
            && _within(p, 3, 1, 0, AssetLib.DECIMALS_MAX) && _isSymbol(p) && p.u(22, 2) == 0 && _isWeighed(p)
            && _areHaircuts(p) && _isLent(p) && (p.u(0, 2) == Limits.QUOTE_ASSET ? _isQuote(p) : _isFed(p));
    }

    /// @notice Whether the bytes are a publisher within its bounds.
    function isPublisher(bytes memory p) internal pure returns (bool) {
        return p.length == PUBLISHER_BYTES && p.u(0, 1) < Limits.PUBLISHERS_MAX && p.u(21, 4) <= MILLION;
    }

    /// @dev With the first market, samples and fundings begin.
    function _add(Leaves memory leaves, Globals memory globals, uint256 id) private pure {
        globals.markets = id + 1;
        if (globals.nextSampleTime == 0) {
            globals.nextSampleTime = Ticks.nextAligned(globals.now_, globals.chain.sampleIntervalMs);
            globals.nextFundingTime = Ticks.nextAligned(globals.now_, globals.chain.fundingIntervalMs);
        }
        GlobalsLib.store(leaves, globals);
        MarketState memory state;
        state.bookEma = -1;
        MarketLib.storeState(leaves, id, state);
        Prices memory none;
        MarketLib.storePrices(leaves, id, none);
    }

    /// @dev 1 to 16 of A-Z, 0-9 and '-', then zeros.
    function _isSymbol(bytes memory p) private pure returns (bool) {
        uint256 end = SYMBOL + SYMBOL_BYTES;
        while (end > SYMBOL && p[end - 1] == 0) end--;
        if (end == SYMBOL) return false;
        for (uint256 n = SYMBOL; n < end; n++) {
            bytes1 c = p[n];
            if (!((c >= "A" && c <= "Z") || (c >= "0" && c <= "9") || c == "-")) return false;
        }
        return true;
    }

    /// @dev qm, maxPrice, maxPosition and their product, maxOpenInterest, maxOrderSize, minNotional.
    function _isSized(bytes memory p) private pure returns (bool) {
        if (!_within(p, 20, 8, 1, Limits.NOTIONAL_MAX) || !_within(p, 28, 4, 1, Limits.PRICE_MAX)) return false;
        if (!_within(p, 32, 8, 1, Limits.SIZE_MAX)) return false;
        if (p.u(32, 8) * p.u(28, 4) * p.u(20, 8) > Limits.NOTIONAL_MAX) return false;
        return _within(p, 40, 8, 0, Limits.SIZE_MAX) && _within(p, 48, 8, 1, Limits.SIZE_MAX)
            && _within(p, 56, 8, 0, Limits.NOTIONAL_MAX);
    }

    /// @dev takerFeePpm, makerFeePpm, bandPpm, profitWeightPpm, tickSizeE9.
    function _isPriced(bytes memory p) private pure returns (bool) {
        int256 taker = int256(p.u(64, 4));
        int256 maker = p.i(68, 4);
        if (taker > FEE_PPM_MAX || maker < -taker || maker > FEE_PPM_MAX) return false;
        return _within(p, 72, 4, 0, MILLION) && _within(p, 76, 4, 0, MILLION) && _within(p, 80, 8, 0, Limits.SAFE_MAX);
    }

    /// @dev twapTauMs, liquidationBufferPpm, sliceIntervalMs, bookPhaseMs, auctionMs, auctionRoundMs, discountStartPpm,
    /// liquidationFeePpm, smallNotional, sliceNotional.
    function _areLiquidations(bytes memory p) private pure returns (bool) {
        return _within(p, 44, 4, 1, DAY_MS) && _within(p, 48, 4, 0, MILLION) && _within(p, 52, 4, 1_000, HOUR_MS)
            && _within(p, 56, 4, 1_000, HOUR_MS) && _within(p, 60, 4, 1_000, HOUR_MS)
            && _within(p, 64, 4, 100, 60_000) && _within(p, 68, 4, 0, MILLION) && _within(p, 72, 4, 0, 100_000)
            && _within(p, 76, 4, 0, Limits.WHOLE_QUOTE_MAX) && _within(p, 80, 4, 0, Limits.WHOLE_QUOTE_MAX);
    }

    /// @dev flags, profitCap, openInterestLower and openInterestUpper, concentrationPpm, confidenceMaxPpm, deviationPpm,
    /// backstopCap, insuranceClaim, and what is zero.
    function _isLimited(bytes memory p) private pure returns (bool) {
        uint256 lower = p.u(96, 4);
        uint256 upper = p.u(100, 4);
        if (lower != 0 || upper != 0) {
            if (upper <= lower || upper > Limits.WHOLE_QUOTE_MAX) return false;
        }
        return _within(p, 89, 1, 0, 7) && p.u(90, 2) == 0 && _within(p, 92, 4, 0, Limits.WHOLE_QUOTE_MAX)
            && _within(p, 104, 4, 0, 10 * MILLION) && _within(p, 108, 4, 0, MILLION) && _within(p, 112, 4, 0, MILLION)
            && _within(p, 116, 4, 0, Limits.WHOLE_QUOTE_MAX) && _within(p, 120, 4, 0, Limits.WHOLE_QUOTE_MAX)
            && p.u(124, 4) == 0;
    }

    /// @dev collateralFactorPpm, liquidationThresholdPpm, debtWeightInitialPpm, debtWeightMaintenancePpm, tickValue.
    function _isWeighed(bytes memory p) private pure returns (bool) {
        return _within(p, 28, 4, 0, MILLION) && _within(p, 24, 4, 0, p.u(28, 4))
            && _within(p, 32, 4, MILLION, WEIGHT_PPM_MAX) && _within(p, 36, 4, MILLION, p.u(32, 4))
            && _within(p, 40, 8, 1, Limits.NOTIONAL_MAX);
    }

    /// @dev Ends rise and shares do not among the rows that are used, which stand first; the others are zero.
    function _areHaircuts(bytes memory p) private pure returns (bool) {
        uint256 upTo = 0;
        uint256 ppm = MILLION;
        bool ended = false;
        for (uint256 n = 0; n < AssetLib.HAIRCUTS_MAX; n++) {
            uint256 row = p.u(48 + 8 * n, 8);
            if (row == 0) {
                ended = true;
                continue;
            }
            uint256 end = row >> 32;
            if (ended || end <= upTo || end > Limits.WHOLE_QUOTE_MAX || uint32(row) > ppm) return false;
            upTo = end;
            ppm = uint32(row);
        }
        return true;
    }

    /// @dev userCap, globalCap, the rates, reservePpm, utilizationCapPpm, supplyCap, borrowCap, flags, and what is zero.
    function _isLent(bytes memory p) private pure returns (bool) {
        return _within(p, 80, 8, 0, Limits.QUOTE_MAX) && _within(p, 88, 8, 0, Limits.QUOTE_MAX)
            && _within(p, 96, 4, 0, RATE_PPM_MAX) && _within(p, 100, 4, 0, RATE_PPM_MAX)
            && _within(p, 104, 4, 0, RATE_PPM_MAX) && _within(p, 108, 4, 1, MILLION - 1)
            && _within(p, 112, 4, 0, MILLION) && _within(p, 116, 4, 0, MILLION)
            && _within(p, 120, 8, 0, Limits.QUOTE_MAX) && _within(p, 128, 8, 0, Limits.QUOTE_MAX)
            && _within(p, 136, 1, 0, AssetLib.LENDING | AssetLib.CASH_BORROWS) && p.u(137, 7) == 0;
    }

    /// @dev The quote asset is the unit of everything: it needs no feed, and counts in full.
    function _isQuote(bytes memory p) private pure returns (bool) {
        return p.u(3, 1) == QUOTE_DECIMALS && p.u(20, 2) == AssetLib.NO_FEED && p.u(24, 4) == MILLION
            && p.u(28, 4) == MILLION && p.u(32, 4) == MILLION && p.u(36, 4) == MILLION && p.u(40, 8) == 1
            && p.u(48, 32) == 0;
    }

    /// @dev Any other has a market's index for its price, and is not what cash borrows.
    function _isFed(bytes memory p) private pure returns (bool) {
        return p.u(20, 2) < Limits.MARKETS_MAX && p.u(136, 1) & AssetLib.CASH_BORROWS == 0;
    }

    /// @dev Lower ends rise from 0, rates do not fall, maintenance is at most initial.
    function _areTiers(bytes memory p, uint256 tiers) private pure returns (bool) {
        uint256 lowerMin = 0;
        uint256 lowerMax = 0;
        uint256 initialMin = 1;
        uint256 maintenanceMin = 1;
        for (uint256 n = 0; n < tiers; n++) {
            uint256 at = MarketLib.CONFIG_BYTES + n * MarketLib.TIER_BYTES;
            if (!_within(p, at, 8, lowerMin, lowerMax) || !_within(p, at + 8, 4, initialMin, MILLION)) return false;
            initialMin = p.u(at + 8, 4);
            if (!_within(p, at + 12, 4, maintenanceMin, initialMin)) return false;
            maintenanceMin = p.u(at + 12, 4);
            lowerMin = p.u(at, 8) + 1;
            lowerMax = Limits.NOTIONAL_MAX / MILLION;
        }
        return true;
    }

    function _within(bytes memory p, uint256 at, uint256 width, uint256 low, uint256 high)
        private
        pure
        returns (bool)
    {
        uint256 got = p.u(at, width);
        return got >= low && got <= high;
    }
}
