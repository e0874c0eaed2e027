// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Keys of the two state trees
/// @notice Twin of sequencer/state/keys.ts, which lists them: kind byte first, big-endian, zeros at the end.
library Keys {
    bytes32 internal constant GLOBALS = bytes32(uint256(0x01) << 248);
    bytes32 internal constant PUBLISHERS = bytes32(uint256(0x07) << 248);
    bytes32 internal constant QUEUE = bytes32(uint256(0x0a) << 248);
    bytes32 internal constant COUNTERS = bytes32(uint256(0x40) << 248);
    bytes32 internal constant REGISTER_MESSAGE = bytes32(uint256(0x47) << 248);
    bytes32 internal constant REGISTER_INCOMING = bytes32((uint256(0x47) << 248) | (uint256(1) << 240));
    bytes32 internal constant REGISTER_WALK = bytes32((uint256(0x47) << 248) | (uint256(2) << 240));
    bytes32 internal constant REGISTER_RECORD = bytes32((uint256(0x47) << 248) | (uint256(3) << 240));
    /// @dev Keys below are of the ledger, the others of the book.
    uint256 internal constant BOOK_KINDS_FROM = 0x40;

    uint256 internal constant PRICES_PER_LEAF = 4;
    uint256 internal constant EXPIRY_ORDER = 0;
    uint256 internal constant EXPIRY_DEAD_MAN = 1;
    /// @dev Prefix under which every order, or every level, of one side of a market stands.
    uint256 internal constant SIDE_BITS = 32;
    uint256 internal constant EXPIRY_BITS = 8;
    bytes32 internal constant EXPIRY_PREFIX = bytes32(uint256(0x46) << 248);
    /// @dev Prefixes of an account's orders: all, and those of one market.
    uint256 internal constant ACCOUNT_ORDERS_BITS = 40;
    uint256 internal constant ACCOUNT_MARKET_ORDERS_BITS = 56;

    uint256 private constant BUY = 0;

    function account(uint256 id) internal pure returns (bytes32) {
        return bytes32((uint256(0x02) << 248) | (id << 216));
    }

    function owner(address holder, uint256 subaccount) internal pure returns (bytes32) {
        return bytes32((uint256(0x03) << 248) | (uint256(uint160(holder)) << 88) | (subaccount << 80));
    }

    function marketConfig(uint256 market) internal pure returns (bytes32) {
        return bytes32((uint256(0x04) << 248) | (market << 232));
    }

    function marketState(uint256 market) internal pure returns (bytes32) {
        return bytes32((uint256(0x05) << 248) | (market << 232));
    }

    /// @notice The leaf with the prices of `market`, and of the others of its group.
    function prices(uint256 market) internal pure returns (bytes32) {
        return bytes32((uint256(0x06) << 248) | ((market / PRICES_PER_LEAF) << 232));
    }

    function oracle(uint256 market) internal pure returns (bytes32) {
        return bytes32((uint256(0x08) << 248) | (market << 232));
    }

    function withdrawn(address holder, uint256 asset) internal pure returns (bytes32) {
        return bytes32((uint256(0x09) << 248) | (uint256(uint160(holder)) << 88) | (asset << 72));
    }

    function withdrawnTotal(uint256 asset) internal pure returns (bytes32) {
        return bytes32((uint256(0x0b) << 248) | (asset << 232));
    }

    function assetConfig(uint256 asset) internal pure returns (bytes32) {
        return bytes32((uint256(0x0c) << 248) | (asset << 232));
    }

    /// @notice Lending pool of an asset, and the sum of what accounts hold of it.
    function pool(uint256 asset) internal pure returns (bytes32) {
        return bytes32((uint256(0x0d) << 248) | (asset << 232));
    }

    /// @notice Insurance fund of a risk pool.
    function fund(uint256 riskPool) internal pure returns (bytes32) {
        return bytes32((uint256(0x0e) << 248) | (riskPool << 240));
    }

    function marketRisk(uint256 market) internal pure returns (bytes32) {
        return bytes32((uint256(0x0f) << 248) | (market << 232));
    }

    function liquidation(uint256 holder) internal pure returns (bytes32) {
        return bytes32((uint256(0x10) << 248) | (holder << 216));
    }

    /// @notice Bid for the positions of an account in auction.
    function bid(uint256 liquidated, uint256 bidder) internal pure returns (bytes32) {
        return bytes32((uint256(0x11) << 248) | (liquidated << 216) | (bidder << 184));
    }

    /// @notice Backstop vault of a risk pool.
    function vault(uint256 riskPool) internal pure returns (bytes32) {
        return bytes32((uint256(0x12) << 248) | (riskPool << 240));
    }

    function vaultShare(uint256 holder, uint256 riskPool) internal pure returns (bytes32) {
        return bytes32((uint256(0x13) << 248) | (holder << 216) | (riskPool << 208));
    }

    /// @notice Market-maker protection of an account in a market.
    function protection(uint256 holder, uint256 market) internal pure returns (bytes32) {
        return bytes32((uint256(0x14) << 248) | (holder << 216) | (market << 200));
    }

    /// @notice The price for asks, its complement for bids: the first key of a side has the best price.
    function priorityPrice(uint256 side, uint256 price) internal pure returns (uint256) {
        return side == BUY ? type(uint32).max - price : price;
    }

    function order(uint256 market, uint256 side, uint256 price, uint256 priority) internal pure returns (bytes32) {
        return bytes32(uint256(_place(0x41, market, side)) | (priorityPrice(side, price) << 192) | (priority << 128));
    }

    function level(uint256 market, uint256 side, uint256 price) internal pure returns (bytes32) {
        return bytes32(uint256(_place(0x42, market, side)) | (priorityPrice(side, price) << 192));
    }

    /// @notice Prefix of SIDE_BITS bits.
    function orders(uint256 market, uint256 side) internal pure returns (bytes32) {
        return _place(0x41, market, side);
    }

    /// @notice Prefix of SIDE_BITS bits.
    function levels(uint256 market, uint256 side) internal pure returns (bytes32) {
        return _place(0x42, market, side);
    }

    /// @notice Price in ticks of an order's or level's key.
    function priceOf(bytes32 key) internal pure returns (uint256) {
        return priorityPrice(uint8(key[3]), uint32(uint256(key) >> 192));
    }

    /// @notice Time priority of an order's key.
    function priorityOf(bytes32 key) internal pure returns (uint256) {
        return uint64(uint256(key) >> 128);
    }

    function orderIndex(uint256 holder, uint256 market, uint256 orderId) internal pure returns (bytes32) {
        return bytes32((uint256(0x43) << 248) | (holder << 216) | (market << 200) | (orderId << 136));
    }

    /// @notice Prefix of ACCOUNT_ORDERS_BITS bits, or with a market of ACCOUNT_MARKET_ORDERS_BITS bits.
    function accountOrders(uint256 holder) internal pure returns (bytes32) {
        return bytes32((uint256(0x43) << 248) | (holder << 216));
    }

    /// @notice Whether a key is one of an order's index by its id.
    function isOrderIndex(bytes32 key) internal pure returns (bool) {
        return uint256(key) >> 248 == 0x43;
    }

    /// @notice Account of an order index key.
    function indexAccountOf(bytes32 key) internal pure returns (uint256) {
        return uint32(uint256(key) >> 216);
    }

    /// @notice Market of an order index key.
    function indexMarketOf(bytes32 key) internal pure returns (uint256) {
        return uint16(uint256(key) >> 200);
    }

    /// @notice Order id of an order index key.
    function indexIdOf(bytes32 key) internal pure returns (uint256) {
        return uint64(uint256(key) >> 136);
    }

    function clientIndex(uint256 holder, uint256 market, uint256 clientId) internal pure returns (bytes32) {
        return bytes32((uint256(0x44) << 248) | (holder << 216) | (market << 200) | (clientId << 136));
    }

    function sessionKey(uint256 holder, address key) internal pure returns (bytes32) {
        return bytes32((uint256(0x45) << 248) | (holder << 216) | (uint256(uint160(key)) << 56));
    }

    function expiry(uint256 time, uint256 kind, uint256 id) internal pure returns (bytes32) {
        return bytes32(uint256(EXPIRY_PREFIX) | (time << 200) | (kind << 192) | (id << 128));
    }

    function expiryTimeOf(bytes32 key) internal pure returns (uint256) {
        return uint48(uint256(key) >> 200);
    }

    function expiryKindOf(bytes32 key) internal pure returns (uint256) {
        return uint8(uint256(key) >> 192);
    }

    function expiryIdOf(bytes32 key) internal pure returns (uint256) {
        return uint64(uint256(key) >> 128);
    }

    function _place(uint256 kind, uint256 market, uint256 side) private pure returns (bytes32) {
        return bytes32((kind << 248) | (market << 232) | (side << 224));
    }
}
