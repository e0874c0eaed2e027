// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice A leaf that a step has written.
struct WrittenLeaf {
    bytes32 key;
    /// @dev As Leaves.sol draws it.
    bytes entry;
}

/// @title Slices and writes in vector files
/// @notice As settlement/contracts/step/Leaves.sol draws them; a file names repeated items by their place in a list.
library StepSlices {
    uint256 private constant ABSENT = 0xffff;
    uint256 private constant HEAD_BYTES = 34;

    error UnknownItem(uint256 tag);

    /// @notice The slice that a packed one stands for: items of `shared` come back, with the zeros that were cut off.
    function expand(bytes memory packed, bytes[] memory shared) internal pure returns (bytes memory slice) {
        bytes[] memory items = new bytes[](packed.length / 3 + 1);
        uint256 count = 0;
        uint256 at = 0;
        while (at < packed.length) {
            uint256 end = _itemEnd(packed, at);
            items[count++] =
                uint8(packed[at]) == 2 ? _whole(shared[_u16(packed, at + 1)]) : _slice(packed, at, end);
            at = end;
        }
        return _join(items, count, type(uint256).max);
    }

    /// @notice Number of items of a slice.
    function items(bytes memory slice) internal pure returns (uint256 count) {
        for (uint256 at = 0; at < slice.length; at = _itemEnd(slice, at)) {
            count++;
        }
    }

    /// @notice A slice without one of its items.
    function without(bytes memory slice, uint256 item) internal pure returns (bytes memory) {
        bytes[] memory all = new bytes[](items(slice));
        uint256 at = 0;
        for (uint256 n = 0; n < all.length; n++) {
            uint256 end = _itemEnd(slice, at);
            all[n] = _slice(slice, at, end);
            at = end;
        }
        return _join(all, all.length, item);
    }

    /// @notice Entry of a leaf in a slice, empty when it has none.
    function leafEntry(bytes memory slice, bytes32 key) internal pure returns (bytes memory) {
        for (uint256 at = 0; at < slice.length; at = _itemEnd(slice, at)) {
            if (slice[at] == 0 && _word(slice, at + 1) == key) return _slice(slice, at + 1, _itemEnd(slice, at));
        }
        return "";
    }

    function writesOf(bytes memory packed) internal pure returns (WrittenLeaf[] memory writes) {
        uint256 count = 0;
        for (uint256 at = 0; at < packed.length; at = _entryEnd(packed, at)) {
            count++;
        }
        writes = new WrittenLeaf[](count);
        uint256 start = 0;
        for (uint256 n = 0; n < count; n++) {
            uint256 end = _entryEnd(packed, start);
            writes[n] = WrittenLeaf(_word(packed, start), _slice(packed, start, end));
            start = end;
        }
    }

    function _itemEnd(bytes memory data, uint256 at) private pure returns (uint256) {
        uint256 tag = uint8(data[at]);
        if (tag == 0) return _entryEnd(data, at + 1);
        if (tag == 2) return at + 3;
        if (tag != 1) revert UnknownItem(tag);
        uint256 members = uint8(data[at + 35]);
        at += 37;
        for (uint256 n = 0; n < members; n++) {
            at = _entryEnd(data, at);
        }
        return at;
    }

    function _entryEnd(bytes memory data, uint256 at) private pure returns (uint256) {
        uint256 length = _u16(data, at + 32);
        return at + HEAD_BYTES + (length == ABSENT ? 0 : length);
    }

    /// @dev The item with the zeros that its length says.
    function _whole(bytes memory cut) private pure returns (bytes memory item) {
        bytes memory head = new bytes(1 + HEAD_BYTES);
        for (uint256 n = 0; n < cut.length && n < head.length; n++) {
            head[n] = cut[n];
        }
        item = new bytes(_entryEnd(head, 1));
        for (uint256 n = 0; n < cut.length; n++) {
            item[n] = cut[n];
        }
    }

    function _join(bytes[] memory parts, uint256 count, uint256 except) private pure returns (bytes memory joined) {
        uint256 length = 0;
        for (uint256 n = 0; n < count; n++) {
            if (n != except) length += parts[n].length;
        }
        joined = new bytes(length);
        uint256 at = 0;
        for (uint256 n = 0; n < count; n++) {
            if (n == except) continue;
            bytes memory part = parts[n];
            assembly ("memory-safe") {
                mcopy(add(add(joined, 32), at), add(part, 32), mload(part))
            }
            at += part.length;
        }
    }

    function _slice(bytes memory data, uint256 start, uint256 end) private pure returns (bytes memory part) {
        part = new bytes(end - start);
        assembly ("memory-safe") {
            mcopy(add(part, 32), add(add(data, 32), start), sub(end, start))
        }
    }

    function _u16(bytes memory data, uint256 at) private pure returns (uint256) {
        return (uint256(uint8(data[at])) << 8) | uint8(data[at + 1]);
    }

    function _word(bytes memory data, uint256 at) private pure returns (bytes32 word) {
        assembly ("memory-safe") {
            word := mload(add(add(data, 32), at))
        }
    }
}
