// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ChallengeFixture, Made} from "./ChallengeFixture.sol";
import {Demands} from "../../settlement/contracts/Demands.sol";
import {Rollup} from "../../settlement/contracts/Rollup.sol";
import {SegmentProof} from "../../settlement/contracts/interfaces/IChallenges.sol";
import {Demand, DemandParameters, IDemands} from "../../settlement/contracts/interfaces/IDemands.sol";
import {IRollup, PostedBatch, RollupParameters} from "../../settlement/contracts/interfaces/IRollup.sol";
import {Bounds} from "../../settlement/contracts/libraries/Bounds.sol";
import {TraceProof} from "../../settlement/contracts/libraries/TraceProof.sol";

/// @notice Demands inputs, and refuses whatever it is sent.
contract Refuser {
    function demand(Demands demands, bytes calldata header, SegmentProof calldata segment) external payable {
        demands.demandInputs{value: msg.value}(header, segment);
    }

    function withdrawOwed(Demands demands) external {
        demands.withdrawOwed();
    }
}

/// @notice Calls back when it is paid.
contract Reenterer {
    Demands private immutable demands;
    bytes private call;
    bytes4 public refused;

    constructor(Demands demands_) payable {
        demands = demands_;
    }

    function demand(bytes calldata header, SegmentProof calldata segment, uint256 fee) external {
        demands.demandInputs{value: fee}(header, segment);
    }

    function run(bytes calldata first, bytes calldata inner) external {
        call = inner;
        (bool success, bytes memory answer) = address(demands).call(first);
        if (!success) {
            assembly ("memory-safe") {
                revert(add(answer, 32), mload(answer))
            }
        }
    }

    receive() external payable {
        if (call.length == 0) return;
        (bool success, bytes memory answer) = address(demands).call(call);
        if (!success) refused = bytes4(answer);
    }
}

