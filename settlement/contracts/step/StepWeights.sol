// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {StepKind} from "./StepKind.sol";

/// @title Weight of each kind of step
/// @notice Twin of sequencer/state/step-weights.ts, which says what they are made of: what one step of the kind may cost
/// at most, in gas. A segment's weight is the sum over its steps, whatever they did.
library StepWeights {
    uint256 internal constant MESSAGE = 173_500;
    uint256 internal constant PLACE = 574_500;
    uint256 internal constant MATCH = 829_500;
    uint256 internal constant REST = 172_000;
    uint256 internal constant CANCEL = 170_000;
    uint256 internal constant CANCEL_ALL = 61_000;
    uint256 internal constant WALK = 181_500;
    uint256 internal constant AMEND = 521_000;
    uint256 internal constant WITHDRAW = 577_500;
    uint256 internal constant TRANSFER = 604_000;
    uint256 internal constant SESSION_KEY = 89_500;
    uint256 internal constant CANCEL_AFTER = 101_000;
    uint256 internal constant CANCEL_ON_DISCONNECT = 78_000;
    uint256 internal constant PRICE_ROUND = 387_500;
    uint256 internal constant SAMPLE = 429_000;
    uint256 internal constant FUNDING = 93_000;
    uint256 internal constant EXPIRE = 183_500;
    uint256 internal constant DEPOSIT = 112_500;
    uint256 internal constant FORCED = 600_500;
    uint256 internal constant CONFIGURE = 157_500;
    uint256 internal constant CLOCK = 40_000;
    uint256 internal constant DISCONNECT = 81_500;
    uint256 internal constant VERSION = 40_000;

    /// @notice Weight by StepKind; that of 0, which is none, is zero.
    function table() internal pure returns (uint256[24] memory weights) {
        weights[StepKind.MESSAGE] = MESSAGE;
        weights[StepKind.PLACE] = PLACE;
        weights[StepKind.MATCH] = MATCH;
        weights[StepKind.REST] = REST;
        weights[StepKind.CANCEL] = CANCEL;
        weights[StepKind.CANCEL_ALL] = CANCEL_ALL;
        weights[StepKind.WALK] = WALK;
        weights[StepKind.AMEND] = AMEND;
        weights[StepKind.WITHDRAW] = WITHDRAW;
        weights[StepKind.TRANSFER] = TRANSFER;
        weights[StepKind.SESSION_KEY] = SESSION_KEY;
        weights[StepKind.CANCEL_AFTER] = CANCEL_AFTER;
        weights[StepKind.CANCEL_ON_DISCONNECT] = CANCEL_ON_DISCONNECT;
        weights[StepKind.PRICE_ROUND] = PRICE_ROUND;
        weights[StepKind.SAMPLE] = SAMPLE;
        weights[StepKind.FUNDING] = FUNDING;
        weights[StepKind.EXPIRE] = EXPIRE;
        weights[StepKind.DEPOSIT] = DEPOSIT;
        weights[StepKind.FORCED] = FORCED;
        weights[StepKind.CONFIGURE] = CONFIGURE;
        weights[StepKind.CLOCK] = CLOCK;
        weights[StepKind.DISCONNECT] = DISCONNECT;
        weights[StepKind.VERSION] = VERSION;
    }
}
