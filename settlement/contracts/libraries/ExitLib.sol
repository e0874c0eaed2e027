// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ExitPrice} from "../interfaces/IEscapeHatch.sol";
import {Bytes} from "../step/Bytes.sol";
import {FixedPoint} from "../step/FixedPoint.sol";
import {Keys} from "../step/Keys.sol";
import {Account, AccountLib, Position} from "../step/leaves/Account.sol";
import {MarketLib} from "../step/leaves/Market.sol";
import {MarginLib} from "../step/risk/Margin.sol";

/// @title What a market and an account are worth in the exit
/// @notice Twin of client/escape/equity.ts; shared vectors test/vectors/exit.json. Total for every leaf of a final
/// ledger, so that no value in it can keep its owner in.
library ExitLib {
    using Bytes for bytes;

    /// @dev A mark that stands in for a void index stays this close to it.
    uint256 internal constant BAND_PPM = 50_000;
    uint256 internal constant MILLION = 1_000_000;
    /// @dev Far beyond what a vault can hold of an asset; keeps sums and products of claims within a word.
    uint256 internal constant CLAIM_MAX = type(uint64).max;

    /// @notice Price of a market as of a ledger.
    /// @param globals leaf GLOBALS
    /// @param config leaf MARKET_CONFIG of the market
    /// @param prices leaf PRICES of the market's group
    function priceOf(uint256 market, bytes memory globals, bytes memory config, bytes memory prices)
        internal
        pure
        returns (ExitPrice memory price)
    {
        uint256 row = MarketLib.ROW_BYTES * (market % Keys.PRICES_PER_LEAF);
        uint256 index = prices.u(row, 4);
        uint256 mark = prices.u(row + 4, 4);
        // Time of the ledger less time of the index, against the age at which an index is void.
        bool void = globals.u(8, 6) > prices.u(row + 8, 6) + globals.u(44, 4);
        price.known = true;
        price.price = uint64(choose(index, mark, void));
        price.qm = uint64(config.u(20, 8));
        price.fundingIndex = int128(prices.i(row + 18, 16));
    }

    /// @notice The index; when it is void the mark, within the band around it; without an index the mark.
    function choose(uint256 index, uint256 mark, bool void) internal pure returns (uint256) {
        if (index == 0) return mark;
        if (!void) return index;
        uint256 room = index * BAND_PPM / MILLION;
        return FixedPoint.max(index - room, FixedPoint.min(index + room, mark));
    }

    /// @notice What one position adds to its account's equity, q.
    function valueOf(Position memory position, ExitPrice memory price) internal pure returns (int256) {
        int256 lotValue = int256(uint256(price.price) * price.qm);
        return position.size * lotValue + position.v + MarginLib.unsettledFunding(position, price.fundingIndex);
    }

    /// @notice Equity as a claim: what is below zero is a deficit.
    function split(int256 equity) internal pure returns (uint256 claim, uint256 deficit) {
        if (equity >= 0) claim = FixedPoint.min(uint256(equity), CLAIM_MAX);
        else deficit = FixedPoint.min(uint256(-equity), CLAIM_MAX);
    }

    /// @notice ⌊pool · claim / max(claimTotal, value)⌋; `claim` is part of `claimTotal` and not zero.
    function shareOf(uint256 pool, uint256 claim, uint256 claimTotal, uint256 value) internal pure returns (uint256) {
        return pool * claim / FixedPoint.max(claimTotal, value);
    }
}
