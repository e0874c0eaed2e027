// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice A ledger leaf's value and its packed path (sequencer/state/tree-proof.ts) under the settled root.
struct ProvenLeaf {
    bytes value;
    bytes path;
}

/// @notice The leaves that price a market.
struct MarketProof {
    uint16 market;
    /// @dev MARKET_CONFIG of the market.
    ProvenLeaf config;
    /// @dev PRICES of the market's group.
    ProvenLeaf prices;
}

/// @notice The leaves that say what an asset is worth, and what the shares of its lending pool are.
struct AssetProof {
    uint16 asset;
    /// @dev ASSET_CONFIG of the asset.
    ProvenLeaf config;
    /// @dev POOL of the asset.
    ProvenLeaf pool;
}

/// @notice The leaf of an account.
struct AccountProof {
    uint32 account;
    ProvenLeaf leaf;
}

/// @notice A queue entry as its Enqueued event tells it.
struct EntryProof {
    uint8 kind;
    address owner;
    bytes payload;
}

/// @notice What a lot of a market is worth in the exit, and the funding owed on it.
struct ExitPrice {
    bool known;
    /// @dev Ticks.
    uint64 price;
    /// @dev q per tick and lot.
    uint64 qm;
    /// @dev 1e-9 q per lot, cumulative.
    int128 fundingIndex;
}

/// @notice What a unit of an asset is worth in the exit, and a share of its lending pool.
struct ExitAsset {
    bool known;
    /// @dev Ticks of its feed.
    uint64 price;
    /// @dev q per tick that a whole is worth.
    uint64 tickValue;
    /// @dev Units in a whole.
    uint64 whole;
    /// @dev Units per share, times 1e27.
    uint128 supplyIndex;
    uint128 borrowIndex;
}

/// @title The way out of a frozen rollup, without anyone's help
/// @notice When the rollup is frozen and every batch is final or struck, anyone settles: from then on the ledger of the
/// last final batch is what counts, and everybody is paid from it in this order.
///
///   1. Deposits that this ledger has not taken up go back in full: `countDeposits` reads them off the queue, `refund`
///      pays each to the owner it was for.
///   2. Withdrawals that are final and unpaid stay payable by `Vault.withdraw`; the vault keeps their sum aside.
///   3. The rest is shared by claims. Phase A, the claim period: `provePrices` and `proveAssets` open the prices,
///      `registerClaims` the accounts. An account holds, all weights 100 %,
///        quote: cash + Σ (size · price · qm + v + unsettled funding) + its shares of the quote asset's lending pool
///        of each other asset: balance + ⌊supply shares⌋ − ⌈debt shares⌉, worth ⌊units · price · tickValue / whole⌋ q.
///      What it owes (quote or units below zero) is taken from all that it holds alike: it claims of each asset
///      ⌊held · (value held − value owed) / value held⌋ units, and the whole where it owes nothing.
///      Phase B: `claim` pays an owner of each token
///        ⌊pool · claim / max(sum of claims, pool)⌋: claims are paid in kind as far as the rest of that token goes; and
///        ⌊surplus · lack / max(sum of lacks, sum of surpluses)⌋ of each token of which there is more than claims: what
///        the owner's own claims lack, valued like accounts. It is what debtors had put up for others' claims.
///      When all are there in any order, nobody is first. What rounding leaves stays in the vault.
///
/// Price: the index; when it was void at the ledger's time, the mark, within 5 % of the last index; when there never was
/// an index, the mark, and without a mark the position counts by its entry value v alone and units count nothing. An
/// asset has the price of its feed.
///
/// Who owes more than it holds claims nothing, and the difference is remembered in `deficitTotal`. What no account owns
/// (collected fees, rounding of funding, reserves of lending pools, insurance funds, the account of a backstop vault)
/// claims nothing either but counts in the rest, so it covers the deficits before any claim is cut.
///
/// Late claims are refused: payments begin when the sum of claims is known for good. What nobody claimed in time stays
/// in the vault. Anyone may make every call here for anybody; money goes to the owner whom ledger or queue name.
interface IEscapeHatch {
    /// @notice The ledger under `ledgerRoot` of batch `batchId` counts.
    /// @param queueNext first entry that it has not taken up
    /// @param queueLength entries of the queue, which is closed
    /// @param claimsUntil seconds since 1970: claims are registered before, paid from then on
    event Settled(
        uint64 indexed batchId, bytes32 ledgerRoot, uint64 queueNext, uint64 queueLength, uint64 claimsUntil
    );
    /// @notice What a position in `market` is worth on the way out.
    event PriceProven(uint16 indexed market, uint64 price, uint64 qm, int128 fundingIndex);
    /// @notice What a unit of `asset` is worth on the way out, and its lending pool's shares.
    event AssetProven(
        uint16 indexed asset, uint64 price, uint64 tickValue, uint64 whole, uint128 supplyIndex, uint128 borrowIndex
    );
    /// @notice The claims of an account are in; an owner with several has their sum.
    /// @param equity q, negative when the account owes
    event ClaimRegistered(uint32 indexed account, address indexed owner, int256 equity);
    /// @notice Entries before `next` are counted.
    event DepositsCounted(uint64 next);
    /// @notice Deposit `index` of the queue went back.
    event Refunded(uint64 indexed index, address indexed owner, uint16 indexed asset, uint64 amount);
    /// @notice Claims are paid from now on.
    /// @param deficit q that accounts owe beyond what they hold
    /// @param shortfall q that claims lack in their own assets
    /// @param surplus q of assets of which there is more than claims
    event DistributionOpened(uint256 deficit, uint256 shortfall, uint256 surplus);
    /// @notice What there is of `asset` for claims, and their sum, units.
    event PoolOpened(uint16 indexed asset, uint256 pool, uint256 claimTotal);
    /// @notice `owner` was paid its share of `asset`.
    event ClaimPaid(address indexed owner, uint16 indexed asset, uint256 amount);

