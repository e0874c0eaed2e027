// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IVerifier} from "../interfaces/IVerifier.sol";
import {BatchLib} from "../libraries/BatchLib.sol";
import {Bounds} from "../libraries/Bounds.sol";

/// @title Accepts what one attester signs
/// @notice For chains that are configured to trust a verifier's re-execution (prover-stub/prover.ts): a proof is its
/// signature, nothing more. Attestation (105 bytes): u32 kind = 1 ‖ u32 0 ‖ keccak256 of the public inputs ‖ 65 signature
/// over the EIP-712 type Attestation(uint64 batch,bytes32 publicInputsHash) in the rollup's domain.
contract StubVerifier is IVerifier {
    bytes32 internal constant ATTESTATION_TYPEHASH = keccak256("Attestation(uint64 batch,bytes32 publicInputsHash)");
    uint256 internal constant ATTESTATION_BYTES = 105;
    bytes8 internal constant KIND = 0x0000000100000000;

    /// @notice Whose signature is believed.
    address public immutable attester;
    /// @notice In whose domain it signs.
    address public immutable rollup;

    /// @param attester_ whose signature is believed
    /// @param rollup_ in whose domain it signs
    constructor(address attester_, address rollup_) {
        Bounds.check("attester", 1, type(uint160).max, uint160(attester_));
        attester = attester_;
        rollup = rollup_;
    }

    /// @inheritdoc IVerifier
    function verify(uint64 batch, bytes calldata publicInputs, bytes calldata proof) external view returns (bool) {
        if (proof.length != ATTESTATION_BYTES || bytes8(proof[:8]) != KIND) return false;
        bytes32 hash = keccak256(publicInputs);
        if (bytes32(proof[8:40]) != hash) return false;
        bytes32 digest = BatchLib.typedDigest(
            BatchLib.domainSeparator(rollup), keccak256(abi.encode(ATTESTATION_TYPEHASH, batch, hash))
        );
        return BatchLib.recover(digest, proof[40:]) == attester;
    }
}
