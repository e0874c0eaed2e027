// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Test} from "./Test.sol";
import {TreeProof} from "../../settlement/contracts/libraries/TreeProof.sol";

/// @notice Makes the library callable from outside: its proofs are calldata, and a refusal is a revert.
contract TreeProofHarness {
    /// @dev Statements about one key, from a packed proof as TypeScript packs it.
    function inclusion(bytes32 root, bytes32 key, bytes calldata value, bytes calldata proof) external pure {
        TreeProof.verifyInclusion(root, key, value, _pathOf(key, proof));
        require(keccak256(TreeProof.foundValue(proof)) == keccak256(value), "found value");
    }

    function absence(bytes32 root, bytes32 key, bytes calldata proof) external pure {
        TreeProof.verifyAbsence(root, key, proof);
    }

    function first(bytes32 root, bytes32 prefix, uint256 bits, bytes calldata proof)
        external
        pure
        returns (bytes32 key, bytes memory value)
    {
        return TreeProof.verifyFirst(root, prefix, bits, proof);
    }

    function none(bytes32 root, bytes32 prefix, uint256 bits, bytes calldata proof) external pure {
        TreeProof.verifyNone(root, prefix, bits, proof);
    }

    function update(bytes32 root, bytes32 key, bytes calldata value, bytes calldata proof)
        external
        pure
        returns (bytes32)
    {
        return TreeProof.rootAfterUpdate(root, key, TreeProof.foundValue(proof), value, _pathOf(key, proof));
    }

    function insert(bytes32 root, bytes32 key, bytes calldata value, bytes calldata proof)
        external
        pure
        returns (bytes32)
    {
        return TreeProof.rootAfterInsert(root, key, value, proof);
    }

    function remove(bytes32 root, bytes32 key, bytes calldata proof) external pure returns (bytes32) {
        return TreeProof.rootAfterDelete(root, key, TreeProof.foundValue(proof), _pathOf(key, proof));
    }

    function _pathOf(bytes32 key, bytes calldata proof) private pure returns (bytes calldata) {
        TreeProof.Path memory p = TreeProof.parse(proof);
        require(!p.empty && p.found == key, "found key");
        return proof[:TreeProof.pathLength(proof)];
    }
}

/// @notice A tree of few keys, built the slow way: what the library's roots are compared with.
library SlowTree {
    function root(bytes32[] memory keys, bytes[] memory values) internal pure returns (bytes32) {
        return _root(keys, values, 0);
    }

    /// @dev Splits index the first bit in which any two keys differ; recursion ends index one key.
    function _root(bytes32[] memory keys, bytes[] memory values, uint256 bit) private pure returns (bytes32) {
        if (keys.length == 0) return bytes32(0);
        if (keys.length == 1) return keccak256(abi.encodePacked(bytes1(0), keys[0], keccak256(values[0])));
        uint256 ones = 0;
        while (true) {
            ones = 0;
            for (uint256 i = 0; i < keys.length; i++) if (_bit(keys[i], bit)) ones++;
            if (ones != 0 && ones != keys.length) break;
            bit++;
        }
        bytes32[2] memory sides;
        for (uint256 side = 0; side < 2; side++) {
            uint256 count = side == 1 ? ones : keys.length - ones;
            bytes32[] memory subKeys = new bytes32[](count);
            bytes[] memory subValues = new bytes[](count);
            uint256 n = 0;
            for (uint256 i = 0; i < keys.length; i++) {
                if (_bit(keys[i], bit) != (side == 1)) continue;
                (subKeys[n], subValues[n]) = (keys[i], values[i]);
                n++;
            }
            sides[side] = _root(subKeys, subValues, bit + 1);
        }
        return keccak256(abi.encodePacked(bytes1(0x01), uint8(bit), sides[0], sides[1]));
    }

    /// @dev The packed proof of the leaf that the search for `key` leads to.
    function prove(bytes32[] memory keys, bytes[] memory values, bytes32 key) internal pure returns (bytes memory) {
        if (keys.length == 0) return "";
        uint256 mask = 0;
        bytes memory siblings;
        uint256 bit = 0;
        while (keys.length > 1) {
            bytes32[] memory left;
            bytes[] memory leftValues;
            bytes32[] memory right;
            bytes[] memory rightValues;
            (left, leftValues, right, rightValues) = _split(keys, values, bit);
            if (left.length != 0 && right.length != 0) {
                mask |= 1 << (255 - bit);
                if (_bit(key, bit)) {
                    siblings = abi.encodePacked(siblings, _root(left, leftValues, bit + 1));
                    (keys, values) = (right, rightValues);
                } else {
                    siblings = abi.encodePacked(siblings, _root(right, rightValues, bit + 1));
                    (keys, values) = (left, leftValues);
                }
            }
            bit++;
        }
        return abi.encodePacked(bytes32(mask), siblings, keys[0], values[0]);
    }

    function _split(bytes32[] memory keys, bytes[] memory values, uint256 bit)
        private
        pure
        returns (bytes32[] memory left, bytes[] memory leftValues, bytes32[] memory right, bytes[] memory rightValues)
    {
        uint256 ones = 0;
        for (uint256 i = 0; i < keys.length; i++) if (_bit(keys[i], bit)) ones++;
        (left, leftValues) = (new bytes32[](keys.length - ones), new bytes[](keys.length - ones));
        (right, rightValues) = (new bytes32[](ones), new bytes[](ones));
        uint256 l = 0;
        uint256 r = 0;
        for (uint256 i = 0; i < keys.length; i++) {
            if (_bit(keys[i], bit)) (right[r], rightValues[r++]) = (keys[i], values[i]);
            else (left[l], leftValues[l++]) = (keys[i], values[i]);
        }
    }

    function _bit(bytes32 key, uint256 bit) private pure returns (bool) {
        return (uint256(key) >> (255 - bit)) & 1 == 1;
    }
}

