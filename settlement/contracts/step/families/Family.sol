// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ISteps} from "../ISteps.sol";
import {Leaves, LeavesLib} from "../Leaves.sol";

/// @title A family of steps: opens the slice, runs one step, packs what it wrote
abstract contract Family is ISteps {
    /// @inheritdoc ISteps
    function step(uint8 kind, bytes calldata record, bytes32 domain, bytes calldata slice)
        external
        pure
        override
        returns (bytes memory writes, uint256 code)
    {
        Leaves memory leaves = LeavesLib.open(slice);
        code = _run(kind, record, domain, leaves);
        writes = LeavesLib.writes(leaves);
    }

    /// @dev Dispatches to the handler of `kind`; reverts with UnknownStep for one of another family.
    /// @return code reject code
    function _run(uint8 kind, bytes calldata record, bytes32 domain, Leaves memory leaves)
        internal
        pure
        virtual
        returns (uint256 code);
}
