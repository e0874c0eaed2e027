// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Keys} from "../Keys.sol";
import {Leaf, Leaves, LeavesLib} from "../Leaves.sol";
import {Operation} from "../Operation.sol";
import {Reject} from "../Reject.sol";
import {Resting, RestingOrder} from "../book/Resting.sol";
import {Account, AccountLib} from "../leaves/Account.sol";
import {MarketConfig, MarketLib} from "../leaves/Market.sol";
import {MessageRegister, RegistersLib, WalkRegister} from "../leaves/Registers.sol";

/// @title WALK: cancels an account's orders one step each, by market and order id
/// @notice Twin of sequencer/engine/handlers/walk.ts: of cancel-all, dead-man, disconnect, forced and liquidation.
///
/// Leaves:
///   REGISTER_WALK                                 written
///   first ORDER_INDEX under the account           a range of ACCOUNT_ORDERS_BITS when the walk is over every market,
///   and its market                                else of ACCOUNT_MARKET_ORDERS_BITS; at least one leaf, or all
/// and with such an order:
///   ACCOUNT(account)                              written
///   MARKET_CONFIG(market of the order)
///   the leaves of the order (Resting)             written; its ORDER_INDEX as a leaf, too
/// and without, when the walk is of a message:
///   REGISTER_MESSAGE                              written
library Walk {
    /// @notice Opens the walk register; the caller's step is the one in which it opens.
    /// @param market EVERY_MARKET or one
    /// @dev Leaves: REGISTER_WALK, written.
    function open(Leaves memory leaves, uint256 account, uint256 market, uint256 reason, bool ofMessage) internal pure {
        RegistersLib.storeWalk(
            leaves,
            WalkRegister({account: account, market: market, reason: reason, canceled: 0, ofMessage: ofMessage})
        );
    }

    /// @notice Cancels the next order, or ends the walk and the operation that it is of.
    function run(Leaves memory leaves) internal pure returns (uint256) {
        (WalkRegister memory walk,) = RegistersLib.loadWalk(leaves);
        Leaf[] memory first = _first(leaves, walk);
        if (first.length == 0) {
            _end(leaves, walk);
            return Reject.NONE;
        }
        bytes32 key = first[0].key;
        uint256 market = Keys.indexMarketOf(key);
        (RestingOrder memory order,) = Resting.find(leaves, walk.account, market, Keys.indexIdOf(key));
        (MarketConfig memory config,) = MarketLib.loadConfig(leaves, market);
        (Account memory account,) = AccountLib.load(leaves, walk.account);
        Resting.cancel(leaves, account, order, config.qm);
        AccountLib.store(leaves, walk.account, account);
        walk.canceled++;
        RegistersLib.storeWalk(leaves, walk);
        return Reject.NONE;
    }

    function _first(Leaves memory leaves, WalkRegister memory walk) private pure returns (Leaf[] memory first) {
        bool every = walk.market == RegistersLib.EVERY_MARKET;
        (first,) = LeavesLib.range(
            leaves,
            every ? Keys.accountOrders(walk.account) : Keys.orderIndex(walk.account, walk.market, 0),
            every ? Keys.ACCOUNT_ORDERS_BITS : Keys.ACCOUNT_MARKET_ORDERS_BITS,
            1
        );
    }

    /// @dev Only a CANCEL_ALL or a LOCK has a walk that is of a message; they are of one length.
    function _end(Leaves memory leaves, WalkRegister memory walk) private pure {
        RegistersLib.clearWalk(leaves);
        if (!walk.ofMessage) return;
        (MessageRegister memory message,) = RegistersLib.loadMessage(leaves);
        RegistersLib.finishOperation(leaves, message, Operation.length(Operation.CANCEL_ALL));
    }
}