contract TreeProofTest is Test {
    TreeProofHarness private harness = new TreeProofHarness();

    function test_firstBit() public pure {
        for (uint256 i = 0; i < 256; i++) {
            assertEq(TreeProof.firstBit(1 << (255 - i)), i, "of one bit");
            assertEq(TreeProof.firstBit(type(uint256).max >> i), i, "with all below");
        }
    }

    /// @dev Every case of the shared vectors, in the words of test/state/tree-vectors.ts.
    function test_vectors() public view {
        string memory json = vm.readFile("test/vectors/tree.json");
        uint256 count = 0;
        for (string memory c = _case(".cases", 0); vm.keyExistsJson(json, c); c = _case(".cases", ++count)) {
            string memory kind = vm.parseJsonString(json, string.concat(c, ".kind"));
            (bool taken, bytes32 postRoot) = _run(
                kind,
                vm.parseJsonBytes32(json, string.concat(c, ".root")),
                vm.parseJsonBytes32(json, string.concat(c, ".key")),
                vm.parseJsonUint(json, string.concat(c, ".bits")),
                vm.parseJsonBytes(json, string.concat(c, ".value")),
                vm.parseJsonBytes(json, string.concat(c, ".proof"))
            );
            string memory what = string.concat(c, " ", kind, ": ", vm.parseJsonString(json, string.concat(c, ".why")));
            assertTrue(taken == vm.parseJsonBool(json, string.concat(c, ".valid")), what);
            assertEq(postRoot, vm.parseJsonBytes32(json, string.concat(c, ".postRoot")), what);
        }
        assertTrue(count >= 100, "at least a hundred cases");
    }

    function _run(
        string memory kind,
        bytes32 root,
        bytes32 key,
        uint256 bits,
        bytes memory value,
        bytes memory proof
    ) private view returns (bool taken, bytes32 postRoot) {
        bytes32 k = keccak256(bytes(kind));
        bytes memory call;
        bool changes = true;
        if (k == keccak256("update")) {
            call = abi.encodeCall(harness.update, (root, key, value, proof));
        } else if (k == keccak256("insert")) {
            call = abi.encodeCall(harness.insert, (root, key, value, proof));
        } else if (k == keccak256("delete")) {
            call = abi.encodeCall(harness.remove, (root, key, proof));
        } else {
            changes = false;
            if (k == keccak256("inclusion")) call = abi.encodeCall(harness.inclusion, (root, key, value, proof));
            else if (k == keccak256("absence")) call = abi.encodeCall(harness.absence, (root, key, proof));
            else if (k == keccak256("first")) call = abi.encodeCall(harness.first, (root, key, bits, proof));
            else if (k == keccak256("none")) call = abi.encodeCall(harness.none, (root, key, bits, proof));
            else revert(kind);
        }
        bytes memory answer;
        (taken, answer) = address(harness).staticcall(call);
        if (taken && changes) postRoot = abi.decode(answer, (bytes32));
    }

    /// @dev Random trees of up to 24 keys under few prefixes: every statement that is true is taken, its opposite is not,
    /// and the root after a change is that of the changed tree.
    function testFuzz_againstSlowTree(uint256 seed, uint8 size) public view {
        (bytes32[] memory keys, bytes[] memory values) = _tree(seed, size % 25);
        bytes32 root = SlowTree.root(keys, values);
        bytes32 key = _key(uint256(keccak256(abi.encode(seed, "query"))));
        if (keys.length != 0 && seed % 3 == 0) key = keys[seed % keys.length];
        bytes memory proof = SlowTree.prove(keys, values, key);
        uint256 index = _indexOf(keys, key);
        bytes memory fresh = abi.encodePacked("fresh", seed);
        if (index < keys.length) {
            harness.inclusion(root, key, values[index], proof);
            _refused(abi.encodeCall(harness.inclusion, (root, key, fresh, proof)), "another value");
            _refused(abi.encodeCall(harness.absence, (root, key, proof)), "absence of a present key");
            bytes memory old = values[index];
            assertEq(harness.remove(root, key, proof), _rootWithout(keys, values, index), "after delete");
            values[index] = fresh;
            assertEq(harness.update(root, key, fresh, proof), SlowTree.root(keys, values), "after update");
            values[index] = old;
        } else {
            harness.absence(root, key, proof);
            assertEq(harness.insert(root, key, fresh, proof), _rootWith(keys, values, key, fresh), "after insert");
            if (keys.length != 0) {
                _refused(abi.encodeCall(harness.update, (root, key, fresh, proof)), "update of an absent key");
            }
        }
        _checkPrefix(keys, values, root, key, bound(seed >> 8, 0, 256));
        if (proof.length != 0) {
            bytes memory broken = bytes.concat(proof);
            broken[seed % broken.length] ^= bytes1(uint8(1 << (seed >> 16) % 8));
            _refused(abi.encodeCall(harness.absence, (root, key, broken)), "a flipped bit");
            _refused(abi.encodeCall(harness.none, (root, key, 256, broken)), "a flipped bit");
        }
    }

    function _checkPrefix(bytes32[] memory keys, bytes[] memory values, bytes32 root, bytes32 key, uint256 bits)
        private
        view
    {
        bytes32 high = bits == 0 ? bytes32(0) : bytes32(type(uint256).max << (256 - bits));
        bytes32 prefix = key & high;
        bytes memory proof = SlowTree.prove(keys, values, prefix);
        uint256 least = keys.length;
        for (uint256 i = 0; i < keys.length; i++) {
            if ((keys[i] & high) == prefix && (least == keys.length || keys[i] < keys[least])) least = i;
        }
        if (least == keys.length) {
            harness.none(root, prefix, bits, proof);
            _refused(abi.encodeCall(harness.first, (root, prefix, bits, proof)), "first where there is none");
        } else {
            (bytes32 found, bytes memory value) = harness.first(root, prefix, bits, proof);
            assertEq(found, keys[least], "first key");
            assertEq(keccak256(value), keccak256(values[least]), "first value");
            _refused(abi.encodeCall(harness.none, (root, prefix, bits, proof)), "none where there is one");
        }
    }

    /// @dev Arbitrary bytes are never taken as a proof of anything under an arbitrary root.
    function testFuzz_noise(bytes32 root, bytes32 key, bytes calldata proof) public view {
        vm.assume(root != bytes32(0));
        _refused(abi.encodeCall(harness.absence, (root, key, proof)), "absence");
        _refused(abi.encodeCall(harness.none, (root, key, 256, proof)), "none");
        _refused(abi.encodeCall(harness.first, (root, key, 0, proof)), "first");
    }

    function _refused(bytes memory call, string memory what) private view {
        (bool taken,) = address(harness).staticcall(call);
        assertTrue(!taken, what);
    }

    /// @dev Keys share long prefixes: half of them differ from a few stems in one bit only.
    function _key(uint256 random) private pure returns (bytes32) {
        uint256 stem = uint256(keccak256(abi.encode(random % 3)));
        if (random & 8 != 0) return bytes32(stem ^ (1 << (random >> 16) % 256));
        if (random & 16 != 0) return bytes32(stem ^ ((random >> 32) % 16));
        return keccak256(abi.encode(random));
    }

    function _tree(uint256 seed, uint256 size) private pure returns (bytes32[] memory keys, bytes[] memory values) {
        bytes32[] memory all = new bytes32[](size);
        uint256 count = 0;
        for (uint256 i = 0; i < size; i++) {
            bytes32 key = _key(uint256(keccak256(abi.encode(seed, i))));
            bool known = false;
            for (uint256 j = 0; j < count; j++) if (all[j] == key) known = true;
            if (!known) all[count++] = key;
        }
        (keys, values) = (new bytes32[](count), new bytes[](count));
        for (uint256 i = 0; i < count; i++) {
            keys[i] = all[i];
            values[i] = new bytes(uint256(keccak256(abi.encode(all[i], seed))) % 70);
            if (values[i].length != 0) values[i][0] = bytes1(uint8(i + 1));
        }
    }

    function _indexOf(bytes32[] memory keys, bytes32 key) private pure returns (uint256 index) {
        for (index = 0; index < keys.length; index++) if (keys[index] == key) return index;
    }

    function _rootWithout(bytes32[] memory keys, bytes[] memory values, uint256 index) private pure returns (bytes32) {
        bytes32[] memory k = new bytes32[](keys.length - 1);
        bytes[] memory v = new bytes[](keys.length - 1);
        for (uint256 i = 0; i < k.length; i++) (k[i], v[i]) = i < index ? (keys[i], values[i]) : (keys[i + 1], values[i + 1]);
        return SlowTree.root(k, v);
    }

    function _rootWith(bytes32[] memory keys, bytes[] memory values, bytes32 key, bytes memory value)
        private
        pure
        returns (bytes32)
    {
        bytes32[] memory k = new bytes32[](keys.length + 1);
        bytes[] memory v = new bytes[](keys.length + 1);
        for (uint256 i = 0; i < keys.length; i++) (k[i], v[i]) = (keys[i], values[i]);
        (k[keys.length], v[keys.length]) = (key, value);
        return SlowTree.root(k, v);
    }
}
