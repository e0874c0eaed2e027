// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Bytes} from "./Bytes.sol";
import {Limits} from "./Limits.sol";
import {Operation} from "./Operation.sol";
import {BookLib} from "./leaves/Book.sol";

/// @title What the signer of a message signs
/// @notice Twin of sequencer/protocol/signing.ts: EIP-712, one readable type per operation (scheme 1), or the packed bytes of a
/// bundle (scheme 2).
library MessageDigest {
    using Bytes for bytes;

    uint256 internal constant SCHEME_SINGLE = 1;
    uint256 internal constant SCHEME_BUNDLE = 2;

    bytes32 internal constant ORDER_TYPEHASH = keccak256(
        "Order(uint32 account,uint64 nonce,uint64 validUntil,uint16 market,bool isSell,uint32 price,uint64 size,uint8 timeInForce,bool postOnly,bool reduceOnly,bool marketOrder,uint8 selfTradePrevention,uint64 clientId,uint64 expiry)"
    );
    bytes32 internal constant CANCEL_TYPEHASH = keccak256(
        "Cancel(uint32 account,uint64 nonce,uint64 validUntil,uint16 market,bool byClientId,uint64 id)"
    );
    bytes32 internal constant CANCEL_ALL_TYPEHASH =
        keccak256("CancelAll(uint32 account,uint64 nonce,uint64 validUntil,uint16 market,bool everyMarket)");
    bytes32 internal constant AMEND_TYPEHASH = keccak256(
        "Amend(uint32 account,uint64 nonce,uint64 validUntil,uint16 market,bool byClientId,uint64 id,uint32 price,uint64 size)"
    );
    bytes32 internal constant WITHDRAW_TYPEHASH =
        keccak256("Withdraw(uint32 account,uint64 nonce,uint64 validUntil,uint16 asset,uint64 amount)");
    bytes32 internal constant TRANSFER_TYPEHASH = keccak256(
        "Transfer(uint32 account,uint64 nonce,uint64 validUntil,uint16 asset,uint32 toAccount,uint64 amount)"
    );
    bytes32 internal constant SESSION_KEY_TYPEHASH = keccak256(
        "SessionKey(uint32 account,uint64 nonce,uint64 validUntil,address key,uint8 scope,uint64 expiry)"
    );
    bytes32 internal constant CANCEL_AFTER_TYPEHASH =
        keccak256("CancelAfter(uint32 account,uint64 nonce,uint64 validUntil,uint64 deadline)");
    bytes32 internal constant CANCEL_ON_DISCONNECT_TYPEHASH = keccak256(
        "CancelOnDisconnect(uint32 account,uint64 nonce,uint64 validUntil,bool enabled,uint32 graceMs)"
    );
    bytes32 internal constant SET_LEVERAGE_TYPEHASH =
        keccak256("SetLeverage(uint32 account,uint64 nonce,uint64 validUntil,uint16 market,uint32 initialPpm)");
    bytes32 internal constant ISOLATE_TYPEHASH = keccak256(
        "Isolate(uint32 account,uint64 nonce,uint64 validUntil,uint8 subaccount,uint16 market,uint32 riskPool)"
    );
    bytes32 internal constant LOCK_TYPEHASH =
        keccak256("Lock(uint32 account,uint64 nonce,uint64 validUntil,bool locked)");
    bytes32 internal constant BUNDLE_TYPEHASH =
        keccak256("Operations(uint32 account,uint64 nonce,uint64 validUntil,bytes operations)");

    uint256 private constant BODY = Limits.RECORD_HEADER_BYTES;
    uint256 private constant ENVELOPE_WORDS = 4;

    /// @notice Struct hash of the message in a record; its form is good.
    /// @param end where its operations end
    function structHash(bytes calldata record, uint256 end) internal pure returns (bytes32) {
        if (uint8(record[BODY]) == SCHEME_SINGLE) return _single(record);
        bytes32[] memory words = _envelope(record, BUNDLE_TYPEHASH, 1);
        words[4] = keccak256(record[Operation.START:end]);
        return _hash(words);
    }

    function _single(bytes calldata record) private pure returns (bytes32) {
        uint256 kind = Operation.kindAt(record, 0);
        if (kind == Operation.PLACE) return _place(record);
        if (kind == Operation.CANCEL) return _cancel(record);
        if (kind == Operation.CANCEL_ALL) return _cancelAll(record);
        if (kind == Operation.AMEND) return _amend(record);
        if (kind == Operation.WITHDRAW) return _withdraw(record);
        if (kind == Operation.TRANSFER) return _transfer(record);
        if (kind == Operation.SESSION_KEY) return _sessionKey(record);
        if (kind == Operation.CANCEL_AFTER) return _cancelAfter(record);
        if (kind == Operation.SET_LEVERAGE) return _setLeverage(record);
        if (kind == Operation.ISOLATE) return _isolate(record);
        if (kind == Operation.LOCK) return _lock(record);
        return _cancelOnDisconnect(record);
    }

    function _place(bytes calldata record) private pure returns (bytes32) {
        bytes32[] memory words = _envelope(record, ORDER_TYPEHASH, 11);
        uint256 flags = _field(record, 1, 1);
        words[4] = bytes32(_field(record, 2, 2));
        words[5] = bytes32(flags & BookLib.SIDE_BIT);
        words[6] = bytes32(_field(record, 4, 4));
        words[7] = bytes32(_field(record, 8, 8));
        words[8] = bytes32(BookLib.timeInForce(flags));
        words[9] = _bit(flags & BookLib.POST_ONLY_BIT);
        words[10] = _bit(flags & BookLib.REDUCE_ONLY_BIT);
        words[11] = _bit(flags & BookLib.MARKET_ORDER_BIT);
        words[12] = bytes32(BookLib.selfTradePrevention(flags));
        words[13] = bytes32(_field(record, 16, 8));
        words[14] = bytes32(_field(record, 24, 8));
        return _hash(words);
    }

    function _cancel(bytes calldata record) private pure returns (bytes32) {
        bytes32[] memory words = _envelope(record, CANCEL_TYPEHASH, 3);
        words[4] = bytes32(_field(record, 2, 2));
        words[5] = bytes32(_field(record, 1, 1));
        words[6] = bytes32(_field(record, 8, 8));
        return _hash(words);
    }

    function _cancelAll(bytes calldata record) private pure returns (bytes32) {
        bytes32[] memory words = _envelope(record, CANCEL_ALL_TYPEHASH, 2);
        words[4] = bytes32(_field(record, 2, 2));
        words[5] = bytes32(_field(record, 1, 1));
        return _hash(words);
    }

    function _amend(bytes calldata record) private pure returns (bytes32) {
        bytes32[] memory words = _envelope(record, AMEND_TYPEHASH, 5);
        words[4] = bytes32(_field(record, 2, 2));
        words[5] = bytes32(_field(record, 1, 1));
        words[6] = bytes32(_field(record, 16, 8));
        words[7] = bytes32(_field(record, 4, 4));
        words[8] = bytes32(_field(record, 8, 8));
        return _hash(words);
    }

    function _withdraw(bytes calldata record) private pure returns (bytes32) {
        bytes32[] memory words = _envelope(record, WITHDRAW_TYPEHASH, 2);
        words[4] = bytes32(_field(record, 2, 2));
        words[5] = bytes32(_field(record, 8, 8));
        return _hash(words);
    }

    function _transfer(bytes calldata record) private pure returns (bytes32) {
        bytes32[] memory words = _envelope(record, TRANSFER_TYPEHASH, 3);
        words[4] = bytes32(_field(record, 2, 2));
        words[5] = bytes32(_field(record, 4, 4));
        words[6] = bytes32(_field(record, 8, 8));
        return _hash(words);
    }

    function _sessionKey(bytes calldata record) private pure returns (bytes32) {
        bytes32[] memory words = _envelope(record, SESSION_KEY_TYPEHASH, 3);
        words[4] = bytes32(uint256(uint160(sessionKeyAt(record, Operation.START))));
        words[5] = bytes32(_field(record, 1, 1));
        words[6] = bytes32(_field(record, 24, 8));
        return _hash(words);
    }

    function _cancelAfter(bytes calldata record) private pure returns (bytes32) {
        bytes32[] memory words = _envelope(record, CANCEL_AFTER_TYPEHASH, 1);
        words[4] = bytes32(_field(record, 8, 8));
        return _hash(words);
    }

    function _cancelOnDisconnect(bytes calldata record) private pure returns (bytes32) {
        bytes32[] memory words = _envelope(record, CANCEL_ON_DISCONNECT_TYPEHASH, 2);
        words[4] = bytes32(_field(record, 1, 1));
        words[5] = bytes32(_field(record, 4, 4));
        return _hash(words);
    }

    function _setLeverage(bytes calldata record) private pure returns (bytes32) {
        bytes32[] memory words = _envelope(record, SET_LEVERAGE_TYPEHASH, 2);
        words[4] = bytes32(_field(record, 2, 2));
        words[5] = bytes32(_field(record, 4, 4));
        return _hash(words);
    }

    function _isolate(bytes calldata record) private pure returns (bytes32) {
        bytes32[] memory words = _envelope(record, ISOLATE_TYPEHASH, 3);
        words[4] = bytes32(_field(record, 1, 1));
        words[5] = bytes32(_field(record, 2, 2));
        words[6] = bytes32(_field(record, 4, 4));
        return _hash(words);
    }

    function _lock(bytes calldata record) private pure returns (bytes32) {
        bytes32[] memory words = _envelope(record, LOCK_TYPEHASH, 1);
        words[4] = bytes32(_field(record, 1, 1));
        return _hash(words);
    }

    /// @notice The key that the SESSION_KEY operation at `at` is about.
    function sessionKeyAt(bytes calldata record, uint256 at) internal pure returns (address key) {
        assembly ("memory-safe") {
            key := shr(96, calldataload(add(record.offset, add(at, 4))))
        }
    }

    /// @dev Field of the only operation.
    function _field(bytes calldata record, uint256 at, uint256 width) private pure returns (uint256) {
        return record.le(Operation.START + at, width);
    }

    function _bit(uint256 flag) private pure returns (bytes32) {
        return bytes32(uint256(flag == 0 ? 0 : 1));
    }

    /// @dev Type, account, nonce, time, and room for `more` words.
    function _envelope(bytes calldata record, bytes32 typeHash, uint256 more)
        private
        pure
        returns (bytes32[] memory words)
    {
        words = new bytes32[](ENVELOPE_WORDS + more);
        words[0] = typeHash;
        words[1] = bytes32(record.le(BODY + 4, 4));
        words[2] = bytes32(record.le(BODY + 8, 8));
        words[3] = bytes32(record.le(BODY + 16, 8));
    }

    function _hash(bytes32[] memory words) private pure returns (bytes32 hash) {
        assembly ("memory-safe") {
            hash := keccak256(add(words, 32), shl(5, mload(words)))
        }
    }
}
