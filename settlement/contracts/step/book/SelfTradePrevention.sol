// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {FixedPoint} from "../FixedPoint.sol";
import {Leaves} from "../Leaves.sol";
import {Account} from "../leaves/Account.sol";
import {BookLib} from "../leaves/Book.sol";
import {IncomingRegister} from "../leaves/Registers.sol";
import {Resting, RestingOrder} from "./Resting.sol";

/// @title An incoming order that meets a resting order of its owner's, of whichever sub-account, never trades with it
/// @notice Twin of sequencer/engine/book/self-trade-prevention.ts. Register and account are changed in memory.
library SelfTradePrevention {
    /// @notice Applies the incoming order's choice to it and to the resting order.
    /// @param account of the resting order
    /// @dev Leaves: unless only the incoming order goes, those of the resting order (Resting), written.
    function prevent(
        Leaves memory leaves,
        Account memory account,
        IncomingRegister memory incoming,
        RestingOrder memory maker,
        uint256 qm
    ) internal pure {
        uint256 choice = BookLib.selfTradePrevention(incoming.flags);
        if (choice == BookLib.STP_DECREMENT) {
            uint256 lots = FixedPoint.min(incoming.remaining, maker.order.size);
            if (lots == maker.order.size) Resting.cancel(leaves, account, maker, qm);
            else Resting.reduce(leaves, account, maker, qm, lots);
            incoming.remaining -= lots;
            return;
        }
        if (choice != BookLib.STP_EXPIRE_TAKER) Resting.cancel(leaves, account, maker, qm);
        if (choice != BookLib.STP_EXPIRE_MAKER) incoming.remaining = 0;
    }
}
