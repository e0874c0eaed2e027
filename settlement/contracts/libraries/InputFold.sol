// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title The running hash over input records
/// @notice h' = keccak256(h ‖ keccak256(record)), records as sequencer/protocol/command.ts draws them: a header of 12
/// bytes that begins with the length of the body, u32 little-endian.
library InputFold {
    uint256 internal constant RECORD_HEADER_BYTES = 12;

    /// @notice The hash after the records in `inputs`. Total: `whole` is false, and `hash` means nothing, when the bytes
    /// end within a record.
    function fold(bytes32 start, bytes calldata inputs) internal pure returns (bool whole, bytes32 hash) {
        hash = start;
        uint256 length = inputs.length;
        uint256 offset = 0;
        // The body's length is below 2^32 and the offset no larger than the calldata.
        unchecked {
            while (offset != length) {
                if (length - offset < RECORD_HEADER_BYTES) return (false, hash);
                uint256 size = RECORD_HEADER_BYTES + _bodyLength(inputs, offset);
                if (length - offset < size) return (false, hash);
                assembly ("memory-safe") {
                    let free := mload(0x40)
                    calldatacopy(free, add(inputs.offset, offset), size)
                    let record := keccak256(free, size)
                    mstore(0x00, hash)
                    mstore(0x20, record)
                    hash := keccak256(0x00, 0x40)
                }
                offset += size;
            }
        }
        return (true, hash);
    }

    function _bodyLength(bytes calldata inputs, uint256 offset) private pure returns (uint256 length) {
        assembly ("memory-safe") {
            let word := calldataload(add(inputs.offset, offset))
            length :=
                or(
                    or(byte(0, word), shl(8, byte(1, word))),
                    or(shl(16, byte(2, word)), shl(24, byte(3, word)))
                )
        }
    }
}
