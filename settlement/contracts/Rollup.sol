// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IQueue} from "./interfaces/IQueue.sol";
import {
    BatchRecord,
    Carrier,
    FinalHead,
    Head,
    IRollup,
    IRollupPart,
    PostedBatch,
    RollupParameters,
    RollupParts
} from "./interfaces/IRollup.sol";
import {IVault} from "./interfaces/IVault.sol";
import {IVerifier} from "./interfaces/IVerifier.sol";
import {BatchLib, Header, TraceEnd} from "./libraries/BatchLib.sol";
import {BlobLib} from "./libraries/BlobLib.sol";
import {Bounds} from "./libraries/Bounds.sol";
import {Guarded} from "./libraries/Guarded.sol";
import {PublicInputs} from "./libraries/PublicInputs.sol";

/// @title The chain of signed batches
/// @notice See IRollup.
contract Rollup is IRollup, Guarded {
    using BatchLib for Header;

    bytes32 internal constant EPOCH_TYPEHASH = keccak256("Epoch(uint32 epoch,bytes32 parentHash)");
    /// @dev Block hashes further back than the BLOCKHASH opcode reaches (EIP-2935).
    address internal constant BLOCK_HASHES = 0x0000F90827F1C53a10cb7A02335B175320002935;
    uint256 internal constant BLOCKHASH_REACH = 256;
    uint256 internal constant BLOCK_HASHES_REACH = 8191;
    /// @dev Nodes take transactions of 128 KiB. Whoever proves a batch wrong sends its diff or inputs again, and proofs
    /// beside them: 12 KiB are left for these. Twin of COMMIT_CALLDATA_BYTES_MAX in sequencer/protocol/limits.ts.
    uint256 internal constant CALLDATA_MAX = 118_784;
    uint64 internal constant FIRST_SEQ = 1;
    uint32 internal constant FIRST_EPOCH = 1;

    address public immutable queue;
    address public immutable vault;
    address public immutable challenges;
    address public immutable demands;
    address public immutable equivocation;
    address public immutable escape;
    address public immutable sequencer;
    uint64 public immutable window;
    uint64 public immutable livenessLimit;
    uint128 public immutable bondRequired;
    address public immutable verifier;
    bool public immutable inputsOffChain;
    address public submitter;

    Head private _head;
    FinalHead private _finalHead;
    bool public frozen;
    uint32 public struckEpoch;
    uint64 public struckAt;
    uint256 public bond;
    /// @dev Those above the head are of struck batches and mean nothing.
    mapping(uint64 id => BatchRecord) private _batches;
    mapping(bytes32 batchHash => bytes32) public blobsHash;
    mapping(uint64 id => bytes32) public finalLedgerRoot;
    mapping(uint16 asset => uint256) public withdrawnTotal;

    /// @param parts must have been deployed for this contract's address
    constructor(RollupParts memory parts, RollupParameters memory parameters) payable {
        // A short window is for test chains: on mainnet there must be time to challenge through a censored stretch.
        uint256 windowMin = block.chainid == 1 ? 3 days : 1 seconds;
        Bounds.check("window", windowMin, 60 days, parameters.window);
        Bounds.check("livenessLimit", 1 minutes, 30 days, parameters.livenessLimit);
        Bounds.check("bond", 1, 1_000_000 ether, parameters.bond);
        Bounds.check("sequencer", 1, type(uint160).max, uint160(parameters.sequencer));
        _requirePart("queue.rollup", parts.queue);
        _requirePart("vault.rollup", parts.vault);
        _requirePart("challenges.rollup", parts.challenges);
        _requirePart("demands.rollup", parts.demands);
        _requirePart("equivocation.rollup", parts.equivocation);
        _requirePart("escape.rollup", parts.escape);
        _requireWiring("queue.vault", parts.vault, IQueue(parts.queue).vault());
        _requireWiring("vault.queue", parts.queue, IVault(parts.vault).queue());
        if (IQueue(parts.queue).configurator() != address(0)) {
            // Whoever disagrees with a change can force a withdrawal and see it final before the change is entered.
            uint256 exitMs = uint256(parameters.window) * 1000 + IQueue(parts.queue).inclusionMs();
            Bounds.check("queue.timelockMs", exitMs, type(uint64).max, IQueue(parts.queue).timelockMs());
        }

        queue = parts.queue;
        vault = parts.vault;
        challenges = parts.challenges;
        demands = parts.demands;
        equivocation = parts.equivocation;
        escape = parts.escape;
        sequencer = parameters.sequencer;
        window = parameters.window;
        livenessLimit = parameters.livenessLimit;
        bondRequired = parameters.bond;
        verifier = parameters.verifier;
        inputsOffChain = parameters.inputsOffChain;
        submitter = parameters.submitter;
        bond = msg.value;
        _head.nextSeq = FIRST_SEQ;
        _head.epoch = FIRST_EPOCH;
        _head.committedAt = uint64(block.timestamp);
        emit RollupCreated(
            parameters.sequencer,
            parts.queue,
            parts.vault,
            parameters.window,
            parameters.livenessLimit,
            parameters.bond,
            IQueue(parts.queue).length()
        );
    }

    // --- batches ---

    /// @inheritdoc IRollup
    function commitBatch(PostedBatch calldata batch) external {
        if (msg.sender != tx.origin || msg.sender.code.length != 0) revert NestedCall(msg.sender);
        if (frozen) revert RollupFrozen();
        if (bond < bondRequired) revert BondTooLow(bondRequired, bond);

        _checkCalldata(batch);
        (Header memory h, bytes32 hash) = _read(batch.header);
        address signer = BatchLib.recover(hash, batch.signature);
        if (signer != sequencer) revert WrongSigner(sequencer, signer);

        _checkContinuity(h);
        _checkTimes(h);
        _checkAnchor(h.anchorNumber, h.anchorHash);
        _checkQueue(h);
        _checkBytes(h, batch);
        _append(h, hash, _carry(h, hash, batch.inputs));
    }

    /// @inheritdoc IRollup
    function finalizeBatch(bytes calldata header, bytes calldata withdrawn) external {
        uint48 deadline = _batches[_finalHead.id + 1].deadline;
        if (_head.id != _finalHead.id && block.timestamp < deadline) revert WindowOpen(deadline, block.timestamp);
        _finalize(header, withdrawn);
    }

    /// @inheritdoc IRollup
    function proveBatch(bytes calldata header, bytes calldata withdrawn, bytes calldata proof) external {
        (Header memory h, bytes32 hash) = _finalize(header, withdrawn);
        bytes memory publicInputs = PublicInputs.encode(h, hash, address(this));
        if (verifier == address(0) || !IVerifier(verifier).verify(h.id, publicInputs, proof)) {
            revert ProofRefused(verifier);
        }
        emit BatchProven(h.id, hash, keccak256(publicInputs));
    }

    /// @inheritdoc IRollup
    function openEpoch(uint32 epoch, bytes calldata signature) external {
        if (frozen) revert RollupFrozen();
        _same("epoch", bytes32(uint256(_head.epoch) + 1), bytes32(uint256(epoch)));
        bytes32 structHash = keccak256(abi.encode(EPOCH_TYPEHASH, epoch, _head.hash));
        address signer = BatchLib.recover(BatchLib.typedDigest(domainSeparator(), structHash), signature);
        if (signer != sequencer) revert WrongSigner(sequencer, signer);
        _head.epoch = epoch;
        emit EpochOpened(epoch, _head.id, _head.hash);
    }

    /// @inheritdoc IRollup
    function setSubmitter(address submitter_) external {
        if (msg.sender != sequencer) revert WrongSigner(sequencer, msg.sender);
        submitter = submitter_;
        emit SubmitterChanged(submitter_);
    }

    // --- judges ---

    /// @inheritdoc IRollup
    function strike(bytes calldata header) external guarded returns (uint256 reward) {
        if (msg.sender != challenges && msg.sender != demands) revert NotJudge(challenges, msg.sender);
        (Header memory h, bytes32 hash) = _read(header);
        _pending(h.id, hash);

        uint64 headId = _head.id;
        uint32 epoch = _head.epoch;
        // The header went on from its parent: what it says of it is what the head was then.
        BatchRecord storage parent = _batches[h.id - 1];
        _head = Head({
            hash: h.parentHash,
            ledgerRoot: h.preLedgerRoot,
            bookRoot: h.preBookRoot,
            inputHash: h.preInputHash,
            nextStep: h.firstStep,
            nextSeq: h.firstSeq,
            queueNext: h.queueFirst,
            timeLast: parent.timeLast,
            id: h.id - 1,
            anchorNumber: parent.anchorNumber,
            committedAt: uint64(block.timestamp),
            epoch: epoch + 1
        });
        struckEpoch = epoch;
        struckAt = uint64(block.timestamp);
        emit BatchStruck(h.id, hash, h.parentHash, headId, msg.sender);
        emit EpochOpened(epoch + 1, h.id - 1, h.parentHash);
        return _slash();
    }

    /// @inheritdoc IRollup
    function slash() external guarded returns (uint256 reward) {
        if (msg.sender != equivocation) revert NotJudge(equivocation, msg.sender);
        return _slash();
    }

    /// @inheritdoc IRollup
    function hold(uint64 id, bytes32 hash, bool on) external {
        if (msg.sender != demands) revert NotJudge(demands, msg.sender);
        BatchRecord storage record = _pending(id, hash);
        record.holds = on ? record.holds + 1 : record.holds - 1;
        emit HoldChanged(id, hash, record.holds);
    }

    /// @inheritdoc IRollup
    function extend(uint64 id, bytes32 hash, uint64 deadline) external {
        if (msg.sender != demands) revert NotJudge(demands, msg.sender);
        BatchRecord storage record = _pending(id, hash);
        if (deadline <= record.deadline) return;
        Bounds.check("deadline", 0, type(uint48).max, deadline);
        record.deadline = uint48(deadline);
        emit DeadlineExtended(id, hash, deadline);
    }

    // --- what happens when the sequencer does not do its part ---

    /// @inheritdoc IRollup
    function freeze() external {
        if (frozen) revert RollupFrozen();
        uint64 entry = _head.queueNext;
        (,, uint64 deadlineMs,) = IQueue(queue).cursorAt(entry);
        // Entries that a struck batch had taken up are due again: as if they had come in at the strike.
        if (struckAt != 0) {
            uint64 recoveredBy = struckAt * 1000 + IQueue(queue).inclusionMs();
            if (deadlineMs < recoveredBy) deadlineMs = recoveredBy;
        }
        uint64 silentFrom = _head.committedAt + livenessLimit;
        if (block.timestamp * 1000 > deadlineMs) {
            frozen = true;
            emit Frozen(entry, deadlineMs);
        } else if (block.timestamp > silentFrom) {
            frozen = true;
            emit Frozen(type(uint64).max, silentFrom * 1000);
        } else {
            revert NotFrozenYet(deadlineMs, silentFrom, block.timestamp);
        }
    }

    // --- bond ---

    /// @inheritdoc IRollup
    function topUpBond() external payable {
        bond += msg.value;
        emit BondChanged(bond);
    }

    /// @inheritdoc IRollup
    function unbond(uint256 amount, address payable to) external guarded {
        if (msg.sender != sequencer) revert WrongSigner(sequencer, msg.sender);
        if (_head.id != _finalHead.id) revert BatchesPending(_head.id, _finalHead.id);
        // Receipts that name the last batches can still be held against the bond for one more window.
        uint64 until = _head.committedAt + 2 * window;
        if (block.timestamp < until) revert WindowOpen(until, block.timestamp);
        if (amount > bond) revert BondTooLow(amount, bond);
        bond -= amount;
        emit BondChanged(bond);
        _send(to, amount);
    }

    // --- views ---

    /// @inheritdoc IRollup
    function head() external view returns (Head memory) {
        return _head;
    }

    /// @inheritdoc IRollup
    function finalHead() external view returns (FinalHead memory) {
        return _finalHead;
    }

    /// @inheritdoc IRollup
    function batches(uint64 id) external view returns (BatchRecord memory) {
        BatchRecord memory none;
        return id > _head.id ? none : _batches[id];
    }

    /// @inheritdoc IRollup
    function domainSeparator() public view returns (bytes32) {
        return BatchLib.domainSeparator(address(this));
    }

    // --- the checks of a commit ---

    /// @dev The transaction's input is the one canonical ABI encoding: parts in order, without gaps, overlaps or anything
    /// behind them, so that no decoder can disagree with this contract about the bytes of a batch.
    function _checkCalldata(PostedBatch calldata batch) private pure {
        uint256 next;
        assembly ("memory-safe") {
            next := batch
        }
        _sameNumber("calldata.batch", 4 + 32, next);
        next += 6 * 32;
        next = _checkPart("calldata.header", next, batch.header);
        next = _checkPart("calldata.signature", next, batch.signature);
        next = _checkPart("calldata.trace", next, batch.trace);
        next = _checkPart("calldata.withdrawn", next, batch.withdrawn);
        next = _checkPart("calldata.diff", next, batch.diff);
        next = _checkPart("calldata.inputs", next, batch.inputs);
        _sameNumber("calldata.length", next, msg.data.length);
        Bounds.check("calldata", 0, CALLDATA_MAX, next);
    }

    function _checkPart(bytes32 field, uint256 next, bytes calldata part) private pure returns (uint256 end) {
        uint256 got;
        assembly ("memory-safe") {
            got := part.offset
        }
        _sameNumber(field, next + 32, got);
        return got + ((part.length + 31) & ~uint256(31));
    }

    /// @dev The batch goes on exactly where the last one ended.
    function _checkContinuity(Header memory h) private view {
        Head storage last = _head;
        _sameNumber("version", BatchLib.VERSION, h.version);
        _sameNumber("epoch", last.epoch, h.epoch);
        _sameNumber("id", last.id + 1, h.id);
        _same("parentHash", last.hash, h.parentHash);
        _same("preLedgerRoot", last.ledgerRoot, h.preLedgerRoot);
        _same("preBookRoot", last.bookRoot, h.preBookRoot);
        _same("preInputHash", last.inputHash, h.preInputHash);
        _sameNumber("firstStep", last.nextStep, h.firstStep);
        _sameNumber("firstSeq", last.nextSeq, h.firstSeq);
        _sameNumber("queueFirst", last.queueNext, h.queueFirst);
    }

    /// @dev Times in milliseconds. L1 knows seconds: a batch may end anywhere within this block's second.
    function _checkTimes(Header memory h) private view {
        uint256 last = _head.timeLast;
        if (h.timeFirst < last) revert TimeOrder("timeFirst", h.timeFirst, last);
        if (h.timeLast < h.timeFirst) revert TimeOrder("timeLast", h.timeLast, h.timeFirst);
        if (h.timeLast / 1000 > block.timestamp) revert TimeOrder("block.timestamp", block.timestamp, h.timeLast);
        uint256 oldest = block.timestamp > livenessLimit ? (block.timestamp - livenessLimit) * 1000 : 0;
        if (h.timeLast < oldest) revert TooOld(oldest, h.timeLast);
    }

    /// @dev The anchor is a recent block of this chain, not before the last batch's. Either source of block hashes will
    /// do: BLOCKHASH reaches 256 blocks, the contract of EIP-2935 further where a chain has it.
    function _checkAnchor(uint64 number, bytes32 got) private view {
        if (number >= block.number || number < _head.anchorNumber) revert AnchorNotRecent(block.number, number);
        uint256 age = block.number - number;
        bytes32 expected = age <= BLOCKHASH_REACH ? blockhash(number) : bytes32(0);
        if (expected != got && age <= BLOCK_HASHES_REACH && BLOCK_HASHES.code.length != 0) {
            (bool success, bytes memory answer) = BLOCK_HASHES.staticcall(abi.encode(number));
            bytes32 recorded = success && answer.length == 32 ? abi.decode(answer, (bytes32)) : bytes32(0);
            if (recorded != bytes32(0)) expected = recorded;
        }
        if (expected == bytes32(0)) revert AnchorNotRecent(block.number, number);
        if (expected != got) revert AnchorNotCanonical(number, expected, got);
    }

    /// @dev The batch takes queue entries up in order, and none that was due stays behind. What is due depends on the
    /// header alone (its anchor and last time), so that a batch that was right when it was signed stays right.
    function _checkQueue(Header memory h) private view {
        uint64 length = IQueue(queue).length();
        if (h.queueNext > length) revert QueueTooShort(length, h.queueNext);
        if (h.queueNext < h.queueFirst) revert Bounds.OutOfRange("queueNext", h.queueFirst, length, h.queueNext);
        (, bytes32 prefixHash, uint64 deadlineMs, uint64 blockNumber) = IQueue(queue).cursorAt(h.queueNext);
        _same("queueHash", prefixHash, h.queueHash);
        if (blockNumber <= h.anchorNumber && deadlineMs <= h.timeLast) {
            revert OverdueEntriesLeftOut(h.queueNext, deadlineMs, h.timeLast);
        }
    }

    /// @dev The posted bytes are those that the header names, and the trace spans exactly the batch.
    function _checkBytes(Header memory h, PostedBatch calldata batch) private pure {
        TraceEnd memory end = BatchLib.foldTrace(batch.trace, h.firstStep, h.firstSeq);
        _same("traceRoot", end.root, h.traceRoot);
        _sameNumber("traceLength", end.length, h.traceLength);
        _sameNumber("nextStep", end.nextStep, h.nextStep);
        _sameNumber("nextSeq", end.nextSeq, h.nextSeq);
        _sameNumber("trace.inputEnd", h.inputBytes, end.inputEnd);
        _same("trace.inputHash", h.postInputHash, end.inputHash);
        _same("trace.stateRoot", BatchLib.stateRoot(h.postLedgerRoot, h.postBookRoot), end.stateRoot);
        _same("diffHash", BatchLib.hashOf(batch.diff), h.diffHash);
        _same("withdrawnHash", BatchLib.hashOf(batch.withdrawn), h.withdrawnHash);
        BatchLib.checkWithdrawn(batch.withdrawn);
    }

    function _read(bytes calldata header) private view returns (Header memory h, bytes32 hash) {
        h = BatchLib.decode(header);
        hash = h.digest(domainSeparator());
    }

    /// @dev The next batch becomes final; whether it may is the caller's question.
    function _finalize(bytes calldata header, bytes calldata withdrawn)
        private
        returns (Header memory h, bytes32 hash)
    {
        uint64 id = _finalHead.id + 1;
        BatchRecord storage record = _batches[id];
        if (id > _head.id) revert NoSuchBatch(_head.id, id);
        if (record.holds != 0) revert BatchHeld(id, record.holds);
        (h, hash) = _read(header);
        _same("hash", record.hash, hash);
        _same("withdrawnHash", h.withdrawnHash, BatchLib.hashOf(withdrawn));

        uint256 count = withdrawn.length / BatchLib.WITHDRAWN_ENTRY_BYTES;
        for (uint256 i = 0; i < count; i++) {
            (uint16 asset, uint128 amount) = BatchLib.withdrawnAt(withdrawn, i);
            withdrawnTotal[asset] += amount;
        }
        finalLedgerRoot[id] = h.postLedgerRoot;
        _finalHead = FinalHead({
            id: id,
            queueNext: h.queueNext,
            timeLast: h.timeLast,
            ledgerRoot: h.postLedgerRoot
        });
        emit BatchFinalized(id, hash, h.postLedgerRoot);
    }

    /// @dev Finds out where the inputs are. Nothing here can tell whether blobs hold what the trace says of the inputs: a
    /// segment for which they do not is proven wrong by opening them, or demanded.
    function _carry(Header memory h, bytes32 hash, bytes calldata inputs) private returns (uint8 carrier) {
        bytes32[] memory blobs;
        if (inputs.length != 0 || h.inputBytes == 0) {
            _sameNumber("inputBytes", inputs.length, h.inputBytes);
            _same("inputsHash", BatchLib.hashOf(inputs), h.inputsHash);
            return Carrier.CALLDATA;
        }
        // What blobs hold is no part of the signature: whoever could choose them could have an honest batch struck.
        if (msg.sender != submitter) revert NotSubmitter(submitter, msg.sender);
        if (blobhash(0) == bytes32(0)) {
            if (!inputsOffChain) revert InputsMissing(h.inputBytes);
            carrier = Carrier.OFF_CHAIN;
        } else {
            blobs = _blobs(BlobLib.blobsFor(h.inputBytes));
            blobsHash[hash] = keccak256(abi.encodePacked(blobs));
            carrier = Carrier.BLOBS;
        }
        emit InputsElsewhere(h.id, hash, carrier, blobs);
    }

    /// @dev Versioned hashes of this transaction's blobs, which must be `count`.
    function _blobs(uint256 count) private view returns (bytes32[] memory blobs) {
        if (count > BlobLib.BLOBS_MAX) revert BlobCount(BlobLib.BLOBS_MAX, count);
        uint256 got = 0;
        while (got <= BlobLib.BLOBS_MAX && blobhash(got) != bytes32(0)) got++;
        if (got != count) revert BlobCount(count, got);
        blobs = new bytes32[](count);
        for (uint256 i = 0; i < count; i++) {
            blobs[i] = blobhash(i);
        }
    }

    function _append(Header memory h, bytes32 hash, uint8 carrier) private {
        uint64 deadline = uint64(block.timestamp) + window;
        // Times are those of blocks or of headers that a block's time bounds: 48 bits hold them for 8,900 years.
        _batches[h.id] = BatchRecord({
            hash: hash,
            deadline: uint48(deadline),
            committedBlock: uint48(block.number),
            timeLast: uint48(h.timeLast),
            anchorNumber: uint48(h.anchorNumber),
            epoch: h.epoch,
            holds: 0,
            carrier: carrier
        });
        _head = Head({
            hash: hash,
            ledgerRoot: h.postLedgerRoot,
            bookRoot: h.postBookRoot,
            inputHash: h.postInputHash,
            nextStep: h.nextStep,
            nextSeq: h.nextSeq,
            queueNext: h.queueNext,
            timeLast: h.timeLast,
            id: h.id,
            anchorNumber: h.anchorNumber,
            committedAt: uint64(block.timestamp),
            epoch: h.epoch
        });
        emit BatchCommitted(h.id, h.epoch, hash, h.parentHash, h.postLedgerRoot, h.queueNext, deadline);
    }

    /// @dev The record of a batch that is committed and not final, by id and hash.
    function _pending(uint64 id, bytes32 hash) private view returns (BatchRecord storage record) {
        if (id > _head.id) revert NoSuchBatch(_head.id, id);
        if (id <= _finalHead.id) revert AlreadyFinal(_finalHead.id, id);
        record = _batches[id];
        _same("hash", record.hash, hash);
    }

    /// @dev Half to the judge, the rest to nobody: a sequencer that strikes itself loses it.
    function _slash() private returns (uint256 reward) {
        uint256 all = bond;
        reward = all / 2;
        bond = 0;
        emit BondSlashed(msg.sender, reward, all - reward);
        emit BondChanged(0);
        _send(msg.sender, reward);
        _send(address(0), all - reward);
    }

    function _send(address to, uint256 amount) private {
        if (amount == 0) return;
        (bool success,) = to.call{value: amount}("");
        if (!success) revert EtherNotSent(to, amount);
    }

    function _same(bytes32 field, bytes32 expected, bytes32 got) private pure {
        if (expected != got) revert WrongField(field, expected, got);
    }

    function _sameNumber(bytes32 field, uint256 expected, uint256 got) private pure {
        if (expected != got) revert WrongField(field, bytes32(expected), bytes32(got));
    }

    function _requirePart(bytes32 field, address part) private view {
        if (part.code.length == 0) revert WrongWiring(field, address(this), address(0));
        _requireWiring(field, address(this), IRollupPart(part).rollup());
    }

    function _requireWiring(bytes32 field, address expected, address got) private pure {
        if (expected != got) revert WrongWiring(field, expected, got);
    }
}
