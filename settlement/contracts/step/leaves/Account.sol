// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Bytes} from "../Bytes.sol";
import {Keys} from "../Keys.sol";
import {Leaves, LeavesLib} from "../Leaves.sol";

/// @notice A position with the totals of its open orders; lots and q.
struct Position {
    uint256 market;
    int256 size;
    /// @dev Minus the signed cost of what is held.
    int256 v;
    /// @dev As of the last settlement.
    int256 fundingIndex;
    uint256 bidLots;
    uint256 askLots;
    uint256 bidQuote;
    uint256 askQuote;
    uint256 reduceOnlyLots;
    /// @dev The account's own floor of the initial rate; 0 none.
    uint256 leveragePpm;
}

/// @notice What an account holds of one asset: units, and shares of its lending pool. Never all zero in a leaf.
struct AssetRow {
    uint256 asset;
    /// @dev 0 for the quote asset, whose balance is `cash`.
    uint256 balance;
    uint256 supplyShares;
    uint256 debtShares;
}

struct Account {
    address owner;
    uint256 subaccount;
    int256 cash;
    uint256 nonceHigh;
    /// @dev Bit n (0 = least significant): nonce `nonceHigh - n` is used.
    uint256 nonceBits;
    uint256 deadMan;
    /// @dev ms + 1; 0 off.
    uint256 disconnectGrace;
    uint256 openOrders;
    uint256 sessionKeys;
    uint256 riskPool;
    /// @dev LIQUIDATING, LOCKED, BACKSTOP_VAULT.
    uint256 flags;
    /// @dev NOT_ISOLATED, or the one market of an isolated account.
    uint256 isolatedMarket;
    /// @dev By ascending market, at most 16.
    Position[] positions;
    /// @dev By ascending asset, at most 8.
    AssetRow[] assets;
}

