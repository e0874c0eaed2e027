// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IRollupPart} from "./interfaces/IRollup.sol";

/// @title The way out of a frozen rollup
/// @notice Serves one rollup.
contract EscapeHatch is IRollupPart {
    address public immutable rollup;

    /// @param rollup_ whose constructor checks this
    constructor(address rollup_) {
        rollup = rollup_;
    }
}
