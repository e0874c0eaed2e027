// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {FixedPoint} from "../FixedPoint.sol";
import {Limits} from "../Limits.sol";
import {Reject} from "../Reject.sol";
import {Account, AccountLib, Position} from "../leaves/Account.sol";
import {Margin, MarginLib} from "./Margin.sol";
import {Markets, MarketsLib} from "./Markets.sol";

/// @title What may leave an account
/// @notice Twin of sequencer/engine/risk/withdrawable.ts.
library Withdrawable {
    /// @notice q that may be withdrawn or transferred now: min(cash with funding settled, V_I − max(IM, floor · ΣN)),
    /// not below 0.
    /// @param margin of the account as it stands
    function amount(Markets memory markets, Account memory account, Margin memory margin, uint256 floorPpm)
        internal
        pure
        returns (uint256)
    {
        int256 cash = account.cash;
        Position[] memory positions = account.positions;
        for (uint256 n = 0; n < positions.length; n++) {
            int256 fundingIndex = markets.loaded[MarketsLib.place(markets, positions[n].market)].prices.fundingIndex;
            cash += MarginLib.unsettledFunding(positions[n], fundingIndex);
        }
        int256 floor = int256(FixedPoint.mulPpmUp(margin.notional, floorPpm));
        int256 free = margin.equityInitial - FixedPoint.maxSigned(margin.initial, floor);
        return uint256(FixedPoint.maxSigned(0, FixedPoint.minSigned(cash, free)));
    }

    /// @notice Reject code for taking `wanted` of `asset` out, 0 when it may go.
    function check(
        Markets memory markets,
        Account memory account,
        Margin memory margin,
        uint256 floorPpm,
        uint256 asset,
        uint256 wanted
    ) internal pure returns (uint256) {
        if (account.flags & AccountLib.LIQUIDATING != 0) return Reject.LIQUIDATING;
        if (account.flags & AccountLib.LOCKED != 0) return Reject.ACCOUNT_LOCKED;
        if (margin.stale) return Reject.ORACLE_STALE;
        if (asset != Limits.QUOTE_ASSET) return Reject.UNKNOWN_ASSET;
        if (wanted < 1 || wanted > Limits.SAFE_MAX) return Reject.AMOUNT_OUT_OF_RANGE;
        return wanted <= amount(markets, account, margin, floorPpm) ? Reject.NONE : Reject.INSUFFICIENT_FREE_COLLATERAL;
    }
}
