// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Fixture} from "./Fixture.sol";
import {
    FalseToken,
    FeeToken,
    LyingToken,
    NoisyToken,
    OddToken,
    ReentrantToken,
    SilentToken
} from "./OddTokens.sol";
import {Vault} from "../../settlement/contracts/Vault.sol";
import {Asset, IVault} from "../../settlement/contracts/interfaces/IVault.sol";
import {Bounds} from "../../settlement/contracts/libraries/Bounds.sol";
import {Guarded} from "../../settlement/contracts/libraries/Guarded.sol";
import {TokenLib} from "../../settlement/contracts/libraries/TokenLib.sol";
import {TreeProof} from "../../settlement/contracts/libraries/TreeProof.sol";

contract InclusionHarness {
    function inclusion(bytes32 root, bytes32 key, bytes calldata value, bytes calldata path) external pure {
        TreeProof.verifyInclusion(root, key, value, path);
    }
}

contract VaultTest is Fixture {
    address private constant ALICE = address(0xa11ce);
    address private constant STRANGER = address(0x57a);

    function setUp() public {
        deployAll();
        fund(ALICE, 1_000_000);
        vm.prank(ALICE);
        queue.deposit(0, 0, 1_000_000);
    }

    function test_paysTheOwnerWhoeverAsks() public {
        settle(soleRoot(ALICE, 0, 300), totals(0, 300));
        vm.prank(STRANGER);
        assertEq(vault.withdraw(ALICE, 0, 300, 1, solePath()), 300, "amount");
        assertEq(token.balanceOf(ALICE), 300, "tokens");
        assertEq(vault.held(0), 999_700, "held");
        assertEq(vault.paid(ALICE, 0), 300, "paid");
        vm.expectRevert(abi.encodeWithSelector(IVault.NothingToPay.selector, 300, 300));
        vault.withdraw(ALICE, 0, 300, 1, solePath());
    }

    function test_anyFinalBatchServesAndNoneOfThemTwice() public {
        settle(soleRoot(ALICE, 0, 300), totals(0, 300));
        settle(soleRoot(ALICE, 0, 1_000), totals(0, 700));
        assertEq(vault.withdraw(ALICE, 0, 1_000, 2, solePath()), 1_000, "by the later one");
        vm.expectRevert(abi.encodeWithSelector(IVault.NothingToPay.selector, 1_000, 300));
        vault.withdraw(ALICE, 0, 300, 1, solePath());
    }

    function test_onlyFinalBatchesCount() public {
        commit(soleRoot(ALICE, 0, 300), totals(0, 300));
        vm.expectRevert(abi.encodeWithSelector(IVault.BatchNotFinal.selector, 0, 1));
        vault.withdraw(ALICE, 0, 300, 1, solePath());
        vm.expectRevert(abi.encodeWithSelector(IVault.BatchNotFinal.selector, 0, 0));
        vault.withdraw(ALICE, 0, 300, 0, solePath());
        vm.expectRevert(abi.encodeWithSelector(IVault.BatchNotFinal.selector, 0, 9));
        vault.withdraw(ALICE, 0, 300, 9, solePath());
    }

    /// @dev Another owner, asset, amount or path does not open; with one leaf nothing else is in the ledger.
    function testFuzz_onlyWhatTheLedgerSays(address owner, uint128 total, bytes calldata path) public {
        settle(soleRoot(ALICE, 0, 300), totals(0, 300));
        bool honest = owner == ALICE && total == 300 && keccak256(path) == keccak256(solePath());
        vm.assume(!honest);
        vm.expectRevert();
        vault.withdraw(owner, 0, total, 1, path);
        vm.expectPartialRevert(TreeProof.WrongRoot.selector);
        vault.withdraw(owner == ALICE ? STRANGER : owner, 0, 300, 1, solePath());
        vm.expectRevert(abi.encodeWithSelector(IVault.UnknownAsset.selector, 1, 1));
        vault.withdraw(ALICE, 1, 300, 1, solePath());
    }

    function testFuzz_pathsAreTheirMaskAndItsHashes(bytes calldata more) public {
        vm.assume(more.length != 0);
        settle(soleRoot(ALICE, 0, 300), totals(0, 300));
        vm.expectRevert(abi.encodeWithSelector(TreeProof.PathLength.selector, 32, 32 + more.length));
        vault.withdraw(ALICE, 0, 300, 1, bytes.concat(solePath(), more));
        vm.expectRevert(abi.encodeWithSelector(TreeProof.PathLength.selector, 64, 32));
        vault.withdraw(ALICE, 0, 300, 1, abi.encode(uint256(1)));
    }

    function test_aLedgerThatContradictsItsTotalsPaysNoMoreThanThese() public {
        settle(soleRoot(ALICE, 0, 300), totals(0, 299));
        vm.expectRevert(abi.encodeWithSelector(IVault.BeyondFinalTotal.selector, 299, 300));
        vault.withdraw(ALICE, 0, 300, 1, solePath());
    }

    function test_neverMoreThanIsHeld() public {
        settle(soleRoot(ALICE, 0, 1_000_001), totals(0, 1_000_001));
        vm.expectRevert();
        vault.withdraw(ALICE, 0, 1_000_001, 1, solePath());
        // Tokens that came in another way are not the vault's to pay from.
        token.mint(address(vault), 5);
        vm.expectRevert();
        vault.withdraw(ALICE, 0, 1_000_001, 1, solePath());
    }

    function test_depositsComeThroughTheQueueAlone() public {
        vm.expectRevert(abi.encodeWithSelector(IVault.NotQueue.selector, address(queue), address(this)));
        vault.receiveDeposit(ALICE, 0, 5);
    }

    function test_withdrawVectors() public {
        string memory json = vm.readFile("test/vectors/withdraw.json");
        InclusionHarness harness = new InclusionHarness();
        uint256 count = 0;
        for (string memory c = _case(".leaves", 0); vm.keyExistsJson(json, c); c = _case(".leaves", ++count)) {
            address owner = vm.parseJsonAddress(json, string.concat(c, ".owner"));
            uint16 asset = uint16(vm.parseJsonUint(json, string.concat(c, ".asset")));
            uint128 total = uint128(vm.parseJsonUint(json, string.concat(c, ".total")));
            bytes32 key = vm.parseJsonBytes32(json, string.concat(c, ".key"));
            bytes memory value = vm.parseJsonBytes(json, string.concat(c, ".value"));
            assertEq(vault.withdrawnKey(owner, asset), key, "key");
            assertEq(keccak256(abi.encodePacked(total)), keccak256(value), "value");
            bytes memory path = vm.parseJsonBytes(json, string.concat(c, ".path"));
            bytes32 root = vm.parseJsonBytes32(json, string.concat(c, ".root"));
            harness.inclusion(root, key, value, path);
            // And on the way that money takes, where the amount is one the vault holds.
            if (asset != 0 || total > 1_000) continue;
            settle(root, totals(0, total));
            vault.withdraw(owner, 0, total, rollup.finalHead().id, path);
            assertEq(token.balanceOf(owner), total, "tokens");
        }
        assertTrue(count >= 15, "at least fifteen cases");
    }

    // --- odd tokens ---

    function test_aTokenThatReturnsNothingWorks() public {
        SilentToken silent = new SilentToken();
        _fundOdd(silent);
        vm.prank(ALICE);
        queue.deposit(0, 0, 100);
        settle(soleRoot(ALICE, 0, 40), totals(0, 40));
        vault.withdraw(ALICE, 0, 40, 1, solePath());
        assertEq(silent.balanceOf(ALICE), 940, "tokens");
    }

    function test_aTokenThatSaysFalseIsRefused() public {
        _fundOdd(new FalseToken());
        vm.prank(ALICE);
        vm.expectPartialRevert(TokenLib.TransferFailed.selector);
        queue.deposit(0, 0, 100);
    }

    function test_aTokenThatSaysNoiseIsRefused() public {
        _fundOdd(new NoisyToken());
        vm.prank(ALICE);
        vm.expectPartialRevert(TokenLib.TransferFailed.selector);
        queue.deposit(0, 0, 100);
    }

    function test_aTransferThatDoesNotArriveIsRefused() public {
        _fundOdd(new LyingToken());
        vm.prank(ALICE);
        vm.expectPartialRevert(TokenLib.ReceivedOther.selector);
        queue.deposit(0, 0, 100);
    }

    function test_aTransferThatDoesNotArriveWholeIsRefused() public {
        _fundOdd(new FeeToken());
        vm.prank(ALICE);
        vm.expectPartialRevert(TokenLib.ReceivedOther.selector);
        queue.deposit(0, 0, 100);
    }

    function test_reentrantDepositIsRefused() public {
        ReentrantToken reentrant = new ReentrantToken();
        _fundOdd(reentrant);
        reentrant.mint(address(reentrant), 1_000);
        reentrant.arm(address(queue), abi.encodeCall(queue.deposit, (0, 0, 10)));
        vm.prank(ALICE);
        queue.deposit(0, 0, 100);
        assertTrue(!reentrant.succeeded(), "refused");
        assertEq(bytes4(reentrant.answer()), Guarded.Reentered.selector, "why");
        assertEq(vault.held(0), 100, "held");
        assertEq(queue.length(), 3, "one entry");
    }

    function test_reentrantWithdrawalIsRefused() public {
        ReentrantToken reentrant = new ReentrantToken();
        _fundOdd(reentrant);
        vm.prank(ALICE);
        queue.deposit(0, 0, 100);
        settle(soleRoot(ALICE, 0, 40), totals(0, 40));
        reentrant.arm(address(vault), abi.encodeCall(vault.withdraw, (ALICE, 0, 40, 1, solePath())));
        vault.withdraw(ALICE, 0, 40, 1, solePath());
        assertTrue(!reentrant.succeeded(), "refused");
        assertEq(bytes4(reentrant.answer()), Guarded.Reentered.selector, "why");
        assertEq(reentrant.balanceOf(ALICE), 940, "paid once");
    }

    // --- tokens with more decimals than the ledger ---

    /// @dev What goes in comes out, to the last unit of the token, at any scale.
    function testFuzz_depositsAndWithdrawalsConvertExactly(uint64 scale, uint64 amount, uint64 part) public {
        scale = uint64(bound(scale, 1, 10 ** 18));
        amount = uint64(bound(amount, 1, CAP));
        part = uint64(bound(part, 1, amount));
        quoteScale = scale;
        SilentToken silent = new SilentToken();
        deployFor(address(silent));
        silent.mint(ALICE, uint256(amount) * scale + 1);
        vm.prank(ALICE);
        silent.approve(address(vault), type(uint256).max);
        vm.prank(ALICE);
        queue.deposit(0, 0, amount);
        assertEq(vault.held(0), amount, "ledger units");
        assertEq(silent.balanceOf(address(vault)), uint256(amount) * scale, "token units");
        settle(soleRoot(ALICE, 0, part), totals(0, part));
        assertEq(vault.withdraw(ALICE, 0, part, 1, solePath()), part, "paid, in ledger units");
        assertEq(silent.balanceOf(ALICE), uint256(part) * scale + 1, "paid, in token units");
        if (part == amount) return;
        settle(soleRoot(ALICE, 0, amount), totals(0, amount - part));
        vault.withdraw(ALICE, 0, amount, 2, solePath());
        assertEq(silent.balanceOf(ALICE), uint256(amount) * scale + 1, "all of it");
        assertEq(silent.balanceOf(address(vault)), 0, "nothing stays");
    }

    /// @dev A fee of less than a ledger unit is noticed too.
    function test_aTransferShortByAFractionOfALedgerUnitIsRefused() public {
        quoteScale = 10 ** 10;
        FeeToken fee = new FeeToken();
        deployFor(address(fee));
        fee.mint(ALICE, 10 ** 20);
        vm.prank(ALICE);
        fee.approve(address(vault), 10 ** 20);
        vm.prank(ALICE);
        vm.expectRevert(
            abi.encodeWithSelector(TokenLib.ReceivedOther.selector, address(fee), 10 ** 10, 10 ** 10 - 10 ** 8)
        );
        queue.deposit(0, 0, 1);
    }

    // --- deployment ---

    function test_constructorBounds() public {
        Asset[] memory assets = new Asset[](0);
        _refuses(assets);
        assets = new Asset[](65);
        _refuses(assets);
        assets = new Asset[](1);
        assets[0] = Asset({token: STRANGER, scale: 1, depositMin: 1, cap: 1});
        _refuses(assets);
        assets[0] = Asset({token: address(token), scale: 1, depositMin: 0, cap: 1});
        _refuses(assets);
        assets[0] = Asset({token: address(token), scale: 1, depositMin: 2, cap: 1});
        _refuses(assets);
        assets[0] = Asset({token: address(token), scale: 1, depositMin: 1, cap: 2 ** 51 + 1});
        _refuses(assets);
        assets[0] = Asset({token: address(token), scale: 0, depositMin: 1, cap: 1});
        _refuses(assets);
        assets[0] = Asset({token: address(token), scale: 10 ** 18 + 1, depositMin: 1, cap: 1});
        _refuses(assets);
        assets = new Asset[](2);
        assets[0] = Asset({token: address(token), scale: 1, depositMin: 1, cap: 1});
        assets[1] = assets[0];
        _refuses(assets);
    }

    function _refuses(Asset[] memory assets) private {
        vm.expectPartialRevert(Bounds.OutOfRange.selector);
        new Vault(address(queue), address(rollup), assets);
    }

    function _fundOdd(OddToken odd) private {
        deployFor(address(odd));
        odd.mint(ALICE, 1_000);
        vm.prank(ALICE);
        odd.approve(address(vault), 1_000);
    }
}
