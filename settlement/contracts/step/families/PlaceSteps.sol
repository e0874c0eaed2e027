// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Leaves} from "../Leaves.sol";
import {StepKind} from "../StepKind.sol";
import {Amend} from "../handlers/Amend.sol";
import {Place} from "../handlers/Place.sol";
import {Family} from "./Family.sol";

/// @title Steps that check an order: PLACE, AMEND
contract PlaceSteps is Family {
    /// @inheritdoc Family
    function _run(uint8 kind, bytes calldata record, bytes32, Leaves memory leaves)
        internal
        pure
        override
        returns (uint256)
    {
        if (kind == StepKind.PLACE) return Place.run(leaves, record);
        if (kind == StepKind.AMEND) return Amend.run(leaves, record);
        revert UnknownStep(kind);
    }
}
