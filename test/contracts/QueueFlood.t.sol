// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Fixture} from "./Fixture.sol";
import {Header} from "../../settlement/contracts/libraries/BatchLib.sol";
import {Head, IRollup} from "../../settlement/contracts/interfaces/IRollup.sol";

/// @notice A flood of entries neither freezes a sequencer that does its part, nor is it cheap.
contract QueueFloodTest is Fixture {
    address private constant FLOODER = address(0xf100d);
    /// @dev Entries that the sequencer takes up in a second.
    uint256 private constant CAPACITY = 1000 / INTERVAL_MS;

    function setUp() public {
        deployAll();
        fund(FLOODER, 1_000_000_000);
        vm.deal(FLOODER, type(uint128).max);
    }

    /// @dev 4,000 entries as fast as blocks take them, while a batch each minute takes up what capacity allows: at no
    /// commit, and just before none, could anyone freeze.
    function test_anObedientSequencerIsNeverOverdue() public {
        uint256 longest = 0;
        for (uint256 minute = 0; minute < 40; minute++) {
            for (uint256 i = 0; i < 100; i++) _flood();
            pass(60);
            _refusesFreeze();
            _commit(60 * CAPACITY);
            uint256 waiting = queue.length() - rollup.head().queueNext;
            if (waiting > longest) longest = waiting;
        }
        assertTrue(queue.length() > 4_000, "entries");
        assertEq(longest, 0, "at 100 a minute it keeps up");
    }

    /// @dev The same in bursts of a thousand: far more than capacity at once.
    function test_burstsAreTakenUpInTheirTime() public {
        uint256 longest = 0;
        for (uint256 burst = 0; burst < 4; burst++) {
            for (uint256 i = 0; i < 1_000; i++) _flood();
            for (uint256 i = 0; i < 7; i++) {
                pass(60);
                _refusesFreeze();
                _commit(60 * CAPACITY);
                uint256 waiting = queue.length() - rollup.head().queueNext;
                if (waiting > longest) longest = waiting;
            }
        }
        assertTrue(longest >= 1_000, "far behind at times");
    }

    /// @dev The rule itself: who takes up one entry an interval is done with each by inclusionMs before its deadline,
    /// whatever arrives when, but for one interval.
    function testFuzz_oneEntryAnIntervalIsEnough(uint256 seed) public {
        uint256 finished = block.timestamp * 1000 + 2 * INTERVAL_MS;
        for (uint256 i = 0; i < 60; i++) {
            uint256 roll = uint256(keccak256(abi.encode(seed, i)));
            if (roll % 8 == 0) vm.warp(block.timestamp + (roll >> 8) % 30);
            uint64 index = _flood();
            uint256 now_ = block.timestamp * 1000;
            finished = (finished > now_ ? finished : now_) + INTERVAL_MS;
            (, uint64 deadline,) = queue.entries(index);
            assertTrue(finished + INCLUSION_MS - INTERVAL_MS <= deadline, "in time");
        }
    }

    /// @dev What it costs to make everybody else wait an hour longer: the fee has doubled sixty times on the way.
    function test_pushingDeadlinesAnHourOutIsBeyondAnyonesMeans() public {
        uint256 spent = 0;
        for (uint256 i = 0; i < 1_200; i++) {
            spent += queue.feeOf(2);
            _flood();
        }
        // Ten minutes of delay: 120 entries at each of ten doublings.
        assertEq(queue.feeOf(2), uint256(BASE_FEE) << 10, "fee");
        assertTrue(spent > 120 ether && spent < 130 ether, "ten minutes cost about 123 ether");
        uint256 hourly = uint256(BASE_FEE) << 60;
        assertTrue(hourly > 1e9 ether, "the last entry of an hour costs more ether than there is");
    }

    function test_depositsAreFreeWhileTheQueueIsNotCrowded() public {
        pass(60);
        for (uint256 i = 0; i < FEE_DOUBLING_MS / INTERVAL_MS; i++) {
            assertEq(queue.feeOf(0), 0, "free");
            vm.prank(FLOODER);
            queue.deposit(0, 0, 1);
        }
        assertEq(queue.feeOf(0), BASE_FEE, "crowded");
        pass(60);
        assertEq(queue.feeOf(0), 0, "free again");
    }

    function _flood() private returns (uint64) {
        uint256 fee = queue.feeOf(2);
        vm.prank(FLOODER);
        return queue.requestForced{value: fee}(2, hex"00");
    }

    function _refusesFreeze() private {
        vm.expectPartialRevert(IRollup.NotFrozenYet.selector);
        rollup.freeze();
    }

    /// @dev A batch that takes up to `entries` of those that waited.
    function _commit(uint256 entries) private {
        Head memory head = rollup.head();
        Header memory h = nextHeader(keccak256(abi.encode("ledger", head.id)), "");
        if (h.queueNext - head.queueNext > entries) h.queueNext = head.queueNext + uint64(entries);
        (, h.queueHash,,) = queue.cursorAt(h.queueNext);
        post(signed(h, ""));
    }
}
