// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Bytes} from "../Bytes.sol";
import {Keys} from "../Keys.sol";
import {Leaves, LeavesLib} from "../Leaves.sol";

/// @notice A resting order; market, side, price and priority stand in its key.
struct Order {
    uint256 id;
    uint256 account;
    uint256 size;
    uint256 clientId;
    uint256 expiry;
    uint256 flags;
}

/// @notice Where an order rests.
struct OrderPlace {
    uint256 side;
    uint256 price;
    uint256 priority;
}

struct Counters {
    uint256 nextOrderId;
    uint256 nextTradeId;
}

struct SessionKey {
    uint256 scope;
    /// @dev ms; 0 ended.
    uint256 expiry;
    uint256 nonceHigh;
    uint256 nonceBits;
}

/// @title Leaves of the book: COUNTERS, ORDER, LEVEL, ORDER_INDEX, CLIENT_INDEX, SESSION_KEY, EXPIRY
library BookLib {
    using Bytes for bytes;

    uint256 internal constant SIDE_BIT = 1;
    uint256 internal constant POST_ONLY_BIT = 1 << 3;
    uint256 internal constant REDUCE_ONLY_BIT = 1 << 4;
    uint256 internal constant MARKET_ORDER_BIT = 1 << 7;
    uint256 internal constant GTC = 0;
    uint256 internal constant GTD = 1;
    uint256 internal constant IOC = 2;
    uint256 internal constant FOK = 3;
    uint256 internal constant STP_EXPIRE_MAKER = 0;
    uint256 internal constant STP_EXPIRE_TAKER = 1;
    uint256 internal constant STP_EXPIRE_BOTH = 2;
    uint256 internal constant STP_DECREMENT = 3;

    function timeInForce(uint256 flags) internal pure returns (uint256) {
        return (flags >> 1) & 3;
    }

    function selfTradePrevention(uint256 flags) internal pure returns (uint256) {
        return (flags >> 5) & 3;
    }

    function loadCounters(Leaves memory leaves) internal pure returns (Counters memory c) {
        (bytes memory value, bool present) = LeavesLib.get(leaves, Keys.COUNTERS);
        if (!present) return Counters({nextOrderId: 1, nextTradeId: 1});
        c.nextOrderId = value.u(0, 8);
        c.nextTradeId = value.u(8, 8);
    }

    function storeCounters(Leaves memory leaves, Counters memory c) internal pure {
        LeavesLib.set(leaves, Keys.COUNTERS, abi.encodePacked(uint64(c.nextOrderId), uint64(c.nextTradeId)));
    }

    function decodeOrder(bytes memory value) internal pure returns (Order memory o) {
        o.id = value.u(0, 8);
        o.account = value.u(8, 4);
        o.size = value.u(12, 8);
        o.clientId = value.u(20, 8);
        o.expiry = value.u(28, 6);
        o.flags = value.u(34, 1);
    }

    function encodeOrder(Order memory o) internal pure returns (bytes memory) {
        return abi.encodePacked(
            uint64(o.id), uint32(o.account), uint64(o.size), uint64(o.clientId), uint48(o.expiry), uint8(o.flags)
        );
    }

    /// @notice Lots resting at a level; 0 when there is none.
    function levelLots(Leaves memory leaves, bytes32 key) internal pure returns (uint256) {
        (bytes memory value, bool present) = LeavesLib.get(leaves, key);
        return present ? value.u(0, 8) : 0;
    }

    /// @notice Sets the lots of a level, which goes with its last lot.
    function storeLevel(Leaves memory leaves, bytes32 key, uint256 lots) internal pure {
        if (lots == 0) LeavesLib.remove(leaves, key);
        else LeavesLib.set(leaves, key, abi.encodePacked(uint64(lots)));
    }

    function decodePlace(bytes memory value) internal pure returns (OrderPlace memory p) {
        p.side = value.u(0, 1);
        p.price = value.u(1, 4);
        p.priority = value.u(5, 8);
    }

    function encodePlace(OrderPlace memory p) internal pure returns (bytes memory) {
        return abi.encodePacked(uint8(p.side), uint32(p.price), uint64(p.priority));
    }

    function loadSessionKey(Leaves memory leaves, bytes32 key)
        internal
        pure
        returns (SessionKey memory s, bool present)
    {
        bytes memory value;
        (value, present) = LeavesLib.get(leaves, key);
        if (!present) return (s, false);
        s.scope = value.u(0, 1);
        s.expiry = value.u(1, 8);
        s.nonceHigh = value.u(9, 8);
        s.nonceBits = value.u(17, 32);
    }

    function storeSessionKey(Leaves memory leaves, bytes32 key, SessionKey memory s) internal pure {
        LeavesLib.set(
            leaves, key, abi.encodePacked(uint8(s.scope), uint64(s.expiry), uint64(s.nonceHigh), s.nonceBits)
        );
    }

    /// @notice Present or absent; its value is empty.
    function storeExpiry(Leaves memory leaves, bytes32 key) internal pure {
        LeavesLib.set(leaves, key, "");
    }
}
