// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Bytes} from "../Bytes.sol";
import {Keys} from "../Keys.sol";
import {Leaves, LeavesLib} from "../Leaves.sol";

/// @notice How far the liquidation of one account has come; times in ms.
struct Liquidation {
    uint256 phase;
    uint256 phaseBegan;
    uint256 began;
    /// @dev Market and time of the last slice; zeros while there was none.
    uint256 market;
    uint256 sliceTime;
    /// @dev 16 bytes.
    uint256 auction;
}

/// @title Leaf LIQUIDATION
/// @notice 37 bytes as sequencer/state/leaves.ts draws them; it stands while the account's flag LIQUIDATING is set.
library LiquidationLib {
    using Bytes for bytes;

    uint256 internal constant RESTRICTED = 1;
    uint256 internal constant BOOK = 2;
    uint256 internal constant AUCTION = 3;
    uint256 internal constant BACKSTOP = 4;
    uint256 internal constant DELEVERAGING = 5;

    uint256 private constant BYTES = 37;

    function load(Leaves memory leaves, uint256 account) internal pure returns (Liquidation memory l, bool present) {
        bytes memory value;
        (value, present) = LeavesLib.get(leaves, Keys.liquidation(account));
        if (!present) return (l, false);
        l.phase = value.u(0, 1);
        l.phaseBegan = value.u(1, 6);
        l.began = value.u(7, 6);
        l.market = value.u(13, 2);
        l.sliceTime = value.u(15, 6);
        l.auction = value.u(21, 16);
    }

    function store(Leaves memory leaves, uint256 account, Liquidation memory l) internal pure {
        (bytes memory value, uint256 at) = Bytes.allocate(BYTES);
        at = Bytes.put(at, l.phase, 1);
        at = Bytes.put(at, l.phaseBegan, 6);
        at = Bytes.put(at, l.began, 6);
        at = Bytes.put(at, l.market, 2);
        at = Bytes.put(at, l.sliceTime, 6);
        Bytes.put(at, l.auction, 16);
        LeavesLib.set(leaves, Keys.liquidation(account), value);
    }

    function remove(Leaves memory leaves, uint256 account) internal pure {
        LeavesLib.remove(leaves, Keys.liquidation(account));
    }
}
