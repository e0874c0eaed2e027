// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Keys} from "../Keys.sol";
import {Leaves, LeavesLib} from "../Leaves.sol";
import {Account, AccountLib} from "../leaves/Account.sol";
import {Globals, GlobalsLib} from "../leaves/Globals.sol";

/// @title A new account of (owner, subaccount), under the next id
/// @notice Twin of `openAccount` in sequencer/engine/handlers/isolate.ts.
library OpenAccount {
    /// @dev Leaves: GLOBALS, OWNER(owner, subaccount), ACCOUNT(next id), all written. There must be no such account.
    /// @param isolatedMarket AccountLib.NOT_ISOLATED, or the one market of the account
    function run(
        Leaves memory leaves,
        address owner,
        uint256 subaccount,
        uint256 riskPool,
        uint256 isolatedMarket
    ) internal pure returns (uint256 id, Account memory account) {
        Globals memory globals = GlobalsLib.load(leaves);
        id = ++globals.accounts;
        GlobalsLib.store(leaves, globals);
        LeavesLib.set(leaves, Keys.owner(owner, subaccount), abi.encodePacked(uint32(id)));
        account = AccountLib.create(owner, subaccount);
        account.riskPool = riskPool;
        account.isolatedMarket = isolatedMarket;
        AccountLib.store(leaves, id, account);
    }
}
