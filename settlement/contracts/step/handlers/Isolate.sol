// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Bytes} from "../Bytes.sol";
import {Keys} from "../Keys.sol";
import {Leaves, LeavesLib} from "../Leaves.sol";
import {Operation} from "../Operation.sol";
import {Reject} from "../Reject.sol";
import {Account, AccountLib} from "../leaves/Account.sol";
import {MarketConfig, MarketLib} from "../leaves/Market.sol";
import {MessageRegister, RegistersLib} from "../leaves/Registers.sol";
import {OpenAccount} from "./OpenAccount.sol";

/// @title ISOLATE: opens a subaccount of the owner, isolated to one market or as a cross account of a risk pool
/// @notice Twin of sequencer/engine/handlers/isolate.ts.
///
///   0 u8 kind   1 u8 subaccount   2 u16 market, 65535: none   4 u32 risk pool, 0 with a market
///
/// Leaves: REGISTER_MESSAGE*; with a market MARKET_CONFIG(market); unless that is refused ACCOUNT(account of the register),
/// OWNER(its owner, subaccount); when that is free as OpenAccount; * written.
library Isolate {
    /// @param record of the open message
    function run(Leaves memory leaves, bytes calldata record) internal pure returns (uint256 code) {
        (MessageRegister memory message,) = RegistersLib.loadMessage(leaves);
        uint256 start = Operation.START + message.offset;
        uint256 subaccount = Bytes.le(record, start + 1, 1);
        uint256 market = Bytes.le(record, start + 2, 2);
        uint256 riskPool = Bytes.le(record, start + 4, 4);
        if (market != Operation.NO_MARKET) (code, riskPool) = _poolOf(leaves, market);
        if (code == Reject.NONE) {
            (Account memory holder,) = AccountLib.loadHead(leaves, message.account);
            if (LeavesLib.has(leaves, Keys.owner(holder.owner, subaccount))) code = Reject.SUBACCOUNT_EXISTS;
            else OpenAccount.run(leaves, holder.owner, subaccount, riskPool, market);
        }
        RegistersLib.finishOperation(leaves, message, Operation.length(Operation.ISOLATE));
    }

    function _poolOf(Leaves memory leaves, uint256 market) private pure returns (uint256 code, uint256 riskPool) {
        (MarketConfig memory config, bool present) = MarketLib.loadConfig(leaves, market);
        if (!present) return (Reject.UNKNOWN_MARKET, 0);
        if (config.flags & MarketLib.FEED_ONLY != 0) return (Reject.MARKET_FEED_ONLY, 0);
        return (Reject.NONE, config.riskPool);
    }
}
