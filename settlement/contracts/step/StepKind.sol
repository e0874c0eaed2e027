// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @dev Places in a table by kind: 1 to 39, and 0, which is none.
uint256 constant STEP_KINDS = 40;

/// @title The kinds of step
/// @notice Twin of StepKind in sequencer/state/trace.ts.
library StepKind {
    uint8 internal constant MESSAGE = 1;
    uint8 internal constant PLACE = 2;
    uint8 internal constant MATCH = 3;
    uint8 internal constant REST = 4;
    uint8 internal constant CANCEL = 5;
    uint8 internal constant CANCEL_ALL = 6;
    uint8 internal constant WALK = 7;
    uint8 internal constant AMEND = 8;
    uint8 internal constant WITHDRAW = 9;
    uint8 internal constant TRANSFER = 10;
    uint8 internal constant SESSION_KEY = 11;
    uint8 internal constant CANCEL_AFTER = 12;
    uint8 internal constant CANCEL_ON_DISCONNECT = 13;
    uint8 internal constant PRICE_ROUND = 14;
    uint8 internal constant SAMPLE = 15;
    uint8 internal constant FUNDING = 16;
    uint8 internal constant EXPIRE = 17;
    uint8 internal constant DEPOSIT = 18;
    uint8 internal constant FORCED = 19;
    uint8 internal constant CONFIGURE = 20;
    uint8 internal constant CLOCK = 21;
    uint8 internal constant DISCONNECT = 22;
    uint8 internal constant VERSION = 23;
    uint8 internal constant EVALUATE = 26;
    uint8 internal constant ISOLATE = 33;
    uint8 internal constant SET_LEVERAGE = 34;
    uint8 internal constant LOCK = 35;
}
