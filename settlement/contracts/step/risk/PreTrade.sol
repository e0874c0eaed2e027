// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {FixedPoint} from "../FixedPoint.sol";
import {Limits} from "../Limits.sol";
import {Reject} from "../Reject.sol";
import {Account, AccountLib} from "../leaves/Account.sol";
import {Validity} from "../pricing/Validity.sol";
import {Fill, FillLib, FillOutcome} from "./Fill.sol";
import {Exposure, Margin, MarginLib} from "./Margin.sol";
import {MarketContext, Markets} from "./Markets.sol";

/// @notice An order that asks for admission.
struct OrderRisk {
    uint256 side;
    /// @dev Worst price it accepts.
    uint256 price;
    uint256 size;
    bool reduceOnly;
    /// @dev Its rest comes to rest.
    bool rests;
    /// @dev An order of the account that this one replaces: its side and kind are the same. 0 lots when none.
    uint256 replacedLots;
    uint256 replacedQuote;
}

/// @title Whether an account may take on an order, and whether a fill may still be done
/// @notice Twin of sequencer/engine/risk/pre-trade.ts: initial margin holds after it, or it only reduces and does not
/// lower equity over maintenance margin.
library PreTrade {
    uint256 private constant BUY = 0;

    /// @notice Reject code of an order at entry, 0 when it may match and rest.
    /// @param openInterest of its market
    /// @return code the reject code
    /// @return reducing accepted only because it reduces
    function admit(
        Markets memory markets,
        MarketContext memory context,
        uint256 openInterest,
        Account memory account,
        OrderRisk memory order
    ) internal pure returns (uint256 code, bool reducing) {
        Exposure memory exposure = MarginLib.exposureIn(account, context);
        bool opposes = FillLib.opposes(exposure.size, order.side);
        if (order.reduceOnly) {
            if (!opposes || _exceeds(account, context.market, exposure.size, order)) {
                return (Reject.REDUCE_ONLY_WOULD_INCREASE, false);
            }
            return (Reject.NONE, true);
        }
        _addOrder(exposure, order, context.config.qm);
        int256 sideLots = order.side == BUY ? exposure.bidLots : exposure.askLots;
        bool onlyReduces = opposes && sideLots <= int256(FixedPoint.abs(exposure.size));
        Margin memory after_ = MarginLib.compute(markets, account, context.market);
        if (!Validity.mayOpen(context.prices, markets.now_, markets.voidMs)) after_.stale = true;
        if (!onlyReduces) {
            if (after_.stale) return (Reject.ORACLE_STALE, false);
            code = _bounds(context, openInterest, exposure, order, sideLots);
            if (code != Reject.NONE) return (code, false);
        }
        MarginLib.add(after_, context, exposure);
        if (!after_.stale && after_.equityInitial >= _required(context, after_.initial, order)) {
            return (Reject.NONE, false);
        }
        return onlyReduces ? (Reject.NONE, true) : (Reject.INSUFFICIENT_MARGIN, false);
    }

    /// @notice Whether the account may carry a fill.
    /// @param openLots of the side that leave the open totals with it (a resting order; 0 for an incoming one)
    function carries(
        Markets memory markets,
        MarketContext memory context,
        Account memory account,
        Fill memory fill,
        int256 fee,
        uint256 openLots
    ) internal pure returns (bool) {
        Exposure memory exposure = MarginLib.exposureIn(account, context);
        int256 sizeBefore = exposure.size;
        // The part of the other markets is shared.
        Margin memory after_ = MarginLib.compute(markets, account, context.market);
        Margin memory before = _copy(after_);
        MarginLib.add(before, context, exposure);
        FillOutcome memory outcome = FillLib.outcome(exposure.size, exposure.v, fill);
        exposure.size = outcome.size;
        exposure.v = outcome.v;
        _takeOpen(exposure, fill, openLots);
        MarginLib.add(after_, context, exposure);
        int256 cashChange = outcome.realized - fee;
        after_.equityInitial += cashChange;
        after_.equityMaintenance += cashChange;
        if (after_.equityInitial >= after_.initial) return true;
        return !_grows(sizeBefore, outcome.size) && MarginLib.keepsRatio(before, after_);
    }

    /// @dev Resting reduce-only orders together are no larger than the position.
    function _exceeds(Account memory account, uint256 market, int256 size, OrderRisk memory order)
        private
        pure
        returns (bool)
    {
        if (!order.rests) return false;
        uint256 resting = account.positions[AccountLib.find(account, market)].reduceOnlyLots - order.replacedLots;
        return resting + order.size > FixedPoint.abs(size);
    }

    function _addOrder(Exposure memory exposure, OrderRisk memory order, uint256 qm) private pure {
        int256 lots = int256(order.size) - int256(order.replacedLots);
        int256 quote = int256(order.size * order.price * qm) - int256(order.replacedQuote);
        if (order.side == BUY) {
            exposure.bidLots += lots;
            exposure.bidQuote += quote;
        } else {
            exposure.askLots += lots;
            exposure.askQuote += quote;
        }
    }

    function _takeOpen(Exposure memory exposure, Fill memory fill, uint256 openLots) private pure {
        int256 lots = int256(openLots);
        int256 quote = int256(openLots * fill.lotValue);
        if (fill.side == BUY) {
            exposure.bidLots -= lots;
            exposure.bidQuote -= quote;
        } else {
            exposure.askLots -= lots;
            exposure.askQuote -= quote;
        }
    }

    function _bounds(
        MarketContext memory context,
        uint256 openInterest,
        Exposure memory exposure,
        OrderRisk memory order,
        int256 sideLots
    ) private pure returns (uint256) {
        int256 most = int256(context.config.maxPosition);
        int256 worst = FixedPoint.maxSigned(exposure.size + exposure.bidLots, exposure.askLots - exposure.size);
        if (worst > most || sideLots > most) return Reject.POSITION_TOO_LARGE;
        if (FixedPoint.maxSigned(exposure.bidQuote, exposure.askQuote) > int256(Limits.NOTIONAL_MAX)) {
            return Reject.POSITION_TOO_LARGE;
        }
        uint256 openMost = context.config.maxOpenInterest;
        return openMost > 0 && openInterest + order.size > openMost ? Reject.OPEN_INTEREST_TOO_LARGE : Reject.NONE;
    }

    /// @dev Initial margin, the loss of crossing the mark at the order's price, and the taker's fee.
    function _required(MarketContext memory context, int256 initial, OrderRisk memory order)
        private
        pure
        returns (int256)
    {
        uint256 qm = context.config.qm;
        int256 beyond = FillLib.sign(order.side) * (int256(order.price) - int256(context.prices.mark));
        int256 crossingLoss = FixedPoint.maxSigned(0, beyond) * int256(order.size * qm);
        uint256 fee = FixedPoint.mulPpmUp(order.size * order.price * qm, context.config.takerFeePpm);
        return initial + crossingLoss + int256(fee);
    }

    /// @dev A fill that enlarges the position or turns it around.
    function _grows(int256 before, int256 after_) private pure returns (bool) {
        return
            FixedPoint.abs(after_) > FixedPoint.abs(before) || (before < 0 && after_ > 0) || (before > 0 && after_ < 0);
    }

    function _copy(Margin memory m) private pure returns (Margin memory) {
        return Margin(m.equityInitial, m.equityMaintenance, m.initial, m.maintenance, m.notional, m.stale, m.frozen);
    }
}
