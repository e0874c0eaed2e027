// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {FixedPoint} from "../FixedPoint.sol";
import {Limits} from "../Limits.sol";
import {Account, AccountLib, Position} from "../leaves/Account.sol";
import {MarketConfig, MarketLib} from "../leaves/Market.sol";
import {Validity} from "../pricing/Validity.sol";
import {MarketContext, Markets, MarketsLib} from "./Markets.sol";

/// @notice Margin of an account; everything in q.
struct Margin {
    /// @dev V_I: cash and positions, profit counted at the market's profit weight.
    int256 equityInitial;
    /// @dev V_M: the same with profit in full.
    int256 equityMaintenance;
    /// @dev IM: with open orders and their loss against the mark.
    int256 initial;
    /// @dev MM: of positions alone.
    int256 maintenance;
    /// @dev Σ of the positions' notional at the mark.
    uint256 notional;
    /// @dev Some market of the account has no price that money may leave at.
    bool stale;
    /// @dev Some market of the account has no price that it may be liquidated at.
    bool frozen;
}

/// @notice A position with its open-order totals: what one market adds to an account's margin.
struct Exposure {
    int256 size;
    int256 v;
    int256 bidLots;
    int256 askLots;
    int256 bidQuote;
    int256 askQuote;
    /// @dev Funding owed to (+) or by (−) the position since its last settlement, q.
    int256 funding;
    /// @dev The account's own floor of the initial rate; 0 none.
    uint256 leveragePpm;
}

