// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Fixture} from "./Fixture.sol";
import {Queue} from "../../settlement/contracts/Queue.sol";
import {Rollup} from "../../settlement/contracts/Rollup.sol";
import {
    BatchRecord,
    FinalHead,
    Head,
    IRollup,
    PostedBatch,
    RollupParameters,
    RollupParts
} from "../../settlement/contracts/interfaces/IRollup.sol";
import {BatchLib, Header} from "../../settlement/contracts/libraries/BatchLib.sol";
import {Bounds} from "../../settlement/contracts/libraries/Bounds.sol";

/// @notice Passes a batch on from within a contract.
contract Relay {
    function pass(Rollup rollup, PostedBatch calldata batch) external {
        rollup.commitBatch(batch);
    }
}

contract RollupTest is Fixture {
    address private constant ALICE = address(0xa11ce);
    address private constant BLOCK_HASHES = 0x0000F90827F1C53a10cb7A02335B175320002935;

    function setUp() public {
        deployAll();
    }

    // --- commit ---

    function test_commitMovesTheHead() public {
        Header memory h = commit(bytes32(uint256(1)), "");
        Head memory head = rollup.head();
        assertEq(head.hash, digestOf(h), "hash");
        assertEq(head.ledgerRoot, h.postLedgerRoot, "ledgerRoot");
        assertEq(head.bookRoot, h.postBookRoot, "bookRoot");
        assertEq(head.inputHash, h.postInputHash, "inputHash");
        assertEq(head.nextStep, h.nextStep, "nextStep");
        assertEq(head.nextSeq, h.nextSeq, "nextSeq");
        assertEq(head.queueNext, 2, "queueNext");
        assertEq(head.timeLast, h.timeLast, "timeLast");
        assertEq(head.id, 1, "id");
        assertEq(head.epoch, 1, "epoch");
        assertEq(head.anchorNumber, block.number - 1, "anchorNumber");
        assertEq(head.committedAt, block.timestamp, "committedAt");
        BatchRecord memory record = rollup.batches(1);
        assertEq(record.hash, head.hash, "record");
        assertEq(record.deadline, block.timestamp + WINDOW, "deadline");
        assertEq(record.committedBlock, block.number, "committedBlock");
        assertEq(record.epoch, 1, "record epoch");
        commit(bytes32(uint256(2)), "");
        assertEq(rollup.head().id, 2, "a second");
    }

    /// @dev EIP-7825 caps a transaction at 2^24 gas: the longest list of totals that can be committed can be finalized.
    function test_theLongestTotalsFitAFinalization() public {
        bytes memory withdrawn;
        for (uint16 asset = 0; asset < 64; asset++) {
            withdrawn = abi.encodePacked(withdrawn, asset, uint128(1));
        }
        Header memory h = commit(bytes32(uint256(1)), withdrawn);
        pass(WINDOW);
        rollup.finalizeBatch{gas: 2_000_000}(packed(h), withdrawn);
        // Entries of nothing are no fraud: thousands of them could be neither struck nor finalized.
        withdrawn = abi.encodePacked(withdrawn, uint16(64), uint128(0));
        h = nextHeader(bytes32(uint256(2)), withdrawn);
        PostedBatch memory batch = signed(h, withdrawn);
        vm.expectPartialRevert(BatchLib.WithdrawnMalformed.selector);
        post(batch);
    }

    /// @dev Any change of a signed header without a new signature is refused.
    function testFuzz_everyBitOfTheHeaderIsSigned(uint16 bit) public {
        PostedBatch memory batch = signed(nextHeader(bytes32(uint256(1)), ""), "");
        batch.header[(bit % 4080) / 8] ^= bytes1(uint8(1 << (bit % 8)));
        _refused(batch);
    }

    /// @dev Any change of the posted bytes is refused.
    function testFuzz_everyBitOfTheBytesIsBound(uint16 seed, uint8 part) public {
        PostedBatch memory batch = signed(nextHeader(bytes32(uint256(1)), totals(0, 5)), totals(0, 5));
        bytes memory bytes_ = [batch.trace, batch.withdrawn, batch.diff, batch.inputs][part % 4];
        bytes_[seed / 8 % bytes_.length] ^= bytes1(uint8(1 << (seed % 8)));
        // The weight of a segment is bound by the trace root like all else.
        _refused(batch);
    }

    function testFuzz_onlyTheSequencerSigns(uint256 key) public {
        key = bound(key, 1, 2 ** 255);
        vm.assume(key != SEQUENCER_KEY);
        Header memory h = nextHeader(bytes32(uint256(1)), "");
        PostedBatch memory batch = signed(h, "");
        batch.signature = signature(key, digestOf(h));
        vm.prank(SUBMITTER, SUBMITTER);
        vm.expectRevert(
            abi.encodeWithSelector(IRollup.WrongSigner.selector, vm.addr(SEQUENCER_KEY), vm.addr(key))
        );
        rollup.commitBatch(batch);
    }

    function test_aBatchCommitsOnce() public {
        PostedBatch memory batch = signed(nextHeader(bytes32(uint256(1)), ""), "");
        post(batch);
        _refused(batch);
        pass(2 * WINDOW);
        rollup.finalizeBatch(batch.header, "");
        _refused(batch);
    }

    function test_aBatchOfAnotherChainOrContractIsRefused() public {
        Header memory h = nextHeader(bytes32(uint256(1)), "");
        PostedBatch memory batch = signed(h, "");
        vm.chainId(5);
        _refused(batch);
        vm.chainId(31337);
        batch.signature = signature(SEQUENCER_KEY, reader.digest(packed(h), address(this)));
        _refused(batch);
    }

    function test_onlyAnAccountWithoutCodeSubmits() public {
        PostedBatch memory batch = signed(nextHeader(bytes32(uint256(1)), ""), "");
        Relay relay = new Relay();
        vm.prank(SUBMITTER, SUBMITTER);
        vm.expectRevert(abi.encodeWithSelector(IRollup.NestedCall.selector, address(relay)));
        relay.pass(rollup, batch);
        // An account with delegated code (EIP-7702) could nest the call though it is its own origin.
        vm.etch(SUBMITTER, abi.encodePacked(hex"ef0100", address(relay)));
        vm.prank(SUBMITTER, SUBMITTER);
        vm.expectRevert(abi.encodeWithSelector(IRollup.NestedCall.selector, SUBMITTER));
        rollup.commitBatch(batch);
        vm.etch(SUBMITTER, "");
        post(batch);
    }

    function testFuzz_continuity(uint8 field, uint256 delta) public {
        commit(bytes32(uint256(1)), "");
        Header memory h = nextHeader(bytes32(uint256(2)), "");
        delta = bound(delta, 1, 2 ** 30);
        bytes32 other = bytes32(delta);
        field = field % 10;
        if (field == 0) h.version += uint16(delta % 60_000) + 1;
        if (field == 1) h.epoch += uint32(delta);
        if (field == 2) h.id += uint64(delta);
        if (field == 3) h.parentHash = other;
        if (field == 4) h.preLedgerRoot = bytes32(uint256(1) + delta);
        if (field == 5) h.preBookRoot = other;
        if (field == 6) h.preInputHash = other;
        if (field == 7) (h.firstStep, h.nextStep) = (h.firstStep + uint64(delta), h.nextStep + uint64(delta));
        if (field == 8) (h.firstSeq, h.nextSeq) = (h.firstSeq + uint64(delta), h.nextSeq + uint64(delta));
        if (field == 9) h.queueFirst += uint64(delta);
        h.traceRoot = leafOf(h);
        _refusedFor(signed(h, ""), IRollup.WrongField.selector);
    }

    function test_times() public {
        Header memory h = nextHeader(bytes32(uint256(1)), "");
        h.timeLast = uint64(block.timestamp * 1000 + 999);
        post(signed(h, ""));
        h = nextHeader(bytes32(uint256(2)), "");
        h.timeFirst = uint64(block.timestamp * 1000 + 998);
        _refusedFor(signed(h, ""), IRollup.TimeOrder.selector);
        h.timeFirst = h.timeLast = uint64(block.timestamp * 1000 + 1000);
        _refusedFor(signed(h, ""), IRollup.TimeOrder.selector);
        vm.warp(block.timestamp + 1);
        h.timeLast -= 1;
        _refusedFor(signed(h, ""), IRollup.TimeOrder.selector);
        h.timeLast += 1;
        post(signed(h, ""));
    }

    function test_aBatchIsNotOlderThanTheLivenessLimit() public {
        Header memory h = nextHeader(bytes32(uint256(1)), "");
        h.queueNext = queue.length();
        PostedBatch memory batch = signed(h, "");
        vm.warp(block.timestamp + LIVENESS + 1);
        _refusedFor(batch, IRollup.TooOld.selector);
        vm.warp(block.timestamp - 1);
        post(batch);
    }

    function test_anchors() public {
        Header memory h = nextHeader(bytes32(uint256(1)), "");
        h.anchorHash = bytes32(uint256(7));
        _refusedFor(signed(h, ""), IRollup.AnchorNotCanonical.selector);
        h.anchorHash = bytes32(0);
        _refusedFor(signed(h, ""), IRollup.AnchorNotCanonical.selector);
        h.anchorNumber = uint64(block.number);
        _refusedFor(signed(h, ""), IRollup.AnchorNotRecent.selector);
        h.anchorNumber = uint64(block.number - 256);
        h.anchorHash = blockhash(block.number - 256);
        post(signed(h, ""));
        h = nextHeader(bytes32(uint256(2)), "");
        h.anchorNumber = uint64(block.number - 257);
        h.anchorHash = bytes32(uint256(1));
        _refusedFor(signed(h, ""), IRollup.AnchorNotRecent.selector);
    }

    function test_anchorsDoNotGoBack() public {
        commit(bytes32(uint256(1)), "");
        Header memory h = nextHeader(bytes32(uint256(2)), "");
        h.anchorNumber -= 1;
        h.anchorHash = blockhash(h.anchorNumber);
        _refusedFor(signed(h, ""), IRollup.AnchorNotRecent.selector);
    }

    function test_anchorsBeyondTheOpcodesReach() public {
        Header memory h = nextHeader(bytes32(uint256(1)), "");
        bytes32 hash = h.anchorHash;
        PostedBatch memory batch = signed(h, "");
        vm.roll(block.number + 256);
        _refusedFor(batch, IRollup.AnchorNotRecent.selector);
        // A history contract that answers each number with the hash of that block.
        vm.etch(BLOCK_HASHES, abi.encodePacked(hex"7f", hash, hex"5f5260205ff3"));
        vm.roll(block.number + 8191 - 256);
        _refusedFor(batch, IRollup.AnchorNotRecent.selector);
        vm.roll(block.number - 1);
        post(batch);
        h = nextHeader(bytes32(uint256(2)), "");
        h.anchorNumber -= 300;
        h.anchorHash = bytes32(uint256(1));
        _refusedFor(signed(h, ""), IRollup.AnchorNotCanonical.selector);
    }

    function test_queueIsTakenUpInOrder() public {
        Header memory h = nextHeader(bytes32(uint256(1)), "");
        h.queueNext = 3;
        _refusedFor(signed(h, ""), IRollup.QueueTooShort.selector);
        h.queueNext = 1;
        _refusedFor(signed(h, ""), IRollup.WrongField.selector);
        (h.queueHash,,) = queue.entries(0);
        post(signed(h, ""));
        h = nextHeader(bytes32(uint256(2)), "");
        h.queueNext = 0;
        h.queueHash = bytes32(0);
        _refusedFor(signed(h, ""), Bounds.OutOfRange.selector);
        h.queueNext = 2;
        (h.queueHash,,) = queue.entries(1);
        post(signed(h, ""));
    }

    /// @dev What is overdue is judged by the header's own anchor and time, not by when it is posted.
    function test_overdueEntriesMustBeTakenUp() public {
        Header memory h = nextHeader(bytes32(uint256(1)), "");
        (h.queueNext, h.queueHash) = (0, bytes32(0));
        (, uint64 deadline,) = queue.entries(0);
        PostedBatch memory early = signed(h, "");
        vm.warp(deadline / 1000 + 10);
        vm.roll(block.number + 2);
        h.timeLast = deadline - 1;
        h.timeFirst = h.timeLast;
        h.anchorNumber = uint64(block.number - 1);
        h.anchorHash = blockhash(block.number - 1);
        PostedBatch memory justInTime = signed(h, "");
        h.timeLast = deadline;
        _refusedFor(signed(h, ""), IRollup.OverdueEntriesLeftOut.selector);
        // At an anchor before the entry nobody could know of it.
        h.anchorNumber = 999;
        h.anchorHash = blockhash(999);
        post(signed(h, ""));
        _refused(early);
        _refused(justInTime);
    }

    function test_theTraceEndsWhereTheHeaderDoes() public {
        Header memory h = nextHeader(bytes32(uint256(1)), "");
        PostedBatch memory batch = signed(h, "");
        h.postBookRoot = bytes32(uint256(7));
        batch.header = packed(h);
        batch.signature = signature(SEQUENCER_KEY, digestOf(h));
        _refusedForField(batch, "trace.stateRoot");
        h = nextHeader(bytes32(uint256(1)), "");
        batch = signed(h, "");
        h.postInputHash = bytes32(uint256(7));
        batch.header = packed(h);
        batch.signature = signature(SEQUENCER_KEY, digestOf(h));
        _refusedForField(batch, "trace.inputHash");
    }

    function test_calldataIsCanonical() public {
        PostedBatch memory batch = signed(nextHeader(bytes32(uint256(1)), ""), "");
        bytes memory call = abi.encodeCall(rollup.commitBatch, (batch));
        _refusedCall(bytes.concat(call, hex"00"), "calldata.length");
        // The offset of `inputs`, the last of six, points where that of `diff` does.
        bytes memory overlapping = bytes.concat(call);
        uint256 last = 4 + 32 + 5 * 32;
        for (uint256 i = 0; i < 32; i++) overlapping[last + i] = call[last - 32 + i];
        _refusedCall(overlapping, "calldata.inputs");
        vm.prank(SUBMITTER, SUBMITTER);
        (bool taken,) = address(rollup).call(call);
        assertTrue(taken, "as it should be");
    }

    function test_traceSpansTheBatch() public {
        Header memory h = nextHeader(bytes32(uint256(1)), "");
        h.nextStep = h.firstStep;
        h.traceRoot = leafOf(h);
        _refusedFor(signed(h, ""), BatchLib.TraceOrder.selector);
        h = nextHeader(bytes32(uint256(1)), "");
        h.traceLength = 2;
        _refusedFor(signed(h, ""), IRollup.WrongField.selector);
        h = nextHeader(bytes32(uint256(1)), "");
        PostedBatch memory batch = signed(h, "");
        batch.trace = abi.encodePacked(batch.trace, batch.trace);
        _refusedFor(batch, BatchLib.TraceOrder.selector);
    }

    // --- finality ---

    function testFuzz_notWithinTheWindow(uint64 wait) public {
        Header memory h = commit(bytes32(uint256(1)), "");
        wait = uint64(bound(wait, 0, 2 * WINDOW));
        pass(wait);
        if (wait < WINDOW) vm.expectPartialRevert(IRollup.WindowOpen.selector);
        rollup.finalizeBatch(packed(h), "");
    }

    function test_finalityInOrderWithThePostedBytes() public {
        bytes memory five = totals(0, 5);
        Header memory first = commit(bytes32(uint256(1)), five);
        Header memory second = commit(bytes32(uint256(2)), "");
        pass(WINDOW);
        vm.expectPartialRevert(IRollup.WrongField.selector);
        rollup.finalizeBatch(packed(second), "");
        vm.expectPartialRevert(IRollup.WrongField.selector);
        rollup.finalizeBatch(packed(first), totals(0, 6));
        assertEq(rollup.finalLedgerRoot(1), bytes32(0), "not final yet");
        rollup.finalizeBatch(packed(first), five);
        assertEq(rollup.finalLedgerRoot(1), bytes32(uint256(1)), "root");
        assertEq(rollup.withdrawnTotal(0), 5, "total");
        FinalHead memory final_ = rollup.finalHead();
        assertEq(final_.id, 1, "id");
        assertEq(final_.queueNext, 2, "queueNext");
        assertEq(final_.timeLast, first.timeLast, "timeLast");
        rollup.finalizeBatch(packed(second), "");
        vm.expectRevert(abi.encodeWithSelector(IRollup.NoSuchBatch.selector, 2, 3));
        rollup.finalizeBatch(packed(second), "");
    }

    function test_totalsAddUpOverAssets() public {
        settle(bytes32(uint256(1)), abi.encodePacked(uint16(0), uint128(5), uint16(7), type(uint128).max));
        settle(bytes32(uint256(2)), abi.encodePacked(uint16(7), type(uint128).max));
        assertEq(rollup.withdrawnTotal(0), 5, "asset 0");
        assertEq(rollup.withdrawnTotal(7), 2 * uint256(type(uint128).max), "asset 7");
        assertEq(rollup.withdrawnTotal(1), 0, "asset 1");
    }

    // --- epochs ---

    function test_aNewEpochVoidsWhatWasSignedForTheOldOne() public {
        commit(bytes32(uint256(1)), "");
        PostedBatch memory stale = signed(nextHeader(bytes32(uint256(2)), ""), "");
        bytes32 parent = rollup.head().hash;
        rollup.openEpoch(2, _epochSignature(SEQUENCER_KEY, 2, parent));
        _refusedFor(stale, IRollup.WrongField.selector);
        commit(bytes32(uint256(3)), "");
        assertEq(rollup.batches(2).epoch, 2, "epoch");
    }

    function test_epochsAreOpenedBySignatureOneAfterTheOther() public {
        bytes memory third = _epochSignature(SEQUENCER_KEY, 3, 0);
        vm.expectPartialRevert(IRollup.WrongField.selector);
        rollup.openEpoch(3, third);
        bytes memory first = _epochSignature(SEQUENCER_KEY, 1, 0);
        vm.expectPartialRevert(IRollup.WrongField.selector);
        rollup.openEpoch(1, first);
        bytes memory foreign = _epochSignature(SEQUENCER_KEY + 1, 2, 0);
        vm.expectPartialRevert(IRollup.WrongSigner.selector);
        rollup.openEpoch(2, foreign);
        bytes memory fromBefore = _epochSignature(SEQUENCER_KEY, 2, 0);
        commit(bytes32(uint256(1)), "");
        // Signed on top of nothing: not valid on top of batch 1.
        vm.expectPartialRevert(IRollup.WrongSigner.selector);
        rollup.openEpoch(2, fromBefore);
    }

    // --- freeze ---

    function test_freezeWhenAnEntryIsOverdue() public {
        (, uint64 deadline,) = queue.entries(0);
        vm.warp(deadline / 1000);
        vm.expectPartialRevert(IRollup.NotFrozenYet.selector);
        rollup.freeze();
        vm.warp(deadline / 1000 + 1);
        PostedBatch memory tooLate = signed(nextHeader(bytes32(uint256(1)), ""), "");
        vm.prank(ALICE);
        rollup.freeze();
        assertTrue(rollup.frozen(), "frozen");
        vm.expectRevert(IRollup.RollupFrozen.selector);
        rollup.freeze();
        _refusedFor(tooLate, IRollup.RollupFrozen.selector);
        bytes memory next = _epochSignature(SEQUENCER_KEY, 2, 0);
        vm.expectRevert(IRollup.RollupFrozen.selector);
        rollup.openEpoch(2, next);
    }

    function test_freezeWhenTheSequencerIsSilent() public {
        commit(bytes32(uint256(1)), "");
        vm.warp(block.timestamp + LIVENESS);
        vm.expectPartialRevert(IRollup.NotFrozenYet.selector);
        rollup.freeze();
        vm.warp(block.timestamp + 1);
        rollup.freeze();
    }

    function test_whatWasCommittedBeforeAFreezeStillBecomesFinal() public {
        Header memory h = commit(bytes32(uint256(1)), "");
        vm.warp(block.timestamp + LIVENESS + 1);
        rollup.freeze();
        rollup.finalizeBatch(packed(h), "");
        assertEq(rollup.finalHead().id, 1, "final");
    }

    /// @dev A flood of entries never gets an obedient sequencer frozen: it takes one up every interval.
    function test_aFloodDoesNotFreezeAnObedientSequencer() public {
        vm.deal(ALICE, type(uint128).max);
        for (uint256 i = 0; i < 400; i++) {
            uint256 fee = queue.feeOf(2);
            vm.prank(ALICE);
            queue.requestForced{value: fee}(2, hex"00");
        }
        uint64 next = 0;
        vm.warp(block.timestamp + INCLUSION_MS / 1000);
        for (uint256 i = 0; i < 210; i++) {
            // Two entries a second, from the moment the first of them is due.
            next = next + 2 > queue.length() ? queue.length() : next + 2;
            Header memory h = nextHeader(bytes32(uint256(i + 1)), "");
            h.queueNext = next;
            (, h.queueHash,,) = queue.cursorAt(next);
            post(signed(h, ""));
            vm.expectPartialRevert(IRollup.NotFrozenYet.selector);
            rollup.freeze();
            pass(1);
        }
        assertEq(rollup.head().queueNext, queue.length(), "all of them");
    }

    // --- bond ---

    function test_noCommitWithoutAFullBond() public {
        vm.prank(vm.addr(SEQUENCER_KEY));
        vm.warp(block.timestamp + 2 * WINDOW);
        rollup.unbond(1, payable(ALICE));
        PostedBatch memory batch = signed(nextHeader(bytes32(uint256(1)), ""), "");
        _refusedFor(batch, IRollup.BondTooLow.selector);
        vm.deal(address(this), 1);
        rollup.topUpBond{value: 1}();
        assertEq(rollup.bond(), BOND, "bond");
        post(batch);
    }

    function test_unbondOnlyWhenNothingCanBeHeldAgainstIt() public {
        address sequencer = vm.addr(SEQUENCER_KEY);
        Header memory h = commit(bytes32(uint256(1)), "");
        vm.expectRevert(abi.encodeWithSelector(IRollup.WrongSigner.selector, sequencer, address(this)));
        rollup.unbond(1, payable(ALICE));
        pass(2 * WINDOW);
        vm.prank(sequencer);
        vm.expectRevert(abi.encodeWithSelector(IRollup.BatchesPending.selector, 1, 0));
        rollup.unbond(1, payable(ALICE));
        rollup.finalizeBatch(packed(h), "");
        vm.warp(block.timestamp - 1);
        vm.prank(sequencer);
        vm.expectPartialRevert(IRollup.WindowOpen.selector);
        rollup.unbond(1, payable(ALICE));
        vm.warp(block.timestamp + 1);
        vm.prank(sequencer);
        vm.expectPartialRevert(IRollup.BondTooLow.selector);
        rollup.unbond(BOND + 1, payable(ALICE));
        vm.prank(sequencer);
        rollup.unbond(BOND, payable(ALICE));
        assertEq(ALICE.balance, BOND, "paid out");
        assertEq(rollup.bond(), 0, "nothing left");
    }

    // --- deployment ---

    function test_constructorBounds() public {
        RollupParameters memory p = rollupParameters();
        p.window = 0;
        _refusesParameters(p);
        p.window = 60 days + 1;
        _refusesParameters(p);
        p = rollupParameters();
        p.livenessLimit = 59;
        _refusesParameters(p);
        p.livenessLimit = 30 days + 1;
        _refusesParameters(p);
        p = rollupParameters();
        p.bond = 0;
        _refusesParameters(p);
        p = rollupParameters();
        p.sequencer = address(0);
        _refusesParameters(p);
        vm.chainId(1);
        // On mainnet a day is too short.
        _refusesParameters(rollupParameters());
    }

    function test_wiringIsChecked() public {
        RollupParts memory old = parts();
        deployFor(address(token));
        vm.expectPartialRevert(IRollup.WrongWiring.selector);
        new Rollup(old, rollupParameters());
        // All but one for the right rollup; the other for an older one, or without code.
        for (uint256 i = 0; i < 12; i++) {
            deployParts(address(token));
            RollupParts memory astray = parts();
            address[6] memory foreign =
                [old.queue, old.vault, old.challenges, old.demands, old.equivocation, old.escape];
            address other = i < 6 ? foreign[i] : address(0xdead);
            if (i % 6 == 0) astray.queue = other;
            if (i % 6 == 1) astray.vault = other;
            if (i % 6 == 2) astray.challenges = other;
            if (i % 6 == 3) astray.demands = other;
            if (i % 6 == 4) astray.equivocation = other;
            if (i % 6 == 5) astray.escape = other;
            vm.expectPartialRevert(IRollup.WrongWiring.selector);
            new Rollup(astray, rollupParameters());
        }
        deployParts(address(token));
        new Rollup(parts(), rollupParameters());
    }

    function _refusesParameters(RollupParameters memory p) private {
        vm.expectPartialRevert(Bounds.OutOfRange.selector);
        new Rollup(parts(), p);
    }

    function _epochSignature(uint256 key, uint32 epoch, bytes32 parent) private view returns (bytes memory) {
        bytes32 structHash =
            keccak256(abi.encode(keccak256("Epoch(uint32 epoch,bytes32 parentHash)"), epoch, parent));
        return signature(key, keccak256(abi.encodePacked(hex"1901", rollup.domainSeparator(), structHash)));
    }

    function _refused(PostedBatch memory batch) private {
        vm.prank(SUBMITTER, SUBMITTER);
        vm.expectRevert();
        rollup.commitBatch(batch);
    }

    function _refusedForField(PostedBatch memory batch, bytes32 field) private {
        _refusedCall(abi.encodeCall(rollup.commitBatch, (batch)), field);
    }

    function _refusedCall(bytes memory call, bytes32 field) private {
        vm.prank(SUBMITTER, SUBMITTER);
        (bool taken, bytes memory answer) = address(rollup).call(call);
        assertTrue(!taken, "refused");
        bytes32 got;
        assembly {
            got := mload(add(answer, 36))
        }
        assertEq(bytes4(answer), IRollup.WrongField.selector, "why");
        assertEq(got, field, "field");
    }

    function _refusedFor(PostedBatch memory batch, bytes4 why) private {
        vm.prank(SUBMITTER, SUBMITTER);
        vm.expectPartialRevert(why);
        rollup.commitBatch(batch);
    }
}
