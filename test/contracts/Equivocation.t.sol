// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Fixture} from "./Fixture.sol";
import {SegmentProof} from "../../settlement/contracts/interfaces/IChallenges.sol";
import {Contradiction, IEquivocation} from "../../settlement/contracts/interfaces/IEquivocation.sol";
import {Carrier, PostedBatch} from "../../settlement/contracts/interfaces/IRollup.sol";
import {BatchLib, Header} from "../../settlement/contracts/libraries/BatchLib.sol";
import {Receipt, ReceiptLib} from "../../settlement/contracts/libraries/ReceiptLib.sol";
import {RewardCase, Rewards} from "../../settlement/contracts/libraries/Rewards.sol";
import {TraceProof} from "../../settlement/contracts/libraries/TraceProof.sol";

/// @notice The cheat code for what a transaction carries beside its calldata.
interface BlobCheat {
    function blobhashes(bytes32[] calldata hashes) external;
}

/// @notice A sequencer with two histories: the one that it commits, and another one that parts from it after command 4.
contract EquivocationTest is Fixture {
    /// @dev Commands of the three segments of every batch.
    uint64[3] private SIZES = [uint64(3), 1, 6];
    uint64 private constant BATCH = 10;
    uint64 private constant FORK = 4;
    address private constant FINDER = address(0xf1d);
    address private constant COPIER = address(0xc09);

    Header private first;
    Header private second;

    function setUp() public {
        deployAll();
        first = _commit();
        pass(1);
        second = _commit();
    }

    // --- histories ---

    function _link(bool fork, uint64 seq) private pure returns (bytes32) {
        return keccak256(abi.encode(fork && seq > FORK ? "other" : "record", seq));
    }

    function _hash(bool fork, uint64 seq) private pure returns (bytes32 h) {
        for (uint64 i = 1; i <= seq; i++) {
            h = keccak256(abi.encode(h, _link(fork, i)));
        }
    }

    function _links(bool fork, uint64 from, uint64 through) private pure returns (bytes memory links) {
        for (uint64 i = from; i <= through; i++) {
            links = abi.encodePacked(links, _link(fork, i));
        }
    }

    function _receipt(bool fork, uint64 seq) private view returns (Receipt memory r) {
        r = Receipt({epoch: 1, seq: seq, inputHash: _hash(fork, seq), queueNext: 2, queueHash: bytes32(0)});
        (, r.queueHash,,) = queue.cursorAt(2);
    }

    function _sign(Receipt memory r) private view returns (bytes memory) {
        return _signBy(SEQUENCER_KEY, r);
    }

    function _signBy(uint256 key, Receipt memory r) private view returns (bytes memory) {
        bytes32 hash = ReceiptLib.digest(r, rollup.domainSeparator());
        return abi.encodePacked(r.epoch, r.seq, r.inputHash, r.queueNext, r.queueHash, signature(key, hash));
    }

    // --- batches with a trace of three segments over the true history ---

    function _next(bool fork) private view returns (Header memory h, bytes memory trace) {
        h = nextHeader(keccak256(abi.encode("ledger", rollup.head().id, fork)), "");
        h.nextSeq = h.firstSeq + BATCH;
        h.nextStep = h.firstStep + 2 * BATCH;
        h.postInputHash = _hash(fork, h.nextSeq - 1);
        h.traceLength = 3;
        trace = _trace(h, fork);
        h.traceRoot = _node(
            _node(_leaf(h, trace, 0), _leaf(h, trace, 1)), _leaf(h, trace, 2)
        );
    }

    function _trace(Header memory h, bool fork) private view returns (bytes memory trace) {
        uint64 seq = h.firstSeq;
        uint64 step = h.firstStep;
        for (uint256 i = 0; i < 3; i++) {
            (seq, step) = (seq + SIZES[i], step + 2 * SIZES[i]);
            bytes32 root = i == 2
                ? keccak256(abi.encodePacked(bytes1(0x03), h.postLedgerRoot, h.postBookRoot))
                : keccak256(abi.encode("state", seq));
            uint32 inputEnd = i == 2 ? h.inputBytes : uint32(i + 1);
            trace = abi.encodePacked(trace, step, seq, inputEnd, uint64(1_000), _hash(fork, seq - 1), root);
        }
    }

    function _segment(Header memory h, bytes memory trace, uint256 i) private view returns (bytes memory) {
        uint64 seq = h.firstSeq;
        uint64 step = h.firstStep;
        for (uint256 k = 0; k < i; k++) {
            (seq, step) = (seq + SIZES[k], step + 2 * SIZES[k]);
        }
        bytes memory entry = new bytes(92);
        for (uint256 k = 0; k < 92; k++) {
            entry[k] = trace[92 * i + k];
        }
        return abi.encodePacked(step, seq, uint32(i), entry);
    }

    function _leaf(Header memory h, bytes memory trace, uint256 i) private view returns (bytes32) {
        return keccak256(abi.encodePacked(bytes1(0x02), uint32(i), _segment(h, trace, i)));
    }

    function _node(bytes32 left, bytes32 right) private pure returns (bytes32) {
        return keccak256(abi.encodePacked(bytes1(0x04), left, right));
    }

    function _post(Header memory h, bytes memory trace) private {
        PostedBatch memory batch = signed(h, "");
        batch.trace = trace;
        post(batch);
    }

    function _commit() private returns (Header memory h) {
        bytes memory trace;
        (h, trace) = _next(false);
        _post(h, trace);
    }

    /// @dev Opens the segment of the committed (or `fork`'s) batch that holds `seq`.
    function _opening(Header memory h, bool fork, uint64 seq)
        private
        view
        returns (SegmentProof memory p, uint64 from, uint64 through)
    {
        bytes memory trace = _trace(h, fork);
        from = h.firstSeq;
        while (seq >= from + SIZES[p.index]) from += SIZES[p.index++];
        through = from + SIZES[p.index] - 1;
        p.segment = _segment(h, trace, p.index);
        p.path = _path(h, trace, p.index);
        if (p.index > 0) {
            p.before = _segment(h, trace, p.index - 1);
            p.beforePath = _path(h, trace, p.index - 1);
        }
    }

    function _path(Header memory h, bytes memory trace, uint256 i) private view returns (bytes memory) {
        if (i == 2) return abi.encodePacked(_node(_leaf(h, trace, 0), _leaf(h, trace, 1)));
        return abi.encodePacked(_leaf(h, trace, 1 - i), _leaf(h, trace, 2));
    }

    // --- proofs ---

    function _headers(Header memory a, Header memory b) private view returns (bytes memory) {
        return abi.encodeCall(
            IEquivocation.checkHeaders,
            (
                packed(a),
                signature(SEQUENCER_KEY, digestOf(a)),
                packed(b),
                signature(SEQUENCER_KEY, digestOf(b))
            )
        );
    }

    function _receipts(bytes memory a, bytes memory b, bytes32 before, bytes memory links)
        private
        pure
        returns (bytes memory)
    {
        return abi.encodeCall(IEquivocation.checkReceipts, (a, b, before, links));
    }

    /// @dev Two receipts of the two histories, the later one opened back to the earlier.
    function _twoHistories(uint64 earlier, uint64 later) private view returns (bytes memory) {
        return _receipts(
            _sign(_receipt(false, earlier)),
            _sign(_receipt(true, later)),
            _hash(true, earlier),
            _links(true, earlier + 1, later)
        );
    }

    function _against(Header memory h, bytes memory receipt, uint64 seq) private view returns (bytes memory) {
        (SegmentProof memory p, uint64 from, uint64 through) = _opening(h, false, seq);
        return abi.encodeCall(
            IEquivocation.checkTrace, (receipt, packed(h), p, _links(false, from, through))
        );
    }

    function _prove(bytes memory proof) private returns (bytes32) {
        return equivocation.proveEquivocation(proof, address(0), bytes32(0));
    }

    function _slashes(bytes memory proof) private {
        assertEq(rollup.bond(), BOND, "the bond before");
        uint256 burned = address(0).balance;
        bytes32 fault = _prove(proof);
        assertEq(rollup.bond(), 0, "the bond after");
        assertEq(address(equivocation).balance, BOND / 2, "half of it as the reward");
        assertEq(address(0).balance - burned, BOND / 2, "half of it burned");
        assertEq(equivocation.rewardOf(fault).amount, BOND / 2, "the reward");
    }

    function _reverts(bytes memory proof, bytes4 reason) private {
        vm.expectPartialRevert(reason);
        _prove(proof);
        assertEq(rollup.bond(), BOND, "the bond stays");
    }

    // --- two histories slash ---

    function test_twoHeadersOfOnePlaceSlash() public {
        Header memory other = second;
        other.postLedgerRoot = bytes32(uint256(7));
        _slashes(_headers(second, other));
    }

    function test_twoHeadersThatWereNeverCommittedSlash() public {
        (Header memory a,) = _next(false);
        (Header memory b,) = _next(true);
        _slashes(_headers(b, a));
    }

    function test_twoReceiptsOfOneCommandSlash() public {
        _slashes(_twoHistories(7, 7));
    }

    function test_twoReceiptsOfDifferentCommandsSlash() public {
        _slashes(_twoHistories(5, 19));
    }

    function testFuzz_twoReceiptsSlash(uint256 earlier, uint256 later) public {
        earlier = bound(earlier, FORK + 1, 40);
        later = bound(later, earlier, 60);
        _slashes(_twoHistories(uint64(earlier), uint64(later)));
    }

    function testFuzz_aReceiptAgainstACommittedBatchSlashes(uint256 which) public {
        uint64 seq = uint64(bound(which, FORK + 1, 2 * BATCH));
        _slashes(_against(seq > BATCH ? second : first, _sign(_receipt(true, seq)), seq));
    }

    function test_aReceiptForTheLastCommandOfASegmentNeedsNoRecords() public {
        uint64 seq = second.firstSeq + SIZES[0] + SIZES[1] + SIZES[2] - 1;
        (SegmentProof memory p,,) = _opening(second, false, seq);
        (p.before, p.beforePath) = ("", "");
        bytes memory receipt = _sign(_receipt(true, seq));
        _slashes(abi.encodeCall(IEquivocation.checkTrace, (receipt, packed(second), p, "")));
    }

    function test_aReceiptAgainstAFinalBatchSlashes() public {
        pass(WINDOW);
        rollup.finalizeBatch(packed(first), "");
        _slashes(_against(first, _sign(_receipt(true, 9)), 9));
    }

    /// @dev A sequencer can't escape its receipts by opening an epoch itself.
    function test_aReceiptAgainstABatchOfALaterEpochSlashes() public {
        _openEpoch(2);
        Header memory third = _commit();
        assertEq(third.epoch, 2, "epoch");
        _slashes(_against(third, _sign(_receipt(true, 25)), 25));
    }

    // --- an honest sequencer is never slashed ---

    function testFuzz_anHonestReceiptAgreesWithEveryBatch(uint256 which) public {
        uint64 seq = uint64(bound(which, 1, 2 * BATCH));
        bytes memory proof = _against(seq > BATCH ? second : first, _sign(_receipt(false, seq)), seq);
        _reverts(proof, IEquivocation.NoContradiction.selector);
    }

    function testFuzz_honestReceiptsAgreeWithEachOther(uint256 earlier, uint256 later) public {
        earlier = bound(earlier, 1, 60);
        later = bound(later, earlier, 60);
        bytes memory proof = _receipts(
            _sign(_receipt(false, uint64(earlier))),
            _sign(_receipt(false, uint64(later))),
            _hash(false, uint64(earlier)),
            _links(false, uint64(earlier) + 1, uint64(later))
        );
        _reverts(proof, IEquivocation.NoContradiction.selector);
    }

    /// @dev The strike took the history away on which the receipts of its epoch rest, and was punished itself.
    function test_anHonestSequencerIsNotSlashedAfterAStrike() public {
        bytes memory struck = _sign(_receipt(false, 15));
        bytes memory kept = _sign(_receipt(false, 9));
        _strike(second);
        rollup.topUpBond{value: BOND}();
        (Header memory again, bytes memory trace) = _next(true);
        assertEq(again.epoch, 2, "epoch");
        assertEq(again.id, 2, "id");
        // Everything after the valid root may come in another order: the whole history parts after command 4 here, so
        // that what was struck and what was kept both differ.
        again.preInputHash = rollup.head().inputHash;
        _post(again, trace);
        (SegmentProof memory p, uint64 from, uint64 through) = _opening(again, true, 15);
        bytes memory links = _links(true, from, through);
        _reverts(
            abi.encodeCall(IEquivocation.checkTrace, (struck, packed(again), p, links)),
            IEquivocation.VoidByStrike.selector
        );
        // What the strike left standing is still true, and still holds the sequencer.
        _reverts(_against(first, kept, 9), IEquivocation.NoContradiction.selector);
        // A struck batch is no history that a receipt could contradict.
        _reverts(_against(second, _sign(_receipt(true, 15)), 15), IEquivocation.BatchNotCommitted.selector);
        // In the new epoch the sequencer says what is now true; its words of the old epoch are no second history.
        Receipt memory now_ = _receipt(true, 15);
        now_.epoch = 2;
        _reverts(
            _receipts(struck, _sign(now_), now_.inputHash, ""), IEquivocation.OtherPlace.selector
        );
        _reverts(
            abi.encodeCall(IEquivocation.checkTrace, (_sign(now_), packed(again), p, links)),
            IEquivocation.NoContradiction.selector
        );
        // Two headers of one id, but of two epochs.
        _reverts(_headers(second, again), IEquivocation.OtherPlace.selector);
    }

    /// @dev Receipts whose history took up queue entries that L1 does not have any more.
    function test_anHonestSequencerIsNotSlashedAfterAReorg() public {
        Receipt memory lost = _receipt(true, 15);
        lost.queueHash = keccak256("an entry that another branch had");
        _reverts(_against(second, _sign(lost), 15), IEquivocation.VoidByReorg.selector);
        _reverts(
            _receipts(_sign(_receipt(false, 15)), _sign(lost), lost.inputHash, ""),
            IEquivocation.VoidByReorg.selector
        );
        // The queue has become shorter than the history that rests on it.
        lost.queueNext = 3;
        bytes memory proof = _against(second, _sign(lost), 15);
        vm.expectRevert(
            abi.encodeWithSelector(IEquivocation.VoidByReorg.selector, 3, lost.queueHash, bytes32(0))
        );
        _prove(proof);
        // With another entry in its place.
        fund(FINDER, 100);
        vm.prank(FINDER);
        queue.deposit{value: 0}(0, 0, 100);
        _reverts(_against(second, _sign(lost), 15), IEquivocation.VoidByReorg.selector);
        assertTrue(!equivocation.isPunished(ReceiptLib.digest(lost, rollup.domainSeparator())), "not used up");
    }

    /// @dev How the inputs are carried to L1 is not signed: header, trace and receipts are the same with every carrier,
    /// and what a batch was signed with once can be signed again.
    function test_anHonestSequencerIsNotSlashedAfterACarrierSwitch() public {
        (Header memory h, bytes memory trace) = _next(false);
        bytes memory receipt = _sign(_receipt(false, 24));
        _reverts(_headers(h, h), IEquivocation.NoContradiction.selector);
        // Prepared for calldata, and posted in a blob by the same header.
        bytes32[] memory blobs = new bytes32[](1);
        blobs[0] = bytes32(uint256(1) << 248 | 0xb10b);
        BlobCheat(address(vm)).blobhashes(blobs);
        PostedBatch memory batch = signed(h, "");
        (batch.trace, batch.inputs) = (trace, "");
        post(batch);
        BlobCheat(address(vm)).blobhashes(new bytes32[](0));
        assertEq(rollup.batches(h.id).carrier, Carrier.BLOBS, "carrier");
        _reverts(_against(h, receipt, 24), IEquivocation.NoContradiction.selector);
        _reverts(_headers(h, h), IEquivocation.NoContradiction.selector);
        // And back: what was said under either carrier is one history.
        pass(1);
        Header memory next = _commit();
        assertEq(rollup.batches(next.id).carrier, Carrier.CALLDATA, "carrier");
        _reverts(_against(next, _sign(_receipt(false, 35)), 35), IEquivocation.NoContradiction.selector);
        bytes memory both = _receipts(receipt, _sign(_receipt(false, 35)), _hash(false, 24), _links(false, 25, 35));
        _reverts(both, IEquivocation.NoContradiction.selector);
        // Where the inputs are does not shelter a lie either.
        _slashes(_against(h, _sign(_receipt(true, 24)), 24));
    }

    /// @dev A restarted sequencer signs on from its journal: for the last command again, for any later one, in the same
    /// epoch or in one that it opened since.
    function test_anHonestSequencerIsNotSlashedAfterARestart() public {
        bytes memory before = _sign(_receipt(false, 13));
        _reverts(_receipts(before, before, _hash(false, 13), ""), IEquivocation.NoContradiction.selector);
        bytes memory later = _sign(_receipt(false, 17));
        _reverts(
            _receipts(before, later, _hash(false, 13), _links(false, 14, 17)),
            IEquivocation.NoContradiction.selector
        );
        _openEpoch(2);
        Header memory third = _commit();
        _reverts(_against(third, _sign(_receipt(false, 22)), 22), IEquivocation.NoContradiction.selector);
        _reverts(_headers(third, third), IEquivocation.NoContradiction.selector);
        _reverts(_headers(second, third), IEquivocation.OtherPlace.selector);
    }

    /// @dev What the sequencer says of a later epoch says nothing of batches that it committed before.
    function test_aReceiptIsNotHeldAgainstEarlierEpochs() public {
        Receipt memory r = _receipt(true, 15);
        r.epoch = 2;
        _reverts(_against(second, _sign(r), 15), IEquivocation.OtherPlace.selector);
    }

    // --- proofs that do not open ---

    function testFuzz_onlyTheSequencersSignatureCounts(uint256 key) public {
        key = bound(key, 1, 2 ** 250);
        vm.assume(key != SEQUENCER_KEY);
        bytes memory forged = _signBy(key, _receipt(true, 15));
        bytes memory honest = _sign(_receipt(false, 15));
        _reverts(_against(second, forged, 15), IEquivocation.WrongSigner.selector);
        _reverts(_receipts(honest, forged, _hash(true, 15), ""), IEquivocation.WrongSigner.selector);
        _reverts(_receipts(forged, honest, _hash(false, 15), ""), IEquivocation.WrongSigner.selector);
        Header memory other = second;
        other.postLedgerRoot = bytes32(uint256(7));
        bytes memory proof = abi.encodeCall(
            IEquivocation.checkHeaders,
            (
                packed(second),
                signature(SEQUENCER_KEY, digestOf(second)),
                packed(other),
                signature(key, digestOf(other))
            )
        );
        _reverts(proof, IEquivocation.WrongSigner.selector);
    }

    function test_aReceiptOfAnotherRollupIsNone() public {
        Receipt memory r = _receipt(true, 15);
        bytes32 hash = ReceiptLib.digest(r, BatchLib.domainSeparator(address(this)));
        bytes memory elsewhere = abi.encodePacked(
            r.epoch, r.seq, r.inputHash, r.queueNext, r.queueHash, signature(SEQUENCER_KEY, hash)
        );
        _reverts(_against(second, elsewhere, 15), IEquivocation.WrongSigner.selector);
    }

    function test_linksMustLeadToWhatWasSignedOrCommitted() public {
        bytes memory a = _sign(_receipt(false, 12));
        bytes memory b = _sign(_receipt(false, 15));
        bytes memory links = _links(false, 13, 15);
        _reverts(_receipts(a, b, _hash(true, 12), links), IEquivocation.LinksDoNotOpen.selector);
        _reverts(
            _receipts(a, b, _hash(true, 12), _links(true, 13, 15)), IEquivocation.LinksDoNotOpen.selector
        );
        _reverts(_receipts(a, b, _hash(false, 11), _links(false, 12, 15)), ReceiptLib.LinksLength.selector);
        _reverts(_receipts(b, a, _hash(false, 12), ""), IEquivocation.OtherPlace.selector);

        (SegmentProof memory p, uint64 from, uint64 through) = _opening(second, false, 17);
        bytes memory honest = _sign(_receipt(false, 17));
        bytes memory header = packed(second);
        _reverts(
            abi.encodeCall(IEquivocation.checkTrace, (honest, header, p, _links(true, from, through))),
            IEquivocation.LinksDoNotOpen.selector
        );
        _reverts(
            abi.encodeCall(IEquivocation.checkTrace, (honest, header, p, "")),
            ReceiptLib.LinksLength.selector
        );
        _reverts(
            abi.encodeCall(IEquivocation.checkTrace, (honest, header, p, _links(false, from, through + 1))),
            ReceiptLib.LinksLength.selector
        );
        _reverts(
            abi.encodeCall(IEquivocation.checkTrace, (honest, header, p, _links(false, from, through - 1))),
            ReceiptLib.LinksLength.selector
        );
    }

    function test_theCommandMustBeInTheSegment() public {
        (SegmentProof memory p, uint64 from, uint64 through) = _opening(second, false, 17);
        bytes memory links = _links(false, from, through);
        for (uint64 seq = from - 1; seq <= through + 1; seq += through + 2 - from) {
            _reverts(
                abi.encodeCall(
                    IEquivocation.checkTrace, (_sign(_receipt(true, seq)), packed(second), p, links)
                ),
                IEquivocation.OtherSegment.selector
            );
        }
        // The one before decides where the hash begins: it must be the one before.
        (SegmentProof memory other,,) = _opening(first, false, 10);
        (p.before, p.beforePath) = (other.before, other.beforePath);
        _reverts(
            abi.encodeCall(IEquivocation.checkTrace, (_sign(_receipt(false, 17)), packed(second), p, links)),
            TraceProof.WrongTraceRoot.selector
        );
    }

    function test_onlyChecksAreProofs() public {
        _reverts("", IEquivocation.UnknownCheck.selector);
        _reverts(abi.encodeCall(IEquivocation.isPunished, (bytes32(0))), IEquivocation.UnknownCheck.selector);
        _reverts(
            abi.encodeCall(IEquivocation.proveEquivocation, ("", address(0), bytes32(0))),
            IEquivocation.UnknownCheck.selector
        );
    }

    /// @dev No byte of an honest statement or its opening can be changed so that it slashes.
    function testFuzz_noMutatedHonestProofSlashes(uint256 kind, uint256 byteAt, bytes1 mask) public {
        vm.assume(mask != 0);
        bytes memory proof;
        if (kind % 3 == 0) proof = _against(second, _sign(_receipt(false, 17)), 17);
        else if (kind % 3 == 1) proof = _headers(second, second);
        else {
            proof = _receipts(
                _sign(_receipt(false, 12)), _sign(_receipt(false, 15)), _hash(false, 12), _links(false, 13, 15)
            );
        }
        proof[bound(byteAt, 0, proof.length - 1)] ^= mask;
        (bool success,) = address(equivocation).call(
            abi.encodeCall(equivocation.proveEquivocation, (proof, address(0), bytes32(0)))
        );
        assertTrue(!success, "a mutated honest proof reverts");
        assertEq(rollup.bond(), BOND, "the bond stays");
    }

    /// @dev A starved precompile, call or hash must not look like a contradiction; and a true proof is all or nothing.
    function testFuzz_restrictedGasNeverSlashesAnHonestSequencer(uint256 gasGiven) public {
        gasGiven = bound(gasGiven, 0, 600_000);
        bytes[3] memory honest = [
            _against(second, _sign(_receipt(false, 17)), 17),
            _receipts(_sign(_receipt(false, 12)), _sign(_receipt(false, 15)), _hash(false, 12), _links(false, 13, 15)),
            _headers(second, second)
        ];
        for (uint256 i = 0; i < 3; i++) {
            assertTrue(!_with(gasGiven, honest[i]), "reverts");
            assertEq(rollup.bond(), BOND, "the bond stays");
        }
        bool success = _with(gasGiven, _against(second, _sign(_receipt(true, 17)), 17));
        assertEq(rollup.bond(), success ? 0 : BOND, "all or nothing");
        assertEq(address(equivocation).balance, success ? BOND / 2 : 0, "all or nothing");
    }

    function _with(uint256 gasGiven, bytes memory proof) private returns (bool success) {
        (success,) = address(equivocation).call{gas: gasGiven}(
            abi.encodeCall(equivocation.proveEquivocation, (proof, address(0), bytes32(0)))
        );
    }

    // --- once ---

    function test_aContradictionSlashesOnce() public {
        bytes memory proof = _twoHistories(7, 7);
        _slashes(proof);
        rollup.topUpBond{value: BOND}();
        _reverts(proof, IEquivocation.AlreadyPunished.selector);
        // The other way round, with another partner, and against the trace: the same statement.
        _reverts(
            _receipts(_sign(_receipt(true, 7)), _sign(_receipt(false, 7)), _hash(false, 7), ""),
            IEquivocation.AlreadyPunished.selector
        );
        _reverts(_twoHistories(7, 8), IEquivocation.AlreadyPunished.selector);
        _reverts(_against(first, _sign(_receipt(true, 7)), 7), IEquivocation.AlreadyPunished.selector);
    }

    /// @dev Whoever said many false things is held to each of them.
    function test_otherContradictionsSlashAgain() public {
        _slashes(_against(first, _sign(_receipt(true, 7)), 7));
        rollup.topUpBond{value: BOND}();
        _prove(_against(first, _sign(_receipt(true, 8)), 8));
        assertEq(rollup.bond(), 0, "the bond");
    }

    function test_aPairOfHeadersSlashesOnce() public {
        Header memory other = second;
        other.postLedgerRoot = bytes32(uint256(7));
        _slashes(_headers(second, other));
        rollup.topUpBond{value: BOND}();
        _reverts(_headers(second, other), IEquivocation.AlreadyPunished.selector);
        _reverts(_headers(other, second), IEquivocation.AlreadyPunished.selector);
    }

    /// @dev A friend of the sequencer's can't use its statements up while there is nothing to lose.
    function test_nothingIsUsedUpWhileLessThanTheBondIsAtStake() public {
        _slashes(_twoHistories(7, 7));
        bytes memory proof = _twoHistories(9, 9);
        vm.expectRevert(abi.encodeWithSelector(IEquivocation.BondTooLow.selector, uint256(BOND), uint256(0)));
        _prove(proof);
        rollup.topUpBond{value: BOND - 1}();
        vm.expectRevert(abi.encodeWithSelector(IEquivocation.BondTooLow.selector, uint256(BOND), BOND - 1));
        _prove(proof);
        rollup.topUpBond{value: 1}();
        _prove(proof);
        assertEq(rollup.bond(), 0, "the bond");
    }

    function test_onlyTheRollupPays() public {
        (bool success,) = address(equivocation).call{value: 1}("");
        assertTrue(!success, "ether from anyone else is refused");
    }

    // --- rewards ---

    function test_theFinderTakesTheReward() public {
        bytes memory proof = _twoHistories(7, 9);
        _commitTo(FINDER, proof);
        pass(1);
        bytes32 fault = equivocation.proveEquivocation(proof, FINDER, "salt");
        vm.expectPartialRevert(Rewards.ClaimsOpen.selector);
        equivocation.takeReward(fault);
        pass(WINDOW + 1);
        equivocation.takeReward(fault);
        assertEq(FINDER.balance, BOND / 2, "the finder");
        vm.expectRevert(abi.encodeWithSelector(Rewards.NoReward.selector, fault));
        equivocation.takeReward(fault);
    }

    function test_aCopiedProofEarnsNothing() public {
        bytes memory proof = _against(second, _sign(_receipt(true, 17)), 17);
        _commitTo(FINDER, proof);
        pass(1);
        // Seen on its way, committed to and sent in one block.
        _commitTo(COPIER, proof);
        vm.prank(COPIER);
        bytes32 fault = equivocation.proveEquivocation(proof, COPIER, "salt");
        assertEq(rollup.bond(), 0, "it slashes all the same");
        vm.expectPartialRevert(Rewards.CommitmentTooYoung.selector);
        equivocation.claimReward(fault, COPIER, "salt", proof);
        // The batch may be gone by then: what was said stays said.
        _strike(second);
        equivocation.claimReward(fault, FINDER, "salt", proof);
        pass(WINDOW + 1);
        equivocation.takeReward(fault);
        assertEq(FINDER.balance, BOND / 2, "the finder");
        assertEq(COPIER.balance, 0, "the copier");
    }

    function test_theOldestCommitmentWins() public {
        bytes memory proof = _twoHistories(7, 9);
        _commitTo(FINDER, proof);
        pass(1);
        _commitTo(COPIER, proof);
        pass(1);
        bytes32 fault = equivocation.proveEquivocation(proof, COPIER, "salt");
        equivocation.claimReward(fault, FINDER, "salt", proof);
        vm.expectPartialRevert(Rewards.CommitmentTooYoung.selector);
        equivocation.claimReward(fault, COPIER, "salt", proof);
        assertEq(equivocation.rewardOf(fault).candidate, FINDER, "candidate");
    }

    function test_aProofOfAnotherFaultClaimsNothing() public {
        bytes memory other = _twoHistories(8, 8);
        _commitTo(COPIER, other);
        pass(1);
        bytes32 fault = _prove(_twoHistories(7, 9));
        vm.expectPartialRevert(Rewards.OtherFault.selector);
        equivocation.claimReward(fault, COPIER, "salt", other);
    }

    function test_anUnclaimedRewardIsBurned() public {
        bytes32 fault = _prove(_twoHistories(7, 9));
        uint256 burned = address(0).balance;
        pass(WINDOW + 1);
        equivocation.takeReward(fault);
        assertEq(address(0).balance - burned, BOND / 2, "burned");
        assertEq(address(equivocation).balance, 0, "nothing is left");
    }

    // --- what happens besides ---

    function _commitTo(address beneficiary, bytes memory proof) private {
        equivocation.commitChallenge(
            keccak256(abi.encode(beneficiary, bytes32("salt"), keccak256(proof)))
        );
    }

    function _strike(Header memory h) private {
        vm.prank(address(challenges));
        rollup.strike(packed(h));
    }

    function _openEpoch(uint32 epoch) private {
        bytes32 typeHash = keccak256("Epoch(uint32 epoch,bytes32 parentHash)");
        bytes32 structHash = keccak256(abi.encode(typeHash, epoch, rollup.head().hash));
        bytes32 digest = BatchLib.typedDigest(rollup.domainSeparator(), structHash);
        rollup.openEpoch(epoch, signature(SEQUENCER_KEY, digest));
        pass(1);
    }
}
