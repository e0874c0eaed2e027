// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Bytes} from "../Bytes.sol";
import {Keys} from "../Keys.sol";
import {Leaves, LeavesLib} from "../Leaves.sol";
import {Operation} from "../Operation.sol";
import {Reject} from "../Reject.sol";
import {Resting, RestingOrder} from "../book/Resting.sol";
import {Account, AccountLib} from "../leaves/Account.sol";
import {BookLib, Counters, Order} from "../leaves/Book.sol";
import {GlobalsLib} from "../leaves/Globals.sol";
import {MarketConfig, MarketLib, MarketState} from "../leaves/Market.sol";
import {IncomingRegister, MessageRegister, RegistersLib} from "../leaves/Registers.sol";
import {Access} from "../risk/Access.sol";
import {MarketContext, Markets, MarketsLib} from "../risk/Markets.sol";
import {OrderRisk, PreTrade} from "../risk/PreTrade.sol";
import {FindOrder} from "./FindOrder.sol";
import {PriceBand} from "./PriceBand.sol";

/// @notice A change of an order while it is checked.
struct Amendment {
    Leaves leaves;
    Account account;
    Markets markets;
    MarketContext context;
    MarketState state;
    uint256 holder;
    uint256 market;
    uint256 price;
    /// @dev New open size.
    uint256 size;
    /// @dev There is such an order: `resting`.
    bool known;
    RestingOrder resting;
    bool reducing;
}

