// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Header} from "./BatchLib.sol";

/// @title What a proof of a batch is about
/// @notice Twin of prover-stub/public-inputs.ts, which draws the 366 bytes and states the theorem; shared vector
/// test/vectors/public-inputs.json.
library PublicInputs {
    uint16 internal constant VERSION = 1;

    /// @param hash of the header, which binds every field of it
    function encode(Header memory h, bytes32 hash, address rollup) internal view returns (bytes memory) {
        bytes memory first = abi.encodePacked(
            VERSION, uint64(block.chainid), rollup, hash, h.preLedgerRoot, h.preBookRoot, h.postLedgerRoot, h.postBookRoot
        );
        bytes memory second = abi.encodePacked(h.traceRoot, h.inputsHash, h.diffHash, h.withdrawnHash);
        return bytes.concat(first, second, abi.encodePacked(h.queueFirst, h.queueNext, h.queueHash));
    }
}