/// @title Leaf ACCOUNT
/// @notice 96 bytes, 78 a position and 26 an asset row, as sequencer/state/leaves.ts draws them.
library AccountLib {
    using Bytes for bytes;

    uint256 internal constant BYTES = 96;
    uint256 internal constant POSITION_BYTES = 78;
    uint256 internal constant ASSET_ROW_BYTES = 26;
    uint256 internal constant NOT_ISOLATED = 0xffff;
    uint256 internal constant LIQUIDATING = 1;
    uint256 internal constant LOCKED = 2;
    uint256 internal constant BACKSTOP_VAULT = 4;
    /// @dev Where the numbers of positions and of asset rows stand.
    uint256 private constant POSITIONS = 87;
    uint256 private constant ASSETS = 88;
    uint256 internal constant NONE = type(uint256).max;

    /// @return account meaningless when there is none
    function load(Leaves memory leaves, uint256 id) internal pure returns (Account memory account, bool present) {
        bytes memory value;
        (value, present) = LeavesLib.get(leaves, Keys.account(id));
        if (!present) return (account, false);
        _decodeHead(value, account);
        _decodeRows(value, account);
    }

    function store(Leaves memory leaves, uint256 id, Account memory account) internal pure {
        LeavesLib.set(leaves, Keys.account(id), encode(account));
    }

    /// @notice An account that was just created: nonce 0 counts as used.
    function create(address owner, uint256 subaccount) internal pure returns (Account memory account) {
        account.owner = owner;
        account.subaccount = subaccount;
        account.nonceBits = 1;
        account.isolatedMarket = NOT_ISOLATED;
    }

    /// @notice An account without its positions and asset rows, for steps that look at none: most of a full account's cost
    /// is theirs.
    /// @return account meaningless when there is none
    function loadHead(Leaves memory leaves, uint256 id) internal pure returns (Account memory account, bool present) {
        bytes memory value;
        (value, present) = LeavesLib.get(leaves, Keys.account(id));
        if (present) _decodeHead(value, account);
    }

    /// @notice Writes all but the positions and asset rows, which stay as they are. The account must be there.
    function storeHead(Leaves memory leaves, uint256 id, Account memory account) internal pure {
        (bytes memory before,) = LeavesLib.get(leaves, Keys.account(id));
        (bytes memory value, uint256 start) = Bytes.allocate(before.length);
        assembly ("memory-safe") {
            mcopy(start, add(before, 32), mload(before))
        }
        bytes32 rest;
        uint256 end = start + BYTES;
        assembly ("memory-safe") {
            // The last field is written by a whole word, which reaches beyond it.
            rest := mload(end)
        }
        _encodeHead(account, start, before.u(POSITIONS, 1), before.u(ASSETS, 1));
        assembly ("memory-safe") {
            mstore(end, rest)
        }
        LeavesLib.set(leaves, Keys.account(id), value);
    }

    function decode(bytes memory value) internal pure returns (Account memory a) {
        _decodeHead(value, a);
        _decodeRows(value, a);
    }

    function _decodeRows(bytes memory value, Account memory a) private pure {
        uint256 count = value.u(POSITIONS, 1);
        Position[] memory positions = new Position[](count);
        for (uint256 n = 0; n < count; n++) {
            _decodePosition(value, BYTES + n * POSITION_BYTES, positions[n]);
        }
        a.positions = positions;
        uint256 rows = value.u(ASSETS, 1);
        AssetRow[] memory assets = new AssetRow[](rows);
        for (uint256 n = 0; n < rows; n++) {
            _decodeAsset(value, BYTES + count * POSITION_BYTES + n * ASSET_ROW_BYTES, assets[n]);
        }
        a.assets = assets;
    }

    function _decodeHead(bytes memory value, Account memory a) private pure {
        a.owner = address(uint160(value.u(0, 20)));
        a.subaccount = value.u(20, 1);
        a.cash = value.i(21, 8);
        a.nonceHigh = value.u(29, 8);
        a.nonceBits = value.u(37, 32);
        a.deadMan = value.u(69, 6);
        a.disconnectGrace = value.u(75, 6);
        a.openOrders = value.u(81, 4);
        a.sessionKeys = value.u(85, 2);
        a.riskPool = value.u(89, 1);
        a.flags = value.u(90, 1);
        a.isolatedMarket = value.u(91, 2);
    }

    function encode(Account memory a) internal pure returns (bytes memory value) {
        uint256 count = a.positions.length;
        uint256 rows = a.assets.length;
        uint256 at;
        (value, at) = Bytes.allocate(BYTES + count * POSITION_BYTES + rows * ASSET_ROW_BYTES);
        at = _encodeHead(a, at, count, rows);
        for (uint256 n = 0; n < count; n++) {
            at = _encodePosition(a.positions[n], at);
        }
        for (uint256 n = 0; n < rows; n++) {
            at = _encodeAsset(a.assets[n], at);
        }
    }

    function _encodeHead(Account memory a, uint256 at, uint256 count, uint256 rows) private pure returns (uint256) {
        at = Bytes.put(at, uint160(a.owner), 20);
        at = Bytes.put(at, a.subaccount, 1);
        at = Bytes.putSigned(at, a.cash, 8);
        at = Bytes.put(at, a.nonceHigh, 8);
        at = Bytes.put(at, a.nonceBits, 32);
        at = Bytes.put(at, a.deadMan, 6);
        at = Bytes.put(at, a.disconnectGrace, 6);
        at = Bytes.put(at, a.openOrders, 4);
        at = Bytes.put(at, a.sessionKeys, 2);
        at = Bytes.put(at, (count << 8) | rows, 2);
        // Three zeros end the head.
        return Bytes.put(at, (a.riskPool << 48) | (a.flags << 40) | (a.isolatedMarket << 24), 7);
    }

    /// @notice Place of the position in `market`, NONE when there is none.
    function find(Account memory account, uint256 market) internal pure returns (uint256) {
        Position[] memory positions = account.positions;
        for (uint256 n = 0; n < positions.length; n++) {
            if (positions[n].market == market) return n;
        }
        return NONE;
    }

    /// @notice The position in `market`, created in its place when there is none.
    /// @param fundingIndex of the market now, from which a new position pays
    function ensure(Account memory account, uint256 market, int256 fundingIndex)
        internal
        pure
        returns (Position memory position)
    {
        Position[] memory before = account.positions;
        uint256 count = before.length;
        uint256 place = 0;
        while (place < count && before[place].market < market) place++;
        if (place < count && before[place].market == market) return before[place];
        Position[] memory positions = new Position[](count + 1);
        for (uint256 n = 0; n < place; n++) {
            positions[n] = before[n];
        }
        for (uint256 n = place; n < count; n++) {
            positions[n + 1] = before[n];
        }
        position = positions[place];
        position.market = market;
        position.fundingIndex = fundingIndex;
        account.positions = positions;
    }

    /// @notice Drops the position in `market` when it holds neither size nor orders nor a leverage setting.
    function release(Account memory account, uint256 market) internal pure {
        uint256 place = find(account, market);
        if (place == NONE) return;
        Position memory p = account.positions[place];
        if (p.size != 0 || p.bidLots != 0 || p.askLots != 0 || p.reduceOnlyLots != 0 || p.leveragePpm != 0) return;
        Position[] memory before = account.positions;
        Position[] memory positions = new Position[](before.length - 1);
        for (uint256 n = 0; n < positions.length; n++) {
            positions[n] = before[n < place ? n : n + 1];
        }
        account.positions = positions;
    }

    /// @notice Place of the row of `asset`, NONE when there is none.
    function findAsset(Account memory account, uint256 asset) internal pure returns (uint256) {
        AssetRow[] memory assets = account.assets;
        for (uint256 n = 0; n < assets.length; n++) {
            if (assets[n].asset == asset) return n;
        }
        return NONE;
    }

    /// @notice The row of `asset`, created in its place when there is none.
    function ensureAsset(Account memory account, uint256 asset) internal pure returns (AssetRow memory row) {
        AssetRow[] memory before = account.assets;
        uint256 count = before.length;
        uint256 place = 0;
        while (place < count && before[place].asset < asset) place++;
        if (place < count && before[place].asset == asset) return before[place];
        AssetRow[] memory assets = new AssetRow[](count + 1);
        for (uint256 n = 0; n < place; n++) {
            assets[n] = before[n];
        }
        for (uint256 n = place; n < count; n++) {
            assets[n + 1] = before[n];
        }
        row = assets[place];
        row.asset = asset;
        account.assets = assets;
    }

    /// @notice Drops the row of `asset` when nothing is left in it.
    function releaseAsset(Account memory account, uint256 asset) internal pure {
        uint256 place = findAsset(account, asset);
        if (place == NONE) return;
        AssetRow memory row = account.assets[place];
        if (row.balance != 0 || row.supplyShares != 0 || row.debtShares != 0) return;
        AssetRow[] memory before = account.assets;
        AssetRow[] memory assets = new AssetRow[](before.length - 1);
        for (uint256 n = 0; n < assets.length; n++) {
            assets[n] = before[n < place ? n : n + 1];
        }
        account.assets = assets;
    }

    /// @dev Three words, which overlap: bytes 0 to 31, 18 to 49, 50 to 81 (the last 4 of them are not the position's).
    function _decodePosition(bytes memory value, uint256 at, Position memory p) private pure {
        uint256 word = value.u(at, 32);
        p.market = word >> 240;
        p.size = int64(uint64(word >> 176));
        p.v = int64(uint64(word >> 112));
        word = value.u(at + 18, 32);
        p.fundingIndex = int128(uint128(word >> 128));
        p.bidLots = uint64(word >> 64);
        p.askLots = uint64(word);
        word = value.u(at + 50, 32);
        p.bidQuote = word >> 192;
        p.askQuote = uint64(word >> 128);
        p.reduceOnlyLots = uint64(word >> 64);
        p.leveragePpm = uint32(word >> 32);
    }

    /// @dev The same words; what the first and the last reach into is written next, or is room behind the value.
    function _encodePosition(Position memory p, uint256 at) private pure returns (uint256) {
        uint256 size = uint64(int64(p.size));
        uint256 v = uint64(int64(p.v));
        Bytes.put(at, (p.market << 240) | (size << 176) | (v << 112), 32);
        uint256 fundingIndex = uint128(int128(p.fundingIndex));
        Bytes.put(at + 18, (fundingIndex << 128) | (p.bidLots << 64) | p.askLots, 32);
        Bytes.put(
            at + 50, (p.bidQuote << 192) | (p.askQuote << 128) | (p.reduceOnlyLots << 64) | (p.leveragePpm << 32), 32
        );
        return at + POSITION_BYTES;
    }

    function _decodeAsset(bytes memory value, uint256 at, AssetRow memory row) private pure {
        uint256 word = value.u(at, ASSET_ROW_BYTES);
        row.asset = word >> 192;
        row.balance = uint64(word >> 128);
        row.supplyShares = uint64(word >> 64);
        row.debtShares = uint64(word);
    }

    function _encodeAsset(AssetRow memory row, uint256 at) private pure returns (uint256) {
        uint256 word = (row.asset << 192) | (row.balance << 128) | (row.supplyShares << 64) | row.debtShares;
        return Bytes.put(at, word, ASSET_ROW_BYTES);
    }
}
