// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {FixedPoint} from "../FixedPoint.sol";
import {Limits} from "../Limits.sol";
import {Account, AccountLib, Position} from "../leaves/Account.sol";
import {Tier} from "../leaves/Market.sol";
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
    /// @dev Some market of the account has no fresh index.
    bool stale;
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
}

/// @title Margin of an account
/// @notice Twin of sequencer/engine/risk/margin.ts: requirements round up, what counts for the account rounds down.
library MarginLib {
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
        out.equityInitial = account.cash;
        out.equityMaintenance = account.cash;
        Position[] memory positions = account.positions;
        for (uint256 n = 0; n < positions.length; n++) {
            Position memory position = positions[n];
            MarketContext memory context = MarketsLib.get(markets, position.market);
            if (!context.fresh) out.stale = true;
            if (position.market != exceptMarket) add(out, context, exposureOf(position, context.prices.fundingIndex));
        }
    }

    /// @notice What a position and its open orders add.
    /// @param fundingIndex of the market now
    function exposureOf(Position memory p, int256 fundingIndex) internal pure returns (Exposure memory e) {
        e.size = p.size;
        e.v = p.v;
        e.bidLots = int256(p.bidLots);
        e.askLots = int256(p.askLots);
        e.bidQuote = int256(p.bidQuote);
        e.askQuote = int256(p.askQuote);
        e.funding = unsettledFunding(p, fundingIndex);
    }

    /// @notice The exposure of the account in a market, zeros when it has no position record there.
    function exposureIn(Account memory account, MarketContext memory context)
        internal
        pure
        returns (Exposure memory e)
    {
        uint256 place = AccountLib.find(account, context.market);
        if (place != AccountLib.NONE) return exposureOf(account.positions[place], context.prices.fundingIndex);
    }

    /// @notice ⌊−s · (I − I_last) / 1e9⌋ q, within ±FUNDING_PAYMENT_MAX; positive is received.
    function unsettledFunding(Position memory p, int256 fundingIndex) internal pure returns (int256) {
        if (p.size == 0 || p.fundingIndex == fundingIndex) return 0;
        int256 owed = FixedPoint.fdiv(-p.size * (fundingIndex - p.fundingIndex), FixedPoint.BILLION_SIGNED);
        int256 most = int256(Limits.FUNDING_PAYMENT_MAX);
        return FixedPoint.clamp(owed, -most, most);
    }

    /// @notice Adds one market's exposure to `out`.
    function add(Margin memory out, MarketContext memory context, Exposure memory e) internal pure {
        int256 lotValue = int256(context.prices.mark * context.config.qm);
        int256 profit = e.size * lotValue + e.v;
        out.equityMaintenance += profit + e.funding;
        if (profit > 0) profit = int256(FixedPoint.mulPpmDown(uint256(profit), context.config.profitWeightPpm));
        out.equityInitial += profit + e.funding;
        uint256 notional = FixedPoint.abs(e.size * lotValue);
        out.notional += notional;
        Tier[] memory tiers = context.config.tiers;
        out.maintenance += maintenanceRequirement(tiers, notional);
        uint256 worst = FixedPoint.max(FixedPoint.abs(e.size + e.bidLots), FixedPoint.abs(e.size - e.askLots));
        out.initial += initialRequirement(tiers, worst * uint256(lotValue)) + openLoss(e, lotValue);
    }

    /// @notice Loss against the mark if all bids or all asks fill, whichever is worse, and not less than 0.
    function openLoss(Exposure memory e, int256 lotValue) internal pure returns (int256) {
        return FixedPoint.maxSigned(
            0, FixedPoint.maxSigned(e.bidQuote - lotValue * e.bidLots, lotValue * e.askLots - e.askQuote)
        );
    }

    /// @notice ⌈(N · r_k − d_k) / 1e6⌉ for the tier of N, in q.
    function initialRequirement(Tier[] memory tiers, uint256 notional) internal pure returns (int256) {
        Tier memory tier = tierOf(tiers, notional);
        return int256(FixedPoint.mulPpmUp(notional, tier.initialPpm)) - int256(tier.initialDeduction);
    }

    function maintenanceRequirement(Tier[] memory tiers, uint256 notional) internal pure returns (int256) {
        Tier memory tier = tierOf(tiers, notional);
        return int256(FixedPoint.mulPpmUp(notional, tier.maintenancePpm)) - int256(tier.maintenanceDeduction);
    }

    /// @notice The last tier that begins at or below the notional; a market has at least one.
    function tierOf(Tier[] memory tiers, uint256 notional) internal pure returns (Tier memory tier) {
        tier = tiers[0];
        for (uint256 n = 1; n < tiers.length && tiers[n].lower <= notional; n++) {
            tier = tiers[n];
        }
    }

    /// @notice V'·M ≥ V·M': a fill that reduces a position must not lower equity over maintenance margin.
    function keepsRatio(Margin memory before, Margin memory after_) internal pure returns (bool) {
        return after_.equityMaintenance * before.maintenance >= before.equityMaintenance * after_.maintenance;
    }
}
