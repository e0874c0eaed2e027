// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IStepProver, Outcome, Witness} from "./IStepProver.sol";
import {ISteps} from "./ISteps.sol";
import {Limits} from "./Limits.sol";
import {Reject} from "./Reject.sol";
import {Schedule, Scheduler} from "./Scheduler.sol";
import {Slices, State} from "./Slices.sol";
import {STEP_KINDS, StepKind} from "./StepKind.sol";
import {StepWeights} from "./StepWeights.sol";

/// @title Re-execution of a segment: parses the witness, says which step is next, lets its family run it, keeps the state
/// @notice Knows no rule of the exchange but the schedule (Scheduler.sol); the steps themselves are run by families, each
/// a contract of its own, on slices of the state (Slices.sol), and return what they write. In the constructor's order:
///   0 PlaceSteps      PLACE, AMEND
///   1 MatchSteps      MATCH, REST
///   2 AccountSteps    MESSAGE, CANCEL, CANCEL_ALL, WALK, SESSION_KEY, CANCEL_AFTER, CANCEL_ON_DISCONNECT, DISCONNECT, CLOCK,
///                     VERSION, LOCK
///   3 MoneySteps      WITHDRAW, TRANSFER
///   4 QueueSteps      DEPOSIT, FORCED
///   5 MarketSteps     PRICE_ROUND, SAMPLE, FUNDING, EXPIRE
///   6 ConfigureSteps  CONFIGURE
///   7 LiquidationSteps EVALUATE
///   8 IsolationSteps  ISOLATE, SET_LEVERAGE
/// A further family comes last: a line here, in `_byKind`, and `FAMILIES`.
///
/// The result depends on nothing but the arguments. A witness that is false or short reverts, as do a family that
/// reverts and gas that runs out anywhere: none of them is a result.
contract StepProver is IStepProver {
    uint256 internal constant BAD_RECORD = 1;
    uint256 internal constant INADMISSIBLE = 2;
    uint256 internal constant OVERWEIGHT = 3;
    uint256 internal constant INPUTS_LEFT = 4;
    uint256 internal constant NO_INPUT = 5;

    uint256 internal constant FAMILIES = 9;
    /// @dev Places for families: immutables have no array.
    uint256 internal constant FAMILIES_MAX = 12;
    ISteps private immutable FAMILY_0;
    ISteps private immutable FAMILY_1;
    ISteps private immutable FAMILY_2;
    ISteps private immutable FAMILY_3;
    ISteps private immutable FAMILY_4;
    ISteps private immutable FAMILY_5;
    ISteps private immutable FAMILY_6;
    ISteps private immutable FAMILY_7;
    ISteps private immutable FAMILY_8;
    ISteps private immutable FAMILY_9;
    ISteps private immutable FAMILY_10;
    ISteps private immutable FAMILY_11;

    /// @notice The multiproofs are not of the state before the segment.
    error WrongState(bytes32 expected, bytes32 got);
    /// @notice The hints have no item for this step.
    error HintsMissing(uint256 step);
    /// @notice A family's address has no code.
    error NoFamily(address family);
    /// @notice There are more or fewer families than kinds of step are spread over.
    error FamilyCount(uint256 expected, uint256 got);

    /// @dev What stays the same, and what moves, from step to step.
    struct Run {
        State state;
        Schedule schedule;
        ISteps[STEP_KINDS] families;
        uint256[STEP_KINDS] weights;
        bytes32 domain;
        /// @dev Bytes of the hints that the steps so far have used.
        uint256 hinted;
    }

    /// @param families_ in the order above
    constructor(ISteps[] memory families_) {
        if (families_.length != FAMILIES) revert FamilyCount(FAMILIES, families_.length);
        ISteps[FAMILIES_MAX] memory all;
        for (uint256 i = 0; i < FAMILIES; i++) {
            address family = address(families_[i]);
            if (family.code.length == 0) revert NoFamily(family);
            all[i] = families_[i];
        }
        (FAMILY_0, FAMILY_1, FAMILY_2, FAMILY_3) = (all[0], all[1], all[2], all[3]);
        (FAMILY_4, FAMILY_5, FAMILY_6, FAMILY_7) = (all[4], all[5], all[6], all[7]);
        (FAMILY_8, FAMILY_9, FAMILY_10, FAMILY_11) = (all[8], all[9], all[10], all[11]);
    }

    /// @notice The families, in the order above.
    function families() external view returns (ISteps[] memory list) {
        ISteps[FAMILIES_MAX] memory all = _all();
        list = new ISteps[](FAMILIES);
        for (uint256 i = 0; i < FAMILIES; i++) {
            list[i] = all[i];
        }
    }

    /// @inheritdoc IStepProver
    function run(bytes32 preStateRoot, uint256 steps, bytes32 domain, bytes calldata inputs, Witness calldata witness)
        external
        view
        returns (Outcome memory outcome)
    {
        Run memory r;
        r.state = Slices.open(witness.ledger, witness.book);
        (outcome.ledgerRoot, outcome.bookRoot) = Slices.roots(r.state);
        bytes32 opened = Slices.stateRoot(outcome.ledgerRoot, outcome.bookRoot);
        if (opened != preStateRoot) revert WrongState(preStateRoot, opened);
        r.schedule = Scheduler.open(r.state);
        r.families = _byKind();
        r.weights = StepWeights.table();
        r.domain = domain;
        for (uint256 i = 0; i < steps; i++) {
            outcome.fault = _begin(r, outcome, inputs, witness.carried);
            if (i == 0) outcome.timeFirst = Scheduler.now_(r.schedule);
            if (outcome.fault == 0) outcome.fault = _execute(r, inputs, witness, i);
            if (outcome.fault != 0) return outcome;
        }
        if (r.schedule.cursor != inputs.length) outcome.fault = INPUTS_LEFT;
        outcome.nextSeq = Scheduler.seq(r.schedule) + 1;
        outcome.timeLast = Scheduler.now_(r.schedule);
        (outcome.ledgerRoot, outcome.bookRoot) = Slices.roots(r.state);
    }

    /// @dev Says which step is next, writes what the schedule itself writes, and weighs the step.
    function _begin(Run memory r, Outcome memory outcome, bytes calldata inputs, bytes calldata carried)
        private
        pure
        returns (uint256 fault)
    {
        fault = Scheduler.next(r.schedule, r.state, inputs, carried);
        if (fault != 0) return fault;
        outcome.weight += r.weights[r.schedule.kind];
        if (outcome.weight > Limits.SEGMENT_WEIGHT_MAX) fault = OVERWEIGHT;
    }

    /// @dev Lets the family run the step, and keeps what it writes.
    function _execute(Run memory r, bytes calldata inputs, Witness calldata witness, uint256 step)
        private
        view
        returns (uint256)
    {
        uint256 mark;
        assembly ("memory-safe") {
            mark := mload(0x40)
        }
        (bytes memory writes, uint256 code) =
            _call(r, Scheduler.recordOf(r.schedule, inputs, witness.carried), _hints(r, witness.hints, step));
        if (code == Reject.INADMISSIBLE) return INADMISSIBLE;
        // Of all that this step has put into memory only the writes are still needed; and they only until they are taken
        // over, unless a leaf needed room behind them.
        uint256 behind;
        assembly ("memory-safe") {
            let whole := add(mload(writes), 32)
            mcopy(mark, writes, whole)
            writes := mark
            behind := and(add(add(mark, whole), 31), not(31))
            mstore(0x40, behind)
        }
        Slices.store(r.state, writes);
        assembly ("memory-safe") {
            if eq(mload(0x40), behind) { mstore(0x40, mark) }
        }
        Scheduler.reload(r.schedule, r.state);
        return 0;
    }

    function _call(Run memory r, bytes calldata record, bytes calldata hints)
        private
        view
        returns (bytes memory, uint256)
    {
        bytes memory slice = Slices.slice(r.state, hints);
        uint256 kind = r.schedule.kind;
        return r.families[kind].step(uint8(kind), record, r.domain, slice);
    }

    /// @dev u16 bytes ‖ the step's items.
    function _hints(Run memory r, bytes calldata all, uint256 step) private pure returns (bytes calldata) {
        uint256 start = r.hinted + 2;
        if (start > all.length) revert HintsMissing(step);
        uint256 end = start + uint16(bytes2(all[r.hinted:start]));
        if (end > all.length) revert HintsMissing(step);
        r.hinted = end;
        return all[start:end];
    }

    /// @dev By StepKind; zero where there is no such kind.
    function _byKind() private view returns (ISteps[STEP_KINDS] memory f) {
        ISteps[FAMILIES_MAX] memory all = _all();
        f[StepKind.PLACE] = f[StepKind.AMEND] = all[0];
        f[StepKind.MATCH] = f[StepKind.REST] = all[1];
        f[StepKind.MESSAGE] = f[StepKind.CANCEL] = f[StepKind.CANCEL_ALL] = f[StepKind.WALK] = all[2];
        f[StepKind.SESSION_KEY] = f[StepKind.CANCEL_AFTER] = f[StepKind.CANCEL_ON_DISCONNECT] = all[2];
        f[StepKind.DISCONNECT] = f[StepKind.CLOCK] = f[StepKind.VERSION] = f[StepKind.LOCK] = all[2];
        f[StepKind.WITHDRAW] = f[StepKind.TRANSFER] = all[3];
        f[StepKind.DEPOSIT] = f[StepKind.FORCED] = all[4];
        f[StepKind.PRICE_ROUND] = f[StepKind.SAMPLE] = f[StepKind.FUNDING] = f[StepKind.EXPIRE] = all[5];
        f[StepKind.CONFIGURE] = all[6];
        f[StepKind.EVALUATE] = all[7];
        f[StepKind.ISOLATE] = f[StepKind.SET_LEVERAGE] = all[8];
    }

    function _all() private view returns (ISteps[FAMILIES_MAX] memory all) {
        (all[0], all[1], all[2], all[3]) = (FAMILY_0, FAMILY_1, FAMILY_2, FAMILY_3);
        (all[4], all[5], all[6], all[7]) = (FAMILY_4, FAMILY_5, FAMILY_6, FAMILY_7);
        (all[8], all[9], all[10], all[11]) = (FAMILY_8, FAMILY_9, FAMILY_10, FAMILY_11);
    }
}
