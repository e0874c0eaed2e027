// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Test} from "./Test.sol";
import {DiffLib} from "../../settlement/contracts/libraries/DiffLib.sol";

/// @notice A leaf before or after a batch; what is not `present` has no value.
struct Leaf {
    bytes32 key;
    bool present;
    bytes value;
}

/// @notice What a seek came to.
struct Sought {
    bool listed;
    bytes32 before;
    bytes32 key;
    uint256 start;
    uint256 end;
}

/// @notice Makes the library callable from outside: diffs are calldata, and a refusal is a revert.
contract DiffLibHarness {
    /// @dev The changed leaves, against a ledger of few leaves. No byte of memory that was written before a rebuild may
    /// be another after it.
    function decode(bytes calldata diff, Leaf[] calldata ledger) external pure returns (Leaf[] memory leaves) {
        leaves = new Leaf[](diff.length / 3);
        bytes32[] memory hashes = new bytes32[](leaves.length);
        uint256 count = 0;
        DiffLib.Entry memory entry;
        while (DiffLib.next(diff, entry)) {
            (bool wasPresent, bytes memory old) = _leafOf(ledger, entry.key);
            bytes memory fence = abi.encode(old, entry);
            _soil();
            bytes32 fenceHash = keccak256(fence);
            bytes32 entryHash = keccak256(abi.encode(entry));
            (bool present, bytes memory value) = DiffLib.rebuild(diff, entry, wasPresent, old);
            require(keccak256(fence) == fenceHash && keccak256(abi.encode(entry)) == entryHash, "memory before");
            leaves[count] = Leaf(entry.key, present, value);
            hashes[count++] = keccak256(value);
        }
        for (uint256 i = 0; i < count; i++) require(keccak256(leaves[i].value) == hashes[i], "memory after");
        assembly ("memory-safe") {
            mstore(leaves, count)
        }
    }

    /// @dev The changed leaves of a diff whose old leaves are whatever its modes ask for.
    function decodeAny(bytes calldata diff, bytes calldata old)
        external
        pure
        returns (Leaf[] memory before, Leaf[] memory leaves)
    {
        (before, leaves) = (new Leaf[](diff.length / 3), new Leaf[](diff.length / 3));
        uint256 count = 0;
        DiffLib.Entry memory entry;
        while (DiffLib.next(diff, entry)) {
            bool wasPresent = entry.mode != DiffLib.INSERT;
            _soil();
            before[count] = Leaf(entry.key, wasPresent, wasPresent ? old : bytes(""));
            (bool present, bytes memory value) = DiffLib.rebuild(diff, entry, wasPresent, old);
            leaves[count++] = Leaf(entry.key, present, value);
        }
        assembly ("memory-safe") {
            mstore(before, count)
            mstore(leaves, count)
        }
    }

    function rebuildAt(bytes calldata diff, bytes32 key, bool wasPresent, bytes calldata old)
        external
        view
        returns (bool present, bytes memory value, uint256 gas)
    {
        DiffLib.Entry memory entry;
        require(DiffLib.seek(diff, entry, key), "listed");
        gas = gasleft();
        (present, value) = DiffLib.rebuild(diff, entry, wasPresent, old);
        gas -= gasleft();
    }

    /// @dev Seeks the keys one after the other in one walk.
    function seek(bytes calldata diff, bytes32[] calldata keys) external pure returns (Sought[] memory) {
        return _seek(diff, keys);
    }

    function _seek(bytes calldata diff, bytes32[] calldata keys) private pure returns (Sought[] memory sought) {
        sought = new Sought[](keys.length);
        DiffLib.Entry memory entry;
        for (uint256 i = 0; i < keys.length; i++) {
            bool listed = DiffLib.seek(diff, entry, keys[i]);
            sought[i] = Sought(listed, entry.before, entry.key, entry.start, entry.end);
        }
    }

    /// @dev The diff ends before its calldata does.
    function seekWithin(bytes calldata data, uint256 size, bytes32[] calldata keys)
        external
        pure
        returns (Sought[] memory)
    {
        return _seek(data[:size], keys);
    }

    /// @dev What `seek` must come to, entry by entry.
    function seekByNext(bytes calldata diff, bytes32[] calldata keys) external pure returns (Sought[] memory sought) {
        sought = new Sought[](keys.length);
        DiffLib.Entry memory entry;
        for (uint256 i = 0; i < keys.length; i++) {
            while (entry.key < keys[i] && DiffLib.next(diff, entry)) {}
            sought[i] = Sought(entry.key == keys[i], entry.before, entry.key, entry.start, entry.end);
        }
    }

    /// @dev To the end of the diff: gas of reading each entry, and of seeking a key above the last.
    function walk(bytes calldata diff) external view returns (uint256 count, uint256 nextGas, uint256 seekGas) {
        nextGas = gasleft();
        DiffLib.Entry memory entry;
        while (DiffLib.next(diff, entry)) count++;
        nextGas -= gasleft();
        bytes32 last = entry.key;
        DiffLib.Entry memory sought;
        seekGas = gasleft();
        bool listed = DiffLib.seek(diff, sought, bytes32(type(uint256).max));
        seekGas -= gasleft();
        require(!listed && sought.key == last && keccak256(abi.encode(sought)) == keccak256(abi.encode(entry)), "end");
    }

    /// @dev Free memory is what others left there: nothing may depend on it.
    function _soil() private pure {
        assembly ("memory-safe") {
            let free := mload(0x40)
            for { let i := 0 } lt(i, 2048) { i := add(i, 32) } { mstore(add(free, i), not(0)) }
        }
    }

    function _leafOf(Leaf[] calldata ledger, bytes32 key) private pure returns (bool, bytes memory) {
        for (uint256 i = 0; i < ledger.length; i++) {
            if (ledger[i].key == key) return (ledger[i].present, ledger[i].value);
        }
        return (false, "");
    }
}

