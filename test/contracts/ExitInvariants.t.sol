// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ExitFixture} from "./ExitFixture.sol";
import {Test} from "./Test.sol";
import {InvariantTest} from "./Invariants.t.sol";
import {AccountProof, ExitAsset, ExitPrice, ProvenLeaf} from "../../settlement/contracts/interfaces/IEscapeHatch.sol";
import {TestToken} from "../../settlement/contracts/devnet/TestToken.sol";
import {ExitLib, Holdings, Pool} from "../../settlement/contracts/libraries/ExitLib.sol";
import {Keys} from "../../settlement/contracts/step/Keys.sol";
import {Account, AccountLib} from "../../settlement/contracts/step/leaves/Account.sol";

/// @notice A frozen rollup with dollars, ether and debts in both, and everybody trying to get out in any order, also what is
/// not theirs or not yet due.
contract ExitWorld is ExitFixture {
    uint256 internal constant OWNERS = 5;
    uint256 internal constant ASSETS = 2;
    uint64 internal constant SCALE = 10 ** 10;
    /// @dev An ether is worth 100 q.
    uint256 internal constant PRICE = 100;
    /// @dev Dollars: 1,900 less 850 owed, of which the vault has 600, and 200 to pay out, 50 to give back. Ether: 14 less 3 owed,
    /// of which the vault has 11, and 40 to give back. What owner 2 owes takes 8.5 of 10 ether: the rest covers who lacks dollars.
    int256[OWNERS] internal CASH = [int256(1_000), 600, -850, 300, 0];
    uint256[OWNERS] internal HELD = [uint256(0), 1, 10, 3, 0];
    uint256[OWNERS] internal OWED = [uint256(0), 0, 0, 0, 3];
    uint256[OWNERS] internal CLAIM = [uint256(1_000), 600, 0, 300, 0];
    uint256[OWNERS] internal CLAIM_ETHER = [uint256(0), 1, 1, 3, 0];
    uint256[ASSETS] internal POOL = [uint256(600), 11];
    uint256[ASSETS] internal REFUNDS = [uint256(50), 40];

    TestToken internal ether_;
    uint256[ASSETS] public claimsPaid;
    uint256[ASSETS] public refundsPaid;
    uint256 public withdrawalsPaid;
    mapping(uint256 who => mapping(uint256 asset => uint256)) public paidOf;
    string public broken;
    ProvenLeaf internal withdrawnLeaf;

    constructor() {
        vm.warp(1_700_000_000);
        vm.roll(1_000);
        token = new TestToken("Test USD", "tUSD", 6);
        ether_ = new TestToken("Test Ether", "tETH", 18);
        (secondToken, secondScale) = (address(ether_), SCALE);
        deployFor(address(token));
        for (uint256 i = 0; i < OWNERS; i++) {
            fund(owner(i), 1_000_000);
            ether_.mint(owner(i), 1_000 * uint256(SCALE));
            vm.prank(owner(i));
            ether_.approve(address(vault), type(uint256).max);
        }
        deposit(owner(0), 0, 800);
        deposit(owner(0), 1, 11);
        setClock(1_700_000_000_000);
        setMarket(0, uint32(PRICE), uint32(PRICE), 1_700_000_000_000, 0);
        setAsset(1, 0, 0, 1e27, 1e27);
        for (uint32 i = 0; i < OWNERS; i++) {
            setCash(i + 1, owner(i), CASH[i]);
            if (HELD[i] + OWED[i] != 0) setHolding(i + 1, 1, HELD[i], 0, OWED[i]);
        }
        setWithdrawn(owner(4), 0, 200);
        settle(ledger(), totals(0, 200));
        deposit(owner(2), 0, 50);
        force(owner(1));
        deposit(owner(3), 1, 40);
        freezeNow();
        withdrawnLeaf = proven(Keys.withdrawn(owner(4), 0));
    }

    function owner(uint256 i) public pure returns (address) {
        return address(uint160(0x2000 + i));
    }

    function settle_() external {
        try escape.settle() {} catch {}
    }

    /// @dev Prices and what assets are worth, at any time before payments.
    function prove(bool price) external {
        if (escape.claimsUntil() == 0) return;
        if (price) return provePrice(0);
        bool may = escape.prices(0).known && block.timestamp < escape.claimsUntil();
        try escape.proveAssets(assetProof(1)) {
            if (!may) broken = "an asset was proven without its price or too late";
        } catch {
            if (may) broken = "an asset was refused";
        }
    }

    function count(uint256 entries) external {
        if (escape.claimsUntil() == 0) return;
        uint256 left = escape.queueLength() - escape.counted();
        entries = bound(entries, 0, left);
        escape.countDeposits(entriesOf(escape.counted(), escape.counted() + entries));
    }

    function register_(uint256 who) external {
        who %= OWNERS;
        bool open = escape.claimsUntil() != 0 && block.timestamp < escape.claimsUntil()
            && (HELD[who] + OWED[who] == 0 || escape.exitAssets(1).known);
        AccountProof[] memory proofs = accountProof(uint32(1 + who));
        try escape.registerClaims(proofs) {
            if (!open) broken = "registered outside the claim period or without what assets are worth";
        } catch {
            if (open) broken = "a claim was refused";
        }
    }

    function refund_(uint256 which) external {
        uint64 index = 4 + uint64(which % 3);
        address to = entered[index - 2].owner;
        uint256 asset = index == 6 ? 1 : 0;
        uint256 had = _tokens(to, asset);
        bool again = escape.refunded(index);
        bool due = escape.claimsUntil() != 0 && escape.counted() == escape.queueLength() && index != 5 && !again;
        try escape.refund(index, to, entered[index - 2].payload) {
            if (!due) broken = "refunded without a reason";
            refundsPaid[asset] += _tokens(to, asset) - had;
        } catch {
            if (due) broken = "a refund was refused";
        }
    }

    function claim_(uint256 who, uint256 asset) external {
        (who, asset) = (who % OWNERS, asset % ASSETS);
        uint256 had = _tokens(owner(who), asset);
        bool opened = escape.distributing();
        uint256 said = escape.claimsUntil() == 0 ? 0 : escape.claimable(owner(who), uint16(asset));
        try escape.claim(owner(who), uint16(asset)) returns (uint256 amount) {
            if (paidOf[who][asset] != 0) broken = "paid twice";
            if (block.timestamp < escape.claimsUntil()) broken = "paid within the claim period";
            if (_tokens(owner(who), asset) != had + amount) broken = "not paid to the owner";
            if (amount != said) broken = "paid another amount than was said";
            paidOf[who][asset] += amount;
            claimsPaid[asset] += amount;
        } catch {
            if (opened && said != 0) broken = "a payment was refused";
        }
    }

    function withdraw() external {
        try vault.withdraw(owner(4), 0, 200, 1, withdrawnLeaf.path) returns (uint128 amount) {
            withdrawalsPaid += amount;
        } catch {
            if (withdrawalsPaid == 0) broken = "a withdrawal was refused";
        }
    }

    function pass_(uint32 secondsOn) external {
        pass(bound(secondsOn, 1, 8 days));
    }

    /// @dev What everybody is owed once claims are known, from the sums alone.
    function check() external view {
        assertEq(bytes(broken).length, 0, broken);
        uint256[ASSETS] memory withdrawals = [uint256(200) - withdrawalsPaid, 0];
        assertTrue(withdrawalsPaid <= 200, "once");
        for (uint256 asset = 0; asset < ASSETS; asset++) {
            uint256 held = vault.held(uint16(asset));
            assertEq(_tokens(address(vault), asset), held, "tokens are what is held");
            assertTrue(claimsPaid[asset] <= POOL[asset], "claims take nothing of refunds and withdrawals");
            assertTrue(refundsPaid[asset] <= REFUNDS[asset], "each once");
            uint256 due = REFUNDS[asset] - refundsPaid[asset] + withdrawals[asset];
            assertEq(held, POOL[asset] - claimsPaid[asset] + due, "sum paid and held");
            if (escape.claimsUntil() != 0 && escape.counted() == escape.queueLength()) {
                assertEq(vault.reserved(uint16(asset)), REFUNDS[asset] - refundsPaid[asset], "reserved");
                assertTrue(held >= due, "held covers who comes first");
            }
        }
        _checkClaims();
    }

    function _checkClaims() private view {
        uint256[ASSETS] memory sums;
        for (uint256 i = 0; i < OWNERS; i++) {
            uint256[ASSETS] memory own = [escape.claimOf(owner(i), 0), escape.claimOf(owner(i), 1)];
            for (uint256 asset = 0; asset < ASSETS; asset++) sums[asset] += own[asset];
            if (escape.registered(uint32(i + 1))) {
                assertTrue(own[0] == CLAIM[i] && own[1] == CLAIM_ETHER[i], "claims are what is left of holdings");
            } else {
                assertTrue(own[0] + own[1] == 0, "no claim without an account");
            }
            // Whoever came first: never more in value than the claims.
            assertTrue(paidOf[i][0] + PRICE * paidOf[i][1] <= own[0] + PRICE * own[1], "no more than claimed");
        }
        assertEq(sums[0], escape.claimTotal(0), "claims of dollars");
        assertEq(sums[1], escape.claimTotal(1), "claims of ether");
        assertTrue(escape.deficitTotal() == 0 || escape.deficitTotal() == 300, "owner 4 owes 3 ether");
    }

    function _tokens(address of_, uint256 asset) private view returns (uint256) {
        return asset == 0 ? token.balanceOf(of_) : ether_.balanceOf(of_) / SCALE;
    }
}

