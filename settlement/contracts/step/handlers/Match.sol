// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {FixedPoint} from "../FixedPoint.sol";
import {Leaves} from "../Leaves.sol";
import {Resting, RestingOrder} from "../book/Resting.sol";
import {SelfTradePrevention} from "../book/SelfTradePrevention.sol";
import {Account, AccountLib, Position} from "../leaves/Account.sol";
import {BookLib, Counters} from "../leaves/Book.sol";
import {Globals, GlobalsLib} from "../leaves/Globals.sol";
import {MarketLib, MarketState} from "../leaves/Market.sol";
import {IncomingRegister, RegistersLib} from "../leaves/Registers.sol";
import {RiskLib} from "../leaves/Risk.sol";
import {Fill, FillLib} from "../risk/Fill.sol";
import {LiquidatedPosition, LiquidationMath} from "../risk/Liquidation.sol";
import {Margin, MarginLib} from "../risk/Margin.sol";
import {MarketContext, Markets, MarketsLib} from "../risk/Markets.sol";
import {PreTrade} from "../risk/PreTrade.sol";
import {SettleFill} from "../risk/SettleFill.sol";
import {Slice} from "../risk/Slice.sol";

/// @notice The incoming order and the resting order that it meets, with their owners.
struct Meeting {
    Leaves leaves;
    Markets markets;
    MarketContext context;
    IncomingRegister incoming;
    RestingOrder resting;
    Account maker;
    Account taker;
    uint256 makerSide;
    uint256 lots;
    int256 makerFee;
    int256 takerFee;
    /// @dev Of slices.
    uint256 feePpm;
    uint256 bufferPpm;
}

