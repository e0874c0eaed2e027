// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Judge of proofs that make a batch final before its window is over
/// @notice The place where a zero-knowledge prover plugs in: a contract that knows its verification key and accepts a proof
/// only of the statement that PublicInputs draws. Fixed at deployment; the zero address where none is trusted.
interface IVerifier {
    /// @notice Whether `proof` shows the statement of the public inputs. May revert for a malformed proof.
    /// @param batch its id
    /// @param publicInputs 366 bytes as PublicInputs draws them
    function verify(uint64 batch, bytes calldata publicInputs, bytes calldata proof) external view returns (bool);
}
