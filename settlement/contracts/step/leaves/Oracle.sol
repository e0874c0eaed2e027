// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Bytes} from "../Bytes.sol";
import {Keys} from "../Keys.sol";
import {Leaves, LeavesLib} from "../Leaves.sol";

struct Publisher {
    address signer;
    /// @dev 0: none, or not one any more.
    uint256 weight;
}

/// @title Leaves PUBLISHERS, ORACLE, QUEUE and WITHDRAWN
library OracleLib {
    using Bytes for bytes;

    uint256 internal constant PUBLISHERS = 16;
    uint256 private constant ROW_BYTES = 24;

    /// @notice All 16 rows; weight 0 where there is no publisher.
    function loadPublishers(Leaves memory leaves) internal pure returns (Publisher[16] memory rows) {
        (bytes memory value, bool present) = LeavesLib.get(leaves, Keys.PUBLISHERS);
        if (!present) return rows;
        for (uint256 n = 0; n < PUBLISHERS; n++) {
            rows[n].signer = address(uint160(value.u(n * ROW_BYTES, 20)));
            rows[n].weight = value.u(n * ROW_BYTES + 20, 4);
        }
    }

    function storePublishers(Leaves memory leaves, Publisher[16] memory rows) internal pure {
        (bytes memory value, uint256 at) = Bytes.allocate(PUBLISHERS * ROW_BYTES);
        for (uint256 n = 0; n < PUBLISHERS; n++) {
            at = Bytes.put(at, uint160(rows[n].signer), 20);
            at = Bytes.put(at, rows[n].weight, 4);
        }
        LeavesLib.set(leaves, Keys.PUBLISHERS, value);
    }

    /// @notice Highest sequence taken per publisher; absent while all are 0.
    function loadSequences(Leaves memory leaves, uint256 market) internal pure returns (uint256[16] memory sequences) {
        (bytes memory value, bool present) = LeavesLib.get(leaves, Keys.oracle(market));
        if (!present) return sequences;
        for (uint256 n = 0; n < PUBLISHERS; n++) {
            sequences[n] = value.u(8 * n, 8);
        }
    }

    function storeSequences(Leaves memory leaves, uint256 market, uint256[16] memory sequences) internal pure {
        (bytes memory value, uint256 at) = Bytes.allocate(8 * PUBLISHERS);
        for (uint256 n = 0; n < PUBLISHERS; n++) {
            at = Bytes.put(at, sequences[n], 8);
        }
        LeavesLib.set(leaves, Keys.oracle(market), value);
    }

    /// @notice Next index and prefix hash; zeros before the first entry.
    function loadQueue(Leaves memory leaves) internal pure returns (uint256 next, bytes32 prefixHash) {
        (bytes memory value, bool present) = LeavesLib.get(leaves, Keys.QUEUE);
        if (!present) return (0, 0);
        return (value.u(0, 8), bytes32(value.u(8, 32)));
    }

    function storeQueue(Leaves memory leaves, uint256 next, bytes32 prefixHash) internal pure {
        LeavesLib.set(leaves, Keys.QUEUE, abi.encodePacked(uint64(next), prefixHash));
    }

    /// @notice Adds to what an owner may withdraw of an asset, and to the total of all owners.
    function addWithdrawn(Leaves memory leaves, address owner, uint256 asset, uint256 amount) internal pure {
        _add(leaves, Keys.withdrawn(owner, asset), amount);
        _add(leaves, Keys.withdrawnTotal(asset), amount);
    }

    function _add(Leaves memory leaves, bytes32 key, uint256 amount) private pure {
        (bytes memory value, bool present) = LeavesLib.get(leaves, key);
        uint256 total = (present ? value.u(0, 16) : 0) + amount;
        // A leaf of nothing is no leaf.
        if (total != 0) LeavesLib.set(leaves, key, abi.encodePacked(uint128(total)));
    }
}
