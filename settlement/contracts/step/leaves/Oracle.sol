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

/// @notice A market's leaf ORACLE.
struct Feed {
    /// @dev Highest sequence taken per publisher.
    uint256[16] sequences;
    /// @dev Average of the index, 1e-6 ticks.
    uint256 twapFine;
    /// @dev Index that waits to be repeated; 0 none.
    uint256 pending;
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

    /// @notice What is known of a market's reports; zeros before the first round.
    function loadFeed(Leaves memory leaves, uint256 market) internal pure returns (Feed memory feed) {
        (bytes memory value, bool present) = LeavesLib.get(leaves, Keys.oracle(market));
        if (!present) return feed;
        for (uint256 n = 0; n < PUBLISHERS; n++) {
            feed.sequences[n] = value.u(8 * n, 8);
        }
        feed.twapFine = value.u(8 * PUBLISHERS, 8);
        feed.pending = value.u(8 * PUBLISHERS + 8, 4);
    }

    function storeFeed(Leaves memory leaves, uint256 market, Feed memory feed) internal pure {
        (bytes memory value, uint256 at) = Bytes.allocate(8 * PUBLISHERS + 12);
        for (uint256 n = 0; n < PUBLISHERS; n++) {
            at = Bytes.put(at, feed.sequences[n], 8);
        }
        at = Bytes.put(at, feed.twapFine, 8);
        Bytes.put(at, feed.pending, 4);
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
