// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Leaves} from "../Leaves.sol";
import {Reject} from "../Reject.sol";
import {StepKind} from "../StepKind.sol";
import {AccountSettings} from "../handlers/AccountSettings.sol";
import {Cancel} from "../handlers/Cancel.sol";
import {CancelAll} from "../handlers/CancelAll.sol";
import {Disconnect} from "../handlers/Disconnect.sol";
import {Message} from "../handlers/Message.sol";
import {Version} from "../handlers/Version.sol";
import {Walk} from "../handlers/Walk.sol";
import {Family} from "./Family.sol";

/// @title Steps of messages, cancels, account settings, clock and version
/// @notice MESSAGE, CANCEL, CANCEL_ALL, WALK, SESSION_KEY, CANCEL_AFTER, CANCEL_ON_DISCONNECT, CLOCK, DISCONNECT, VERSION,
/// LOCK.
contract AccountSteps is Family {
    /// @inheritdoc Family
    function _run(uint8 kind, bytes calldata record, bytes32 domain, Leaves memory leaves)
        internal
        pure
        override
        returns (uint256)
    {
        if (kind == StepKind.MESSAGE) return Message.run(leaves, record, domain);
        if (kind == StepKind.CANCEL) return Cancel.run(leaves, record);
        if (kind == StepKind.CANCEL_ALL) return CancelAll.run(leaves, record);
        if (kind == StepKind.WALK) return Walk.run(leaves);
        if (kind == StepKind.SESSION_KEY) return AccountSettings.setSessionKey(leaves, record);
        if (kind == StepKind.CANCEL_AFTER) return AccountSettings.setCancelAfter(leaves, record);
        if (kind == StepKind.CANCEL_ON_DISCONNECT) return AccountSettings.setCancelOnDisconnect(leaves, record);
        if (kind == StepKind.LOCK) return AccountSettings.setLock(leaves, record);
        if (kind == StepKind.DISCONNECT) return Disconnect.run(leaves, record);
        if (kind == StepKind.VERSION) return Version.run(leaves, record);
        // The clock is moved, and what it lets fall due has been done, before the step of its record.
        if (kind == StepKind.CLOCK) return Reject.NONE;
        revert UnknownStep(kind);
    }
}
