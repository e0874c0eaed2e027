// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {SegmentProof} from "./interfaces/IChallenges.sol";
import {Contradiction, IEquivocation} from "./interfaces/IEquivocation.sol";
import {IQueue} from "./interfaces/IQueue.sol";
import {IRollup, IRollupPart} from "./interfaces/IRollup.sol";
import {BatchLib, Header} from "./libraries/BatchLib.sol";
import {Receipt, ReceiptLib} from "./libraries/ReceiptLib.sol";
import {Returned} from "./libraries/Returned.sol";
import {Rewards} from "./libraries/Rewards.sol";
import {Segment, TraceProof} from "./libraries/TraceProof.sol";

/// @title Two histories under one signature
/// @notice See IEquivocation for the checks and Rewards for what a proof earns.
contract Equivocation is IEquivocation, IRollupPart, Rewards {
    using BatchLib for Header;

    address public immutable rollup;
    mapping(bytes32 statement => bool) public isPunished;

    /// @param rollup_ whose constructor checks this
    /// @param claimPeriod_ seconds in which an older commitment can still take a reward
    constructor(address rollup_, uint64 claimPeriod_) Rewards(claimPeriod_) {
        rollup = rollup_;
    }

    /// @notice Takes the share of the bond that the rollup sends to whoever slashes.
    receive() external payable {
        if (msg.sender != rollup) revert NotRollup(rollup, msg.sender);
    }

    /// @inheritdoc IEquivocation
    function proveEquivocation(bytes calldata proof, address beneficiary, bytes32 salt)
        external
        guarded
        returns (bytes32 fault)
    {
        Contradiction memory c = _check(proof);
        _requireCounting(c);
        // With nothing at stake, a friend of the sequencer's could use its statements up.
        (uint256 required, uint256 bond) = (IRollup(rollup).bondRequired(), IRollup(rollup).bond());
        if (bond < required) revert BondTooLow(required, bond);
        _punish(c.first);
        // A committed header is no lie: it can be held against other receipts.
        if (c.batchId == 0) _punish(c.second);
        fault = _faultOf(c);
        emit EquivocationProven(fault, c.first, c.second, bytes4(proof), msg.sender);
        _openReward(fault, IRollup(rollup).slash());
        _claimAtOnce(fault, beneficiary, salt, keccak256(proof));
    }

    // --- checks ---

    /// @inheritdoc IEquivocation
    function checkHeaders(
        bytes calldata header,
        bytes calldata signature,
        bytes calldata other,
        bytes calldata otherSignature
    ) external view returns (Contradiction memory c) {
        Header memory a = BatchLib.decode(header);
        Header memory b = BatchLib.decode(other);
        bytes32 separator = BatchLib.domainSeparator(rollup);
        (c.first, c.second) = (a.digest(separator), b.digest(separator));
        _requireSigner(BatchLib.recover(c.first, signature));
        _requireSigner(BatchLib.recover(c.second, otherSignature));
        if (a.epoch != b.epoch) revert OtherPlace("epoch", a.epoch, b.epoch);
        if (a.id != b.id) revert OtherPlace("id", a.id, b.id);
        if (c.first == c.second) revert NoContradiction(c.first, c.second);
    }

    /// @inheritdoc IEquivocation
    function checkReceipts(bytes calldata earlier, bytes calldata later, bytes32 before, bytes calldata links)
        external
        view
        returns (Contradiction memory c)
    {
        (c.a, c.first) = _open(earlier);
        (c.b, c.second) = _open(later);
        if (c.a.epoch != c.b.epoch) revert OtherPlace("epoch", c.a.epoch, c.b.epoch);
        if (c.a.seq > c.b.seq) revert OtherPlace("seq", c.a.seq, c.b.seq);
        // Back from a hash that was signed there is one way only: nobody finds two preimages.
        bytes32 end = ReceiptLib.fold(before, links, c.b.seq - c.a.seq);
        if (end != c.b.inputHash) revert LinksDoNotOpen(c.b.inputHash, end);
        if (before == c.a.inputHash) revert NoContradiction(c.first, c.second);
    }

    /// @inheritdoc IEquivocation
    function checkTrace(
        bytes calldata receipt,
        bytes calldata header,
        SegmentProof calldata segment,
        bytes calldata links
    ) external view returns (Contradiction memory c) {
        (c.a, c.first) = _open(receipt);
        Header memory h = BatchLib.decode(header);
        c.second = h.digest(BatchLib.domainSeparator(rollup));
        (c.batchId, c.batchEpoch) = (h.id, h.epoch);
        if (h.epoch < c.a.epoch) revert OtherPlace("epoch", c.a.epoch, h.epoch);
        if (_committedHash(h, c.a.seq, segment, links) == c.a.inputHash) {
            revert NoContradiction(c.first, c.second);
        }
    }

    // --- openings ---

    /// @dev Running input hash after command `seq`, as the batch of this header has it.
    function _committedHash(Header memory h, uint256 seq, SegmentProof calldata proof, bytes calldata links)
        private
        pure
        returns (bytes32 hash)
    {
        Segment memory s = TraceProof.open(h.traceRoot, h.traceLength, proof.index, proof.segment, proof.path);
        if (seq < s.firstSeq || seq >= s.nextSeq) revert OtherSegment(s.firstSeq, s.nextSeq, seq);
        if (links.length == 0 && seq + 1 == s.nextSeq) return s.inputHash;
        hash = h.preInputHash;
        if (proof.index > 0) {
            uint256 before = proof.index - 1;
            hash = TraceProof.open(h.traceRoot, h.traceLength, before, proof.before, proof.beforePath).inputHash;
        }
        uint256 count = seq + 1 - s.firstSeq;
        if (links.length < 32 * count) revert ReceiptLib.LinksLength(s.nextSeq - s.firstSeq, links.length / 32);
        hash = ReceiptLib.fold(hash, links[:32 * count], count);
        bytes32 end = ReceiptLib.fold(hash, links[32 * count:], s.nextSeq - seq - 1);
        if (end != s.inputHash) revert LinksDoNotOpen(s.inputHash, end);
    }

    function _open(bytes calldata signed) private view returns (Receipt memory receipt, bytes32 hash) {
        address signer;
        (receipt, hash, signer) = ReceiptLib.open(signed, BatchLib.domainSeparator(rollup));
        _requireSigner(signer);
    }

    function _requireSigner(address signer) private view {
        address expected = IRollup(rollup).sequencer();
        if (signer != expected) revert WrongSigner(expected, signer);
    }

    // --- what counts ---

    /// @dev Reverts unless the batch stands on L1 and no receipt is void.
    function _requireCounting(Contradiction memory c) private view {
        if (c.batchId != 0) {
            bytes32 hash = IRollup(rollup).batches(c.batchId).hash;
            if (hash != c.second) revert BatchNotCommitted(c.batchId, c.second, hash);
            uint32 struck = IRollup(rollup).struckEpoch();
            if (c.batchEpoch > c.a.epoch && c.a.epoch <= struck) revert VoidByStrike(struck, c.a.epoch);
        }
        _requirePrefix(c.a);
        _requirePrefix(c.b);
    }

    function _requirePrefix(Receipt memory receipt) private view {
        // Where there is no receipt: nothing of the queue is a prefix of any.
        IQueue queue = IQueue(IRollup(rollup).queue());
        bytes32 prefix = bytes32(0);
        bool isThere = receipt.queueNext <= queue.length();
        if (isThere) (, prefix,,) = queue.cursorAt(receipt.queueNext);
        if (!isThere || prefix != receipt.queueHash) {
            revert VoidByReorg(receipt.queueNext, receipt.queueHash, prefix);
        }
    }

    function _punish(bytes32 statement) private {
        if (isPunished[statement]) revert AlreadyPunished(statement);
        isPunished[statement] = true;
    }

    /// @dev Runs the check that the proof is the calldata of. Reverts as it does.
    function _check(bytes calldata proof) private view returns (Contradiction memory) {
        bytes4 check = bytes4(proof);
        if (
            check != this.checkHeaders.selector && check != this.checkReceipts.selector
                && check != this.checkTrace.selector
        ) revert UnknownCheck(check);
        (bool success, bytes memory answer) = address(this).staticcall(proof);
        if (!success) Returned.bubble(answer);
        return abi.decode(answer, (Contradiction));
    }

    /// @dev Of the two statements in either order.
    function _faultOf(Contradiction memory c) private pure returns (bytes32) {
        return c.first < c.second
            ? keccak256(abi.encode(c.first, c.second))
            : keccak256(abi.encode(c.second, c.first));
    }

    /// @inheritdoc Rewards
    function _faultShownBy(bytes32, bytes calldata proof) internal view override returns (bytes32) {
        return _faultOf(_check(proof));
    }
}
