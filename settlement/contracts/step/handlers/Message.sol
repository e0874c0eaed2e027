// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Bytes} from "../Bytes.sol";
import {Keys} from "../Keys.sol";
import {Leaves, LeavesLib} from "../Leaves.sol";
import {Limits} from "../Limits.sol";
import {MessageDigest} from "../MessageDigest.sol";
import {Operation} from "../Operation.sol";
import {Reject} from "../Reject.sol";
import {Signatures} from "../Signatures.sol";
import {Account, AccountLib} from "../leaves/Account.sol";
import {BookLib, SessionKey} from "../leaves/Book.sol";
import {GlobalsLib} from "../leaves/Globals.sol";
import {MessageRegister, RegistersLib} from "../leaves/Registers.sol";

/// @notice What a message claims, and when.
struct Signed {
    address signer;
    uint256 account;
    uint256 nonce;
    uint256 validUntil;
    /// @dev Bit n is set when an operation of kind n is among its operations.
    uint256 kinds;
    uint256 now_;
}

/// @title MESSAGE: authenticates a signed message and opens it
/// @notice Twin of sequencer/engine/handlers/message.ts, with the form of sequencer/protocol/message.ts. Everything for which
/// the sequencer would have refused the message makes its record inadmissible, whichever reason it would have given.
///
/// Leaves, as far as the reasons before each do not end it:
///   GLOBALS
///   ACCOUNT(account of the message)              written when its owner signed
///   SESSION_KEY(that account, signer)            only when somebody else signed; written
///   REGISTER_MESSAGE                             written
/// A message that is malformed or has no signer needs none.
library Message {
    using Bytes for bytes;

    uint256 private constant BODY = Limits.RECORD_HEADER_BYTES;
    uint256 private constant MINIMUM = Operation.START + Limits.SIGNATURE_BYTES;
    /// @dev Kinds of operation that need the owner's own signature, or a session key that may trade, or lock; bit n stands for
    /// kind n.
    uint256 private constant OWNER_ONLY =
        (1 << Operation.WITHDRAW) | (1 << Operation.TRANSFER) | (1 << Operation.SESSION_KEY) | (1 << Operation.ISOLATE);
    uint256 private constant TRADE_ONLY =
        (1 << Operation.PLACE) | (1 << Operation.AMEND) | (1 << Operation.SET_LEVERAGE);
    uint256 private constant LOCK_ONLY = 1 << Operation.LOCK;

    /// @return Reject.NONE or Reject.INADMISSIBLE
    function run(Leaves memory leaves, bytes calldata record, bytes32 domain) internal pure returns (uint256) {
        (bool wellFormed, uint256 kinds) = check(record);
        if (!wellFormed) return Reject.INADMISSIBLE;
        Signed memory signed = Signed({
            signer: signerOf(record, domain),
            account: record.le(BODY + 4, 4),
            nonce: record.le(BODY + 8, 8),
            validUntil: record.le(BODY + 16, 8),
            kinds: kinds,
            now_: 0
        });
        if (signed.signer == address(0)) return Reject.INADMISSIBLE;
        signed.now_ = GlobalsLib.load(leaves).now_;
        if (signed.validUntil < signed.now_) return Reject.INADMISSIBLE;
        (bool allowed, uint256 scope) = _authenticate(leaves, signed);
        if (!allowed) return Reject.INADMISSIBLE;
        _open(leaves, record, signed.account, scope);
        return Reject.NONE;
    }

    /// @notice Whether the body of a record is a message of good form: `checkMessage` of protocol/message.ts.
    /// @return ok no statement about `kinds` when false
    /// @return kinds bit n is set when an operation of kind n is among its operations
    function check(bytes calldata record) internal pure returns (bool ok, uint256 kinds) {
        uint256 length = record.length;
        if (length <= MINIMUM || length > BODY + Limits.MESSAGE_BYTES_MAX) return (false, 0);
        uint256 scheme = uint8(record[BODY]);
        uint256 count = uint8(record[BODY + 1]);
        uint256 operationBytes = record.le(BODY + 2, 2);
        if (scheme != MessageDigest.SCHEME_SINGLE && scheme != MessageDigest.SCHEME_BUNDLE) return (false, 0);
        if (scheme == MessageDigest.SCHEME_SINGLE && count != 1) return (false, 0);
        if (length != MINIMUM + operationBytes) return (false, 0);
        if (record.le(BODY + 8, 8) > Limits.SAFE_MAX || record.le(BODY + 16, 8) > Limits.SAFE_MAX) return (false, 0);
        return Operation.check(record, Operation.START, Operation.START + operationBytes, count);
    }

    /// @notice Digest that the signer of a well-formed message signed.
    function digestOf(bytes calldata record, bytes32 domain) internal pure returns (bytes32) {
        return Signatures.digest(
            domain, MessageDigest.structHash(record, record.length - Limits.SIGNATURE_BYTES)
        );
    }

    /// @notice Who signed a well-formed message; zero for nobody.
    function signerOf(bytes calldata record, bytes32 domain) internal pure returns (address) {
        return Signatures.signer(digestOf(record, domain), record, record.length - Limits.SIGNATURE_BYTES);
    }

    /// @notice Judges a nonce by a window, and by the clock.
    /// @param high the highest nonce used
    /// @param bits bit n: `high - n` is used
    /// @return fresh whether it may be used now
    /// @return highAfter the window with the nonce used, if it is fresh
    /// @return bitsAfter the same
    function useNonce(uint256 nonce, uint256 now_, uint256 high, uint256 bits)
        internal
        pure
        returns (bool fresh, uint256 highAfter, uint256 bitsAfter)
    {
        if (nonce > now_ + Limits.NONCE_AHEAD_MS_MAX) return (false, high, bits);
        // A shift by the whole width or more gives 0.
        if (nonce > high) return (true, nonce, (bits << (nonce - high)) | 1);
        uint256 back = high - nonce;
        if (back >= Limits.NONCE_WINDOW_BITS || (bits >> back) & 1 != 0) return (false, high, bits);
        return (true, high, bits | (1 << back));
    }

    /// @dev Whether the signer may do it now; uses the nonce, in its own window, if so.
    function _authenticate(Leaves memory leaves, Signed memory signed)
        private
        pure
        returns (bool allowed, uint256 scope)
    {
        (Account memory account, bool present) = AccountLib.loadHead(leaves, signed.account);
        if (!present) return (false, 0);
        if (signed.signer != account.owner) return _bySessionKey(leaves, signed);
        (allowed, account.nonceHigh, account.nonceBits) =
            useNonce(signed.nonce, signed.now_, account.nonceHigh, account.nonceBits);
        if (allowed) AccountLib.storeHead(leaves, signed.account, account);
        return (allowed, Limits.SCOPE_OWNER);
    }

    function _bySessionKey(Leaves memory leaves, Signed memory signed) private pure returns (bool allowed, uint256) {
        bytes32 key = Keys.sessionKey(signed.account, signed.signer);
        (SessionKey memory held, bool present) = BookLib.loadSessionKey(leaves, key);
        if (!present || held.expiry <= signed.now_ || !_mayOperate(held.scope, signed.kinds)) return (false, 0);
        (allowed, held.nonceHigh, held.nonceBits) =
            useNonce(signed.nonce, signed.now_, held.nonceHigh, held.nonceBits);
        if (allowed) BookLib.storeSessionKey(leaves, key, held);
        return (allowed, held.scope);
    }

    /// @dev Cancels and what concerns them need any scope.
    function _mayOperate(uint256 scope, uint256 kinds) private pure returns (bool) {
        if (kinds & OWNER_ONLY != 0 || scope & Operation.SCOPE_ALL == 0) return false;
        if (kinds & LOCK_ONLY != 0 && scope & Operation.SCOPE_LOCK == 0) return false;
        return kinds & TRADE_ONLY == 0 || scope & Operation.SCOPE_TRADE != 0;
    }

    function _open(Leaves memory leaves, bytes calldata record, uint256 account, uint256 scope) private pure {
        RegistersLib.storeMessage(
            leaves,
            MessageRegister({
                bodyHash: keccak256(record[BODY:]),
                account: account,
                scope: scope,
                count: uint8(record[BODY + 1]),
                next: 0,
                offset: 0
            })
        );
    }
}
