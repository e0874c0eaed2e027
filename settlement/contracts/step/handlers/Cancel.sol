// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Bytes} from "../Bytes.sol";
import {Keys} from "../Keys.sol";
import {Leaves, LeavesLib} from "../Leaves.sol";
import {Operation} from "../Operation.sol";
import {Reject} from "../Reject.sol";
import {Resting, RestingOrder} from "../book/Resting.sol";
import {Account, AccountLib} from "../leaves/Account.sol";
import {MarketConfig, MarketLib} from "../leaves/Market.sol";
import {MessageRegister, RegistersLib} from "../leaves/Registers.sol";
import {FindOrder} from "./FindOrder.sol";

/// @title CANCEL: one resting order, by order id or client id
/// @notice Twin of sequencer/engine/handlers/cancel.ts.
///
/// Leaves:
///   REGISTER_MESSAGE                              written
///   MARKET_CONFIG(market of the operation)
/// and when there is such a market:
///   those by which FindOrder finds the order      with the account of the register
/// and when there is such an order:
///   ACCOUNT(account of the register)              written
///   the leaves of the order (Resting)             written
library Cancel {
    using Bytes for bytes;

    function run(Leaves memory leaves, bytes calldata record) internal pure returns (uint256 code) {
        (MessageRegister memory m,) = RegistersLib.loadMessage(leaves);
        uint256 market = record.le(Operation.START + m.offset + 2, 2);
        (MarketConfig memory config, bool present) = MarketLib.loadConfig(leaves, market);
        code = present ? _cancel(leaves, record, m, market, config.qm) : Reject.UNKNOWN_MARKET;
        RegistersLib.finishOperation(leaves, m, Operation.length(Operation.CANCEL));
    }

    function _cancel(
        Leaves memory leaves,
        bytes calldata record,
        MessageRegister memory m,
        uint256 market,
        uint256 qm
    ) private pure returns (uint256) {
        uint256 at = Operation.START + m.offset;
        uint256 by = record.le(at + 1, 1);
        uint256 id = record.le(at + 8, 8);
        (RestingOrder memory order, bool known) = FindOrder.find(leaves, m.account, market, by, id);
        if (!known) return Reject.UNKNOWN_ORDER;
        (Account memory account,) = AccountLib.load(leaves, m.account);
        Resting.cancel(leaves, account, order, qm);
        AccountLib.store(leaves, m.account, account);
        return Reject.NONE;
    }
}
