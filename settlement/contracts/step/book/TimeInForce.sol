// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Bytes} from "../Bytes.sol";
import {FixedPoint} from "../FixedPoint.sol";
import {Keys} from "../Keys.sol";
import {Leaf, Leaves, LeavesLib} from "../Leaves.sol";
import {Limits} from "../Limits.sol";
import {Account, AccountLib, Position} from "../leaves/Account.sol";
import {BookLib} from "../leaves/Book.sol";

/// @notice A fill-or-kill order.
struct FillOrKill {
    uint256 market;
    uint256 side;
    uint256 price;
    uint256 size;
    uint256 flags;
}

/// @title Fill-or-kill looks at price levels before anything trades
/// @notice Twin of sequencer/engine/book/time-in-force.ts.
library TimeInForce {
    using Bytes for bytes;

    uint256 private constant BUY = 0;

    /// @notice Whether its size rests at its price or better within the best 32 levels, not counting the account's own
    /// orders on that side, wherever they rest; those of its owner's other accounts count. A reduce-only order must find a position of its size to reduce.
    /// @dev Leaves: the first 32 LEVELs of the opposite side.
    function isFillable(Leaves memory leaves, Account memory account, FillOrKill memory order)
        internal
        pure
        returns (bool)
    {
        (uint256 reducible, uint256 own) = _holding(account, order);
        if (order.flags & BookLib.REDUCE_ONLY_BIT != 0 && order.size > reducible) return false;
        uint256 choice = BookLib.selfTradePrevention(order.flags);
        if (own > 0 && (choice == BookLib.STP_EXPIRE_TAKER || choice == BookLib.STP_EXPIRE_BOTH)) return false;
        return _rests(leaves, order, order.size + own);
    }

    /// @dev Lots that the order could reduce, and lots of the account's own orders on the opposite side.
    function _holding(Account memory account, FillOrKill memory order)
        private
        pure
        returns (uint256 reducible, uint256 own)
    {
        uint256 place = AccountLib.find(account, order.market);
        if (place == AccountLib.NONE) return (0, 0);
        Position memory p = account.positions[place];
        reducible = uint256(FixedPoint.maxSigned(0, order.side == BUY ? -p.size : p.size));
        own = (order.side == BUY ? p.askLots : p.bidLots) + p.reduceOnlyLots;
    }

    function _rests(Leaves memory leaves, FillOrKill memory order, uint256 needed) private pure returns (bool) {
        uint256 most = Limits.DEPTH_LEVELS_MAX;
        (Leaf[] memory levels,) =
            LeavesLib.range(leaves, Keys.levels(order.market, 1 - order.side), Keys.SIDE_BITS, most);
        uint256 available = 0;
        for (uint256 n = 0; n < levels.length && n < most; n++) {
            uint256 price = Keys.priceOf(levels[n].key);
            if (order.side == BUY ? price > order.price : price < order.price) break;
            available += levels[n].value.u(0, 8);
            if (available >= needed) return true;
        }
        return false;
    }
}
