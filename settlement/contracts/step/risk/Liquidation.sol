// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title The arithmetic of liquidations
/// @notice Twin of sequencer/engine/risk/liquidation.ts.
library LiquidationMath {
    /// @notice CM = ⌊2 · MM / 3⌋, q: below it the book is left for the auction.
    /// @param maintenance MM, not below zero
    function closeOut(int256 maintenance) internal pure returns (int256) {
        return 2 * maintenance / 3;
    }
}
