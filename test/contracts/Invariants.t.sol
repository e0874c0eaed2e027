// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Fixture} from "./Fixture.sol";
import {SlowTree} from "./TreeProof.t.sol";
import {PublicInputsHarness} from "./ProveBatch.t.sol";
import {Rollup} from "../../settlement/contracts/Rollup.sol";
import {FinalHead, Head, RollupParameters} from "../../settlement/contracts/interfaces/IRollup.sol";
import {BatchLib, Header} from "../../settlement/contracts/libraries/BatchLib.sol";
import {StubVerifier} from "../../settlement/contracts/verifiers/StubVerifier.sol";

/// @notice Users, a sequencer that is honest or not, and time, in any order. What is impossible is tried too.
contract World is Fixture {
    uint256 internal constant OWNERS = 4;
    uint256 internal constant ATTESTER_KEY = 0xa77e57;
    PublicInputsHarness internal harness = new PublicInputsHarness();

    /// @dev A committed batch, and the ledger that it posted.
    struct Posted {
        Header header;
        bytes withdrawn;
        uint256 committedAt;
        uint128[OWNERS] claimed;
        bool[OWNERS] inLedger;
        /// @dev Demands for its inputs.
        uint256 holds;
    }

    Posted[] internal posted;
    /// @dev What the honest ledger says has been withdrawn by each owner.
    uint128[OWNERS] public ledger;
    uint256 public deposited;
    uint256 public paid;
    /// @dev Deposits that the next honest batch may let out again.
    uint256 public credited;
    bool public honest = true;
    /// @dev First break of a rule that only an action can see.
    string public broken;
    /// @dev Heads as commits left them, and the one of the empty chain.
    mapping(uint64 id => Head) internal heads;
    uint256 public strikes;
    Head internal lastHead;
    FinalHead internal lastFinal;
    uint64 internal lastLength;

    constructor() {
        deployAll();
        // Behind the stub itself and seven other parts.
        address rollupAt = vm.computeCreateAddress(address(this), vm.getNonce(address(this)) + 8);
        StubVerifier stub = new StubVerifier(vm.addr(ATTESTER_KEY), rollupAt);
        deployParts(address(token));
        RollupParameters memory parameters = rollupParameters();
        parameters.verifier = address(stub);
        vm.deal(address(this), BOND);
        rollup = new Rollup{value: BOND}(parts(), parameters);
        for (uint256 i = 0; i < OWNERS; i++) fund(owner(i), 1_000_000_000);
        heads[0] = rollup.head();
    }

    modifier watched() {
        _;
        Head memory head = rollup.head();
        FinalHead memory final_ = rollup.finalHead();
        // Within an epoch; a strike, which opens the next one, watches for itself.
        if (
            head.epoch == lastHead.epoch && (head.id < lastHead.id || head.nextStep < lastHead.nextStep || head.nextSeq < lastHead.nextSeq
                || head.queueNext < lastHead.queueNext || head.timeLast < lastHead.timeLast
                || head.anchorNumber < lastHead.anchorNumber)
        ) broken = "a cursor of the head fell";
        if (head.epoch < lastHead.epoch) broken = "the epoch fell";
        if (head.id != posted.length || rollup.batches(head.id + 1).hash != 0) broken = "a struck batch left a trace";
        if (final_.id < lastFinal.id || final_.queueNext < lastFinal.queueNext || final_.timeLast < lastFinal.timeLast) {
            broken = "a cursor of finality fell";
        }
        if (final_.id > head.id || final_.queueNext > head.queueNext) broken = "finality is ahead of the head";
        if (head.queueNext > queue.length() || queue.length() < lastLength) broken = "the queue shrank";
        (lastHead, lastFinal, lastLength) = (head, final_, queue.length());
    }

    function owner(uint256 i) public pure returns (address) {
        return address(uint160(0x1000 + i));
    }

    // --- actions ---

    function deposit(uint256 who, uint64 amount) external watched {
        amount = uint64(bound(amount, 1, 1_000_000));
        address from = owner(who % OWNERS);
        uint256 fee = queue.feeOf(0);
        vm.deal(from, fee);
        vm.prank(from);
        queue.deposit{value: fee}(0, 0, amount);
        deposited += amount;
    }

    function force(uint256 who, uint64 amount) external watched {
        address from = owner(who % OWNERS);
        uint256 fee = queue.feeOf(1);
        vm.deal(from, fee);
        vm.prank(from);
        queue.requestForced{value: fee}(1, abi.encodePacked(uint16(0), uint8(0), uint64(bound(amount, 1, 1e15))));
    }

    /// @dev An honest batch lets out no more than was deposited; its totals are what its ledger adds.
    function commitHonest(uint256 who, uint128 amount) external watched {
        credited = deposited;
        uint256 out = 0;
        for (uint256 i = 0; i < OWNERS; i++) out += ledger[i];
        uint128 most = uint128(credited > out ? credited - out : 0);
        amount = uint128(bound(amount, 0, most));
        if (amount != 0) ledger[who % OWNERS] += amount;
        _post(ledger, amount == 0 ? bytes("") : totals(0, amount));
    }

    /// @dev A dishonest one says whatever it likes, in the ledger and in the totals.
    function commitDishonest(uint256 who, uint128 claim, uint128 total) external watched {
        honest = false;
        uint128[OWNERS] memory lie = ledger;
        lie[who % OWNERS] = claim;
        _post(lie, total == 0 ? bytes("") : totals(0, total));
    }

    function pass_(uint32 secondsOn) external watched {
        pass(bound(secondsOn, 1, WINDOW));
    }

    function finalize(uint256 which) external watched {
        if (posted.length == 0) return;
        uint64 next = rollup.finalHead().id + 1;
        // Mostly the one whose turn it is: batch ids count from 1.
        Posted storage one = posted[which % 4 != 0 && next <= posted.length ? next - 1 : which % posted.length];
        bytes memory header = packed(one.header);
        bool due = one.header.id == next && one.holds == 0 && block.timestamp >= one.committedAt + WINDOW;
        try rollup.finalizeBatch(header, one.withdrawn) {
            if (!due) broken = "final inside the window, held, or out of order";
        } catch {
            if (due) broken = "a due batch did not become final";
        }
    }

    /// @dev At once, but in order, not while it is held, and by the attester alone.
    function prove(uint256 which, bool right) external watched {
        if (posted.length == 0) return;
        uint64 next = rollup.finalHead().id + 1;
        Posted storage one = posted[which % 4 != 0 && next <= posted.length ? next - 1 : which % posted.length];
        bytes memory header = packed(one.header);
        bytes32 hash = keccak256(harness.encode(header, address(rollup)));
        bytes32 typeHash = keccak256("Attestation(uint64 batch,bytes32 publicInputsHash)");
        bytes32 digest = BatchLib.typedDigest(
            rollup.domainSeparator(), keccak256(abi.encode(typeHash, one.header.id, hash))
        );
        bytes memory signed = signature(right ? ATTESTER_KEY : SEQUENCER_KEY, digest);
        bool due = right && one.header.id == next && one.holds == 0;
        try rollup.proveBatch(header, one.withdrawn, abi.encodePacked(bytes8(0x0000000100000000), hash, signed)) {
            if (!due) broken = "final by no proof, held, or out of order";
        } catch {
            if (due) broken = "a proven batch did not become final";
        }
    }

    /// @dev Two histories cost the bond and change no batch.
    function slash() external watched {
        uint256 held_ = rollup.bond();
        vm.prank(address(equivocation));
        if (rollup.slash() != held_ / 2 || rollup.bond() != 0) broken = "the bond was not slashed in halves";
        vm.deal(address(this), BOND);
        rollup.topUpBond{value: BOND}();
    }

    /// @dev Any owner, any batch; final or not, paid before or not.
    function withdraw(uint256 which, uint256 who) external watched {
        if (posted.length == 0) return;
        Posted storage one = _pick(which);
        who = who % OWNERS;
        uint128 total = one.claimed[who];
        uint128 before = vault.paid(owner(who), 0);
        uint256 had = token.balanceOf(owner(who));
        bool isFinal = one.header.id <= rollup.finalHead().id;
        try vault.withdraw(owner(who), 0, total, one.header.id, _pathOf(one, who)) returns (uint128 amount) {
            if (!isFinal) broken = "paid from a batch that is not final";
            if (before + amount != total) broken = "paid another amount than the ledger's";
            if (token.balanceOf(owner(who)) != had + amount) broken = "not paid to the owner";
            paid += amount;
        } catch {
            if (honest && isFinal && one.inLedger[who] && total > before) broken = "an honest withdrawal was refused";
        }
    }

    /// @dev Tries to be paid the same again.
    function withdrawTwice(uint256 which, uint256 who) external watched {
        if (posted.length == 0) return;
        Posted storage one = _pick(which);
        who = who % OWNERS;
        bytes memory path = _pathOf(one, who);
        try vault.withdraw(owner(who), 0, one.claimed[who], one.header.id, path) returns (uint128 amount) {
            paid += amount;
        } catch {}
        try vault.withdraw(owner(who), 0, one.claimed[who], one.header.id, path) {
            broken = "paid twice";
        } catch {}
    }

    /// @dev Any batch: those that are not final go, with all after them, and the head is what it was before them.
    function strike(uint256 which) external watched {
        if (posted.length == 0) return;
        Header memory h = posted[which % posted.length].header;
        bool isFinal = h.id <= rollup.finalHead().id;
        uint256 held_ = rollup.bond();
        vm.prank(address(challenges));
        try rollup.strike(packed(h)) returns (uint256 reward) {
            if (isFinal) broken = "a final batch was struck";
            if (reward != held_ / 2 || rollup.bond() != 0) broken = "the bond was not slashed in halves";
            strikes++;
        } catch {
            if (!isFinal) broken = "a pending batch was not struck";
            return;
        }
        while (posted.length >= h.id) posted.pop();
        Head memory head = rollup.head();
        if (head.epoch != lastHead.epoch + 1 || head.committedAt != block.timestamp) broken = "no new epoch";
        (head.epoch, head.committedAt) = (heads[h.id - 1].epoch, heads[h.id - 1].committedAt);
        if (keccak256(abi.encode(head)) != keccak256(abi.encode(heads[h.id - 1]))) broken = "another head";
        for (uint256 i = 0; i < OWNERS; i++) ledger[i] = h.id == 1 ? 0 : posted[h.id - 2].claimed[i];
        vm.deal(address(this), BOND);
        rollup.topUpBond{value: BOND}();
    }

    /// @dev Somebody asks for the inputs of a batch, or is answered.
    function hold(uint256 which, bool on) external watched {
        if (posted.length == 0) return;
        Posted storage one = posted[which % posted.length];
        if (one.header.id <= rollup.finalHead().id || (!on && one.holds == 0)) return;
        bytes32 hash = digestOf(one.header);
        vm.prank(address(demands));
        rollup.hold(one.header.id, hash, on);
        on ? one.holds++ : one.holds--;
    }

    function freeze() external watched {
        (,, uint64 deadline,) = queue.cursorAt(rollup.head().queueNext);
        if (rollup.struckAt() != 0 && deadline < rollup.struckAt() * 1000 + INCLUSION_MS) {
            deadline = rollup.struckAt() * 1000 + INCLUSION_MS;
        }
        bool due = block.timestamp * 1000 > deadline || block.timestamp > rollup.head().committedAt + LIVENESS;
        // A frozen rollup would end the play: only what must not freeze is tried.
        if (due) return;
        try rollup.freeze() {
            broken = "frozen without a reason";
        } catch {}
    }

    // --- for the invariants ---

    function batches() external view returns (uint256) {
        return posted.length;
    }

    function released() external view returns (uint256) {
        return rollup.withdrawnTotal(0);
    }

    function held() external view returns (uint256) {
        return vault.held(0);
    }

    function paidByVault() external view returns (uint256) {
        return vault.paidTotal(0);
    }

    function paidTo(uint256 i) external view returns (uint128) {
        return vault.paid(owner(i), 0);
    }

    function vaultTokens() external view returns (uint256) {
        return token.balanceOf(address(vault));
    }

    // --- parts ---

    /// @dev Mostly a final batch, if there is one.
    function _pick(uint256 which) private view returns (Posted storage) {
        uint64 finals = rollup.finalHead().id;
        return posted[which % 4 != 0 && finals != 0 ? which / 4 % finals : which % posted.length];
    }

    function _post(uint128[OWNERS] memory claims, bytes memory withdrawn) private {
        Posted storage one = posted.push();
        (bytes32[] memory keys, bytes[] memory values) = _leaves(claims);
        one.header = commit(SlowTree.root(keys, values), withdrawn);
        one.withdrawn = withdrawn;
        one.committedAt = block.timestamp;
        heads[one.header.id] = rollup.head();
        for (uint256 i = 0; i < OWNERS; i++) {
            one.claimed[i] = claims[i];
            one.inLedger[i] = claims[i] != 0;
        }
    }

    /// @dev Beside the withdrawals stands one leaf that is in every ledger.
    function _leaves(uint128[OWNERS] memory claims) private pure returns (bytes32[] memory keys, bytes[] memory values) {
        uint256 count = 1;
        for (uint256 i = 0; i < OWNERS; i++) if (claims[i] != 0) count++;
        keys = new bytes32[](count);
        values = new bytes[](count);
        (keys[0], values[0]) = (bytes32(uint256(1) << 248), "globals");
        uint256 n = 1;
        for (uint256 i = 0; i < OWNERS; i++) {
            if (claims[i] == 0) continue;
            (keys[n], values[n]) = (leafKey(owner(i), 0), abi.encodePacked(claims[i]));
            n++;
        }
    }

    function _pathOf(Posted storage one, uint256 who) private view returns (bytes memory path) {
        (bytes32[] memory keys, bytes[] memory values) = _leaves(one.claimed);
        bytes memory proof = SlowTree.prove(keys, values, leafKey(owner(who), 0));
        uint256 siblings = 0;
        for (uint256 mask = uint256(bytes32(proof)); mask != 0; mask &= mask - 1) siblings++;
        path = new bytes(32 + 32 * siblings);
        for (uint256 i = 0; i < path.length; i++) path[i] = proof[i];
    }
}

