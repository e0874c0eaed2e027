// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Bytes} from "../Bytes.sol";
import {Keys} from "../Keys.sol";
import {Leaves, LeavesLib} from "../Leaves.sol";

/// @notice The message whose operations are being executed.
struct MessageRegister {
    bytes32 bodyHash;
    uint256 account;
    uint256 scope;
    uint256 count;
    uint256 next;
    uint256 offset;
}

/// @notice The order that is matching.
struct IncomingRegister {
    uint256 account;
    uint256 market;
    uint256 flags;
    uint256 price;
    uint256 size;
    uint256 remaining;
    uint256 orderId;
    uint256 priority;
    uint256 clientId;
    uint256 expiry;
    bool reducing;
    bool amended;
    bool forced;
    /// @dev A slice of its account's liquidation.
    bool liquidation;
    uint256 filled;
    uint256 filledQuote;
}

/// @notice A walk that cancels an account's orders one by one.
struct WalkRegister {
    uint256 account;
    /// @dev EVERY_MARKET or one.
    uint256 market;
    uint256 reason;
    uint256 canceled;
    bool ofMessage;
}

/// @title Leaves REGISTER: unfinished work between steps
/// @notice As sequencer/state/leaves.ts draws them; absent while inactive.
library RegistersLib {
    using Bytes for bytes;

    uint256 internal constant EVERY_MARKET = 0xffff;

    function loadMessage(Leaves memory leaves) internal pure returns (MessageRegister memory m, bool active) {
        bytes memory value;
        (value, active) = LeavesLib.get(leaves, Keys.REGISTER_MESSAGE);
        if (active) m = decodeMessage(value);
    }

    function decodeMessage(bytes memory value) internal pure returns (MessageRegister memory m) {
        m.bodyHash = bytes32(value.u(0, 32));
        m.account = value.u(32, 4);
        m.scope = value.u(36, 1);
        m.count = value.u(37, 1);
        m.next = value.u(38, 1);
        m.offset = value.u(39, 2);
    }

    function storeMessage(Leaves memory leaves, MessageRegister memory m) internal pure {
        LeavesLib.set(
            leaves,
            Keys.REGISTER_MESSAGE,
            abi.encodePacked(
                m.bodyHash, uint32(m.account), uint8(m.scope), uint8(m.count), uint8(m.next), uint16(m.offset)
            )
        );
    }

    /// @notice Ends the open operation: the register moves on to the next one, or goes with the last.
    /// @param bytes_ length of the operation that ends
    function finishOperation(Leaves memory leaves, MessageRegister memory m, uint256 bytes_) internal pure {
        m.next++;
        m.offset += bytes_;
        if (m.next == m.count) LeavesLib.remove(leaves, Keys.REGISTER_MESSAGE);
        else storeMessage(leaves, m);
    }

    function decodeIncoming(bytes memory value) internal pure returns (IncomingRegister memory r) {
        r.account = value.u(0, 4);
        r.market = value.u(4, 2);
        r.flags = value.u(6, 1);
        r.price = value.u(7, 4);
        r.size = value.u(11, 8);
        r.remaining = value.u(19, 8);
        r.orderId = value.u(27, 8);
        r.priority = value.u(35, 8);
        r.clientId = value.u(43, 8);
        r.expiry = value.u(51, 6);
        uint256 bits = value.u(57, 1);
        r.reducing = bits & 1 != 0;
        r.amended = bits & 2 != 0;
        r.forced = bits & 4 != 0;
        r.liquidation = bits & 8 != 0;
        r.filled = value.u(58, 8);
        r.filledQuote = value.u(66, 8);
    }

    function loadIncoming(Leaves memory leaves) internal pure returns (IncomingRegister memory r, bool active) {
        bytes memory value;
        (value, active) = LeavesLib.get(leaves, Keys.REGISTER_INCOMING);
        if (active) r = decodeIncoming(value);
    }

    function storeIncoming(Leaves memory leaves, IncomingRegister memory r) internal pure {
        (bytes memory value, uint256 at) = Bytes.allocate(74);
        at = Bytes.put(at, r.account, 4);
        at = Bytes.put(at, r.market, 2);
        at = Bytes.put(at, r.flags, 1);
        at = Bytes.put(at, r.price, 4);
        at = Bytes.put(at, r.size, 8);
        at = Bytes.put(at, r.remaining, 8);
        at = Bytes.put(at, r.orderId, 8);
        at = Bytes.put(at, r.priority, 8);
        at = Bytes.put(at, r.clientId, 8);
        at = Bytes.put(at, r.expiry, 6);
        at = Bytes.put(
            at, (r.reducing ? 1 : 0) | (r.amended ? 2 : 0) | (r.forced ? 4 : 0) | (r.liquidation ? 8 : 0), 1
        );
        at = Bytes.put(at, r.filled, 8);
        Bytes.put(at, r.filledQuote, 8);
        LeavesLib.set(leaves, Keys.REGISTER_INCOMING, value);
    }

    function clearIncoming(Leaves memory leaves) internal pure {
        LeavesLib.remove(leaves, Keys.REGISTER_INCOMING);
    }

    function loadWalk(Leaves memory leaves) internal pure returns (WalkRegister memory w, bool active) {
        bytes memory value;
        (value, active) = LeavesLib.get(leaves, Keys.REGISTER_WALK);
        if (active) w = decodeWalk(value);
    }

    function decodeWalk(bytes memory value) internal pure returns (WalkRegister memory w) {
        w.account = value.u(0, 4);
        w.market = value.u(4, 2);
        w.reason = value.u(6, 1);
        w.canceled = value.u(7, 4);
        w.ofMessage = value.u(11, 1) != 0;
    }

    function storeWalk(Leaves memory leaves, WalkRegister memory w) internal pure {
        LeavesLib.set(
            leaves,
            Keys.REGISTER_WALK,
            abi.encodePacked(
                uint32(w.account), uint16(w.market), uint8(w.reason), uint32(w.canceled), uint8(w.ofMessage ? 1 : 0)
            )
        );
    }

    function clearWalk(Leaves memory leaves) internal pure {
        LeavesLib.remove(leaves, Keys.REGISTER_WALK);
    }
}
