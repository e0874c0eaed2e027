// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Bytes} from "../Bytes.sol";
import {Leaves} from "../Leaves.sol";
import {Limits} from "../Limits.sol";
import {Reject} from "../Reject.sol";
import {RemoveReason} from "../RemoveReason.sol";
import {Account, AccountLib} from "../leaves/Account.sol";
import {Globals, GlobalsLib} from "../leaves/Globals.sol";
import {Liquidation, LiquidationLib} from "../leaves/Liquidation.sol";
import {RegistersLib} from "../leaves/Registers.sol";
import {LiquidationMath} from "../risk/Liquidation.sol";
import {Margin, MarginLib} from "../risk/Margin.sol";
import {Markets, MarketsLib} from "../risk/Markets.sol";
import {Entry, EntryLib} from "./Entry.sol";
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
/// its positions MARKET_CONFIG and PRICES, LIQUIDATION(a)*; when it starts REGISTER_WALK*; * written.
library Evaluate {
    using Bytes for bytes;

    uint256 private constant RECORD_KIND = 7;
    uint256 private constant RECORD_BYTES = Limits.RECORD_HEADER_BYTES + 4;
    uint256 private constant PAYLOAD_BYTES = 4;

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
        if (!onBook || late) _enter(e, LiquidationLib.AUCTION);
        else if (phase == LiquidationLib.RESTRICTED) _enter(e, LiquidationLib.BOOK);
    }

    function _enter(Evaluation memory e, uint256 phase) private pure {
        e.held.phase = phase;
        e.held.phaseBegan = e.globals.now_;
        LiquidationLib.store(e.leaves, e.id, e.held);
    }
}