contract InvariantTest is Fixture {
    World private world;

    function setUp() public {
        world = new World();
    }

    /// @dev forge calls only the world's actions.
    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(world);
    }

    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    function targetSelectors() public view returns (FuzzSelector[] memory targets) {
        bytes4[] memory selectors = new bytes4[](16);
        selectors[0] = World.deposit.selector;
        selectors[1] = World.force.selector;
        selectors[2] = World.commitHonest.selector;
        selectors[3] = World.commitHonest.selector;
        selectors[4] = World.pass_.selector;
        selectors[5] = World.finalize.selector;
        selectors[6] = World.withdraw.selector;
        selectors[7] = World.withdrawTwice.selector;
        selectors[8] = World.freeze.selector;
        selectors[9] = World.deposit.selector;
        selectors[10] = World.finalize.selector;
        selectors[11] = World.strike.selector;
        selectors[12] = World.hold.selector;
        selectors[13] = World.commitHonest.selector;
        selectors[14] = World.prove.selector;
        selectors[15] = World.slash.selector;
        targets = new FuzzSelector[](1);
        targets[0] = FuzzSelector({addr: address(world), selectors: selectors});
    }

    /// @dev Solvency: the vault's tokens are what it says it holds, cover what final batches have released, and no
    /// payment exceeds that. Cursors, windows and double payments are watched by each action.
    function invariant_vaultSolvencyAndOrder() public view {
        assertEq(bytes(world.broken()).length == 0 ? 0 : 1, 0, world.broken());
        assertEq(world.vaultTokens(), world.held(), "tokens are what is held");
        assertEq(world.held(), world.deposited() - world.paid(), "held is deposits less payments");
        assertEq(world.paidByVault(), world.paid(), "the vault's own count");
        assertTrue(world.paid() <= world.released(), "paid is released");
        uint256 sum = 0;
        for (uint256 i = 0; i < 4; i++) {
            assertTrue(world.paidTo(i) <= world.ledger(i), "no more than the ledger");
            sum += world.paidTo(i);
        }
        assertEq(sum, world.paid(), "owners together");
        assertTrue(world.held() >= world.released() - world.paid(), "held covers what is released");
    }
}

