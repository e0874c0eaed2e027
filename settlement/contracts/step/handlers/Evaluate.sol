// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Bytes} from "../Bytes.sol";
import {FixedPoint} from "../FixedPoint.sol";
import {Leaves} from "../Leaves.sol";
import {Limits} from "../Limits.sol";
import {Reject} from "../Reject.sol";
import {RemoveReason} from "../RemoveReason.sol";
import {Account, AccountLib, Position} from "../leaves/Account.sol";
import {BookLib} from "../leaves/Book.sol";
import {Globals, GlobalsLib} from "../leaves/Globals.sol";
import {Liquidation, LiquidationLib} from "../leaves/Liquidation.sol";
import {MarketLib, MarketState} from "../leaves/Market.sol";
import {IncomingRegister, RegistersLib} from "../leaves/Registers.sol";
import {RiskLib} from "../leaves/Risk.sol";
import {LiquidatedPosition, LiquidationMath} from "../risk/Liquidation.sol";
import {Margin, MarginLib} from "../risk/Margin.sol";
import {MarketContext, Markets, MarketsLib} from "../risk/Markets.sol";
import {Slice} from "../risk/Slice.sol";
import {Entry, EntryLib} from "./Entry.sol";
import {Place} from "./Place.sol";
import {Walk} from "./Walk.sol";

/// @notice An account that is looked at.
struct Evaluation {
    Leaves leaves;
    uint256 id;
    Globals globals;
    Account account;
    Markets markets;
    Margin margin;
    Liquidation held;
}

