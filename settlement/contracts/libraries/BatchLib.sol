// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice Header of a batch, as sequencer/protocol/batch.ts draws it. The fields stand in the order of the posted
/// bytes and of the EIP-712 type; in memory each takes one word, so that the struct is its own abi.encode.
struct Header {
    uint16 version;
    uint32 epoch;
    uint64 id;
    bytes32 parentHash;
    bytes32 preLedgerRoot;
    bytes32 preBookRoot;
    bytes32 postLedgerRoot;
    bytes32 postBookRoot;
    bytes32 traceRoot;
    uint32 traceLength;
    uint64 firstStep;
    uint64 nextStep;
    uint64 firstSeq;
    uint64 nextSeq;
    bytes32 preInputHash;
    bytes32 postInputHash;
    uint32 inputBytes;
    bytes32 inputsHash;
    bytes32 diffHash;
    bytes32 withdrawnHash;
    uint64 queueFirst;
    uint64 queueNext;
    bytes32 queueHash;
    uint64 anchorNumber;
    bytes32 anchorHash;
    uint64 timeFirst;
    uint64 timeLast;
}

/// @notice What the last segment of a trace says.
struct TraceEnd {
    bytes32 root;
    uint256 length;
    uint256 nextStep;
    uint256 nextSeq;
    uint256 inputEnd;
    bytes32 inputHash;
    bytes32 stateRoot;
}

