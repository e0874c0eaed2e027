// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Bytes} from "../Bytes.sol";
import {FixedPoint} from "../FixedPoint.sol";
import {Keys} from "../Keys.sol";
import {Leaves, LeavesLib} from "../Leaves.sol";
import {Limits} from "../Limits.sol";
import {Operation} from "../Operation.sol";
import {Reject} from "../Reject.sol";
import {Account, AccountLib, Position} from "../leaves/Account.sol";
import {GlobalsLib} from "../leaves/Globals.sol";
import {MessageRegister, RegistersLib} from "../leaves/Registers.sol";
import {Access} from "../risk/Access.sol";
import {Margin, MarginLib} from "../risk/Margin.sol";
import {MarketContext, Markets, MarketsLib} from "../risk/Markets.sol";

/// @notice A leverage setting while it is checked.
struct LeverageSetting {
    Leaves leaves;
    Account account;
    Markets markets;
    MarketContext context;
    uint256 market;
    /// @dev The account's own floor of the initial rate; 0 removes it.
    uint256 initialPpm;
    /// @dev Of the record in the market, AccountLib.NONE when there is none.
    uint256 place;
}

/// @title SET_LEVERAGE: the account's own floor of the initial rate in one market
/// @notice Twin of `setLeverage` in sequencer/engine/handlers/account-settings.ts: refused where it raises what the account
/// must hold beyond what it has; the record is kept while the setting stands.
///
///   0 u8 kind   1 u8 0   2 u16 market   4 u32 initialPpm
///
/// Leaves, a the account of the register: REGISTER_MESSAGE*; MARKET_CONFIG(market); when there is such a market GLOBALS,
/// PRICES(market), ACCOUNT(a)*; where a has a record there, MARKET_CONFIG and PRICES of its other markets; * written.
library SetLeverage {
    /// @param record of the open message
    function run(Leaves memory leaves, bytes calldata record) internal pure returns (uint256 code) {
        (MessageRegister memory message,) = RegistersLib.loadMessage(leaves);
        uint256 start = Operation.START + message.offset;
        LeverageSetting memory s;
        s.leaves = leaves;
        s.market = Bytes.le(record, start + 2, 2);
        s.initialPpm = Bytes.le(record, start + 4, 4);
        if (LeavesLib.has(leaves, Keys.marketConfig(s.market))) code = _set(s, message.account);
        else code = Reject.UNKNOWN_MARKET;
        RegistersLib.finishOperation(leaves, message, Operation.length(Operation.SET_LEVERAGE));
    }

    function _set(LeverageSetting memory s, uint256 id) private pure returns (uint256 code) {
        s.markets = MarketsLib.open(s.leaves, GlobalsLib.load(s.leaves));
        s.context = s.markets.loaded[MarketsLib.place(s.markets, s.market)];
        (s.account,) = AccountLib.load(s.leaves, id);
        s.place = AccountLib.find(s.account, s.market);
        if (s.initialPpm == 0) {
            if (s.place != AccountLib.NONE) {
                s.account.positions[s.place].leveragePpm = 0;
                AccountLib.release(s.account, s.market);
                AccountLib.store(s.leaves, id, s.account);
            }
            return Reject.NONE;
        }
        code = _refusal(s);
        if (code != Reject.NONE) return code;
        Position memory position = AccountLib.ensure(s.account, s.market, s.context.prices.fundingIndex);
        position.leveragePpm = s.initialPpm;
        AccountLib.store(s.leaves, id, s.account);
    }

    /// @dev Of a setting that is not removed.
    function _refusal(LeverageSetting memory s) private pure returns (uint256 code) {
        if (s.place == AccountLib.NONE && s.account.positions.length >= Limits.POSITIONS_MAX) {
            return Reject.TOO_MANY_POSITIONS;
        }
        code = Access.refusal(s.account, s.context.config);
        if (code != Reject.NONE) return code;
        if (s.initialPpm > FixedPoint.MILLION) return Reject.INVALID_LEVERAGE;
        return s.place == AccountLib.NONE || _carries(s) ? Reject.NONE : Reject.INSUFFICIENT_MARGIN;
    }

    /// @dev Changes the setting in memory. What raises nothing is always carried.
    function _carries(LeverageSetting memory s) private pure returns (bool) {
        Margin memory before = MarginLib.compute(s.markets, s.account);
        s.account.positions[s.place].leveragePpm = s.initialPpm;
        Margin memory after_ = MarginLib.compute(s.markets, s.account);
        return after_.initial <= before.initial || after_.equityInitial >= after_.initial;
    }
}
