// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Fields of leaf values and records
/// @notice Leaf values are big-endian and read from memory; records and operations are little-endian and read from
/// calldata. Bytes beyond the end read as whatever stands there, so callers know the length.
library Bytes {
    /// @notice Unsigned big-endian field of `width` bytes at `at` of a value.
    function u(bytes memory value, uint256 at, uint256 width) internal pure returns (uint256 field) {
        assembly ("memory-safe") {
            field := shr(sub(256, shl(3, width)), mload(add(add(value, 32), at)))
        }
    }

    /// @notice Signed big-endian field of `width` bytes at `at` of a value.
    function i(bytes memory value, uint256 at, uint256 width) internal pure returns (int256 field) {
        assembly ("memory-safe") {
            field := sar(sub(256, shl(3, width)), mload(add(add(value, 32), at)))
        }
    }

    /// @notice Unsigned little-endian field of `width` bytes (1 to 8) at `at`; zeros beyond the end.
    function le(bytes calldata data, uint256 at, uint256 width) internal pure returns (uint256 field) {
        assembly ("memory-safe") {
            field := shr(192, calldataload(add(data.offset, at)))
            // Eight bytes turned around: neighbors, then pairs, then halves.
            field := or(shr(8, and(field, 0xff00ff00ff00ff00)), shl(8, and(field, 0x00ff00ff00ff00ff)))
            field := or(shr(16, and(field, 0xffff0000ffff0000)), shl(16, and(field, 0x0000ffff0000ffff)))
            field := or(shr(32, field), and(shl(32, field), 0xffffffff00000000))
            let end := data.length
            // What stands behind the data is not the caller's.
            if gt(add(at, width), end) { width := mul(sub(end, at), gt(end, at)) }
            field := and(field, sub(shl(shl(3, width), 1), 1))
        }
    }

    /// @notice Memory for `length` bytes that are about to be written by `put`, with room for its last word.
    /// @return value the memory
    /// @return at where its first field goes
    function allocate(uint256 length) internal pure returns (bytes memory value, uint256 at) {
        value = new bytes(length + 32);
        assembly ("memory-safe") {
            mstore(value, length)
            at := add(value, 32)
        }
    }

    /// @notice Writes the low `width` bytes of `field`, big-endian; returns where the next field goes.
    function put(uint256 at, uint256 field, uint256 width) internal pure returns (uint256) {
        assembly ("memory-safe") {
            mstore(at, shl(sub(256, shl(3, width)), field))
        }
        return at + width;
    }

    /// @notice The same for a signed field.
    function putSigned(uint256 at, int256 field, uint256 width) internal pure returns (uint256) {
        return put(at, uint256(field), width);
    }
}
