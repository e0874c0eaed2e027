// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BlobStream, BlobVectors} from "./BlobVectors.sol";
import {ChallengeFixture, Made} from "./ChallengeFixture.sol";
import {Vm} from "./Vm.sol";
import {Rollup} from "../../settlement/contracts/Rollup.sol";
import {IChallenges} from "../../settlement/contracts/interfaces/IChallenges.sol";
import {Carrier, IRollup, PostedBatch, RollupParameters} from "../../settlement/contracts/interfaces/IRollup.sol";
import {Header} from "../../settlement/contracts/libraries/BatchLib.sol";
import {BlobLib, Opening} from "../../settlement/contracts/libraries/BlobLib.sol";

/// @notice Where the inputs of a batch are: what commitBatch takes, notes and says, and what checkBlobs strikes.
contract CarriersTest is ChallengeFixture, BlobVectors {
    bytes32 private constant ELSEWHERE = keccak256("InputsElsewhere(uint64,bytes32,uint8,bytes32[])");

    function setUp() public {
        deployAll();
    }

    // --- commitBatch ---

    function test_inputsInCalldataAreNotElsewhere() public {
        Made memory m = first();
        vm.recordLogs();
        send(m);
        (bool said,,) = _elsewhere();
        assertTrue(!said, "no event");
        assertEq(rollup.batches(1).carrier, Carrier.CALLDATA, "carrier");
        assertEq(rollup.blobsHash(digestOf(m.h)), 0, "no blobs");
    }

    /// @dev Blobs that a transaction carries beside inputs in calldata mean nothing.
    function test_calldataGoesFirst() public {
        vm.blobhashes(_hashes(1));
        send(first());
        assertEq(rollup.batches(1).carrier, Carrier.CALLDATA, "carrier");
    }

    function test_inputsInBlobs() public {
        Made memory m = first();
        bytes32[] memory hashes = _hashes(1);
        vm.blobhashes(hashes);
        vm.recordLogs();
        post(_without(m));
        (bool said, uint8 carrier, bytes32[] memory blobs) = _elsewhere();
        assertTrue(said, "event");
        assertEq(carrier, Carrier.BLOBS, "carrier");
        assertEq(blobs.length, 1, "one");
        assertEq(blobs[0], hashes[0], "the blob");
        assertEq(rollup.batches(1).carrier, Carrier.BLOBS, "record");
        assertEq(rollup.blobsHash(digestOf(m.h)), keccak256(abi.encodePacked(hashes)), "blobsHash");
        pass(WINDOW);
        rollup.finalizeBatch(packed(m.h), m.withdrawn);
        assertEq(rollup.finalHead().id, 1, "final");
    }

    function testFuzz_asManyBlobsAsTheInputsFill(uint32 length, uint8 count) public {
        Made memory m = first();
        uint256 most = 6 * 126_976;
        uint32 inputBytes = uint32(bound(length, 1, most + 50_000));
        uint256 got = bound(count, 1, 8);
        _longer(m, inputBytes);
        uint256 expected = (uint256(inputBytes) + 126_975) / 126_976;
        vm.blobhashes(_hashes(got));
        PostedBatch memory batch = _without(m);
        if (expected > 6) {
            vm.expectRevert(abi.encodeWithSelector(IRollup.BlobCount.selector, 6, expected));
            vm.prank(SUBMITTER, SUBMITTER);
            rollup.commitBatch(batch);
        } else if (expected != got) {
            vm.expectRevert(abi.encodeWithSelector(IRollup.BlobCount.selector, expected, got > 7 ? 7 : got));
            vm.prank(SUBMITTER, SUBMITTER);
            rollup.commitBatch(batch);
        } else {
            post(batch);
            assertEq(rollup.batches(1).carrier, Carrier.BLOBS, "taken");
        }
    }

    function test_nothingOffChainByDefault() public {
        Made memory m = first();
        PostedBatch memory batch = _without(m);
        vm.prank(SUBMITTER, SUBMITTER);
        vm.expectRevert(abi.encodeWithSelector(IRollup.InputsMissing.selector, m.inputs.length));
        rollup.commitBatch(batch);
    }

    function test_inputsOffChainWhereTheRollupSaysSo() public {
        _deployOffChain();
        Made memory m = first();
        vm.recordLogs();
        post(_without(m));
        (bool said, uint8 carrier, bytes32[] memory blobs) = _elsewhere();
        assertTrue(said, "event");
        assertEq(carrier, Carrier.OFF_CHAIN, "carrier");
        assertEq(blobs.length, 0, "no blobs");
        assertEq(rollup.batches(1).carrier, Carrier.OFF_CHAIN, "record");
        assertEq(rollup.blobsHash(digestOf(m.h)), 0, "blobsHash");
        // Each batch says for itself.
        Made memory n = second(m);
        send(n);
        assertEq(rollup.batches(2).carrier, Carrier.CALLDATA, "the next one");
    }

    /// @dev A batch without inputs (ticks alone) has nothing that could be elsewhere.
    function test_aBatchWithoutInputs() public {
        Made memory m = first();
        m.inputs = "";
        seal(m);
        send(m);
        assertEq(rollup.batches(1).carrier, Carrier.CALLDATA, "carrier");
    }

    /// @dev What blobs hold is not signed: a stranger who takes a signed batch out of the mempool and puts other blobs
    /// under it would have the honest sequencer struck, and half of the bond for it.
    function testFuzz_nobodyElsePutsInputsElsewhere(address stranger, bool offChain) public {
        vm.assume(stranger != SUBMITTER && stranger.code.length == 0);
        _deployOffChain();
        PostedBatch memory batch = _without(first());
        if (!offChain) vm.blobhashes(blobStream(ALTERED).hashes);
        vm.prank(stranger, stranger);
        vm.expectRevert(abi.encodeWithSelector(IRollup.NotSubmitter.selector, SUBMITTER, stranger));
        rollup.commitBatch(batch);
        batch = posted(first());
        vm.prank(stranger, stranger);
        rollup.commitBatch(batch);
        assertEq(rollup.batches(1).carrier, Carrier.CALLDATA, "whole, anyone may send it");
    }

    function test_theSequencerNamesItsSubmitter() public {
        address sequencer = vm.addr(SEQUENCER_KEY);
        vm.prank(SUBMITTER, SUBMITTER);
        vm.expectRevert(abi.encodeWithSelector(IRollup.WrongSigner.selector, sequencer, SUBMITTER));
        rollup.setSubmitter(address(0xbeef));
        vm.prank(sequencer, sequencer);
        rollup.setSubmitter(address(0xbeef));
        assertEq(rollup.submitter(), address(0xbeef), "named");
        vm.blobhashes(_hashes(1));
        PostedBatch memory batch = _without(first());
        vm.prank(SUBMITTER, SUBMITTER);
        vm.expectPartialRevert(IRollup.NotSubmitter.selector);
        rollup.commitBatch(batch);
        vm.prank(address(0xbeef), address(0xbeef));
        rollup.commitBatch(batch);
        assertEq(rollup.batches(1).carrier, Carrier.BLOBS, "the new one's");
    }

    /// @dev The carrier is not signed: the same batch may be posted either way.
    function test_theCarrierIsTheSubmittersChoice() public {
        _deployOffChain();
        Made memory m = first();
        uint256 snapshot = vm.snapshotState();
        bytes32 hash = digestOf(m.h);
        send(m);
        assertEq(rollup.head().hash, hash, "in calldata");
        vm.revertToState(snapshot);
        post(_without(m));
        assertEq(rollup.head().hash, hash, "off chain");
        vm.revertToState(snapshot);
        vm.blobhashes(_hashes(1));
        post(_without(m));
        assertEq(rollup.head().hash, hash, "in a blob");
    }

    function test_halfOfTheInputsInCalldataIsRefused() public {
        _deployOffChain();
        Made memory m = first();
        PostedBatch memory batch = posted(m);
        batch.inputs = slice(m.inputs, 0, m.inputs.length / 2);
        vm.prank(SUBMITTER, SUBMITTER);
        vm.expectPartialRevert(IRollup.WrongField.selector);
        rollup.commitBatch(batch);
    }

    // --- checkBlobs ---

    function test_anHonestBlobIsNeverStruck() public {
        Made memory m = _inBlob(HONEST);
        for (uint256 i = 0; i < SEGMENTS; i++) refusedAsNoFraud(m, _blobProof(m, blobStream(HONEST), i));
    }

    function test_aBlobOfOtherBytesIsStruck() public {
        Made memory m = _inBlob(ALTERED);
        BlobStream memory s = blobStream(ALTERED);
        // Byte 100 stands in the second segment: that one alone does not fold.
        refusedAsNoFraud(m, _blobProof(m, s, 0));
        refusedAsNoFraud(m, _blobProof(m, s, 2));
        bytes32 hash = digestOf(m.h);
        assertEq(prove(_blobProof(m, s, 1)), hash, "struck");
        assertEq(rollup.head().id, 0, "gone");
        assertEq(rollup.head().epoch, 2, "epoch");
    }

    function test_anElementOfMoreThan31BytesIsStruck() public {
        Made memory m = _inBlob(UNCLEAN);
        BlobStream memory s = blobStream(UNCLEAN);
        // Element 3 holds bytes 93 to 123, of the second segment.
        refusedAsNoFraud(m, _blobProof(m, s, 2));
        prove(_blobProof(m, s, 1));
        assertEq(rollup.head().id, 0, "gone");
    }

    /// @dev Openings of another blob, or of a batch whose inputs are elsewhere, prove nothing.
    function test_onlyTheBatchsOwnBlobs() public {
        Made memory m = _inBlob(HONEST);
        BlobStream memory s = blobStream(ALTERED);
        bytes memory proof = _blobProof(m, s, 1);
        vm.expectPartialRevert(IChallenges.WrongBytes.selector);
        prove(proof);
        Made memory n = second(m);
        vm.blobhashes(new bytes32[](0));
        send(n);
        proof = _blobProof(n, s, 1);
        vm.expectPartialRevert(IChallenges.WrongBytes.selector);
        prove(proof);
        // Nor do inputs that stand nowhere in calldata help checkInputs.
        bytes memory altered = s.data;
        proof = abi.encodeCall(IChallenges.checkInputs, (packed(m.h), segmentProof(m, 1), altered));
        vm.expectPartialRevert(IChallenges.WrongBytes.selector);
        prove(proof);
    }

    function test_openingsOfAnotherSegment() public {
        Made memory m = _inBlob(ALTERED);
        BlobStream memory s = blobStream(ALTERED);
        Opening[] memory others = openingsOf(s, 0, inputEnd(m, 1));
        bytes memory proof =
            abi.encodeCall(IChallenges.checkBlobs, (packed(m.h), segmentProof(m, 1), s.hashes, others));
        vm.expectPartialRevert(BlobLib.OpeningMalformed.selector);
        prove(proof);
    }

    /// @dev No gas makes an honest blob a wrong one.
    function testFuzz_restrictedGas(uint256 gas_) public {
        Made memory m = _inBlob(HONEST);
        bytes memory proof = _blobProof(m, blobStream(HONEST), gas_ % SEGMENTS);
        gas_ = bound(gas_, 60_000, 900_000);
        (bool success,) =
            address(challenges).call{gas: gas_}(abi.encodeCall(challenges.proveFraud, (proof, address(0), 0)));
        assertTrue(!success, "never struck");
        assertEq(rollup.head().id, 1, "stands");
    }

    // --- helpers ---

    function _deployOffChain() private {
        deployParts(address(token));
        vm.deal(address(this), address(this).balance + BOND);
        RollupParameters memory parameters = rollupParameters();
        parameters.inputsOffChain = true;
        rollup = new Rollup{value: BOND}(parts(), parameters);
    }

    function _without(Made memory m) private view returns (PostedBatch memory batch) {
        batch = posted(m);
        batch.inputs = "";
    }

    /// @dev A committed batch of the five records of the vectors, carried by the blob of stream `i`.
    function _inBlob(uint256 i) private returns (Made memory m) {
        m = first();
        m.inputs = blobStream(HONEST).data;
        seal(m);
        vm.blobhashes(blobStream(i).hashes);
        post(_without(m));
    }

    function _blobProof(Made memory m, BlobStream memory s, uint256 segment) private pure returns (bytes memory) {
        Opening[] memory openings = openingsOf(s, inputEnd(m, segment), inputEnd(m, segment + 1));
        return abi.encodeCall(IChallenges.checkBlobs, (packed(m.h), segmentProof(m, segment), s.hashes, openings));
    }

    /// @dev A trace that claims so many bytes; segments are as long as the rules allow, so there are many of them.
    function _longer(Made memory m, uint32 inputBytes) private pure {
        Header memory h = m.h;
        h.inputBytes = inputBytes;
        uint256 count = (uint256(inputBytes) + 4095) / 4096;
        bytes32[] memory nodes = new bytes32[](count);
        m.trace = "";
        bytes memory start = abi.encodePacked(h.firstStep, h.firstSeq, uint32(0));
        for (uint256 i = 0; i < count; i++) {
            bool last = i + 1 == count;
            uint32 end = last ? inputBytes : uint32(4096 * (i + 1));
            bytes32 state = last ? keccak256(abi.encodePacked(bytes1(0x03), h.postLedgerRoot, h.postBookRoot)) : bytes32(i);
            bytes memory entry = abi.encodePacked(
                h.firstStep + uint64(i + 1), h.firstSeq + uint64(i), end, uint64(1), last ? h.postInputHash : bytes32(i), state
            );
            nodes[i] = keccak256(abi.encodePacked(bytes1(0x02), uint32(i), start, entry));
            start = slice(entry, 0, 20);
            m.trace = abi.encodePacked(m.trace, entry);
        }
        h.traceLength = uint32(count);
        h.nextStep = h.firstStep + uint64(count);
        h.nextSeq = h.firstSeq + uint64(count - 1);
        while (count > 1) {
            uint256 half = 0;
            for (uint256 i = 0; i < count; i += 2) {
                nodes[half++] = i + 1 < count
                    ? keccak256(abi.encodePacked(bytes1(0x04), nodes[i], nodes[i + 1]))
                    : nodes[i];
            }
            count = half;
        }
        h.traceRoot = nodes[0];
    }

    function _hashes(uint256 count) private pure returns (bytes32[] memory hashes) {
        hashes = new bytes32[](count);
        for (uint256 i = 0; i < count; i++) hashes[i] = bytes32((uint256(1) << 248) | (i + 7));
    }

    function _elsewhere() private returns (bool said, uint8 carrier, bytes32[] memory blobs) {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i = 0; i < logs.length; i++) {
            if (logs[i].topics[0] != ELSEWHERE) continue;
            said = true;
            (carrier, blobs) = abi.decode(logs[i].data, (uint8, bytes32[]));
        }
    }
}
