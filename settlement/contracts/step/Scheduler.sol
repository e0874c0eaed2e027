// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {PartialTree} from "../libraries/PartialTree.sol";
import {Bytes} from "./Bytes.sol";
import {Keys} from "./Keys.sol";
import {Limits} from "./Limits.sol";
import {Operation} from "./Operation.sol";
import {Slices, State} from "./Slices.sol";
import {StepKind} from "./StepKind.sol";
import {GlobalsLib} from "./leaves/Globals.sol";

/// @notice Where a segment stands between two steps.
struct Schedule {
    /// @dev Value of GLOBALS, always at the same place; before the first command what it starts from.
    bytes globals;
    /// @dev Value of the register that decides, for one step.
    bytes register;
    /// @dev Bytes of the inputs that have been taken.
    uint256 cursor;
    /// @dev Where the last record taken begins; it ends at the cursor.
    uint256 recordStart;
    /// @dev A record has been taken: the carried one is done with.
    bool taken;
    /// @dev StepKind of the next step.
    uint256 kind;
    /// @dev The step is given the record.
    bool withRecord;
}

/// @title Which step is next
/// @notice Twin of sequencer/engine: engine.ts, core.ts, and the loops of match.ts, walk.ts, message.ts and ticks.ts. It
/// reads GLOBALS, the REGISTERs, the first EXPIRY and the first order of a side; it writes GLOBALS (seq and clock, when
/// a record is taken) and the REGISTER of a record whose ticks run. In this order:
///   1. an incoming order:  MATCH while something is left of it and the first order of the other side crosses, then REST
///   2. a walk:             WALK
///   3. an open message:    its next operation
///   4. an open record:     the next due tick, then its own step
///   5. nothing:            the next record is taken; the first due tick, or its own step
/// Due ticks: EXPIRE, then SAMPLE, then FUNDING.
library Scheduler {
    using Bytes for bytes;

    uint256 internal constant BAD_RECORD = 1;
    uint256 internal constant NO_INPUT = 5;

    uint256 private constant RECORD_KINDS_MAX = 7;
    uint256 private constant MESSAGE = 1;
    uint256 private constant PRICE_ROUND = 2;
    uint256 private constant QUEUE_ENTRY = 3;
    uint256 private constant CLOCK = 4;
    uint256 private constant DISCONNECT = 5;
    uint256 private constant EVALUATE = 7;
    uint256 private constant QUEUE_DEPOSIT = 0;
    uint256 private constant QUEUE_EVALUATE_LIQUIDATION = 5;
    uint256 private constant QUEUE_CONFIGURE_FIRST = 16;
    uint256 private constant QUEUE_CONFIGURE_LAST = 19;

    uint256 private constant KIND_BITS = 8;
    uint256 private constant REGISTERS = 4;
    /// @dev The longest register value is 74 bytes.
    uint256 private constant REGISTER_BYTES_MAX = 96;

    /// @notice The record is not the one that the register was opened for.
    error WrongRecord(bytes32 expected, bytes32 got);
    /// @notice The open message has no operation of such a kind where its register says.
    error WrongOperation(uint256 kind);
    /// @notice A leaf's value has another length than its encoding.
    error LeafLength(bytes32 key, uint256 expected, uint256 got);

    /// @notice Before the first step.
    function open(State memory state) internal pure returns (Schedule memory s) {
        s.globals = GlobalsLib.encode(GlobalsLib.decode("", false));
        s.register = new bytes(REGISTER_BYTES_MAX);
        reload(s, state);
    }

    /// @notice Reads GLOBALS anew: a step may have written it.
    function reload(Schedule memory s, State memory state) internal pure {
        uint256 leaf = Slices.find(state, Keys.GLOBALS);
        if (leaf != 0) _read(leaf, s.globals, GlobalsLib.BYTES);
    }

    /// @notice Commands taken so far.
    function seq(Schedule memory s) internal pure returns (uint256) {
        return s.globals.u(0, 8);
    }

    /// @notice The clock, ms.
    function now_(Schedule memory s) internal pure returns (uint256) {
        return s.globals.u(8, 6);
    }

    /// @notice Sets `kind` and `withRecord` of the next step, and makes the writes of the schedule.
    /// @return fault 0, BAD_RECORD or NO_INPUT
    function next(Schedule memory s, State memory state, bytes calldata inputs, bytes calldata carried)
        internal
        pure
        returns (uint256 fault)
    {
        (uint256 message, uint256 incoming, uint256 walk, uint256 record) = _registers(state);
        // Before 1 and 2, whose last step needs to know the operation that ends.
        if (message != 0) _openMessage(s, message, recordOfSegment(s, inputs, carried));
        s.withRecord = message != 0;
        if (incoming != 0) {
            s.kind = _crosses(s, state, incoming) ? StepKind.MATCH : StepKind.REST;
        } else if (walk != 0) {
            s.kind = StepKind.WALK;
        } else if (message == 0) {
            if (record != 0) {
                _read(record, s.register, 32);
                bytes32 hash = keccak256(recordOfSegment(s, inputs, carried));
                if (bytes32(s.register.u(0, 32)) != hash) revert WrongRecord(bytes32(s.register.u(0, 32)), hash);
            } else {
                fault = _take(s, state, inputs);
                if (fault != 0) return fault;
            }
            _tickOrOwn(s, state, recordOfSegment(s, inputs, carried), record != 0);
        }
    }

    /// @notice The record that the step is given: empty where it is given none.
    function recordOf(Schedule memory s, bytes calldata inputs, bytes calldata carried)
        internal
        pure
        returns (bytes calldata)
    {
        return s.withRecord ? recordOfSegment(s, inputs, carried) : inputs[:0];
    }

    /// @notice The last record taken, or the carried one before the first.
    function recordOfSegment(Schedule memory s, bytes calldata inputs, bytes calldata carried)
        internal
        pure
        returns (bytes calldata)
    {
        return s.taken ? inputs[s.recordStart:s.cursor] : carried;
    }

    // --- the registers ---

    /// @dev Their leaves, 0 where inactive. All that is under their kind byte, in one walk.
    function _registers(State memory state)
        private
        pure
        returns (uint256 message, uint256 incoming, uint256 walk, uint256 record)
    {
        (uint256 count,) = Slices.range(state, Keys.REGISTER_MESSAGE, KIND_BITS, REGISTERS);
        for (uint256 i = 0; i < count; i++) {
            uint256 leaf = Slices.member(state, i);
            bytes32 key = PartialTree.keyOf(leaf);
            if (key == Keys.REGISTER_MESSAGE) message = leaf;
            else if (key == Keys.REGISTER_INCOMING) incoming = leaf;
            else if (key == Keys.REGISTER_WALK) walk = leaf;
            else if (key == Keys.REGISTER_RECORD) record = leaf;
        }
    }

    /// @dev Checks that `record` holds the open message, and sets `kind` to that of its next operation.
    function _openMessage(Schedule memory s, uint256 message, bytes calldata record) private pure {
        _read(message, s.register, 41);
        bytes32 expected = bytes32(s.register.u(0, 32));
        bytes32 hash =
            record.length < Limits.RECORD_HEADER_BYTES ? bytes32(0) : keccak256(record[Limits.RECORD_HEADER_BYTES:]);
        if (hash != expected) revert WrongRecord(expected, hash);
        s.kind = _operationStep(Operation.kindAt(record, s.register.u(39, 2)));
    }

    function _operationStep(uint256 kind) private pure returns (uint256) {
        if (kind == Operation.PLACE) return StepKind.PLACE;
        if (kind == Operation.CANCEL) return StepKind.CANCEL;
        if (kind == Operation.CANCEL_ALL) return StepKind.CANCEL_ALL;
        if (kind == Operation.AMEND) return StepKind.AMEND;
        if (kind == Operation.WITHDRAW) return StepKind.WITHDRAW;
        if (kind == Operation.TRANSFER) return StepKind.TRANSFER;
        if (kind == Operation.SESSION_KEY) return StepKind.SESSION_KEY;
        if (kind == Operation.CANCEL_AFTER) return StepKind.CANCEL_AFTER;
        if (kind == Operation.CANCEL_ON_DISCONNECT) return StepKind.CANCEL_ON_DISCONNECT;
        if (kind == Operation.SET_LEVERAGE) return StepKind.SET_LEVERAGE;
        if (kind == Operation.ISOLATE) return StepKind.ISOLATE;
        if (kind == Operation.LOCK) return StepKind.LOCK;
        revert WrongOperation(kind);
    }

    /// @dev Whether something is left of the incoming order and the first order of the other side is within its price.
    function _crosses(Schedule memory s, State memory state, uint256 incoming) private pure returns (bool) {
        _read(incoming, s.register, 74);
        bytes memory value = s.register;
        if (value.u(19, 8) == 0) return false;
        uint256 opposite = 1 - (value.u(6, 1) & 1);
        uint256 best = Slices.first(state, Keys.orders(value.u(4, 2), opposite), Keys.SIDE_BITS);
        if (best == 0) return false;
        bytes32 key = PartialTree.keyOf(best);
        // Priority prices: less is better on either side.
        return uint32(uint256(key) >> 192) <= Keys.priorityPrice(opposite, value.u(7, 4));
    }

    // --- records ---

    /// @dev Takes the next record: its seq and time become those of the state.
    function _take(Schedule memory s, State memory state, bytes calldata inputs) private pure returns (uint256) {
        uint256 left = inputs.length - s.cursor;
        if (left == 0) return NO_INPUT;
        if (left < Limits.RECORD_HEADER_BYTES) return BAD_RECORD;
        bytes calldata record = inputs[s.cursor:];
        uint256 body = record.le(0, 4);
        uint256 kind = uint8(record[4]);
        uint256 time = record.le(6, 6);
        if (body > Limits.RECORD_BODY_BYTES_MAX || left < Limits.RECORD_HEADER_BYTES + body) return BAD_RECORD;
        if (kind == 0 || kind > RECORD_KINDS_MAX || record[5] != 0 || time < now_(s)) return BAD_RECORD;
        (s.recordStart, s.taken) = (s.cursor, true);
        s.cursor += Limits.RECORD_HEADER_BYTES + body;
        bytes memory globals = s.globals;
        uint256 source;
        assembly ("memory-safe") {
            // u64 seq ‖ u48 now
            source := add(globals, 32)
            let word := mload(source)
            word := or(and(word, sub(shl(144, 1), 1)), or(shl(192, add(shr(192, word), 1)), shl(144, time)))
            mstore(source, word)
        }
        Slices.set(state, Keys.GLOBALS, source, GlobalsLib.BYTES);
        return 0;
    }

    /// @param opened the record's register is there
    function _tickOrOwn(Schedule memory s, State memory state, bytes calldata record, bool opened) private pure {
        s.kind = _dueTick(s, state);
        if (s.kind != 0) {
            if (opened) return;
            bytes memory hash = s.register;
            bytes32 value = keccak256(record);
            uint256 source;
            assembly ("memory-safe") {
                source := add(hash, 32)
                mstore(source, value)
            }
            Slices.set(state, Keys.REGISTER_RECORD, source, 32);
        } else {
            if (opened) Slices.remove(state, Keys.REGISTER_RECORD);
            s.kind = _ownStep(record);
            s.withRecord = true;
        }
    }

    /// @dev What falls due by the clock, or 0.
    function _dueTick(Schedule memory s, State memory state) private pure returns (uint256) {
        uint256 time = now_(s);
        uint256 expiry = Slices.first(state, Keys.EXPIRY_PREFIX, Keys.EXPIRY_BITS);
        if (expiry != 0 && Keys.expiryTimeOf(PartialTree.keyOf(expiry)) <= time) return StepKind.EXPIRE;
        uint256 sample = s.globals.u(24, 6);
        if (sample != 0 && sample <= time) return StepKind.SAMPLE;
        uint256 funding = s.globals.u(30, 6);
        if (funding != 0 && funding <= time) return StepKind.FUNDING;
        return 0;
    }

    function _ownStep(bytes calldata record) private pure returns (uint256) {
        uint256 kind = uint8(record[4]);
        if (kind == MESSAGE) return StepKind.MESSAGE;
        if (kind == PRICE_ROUND) return StepKind.PRICE_ROUND;
        if (kind == CLOCK) return StepKind.CLOCK;
        if (kind == DISCONNECT) return StepKind.DISCONNECT;
        if (kind == EVALUATE) return StepKind.EVALUATE;
        if (kind != QUEUE_ENTRY) return StepKind.VERSION;
        // An entry that is not whole goes to FORCED, which refuses it.
        if (!_isWholeEntry(record[Limits.RECORD_HEADER_BYTES:])) return StepKind.FORCED;
        uint256 entry = uint8(record[Limits.RECORD_HEADER_BYTES + 8]);
        if (entry == QUEUE_DEPOSIT) return StepKind.DEPOSIT;
        if (entry == QUEUE_EVALUATE_LIQUIDATION) return StepKind.EVALUATE;
        if (entry >= QUEUE_CONFIGURE_FIRST && entry <= QUEUE_CONFIGURE_LAST) return StepKind.CONFIGURE;
        return StepKind.FORCED;
    }

    /// @dev As decodeQueueEntry of sequencer/protocol/queue-entry.ts.
    function _isWholeEntry(bytes calldata body) private pure returns (bool) {
        if (body.length < Limits.QUEUE_ENTRY_HEADER_BYTES) return false;
        if (body.length != Limits.QUEUE_ENTRY_HEADER_BYTES + body.le(10, 2)) return false;
        return body[9] == 0 && body.le(0, 8) <= Limits.SAFE_MAX;
    }

    /// @dev Copies a leaf's value of `length` bytes into `destination`, which has room for it.
    function _read(uint256 leaf, bytes memory destination, uint256 length) private pure {
        uint256 got = PartialTree.lengthOf(leaf);
        if (got != length) revert LeafLength(PartialTree.keyOf(leaf), length, got);
        uint256 place;
        assembly ("memory-safe") {
            place := add(destination, 32)
        }
        PartialTree.copyValue(leaf, place);
    }
}
