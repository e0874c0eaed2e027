// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Test} from "./Test.sol";
import {SlowTree} from "./TreeProof.t.sol";
import {PartialTree} from "../../settlement/contracts/libraries/PartialTree.sol";
import {TreeProof} from "../../settlement/contracts/libraries/TreeProof.sol";

/// @notice Makes the library callable from outside: proofs are calldata, and a refusal is a revert.
contract PartialTreeHarness {
    error Wrong(string what, uint256 offset);

    function root(bytes calldata proof) external pure returns (bytes32) {
        return PartialTree.root(PartialTree.parse(proof));
    }

    /// @dev The proof is all of `data` but its end: a reader beyond it would find what it hopes for.
    function rootOfCut(bytes calldata data, uint256 length) external pure returns (bytes32) {
        return PartialTree.root(PartialTree.parse(data[:length]));
    }

    function get(bytes calldata proof, bytes32 key) external pure returns (bytes32, bool present, bytes memory value) {
        PartialTree.Tree memory tree = PartialTree.parse(proof);
        (present, value) = PartialTree.get(tree, key);
        return (PartialTree.root(tree), present, value);
    }

    /// @dev Gas of `count` lookups.
    function gasOfFind(bytes calldata proof, bytes32 key, uint256 count) external view returns (uint256 used) {
        PartialTree.Tree memory tree = PartialTree.parse(proof);
        used = gasleft();
        for (uint256 i = 0; i < count; i++) {
            PartialTree.find(tree, key);
        }
        return used - gasleft();
    }

    function gasOfParse(bytes calldata proof) external view returns (uint256 used) {
        used = gasleft();
        PartialTree.parse(proof);
        return used - gasleft();
    }

    /// @dev Runs a script as test/state/multiproof-vectors.ts packs it, in one memory, and checks every answer.
    function run(bytes calldata proof, bytes calldata script) external pure returns (uint256 steps) {
        _soil();
        PartialTree.Tree memory tree = PartialTree.parse(proof);
        _soil();
        uint256 cursor = 0;
        for (; cursor < script.length; steps++) {
            uint8 kind = uint8(script[cursor]);
            bytes32 key = bytes32(script[cursor + 1:cursor + 33]);
            cursor += 33;
            if (kind == 0) cursor = _get(tree, key, script, cursor);
            else if (kind == 1) cursor = _set(tree, key, script, cursor);
            else if (kind == 2) cursor = _remove(tree, key, script, cursor);
            else cursor = _range(tree, key, script, cursor);
        }
    }

    function _get(PartialTree.Tree memory tree, bytes32 key, bytes calldata script, uint256 cursor)
        private
        pure
        returns (uint256)
    {
        (bool present, bytes memory value) = PartialTree.get(tree, key);
        uint256 length = uint16(bytes2(script[cursor:cursor + 2]));
        if (present != (length != 0xffff)) revert Wrong("presence", cursor);
        if (!present) return cursor + 2;
        if (keccak256(value) != keccak256(script[cursor + 2:cursor + 2 + length])) revert Wrong("value", cursor);
        return cursor + 2 + length;
    }

    function _set(PartialTree.Tree memory tree, bytes32 key, bytes calldata script, uint256 cursor)
        private
        pure
        returns (uint256)
    {
        uint256 length = uint16(bytes2(script[cursor:cursor + 2]));
        bytes memory value = script[cursor + 2:cursor + 2 + length];
        PartialTree.set(tree, key, value);
        // The tree keeps a copy.
        for (uint256 i = 0; i < value.length; i++) {
            value[i] = 0xee;
        }
        cursor += 2 + length;
        _root(tree, script, cursor);
        return cursor + 32;
    }

    function _remove(PartialTree.Tree memory tree, bytes32 key, bytes calldata script, uint256 cursor)
        private
        pure
        returns (uint256)
    {
        if (PartialTree.remove(tree, key) != (script[cursor] == 0x01)) revert Wrong("removal", cursor);
        _root(tree, script, cursor + 1);
        return cursor + 33;
    }

    function _range(PartialTree.Tree memory tree, bytes32 key, bytes calldata script, uint256 cursor)
        private
        pure
        returns (uint256)
    {
        (uint256[] memory leaves, bool complete) =
            PartialTree.range(tree, key, uint16(bytes2(script[cursor:cursor + 2])), uint8(script[cursor + 2]));
        if (leaves.length != uint8(script[cursor + 3])) revert Wrong("count", cursor);
        if (complete != (script[cursor + 4] == 0x01)) revert Wrong("complete", cursor);
        cursor += 5;
        for (uint256 i = 0; i < leaves.length; i++) {
            if (PartialTree.keyOf(leaves[i]) != bytes32(script[cursor:cursor + 32])) {
                revert Wrong("key in range", cursor);
            }
            if (PartialTree.find(tree, PartialTree.keyOf(leaves[i])) != leaves[i]) {
                revert Wrong("leaf in range", cursor);
            }
            cursor = _get(tree, PartialTree.keyOf(leaves[i]), script, cursor + 32);
        }
        return cursor;
    }

    function _root(PartialTree.Tree memory tree, bytes calldata script, uint256 cursor) private pure {
        // Roots are not asked for after every change: stale marks of several changes must add up.
        if (cursor % 3 == 0) return;
        if (PartialTree.root(tree) != bytes32(script[cursor:cursor + 32])) revert Wrong("root", cursor);
        if (PartialTree.root(tree) != bytes32(script[cursor:cursor + 32])) revert Wrong("root asked again", cursor);
        _soil();
    }

    /// @dev Memory behind the free pointer is not zero, as it is not in a long call.
    function _soil() private pure {
        assembly ("memory-safe") {
            let free := mload(0x40)
            for { let i := 0 } lt(i, 4096) { i := add(i, 32) } { mstore(add(free, i), not(i)) }
        }
    }
}

