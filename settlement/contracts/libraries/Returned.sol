// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title What a failed call returned
library Returned {
    /// @notice Reverts with it.
    function bubble(bytes memory answer) internal pure {
        assembly ("memory-safe") {
            revert(add(answer, 32), mload(answer))
        }
    }
}
