// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ChallengeFixture, Made} from "./ChallengeFixture.sol";
import {Leaf, SlowDiff} from "./DiffLib.t.sol";
import {ScriptedStepProver} from "./ScriptedStepProver.sol";
import {IChallenges, LeafProofs, SegmentProof} from "../../settlement/contracts/interfaces/IChallenges.sol";
import {PostedBatch} from "../../settlement/contracts/interfaces/IRollup.sol";
import {Bounds} from "../../settlement/contracts/libraries/Bounds.sol";
import {DiffLib} from "../../settlement/contracts/libraries/DiffLib.sol";
import {TraceProof} from "../../settlement/contracts/libraries/TraceProof.sol";
import {TreeProof} from "../../settlement/contracts/libraries/TreeProof.sol";
import {Outcome, Witness} from "../../settlement/contracts/step/IStepProver.sol";

/// @notice Lists the keys that a diff names, as far as it can be read.
contract DiffKeys {
    function read(bytes calldata diff) external pure returns (bytes32[] memory keys) {
        DiffLib.Entry memory entry;
        keys = new bytes32[](diff.length);
        uint256 count = 0;
        while (DiffLib.next(diff, entry)) keys[count++] = entry.key;
        assembly ("memory-safe") {
            mstore(keys, count)
        }
    }
}

