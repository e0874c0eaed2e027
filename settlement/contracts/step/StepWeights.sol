// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {STEP_KINDS, StepKind} from "./StepKind.sol";

/// @title Weight of each kind of step
/// @notice Twin of sequencer/state/step-weights.ts, which says what they are made of: what one step of the kind may cost
/// at most, in gas. A segment's weight is the sum over its steps, whatever they did.
library StepWeights {
    uint256 internal constant MESSAGE = 430_000;
    uint256 internal constant PLACE = 1_940_000;
    uint256 internal constant MATCH = 3_740_000;
    uint256 internal constant REST = 1_520_000;
    uint256 internal constant CANCEL = 1_250_000;
    uint256 internal constant CANCEL_ALL = 150_000;
    uint256 internal constant WALK = 1_220_000;
    uint256 internal constant AMEND = 2_500_000;
    uint256 internal constant WITHDRAW = 2_310_000;
    uint256 internal constant TRANSFER = 1_960_000;
    uint256 internal constant SESSION_KEY = 390_000;
    uint256 internal constant CANCEL_AFTER = 580_000;
    uint256 internal constant CANCEL_ON_DISCONNECT = 220_000;
    uint256 internal constant PRICE_ROUND = 640_000;
    uint256 internal constant SAMPLE = 640_000;
    uint256 internal constant FUNDING = 400_000;
    uint256 internal constant EXPIRE = 1_300_000;
    uint256 internal constant DEPOSIT = 1_400_000;
    uint256 internal constant FORCED = 3_000_000;
    uint256 internal constant CONFIGURE = 400_000;
    uint256 internal constant CLOCK = 250_000;
    uint256 internal constant DISCONNECT = 420_000;
    uint256 internal constant VERSION = 230_000;
    uint256 internal constant EVALUATE = 2_400_000;
    uint256 internal constant ISOLATE = 800_000;
    uint256 internal constant SET_LEVERAGE = 1_400_000;
    uint256 internal constant LOCK = 230_000;

    /// @notice Weight by StepKind; that of 0, which is none, is zero.
    function table() internal pure returns (uint256[STEP_KINDS] memory weights) {
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
        weights[StepKind.EVALUATE] = EVALUATE;
        weights[StepKind.ISOLATE] = ISOLATE;
        weights[StepKind.SET_LEVERAGE] = SET_LEVERAGE;
        weights[StepKind.LOCK] = LOCK;
    }
}
