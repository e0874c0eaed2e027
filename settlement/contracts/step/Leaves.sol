// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice One leaf as a step sees it.
struct Leaf {
    bytes32 key;
    bytes value;
    bool present;
    bool changed;
}

/// @notice The first leaves under a prefix, as they were before the step.
struct LeafRange {
    bytes32 prefix;
    uint256 bits;
    /// @dev There are no more than these.
    bool complete;
    Leaf[] first;
}

/// @notice What one step may see of the state, and what it has written so far.
struct Leaves {
    /// @dev By ascending key, each once: what a step has written, it reads again.
    Leaf[] all;
    LeafRange[] ranges;
}

/// @title The slice of the state that one step works on
/// @notice StepProver copies it out of its partial trees, so every value is authentic; which leaves it holds is the
/// prover's choice. A leaf that a handler needs and that is not there reverts: the witness is short, nothing is proven.
///
///   slice   items to the end:
///     u8 0 ‖ b32 key ‖ u16 length (0xffff: absent) ‖ value      keys strictly ascend
///     u8 1 ‖ b32 prefix ‖ u16 bits ‖ u8 count ‖ u8 complete ‖ count × (b32 key ‖ u16 length ‖ value)
///   writes  items to the end, only of leaves that were set or removed:
///     b32 key ‖ u16 length (0xffff: removed) ‖ value
library LeavesLib {
    uint256 internal constant ABSENT = 0xffff;
    uint256 private constant HEAD_BYTES = 34;
    uint256 private constant RANGE_HEAD_BYTES = 37;

    /// @notice The step needs a leaf that the witness does not hold.
    error LeafMissing(bytes32 key);
    /// @notice The step needs the first `least` leaves under a prefix, and the witness does not hold them.
    error RangeMissing(bytes32 prefix, uint256 bits, uint256 least);
    /// @notice The last item of the slice does not end where the slice does.
    error SliceEnd(uint256 expected, uint256 got);
    /// @notice The leaves of the slice do not ascend.
    error SliceOrder(bytes32 previous, bytes32 key);

    /// @notice Reads a slice.
    function open(bytes calldata slice) internal pure returns (Leaves memory leaves) {
        (uint256 count, uint256 ranges) = _count(slice);
        Leaf[] memory all = _list(count);
        leaves.all = all;
        leaves.ranges = new LeafRange[](ranges);
        uint256 at = 0;
        uint256 leaf = 0;
        uint256 range_ = 0;
        bytes32 previous = 0;
        while (at < slice.length) {
            if (_field(slice, at, 1) != 0) {
                at = _readRange(slice, at + 1, leaves.ranges[range_++]);
                continue;
            }
            bytes32 key = bytes32(_field(slice, at + 1, 32));
            // No key of the state is zero.
            if (key <= previous) revert SliceOrder(previous, key);
            previous = key;
            at = _read(slice, at + 1, all, leaf++);
        }
        if (at != slice.length) revert SliceEnd(slice.length, at);
    }

    /// @notice The value of a leaf, as this step has left it.
    /// @return value empty when it is absent
    function get(Leaves memory leaves, bytes32 key) internal pure returns (bytes memory value, bool present) {
        Leaf memory leaf = leaves.all[_find(leaves, key)];
        return (leaf.value, leaf.present);
    }

    /// @notice Whether a leaf is there, as this step has left it.
    function has(Leaves memory leaves, bytes32 key) internal pure returns (bool) {
        return leaves.all[_find(leaves, key)].present;
    }

    /// @notice Gives a leaf a value, which must not be changed afterwards.
    function set(Leaves memory leaves, bytes32 key, bytes memory value) internal pure {
        Leaf memory leaf = leaves.all[_find(leaves, key)];
        leaf.value = value;
        leaf.present = true;
        leaf.changed = true;
    }

    /// @notice Removes a leaf. One that is not there stays so, and is no write.
    function remove(Leaves memory leaves, bytes32 key) internal pure {
        Leaf memory leaf = leaves.all[_find(leaves, key)];
        leaf.changed = leaf.changed || leaf.present;
        leaf.present = false;
        leaf.value = "";
    }

    /// @notice The first leaves under a prefix, as they were before the step: at least `least`, or all there are.
    /// @param prefix bits beyond `bits` are zero
    function range(Leaves memory leaves, bytes32 prefix, uint256 bits, uint256 least)
        internal
        pure
        returns (Leaf[] memory first, bool complete)
    {
        for (uint256 i = 0; i < leaves.ranges.length; i++) {
            LeafRange memory r = leaves.ranges[i];
            if (r.prefix != prefix || r.bits != bits) continue;
            if (r.complete || r.first.length >= least) return (r.first, r.complete);
        }
        revert RangeMissing(prefix, bits, least);
    }

    /// @notice What the step has written.
    function writes(Leaves memory leaves) internal pure returns (bytes memory packed) {
        uint256 length = 0;
        for (uint256 i = 0; i < leaves.all.length; i++) {
            Leaf memory leaf = leaves.all[i];
            if (leaf.changed) length += HEAD_BYTES + leaf.value.length;
        }
        packed = new bytes(length);
        uint256 at;
        assembly ("memory-safe") {
            at := add(packed, 32)
        }
        for (uint256 i = 0; i < leaves.all.length; i++) {
            Leaf memory leaf = leaves.all[i];
            if (!leaf.changed) continue;
            bytes memory value = leaf.value;
            uint256 tag = leaf.present ? value.length : ABSENT;
            bytes32 key = leaf.key;
            assembly ("memory-safe") {
                mstore(at, key)
                mstore8(add(at, 32), shr(8, tag))
                mstore8(add(at, 33), tag)
                mcopy(add(at, 34), add(value, 32), mload(value))
                at := add(add(at, 34), mload(value))
            }
        }
    }

    function _find(Leaves memory leaves, bytes32 key) private pure returns (uint256 place) {
        Leaf[] memory all = leaves.all;
        bool found = false;
        // Every step looks up dozens of leaves: without the bounds checks, since low <= place < high <= length.
        assembly ("memory-safe") {
            let low := 0
            let high := mload(all)
            for {} lt(low, high) {} {
                place := shr(1, add(low, high))
                let candidate := mload(mload(add(add(all, 32), shl(5, place))))
                if eq(candidate, key) {
                    found := 1
                    break
                }
                switch lt(candidate, key)
                case 0 { high := place }
                default { low := add(place, 1) }
            }
        }
        if (!found) revert LeafMissing(key);
    }

    // Offsets are bounded by the bytes of a slice, plus what the last length field says.

    function _count(bytes calldata slice) private pure returns (uint256 count, uint256 ranges) {
        uint256 at = 0;
        unchecked {
            while (at < slice.length) {
                if (_field(slice, at, 1) == 0) {
                    at = _skip(slice, at + 1);
                    count++;
                    continue;
                }
                uint256 members = _field(slice, at + 35, 1);
                at += RANGE_HEAD_BYTES;
                ranges++;
                for (uint256 i = 0; i < members; i++) {
                    at = _skip(slice, at);
                }
            }
        }
    }

    function _skip(bytes calldata slice, uint256 at) private pure returns (uint256) {
        uint256 length = _field(slice, at + 32, 2);
        unchecked {
            return at + HEAD_BYTES + (length == ABSENT ? 0 : length);
        }
    }

    function _readRange(bytes calldata slice, uint256 at, LeafRange memory r) private pure returns (uint256) {
        r.prefix = bytes32(_field(slice, at, 32));
        r.bits = _field(slice, at + 32, 2);
        r.complete = _field(slice, at + 35, 1) != 0;
        Leaf[] memory first = _list(_field(slice, at + 34, 1));
        r.first = first;
        at += RANGE_HEAD_BYTES - 1;
        for (uint256 i = 0; i < first.length; i++) {
            at = _read(slice, at, first, i);
        }
        return at;
    }

    /// @dev Room for `count` references, which the caller sets before it reads any.
    function _list(uint256 count) private pure returns (Leaf[] memory list) {
        assembly ("memory-safe") {
            list := mload(0x40)
            mstore(list, count)
            mstore(0x40, add(list, shl(5, add(count, 1))))
        }
    }

    /// @dev Sets place `place` of `list`; a memory struct that a function returns would be allocated twice.
    function _read(bytes calldata slice, uint256 at, Leaf[] memory list, uint256 place) private pure returns (uint256) {
        bytes32 key = bytes32(_field(slice, at, 32));
        uint256 length;
        unchecked {
            length = _field(slice, at + 32, 2);
            at += HEAD_BYTES;
            if (length == ABSENT) {
                list[place] = Leaf(key, "", false, false);
                return at;
            }
        }
        bytes memory value;
        assembly ("memory-safe") {
            value := mload(0x40)
            mstore(value, length)
            calldatacopy(add(value, 32), add(slice.offset, at), length)
            mstore(0x40, and(add(add(value, length), 63), not(31)))
        }
        list[place] = Leaf(key, value, true, false);
        unchecked {
            return at + length;
        }
    }

    /// @dev Big-endian field of a slice; what lies behind its end makes `open` revert at last.
    function _field(bytes calldata slice, uint256 at, uint256 width) private pure returns (uint256 field) {
        assembly ("memory-safe") {
            field := shr(sub(256, shl(3, width)), calldataload(add(slice.offset, at)))
        }
    }
}
