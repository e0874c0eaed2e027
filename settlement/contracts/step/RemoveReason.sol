// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Why an order leaves the book
/// @notice As in sequencer/protocol/event.ts; of these only the reasons of walks stand in the state.
library RemoveReason {
    uint256 internal constant CANCELED_ALL = 2;
    uint256 internal constant DEAD_MAN = 8;
    uint256 internal constant DISCONNECT = 9;
    uint256 internal constant FORCED = 10;
    uint256 internal constant LIQUIDATION = 14;
}
