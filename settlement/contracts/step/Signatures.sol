// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Who signed a digest
/// @notice Twin of sequencer/auth/recover.ts: both take exactly the same 65 bytes for a signature.
library Signatures {
    /// @dev Half the order of secp256k1: signatures with a larger s are refused (EIP-2).
    uint256 internal constant HALF_ORDER = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0;

    /// @notice Signer of a digest, zero when the bytes are no signature: v is not 27 or 28, s is in the upper half, r or s is zero
    /// or not below the order, or there is no such point. Reverts when the gas does not suffice for the recovery: the compiler
    /// reverts where the precompile fails, and the precompile fails only for want of gas.
    /// @param at where its 65 bytes r ‖ s ‖ v stand in `record`, which holds them all
    function signer(bytes32 hash, bytes calldata record, uint256 at) internal pure returns (address) {
        bytes32 r;
        bytes32 s;
        uint8 v;
        assembly ("memory-safe") {
            let start := add(record.offset, at)
            r := calldataload(start)
            s := calldataload(add(start, 32))
            v := byte(0, calldataload(add(start, 64)))
        }
        if ((v != 27 && v != 28) || uint256(s) > HALF_ORDER) return address(0);
        return ecrecover(hash, v, r, s);
    }

    /// @notice keccak256(0x1901 ‖ separator ‖ struct hash).
    function digest(bytes32 separator, bytes32 structHash) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(hex"1901", separator, structHash));
    }
}
