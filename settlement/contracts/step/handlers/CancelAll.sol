// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Bytes} from "../Bytes.sol";
import {Keys} from "../Keys.sol";
import {Leaves, LeavesLib} from "../Leaves.sol";
import {Operation} from "../Operation.sol";
import {Reject} from "../Reject.sol";
import {MessageRegister, RegistersLib} from "../leaves/Registers.sol";
import {RemoveReason} from "../RemoveReason.sol";
import {Walk} from "./Walk.sol";

/// @title CANCEL_ALL: every order of the account, in one market or in all
/// @notice Twin of sequencer/engine/handlers/cancel-all.ts: opens the walk, which ends the operation.
///
/// Leaves: MARKET_CONFIG(market of the operation) when it names one; REGISTER_MESSAGE, written when there is no such market;
/// REGISTER_WALK, written when there is.
library CancelAll {
    using Bytes for bytes;

    function run(Leaves memory leaves, bytes calldata record) internal pure returns (uint256) {
        (MessageRegister memory m,) = RegistersLib.loadMessage(leaves);
        uint256 at = Operation.START + m.offset;
        uint256 market = RegistersLib.EVERY_MARKET;
        if (record.le(at + 1, 1) != 1) {
            market = record.le(at + 2, 2);
            if (!LeavesLib.has(leaves, Keys.marketConfig(market))) {
                RegistersLib.finishOperation(leaves, m, Operation.length(Operation.CANCEL_ALL));
                return Reject.UNKNOWN_MARKET;
            }
        }
        Walk.open(leaves, m.account, market, RemoveReason.CANCELED_ALL, true);
        return Reject.NONE;
    }
}
