// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice A segment of a trace: where it begins and what it claims.
struct Segment {
    uint256 firstStep;
    uint256 firstSeq;
    uint256 inputStart;
    uint256 nextStep;
    uint256 nextSeq;
    uint256 inputEnd;
    uint256 weight;
    bytes32 inputHash;
    bytes32 stateRoot;
}

/// @title One segment opened under a header's traceRoot
/// @notice Twin of sequencer/protocol/trace-proof.ts; shared vectors test/vectors/trace-proof.json. Big-endian:
///   segment (112 bytes): u64 firstStep ‖ u64 firstSeq ‖ u32 inputStart ‖ u64 nextStep ‖ u64 nextSeq ‖ u32 inputEnd ‖
///                        u64 weight ‖ inputHash ‖ stateRoot
///   leaf    = keccak256(0x02 ‖ u32 index ‖ segment), node = keccak256(0x04 ‖ left ‖ right)
///   path    = the siblings from the leaf to the root; a node without one is lifted as it is
library TraceProof {
    uint256 internal constant SEGMENT_BYTES = 112;

    /// @notice The segment is not 112 bytes.
    error SegmentLength(uint256 expected, uint256 got);
    /// @notice The trace has no such segment.
    error NoSuchSegment(uint256 length, uint256 got);
    /// @notice The path has another number of siblings than the place of the segment asks for.
    error TracePathLength(uint256 expected, uint256 got);
    /// @notice The segment does not stand there under the header's traceRoot.
    error WrongTraceRoot(bytes32 expected, bytes32 got);

    /// @notice Reads a segment after checking that it is number `index` of the `length` under `root`.
    function open(bytes32 root, uint256 length, uint256 index, bytes calldata segment, bytes calldata path)
        internal
        pure
        returns (Segment memory s)
    {
        bytes32 got = rootOf(length, index, segment, path);
        if (got != root) revert WrongTraceRoot(root, got);
        uint256 word = uint256(bytes32(segment[0:32]));
        s.firstStep = word >> 192;
        s.firstSeq = (word >> 128) & type(uint64).max;
        s.inputStart = (word >> 96) & type(uint32).max;
        s.nextStep = (word >> 32) & type(uint64).max;
        word = uint256(bytes32(segment[28:60]));
        s.nextSeq = word >> 192;
        s.inputEnd = (word >> 160) & type(uint32).max;
        s.weight = (word >> 96) & type(uint64).max;
        s.inputHash = bytes32(segment[48:80]);
        s.stateRoot = bytes32(segment[80:112]);
    }

    /// @notice Root of a trace of `length` segments in which this one stands at `index`.
    function rootOf(uint256 length, uint256 index, bytes calldata segment, bytes calldata path)
        internal
        pure
        returns (bytes32 node)
    {
        if (segment.length != SEGMENT_BYTES) revert SegmentLength(SEGMENT_BYTES, segment.length);
        if (index >= length || length > type(uint32).max) revert NoSuchSegment(length, index);
        node = keccak256(abi.encodePacked(bytes1(0x02), uint32(index), segment));
        uint256 used = 0;
        while (length > 1) {
            // The last of an odd number has no sibling.
            if (index % 2 == 1 || index + 1 < length) {
                if (path.length < used + 32) revert TracePathLength(used + 32, path.length);
                bytes32 sibling = bytes32(path[used:used + 32]);
                used += 32;
                node = index % 2 == 0
                    ? keccak256(abi.encodePacked(bytes1(0x04), node, sibling))
                    : keccak256(abi.encodePacked(bytes1(0x04), sibling, node));
            }
            index /= 2;
            length = (length + 1) / 2;
        }
        if (used != path.length) revert TracePathLength(used, path.length);
    }
}
