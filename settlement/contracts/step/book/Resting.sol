// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Bytes} from "../Bytes.sol";
import {Keys} from "../Keys.sol";
import {Leaf, Leaves, LeavesLib} from "../Leaves.sol";
import {Account, AccountLib, Position} from "../leaves/Account.sol";
import {BookLib, Order, OrderPlace} from "../leaves/Book.sol";
import {IncomingRegister} from "../leaves/Registers.sol";

/// @notice An order in the book, with its place.
struct RestingOrder {
    uint256 market;
    uint256 side;
    uint256 price;
    uint256 priority;
    Order order;
}

/// @title Orders coming to rest and leaving
/// @notice Twin of sequencer/engine/book/resting.ts. Order, level and index leaves are written; the owner's account is
/// changed in memory and the caller stores it. `qm` is that of the order's market.
///
///   leaves of an order   ORDER(market, side, price, priority), LEVEL(market, side, price),
///                        ORDER_INDEX(account, market, id), CLIENT_INDEX(account, market, client id) when that is not
///                        0, EXPIRY(expiry, EXPIRY_ORDER, id) when that is not 0
library Resting {
    using Bytes for bytes;

    uint256 private constant BUY = 0;

    /// @notice An order as its leaf and its key say it.
    function decode(bytes32 key, bytes memory value) internal pure returns (RestingOrder memory r) {
        r.market = uint16(uint256(key) >> 232);
        r.side = uint8(key[3]);
        r.price = Keys.priceOf(key);
        r.priority = Keys.priorityOf(key);
        r.order = BookLib.decodeOrder(value);
    }

    /// @notice The order of an account by its id.
    /// @dev Leaves: ORDER_INDEX(account, market, id); when there is such an order, its ORDER.
    function find(Leaves memory leaves, uint256 account, uint256 market, uint256 id)
        internal
        pure
        returns (RestingOrder memory r, bool present)
    {
        bytes memory value;
        (value, present) = LeavesLib.get(leaves, Keys.orderIndex(account, market, id));
        if (!present) return (r, false);
        OrderPlace memory place = BookLib.decodePlace(value);
        bytes32 key = Keys.order(market, place.side, place.price, place.priority);
        (value,) = LeavesLib.get(leaves, key);
        r = decode(key, value);
    }

    /// @notice The first order of a side in priority, as it was before the step; there must be one.
    /// @dev Leaves: the first ORDER of the side.
    function first(Leaves memory leaves, uint256 market, uint256 side) internal pure returns (RestingOrder memory) {
        (Leaf[] memory orders,) = LeavesLib.range(leaves, Keys.orders(market, side), Keys.SIDE_BITS, 1);
        return decode(orders[0].key, orders[0].value);
    }

    /// @notice Whether an order of the other side at `price` meets the best price of `side`, as it was before the step.
    /// @dev Leaves: the first ORDER of the side, or that there is none.
    function crosses(Leaves memory leaves, uint256 market, uint256 side, uint256 price) internal pure returns (bool) {
        (Leaf[] memory orders,) = LeavesLib.range(leaves, Keys.orders(market, side), Keys.SIDE_BITS, 1);
        if (orders.length == 0) return false;
        uint256 best = Keys.priceOf(orders[0].key);
        return side == BUY ? price <= best : price >= best;
    }

    /// @notice The incoming order's rest goes to the back of its price level.
    /// @param fundingIndex of the market now
    /// @dev Leaves: those of the order, written.
    function rest(
        Leaves memory leaves,
        Account memory account,
        IncomingRegister memory incoming,
        int256 fundingIndex,
        uint256 qm
    ) internal pure {
        RestingOrder memory r;
        r.market = incoming.market;
        r.side = incoming.flags & BookLib.SIDE_BIT;
        r.price = incoming.price;
        r.priority = incoming.priority;
        r.order = Order({
            id: incoming.orderId,
            account: incoming.account,
            size: incoming.remaining,
            clientId: incoming.clientId,
            expiry: incoming.expiry,
            flags: incoming.flags
        });
        Position memory position = AccountLib.ensure(account, r.market, fundingIndex);
        _addOpen(position, r, int256(incoming.remaining), qm);
        account.openOrders++;
        LeavesLib.set(leaves, keyOf(r), BookLib.encodeOrder(r.order));
        _addToLevel(leaves, r, int256(incoming.remaining));
        LeavesLib.set(
            leaves,
            Keys.orderIndex(r.order.account, r.market, r.order.id),
            BookLib.encodePlace(OrderPlace(r.side, r.price, r.priority))
        );
        if (r.order.clientId != 0) {
            LeavesLib.set(
                leaves,
                Keys.clientIndex(r.order.account, r.market, r.order.clientId),
                abi.encodePacked(uint64(r.order.id))
            );
        }
        if (r.order.expiry != 0) {
            BookLib.storeExpiry(leaves, Keys.expiry(r.order.expiry, Keys.EXPIRY_ORDER, r.order.id));
        }
    }

    /// @notice Lowers the open size of an order in place, by less than there is.
    /// @dev Leaves: ORDER and LEVEL, written.
    function reduce(Leaves memory leaves, Account memory account, RestingOrder memory r, uint256 qm, uint256 lots)
        internal
        pure
    {
        _lower(leaves, account, r, qm, lots);
        LeavesLib.set(leaves, keyOf(r), BookLib.encodeOrder(r.order));
    }

    /// @notice Takes an order out of the book, with whatever size is still open. The position record stays, even if
    /// empty.
    /// @dev Leaves: those of the order, written.
    function unrest(Leaves memory leaves, Account memory account, RestingOrder memory r, uint256 qm) internal pure {
        Order memory o = r.order;
        _lower(leaves, account, r, qm, o.size);
        LeavesLib.remove(leaves, keyOf(r));
        LeavesLib.remove(leaves, Keys.orderIndex(o.account, r.market, o.id));
        if (o.clientId != 0) LeavesLib.remove(leaves, Keys.clientIndex(o.account, r.market, o.clientId));
        if (o.expiry != 0) LeavesLib.remove(leaves, Keys.expiry(o.expiry, Keys.EXPIRY_ORDER, o.id));
        account.openOrders--;
    }

    /// @notice Cancels an order: takes it out and drops the position record if nothing is left in it.
    /// @dev Leaves: those of the order, written.
    function cancel(Leaves memory leaves, Account memory account, RestingOrder memory r, uint256 qm) internal pure {
        unrest(leaves, account, r, qm);
        AccountLib.release(account, r.market);
    }

    function keyOf(RestingOrder memory r) internal pure returns (bytes32) {
        return Keys.order(r.market, r.side, r.price, r.priority);
    }

    /// @dev Order in memory, open-order totals and level follow; the order's leaf does not.
    function _lower(Leaves memory leaves, Account memory account, RestingOrder memory r, uint256 qm, uint256 lots)
        private
        pure
    {
        r.order.size -= lots;
        _addOpen(account.positions[AccountLib.find(account, r.market)], r, -int256(lots), qm);
        _addToLevel(leaves, r, -int256(lots));
    }

    function _addOpen(Position memory position, RestingOrder memory r, int256 lots, uint256 qm) private pure {
        int256 quote = lots * int256(r.price * qm);
        if (r.order.flags & BookLib.REDUCE_ONLY_BIT != 0) {
            position.reduceOnlyLots = _plus(position.reduceOnlyLots, lots);
        } else if (r.side == BUY) {
            position.bidLots = _plus(position.bidLots, lots);
            position.bidQuote = _plus(position.bidQuote, quote);
        } else {
            position.askLots = _plus(position.askLots, lots);
            position.askQuote = _plus(position.askQuote, quote);
        }
    }

    function _addToLevel(Leaves memory leaves, RestingOrder memory r, int256 lots) private pure {
        bytes32 key = Keys.level(r.market, r.side, r.price);
        BookLib.storeLevel(leaves, key, _plus(BookLib.levelLots(leaves, key), lots));
    }

    function _plus(uint256 total, int256 change) private pure returns (uint256) {
        return uint256(int256(total) + change);
    }
}
