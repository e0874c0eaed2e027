// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ExitFixture} from "./ExitFixture.sol";
import {RebasingToken, ReentrantToken} from "./OddTokens.sol";
import {IQueue} from "../../settlement/contracts/interfaces/IQueue.sol";
import {IRollup} from "../../settlement/contracts/interfaces/IRollup.sol";
import {IVault} from "../../settlement/contracts/interfaces/IVault.sol";
import {Header} from "../../settlement/contracts/libraries/BatchLib.sol";
import {Guarded} from "../../settlement/contracts/libraries/Guarded.sol";
import {TokenLib} from "../../settlement/contracts/libraries/TokenLib.sol";

/// @notice Takes ether, and calls what it was told to meanwhile.
contract Caller {
    address private target;
    bytes private call;
    uint256 private pays;
    bool public succeeded;
    bytes public answer;

    function arm(address target_, bytes calldata call_, uint256 pays_) external {
        (target, call, pays) = (target_, call_, pays_);
    }

    receive() external payable {
        if (target == address(0)) return;
        address aim = target;
        target = address(0);
        (succeeded, answer) = aim.call{value: pays}(call);
    }
}

/// @notice Calls into one contract from the midst of a payment by another: the vault's lock is what all of them meet.
contract ReentrancyTest is ExitFixture {
    address private constant ALICE = address(0xa11ce);
    address private constant BOB = address(0xb0b);
    ReentrantToken private odd;

    function setUp() public {
        deployAll();
        odd = new ReentrantToken();
        deployFor(address(odd));
        odd.mint(ALICE, 10_000);
        odd.mint(BOB, 10_000);
        // Enters deposits of its own when it is told to.
        odd.mint(address(odd), 1_000);
    }

    function test_aDepositWithinAWithdrawal() public {
        _released(300);
        odd.arm(address(queue), abi.encodeCall(IQueue.deposit, (0, 0, 10)));
        assertEq(vault.withdraw(ALICE, 0, 300, 1, solePath()), 300, "paid");
        _refused("a deposit within a withdrawal");
        assertEq(vault.held(0), 700, "held");
        assertEq(queue.length(), 3, "no entry");
    }

    function test_aWithdrawalWithinADeposit() public {
        _released(300);
        odd.arm(address(vault), abi.encodeCall(IVault.withdraw, (ALICE, 0, 300, 1, solePath())));
        deposit(ALICE, 0, 50);
        _refused("a withdrawal within a deposit");
        assertEq(vault.held(0), 1_050, "held");
        assertEq(vault.paid(ALICE, 0), 0, "not paid");
        assertEq(vault.withdraw(ALICE, 0, 300, 1, solePath()), 300, "afterwards");
    }

    /// @dev What only the hatch may call is refused for the caller, whatever the lock says.
    function test_theVaultsInnerDoorsStayShut() public {
        bytes[3] memory calls = [
            abi.encodeCall(IVault.reserve, (0, 1)),
            abi.encodeCall(IVault.refund, (BOB, 0, 1)),
            abi.encodeCall(IVault.payClaim, (BOB, 0, 1))
        ];
        for (uint256 i = 0; i < 3; i++) {
            odd.arm(address(vault), calls[i]);
            deposit(ALICE, 0, 50);
            assertTrue(!odd.succeeded(), "refused");
        }
        assertEq(odd.balanceOf(BOB), 10_000, "nothing paid");
    }

    /// @dev Bytes that hold other calls into the hatch and the vault, from within each of its payments.
    function testFuzz_outOfAFrozenRollup(uint8 outer, uint8 inner) public {
        deposit(ALICE, 0, 1_000);
        setCash(1, ALICE, 400);
        setCash(2, BOB, 300);
        setWithdrawn(BOB, 0, 100);
        settle(ledger(), totals(0, 100));
        uint64 index = deposit(BOB, 0, 60);
        freezeNow();
        escape.settle();
        countAll();
        register(1);
        register(2);
        openPayments();
        bytes[4] memory calls;
        address[4] memory targets = [address(escape), address(escape), address(escape), address(vault)];
        calls[0] = abi.encodeCall(escape.claim, (ALICE, 0));
        calls[1] = abi.encodeCall(escape.claim, (BOB, 0));
        calls[2] = abi.encodeCall(escape.refund, (index, BOB, entered[index - 2].payload));
        calls[3] = abi.encodeCall(IVault.withdraw, (BOB, 0, 100, 1, proven(vault.withdrawnKey(BOB, 0)).path));
        (uint256 o, uint256 i) = (outer % 4, inner % 4);
        odd.arm(targets[i], calls[i]);
        (bool success,) = targets[o].call(calls[o]);
        assertTrue(success, "the outer payment");
        _refused("the inner one");
        for (uint256 k = 0; k < 4; k++) {
            (success,) = targets[k].call(calls[k]);
            assertTrue(success == (k != o), "each once");
        }
        assertEq(odd.balanceOf(ALICE), 10_000 - 1_000 + 400, "a claim");
        assertEq(odd.balanceOf(BOB), 10_000 - 60 + 300 + 60 + 100, "a claim, a refund, a withdrawal");
        assertEq(odd.balanceOf(address(vault)), vault.held(0), "the vault's count");
    }

    /// @dev The bond goes out last: who is paid can neither be paid again nor find a bond that is not there.
    function test_withinAnUnbonding() public {
        Header memory h = settle(bytes32(uint256(1)), "");
        pass(2 * uint256(WINDOW));
        Caller caller = new Caller();
        caller.arm(address(rollup), abi.encodeCall(IRollup.unbond, (1, payable(address(this)))), 0);
        vm.prank(vm.addr(SEQUENCER_KEY));
        rollup.unbond(1 ether, payable(address(caller)));
        assertTrue(!caller.succeeded() && bytes4(caller.answer()) == Guarded.Reentered.selector, "unbond within unbond");
        assertEq(rollup.bond(), BOND - 1 ether, "once");
        caller.arm(address(rollup), abi.encodeCall(IRollup.topUpBond, ()), 1 ether);
        vm.prank(vm.addr(SEQUENCER_KEY));
        rollup.unbond(1 ether, payable(address(caller)));
        assertTrue(caller.succeeded(), "a top-up is welcome at any time");
        assertEq(rollup.bond(), BOND - 1 ether, "counted");
        assertEq(address(rollup).balance, rollup.bond(), "and there");
        caller.arm(address(rollup), abi.encodeCall(IRollup.finalizeBatch, (packed(h), "")), 0);
        vm.prank(vm.addr(SEQUENCER_KEY));
        rollup.unbond(1 ether, payable(address(caller)));
        assertTrue(!caller.succeeded(), "final already");
    }

    // --- a token that takes some back ---

    function test_aRebaseCantBreakTheCount() public {
        RebasingToken rebasing = _rebasing();
        deposit(ALICE, 0, 1_000);
        settle(soleRoot(ALICE, 0, 800), totals(0, 800));
        rebasing.rebase(500_000);
        vm.expectPartialRevert(TokenLib.TransferFailed.selector);
        vault.withdraw(ALICE, 0, 800, 1, solePath());
        assertEq(vault.paid(ALICE, 0), 0, "still due");
        rebasing.mint(address(vault), 1_000);
        assertEq(vault.withdraw(ALICE, 0, 800, 1, solePath()), 800, "once it is there again");
    }

    /// @dev On the way out the loss is shared: whoever comes first gets no more than who comes last.
    function testFuzz_aLossIsSharedByClaims(uint32 left, bool aliceFirst) public {
        RebasingToken rebasing = _rebasing();
        deposit(ALICE, 0, 1_000_000);
        setCash(1, ALICE, 750_000);
        setCash(2, BOB, 250_000);
        finish("");
        escape.settle();
        register(1);
        register(2);
        left = uint32(bound(left, 100_000, 1e6));
        rebasing.rebase(left);
        openPayments();
        uint256 there = rebasing.balanceOf(address(vault));
        uint256 first = escape.claim(aliceFirst ? ALICE : BOB, 0);
        uint256 second = escape.claim(aliceFirst ? BOB : ALICE, 0);
        assertEq(aliceFirst ? first : second, there * 3 / 4, "three quarters");
        assertEq(aliceFirst ? second : first, there / 4, "a quarter");
    }

    // --- parts ---

    function _rebasing() private returns (RebasingToken rebasing) {
        rebasing = new RebasingToken();
        deployFor(address(rebasing));
        rebasing.mint(ALICE, 1_000_000);
        rebasing.mint(BOB, 1_000_000);
    }

    /// @dev Of the 1,000 that ALICE brings.
    function _released(uint128 amount) private {
        deposit(ALICE, 0, 1_000);
        settle(soleRoot(ALICE, 0, amount), totals(0, amount));
    }

    function _refused(string memory what) private view {
        assertTrue(!odd.succeeded(), what);
        assertEq(bytes4(odd.answer()), Guarded.Reentered.selector, what);
    }
}