/// @title MATCH: the incoming order meets the first order of the other side
/// @notice Twin of `meet` in sequencer/engine/book/match.ts: a trade at the resting order's price, or one of the two
/// goes. Only while prices cross; the register stays when nothing remains, until REST.
///
/// Leaves: REGISTER_INCOMING (written); range ORDER(market, opposite side), the first; ACCOUNT(its owner) (written
/// unless only the incoming order goes); MARKET_CONFIG(market);
/// the resting order's leaves: ORDER and LEVEL (written), and when it goes ORDER_INDEX, CLIENT_INDEX when its client id
/// is not 0, EXPIRY when it has one (all written);
/// ACCOUNT(incoming's) (written by a trade);
/// unless both orders are of one owner: GLOBALS; PRICES(market);
/// MARKET_CONFIG and PRICES of every market in which the maker has a position record, and the taker if `reducing` or
/// `liquidation`; of a liquidation FUND(risk pool of the taker) (written by a trade with a fee);
/// MARKET_STATE(market) (written by a trade); COUNTERS (written by a trade).
library Match {
    function run(Leaves memory leaves) internal pure {
        Meeting memory m;
        m.leaves = leaves;
        (m.incoming,) = RegistersLib.loadIncoming(leaves);
        m.makerSide = 1 - (m.incoming.flags & BookLib.SIDE_BIT);
        m.resting = Resting.first(leaves, m.incoming.market, m.makerSide);
        (m.maker,) = AccountLib.load(leaves, m.resting.order.account);
        if (_isOwn(m)) _preventSelfTrade(m);
        else _meet(m);
        RegistersLib.storeIncoming(leaves, m.incoming);
    }

    /// @dev Whether both orders belong to one owner; loads the taker's account when it is another one.
    function _isOwn(Meeting memory m) private pure returns (bool) {
        if (m.resting.order.account == m.incoming.account) return true;
        (m.taker,) = AccountLib.load(m.leaves, m.incoming.account);
        return m.taker.owner == m.maker.owner;
    }

    function _preventSelfTrade(Meeting memory m) private pure {
        uint256 qm = MarketLib.loadUnit(m.leaves, m.incoming.market);
        SelfTradePrevention.prevent(m.leaves, m.maker, m.incoming, m.resting, qm);
        AccountLib.store(m.leaves, m.resting.order.account, m.maker);
    }

    function _meet(Meeting memory m) private pure {
        Globals memory globals = GlobalsLib.load(m.leaves);
        (m.feePpm, m.bufferPpm) = (globals.chain.liquidationFeePpm, globals.chain.liquidationBufferPpm);
        m.markets = MarketsLib.open(m.leaves, globals);
        m.context = m.markets.loaded[MarketsLib.place(m.markets, m.incoming.market)];
        m.lots = FixedPoint.min(m.incoming.remaining, m.resting.order.size);
        if (_isReduceOnly(m.resting.order.flags)) {
            m.lots = FixedPoint.min(m.lots, _reducible(m.maker, m.incoming.market, m.makerSide));
            if (m.lots == 0) return _cancelResting(m);
        }
        if (_isReduceOnly(m.incoming.flags)) {
            m.lots = FixedPoint.min(m.lots, _reducible(m.taker, m.incoming.market, 1 - m.makerSide));
            if (m.lots == 0) return _dropIncoming(m);
        }
        if (!SettleFill.mayTrade(m.maker)) return _cancelResting(m);
        if (!SettleFill.mayTrade(m.taker)) return _dropIncoming(m);
        if (m.incoming.liquidation) {
            _boundSlice(m);
            if (m.lots == 0) return _dropIncoming(m);
        }
        _setFees(m);
        if (!_makerCarries(m)) return _cancelResting(m);
        // Initial margin was checked for the whole order at entry; only one that was let in to reduce is checked again.
        if (m.incoming.reducing && !_takerCarries(m)) return _dropIncoming(m);
        _trade(m);
    }

    function _cancelResting(Meeting memory m) private pure {
        Resting.cancel(m.leaves, m.maker, m.resting, m.context.config.qm);
        AccountLib.store(m.leaves, m.resting.order.account, m.maker);
    }

    function _dropIncoming(Meeting memory m) private pure {
        m.incoming.remaining = 0;
    }

    /// @dev Fees charged round up, rebates down.
    function _setFees(Meeting memory m) private pure {
        uint256 notional = m.lots * _lotValue(m);
        int256 makerPpm = m.context.config.makerFeePpm;
        m.makerFee = makerPpm >= 0
            ? int256(FixedPoint.mulPpmUp(notional, uint256(makerPpm)))
            : -int256(FixedPoint.mulPpmDown(notional, uint256(-makerPpm)));
        if (!m.incoming.liquidation) m.takerFee = int256(FixedPoint.mulPpmUp(notional, m.context.config.takerFeePpm));
    }

    /// @dev What the fill of a slice may be, by the margin of the liquidated account as the fills before have left it.
    function _boundSlice(Meeting memory m) private pure {
        Position memory position = m.taker.positions[AccountLib.find(m.taker, m.incoming.market)];
        Margin memory margin = MarginLib.compute(m.markets, m.taker);
        LiquidatedPosition memory p = Slice.position(m.context, position.size, margin);
        uint256 fee;
        (m.lots, fee) = LiquidationMath.sliceFill(p, m.lots, m.resting.price, m.feePpm, m.bufferPpm);
        m.takerFee = int256(fee);
    }

    function _makerCarries(Meeting memory m) private pure returns (bool) {
        uint256 openLots = _isReduceOnly(m.resting.order.flags) ? 0 : m.lots;
        return PreTrade.carries(m.markets, m.context, m.maker, _fill(m, m.makerSide), m.makerFee, openLots);
    }

    function _takerCarries(Meeting memory m) private pure returns (bool) {
        return PreTrade.carries(m.markets, m.context, m.taker, _fill(m, 1 - m.makerSide), m.takerFee, 0);
    }

    function _trade(Meeting memory m) private pure {
        uint256 market = m.incoming.market;
        m.incoming.remaining -= m.lots;
        m.incoming.filled += m.lots;
        m.incoming.filledQuote += m.lots * _lotValue(m);

        MarketState memory state = MarketLib.loadState(m.leaves, market);
        SettleFill.settleFill(m.maker, m.context, state, _fill(m, m.makerSide), m.makerFee);
        SettleFill.settleFill(m.taker, m.context, state, _fill(m, 1 - m.makerSide), m.takerFee);
        state.fees += m.makerFee;
        // The price of a slice is no price for others.
        if (m.incoming.liquidation) {
            if (m.takerFee != 0) RiskLib.addToFund(m.leaves, m.taker.riskPool, m.takerFee);
        } else {
            state.fees += m.takerFee;
            state.lastPrice = m.resting.price;
        }
        MarketLib.storeState(m.leaves, market, state);

        Counters memory counters = BookLib.loadCounters(m.leaves);
        counters.nextTradeId++;
        BookLib.storeCounters(m.leaves, counters);

        uint256 qm = m.context.config.qm;
        if (m.lots == m.resting.order.size) Resting.unrest(m.leaves, m.maker, m.resting, qm);
        else Resting.reduce(m.leaves, m.maker, m.resting, qm, m.lots);
        AccountLib.release(m.maker, market);
        AccountLib.release(m.taker, market);
        AccountLib.store(m.leaves, m.resting.order.account, m.maker);
        AccountLib.store(m.leaves, m.incoming.account, m.taker);
    }

    function _fill(Meeting memory m, uint256 side) private pure returns (Fill memory) {
        return Fill(side, m.lots, _lotValue(m));
    }

    function _lotValue(Meeting memory m) private pure returns (uint256) {
        return m.resting.price * m.context.config.qm;
    }

    function _isReduceOnly(uint256 flags) private pure returns (bool) {
        return flags & BookLib.REDUCE_ONLY_BIT != 0;
    }

    /// @dev Lots by which a fill on `side` would reduce the account's position.
    function _reducible(Account memory account, uint256 market, uint256 side) private pure returns (uint256) {
        uint256 place = AccountLib.find(account, market);
        if (place == AccountLib.NONE) return 0;
        int256 size = account.positions[place].size;
        return FillLib.opposes(size, side) ? FixedPoint.abs(size) : 0;
    }
}
