// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Bytes} from "../Bytes.sol";
import {Leaves} from "../Leaves.sol";
import {Limits} from "../Limits.sol";
import {OracleLib} from "../leaves/Oracle.sol";

/// @notice An entry of the L1 queue.
struct Entry {
    uint256 kind;
    address owner;
    bytes payload;
}

/// @title The next entry of the L1 queue
/// @notice What QueueEntry.sol and Configure.sol have in common; twin of decodeQueueEntry in sequencer/protocol/queue-entry.ts.
library EntryLib {
    using Bytes for bytes;

    uint256 private constant BODY = Limits.RECORD_HEADER_BYTES;
    uint256 private constant PAYLOAD = BODY + Limits.QUEUE_ENTRY_HEADER_BYTES;

    /// @notice Reads the entry of a record, and moves the cursor of the queue over it.
    /// @dev Leaves: QUEUE*, none for a record that is not a whole entry; * written.
    /// @return entry empty unless admissible
    /// @return admissible it is the next whole entry; otherwise nothing is written
    function take(Leaves memory leaves, bytes calldata record)
        internal
        pure
        returns (Entry memory entry, bool admissible)
    {
        if (!isWhole(record)) return (entry, false);
        (uint256 next, bytes32 prefixHash) = OracleLib.loadQueue(leaves);
        if (record.le(BODY, 8) != next) return (entry, false);
        entry.kind = uint8(record[BODY + 8]);
        entry.owner = address(bytes20(record[BODY + 12:BODY + 32]));
        entry.payload = record[PAYLOAD:];
        OracleLib.storeQueue(leaves, next + 1, nextHash(prefixHash, entry));
        admissible = true;
    }

    /// @notice Whether a record's body is one whole entry.
    function isWhole(bytes calldata record) internal pure returns (bool) {
        return record.length >= PAYLOAD && record.length == PAYLOAD + record.le(BODY + 10, 2) && record[BODY + 9] == 0
            && record.le(BODY, 8) <= Limits.SAFE_MAX;
    }

    /// @notice keccak256(prefix ‖ kind ‖ owner ‖ keccak256(payload)).
    function nextHash(bytes32 prefixHash, Entry memory entry) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(prefixHash, uint8(entry.kind), entry.owner, keccak256(entry.payload)));
    }
}
