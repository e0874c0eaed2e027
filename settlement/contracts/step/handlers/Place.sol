// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Bytes} from "../Bytes.sol";
import {Keys} from "../Keys.sol";
import {Leaves, LeavesLib} from "../Leaves.sol";
import {Limits} from "../Limits.sol";
import {Operation} from "../Operation.sol";
import {Reject} from "../Reject.sol";
import {Resting} from "../book/Resting.sol";
import {FillOrKill, TimeInForce} from "../book/TimeInForce.sol";
import {Account, AccountLib} from "../leaves/Account.sol";
import {BookLib, Counters} from "../leaves/Book.sol";
import {Globals, GlobalsLib} from "../leaves/Globals.sol";
import {MarketConfig, MarketLib, MarketState} from "../leaves/Market.sol";
import {IncomingRegister, MessageRegister, RegistersLib} from "../leaves/Registers.sol";
import {Access} from "../risk/Access.sol";
import {MarketContext, Markets, MarketsLib} from "../risk/Markets.sol";
import {OrderRisk, PreTrade} from "../risk/PreTrade.sol";
import {PriceBand} from "./PriceBand.sol";

/// @notice A new order while it is checked.
struct NewOrder {
    Leaves leaves;
    Globals globals;
    Account account;
    Markets markets;
    MarketContext context;
    MarketState state;
    /// @dev The register that it becomes; a market order's price becomes its bound.
    IncomingRegister order;
}