/// @title EVALUATE: starts, carries on or ends the liquidation of one account
/// @notice Twin of sequencer/engine/handlers/evaluate.ts.
///
/// Leaves, a the account: of an entry of the L1 queue QUEUE*; ACCOUNT(a)*; where there is such an account GLOBALS, of each of
/// its positions MARKET_CONFIG and PRICES, LIQUIDATION(a)*; when it starts REGISTER_WALK*; with a slice MARKET_STATE and
/// MARKET_RISK*, of its market, COUNTERS*, REGISTER_INCOMING*; * written.
library Evaluate {
    using Bytes for bytes;

    uint256 private constant RECORD_KIND = 7;
    uint256 private constant RECORD_BYTES = Limits.RECORD_HEADER_BYTES + 4;
    uint256 private constant PAYLOAD_BYTES = 4;
    uint256 private constant BUY = 0;
    uint256 private constant SELL = 1;

    /// @return code INADMISSIBLE for a record of no account, and for what is not the next whole entry
    function run(Leaves memory leaves, bytes calldata record) internal pure returns (uint256 code) {
        bool ofRecord = uint8(record[4]) == RECORD_KIND;
        Evaluation memory e;
        if (ofRecord) {
            if (record.length != RECORD_BYTES) return Reject.INADMISSIBLE;
            e.id = record.le(Limits.RECORD_HEADER_BYTES, 4);
        } else {
            (Entry memory entry, bool admissible) = EntryLib.take(leaves, record);
            if (!admissible) return Reject.INADMISSIBLE;
            if (entry.payload.length != PAYLOAD_BYTES) return Reject.QUEUE_ENTRY_INVALID;
            e.id = entry.payload.u(0, 4);
        }
        bool present;
        (e.account, present) = AccountLib.load(leaves, e.id);
        if (!present) return ofRecord ? Reject.INADMISSIBLE : Reject.UNKNOWN_ACCOUNT;
        e.leaves = leaves;
        e.globals = GlobalsLib.load(leaves);
        e.markets = MarketsLib.open(leaves, e.globals);
        code = _evaluate(e);
        // Nobody is told the code of a record.
        if (ofRecord) code = Reject.NONE;
    }

    function _evaluate(Evaluation memory e) private pure returns (uint256) {
        e.margin = MarginLib.compute(e.markets, e.account);
        if (e.margin.frozen) return Reject.ORACLE_STALE;
        bool open;
        (e.held, open) = LiquidationLib.load(e.leaves, e.id);
        if (e.margin.equityMaintenance >= e.margin.maintenance) {
            if (open) _end(e);
        } else if (open) {
            _carryOn(e);
        } else {
            _start(e);
        }
        return Reject.NONE;
    }

    function _start(Evaluation memory e) private pure {
        e.account.flags |= AccountLib.LIQUIDATING;
        AccountLib.storeHead(e.leaves, e.id, e.account);
        e.held.began = e.globals.now_;
        _enter(e, LiquidationLib.RESTRICTED);
        Walk.open(e.leaves, e.id, RegistersLib.EVERY_MARKET, RemoveReason.LIQUIDATION, false);
    }

    function _end(Evaluation memory e) private pure {
        e.account.flags &= ~AccountLib.LIQUIDATING;
        AccountLib.storeHead(e.leaves, e.id, e.account);
        LiquidationLib.remove(e.leaves, e.id);
    }

    /// @dev Phases follow one another, none is skipped back to.
    function _carryOn(Evaluation memory e) private pure {
        uint256 phase = e.held.phase;
        if (phase > LiquidationLib.BOOK) return;
        bool onBook = e.margin.equityMaintenance >= LiquidationMath.closeOut(e.margin.maintenance);
        bool late = phase == LiquidationLib.BOOK && e.globals.now_ >= e.held.phaseBegan + e.globals.chain.bookPhaseMs;
        if (!onBook || late) return _enter(e, LiquidationLib.AUCTION);
        if (phase == LiquidationLib.RESTRICTED) _enter(e, LiquidationLib.BOOK);
        _sendSlice(e);
    }

    /// @dev A slice of the position with the largest maintenance margin becomes the incoming order: not so soon after the last
    /// one, nor while the market has taken as much as its depth allows.
    function _sendSlice(Evaluation memory e) private pure {
        if (e.globals.now_ < e.held.sliceTime + e.globals.chain.auctionRoundMs) return;
        Position memory held = e.account.positions[Slice.largest(e.markets, e.account)];
        MarketContext memory context = e.markets.loaded[MarketsLib.place(e.markets, held.market)];
        MarketState memory state = MarketLib.loadState(e.leaves, held.market);
        if (MarketLib.status(context.config, state) == MarketLib.HALTED) return;
        if (e.globals.now_ < RiskLib.pacedUntil(e.leaves, held.market)) return;
        (e.held.market, e.held.sliceTime) = (held.market, e.globals.now_);
        LiquidationLib.store(e.leaves, e.id, e.held);
        Place.openIncoming(e.leaves, _slice(e, context, held));
    }

    function _slice(Evaluation memory e, MarketContext memory context, Position memory held)
        private
        pure
        returns (IncomingRegister memory order)
    {
        LiquidatedPosition memory position = Slice.position(context, held.size, e.margin);
        uint256 elapsed = e.globals.now_ - e.held.phaseBegan;
        uint256 interval = e.globals.chain.sliceIntervalMs;
        order.account = e.id;
        order.market = held.market;
        order.flags = (held.size > 0 ? SELL : BUY) | (BookLib.IOC << 1) | BookLib.REDUCE_ONLY_BIT;
        order.price = FixedPoint.min(context.config.maxPrice, LiquidationMath.slicePrice(position, elapsed, interval));
        order.size = LiquidationMath.sliceLots(position, elapsed, interval, e.globals.chain.sliceNotional);
        uint256 depth = context.prices.depth;
        if (depth > 0) {
            uint256 lotValue = position.mark * position.qm;
            order.size = FixedPoint.min(order.size, LiquidationMath.flowLots(lotValue, depth));
            RiskLib.pace(e.leaves, held.market, e.globals.now_ + LiquidationMath.flowMs(order.size, lotValue, depth));
        }
        (order.forced, order.liquidation) = (true, true);
    }

    function _enter(Evaluation memory e, uint256 phase) private pure {
        e.held.phase = phase;
        e.held.phaseBegan = e.globals.now_;
        LiquidationLib.store(e.leaves, e.id, e.held);
    }
}
