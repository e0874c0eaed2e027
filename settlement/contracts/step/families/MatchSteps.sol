// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ISteps} from "../ISteps.sol";
import {Leaves, LeavesLib} from "../Leaves.sol";
import {Reject} from "../Reject.sol";
import {StepKind} from "../StepKind.sol";
import {Match} from "../handlers/Match.sol";
import {Rest} from "../handlers/Rest.sol";

/// @title Steps of an incoming order: MATCH, REST
contract MatchSteps is ISteps {
    /// @inheritdoc ISteps
    function step(uint8 kind, bytes calldata record, bytes32, bytes calldata slice)
        external
        pure
        returns (bytes memory writes, uint256 code)
    {
        Leaves memory leaves = LeavesLib.open(slice);
        if (kind == StepKind.MATCH) Match.run(leaves);
        else if (kind == StepKind.REST) Rest.run(leaves, record);
        else revert UnknownStep(kind);
        writes = LeavesLib.writes(leaves);
        code = Reject.NONE;
    }
}
