// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ExitFixture} from "./ExitFixture.sol";
import {TestToken} from "../../settlement/contracts/devnet/TestToken.sol";
import {AccountProof, AssetProof, ExitAsset, IEscapeHatch} from "../../settlement/contracts/interfaces/IEscapeHatch.sol";
import {TreeProof} from "../../settlement/contracts/libraries/TreeProof.sol";
import {Keys} from "../../settlement/contracts/step/Keys.sol";

/// @notice Out of a frozen rollup with ether, dollars and debts: 2,000 ticks of 1 q a unit, no decimals, unless said.
contract ExitAssetsTest is ExitFixture {
    address private constant ALICE = address(0xa11ce);
    address private constant BOB = address(0xb0b);
    address private constant CAROL = address(0xca401);
    uint48 private constant NOW = 1_700_000_000_000;
    uint64 private constant SCALE = 10 ** 10;
    uint128 private constant RAY = 1e27;
    TestToken private ether_;

    function setUp() public {
        vm.warp(1_700_000_000);
        vm.roll(1_000);
        token = new TestToken("Test USD", "tUSD", 6);
        ether_ = new TestToken("Test Ether", "tETH", 18);
        (secondToken, secondScale) = (address(ether_), SCALE);
        deployFor(address(token));
        fund(ALICE, 10_000_000);
        ether_.mint(ALICE, 1_000 * uint256(SCALE));
        vm.prank(ALICE);
        ether_.approve(address(vault), type(uint256).max);
        setClock(NOW);
        setMarket(0, 2_000, 2_000, NOW, 0);
        setAsset(1, 0, 0, RAY, RAY);
    }

    // --- claims ---

    function test_whoOwesNothingClaimsWhatIsHeld() public {
        setCash(1, BOB, 700);
        setHolding(1, 1, 3, 0, 0);
        _settled(700, 3);
        register(1);
        _claims(BOB, 700, 3);
        _paid(BOB, 700, 3);
        assertEq(ether_.balanceOf(BOB), 3 * uint256(SCALE), "in token units");
    }

    /// @dev Owes 3,000 of quote against 5 ether worth 10,000: 70 % of the ether is left, and the rest covers BOB's gain.
    function test_aDebtOfQuoteIsTakenFromTheEther() public {
        setCash(1, ALICE, -3_000);
        setHolding(1, 1, 5, 0, 0);
        setCash(2, BOB, 3_000);
        _settled(0, 5);
        register(1);
        register(2);
        _claims(ALICE, 0, 3);
        _claims(BOB, 3_000, 0);
        _paid(ALICE, 0, 3);
        // 2 ether are over, worth 4,000; 3,000 are lacking: 3/4 of 2, rounded down.
        _paid(BOB, 0, 1);
    }

    function test_aDebtOfEtherIsTakenFromTheQuote() public {
        setCash(1, ALICE, 10_000);
        // 4 debt shares at 1.1: ⌈4.4⌉ = 5 ether owed, 2 held.
        setAsset(1, 0, 0, RAY, 11 * RAY / 10);
        setHolding(1, 1, 2, 0, 4);
        _settled(10_000, 0);
        register(1);
        _claims(ALICE, 4_000, 0);
    }

    function test_sharesOfTheLendingPoolAreHeldRoundedDown() public {
        setAsset(1, 0, 0, 19 * RAY / 10, RAY);
        setAsset(0, 0xffff, 6, 3 * RAY / 2, 2 * RAY);
        setCash(1, ALICE, 100);
        setHolding(1, 0, 0, 5, 0);
        setHolding(1, 1, 1, 3, 0);
        setCash(2, BOB, 100);
        setHolding(2, 0, 0, 0, 7);
        _settled(93, 6);
        vm.expectRevert(abi.encodeWithSelector(IEscapeHatch.AssetNotProven.selector, 0));
        this.tryRegister(1);
        proveAsset(0);
        register(1);
        register(2);
        // 100 + ⌊5 · 1.5⌋; 1 + ⌊3 · 1.9⌋. Bob: 100 − 14.
        _claims(ALICE, 107, 6);
        _claims(BOB, 86, 0);
        assertEq(escape.deficitTotal(), 0, "no deficit");
    }

    function test_whoOwesMoreThanHeldClaimsNothing() public {
        setCash(1, ALICE, -3_001);
        setHolding(1, 1, 1, 0, 0);
        setCash(2, BOB, 4_000);
        _settled(1_000, 1);
        register(1);
        register(2);
        _claims(ALICE, 0, 0);
        assertEq(escape.deficitTotal(), 1_001, "deficit");
        _paid(BOB, 1_000, 1);
    }

    /// @dev A whole claim in ether needs no price; without one, nothing pays a debt.
    function test_etherWithoutAPrice() public {
        setMarket(0, 0, 0, 0, 0);
        setCash(1, ALICE, 0);
        setHolding(1, 1, 2, 0, 0);
        setCash(2, BOB, -1);
        setHolding(2, 1, 3, 0, 0);
        _settled(0, 5);
        register(1);
        register(2);
        _claims(ALICE, 0, 2);
        _claims(BOB, 0, 0);
        _paid(ALICE, 0, 2);
    }

    function test_theBackstopVaultIsNobodysToClaim() public {
        setCash(1, ALICE, 1_000);
        setFlags(1, 4);
        setCash(2, BOB, 500);
        _settled(1_000, 0);
        vm.expectRevert(abi.encodeWithSelector(IEscapeHatch.NobodysAccount.selector, 1));
        this.tryRegister(1);
        register(2);
        _paid(BOB, 500, 0);
    }

    /// @dev Of an owner's accounts each claims for itself: one that owes takes nothing from the others.
    function test_accountsOfAnOwnerAddUpPerAsset() public {
        setCash(1, ALICE, 10);
        setHolding(1, 1, 1, 0, 0);
        setCash(2, ALICE, -50);
        setCash(3, ALICE, 5);
        setHolding(3, 1, 2, 0, 0);
        _settled(15, 3);
        for (uint32 id = 1; id <= 3; id++) register(id);
        register(2);
        _claims(ALICE, 15, 3);
        assertEq(escape.deficitTotal(), 50, "remembered");
    }

    // --- proofs ---

    function test_anAssetIsPricedByItsFeedAndOnce() public {
        setCash(1, ALICE, 0);
        setHolding(1, 1, 2, 0, 0);
        finish("");
        escape.settle();
        vm.expectRevert(abi.encodeWithSelector(IEscapeHatch.PriceNotProven.selector, 0));
        this.tryProveAsset(1);
        provePrice(0);
        vm.expectRevert(abi.encodeWithSelector(IEscapeHatch.AssetNotProven.selector, 1));
        this.tryRegister(1);
        proveAsset(1);
        proveAsset(1);
        ExitAsset memory asset = escape.exitAssets(1);
        assertTrue(asset.known && asset.price == 2_000 && asset.tickValue == 1 && asset.whole == 1, "worth");
        assertTrue(asset.supplyIndex == RAY && asset.borrowIndex == RAY, "shares");
        register(1);
        openPayments();
        vm.expectPartialRevert(IEscapeHatch.ClaimsClosed.selector);
        this.tryProveAsset(1);
    }

    function test_leavesOfAnotherAssetDoNotOpen() public {
        setAsset(2, 0, 0, 5 * RAY, RAY);
        finish("");
        escape.settle();
        provePrice(0);
        AssetProof[] memory forged = assetProof(1);
        forged[0].pool = assetProof(2)[0].pool;
        vm.expectPartialRevert(TreeProof.WrongRoot.selector);
        escape.proveAssets(forged);
        forged = assetProof(2);
        forged[0].asset = 1;
        vm.expectPartialRevert(TreeProof.WrongRoot.selector);
        escape.proveAssets(forged);
        assertTrue(!escape.exitAssets(1).known, "nothing");
    }

    // --- payment ---

    /// @dev Carol trades with ether behind her and loses 6,000 to Alice, who lent nothing and holds quote alone; Bob holds
    /// ether alone and is untouched.
    function test_whatADebtorPutUpCoversWhatOthersLack() public {
        setCash(1, ALICE, 10_000);
        setCash(2, BOB, 0);
        setHolding(2, 1, 7, 0, 0);
        setCash(3, CAROL, -6_000);
        setHolding(3, 1, 4, 0, 0);
        _settled(4_000, 11);
        for (uint32 id = 1; id <= 3; id++) register(id);
        _claims(CAROL, 0, 1);
        _paid(BOB, 0, 7);
        _paid(CAROL, 0, 1);
        // 4,000 of 10,000 in quote; 6,000 are lacking, 3 ether of 2,000 are over.
        _paid(ALICE, 4_000, 3);
        assertEq(vault.held(0) + vault.held(1), 0, "nothing stays");
    }

    /// @dev What nobody has proven a price of stays: it can't be shared by value.
    function test_aSurplusWithoutAProvenPriceStays() public {
        setCash(1, ALICE, 5_000);
        _arrive(1_000, 3);
        settle(ledger(), "");
        freezeNow();
        escape.settle();
        countAll();
        register(1);
        openPayments();
        assertEq(escape.claim(ALICE, 0), 1_000, "quote");
        assertEq(escape.claimable(ALICE, 1), 0, "no ether");
        vm.expectRevert(abi.encodeWithSelector(IEscapeHatch.NothingToClaim.selector, ALICE, 1));
        escape.claim(ALICE, 1);
    }

    /// @dev Rounding lacks a q: it is worth a q of what is over, not all of it.
    function test_aTinyLackTakesATinyPart() public {
        setCash(1, ALICE, 1_001);
        _settled(1_000, 500);
        register(1);
        _paid(ALICE, 1_000, 0);
    }

    /// @dev Any equities in two assets, in any order: what is said is what is paid, nobody is first, and neither token runs out.
    function testFuzz_orderDoesNotMatter(
        int32[5] memory cash,
        uint16[5] memory held,
        uint16[5] memory owed,
        uint16[2] memory brought,
        uint256 seed
    ) public {
        for (uint32 i = 0; i < 5; i++) {
            setCash(i + 1, _owner(i), cash[i]);
            setHolding(i + 1, 1, held[i], 0, owed[i]);
        }
        _settled(1 + uint64(brought[0]) * 100, 1 + brought[1] % 900);
        for (uint32 i = 0; i < 5; i++) register(1 + uint32((i + seed % 5) % 5));
        openPayments();
        uint256[2] memory rest = [vault.held(0), vault.held(1)];
        uint256[10] memory said;
        for (uint256 k = 0; k < 10; k++) said[k] = escape.claimable(_owner(k / 2), uint16(k % 2));
        for (uint256 n = 0; n < 10; n++) {
            uint256 k = (n * 3 + (seed >> 8) % 10) % 10;
            if (said[k] == 0) continue;
            assertEq(escape.claimable(_owner(k / 2), uint16(k % 2)), said[k], "said again");
            assertEq(escape.claim(_owner(k / 2), uint16(k % 2)), said[k], "paid");
            rest[k % 2] -= said[k];
        }
        assertEq(vault.held(0), rest[0], "quote held");
        assertEq(vault.held(1), rest[1], "ether held");
        _isFair(said);
    }

    /// @dev No asset pays more than claims while another's claims lack more than rounding and what is over covers.
    function _isFair(uint256[10] memory paid) private view {
        uint256 value = 0;
        uint256 claims = 0;
        for (uint256 i = 0; i < 5; i++) {
            uint256 own = escape.claimOf(_owner(i), 0) + 2_000 * escape.claimOf(_owner(i), 1);
            uint256 got = paid[2 * i] + 2_000 * paid[2 * i + 1];
            assertTrue(got <= own, "never more than claimed");
            value += got;
            claims += own;
        }
        uint256 there = escape.pool(0) + 2_000 * escape.pool(1);
        // Each of the ten payments rounds down, twice: two q or two ether.
        uint256 least = there < claims ? there : claims;
        assertTrue(value + 5 * 2 * 2_001 >= least || value + 5 * 2 * 2_001 >= claims, "all that can be paid is paid");
    }

    function tryRegister(uint32 id) external {
        register(id);
    }

    function tryProveAsset(uint16 asset) external {
        proveAsset(asset);
    }

    // --- parts ---

    function _owner(uint256 i) private pure returns (address) {
        return address(uint160(0x9000 + i));
    }

    function _arrive(uint64 quote, uint64 units) private {
        if (quote != 0) deposit(ALICE, 0, quote);
        if (units != 0) deposit(ALICE, 1, units);
    }

    /// @dev The ledger as it was set, backed by so much, settled, with market 0 and asset 1 proven.
    function _settled(uint64 quote, uint64 units) private {
        _arrive(quote, units);
        finish("");
        escape.settle();
        countAll();
        provePrice(0);
        proveAsset(1);
    }

    function _claims(address owner, uint256 quote, uint256 units) private view {
        assertEq(escape.claimOf(owner, 0), quote, "claim of quote");
        assertEq(escape.claimOf(owner, 1), units, "claim of ether");
    }

    function _paid(address owner, uint256 quote, uint256 units) private {
        openPayments();
        uint256[2] memory expected = [quote, units];
        for (uint16 asset = 0; asset < 2; asset++) {
            assertEq(escape.claimable(owner, asset), expected[asset], "said");
            if (expected[asset] != 0) assertEq(escape.claim(owner, asset), expected[asset], "paid");
            else {
                vm.expectRevert(abi.encodeWithSelector(IEscapeHatch.NothingToClaim.selector, owner, asset));
                escape.claim(owner, asset);
            }
        }
    }
}
