// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ExitAsset, ExitPrice} from "../interfaces/IEscapeHatch.sol";
import {Bytes} from "../step/Bytes.sol";
import {FixedPoint} from "../step/FixedPoint.sol";
import {Keys} from "../step/Keys.sol";
import {Limits} from "../step/Limits.sol";
import {Account, AssetRow, Position} from "../step/leaves/Account.sol";
import {AssetLib} from "../step/leaves/Asset.sol";
import {MarketLib} from "../step/leaves/Market.sol";
import {MarginLib} from "../step/risk/Margin.sol";

/// @notice What an account holds and owes, at exit prices.
struct Holdings {
    /// @dev q: cash, positions, shares of the quote asset's pool.
    int256 quote;
    /// @dev Of each asset row, less what it owes of it; 0 for the quote asset's row, which is part of `quote`.
    int256[] units;
    /// @dev Value of all that it holds, and of all that it owes, q.
    uint256 plus;
    uint256 minus;
}

/// @notice What there is of an asset for claims.
struct Pool {
    uint256 pool;
    /// @dev Sum of all claims.
    uint256 claimTotal;
    ExitAsset asset;
}

/// @title What a market, an asset and an account are worth in the exit
/// @notice Twin of client/escape/equity.ts; shared vectors test/vectors/exit.json. Total for every leaf of a final
/// ledger, so that no value in it can keep its owner in.
library ExitLib {
    using Bytes for bytes;

    /// @dev A mark that stands in for a void index stays this close to it.
    uint256 internal constant BAND_PPM = 50_000;
    uint256 internal constant MILLION = 1_000_000;
    /// @dev Far beyond what a vault can hold of an asset; keeps sums and products of claims within a word.
    int256 internal constant HELD_MAX = int256(uint256(type(uint64).max));
    uint256 internal constant DEFICIT_MAX = type(uint64).max;

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

    /// @notice The quote asset: a unit is a q, whatever its pool says.
    function quote() internal pure returns (ExitAsset memory asset) {
        (asset.known, asset.price, asset.tickValue, asset.whole) = (true, 1, 1, 1);
    }

    /// @notice What an asset is worth as of a ledger.
    /// @param config leaf ASSET_CONFIG of the asset
    /// @param pool leaf POOL of the asset
    /// @param price of its feed, ticks; for the quote asset, which has none, meaningless
    function assetOf(bytes memory config, bytes memory pool, uint64 price)
        internal
        pure
        returns (ExitAsset memory asset)
    {
        asset = quote();
        if (feedOf(config) != AssetLib.NO_FEED) {
            asset.price = price;
            asset.tickValue = uint64(config.u(40, 8));
            asset.whole = uint64(10 ** config.u(3, 1));
        }
        asset.supplyIndex = uint128(pool.u(0, 16));
        asset.borrowIndex = uint128(pool.u(16, 16));
    }

    /// @notice Market that prices an asset, NO_FEED for the quote asset.
    function feedOf(bytes memory config) internal pure returns (uint256) {
        return config.u(20, 2);
    }

    /// @notice Units of an asset that an account holds, less what it owes of it.
    function unitsOf(AssetRow memory row, ExitAsset memory asset) internal pure returns (int256) {
        uint256 held = row.balance + row.supplyShares * asset.supplyIndex / AssetLib.RAY;
        uint256 owed = FixedPoint.divUp(row.debtShares * asset.borrowIndex, AssetLib.RAY);
        return bounded(int256(held) - int256(owed));
    }

    /// @notice Within what sums and products of claims can carry.
    function bounded(int256 held) internal pure returns (int256) {
        return FixedPoint.clamp(held, -HELD_MAX, HELD_MAX);
    }

    /// @notice q that units of an asset are worth: holdings rounded down, debts up.
    function worth(int256 units, ExitAsset memory asset) internal pure returns (int256) {
        if (!asset.known) return 0;
        // At most 2^64 units, 2^64 ticks and 2^64 q a tick.
        int256 value = units * int256(uint256(asset.price) * asset.tickValue);
        return FixedPoint.fdiv(value, int256(uint256(asset.whole)));
    }

    /// @notice What an account holds and owes.
    /// @param prices of its positions, in their order; those of size 0 are not looked at
    /// @param assets of its asset rows, in their order
    function holdingsOf(Account memory account, ExitPrice[] memory prices, ExitAsset[] memory assets)
        internal
        pure
        returns (Holdings memory out)
    {
        out.quote = account.cash;
        for (uint256 i = 0; i < prices.length; i++) {
            Position memory position = account.positions[i];
            if (position.size != 0) out.quote += valueOf(position, prices[i]);
        }
        out.units = new int256[](assets.length);
        for (uint256 i = 0; i < assets.length; i++) {
            int256 net = unitsOf(account.assets[i], assets[i]);
            if (account.assets[i].asset == Limits.QUOTE_ASSET) {
                out.quote += net;
                continue;
            }
            out.units[i] = net;
            _weigh(out, worth(net, assets[i]));
        }
        out.quote = bounded(out.quote);
        _weigh(out, out.quote);
    }

    function _weigh(Holdings memory out, int256 value) private pure {
        if (value < 0) out.minus += uint256(-value);
        else out.plus += uint256(value);
    }

    /// @notice Of `held` units of an asset, or q, what is left when what an account owes is taken from all it holds.
    function claimOf(int256 held, Holdings memory of_) internal pure returns (uint256) {
        if (held <= 0) return 0;
        if (of_.minus == 0) return uint256(held);
        return of_.minus >= of_.plus ? 0 : uint256(held) * (of_.plus - of_.minus) / of_.plus;
    }

    /// @notice What an account owes beyond what it holds, q.
    function deficitOf(Holdings memory of_) internal pure returns (uint256) {
        return of_.minus > of_.plus ? FixedPoint.min(of_.minus - of_.plus, DEFICIT_MAX) : 0;
    }

    /// @notice q that claims lack in their own assets, and q of assets of which there is more than claims.
    function sums(Pool[] memory pools) internal pure returns (uint256 lacks, uint256 surpluses) {
        for (uint256 i = 0; i < pools.length; i++) {
            Pool memory one = pools[i];
            // Rounded up: never less than the sum of what each lacks.
            if (one.claimTotal > one.pool) {
                lacks += uint256(-worth(-int256(one.claimTotal - one.pool), one.asset));
            }
            surpluses += uint256(worth(int256(surplusOf(one)), one.asset));
        }
    }

    /// @notice What an owner is paid of an asset: ⌊pool · claim / max(total, pool)⌋ and, where there is more of it than claims,
    /// ⌊surplus · lack / max(lacks, surpluses)⌋.
    /// @param claims of the owner, of each pool
    function paymentOf(Pool[] memory pools, uint256[] memory claims, uint256 asset)
        internal
        pure
        returns (uint256 amount)
    {
        Pool memory own = pools[asset];
        if (claims[asset] != 0) amount = own.pool * claims[asset] / FixedPoint.max(own.claimTotal, own.pool);
        uint256 surplus = surplusOf(own);
        if (surplus == 0) return amount;
        uint256 lack = 0;
        for (uint256 i = 0; i < pools.length; i++) lack += lackOf(claims[i], pools[i]);
        if (lack == 0) return amount;
        (uint256 lacks, uint256 surpluses) = sums(pools);
        amount += surplus * lack / FixedPoint.max(lacks, surpluses);
    }

    /// @notice q that a claim lacks in its own asset, of which there is less than claims: ⌊worth · (total − pool) / total⌋.
    function lackOf(uint256 claim, Pool memory own) internal pure returns (uint256) {
        if (own.claimTotal <= own.pool) return 0;
        return uint256(worth(int256(claim), own.asset)) * (own.claimTotal - own.pool) / own.claimTotal;
    }

    /// @notice Units of an asset beyond its claims, which cover what claims of other assets lack: none where it has no price,
    /// as they are shared by value.
    function surplusOf(Pool memory own) internal pure returns (uint256) {
        return own.pool <= own.claimTotal || !own.asset.known || own.asset.price == 0 ? 0 : own.pool - own.claimTotal;
    }
}
