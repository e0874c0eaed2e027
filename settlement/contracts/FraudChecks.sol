// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Accused, IChallenges, LeafProofs, SegmentProof} from "./interfaces/IChallenges.sol";
import {BatchLib, Header} from "./libraries/BatchLib.sol";
import {BlobLib, Opening} from "./libraries/BlobLib.sol";
import {DiffLib} from "./libraries/DiffLib.sol";
import {InputFold} from "./libraries/InputFold.sol";
import {Returned} from "./libraries/Returned.sol";
import {Segment, TraceProof} from "./libraries/TraceProof.sol";
import {TreeProof} from "./libraries/TreeProof.sol";
import {IStepProver, Outcome, Witness} from "./step/IStepProver.sol";
import {Keys} from "./step/Keys.sol";

/// @title The checks of IChallenges
/// @notice Each opens what it reads against the header, then compares. Nothing here changes anything.
abstract contract FraudChecks is IChallenges {
    using BatchLib for Header;

    /// @dev Ledger key = kind ‖ u16 asset ‖ zeros; value = u128, absent while zero.
    uint256 private constant WITHDRAWN_TOTAL_KIND = 0x0b;
    uint256 private constant TOTAL_BYTES = 16;
    /// @dev u64 next index ‖ b32 prefix hash.
    uint256 private constant QUEUE_BYTES = 40;
    /// @dev u64 sequence ‖ u48 now ‖ ...
    uint256 private constant NOW_FROM = 8;
    uint256 private constant NOW_TO = 14;

    /// @dev A segment, and the state and input hash that it goes on from.
    struct Opened {
        uint256 index;
        Segment segment;
        bytes32 preState;
        bytes32 preInputHash;
    }

    /// @dev Domain separator of the rollup's signatures.
    function _domain() internal view virtual returns (bytes32);

    function _stepProver() internal view virtual returns (IStepProver);

    /// @dev What the rollup has noted of the blobs of the batch with this hash.
    function _blobsHash(bytes32 batchHash) internal view virtual returns (bytes32);

    // --- segments ---

    /// @inheritdoc IChallenges
    function checkStep(
        bytes calldata header,
        SegmentProof calldata segment,
        bytes calldata inputs,
        Witness calldata witness
    ) external view returns (Accused memory) {
        Header memory h = BatchLib.decode(header);
        Opened memory o = _open(h, segment);
        (bool whole, bytes32 inputHash) = InputFold.fold(o.preInputHash, inputs);
        if (!whole || inputHash != o.segment.inputHash) revert WrongInputs(whole, o.segment.inputHash, inputHash);
        Outcome memory outcome =
            _stepProver().run(o.preState, o.segment.nextStep - o.segment.firstStep, _domain(), inputs, witness);
        return _judge(h, header, !_isAsPosted(h, o, outcome));
    }

    /// @inheritdoc IChallenges
    function checkInputs(bytes calldata header, SegmentProof calldata segment, bytes calldata inputs)
        external
        view
        returns (Accused memory)
    {
        Header memory h = BatchLib.decode(header);
        _requireBytes("inputs", h.inputsHash, inputs);
        Opened memory o = _open(h, segment);
        // commitBatch checked that the ends rise up to the length of the inputs.
        (bool whole, bytes32 inputHash) =
            InputFold.fold(o.preInputHash, inputs[o.segment.inputStart:o.segment.inputEnd]);
        return _judge(h, header, !whole || inputHash != o.segment.inputHash);
    }

    /// @inheritdoc IChallenges
    function checkBlobs(
        bytes calldata header,
        SegmentProof calldata segment,
        bytes32[] calldata blobs,
        Opening[] calldata openings
    ) external view returns (Accused memory) {
        Header memory h = BatchLib.decode(header);
        bytes32 expected = _blobsHash(h.digest(_domain()));
        bytes32 got = keccak256(abi.encodePacked(blobs));
        if (expected == bytes32(0) || got != expected) revert WrongBytes("blobs", expected, got);
        return _judge(h, header, !_blobsHold(_open(h, segment), blobs, openings));
    }

    /// @dev Whether the blobs hold the segment's records.
    function _blobsHold(Opened memory o, bytes32[] calldata blobs, Opening[] calldata openings)
        private
        view
        returns (bool)
    {
        (bool clean, bytes memory inputs) =
            BlobLib.read(blobs, openings, o.segment.inputStart, o.segment.inputEnd);
        if (!clean) return false;
        (bool whole, bytes32 inputHash) = this.fold(o.preInputHash, inputs);
        return whole && inputHash == o.segment.inputHash;
    }

    /// @notice The running hash after records; for inputs that were put together in memory.
    function fold(bytes32 start, bytes calldata inputs) external pure returns (bool whole, bytes32 hash) {
        return InputFold.fold(start, inputs);
    }

    // --- the ledger before and after ---

    /// @inheritdoc IChallenges
    function checkDiff(bytes calldata header, bytes calldata diff, bytes32 key, LeafProofs calldata leaf)
        external
        view
        returns (Accused memory)
    {
        Header memory h = BatchLib.decode(header);
        _requireBytes("diff", h.diffHash, diff);
        (bool success, bytes memory answer) = address(this).staticcall(_differsCall(h, diff, key, leaf));
        bool fraud = false;
        if (success) {
            fraud = abi.decode(answer, (bool));
        } else if (bytes4(answer) == DiffLib.Malformed.selector) {
            fraud = true;
        } else {
            Returned.bubble(answer);
        }
        return _judge(h, header, fraud);
    }

    /// @dev The call of `differs` with the leaf as the ledger has it before and after the batch.
    function _differsCall(Header memory h, bytes calldata diff, bytes32 key, LeafProofs calldata leaf)
        private
        view
        returns (bytes memory)
    {
        (bool wasPresent, bytes calldata old) = TreeProof.read(h.preLedgerRoot, key, leaf.pre);
        (bool isPresent, bytes calldata value) = TreeProof.read(h.postLedgerRoot, key, leaf.post);
        return abi.encodeCall(this.differs, (diff, key, wasPresent, old, isPresent, value));
    }

    /// @notice Whether a leaf after the batch differs from what the diff makes of the leaf before. Proves nothing by itself:
    /// `checkDiff` calls it with leaves that it has opened, and takes DiffLib.Malformed for a wrong diff.
    function differs(
        bytes calldata diff,
        bytes32 key,
        bool wasPresent,
        bytes calldata old,
        bool isPresent,
        bytes calldata value
    ) external pure returns (bool) {
        DiffLib.Entry memory entry;
        bool expectPresent = wasPresent;
        bytes memory expected = old;
        if (DiffLib.seek(diff, entry, key)) {
            (expectPresent, expected) = DiffLib.rebuild(diff, entry, wasPresent, old);
        }
        if (expectPresent != isPresent) return true;
        return isPresent && keccak256(expected) != keccak256(value);
    }

    /// @inheritdoc IChallenges
    function checkClock(bytes calldata header, bytes calldata post) external view returns (Accused memory) {
        Header memory h = BatchLib.decode(header);
        (bool present, bytes calldata value) = TreeProof.read(h.postLedgerRoot, Keys.GLOBALS, post);
        uint256 time = 0;
        // No step writes a shorter leaf: the state is wrong then, whatever time it means.
        bool readable = !present || value.length >= NOW_TO;
        if (present && readable) time = uint48(bytes6(value[NOW_FROM:NOW_TO]));
        return _judge(h, header, !readable || time != h.timeLast);
    }

    /// @inheritdoc IChallenges
    function checkQueue(bytes calldata header, bytes calldata post) external view returns (Accused memory) {
        Header memory h = BatchLib.decode(header);
        (bool present, bytes calldata value) = TreeProof.read(h.postLedgerRoot, Keys.QUEUE, post);
        bytes memory expected = h.queueNext == 0 ? bytes("") : abi.encodePacked(h.queueNext, h.queueHash);
        // Before the first entry the leaf is absent, and the header's prefix hash zero as commitBatch checked.
        return _judge(h, header, present != (h.queueNext != 0) || keccak256(expected) != keccak256(value));
    }

    /// @inheritdoc IChallenges
    function checkWithdrawn(
        bytes calldata header,
        bytes calldata withdrawn,
        uint16 asset,
        LeafProofs calldata leaf
    ) external view returns (Accused memory) {
        Header memory h = BatchLib.decode(header);
        _requireBytes("withdrawn", h.withdrawnHash, withdrawn);
        bytes32 key = bytes32((WITHDRAWN_TOTAL_KIND << 248) | (uint256(asset) << 232));
        uint256 expected = _total(h.preLedgerRoot, key, leaf.pre) + _listed(withdrawn, asset);
        return _judge(h, header, _total(h.postLedgerRoot, key, leaf.post) != expected);
    }

    // --- parts ---

    function _open(Header memory h, SegmentProof calldata p) private pure returns (Opened memory o) {
        o.index = p.index;
        o.segment = TraceProof.open(h.traceRoot, h.traceLength, p.index, p.segment, p.path);
        if (p.index == 0) {
            if (p.before.length + p.beforePath.length != 0) revert NothingBefore(p.before.length);
            o.preState = BatchLib.stateRoot(h.preLedgerRoot, h.preBookRoot);
            o.preInputHash = h.preInputHash;
        } else {
            Segment memory last = TraceProof.open(h.traceRoot, h.traceLength, p.index - 1, p.before, p.beforePath);
            o.preState = last.stateRoot;
            o.preInputHash = last.inputHash;
        }
    }

    function _isAsPosted(Header memory h, Opened memory o, Outcome memory got) private pure returns (bool) {
        if (got.fault != 0) return false;
        if (BatchLib.stateRoot(got.ledgerRoot, got.bookRoot) != o.segment.stateRoot) return false;
        if (got.nextSeq != o.segment.nextSeq || got.weight != o.segment.weight) return false;
        if (o.index == 0 && got.timeFirst != h.timeFirst) return false;
        return o.index + 1 != h.traceLength || got.timeLast == h.timeLast;
    }

    /// @dev Total withdrawn of an asset. A leaf of another width, which no step writes, counts as more than any total.
    function _total(bytes32 root, bytes32 key, bytes calldata proof) private pure returns (uint256) {
        (bool present, bytes calldata value) = TreeProof.read(root, key, proof);
        if (!present) return 0;
        return value.length == TOTAL_BYTES ? uint128(bytes16(value)) : type(uint192).max;
    }

    /// @dev What the batch's list says of the asset; zero if nothing. commitBatch checked that entries are whole and rise.
    function _listed(bytes calldata withdrawn, uint16 asset) private pure returns (uint256) {
        uint256 count = withdrawn.length / BatchLib.WITHDRAWN_ENTRY_BYTES;
        for (uint256 i = 0; i < count; i++) {
            (uint16 listed, uint128 amount) = BatchLib.withdrawnAt(withdrawn, i);
            if (listed == asset) return amount;
        }
        return 0;
    }

    function _requireBytes(bytes32 field, bytes32 expected, bytes calldata data) private pure {
        bytes32 got = BatchLib.hashOf(data);
        if (got != expected) revert WrongBytes(field, expected, got);
    }

    function _judge(Header memory h, bytes calldata header, bool fraud) private view returns (Accused memory) {
        bytes32 hash = h.digest(_domain());
        if (!fraud) revert NoFraud(hash);
        return Accused({id: h.id, hash: hash, header: header});
    }
}