/// @notice Each kind of fraud is proven, and its honest twin is not.
contract ChallengesTest is ChallengeFixture {
    DiffKeys private diffKeys = new DiffKeys();

    function setUp() public {
        deployAll();
    }

    // --- honest batches ---

    function test_noCheckStrikesAnHonestBatch() public {
        Made memory one = first();
        send(one);
        _allRefused(one);
        Made memory two = second(one);
        send(two);
        _allRefused(two);
    }

    // --- diff ---

    function test_aWrongValue() public {
        Made memory m = _secondBatch();
        Leaf[] memory lie = _copy(m.leaves);
        lie[2].value[47] ^= 0x01;
        m.diff = SlowDiff.encode(m.before, lie);
        _struckOnlyBy(m, m.leaves[2].key);
    }

    function test_aChangedLeafLeftOut() public {
        Made memory m = _secondBatch();
        Leaf[] memory lie = _copy(m.leaves);
        lie[2] = m.before[2];
        m.diff = SlowDiff.encode(m.before, lie);
        _struckOnlyBy(m, m.leaves[2].key);
    }

    function test_anInsertedLeafLeftOut() public {
        Made memory m = _secondBatch();
        Leaf[] memory lie = _copy(m.leaves);
        lie[5] = m.before[5];
        m.diff = SlowDiff.encode(m.before, lie);
        _struckOnlyBy(m, m.leaves[5].key);
    }

    function test_aDeletedLeafLeftOut() public {
        Made memory m = _secondBatch();
        assertTrue(m.before[3].present && !m.leaves[3].present, "deleted");
        Leaf[] memory lie = _copy(m.leaves);
        lie[3] = m.before[3];
        m.diff = SlowDiff.encode(m.before, lie);
        _struckOnlyBy(m, m.leaves[3].key);
    }

    function test_anEntryForALeafThatStayed() public {
        Made memory m = _secondBatch();
        Leaf[] memory lie = _copy(m.leaves);
        lie[AT_KEPT].value[0] = 0x01;
        m.diff = SlowDiff.encode(m.before, lie);
        _struckOnlyBy(m, m.leaves[AT_KEPT].key);
    }

    function test_anEntryThatDeletesWhatStayed() public {
        Made memory m = _secondBatch();
        Leaf[] memory lie = _copy(m.leaves);
        lie[AT_KEPT].present = false;
        lie[AT_KEPT].value = "";
        m.diff = SlowDiff.encode(m.before, lie);
        _struckOnlyBy(m, m.leaves[AT_KEPT].key);
    }

    /// @dev An UPDATE without runs: the entry says nothing, and only `rebuild` can know.
    function test_anEntryThatChangesNothing() public {
        Made memory m = first();
        send(m);
        m = second(m);
        // head UPDATE sharing 0 bytes, suffix 01, end of runs; then the rest without the entry of GLOBALS.
        Leaf[] memory rest = _copy(m.leaves);
        rest[AT_GLOBALS] = m.before[AT_GLOBALS];
        m.leaves[AT_GLOBALS] = m.before[AT_GLOBALS];
        m.h.timeLast = uint64(uint48(bytes6(slice(m.before[AT_GLOBALS].value, 8, 14))));
        m.h.timeFirst = m.h.timeLast;
        m.diff = abi.encodePacked(hex"20010100", SlowDiff.encode(m.before, rest));
        _struckOnlyBy(m, GLOBALS);
    }

    function test_aMalformedEnd() public {
        Made memory m = _secondBatch();
        m.diff = abi.encodePacked(m.diff, hex"ff");
        seal(m);
        send(m);
        // Keys that the diff names before its end still read as they should.
        refusedAsNoFraud(m, diffProof(m, GLOBALS));
        prove(diffProof(m, LAST_KEY));
        assertEq(rollup.head().id, 1, "struck");
    }

    function test_anEmptyDiff() public {
        Made memory m = _secondBatch();
        m.diff = "";
        seal(m);
        send(m);
        refusedAsNoFraud(m, diffProof(m, m.leaves[AT_KEPT].key));
        prove(diffProof(m, GLOBALS));
    }

    /// @dev Every diff but the right one is struck by the proof for one of these keys: those of both ledgers, those
    /// that it names, and the last one.
    function testFuzz_anyOtherDiffIsStruck(uint256 seed) public {
        Made memory m = _secondBatch();
        bytes memory right = m.diff;
        m.diff = _mutated(right, seed);
        vm.assume(keccak256(m.diff) != keccak256(right));
        seal(m);
        send(m);
        for (uint256 i = 0; i < LEAVES; i++) if (_strikes(diffProof(m, m.leaves[i].key))) return;
        if (_strikes(diffProof(m, LAST_KEY))) return;
        // Whole as far as can be seen without the ledger: then its keys can be listed.
        bytes32[] memory named = diffKeys.read(m.diff);
        for (uint256 i = 0; i < named.length; i++) if (_strikes(diffProof(m, named[i]))) return;
        revert NotTrue("a wrong diff stands");
    }

    /// @dev Only the bytes that the header names, and only leaves that are there.
    function test_diffProofsThatDoNotOpen() public {
        Made memory m = _secondBatch();
        Leaf[] memory lie = _copy(m.leaves);
        lie[2].value[47] ^= 0x01;
        bytes memory wrong = SlowDiff.encode(m.before, lie);
        send(m);
        bytes32 key = m.leaves[2].key;
        vm.expectRevert(
            abi.encodeWithSelector(IChallenges.WrongBytes.selector, bytes32("diff"), m.h.diffHash, keccak256(wrong))
        );
        prove(abi.encodeCall(IChallenges.checkDiff, (packed(m.h), wrong, key, leafProofs(m, key))));
        // The leaf before, taken from the ledger after, and the other way round.
        LeafProofs memory turned = LeafProofs({pre: proofOf(m.leaves, key), post: proofOf(m.before, key)});
        vm.expectPartialRevert(TreeProof.WrongRoot.selector);
        prove(abi.encodeCall(IChallenges.checkDiff, (packed(m.h), m.diff, key, turned)));
        // Another leaf's proof says nothing of this key: the path divides the two.
        LeafProofs memory foreign = leafProofs(m, GLOBALS);
        vm.expectPartialRevert(TreeProof.NotOnPath.selector);
        prove(abi.encodeCall(IChallenges.checkDiff, (packed(m.h), m.diff, key, foreign)));
    }

    /// @dev `differs` is open to all, and nothing follows from it.
    function test_theInnerCallIsNoCheck() public {
        bytes memory call =
            abi.encodeCall(challenges.differs, (bytes(""), bytes32(uint256(1)), false, bytes(""), true, bytes("")));
        assertTrue(challenges.differs("", bytes32(uint256(1)), false, "", true, ""), "differs");
        vm.expectRevert(abi.encodeWithSelector(IChallenges.UnknownCheck.selector, challenges.differs.selector));
        prove(call);
        vm.expectPartialRevert(IChallenges.UnknownCheck.selector);
        prove("");
        vm.expectPartialRevert(IChallenges.UnknownCheck.selector);
        prove(abi.encodeCall(challenges.takeReward, (0)));
    }

    // --- inputs ---

    function testFuzz_inputsThatDoNotFold(uint16 at_, uint8 bit) public {
        Made memory m = _secondBatch();
        uint256 place = at_ % m.inputs.length;
        m.inputs[place] ^= bytes1(uint8(1 << (bit % 8)));
        m.h.inputsHash = keccak256(m.inputs);
        send(m);
        uint256 strikes = 0;
        for (uint256 i = 0; i < SEGMENTS; i++) {
            bool within = place >= inputEnd(_secondBatchAgain(m), i) && place < inputEnd(_secondBatchAgain(m), i + 1);
            if (!within) refusedAsNoFraud(m, inputsProof(m, i));
            else strikes = i + 1;
        }
        prove(inputsProof(m, strikes - 1));
        assertEq(rollup.head().id, 1, "struck");
    }

    function test_aSegmentThatEndsWithinARecord() public {
        Made memory m = _secondBatch();
        // One byte of the next segment's first record goes to the segment before.
        uint32 end = uint32(inputEnd(m, 1)) + 1;
        for (uint256 i = 0; i < 4; i++) m.trace[16 + i] = bytes4(end)[i];
        retrace(m);
        send(m);
        refusedAsNoFraud(m, inputsProof(m, 2));
        prove(inputsProof(m, 1));
    }

    function test_inputsProofsThatDoNotOpen() public {
        Made memory m = _secondBatch();
        send(m);
        SegmentProof memory p = segmentProof(m, 1);
        bytes memory other = abi.encodePacked(m.inputs, hex"00");
        vm.expectPartialRevert(IChallenges.WrongBytes.selector);
        prove(abi.encodeCall(IChallenges.checkInputs, (packed(m.h), p, other)));
        p.before = p.segment;
        vm.expectPartialRevert(TraceProof.WrongTraceRoot.selector);
        prove(abi.encodeCall(IChallenges.checkInputs, (packed(m.h), p, m.inputs)));
        p = segmentProof(m, 0);
        p.before = p.segment;
        vm.expectPartialRevert(IChallenges.NothingBefore.selector);
        prove(abi.encodeCall(IChallenges.checkInputs, (packed(m.h), p, m.inputs)));
        p = segmentProof(m, 1);
        p.index = 0;
        vm.expectPartialRevert(TraceProof.WrongTraceRoot.selector);
        prove(abi.encodeCall(IChallenges.checkInputs, (packed(m.h), p, m.inputs)));
        p.index = 2;
        vm.expectPartialRevert(TraceProof.TracePathLength.selector);
        prove(abi.encodeCall(IChallenges.checkInputs, (packed(m.h), p, m.inputs)));
        p.index = 3;
        vm.expectPartialRevert(TraceProof.NoSuchSegment.selector);
        prove(abi.encodeCall(IChallenges.checkInputs, (packed(m.h), p, m.inputs)));
    }

    // --- boundary ---

    function testFuzz_aClockThatIsNotTheHeaders(uint48 time) public {
        Made memory m = _secondBatch();
        vm.assume(time != m.h.timeLast);
        bytes memory value = m.leaves[AT_GLOBALS].value;
        for (uint256 i = 0; i < 6; i++) value[8 + i] = bytes6(time)[i];
        _sealDiff(m);
        send(m);
        refusedAsNoFraud(m, diffProof(m, GLOBALS));
        prove(clockProof(m));
    }

    function test_aShortClock() public {
        Made memory m = _secondBatch();
        m.leaves[AT_GLOBALS].value = slice(m.leaves[AT_GLOBALS].value, 0, 13);
        _sealDiff(m);
        send(m);
        prove(clockProof(m));
    }

    function test_noClock() public {
        Made memory m = _secondBatch();
        m.leaves[AT_GLOBALS].present = false;
        m.leaves[AT_GLOBALS].value = "";
        _sealDiff(m);
        send(m);
        prove(clockProof(m));
    }

    function testFuzz_aQueueThatIsNotTheHeaders(uint16 bit) public {
        Made memory m = _secondBatch();
        m.leaves[AT_QUEUE].value[bit / 8 % 40] ^= bytes1(uint8(1 << (bit % 8)));
        _sealDiff(m);
        send(m);
        refusedAsNoFraud(m, clockProof(m));
        prove(queueProof(m));
    }

    function test_noQueueLeaf() public {
        Made memory m = _secondBatch();
        m.leaves[AT_QUEUE].present = false;
        m.leaves[AT_QUEUE].value = "";
        _sealDiff(m);
        send(m);
        prove(queueProof(m));
    }

    /// @dev Before the first entry is taken up there is no leaf.
    function test_anEmptyQueue() public {
        Made memory m = first();
        (m.h.queueNext, m.h.queueHash) = (0, 0);
        m.leaves[AT_QUEUE].present = false;
        m.leaves[AT_QUEUE].value = "";
        _sealDiff(m);
        send(m);
        refusedAsNoFraud(m, queueProof(m));
    }

    function test_anEmptyQueueWithALeaf() public {
        Made memory m = first();
        (m.h.queueNext, m.h.queueHash) = (0, 0);
        m.leaves[AT_QUEUE].value = new bytes(40);
        _sealDiff(m);
        send(m);
        prove(queueProof(m));
    }

    function testFuzz_totalsThatAreNotTheLedgers(uint128 listed, uint128 grown, uint8 asset) public {
        Made memory m = first();
        listed = uint128(bound(listed, 1, type(uint128).max / 2));
        grown = uint128(bound(grown, 0, type(uint128).max / 2));
        bool seventh = asset % 2 == 1;
        m.withdrawn = seventh
            ? abi.encodePacked(uint16(0), uint128(5), uint16(7), listed)
            : abi.encodePacked(uint16(0), listed);
        Leaf memory leaf = m.leaves[seventh ? AT_TOTAL_7 : AT_TOTAL_0];
        leaf.present = grown != 0;
        leaf.value = grown == 0 ? bytes("") : abi.encodePacked(grown);
        _sealDiff(m);
        send(m);
        refusedAsNoFraud(m, withdrawnProof(m, seventh ? 0 : 7));
        refusedAsNoFraud(m, withdrawnProof(m, 3));
        bytes memory proof = withdrawnProof(m, seventh ? 7 : 0);
        if (listed == grown) refusedAsNoFraud(m, proof);
        else prove(proof);
    }

    function test_aTotalThatIsNotListed() public {
        Made memory m = _secondBatch();
        m.withdrawn = totals(0, 2);
        _sealDiff(m);
        send(m);
        refusedAsNoFraud(m, withdrawnProof(m, 0));
        prove(withdrawnProof(m, 7));
    }

    function test_aTotalThatShrinks() public {
        Made memory m = _secondBatch();
        m.leaves[AT_TOTAL_0].value = abi.encodePacked(uint128(4));
        _sealDiff(m);
        send(m);
        prove(withdrawnProof(m, 0));
    }

    function test_aTotalOfAnotherWidth() public {
        Made memory m = _secondBatch();
        m.leaves[AT_TOTAL_0].value = hex"07";
        _sealDiff(m);
        send(m);
        prove(withdrawnProof(m, 0));
    }

    // --- steps: what is asked of the step prover, and what is made of its answer ---

    function testFuzz_aSegmentThatDiffersInOneField(uint8 segment, uint8 field, uint64 other) public {
        Made memory m = _secondBatch();
        send(m);
        uint256 i = segment % SEGMENTS;
        field = field % 8;
        Outcome memory o = _honestOutcome(m, i);
        _tell(m, i, o);
        refusedAsNoFraud(m, _stepProof(m, i));
        bool wrong = true;
        other = uint64(bound(other, 1, 2 ** 40));
        if (field == 0) o.fault = other;
        if (field == 1) o.ledgerRoot ^= bytes32(uint256(other));
        if (field == 2) o.bookRoot ^= bytes32(uint256(other));
        if (field == 3) o.nextSeq += other;
        if (field == 4) o.weight -= other % 500 + 1;
        if (field == 5) (o.timeFirst, wrong) = (o.timeFirst - 1, i == 0);
        if (field == 6) (o.timeLast, wrong) = (o.timeLast + 1, i + 1 == SEGMENTS);
        if (field == 7) (o.ledgerRoot, o.bookRoot) = (o.bookRoot, o.ledgerRoot);
        _tell(m, i, o);
        if (!wrong) return refusedAsNoFraud(m, _stepProof(m, i));
        bytes32 hash = digestOf(m.h);
        assertEq(prove(_stepProof(m, i)), hash, "hash");
        assertEq(rollup.head().id, 1, "struck");
    }

    function test_aStepProverThatRevertsNeverStrikes() public {
        Made memory m = _secondBatch();
        send(m);
        vm.expectPartialRevert(ScriptedStepProver.NotOpened.selector);
        prove(_stepProof(m, 1));
    }

    function test_stepProofsWithOtherInputs() public {
        Made memory m = _secondBatch();
        send(m);
        Outcome memory o = _honestOutcome(m, 1);
        o.fault = 1;
        _tell(m, 1, o);
        Witness memory witness = _witness();
        SegmentProof memory p = segmentProof(m, 1);
        bytes[4] memory others = [
            bytes(""),
            slice(m.inputs, inputEnd(m, 1), inputEnd(m, 2) - 1),
            slice(m.inputs, inputEnd(m, 1), inputEnd(m, 2) + 1),
            slice(m.inputs, 0, inputEnd(m, 1))
        ];
        for (uint256 i = 0; i < others.length; i++) {
            vm.expectPartialRevert(IChallenges.WrongInputs.selector);
            prove(abi.encodeCall(IChallenges.checkStep, (packed(m.h), p, others[i], witness)));
        }
        prove(_stepProof(m, 1));
    }

    // --- gas ---

    /// @dev With any gas a false diff is struck or the call fails, and a right one fails.
    function testFuzz_restrictedGas(uint256 gas_, uint256 seed) public {
        Made memory m = first();
        send(m);
        m = second(m);
        bool wrong = seed % 2 == 1;
        if (wrong) m.diff = abi.encodePacked(m.diff, hex"ff");
        seal(m);
        send(m);
        bytes memory proof = diffProof(m, seed % 4 < 2 ? LAST_KEY : GLOBALS);
        gas_ = bound(gas_, 25_000, 900_000);
        try challenges.proveFraud{gas: gas_}(proof, address(0), 0) {
            assertTrue(wrong && seed % 4 < 2, "an honest batch was struck");
            assertEq(rollup.head().id, 1, "struck");
        } catch {
            assertEq(rollup.head().id, 2, "stands");
        }
    }

    /// @dev At no gas does the end of the inner call look like a malformed diff: over a walk so long that what is left
    /// to the caller would suffice to go on, the check of a leaf that is as it should be never returns.
    function test_noGasMakesADiffMalformed() public {
        Made memory m = _secondBatch();
        m.diff = _longDiff(m.diff, 118_784 - 1_700);
        seal(m);
        send(m);
        // Not in the ledgers, and between two keys that the diff names near its end.
        bytes32 key = bytes32(abi.encodePacked(hex"3f090180", new bytes(28)));
        bytes memory header = packed(m.h);
        LeafProofs memory leaf = leafProofs(m, key);
        bytes memory diff = m.diff;
        bytes memory call = abi.encodeCall(IChallenges.checkDiff, (header, diff, key, leaf));
        uint256 before = gasleft();
        (bool fraud, bytes memory answer) = address(challenges).staticcall(call);
        uint256 used = before - gasleft();
        assertTrue(!fraud && bytes4(answer) == IChallenges.NoFraud.selector, "no fraud with gas enough");
        assertTrue(used > 1_000_000, "a long walk");
        uint256 starved = 0;
        for (uint256 i = 1; i <= 300; i++) {
            (fraud, answer) = address(challenges).staticcall{gas: used * i / 300}(call);
            assertTrue(!fraud, "struck for want of gas");
            if (answer.length == 0) starved++;
        }
        assertTrue(starved > 200, "most of them had too little");
    }

    // --- size ---

    /// @dev The longest diff that can be committed is struck within a transaction, gas and bytes; no longer one can be.
    function test_theLongestDiffFitsATransaction() public {
        vm.deal(address(this), BOND);
        Made memory m = _secondBatch();
        m.diff = _longDiff(m.diff, 118_784 - 1_700);
        seal(m);
        send(m);
        bytes memory proof = diffProof(m, LAST_KEY);
        assertTrue(proof.length < 131_072 - 2_000, "bytes");
        uint256 before = gasleft();
        prove(proof);
        uint256 used = before - gasleft();
        assertTrue(used < 9_000_000, "gas");
        rollup.topUpBond{value: BOND}();
        m.h.epoch = rollup.head().epoch;
        m.diff = _longDiff(m.diff, 118_784);
        seal(m);
        PostedBatch memory batch = posted(m);
        vm.prank(SUBMITTER, SUBMITTER);
        vm.expectPartialRevert(Bounds.OutOfRange.selector);
        rollup.commitBatch(batch);
    }

    // --- parts ---

    /// @dev The diff continued by inserts at keys 3f ‖ 0101, 3f ‖ 0102 and so on, up to a byte that is no entry.
    function _longDiff(bytes memory head, uint256 length) private pure returns (bytes memory diff) {
        diff = new bytes(length);
        uint256 place = _put(diff, 0, head);
        bytes memory value = hex"0028_0f010203040506070809010203040506_0f010203040506070809010203040506_0a01020304050607080901_00";
        for (uint256 i = 0; place + 60 < length; i++) {
            (uint8 high, uint8 low) = (uint8(i / 255 + 1), uint8(i % 255 + 1));
            bytes memory key = abi.encodePacked(hex"6201", low);
            if (low == 1) key = abi.encodePacked(hex"6102", high, low);
            if (i == 0) key = hex"60033f0101";
            place = _put(diff, place, abi.encodePacked(key, value));
        }
        for (; place < length; place++) diff[place] = 0xff;
    }

    function _put(bytes memory to, uint256 place, bytes memory from) private pure returns (uint256) {
        for (uint256 i = 0; i < from.length; i++) to[place + i] = from[i];
        return place + from.length;
    }

    function _secondBatch() private returns (Made memory) {
        Made memory one = first();
        send(one);
        return second(one);
    }

    function _secondBatchAgain(Made memory m) private pure returns (Made memory again) {
        again.h = m.h;
        again.trace = m.trace;
        for (uint256 i = 0; i < 5; i++) again.inputs = abi.encodePacked(again.inputs, record(i + m.h.id));
    }

    function _copy(Leaf[] memory leaves) private pure returns (Leaf[] memory copy) {
        copy = new Leaf[](leaves.length);
        for (uint256 i = 0; i < leaves.length; i++) {
            copy[i] = Leaf({
                key: leaves[i].key,
                present: leaves[i].present,
                value: slice(leaves[i].value, 0, leaves[i].value.length)
            });
        }
    }

    /// @dev The diff is right for the leaves as they were changed.
    function _sealDiff(Made memory m) private pure {
        m.diff = SlowDiff.encode(m.before, m.leaves);
        seal(m);
    }

    /// @dev Commits; the proof for `key` strikes and those for all other leaves do not.
    function _struckOnlyBy(Made memory m, bytes32 key) private {
        seal(m);
        send(m);
        for (uint256 i = 0; i < LEAVES; i++) {
            if (m.leaves[i].key != key) refusedAsNoFraud(m, diffProof(m, m.leaves[i].key));
        }
        refusedAsNoFraud(m, diffProof(m, LAST_KEY));
        bytes32 hash = digestOf(m.h);
        assertEq(prove(diffProof(m, key)), hash, "hash");
        assertEq(rollup.head().id, m.h.id - 1, "struck");
    }

    function _allRefused(Made memory m) private {
        for (uint256 i = 0; i < LEAVES; i++) refusedAsNoFraud(m, diffProof(m, m.leaves[i].key));
        refusedAsNoFraud(m, diffProof(m, LAST_KEY));
        refusedAsNoFraud(m, diffProof(m, 0));
        for (uint256 i = 0; i < SEGMENTS; i++) {
            refusedAsNoFraud(m, inputsProof(m, i));
            _tell(m, i, _honestOutcome(m, i));
            refusedAsNoFraud(m, _stepProof(m, i));
        }
        refusedAsNoFraud(m, clockProof(m));
        refusedAsNoFraud(m, queueProof(m));
        for (uint16 asset = 0; asset < 9; asset++) refusedAsNoFraud(m, withdrawnProof(m, asset));
    }

    function _strikes(bytes memory proof) private returns (bool) {
        try challenges.proveFraud(proof, address(0), 0) {
            return true;
        } catch (bytes memory why) {
            assertEq(bytes4(why), IChallenges.NoFraud.selector, "the only reason");
            return false;
        }
    }

    function _witness() private pure returns (Witness memory) {
        return Witness({ledger: hex"01", book: hex"0203", carried: hex"040506", hints: hex"07"});
    }

    function _segmentInputs(Made memory m, uint256 i) private pure returns (bytes memory) {
        return slice(m.inputs, inputEnd(m, i), inputEnd(m, i + 1));
    }

    function _stepProof(Made memory m, uint256 i) private pure returns (bytes memory) {
        return abi.encodeCall(
            IChallenges.checkStep, (packed(m.h), segmentProof(m, i), _segmentInputs(m, i), _witness())
        );
    }

    function _honestOutcome(Made memory m, uint256 i) private pure returns (Outcome memory) {
        return Outcome({
            fault: 0,
            ledgerRoot: ledgerWithin(m, i),
            bookRoot: bookWithin(m, i),
            nextSeq: m.h.firstSeq + 2 * (i + 1),
            weight: 1_000 + i,
            timeFirst: m.h.timeFirst,
            timeLast: m.h.timeLast
        });
    }

    function _tell(Made memory m, uint256 i, Outcome memory o) private {
        bytes32 pre = i == 0
            ? keccak256(abi.encodePacked(bytes1(0x03), m.h.preLedgerRoot, m.h.preBookRoot))
            : stateAfter(m, i - 1);
        stepProver.tell(pre, 4, rollup.domainSeparator(), _segmentInputs(m, i), _witness(), o);
    }

    /// @dev A byte changed, taken out, put in, or the rest cut off.
    function _mutated(bytes memory diff, uint256 seed) private pure returns (bytes memory) {
        uint256 place = seed / 16 % diff.length;
        bytes memory head = slice(diff, 0, place);
        bytes memory tail = slice(diff, place + 1, diff.length);
        bytes1 other = bytes1(uint8(seed / 2 ** 64));
        uint256 how = seed % 8;
        if (how < 4) return abi.encodePacked(head, diff[place] ^ bytes1(uint8(1 << (seed / 2 ** 72 % 8))), tail);
        if (how == 4) return abi.encodePacked(head, other, tail);
        if (how == 5) return abi.encodePacked(head, other, diff[place], tail);
        if (how == 6) return abi.encodePacked(head, tail);
        return head;
    }
}
