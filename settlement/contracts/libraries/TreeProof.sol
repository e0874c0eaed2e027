// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Path proofs of one leaf of a state tree
/// @notice Twin of sequencer/state/tree-proof.ts, which draws the bytes; shared vectors test/vectors/tree.json.
///
///   leaf = keccak256(0x00 ‖ key ‖ keccak256(value))        node = keccak256(0x01 ‖ bitIndex ‖ left ‖ right)
///   packed path  = mask (b32; bit i, 0 the most significant, set: a node with bitIndex i is on the path) ‖
///                  siblings from the root to the leaf
///   packed proof = packed path ‖ found key (b32) ‖ found value (to the end); of the empty tree: no bytes at all
///
/// A mask can neither repeat nor reorder indices, the directions are the found leaf's own bits, and the leaf's hash
/// is always computed here: what a prover sends can only be the hashes beside the path. A proof that does not open
/// reverts; nothing here returns false.
library TreeProof {
    bytes32 internal constant EMPTY_ROOT = bytes32(0);
    /// @dev No leaf is longer (sequencer/protocol/limits.ts).
    uint256 internal constant VALUE_BYTES_MAX = 4096;

    /// @notice The path is not its mask and one hash for each of the mask's bits.
    error PathLength(uint256 expected, uint256 got);
    /// @notice The found value is longer than any leaf.
    error ValueLength(uint256 expectedAtMost, uint256 got);
    /// @notice The path folds to another root.
    error WrongRoot(bytes32 expected, bytes32 got);
    /// @notice The leaf found is not the one that the statement is about.
    error WrongKey(bytes32 expected, bytes32 found);
    /// @notice The key that is said to be absent is the one found.
    error KeyPresent(bytes32 key);
    /// @notice A node on the path divides the searched key from the found one: the search would not lead here.
    error NotOnPath(bytes32 searched, bytes32 found);
    /// @notice The found key does not have the prefix, or (for absence) does have it.
    error WrongPrefix(bytes32 prefix, uint256 bits, bytes32 found);
    /// @notice A node below the prefix turns right: a smaller key with the prefix exists.
    error NotFirst(bytes32 prefix, uint256 bits, bytes32 found);

    /// @dev A proof split into its parts. `found` and `valueHash` mean nothing when `empty`.
    struct Path {
        bool empty;
        bytes32 found;
        bytes32 valueHash;
        uint256 mask;
        /// @dev Calldata offset of the siblings.
        uint256 siblings;
    }

    // --- statements about a key ---

    /// @notice Reverts unless `key` has `value` under `root`.
    /// @param path packed path: key and value come from the caller
    function verifyInclusion(bytes32 root, bytes32 key, bytes memory value, bytes calldata path) internal pure {
        _requireRoot(root, _fold(_parsePath(path, key, keccak256(value))));
    }

    /// @notice Reverts unless `key` has no leaf under `root`.
    /// @param proof packed proof
    function verifyAbsence(bytes32 root, bytes32 key, bytes calldata proof) internal pure {
        _absent(root, key, parse(proof));
    }

    /// @notice What `key` has under `root`: its value, or nothing. Reverts when the proof does not say.
    /// @param proof packed proof of the leaf that the search for `key` ends in
    function read(bytes32 root, bytes32 key, bytes calldata proof)
        internal
        pure
        returns (bool present, bytes calldata value)
    {
        Path memory p = parse(proof);
        if (p.empty || p.found != key) {
            _absent(root, key, p);
            return (false, proof[0:0]);
        }
        _requireRoot(root, _fold(p));
        return (true, foundValue(proof));
    }

    /// @notice The leaf with the smallest key among those that begin with the first `bits` bits of `prefix`; reverts
    /// unless it is that.
    /// @return key the found key
    /// @return value its value
    function verifyFirst(bytes32 root, bytes32 prefix, uint256 bits, bytes calldata proof)
        internal
        pure
        returns (bytes32 key, bytes calldata value)
    {
        Path memory p = parse(proof);
        _requireRoot(root, _fold(p));
        if (p.empty || uint256(p.found ^ prefix) & _high(bits) != 0) revert WrongPrefix(prefix, bits, p.found);
        if (uint256(p.found) & p.mask & ~_high(bits) != 0) revert NotFirst(prefix, bits, p.found);
        return (p.found, foundValue(proof));
    }

    /// @notice Reverts unless no key under `root` begins with the first `bits` bits of `prefix`.
    function verifyNone(bytes32 root, bytes32 prefix, uint256 bits, bytes calldata proof) internal pure {
        Path memory p = parse(proof);
        _requireRoot(root, _fold(p));
        if (p.empty) return;
        uint256 difference = uint256(p.found ^ prefix) & _high(bits);
        if (difference == 0) revert WrongPrefix(prefix, bits, p.found);
        if (difference & p.mask != 0) revert NotOnPath(prefix, p.found);
    }

    // --- the root after a change; each proves the state before it too ---

    /// @notice Root after `key`, whose value is `oldValue` under `root`, gets `newValue`.
    function rootAfterUpdate(
        bytes32 root,
        bytes32 key,
        bytes memory oldValue,
        bytes memory newValue,
        bytes calldata path
    ) internal pure returns (bytes32) {
        Path memory p = _parsePath(path, key, keccak256(oldValue));
        _requireRoot(root, _fold(p));
        p.valueHash = keccak256(newValue);
        return _fold(p);
    }

    /// @notice Root after `key`, which has no leaf under `root`, gets `value`.
    function rootAfterInsert(bytes32 root, bytes32 key, bytes memory value, bytes calldata proof)
        internal
        pure
        returns (bytes32)
    {
        Path memory p = parse(proof);
        _absent(root, key, p);
        bytes32 leaf = leafHash(key, keccak256(value));
        if (p.empty) return leaf;
        uint256 bit = firstBit(uint256(key ^ p.found));
        // Indices below the new node's bit are the more significant bits of the mask.
        uint256 above = p.mask & _high(bit);
        uint256 count = _popcount(p.mask);
        uint256 aboveCount = _popcount(above);
        bytes32 below = _foldFrom(
            leafHash(p.found, p.valueHash), p.found, p.mask & ~_high(bit), p.siblings + 32 * aboveCount, count - aboveCount
        );
        bytes32 joined = _bitAt(key, bit) == 0 ? nodeHash(bit, leaf, below) : nodeHash(bit, below, leaf);
        return _foldFrom(joined, p.found, above, p.siblings, aboveCount);
    }

    /// @notice Root after the leaf of `key`, whose value is `value` under `root`, is gone.
    function rootAfterDelete(bytes32 root, bytes32 key, bytes memory value, bytes calldata path)
        internal
        pure
        returns (bytes32)
    {
        Path memory p = _parsePath(path, key, keccak256(value));
        _requireRoot(root, _fold(p));
        if (p.mask == 0) return EMPTY_ROOT;
        uint256 count = _popcount(p.mask);
        bytes32 sibling;
        uint256 deepest = p.siblings + 32 * (count - 1);
        assembly ("memory-safe") {
            sibling := calldataload(deepest)
        }
        // The lowest bit of the mask is the largest index; the sibling rises into that node's place.
        return _foldFrom(sibling, key, p.mask & (p.mask - 1), p.siblings, count - 1);
    }

    // --- parts ---

    /// @notice Bytes of the packed path with which a proof begins: its mask and a hash for each of the mask's bits.
    function pathLength(bytes calldata proof) internal pure returns (uint256) {
        if (proof.length < 32) revert PathLength(32, proof.length);
        return 32 + 32 * _popcount(uint256(bytes32(proof[:32])));
    }

    /// @notice Splits a packed proof; reverts when its length is not whole.
    function parse(bytes calldata proof) internal pure returns (Path memory p) {
        if (proof.length == 0) {
            p.empty = true;
            return p;
        }
        uint256 pathBytes = pathLength(proof);
        if (proof.length < pathBytes + 32) revert PathLength(pathBytes + 32, proof.length);
        uint256 valueBytes = proof.length - pathBytes - 32;
        if (valueBytes > VALUE_BYTES_MAX) revert ValueLength(VALUE_BYTES_MAX, valueBytes);
        bytes32 found = bytes32(proof[pathBytes:pathBytes + 32]);
        return _parsePath(proof[:pathBytes], found, keccak256(proof[pathBytes + 32:]));
    }

    /// @notice The found value of a packed proof that is not empty.
    function foundValue(bytes calldata proof) internal pure returns (bytes calldata) {
        return proof[pathLength(proof) + 32:];
    }

    /// @notice keccak256(0x00 ‖ key ‖ valueHash).
    function leafHash(bytes32 key, bytes32 valueHash) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(bytes1(0x00), key, valueHash));
    }

    /// @notice keccak256(0x01 ‖ bitIndex ‖ left ‖ right).
    function nodeHash(uint256 bitIndex, bytes32 left, bytes32 right) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(bytes1(0x01), uint8(bitIndex), left, right));
    }

    /// @notice Index of the first set bit, 0 the most significant. `word` is not zero.
    function firstBit(uint256 word) internal pure returns (uint256 index) {
        if (word >> 128 == 0) (index, word) = (128, word << 128);
        if (word >> 192 == 0) (index, word) = (index + 64, word << 64);
        if (word >> 224 == 0) (index, word) = (index + 32, word << 32);
        if (word >> 240 == 0) (index, word) = (index + 16, word << 16);
        if (word >> 248 == 0) (index, word) = (index + 8, word << 8);
        if (word >> 252 == 0) (index, word) = (index + 4, word << 4);
        if (word >> 254 == 0) (index, word) = (index + 2, word << 2);
        if (word >> 255 == 0) index += 1;
    }

    function _absent(bytes32 root, bytes32 key, Path memory p) private pure {
        _requireRoot(root, _fold(p));
        if (p.empty) return;
        if (p.found == key) revert KeyPresent(key);
        if (uint256(key ^ p.found) & p.mask != 0) revert NotOnPath(key, p.found);
    }

    function _requireRoot(bytes32 expected, bytes32 got) private pure {
        if (expected != got) revert WrongRoot(expected, got);
    }

    function _parsePath(bytes calldata path, bytes32 found, bytes32 valueHash) private pure returns (Path memory p) {
        uint256 expected = pathLength(path);
        if (path.length != expected) revert PathLength(expected, path.length);
        uint256 siblings;
        assembly ("memory-safe") {
            siblings := add(path.offset, 32)
        }
        return Path({
            empty: false,
            found: found,
            valueHash: valueHash,
            mask: uint256(bytes32(path[:32])),
            siblings: siblings
        });
    }

    function _fold(Path memory p) private pure returns (bytes32) {
        if (p.empty) return EMPTY_ROOT;
        return _foldFrom(leafHash(p.found, p.valueHash), p.found, p.mask, p.siblings, _popcount(p.mask));
    }

    /// @dev Folds `hash` up through the nodes of `mask`, largest index first; `count` siblings stand at calldata offset
    /// `siblings` in root-to-leaf order. No more than 256 rounds.
    function _foldFrom(bytes32 hash, bytes32 found, uint256 mask, uint256 siblings, uint256 count)
        private
        pure
        returns (bytes32)
    {
        uint256 next = siblings + 32 * count;
        while (mask != 0) {
            uint256 lowest = mask & (~mask + 1);
            mask ^= lowest;
            next -= 32;
            uint256 bit = firstBit(lowest);
            bool right = uint256(found) & lowest != 0;
            assembly ("memory-safe") {
                // 0x01 ‖ bitIndex ‖ left ‖ right in the free memory, which is not kept.
                let buffer := mload(0x40)
                mstore8(buffer, 0x01)
                mstore8(add(buffer, 1), bit)
                mstore(add(buffer, add(2, mul(32, right))), hash)
                mstore(add(buffer, add(2, mul(32, iszero(right)))), calldataload(next))
                hash := keccak256(buffer, 66)
            }
        }
        return hash;
    }

    function _bitAt(bytes32 key, uint256 bit) private pure returns (uint256) {
        return (uint256(key) >> (255 - bit)) & 1;
    }

    /// @dev The `bits` most significant bits; `bits` from 0 to 256.
    function _high(uint256 bits) private pure returns (uint256) {
        return bits == 0 ? 0 : type(uint256).max << (256 - bits);
    }

    function _popcount(uint256 word) private pure returns (uint256 count) {
        unchecked {
            word -= (word >> 1) & (type(uint256).max / 3);
            word = (word & (type(uint256).max / 15 * 3)) + ((word >> 2) & (type(uint256).max / 15 * 3));
            word = (word + (word >> 4)) & (type(uint256).max / 255 * 15);
            // 256 set bits overflow the byte sum; the sums of the two halves do not.
            count = ((word >> 128) * (type(uint256).max / 255) >> 248)
                + ((word & type(uint128).max) * (type(uint256).max / 255) >> 248);
        }
    }
}
