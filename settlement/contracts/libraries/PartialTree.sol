// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {TreeProof} from "./TreeProof.sol";

/// @title The part of a state tree that a multiproof opens, in memory: read, changed and hashed again
/// @notice Twin of sequencer/state/multiproof.ts; shared vectors test/vectors/multiproof.json.
///
/// A multiproof is pre-order from the root, to the end of the bytes; the empty tree is zero bytes. An item:
///   OPAQUE    0  u8 0   1  b32 hash                        a subtree of which only the hash is known
///   NODE      0  u8 1   1  u8 bitIndex                     then its left child, then its right child
///   LEAF      0  u8 2   1  u8 n   2  n key   2 + n  u16 length   4 + n  value      big-endian, length ≤ 4,096
///   WITHHELD  0  u8 3   1  u8 n   2  n key   2 + n  b32 value hash
/// n from 0 to 32: the key's bytes after the first n are zero. bitIndex strictly rises downwards, and a leaf's key has
/// the bits that the path to it says, so no path is longer than 256 nodes.
///
/// `parse` computes every hash that it can: once `root` is a committed root, everything in the tree is what was
/// committed. A question that the tree can't answer reverts: a search that meets an OPAQUE subtree, the value of a
/// WITHHELD leaf. A tree points into the calldata it was parsed from: it lives as long as that call.
///
/// In memory. A reference is a u32: of a node its address, of a leaf address + LEAF, of an opaque subtree the
/// calldata offset of its hash + OPAQUE; EMPTY is the root of no leaf.
///   node   0   u8 shift (255 - bitIndex) ‖ u8 1 ‖ u8 bitIndex ‖ zeros ‖ u32 right ‖ u32 left
///          32  b32 hash; zero: stale
///   leaf   0   zeros ‖ u8 withheld ‖ u16 capacity ‖ u16 length ‖ u32 address of the value; in calldata where the
///              capacity is zero, else in memory of which this leaf owns so many bytes
///          32  b32 hash; zero: stale
///          64  b32 key
/// Where a hash is stale, so are those above it: marking stops at the first mark it meets.
library PartialTree {
    uint256 private constant LEAF = 0x40000000;
    uint256 private constant OPAQUE = 0x80000000;
    uint256 private constant EMPTY = 0xc0000000;
    /// @dev A reference without its kind.
    uint256 private constant ADDRESS = 0x3fffffff;
    uint256 private constant REFERENCE = 0xffffffff;
    uint256 private constant WITHHELD = 0x010000000000000000;
    /// @dev One word for each bit of a key, and one below.
    uint256 private constant PATH_BYTES = 8224;
    /// @dev Selector of `Malformed`.
    uint256 private constant MALFORMED = 0xa94b1d30;

    /// @notice The multiproof breaks a rule of the format; it shows in the item at byte `offset`. By `field`:
    ///   "tag"            none of the four
    ///   "bit index"      not larger than those above it
    ///   "key length"     more than 32
    ///   "key"            not the bits that its path says
    ///   "value length"   more than 4,096
    ///   "end"            `offset` is where the last item ends, and the proof ends elsewhere
    error Malformed(bytes32 field, uint256 offset);
    /// @notice The search for `key` (or a prefix) leads to a subtree of which only the hash is known.
    error OpaqueReached(bytes32 key);
    /// @notice The value of this leaf is asked for, and only its hash is known.
    error ValueWithheld(bytes32 key);
    /// @notice The value is longer than any leaf.
    error ValueLength(uint256 expectedAtMost, uint256 got);

    struct Tree {
        /// @dev Reference of the root.
        uint256 root;
        /// @dev Address of a stack for one path.
        uint256 path;
    }

    // --- reading ---

    /// @notice Reads a multiproof; what it opens is to be believed only after `root` has been compared.
    function parse(bytes calldata proof) internal pure returns (Tree memory tree) {
        uint256 path;
        assembly ("memory-safe") {
            path := mload(0x40)
            mstore(0x40, add(path, PATH_BYTES))
        }
        tree.path = path;
        tree.root = proof.length == 0 ? EMPTY : _parse(proof, path);
    }

    /// @notice The leaf of `key`, or 0 when it is absent.
    function find(Tree memory tree, bytes32 key) internal pure returns (uint256 leaf) {
        uint256 ref = tree.root;
        assembly ("memory-safe") {
            for {} lt(ref, LEAF) {} {
                let node := mload(ref)
                ref := and(shr(and(shl(5, shr(shr(248, node), key)), 32), node), REFERENCE)
            }
        }
        if (ref == EMPTY) return 0;
        leaf = _leafAt(ref, key);
        if (keyOf(leaf) != key) return 0;
    }

    /// @notice A copy of the value of `key`, or nothing when it is absent.
    function get(Tree memory tree, bytes32 key) internal pure returns (bool present, bytes memory value) {
        uint256 leaf = find(tree, key);
        if (leaf == 0) return (false, value);
        value = new bytes(lengthOf(leaf));
        uint256 destination;
        assembly ("memory-safe") {
            destination := add(value, 32)
        }
        copyValue(leaf, destination);
        return (true, value);
    }

    /// @notice The first leaves, at most `max` and ascending, whose keys begin with the first `bits` (0 … 256) bits of
    /// `prefix`.
    /// @return leaves as from `find`
    /// @return complete whether there are no more than these
    function range(Tree memory tree, bytes32 prefix, uint256 bits, uint256 max)
        internal
        pure
        returns (uint256[] memory leaves, bool complete)
    {
        leaves = new uint256[](max);
        uint256 destination;
        assembly ("memory-safe") {
            destination := add(leaves, 32)
        }
        uint256 count;
        (count, complete) = rangeInto(tree, prefix, bits, max, destination);
        assembly ("memory-safe") {
            mstore(leaves, count)
        }
    }

    /// @notice The same, one word a leaf, to memory at `destination`, where the caller owns `max` words.
    /// @return count of leaves
    /// @return complete whether there are no more than these
    function rangeInto(Tree memory tree, bytes32 prefix, uint256 bits, uint256 max, uint256 destination)
        internal
        pure
        returns (uint256 count, bool complete)
    {
        uint256 ref = _under(tree, prefix, bits);
        if (ref == EMPTY) return (0, true);
        // What stands on the stack lies right of `ref`.
        uint256 bottom = tree.path;
        uint256 top = bottom;
        while (true) {
            assembly ("memory-safe") {
                for {} lt(ref, LEAF) {} {
                    let node := mload(ref)
                    mstore(top, and(shr(32, node), REFERENCE))
                    top := add(top, 32)
                    ref := and(node, REFERENCE)
                }
            }
            uint256 leaf = _leafAt(ref, prefix);
            // All have the same first bits: the first one's tell.
            if (count == 0 && bits != 0 && uint256(keyOf(leaf) ^ prefix) >> (256 - bits) != 0) return (0, true);
            if (count == max) return (count, false);
            _save(destination + 32 * count++, leaf);
            if (top == bottom) return (count, true);
            if (count == max) return (count, false);
            assembly ("memory-safe") {
                top := sub(top, 32)
                ref := mload(top)
            }
        }
    }

    function keyOf(uint256 leaf) internal pure returns (bytes32 key) {
        assembly ("memory-safe") {
            key := mload(add(leaf, 64))
        }
    }

    /// @notice Bytes of the leaf's value.
    function lengthOf(uint256 leaf) internal pure returns (uint256) {
        uint256 head = _load(leaf);
        if (head & WITHHELD != 0) revert ValueWithheld(keyOf(leaf));
        return (head >> 32) & 0xffff;
    }

    /// @notice Writes the leaf's value, `lengthOf` bytes, to memory at `destination`; the caller owns the place.
    function copyValue(uint256 leaf, uint256 destination) internal pure {
        uint256 length = lengthOf(leaf);
        assembly ("memory-safe") {
            let head := mload(leaf)
            switch and(shr(48, head), 0xffff)
            case 0 { calldatacopy(destination, and(head, REFERENCE), length) }
            default { mcopy(destination, and(head, REFERENCE), length) }
        }
    }

    // --- changing ---

    function set(Tree memory tree, bytes32 key, bytes memory value) internal pure {
        uint256 source;
        assembly ("memory-safe") {
            source := add(value, 32)
        }
        setFrom(tree, key, source, value.length);
    }

    /// @notice Gives `key` a copy of the `length` bytes of memory at `source`.
    function setFrom(Tree memory tree, bytes32 key, uint256 source, uint256 length) internal pure {
        if (length > TreeProof.VALUE_BYTES_MAX) revert ValueLength(TreeProof.VALUE_BYTES_MAX, length);
        (uint256 ref, uint256 top) = _descend(tree, key);
        if (ref == EMPTY) {
            tree.root = _newLeaf(key, source, length);
            return;
        }
        uint256 found = _leafAt(ref, key);
        if (keyOf(found) == key) {
            _store(found, source, length);
        } else {
            uint256 shift = 255 - TreeProof.firstBit(uint256(key ^ keyOf(found)));
            top = _climb(tree.path, top, shift);
            uint256 beside = _below(tree, top, key);
            uint256 added = _newLeaf(key, source, length);
            _link(tree, top, key, _newNode(shift, key, added, beside));
        }
        _markStale(tree.path, top);
    }

    /// @notice Takes the leaf of `key` out.
    /// @return present whether it was there
    function remove(Tree memory tree, bytes32 key) internal pure returns (bool present) {
        (uint256 ref, uint256 top) = _descend(tree, key);
        if (ref == EMPTY || keyOf(_leafAt(ref, key)) != key) return false;
        if (top == tree.path) {
            tree.root = EMPTY;
            return true;
        }
        uint256 node = _load(_load(top - 32));
        // The other child rises into the node's place as it is, opaque or not.
        uint256 sibling = (node >> (32 - ((uint256(key) >> (node >> 248)) & 1) * 32)) & REFERENCE;
        top -= 32;
        _link(tree, top, key, sibling);
        _markStale(tree.path, top);
        return true;
    }

    // --- hashing ---

    /// @notice The root of the present contents; hashes what changed since the last call, each node once.
    function root(Tree memory tree) internal pure returns (bytes32 hash) {
        uint256 ref = tree.root;
        if (ref == EMPTY) return TreeProof.EMPTY_ROOT;
        uint256 bottom = tree.path;
        assembly ("memory-safe") {
            // The hash behind a reference; zero for a stale node.
            function hashOf(r) -> h {
                let at := and(r, ADDRESS)
                switch shr(30, r)
                case 2 { h := calldataload(at) }
                default {
                    h := mload(add(at, 32))
                    if iszero(or(h, lt(r, LEAF))) {
                        let head := mload(at)
                        let length := and(shr(32, head), 0xffff)
                        let buffer := mload(0x40)
                        let key := mload(add(at, 64))
                        // Only values set here are stale, and those stand in memory.
                        mstore(add(buffer, 33), keccak256(and(head, REFERENCE), length))
                        mstore8(buffer, 0x00)
                        mstore(add(buffer, 1), key)
                        h := keccak256(buffer, 65)
                        mstore(add(at, 32), h)
                    }
                }
            }
            hash := hashOf(ref)
            if iszero(hash) {
                let top := bottom
                mstore(top, ref)
                for {} iszero(lt(top, bottom)) {} {
                    let node := mload(top)
                    let head := mload(node)
                    let left := hashOf(and(head, REFERENCE))
                    if iszero(left) {
                        top := add(top, 32)
                        mstore(top, and(head, REFERENCE))
                        continue
                    }
                    let right := hashOf(and(shr(32, head), REFERENCE))
                    if iszero(right) {
                        top := add(top, 32)
                        mstore(top, and(shr(32, head), REFERENCE))
                        continue
                    }
                    let buffer := mload(0x40)
                    mstore(buffer, shl(8, head))
                    mstore(add(buffer, 2), left)
                    mstore(add(buffer, 34), right)
                    hash := keccak256(buffer, 66)
                    mstore(add(node, 32), hash)
                    top := sub(top, 32)
                }
            }
        }
    }

    // --- parts ---

    /// @dev Returns the reference of the root. On the stack stand the nodes that are not whole yet, as u16 shift ‖ u32
    /// address, above a word that no shift reaches; a node whose left child is there keeps that child's hash in the place
    /// of its own. `mask` has the bits of these nodes, `turns` those of them on whose right side the cursor is.
    ///
    /// Bounds: items only ever move the cursor on, none by more than 4,132 bytes, and zeros stand behind all calldata,
    /// which make whole items. So the cursor comes to a halt, and if that is at the end, no item lay beyond it.
    function _parse(bytes calldata proof, uint256 path) private pure returns (uint256 ref) {
        assembly ("memory-safe") {
            function malformed(field, offset) {
                mstore(0, shl(224, MALFORMED))
                mstore(4, field)
                mstore(36, offset)
                revert(0, 68)
            }
            // The leaf of the item `word` at calldata offset `cursor`, made at `leaf`.
            function readLeaf(leaf, cursor, start) -> next {
                let n := byte(1, calldataload(cursor))
                if gt(n, 32) { malformed("key length", sub(cursor, start)) }
                let key := and(calldataload(add(cursor, 2)), not(shr(shl(3, n), not(0))))
                let buffer := add(leaf, 96)
                next := add(add(cursor, 2), n)
                switch byte(0, calldataload(cursor))
                case 2 {
                    let length := shr(240, calldataload(next))
                    if gt(length, 4096) { malformed("value length", sub(cursor, start)) }
                    let value := add(next, 2)
                    next := add(value, length)
                    calldatacopy(buffer, value, length)
                    mstore(leaf, or(value, shl(32, length)))
                    mstore(add(buffer, 33), keccak256(buffer, length))
                }
                case 3 {
                    mstore(leaf, WITHHELD)
                    mstore(add(buffer, 33), calldataload(next))
                    next := add(next, 32)
                }
                default { malformed("tag", sub(cursor, start)) }
                mstore(add(leaf, 64), key)
                mstore8(buffer, 0x00)
                mstore(add(buffer, 1), key)
                mstore(add(leaf, 32), keccak256(buffer, 65))
            }

            let free := mload(0x40)
            let cursor := proof.offset
            let top := path
            mstore(path, 0x010000000000)
            let mask := 0
            let turns := 0
            let hash
            for {} 1 {} {
                let word := calldataload(cursor)
                switch byte(0, word)
                case 1 {
                    let shift := sub(255, byte(1, word))
                    if iszero(lt(shift, shr(32, mload(top)))) {
                        malformed("bit index", sub(cursor, proof.offset))
                    }
                    mask := or(mask, shl(shift, 1))
                    mstore(free, or(shl(248, shift), shl(232, shr(240, word))))
                    top := add(top, 32)
                    mstore(top, or(shl(32, shift), free))
                    free := add(free, 64)
                    cursor := add(cursor, 2)
                    continue
                }
                case 0 {
                    ref := add(cursor, 1)
                    hash := calldataload(ref)
                    ref := or(ref, OPAQUE)
                    cursor := add(cursor, 33)
                }
                default {
                    let next := readLeaf(free, cursor, proof.offset)
                    if and(xor(mload(add(free, 64)), turns), mask) {
                        malformed("key", sub(cursor, proof.offset))
                    }
                    cursor := next
                    hash := mload(add(free, 32))
                    ref := or(free, LEAF)
                    free := add(free, 96)
                }
                // What was read is a left child, or completes the nodes of which it is the last thing.
                for {} gt(top, path) {} {
                    let node := and(mload(top), REFERENCE)
                    let head := mload(node)
                    let bit := shl(shr(248, head), 1)
                    if iszero(and(turns, bit)) {
                        mstore(node, or(head, ref))
                        mstore(add(node, 32), hash)
                        turns := or(turns, bit)
                        ref := 0
                        break
                    }
                    mstore(node, or(head, shl(32, ref)))
                    node := add(node, 32)
                    // Over the free pointer, which is put right at the end.
                    mstore(0x00, shr(232, head))
                    mstore(0x20, mload(node))
                    mstore(0x40, hash)
                    hash := keccak256(0x1e, 66)
                    mstore(node, hash)
                    ref := sub(node, 32)
                    mask := xor(mask, bit)
                    turns := xor(turns, bit)
                    top := sub(top, 32)
                }
                if ref { break }
            }
            mstore(0x40, free)
            if iszero(eq(cursor, add(proof.offset, proof.length))) {
                malformed("end", sub(cursor, proof.offset))
            }
        }
    }

    /// @dev Where the bits of `key` lead; the nodes on the way stand on the path, which ends at `top`.
    function _descend(Tree memory tree, bytes32 key) private pure returns (uint256 ref, uint256 top) {
        ref = tree.root;
        top = tree.path;
        assembly ("memory-safe") {
            for {} lt(ref, LEAF) {} {
                mstore(top, ref)
                top := add(top, 32)
                let node := mload(ref)
                ref := and(shr(and(shl(5, shr(shr(248, node), key)), 32), node), REFERENCE)
            }
        }
    }

    /// @dev The subtree of the keys with the first `bits` bits of `prefix`; when there are none, one of other keys, which
    /// all differ from them.
    function _under(Tree memory tree, bytes32 prefix, uint256 bits) private pure returns (uint256 ref) {
        ref = tree.root;
        assembly ("memory-safe") {
            for {} lt(ref, LEAF) {} {
                let node := mload(ref)
                // bitIndex ≥ bits: all below has the same first bits.
                if iszero(gt(add(shr(248, node), bits), 255)) { break }
                ref := and(shr(and(shl(5, shr(shr(248, node), prefix)), 32), node), REFERENCE)
            }
        }
    }

    /// @dev `ref` is not a node and not EMPTY.
    function _leafAt(uint256 ref, bytes32 key) private pure returns (uint256) {
        if (ref >= OPAQUE) revert OpaqueReached(key);
        return ref & ADDRESS;
    }

    /// @dev The part of the path, by its end, whose nodes divide keys before bit 255 - shift.
    function _climb(uint256 path, uint256 top, uint256 shift) private pure returns (uint256) {
        while (top != path && _load(_load(top - 32)) >> 248 < shift) top -= 32;
        return top;
    }

    /// @dev What stands below the path that ends at `top`, on the side of `key`.
    function _below(Tree memory tree, uint256 top, bytes32 key) private pure returns (uint256) {
        if (top == tree.path) return tree.root;
        uint256 node = _load(_load(top - 32));
        return (node >> (((uint256(key) >> (node >> 248)) & 1) * 32)) & REFERENCE;
    }

    function _link(Tree memory tree, uint256 top, bytes32 key, uint256 ref) private pure {
        if (top == tree.path) {
            tree.root = ref;
            return;
        }
        uint256 above = _load(top - 32);
        uint256 node = _load(above);
        uint256 place = ((uint256(key) >> (node >> 248)) & 1) * 32;
        _save(above, (node & ~(REFERENCE << place)) | (ref << place));
    }

    /// @dev What stands below the path that ends at `top` has changed.
    function _markStale(uint256 path, uint256 top) private pure {
        assembly ("memory-safe") {
            for {} gt(top, path) {} {
                top := sub(top, 32)
                let hash := add(mload(top), 32)
                if iszero(mload(hash)) { break }
                mstore(hash, 0)
            }
        }
    }

    /// @dev The leaf's value becomes a copy of `length` bytes at `source`.
    function _store(uint256 leaf, uint256 source, uint256 length) private pure {
        assembly ("memory-safe") {
            let head := mload(leaf)
            let capacity := and(shr(48, head), 0xffff)
            let value := and(head, REFERENCE)
            if or(lt(capacity, length), iszero(capacity)) {
                capacity := and(add(length, 63), not(31))
                value := mload(0x40)
                mstore(0x40, add(value, capacity))
            }
            mcopy(value, source, length)
            mstore(leaf, or(or(value, shl(32, length)), shl(48, capacity)))
            mstore(add(leaf, 32), 0)
        }
    }

    function _newLeaf(bytes32 key, uint256 source, uint256 length) private pure returns (uint256) {
        uint256 leaf;
        assembly ("memory-safe") {
            leaf := mload(0x40)
            mstore(0x40, add(leaf, 96))
            mstore(leaf, 0)
            mstore(add(leaf, 64), key)
        }
        _store(leaf, source, length);
        return leaf | LEAF;
    }

    /// @dev A stale node that divides at `shift`; `added` lies on the side of `key`.
    function _newNode(uint256 shift, bytes32 key, uint256 added, uint256 beside) private pure returns (uint256 node) {
        uint256 place = ((uint256(key) >> shift) & 1) * 32;
        assembly ("memory-safe") {
            node := mload(0x40)
            mstore(0x40, add(node, 64))
            mstore(add(node, 32), 0)
        }
        uint256 head = (shift << 248) | (1 << 240) | ((255 - shift) << 232);
        _save(node, head | (added << place) | (beside << (32 - place)));
    }

    function _load(uint256 place) private pure returns (uint256 word) {
        assembly ("memory-safe") {
            word := mload(place)
        }
    }

    function _save(uint256 place, uint256 word) private pure {
        assembly ("memory-safe") {
            mstore(place, word)
        }
    }
}