/// @notice The same world with a sequencer that lies: what it can not do stays impossible.
contract DishonestInvariantTest is Fixture {
    World private world;

    function setUp() public {
        world = new World();
    }

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(world);
    }

    function targetSelectors() public view returns (InvariantTest.FuzzSelector[] memory targets) {
        bytes4[] memory selectors = new bytes4[](11);
        selectors[0] = World.deposit.selector;
        selectors[1] = World.commitHonest.selector;
        selectors[2] = World.commitDishonest.selector;
        selectors[3] = World.pass_.selector;
        selectors[4] = World.finalize.selector;
        selectors[5] = World.withdraw.selector;
        selectors[6] = World.withdrawTwice.selector;
        selectors[7] = World.finalize.selector;
        selectors[8] = World.strike.selector;
        selectors[9] = World.prove.selector;
        selectors[10] = World.slash.selector;
        targets = new InvariantTest.FuzzSelector[](1);
        targets[0] = InvariantTest.FuzzSelector({addr: address(world), selectors: selectors});
    }

    function invariant_noMoreThanReleasedAndHeld() public view {
        assertEq(bytes(world.broken()).length == 0 ? 0 : 1, 0, world.broken());
        assertEq(world.vaultTokens(), world.held(), "tokens are what is held");
        assertEq(world.held(), world.deposited() - world.paid(), "held is deposits less payments");
        assertTrue(world.paid() <= world.released(), "paid is released");
        assertTrue(world.paid() <= world.deposited(), "paid is deposited");
    }
}
