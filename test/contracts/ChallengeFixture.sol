// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Leaf, SlowDiff} from "./DiffLib.t.sol";
import {Fixture} from "./Fixture.sol";
import {SlowTree} from "./TreeProof.t.sol";
import {IChallenges, LeafProofs, SegmentProof} from "../../settlement/contracts/interfaces/IChallenges.sol";
import {PostedBatch} from "../../settlement/contracts/interfaces/IRollup.sol";
import {Header} from "../../settlement/contracts/libraries/BatchLib.sol";

/// @notice A batch with everything that a proof opens: ledgers of a few leaves before and after it, a diff between
/// them, records in three segments.
struct Made {
    Header h;
    bytes trace;
    bytes withdrawn;
    bytes diff;
    bytes inputs;
    /// @dev Both list the same keys, ascending; absent leaves have no value.
    Leaf[] before;
    Leaf[] leaves;
}

/// @notice Honest batches whose parts tests change before `seal` makes header and trace fit them again.
abstract contract ChallengeFixture is Fixture {
    bytes32 internal constant GLOBALS = bytes32(uint256(0x01) << 248);
    bytes32 internal constant QUEUE = bytes32(uint256(0x0a) << 248);
    bytes32 internal constant TOTAL_0 = bytes32(uint256(0x0b) << 248);
    bytes32 internal constant TOTAL_7 = bytes32((uint256(0x0b) << 248) | (uint256(7) << 232));
    bytes32 internal constant LAST_KEY = bytes32(type(uint256).max);
    uint256 internal constant SEGMENTS = 3;
    /// @dev Places in the lists of leaves.
    uint256 internal constant AT_GLOBALS = 0;
    uint256 internal constant AT_KEPT = 1;
    uint256 internal constant AT_QUEUE = 6;
    uint256 internal constant AT_TOTAL_0 = 7;
    uint256 internal constant AT_TOTAL_7 = 8;
    uint256 internal constant LEAVES = 9;

    // --- an honest batch ---

    /// @dev The first batch, on the empty ledger.
    function first() internal view returns (Made memory) {
        Leaf[] memory none = new Leaf[](LEAVES);
        bytes32[LEAVES] memory keys = _keys();
        for (uint256 i = 0; i < LEAVES; i++) none[i].key = keys[i];
        return made(none, totals(0, 5));
    }

    /// @dev The batch after `last`, which is committed.
    function second(Made memory last) internal view returns (Made memory) {
        return made(last.leaves, abi.encodePacked(uint16(0), uint128(2), uint16(7), uint128(11)));
    }

    function made(Leaf[] memory before, bytes memory withdrawn) internal view returns (Made memory m) {
        m.before = before;
        m.withdrawn = withdrawn;
        m.h = nextHeader(0, withdrawn);
        m.leaves = _after(before, m.h, withdrawn);
        m.diff = SlowDiff.encode(m.before, m.leaves);
        for (uint256 i = 0; i < 5; i++) m.inputs = abi.encodePacked(m.inputs, record(i + m.h.id));
        seal(m);
    }

    /// @dev Makes header and trace fit the parts.
    function seal(Made memory m) internal pure {
        Header memory h = m.h;
        h.postLedgerRoot = rootOf(m.leaves);
        h.diffHash = keccak256(m.diff);
        h.inputsHash = keccak256(m.inputs);
        h.inputBytes = uint32(m.inputs.length);
        h.withdrawnHash = keccak256(m.withdrawn);
        m.trace = "";
        bytes32 hash = h.preInputHash;
        for (uint256 i = 0; i < SEGMENTS; i++) {
            hash = _folded(hash, slice(m.inputs, inputEnd(m, i), inputEnd(m, i + 1)));
            m.trace = abi.encodePacked(m.trace, _entry(m, i, hash));
        }
        h.postInputHash = hash;
        retrace(m);
    }

    /// @dev Makes the header fit the trace as it stands.
    function retrace(Made memory m) internal pure {
        Header memory h = m.h;
        h.traceLength = uint32(SEGMENTS);
        h.nextStep = h.firstStep + uint64(4 * SEGMENTS);
        h.nextSeq = h.firstSeq + 2 * uint64(SEGMENTS);
        bytes32[3] memory leaf;
        for (uint256 i = 0; i < SEGMENTS; i++) {
            leaf[i] = keccak256(abi.encodePacked(bytes1(0x02), uint32(i), segmentBytes(m, i)));
        }
        bytes32 pair = keccak256(abi.encodePacked(bytes1(0x04), leaf[0], leaf[1]));
        h.traceRoot = keccak256(abi.encodePacked(bytes1(0x04), pair, leaf[2]));
    }

    function send(Made memory m) internal {
        post(posted(m));
    }

    function posted(Made memory m) internal view returns (PostedBatch memory) {
        return PostedBatch({
            header: packed(m.h),
            signature: signature(SEQUENCER_KEY, digestOf(m.h)),
            trace: m.trace,
            withdrawn: m.withdrawn,
            diff: m.diff,
            inputs: m.inputs
        });
    }

    // --- proofs ---

    function segmentProof(Made memory m, uint256 i) internal pure returns (SegmentProof memory p) {
        p.index = uint32(i);
        p.segment = segmentBytes(m, i);
        p.path = _path(m, i);
        if (i == 0) return p;
        p.before = segmentBytes(m, i - 1);
        p.beforePath = _path(m, i - 1);
    }

    function leafProofs(Made memory m, bytes32 key) internal pure returns (LeafProofs memory) {
        return LeafProofs({pre: proofOf(m.before, key), post: proofOf(m.leaves, key)});
    }

    function diffProof(Made memory m, bytes32 key) internal pure returns (bytes memory) {
        return abi.encodeCall(IChallenges.checkDiff, (packed(m.h), m.diff, key, leafProofs(m, key)));
    }

    function inputsProof(Made memory m, uint256 i) internal pure returns (bytes memory) {
        return abi.encodeCall(IChallenges.checkInputs, (packed(m.h), segmentProof(m, i), m.inputs));
    }

    function clockProof(Made memory m) internal pure returns (bytes memory) {
        return abi.encodeCall(IChallenges.checkClock, (packed(m.h), proofOf(m.leaves, GLOBALS)));
    }

    function queueProof(Made memory m) internal pure returns (bytes memory) {
        return abi.encodeCall(IChallenges.checkQueue, (packed(m.h), proofOf(m.leaves, QUEUE)));
    }

    function withdrawnProof(Made memory m, uint16 asset) internal pure returns (bytes memory) {
        bytes32 key = bytes32((uint256(0x0b) << 248) | (uint256(asset) << 232));
        return abi.encodeCall(IChallenges.checkWithdrawn, (packed(m.h), m.withdrawn, asset, leafProofs(m, key)));
    }

    /// @dev Strikes without a claim.
    function prove(bytes memory proof) internal returns (bytes32) {
        return challenges.proveFraud(proof, address(0), 0);
    }

    function refusedAsNoFraud(Made memory m, bytes memory proof) internal {
        bytes32 hash = digestOf(m.h);
        vm.expectRevert(abi.encodeWithSelector(IChallenges.NoFraud.selector, hash));
        prove(proof);
    }

    // --- trees, traces, records ---

    function rootOf(Leaf[] memory leaves) internal pure returns (bytes32) {
        (bytes32[] memory keys, bytes[] memory values) = _present(leaves);
        return SlowTree.root(keys, values);
    }

    function proofOf(Leaf[] memory leaves, bytes32 key) internal pure returns (bytes memory) {
        (bytes32[] memory keys, bytes[] memory values) = _present(leaves);
        return SlowTree.prove(keys, values, key);
    }

    /// @dev CLOCK, or a MESSAGE with a body of odd length.
    function record(uint256 seed) internal pure returns (bytes memory) {
        if (seed % 3 == 0) return abi.encodePacked(uint32(0), uint8(4), uint8(0), uint48(seed));
        bytes memory body = abi.encodePacked(keccak256(abi.encode(seed)), uint8(seed));
        return abi.encodePacked(bytes4(0x21000000), uint8(1), uint8(0), uint48(seed), body);
    }

    /// @dev Where segment `i` begins: after two records each, the last segment has one.
    function inputEnd(Made memory m, uint256 i) internal pure returns (uint256 end) {
        if (i == SEGMENTS) return m.inputs.length;
        for (uint256 n = 0; n < 2 * i && end < m.inputs.length; n++) {
            end += 12 + uint8(m.inputs[end]);
        }
        if (end > m.inputs.length) end = m.inputs.length;
    }

    /// @dev firstStep ‖ firstSeq ‖ inputStart ‖ entry, the start as the entry before ends.
    function segmentBytes(Made memory m, uint256 i) internal pure returns (bytes memory) {
        bytes memory start = i == 0
            ? abi.encodePacked(m.h.firstStep, m.h.firstSeq, uint32(0))
            : slice(m.trace, 92 * (i - 1), 92 * (i - 1) + 20);
        return abi.encodePacked(start, slice(m.trace, 92 * i, 92 * (i + 1)));
    }

    function slice(bytes memory data, uint256 from, uint256 to) internal pure returns (bytes memory part) {
        part = new bytes(to - from);
        for (uint256 i = 0; i < part.length; i++) part[i] = data[from + i];
    }

    function stateAfter(Made memory m, uint256 i) internal pure returns (bytes32) {
        return i + 1 == SEGMENTS
            ? keccak256(abi.encodePacked(bytes1(0x03), m.h.postLedgerRoot, m.h.postBookRoot))
            : keccak256(abi.encodePacked(bytes1(0x03), ledgerWithin(m, i), bookWithin(m, i)));
    }

    function ledgerWithin(Made memory m, uint256 i) internal pure returns (bytes32) {
        return i + 1 == SEGMENTS ? m.h.postLedgerRoot : keccak256(abi.encode("ledger", m.h.id, i));
    }

    function bookWithin(Made memory m, uint256 i) internal pure returns (bytes32) {
        return i + 1 == SEGMENTS ? m.h.postBookRoot : keccak256(abi.encode("book", m.h.id, i));
    }

    function _entry(Made memory m, uint256 i, bytes32 hash) private pure returns (bytes memory) {
        uint64 nextStep = m.h.firstStep + uint64(4 * (i + 1));
        uint64 nextSeq = m.h.firstSeq + uint64(2 * (i + 1));
        uint32 end = uint32(inputEnd(m, i + 1));
        return abi.encodePacked(nextStep, nextSeq, end, uint64(1_000 + i), hash, stateAfter(m, i));
    }

    function _path(Made memory m, uint256 i) private pure returns (bytes memory) {
        if (i == 2) return abi.encodePacked(keccak256(abi.encodePacked(bytes1(0x04), _leaf(m, 0), _leaf(m, 1))));
        return abi.encodePacked(_leaf(m, 1 - i), _leaf(m, 2));
    }

    function _leaf(Made memory m, uint256 i) private pure returns (bytes32) {
        return keccak256(abi.encodePacked(bytes1(0x02), uint32(i), segmentBytes(m, i)));
    }

    /// @dev Whole records only; what follows is taken as one.
    function _folded(bytes32 hash, bytes memory part) private pure returns (bytes32) {
        uint256 at_ = 0;
        while (at_ < part.length) {
            uint256 end = at_ + 12 + uint8(part[at_]);
            if (end > part.length) end = part.length;
            hash = keccak256(abi.encodePacked(hash, keccak256(slice(part, at_, end))));
            at_ = end;
        }
        return hash;
    }

    function _present(Leaf[] memory leaves) private pure returns (bytes32[] memory keys, bytes[] memory values) {
        uint256 count = 0;
        for (uint256 i = 0; i < leaves.length; i++) if (leaves[i].present) count++;
        keys = new bytes32[](count);
        values = new bytes[](count);
        uint256 n = 0;
        for (uint256 i = 0; i < leaves.length; i++) {
            if (!leaves[i].present) continue;
            (keys[n], values[n]) = (leaves[i].key, leaves[i].value);
            n++;
        }
    }

    function _keys() private pure returns (bytes32[LEAVES] memory keys) {
        keys[AT_GLOBALS] = GLOBALS;
        for (uint256 i = 1; i < AT_QUEUE; i++) keys[i] = bytes32((uint256(0x02) << 248) | (i << 200));
        keys[AT_QUEUE] = QUEUE;
        keys[AT_TOTAL_0] = TOTAL_0;
        keys[AT_TOTAL_7] = TOTAL_7;
    }

    /// @dev Accounts: 1 is kept from the second batch on, 2 changes, 3 comes and goes, 4 grows, 5 comes in the second.
    function _after(Leaf[] memory before, Header memory h, bytes memory withdrawn)
        private
        pure
        returns (Leaf[] memory leaves)
    {
        leaves = new Leaf[](LEAVES);
        for (uint256 i = 0; i < LEAVES; i++) leaves[i].key = before[i].key;
        _set(leaves[AT_GLOBALS], abi.encodePacked(h.nextSeq, uint48(h.timeLast), new bytes(132)));
        _set(leaves[AT_KEPT], new bytes(96));
        _set(leaves[2], abi.encodePacked(new bytes(40), h.id, new bytes(40)));
        if (h.id % 2 == 1) _set(leaves[3], new bytes(96));
        _set(leaves[4], new bytes(96 + 78 * (h.id % 4)));
        if (h.id > 1) _set(leaves[5], abi.encodePacked(bytes32(uint256(77)), new bytes(56)));
        _set(leaves[AT_QUEUE], abi.encodePacked(h.queueNext, h.queueHash));
        for (uint256 i = AT_TOTAL_0; i < LEAVES; i++) {
            uint128 total = before[i].present ? uint128(bytes16(before[i].value)) : 0;
            total += _amount(withdrawn, uint16(uint256(before[i].key) >> 232));
            if (total != 0) _set(leaves[i], abi.encodePacked(total));
        }
    }

    function _amount(bytes memory withdrawn, uint16 asset) private pure returns (uint128) {
        for (uint256 i = 0; i < withdrawn.length; i += 18) {
            bytes memory entry = slice(withdrawn, i, i + 18);
            if (uint16(bytes2(entry)) == asset) return uint128(bytes16(slice(entry, 2, 18)));
        }
        return 0;
    }

    function _set(Leaf memory leaf, bytes memory value) private pure {
        leaf.present = true;
        leaf.value = value;
    }
}
