// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Leaves} from "../Leaves.sol";
import {Operation} from "../Operation.sol";
import {Resting} from "../book/Resting.sol";
import {Account, AccountLib} from "../leaves/Account.sol";
import {BookLib} from "../leaves/Book.sol";
import {MarketLib} from "../leaves/Market.sol";
import {IncomingRegister, MessageRegister, RegistersLib} from "../leaves/Registers.sol";

/// @title REST: the incoming order's rest comes to rest, or is not kept; its operation ends
/// @notice Twin of `rest` in sequencer/engine/book/match.ts and of the ends of place.ts and amend.ts.
///
/// Leaves: REGISTER_INCOMING (written); unless forced: REGISTER_MESSAGE (written);
/// something remains of a GTC or GTD order: MARKET_CONFIG(market); PRICES(market); ACCOUNT(account) (written); the leaves
/// of the order at its price and priority: ORDER, LEVEL, ORDER_INDEX, CLIENT_INDEX when its client id is not 0, EXPIRY
/// when it has one (all written).
library Rest {
    /// @param record of the open message; empty when the order is forced
    function run(Leaves memory leaves, bytes calldata record) internal pure {
        (IncomingRegister memory incoming,) = RegistersLib.loadIncoming(leaves);
        uint256 timeInForce = BookLib.timeInForce(incoming.flags);
        if (incoming.remaining > 0 && (timeInForce == BookLib.GTC || timeInForce == BookLib.GTD)) {
            uint256 qm = MarketLib.loadUnit(leaves, incoming.market);
            int256 fundingIndex = MarketLib.loadPrices(leaves, incoming.market).fundingIndex;
            (Account memory account,) = AccountLib.load(leaves, incoming.account);
            Resting.rest(leaves, account, incoming, fundingIndex, qm);
            AccountLib.store(leaves, incoming.account, account);
        }
        RegistersLib.clearIncoming(leaves);
        if (incoming.forced) return;
        (MessageRegister memory message,) = RegistersLib.loadMessage(leaves);
        uint256 operation = Operation.kindAt(record, message.offset);
        RegistersLib.finishOperation(leaves, message, Operation.length(operation));
    }
}