/// @title Batches: header codec, digest, signature, trace root
/// @notice Twin of sequencer/protocol/batch.ts; shared vectors test/vectors/header.json and trace.json.
library BatchLib {
    uint256 internal constant HEADER_BYTES = 510;
    uint256 internal constant TRACE_ENTRY_BYTES = 92;
    uint256 internal constant WITHDRAWN_ENTRY_BYTES = 18;
    /// @dev Assets of a vault: no step releases anything of another one.
    uint256 internal constant WITHDRAWN_ENTRIES_MAX = 64;
    uint16 internal constant VERSION = 1;
    /// @dev Input bytes of one segment, and its weight: what one L1 transaction can re-execute.
    uint256 internal constant SEGMENT_INPUT_BYTES_MAX = 4096;
    uint256 internal constant SEGMENT_WEIGHT_MAX = 10_000_000;
    /// @dev Counters are exact in TypeScript up to here; a header beyond it could not be read off-chain.
    uint256 internal constant COUNTER_MAX = 2 ** 53 - 1;
    /// @dev Half the order of secp256k1: signatures with a larger s are refused (EIP-2).
    uint256 internal constant HALF_ORDER = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0;

    bytes32 internal constant DOMAIN_TYPEHASH =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
    bytes32 internal constant BATCH_TYPEHASH = keccak256(
        "Batch(uint16 version,uint32 epoch,uint64 id,bytes32 parentHash,bytes32 preLedgerRoot,bytes32 preBookRoot,bytes32 postLedgerRoot,bytes32 postBookRoot,bytes32 traceRoot,uint32 traceLength,uint64 firstStep,uint64 nextStep,uint64 firstSeq,uint64 nextSeq,bytes32 preInputHash,bytes32 postInputHash,uint32 inputBytes,bytes32 inputsHash,bytes32 diffHash,bytes32 withdrawnHash,uint64 queueFirst,uint64 queueNext,bytes32 queueHash,uint64 anchorNumber,bytes32 anchorHash,uint64 timeFirst,uint64 timeLast)"
    );

    /// @notice The posted header has another length.
    error HeaderLength(uint256 expected, uint256 got);
    /// @notice A counter of the header or trace is beyond what off-chain readers hold exactly.
    error CounterTooLarge(bytes32 field, uint256 expectedAtMost, uint256 got);
    /// @notice The signature is not 65 bytes.
    error SignatureLength(uint256 expected, uint256 got);
    /// @notice v is not 27 or 28, s is in the upper half, or no address could be recovered.
    error SignatureMalformed(uint8 v, bytes32 s);
    /// @notice The trace is not a positive whole number of entries.
    error TraceLength(uint256 entryBytes, uint256 got);
    /// @notice A segment does not go on from the one before: no step, or a counter that falls.
    error TraceOrder(uint256 segment, bytes32 field, uint256 previous, uint256 got);
    /// @notice A segment claims more weight or input bytes than one transaction can re-execute.
    error SegmentTooLarge(uint256 segment, bytes32 field, uint256 expectedAtMost, uint256 got);
    /// @notice The list of withdrawn totals is not at most 64 whole entries with rising assets and amounts above zero.
    error WithdrawnMalformed(uint256 entry);

    /// @notice Reads a posted header (510 bytes, packed, big-endian).
    function decode(bytes calldata b) internal pure returns (Header memory h) {
        if (b.length != HEADER_BYTES) revert HeaderLength(HEADER_BYTES, b.length);
        h.version = uint16(_at(b, 0, 2));
        h.epoch = uint32(_at(b, 2, 4));
        h.id = _counter("id", _at(b, 6, 8));
        h.parentHash = bytes32(_at(b, 14, 32));
        h.preLedgerRoot = bytes32(_at(b, 46, 32));
        h.preBookRoot = bytes32(_at(b, 78, 32));
        h.postLedgerRoot = bytes32(_at(b, 110, 32));
        h.postBookRoot = bytes32(_at(b, 142, 32));
        h.traceRoot = bytes32(_at(b, 174, 32));
        h.traceLength = uint32(_at(b, 206, 4));
        h.firstStep = _counter("firstStep", _at(b, 210, 8));
        h.nextStep = _counter("nextStep", _at(b, 218, 8));
        h.firstSeq = _counter("firstSeq", _at(b, 226, 8));
        h.nextSeq = _counter("nextSeq", _at(b, 234, 8));
        h.preInputHash = bytes32(_at(b, 242, 32));
        h.postInputHash = bytes32(_at(b, 274, 32));
        h.inputBytes = uint32(_at(b, 306, 4));
        h.inputsHash = bytes32(_at(b, 310, 32));
        h.diffHash = bytes32(_at(b, 342, 32));
        h.withdrawnHash = bytes32(_at(b, 374, 32));
        h.queueFirst = _counter("queueFirst", _at(b, 406, 8));
        h.queueNext = _counter("queueNext", _at(b, 414, 8));
        h.queueHash = bytes32(_at(b, 422, 32));
        h.anchorNumber = _counter("anchorNumber", _at(b, 454, 8));
        h.anchorHash = bytes32(_at(b, 462, 32));
        h.timeFirst = _counter("timeFirst", _at(b, 494, 8));
        h.timeLast = _counter("timeLast", _at(b, 502, 8));
    }

    /// @dev Big-endian field of a header whose length was checked.
    function _at(bytes calldata b, uint256 offset, uint256 width) private pure returns (uint256 field) {
        assembly ("memory-safe") {
            field := shr(sub(256, shl(3, width)), calldataload(add(b.offset, offset)))
        }
    }

    function _counter(bytes32 field, uint256 value) private pure returns (uint64) {
        if (value > COUNTER_MAX) revert CounterTooLarge(field, COUNTER_MAX, value);
        return uint64(value);
    }

    /// @notice EIP-712 separator of everything that is signed for a rollup: name "Sluice", version "1".
    function domainSeparator(address rollup) internal view returns (bytes32) {
        return keccak256(
            abi.encode(DOMAIN_TYPEHASH, keccak256("Sluice"), keccak256("1"), block.chainid, rollup)
        );
    }

    /// @notice keccak256(0x1901 ‖ separator ‖ structHash).
    function typedDigest(bytes32 separator, bytes32 structHash) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(hex"1901", separator, structHash));
    }

    /// @notice The digest that the sequencer signs and by which a batch is named.
    function digest(Header memory h, bytes32 separator) internal pure returns (bytes32) {
        return typedDigest(separator, keccak256(abi.encode(BATCH_TYPEHASH, h)));
    }

    /// @notice Signer of a digest. Never returns the zero address: what does not recover reverts.
    /// @param signature 65 bytes r ‖ s ‖ v, s in the lower half, v 27 or 28.
    function recover(bytes32 hash, bytes calldata signature) internal pure returns (address signer) {
        if (signature.length != 65) revert SignatureLength(65, signature.length);
        bytes32 r = bytes32(signature[0:32]);
        bytes32 s = bytes32(signature[32:64]);
        uint8 v = uint8(signature[64]);
        if ((v != 27 && v != 28) || uint256(s) > HALF_ORDER) revert SignatureMalformed(v, s);
        signer = ecrecover(hash, v, r, s);
        if (signer == address(0)) revert SignatureMalformed(v, s);
    }

    /// @notice keccak256 of calldata through the free memory, which is not kept: large parts hashed one after the
    /// other pay for memory once.
    function hashOf(bytes calldata data) internal pure returns (bytes32 hash) {
        assembly ("memory-safe") {
            let free := mload(0x40)
            calldatacopy(free, data.offset, data.length)
            hash := keccak256(free, data.length)
        }
    }

    /// @notice Root of the tree over the segments and what the last of them says. Reverts unless every segment has a
    /// step, no counter falls, and none claims more weight or input bytes than allowed.
    /// @param trace whole entries of 92 bytes: nextStep u64 ‖ nextSeq u64 ‖ inputEnd u32 ‖ weight u64 ‖ inputHash ‖
    /// stateRoot
    /// @param step first step of the batch
    /// @param seq first command of the batch
    function foldTrace(bytes calldata trace, uint256 step, uint256 seq) internal pure returns (TraceEnd memory end) {
        if (trace.length == 0 || trace.length % TRACE_ENTRY_BYTES != 0) {
            revert TraceLength(TRACE_ENTRY_BYTES, trace.length);
        }
        uint256 count = trace.length / TRACE_ENTRY_BYTES;
        bytes32[] memory nodes = new bytes32[](count);
        uint256 input = 0;
        for (uint256 i = 0; i < count; i++) {
            uint256 entry = i * TRACE_ENTRY_BYTES;
            nodes[i] = _segmentLeaf(trace, entry, (i << 216) | (step << 152) | (seq << 88) | (input << 56));
            uint256 word = uint256(bytes32(trace[entry:entry + 32]));
            step = _rising(i, "nextStep", step + 1, word >> 192);
            seq = _rising(i, "nextSeq", seq, (word >> 128) & type(uint64).max);
            uint256 inputEnd = _rising(i, "inputEnd", input, (word >> 96) & type(uint32).max);
            _atMost(i, "inputBytes", SEGMENT_INPUT_BYTES_MAX, inputEnd - input);
            _atMost(i, "weight", SEGMENT_WEIGHT_MAX, (word >> 32) & type(uint64).max);
            input = inputEnd;
        }
        uint256 last = trace.length - TRACE_ENTRY_BYTES;
        end.root = _fold(nodes);
        end.length = count;
        end.nextStep = step;
        end.nextSeq = seq;
        end.inputEnd = input;
        end.inputHash = bytes32(trace[last + 28:last + 60]);
        end.stateRoot = bytes32(trace[last + 60:last + 92]);
    }

    function _rising(uint256 i, bytes32 field, uint256 least, uint256 got) private pure returns (uint256) {
        if (got < least) revert TraceOrder(i, field, least, got);
        if (got > COUNTER_MAX) revert CounterTooLarge(field, COUNTER_MAX, got);
        return got;
    }

    function _atMost(uint256 i, bytes32 field, uint256 most, uint256 got) private pure {
        if (got > most) revert SegmentTooLarge(i, field, most, got);
    }

    /// @dev keccak256(0x02 ‖ u32 i ‖ u64 firstStep ‖ u64 firstSeq ‖ u32 inputStart ‖ entry): 25 + 92 bytes.
    function _segmentLeaf(bytes calldata trace, uint256 entry, uint256 start) private pure returns (bytes32 leaf) {
        assembly ("memory-safe") {
            let buffer := mload(0x40)
            mstore(buffer, or(shl(248, 0x02), start))
            calldatacopy(add(buffer, 25), add(trace.offset, entry), TRACE_ENTRY_BYTES)
            leaf := keccak256(buffer, add(25, TRACE_ENTRY_BYTES))
        }
    }

    /// @dev Folds in place, pairs by keccak256(0x04 ‖ left ‖ right), an odd node lifted as it is.
    function _fold(bytes32[] memory nodes) private pure returns (bytes32) {
        uint256 count = nodes.length;
        while (count > 1) {
            uint256 half = 0;
            for (uint256 i = 0; i < count; i += 2) {
                nodes[half++] =
                    i + 1 < count ? keccak256(abi.encodePacked(bytes1(0x04), nodes[i], nodes[i + 1])) : nodes[i];
            }
            count = half;
        }
        return nodes[0];
    }

    /// @notice Reverts unless the list is whole entries (u16 asset ‖ u128 amount) with strictly rising assets, no amount
    /// of zero, and no more of them than a vault has assets.
    /// @dev An entry of nothing is no fraud, and thousands of them would take more gas to finalize than a transaction may
    /// have: a batch that can be neither struck nor final would keep everybody in.
    function checkWithdrawn(bytes calldata withdrawn) internal pure {
        uint256 count = withdrawn.length / WITHDRAWN_ENTRY_BYTES;
        if (count * WITHDRAWN_ENTRY_BYTES != withdrawn.length) revert WithdrawnMalformed(count);
        if (count > WITHDRAWN_ENTRIES_MAX) revert WithdrawnMalformed(WITHDRAWN_ENTRIES_MAX);
        uint256 least = 0;
        for (uint256 i = 0; i < count; i++) {
            (uint16 asset, uint128 amount) = withdrawnAt(withdrawn, i);
            if (asset < least || amount == 0) revert WithdrawnMalformed(i);
            least = uint256(asset) + 1;
        }
    }

    /// @notice Entry `i` of a list of withdrawn totals.
    function withdrawnAt(bytes calldata withdrawn, uint256 i) internal pure returns (uint16 asset, uint128 amount) {
        uint256 entry = i * WITHDRAWN_ENTRY_BYTES;
        asset = uint16(bytes2(withdrawn[entry:entry + 2]));
        amount = uint128(bytes16(withdrawn[entry + 2:entry + 18]));
    }

    /// @notice keccak256(0x03 ‖ ledgerRoot ‖ bookRoot).
    function stateRoot(bytes32 ledgerRoot, bytes32 bookRoot) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(bytes1(0x03), ledgerRoot, bookRoot));
    }
}
