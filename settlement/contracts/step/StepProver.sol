// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IStepProver, Outcome, Witness} from "./IStepProver.sol";
import {ISteps} from "./ISteps.sol";
import {Limits} from "./Limits.sol";
import {Reject} from "./Reject.sol";
import {Schedule, Scheduler} from "./Scheduler.sol";
import {Slices, State} from "./Slices.sol";
import {StepKind} from "./StepKind.sol";
import {StepWeights} from "./StepWeights.sol";

/// @title Re-execution of a segment: parses the witness, says which step is next, lets its family run it, keeps the state
/// @notice Knows no rule of the exchange but the schedule (Scheduler.sol); the steps themselves are run by six contracts
/// on slices of the state (Slices.sol), and return what they write.
///
/// The result depends on nothing but the arguments. A witness that is false or short reverts, as do a family that
/// reverts and gas that runs out anywhere: none of them is a result.
contract StepProver is IStepProver {
    uint256 internal constant BAD_RECORD = 1;
    uint256 internal constant INADMISSIBLE = 2;
    uint256 internal constant OVERWEIGHT = 3;
    uint256 internal constant INPUTS_LEFT = 4;
    uint256 internal constant NO_INPUT = 5;

    /// @notice PLACE, AMEND.
    ISteps public immutable place;
    /// @notice MATCH, REST.
    ISteps public immutable matching;
    /// @notice MESSAGE, CANCEL, CANCEL_ALL, WALK, SESSION_KEY, CANCEL_AFTER, CANCEL_ON_DISCONNECT, DISCONNECT, CLOCK, VERSION.
    ISteps public immutable account;
    /// @notice WITHDRAW, TRANSFER.
    ISteps public immutable money;
    /// @notice DEPOSIT, FORCED, CONFIGURE.
    ISteps public immutable queue;
    /// @notice PRICE_ROUND, SAMPLE, FUNDING, EXPIRE.
    ISteps public immutable market;

    /// @notice The multiproofs are not of the state before the segment.
    error WrongState(bytes32 expected, bytes32 got);
    /// @notice The hints have no item for this step.
    error HintsMissing(uint256 step);
    /// @notice A family's address has no code.
    error NoFamily(address family);

    /// @dev What stays the same, and what moves, from step to step.
    struct Run {
        State state;
        Schedule schedule;
        ISteps[24] families;
        uint256[24] weights;
        bytes32 domain;
        /// @dev Bytes of the hints that the steps so far have used.
        uint256 hinted;
    }

    /// @param families place, matching, account, money, queue, market
    constructor(ISteps[6] memory families) {
        for (uint256 i = 0; i < families.length; i++) {
            _requireCode(address(families[i]));
        }
        (place, matching, account) = (families[0], families[1], families[2]);
        (money, queue, market) = (families[3], families[4], families[5]);
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
        r.families = _families();
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

    /// @dev By StepKind.
    function _families() private view returns (ISteps[24] memory f) {
        f[StepKind.PLACE] = f[StepKind.AMEND] = place;
        f[StepKind.MATCH] = f[StepKind.REST] = matching;
        f[StepKind.MESSAGE] = f[StepKind.CANCEL] = f[StepKind.CANCEL_ALL] = f[StepKind.WALK] = account;
        f[StepKind.SESSION_KEY] = f[StepKind.CANCEL_AFTER] = f[StepKind.CANCEL_ON_DISCONNECT] = account;
        f[StepKind.DISCONNECT] = f[StepKind.CLOCK] = f[StepKind.VERSION] = account;
        f[StepKind.WITHDRAW] = f[StepKind.TRANSFER] = money;
        f[StepKind.DEPOSIT] = f[StepKind.FORCED] = f[StepKind.CONFIGURE] = queue;
        f[StepKind.PRICE_ROUND] = f[StepKind.SAMPLE] = f[StepKind.FUNDING] = f[StepKind.EXPIRE] = market;
    }

    function _requireCode(address family) private view {
        if (family.code.length == 0) revert NoFamily(family);
    }
}
