// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {PartialTree} from "../libraries/PartialTree.sol";
import {Keys} from "./Keys.sol";

/// @notice What a witness opens of the state, as the steps so far have left it.
struct State {
    PartialTree.Tree ledger;
    PartialTree.Tree book;
    /// @dev Address of memory for the leaves of one range.
    uint256 members;
}

/// @title Slices of the state for steps, and their writes back into it
/// @notice Leaves.sol draws slices and writes. What goes into a slice are hints, items to the end:
///   LEAF   u8 0 ‖ u8 n ‖ n key                 n from 0 to 32; the rest of the key is zeros
///   RANGE  u8 1 ‖ u16 L ‖ ⌈L/8⌉ prefix ‖ u8 max  the first leaves, at most `max`, under L (0 … 256) bits
/// Twin: prover-stub/segment-witness.ts. Hints are the prover's to choose: what a step lacks reverts, what it does not
/// need changes nothing.
library Slices {
    uint256 private constant ABSENT = 0xffff;
    uint256 private constant MEMBERS_BYTES = 255 * 32;

    /// @notice The hints end within the item at byte `offset`, or it is none.
    error HintsMalformed(uint256 offset);
    /// @notice A family has returned writes that are not whole.
    error WritesMalformed(uint256 expected, uint256 got);

    /// @notice Opens the multiproofs of both trees.
    function open(bytes calldata ledger, bytes calldata book) internal pure returns (State memory state) {
        state.ledger = PartialTree.parse(ledger);
        state.book = PartialTree.parse(book);
        uint256 members;
        assembly ("memory-safe") {
            members := mload(0x40)
            mstore(0x40, add(members, MEMBERS_BYTES))
        }
        state.members = members;
    }

    /// @notice Roots of the two trees.
    function roots(State memory state) internal pure returns (bytes32 ledger, bytes32 book) {
        return (PartialTree.root(state.ledger), PartialTree.root(state.book));
    }

    /// @notice keccak256(0x03 ‖ ledger root ‖ book root).
    function stateRoot(bytes32 ledgerRoot, bytes32 bookRoot) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(bytes1(0x03), ledgerRoot, bookRoot));
    }

    /// @notice The leaf of `key`, or 0.
    function find(State memory state, bytes32 key) internal pure returns (uint256) {
        return PartialTree.find(_inLedger(key) ? state.ledger : state.book, key);
    }

    /// @notice The first leaves under a prefix, at most `max` ≤ 255: their addresses are at `state.members`, a word each.
    function range(State memory state, bytes32 prefix, uint256 bits, uint256 max)
        internal
        pure
        returns (uint256 count, bool complete)
    {
        return PartialTree.rangeInto(_inLedger(prefix) ? state.ledger : state.book, prefix, bits, max, state.members);
    }

    /// @notice The first leaf under a prefix, or 0.
    function first(State memory state, bytes32 prefix, uint256 bits) internal pure returns (uint256) {
        (uint256 count,) = range(state, prefix, bits, 1);
        return count == 0 ? 0 : member(state, 0);
    }

    /// @notice A leaf of the last range.
    function member(State memory state, uint256 index) internal pure returns (uint256 leaf) {
        uint256 place = state.members + 32 * index;
        assembly ("memory-safe") {
            leaf := mload(place)
        }
    }

    /// @notice Gives `key` a copy of `length` bytes of memory at `source`.
    function set(State memory state, bytes32 key, uint256 source, uint256 length) internal pure {
        PartialTree.setFrom(_inLedger(key) ? state.ledger : state.book, key, source, length);
    }

    function remove(State memory state, bytes32 key) internal pure {
        PartialTree.remove(_inLedger(key) ? state.ledger : state.book, key);
    }

    /// @notice The slice that `hints` ask for.
    function slice(State memory state, bytes calldata hints) internal pure returns (bytes memory packed) {
        uint256 start;
        assembly ("memory-safe") {
            // Written behind the free pointer, which nothing here moves, and allocated at the end.
            packed := mload(0x40)
            start := add(packed, 32)
        }
        uint256 end = start;
        uint256 offset = 0;
        while (offset < hints.length) {
            uint256 next;
            (next, end) =
                _byte(hints, offset) == 0 ? _putLeaf(state, hints, offset, end) : _putRange(state, hints, offset, end);
            if (next > hints.length) revert HintsMalformed(offset);
            offset = next;
        }
        assembly ("memory-safe") {
            mstore(packed, sub(end, start))
            mstore(0x40, and(add(end, 31), not(31)))
        }
    }

    /// @notice Takes over what a step has written: what was set first, then what was removed, so that a removal never takes a
    /// witnessed place away from what is set.
    function store(State memory state, bytes memory writes) internal pure {
        _store(state, writes, false);
        _store(state, writes, true);
    }

    function _store(State memory state, bytes memory writes, bool removals) private pure {
        uint256 place;
        assembly ("memory-safe") {
            place := add(writes, 32)
        }
        uint256 end = place + writes.length;
        while (place < end) {
            bytes32 key;
            uint256 length;
            assembly ("memory-safe") {
                key := mload(place)
                length := and(mload(add(place, 2)), 0xffff)
            }
            place += 34;
            bool removed = length == ABSENT;
            if (removed) length = 0;
            if (place + length > end) revert WritesMalformed(place + length, end);
            if (removed == removals) {
                if (removed) remove(state, key);
                else set(state, key, place, length);
            }
            place += length;
        }
    }

    function _putLeaf(State memory state, bytes calldata hints, uint256 offset, uint256 end)
        private
        pure
        returns (uint256, uint256)
    {
        uint256 n = _byte(hints, offset + 1);
        if (n > 32) revert HintsMalformed(offset);
        bytes32 key = _bits(hints, offset + 2, 8 * n);
        assembly ("memory-safe") {
            mstore8(end, 0)
        }
        uint256 leaf = find(state, key);
        return (offset + 2 + n, leaf == 0 ? _put(end + 1, key, ABSENT) : _putValue(end + 1, leaf));
    }

    function _putRange(State memory state, bytes calldata hints, uint256 offset, uint256 end)
        private
        pure
        returns (uint256 next, uint256)
    {
        uint256 bits = (_byte(hints, offset + 1) << 8) | _byte(hints, offset + 2);
        if (_byte(hints, offset) != 1 || bits > 256) revert HintsMalformed(offset);
        next = offset + 3 + (bits + 7) / 8;
        return (next + 1, _putMembers(state, _bits(hints, offset + 3, bits), bits, _byte(hints, next), end));
    }

    function _putMembers(State memory state, bytes32 prefix, uint256 bits, uint256 max, uint256 end)
        private
        pure
        returns (uint256)
    {
        (uint256 count, bool complete) = range(state, prefix, bits, max);
        assembly ("memory-safe") {
            mstore8(end, 1)
        }
        end = _put(end + 1, prefix, bits);
        assembly ("memory-safe") {
            mstore8(end, count)
            mstore8(add(end, 1), complete)
        }
        end += 2;
        for (uint256 i = 0; i < count; i++) {
            end = _putValue(end, member(state, i));
        }
        return end;
    }

    function _putValue(uint256 end, uint256 leaf) private pure returns (uint256) {
        uint256 length = PartialTree.lengthOf(leaf);
        end = _put(end, PartialTree.keyOf(leaf), length);
        PartialTree.copyValue(leaf, end);
        return end + length;
    }

    /// @dev b32 ‖ u16
    function _put(uint256 end, bytes32 key, uint256 field) private pure returns (uint256) {
        assembly ("memory-safe") {
            mstore(end, key)
            mstore8(add(end, 32), shr(8, field))
            mstore8(add(end, 33), field)
        }
        return end + 34;
    }

    /// @dev Functions that return a struct would allocate one, and `slice` must not move the free pointer.
    function _inLedger(bytes32 key) private pure returns (bool) {
        return uint8(key[0]) < Keys.BOOK_KINDS_FROM;
    }

    /// @dev What lies beyond the hints' end is never used: the item is refused.
    function _byte(bytes calldata hints, uint256 offset) private pure returns (uint256 value) {
        assembly ("memory-safe") {
            value := byte(0, calldataload(add(hints.offset, offset)))
        }
    }

    /// @dev The first `count` bits at `offset`, then zeros.
    function _bits(bytes calldata hints, uint256 offset, uint256 count) private pure returns (bytes32 value) {
        assembly ("memory-safe") {
            value := and(calldataload(add(hints.offset, offset)), not(shr(count, not(0))))
        }
    }
}