/// @notice Writes multiproofs the slow way.
library SlowMultiproof {
    /// @dev shown: 0 not, 1 the value's hash, 2 the value. Keys in any order.
    function encode(bytes32[] memory keys, bytes[] memory values, uint256[] memory shown)
        internal
        pure
        returns (bytes memory)
    {
        if (keys.length == 0) return "";
        return _encode(keys, values, shown, 0);
    }

    function _encode(bytes32[] memory keys, bytes[] memory values, uint256[] memory shown, uint256 bit)
        private
        pure
        returns (bytes memory)
    {
        bool any = false;
        for (uint256 i = 0; i < keys.length; i++) {
            any = any || shown[i] != 0;
        }
        if (!any) return bytes.concat(hex"00", SlowTree.root(keys, values));
        if (keys.length == 1) {
            uint256 n = 32;
            while (n > 0 && keys[0][n - 1] == 0) n--;
            bytes memory key = new bytes(n);
            for (uint256 i = 0; i < n; i++) {
                key[i] = keys[0][i];
            }
            if (shown[0] == 1) return bytes.concat(hex"03", bytes1(uint8(n)), key, keccak256(values[0]));
            return bytes.concat(hex"02", bytes1(uint8(n)), key, bytes2(uint16(values[0].length)), values[0]);
        }
        while (true) {
            uint256 ones = _ones(keys, bit);
            if (ones != 0 && ones != keys.length) break;
            bit++;
        }
        return bytes.concat(
            hex"01", bytes1(uint8(bit)), _half(keys, values, shown, bit, 0), _half(keys, values, shown, bit, 1)
        );
    }

    function _half(bytes32[] memory keys, bytes[] memory values, uint256[] memory shown, uint256 bit, uint256 side)
        private
        pure
        returns (bytes memory)
    {
        uint256 count = side == 1 ? _ones(keys, bit) : keys.length - _ones(keys, bit);
        bytes32[] memory k = new bytes32[](count);
        bytes[] memory v = new bytes[](count);
        uint256[] memory s = new uint256[](count);
        uint256 n = 0;
        for (uint256 i = 0; i < keys.length; i++) {
            if ((uint256(keys[i]) >> (255 - bit)) & 1 != side) continue;
            (k[n], v[n], s[n]) = (keys[i], values[i], shown[i]);
            n++;
        }
        return _encode(k, v, s, bit);
    }

    function _ones(bytes32[] memory keys, uint256 bit) private pure returns (uint256 ones) {
        for (uint256 i = 0; i < keys.length; i++) {
            ones += (uint256(keys[i]) >> (255 - bit)) & 1;
        }
    }
}

