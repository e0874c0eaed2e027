// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Bounds of the protocol
/// @notice Twin of sequencer/protocol/limits.ts, as far as steps need them.
library Limits {
    uint256 internal constant MESSAGE_OPERATIONS_MAX = 50;
    uint256 internal constant OPERATION_BYTES_MAX = 32;
    uint256 internal constant MESSAGE_HEADER_BYTES = 24;
    uint256 internal constant SIGNATURE_BYTES = 65;
    uint256 internal constant MESSAGE_BYTES_MAX = 24 + 50 * 32 + 65;
    uint256 internal constant RECORD_HEADER_BYTES = 12;
    uint256 internal constant RECORD_BODY_BYTES_MAX = 2048;
    uint256 internal constant PUBLISHERS_MAX = 16;
    uint256 internal constant PUBLISHERS_MIN = 5;
    uint256 internal constant PRICE_REPORT_BYTES = 89;
    uint256 internal constant PRICE_ROUND_HEADER_BYTES = 4;
    uint256 internal constant QUEUE_ENTRY_HEADER_BYTES = 32;
    uint256 internal constant POSITIONS_MAX = 16;
    uint256 internal constant ASSET_ROWS_MAX = 8;
    uint256 internal constant OPEN_ORDERS_PER_ACCOUNT_MAX = 10_000;
    uint256 internal constant SESSION_KEYS_PER_ACCOUNT_MAX = 32;
    uint256 internal constant MARKETS_MAX = 1024;
    uint256 internal constant ASSETS_MAX = 64;
    uint256 internal constant TIERS_MAX = 8;
    uint256 internal constant DEPTH_LEVELS_MAX = 32;
    uint256 internal constant NONCE_WINDOW_BITS = 256;
    uint256 internal constant NONCE_AHEAD_MS_MAX = 86_400_000;
    uint256 internal constant SAFE_MAX = 2 ** 53 - 1;
    uint256 internal constant PRICE_MAX = 2 ** 32 - 1;
    uint256 internal constant SIZE_MAX = 2 ** 48 - 1;
    uint256 internal constant CLIENT_ID_MAX = 2 ** 53 - 1;
    uint256 internal constant TIME_MS_MAX = 2 ** 48 - 1;
    uint256 internal constant NOTIONAL_MAX = 2 ** 48;
    uint256 internal constant WHOLE_QUOTE_MAX = 2 ** 28;
    uint256 internal constant QUOTE_MAX = 2 ** 51;
    uint256 internal constant TRADING_CASH_MAX = 2 ** 51 - 2 * 2 ** 48;
    uint256 internal constant FUNDING_PAYMENT_MAX = 2 ** 47;
    uint256 internal constant SEGMENT_WEIGHT_MAX = 10_000_000;
    uint256 internal constant SCOPE_OWNER = 0xff;
    uint256 internal constant QUOTE_ASSET = 0;
    uint256 internal constant ACCRUAL_INTERVAL_MS = 3_600_000;
}
