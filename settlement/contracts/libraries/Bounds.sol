// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Bounds of parameters and arguments
library Bounds {
    /// @notice `field` must lie from `low` to `high`.
    error OutOfRange(bytes32 field, uint256 low, uint256 high, uint256 got);

    function check(bytes32 field, uint256 low, uint256 high, uint256 got) internal pure {
        if (got < low || got > high) revert OutOfRange(field, low, high, got);
    }
}
