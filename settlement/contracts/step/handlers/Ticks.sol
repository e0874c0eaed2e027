// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {FixedPoint} from "../FixedPoint.sol";
import {Keys} from "../Keys.sol";
import {Leaf, Leaves, LeavesLib} from "../Leaves.sol";
import {RemoveReason} from "../RemoveReason.sol";
import {Resting, RestingOrder} from "../book/Resting.sol";
import {Account, AccountLib} from "../leaves/Account.sol";
import {Globals, GlobalsLib} from "../leaves/Globals.sol";
import {MarketConfig, MarketLib, MarketState, Prices} from "../leaves/Market.sol";
import {RegistersLib} from "../leaves/Registers.sol";
import {Depth} from "../pricing/Depth.sol";
import {Funding, Impact} from "../pricing/Funding.sol";
import {MarkPrice} from "../pricing/MarkPrice.sol";
import {Validity} from "../pricing/Validity.sol";
import {Walk} from "./Walk.sol";

/// @notice A market that a tick works on.
struct TickedMarket {
    uint256 id;
    MarketConfig config;
    MarketState state;
    Prices prices;
    /// @dev Its price is good enough to liquidate at.
    bool sound;
}

/// @title EXPIRE, SAMPLE, FUNDING: what falls due by time
/// @notice Twin of sequencer/engine/handlers/ticks.ts. Which tick is due, and that it comes before the record that
/// brings the time, is StepProver's to see.
library Ticks {
    uint256 private constant BUY = 0;
    uint256 private constant SELL = 1;

    /// @notice First multiple of `interval`, which is above 0, after `time`.
    function nextAligned(uint256 time, uint256 interval) internal pure returns (uint256) {
        return (time / interval + 1) * interval;
    }

    /// @notice The first order or dead-man timer to fall due: the order is canceled, or the timer is off and a walk
    /// through the account's orders opens.
    /// @dev Leaves; range: EXPIRY_PREFIX, EXPIRY_BITS bits, the first, which there must be.
    /// Of an order: ORDER_INDEX(account, market, id)*, ORDER*, MARKET_CONFIG(market), ACCOUNT(account)*, LEVEL*, where it
    /// has a client id CLIENT_INDEX*, the EXPIRY itself*. Of a timer: ACCOUNT(account)*, the EXPIRY itself*,
    /// REGISTER_WALK*; * written.
    function expire(Leaves memory leaves) internal pure {
        (Leaf[] memory due,) = LeavesLib.range(leaves, Keys.EXPIRY_PREFIX, Keys.EXPIRY_BITS, 1);
        bytes32 key = due[0].key;
        uint256 id = Keys.expiryIdOf(key);
        if (Keys.expiryKindOf(key) == Keys.EXPIRY_ORDER) {
            _expireOrder(leaves, id);
            return;
        }
        (Account memory account,) = AccountLib.load(leaves, id);
        account.deadMan = 0;
        AccountLib.store(leaves, id, account);
        LeavesLib.remove(leaves, key);
        Walk.open(leaves, id, RegistersLib.EVERY_MARKET, RemoveReason.DEAD_MAN, false);
    }

    /// @notice Reads the top of the book, impact prices, depth and the last trade into the market at the cursor, and moves
    /// its averages.
    /// @dev Leaves, market m = GLOBALS.sampleCursor: GLOBALS*, MARKET_CONFIG(m), MARKET_STATE(m)*, PRICES(m)*; ranges:
    /// levels(m, buy) and levels(m, sell), SIDE_BITS bits, of each as many as lie within 2 % of the mark and one more where there is one, and
    /// while the price is sound as many as hold the impact notional, at most 32; * written.
    function sample(Leaves memory leaves) internal pure {
        Globals memory globals = GlobalsLib.load(leaves);
        TickedMarket memory market = _load(leaves, globals, globals.sampleCursor);
        MarketState memory state = market.state;
        state.sampleBid = _best(leaves, market.id, BUY);
        state.sampleAsk = _best(leaves, market.id, SELL);
        state.sampleLast = state.lastPrice;
        uint256 dt = state.sampleTime == 0 ? 0 : globals.now_ - state.sampleTime;
        state.sampleTime = globals.now_;
        if (market.sound) {
            state.premiumSum += _premium(leaves, market);
            state.premiumCount++;
        }
        _average(market, globals, dt);
        MarketLib.storeState(leaves, market.id, state);
        _remark(leaves, market, globals.chain.markClampPpm);
        globals.sampleCursor = market.id + 1;
        if (globals.sampleCursor == globals.markets) {
            globals.sampleCursor = 0;
            globals.nextSampleTime = nextAligned(globals.now_, globals.chain.sampleIntervalMs);
        }
        GlobalsLib.store(leaves, globals);
    }

    /// @notice Moves the funding index of the market at the cursor by rate · index · qm; paused, with the sums dropped,
    /// while nobody may be liquidated at its price.
    /// @dev Leaves, market m = GLOBALS.fundingCursor: GLOBALS*, MARKET_CONFIG(m), MARKET_STATE(m)*, PRICES(m)*; * written.
    function fund(Leaves memory leaves) internal pure {
        Globals memory globals = GlobalsLib.load(leaves);
        TickedMarket memory market = _load(leaves, globals, globals.fundingCursor);
        MarketState memory state = market.state;
        int256 rate = market.sound ? _rate(market) : int256(0);
        if (rate != 0) {
            market.prices.fundingIndex += rate * int256(market.prices.index * market.config.qm);
            state.fundingTick++;
            MarketLib.storePrices(leaves, market.id, market.prices);
        }
        state.premiumSum = 0;
        state.premiumCount = 0;
        MarketLib.storeState(leaves, market.id, state);
        globals.fundingCursor = market.id + 1;
        if (globals.fundingCursor == globals.markets) {
            globals.fundingCursor = 0;
            globals.nextFundingTime = nextAligned(globals.now_, globals.chain.fundingIntervalMs);
        }
        GlobalsLib.store(leaves, globals);
    }

    function _expireOrder(Leaves memory leaves, uint256 id) private pure {
        bytes32 index = _indexOf(leaves, id);
        uint256 holder = Keys.indexAccountOf(index);
        uint256 market = Keys.indexMarketOf(index);
        (RestingOrder memory order,) = Resting.find(leaves, holder, market, id);
        (MarketConfig memory config,) = MarketLib.loadConfig(leaves, market);
        (Account memory account,) = AccountLib.load(leaves, holder);
        Resting.cancel(leaves, account, order, config.qm);
        AccountLib.store(leaves, holder, account);
    }

    /// @dev The expiry says the order's id alone. Ids are unique, so whichever index leaf of the slice has it is the one.
    function _indexOf(Leaves memory leaves, uint256 id) private pure returns (bytes32) {
        for (uint256 n = 0; n < leaves.all.length; n++) {
            Leaf memory leaf = leaves.all[n];
            if (leaf.present && Keys.isOrderIndex(leaf.key) && Keys.indexIdOf(leaf.key) == id) return leaf.key;
        }
        revert LeavesLib.LeafMissing(Keys.orderIndex(0, 0, id));
    }

    function _load(Leaves memory leaves, Globals memory globals, uint256 id)
        private
        pure
        returns (TickedMarket memory market)
    {
        market.id = id;
        (market.config,) = MarketLib.loadConfig(leaves, id);
        market.state = MarketLib.loadState(leaves, id);
        market.prices = MarketLib.loadPrices(leaves, id);
        market.sound = Validity.mayLiquidate(market.prices, globals.now_, globals.chain.voidMs);
    }

    /// @dev Best price of a side in ticks, 0 when it is empty.
    function _best(Leaves memory leaves, uint256 market, uint256 side) private pure returns (uint256) {
        (Leaf[] memory levels,) = LeavesLib.range(leaves, Keys.levels(market, side), Keys.SIDE_BITS, 1);
        return levels.length == 0 ? 0 : Keys.priceOf(levels[0].key);
    }

    function _premium(Leaves memory leaves, TickedMarket memory market) private pure returns (int256) {
        uint256 qm = market.config.qm;
        uint256 target = Funding.impactNotional(MarketLib.tierOf(market.config, 0).initialPpm);
        Impact memory bid = Funding.impactFill(leaves, market.id, BUY, target, qm);
        Impact memory ask = Funding.impactFill(leaves, market.id, SELL, target, qm);
        return Funding.premiumPpb(bid, ask, market.prices.index, qm);
    }

    /// @dev Moves the averages of book and basis by a sample that is `dt` ms after the one before.
    function _average(TickedMarket memory market, Globals memory globals, uint256 dt) private pure {
        MarketState memory state = market.state;
        uint256 book = MarkPrice.bookPrice(state);
        if (book == 0) return;
        int256 scaled = int256(book * FixedPoint.MILLION);
        state.bookEma = state.bookEma < 0
            ? scaled
            : MarkPrice.emaStep(state.bookEma, scaled, dt, globals.chain.markEmaTauMs);
        if (!market.sound) return;
        int256 basis = int256((state.sampleBid + state.sampleAsk) * (FixedPoint.MILLION / 2))
            - int256(market.prices.index * FixedPoint.MILLION);
        state.basisEma = MarkPrice.emaStep(state.basisEma, basis, dt, globals.chain.indexEmaTauMs);
    }

    function _remark(Leaves memory leaves, TickedMarket memory market, uint256 markClampPpm) private pure {
        Prices memory prices = market.prices;
        uint256 mark = MarkPrice.markPrice(market.state, prices.index, market.config.maxPrice, markClampPpm);
        uint256 depth = Depth.ofBook(leaves, market.id, prices.mark, market.config.qm);
        uint256 rate = Depth.openInterestRate(market.config, market.state.openInterest, mark);
        if (mark == prices.mark && depth == prices.depth && rate == prices.openInterestPpm) return;
        prices.mark = mark;
        prices.depth = depth;
        prices.openInterestPpm = rate;
        MarketLib.storePrices(leaves, market.id, prices);
    }

    /// @dev Of the mean of the samples since the last funding.
    function _rate(TickedMarket memory market) private pure returns (int256) {
        uint256 count = market.state.premiumCount;
        int256 premium = count == 0 ? int256(0) : market.state.premiumSum / int256(count);
        return Funding.fundingRatePpb(premium, Funding.rateMaxPpb(MarketLib.tierOf(market.config, 0)));
    }
}
