// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Leaves} from "../Leaves.sol";
import {Reject} from "../Reject.sol";
import {StepKind} from "../StepKind.sol";
import {Match} from "../handlers/Match.sol";
import {Rest} from "../handlers/Rest.sol";
import {Family} from "./Family.sol";

/// @title Steps of an incoming order: MATCH, REST
contract MatchSteps is Family {
    /// @inheritdoc Family
    function _run(uint8 kind, bytes calldata record, bytes32, Leaves memory leaves)
        internal
        pure
        override
        returns (uint256)
    {
        if (kind == StepKind.MATCH) Match.run(leaves);
        else if (kind == StepKind.REST) Rest.run(leaves, record);
        else revert UnknownStep(kind);
        return Reject.NONE;
    }
}
