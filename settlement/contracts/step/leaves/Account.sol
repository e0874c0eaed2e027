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
    /// @dev By ascending market, at most 16.
    Position[] positions;
}

/// @title Leaf ACCOUNT
/// @notice 88 bytes and 74 a position, as sequencer/state/leaves.ts draws them.
library AccountLib {
    using Bytes for bytes;

    uint256 internal constant BYTES = 88;
    uint256 internal constant POSITION_BYTES = 74;
    /// @dev What stands before the number of positions.
    uint256 private constant HEAD_BYTES = 87;
    uint256 internal constant NONE = type(uint256).max;

    /// @return account meaningless when there is none
    function load(Leaves memory leaves, uint256 id) internal pure returns (Account memory account, bool present) {
        bytes memory value;
        (value, present) = LeavesLib.get(leaves, Keys.account(id));
        if (present) account = decode(value);
    }

    function store(Leaves memory leaves, uint256 id, Account memory account) internal pure {
        LeavesLib.set(leaves, Keys.account(id), encode(account));
    }

    /// @notice An account that was just created: nonce 0 counts as used.
    function create(address owner, uint256 subaccount) internal pure returns (Account memory account) {
        account.owner = owner;
        account.subaccount = subaccount;
        account.nonceBits = 1;
    }

    /// @notice An account without its positions, for steps that look at none: most of a full account's cost is theirs.
    /// @return account meaningless when there is none
    function loadHead(Leaves memory leaves, uint256 id) internal pure returns (Account memory account, bool present) {
        bytes memory value;
        (value, present) = LeavesLib.get(leaves, Keys.account(id));
        if (present) account = _decodeHead(value);
    }

    /// @notice Writes all but the positions, which stay as they are. The account must be there.
    function storeHead(Leaves memory leaves, uint256 id, Account memory account) internal pure {
        (bytes memory before,) = LeavesLib.get(leaves, Keys.account(id));
        (bytes memory value, uint256 start) = Bytes.allocate(before.length);
        assembly ("memory-safe") {
            mcopy(start, add(before, 32), mload(before))
        }
        bytes32 rest;
        uint256 end = start + HEAD_BYTES;
        assembly ("memory-safe") {
            // The last field is written by a whole word, which reaches beyond it.
            rest := mload(end)
        }
        _encodeHead(account, start);
        assembly ("memory-safe") {
            mstore(end, rest)
        }
        LeavesLib.set(leaves, Keys.account(id), value);
    }

    function decode(bytes memory value) internal pure returns (Account memory a) {
        a = _decodeHead(value);
        uint256 count = value.u(HEAD_BYTES, 1);
        a.positions = new Position[](count);
        for (uint256 n = 0; n < count; n++) {
            _decodePosition(value, BYTES + n * POSITION_BYTES, a.positions[n]);
        }
    }

    function _decodeHead(bytes memory value) private pure returns (Account memory a) {
        a.owner = address(uint160(value.u(0, 20)));
        a.subaccount = value.u(20, 1);
        a.cash = value.i(21, 8);
        a.nonceHigh = value.u(29, 8);
        a.nonceBits = value.u(37, 32);
        a.deadMan = value.u(69, 6);
        a.disconnectGrace = value.u(75, 6);
        a.openOrders = value.u(81, 4);
        a.sessionKeys = value.u(85, 2);
    }

    function encode(Account memory a) internal pure returns (bytes memory value) {
        uint256 count = a.positions.length;
        uint256 at;
        (value, at) = Bytes.allocate(BYTES + count * POSITION_BYTES);
        at = Bytes.put(_encodeHead(a, at), count, 1);
        for (uint256 n = 0; n < count; n++) {
            at = _encodePosition(a.positions[n], at);
        }
    }

    function _encodeHead(Account memory a, uint256 at) private pure returns (uint256) {
        at = Bytes.put(at, uint160(a.owner), 20);
        at = Bytes.put(at, a.subaccount, 1);
        at = Bytes.putSigned(at, a.cash, 8);
        at = Bytes.put(at, a.nonceHigh, 8);
        at = Bytes.put(at, a.nonceBits, 32);
        at = Bytes.put(at, a.deadMan, 6);
        at = Bytes.put(at, a.disconnectGrace, 6);
        at = Bytes.put(at, a.openOrders, 4);
        return Bytes.put(at, a.sessionKeys, 2);
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

    /// @notice Drops the position in `market` when it holds neither size nor orders.
    function release(Account memory account, uint256 market) internal pure {
        uint256 place = find(account, market);
        if (place == NONE) return;
        Position memory p = account.positions[place];
        if (p.size != 0 || p.bidLots != 0 || p.askLots != 0 || p.reduceOnlyLots != 0) return;
        Position[] memory before = account.positions;
        Position[] memory positions = new Position[](before.length - 1);
        for (uint256 n = 0; n < positions.length; n++) {
            positions[n] = before[n < place ? n : n + 1];
        }
        account.positions = positions;
    }

    function _decodePosition(bytes memory value, uint256 at, Position memory p) private pure {
        p.market = value.u(at, 2);
        p.size = value.i(at + 2, 8);
        p.v = value.i(at + 10, 8);
        p.fundingIndex = value.i(at + 18, 16);
        p.bidLots = value.u(at + 34, 8);
        p.askLots = value.u(at + 42, 8);
        p.bidQuote = value.u(at + 50, 8);
        p.askQuote = value.u(at + 58, 8);
        p.reduceOnlyLots = value.u(at + 66, 8);
    }

    function _encodePosition(Position memory p, uint256 at) private pure returns (uint256) {
        at = Bytes.put(at, p.market, 2);
        at = Bytes.putSigned(at, p.size, 8);
        at = Bytes.putSigned(at, p.v, 8);
        at = Bytes.putSigned(at, p.fundingIndex, 16);
        at = Bytes.put(at, p.bidLots, 8);
        at = Bytes.put(at, p.askLots, 8);
        at = Bytes.put(at, p.bidQuote, 8);
        at = Bytes.put(at, p.askQuote, 8);
        return Bytes.put(at, p.reduceOnlyLots, 8);
    }
}
