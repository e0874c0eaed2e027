// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Fixture} from "./Fixture.sol";
import {Vm} from "./Vm.sol";
import {Queue} from "../../settlement/contracts/Queue.sol";
import {GenesisEntry, IQueue, QueueParameters} from "../../settlement/contracts/interfaces/IQueue.sol";
import {IVault} from "../../settlement/contracts/interfaces/IVault.sol";
import {Bounds} from "../../settlement/contracts/libraries/Bounds.sol";

/// @notice Requests something and refuses the surplus.
contract Grumbler {
    function request(IQueue queue) external payable {
        queue.requestForced{value: msg.value}(2, hex"00");
    }
}

contract QueueTest is Fixture {
    address private constant ALICE = address(0xa11ce);

    function setUp() public {
        deployAll();
        fund(ALICE, 1_000_000);
    }

    function test_genesisEntries() public view {
        assertEq(queue.length(), 2, "length");
        (bytes32 first, uint64 deadline, uint64 blockNumber) = queue.entries(0);
        assertEq(first, _after(bytes32(0), 16, address(0), new bytes(96)), "prefix");
        assertEq(deadline, block.timestamp * 1000 + INCLUSION_MS, "deadline");
        assertEq(blockNumber, block.number, "block");
        (bytes32 second, uint64 secondDeadline,) = queue.entries(1);
        assertEq(second, _after(first, 18, address(0), new bytes(25)), "prefix");
        assertEq(secondDeadline, deadline + INTERVAL_MS, "deadline");
    }

    function test_depositIsPackedAndHashed() public {
        vm.recordLogs();
        vm.prank(ALICE);
        uint64 index = queue.deposit(0, 7, 5_000);
        assertEq(index, 2, "index");
        bytes memory payload = hex"0000070000000000001388";
        (bytes32 before,,) = queue.entries(1);
        (bytes32 prefix, uint64 deadline,) = queue.entries(2);
        assertEq(prefix, _after(before, 0, ALICE, payload), "prefix");
        Vm.Log memory log = _enqueued(vm.getRecordedLogs());
        assertEq(log.topics[1], bytes32(uint256(2)), "index topic");
        assertEq(log.topics[2], bytes32(uint256(0)), "kind topic");
        assertEq(log.topics[3], bytes32(uint256(uint160(ALICE))), "owner topic");
        assertEq(keccak256(log.data), keccak256(abi.encode(payload, prefix, deadline)), "data");
        assertEq(token.balanceOf(address(vault)), 5_000, "vault");
        assertEq(vault.held(0), 5_000, "held");
    }

    function test_depositForCreditsAnotherAndIsPaidByTheSender() public {
        address bob = address(0xb0b);
        (bytes32 before,,) = queue.entries(1);
        vm.prank(ALICE);
        queue.depositFor(bob, 0, 1, 10);
        (bytes32 prefix,,) = queue.entries(2);
        assertEq(prefix, _after(before, 0, bob, hex"000001000000000000000a"), "prefix");
        assertEq(token.balanceOf(ALICE), 999_990, "paid by the sender");
        vm.prank(ALICE);
        vm.expectPartialRevert(Bounds.OutOfRange.selector);
        queue.depositFor(address(0), 0, 1, 10);
    }

    function test_forcedRequestsNameTheirSender() public {
        (bytes32 before,,) = queue.entries(1);
        bytes memory payload = hex"0000030000000000000064";
        vm.prank(ALICE);
        queue.requestForced{value: BASE_FEE}(1, payload);
        (bytes32 prefix,,) = queue.entries(2);
        assertEq(prefix, _after(before, 1, ALICE, payload), "withdraw");
        vm.prank(ALICE);
        queue.requestForced{value: BASE_FEE}(2, hex"05");
        (bytes32 next,,) = queue.entries(3);
        assertEq(next, _after(prefix, 2, ALICE, hex"05"), "cancel all");
        payload = hex"00030201000186a0000000000000000a";
        vm.prank(ALICE);
        queue.requestForced{value: BASE_FEE}(3, payload);
        (bytes32 last,,) = queue.entries(4);
        assertEq(last, _after(next, 3, ALICE, payload), "reduce-only IOC");
    }

    function testFuzz_reduceOnlyOrdersAreBounded(uint16 market, uint8 subaccount, uint8 side, uint32 price, uint64 size)
        public
    {
        bytes memory payload = abi.encodePacked(market, subaccount, side, price, size);
        bool fine = market < 1024 && side < 2 && size != 0 && size < 2 ** 48;
        vm.prank(ALICE);
        if (!fine) vm.expectPartialRevert(Bounds.OutOfRange.selector);
        queue.requestForced{value: 1 ether}(3, payload);
        payload = abi.encodePacked(market % 1024, subaccount, side % 2, price, uint64(uint48(size | 1)));
        vm.prank(ALICE);
        queue.requestForced{value: 1 ether}(3, payload);
    }

    function testFuzz_evaluationsAreOfAnyAccount(uint32 account) public {
        vm.prank(ALICE);
        queue.requestForced{value: 1 ether}(5, abi.encodePacked(account));
        vm.prank(ALICE);
        vm.expectRevert(abi.encodeWithSelector(IQueue.PayloadLength.selector, 5, 4, 5));
        queue.requestForced{value: 1 ether}(5, abi.encodePacked(account, uint8(0)));
    }

    function testFuzz_otherKindsAreRefused(uint8 kind, bytes calldata payload) public {
        vm.assume(kind == 0 || kind == 4 || kind > 5);
        vm.prank(ALICE);
        vm.expectRevert(abi.encodeWithSelector(IQueue.KindNotSupported.selector, kind));
        queue.requestForced{value: 1 ether}(kind, payload);
    }

    function testFuzz_payloadsOfAnotherLengthAreRefused(bytes calldata payload) public {
        vm.startPrank(ALICE);
        if (payload.length != 11) {
            vm.expectRevert(abi.encodeWithSelector(IQueue.PayloadLength.selector, 1, 11, payload.length));
            queue.requestForced{value: 1 ether}(1, payload);
        }
        if (payload.length != 1) {
            vm.expectRevert(abi.encodeWithSelector(IQueue.PayloadLength.selector, 2, 1, payload.length));
            queue.requestForced{value: 1 ether}(2, payload);
        }
        if (payload.length != 16) {
            vm.expectRevert(abi.encodeWithSelector(IQueue.PayloadLength.selector, 3, 16, payload.length));
            queue.requestForced{value: 1 ether}(3, payload);
        }
    }

    function testFuzz_amountsBeyondTheirBoundsAreRefused(uint16 asset, uint64 amount) public {
        bytes memory payload = abi.encodePacked(asset, uint8(0), amount);
        vm.prank(ALICE);
        if (asset != 0) vm.expectRevert(abi.encodeWithSelector(IVault.UnknownAsset.selector, 1, asset));
        else if (amount == 0 || amount >= 2 ** 53) vm.expectPartialRevert(Bounds.OutOfRange.selector);
        queue.requestForced{value: 1 ether}(1, payload);
    }

    function test_depositsAreBounded() public {
        vm.startPrank(ALICE);
        vm.expectRevert(abi.encodeWithSelector(IVault.UnknownAsset.selector, 1, 1));
        queue.deposit(1, 0, 5);
        vm.expectPartialRevert(Bounds.OutOfRange.selector);
        queue.deposit(0, 0, 0);
        vm.expectPartialRevert(Bounds.OutOfRange.selector);
        queue.deposit(0, 0, 2 ** 53);
        vm.stopPrank();
        fund(ALICE, CAP);
        vm.startPrank(ALICE);
        queue.deposit(0, 0, CAP - 1);
        vm.expectRevert(abi.encodeWithSelector(Bounds.OutOfRange.selector, bytes32("amount"), 1, 1, 2));
        queue.deposit(0, 0, 2);
        queue.deposit(0, 0, 1);
        vm.expectPartialRevert(Bounds.OutOfRange.selector);
        queue.deposit(0, 0, 1);
    }

    /// @dev Deadlines never fall, leave at least the interval between entries, and are no later than both demand.
    function testFuzz_deadlines(uint256 seed, uint8 count) public {
        vm.deal(ALICE, type(uint128).max);
        (, uint64 last,) = queue.entries(1);
        for (uint256 i = 0; i < count % 40; i++) {
            vm.warp(block.timestamp + uint256(keccak256(abi.encode(seed, i))) % 5);
            uint256 fee = queue.feeOf(2);
            vm.prank(ALICE);
            uint64 index = queue.requestForced{value: fee}(2, hex"00");
            (, uint64 deadline,) = queue.entries(index);
            uint256 uncrowded = block.timestamp * 1000 + INCLUSION_MS;
            uint256 expected = uncrowded > last + INTERVAL_MS ? uncrowded : last + INTERVAL_MS;
            assertEq(deadline, expected, "deadline");
            last = deadline;
        }
    }

    function test_aFloodPaysTwiceAsMuchEachMinuteItRunsAhead() public {
        vm.deal(ALICE, 1_000_000 ether);
        vm.startPrank(ALICE);
        uint256 burnedBefore = address(0).balance;
        uint256 paid = 0;
        uint256 last = 0;
        for (uint256 i = 0; i < 600; i++) {
            uint256 fee = queue.feeOf(2);
            assertTrue(fee >= last, "never cheaper within a second");
            last = fee;
            paid += fee;
            queue.requestForced{value: fee}(2, hex"00");
        }
        // 600 entries of half a second are five minutes ahead: five doublings.
        assertEq(queue.feeOf(2), uint256(BASE_FEE) * 32, "forced fee");
        assertEq(queue.feeOf(0), uint256(BASE_FEE) * 31, "deposit fee");
        assertEq(address(0).balance - burnedBefore, paid, "burned");
        assertEq(address(queue).balance, 0, "nothing stays");
        vm.warp(block.timestamp + 1 days);
        assertEq(queue.feeOf(2), BASE_FEE, "calm again");
        assertEq(queue.feeOf(0), 0, "deposits are free again");
    }

    function test_tooLittleFeeIsRefusedAndSurplusComesBack() public {
        vm.prank(ALICE);
        vm.expectRevert(abi.encodeWithSelector(IQueue.FeeTooLow.selector, BASE_FEE, BASE_FEE - 1));
        queue.requestForced{value: BASE_FEE - 1}(2, hex"00");
        uint256 before = ALICE.balance;
        vm.prank(ALICE);
        queue.requestForced{value: 5 ether}(2, hex"00");
        assertEq(before - ALICE.balance, BASE_FEE, "surplus");
        Grumbler grumbler = new Grumbler();
        vm.deal(address(this), 10 ether);
        vm.expectRevert(
            abi.encodeWithSelector(IQueue.EtherNotSent.selector, address(grumbler), 1 ether - BASE_FEE)
        );
        grumbler.request{value: 1 ether}(queue);
        grumbler.request{value: BASE_FEE}(queue);
    }

    function test_nothingEntersAFrozenRollup() public {
        vm.warp(block.timestamp + INCLUSION_MS / 1000 + 1);
        rollup.freeze();
        vm.startPrank(ALICE);
        vm.expectRevert(IQueue.QueueClosed.selector);
        queue.deposit(0, 0, 5);
        vm.expectRevert(IQueue.QueueClosed.selector);
        queue.requestForced{value: 1 ether}(2, hex"00");
        assertEq(token.balanceOf(address(vault)), 0, "no tokens were taken");
    }

    function test_cursor() public {
        (uint64 count, bytes32 prefix, uint64 deadline, uint64 blockNumber) = queue.cursorAt(0);
        assertEq(count, 2, "count");
        assertEq(prefix, bytes32(0), "nothing before the first");
        assertEq(blockNumber, block.number, "block of entry 0");
        (bytes32 first, uint64 firstDeadline,) = queue.entries(0);
        assertEq(deadline, firstDeadline, "deadline of entry 0");
        (, prefix,,) = queue.cursorAt(1);
        assertEq(prefix, first, "prefix before entry 1");
        (, prefix, deadline, blockNumber) = queue.cursorAt(2);
        assertEq(deadline, type(uint64).max, "no entry 2");
        assertEq(blockNumber, type(uint64).max, "no entry 2");
        vm.expectRevert(abi.encodeWithSelector(IQueue.NoSuchEntry.selector, 2, 3));
        queue.cursorAt(3);
    }

    function test_constructorBounds() public {
        QueueParameters memory p = queueParameters();
        p.inclusionMs = 9_999;
        _refuses(p, genesis(), Bounds.OutOfRange.selector);
        p.inclusionMs = 30 days * 1000 + 1;
        _refuses(p, genesis(), Bounds.OutOfRange.selector);
        p = queueParameters();
        p.intervalMs = 0;
        _refuses(p, genesis(), Bounds.OutOfRange.selector);
        p.intervalMs = 60_001;
        _refuses(p, genesis(), Bounds.OutOfRange.selector);
        p = queueParameters();
        p.baseFee = 1 ether + 1;
        _refuses(p, genesis(), Bounds.OutOfRange.selector);
        p = queueParameters();
        p.feeDoublingMs = 999;
        _refuses(p, genesis(), Bounds.OutOfRange.selector);
        p = queueParameters();
        _refuses(p, new GenesisEntry[](0), Bounds.OutOfRange.selector);
        _refuses(p, new GenesisEntry[](65), Bounds.OutOfRange.selector);
    }

    function testFuzz_genesisIsConfigurationOnly(uint8 kind, bytes memory payload) public {
        GenesisEntry[] memory entries = new GenesisEntry[](1);
        entries[0] = GenesisEntry({kind: kind, payload: payload});
        bool fits = (kind == 16 && payload.length == 96) || (kind == 18 && payload.length == 25);
        fits = fits || (kind == 19 && payload.length == 144) || (kind == 17 && payload.length >= 128);
        vm.assume(!fits);
        _refuses(queueParameters(), entries, bytes4(0));
    }

    function testFuzz_marketsHaveOneToEightTiers(uint8 tiers, uint8 said) public {
        tiers = uint8(bound(tiers, 0, 10));
        said = uint8(bound(said, 0, 10));
        bytes memory payload = new bytes(128 + 16 * uint256(tiers));
        payload[3] = bytes1(said);
        GenesisEntry[] memory entries = new GenesisEntry[](1);
        entries[0] = GenesisEntry({kind: 17, payload: payload});
        if (said == tiers && tiers >= 1 && tiers <= 8) {
            Queue other = new Queue(address(vault), address(rollup), queueParameters(), entries);
            assertEq(other.length(), 1, "length");
        } else {
            _refuses(queueParameters(), entries, bytes4(0));
        }
    }

    function _refuses(QueueParameters memory p, GenesisEntry[] memory entries, bytes4 selector) private {
        if (selector == bytes4(0)) vm.expectRevert();
        else vm.expectPartialRevert(selector);
        new Queue(address(vault), address(rollup), p, entries);
    }

    function _after(bytes32 before, uint8 kind, address owner, bytes memory payload) private pure returns (bytes32) {
        return keccak256(bytes.concat(before, bytes1(kind), bytes20(owner), keccak256(payload)));
    }

    function _enqueued(Vm.Log[] memory logs) private pure returns (Vm.Log memory) {
        for (uint256 i = 0; i < logs.length; i++) if (logs[i].topics[0] == IQueue.Enqueued.selector) return logs[i];
        revert("no Enqueued event");
    }
}