    /// @notice The rollup runs.
    error NotFrozen();
    /// @notice Batches after the last final one are neither final nor struck.
    error BatchesStillPending(uint64 committed, uint64 finalized);
    error AlreadySettled();
    error NotSettled();
    /// @notice Claims are registered only before `claimsUntil`, and paid only from then on.
    error ClaimsClosed(uint64 claimsUntil, uint256 nowSeconds);
    error ClaimsStillOpen(uint64 claimsUntil, uint256 nowSeconds);
    /// @notice The account holds a position in a market whose price was not proven yet.
    error PriceNotProven(uint256 market);
    /// @notice The account has a row of an asset that was not proven yet.
    error AssetNotProven(uint256 asset);
    /// @notice The account is a backstop vault's: nobody's to claim.
    error NobodysAccount(uint32 account);
    /// @notice Not all deposits are counted: the next one is `next` of `length`.
    error DepositsNotCounted(uint64 next, uint64 length);
    /// @notice These are not the queue's entries `first` and on.
    error WrongEntries(uint64 first, bytes32 expected, bytes32 got);
    /// @notice Entry `index` does not exist or was taken up: what it brought is in the ledger.
    error NotRefundable(uint64 index, uint64 queueNext, uint64 queueLength);
    error AlreadyPaid();
    /// @notice No claim was registered in time, or its share of this token is nothing.
    error NothingToClaim(address owner, uint16 asset);

    /// @notice Fixes the ledger that counts. Only when the rollup is frozen and no batch is pending.
    function settle() external;

    /// @notice Opens prices of markets under the settled root. Markets whose price is known are passed over.
    /// @param globals leaf GLOBALS: the ledger's time
    function provePrices(ProvenLeaf calldata globals, MarketProof[] calldata markets) external;

    /// @notice Opens what assets are worth. The price of an asset's feed must be proven first, and claims must still be
    /// registered. Assets that are known are passed over.
    function proveAssets(AssetProof[] calldata assets) external;

    /// @notice Registers the claims of accounts for their owners. Accounts that are registered are passed over.
    function registerClaims(AccountProof[] calldata accounts) external;

    /// @notice Counts the next entries that the ledger has not taken up, in order; as many at a time as the caller likes.
    function countDeposits(EntryProof[] calldata entries) external;

    /// @notice Pays back a deposit that the ledger has not taken up. All deposits must be counted.
    /// @param index of the entry
    /// @param payload of the entry
    function refund(uint64 index, address owner, bytes calldata payload) external;

    /// @notice Pays an owner's share of one token.
    /// @return amount ledger units
    function claim(address owner, uint16 asset) external returns (uint256 amount);

    /// @notice What `claim` would pay if no further claim were registered, ledger units; 0 when it is paid.
    function claimable(address owner, uint16 asset) external view returns (uint256);

    /// @notice Seconds since 1970; 0 before `settle`.
    function claimsUntil() external view returns (uint64);
    /// @notice Seconds from `settle` for which claims are registered.
    function claimPeriod() external view returns (uint64);
    /// @notice Last final batch: claims are proven against its ledger.
    function batchId() external view returns (uint64);
    /// @notice Of that batch.
    function ledgerRoot() external view returns (bytes32);
    /// @notice Entries from `queueNext` to `queueLength` were not taken up; those before `counted` are counted.
    function queueNext() external view returns (uint64);
    /// @notice Entries of the queue when the rollup was settled.
    function queueLength() external view returns (uint64);
    /// @notice Entries before this one are counted.
    function counted() external view returns (uint64);
    /// @notice Exit price of a market; not `known` before it was proven.
    function prices(uint16 market) external view returns (ExitPrice memory);
    /// @notice What an asset is worth; not `known` before it was proven.
    function exitAssets(uint16 asset) external view returns (ExitAsset memory);
    /// @notice Whether the claim of an account is in.
    function registered(uint32 account) external view returns (bool);
    /// @notice Sum of an owner's claims of an asset, ledger units.
    function claimOf(address owner, uint16 asset) external view returns (uint256);
    /// @notice Sum of all claims of an asset, ledger units.
    function claimTotal(uint16 asset) external view returns (uint256);
    /// @notice Sum of what accounts owe beyond what they hold, q; nobody pays it.
    function deficitTotal() external view returns (uint256);
    /// @notice Whether deposit `index` went back.
    function refunded(uint64 index) external view returns (bool);
    /// @notice True once claims are paid: pools no longer change.
    function distributing() external view returns (bool);
    /// @notice What claims share of a token, ledger units; 0 before they are paid.
    function pool(uint16 asset) external view returns (uint256);
    /// @notice Whether `owner` has had its share of `asset`.
    function claimPaid(address owner, uint16 asset) external view returns (bool);
}
