// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ExitFixture} from "./ExitFixture.sol";
import {GasTable} from "./GasTable.sol";
import {TestToken} from "../../settlement/contracts/devnet/TestToken.sol";

/// @notice Gas of money's ways: in, out, and out of a frozen rollup. Ledgers of a few leaves but where a path is named.
/// forge-config: default.isolate = true
contract GasMoneyTest is ExitFixture, GasTable {
    address private constant ALICE = address(0xa11ce);
    address private constant BOB = address(0xb0b);

    function setUp() public {
        deployAll();
        fund(ALICE, 1_000_000);
        fund(BOB, 1_000_000);
    }

    function test_in() public {
        vm.prank(ALICE);
        queue.deposit(0, 0, 1_000);
        used("Queue.deposit, the first of an owner");
        vm.prank(ALICE);
        queue.deposit(0, 0, 1_000);
        used("Queue.deposit");
        vm.prank(ALICE);
        queue.depositFor(BOB, 0, 0, 1_000);
        used("Queue.depositFor");
        vm.prank(ALICE);
        queue.requestForced{value: BASE_FEE}(1, abi.encodePacked(uint16(0), uint8(0), uint64(5)));
        used("Queue.requestForced, a withdrawal");
    }

    function test_configuration() public {
        bytes memory publisher = abi.encodePacked(uint8(1), ALICE, uint32(7));
        vm.prank(CONFIGURATOR);
        uint64 id = queue.proposeConfiguration(18, publisher);
        used("Queue.proposeConfiguration, a publisher");
        pass(TIMELOCK_MS / 1000);
        vm.prank(ALICE);
        queue.enterConfiguration{value: BASE_FEE}(id, 18, publisher);
        used("Queue.enterConfiguration, a publisher");
        vm.prank(CONFIGURATOR);
        id = queue.proposeConfiguration(18, publisher);
        vm.prank(CONFIGURATOR);
        queue.cancelConfiguration(id);
        used("Queue.cancelConfiguration");
    }

    function test_out() public {
        deposit(ALICE, 0, 1_000);
        settle(soleRoot(ALICE, 0, 300), totals(0, 300));
        vm.prank(BOB);
        vault.withdraw(ALICE, 0, 300, 1, solePath());
        used("Vault.withdraw, the first of an owner, no sibling");
        (bytes32 root, bytes memory path) = _deepened(leafKey(ALICE, 0), soleRoot(ALICE, 0, 500), 20);
        settle(root, totals(0, 200));
        vm.prank(BOB);
        vault.withdraw(ALICE, 0, 500, 2, path);
        used("Vault.withdraw, 20 siblings");
    }

    function test_exit() public {
        deposit(ALICE, 0, 1_000);
        setClock(1_700_000_000_000);
        setMarket(0, 100, 100, 1_700_000_000_000, 0);
        setCash(1, ALICE, 700);
        setCash(2, BOB, 300);
        addPosition(2, 0, 3, 200, 0);
        settle(ledger(), "");
        deposit(BOB, 0, 50);
        freezeNow();
        escape.settle();
        used("EscapeHatch.settle");
        provePrice(0);
        used("EscapeHatch.provePrices, one market");
        countAll();
        used("EscapeHatch.countDeposits, one deposit");
        register(1);
        used("EscapeHatch.registerClaims, an account without positions");
        register(2);
        used("EscapeHatch.registerClaims, an account with one position");
        escape.refund(3, BOB, entered[1].payload);
        used("EscapeHatch.refund");
        openPayments();
        escape.claim(ALICE, 0);
        used("EscapeHatch.claim, the first");
        escape.claim(BOB, 0);
        used("EscapeHatch.claim");
    }

    /// @dev Ether beside quote, and the largest account that there can be.
    function test_exitWithAssets() public {
        secondToken = address(new TestToken("Test Ether", "tETH", 18));
        deployFor(address(token));
        fund(ALICE, 1_000_000);
        delete entered;
        deposit(ALICE, 0, 1_000);
        setClock(1_700_000_000_000);
        for (uint16 i = 0; i < 16; i++) setMarket(i, 100, 100, 1_700_000_000_000, 0);
        for (uint16 i = 0; i < 8; i++) setAsset(i, i == 0 ? 0xffff : i, 6, 2e27, 2e27);
        setCash(1, ALICE, 700);
        setHolding(1, 1, 300, 0, 0);
        setCash(2, BOB, 300);
        for (uint16 i = 0; i < 16; i++) addPosition(2, i, 3, 200, 0);
        for (uint16 i = 0; i < 8; i++) setHolding(2, i, i == 0 ? 0 : 900, 70, 80);
        settle(ledger(), "");
        freezeNow();
        escape.settle();
        for (uint16 i = 0; i < 16; i++) provePrice(i);
        proveAsset(1);
        used("EscapeHatch.proveAssets, one asset");
        for (uint16 i = 0; i < 8; i++) proveAsset(i);
        countAll();
        register(1);
        used("EscapeHatch.registerClaims, an account with ether");
        register(2);
        used("EscapeHatch.registerClaims, an account with 16 positions and 8 assets");
        openPayments();
        escape.claim(ALICE, 0);
        used("EscapeHatch.claim, the first of two assets");
    }

    /// @dev The root of a tree in which `count` more nodes lead to the leaf, and the path to it: mask and siblings, the
    /// uppermost first.
    function _deepened(bytes32 key, bytes32 leaf, uint256 count) private pure returns (bytes32 root, bytes memory path) {
        uint256 mask = 0;
        bytes memory siblings;
        root = leaf;
        for (uint256 i = 0; i < count; i++) {
            uint256 bit = 100 - i;
            bytes32 sibling = keccak256(abi.encode("sibling", i));
            bool isRight = (uint256(key) >> (255 - bit)) & 1 == 1;
            root = isRight
                ? keccak256(abi.encodePacked(bytes1(0x01), uint8(bit), sibling, root))
                : keccak256(abi.encodePacked(bytes1(0x01), uint8(bit), root, sibling));
            mask |= uint256(1) << (255 - bit);
            siblings = abi.encodePacked(sibling, siblings);
        }
        path = abi.encodePacked(mask, siblings);
    }
}
