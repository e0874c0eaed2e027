// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ExitFixture} from "./ExitFixture.sol";
import {ChoosyToken, ReentrantToken, SilentToken} from "./OddTokens.sol";
import {EscapeHatch} from "../../settlement/contracts/EscapeHatch.sol";
import {
    AccountProof,
    EntryProof,
    ExitPrice,
    IEscapeHatch,
    MarketProof
} from "../../settlement/contracts/interfaces/IEscapeHatch.sol";
import {IRollup} from "../../settlement/contracts/interfaces/IRollup.sol";
import {IVault} from "../../settlement/contracts/interfaces/IVault.sol";
import {Bounds} from "../../settlement/contracts/libraries/Bounds.sol";
import {Guarded} from "../../settlement/contracts/libraries/Guarded.sol";
import {Header} from "../../settlement/contracts/libraries/BatchLib.sol";
import {TreeProof} from "../../settlement/contracts/libraries/TreeProof.sol";
import {Keys} from "../../settlement/contracts/step/Keys.sol";

contract EscapeHatchTest is ExitFixture {
    address private constant ALICE = address(0xa11ce);
    address private constant BOB = address(0xb0b);
    address private constant CAROL = address(0xca401);
    uint48 private constant NOW = 1_700_000_000_000;

    function setUp() public {
        deployAll();
        prepare();
    }

    function prepare() private {
        fund(ALICE, 1_000_000);
        fund(BOB, 1_000_000);
        fund(CAROL, 1_000_000);
        deposit(ALICE, 0, 600);
        deposit(BOB, 0, 400);
        setClock(NOW);
        setMarket(0, 100, 102, NOW, 0);
    }

    // --- settling ---

    function test_settlesOnlyWhatIsFrozenAndWithoutPendingBatches() public {
        setCash(1, ALICE, 600);
        vm.expectRevert(IEscapeHatch.NotFrozen.selector);
        escape.settle();
        settle(ledger(), "");
        setCash(1, ALICE, 500);
        Header memory pending = commitLedger("");
        bytes32 pendingRoot = ledger();
        freezeNow();
        vm.expectRevert(abi.encodeWithSelector(IEscapeHatch.BatchesStillPending.selector, 2, 1));
        escape.settle();
        rollup.finalizeBatch(packed(pending), "");
        escape.settle();
        assertEq(escape.batchId(), 2, "batch");
        assertEq(escape.ledgerRoot(), pendingRoot, "root");
        assertEq(escape.claimsUntil(), block.timestamp + CLAIM_PERIOD, "until");
        vm.expectRevert(IEscapeHatch.AlreadySettled.selector);
        escape.settle();
    }

    function test_batchesAreStillStruckWhileFrozen() public {
        setCash(1, ALICE, 600);
        settle(ledger(), "");
        bytes32 finalRoot = ledger();
        setCash(1, ALICE, 1_000_000);
        uint64 late = deposit(BOB, 0, 50);
        Header memory fraud = commitLedger("");
        (,, uint64 dueMs,) = queue.cursorAt(late);
        deposit(BOB, 0, 7);
        vm.warp(dueMs / 1000 + 30);
        rollup.freeze();
        vm.prank(address(challenges));
        rollup.strike(packed(fraud));
        escape.settle();
        assertEq(escape.ledgerRoot(), finalRoot, "the parent's");
        assertEq(escape.queueNext(), late, "what the struck batch took up is to be refunded");
        countAll();
        uint256 before = token.balanceOf(BOB);
        escape.refund(late, BOB, entered[late - 2].payload);
        assertEq(token.balanceOf(BOB) - before, 50, "refund");
    }

    function test_nothingWorksBeforeSettling() public {
        setCash(1, ALICE, 600);
        finish("");
        vm.expectRevert(IEscapeHatch.NotSettled.selector);
        this.tryRegister(1);
        vm.expectRevert(IEscapeHatch.NotSettled.selector);
        this.tryProve(0);
        vm.expectRevert(IEscapeHatch.NotSettled.selector);
        escape.countDeposits(new EntryProof[](0));
        vm.expectRevert(IEscapeHatch.NotSettled.selector);
        escape.refund(2, ALICE, hex"");
        vm.expectRevert(IEscapeHatch.NotSettled.selector);
        escape.claim(ALICE, 0);
    }

    function test_aRollupThatNeverHadABatchRefundsEverything() public {
        vm.warp(block.timestamp + LIVENESS + 1);
        rollup.freeze();
        escape.settle();
        assertEq(escape.ledgerRoot(), bytes32(0), "empty ledger");
        setCash(1, ALICE, 600);
        vm.expectPartialRevert(TreeProof.WrongRoot.selector);
        this.tryRegister(1);
        countAll();
        escape.refund(2, ALICE, entered[0].payload);
        escape.refund(3, BOB, entered[1].payload);
        assertEq(token.balanceOf(address(vault)), 0, "empty vault");
    }

    // --- claims ---

    function test_equityOfOpenPositions() public {
        setMarket(0, 110, 102, NOW, 3_000_000_000);
        // Bought 3 lots at 100 (v = −3000); owes 3 · (3e9 − 1e9) / 1e9 = 6 of funding.
        setCash(1, ALICE, 1_000);
        addPosition(1, 0, 3, -3_000, 1_000_000_000);
        // Sold the same at 100; is owed ⌊(3 · (3e9 − 0.5e9)) / 1e9⌋ = 7.
        setCash(2, BOB, 1_000);
        addPosition(2, 0, -3, 3_000, 500_000_000);
        finish("");
        escape.settle();
        vm.expectRevert(abi.encodeWithSelector(IEscapeHatch.PriceNotProven.selector, 0));
        this.tryRegister(1);
        provePrice(0);
        register(1);
        register(2);
        assertEq(escape.claimOf(ALICE, 0), 1_000 + 300 - 6, "long");
        assertEq(escape.claimOf(BOB, 0), 1_000 - 300 + 7, "short");
        assertEq(escape.claimTotal(0), 2_001, "sum");
    }

    function test_aVoidIndexIsReplacedByTheMarkWithinItsBand() public {
        setMarket(0, 1_000, 1_020, NOW - uint48(VOID_MS), 0);
        setMarket(1, 1_000, 1_020, NOW - uint48(VOID_MS) - 1, 0);
        setMarket(2, 1_000, 1_051, NOW - uint48(VOID_MS) - 1, 0);
        setMarket(3, 1_000, 940, 0, 0);
        setMarket(4, 0, 77, 0, 0);
        setMarket(5, 0, 0, 0, 0);
        finish("");
        escape.settle();
        uint64[6] memory expected = [uint64(1_000), 1_020, 1_050, 950, 77, 0];
        for (uint16 market = 0; market < 6; market++) {
            provePrice(market);
            ExitPrice memory price = escape.prices(market);
            assertEq(price.price, expected[market], "price");
            assertEq(price.qm, QM, "qm");
        }
    }

    function test_aPositionWithoutAnyPriceCountsItsEntryValueAlone() public {
        setMarket(0, 0, 0, 0, 0);
        setCash(1, ALICE, 1_000);
        addPosition(1, 0, 3, -300, 0);
        finish("");
        escape.settle();
        provePrice(0);
        register(1);
        assertEq(escape.claimOf(ALICE, 0), 700, "claim");
    }

    function test_openOrdersAloneNeedNoPrice() public {
        setCash(1, ALICE, 1_000);
        addPosition(1, 9, 0, 0, 0);
        finish("");
        escape.settle();
        register(1);
        assertEq(escape.claimOf(ALICE, 0), 1_000, "claim");
    }

    function test_anAccountClaimsOnceAndOwnersAddUp() public {
        setCash(1, ALICE, 100);
        setCash(2, ALICE, 200);
        setCash(3, ALICE, -50);
        finish("");
        escape.settle();
        AccountProof[] memory all = new AccountProof[](3);
        for (uint32 i = 0; i < 3; i++) all[i] = accountProof(i + 1)[0];
        register(2);
        escape.registerClaims(all);
        escape.registerClaims(all);
        assertEq(escape.claimOf(ALICE, 0), 300, "each once; what is owed elsewhere is not set off");
        assertEq(escape.claimTotal(0), 300, "sum");
        assertEq(escape.deficitTotal(), 50, "remembered");
    }

    function testFuzz_onlyLeavesOfTheSettledLedgerCount(uint32 id, int64 cash, bytes calldata path) public {
        setCash(1, ALICE, 100);
        finish("");
        escape.settle();
        AccountProof[] memory forged = accountProof(1);
        forged[0].account = id == 1 ? 2 : id;
        vm.expectPartialRevert(TreeProof.WrongRoot.selector);
        escape.registerClaims(forged);
        forged = accountProof(1);
        forged[0].leaf.path = path;
        vm.expectRevert();
        escape.registerClaims(forged);
        if (cash != 100) {
            forged = accountProof(1);
            setCash(1, ALICE, cash);
            forged[0].leaf.value = leafValue(Keys.account(1));
            vm.expectPartialRevert(TreeProof.WrongRoot.selector);
            escape.registerClaims(forged);
        }
        assertEq(escape.claimTotal(0), 0, "nothing");
    }

    /// @dev A market can not be priced by another's leaves.
    function test_pricesOfAnotherMarketDoNotOpen() public {
        setMarket(1, 500, 500, NOW, 0);
        finish("");
        escape.settle();
        MarketProof[] memory markets = new MarketProof[](1);
        markets[0] = MarketProof({
            market: 0,
            config: proven(Keys.marketConfig(1)),
            prices: proven(Keys.prices(1))
        });
        vm.expectPartialRevert(TreeProof.WrongRoot.selector);
        escape.provePrices(proven(Keys.GLOBALS), markets);
        provePrice(1);
        provePrice(0);
        assertEq(escape.prices(0).price, 100, "own row");
        assertEq(escape.prices(1).price, 500, "own row");
    }

    function test_lateClaimsAreRefused() public {
        setCash(1, ALICE, 100);
        setCash(2, BOB, 100);
        finish("");
        escape.settle();
        countAll();
        vm.warp(escape.claimsUntil() - 1);
        register(1);
        vm.expectPartialRevert(IEscapeHatch.ClaimsStillOpen.selector);
        escape.claim(ALICE, 0);
        vm.warp(escape.claimsUntil());
        vm.expectPartialRevert(IEscapeHatch.ClaimsClosed.selector);
        this.tryRegister(2);
        escape.claim(ALICE, 0);
    }

    // --- payment ---

    function test_claimsWithinTheVaultArePaidInFullAndOnce() public {
        setCash(1, ALICE, 550);
        setCash(2, BOB, 400);
        finish("");
        escape.settle();
        register(1);
        register(2);
        countAll();
        openPayments();
        assertEq(escape.claimable(ALICE, 0), 550, "said before");
        assertEq(escape.claim(ALICE, 0), 550, "alice");
        vm.expectRevert(IEscapeHatch.AlreadyPaid.selector);
        escape.claim(ALICE, 0);
        assertEq(escape.claimable(ALICE, 0), 0, "said after");
        vm.prank(CAROL);
        assertEq(escape.claim(BOB, 0), 400, "bob, by anyone");
        assertEq(token.balanceOf(BOB), 1_000_000, "tokens");
        vm.expectRevert(abi.encodeWithSelector(IEscapeHatch.NothingToClaim.selector, CAROL, 0));
        escape.claim(CAROL, 0);
        assertEq(vault.held(0), 50, "what no account owned stays");
    }

    function test_claimsBeyondTheVaultArePaidProRata() public {
        // Carol owes 700 that nobody covers: 1,700 of claims against 1,000 of tokens.
        setCash(1, ALICE, 1_000);
        setCash(2, BOB, 700);
        setCash(3, CAROL, -700);
        finish("");
        escape.settle();
        register(1);
        register(2);
        register(3);
        countAll();
        openPayments();
        assertEq(escape.claim(BOB, 0), 411, "700 x 1000 / 1700, down");
        assertEq(escape.claim(ALICE, 0), 588, "1000 x 1000 / 1700, down");
        assertEq(vault.held(0), 1, "rounding");
        assertEq(escape.deficitTotal(), 700, "deficit");
    }

    function test_refundsAndWithdrawalsComeFirst() public {
        uint256 aliceHad = token.balanceOf(ALICE);
        // Final but unpaid: 100 of Bob. Not taken up: 70 and 30. Claims of 5,000 on what is left: 900.
        setWithdrawn(BOB, 0, 100);
        setCash(1, ALICE, 5_000);
        settle(ledger(), totals(0, 100));
        force(CAROL);
        uint64 first = deposit(CAROL, 0, 70);
        uint64 second = deposit(ALICE, 0, 30);
        freezeNow();
        escape.settle();
        register(1);
        openPayments();
        vm.expectRevert(abi.encodeWithSelector(IEscapeHatch.DepositsNotCounted.selector, 4, 7));
        escape.claim(ALICE, 0);
        vm.expectRevert(abi.encodeWithSelector(IEscapeHatch.DepositsNotCounted.selector, 4, 7));
        escape.refund(first, CAROL, entered[first - 2].payload);
        countAll();
        assertEq(vault.reserved(0), 100, "reserved");
        assertEq(escape.claim(ALICE, 0), 900, "the rest, whoever else was paid or not");
        assertEq(vault.held(0), 200, "kept for those before");
        assertEq(vault.withdraw(BOB, 0, 100, 1, proven(Keys.withdrawn(BOB, 0)).path), 100, "withdrawal");
        escape.refund(second, ALICE, entered[second - 2].payload);
        escape.refund(first, CAROL, entered[first - 2].payload);
        assertEq(token.balanceOf(ALICE), aliceHad + 900, "alice");
        assertEq(token.balanceOf(CAROL), 1_000_000, "carol");
        assertEq(token.balanceOf(address(vault)), 0, "nothing is left");
        assertEq(vault.reserved(0), 0, "reserved");
        vm.expectRevert(IEscapeHatch.AlreadyPaid.selector);
        escape.refund(first, CAROL, entered[first - 2].payload);
    }

    function test_onlyDepositsThatWereNotTakenUpAreRefunded() public {
        setCash(1, ALICE, 600);
        settle(ledger(), "");
        force(CAROL);
        uint64 index = deposit(CAROL, 0, 70);
        freezeNow();
        escape.settle();
        countAll();
        vm.expectRevert(abi.encodeWithSelector(IEscapeHatch.NotRefundable.selector, 2, 4, 6));
        escape.refund(2, ALICE, entered[0].payload);
        vm.expectRevert(abi.encodeWithSelector(IEscapeHatch.NotRefundable.selector, 6, 4, 6));
        escape.refund(6, ALICE, entered[0].payload);
        vm.expectPartialRevert(IEscapeHatch.WrongEntries.selector);
        escape.refund(index, ALICE, entered[index - 2].payload);
        vm.expectPartialRevert(IEscapeHatch.WrongEntries.selector);
        escape.refund(index, CAROL, abi.encodePacked(uint16(0), uint8(0), uint64(71)));
        vm.expectPartialRevert(IEscapeHatch.WrongEntries.selector);
        escape.refund(index - 1, CAROL, hex"00");
        escape.refund(index, CAROL, entered[index - 2].payload);
    }

    function test_depositsAreCountedInOrderAndInPieces() public {
        setCash(1, ALICE, 600);
        settle(ledger(), "");
        for (uint64 i = 1; i <= 5; i++) deposit(CAROL, 0, i);
        force(CAROL);
        freezeNow();
        escape.settle();
        EntryProof[] memory wrong = entriesOf(5, 6);
        vm.expectPartialRevert(IEscapeHatch.WrongEntries.selector);
        escape.countDeposits(wrong);
        vm.expectPartialRevert(Bounds.OutOfRange.selector);
        escape.countDeposits(new EntryProof[](7));
        escape.countDeposits(entriesOf(4, 6));
        escape.countDeposits(new EntryProof[](0));
        assertEq(escape.counted(), 6, "counted");
        assertEq(vault.reserved(0), 0, "reserved at the end");
        escape.countDeposits(entriesOf(6, 10));
        assertEq(vault.reserved(0), 15, "reserved");
        vm.expectPartialRevert(Bounds.OutOfRange.selector);
        escape.countDeposits(wrong);
    }

    // --- tokens ---

    function test_aTokenThatRefusesHoldsUpNoOther() public {
        ChoosyToken choosy = new ChoosyToken();
        _withSecond(address(choosy), 1);
        choosy.mint(CAROL, 100);
        vm.prank(CAROL);
        choosy.approve(address(vault), 100);
        deposit(CAROL, 1, 60);
        setAsset(1, 0, 0, 1e27, 1e27);
        setCash(1, ALICE, 600);
        setHolding(1, 1, 36, 0, 0);
        setCash(2, BOB, 400);
        setHolding(2, 1, 24, 0, 0);
        settle(ledger(), "");
        deposit(CAROL, 1, 40);
        freezeNow();
        escape.settle();
        provePrice(0);
        proveAsset(1);
        register(1);
        register(2);
        countAll();
        openPayments();
        choosy.bar(ALICE);
        vm.expectRevert();
        escape.claim(ALICE, 1);
        assertEq(escape.claim(ALICE, 0), 600, "quote");
        assertEq(escape.claim(BOB, 1), 24, "in kind");
        assertEq(escape.claim(BOB, 0), 400, "quote");
        escape.refund(5, CAROL, entered[3].payload);
        assertEq(choosy.balanceOf(CAROL), 40, "refund in full");
        vm.expectRevert(abi.encodeWithSelector(IEscapeHatch.NothingToClaim.selector, BOB, 2));
        escape.claim(BOB, 2);
    }

    function test_aTokenThatReturnsNothingWorks() public {
        SilentToken silent = new SilentToken();
        _withOdd(address(silent));
        silent.mint(ALICE, 500);
        deposit(ALICE, 0, 500);
        setCash(1, ALICE, 500);
        finish("");
        escape.settle();
        register(1);
        openPayments();
        escape.claim(ALICE, 0);
        assertEq(silent.balanceOf(ALICE), 500, "paid");
    }

    function test_reentrantPaymentsAreRefused() public {
        ReentrantToken reentrant = new ReentrantToken();
        _withOdd(address(reentrant));
        reentrant.mint(ALICE, 500);
        deposit(ALICE, 0, 400);
        setCash(1, ALICE, 300);
        settle(ledger(), "");
        uint64 index = deposit(ALICE, 0, 100);
        freezeNow();
        escape.settle();
        register(1);
        countAll();
        openPayments();
        bytes memory payload = entered[index - 2].payload;
        reentrant.arm(address(escape), abi.encodeCall(escape.refund, (index, ALICE, payload)));
        escape.claim(ALICE, 0);
        assertEq(bytes4(reentrant.answer()), Guarded.Reentered.selector, "refund within claim");
        reentrant.arm(address(escape), abi.encodeCall(escape.claim, (ALICE, 0)));
        escape.refund(index, ALICE, payload);
        assertEq(bytes4(reentrant.answer()), Guarded.Reentered.selector, "claim within refund");
        assertEq(reentrant.balanceOf(ALICE), 400, "each once");
    }

    function test_onlyTheHatchMovesMoneyThisWay() public {
        bytes memory reason = abi.encodeWithSelector(IVault.NotEscape.selector, address(escape), address(this));
        vm.expectRevert(reason);
        vault.reserve(0, 1);
        vm.expectRevert(reason);
        vault.refund(address(this), 0, 1);
        vm.expectRevert(reason);
        vault.payClaim(address(this), 0, 1);
    }

    function test_theClaimPeriodIsFourteenDaysOnMainnet() public {
        vm.expectPartialRevert(Bounds.OutOfRange.selector);
        new EscapeHatch(address(rollup), 0);
        vm.expectPartialRevert(Bounds.OutOfRange.selector);
        new EscapeHatch(address(rollup), 60 days + 1);
        new EscapeHatch(address(rollup), 1);
        vm.chainId(1);
        vm.expectPartialRevert(Bounds.OutOfRange.selector);
        new EscapeHatch(address(rollup), 14 days - 1);
        new EscapeHatch(address(rollup), 14 days);
    }

    // --- in any order ---

    /// @dev Whatever the equities, the order of registrations and of payments changes nobody's amount; the sum stays
    /// within the vault, and what is left is rounding.
    function testFuzz_orderDoesNotMatter(int64[6] memory equities, uint256 seed) public {
        seed %= 36;
        address[6] memory owners;
        for (uint32 i = 0; i < 6; i++) {
            owners[i] = address(uint160(0x9000 + i));
            setCash(i + 1, owners[i], equities[i]);
        }
        finish("");
        escape.settle();
        for (uint32 i = 0; i < 6; i++) register(uint32(1 + (i + seed) % 6));
        countAll();
        openPayments();
        uint256 total = 0;
        for (uint256 i = 0; i < 6; i++) if (equities[i] > 0) total += uint64(equities[i]);
        assertEq(escape.claimTotal(0), total, "sum");
        uint256 paid = 0;
        uint256 claimants = 0;
        for (uint256 i = 0; i < 6; i++) {
            uint256 n = (i + seed / 6) % 6;
            uint256 own = equities[n] > 0 ? uint64(equities[n]) : 0;
            uint256 expected = own == 0 ? 0 : 1_000 * own / (total > 1_000 ? total : 1_000);
            assertEq(escape.claimable(owners[n], 0), expected, "said");
            if (expected == 0) continue;
            assertEq(escape.claim(owners[n], 0), expected, "paid");
            paid += expected;
            claimants++;
        }
        assertTrue(paid <= 1_000, "within the vault");
        assertEq(vault.held(0), 1_000 - paid, "held");
        if (total >= 1_000) assertTrue(1_000 - paid < 6, "only rounding stays");
    }

    function tryProveAsset(uint16 asset) external {
        proveAsset(asset);
    }

    function tryRegister(uint32 id) external {
        register(id);
    }

    function tryProve(uint16 market) external {
        provePrice(market);
    }

    function _withSecond(address second, uint64 scale) private {
        (secondToken, secondScale) = (second, scale);
        delete entered;
        deployFor(address(token));
        prepare();
    }

    function _withOdd(address odd) private {
        delete entered;
        deployFor(odd);
    }
}