contract DemandsTest is ChallengeFixture {
    address private constant ALICE = address(0xa11ce);
    address private constant BOB = address(0xb0b);
    uint64 private constant INTERVAL = 60;

    function setUp() public {
        deployAll();
        deployParts(address(token));
        vm.deal(address(this), 1_000 ether);
        RollupParameters memory parameters = rollupParameters();
        parameters.inputsOffChain = true;
        rollup = new Rollup{value: BOND}(parts(), parameters);
        vm.deal(ALICE, 100_000 ether);
        vm.deal(BOB, 100 ether);
    }

    // --- a demand ---

    function test_aDemandSaysWhatItIsFor() public {
        Made memory m = _withheld();
        for (uint256 i = 0; i < SEGMENTS; i++) {
            uint256 id = _demand(m, i);
            Demand memory d = demands.demand(id);
            assertEq(id, i + 1, "id");
            assertEq(d.batchHash, digestOf(m.h), "batchHash");
            assertEq(d.batch, 1, "batch");
            assertEq(d.startHash, i == 0 ? m.h.preInputHash : _hashAfter(m, i - 1), "startHash");
            assertEq(d.endHash, _hashAfter(m, i), "endHash");
            assertEq(d.inputBytes, inputEnd(m, i + 1) - inputEnd(m, i), "inputBytes");
            assertEq(d.demander, ALICE, "demander");
            assertEq(d.fee, DEMAND_FEE, "fee");
            assertEq(d.answerUntil, block.timestamp + ANSWER_WINDOW + i * INTERVAL, "answerUntil");
            assertEq(rollup.batches(1).holds, i + 1, "holds");
        }
        assertEq(address(demands).balance, 3 * uint256(DEMAND_FEE), "fees held");
    }

    function test_whatStandsInCalldataIsNotDemanded() public {
        Made memory m = first();
        send(m);
        _refuseDemand(m, 0, abi.encodeWithSelector(IDemands.InputsPosted.selector, 1));
    }

    function test_onlyOfTheBatchThatStands() public {
        Made memory m = _withheld();
        bytes32 hash = digestOf(m.h);
        m.h.timeLast += 1;
        _refuseDemand(m, 0, abi.encodeWithSelector(IDemands.OtherBatch.selector, 1, hash, digestOf(m.h)));
        m.h.timeLast -= 1;
        pass(WINDOW);
        rollup.finalizeBatch(packed(m.h), m.withdrawn);
        _refuseDemand(m, 0, abi.encodePacked(IDemands.DemandsOver.selector));
    }

    function test_segmentsAreOpened() public {
        Made memory m = _withheld();
        SegmentProof memory proof = segmentProof(m, 1);
        proof.segment[60] ^= 0x01;
        _refuse(m, proof, abi.encodePacked(TraceProof.WrongTraceRoot.selector));
        proof = segmentProof(m, 1);
        proof.before[60] ^= 0x01;
        _refuse(m, proof, abi.encodePacked(TraceProof.WrongTraceRoot.selector));
        proof = segmentProof(m, 0);
        proof.before = proof.segment;
        _refuse(m, proof, abi.encodeWithSelector(IDemands.NothingBefore.selector, 112));
        proof = segmentProof(m, 2);
        proof.index = 3;
        _refuse(m, proof, abi.encodeWithSelector(TraceProof.NoSuchSegment.selector, 3, 3));
    }

    // --- what a flood costs ---

    function test_theFeeDoublesWithEveryFourthThatIsOpen() public {
        Made memory m = _withheld();
        uint256 paid = 0;
        for (uint256 i = 0; i < 64; i++) {
            assertEq(demands.demandFee(), uint256(DEMAND_FEE) << (i / 4), "fee");
            paid += demands.demandFee();
            _refuseFee(m, demands.demandFee() - 1);
            _refuseFee(m, demands.demandFee() + 1);
            _demand(m, i % SEGMENTS);
            assertEq(demands.demand(i + 1).answerUntil, block.timestamp + ANSWER_WINDOW + i * INTERVAL, "time");
        }
        assertEq(address(demands).balance, paid, "held");
        assertEq(demands.open(), 64, "open");
        uint256 price = demands.demandFee();
        vm.prank(ALICE);
        vm.expectRevert(abi.encodeWithSelector(IDemands.DemandsFull.selector, 64));
        demands.demandInputs{value: price}(packed(m.h), segmentProof(m, 0));
        // An obedient sequencer gets through all of them, one an interval, and the price falls as it goes.
        for (uint256 id = 1; id <= 64; id++) {
            pass(id == 1 ? ANSWER_WINDOW : INTERVAL);
            _answer(id, _inputs(m, (id - 1) % SEGMENTS));
            assertEq(demands.demandFee(), uint256(DEMAND_FEE) << ((64 - id) / 4), "falls");
        }
        assertEq(rollup.batches(1).holds, 0, "no hold");
        assertEq(address(demands).balance, 0, "half paid, half burned");
        assertEq(rollup.head().id, 1, "stands");
    }

    // --- answers ---

    function test_anAnswerFreesTheBatchAndLeavesTimeToProve() public {
        Made memory m = _withheld();
        uint64 deadline = rollup.batches(1).deadline;
        pass(WINDOW - ANSWER_WINDOW);
        uint256 id = _demand(m, 1);
        pass(ANSWER_WINDOW);
        vm.expectRevert(abi.encodeWithSelector(IRollup.BatchHeld.selector, 1, 1));
        rollup.finalizeBatch(packed(m.h), m.withdrawn);
        uint256 before = BOB.balance;
        uint256 burned = address(0).balance;
        _answer(id, _inputs(m, 1));
        assertEq(BOB.balance - before, DEMAND_FEE / 2, "paid");
        assertEq(address(0).balance - burned, DEMAND_FEE - DEMAND_FEE / 2, "burned");
        assertEq(rollup.batches(1).deadline, block.timestamp + PROVING_PERIOD, "proving period");
        assertTrue(rollup.batches(1).deadline > deadline, "later than before");
        vm.expectPartialRevert(IRollup.WindowOpen.selector);
        rollup.finalizeBatch(packed(m.h), m.withdrawn);
        pass(PROVING_PERIOD);
        rollup.finalizeBatch(packed(m.h), m.withdrawn);
        assertEq(rollup.finalHead().id, 1, "final");
    }

    /// @dev An early answer leaves the deadline where it was.
    function test_anEarlyAnswerDoesNotLengthen() public {
        Made memory m = _withheld();
        uint64 deadline = rollup.batches(1).deadline;
        _answer(_demand(m, 0), _inputs(m, 0));
        assertEq(rollup.batches(1).deadline, deadline, "as before");
    }

    function testFuzz_onlyTheSegmentsRecordsAnswer(uint16 at_, uint8 bit, uint8 kind) public {
        Made memory m = _withheld();
        uint256 id = _demand(m, 1);
        bytes memory answer = _inputs(m, 1);
        if (kind % 4 == 0) answer[at_ % answer.length] ^= bytes1(uint8(1 << (bit % 8)));
        else if (kind % 4 == 1) answer = slice(answer, 0, at_ % answer.length);
        else if (kind % 4 == 2) answer = abi.encodePacked(answer, record(at_));
        else answer = _inputs(m, 0);
        vm.expectPartialRevert(IDemands.AnswerWrong.selector);
        _answer(id, answer);
        // It is open still.
        _answer(id, _inputs(m, 1));
        vm.expectRevert(abi.encodeWithSelector(IDemands.NoSuchDemand.selector, id));
        _answer(id, _inputs(m, 1));
    }

    /// @dev Records that a contract passes on would stand in no transaction's input.
    function test_onlyAnAccountWithoutCodeAnswers() public {
        Made memory m = _withheld();
        uint256 id = _demand(m, 0);
        bytes memory records = _inputs(m, 0);
        vm.expectRevert(abi.encodeWithSelector(IDemands.NestedCall.selector, address(this)));
        demands.answerInputs(id, records);
        vm.etch(BOB, abi.encodePacked(hex"ef0100", address(this)));
        vm.prank(BOB, BOB);
        vm.expectRevert(abi.encodeWithSelector(IDemands.NestedCall.selector, BOB));
        demands.answerInputs(id, records);
        vm.etch(BOB, "");
        _answer(id, records);
        assertEq(demands.open(), 0, "answered");
    }

    function test_anAnswerComesInTime() public {
        Made memory m = _withheld();
        uint256 id = _demand(m, 0);
        uint64 until = demands.demand(id).answerUntil;
        vm.warp(until);
        vm.expectRevert(abi.encodeWithSelector(IDemands.AnswerOpen.selector, until, until));
        demands.strikeUnanswered(id, packed(m.h));
        uint256 snapshot = vm.snapshotState();
        _answer(id, _inputs(m, 0));
        vm.revertToState(snapshot);
        vm.warp(until + 1);
        vm.expectRevert(abi.encodeWithSelector(IDemands.AnswerLate.selector, until, until + 1));
        _answer(id, _inputs(m, 0));
        demands.strikeUnanswered(id, packed(m.h));
        assertEq(rollup.head().id, 0, "struck");
    }

    /// @dev With less gas an answer reverts, or counts; never anything else.
    function testFuzz_restrictedGas(uint256 gas_) public {
        Made memory m = _withheld();
        uint256 id = _demand(m, 0);
        gas_ = bound(gas_, 30_000, 250_000);
        bytes memory records = _inputs(m, 0);
        vm.prank(BOB, BOB);
        try demands.answerInputs{gas: gas_}(id, records) {
            assertEq(rollup.batches(1).holds, 0, "answered");
            assertEq(demands.demand(id).batchHash, 0, "closed");
        } catch {
            assertEq(rollup.batches(1).holds, 1, "held");
            _answer(id, _inputs(m, 0));
        }
    }

    // --- strikes ---

    function test_anUnansweredDemandStrikes() public {
        Made memory m = _withheld();
        Made memory n = second(m);
        post(_without(n));
        uint256 id = _demand(m, 2);
        vm.warp(demands.demand(id).answerUntil + 1);
        vm.expectPartialRevert(IDemands.OtherBatch.selector);
        demands.strikeUnanswered(id, packed(n.h));
        vm.prank(BOB);
        demands.strikeUnanswered(id, packed(m.h));
        assertEq(rollup.head().id, 0, "both gone");
        assertEq(rollup.struckEpoch(), 1, "struckEpoch");
        assertEq(rollup.bond(), 0, "bond");
        // Who demanded is owed, not who struck.
        assertEq(demands.owed(ALICE), BOND / 2 + DEMAND_FEE, "owed");
        assertEq(demands.owed(BOB), 0, "nothing");
        uint256 before = ALICE.balance;
        vm.prank(ALICE);
        demands.withdrawOwed();
        assertEq(ALICE.balance - before, BOND / 2 + DEMAND_FEE, "paid");
        vm.prank(ALICE);
        demands.withdrawOwed();
        assertEq(ALICE.balance - before, BOND / 2 + DEMAND_FEE, "once");
        vm.expectRevert(abi.encodeWithSelector(IDemands.NoSuchDemand.selector, id));
        demands.strikeUnanswered(id, packed(m.h));
    }

    /// @dev Frozen or past its first deadline: a withheld batch is struck all the same.
    function test_neitherTimeNorAFreezeSavesAWithheldBatch() public {
        Made memory m = _withheld();
        pass(WINDOW - ANSWER_WINDOW);
        uint256 id = _demand(m, 0);
        pass(LIVENESS + 1);
        rollup.freeze();
        demands.strikeUnanswered(id, packed(m.h));
        assertEq(rollup.head().id, 0, "struck");
    }

    function test_aDemanderThatRefusesEtherBlocksNothing() public {
        Made memory m = _withheld();
        Refuser refuser = new Refuser();
        vm.deal(address(refuser), 0);
        refuser.demand{value: demands.demandFee()}(demands, packed(m.h), segmentProof(m, 0));
        refuser.demand{value: demands.demandFee()}(demands, packed(m.h), segmentProof(m, 1));
        // Neither an answer nor a strike sends it anything.
        _answer(1, _inputs(m, 0));
        vm.warp(demands.demand(2).answerUntil + 1);
        demands.strikeUnanswered(2, packed(m.h));
        assertEq(demands.owed(address(refuser)), BOND / 2 + DEMAND_FEE, "owed");
        vm.expectPartialRevert(IDemands.EtherNotSent.selector);
        refuser.withdrawOwed(demands);
        assertEq(demands.owed(address(refuser)), BOND / 2 + DEMAND_FEE, "still owed");
    }

    function test_aBatchThatIsStruckMeanwhile() public {
        Made memory m = _withheld();
        Made memory n = second(m);
        post(_without(n));
        uint256 id = _demand(n, 0);
        vm.expectPartialRevert(IDemands.OtherBatch.selector);
        demands.withdrawDemand(id);
        vm.prank(address(challenges));
        rollup.strike(packed(m.h));
        // The batch is gone: there is nothing to answer or to strike, and the fee goes back.
        vm.expectRevert();
        _answer(id, _inputs(n, 0));
        vm.warp(demands.demand(id).answerUntil + 1);
        vm.expectRevert();
        demands.strikeUnanswered(id, packed(n.h));
        demands.withdrawDemand(id);
        assertEq(demands.owed(ALICE), DEMAND_FEE, "owed");
        assertEq(demands.open(), 0, "closed");
        vm.expectRevert(abi.encodeWithSelector(IDemands.NoSuchDemand.selector, id));
        demands.withdrawDemand(id);
    }

    /// @dev Another batch under the same id has no part in a demand for the first.
    function test_demandsNameABatchByItsHash() public {
        Made memory m = _withheld();
        uint256 id = _demand(m, 0);
        vm.prank(address(challenges));
        rollup.strike(packed(m.h));
        rollup.topUpBond{value: BOND}();
        pass(10);
        Made memory other = first();
        post(_without(other));
        vm.expectRevert();
        _answer(id, _inputs(m, 0));
        assertEq(rollup.batches(1).holds, 0, "no hold on the other");
        demands.withdrawDemand(id);
        assertEq(rollup.batches(1).holds, 0, "nor less than none");
    }

    // --- finality is not delayed for good ---

    function test_demandsEndOneAnswerWindowBeforeTheFirstDeadline() public {
        Made memory m = _withheld();
        uint64 deadline = rollup.batches(1).deadline;
        vm.warp(deadline - ANSWER_WINDOW);
        uint256 id = _demand(m, 0);
        vm.warp(deadline - ANSWER_WINDOW + 1);
        _refuseDemand(
            m,
            1,
            abi.encodeWithSelector(
                IDemands.DemandsOver.selector, deadline - ANSWER_WINDOW, deadline - ANSWER_WINDOW + 1
            )
        );
        // The answer lengthens the window, but not the time for demands.
        vm.warp(deadline);
        _answer(id, _inputs(m, 0));
        assertEq(rollup.batches(1).deadline, deadline + PROVING_PERIOD, "longer");
        _refuseDemand(
            m, 1, abi.encodeWithSelector(IDemands.DemandsOver.selector, deadline - ANSWER_WINDOW, deadline)
        );
    }

    // --- reentrancy ---

    function test_nobodyComesBackIn() public {
        Made memory m = _withheld();
        Reenterer r = new Reenterer{value: 10 ether}(demands);
        r.demand(packed(m.h), segmentProof(m, 0), DEMAND_FEE);
        r.demand(packed(m.h), segmentProof(m, 1), DEMAND_FEE);
        vm.warp(demands.demand(2).answerUntil + 1);
        demands.strikeUnanswered(2, packed(m.h));
        uint256 owed = demands.owed(address(r));
        uint256 before = address(r).balance;
        bytes memory withdraw = abi.encodeCall(IDemands.withdrawOwed, ());
        r.run(withdraw, withdraw);
        assertTrue(r.refused() == bytes4(keccak256("Reentered()")), "a withdrawal within a withdrawal");
        assertEq(address(r).balance - before, owed, "paid once");
        assertEq(address(demands).balance, DEMAND_FEE, "nothing of others taken");
    }

    function test_constructorBounds() public {
        DemandParameters[6] memory wrong;
        for (uint256 i = 0; i < 6; i++) wrong[i] = demandParameters();
        wrong[0].fee = 1 ether + 1;
        wrong[1].answerWindow = 0;
        wrong[2].answerWindow = 30 days + 1;
        wrong[3].answerInterval = 1 days + 1;
        wrong[4].provingPeriod = 0;
        wrong[5].provingPeriod = 30 days + 1;
        for (uint256 i = 0; i < 6; i++) {
            vm.expectPartialRevert(Bounds.OutOfRange.selector);
            new Demands(address(rollup), wrong[i]);
        }
    }

    // --- helpers ---

    function _without(Made memory m) private view returns (PostedBatch memory batch) {
        batch = posted(m);
        batch.inputs = "";
    }

    /// @dev The first batch, committed off chain.
    function _withheld() private returns (Made memory m) {
        m = first();
        post(_without(m));
    }

    function _inputs(Made memory m, uint256 segment) private pure returns (bytes memory) {
        return slice(m.inputs, inputEnd(m, segment), inputEnd(m, segment + 1));
    }

    function _hashAfter(Made memory m, uint256 segment) private pure returns (bytes32) {
        return bytes32(slice(m.trace, 92 * segment + 28, 92 * segment + 60));
    }

    function _answer(uint256 id, bytes memory inputs) private {
        vm.prank(BOB, BOB);
        demands.answerInputs(id, inputs);
    }

    function _demand(Made memory m, uint256 segment) private returns (uint256) {
        uint256 price = demands.demandFee();
        vm.prank(ALICE);
        return demands.demandInputs{value: price}(packed(m.h), segmentProof(m, segment));
    }

    function _refuseDemand(Made memory m, uint256 segment, bytes memory error) private {
        _refuse(m, segmentProof(m, segment), error);
    }

    function _refuse(Made memory m, SegmentProof memory proof, bytes memory error) private {
        uint256 price = demands.demandFee();
        bytes memory header = packed(m.h);
        vm.prank(ALICE);
        if (error.length == 4) vm.expectPartialRevert(bytes4(error));
        else vm.expectRevert(error);
        demands.demandInputs{value: price}(header, proof);
    }

    function _refuseFee(Made memory m, uint256 fee) private {
        bytes memory header = packed(m.h);
        SegmentProof memory proof = segmentProof(m, 0);
        uint256 price = demands.demandFee();
        vm.prank(ALICE);
        vm.expectRevert(abi.encodeWithSelector(IDemands.DemandFee.selector, price, fee));
        demands.demandInputs{value: fee}(header, proof);
    }
}
