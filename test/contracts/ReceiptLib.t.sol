// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Test} from "./Test.sol";
import {BatchLib} from "../../settlement/contracts/libraries/BatchLib.sol";
import {Receipt, ReceiptLib} from "../../settlement/contracts/libraries/ReceiptLib.sol";
import {Segment, TraceProof} from "../../settlement/contracts/libraries/TraceProof.sol";

contract ReceiptLibHarness {
    function open(bytes calldata signed, address rollup) external view returns (Receipt memory, bytes32, address) {
        return ReceiptLib.open(signed, BatchLib.domainSeparator(rollup));
    }

    function fold(bytes32 before, bytes calldata links, uint256 count) external pure returns (bytes32) {
        return ReceiptLib.fold(before, links, count);
    }

    function openSegment(bytes32 root, uint256 length, uint256 index, bytes calldata segment, bytes calldata path)
        external
        pure
        returns (Segment memory)
    {
        return TraceProof.open(root, length, index, segment, path);
    }
}

contract ReceiptLibTest is Test {
    ReceiptLibHarness private harness = new ReceiptLibHarness();

    function test_receiptVectors() public {
        string memory json = vm.readFile("test/vectors/receipt.json");
        uint256 count = 0;
        for (string memory c = _case(".cases", 0); vm.keyExistsJson(json, c); c = _case(".cases", ++count)) {
            vm.chainId(vm.parseJsonUint(json, string.concat(c, ".chainId")));
            (Receipt memory receipt, bytes32 digest, address signer) = harness.open(
                vm.parseJsonBytes(json, string.concat(c, ".receipt")),
                vm.parseJsonAddress(json, string.concat(c, ".rollup"))
            );
            assertEq(digest, vm.parseJsonBytes32(json, string.concat(c, ".digest")), string.concat(c, ".digest"));
            assertEq(signer, vm.parseJsonAddress(json, string.concat(c, ".signer")), string.concat(c, ".signer"));
            bytes32 after_ = vm.parseJsonBytes32(json, string.concat(c, ".after"));
            assertEq(receipt.inputHash, after_, "inputHash");
            bytes memory links = vm.parseJsonBytes(json, string.concat(c, ".links"));
            bytes32 before = vm.parseJsonBytes32(json, string.concat(c, ".before"));
            assertEq(harness.fold(before, links, count), after_, string.concat(c, ".after"));
            vm.expectRevert(abi.encodeWithSelector(ReceiptLib.LinksLength.selector, count + 1, count));
            harness.fold(before, links, count + 1);
        }
        assertTrue(count >= 16, "at least sixteen cases");
    }

    function test_everyFieldOfAReceiptIsSigned() public view {
        string memory json = vm.readFile("test/vectors/receipt.json");
        bytes memory signed = vm.parseJsonBytes(json, ".cases[5].receipt");
        address rollup = vm.parseJsonAddress(json, ".cases[5].rollup");
        address signer = vm.parseJsonAddress(json, ".cases[5].signer");
        for (uint256 i = 0; i < 84; i++) {
            bytes1 was = signed[i];
            signed[i] = was ^ 0x01;
            try harness.open(signed, rollup) returns (Receipt memory, bytes32, address got) {
                assertTrue(got != signer, "another receipt has another signer");
            } catch {}
            signed[i] = was;
        }
    }

    function test_lengthsAreExact() public {
        vm.expectRevert(abi.encodeWithSelector(ReceiptLib.ReceiptLength.selector, 149, 148));
        harness.open(new bytes(148), address(1));
        vm.expectRevert(abi.encodeWithSelector(ReceiptLib.LinksLength.selector, 1, 1));
        harness.fold(bytes32(0), new bytes(33), 1);
    }

    function test_traceProofVectors() public view {
        string memory json = vm.readFile("test/vectors/trace-proof.json");
        uint256 count = 0;
        for (string memory c = _case(".cases", 0); vm.keyExistsJson(json, c); c = _case(".cases", ++count)) {
            bytes memory trace = vm.parseJsonBytes(json, string.concat(c, ".trace"));
            Segment memory last;
            last.nextStep = vm.parseJsonUint(json, string.concat(c, ".firstStep"));
            last.nextSeq = vm.parseJsonUint(json, string.concat(c, ".firstSeq"));
            for (uint256 i = 0; i < trace.length / 92; i++) {
                Segment memory s = _opened(json, c, trace.length / 92, i);
                assertEq(s.firstStep, last.nextStep, "firstStep");
                assertEq(s.firstSeq, last.nextSeq, "firstSeq");
                assertEq(s.inputStart, last.inputEnd, "inputStart");
                assertEq(s.nextStep, 100 + 9 * i, "nextStep");
                assertEq(s.nextSeq, 10 + 3 * i, "nextSeq");
                assertEq(s.inputEnd, 500 * (i + 1), "inputEnd");
                assertEq(s.weight, 1_000_000 + i, "weight");
                assertEq(s.inputHash, _word(trace, 92 * i + 28), "inputHash");
                assertEq(s.stateRoot, _word(trace, 92 * i + 60), "stateRoot");
                last = s;
            }
        }
        assertTrue(count >= 13, "at least thirteen cases");
    }

    function _opened(string memory json, string memory c, uint256 length, uint256 i)
        private
        view
        returns (Segment memory)
    {
        string memory one = _case(string.concat(c, ".segments"), i);
        bytes32 root = vm.parseJsonBytes32(json, string.concat(c, ".root"));
        bytes memory segment = vm.parseJsonBytes(json, string.concat(one, ".segment"));
        bytes memory path = vm.parseJsonBytes(json, string.concat(one, ".path"));
        return harness.openSegment(root, length, i, segment, path);
    }

    function testFuzz_otherSegmentsDoNotOpen(uint256 which, uint256 index, uint256 byteAt, bytes1 mask) public {
        vm.assume(mask != 0);
        string memory json = vm.readFile("test/vectors/trace-proof.json");
        string memory c = _case(".cases", bound(which, 1, 12));
        uint256 length = vm.parseJsonBytes(json, string.concat(c, ".trace")).length / 92;
        index = bound(index, 0, length - 1);
        string memory one = _case(string.concat(c, ".segments"), index);
        bytes32 root = vm.parseJsonBytes32(json, string.concat(c, ".root"));
        bytes memory segment = vm.parseJsonBytes(json, string.concat(one, ".segment"));
        bytes memory path = vm.parseJsonBytes(json, string.concat(one, ".path"));
        uint256 place = bound(byteAt, 0, segment.length + path.length - 1);
        if (place < segment.length) segment[place] ^= mask;
        else path[place - segment.length] ^= mask;
        vm.expectPartialRevert(TraceProof.WrongTraceRoot.selector);
        harness.openSegment(root, length, index, segment, path);
    }

    function test_pathsAreExact() public {
        string memory json = vm.readFile("test/vectors/trace-proof.json");
        bytes32 root = vm.parseJsonBytes32(json, ".cases[4].root");
        bytes memory segment = vm.parseJsonBytes(json, ".cases[4].segments[4].segment");
        bytes memory path = vm.parseJsonBytes(json, ".cases[4].segments[4].path");
        assertEq(path.length, 32, "the fifth of five is lifted twice");
        vm.expectRevert(abi.encodeWithSelector(TraceProof.TracePathLength.selector, 32, 64));
        harness.openSegment(root, 5, 4, segment, abi.encodePacked(path, bytes32(0)));
        vm.expectRevert(abi.encodeWithSelector(TraceProof.TracePathLength.selector, 32, 0));
        harness.openSegment(root, 5, 4, segment, "");
        vm.expectRevert(abi.encodeWithSelector(TraceProof.NoSuchSegment.selector, 5, 5));
        harness.openSegment(root, 5, 5, segment, path);
        vm.expectRevert(abi.encodeWithSelector(TraceProof.SegmentLength.selector, 112, 113));
        harness.openSegment(root, 5, 4, abi.encodePacked(segment, bytes1(0)), path);
    }

    function _word(bytes memory data, uint256 offset) private pure returns (bytes32 word) {
        assembly ("memory-safe") {
            word := mload(add(add(data, 32), offset))
        }
    }
}
