// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {TreeProof} from "./TreeProof.sol";

/// @title Ledger diffs: entries one after the other, an entry by its key, the value after a change
/// @notice Twin of sequencer/state/diff.ts, which draws the bytes; shared vectors test/vectors/diff.json.
///
///   entry = u8 head (32 · mode + shared) ‖ u8 n ‖ n suffix bytes ‖ u16 length (RESIZE, INSERT) ‖ runs (all but DELETE)
///   run   = u8 b; b = 0: the end; b & 15 = 0: cursor += b; else: cursor += b >> 4, then b & 15 bytes that replace
///
/// Keys are packed against the one before, so a diff is walked from its beginning; the walk reads each byte of the
/// calldata where it stands and keeps one `Entry` in memory. What shows without the ledger is checked by the walk
/// (keys, bounds, whole runs), the rest by `rebuild`, which knows the old value. An entry that passes both is the only
/// encoding of its change.
///
/// Bytes that no encoder made revert with `Malformed`, and only they do: a contract that calls itself and meets this
/// selector has the proof that the diff is wrong. The other errors blame the caller.
library DiffLib {
    uint256 internal constant DELETE = 0;
    uint256 internal constant UPDATE = 1;
    uint256 internal constant RESIZE = 2;
    uint256 internal constant INSERT = 3;

    /// @dev No diff is longer (sequencer/protocol/limits.ts): a walk over one fits a transaction.
    uint256 internal constant DIFF_BYTES_MAX = 131_072;
    uint256 private constant KEY_BYTES = 32;
    uint256 private constant LENGTH_BYTES = 2;
    uint256 private constant RUN_BYTES_MAX = 15;
    uint256 private constant HOP = 16;

    /// @notice The diff is not what an encoder makes of the ledger; it shows at byte `offset`. By `field`:
    ///   "diff bytes", "mode", "length"   more than `expected`
    ///   "suffix", "length bytes", "run", "run bytes"   the diff ends: `expected` bytes, `got` left
    ///   "suffix length"   not from 1 to `expected`
    ///   "key order"       first byte of the suffix below `expected`: keys descend, or share more than said
    ///   "suffix end"      a zero
    ///   "presence"        1: the key has a leaf before, 0: it has none
    ///   "same length"     a RESIZE to the old length, which is `expected`
    ///   "run end"         a run up to `got` in a value of `expected` bytes
    ///   "no change"       an UPDATE without runs
    ///   "canonical run"   the encoder begins another run here
    error Malformed(bytes32 field, uint256 offset, uint256 expected, uint256 got);
    /// @notice The key lies at or before an entry that the walk has left behind.
    error SeekOrder(bytes32 expectedAbove, bytes32 got);
    /// @notice The old value is longer than any leaf.
    error OldValueLength(uint256 expectedAtMost, uint256 got);

    /// @notice An entry of a diff, and the place of the walk. All zeros: before the first entry. Only `next` and `seek`
    /// write it; one that comes from outside proves nothing.
    struct Entry {
        bytes32 key;
        /// @dev Key of the entry before, zero for the first: no key of the diff lies between the two.
        bytes32 before;
        uint256 mode;
        /// @dev Bytes of the new value (RESIZE, INSERT), else zero.
        uint256 length;
        /// @dev Offsets in the diff: head, first run, byte after the entry.
        uint256 start;
        uint256 runs;
        uint256 end;
    }

    // --- the walk ---

    /// @notice Moves on to the next entry; false, and `entry` stays, at the end of the diff.
    function next(bytes calldata diff, Entry memory entry) internal pure returns (bool) {
        // Offsets are at most DIFF_BYTES_MAX; what is subtracted is compared before.
        unchecked {
            uint256 size = diff.length;
            if (size > DIFF_BYTES_MAX) revert Malformed("diff bytes", DIFF_BYTES_MAX, DIFF_BYTES_MAX, size);
            uint256 offset = entry.end;
            if (offset >= size) return false;
            uint256 mode = _byteAt(diff, offset) >> 5;
            if (mode > INSERT) revert Malformed("mode", offset, INSERT, mode);
            entry.start = offset;
            entry.mode = mode;
            offset = _readKey(diff, offset, entry);
            uint256 length = 0;
            if (mode > UPDATE) (length, offset) = _readLength(diff, offset);
            entry.length = length;
            entry.runs = offset;
            if (mode != DELETE) {
                offset = _readRuns(diff, offset, mode == UPDATE ? TreeProof.VALUE_BYTES_MAX : length, 0);
            }
            entry.end = offset;
            return true;
        }
    }

    /// @notice Moves on to the entry of `key`, true, or to where the diff shows that it lists no such key, false:
    /// `entry.before` < `key` < `entry.key`, or `entry` is the last one and `key` lies above it. Keys sought one after
    /// the other with one `entry` must not descend. Several times cheaper than `next` for each entry.
    function seek(bytes calldata diff, Entry memory entry, bytes32 key) internal pure returns (bool) {
        // The zero key is in no diff; the entry before the first has it.
        if (key == 0) return false;
        if (key <= entry.before) revert SeekOrder(entry.before, key);
        while (entry.key < key) {
            _skip(diff, entry, key);
            if (!next(diff, entry)) return false;
        }
        return entry.key == key;
    }

    // --- the change ---

    /// @notice The leaf of `entry.key` after the batch. Reverts with `Malformed` unless this entry is the only encoding
    /// of a change from the old leaf to that one.
    /// @param wasPresent whether the key had a leaf before the batch
    /// @param old value of that leaf; nothing is read of it if it was absent
    /// @return present false: the leaf is deleted
    /// @return value in memory of its own; empty if deleted
    function rebuild(bytes calldata diff, Entry memory entry, bool wasPresent, bytes memory old)
        internal
        pure
        returns (bool present, bytes memory value)
    {
        uint256 mode = entry.mode;
        if (wasPresent == (mode == INSERT)) {
            revert Malformed("presence", entry.start, mode == INSERT ? 0 : 1, wasPresent ? 1 : 0);
        }
        if (mode == DELETE) return (false, value);
        bytes memory base;
        if (mode == INSERT) {
            base = new bytes(entry.length);
        } else {
            if (old.length > TreeProof.VALUE_BYTES_MAX) revert OldValueLength(TreeProof.VALUE_BYTES_MAX, old.length);
            if (mode == RESIZE && entry.length == old.length) {
                revert Malformed("same length", entry.runs - LENGTH_BYTES, old.length, entry.length);
            }
            base = mode == UPDATE ? old : _resized(old, entry.length);
        }
        value = _resized(base, base.length);
        uint256 target;
        assembly ("memory-safe") {
            target := add(value, 32)
        }
        uint256 end = _readRuns(diff, entry.runs, value.length, target);
        if (mode == UPDATE && end == entry.runs + 1) revert Malformed("no change", entry.runs, 1, 0);
        _requireCanonical(diff, entry.runs, base, value);
        return (true, value);
    }

    // --- parts ---

    /// @dev Moves on over entries that `next` accepts and whose keys do not lie above `key`, then back by one, so that
    /// `next` reads and fills in the last of them. Stops at what it does not accept: to refuse that, and to say why, is
    /// left to `next`.
    function _skip(bytes calldata diff, Entry memory entry, bytes32 key) private pure {
        uint256 last = entry.end;
        bytes32 lastKey = entry.key;
        assembly ("memory-safe") {
            // Pointers into the calldata: the entry before, the entry, and `to` behind what has been read of it.
            let limit := add(diff.offset, diff.length)
            let place := add(diff.offset, last)
            let previous := lastKey
            last := place
            for {} 1 {} {
                let word := calldataload(place)
                let count := byte(1, word)
                let shared := and(byte(0, word), 31)
                let to := add(add(place, 2), count)
                count := shl(3, count)
                // Bits behind the shared bytes; suffix, shifted to the end of its word, and as it stands.
                let behind := sub(256, shl(3, shared))
                let head := calldataload(add(place, 2))
                let suffix := shr(sub(256, count), head)
                let found := or(shl(behind, shr(behind, previous)), shl(sub(behind, count), suffix))
                // At the end of the diff `to` is beyond the limit; of no bytes the suffix is zero.
                if or(
                    or(
                        or(gt(to, limit), gt(count, behind)),
                        or(iszero(gt(byte(0, head), byte(shared, previous))), iszero(byte(31, suffix)))
                    ),
                    or(shr(255, word), gt(found, key))
                ) { break }
                let mode := shr(253, word)
                if mode {
                    let room := 4096
                    if gt(mode, 1) {
                        room := shr(240, calldataload(to))
                        if gt(room, 4096) { break }
                        to := add(to, 2)
                    }
                    // Bounds are compared after the runs, which end with the calldata at the latest.
                    for {} 1 {} {
                        let run := byte(0, calldataload(to))
                        to := add(to, 1)
                        if iszero(run) { break }
                        count := and(run, 15)
                        if iszero(count) {
                            room := sub(room, run)
                            continue
                        }
                        to := add(to, count)
                        room := sub(room, add(count, shr(4, run)))
                    }
                    if or(gt(to, limit), slt(room, 0)) { break }
                }
                last := place
                lastKey := previous
                previous := found
                place := to
            }
            last := sub(last, diff.offset)
        }
        (entry.key, entry.end) = (lastKey, last);
    }

    /// @dev Reads n and the suffix of the entry at `start`; returns the offset after them.
    function _readKey(bytes calldata diff, uint256 start, Entry memory entry) private pure returns (uint256 offset) {
        unchecked {
            uint256 size = diff.length;
            uint256 shared = _byteAt(diff, start) & 31;
            offset = start + 1;
            if (offset == size) revert Malformed("suffix", offset, 1, 0);
            uint256 count = _byteAt(diff, offset);
            if (count == 0 || count > KEY_BYTES - shared) {
                revert Malformed("suffix length", offset, KEY_BYTES - shared, count);
            }
            offset++;
            if (count > size - offset) revert Malformed("suffix", offset, count, size - offset);
            uint256 previous = uint256(entry.key);
            uint256 suffix = _wordAt(diff, offset);
            uint256 passed = (previous << (8 * shared)) >> 248;
            if (suffix >> 248 <= passed) revert Malformed("key order", offset, passed + 1, suffix >> 248);
            offset += count;
            // The word goes on beyond the suffix: what follows is shifted out.
            suffix >>= 256 - 8 * count;
            if (suffix & 0xff == 0) revert Malformed("suffix end", offset - 1, 1, 0);
            entry.before = bytes32(previous);
            entry.key =
                bytes32((previous & ~(type(uint256).max >> (8 * shared))) | (suffix << (256 - 8 * (shared + count))));
        }
    }

    function _readLength(bytes calldata diff, uint256 offset) private pure returns (uint256 length, uint256 behind) {
        unchecked {
            if (diff.length - offset < LENGTH_BYTES) {
                revert Malformed("length bytes", diff.length, LENGTH_BYTES, diff.length - offset);
            }
            length = _wordAt(diff, offset) >> 240;
            if (length > TreeProof.VALUE_BYTES_MAX) {
                revert Malformed("length", offset, TreeProof.VALUE_BYTES_MAX, length);
            }
            behind = offset + LENGTH_BYTES;
        }
    }

    /// @dev Reads runs from `offset` on, none beyond `length`; returns the offset after them. Their bytes go to the
    /// memory of `length` bytes at `target`, or nowhere if that is zero.
    function _readRuns(bytes calldata diff, uint256 offset, uint256 length, uint256 target)
        private
        pure
        returns (uint256)
    {
        unchecked {
            uint256 size = diff.length;
            uint256 cursor = 0;
            for (;;) {
                if (offset >= size) revert Malformed("run", offset, 1, 0);
                uint256 run = _byteAt(diff, offset++);
                if (run == 0) return offset;
                uint256 count = run & RUN_BYTES_MAX;
                cursor += count == 0 ? run : (run >> 4) + count;
                if (cursor > length) revert Malformed("run end", offset - 1, length, cursor);
                if (count > size - offset) revert Malformed("run bytes", offset, count, size - offset);
                if (target != 0) {
                    assembly ("memory-safe") {
                        calldatacopy(add(target, sub(cursor, count)), add(diff.offset, offset), count)
                    }
                }
                offset += count;
            }
            // Not reached; without it the compiler warns of a path that returns nothing.
            return offset;
        }
    }

    /// @dev Reverts unless the encoder makes the runs at `offset` of `base` and `value`, which have one length. The value
    /// was made of these runs and the cursor only rises: where their first bytes agree, those that follow do too. So no
    /// byte beyond the runs is read.
    function _requireCanonical(bytes calldata diff, uint256 offset, bytes memory base, bytes memory value)
        private
        pure
    {
        unchecked {
            uint256 length = value.length;
            uint256 cursor = 0;
            for (;;) {
                uint256 from = _nextDifference(base, value, cursor);
                if (from == length) break;
                uint256 to = _stretchEnd(base, value, from);
                uint256 distance = from - cursor;
                while (distance >= HOP) {
                    uint256 hop = distance > RUN_BYTES_MAX * HOP ? RUN_BYTES_MAX * HOP : distance & ~(HOP - 1);
                    _expectRun(diff, offset++, hop);
                    distance -= hop;
                }
                while (from < to) {
                    uint256 count = to - from > RUN_BYTES_MAX ? RUN_BYTES_MAX : to - from;
                    _expectRun(diff, offset, (distance << 4) | count);
                    offset += 1 + count;
                    from += count;
                    distance = 0;
                }
                cursor = to;
            }
            _expectRun(diff, offset, 0);
        }
    }

    function _expectRun(bytes calldata diff, uint256 offset, uint256 expected) private pure {
        uint256 got = _byteAt(diff, offset);
        if (got != expected) revert Malformed("canonical run", offset, expected, got);
    }

    /// @dev Index of the first byte from `from` on in which the two differ; their length if there is none.
    function _nextDifference(bytes memory a, bytes memory b, uint256 from) private pure returns (uint256 index) {
        uint256 length = a.length;
        assembly ("memory-safe") {
            index := from
            for {} lt(index, length) { index := add(index, 32) } {
                let word := xor(mload(add(add(a, 32), index)), mload(add(add(b, 32), index)))
                if word {
                    // Bits before the first byte that is not zero, by halves.
                    let zeros := shl(7, iszero(shr(128, word)))
                    zeros := or(zeros, shl(6, iszero(shr(192, shl(zeros, word)))))
                    zeros := or(zeros, shl(5, iszero(shr(224, shl(zeros, word)))))
                    zeros := or(zeros, shl(4, iszero(shr(240, shl(zeros, word)))))
                    zeros := or(zeros, shl(3, iszero(shr(248, shl(zeros, word)))))
                    index := add(index, shr(3, zeros))
                    break
                }
            }
            // A word may go on beyond the end.
            if gt(index, length) { index := length }
        }
    }

    /// @dev End of the stretch that begins with the difference at `from`: one equal byte lies inside if a difference
    /// follows it.
    function _stretchEnd(bytes memory a, bytes memory b, uint256 from) private pure returns (uint256 to) {
        uint256 length = a.length;
        assembly ("memory-safe") {
            to := add(from, 1)
            for {} lt(to, length) {} {
                let word := xor(mload(add(add(a, 32), to)), mload(add(add(b, 32), to)))
                if byte(0, word) {
                    to := add(to, 1)
                    continue
                }
                if or(iszero(byte(1, word)), iszero(lt(add(to, 1), length))) { break }
                to := add(to, 2)
            }
        }
    }

    /// @dev A copy, cut or extended by zeros to `length`.
    function _resized(bytes memory source, uint256 length) private pure returns (bytes memory copy) {
        copy = new bytes(length);
        uint256 count = source.length < length ? source.length : length;
        assembly ("memory-safe") {
            mcopy(add(copy, 32), add(source, 32), count)
        }
    }

    /// @dev The caller has compared `offset` with the length.
    function _byteAt(bytes calldata diff, uint256 offset) private pure returns (uint256 value) {
        assembly ("memory-safe") {
            value := byte(0, calldataload(add(diff.offset, offset)))
        }
    }

    /// @dev 32 bytes from `offset` on, those beyond the diff unspecified.
    function _wordAt(bytes calldata diff, uint256 offset) private pure returns (uint256 value) {
        assembly ("memory-safe") {
            value := calldataload(add(diff.offset, offset))
        }
    }
}