contract PartialTreeTest is Test {
    PartialTreeHarness private harness = new PartialTreeHarness();

    function _json() private view returns (string memory) {
        return vm.readFile("test/vectors/multiproof.json");
    }

    function test_runs() public view {
        string memory json = _json();
        uint256 count = 0;
        for (string memory c = _case(".runs", 0); vm.keyExistsJson(json, c); c = _case(".runs", ++count)) {
            string memory what = vm.parseJsonString(json, string.concat(c, ".name"));
            bytes memory proof = vm.parseJsonBytes(json, string.concat(c, ".proof"));
            assertEq(harness.root(proof), vm.parseJsonBytes32(json, string.concat(c, ".root")), what);
            bytes memory script = vm.parseJsonBytes(json, string.concat(c, ".script"));
            assertEq(harness.run(proof, script), vm.parseJsonUint(json, string.concat(c, ".steps")), what);
        }
        assertTrue(count >= 19, "nineteen runs");
    }

    function test_malformed() public view {
        string memory json = _json();
        uint256 count = 0;
        for (string memory c = _case(".malformed", 0); vm.keyExistsJson(json, c); c = _case(".malformed", ++count)) {
            bytes memory proof = vm.parseJsonBytes(json, string.concat(c, ".proof"));
            bytes memory field = bytes(vm.parseJsonString(json, string.concat(c, ".field")));
            bytes memory expected = abi.encodeWithSelector(
                PartialTree.Malformed.selector, bytes32(field), vm.parseJsonUint(json, string.concat(c, ".offset"))
            );
            _refused(
                abi.encodeCall(harness.root, (proof)), expected, vm.parseJsonString(json, string.concat(c, ".name"))
            );
        }
        assertTrue(count >= 25, "twenty-five malformed proofs");
    }

    function test_refused() public view {
        string memory json = _json();
        uint256 count = 0;
        for (string memory c = _case(".refused", 0); vm.keyExistsJson(json, c); c = _case(".refused", ++count)) {
            bytes memory proof = vm.parseJsonBytes(json, string.concat(c, ".proof"));
            bytes memory script = vm.parseJsonBytes(json, string.concat(c, ".script"));
            bytes32 key = vm.parseJsonBytes32(json, string.concat(c, ".key"));
            bool opaque =
                keccak256(bytes(vm.parseJsonString(json, string.concat(c, ".error")))) == keccak256("OpaqueReached");
            bytes memory expected = opaque
                ? abi.encodeWithSelector(PartialTree.OpaqueReached.selector, key)
                : abi.encodeWithSelector(PartialTree.ValueWithheld.selector, key);
            string memory what = vm.parseJsonString(json, string.concat(c, ".name"));
            _refused(abi.encodeCall(harness.run, (proof, script)), expected, what);
        }
        assertTrue(count >= 7, "seven refusals");
    }

    function test_longValueIsRefused() public view {
        bytes memory script =
            bytes.concat(hex"01", bytes32(uint256(5)), bytes2(uint16(4097)), new bytes(4097), bytes32(0));
        bytes memory expected = abi.encodeWithSelector(PartialTree.ValueLength.selector, 4096, 4097);
        _refused(abi.encodeCall(harness.run, ("", script)), expected, "4,097 bytes");
    }

    /// @dev A lookup, 256 levels deep: the cost of a level.
    function test_gasOfALevel() public view {
        bytes memory proof = hex"";
        for (uint256 bit = 0; bit < 256; bit++) {
            proof = bytes.concat(proof, hex"01", bytes1(uint8(bit)));
        }
        proof = bytes.concat(proof, hex"02000001ff");
        for (uint256 bit = 0; bit < 256; bit++) {
            proof = bytes.concat(proof, hex"00", keccak256(abi.encode(bit)));
        }
        uint256 deep = harness.gasOfFind(proof, bytes32(0), 10);
        uint256 flat = harness.gasOfFind(hex"02000001ff", bytes32(0), 10);
        assertTrue((deep - flat) / 2560 <= 120, "at most 120 gas a level");
        assertTrue(harness.gasOfParse(proof) / 256 <= 850, "parsed and hashed at most 850 gas a level");
    }

    // --- fuzz ---

    /// @dev All is shown; any changes: the roots are those of the changed tree, built anew.
    function testFuzz_sessions(uint256 seed, uint8 size) public view {
        (bytes32[] memory keys, bytes[] memory values) = _tree(seed, size % 9);
        bytes memory proof = SlowMultiproof.encode(keys, values, _all(keys.length));
        bytes memory script;
        for (uint256 step = 0; step < 8; step++) {
            seed = uint256(keccak256(abi.encode(seed)));
            bytes32 key = seed % 2 == 0 && keys.length != 0 ? keys[(seed >> 8) % keys.length] : _key(seed >> 16);
            if ((seed >> 64) % 3 == 0) {
                bool present = _indexOf(keys, key) < keys.length;
                (keys, values) = _without(keys, values, key);
                script = bytes.concat(
                    script, hex"02", key, present ? bytes1(0x01) : bytes1(0x00), SlowTree.root(keys, values)
                );
            } else {
                bytes memory value = new bytes((seed >> 72) % 80);
                for (uint256 i = 0; i < value.length; i++) {
                    value[i] = bytes1(uint8(seed >> (i % 32)));
                }
                (keys, values) = _without(keys, values, key);
                (keys, values) = _with(keys, values, key, value);
                script = bytes.concat(
                    script, hex"01", key, bytes2(uint16(value.length)), value, SlowTree.root(keys, values)
                );
            }
        }
        assertEq(harness.run(proof, script), 8, "steps");
    }

    /// @dev Some is shown: what is answered is so, what is not shown is refused.
    function testFuzz_partial(uint256 seed, uint8 size) public view {
        (bytes32[] memory keys, bytes[] memory values) = _tree(seed, 1 + size % 16);
        uint256[] memory shown = new uint256[](keys.length);
        for (uint256 i = 0; i < keys.length; i++) {
            shown[i] = (seed >> (128 + 2 * i)) % 3;
        }
        bytes memory proof = SlowMultiproof.encode(keys, values, shown);
        bytes32 root = SlowTree.root(keys, values);
        assertEq(harness.root(proof), root, "root");
        for (uint256 i = 0; i < keys.length; i++) {
            bytes memory ask = abi.encodeCall(harness.get, (proof, keys[i]));
            if (shown[i] == 0) {
                _refused(ask, abi.encodeWithSelector(PartialTree.OpaqueReached.selector, keys[i]), "not shown");
            } else if (shown[i] == 1) {
                _refused(ask, abi.encodeWithSelector(PartialTree.ValueWithheld.selector, keys[i]), "only its hash");
            } else {
                _answers(proof, keys[i], root, keys, values);
            }
        }
        for (uint256 i = 0; i < 4; i++) {
            _answers(proof, _key(uint256(keccak256(abi.encode(seed, i)))), root, keys, values);
        }
    }

    /// @dev Flipped, cut and lengthened: another root, or a revert, or the same answers.
    function testFuzz_mutants(uint256 seed, uint8 size) public view {
        (bytes32[] memory keys, bytes[] memory values) = _tree(seed, 1 + size % 10);
        uint256[] memory shown = new uint256[](keys.length);
        for (uint256 i = 0; i < keys.length; i++) {
            shown[i] = (seed >> (128 + 2 * i)) % 3;
        }
        bytes memory proof = SlowMultiproof.encode(keys, values, shown);
        bytes32 root = SlowTree.root(keys, values);
        for (uint256 round = 0; round < 24; round++) {
            seed = uint256(keccak256(abi.encode(seed)));
            bytes memory mutant = _mutant(seed, proof);
            if (keccak256(mutant) == keccak256(proof)) continue;
            (bool opened, bytes memory answer) = address(harness).staticcall(abi.encodeCall(harness.root, (mutant)));
            if (!opened) {
                // Only ever by the name of the broken rule: no panic, no memory gone wild.
                assertEq(bytes32(bytes4(answer)), bytes32(PartialTree.Malformed.selector), "malformed");
            } else if (abi.decode(answer, (bytes32)) == root) {
                for (uint256 i = 0; i < keys.length; i++) {
                    _answers(mutant, keys[i], root, keys, values);
                }
            }
        }
    }

    /// @dev What stands in the calldata behind the proof is not part of it.
    function testFuzz_cut(uint256 seed, uint8 size) public view {
        (bytes32[] memory keys, bytes[] memory values) = _tree(seed, 1 + size % 10);
        bytes memory proof = SlowMultiproof.encode(keys, values, _all(keys.length));
        assertEq(harness.rootOfCut(proof, proof.length), SlowTree.root(keys, values), "whole");
        for (uint256 round = 0; round < 8; round++) {
            uint256 cut = 1 + uint256(keccak256(abi.encode(seed, round))) % (proof.length - 1);
            if (proof.length < 2) continue;
            (bool opened, bytes memory answer) =
                address(harness).staticcall(abi.encodeCall(harness.rootOfCut, (proof, cut)));
            assertTrue(!opened, "a cut proof");
            assertEq(bytes32(bytes4(answer)), bytes32(PartialTree.Malformed.selector), "malformed");
        }
    }

    function testFuzz_noise(bytes calldata proof) public view {
        (bool opened, bytes memory answer) = address(harness).staticcall(abi.encodeCall(harness.root, (proof)));
        if (!opened) assertEq(bytes32(bytes4(answer)), bytes32(PartialTree.Malformed.selector), "malformed");
        else if (proof.length != 0) assertTrue(abi.decode(answer, (bytes32)) != bytes32(0), "a root");
    }

    // --- parts ---

    function _mutant(uint256 seed, bytes memory proof) private pure returns (bytes memory mutant) {
        uint256 place = (seed >> 8) % proof.length;
        uint256 how = seed % 5;
        if (how == 0) return bytes.concat(proof, bytes1(uint8(seed >> 16)));
        mutant = bytes.concat(proof);
        if (how == 1) {
            assembly ("memory-safe") {
                mstore(mutant, place)
            }
        } else if (how == 2) {
            mutant[place] = bytes1(uint8(seed >> 16));
        } else if (how == 3) {
            // Tags and lengths stand early and are small.
            mutant[place % (1 + proof.length / 8)] = bytes1(uint8((seed >> 16) % 5));
        } else {
            mutant[place] ^= bytes1(uint8(1 << ((seed >> 16) % 8)));
        }
    }

    /// @dev An answer to what `key` holds, if there is one, is the true one.
    function _answers(bytes memory proof, bytes32 key, bytes32 root, bytes32[] memory keys, bytes[] memory values)
        private
        view
    {
        (bool answered, bytes memory answer) = address(harness).staticcall(abi.encodeCall(harness.get, (proof, key)));
        if (!answered) return;
        (bytes32 got, bool present, bytes memory value) = abi.decode(answer, (bytes32, bool, bytes));
        assertEq(got, root, "root");
        uint256 i = _indexOf(keys, key);
        assertTrue(present == (i < keys.length), "presence");
        if (present) assertEq(keccak256(value), keccak256(values[i]), "value");
    }

    function _refused(bytes memory call, bytes memory expected, string memory what) private view {
        (bool taken, bytes memory answer) = address(harness).staticcall(call);
        assertTrue(!taken, what);
        assertEq(keccak256(answer), keccak256(expected), what);
    }

    function _all(uint256 count) private pure returns (uint256[] memory shown) {
        shown = new uint256[](count);
        for (uint256 i = 0; i < count; i++) {
            shown[i] = 2;
        }
    }

    /// @dev Few prefixes, so that keys are close at every depth.
    function _key(uint256 seed) private pure returns (bytes32) {
        uint256 key = seed % 2 == 0 ? 0 : type(uint256).max;
        for (uint256 i = 0; i < (seed >> 1) % 4; i++) {
            key ^= 1 << ((seed >> (8 + 8 * i)) & 0xff);
        }
        return bytes32(key);
    }

    function _tree(uint256 seed, uint256 size) private pure returns (bytes32[] memory keys, bytes[] memory values) {
        for (uint256 i = 0; i < size; i++) {
            uint256 random = uint256(keccak256(abi.encode(seed, "leaf", i)));
            bytes32 key = _key(random >> 128);
            if (_indexOf(keys, key) < keys.length) continue;
            bytes memory value = new bytes(random % 70);
            for (uint256 j = 0; j < value.length; j++) {
                value[j] = bytes1(uint8(random >> (j % 32)));
            }
            (keys, values) = _with(keys, values, key, value);
        }
    }

    function _indexOf(bytes32[] memory keys, bytes32 key) private pure returns (uint256 i) {
        while (i < keys.length && keys[i] != key) i++;
    }

    function _with(bytes32[] memory keys, bytes[] memory values, bytes32 key, bytes memory value)
        private
        pure
        returns (bytes32[] memory k, bytes[] memory v)
    {
        (k, v) = (new bytes32[](keys.length + 1), new bytes[](keys.length + 1));
        for (uint256 i = 0; i < keys.length; i++) {
            (k[i], v[i]) = (keys[i], values[i]);
        }
        (k[keys.length], v[keys.length]) = (key, value);
    }

    function _without(bytes32[] memory keys, bytes[] memory values, bytes32 key)
        private
        pure
        returns (bytes32[] memory k, bytes[] memory v)
    {
        uint256 index = _indexOf(keys, key);
        if (index == keys.length) return (keys, values);
        (k, v) = (new bytes32[](keys.length - 1), new bytes[](keys.length - 1));
        for (uint256 i = 0; i < k.length; i++) {
            uint256 from = i < index ? i : i + 1;
            (k[i], v[i]) = (keys[from], values[from]);
        }
    }
}