contract ExitInvariantTest is ExitFixture {
    ExitWorld private world;

    function setUp() public {
        world = new ExitWorld();
    }

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(world);
    }

    function targetSelectors() public view returns (InvariantTest.FuzzSelector[] memory targets) {
        bytes4[] memory selectors = new bytes4[](11);
        selectors[0] = ExitWorld.settle_.selector;
        selectors[1] = ExitWorld.count.selector;
        selectors[2] = ExitWorld.register_.selector;
        selectors[3] = ExitWorld.register_.selector;
        selectors[4] = ExitWorld.refund_.selector;
        selectors[5] = ExitWorld.claim_.selector;
        selectors[6] = ExitWorld.claim_.selector;
        selectors[7] = ExitWorld.withdraw.selector;
        selectors[8] = ExitWorld.pass_.selector;
        selectors[9] = ExitWorld.prove.selector;
        selectors[10] = ExitWorld.prove.selector;
        targets = new InvariantTest.FuzzSelector[](1);
        targets[0] = InvariantTest.FuzzSelector({addr: address(world), selectors: selectors});
    }

    function invariant_everybodyGetsTheirsOnceAndNobodyMore() public view {
        world.check();
    }
}

/// @notice No value that a ledger can hold makes an exit impossible.
contract ExitLibTest is Test {
    string private json;

    function setUp() public {
        json = vm.readFile("test/vectors/exit.json");
    }

    function test_priceVectors() public view {
        uint256 count = 0;
        for (string memory c = _case(".price", 0); vm.keyExistsJson(json, c); c = _case(".price", ++count)) {
            ExitPrice memory p = ExitLib.priceOf(
                _number(c, ".market"), _bytes(c, ".globals"), _bytes(c, ".config"), _bytes(c, ".prices")
            );
            assertEq(p.price, _number(c, ".price"), c);
            assertEq(p.qm, _number(c, ".qm"), c);
            assertEq(bytes32(uint256(int256(p.fundingIndex))), bytes32(uint256(_signed(c, ".fundingIndex"))), c);
        }
        assertTrue(count >= 24, "every shape in two rows");
    }

    function test_assetVectors() public view {
        uint256 count = 0;
        for (string memory c = _case(".asset", 0); vm.keyExistsJson(json, c); c = _case(".asset", ++count)) {
            ExitAsset memory got =
                ExitLib.assetOf(_bytes(c, ".config"), _bytes(c, ".pool"), uint64(_number(c, ".feedPrice")));
            assertEq(keccak256(abi.encode(got)), keccak256(abi.encode(_asset(c))), c);
        }
        assertTrue(count >= 12, "twelve assets");
    }

    function test_equityVectors() public view {
        uint256 count = 0;
        for (string memory c = _case(".equity", 0); vm.keyExistsJson(json, c); c = _case(".equity", ++count)) {
            Account memory account = AccountLib.decode(_bytes(c, ".leaf"));
            assertEq(account.owner, vm.parseJsonAddress(json, string.concat(c, ".owner")), c);
            ExitPrice memory p = ExitPrice({
                known: true,
                price: uint64(_number(c, ".price")),
                qm: uint64(_number(c, ".qm")),
                fundingIndex: int128(_signed(c, ".fundingIndex"))
            });
            Holdings memory got = _holdings(account, p, _asset(string.concat(c, ".asset")));
            assertEq(got.plus, _number(c, ".plus"), c);
            assertEq(got.minus, _number(c, ".minus"), c);
            assertEq(ExitLib.claimOf(got.quote, got), _number(c, ".claim"), c);
            string memory d = _case(string.concat(c, ".claims"), 0);
            for (uint256 i = 0; i < got.units.length; d = _case(string.concat(c, ".claims"), ++i)) {
                assertEq(ExitLib.claimOf(got.units[i], got), vm.parseJsonUint(json, d), d);
            }
        }
        assertTrue(count >= 90, "ninety accounts");
    }

    function test_shareVectors() public view {
        uint256 count = 0;
        for (string memory c = _case(".share", 0); vm.keyExistsJson(json, c); c = _case(".share", ++count)) {
            uint256 length = 0;
            while (vm.keyExistsJson(json, _case(string.concat(c, ".pools"), length))) length++;
            Pool[] memory pools = new Pool[](length);
            uint256[] memory claims = new uint256[](length);
            for (uint256 i = 0; i < length; i++) {
                string memory d = _case(string.concat(c, ".pools"), i);
                pools[i] = Pool({
                    pool: _number(d, ".pool"),
                    claimTotal: _number(d, ".claimTotal"),
                    asset: _asset(d)
                });
                pools[i].asset.known = vm.parseJsonBool(json, string.concat(d, ".known"));
                claims[i] = vm.parseJsonUint(json, _case(string.concat(c, ".claims"), i));
            }
            for (uint256 i = 0; i < length; i++) {
                string memory d = _case(string.concat(c, ".payments"), i);
                assertEq(ExitLib.paymentOf(pools, claims, i), vm.parseJsonUint(json, d), d);
            }
        }
        assertTrue(count >= 45, "forty-five owners");
    }

    /// @dev The same price for every market, the same asset for every row.
    function _holdings(Account memory account, ExitPrice memory p, ExitAsset memory a)
        private
        pure
        returns (Holdings memory)
    {
        ExitPrice[] memory prices = new ExitPrice[](account.positions.length);
        for (uint256 i = 0; i < prices.length; i++) prices[i] = p;
        ExitAsset[] memory assets = new ExitAsset[](account.assets.length);
        for (uint256 i = 0; i < assets.length; i++) assets[i] = a;
        return ExitLib.holdingsOf(account, prices, assets);
    }

    function _asset(string memory c) private view returns (ExitAsset memory) {
        return ExitAsset({
            known: true,
            price: uint64(_number(c, ".price")),
            tickValue: uint64(_number(c, ".tickValue")),
            whole: uint64(_number(c, ".whole")),
            supplyIndex: uint128(_number(c, ".supplyIndex")),
            borrowIndex: uint128(_number(c, ".borrowIndex"))
        });
    }

    function _number(string memory c, string memory field) private view returns (uint256) {
        return vm.parseJsonUint(json, string.concat(c, field));
    }

    function _signed(string memory c, string memory field) private view returns (int256) {
        return vm.parseJsonInt(json, string.concat(c, field));
    }

    function _bytes(string memory c, string memory field) private view returns (bytes memory) {
        return vm.parseJsonBytes(json, string.concat(c, field));
    }

    /// @dev Prices have 32 bits in their leaf, and a configuration bounds tickValue and decimals.
    function testFuzz_anyLeafHasAClaim(
        bytes calldata noise,
        uint32 price,
        uint64 qm,
        int128 fundingIndex,
        uint48 tickValue,
        uint8 decimals,
        uint128 supplyIndex,
        uint128 borrowIndex
    ) public pure {
        bytes memory value = new bytes(96 + 16 * 78 + 8 * 26);
        for (uint256 i = 0; i < value.length; i++) value[i] = noise.length == 0 ? bytes1(0xff) : noise[i % noise.length];
        (value[87], value[88]) = (bytes1(uint8(16)), bytes1(uint8(8)));
        Account memory account = AccountLib.decode(value);
        ExitPrice memory p = ExitPrice({known: true, price: price, qm: qm, fundingIndex: fundingIndex});
        ExitAsset memory a = ExitAsset({
            known: true,
            price: price,
            tickValue: tickValue,
            whole: uint64(10 ** (decimals % 13)),
            supplyIndex: supplyIndex,
            borrowIndex: borrowIndex
        });
        Holdings memory got = _holdings(account, p, a);
        uint256 quote = ExitLib.claimOf(got.quote, got);
        assertTrue(quote <= type(uint64).max, "bounded");
        uint256 deficit = ExitLib.deficitOf(got);
        assertTrue(deficit == 0 || (quote == 0 && got.minus > got.plus), "one of them");
        for (uint256 i = 0; i < 8; i++) {
            uint256 claim = ExitLib.claimOf(got.units[i], got);
            assertTrue(claim <= type(uint64).max && (claim == 0 || deficit == 0), "bounded, and one of them");
            assertTrue(claim == 0 || int256(claim) <= got.units[i], "no more than is held");
        }
    }

    function testFuzz_thePriceIsTheIndexOrNearIt(uint32 index, uint32 mark, bool void) public pure {
        uint256 price = ExitLib.choose(index, mark, void);
        if (index == 0) assertEq(price, mark, "mark");
        else if (!void) assertEq(price, index, "index");
        else assertTrue(price * 20 >= uint256(index) * 19 && price * 20 <= uint256(index) * 21, "within 5 %");
    }

    /// @dev Eight owners of two assets: no pool pays more than it has, and while claims lack only rounding stays.
    function testFuzz_paymentsNeverSumBeyondThePools(
        uint56[2] calldata there,
        uint48[8] calldata quotes,
        uint48[8] calldata units,
        uint16 price
    ) public pure {
        Pool[] memory pools = new Pool[](2);
        (pools[0].asset, pools[1].asset) = (ExitLib.quote(), ExitLib.quote());
        pools[1].asset.price = price;
        for (uint256 i = 0; i < 8; i++) {
            pools[0].claimTotal += quotes[i];
            pools[1].claimTotal += units[i];
        }
        uint256[2] memory paid;
        for (uint256 a = 0; a < 2; a++) pools[a].pool = there[a];
        uint256[] memory claims = new uint256[](2);
        for (uint256 i = 0; i < 8; i++) {
            (claims[0], claims[1]) = (quotes[i], units[i]);
            for (uint256 a = 0; a < 2; a++) paid[a] += ExitLib.paymentOf(pools, claims, a);
        }
        for (uint256 a = 0; a < 2; a++) {
            assertTrue(paid[a] <= there[a], "sum");
            if (pools[a].claimTotal >= there[a]) assertTrue(there[a] - paid[a] <= 8, "only rounding stays");
        }
        (uint256 lacks, uint256 surpluses) = ExitLib.sums(pools);
        if (lacks < surpluses || price == 0) return;
        // What is over does not cover what lacks: all of it is paid out but rounding.
        for (uint256 a = 0; a < 2; a++) {
            assertTrue(lacks == 0 || there[a] - paid[a] <= 24 + 10 * uint256(there[a]) / lacks, "the surplus is shared");
        }
    }
}
