// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Bytes} from "../Bytes.sol";
import {Leaves} from "../Leaves.sol";
import {Limits} from "../Limits.sol";
import {Reject} from "../Reject.sol";
import {Globals, GlobalsLib} from "../leaves/Globals.sol";

/// @title VERSION: which version of the rules holds from the next command on
/// @notice Twin of the case in sequencer/engine/engine.ts. These are the rules of one version; a record that asks for
/// another, or whose body is not a u32, is inadmissible.
///
/// Leaves: GLOBALS, written.
library Version {
    using Bytes for bytes;

    uint256 private constant BYTES = Limits.RECORD_HEADER_BYTES + 4;

    function run(Leaves memory leaves, bytes calldata record) internal pure returns (uint256) {
        if (record.length != BYTES) return Reject.INADMISSIBLE;
        if (record.le(Limits.RECORD_HEADER_BYTES, 4) != GlobalsLib.ENGINE_VERSION) return Reject.INADMISSIBLE;
        Globals memory globals = GlobalsLib.load(leaves);
        globals.engineVersion = GlobalsLib.ENGINE_VERSION;
        GlobalsLib.store(leaves, globals);
        return Reject.NONE;
    }
}
