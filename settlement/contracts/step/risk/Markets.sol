// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Leaves} from "../Leaves.sol";
import {Limits} from "../Limits.sol";
import {Globals} from "../leaves/Globals.sol";
import {MarketConfig, MarketLib, Prices} from "../leaves/Market.sol";
import {Validity} from "../pricing/Validity.sol";

/// @notice What margin needs of a market besides its state.
struct MarketContext {
    uint256 market;
    MarketConfig config;
    Prices prices;
    /// @dev Money may leave at its price (pricing/Validity.sol).
    bool fresh;
}

/// @notice The markets that a step has looked at, each read once.
struct Markets {
    Leaves leaves;
    uint256 now_;
    uint256 voidMs;
    MarketContext[] loaded;
    /// @dev By market id its place in `loaded` + 1, 0 while the market has not been read.
    bytes places;
}

/// @title Markets of one step
library MarketsLib {
    /// @dev The positions of two full accounts and the market of an order.
    uint256 private constant MARKETS_OF_A_STEP_MAX = 2 * Limits.POSITIONS_MAX + 1;

    function open(Leaves memory leaves, Globals memory globals) internal pure returns (Markets memory markets) {
        MarketContext[] memory loaded;
        // Room for references; `loaded` is as long as what has been read.
        uint256 room = 32 * (MARKETS_OF_A_STEP_MAX + 1);
        assembly ("memory-safe") {
            loaded := mload(0x40)
            mstore(loaded, 0)
            mstore(0x40, add(loaded, room))
        }
        markets.leaves = leaves;
        markets.now_ = globals.now_;
        markets.voidMs = globals.chain.voidMs;
        markets.loaded = loaded;
        markets.places = new bytes(Limits.MARKETS_MAX);
    }

    /// @notice Place in `loaded` of a market that is configured: its leaves MARKET_CONFIG and PRICES.
    /// @dev A place, because a memory struct that a function returns would be allocated on each call.
    function place(Markets memory markets, uint256 market) internal pure returns (uint256 index) {
        bytes memory places = markets.places;
        index = uint8(places[market]);
        if (index != 0) return index - 1;
        index = _load(markets, market);
        places[market] = bytes1(uint8(index + 1));
    }

    function _load(Markets memory markets, uint256 market) private pure returns (uint256 index) {
        (MarketConfig memory config,) = MarketLib.loadConfig(markets.leaves, market);
        Prices memory prices = MarketLib.loadPrices(markets.leaves, market);
        bool fresh = Validity.mayMargin(prices, markets.now_, markets.voidMs);
        MarketContext[] memory loaded = markets.loaded;
        index = loaded.length;
        assert(index < MARKETS_OF_A_STEP_MAX);
        assembly ("memory-safe") {
            mstore(loaded, add(index, 1))
        }
        loaded[index] = MarketContext(market, config, prices, fresh);
    }
}
