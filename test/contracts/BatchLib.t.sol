// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Test} from "./Test.sol";
import {BatchLib, Header, TraceEnd} from "../../settlement/contracts/libraries/BatchLib.sol";

contract BatchLibHarness {
    function digest(bytes calldata header, address rollup) external view returns (bytes32) {
        return BatchLib.digest(BatchLib.decode(header), BatchLib.domainSeparator(rollup));
    }

    function decode(bytes calldata header) external pure returns (Header memory) {
        return BatchLib.decode(header);
    }

    function recover(bytes32 hash, bytes calldata signature) external pure returns (address) {
        return BatchLib.recover(hash, signature);
    }

    function foldTrace(bytes calldata trace, uint256 step, uint256 seq) external pure returns (TraceEnd memory) {
        return BatchLib.foldTrace(trace, step, seq);
    }

    function checkWithdrawn(bytes calldata withdrawn) external pure {
        BatchLib.checkWithdrawn(withdrawn);
    }

    function withdrawnAt(bytes calldata withdrawn, uint256 i) external pure returns (uint16, uint128) {
        return BatchLib.withdrawnAt(withdrawn, i);
    }

    function hashOf(bytes calldata data) external pure returns (bytes32) {
        return BatchLib.hashOf(data);
    }
}

contract BatchLibTest is Test {
    BatchLibHarness private harness = new BatchLibHarness();

    function test_headerVectors() public {
        string memory json = vm.readFile("test/vectors/header.json");
        uint256 count = 0;
        for (string memory c = _case(".cases", 0); vm.keyExistsJson(json, c); c = _case(".cases", ++count)) {
            vm.chainId(vm.parseJsonUint(json, string.concat(c, ".chainId")));
            bytes memory header = vm.parseJsonBytes(json, string.concat(c, ".header"));
            bytes32 digest = vm.parseJsonBytes32(json, string.concat(c, ".digest"));
            address rollup = vm.parseJsonAddress(json, string.concat(c, ".rollup"));
            bytes memory signature = vm.parseJsonBytes(json, string.concat(c, ".signature"));
            assertEq(harness.digest(header, rollup), digest, string.concat(c, ".digest"));
            address signer = vm.parseJsonAddress(json, string.concat(c, ".signer"));
            assertEq(harness.recover(digest, signature), signer, string.concat(c, ".signer"));
        }
        assertTrue(count >= 16, "at least sixteen cases");
    }

    function test_traceVectors() public view {
        string memory json = vm.readFile("test/vectors/trace.json");
        uint256 count = 0;
        for (string memory c = _case(".cases", 0); vm.keyExistsJson(json, c); c = _case(".cases", ++count)) {
            bytes memory trace = vm.parseJsonBytes(json, string.concat(c, ".trace"));
            uint256 firstStep = vm.parseJsonUint(json, string.concat(c, ".firstStep"));
            uint256 firstSeq = vm.parseJsonUint(json, string.concat(c, ".firstSeq"));
            TraceEnd memory end = harness.foldTrace(trace, firstStep, firstSeq);
            assertEq(end.root, vm.parseJsonBytes32(json, string.concat(c, ".root")), "root");
            assertEq(end.length, trace.length / 92, "length");
            assertEq(end.nextStep, vm.parseJsonUint(json, string.concat(c, ".nextStep")), "nextStep");
            assertEq(end.nextSeq, vm.parseJsonUint(json, string.concat(c, ".nextSeq")), "nextSeq");
            assertEq(end.inputEnd, vm.parseJsonUint(json, string.concat(c, ".inputEnd")), "inputEnd");
            assertEq(end.inputHash, vm.parseJsonBytes32(json, string.concat(c, ".inputHash")), "inputHash");
            assertEq(end.stateRoot, vm.parseJsonBytes32(json, string.concat(c, ".stateRoot")), "stateRoot");
            if (firstStep != 0) {
                assertTrue(harness.foldTrace(trace, firstStep - 1, firstSeq).root != end.root, "start");
            }
        }
        assertTrue(count >= 10, "at least ten cases");
    }

    function test_withdrawnVectors() public view {
        string memory json = vm.readFile("test/vectors/withdraw.json");
        uint256 count = 0;
        for (string memory c = _case(".totals", 0); vm.keyExistsJson(json, c); c = _case(".totals", ++count)) {
            bytes memory list = vm.parseJsonBytes(json, string.concat(c, ".withdrawn"));
            harness.checkWithdrawn(list);
            uint256[] memory assets = vm.parseJsonUintArray(json, string.concat(c, ".assets"));
            uint256[] memory amounts = vm.parseJsonUintArray(json, string.concat(c, ".amounts"));
            assertEq(list.length, 18 * assets.length, "length");
            for (uint256 j = 0; j < assets.length; j++) {
                (uint16 asset, uint128 amount) = harness.withdrawnAt(list, j);
                assertEq(asset, assets[j], "asset");
                assertEq(amount, amounts[j], "amount");
            }
        }
        assertTrue(count >= 4, "at least four cases");
    }

    /// @dev Each bit of a header changes the digest or is refused; no other length is read.
    function testFuzz_headerBits(uint256 seed, uint16 bit) public view {
        bytes memory header = _header(seed);
        bytes32 digest = harness.digest(header, address(this));
        header[(bit % 4080) / 8] ^= bytes1(uint8(1 << (bit % 8)));
        (bool taken, bytes memory answer) =
            address(harness).staticcall(abi.encodeCall(harness.digest, (header, address(this))));
        if (taken) assertTrue(abi.decode(answer, (bytes32)) != digest, "another digest");
        else assertEq(bytes4(answer), BatchLib.CounterTooLarge.selector, "refusal");
    }

    function testFuzz_headerLength(bytes calldata header) public {
        vm.assume(header.length != 510);
        vm.expectRevert(abi.encodeWithSelector(BatchLib.HeaderLength.selector, 510, header.length));
        harness.decode(header);
    }

    function testFuzz_recover(uint256 key, bytes32 hash) public {
        key = bound(key, 1, 2 ** 255);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, hash);
        assertEq(harness.recover(hash, abi.encodePacked(r, s, v)), vm.addr(key), "signer");
        // The other half of the order names the same signer: refused.
        uint256 order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141;
        bytes memory mirrored = abi.encodePacked(r, bytes32(order - uint256(s)), v == 27 ? uint8(28) : uint8(27));
        vm.expectPartialRevert(BatchLib.SignatureMalformed.selector);
        harness.recover(hash, mirrored);
        vm.expectPartialRevert(BatchLib.SignatureMalformed.selector);
        harness.recover(hash, abi.encodePacked(r, s, v - 27));
        vm.expectPartialRevert(BatchLib.SignatureMalformed.selector);
        harness.recover(hash, abi.encodePacked(bytes32(0), s, v));
        vm.expectPartialRevert(BatchLib.SignatureLength.selector);
        harness.recover(hash, abi.encodePacked(r, s));
    }

    function testFuzz_traceOrder(uint64 step, uint32 rise, uint16 weight) public {
        step = uint64(bound(step, 1, 2 ** 52));
        bytes memory good = _entry(step + 1 + rise, 5, 10, weight);
        harness.foldTrace(good, step, 5);
        vm.expectPartialRevert(BatchLib.TraceOrder.selector);
        harness.foldTrace(good, step + 1 + rise, 5);
        vm.expectPartialRevert(BatchLib.TraceOrder.selector);
        harness.foldTrace(good, step, 6);
        vm.expectPartialRevert(BatchLib.TraceOrder.selector);
        harness.foldTrace(abi.encodePacked(good, _entry(step + 2 + rise, 5, 9, weight)), step, 5);
        vm.expectPartialRevert(BatchLib.TraceLength.selector);
        harness.foldTrace(abi.encodePacked(good, bytes1(0)), step, 5);
        vm.expectPartialRevert(BatchLib.SegmentTooLarge.selector);
        harness.foldTrace(_entry(step + 1, 5, 4097, 1), step, 5);
        vm.expectPartialRevert(BatchLib.SegmentTooLarge.selector);
        harness.foldTrace(_entry(step + 1, 5, 4096, 10_000_001), step, 5);
        harness.foldTrace(_entry(step + 1, 5, 4096, 10_000_000), step, 5);
        vm.expectPartialRevert(BatchLib.CounterTooLarge.selector);
        harness.foldTrace(_entry(2 ** 53, 5, 1, 1), step, 5);
    }

    function testFuzz_withdrawnOrder(uint16 a, uint16 b) public {
        bytes memory list = abi.encodePacked(a, uint128(1), b, uint128(2));
        if (b <= a) vm.expectRevert(abi.encodeWithSelector(BatchLib.WithdrawnMalformed.selector, 1));
        harness.checkWithdrawn(list);
        vm.expectPartialRevert(BatchLib.WithdrawnMalformed.selector);
        harness.checkWithdrawn(abi.encodePacked(list, bytes1(0)));
    }

    function testFuzz_withdrawnOfNothing(uint16 a, uint128 amount) public {
        bytes memory list = abi.encodePacked(a, amount);
        if (amount == 0) vm.expectRevert(abi.encodeWithSelector(BatchLib.WithdrawnMalformed.selector, 0));
        harness.checkWithdrawn(list);
    }

    function test_withdrawnEntries() public {
        bytes memory list = _totals(64);
        harness.checkWithdrawn(list);
        vm.expectRevert(abi.encodeWithSelector(BatchLib.WithdrawnMalformed.selector, 64));
        harness.checkWithdrawn(_totals(65));
    }

    function testFuzz_hashOf(bytes calldata data) public view {
        assertEq(harness.hashOf(data), keccak256(data), "hash");
    }

    function _totals(uint16 count) private pure returns (bytes memory list) {
        for (uint16 asset = 0; asset < count; asset++) {
            list = abi.encodePacked(list, asset, uint128(1));
        }
    }

    function _entry(uint64 nextStep, uint64 nextSeq, uint32 inputEnd, uint64 weight)
        private
        pure
        returns (bytes memory)
    {
        return abi.encodePacked(nextStep, nextSeq, inputEnd, weight, bytes32(uint256(1)), bytes32(uint256(2)));
    }

    /// @dev Random bytes with the upper bits of every 64-bit field cleared.
    function _header(uint256 seed) private pure returns (bytes memory header) {
        for (uint256 i = 0; i < 16; i++) header = abi.encodePacked(header, keccak256(abi.encode(seed, i)));
        assembly {
            mstore(header, 510)
        }
        uint16[13] memory counters = [6, 210, 218, 226, 234, 406, 414, 454, 494, 502, 6, 6, 6];
        for (uint256 i = 0; i < counters.length; i++) {
            header[counters[i]] = 0;
            header[counters[i] + 1] &= 0x1f;
        }
    }
}
