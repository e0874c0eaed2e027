// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Bytes} from "../Bytes.sol";
import {Keys} from "../Keys.sol";
import {Leaves, LeavesLib} from "../Leaves.sol";
import {Operation} from "../Operation.sol";
import {Resting, RestingOrder} from "../book/Resting.sol";

/// @title The resting order that a cancel or an amend names
/// @notice Twin of sequencer/engine/handlers/find-order.ts: by order id or client id, own orders only.
library FindOrder {
    using Bytes for bytes;

    /// @dev Leaves, when `id` is not 0: by client id CLIENT_INDEX(account, market, id); with the order id that it gives,
    /// or `id` itself, ORDER_INDEX(account, market, order id); when there is such an order, its ORDER.
    function find(Leaves memory leaves, uint256 account, uint256 market, uint256 by, uint256 id)
        internal
        pure
        returns (RestingOrder memory r, bool known)
    {
        if (id == 0) return (r, false);
        if (by != Operation.BY_ORDER_ID) {
            (bytes memory value, bool present) = LeavesLib.get(leaves, Keys.clientIndex(account, market, id));
            if (!present) return (r, false);
            id = value.u(0, 8);
        }
        return Resting.find(leaves, account, market, id);
    }
}
