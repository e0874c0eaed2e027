// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Reject} from "../Reject.sol";
import {Account, AccountLib} from "../leaves/Account.sol";
import {MarketConfig, MarketLib} from "../leaves/Market.sol";

/// @title In which markets an account may take on risk
/// @notice Twin of sequencer/engine/risk/access.ts: those of its risk pool, and an isolated account in its own market alone.
/// What only reduces a position is never kept out.
library Access {
    /// @notice Reject code for new risk of the account in the market, 0 when it may have it.
    function refusal(Account memory account, MarketConfig memory config) internal pure returns (uint256) {
        if (config.flags & MarketLib.FEED_ONLY != 0) return Reject.MARKET_FEED_ONLY;
        if (account.isolatedMarket == AccountLib.NOT_ISOLATED) {
            if (config.flags & MarketLib.ISOLATED_ONLY != 0) return Reject.MARKET_ISOLATED_ONLY;
        } else if (account.isolatedMarket != config.market) {
            return Reject.ACCOUNT_ISOLATED;
        }
        return account.riskPool == config.riskPool ? Reject.NONE : Reject.RISK_POOL_MISMATCH;
    }
}
