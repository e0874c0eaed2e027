// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Bytes} from "../Bytes.sol";
import {Leaves} from "../Leaves.sol";
import {Limits} from "../Limits.sol";
import {Reject} from "../Reject.sol";
import {RemoveReason} from "../RemoveReason.sol";
import {Account, AccountLib} from "../leaves/Account.sol";
import {RegistersLib} from "../leaves/Registers.sol";
import {Walk} from "./Walk.sol";

/// @title DISCONNECT: an account's connection was lost, and it has asked that this cancels its orders
/// @notice Twin of the case in sequencer/engine/engine.ts. Inadmissible unless the body is an account (u32) that has switched
/// it on.
///
/// Leaves, unless the body has another length: ACCOUNT(account of the body); REGISTER_WALK, written.
library Disconnect {
    using Bytes for bytes;

    uint256 private constant BYTES = Limits.RECORD_HEADER_BYTES + 4;

    function run(Leaves memory leaves, bytes calldata record) internal pure returns (uint256) {
        if (record.length != BYTES) return Reject.INADMISSIBLE;
        uint256 id = record.le(Limits.RECORD_HEADER_BYTES, 4);
        (Account memory account, bool present) = AccountLib.loadHead(leaves, id);
        if (!present || account.disconnectGrace == 0) return Reject.INADMISSIBLE;
        Walk.open(leaves, id, RegistersLib.EVERY_MARKET, RemoveReason.DISCONNECT, false);
        return Reject.NONE;
    }
}
