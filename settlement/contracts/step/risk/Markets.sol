// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Leaves} from "../Leaves.sol";
import {Globals} from "../leaves/Globals.sol";
import {MarketConfig, MarketLib, Prices} from "../leaves/Market.sol";

/// @notice What margin needs of a market besides its state.
struct MarketContext {
    uint256 market;
    MarketConfig config;
    Prices prices;
    /// @dev The index is recent enough for new risk and for money to leave.
    bool fresh;
}

/// @notice The markets that a step has looked at, each read once.
struct Markets {
    Leaves leaves;
    uint256 now_;
    uint256 voidMs;
    MarketContext[] loaded;
    /// @dev Where the next one is expected: accounts list their markets in ascending order.
    uint256 next;
}

/// @title Markets of one step
library MarketsLib {
    /// @dev The positions of two full accounts and the market of an order.
    uint256 private constant MARKETS_OF_A_STEP_MAX = 33;

    function open(Leaves memory leaves, Globals memory globals) internal pure returns (Markets memory markets) {
        markets.leaves = leaves;
        markets.now_ = globals.now_;
        markets.voidMs = globals.chain.voidMs;
        // Room for references only; `loaded` is as long as what has been read.
        MarketContext[] memory loaded;
        assembly ("memory-safe") {
            loaded := mload(0x40)
            mstore(loaded, 0)
            mstore(0x40, add(loaded, shl(5, add(MARKETS_OF_A_STEP_MAX, 1))))
        }
        markets.loaded = loaded;
    }

    /// @notice A market that is configured: its leaves MARKET_CONFIG and PRICES.
    function get(Markets memory markets, uint256 market) internal pure returns (MarketContext memory context) {
        MarketContext[] memory loaded = markets.loaded;
        uint256 count = loaded.length;
        uint256 n = markets.next;
        for (uint256 tried = 0; tried < count; tried++) {
            if (n >= count) n = 0;
            if (loaded[n].market == market) {
                markets.next = n + 1;
                return loaded[n];
            }
            n++;
        }
        markets.next = 0;
        return _load(markets, market);
    }

    function _load(Markets memory markets, uint256 market) private pure returns (MarketContext memory context) {
        context.market = market;
        (context.config,) = MarketLib.loadConfig(markets.leaves, market);
        context.prices = MarketLib.loadPrices(markets.leaves, market);
        context.fresh = context.prices.index > 0 && markets.now_ <= context.prices.indexTime + markets.voidMs;
        MarketContext[] memory loaded = markets.loaded;
        assembly ("memory-safe") {
            let count := add(mload(loaded), 1)
            mstore(loaded, count)
            mstore(add(loaded, shl(5, count)), context)
        }
    }
}
