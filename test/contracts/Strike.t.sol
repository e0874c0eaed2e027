// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ChallengeFixture, Made} from "./ChallengeFixture.sol";
import {IChallenges} from "../../settlement/contracts/interfaces/IChallenges.sol";
import {BatchRecord, Head, IRollup, PostedBatch} from "../../settlement/contracts/interfaces/IRollup.sol";
import {Header} from "../../settlement/contracts/libraries/BatchLib.sol";
import {RewardCase, Rewards} from "../../settlement/contracts/libraries/Rewards.sol";

/// @notice Takes no money, or tries to be paid twice.
contract Beneficiary {
    Rewards private immutable rewards;
    bytes32 public fault;
    bool public greedy;

    constructor(Rewards rewards_) {
        rewards = rewards_;
    }

    function again(bytes32 fault_) external {
        (fault, greedy) = (fault_, true);
    }

    receive() external payable {
        if (!greedy) revert("no money");
        rewards.takeReward(fault);
    }
}

/// @notice What a strike does to the chain of batches and the bond, and what a proof earns.
contract StrikeTest is ChallengeFixture {
    address private constant ALICE = address(0xa11ce);
    address private constant MALLORY = address(0x3a110);

    function setUp() public {
        deployAll();
    }

    // --- the chain ---

    /// @dev Every field of the head is again what it was, but the epoch and the time from which silence counts.
    function testFuzz_theHeadGoesBack(uint8 before, uint8 behind) public {
        for (uint256 i = 0; i < before % 4; i++) {
            commit(keccak256(abi.encode("before", i)), "");
            pass(13);
        }
        Head memory parent = rollup.head();
        Header memory struck = commit(keccak256("struck"), "");
        for (uint256 i = 0; i < behind % 4; i++) {
            pass(7);
            commit(keccak256(abi.encode("behind", i)), "");
        }
        uint64 last = rollup.head().id;
        pass(100);
        vm.expectEmit();
        emit IRollup.BatchStruck(struck.id, digestOf(struck), parent.hash, last, address(challenges));
        vm.expectEmit();
        emit IRollup.EpochOpened(2, parent.id, parent.hash);
        _strike(struck);
        Head memory head = rollup.head();
        assertEq(head.committedAt, block.timestamp, "committedAt");
        assertEq(head.epoch, parent.epoch + 1, "epoch");
        assertEq(rollup.struckEpoch(), parent.epoch, "struckEpoch");
        assertEq(rollup.struckAt(), block.timestamp, "struckAt");
        (head.committedAt, head.epoch) = (parent.committedAt, parent.epoch);
        assertEq(keccak256(abi.encode(head)), keccak256(abi.encode(parent)), "head");
        BatchRecord memory none;
        for (uint64 id = struck.id; id <= last + 1; id++) {
            assertEq(keccak256(abi.encode(rollup.batches(id))), keccak256(abi.encode(none)), "record");
        }
    }

    function test_whatWasStruckNeverBecomesFinalNorComesBack() public {
        Header memory one = commit(bytes32(uint256(1)), totals(0, 1));
        PostedBatch memory two = signed(nextHeader(bytes32(uint256(2)), totals(0, 9)), totals(0, 9));
        Header memory h2 = nextHeader(bytes32(uint256(2)), totals(0, 9));
        post(two);
        _strike(h2);
        _bond();
        vm.prank(SUBMITTER, SUBMITTER);
        vm.expectPartialRevert(IRollup.WrongField.selector);
        rollup.commitBatch(two);
        vm.expectRevert(abi.encodeWithSelector(IRollup.NoSuchBatch.selector, 1, 2));
        _strike(h2);
        pass(WINDOW);
        rollup.finalizeBatch(packed(one), totals(0, 1));
        vm.expectRevert(abi.encodeWithSelector(IRollup.NoSuchBatch.selector, 1, 2));
        rollup.finalizeBatch(packed(h2), totals(0, 9));
        Header memory again = commit(bytes32(uint256(3)), totals(0, 4));
        assertEq(again.id, 2, "id");
        assertEq(rollup.batches(2).epoch, 2, "epoch");
        // The struck batch's header does not hit the one that took its place.
        vm.expectPartialRevert(IRollup.WrongField.selector);
        _strike(h2);
        pass(WINDOW);
        vm.expectPartialRevert(IRollup.WrongField.selector);
        rollup.finalizeBatch(packed(h2), totals(0, 9));
        rollup.finalizeBatch(packed(again), totals(0, 4));
        assertEq(rollup.withdrawnTotal(0), 5, "released");
    }

    function test_whatIsFinalStands() public {
        Header memory one = settle(bytes32(uint256(1)), "");
        vm.expectRevert(abi.encodeWithSelector(IRollup.AlreadyFinal.selector, 1, 1));
        _strike(one);
    }

    /// @dev A batch is struck up to the very call that makes it final, however late that comes.
    function test_theWindowsEndIsNotTheEndOfChallenges() public {
        Made memory m = _wrong();
        pass(10 * uint256(WINDOW));
        prove(clockProof(m));
        vm.expectPartialRevert(IRollup.NoSuchBatch.selector);
        rollup.finalizeBatch(packed(m.h), m.withdrawn);
    }

    /// @dev Also in a frozen rollup: what is pending there becomes final or is struck.
    function test_aFrozenRollupsBatchesAreStruck() public {
        Made memory m = _wrong();
        pass(LIVENESS + 1);
        rollup.freeze();
        prove(clockProof(m));
        assertEq(rollup.head().id, 0, "struck");
        assertTrue(rollup.frozen(), "frozen for good");
        _bond();
        PostedBatch memory next = signed(nextHeader(bytes32(uint256(1)), ""), "");
        vm.prank(SUBMITTER, SUBMITTER);
        vm.expectRevert(IRollup.RollupFrozen.selector);
        rollup.commitBatch(next);
    }

    /// @dev The first of two wrong batches is struck after the second, when there is no bond any more.
    function test_aStrikeNeedsNoBond() public {
        Header memory one = commit(bytes32(uint256(1)), "");
        Header memory two = commit(bytes32(uint256(2)), "");
        assertEq(_strike(two), BOND / 2, "reward");
        assertEq(_strike(one), 0, "nothing left");
        assertEq(rollup.head().id, 0, "both");
        assertEq(rollup.head().epoch, 3, "epoch");
        assertEq(rollup.struckEpoch(), 2, "struckEpoch");
    }

    /// @dev The cost does not grow with the descendants.
    function test_manyDescendantsDoNotSaveABatch() public {
        Header memory one = commit(bytes32(uint256(1)), "");
        commit(bytes32(uint256(2)), "");
        bytes memory header = packed(one);
        uint256 snapshot = vm.snapshotState();
        uint256 few = _gasOfStrike(header);
        vm.revertToState(snapshot);
        for (uint256 i = 0; i < 300; i++) commit(bytes32(i + 3), "");
        uint256 many = _gasOfStrike(header);
        assertTrue(many < few + 5_000, "gas");
        assertEq(rollup.head().id, 0, "all of them");
    }

    function testFuzz_onlyJudgesJudge(address who) public {
        Header memory one = commit(bytes32(uint256(1)), "");
        bytes memory header = packed(one);
        bytes32 hash = digestOf(one);
        vm.assume(who != address(challenges) && who != address(demands) && who != address(equivocation));
        address[4] memory callers = [who, address(challenges), address(demands), address(equivocation)];
        for (uint256 i = 0; i < 4; i++) {
            if (i == 0 || i == 3) {
                vm.prank(callers[i]);
                vm.expectPartialRevert(IRollup.NotJudge.selector);
                rollup.strike(header);
            }
            if (i != 3) {
                vm.prank(callers[i]);
                vm.expectPartialRevert(IRollup.NotJudge.selector);
                rollup.slash();
            }
            if (i == 2) continue;
            vm.prank(callers[i]);
            vm.expectPartialRevert(IRollup.NotJudge.selector);
            rollup.hold(1, hash, true);
            vm.prank(callers[i]);
            vm.expectPartialRevert(IRollup.NotJudge.selector);
            rollup.extend(1, hash, type(uint48).max);
        }
    }

    // --- freeze after a strike ---

    /// @dev An honest operator has the liveness limit, and for entries the inclusion time, from the strike on.
    function test_theClockBeginsAgain() public {
        Made memory m = _wrong();
        pass(LIVENESS);
        prove(clockProof(m));
        (,, uint64 deadline,) = queue.cursorAt(rollup.head().queueNext);
        assertTrue(deadline < block.timestamp * 1000, "the entry is overdue");
        vm.expectPartialRevert(IRollup.NotFrozenYet.selector);
        rollup.freeze();
        vm.warp(block.timestamp + INCLUSION_MS / 1000);
        vm.expectPartialRevert(IRollup.NotFrozenYet.selector);
        rollup.freeze();
        vm.warp(block.timestamp + 1);
        rollup.freeze();
    }

    function test_silenceAfterAStrikeFreezes() public {
        Made memory m = _wrong();
        Header memory h = m.h;
        prove(clockProof(m));
        _bond();
        h = nextHeader(bytes32(uint256(1)), "");
        post(signed(h, ""));
        vm.warp(block.timestamp + LIVENESS);
        vm.expectPartialRevert(IRollup.NotFrozenYet.selector);
        rollup.freeze();
        vm.warp(block.timestamp + 1);
        rollup.freeze();
    }

    // --- holds ---

    function test_aHoldStopsABatchAndItsDescendants() public {
        Header memory one = commit(bytes32(uint256(1)), "");
        Header memory two = commit(bytes32(uint256(2)), "");
        bytes32 hash = digestOf(one);
        _hold(1, hash, true);
        _hold(1, hash, true);
        pass(2 * uint256(WINDOW));
        vm.expectRevert(abi.encodeWithSelector(IRollup.BatchHeld.selector, 1, 2));
        rollup.finalizeBatch(packed(one), "");
        vm.expectPartialRevert(IRollup.BatchHeld.selector);
        rollup.finalizeBatch(packed(two), "");
        _hold(1, hash, false);
        vm.expectRevert(abi.encodeWithSelector(IRollup.BatchHeld.selector, 1, 1));
        rollup.finalizeBatch(packed(one), "");
        _hold(1, hash, false);
        vm.prank(address(demands));
        rollup.extend(1, hash, uint64(block.timestamp + 5));
        vm.expectPartialRevert(IRollup.WindowOpen.selector);
        rollup.finalizeBatch(packed(one), "");
        vm.warp(block.timestamp + 5);
        rollup.finalizeBatch(packed(one), "");
        rollup.finalizeBatch(packed(two), "");
        vm.expectRevert(abi.encodeWithSelector(IRollup.AlreadyFinal.selector, 2, 1));
        _hold(1, hash, true);
    }

    /// @dev Holds are gone with the batch; they neither bind its successor nor can be closed on it.
    function test_holdsGoWithTheBatch() public {
        Header memory one = commit(bytes32(uint256(1)), "");
        bytes32 hash = digestOf(one);
        _hold(1, hash, true);
        _strike(one);
        _bond();
        vm.expectPartialRevert(IRollup.NoSuchBatch.selector);
        _hold(1, hash, false);
        Header memory again = commit(bytes32(uint256(3)), "");
        vm.expectPartialRevert(IRollup.WrongField.selector);
        _hold(1, hash, false);
        pass(WINDOW);
        rollup.finalizeBatch(packed(again), "");
    }

    function test_extendOnlyLengthens() public {
        Header memory one = commit(bytes32(uint256(1)), "");
        uint48 deadline = rollup.batches(1).deadline;
        bytes32 hash = digestOf(one);
        vm.startPrank(address(demands));
        rollup.extend(1, hash, deadline - 1);
        assertEq(rollup.batches(1).deadline, deadline, "as it was");
        rollup.extend(1, hash, deadline + 1);
        assertEq(rollup.batches(1).deadline, deadline + 1, "longer");
    }

    // --- bond ---

    function test_theBondIsSlashedInHalves() public {
        Made memory m = _wrong();
        vm.expectEmit();
        emit IRollup.BondSlashed(address(challenges), BOND / 2, BOND - BOND / 2);
        prove(clockProof(m));
        assertEq(rollup.bond(), 0, "gone");
        assertEq(address(challenges).balance, BOND / 2, "escrow");
        assertEq(address(0).balance, BOND - BOND / 2, "burned");
        assertEq(address(rollup).balance, 0, "nothing else");
        PostedBatch memory next = signed(nextHeader(bytes32(uint256(1)), ""), "");
        vm.prank(SUBMITTER, SUBMITTER);
        vm.expectRevert(abi.encodeWithSelector(IRollup.BondTooLow.selector, BOND, 0));
        rollup.commitBatch(next);
        _bond();
        vm.prank(SUBMITTER, SUBMITTER);
        rollup.commitBatch(next);
    }

    function test_slashTouchesNoBatch() public {
        commit(bytes32(uint256(1)), "");
        Head memory head = rollup.head();
        vm.prank(address(equivocation));
        assertEq(rollup.slash(), BOND / 2, "reward");
        assertEq(keccak256(abi.encode(rollup.head())), keccak256(abi.encode(head)), "head");
        assertEq(rollup.bond(), 0, "bond");
        assertEq(rollup.struckEpoch(), 0, "no strike");
    }

    function test_noUnbondRightAfterAStrike() public {
        Made memory m = _wrong();
        pass(2 * uint256(WINDOW));
        prove(clockProof(m));
        _bond();
        vm.prank(vm.addr(SEQUENCER_KEY));
        vm.expectPartialRevert(IRollup.WindowOpen.selector);
        rollup.unbond(1, payable(ALICE));
    }

    function test_onlyTheRollupPaysIn() public {
        vm.deal(ALICE, 1);
        vm.prank(ALICE);
        (bool taken,) = address(challenges).call{value: 1}("");
        assertTrue(!taken, "refused");
    }

    // --- rewards ---

    function test_anOlderCommitmentEarnsTheReward() public {
        Made memory m = _wrong();
        bytes memory proof = clockProof(m);
        _commitTo(proof, ALICE);
        pass(1);
        bytes32 fault = challenges.proveFraud(proof, ALICE, bytes32("salt"));
        assertEq(fault, digestOf(m.h), "fault");
        vm.expectPartialRevert(Rewards.ClaimsOpen.selector);
        challenges.takeReward(fault);
        pass(WINDOW + 1);
        challenges.takeReward(fault);
        assertEq(ALICE.balance, BOND / 2, "paid");
        vm.expectPartialRevert(Rewards.NoReward.selector);
        challenges.takeReward(fault);
    }

    /// @dev Mallory sees the proof, commits to it and strikes first; or strikes without a commitment.
    function testFuzz_aCopiedProofEarnsNothing(bool commits) public {
        Made memory m = _wrong();
        bytes memory proof = clockProof(m);
        _commitTo(proof, ALICE);
        pass(1);
        if (commits) _commitTo(proof, MALLORY);
        vm.prank(MALLORY);
        bytes32 fault = challenges.proveFraud(proof, MALLORY, bytes32("salt"));
        vm.expectPartialRevert(IRollup.NoSuchBatch.selector);
        challenges.proveFraud(proof, ALICE, bytes32("salt"));
        vm.expectPartialRevert(Rewards.CommitmentTooYoung.selector);
        challenges.claimReward(fault, MALLORY, bytes32("salt"), proof);
        challenges.claimReward(fault, ALICE, bytes32("salt"), proof);
        pass(WINDOW + 1);
        challenges.takeReward(fault);
        assertEq(ALICE.balance, BOND / 2, "Alice");
        assertEq(MALLORY.balance, 0, "Mallory");
    }

    /// @dev Mallory's copy says the same in other bytes, and he was a block ahead of nobody.
    function test_theOldestCommitmentWinsWithItsOwnProof() public {
        Made memory m = _wrong();
        bytes memory proof = clockProof(m);
        bytes memory other = abi.encodePacked(proof, uint256(0));
        _commitTo(proof, ALICE);
        pass(1);
        _commitTo(other, MALLORY);
        pass(1);
        bytes32 fault = challenges.proveFraud(other, MALLORY, bytes32("salt"));
        assertEq(challenges.rewardOf(fault).candidate, MALLORY, "so far");
        challenges.claimReward(fault, ALICE, bytes32("salt"), proof);
        assertEq(challenges.rewardOf(fault).candidate, ALICE, "older");
        vm.expectPartialRevert(Rewards.CommitmentTooYoung.selector);
        challenges.claimReward(fault, MALLORY, bytes32("salt"), other);
    }

    function test_nobodysRewardIsBurned() public {
        Made memory m = _wrong();
        bytes32 fault = prove(clockProof(m));
        _commitTo(clockProof(m), MALLORY);
        pass(WINDOW + 1);
        vm.expectPartialRevert(Rewards.ClaimsClosed.selector);
        challenges.claimReward(fault, MALLORY, bytes32("salt"), clockProof(m));
        challenges.takeReward(fault);
        assertEq(address(0).balance, BOND, "all of it");
        assertEq(address(challenges).balance, 0, "nothing left");
    }

    /// @dev A claim takes a proof against the batch that was struck, whatever it proves of another.
    function test_aClaimNeedsAProofOfThisFault() public {
        Made memory m = first();
        send(m);
        Made memory n = second(m);
        n.h.timeLast += 1;
        seal(n);
        send(n);
        bytes memory honest = clockProof(m);
        _commitTo(honest, MALLORY);
        pass(1);
        bytes32 fault = prove(clockProof(n));
        vm.expectPartialRevert(IChallenges.NoFraud.selector);
        challenges.claimReward(fault, MALLORY, bytes32("salt"), honest);
        bytes32 other = digestOf(m.h);
        vm.expectPartialRevert(Rewards.NoReward.selector);
        challenges.claimReward(other, MALLORY, bytes32("salt"), honest);
    }

    function test_aBeneficiaryThatRevertsBlocksNobody() public {
        Beneficiary refusing = new Beneficiary(challenges);
        Made memory m = _wrong();
        bytes memory proof = clockProof(m);
        _commitTo(proof, address(refusing));
        pass(1);
        bytes32 one = challenges.proveFraud(proof, address(refusing), bytes32("salt"));
        _bond();
        Made memory n = _wrong();
        bytes memory other = clockProof(n);
        _commitTo(other, ALICE);
        pass(1);
        bytes32 two = challenges.proveFraud(other, ALICE, bytes32("salt"));
        pass(WINDOW + 1);
        vm.expectPartialRevert(Rewards.RewardNotSent.selector);
        challenges.takeReward(one);
        challenges.takeReward(two);
        assertEq(ALICE.balance, BOND / 2, "the other one");
        refusing.again(two);
        vm.expectPartialRevert(Rewards.RewardNotSent.selector);
        challenges.takeReward(one);
        assertEq(address(challenges).balance, BOND / 2, "once at most");
    }

    /// @dev Commitments that are never shown delay nothing, and one that is repeated keeps its age.
    function test_commitmentsDelayNothing() public {
        Made memory m = _wrong();
        bytes memory proof = clockProof(m);
        for (uint256 i = 0; i < 20; i++) challenges.commitChallenge(bytes32(i));
        uint256 made_ = block.number;
        bytes32 c = _commitTo(proof, ALICE);
        pass(1);
        challenges.commitChallenge(c);
        assertEq(challenges.committedBlock(c), made_, "block");
        challenges.proveFraud(proof, ALICE, bytes32("salt"));
        RewardCase memory reward = challenges.rewardOf(digestOf(m.h));
        assertEq(reward.candidate, ALICE, "candidate");
        assertEq(reward.amount, BOND / 2, "amount");
    }

    // --- parts ---

    /// @dev A committed batch whose clock is not its ledger's, on the empty chain.
    function _wrong() private returns (Made memory m) {
        m = first();
        m.h.timeLast += 1;
        seal(m);
        send(m);
    }

    function _strike(Header memory h) private returns (uint256) {
        vm.prank(address(challenges));
        return rollup.strike(packed(h));
    }

    function _gasOfStrike(bytes memory header) private returns (uint256) {
        vm.prank(address(challenges));
        uint256 before = gasleft();
        rollup.strike(header);
        return before - gasleft();
    }

    function _hold(uint64 id, bytes32 hash, bool on) private {
        vm.prank(address(demands));
        rollup.hold(id, hash, on);
    }

    function _bond() private {
        vm.deal(address(this), BOND);
        rollup.topUpBond{value: BOND}();
    }

    function _commitTo(bytes memory proof, address beneficiary) private returns (bytes32 c) {
        c = keccak256(abi.encode(beneficiary, bytes32("salt"), keccak256(proof)));
        challenges.commitChallenge(c);
    }
}
