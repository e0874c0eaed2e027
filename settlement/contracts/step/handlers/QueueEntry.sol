// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Bytes} from "../Bytes.sol";
import {Keys} from "../Keys.sol";
import {Leaves, LeavesLib} from "../Leaves.sol";
import {Limits} from "../Limits.sol";
import {Reject} from "../Reject.sol";
import {RemoveReason} from "../RemoveReason.sol";
import {FixedPoint} from "../FixedPoint.sol";
import {Account, AccountLib} from "../leaves/Account.sol";
import {BookLib} from "../leaves/Book.sol";
import {OracleLib} from "../leaves/Oracle.sol";
import {IncomingRegister, RegistersLib} from "../leaves/Registers.sol";
import {Entry, EntryLib} from "./Entry.sol";
import {Money, Purse} from "./Money.sol";
import {OpenAccount} from "./OpenAccount.sol";
import {Place} from "./Place.sol";
import {Walk} from "./Walk.sol";

/// @notice Payload of DEPOSIT and WITHDRAW.
struct MoneyPayload {
    uint256 asset;
    uint256 subaccount;
    uint256 amount;
}

/// @title QUEUE_ENTRY: what L1 asks for
/// @notice Twin of sequencer/engine/handlers/queue-entry.ts and of the decoders of sequencer/protocol/queue-entry.ts;
/// configuration is Configure.sol's.
library QueueEntry {
    using Bytes for bytes;

    uint256 internal constant DEPOSIT = 0;
    uint256 internal constant WITHDRAW = 1;
    uint256 internal constant CANCEL_ALL = 2;
    uint256 internal constant REDUCE_ONLY_IOC = 3;

    uint256 private constant MONEY_BYTES = 11;
    uint256 private constant CANCEL_ALL_BYTES = 1;
    uint256 private constant REDUCE_ONLY_BYTES = 16;
    int256 private constant CASH_MAX = int256(Limits.QUOTE_MAX / 2);

    /// @notice The record's own step, DEPOSIT or FORCED: the entry's kind alone decides what is done.
    /// @dev Leaves: QUEUE*, none for a record that is not a whole entry; what a kind and payload that are known need stands
    /// at the functions below; * written.
    /// @return code INADMISSIBLE for what is not the next whole entry
    function run(Leaves memory leaves, bytes calldata record) internal pure returns (uint256 code) {
        (Entry memory entry, bool admissible) = EntryLib.take(leaves, record);
        if (!admissible) return Reject.INADMISSIBLE;
        uint256 kind = entry.kind;
        if (kind == DEPOSIT) return _deposit(leaves, entry);
        if (kind == WITHDRAW) return _withdraw(leaves, entry);
        if (kind == CANCEL_ALL) return _cancelAll(leaves, entry);
        if (kind == REDUCE_ONLY_IOC) return _reduce(leaves, entry);
        return Reject.QUEUE_ENTRY_INVALID;
    }

    /// @dev Leaves: OWNER(owner, subaccount)*, ACCOUNT(its account, or the next one)*, GLOBALS* when it has none; what can't
    /// be credited (another asset, or beyond the cash bound): WITHDRAWN(owner, asset)*, WITHDRAWN_TOTAL(asset)*; * written.
    function _deposit(Leaves memory leaves, Entry memory entry) private pure returns (uint256) {
        (MoneyPayload memory money, bool valid) = _money(entry.payload);
        if (!valid) return Reject.QUEUE_ENTRY_INVALID;
        uint256 id = _accountOf(leaves, entry.owner, money.subaccount);
        Account memory account;
        if (id == 0) {
            (id, account) = OpenAccount.run(leaves, entry.owner, money.subaccount, 0, AccountLib.NOT_ISOLATED);
        } else {
            (account,) = AccountLib.load(leaves, id);
        }
        int256 cash = account.cash + int256(money.amount);
        if (money.asset != Limits.QUOTE_ASSET || cash > CASH_MAX) {
            OracleLib.addWithdrawn(leaves, entry.owner, money.asset, money.amount);
            return money.asset == Limits.QUOTE_ASSET ? Reject.AMOUNT_OUT_OF_RANGE : Reject.UNKNOWN_ASSET;
        }
        account.cash = cash;
        AccountLib.store(leaves, id, account);
        return Reject.NONE;
    }

    /// @dev Pays min(requested, what may be withdrawn).
    /// Leaves: OWNER(owner, subaccount); where there is such an account a, GLOBALS, ACCOUNT(a)*; of each of its positions
    /// MARKET_CONFIG, PRICES and, where funding is unsettled, MARKET_STATE*; when anything goes WITHDRAWN(owner,
    /// QUOTE_ASSET)*, WITHDRAWN_TOTAL(QUOTE_ASSET)*; * written.
    function _withdraw(Leaves memory leaves, Entry memory entry) private pure returns (uint256) {
        (MoneyPayload memory money, bool valid) = _money(entry.payload);
        if (!valid) return Reject.QUEUE_ENTRY_INVALID;
        uint256 id = _accountOf(leaves, entry.owner, money.subaccount);
        if (id == 0) return Reject.UNKNOWN_ACCOUNT;
        Purse memory purse = Money.open(leaves, id);
        if (purse.account.flags & AccountLib.LIQUIDATING != 0) return Reject.LIQUIDATING;
        if (purse.margin.stale) return Reject.ORACLE_STALE;
        if (money.asset != Limits.QUOTE_ASSET) return Reject.UNKNOWN_ASSET;
        if (money.amount == 0) return Reject.AMOUNT_OUT_OF_RANGE;
        uint256 amount = FixedPoint.min(money.amount, Money.withdrawable(purse));
        if (amount == 0) return Reject.INSUFFICIENT_FREE_COLLATERAL;
        Money.payOut(leaves, purse, amount);
        return Reject.NONE;
    }

    /// @dev Leaves: OWNER(owner, subaccount); where there is such an account REGISTER_WALK*; * written.
    function _cancelAll(Leaves memory leaves, Entry memory entry) private pure returns (uint256) {
        if (entry.payload.length != CANCEL_ALL_BYTES) return Reject.QUEUE_ENTRY_INVALID;
        uint256 id = _accountOf(leaves, entry.owner, entry.payload.u(0, 1));
        if (id == 0) return Reject.UNKNOWN_ACCOUNT;
        Walk.open(leaves, id, RegistersLib.EVERY_MARKET, RemoveReason.FORCED, false);
        return Reject.NONE;
    }

    /// @dev An order that only reduces, at once or not at all; own resting orders in its way are canceled.
    /// Leaves: OWNER(owner, subaccount); where there is such an account those of Place.check and Place.openIncoming.
    function _reduce(Leaves memory leaves, Entry memory entry) private pure returns (uint256 code) {
        bytes memory payload = entry.payload;
        if (payload.length != REDUCE_ONLY_BYTES || payload.u(3, 1) > 1 || payload.u(8, 8) > Limits.SAFE_MAX) {
            return Reject.QUEUE_ENTRY_INVALID;
        }
        IncomingRegister memory order;
        order.account = _accountOf(leaves, entry.owner, payload.u(2, 1));
        if (order.account == 0) return Reject.UNKNOWN_ACCOUNT;
        order.market = payload.u(0, 2);
        order.price = payload.u(4, 4);
        order.size = payload.u(8, 8);
        order.flags = payload.u(3, 1) | (BookLib.IOC << 1) | BookLib.REDUCE_ONLY_BIT;
        if (order.price == 0) order.flags |= BookLib.MARKET_ORDER_BIT;
        order.forced = true;
        code = Place.check(leaves, order);
        if (code == Reject.NONE) Place.openIncoming(leaves, order);
    }

    /// @dev Account of (owner, subaccount), 0 when there is none.
    function _accountOf(Leaves memory leaves, address owner, uint256 subaccount) private pure returns (uint256) {
        (bytes memory value, bool present) = LeavesLib.get(leaves, Keys.owner(owner, subaccount));
        return present ? value.u(0, 4) : 0;
    }

    function _money(bytes memory payload) private pure returns (MoneyPayload memory money, bool valid) {
        if (payload.length != MONEY_BYTES) return (money, false);
        money.asset = payload.u(0, 2);
        money.subaccount = payload.u(2, 1);
        money.amount = payload.u(3, 8);
        valid = money.amount <= Limits.SAFE_MAX;
    }
}
