// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Bytes} from "../Bytes.sol";
import {Leaves} from "../Leaves.sol";
import {Limits} from "../Limits.sol";
import {Operation} from "../Operation.sol";
import {Reject} from "../Reject.sol";
import {Account, AccountLib} from "../leaves/Account.sol";
import {Globals, GlobalsLib} from "../leaves/Globals.sol";
import {OracleLib} from "../leaves/Oracle.sol";
import {MessageRegister, RegistersLib} from "../leaves/Registers.sol";
import {Margin, MarginLib} from "../risk/Margin.sol";
import {Markets, MarketsLib} from "../risk/Markets.sol";
import {SettleFill} from "../risk/SettleFill.sol";
import {Withdrawable} from "../risk/Withdrawable.sol";

/// @notice An account that money may leave.
struct Purse {
    uint256 id;
    Account account;
    Markets markets;
    Margin margin;
    uint256 floorPpm;
}

/// @title WITHDRAW and TRANSFER: collateral leaves an account, to L1 or to another account of the same owner
/// @notice Twin of sequencer/engine/handlers/money.ts.
library Money {
    using Bytes for bytes;

    int256 private constant CASH_MAX = int256(Limits.QUOTE_MAX / 2);

    /// @notice WITHDRAW.
    /// @dev Leaves, a the account of the message register: REGISTER_MESSAGE*, GLOBALS, ACCOUNT(a)*; of each of its
    /// positions MARKET_CONFIG, PRICES and, where funding is unsettled, MARKET_STATE*; when it may go WITHDRAWN(owner of a,
    /// QUOTE_ASSET)*, WITHDRAWN_TOTAL(QUOTE_ASSET)*; * written.
    /// @param record of the open message
    function withdraw(Leaves memory leaves, bytes calldata record) internal pure returns (uint256 code) {
        (MessageRegister memory message,) = RegistersLib.loadMessage(leaves);
        uint256 at = Operation.START + message.offset;
        Purse memory purse = open(leaves, message.account);
        uint256 amount = record.le(at + 8, 8);
        code = _check(purse, record.le(at + 2, 2), amount);
        if (code == Reject.NONE) payOut(leaves, purse, amount);
        RegistersLib.finishOperation(leaves, message, Operation.length(Operation.WITHDRAW));
    }

    /// @notice TRANSFER.
    /// @dev Leaves, a the account of the message register, t the one of the operation: REGISTER_MESSAGE*, GLOBALS,
    /// ACCOUNT(a)*, ACCOUNT(t)* (absent where there is none); of each position of a MARKET_CONFIG, PRICES and, where
    /// funding is unsettled, MARKET_STATE*; * written.
    /// @param record of the open message
    function transfer(Leaves memory leaves, bytes calldata record) internal pure returns (uint256 code) {
        (MessageRegister memory message,) = RegistersLib.loadMessage(leaves);
        uint256 at = Operation.START + message.offset;
        uint256 to = record.le(at + 4, 4);
        uint256 amount = record.le(at + 8, 8);
        Purse memory purse = open(leaves, message.account);
        (Account memory other, bool exists) = AccountLib.load(leaves, to);
        code = _check(purse, record.le(at + 2, 2), amount);
        if (code == Reject.NONE || code >= Reject.AMOUNT_OUT_OF_RANGE) {
            if (exists && other.cash + int256(amount) > CASH_MAX) code = Reject.AMOUNT_OUT_OF_RANGE;
            else if (code == Reject.NONE) code = _mayReceive(purse, to, other, exists);
        }
        if (code == Reject.NONE) {
            _take(purse, amount);
            other.cash += int256(amount);
            AccountLib.store(leaves, purse.id, purse.account);
            AccountLib.store(leaves, to, other);
        }
        RegistersLib.finishOperation(leaves, message, Operation.length(Operation.TRANSFER));
    }

    /// @notice An account with its margin.
    /// @dev Leaves: GLOBALS, ACCOUNT(id), of each of its positions MARKET_CONFIG and PRICES.
    function open(Leaves memory leaves, uint256 id) internal pure returns (Purse memory purse) {
        Globals memory globals = GlobalsLib.load(leaves);
        purse.id = id;
        (purse.account,) = AccountLib.load(leaves, id);
        purse.markets = MarketsLib.open(leaves, globals);
        purse.margin = MarginLib.compute(purse.markets, purse.account);
        purse.floorPpm = globals.chain.withdrawalFloorPpm;
    }

    /// @notice q that may leave now.
    function withdrawable(Purse memory purse) internal pure returns (uint256) {
        return Withdrawable.amount(purse.markets, purse.account, purse.margin, purse.floorPpm);
    }

    /// @notice Moves `amount` from the account to what its owner may withdraw on L1.
    /// @dev Leaves: ACCOUNT(id)*, of each of its positions with unsettled funding MARKET_STATE*, WITHDRAWN(owner,
    /// QUOTE_ASSET)*, WITHDRAWN_TOTAL(QUOTE_ASSET)*; * written.
    function payOut(Leaves memory leaves, Purse memory purse, uint256 amount) internal pure {
        _take(purse, amount);
        AccountLib.store(leaves, purse.id, purse.account);
        OracleLib.addWithdrawn(leaves, purse.account.owner, Limits.QUOTE_ASSET, amount);
    }

    /// @dev The account in memory has its funding settled and is poorer by `amount`.
    function _take(Purse memory purse, uint256 amount) private pure {
        SettleFill.settleAllFunding(purse.markets, purse.account);
        purse.account.cash -= int256(amount);
    }

    function _check(Purse memory purse, uint256 asset, uint256 amount) private pure returns (uint256) {
        return Withdrawable.check(purse.markets, purse.account, purse.margin, purse.floorPpm, asset, amount);
    }

    /// @dev Another account of the same owner.
    function _mayReceive(Purse memory purse, uint256 to, Account memory other, bool exists)
        private
        pure
        returns (uint256)
    {
        bool allowed = exists && to != purse.id && other.owner == purse.account.owner;
        return allowed ? Reject.NONE : Reject.TRANSFER_NOT_ALLOWED;
    }
}
