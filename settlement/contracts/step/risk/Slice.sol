// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {FixedPoint} from "../FixedPoint.sol";
import {Account, Position} from "../leaves/Account.sol";
import {LiquidatedPosition} from "./Liquidation.sol";
import {Margin, MarginLib} from "./Margin.sol";
import {MarketContext, Markets, MarketsLib} from "./Markets.sol";

/// @title Which position of an account is liquidated next, and what the arithmetic of its slices needs to know of it
/// @notice Twin of sequencer/engine/risk/slice.ts.
library Slice {
    /// @notice Place of the position with the largest maintenance margin, of equal ones that of the lowest market; 0 when
    /// none has any.
    function largest(Markets memory markets, Account memory account) internal pure returns (uint256 place) {
        int256 most = 0;
        Position[] memory positions = account.positions;
        for (uint256 n = 0; n < positions.length; n++) {
            MarketContext memory context = markets.loaded[MarketsLib.place(markets, positions[n].market)];
            int256 requirement = requirementOf(context, positions[n].size);
            if (requirement > most) (most, place) = (requirement, n);
        }
    }

    /// @notice q: maintenance margin of one position at the mark.
    function requirementOf(MarketContext memory context, int256 size) internal pure returns (int256) {
        uint256 notional = FixedPoint.abs(size) * context.prices.mark * context.config.qm;
        return MarginLib.maintenanceRequirement(context.config, notional);
    }

    /// @param margin of its account as it stands
    function position(MarketContext memory context, int256 size, Margin memory margin)
        internal
        pure
        returns (LiquidatedPosition memory p)
    {
        p.size = size;
        p.mark = context.prices.mark;
        p.qm = context.config.qm;
        p.requirement = requirementOf(context, size);
        p.equity = margin.equityMaintenance;
        p.maintenance = margin.maintenance;
    }
}
