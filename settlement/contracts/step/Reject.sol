// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Why an operation does nothing
/// @notice The codes of sequencer/protocol/reject.ts that steps give. No code is part of the state; a step returns it so that
/// it can be compared with what the sender was told.
library Reject {
    uint256 internal constant NONE = 0;
    uint256 internal constant UNKNOWN_ACCOUNT = 101;
    uint256 internal constant SCOPE_NOT_ALLOWED = 108;
    uint256 internal constant UNKNOWN_MARKET = 200;
    uint256 internal constant MARKET_HALTED = 201;
    uint256 internal constant MARKET_REDUCE_ONLY = 202;
    uint256 internal constant INVALID_TIME_IN_FORCE = 203;
    uint256 internal constant INVALID_FLAGS = 204;
    uint256 internal constant PRICE_OUT_OF_RANGE = 205;
    uint256 internal constant SIZE_OUT_OF_RANGE = 206;
    uint256 internal constant NOTIONAL_TOO_SMALL = 207;
    uint256 internal constant EXPIRY_IN_PAST = 208;
    uint256 internal constant PRICE_OUTSIDE_BAND = 209;
    uint256 internal constant DUPLICATE_CLIENT_ID = 210;
    uint256 internal constant UNKNOWN_ORDER = 211;
    uint256 internal constant TOO_MANY_OPEN_ORDERS = 212;
    uint256 internal constant TOO_MANY_POSITIONS = 213;
    uint256 internal constant NOTHING_TO_AMEND = 214;
    uint256 internal constant LIQUIDATING = 215;
    uint256 internal constant ACCOUNT_LOCKED = 216;
    uint256 internal constant MARKET_FEED_ONLY = 220;
    uint256 internal constant ACCOUNT_ISOLATED = 221;
    uint256 internal constant MARKET_ISOLATED_ONLY = 222;
    uint256 internal constant RISK_POOL_MISMATCH = 223;
    uint256 internal constant INVALID_LEVERAGE = 224;
    uint256 internal constant POST_ONLY_WOULD_CROSS = 300;
    uint256 internal constant FOK_NOT_FILLABLE = 301;
    uint256 internal constant REDUCE_ONLY_WOULD_INCREASE = 302;
    uint256 internal constant ORACLE_STALE = 400;
    uint256 internal constant POSITION_TOO_LARGE = 401;
    uint256 internal constant OPEN_INTEREST_TOO_LARGE = 402;
    uint256 internal constant INSUFFICIENT_MARGIN = 403;
    uint256 internal constant UNKNOWN_ASSET = 500;
    uint256 internal constant AMOUNT_OUT_OF_RANGE = 501;
    uint256 internal constant INSUFFICIENT_FREE_COLLATERAL = 502;
    uint256 internal constant TRANSFER_NOT_ALLOWED = 503;
    uint256 internal constant TOO_MANY_SESSION_KEYS = 504;
    uint256 internal constant INVALID_SESSION_KEY = 505;
    uint256 internal constant INVALID_DEADLINE = 506;
    uint256 internal constant SUBACCOUNT_EXISTS = 510;
    uint256 internal constant QUEUE_ENTRY_INVALID = 700;
    uint256 internal constant CONFIGURATION_INVALID = 701;
    /// @dev A record that should never have been sequenced: its segment is a fraud.
    uint256 internal constant INADMISSIBLE = 65535;
}