/// @notice The encoder, the slow way, byte by byte: what the library reads.
library SlowDiff {
    struct Out {
        bytes data;
        uint256 length;
        bytes32 key;
    }

    function open(uint256 bytesMax) internal pure returns (Out memory out) {
        out.data = new bytes(bytesMax);
    }

    function close(Out memory out) internal pure returns (bytes memory data) {
        data = out.data;
        uint256 length = out.length;
        assembly ("memory-safe") {
            mstore(data, length)
        }
    }

    /// @dev `before` and `leaves` hold the same keys, ascending.
    function encode(Leaf[] memory before, Leaf[] memory leaves) internal pure returns (bytes memory) {
        uint256 most = 0;
        for (uint256 i = 0; i < leaves.length; i++) most += 40 + 2 * leaves[i].value.length;
        Out memory out = open(most);
        for (uint256 i = 0; i < leaves.length; i++) put(out, before[i], leaves[i]);
        return close(out);
    }

    function put(Out memory out, Leaf memory before, Leaf memory leaf) internal pure {
        if (before.present == leaf.present && keccak256(before.value) == keccak256(leaf.value)) return;
        uint256 mode = 1;
        if (!leaf.present) mode = 0;
        else if (!before.present) mode = 3;
        else if (before.value.length != leaf.value.length) mode = 2;
        uint256 shared = 0;
        while (out.key[shared] == leaf.key[shared]) shared++;
        uint256 end = 32;
        while (leaf.key[end - 1] == 0) end--;
        _push(out, mode << 5 | shared);
        _push(out, end - shared);
        for (uint256 i = shared; i < end; i++) _push(out, uint8(leaf.key[i]));
        out.key = leaf.key;
        if (mode == 0) return;
        uint256 length = leaf.value.length;
        if (mode > 1) {
            _push(out, length >> 8);
            _push(out, length & 0xff);
        }
        bytes memory base = new bytes(length);
        for (uint256 i = 0; mode != 3 && i < length && i < before.value.length; i++) base[i] = before.value[i];
        _runs(out, base, leaf.value);
    }

    function _runs(Out memory out, bytes memory base, bytes memory value) private pure {
        uint256 cursor = 0;
        for (uint256 from = _differs(base, value, 0); from < value.length; from = _differs(base, value, cursor)) {
            // The stretch goes on to the first two equal bytes, or the end.
            uint256 to = from + 1;
            for (uint256 i = to; i < value.length && i <= to + 1; i++) if (base[i] != value[i]) to = i + 1;
            uint256 distance = from - cursor;
            for (; distance >= 240; distance -= 240) _push(out, 0xf0);
            if (distance >= 16) _push(out, distance / 16 * 16);
            distance %= 16;
            for (; from < to; distance = 0) {
                uint256 count = to - from < 15 ? to - from : 15;
                _push(out, distance * 16 + count);
                for (uint256 i = 0; i < count; i++) _push(out, uint8(value[from++]));
            }
            cursor = to;
        }
        _push(out, 0);
    }

    function _differs(bytes memory base, bytes memory value, uint256 i) private pure returns (uint256) {
        while (i < value.length && base[i] == value[i]) i++;
        return i;
    }

    function _push(Out memory out, uint256 b) private pure {
        out.data[out.length++] = bytes1(uint8(b));
    }
}