/// @title PLACE: a new order is checked, takes an id, and becomes the incoming order
/// @notice Twin of sequencer/engine/handlers/place.ts.
///
///   0 u8 kind   1 u8 flags   2 u16 market   4 u32 price   8 u64 size   16 u64 client id   24 u64 expiry, ms
///
/// Leaves: REGISTER_MESSAGE (written when the order is rejected); GLOBALS; MARKET_CONFIG(market); when there is such a
/// market MARKET_STATE(market), PRICES(market), ACCOUNT(account);
/// client id ≠ 0: CLIENT_INDEX(account, market, client id);
/// post-only: range ORDER(market, opposite side), the first;
/// fill-or-kill: range LEVEL(market, opposite side), the first 32;
/// not reduce-only: MARKET_CONFIG and PRICES of every market in which the account has a position record;
/// COUNTERS (written); REGISTER_INCOMING (written).
library Place {
    uint256 private constant BUY = 0;

    /// @param record of the open message
    function run(Leaves memory leaves, bytes calldata record) internal pure returns (uint256 code) {
        (MessageRegister memory message,) = RegistersLib.loadMessage(leaves);
        IncomingRegister memory order = _read(record, message);
        code = check(leaves, order);
        if (code == Reject.NONE) openIncoming(leaves, order);
        else RegistersLib.finishOperation(leaves, message, Operation.length(Operation.PLACE));
    }

    /// @notice The rules in the order of their codes. A market order's price becomes its bound, and `reducing` says
    /// whether the order is accepted only because it reduces.
    /// @dev Leaves: those above but for REGISTER_MESSAGE, COUNTERS and REGISTER_INCOMING; none is written.
    function check(Leaves memory leaves, IncomingRegister memory order) internal pure returns (uint256 code) {
        if (!LeavesLib.has(leaves, Keys.marketConfig(order.market))) return Reject.UNKNOWN_MARKET;
        NewOrder memory n;
        n.leaves = leaves;
        n.order = order;
        n.globals = GlobalsLib.load(leaves);
        n.markets = MarketsLib.open(leaves, n.globals);
        n.context = n.markets.loaded[MarketsLib.place(n.markets, order.market)];
        n.state = MarketLib.loadState(leaves, order.market);
        (n.account,) = AccountLib.load(leaves, order.account);
        code = _checkForm(n);
        if (code == Reject.NONE) code = _checkFields(n);
        if (code == Reject.NONE) code = _checkAccount(n);
        if (code == Reject.NONE) code = _checkBook(n);
        if (code == Reject.NONE) code = _admit(n);
    }

    /// @notice The checked order takes an id and becomes the incoming order.
    /// @dev Leaves: COUNTERS, REGISTER_INCOMING, both written.
    function openIncoming(Leaves memory leaves, IncomingRegister memory order) internal pure {
        Counters memory counters = BookLib.loadCounters(leaves);
        order.orderId = counters.nextOrderId;
        order.priority = counters.nextOrderId;
        order.remaining = order.size;
        counters.nextOrderId++;
        BookLib.storeCounters(leaves, counters);
        RegistersLib.storeIncoming(leaves, order);
    }

    function _read(bytes calldata record, MessageRegister memory message)
        private
        pure
        returns (IncomingRegister memory order)
    {
        uint256 start = Operation.START + message.offset;
        order.account = message.account;
        order.flags = Bytes.le(record, start + 1, 1);
        order.market = Bytes.le(record, start + 2, 2);
        order.price = Bytes.le(record, start + 4, 4);
        order.size = Bytes.le(record, start + 8, 8);
        order.clientId = Bytes.le(record, start + 16, 8);
        order.expiry = Bytes.le(record, start + 24, 8);
    }

    function _checkForm(NewOrder memory n) private pure returns (uint256) {
        uint256 flags = n.order.flags;
        uint256 status = MarketLib.status(n.context.config, n.state);
        if (status == MarketLib.HALTED) return Reject.MARKET_HALTED;
        if (status == MarketLib.REDUCE_ONLY && flags & BookLib.REDUCE_ONLY_BIT == 0) return Reject.MARKET_REDUCE_ONLY;
        bool marketOrder = flags & BookLib.MARKET_ORDER_BIT != 0;
        bool immediate = _isImmediate(flags);
        if (marketOrder && !immediate) return Reject.INVALID_TIME_IN_FORCE;
        if (flags & BookLib.POST_ONLY_BIT != 0 && immediate) return Reject.INVALID_FLAGS;
        return Reject.NONE;
    }

    function _checkFields(NewOrder memory n) private pure returns (uint256) {
        IncomingRegister memory order = n.order;
        MarketConfig memory config = n.context.config;
        if (order.price == 0 && order.flags & BookLib.MARKET_ORDER_BIT != 0) {
            (uint256 low, uint256 high) = PriceBand.bounds(n.context);
            order.price = order.flags & BookLib.SIDE_BIT == BUY ? high : low;
        } else if (order.price < 1 || order.price > config.maxPrice) {
            return Reject.PRICE_OUT_OF_RANGE;
        }
        if (order.size < 1 || order.size > config.maxOrderSize || order.size > config.maxPosition) {
            return Reject.SIZE_OUT_OF_RANGE;
        }
        if (order.flags & BookLib.REDUCE_ONLY_BIT == 0 && order.size * order.price * config.qm < config.minNotional) {
            return Reject.NOTIONAL_TOO_SMALL;
        }
        if (BookLib.timeInForce(order.flags) == BookLib.GTD
                ? order.expiry <= n.globals.now_ || order.expiry > Limits.TIME_MS_MAX
                : order.expiry != 0) return Reject.EXPIRY_IN_PAST;
        if (!PriceBand.holds(n.context, order.price)) return Reject.PRICE_OUTSIDE_BAND;
        return Reject.NONE;
    }

    function _checkAccount(NewOrder memory n) private pure returns (uint256) {
        IncomingRegister memory order = n.order;
        if (
            order.clientId != 0
                && LeavesLib.has(n.leaves, Keys.clientIndex(order.account, order.market, order.clientId))
        ) return Reject.DUPLICATE_CLIENT_ID;
        if (!_isImmediate(order.flags) && n.account.openOrders >= n.globals.chain.openOrdersMax) {
            return Reject.TOO_MANY_OPEN_ORDERS;
        }
        if (
            n.account.positions.length >= Limits.POSITIONS_MAX
                && AccountLib.find(n.account, order.market) == AccountLib.NONE
        ) return Reject.TOO_MANY_POSITIONS;
        if (order.flags & BookLib.REDUCE_ONLY_BIT != 0) return Reject.NONE;
        if (n.account.flags & AccountLib.LIQUIDATING != 0) return Reject.LIQUIDATING;
        if (n.account.flags & AccountLib.LOCKED != 0) return Reject.ACCOUNT_LOCKED;
        return Access.refusal(n.account, n.context.config);
    }

    function _checkBook(NewOrder memory n) private pure returns (uint256) {
        IncomingRegister memory order = n.order;
        uint256 side = order.flags & BookLib.SIDE_BIT;
        if (order.flags & BookLib.POST_ONLY_BIT != 0 && Resting.crosses(n.leaves, order.market, 1 - side, order.price)) return Reject.POST_ONLY_WOULD_CROSS;
        if (BookLib.timeInForce(order.flags) != BookLib.FOK) return Reject.NONE;
        FillOrKill memory fok = FillOrKill(order.market, side, order.price, order.size, order.flags);
        return TimeInForce.isFillable(n.leaves, n.account, fok) ? Reject.NONE : Reject.FOK_NOT_FILLABLE;
    }

    function _admit(NewOrder memory n) private pure returns (uint256 code) {
        IncomingRegister memory order = n.order;
        OrderRisk memory risked = OrderRisk({
            side: order.flags & BookLib.SIDE_BIT,
            price: order.price,
            size: order.size,
            reduceOnly: order.flags & BookLib.REDUCE_ONLY_BIT != 0,
            rests: !_isImmediate(order.flags),
            replacedLots: 0,
            replacedQuote: 0
        });
        (code, order.reducing) = PreTrade.admit(n.markets, n.context, n.state.openInterest, n.account, risked);
    }

    function _isImmediate(uint256 flags) private pure returns (bool) {
        uint256 timeInForce = BookLib.timeInForce(flags);
        return timeInForce == BookLib.IOC || timeInForce == BookLib.FOK;
    }
}
