// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice One field element of a blob with its KZG proof (EIP-4844), 128 bytes: y ‖ proof (48), and the blob's
/// commitment (48), which is the same for all elements of one blob.
struct Opening {
    /// @dev Place of the element in the batch's stream: blob · 4096 + element.
    uint256 index;
    bytes32 y;
    /// @dev 48 bytes each.
    bytes commitment;
    bytes proof;
}

/// @title Inputs in blobs
/// @notice A stream of bytes fills blobs in order, 31 bytes a field element behind a zero byte, zeros after its end.
/// Twin of settlement/l1/blob-codec.ts. Opening an element costs about 50,000 gas of the point evaluation precompile.
library BlobLib {
    uint256 internal constant ELEMENTS = 4096;
    uint256 internal constant ELEMENT_BYTES = 31;
    uint256 internal constant BLOB_BYTES = ELEMENTS * ELEMENT_BYTES;
    /// @dev No transaction may carry more on the networks that are known to take blobs.
    uint256 internal constant BLOBS_MAX = 6;

    uint256 internal constant MODULUS = 52435875175126190479447740508185965837690552500527637822603658699938581184513;
    /// @dev A primitive 4096th root of unity: 7 ^ ((MODULUS − 1) / 4096) mod MODULUS.
    uint256 internal constant ROOT = 39033254847818212395286706435128746857159659164139250548781411570340225835782;
    address private constant POINT_EVALUATION = address(0x0a);

    /// @notice The element does not open, or there was too little gas to tell.
    error BlobElementNotOpened(uint256 index);
    /// @notice A part of an opening has another length, or the hashes are not those of the batch.
    error OpeningMalformed(bytes32 field, uint256 expected, uint256 got);

    /// @notice Blobs that `length` bytes fill.
    function blobsFor(uint256 length) internal pure returns (uint256) {
        return (length + BLOB_BYTES - 1) / BLOB_BYTES;
    }

    /// @notice Reverts unless element `o.index` of the stream is `o.y`.
    /// @param hashes versioned hashes of the batch's blobs, in order
    function open(bytes32[] calldata hashes, Opening calldata o) internal view {
        uint256 blob = o.index / ELEMENTS;
        if (blob >= hashes.length) revert OpeningMalformed("index", hashes.length * ELEMENTS, o.index);
        if (o.commitment.length != 48) revert OpeningMalformed("commitment", 48, o.commitment.length);
        if (o.proof.length != 48) revert OpeningMalformed("proof", 48, o.proof.length);
        bytes memory input = abi.encodePacked(hashes[blob], point(o.index % ELEMENTS), o.y, o.commitment, o.proof);
        (bool success, bytes memory answer) = POINT_EVALUATION.staticcall(input);
        if (!success || answer.length != 64) revert BlobElementNotOpened(o.index);
    }

    /// @notice Where the blob's polynomial takes the value of `element`: ROOT to the power of its bits reversed.
    function point(uint256 element) internal pure returns (uint256 z) {
        z = 1;
        uint256 power = ROOT;
        // The highest of the 12 bits has the weight 1.
        for (uint256 bit = 11;; bit--) {
            if ((element >> bit) & 1 != 0) z = mulmod(z, power, MODULUS);
            if (bit == 0) return z;
            power = mulmod(power, power, MODULUS);
        }
    }

    /// @notice Bytes `start` to `end` of the stream, out of openings of exactly the elements that hold them, in order.
    /// @return clean false when one of the elements holds more than 31 bytes: no writer of streams made it
    function read(bytes32[] calldata hashes, Opening[] calldata openings, uint256 start, uint256 end)
        internal
        view
        returns (bool clean, bytes memory data)
    {
        uint256 first = start / ELEMENT_BYTES;
        uint256 count = end == start ? 0 : (end - 1) / ELEMENT_BYTES - first + 1;
        if (openings.length != count) revert OpeningMalformed("openings", count, openings.length);
        bytes memory whole = new bytes(count * ELEMENT_BYTES);
        clean = true;
        for (uint256 i = 0; i < count; i++) {
            Opening calldata o = openings[i];
            if (o.index != first + i) revert OpeningMalformed("index", first + i, o.index);
            open(hashes, o);
            if (uint256(o.y) >> 248 != 0) clean = false;
            bytes32 y = o.y;
            assembly ("memory-safe") {
                // Without its first byte.
                mstore(0x00, y)
                mcopy(add(add(whole, 32), mul(i, 31)), 1, 31)
            }
        }
        data = new bytes(end - start);
        uint256 skip = start - first * ELEMENT_BYTES;
        assembly ("memory-safe") {
            mcopy(add(data, 32), add(add(whole, 32), skip), mload(data))
        }
    }
}