contract DiffLibTest is Test {
    /// @dev What forge prints with -vv.
    event log_named_uint(string key, uint256 val);

    /// @dev EIP-7825 caps a transaction at 2^24 gas; of that, calldata of the longest diff takes 16 a byte, and 400,000
    /// are left for its hash, the tree proofs and the rebuilt value.
    uint256 private constant WALK_GAS_MAX = 2 ** 24 - 21_000 - 16 * 131_072 - 400_000;

    struct Random {
        uint256 seed;
        uint256 drawn;
    }

    DiffLibHarness private harness = new DiffLibHarness();

    // --- the shared vectors ---

    function test_vectors() public view {
        string memory json = vm.readFile("test/vectors/diff.json");
        uint256 count = 0;
        for (string memory c = _case(".cases", 0); vm.keyExistsJson(json, c); c = _case(".cases", ++count)) {
            string memory why = vm.parseJsonString(json, string.concat(c, ".why"));
            bytes memory diff = vm.parseJsonBytes(json, string.concat(c, ".diff"));
            Leaf[] memory after_ = _leaves(json, string.concat(c, ".after"));
            Leaf[] memory before = _leaves(json, string.concat(c, ".before"));
            _assertSame(harness.decode(diff, before), after_, why);
            assertEq(keccak256(SlowDiff.encode(_beforeOf(after_, before), after_)), keccak256(diff), why);
            _checkSeeks(diff, after_);
        }
        assertTrue(count >= 16, "at least sixteen cases");
    }

    /// @dev Each is refused at the byte at which TypeScript refuses it.
    function test_malformedVectors() public view {
        string memory json = vm.readFile("test/vectors/diff.json");
        uint256 count = 0;
        for (string memory c = _case(".malformed", 0); vm.keyExistsJson(json, c); c = _case(".malformed", ++count)) {
            string memory why = vm.parseJsonString(json, string.concat(c, ".why"));
            bytes memory diff = vm.parseJsonBytes(json, string.concat(c, ".diff"));
            Leaf[] memory before = _leaves(json, string.concat(c, ".before"));
            (bool taken, bytes memory answer) =
                address(harness).staticcall(abi.encodeCall(harness.decode, (diff, before)));
            assertTrue(!taken, why);
            assertEq(_offsetOf(answer, why), vm.parseJsonUint(json, string.concat(c, ".offset")), why);
        }
        assertTrue(count >= 30, "at least thirty malformed diffs");
    }

    /// @dev What each refusal says, where the numbers are not plain from the vector.
    function test_refusals() public {
        bytes memory one = hex"01";
        _refuses(hex"8001", "", "mode", 0, 3, 4);
        _refuses(hex"0021", "", "suffix length", 1, 32, 33);
        _refuses(hex"00050203", "", "suffix", 2, 5, 2);
        _refuses(hex"000101000101", one, "key order", 5, 2, 1);
        _refuses(hex"00020100", one, "suffix end", 3, 1, 0);
        _refuses(hex"600101000100", one, "presence", 0, 0, 1);
        _refuses(hex"400101000100", one, "same length", 3, 1, 1);
        _refuses(hex"600101100100", "", "length", 3, 4096, 4097);
        _refuses(hex"60010100", "", "length bytes", 4, 2, 1);
        _refuses(hex"2001010102", one, "run", 5, 1, 0);
        _refuses(hex"2001010302", hex"010101", "run bytes", 4, 3, 1);
        _refuses(hex"200101f1ff00", one, "run end", 3, 1, 16);
        _refuses(hex"20010102020300", one, "run end", 3, 1, 2);
        _refuses(hex"20010100", one, "no change", 3, 1, 0);
        _refuses(hex"200101020102", hex"0101", "run", 6, 1, 0);
        _refuses(hex"20010102010200", hex"0101", "canonical run", 3, 0x11, 0x02);
        // The walk alone sees runs beyond the longest value.
        bytes memory hops = abi.encodePacked(hex"200101", hex"f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0", hex"20");
        vm.expectRevert(abi.encodeWithSelector(DiffLib.Malformed.selector, bytes32("run end"), 20, 4096, 4112));
        harness.walk(hops);
        vm.expectRevert(
            abi.encodeWithSelector(DiffLib.Malformed.selector, bytes32("diff bytes"), 131_072, 131_072, 131_073)
        );
        harness.walk(new bytes(131_073));
        vm.expectRevert(abi.encodeWithSelector(DiffLib.OldValueLength.selector, 4096, 4097));
        harness.decodeAny(hex"200101010100", new bytes(4097));
    }

    /// @dev Whole words end where other memory begins: what lies there neither goes on with a stretch nor begins one.
    function test_wholeWords() public view {
        Leaf[] memory before = new Leaf[](1);
        before[0] = Leaf(bytes32(bytes1(0x01)), true, new bytes(32));
        for (uint256 i = 0; i < 32; i++) {
            Leaf[] memory after_ = new Leaf[](1);
            after_[0] = Leaf(before[0].key, true, new bytes(32));
            after_[0].value[i] = 0x01;
            _assertSame(harness.decode(SlowDiff.encode(before, after_), before), after_, vm.toString(i));
        }
    }

    // --- seeking ---

    /// @dev Behind the walk nothing can be said to be missing.
    function test_seekDoesNotGoBack() public {
        bytes memory diff = hex"000101000102000104000108";
        bytes32[] memory keys = new bytes32[](2);
        for (uint8 first = 1; first <= 9; first++) {
            for (uint8 second = 0; second <= 9; second++) {
                keys[0] = bytes32(bytes1(first));
                keys[1] = bytes32(bytes1(second));
                // The walk stands at the first entry that is not below the key, or the last one.
                uint8 place = first > 4 ? 8 : first > 2 ? 4 : first;
                bytes32 passed = place == 1 ? bytes32(0) : bytes32(bytes1(place / 2));
                if (second != 0 && keys[1] <= passed) {
                    vm.expectRevert(abi.encodeWithSelector(DiffLib.SeekOrder.selector, passed, keys[1]));
                    harness.seek(diff, keys);
                    continue;
                }
                Sought[] memory sought = harness.seek(diff, keys);
                assertTrue(sought[0].listed == (first & (first - 1) == 0), "first");
                assertTrue(sought[1].listed == (second != 0 && second & (second - 1) == 0), "second");
            }
        }
    }

    /// @dev Entries that are wrong but whole, so that a careless reader comes past them to the key.
    function test_seekRefusesWhatItSkips() public view {
        bytes memory ones = abi.encodePacked(bytes32(type(uint256).max / 255));
        bytes[11] memory wrong = [
            bytes(hex"80010100020100"),
            hex"c00101000100",
            abi.encodePacked(hex"0120", ones),
            abi.encodePacked(hex"0021", ones, hex"01"),
            hex"00000101fe",
            hex"000100",
            hex"00020100",
            hex"6001011001f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0101000",
            hex"60010100011000",
            hex"600101000102010200",
            hex"200101f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f02000"
        ];
        bytes32[] memory keys = new bytes32[](1);
        keys[0] = bytes32(bytes1(0xff));
        for (uint256 i = 0; i < wrong.length; i++) {
            bytes memory diff = abi.encodePacked(wrong[i], hex"0001fe0001ff");
            (bool taken, bytes memory answer) = address(harness).staticcall(abi.encodeCall(harness.seek, (diff, keys)));
            (, bytes memory expected) = address(harness).staticcall(abi.encodeCall(harness.seekByNext, (diff, keys)));
            assertTrue(!taken, vm.toString(i));
            assertTrue(_offsetOf(answer, vm.toString(i)) < wrong[i].length, vm.toString(i));
            assertEq(keccak256(answer), keccak256(expected), vm.toString(i));
        }
        // The same without the wrong entry is taken.
        assertTrue(harness.seek(hex"60010100010102000001fe0001ff", keys)[0].listed, "listed");
    }

    /// @dev What follows the diff in the calldata, entries as good as its own, is no part of it.
    function test_seekEndsWithTheDiff() public view {
        bytes memory data = abi.encodePacked(
            hex"000101", hex"6001020002110300", hex"400104000100", hex"200105110100", hex"200106f0110100"
        );
        data = abi.encodePacked(data, hex"000107", hex"000108", hex"00010a");
        uint256 listed = 0;
        bytes32[] memory keys = new bytes32[](1);
        for (uint256 size = 0; size <= data.length; size++) {
            bytes memory diff = new bytes(size);
            for (uint256 i = 0; i < size; i++) diff[i] = data[i];
            for (uint8 key = 1; key < 12; key++) {
                keys[0] = bytes32(bytes1(key));
                (bool taken, bytes memory answer) =
                    address(harness).staticcall(abi.encodeCall(harness.seekWithin, (data, size, keys)));
                (bool expected, bytes memory expectedAnswer) =
                    address(harness).staticcall(abi.encodeCall(harness.seekByNext, (diff, keys)));
                assertTrue(taken == expected, "taken");
                assertEq(keccak256(answer), keccak256(expectedAnswer), "answer");
                if (taken && abi.decode(answer, (Sought[]))[0].listed) listed++;
            }
        }
        // Each of the eight keys from the size at which its entry is whole.
        assertEq(listed, 37 + 29 + 23 + 17 + 10 + 7 + 4 + 1, "listed");
    }

    function test_seekInEmptyDiff() public view {
        bytes32[] memory keys = new bytes32[](3);
        (keys[1], keys[2]) = (bytes32(uint256(1)), bytes32(type(uint256).max));
        Sought[] memory sought = harness.seek("", keys);
        for (uint256 i = 0; i < 3; i++) assertTrue(!sought[i].listed && sought[i].end == 0, "nothing is listed");
    }

    // --- fuzz ---

    /// @dev Random changes of a random ledger come back exactly, and every key is found or shown to be missing.
    function testFuzz_roundTrip(uint256 seed) public view {
        (Leaf[] memory before, Leaf[] memory after_) = _changes(Random(seed, 0));
        bytes memory diff = SlowDiff.encode(before, after_);
        after_ = _changed(before, after_);
        _assertSame(harness.decode(diff, before), after_, "decoded");
        _checkSeeks(diff, after_);
    }

    /// @dev A diff with a few bytes flipped, dropped, added or swapped is refused or says something else, of which it
    /// is the only encoding.
    function testFuzz_mutations(uint256 seed) public view {
        Random memory r = Random(seed, 0);
        (Leaf[] memory before, Leaf[] memory after_) = _changes(r);
        bytes memory diff = SlowDiff.encode(before, after_);
        for (uint256 n = _draw(r, 3) + 1; n > 0 && diff.length > 1; n--) diff = _mutated(r, diff);
        (bool taken, bytes memory answer) = address(harness).staticcall(abi.encodeCall(harness.decode, (diff, before)));
        if (!taken) {
            assertTrue(_offsetOf(answer, "mutant") <= diff.length, "offset");
            return;
        }
        Leaf[] memory got = abi.decode(answer, (Leaf[]));
        assertEq(keccak256(SlowDiff.encode(_beforeOf(got, before), got)), keccak256(diff), "the only encoding");
    }

    /// @dev Skipping accepts and refuses what reading each entry does, and comes to the same entry.
    function testFuzz_seekIsReading(uint256 seed) public view {
        Random memory r = Random(seed, 0);
        (Leaf[] memory before, Leaf[] memory after_) = _changes(r);
        bytes memory diff = SlowDiff.encode(before, after_);
        for (uint256 n = _draw(r, 3); n > 0 && diff.length > 1; n--) diff = _mutated(r, diff);
        bytes32[] memory keys = new bytes32[](1 + _draw(r, 3));
        for (uint256 i = 0; i < keys.length; i++) {
            bool listed = before.length != 0 && _draw(r, 2) == 0;
            keys[i] = listed ? before[_draw(r, before.length)].key : _key(r);
            if (_draw(r, 4) == 0) keys[i] = bytes32(type(uint256).max);
            if (i != 0 && keys[i] < keys[i - 1]) keys[i] = keys[i - 1];
        }
        (bool taken, bytes memory answer) = address(harness).staticcall(abi.encodeCall(harness.seek, (diff, keys)));
        (bool expected, bytes memory expectedAnswer) =
            address(harness).staticcall(abi.encodeCall(harness.seekByNext, (diff, keys)));
        assertTrue(taken == expected, "taken");
        assertEq(keccak256(answer), keccak256(expectedAnswer), "answer");
    }

    /// @dev Arbitrary bytes over an arbitrary ledger: `Malformed`, or a diff that is the only encoding of what it says.
    function testFuzz_noise(bytes calldata diff, bytes calldata old) public view {
        _canonicalOrMalformed(diff, old);
    }

    /// @dev Likely heads, lengths and runs, so that the reader gets further.
    function testFuzz_likelyNoise(uint256 seed) public view {
        Random memory r = Random(seed, 0);
        bytes memory likely = hex"00010203101112202140414260616263f0ff";
        bytes memory diff = new bytes(_draw(r, 24));
        for (uint256 i = 0; i < diff.length; i++) diff[i] = likely[_draw(r, likely.length)];
        // Mostly the first key is whole.
        if (diff.length > 2 && _draw(r, 4) != 0) {
            (diff[0], diff[1], diff[2]) = (bytes1(uint8(_draw(r, 4) << 5)), 0x01, bytes1(uint8(_draw(r, 3) + 1)));
        }
        _canonicalOrMalformed(diff, _value(r));
    }

    // --- gas ---

    /// @dev Accounts with three changed stretches each, as batches have them.
    function test_gas64KiB() public {
        SlowDiff.Out memory out = SlowDiff.open(66_000);
        bytes memory old = new bytes(200);
        for (uint256 i = 0; i < 200; i++) old[i] = bytes1(uint8(3 * i));
        bytes memory value = bytes.concat(old);
        for (uint256 i = 0; i < 6; i++) (value[9 + i], value[60 + i], value[150 + i]) = (0xf1, 0xf2, 0xf3);
        uint256 count = 0;
        bytes32 key;
        while (out.length < 65_536) {
            key = bytes32(abi.encodePacked(uint8(0x02), uint32(7 * ++count)));
            SlowDiff.put(out, Leaf(key, true, old), Leaf(key, true, value));
        }
        bytes memory diff = SlowDiff.close(out);
        (uint256 entries, uint256 nextGas, uint256 seekGas) = harness.walk(diff);
        assertEq(entries, count, "entries");
        emit log_named_uint("64 KiB diff: entries", entries);
        emit log_named_uint("64 KiB diff: gas of reading each entry", nextGas);
        emit log_named_uint("64 KiB diff: gas of seeking a key above the last", seekGas);
        assertTrue(nextGas < 7_000_000 && seekGas < 3_500_000, "gas of a walk over 64 KiB");
        (, bytes memory got, uint256 rebuildGas) = harness.rebuildAt(diff, key, true, old);
        assertEq(keccak256(got), keccak256(value), "value");
        emit log_named_uint("64 KiB diff: gas of rebuilding a value of 200 bytes", rebuildGas);
        assertTrue(rebuildGas < 30_000, "gas of rebuilding a value");
    }

    /// @dev The longest values: one byte in three, the dearest pattern, and all bytes.
    function test_gasOfLongestValue() public {
        bytes memory comb = new bytes(4096);
        for (uint256 i = 0; i < 4096; i += 3) comb[i] = 0x01;
        bytes memory solid = new bytes(4096);
        for (uint256 i = 0; i < 4096; i++) solid[i] = 0x01;
        bytes32 key = bytes32(bytes1(0x01));
        bytes[2] memory values = [comb, solid];
        for (uint256 i = 0; i < 2; i++) {
            SlowDiff.Out memory out = SlowDiff.open(10_000);
            SlowDiff.put(out, Leaf(key, false, ""), Leaf(key, true, values[i]));
            (, bytes memory got, uint256 gas) = harness.rebuildAt(SlowDiff.close(out), key, false, "");
            assertEq(keccak256(got), keccak256(values[i]), "value");
            emit log_named_uint(i == 0 ? "4096 bytes, comb: gas" : "4096 bytes, solid: gas", gas);
            assertTrue(gas < 2_000_000, "gas of the longest value");
        }
    }

    /// @dev The longest diffs that walk the dearest way still fit one transaction, or a wrong one could not be struck.
    function test_gasOfDearestDiffs() public {
        // Keys of three bytes, entries of three bytes: nothing but deletions.
        bytes memory deletions = new bytes(131_072);
        uint256 place = 0;
        for (uint256 key = 0x010101; place + 5 <= 131_072; key++) {
            if (key & 0xff == 0) continue;
            if (key & 0xffff == 0x0101) place = _write(deletions, place, abi.encodePacked(hex"0003", uint24(key)));
            else if (key & 0xff == 1) place = _write(deletions, place, abi.encodePacked(hex"0102", uint16(key)));
            else place = _write(deletions, place, abi.encodePacked(hex"0201", uint8(key)));
            if (key & 0xffff == 0xffff) key += 0x0100;
        }
        _emitWalk("128 KiB of deletions: gas", deletions, place);
        // Runs that are hops of 16, as many as a value holds.
        bytes memory hops = new bytes(131_072);
        place = 0;
        for (uint16 key = 0x0101; place + 262 <= 131_072; key++) {
            if (key & 0xff == 0) key++;
            if (key & 0xff == 1) place = _write(hops, place, abi.encodePacked(hex"2002", key));
            else place = _write(hops, place, abi.encodePacked(hex"2101", uint8(key)));
            for (uint256 i = 0; i < 256; i++) hops[place++] = 0x10;
            place++;
        }
        _emitWalk("128 KiB of hops: gas", hops, place);
        // Runs of one byte each.
        bytes memory runs = new bytes(131_072);
        place = 0;
        for (uint8 key = 1; place + 8194 <= 131_072; key++) {
            place = _write(runs, place, abi.encodePacked(hex"2001", key));
            for (uint256 i = 0; i < 4095; i++) place = _write(runs, place, hex"0101");
            place++;
        }
        _emitWalk("128 KiB of runs: gas", runs, place);
    }

    function _emitWalk(string memory what, bytes memory diff, uint256 length) private {
        assembly ("memory-safe") {
            mstore(diff, length)
        }
        assertTrue(length > 120_000, "about the longest diff");
        (uint256 entries,, uint256 gas) = harness.walk(diff);
        emit log_named_uint(what, gas);
        assertTrue(entries > 10 && gas < WALK_GAS_MAX, what);
    }

    function _write(bytes memory to, uint256 place, bytes memory from) private pure returns (uint256) {
        for (uint256 i = 0; i < from.length; i++) to[place++] = from[i];
        return place;
    }

    // --- parts ---

    function _refuses(bytes memory diff, bytes memory old, bytes32 field, uint256 offset, uint256 expected, uint256 got)
        private
    {
        Leaf[] memory before = new Leaf[](old.length == 0 ? 0 : 1);
        if (old.length != 0) before[0] = Leaf(bytes32(bytes1(0x01)), true, old);
        vm.expectRevert(abi.encodeWithSelector(DiffLib.Malformed.selector, field, offset, expected, got));
        harness.decode(diff, before);
    }

    function _canonicalOrMalformed(bytes memory diff, bytes memory old) private view {
        (bool taken, bytes memory answer) = address(harness).staticcall(abi.encodeCall(harness.decodeAny, (diff, old)));
        if (!taken) {
            assertTrue(_offsetOf(answer, "noise") <= diff.length, "offset");
            return;
        }
        (Leaf[] memory before, Leaf[] memory after_) = abi.decode(answer, (Leaf[], Leaf[]));
        assertEq(keccak256(SlowDiff.encode(before, after_)), keccak256(diff), "the only encoding");
    }

    /// @dev The answer must be `Malformed` and nothing else.
    function _offsetOf(bytes memory answer, string memory what) private pure returns (uint256 offset) {
        assertTrue(answer.length == 4 + 4 * 32, what);
        assertEq(bytes4(answer), DiffLib.Malformed.selector, what);
        assembly ("memory-safe") {
            offset := mload(add(answer, 68))
        }
    }

    /// @dev Each listed key is found, its neighbours are found or missing as the list says, in one walk and alone.
    function _checkSeeks(bytes memory diff, Leaf[] memory listed) private view {
        bytes32[] memory all = new bytes32[](3 * listed.length + 1);
        uint256 count = 0;
        for (uint256 i = 0; i < listed.length; i++) {
            for (uint256 d = 0; d < 3; d++) {
                uint256 key;
                unchecked {
                    key = uint256(listed[i].key) + d - 1;
                }
                // Above the greatest key there is none.
                if (d == 2 && key == 0) continue;
                if (count == 0 || bytes32(key) > all[count - 1]) all[count++] = bytes32(key);
            }
        }
        assembly ("memory-safe") {
            mstore(all, count)
        }
        Sought[] memory sought = harness.seek(diff, all);
        bytes32[] memory sole = new bytes32[](1);
        for (uint256 i = 0; i < count; i++) {
            bytes32 key = all[i];
            bool expected = false;
            for (uint256 j = 0; j < listed.length; j++) if (listed[j].key == key) expected = true;
            assertTrue(sought[i].listed == expected, "listed");
            if (expected) {
                assertEq(sought[i].key, key, "found key");
            } else if (key != 0) {
                assertTrue(sought[i].before < key, "lower neighbour");
                assertTrue(sought[i].key > key || sought[i].end == diff.length, "upper neighbour");
            }
            sole[0] = key;
            assertTrue(harness.seek(diff, sole)[0].listed == expected, "alone");
        }
    }

    function _assertSame(Leaf[] memory got, Leaf[] memory expected, string memory what) private pure {
        assertEq(got.length, expected.length, what);
        for (uint256 i = 0; i < got.length; i++) {
            assertEq(got[i].key, expected[i].key, what);
            assertTrue(got[i].present == expected[i].present, what);
            assertEq(keccak256(got[i].value), keccak256(expected[i].value), what);
        }
    }

    function _leaves(string memory json, string memory list) private view returns (Leaf[] memory leaves) {
        uint256 count = 0;
        while (vm.keyExistsJson(json, _case(list, count))) count++;
        leaves = new Leaf[](count);
        for (uint256 i = 0; i < count; i++) {
            string memory leaf = _case(list, i);
            string memory deleted = string.concat(leaf, ".deleted");
            leaves[i] = Leaf({
                key: vm.parseJsonBytes32(json, string.concat(leaf, ".key")),
                present: !vm.keyExistsJson(json, deleted) || !vm.parseJsonBool(json, deleted),
                value: vm.parseJsonBytes(json, string.concat(leaf, ".value"))
            });
        }
    }

    /// @dev The leaves that the keys of `leaves` have in a ledger.
    function _beforeOf(Leaf[] memory leaves, Leaf[] memory ledger) private pure returns (Leaf[] memory before) {
        before = new Leaf[](leaves.length);
        for (uint256 i = 0; i < leaves.length; i++) {
            before[i].key = leaves[i].key;
            for (uint256 j = 0; j < ledger.length; j++) if (ledger[j].key == leaves[i].key) before[i] = ledger[j];
        }
    }

    function _changed(Leaf[] memory before, Leaf[] memory after_) private pure returns (Leaf[] memory changed) {
        changed = new Leaf[](after_.length);
        uint256 count = 0;
        for (uint256 i = 0; i < after_.length; i++) {
            if (keccak256(abi.encode(before[i])) != keccak256(abi.encode(after_[i]))) changed[count++] = after_[i];
        }
        assembly ("memory-safe") {
            mstore(changed, count)
        }
    }

    // --- random ledgers ---

    function _draw(Random memory r, uint256 below) private pure returns (uint256) {
        return uint256(keccak256(abi.encode(r.seed, r.drawn++))) % below;
    }

    /// @dev Up to eight keys, ascending, with what they hold before and after.
    function _changes(Random memory r) private pure returns (Leaf[] memory before, Leaf[] memory after_) {
        bytes32[] memory keys = new bytes32[](_draw(r, 9));
        uint256 count = 0;
        for (uint256 i = 0; i < keys.length; i++) {
            bytes32 key = _key(r);
            uint256 place = 0;
            while (place < count && keys[place] < key) place++;
            if (place < count && keys[place] == key) continue;
            for (uint256 j = count++; j > place; j--) keys[j] = keys[j - 1];
            keys[place] = key;
        }
        (before, after_) = (new Leaf[](count), new Leaf[](count));
        for (uint256 i = 0; i < count; i++) {
            bool present = _draw(r, 3) != 0;
            before[i] = Leaf(keys[i], present, present ? _value(r) : bytes(""));
            after_[i] = Leaf(keys[i], false, "");
            if (_draw(r, 5) == 0) continue;
            after_[i].present = true;
            after_[i].value = present && _draw(r, 3) != 0 ? _edited(r, before[i].value) : _value(r);
        }
    }

    /// @dev Keys share prefixes of every length, and end in zeros or not. Never zero.
    function _key(Random memory r) private pure returns (bytes32) {
        uint256 stem = uint256(keccak256(abi.encode(r.seed, _draw(r, 2))));
        stem = (stem ^ (1 + _draw(r, 255)) << (8 * _draw(r, 32))) & (type(uint256).max << (8 * _draw(r, 32)));
        return bytes32(stem == 0 ? 1 : stem);
    }

    /// @dev Values with few bytes that are not zero, as leaves are.
    function _value(Random memory r) private pure returns (bytes memory) {
        return _edited(r, new bytes(_draw(r, 4) == 0 ? _draw(r, 600) : _draw(r, 60)));
    }

    /// @dev A copy with up to six stretches of up to twenty bytes that are drawn anew.
    function _edited(Random memory r, bytes memory old) private pure returns (bytes memory value) {
        value = bytes.concat(old);
        if (value.length == 0) return value;
        for (uint256 n = _draw(r, 7); n > 0; n--) {
            uint256 place = _draw(r, value.length);
            uint256 end = place + (_draw(r, 3) == 0 ? _draw(r, 20) : _draw(r, 4));
            while (place < end && place < value.length) value[place++] = bytes1(uint8(_draw(r, 256)));
        }
    }

    function _mutated(Random memory r, bytes memory diff) private pure returns (bytes memory mutant) {
        uint256 how = _draw(r, 4);
        uint256 place = _draw(r, diff.length);
        mutant = new bytes(how == 1 ? diff.length - 1 : how == 2 ? diff.length + 1 : diff.length);
        for (uint256 i = 0; i < mutant.length; i++) {
            if (how == 1 && i >= place) mutant[i] = diff[i + 1];
            else if (how == 2 && i == place) mutant[i] = bytes1(uint8(_draw(r, 256)));
            else if (how == 2 && i > place) mutant[i] = diff[i - 1];
            else mutant[i] = diff[i];
        }
        if (how == 0) mutant[place] ^= bytes1(uint8(1 << _draw(r, 8)));
        if (how == 3 && place != 0) (mutant[place], mutant[place - 1]) = (mutant[place - 1], mutant[place]);
    }
}
