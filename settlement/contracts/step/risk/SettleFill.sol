// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {FixedPoint} from "../FixedPoint.sol";
import {Leaves} from "../Leaves.sol";
import {Limits} from "../Limits.sol";
import {Account, AccountLib, Position} from "../leaves/Account.sol";
import {MarketLib, MarketState} from "../leaves/Market.sol";
import {Fill, FillLib, FillOutcome} from "./Fill.sol";
import {MarginLib} from "./Margin.sol";
import {MarketContext, Markets, MarketsLib} from "./Markets.sol";

/// @title What a fill does to one account: funding, position, realized profit, fee
/// @notice Twin of sequencer/engine/risk/settle-fill.ts. Accounts and market states are changed in memory; the caller
/// stores them. A position is settled when its funding index is the market's.
library SettleFill {
    /// @notice False when the account's cash is so large that one more fill could take it out of bounds.
    function mayTrade(Account memory account) internal pure returns (bool) {
        return FixedPoint.abs(account.cash) <= Limits.TRADING_CASH_MAX;
    }

    /// @notice Pays or charges the funding since the last settlement of one position.
    /// @param fundingIndex of its market now
    /// @return payment q received (+) or paid (−), which the caller takes from the market's funding balance
    function settleFunding(Account memory account, Position memory position, int256 fundingIndex)
        internal
        pure
        returns (int256 payment)
    {
        if (position.fundingIndex == fundingIndex) return 0;
        payment = _withinCash(account.cash, MarginLib.unsettledFunding(position, fundingIndex));
        position.fundingIndex = fundingIndex;
        account.cash += payment;
    }

    /// @notice Settles every position of the account.
    /// @dev Leaves: of each market whose funding index the position does not have, MARKET_STATE (written when anything
    /// is paid); MARKET_CONFIG and PRICES of every market of the account.
    function settleAllFunding(Markets memory markets, Account memory account) internal pure {
        Leaves memory leaves = markets.leaves;
        Position[] memory positions = account.positions;
        for (uint256 n = 0; n < positions.length; n++) {
            uint256 market = positions[n].market;
            int256 fundingIndex = markets.loaded[MarketsLib.place(markets, market)].prices.fundingIndex;
            int256 payment = settleFunding(account, positions[n], fundingIndex);
            if (payment == 0) continue;
            MarketState memory state = MarketLib.loadState(leaves, market);
            state.fundingBalance -= payment;
            MarketLib.storeState(leaves, market, state);
        }
    }

    /// @notice Applies a fill to the account: funding first, then position and cash, less `fee` (negative for a rebate).
    /// @param state of the market: its open interest and funding balance follow
    function settleFill(
        Account memory account,
        MarketContext memory context,
        MarketState memory state,
        Fill memory fill,
        int256 fee
    ) internal pure {
        int256 fundingIndex = context.prices.fundingIndex;
        Position memory position = AccountLib.ensure(account, context.market, fundingIndex);
        state.fundingBalance -= settleFunding(account, position, fundingIndex);
        int256 before = position.size;
        FillOutcome memory outcome = FillLib.outcome(before, position.v, fill);
        position.size = outcome.size;
        position.v = outcome.v;
        account.cash += outcome.realized - fee;
        state.openInterest = uint256(
            int256(state.openInterest) + FixedPoint.maxSigned(outcome.size, 0) - FixedPoint.maxSigned(before, 0)
        );
    }

    /// @dev As much of a payment as leaves the cash within TRADING_CASH_MAX.
    function _withinCash(int256 cash, int256 payment) private pure returns (int256) {
        int256 most = int256(Limits.TRADING_CASH_MAX);
        return payment > 0
            ? FixedPoint.minSigned(payment, FixedPoint.maxSigned(0, most - cash))
            : FixedPoint.maxSigned(payment, FixedPoint.minSigned(0, -most - cash));
    }
}
