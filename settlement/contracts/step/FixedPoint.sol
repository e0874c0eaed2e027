// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Exact integer arithmetic with stated rounding
/// @notice Twin of sequencer/protocol/fixed-point.ts. Solidity's signed division truncates, so floor is explicit here.
library FixedPoint {
    uint256 internal constant MILLION = 1_000_000;
    int256 internal constant MILLION_SIGNED = 1_000_000;
    int256 internal constant BILLION_SIGNED = 1_000_000_000;

    /// @notice ⌈n · ratePpm / 1e6⌉.
    function mulPpmUp(uint256 n, uint256 ratePpm) internal pure returns (uint256) {
        return (n * ratePpm + MILLION - 1) / MILLION;
    }

    /// @notice ⌊n · ratePpm / 1e6⌋.
    function mulPpmDown(uint256 n, uint256 ratePpm) internal pure returns (uint256) {
        return n * ratePpm / MILLION;
    }

    /// @notice ⌈a / b⌉, b > 0.
    function divUp(uint256 a, uint256 b) internal pure returns (uint256) {
        return (a + b - 1) / b;
    }

    /// @notice ⌊a / b⌋ toward minus infinity, b > 0.
    function fdiv(int256 a, int256 b) internal pure returns (int256 q) {
        q = a / b;
        if (a % b < 0) q--;
    }

    function clamp(int256 x, int256 low, int256 high) internal pure returns (int256) {
        return x < low ? low : x > high ? high : x;
    }

    function min(uint256 a, uint256 b) internal pure returns (uint256) {
        return a < b ? a : b;
    }

    function max(uint256 a, uint256 b) internal pure returns (uint256) {
        return a > b ? a : b;
    }

    function minSigned(int256 a, int256 b) internal pure returns (int256) {
        return a < b ? a : b;
    }

    function maxSigned(int256 a, int256 b) internal pure returns (int256) {
        return a > b ? a : b;
    }

    /// @notice |a|, for values far from the ends of the type.
    function abs(int256 a) internal pure returns (uint256) {
        return uint256(a < 0 ? -a : a);
    }

    /// @notice Middle of three.
    function median3(uint256 a, uint256 b, uint256 c) internal pure returns (uint256) {
        return max(min(a, b), min(max(a, b), c));
    }
}
