// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ISteps} from "../ISteps.sol";
import {Leaves, LeavesLib} from "../Leaves.sol";
import {StepKind} from "../StepKind.sol";
import {Amend} from "../handlers/Amend.sol";
import {Place} from "../handlers/Place.sol";

/// @title Steps that check an order: PLACE, AMEND
contract PlaceSteps is ISteps {
    /// @inheritdoc ISteps
    function step(uint8 kind, bytes calldata record, bytes32, bytes calldata slice)
        external
        pure
        returns (bytes memory writes, uint256 code)
    {
        Leaves memory leaves = LeavesLib.open(slice);
        if (kind == StepKind.PLACE) code = Place.run(leaves, record);
        else if (kind == StepKind.AMEND) code = Amend.run(leaves, record);
        else revert UnknownStep(kind);
        writes = LeavesLib.writes(leaves);
    }
}
