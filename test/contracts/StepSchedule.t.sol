// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {StepProverFixture} from "./StepProverFixture.sol";
import {Outcome} from "../../settlement/contracts/step/IStepProver.sol";
import {Keys} from "../../settlement/contracts/step/Keys.sol";
import {Scheduler} from "../../settlement/contracts/step/Scheduler.sol";
import {StepKind} from "../../settlement/contracts/step/StepKind.sol";

/// @notice Which step is next: every rule of the schedule, by families that refuse any other kind, or another record.
contract StepScheduleTest is StepProverFixture {
    uint256 private constant BUY = 0;
    uint256 private constant SELL = 1;
    uint256 private constant NOW = 10_000;

    function setUp() public override {
        super.setUp();
        _put(Keys.GLOBALS, _globals(7, NOW, 0, 0));
    }

    // --- a record's own step ---

    function test_ownStepByKindOfRecord() public {
        uint256[7] memory kinds = [
            uint256(StepKind.MESSAGE),
            StepKind.PRICE_ROUND,
            StepKind.FORCED,
            StepKind.CLOCK,
            StepKind.DISCONNECT,
            StepKind.VERSION,
            StepKind.EVALUATE
        ];
        bytes memory inputs;
        for (uint256 i = 0; i < 7; i++) {
            bytes memory record = _record(i + 1, NOW + i, hex"01020304");
            inputs = bytes.concat(inputs, record);
            _expect(kinds[i], record);
        }
        _becomes(Keys.GLOBALS, _globals(14, NOW + 6, 0, 0));
        Outcome memory o = _runs(inputs, "");
        assertEq(o.nextSeq, 15, "next seq");
    }

    function test_queueEntryByItsKind_deposit() public {
        _entriesByKind([0, 1, 2]);
    }

    function test_queueEntryByItsKind_configuration() public {
        _entriesByKind([3, 15, 16]);
    }

    function test_queueEntryByItsKind_last() public {
        _entriesByKind([17, 18, 19]);
    }

    function test_queueEntryByItsKind_unknown() public {
        _entriesByKind([20, 24, 255]);
    }

    function test_queueEntryByItsKind_evaluation() public {
        _entriesByKind([4, 5, 6]);
    }

    function test_queueEntryByItsKind_payload() public {
        bytes memory inputs = _entry(
            "",
            StepKind.DEPOSIT,
            abi.encodePacked(_le(2 ** 53 - 1, 8), uint16(0), _le(3, 2), bytes20(0), hex"010203")
        );
        _becomes(Keys.GLOBALS, _globals(8, NOW, 0, 0));
        _runs(inputs, "");
    }

    function test_queueEntryThatIsNotWhole_length() public {
        _notWhole([bytes(""), new bytes(31), new bytes(33)]);
    }

    function test_queueEntryThatIsNotWhole_payload() public {
        _notWhole(
            [
                abi.encodePacked(uint64(0), uint16(1), uint16(0), bytes20(0)),
                abi.encodePacked(uint64(0), uint16(0), _le(1, 2), bytes20(0)),
                abi.encodePacked(uint64(0), uint16(0), _le(1, 2), bytes20(0), hex"0000")
            ]
        );
    }

    function test_queueEntryThatIsNotWhole_index() public {
        bytes memory beyond = abi.encodePacked(_le(2 ** 53, 8), uint16(0), uint16(0), bytes20(0));
        _notWhole([beyond, beyond, beyond]);
    }

    /// @dev Three at a time: as many of the heaviest kind as a segment's weight allows.
    function _entriesByKind(uint8[3] memory kinds) private {
        bytes memory inputs;
        for (uint256 i = 0; i < kinds.length; i++) {
            uint256 kind = kinds[i];
            uint256 step = StepKind.FORCED;
            if (kind == 0) step = StepKind.DEPOSIT;
            if (kind == 5) step = StepKind.EVALUATE;
            if (kind >= 16 && kind <= 19) step = StepKind.CONFIGURE;
            inputs = _entry(inputs, step, abi.encodePacked(uint64(0), uint8(kind), uint8(0), uint16(0), bytes20(0)));
        }
        _becomes(Keys.GLOBALS, _globals(10, NOW, 0, 0));
        _runs(inputs, "");
    }

    function _notWhole(bytes[3] memory bodies) private {
        bytes memory inputs;
        for (uint256 i = 0; i < bodies.length; i++) {
            inputs = _entry(inputs, StepKind.FORCED, bodies[i]);
        }
        _becomes(Keys.GLOBALS, _globals(10, NOW, 0, 0));
        _runs(inputs, "");
    }

    // --- due ticks ---

    function test_ticksComeBeforeTheRecord() public {
        _put(Keys.expiry(NOW + 1, 0, 5), "");
        _put(Keys.expiry(NOW + 2, 1, 1), "");
        _put(Keys.expiry(NOW + 3, 0, 9), "");
        _put(Keys.GLOBALS, _globals(7, NOW, NOW + 1, NOW + 2));
        bytes memory record = _record(2, NOW + 2, hex"aa");
        _expect(StepKind.EXPIRE, "", _remove(Keys.expiry(NOW + 1, 0, 5)));
        _expect(StepKind.EXPIRE, "", _remove(Keys.expiry(NOW + 2, 1, 1)));
        _goes(Keys.expiry(NOW + 1, 0, 5));
        _goes(Keys.expiry(NOW + 2, 1, 1));
        _expect(StepKind.SAMPLE, "");
        _expect(StepKind.SAMPLE, "", _set(Keys.GLOBALS, _globals(8, NOW + 2, NOW + 3, NOW + 2)));
        _expect(StepKind.FUNDING, "", _set(Keys.GLOBALS, _globals(8, NOW + 2, NOW + 3, NOW + 3)));
        _expect(StepKind.PRICE_ROUND, record);
        _becomes(Keys.GLOBALS, _globals(8, NOW + 2, NOW + 3, NOW + 3));
        Outcome memory o = _runs(record, "");
        assertEq(o.timeFirst, NOW + 2, "the clock moves with the first tick");
        assertEq(o.nextSeq, 9, "one record");
    }

    function test_theRecordIsOpenWhileItsTicksRun() public {
        _put(Keys.expiry(NOW + 1, 0, 5), "");
        bytes memory record = _record(4, NOW + 1, "");
        _expect(StepKind.EXPIRE, "");
        _becomes(Keys.GLOBALS, _globals(8, NOW + 1, 0, 0));
        _becomes(Keys.REGISTER_RECORD, abi.encodePacked(keccak256(record)));
        _runs(record, "");
    }

    function test_aSampleIsDueAtItsVeryTime() public {
        _put(Keys.GLOBALS, _globals(7, NOW, NOW + 1, 0));
        bytes memory record = _record(4, NOW + 1, "");
        _expect(StepKind.SAMPLE, "", _set(Keys.GLOBALS, _globals(8, NOW + 1, NOW + 2, 0)));
        _expect(StepKind.CLOCK, record);
        _becomes(Keys.GLOBALS, _globals(8, NOW + 1, NOW + 2, 0));
        _runs(record, "");
    }

    function test_nothingIsDueYet() public {
        _put(Keys.expiry(NOW + 2, 0, 1), "");
        _put(Keys.GLOBALS, _globals(7, NOW, NOW + 2, NOW + 2));
        bytes memory record = _record(4, NOW + 1, "");
        _expect(StepKind.CLOCK, record);
        _becomes(Keys.GLOBALS, _globals(8, NOW + 1, NOW + 2, NOW + 2));
        _runs(record, "");
    }

    function test_anOpenRecordGoesOn() public {
        bytes memory record = _record(4, NOW, "");
        _put(Keys.REGISTER_RECORD, abi.encodePacked(keccak256(record)));
        _put(Keys.GLOBALS, _globals(7, NOW, 0, NOW));
        _expect(StepKind.FUNDING, "", _set(Keys.GLOBALS, _globals(7, NOW, 0, NOW + 1)));
        _expect(StepKind.CLOCK, record);
        _becomes(Keys.GLOBALS, _globals(7, NOW, 0, NOW + 1));
        _goes(Keys.REGISTER_RECORD);
        Outcome memory o = _runs("", record);
        assertEq(o.nextSeq, 8, "no record is taken");
        assertEq(o.timeFirst, NOW, "nor does the clock move");
    }

    function test_anOpenRecordIsTheCarriedOne() public {
        bytes memory record = _record(4, NOW, "");
        bytes memory other = _record(4, NOW + 1, "");
        _put(Keys.REGISTER_RECORD, abi.encodePacked(keccak256(record)));
        _expect(StepKind.CLOCK, record);
        _reverts(_wrong(keccak256(record), keccak256(other)), record, other);
        _reverts(_wrong(keccak256(record), keccak256("")), record, "");
    }

    // --- an open message ---

    function test_operationByItsKind_first() public {
        _operations(0, 5);
    }

    function test_operationByItsKind_last() public {
        _operations(5, 10);
    }

    /// @dev Operations `from` to `to` of a message that holds one of each kind: a segment can't carry them all.
    function _operations(uint256 from, uint256 to) private {
        uint256[10] memory kinds = [
            uint256(StepKind.PLACE),
            StepKind.CANCEL,
            StepKind.CANCEL_ALL,
            StepKind.AMEND,
            StepKind.WITHDRAW,
            StepKind.TRANSFER,
            StepKind.SESSION_KEY,
            StepKind.CANCEL_AFTER,
            StepKind.CANCEL_ON_DISCONNECT,
            StepKind.LOCK
        ];
        bytes memory record = _message(hex"0102030405060708090e");
        _put(Keys.REGISTER_MESSAGE, _messageRegister(record, from, 10));
        for (uint256 i = from; i < to; i++) {
            bytes memory next = _messageRegister(record, i + 1, 10);
            _expect(kinds[i], record, i == 9 ? _remove(Keys.REGISTER_MESSAGE) : _set(Keys.REGISTER_MESSAGE, next));
        }
        if (to == 10) _goes(Keys.REGISTER_MESSAGE);
        else _becomes(Keys.REGISTER_MESSAGE, _messageRegister(record, to, 10));
        // What the message waits for comes first, whatever is due.
        _put(Keys.expiry(NOW - 1, 0, 1), "");
        _put(Keys.GLOBALS, _globals(7, NOW, NOW, NOW));
        _runs("", record);
    }

    function test_aMessageOfThisSegmentAndOneCarried() public {
        bytes memory carried = _message(hex"02");
        bytes memory record = _record(1, NOW, hex"ffff");
        bytes memory opened = _message(hex"0203");
        // The register is opened for another body than the record's: the family says so, StepProver only compares.
        _put(Keys.REGISTER_MESSAGE, _messageRegister(carried, 0, 1));
        _expect(StepKind.CANCEL, carried, _remove(Keys.REGISTER_MESSAGE));
        _expect(StepKind.MESSAGE, record, _set(Keys.REGISTER_MESSAGE, _messageRegister(opened, 0, 2)));
        _becomes(Keys.GLOBALS, _globals(8, NOW, 0, 0));
        _becomes(Keys.REGISTER_MESSAGE, _messageRegister(opened, 0, 2));
        _runs(record, carried);
        _expect(StepKind.CANCEL, "");
        _reverts(_wrong(_bodyHash(opened), keccak256(hex"ffff")), record, carried);
    }

    function test_theNextMessageIsItsOwnRecord() public {
        bytes memory first = _message(hex"02");
        bytes memory second = _message(hex"03");
        first = _at(first, NOW);
        second = _at(second, NOW);
        _expect(StepKind.MESSAGE, first, _set(Keys.REGISTER_MESSAGE, _messageRegister(first, 0, 1)));
        _expect(StepKind.CANCEL, first, _remove(Keys.REGISTER_MESSAGE));
        _expect(StepKind.MESSAGE, second, _set(Keys.REGISTER_MESSAGE, _messageRegister(second, 0, 1)));
        _expect(StepKind.CANCEL_ALL, second, _remove(Keys.REGISTER_MESSAGE));
        _becomes(Keys.GLOBALS, _globals(9, NOW, 0, 0));
        _runs(bytes.concat(first, second), "carried but not needed");
    }

    function test_aMessageIsTheCarriedOne() public {
        bytes memory record = _message(hex"02");
        bytes memory other = _message(hex"03");
        _put(Keys.REGISTER_MESSAGE, _messageRegister(record, 0, 1));
        _expect(StepKind.CANCEL, record);
        _reverts(_wrong(_bodyHash(record), _bodyHash(other)), "", other);
        _reverts(_wrong(_bodyHash(record), bytes32(0)), "", hex"01");
        _reverts(_wrong(_bodyHash(record), bytes32(0)), "", "");
        // Not one that lies among the inputs and has not been taken.
        _reverts(_wrong(_bodyHash(record), bytes32(0)), record, "");
    }

    function test_anUnknownOperationReverts() public {
        bytes memory record = _message(hex"0a");
        _put(Keys.REGISTER_MESSAGE, _messageRegister(record, 0, 1));
        _expect(StepKind.CANCEL, record);
        _reverts(abi.encodeWithSelector(Scheduler.WrongOperation.selector, 10), "", record);
    }

    // --- a walk ---

    function test_aWalkComesBeforeAllButAnIncomingOrder() public {
        bytes memory record = _message(hex"03");
        bytes memory walk = abi.encodePacked(uint32(1), uint16(0xffff), uint8(2), uint32(0), uint8(1));
        _put(Keys.REGISTER_WALK, walk);
        _put(Keys.REGISTER_MESSAGE, _messageRegister(record, 0, 1));
        _put(Keys.GLOBALS, _globals(7, NOW, NOW, NOW));
        _expect(StepKind.WALK, record);
        _expect(StepKind.WALK, record, bytes.concat(_remove(Keys.REGISTER_WALK), _remove(Keys.REGISTER_MESSAGE)));
        _goes(Keys.REGISTER_WALK);
        _goes(Keys.REGISTER_MESSAGE);
        _runs("", record);
    }

    function test_aWalkOfATickLeavesTheRecordOpen() public {
        bytes memory record = _record(4, NOW, "");
        bytes memory walk = abi.encodePacked(uint32(1), uint16(0xffff), uint8(2), uint32(0), uint8(0));
        _put(Keys.REGISTER_RECORD, abi.encodePacked(keccak256(record)));
        _put(Keys.expiry(NOW - 1, 1, 1), "");
        bytes memory writes = bytes.concat(_remove(Keys.expiry(NOW - 1, 1, 1)), _set(Keys.REGISTER_WALK, walk));
        _expect(StepKind.EXPIRE, "", writes);
        _expect(StepKind.WALK, "");
        _expect(StepKind.WALK, "", _remove(Keys.REGISTER_WALK));
        _expect(StepKind.CLOCK, record);
        _goes(Keys.expiry(NOW - 1, 1, 1));
        _goes(Keys.REGISTER_RECORD);
        _runs("", record);
    }

    // --- an incoming order ---

    function test_matchesWhilePricesCross() public {
        _match(BUY, 100, 1, 99, true);
        _match(BUY, 100, 1, 100, true);
        _match(BUY, 100, 1, 101, false);
        _match(SELL, 100, 1, 101, true);
        _match(SELL, 100, 1, 100, true);
        _match(SELL, 100, 1, 99, false);
        _match(BUY, type(uint32).max, 1, type(uint32).max, true);
        _match(SELL, 0, 1, 0, true);
        _match(BUY, 100, 0, 99, false);
        _match(SELL, 100, 0, 101, false);
    }

    function test_theFirstOrderOfTheOtherSideDecides() public {
        _put(Keys.REGISTER_INCOMING, _incoming(BUY, 100, 1));
        _put(Keys.order(3, SELL, 102, 1), "");
        _put(Keys.order(3, SELL, 101, 2), "");
        // Its own side, and markets beside it, are none of its business.
        _put(Keys.order(3, BUY, 90, 3), "");
        _put(Keys.order(2, SELL, 1, 4), "");
        _put(Keys.order(4, SELL, 1, 5), "");
        _expect(StepKind.REST, "", _remove(Keys.REGISTER_INCOMING));
        _goes(Keys.REGISTER_INCOMING);
        _runs("", "");
    }

    function test_restsInAnEmptyBook() public {
        _put(Keys.REGISTER_INCOMING, _incoming(SELL, 100, 1));
        _expect(StepKind.REST, "", _remove(Keys.REGISTER_INCOMING));
        _goes(Keys.REGISTER_INCOMING);
        _runs("", "");
    }

    function test_anIncomingOrderComesFirst() public {
        bytes memory record = _message(hex"01");
        _put(Keys.REGISTER_INCOMING, _incoming(BUY, 100, 1));
        _put(Keys.REGISTER_WALK, abi.encodePacked(uint32(1), uint16(0xffff), uint8(2), uint32(0), uint8(0)));
        _put(Keys.REGISTER_MESSAGE, _messageRegister(record, 0, 1));
        _put(Keys.order(3, SELL, 100, 1), "");
        _put(Keys.GLOBALS, _globals(7, NOW, NOW, NOW));
        _expect(StepKind.MATCH, record, _remove(Keys.order(3, SELL, 100, 1)));
        _expect(StepKind.REST, record, _remove(Keys.REGISTER_INCOMING));
        _goes(Keys.order(3, SELL, 100, 1));
        _goes(Keys.REGISTER_INCOMING);
        _runs("", record);
        // The record of a message is checked here too.
        _reverts(_wrong(_bodyHash(record), bytes32(0)), "", "");
    }

    function test_aForcedOrderHasNoRecord() public {
        bytes memory entry = _record(3, NOW, abi.encodePacked(uint64(0), hex"0300", uint16(0), bytes20(0)));
        _expect(StepKind.FORCED, entry, _set(Keys.REGISTER_INCOMING, _incoming(BUY, 100, 1)));
        _expect(StepKind.REST, "", _remove(Keys.REGISTER_INCOMING));
        _becomes(Keys.GLOBALS, _globals(8, NOW, 0, 0));
        _runs(entry, "");
    }

    /// @dev A register that is not as long as its encoding was never written by a step.
    function test_aRegisterOfAnotherLengthReverts() public {
        _put(Keys.REGISTER_INCOMING, new bytes(73));
        _expect(StepKind.REST, "");
        _reverts(abi.encodeWithSelector(Scheduler.LeafLength.selector, Keys.REGISTER_INCOMING, 74, 73), "", "");
    }

    // --- parts ---

    function _match(uint256 side, uint256 price, uint256 remaining, uint256 best, bool crosses) private {
        super.setUp();
        bytes32 order = Keys.order(3, 1 - side, best, 1);
        _put(Keys.REGISTER_INCOMING, _incoming(side, price, remaining));
        _put(order, hex"01");
        _expect(crosses ? StepKind.MATCH : StepKind.REST, "");
        _runs("", "");
        _forget(order);
        _forgetHints();
    }

    function _entry(bytes memory inputs, uint256 step, bytes memory body) private returns (bytes memory) {
        bytes memory record = _record(3, NOW, body);
        _expect(step, record);
        return bytes.concat(inputs, record);
    }

    function _at(bytes memory record, uint256 time) private pure returns (bytes memory) {
        bytes memory field = _le(time, 6);
        for (uint256 i = 0; i < 6; i++) {
            record[6 + i] = field[i];
        }
        return record;
    }

    function _bodyHash(bytes memory record) private pure returns (bytes32) {
        return bytes32(_messageRegister(record, 0, 1));
    }

    function _wrong(bytes32 expected, bytes32 got) private pure returns (bytes memory) {
        return abi.encodeWithSelector(Scheduler.WrongRecord.selector, expected, got);
    }
}
