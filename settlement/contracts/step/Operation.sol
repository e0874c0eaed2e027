// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Limits} from "./Limits.sol";
import {Bytes} from "./Bytes.sol";

/// @title Operations of a signed message: kinds, lengths and form
/// @notice Twin of sequencer/protocol/operation.ts, which draws their bytes: little-endian, kind byte first.
library Operation {
    uint256 internal constant PLACE = 1;
    uint256 internal constant CANCEL = 2;
    uint256 internal constant CANCEL_ALL = 3;
    uint256 internal constant AMEND = 4;
    uint256 internal constant WITHDRAW = 5;
    uint256 internal constant TRANSFER = 6;
    uint256 internal constant SESSION_KEY = 7;
    uint256 internal constant CANCEL_AFTER = 8;
    uint256 internal constant CANCEL_ON_DISCONNECT = 9;
    uint256 internal constant SET_LEVERAGE = 11;
    uint256 internal constant ISOLATE = 12;

    /// @notice In place of the market of an isolated account: the account has none.
    uint256 internal constant NO_MARKET = 0xffff;
    uint256 internal constant LOCK = 14;

    uint256 internal constant BY_ORDER_ID = 0;
    uint256 internal constant SCOPE_TRADE = 1;
    uint256 internal constant SCOPE_CANCEL = 2;
    uint256 internal constant SCOPE_LOCK = 4;
    uint256 internal constant SCOPE_ALL = 7;

    /// @dev Byte n from the right is the length of kind n.
    uint256 private constant LENGTHS = 0x08_00_08_08_00_08_10_20_10_10_18_08_10_20_00;

    /// @notice Where the operations of a message begin in its record.
    uint256 internal constant START = Limits.RECORD_HEADER_BYTES + Limits.MESSAGE_HEADER_BYTES;

    /// @notice Length in bytes of an operation; 0 for a kind that does not exist.
    function length(uint256 kind) internal pure returns (uint256) {
        return kind < 32 ? uint8(LENGTHS >> (8 * kind)) : 0;
    }

    /// @notice Kind byte of the operation `offset` bytes into those of a record.
    function kindAt(bytes calldata record, uint256 offset) internal pure returns (uint256) {
        return Bytes.le(record, START + offset, 1);
    }

    /// @notice Whether `end - at` bytes of a record are exactly `count` whole operations of known kinds whose 64-bit fields are
    /// below 2^53, whose enumerated bytes are in range and whose zero bytes are zero.
    /// @param end at most the record's length
    /// @return ok no statement about `kinds` when false
    /// @return kinds bit n is set when an operation of kind n is among them
    function check(bytes calldata record, uint256 at, uint256 end, uint256 count)
        internal
        pure
        returns (bool ok, uint256 kinds)
    {
        if (count < 1 || count > Limits.MESSAGE_OPERATIONS_MAX) return (false, 0);
        for (uint256 i = 0; i < count; i++) {
            if (at >= end) return (false, 0);
            bytes32 word;
            assembly ("memory-safe") {
                word := calldataload(add(record.offset, at))
            }
            uint256 kind = uint8(word[0]);
            uint256 bytes_ = length(kind);
            if (bytes_ == 0 || at + bytes_ > end || word & _zeros(kind) != 0) return (false, 0);
            // Every market, and one by name, is a contradiction.
            if (kind == CANCEL_ALL && word[1] != 0 && (word[2] != 0 || word[3] != 0)) return (false, 0);
            // A market has its own pool: none is named with it.
            if (kind == ISOLATE && word[4] != 0 && uint16(bytes2(word << 16)) != NO_MARKET) return (false, 0);
            kinds |= 1 << kind;
            at += bytes_;
        }
        return (at == end, kinds);
    }

    /// @dev The bits of an operation that are 0: reserved bytes, all but the lowest bit of a switch, and of a 64-bit field those
    /// from bit 53. Bytes stand as in the record.
    function _zeros(uint256 kind) private pure returns (bytes32) {
        if (kind == PLACE) return 0x0000000000000000_000000000000e0ff_000000000000e0ff_000000000000e0ff;
        if (kind == CANCEL) return 0x00fe0000ffffffff_000000000000e0ff_00000000000000000000000000000000;
        if (kind == CANCEL_ALL) return 0x00fe0000ffffffff_000000000000000000000000000000000000000000000000;
        if (kind == AMEND) return 0x00fe000000000000_000000000000e0ff_000000000000e0ff_0000000000000000;
        if (kind == WITHDRAW) return 0x00ff0000ffffffff_000000000000e0ff_00000000000000000000000000000000;
        if (kind == TRANSFER) return 0x00ff000000000000_000000000000e0ff_00000000000000000000000000000000;
        if (kind == SESSION_KEY) return 0x0000ffff00000000_00000000000000000000000000000000_000000000000e0ff;
        if (kind == CANCEL_AFTER) return 0x00ffffffffffffff_000000000000e0ff_00000000000000000000000000000000;
        if (kind == SET_LEVERAGE) return 0x00ff000000000000_000000000000000000000000000000000000000000000000;
        if (kind == ISOLATE) return 0x0000000000ffffff_000000000000000000000000000000000000000000000000;
        if (kind == LOCK) return 0x00feffffffffffff_000000000000000000000000000000000000000000000000;
        return 0x00feffff00000000_000000000000000000000000000000000000000000000000;
    }
}
