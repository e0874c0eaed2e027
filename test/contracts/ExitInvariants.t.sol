// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ExitFixture} from "./ExitFixture.sol";
import {Test} from "./Test.sol";
import {InvariantTest} from "./Invariants.t.sol";
import {ExitPrice, ProvenLeaf} from "../../settlement/contracts/interfaces/IEscapeHatch.sol";
import {ExitLib} from "../../settlement/contracts/libraries/ExitLib.sol";
import {Keys} from "../../settlement/contracts/step/Keys.sol";
import {Account, AccountLib} from "../../settlement/contracts/step/leaves/Account.sol";

/// @notice A frozen rollup, and everybody trying to get out in any order, also what is not theirs or not yet due.
contract ExitWorld is ExitFixture {
    uint256 internal constant OWNERS = 5;
    /// @dev Equities sum to 1,900 less 850 owed; the vault has 1,000 of the ledger's, 200 to pay out, 90 to give back.
    int256[OWNERS] internal EQUITY = [int256(1_000), 600, -850, 300, 0];

    uint256 public claimsPaid;
    uint256 public refundsPaid;
    uint256 public withdrawalsPaid;
    uint256[OWNERS] public paidOf;
    string public broken;
    ProvenLeaf internal withdrawnLeaf;

    constructor() {
        deployAll();
        for (uint256 i = 0; i < OWNERS; i++) fund(owner(i), 1_000_000);
        deposit(owner(0), 0, 1_200);
        setClock(1_700_000_000_000);
        setMarket(0, 100, 100, 1_700_000_000_000, 0);
        for (uint32 i = 0; i < OWNERS; i++) setCash(i + 1, owner(i), EQUITY[i]);
        setWithdrawn(owner(4), 0, 200);
        settle(ledger(), totals(0, 200));
        deposit(owner(2), 0, 50);
        force(owner(1));
        deposit(owner(3), 0, 40);
        freezeNow();
        withdrawnLeaf = proven(Keys.withdrawn(owner(4), 0));
    }

    function owner(uint256 i) public pure returns (address) {
        return address(uint160(0x2000 + i));
    }

    function settle_() external {
        try escape.settle() {} catch {}
    }

    function count(uint256 entries) external {
        if (escape.claimsUntil() == 0) return;
        uint256 left = escape.queueLength() - escape.counted();
        entries = bound(entries, 0, left);
        escape.countDeposits(entriesOf(escape.counted(), escape.counted() + entries));
    }

    function register_(uint256 who) external {
        bool open = escape.claimsUntil() != 0 && block.timestamp < escape.claimsUntil();
        try escape.registerClaims(accountProof(uint32(1 + who % OWNERS))) {
            if (!open) broken = "registered outside the claim period";
        } catch {
            if (open) broken = "a claim was refused";
        }
    }

    function refund_(uint256 which) external {
        uint64 index = 3 + uint64(which % 3);
        address to = entered[index - 2].owner;
        uint256 had = token.balanceOf(to);
        bool again = escape.refunded(index);
        bool due = escape.claimsUntil() != 0 && escape.counted() == escape.queueLength() && index != 4 && !again;
        try escape.refund(index, to, entered[index - 2].payload) {
            if (!due) broken = "refunded without a reason";
            refundsPaid += token.balanceOf(to) - had;
        } catch {
            if (due) broken = "a refund was refused";
        }
    }

    function claim_(uint256 who) external {
        who %= OWNERS;
        uint256 had = token.balanceOf(owner(who));
        try escape.claim(owner(who), 0) returns (uint256 amount) {
            if (paidOf[who] != 0) broken = "paid twice";
            if (block.timestamp < escape.claimsUntil()) broken = "paid within the claim period";
            if (token.balanceOf(owner(who)) != had + amount) broken = "not paid to the owner";
            paidOf[who] += amount;
            claimsPaid += amount;
        } catch {}
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
        uint256 held = vault.held(0);
        assertEq(token.balanceOf(address(vault)), held, "tokens are what is held");
        assertEq(held, 1_290 - claimsPaid - refundsPaid - withdrawalsPaid, "sum paid and held");
        assertTrue(claimsPaid <= 1_000, "claims take nothing of refunds and withdrawals");
        assertTrue(withdrawalsPaid <= 200 && refundsPaid <= 90, "each once");
        if (escape.claimsUntil() != 0 && escape.counted() == escape.queueLength()) {
            assertEq(vault.reserved(0), 90 - refundsPaid, "reserved");
            assertTrue(held >= vault.reserved(0) + 200 - withdrawalsPaid, "held covers who comes first");
        }
        uint256 total = escape.claimTotal();
        uint256 sum = 0;
        for (uint256 i = 0; i < OWNERS; i++) {
            uint256 own = escape.claimOf(owner(i));
            sum += own;
            assertTrue(own == 0 || int256(own) == EQUITY[i], "claims are equities");
            uint256 share = total == 0 ? 0 : 1_000 * own / (total > 1_000 ? total : 1_000);
            assertTrue(paidOf[i] == 0 || paidOf[i] == share, "paid is the share, whoever came first");
        }
        assertEq(sum, total, "claims");
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
        bytes4[] memory selectors = new bytes4[](9);
        selectors[0] = ExitWorld.settle_.selector;
        selectors[1] = ExitWorld.count.selector;
        selectors[2] = ExitWorld.register_.selector;
        selectors[3] = ExitWorld.register_.selector;
        selectors[4] = ExitWorld.refund_.selector;
        selectors[5] = ExitWorld.claim_.selector;
        selectors[6] = ExitWorld.claim_.selector;
        selectors[7] = ExitWorld.withdraw.selector;
        selectors[8] = ExitWorld.pass_.selector;
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
            int256 equity = account.cash;
            for (uint256 i = 0; i < account.positions.length; i++) {
                if (account.positions[i].size != 0) equity += ExitLib.valueOf(account.positions[i], p);
            }
            assertEq(bytes32(uint256(equity)), bytes32(uint256(_signed(c, ".equity"))), c);
            (uint256 claim,) = ExitLib.split(equity);
            assertEq(claim, _number(c, ".claim"), c);
        }
        assertTrue(count >= 60, "sixty accounts");
    }

    function test_shareVectors() public view {
        uint256 count = 0;
        for (string memory c = _case(".share", 0); vm.keyExistsJson(json, c); c = _case(".share", ++count)) {
            uint256 share = ExitLib.shareOf(
                _number(c, ".pool"), _number(c, ".claim"), _number(c, ".claimTotal"), _number(c, ".value")
            );
            assertEq(share, _number(c, ".share"), c);
        }
        assertTrue(count >= 8, "eight shares");
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

    function testFuzz_anyLeafHasAnEquity(bytes calldata noise, uint64 price, uint64 qm, int128 fundingIndex) public pure {
        bytes memory value = new bytes(88 + 16 * 74);
        for (uint256 i = 0; i < value.length; i++) value[i] = noise.length == 0 ? bytes1(0xff) : noise[i % noise.length];
        value[87] = bytes1(uint8(16));
        Account memory account = AccountLib.decode(value);
        int256 equity = account.cash;
        ExitPrice memory p = ExitPrice({known: true, price: price, qm: qm, fundingIndex: fundingIndex});
        for (uint256 i = 0; i < 16; i++) equity += ExitLib.valueOf(account.positions[i], p);
        (uint256 claim, uint256 deficit) = ExitLib.split(equity);
        assertTrue(claim <= type(uint64).max && deficit <= type(uint64).max, "bounded");
        assertTrue(claim == 0 || deficit == 0, "one of them");
    }

    function testFuzz_thePriceIsTheIndexOrNearIt(uint32 index, uint32 mark, bool void) public pure {
        uint256 price = ExitLib.choose(index, mark, void);
        if (index == 0) assertEq(price, mark, "mark");
        else if (!void) assertEq(price, index, "index");
        else assertTrue(price * 20 >= uint256(index) * 19 && price * 20 <= uint256(index) * 21, "within 5 %");
    }

    function testFuzz_sharesNeverSumBeyondThePool(uint64 pool, uint64[8] calldata claims, uint64 value) public pure {
        uint256 total = 0;
        for (uint256 i = 0; i < 8; i++) total += claims[i];
        uint256 paid = 0;
        for (uint256 i = 0; i < 8; i++) {
            if (claims[i] != 0) paid += ExitLib.shareOf(pool, claims[i], total, value);
        }
        assertTrue(paid <= pool, "sum");
        if (total != 0 && total >= value) assertTrue(pool - paid < 8, "only rounding stays");
    }
}
