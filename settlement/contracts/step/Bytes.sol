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
        for (uint256 k = 0; k < width; k++) {
            if (at + k < data.length) field |= uint256(uint8(data[at + k])) << (8 * k);
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