/// @title AMEND: a resting order's price and open size
/// @notice Twin of sequencer/engine/handlers/amend.ts: a smaller size at the same price keeps its place; a new price or a
/// larger size takes the order out and makes it the incoming order under the same id, with a new priority.
///
///   0 u8 kind   1 u8 by   2 u16 market   4 u32 price   8 u64 size   16 u64 order or client id
///
/// Leaves: REGISTER_MESSAGE (written unless the order is sent in again); MARKET_CONFIG(market); when there is such a
/// market the leaves that FindOrder names, MARKET_STATE(market), GLOBALS, PRICES(market);
/// when there is such an order: ACCOUNT(account) and the order's LEVEL (both, and ORDER, written);
/// unless it only shrinks: post-only: range ORDER(market, opposite side), the first; not reduce-only: MARKET_CONFIG and
/// PRICES of every market in which the account has a position record; ORDER_INDEX, CLIENT_INDEX when its client id is
/// not 0, EXPIRY when it has one (all written); COUNTERS (written); REGISTER_INCOMING (written).
library Amend {
    /// @param record of the open message
    function run(Leaves memory leaves, bytes calldata record) internal pure returns (uint256 code) {
        (MessageRegister memory message,) = RegistersLib.loadMessage(leaves);
        Amendment memory a;
        a.leaves = leaves;
        a.holder = message.account;
        uint256 start = Operation.START + message.offset;
        a.market = Bytes.le(record, start + 2, 2);
        a.price = Bytes.le(record, start + 4, 4);
        a.size = Bytes.le(record, start + 8, 8);
        uint256 by = Bytes.le(record, start + 1, 1);
        uint256 id = Bytes.le(record, start + 16, 8);
        code = _find(a, by, id);
        if (code == Reject.NONE) code = _check(a);
        if (code == Reject.NONE && !_onlyShrinks(a)) {
            _sendInAgain(a);
            return code;
        }
        if (code == Reject.NONE) {
            uint256 lots = a.resting.order.size - a.size;
            Resting.reduce(leaves, a.account, a.resting, a.context.config.qm, lots);
            AccountLib.store(leaves, a.holder, a.account);
        }
        RegistersLib.finishOperation(leaves, message, Operation.length(Operation.AMEND));
    }

    function _find(Amendment memory a, uint256 by, uint256 id) private pure returns (uint256) {
        if (!LeavesLib.has(a.leaves, Keys.marketConfig(a.market))) return Reject.UNKNOWN_MARKET;
        (a.resting, a.known) = FindOrder.find(a.leaves, a.holder, a.market, by, id);
        a.markets = MarketsLib.open(a.leaves, GlobalsLib.load(a.leaves));
        a.context = a.markets.loaded[MarketsLib.place(a.markets, a.market)];
        a.state = MarketLib.loadState(a.leaves, a.market);
        if (a.known) (a.account,) = AccountLib.load(a.leaves, a.holder);
        return Reject.NONE;
    }

    function _check(Amendment memory a) private pure returns (uint256) {
        MarketConfig memory config = a.context.config;
        uint256 status = MarketLib.status(config, a.state);
        if (status == MarketLib.HALTED) return Reject.MARKET_HALTED;
        bool reduceOnly = a.known && a.resting.order.flags & BookLib.REDUCE_ONLY_BIT != 0;
        bool onlyShrinks = _onlyShrinks(a);
        if (status == MarketLib.REDUCE_ONLY && a.known && !reduceOnly && !onlyShrinks) {
            return Reject.MARKET_REDUCE_ONLY;
        }
        if (a.price < 1 || a.price > config.maxPrice) return Reject.PRICE_OUT_OF_RANGE;
        if (a.size < 1 || a.size > config.maxOrderSize || a.size > config.maxPosition) {
            return Reject.SIZE_OUT_OF_RANGE;
        }
        if (!reduceOnly && a.size * a.price * config.qm < config.minNotional) return Reject.NOTIONAL_TOO_SMALL;
        if (!onlyShrinks && !PriceBand.holds(a.context, a.price)) return Reject.PRICE_OUTSIDE_BAND;
        if (!a.known) return Reject.UNKNOWN_ORDER;
        if (a.price == a.resting.price && a.size == a.resting.order.size) return Reject.NOTHING_TO_AMEND;
        if (onlyShrinks) return Reject.NONE;
        uint256 access = reduceOnly ? Reject.NONE : Access.refusal(a.account, config);
        return access == Reject.NONE ? _admit(a) : access;
    }

    function _onlyShrinks(Amendment memory a) private pure returns (bool) {
        return a.known && a.price == a.resting.price && a.size < a.resting.order.size;
    }

    function _admit(Amendment memory a) private pure returns (uint256 code) {
        RestingOrder memory r = a.resting;
        if (r.order.flags & BookLib.POST_ONLY_BIT != 0 && Resting.crosses(a.leaves, a.market, 1 - r.side, a.price)) {
            return Reject.POST_ONLY_WOULD_CROSS;
        }
        OrderRisk memory risked = OrderRisk({
            side: r.side,
            price: a.price,
            size: a.size,
            reduceOnly: r.order.flags & BookLib.REDUCE_ONLY_BIT != 0,
            rests: true,
            replacedLots: r.order.size,
            replacedQuote: r.order.size * r.price * a.context.config.qm
        });
        (code, a.reducing) = PreTrade.admit(a.markets, a.context, a.state.openInterest, a.account, risked);
    }

    function _sendInAgain(Amendment memory a) private pure {
        Order memory o = a.resting.order;
        Counters memory counters = BookLib.loadCounters(a.leaves);
        IncomingRegister memory incoming;
        incoming.account = a.holder;
        incoming.market = a.market;
        incoming.flags = o.flags;
        incoming.price = a.price;
        incoming.size = a.size;
        incoming.remaining = a.size;
        incoming.orderId = o.id;
        incoming.priority = counters.nextOrderId++;
        incoming.clientId = o.clientId;
        incoming.expiry = o.expiry;
        incoming.reducing = a.reducing;
        incoming.amended = true;
        Resting.cancel(a.leaves, a.account, a.resting, a.context.config.qm);
        AccountLib.store(a.leaves, a.holder, a.account);
        BookLib.storeCounters(a.leaves, counters);
        RegistersLib.storeIncoming(a.leaves, incoming);
    }
}
