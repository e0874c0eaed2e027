// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title A lock for the length of one call
/// @notice Transient storage (EIP-1153): free of refunds and gone with the transaction.
abstract contract Guarded {
    bool private transient entered;

    /// @notice A function of this contract was called from within another one.
    error Reentered();

    modifier guarded() {
        if (entered) revert Reentered();
        entered = true;
        _;
        entered = false;
    }
}