/// @title Margin of an account
/// @notice Twin of sequencer/engine/risk/margin.ts: requirements round up, what counts for the account rounds down.
library MarginLib {
    /// @dev The concentration add-on at its most: initial margin is up to three times what its rate asks.
    uint256 private constant CONCENTRATION_MAX_PPM = 2 * FixedPoint.MILLION;

    /// @notice The account as it stands, in all its markets.
    function compute(Markets memory markets, Account memory account) internal pure returns (Margin memory) {
        return compute(markets, account, AccountLib.NONE);
    }

    /// @notice The account as it stands.
    /// @param exceptMarket is left out, except that its index counts for `stale`: the caller adds its own version
    function compute(Markets memory markets, Account memory account, uint256 exceptMarket)
        internal
        pure
        returns (Margin memory out)
    {
        Exposure memory exposure;
        out.equityInitial = account.cash;
        out.equityMaintenance = account.cash;
        Position[] memory positions = account.positions;
        for (uint256 n = 0; n < positions.length; n++) {
            Position memory position = positions[n];
            MarketContext memory context = markets.loaded[MarketsLib.place(markets, position.market)];
            if (!context.fresh) {
                out.stale = true;
                if (!Validity.mayLiquidate(context.prices, markets.now_, markets.voidMs)) out.frozen = true;
            }
            if (position.market == exceptMarket) continue;
            _fill(exposure, position, context.prices.fundingIndex);
            add(out, context, exposure);
        }
    }

    /// @notice The exposure of the account in a market, zeros when it has no position record there.
    function exposureIn(Account memory account, MarketContext memory context)
        internal
        pure
        returns (Exposure memory e)
    {
        uint256 place = AccountLib.find(account, context.market);
        if (place != AccountLib.NONE) _fill(e, account.positions[place], context.prices.fundingIndex);
    }

    /// @dev A position and its open orders; `fundingIndex` of the market now.
    function _fill(Exposure memory e, Position memory p, int256 fundingIndex) private pure {
        e.size = p.size;
        e.v = p.v;
        e.bidLots = int256(p.bidLots);
        e.askLots = int256(p.askLots);
        e.bidQuote = int256(p.bidQuote);
        e.askQuote = int256(p.askQuote);
        e.funding = unsettledFunding(p, fundingIndex);
        e.leveragePpm = p.leveragePpm;
    }

    /// @notice ⌊−s · (I − I_last) / 1e9⌋ q, within ±FUNDING_PAYMENT_MAX; positive is received.
    function unsettledFunding(Position memory p, int256 fundingIndex) internal pure returns (int256) {
        int256 size = p.size;
        int256 settled = p.fundingIndex;
        if (size == 0 || settled == fundingIndex) return 0;
        int256 most = int256(Limits.FUNDING_PAYMENT_MAX);
        // Sizes have 64 bits, indexes 128.
        unchecked {
            int256 owed = -size * (fundingIndex - settled);
            int256 payment = owed / FixedPoint.BILLION_SIGNED;
            if (owed % FixedPoint.BILLION_SIGNED < 0) payment--;
            return payment < -most ? -most : payment > most ? most : payment;
        }
    }

    /// @notice Adds one market's exposure to `out`.
    function add(Margin memory out, MarketContext memory context, Exposure memory e) internal pure {
        MarketConfig memory config = context.config;
        // Nothing leaves 256 bits: lots and quote are below 2^66, the value of a lot is below 2^96, rates are below 2^32.
        unchecked {
            uint256 lotValue = context.prices.mark * config.qm;
            int256 size = e.size;
            int256 profit = size * int256(lotValue) + e.v;
            int256 funding = e.funding;
            out.equityMaintenance += profit + funding;
            if (profit > 0) profit = _counted(config, profit);
            out.equityInitial += profit + funding;
            uint256 notional = FixedPoint.abs(size) * lotValue;
            out.notional += notional;
            out.maintenance += maintenanceRequirement(config, notional);
            uint256 ifBought = FixedPoint.abs(size + e.bidLots);
            uint256 ifSold = FixedPoint.abs(size - e.askLots);
            uint256 worst = (ifBought > ifSold ? ifBought : ifSold) * lotValue;
            out.initial += positionRequirement(context, worst, e.leveragePpm) + openLoss(e, int256(lotValue));
        }
    }

    /// @dev ⌊profit · weight⌋, within the market's cap: profit that counts for initial margin.
    function _counted(MarketConfig memory config, int256 profit) private pure returns (int256 counted) {
        unchecked {
            counted = profit * int256(config.profitWeightPpm) / FixedPoint.MILLION_SIGNED;
            int256 cap = int256(config.profitCap * FixedPoint.MILLION);
            if (cap > 0 && counted > cap) counted = cap;
        }
    }

    /// @notice Initial margin of `notional` q in a market: the highest of its tier, of what open interest asks for and of the
    /// account's own floor, raised by concentration, but then not beyond NOTIONAL_MAX; each rounded up.
    function positionRequirement(MarketContext memory context, uint256 notional, uint256 leveragePpm)
        internal
        pure
        returns (int256)
    {
        // As in `add`.
        unchecked {
            uint256 required = uint256(initialRequirement(context.config, notional));
            uint256 floorPpm = FixedPoint.max(context.prices.openInterestPpm, leveragePpm);
            required = FixedPoint.max(required, FixedPoint.mulPpmUp(notional, floorPpm));
            uint256 raise = _concentrationPpm(context, notional);
            if (raise == 0) return int256(required);
            uint256 raised = required + FixedPoint.mulPpmUp(required, raise);
            return int256(FixedPoint.min(raised, FixedPoint.max(required, Limits.NOTIONAL_MAX)));
        }
    }

    /// @dev ⌈(⌈N / depth⌉ − 1) · k⌉ in ppm; 0 while the market has no factor or no depth is known. q over whole quote is a
    /// ratio in ppm.
    function _concentrationPpm(MarketContext memory context, uint256 notional) private pure returns (uint256 raise) {
        uint256 factor = context.config.concentrationPpm;
        uint256 depth = context.prices.depth;
        if (factor == 0 || depth == 0) return 0;
        unchecked {
            uint256 ratio = (notional + depth - 1) / depth;
            if (ratio <= FixedPoint.MILLION) return 0;
            raise = FixedPoint.min(FixedPoint.mulPpmUp(ratio - FixedPoint.MILLION, factor), CONCENTRATION_MAX_PPM);
        }
    }

    /// @notice Loss against the mark if all bids or all asks fill, whichever is worse, and not less than 0.
    function openLoss(Exposure memory e, int256 lotValue) internal pure returns (int256 loss) {
        // As in `add`.
        unchecked {
            int256 bids = e.bidQuote - lotValue * e.bidLots;
            int256 asks = lotValue * e.askLots - e.askQuote;
            loss = bids > asks ? bids : asks;
            if (loss < 0) loss = 0;
        }
    }

    /// @notice ⌈(N · r_k − d_k) / 1e6⌉ for the tier of N, in q.
    /// @param notional below 2^162
    function initialRequirement(MarketConfig memory config, uint256 notional) internal pure returns (int256) {
        (uint256 ppm, uint256 deduction) = MarketLib.initialRate(config, notional);
        return _requirement(notional, ppm, deduction);
    }

    function maintenanceRequirement(MarketConfig memory config, uint256 notional) internal pure returns (int256) {
        (uint256 ppm, uint256 deduction) = MarketLib.maintenanceRate(config, notional);
        return _requirement(notional, ppm, deduction);
    }

    function _requirement(uint256 notional, uint256 ppm, uint256 deduction) private pure returns (int256) {
        unchecked {
            return int256((notional * ppm + FixedPoint.MILLION - 1) / FixedPoint.MILLION) - int256(deduction);
        }
    }

    /// @notice V'·M ≥ V·M': a fill that reduces a position must not lower equity over maintenance margin.
    function keepsRatio(Margin memory before, Margin memory after_) internal pure returns (bool) {
        return after_.equityMaintenance * before.maintenance >= before.equityMaintenance * after_.maintenance;
    }
}
