// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Bytes} from "../Bytes.sol";
import {Keys} from "../Keys.sol";
import {Leaves, LeavesLib} from "../Leaves.sol";
import {Limits} from "../Limits.sol";
import {MessageDigest} from "../MessageDigest.sol";
import {Operation} from "../Operation.sol";
import {Reject} from "../Reject.sol";
import {Account, AccountLib} from "../leaves/Account.sol";
import {BookLib, SessionKey} from "../leaves/Book.sol";
import {Globals, GlobalsLib} from "../leaves/Globals.sol";
import {MessageRegister, RegistersLib} from "../leaves/Registers.sol";
import {RemoveReason} from "../RemoveReason.sol";
import {Walk} from "./Walk.sol";

/// @title SESSION_KEY, CANCEL_AFTER, CANCEL_ON_DISCONNECT, LOCK: what an account has switched on
/// @notice Twin of sequencer/engine/handlers/account-settings.ts.
library AccountSettings {
    using Bytes for bytes;

    /// @dev The nearest dead-man deadline that may be set.
    uint256 internal constant DEAD_MAN_AHEAD_MIN_MS = 1_000;
    uint256 internal constant DISCONNECT_GRACE_MAX_MS = 600_000;

    /// @notice SESSION_KEY. An ended key keeps its leaf: its used nonces must stay used if it is registered again.
    ///
    /// Leaves: GLOBALS; ACCOUNT(account of the register), written with a new key; SESSION_KEY(account, key of the
    /// operation), written; REGISTER_MESSAGE, written. The account is read only when there is no such key.
    function setSessionKey(Leaves memory leaves, bytes calldata record) internal pure returns (uint256 code) {
        (MessageRegister memory m,) = RegistersLib.loadMessage(leaves);
        code = _setSessionKey(leaves, record, Operation.START + m.offset, m.account);
        RegistersLib.finishOperation(leaves, m, Operation.length(Operation.SESSION_KEY));
    }

    /// @notice CANCEL_AFTER: cancels everything at a deadline, unless it is moved before.
    ///
    /// Leaves: GLOBALS; ACCOUNT(account of the register), written; EXPIRY(deadline of the account, EXPIRY_DEAD_MAN, account)
    /// when that is not 0, written; EXPIRY(deadline of the operation, EXPIRY_DEAD_MAN, account) when that is not 0, written;
    /// REGISTER_MESSAGE, written. An invalid deadline needs GLOBALS and the register alone.
    function setCancelAfter(Leaves memory leaves, bytes calldata record) internal pure returns (uint256 code) {
        (MessageRegister memory m,) = RegistersLib.loadMessage(leaves);
        uint256 deadline = record.le(Operation.START + m.offset + 8, 8);
        uint256 earliest = GlobalsLib.load(leaves).now_ + DEAD_MAN_AHEAD_MIN_MS;
        if (deadline != 0 && (deadline < earliest || deadline > Limits.TIME_MS_MAX)) {
            code = Reject.INVALID_DEADLINE;
        } else {
            (Account memory account,) = AccountLib.loadHead(leaves, m.account);
            if (account.deadMan != 0) {
                LeavesLib.remove(leaves, Keys.expiry(account.deadMan, Keys.EXPIRY_DEAD_MAN, m.account));
            }
            account.deadMan = deadline;
            AccountLib.storeHead(leaves, m.account, account);
            if (deadline != 0) {
                BookLib.storeExpiry(leaves, Keys.expiry(deadline, Keys.EXPIRY_DEAD_MAN, m.account));
            }
        }
        RegistersLib.finishOperation(leaves, m, Operation.length(Operation.CANCEL_AFTER));
    }

    /// @notice CANCEL_ON_DISCONNECT: whether a lost connection cancels everything, and after how long.
    ///
    /// Leaves: ACCOUNT(account of the register), written; REGISTER_MESSAGE, written. Too long a grace needs the register
    /// alone.
    function setCancelOnDisconnect(Leaves memory leaves, bytes calldata record)
        internal
        pure
        returns (uint256 code)
    {
        (MessageRegister memory m,) = RegistersLib.loadMessage(leaves);
        uint256 at = Operation.START + m.offset;
        uint256 graceMs = record.le(at + 4, 4);
        if (graceMs > DISCONNECT_GRACE_MAX_MS) {
            code = Reject.INVALID_DEADLINE;
        } else {
            (Account memory account,) = AccountLib.loadHead(leaves, m.account);
            account.disconnectGrace = record.le(at + 1, 1) == 1 ? graceMs + 1 : 0;
            AccountLib.storeHead(leaves, m.account, account);
        }
        RegistersLib.finishOperation(leaves, m, Operation.length(Operation.CANCEL_ON_DISCONNECT));
    }

    /// @notice LOCK: the kill switch cancels every order, by a walk that ends the operation, and from then on the account may
    /// only reduce and nothing leaves it. The owner's signature alone unlocks.
    ///
    /// Leaves: REGISTER_MESSAGE, written unless it locks; ACCOUNT(account of the register), written; REGISTER_WALK, written
    /// when it locks. An unlock that is not the owner's needs the register alone.
    function setLock(Leaves memory leaves, bytes calldata record) internal pure returns (uint256 code) {
        (MessageRegister memory m,) = RegistersLib.loadMessage(leaves);
        bool locks = record.le(Operation.START + m.offset + 1, 1) == 1;
        if (!locks && m.scope != Limits.SCOPE_OWNER) {
            code = Reject.SCOPE_NOT_ALLOWED;
        } else {
            (Account memory account,) = AccountLib.loadHead(leaves, m.account);
            account.flags = locks ? account.flags | AccountLib.LOCKED : account.flags & ~AccountLib.LOCKED;
            AccountLib.storeHead(leaves, m.account, account);
            if (locks) {
                Walk.open(leaves, m.account, RegistersLib.EVERY_MARKET, RemoveReason.CANCELED_ALL, true);
                return Reject.NONE;
            }
        }
        RegistersLib.finishOperation(leaves, m, Operation.length(Operation.LOCK));
    }

    function _setSessionKey(Leaves memory leaves, bytes calldata record, uint256 at, uint256 id)
        private
        pure
        returns (uint256)
    {
        Globals memory globals = GlobalsLib.load(leaves);
        address key = MessageDigest.sessionKeyAt(record, at);
        bytes32 leaf = Keys.sessionKey(id, key);
        (SessionKey memory held, bool present) = BookLib.loadSessionKey(leaves, leaf);
        uint256 scope = record.le(at + 1, 1);
        uint256 expiry = record.le(at + 24, 8);
        Account memory account;
        if (!present) {
            (account,) = AccountLib.loadHead(leaves, id);
            if (expiry != 0 && account.sessionKeys >= globals.chain.sessionKeysMax) {
                return Reject.TOO_MANY_SESSION_KEYS;
            }
        }
        if (key == address(0) || (!present && expiry == 0) || !_isValid(scope, expiry, globals.now_)) {
            return Reject.INVALID_SESSION_KEY;
        }
        if (!present) {
            account.sessionKeys++;
            AccountLib.storeHead(leaves, id, account);
            // Nonce 0 counts as used.
            held.nonceBits = 1;
        }
        held.scope = scope;
        held.expiry = expiry;
        BookLib.storeSessionKey(leaves, leaf, held);
        return Reject.NONE;
    }

    /// @dev Expiry 0 ends a key, without a scope.
    function _isValid(uint256 scope, uint256 expiry, uint256 now_) private pure returns (bool) {
        if (expiry == 0) return scope == 0;
        return scope >= 1 && scope <= Operation.SCOPE_ALL && expiry > now_ && expiry <= Limits.TIME_MS_MAX;
    }
}
