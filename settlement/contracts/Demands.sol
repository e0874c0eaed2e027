// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {SegmentProof} from "./interfaces/IChallenges.sol";
import {Demand, DemandParameters, IDemands} from "./interfaces/IDemands.sol";
import {BatchRecord, Carrier, IRollup, IRollupPart} from "./interfaces/IRollup.sol";
import {BatchLib, Header} from "./libraries/BatchLib.sol";
import {Bounds} from "./libraries/Bounds.sol";
import {Guarded} from "./libraries/Guarded.sol";
import {InputFold} from "./libraries/InputFold.sol";
import {Segment, TraceProof} from "./libraries/TraceProof.sol";

/// @title Demands for the inputs of a batch
/// @notice See IDemands.
contract Demands is IDemands, IRollupPart, Guarded {
    using BatchLib for Header;

    uint32 internal constant OPEN_MAX = 64;
    uint256 internal constant OPEN_PER_DOUBLING = 4;

    address public immutable rollup;
    /// @notice What a demand costs while few are open, wei.
    uint128 public immutable fee;
    /// @notice Seconds for an answer, and `answerInterval` more for each demand that is open.
    uint64 public immutable answerWindow;
    /// @notice See `answerWindow`.
    uint64 public immutable answerInterval;
    /// @notice Seconds that an answered batch stays open for proofs at least.
    uint64 public immutable provingPeriod;

    uint32 public open;
    /// @notice Demands ever made; their ids are 1 to this.
    uint256 public count;
    mapping(address demander => uint256) public owed;
    mapping(uint256 id => Demand) private _demands;
    /// @dev Of a batch by the hash of its header, as it stood at the first demand.
    mapping(bytes32 batchHash => uint64) private _firstDeadline;

    /// @param rollup_ whose constructor checks this
    constructor(address rollup_, DemandParameters memory parameters) {
        Bounds.check("fee", 0, 1 ether, parameters.fee);
        Bounds.check("answerWindow", 1, 30 days, parameters.answerWindow);
        Bounds.check("answerInterval", 0, 1 days, parameters.answerInterval);
        Bounds.check("provingPeriod", 1, 30 days, parameters.provingPeriod);
        rollup = rollup_;
        fee = parameters.fee;
        answerWindow = parameters.answerWindow;
        answerInterval = parameters.answerInterval;
        provingPeriod = parameters.provingPeriod;
    }

    /// @notice Takes the share of the bond that the rollup sends to whoever strikes.
    receive() external payable {}

    /// @inheritdoc IDemands
    function demandInputs(bytes calldata header, SegmentProof calldata segment)
        external
        payable
        guarded
        returns (uint256 id)
    {
        uint256 price = demandFee();
        if (msg.value != price) revert DemandFee(price, msg.value);
        if (open >= OPEN_MAX) revert DemandsFull(OPEN_MAX);
        Demand memory d = _segment(header, segment);
        _checkBatch(d.batch, d.batchHash);
        d.answerUntil = uint64(block.timestamp) + answerWindow + open * answerInterval;
        d.demander = msg.sender;
        d.fee = uint128(price);

        id = ++count;
        open++;
        _demands[id] = d;
        emit InputsDemanded(id, d.batch, d.batchHash, segment.index, d.answerUntil);
        IRollup(rollup).hold(d.batch, d.batchHash, true);
    }

    /// @inheritdoc IDemands
    function answerInputs(uint256 id, bytes calldata inputs) external guarded {
        if (msg.sender != tx.origin || msg.sender.code.length != 0) revert NestedCall(msg.sender);
        Demand memory d = _close(id);
        if (block.timestamp > d.answerUntil) revert AnswerLate(d.answerUntil, block.timestamp);
        (bool whole, bytes32 hash) = InputFold.fold(d.startHash, inputs);
        if (!whole || hash != d.endHash || inputs.length != d.inputBytes) {
            revert AnswerWrong(d.endHash, hash, d.inputBytes, inputs.length);
        }
        emit InputsAnswered(id, d.batch, msg.sender);
        IRollup(rollup).hold(d.batch, d.batchHash, false);
        IRollup(rollup).extend(d.batch, d.batchHash, uint64(block.timestamp) + provingPeriod);
        _send(msg.sender, d.fee / 2);
        // Burned: who answers his own demands would otherwise crowd out others for nothing.
        _send(address(0), d.fee - d.fee / 2);
    }

    /// @inheritdoc IDemands
    function strikeUnanswered(uint256 id, bytes calldata header) external guarded {
        Demand memory d = _close(id);
        if (block.timestamp <= d.answerUntil) revert AnswerOpen(d.answerUntil, block.timestamp);
        bytes32 hash = BatchLib.decode(header).digest(BatchLib.domainSeparator(rollup));
        if (hash != d.batchHash) revert OtherBatch(d.batch, d.batchHash, hash);
        emit DemandClosed(id, d.batch, true);
        // Credited, not sent: who refuses ether must not keep the batch from being struck.
        owed[d.demander] += IRollup(rollup).strike(header) + d.fee;
    }

    /// @inheritdoc IDemands
    function withdrawDemand(uint256 id) external guarded {
        Demand memory d = _close(id);
        bytes32 standing = IRollup(rollup).batches(d.batch).hash;
        if (standing == d.batchHash) revert OtherBatch(d.batch, bytes32(0), standing);
        emit DemandClosed(id, d.batch, false);
        owed[d.demander] += d.fee;
    }

    /// @inheritdoc IDemands
    function withdrawOwed() external guarded {
        uint256 amount = owed[msg.sender];
        owed[msg.sender] = 0;
        _send(msg.sender, amount);
    }

    /// @inheritdoc IDemands
    function demandFee() public view returns (uint256) {
        return uint256(fee) << (open / OPEN_PER_DOUBLING);
    }

    /// @inheritdoc IDemands
    function demand(uint256 id) external view returns (Demand memory) {
        return _demands[id];
    }

    /// @dev What the batch says of the segment.
    function _segment(bytes calldata header, SegmentProof calldata p) private view returns (Demand memory d) {
        Header memory h = BatchLib.decode(header);
        d.batch = h.id;
        d.batchHash = h.digest(BatchLib.domainSeparator(rollup));
        Segment memory s = TraceProof.open(h.traceRoot, h.traceLength, p.index, p.segment, p.path);
        d.endHash = s.inputHash;
        d.inputBytes = uint32(s.inputEnd - s.inputStart);
        if (p.index == 0) {
            if (p.before.length + p.beforePath.length != 0) revert NothingBefore(p.before.length);
            d.startHash = h.preInputHash;
        } else {
            d.startHash =
                TraceProof.open(h.traceRoot, h.traceLength, p.index - 1, p.before, p.beforePath).inputHash;
        }
    }

    /// @dev The batch stands, its inputs are not in calldata, and there is time for an answer before its first deadline.
    function _checkBatch(uint64 batch, bytes32 hash) private {
        BatchRecord memory record = IRollup(rollup).batches(batch);
        if (record.hash != hash) revert OtherBatch(batch, record.hash, hash);
        if (record.carrier == Carrier.CALLDATA) revert InputsPosted(batch);
        uint64 deadline = _firstDeadline[hash];
        if (deadline == 0) {
            deadline = record.deadline;
            _firstDeadline[hash] = deadline;
        }
        uint64 until = deadline < answerWindow ? 0 : deadline - answerWindow;
        if (block.timestamp > until) revert DemandsOver(until, block.timestamp);
    }

    function _close(uint256 id) private returns (Demand memory d) {
        d = _demands[id];
        if (d.batchHash == bytes32(0)) revert NoSuchDemand(id);
        delete _demands[id];
        open--;
    }

    function _send(address to, uint256 amount) private {
        if (amount == 0) return;
        (bool success,) = to.call{value: amount}("");
        if (!success) revert EtherNotSent(to, amount);
    }
}
