// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IRollupPart} from "./interfaces/IRollup.sol";

/// @title Proofs of fraud
/// @notice Serves one rollup.
contract Challenges is IRollupPart {
    address public immutable rollup;

    /// @param rollup_ whose constructor checks this
    constructor(address rollup_) {
        rollup = rollup_;
    }

    /// @notice Takes the share of the bond that the rollup sends to whoever strikes or slashes.
    receive() external payable {}
}
