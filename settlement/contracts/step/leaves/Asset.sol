// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Bytes} from "../Bytes.sol";
import {Keys} from "../Keys.sol";
import {Leaves, LeavesLib} from "../Leaves.sol";

/// @notice What accounts hold of an asset together, and its lending pool; units.
struct Pool {
    /// @dev Units that a supply share, and a debt share, are worth, times RAY.
    uint256 supplyIndex;
    uint256 borrowIndex;
    uint256 supplyShares;
    uint256 debtShares;
    /// @dev Supplied and not lent.
    uint256 cash;
    /// @dev Interest kept back.
    uint256 reserve;
    /// @dev Time up to which interest has accrued, ms.
    uint256 accrued;
    /// @dev Borrow rate of a year as of the last accrual.
    uint256 ratePpm;
    /// @dev Sum of the accounts' balances.
    uint256 collateral;
}

/// @title Leaves ASSET_CONFIG and POOL
/// @notice 144 bytes as sequencer/protocol/asset.ts draws them, and 82 as sequencer/state/leaves.ts does.
library AssetLib {
    using Bytes for bytes;

    uint256 internal constant CONFIG_BYTES = 144;
    uint256 internal constant POOL_BYTES = 82;
    uint256 internal constant RAY = 1e27;
    uint256 internal constant ACTIVE = 0;
    uint256 internal constant REDUCE_ONLY = 1;
    /// @dev Flags: it has a lending pool; negative cash borrows from the pool of the quote asset.
    uint256 internal constant LENDING = 1;
    uint256 internal constant CASH_BORROWS = 2;
    /// @dev Feed of the quote asset, which is its own unit.
    uint256 internal constant NO_FEED = 0xffff;
    uint256 internal constant HAIRCUTS_MAX = 4;
    uint256 internal constant DECIMALS_MAX = 12;

    /// @notice The pool of an asset that was just configured; interest accrues from `now_` on.
    function createPool(uint256 now_) internal pure returns (Pool memory pool) {
        pool.supplyIndex = RAY;
        pool.borrowIndex = RAY;
        pool.accrued = now_;
    }

    /// @notice The pool of an asset that is configured.
    function loadPool(Leaves memory leaves, uint256 asset) internal pure returns (Pool memory pool) {
        (bytes memory value,) = LeavesLib.get(leaves, Keys.pool(asset));
        pool.supplyIndex = value.u(0, 16);
        pool.borrowIndex = value.u(16, 16);
        pool.supplyShares = value.u(32, 8);
        pool.debtShares = value.u(40, 8);
        pool.cash = value.u(48, 8);
        pool.reserve = value.u(56, 8);
        pool.accrued = value.u(64, 6);
        pool.ratePpm = value.u(70, 4);
        pool.collateral = value.u(74, 8);
    }

    function storePool(Leaves memory leaves, uint256 asset, Pool memory pool) internal pure {
        (bytes memory value, uint256 at) = Bytes.allocate(POOL_BYTES);
        at = Bytes.put(at, pool.supplyIndex, 16);
        at = Bytes.put(at, pool.borrowIndex, 16);
        at = Bytes.put(at, pool.supplyShares, 8);
        at = Bytes.put(at, pool.debtShares, 8);
        at = Bytes.put(at, pool.cash, 8);
        at = Bytes.put(at, pool.reserve, 8);
        at = Bytes.put(at, pool.accrued, 6);
        at = Bytes.put(at, pool.ratePpm, 4);
        Bytes.put(at, pool.collateral, 8);
        LeavesLib.set(leaves, Keys.pool(asset), value);
    }
}
