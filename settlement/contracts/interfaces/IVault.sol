// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice An asset of the vault; its id is its place in the list given at deployment. Asset 0 is the quote asset.
struct Asset {
    address token;
    /// @dev Units of the token that one unit of the ledger is: 10^10 for a token of 18 decimals of which the ledger counts
    /// 8. Every transfer is a whole number of ledger units, so that nothing is ever rounded.
    uint64 scale;
    /// @dev Smallest deposit, ledger units: dust can't crowd the queue.
    uint64 depositMin;
    /// @dev The vault takes no deposit that would leave it with more, ledger units.
    uint64 cap;
}

/// @title Holder of all tokens
/// @notice Takes tokens in through `Queue` and pays them out against the ledger of a final batch, to nobody but the
/// owner that the ledger names; after a freeze also through `EscapeHatch`. No other way out exists.
///
/// All amounts are units of the ledger; `scale` units of the token move for each.
interface IVault {
    /// @notice Tokens came in, for an entry of the queue.
    event Deposited(address indexed from, uint16 indexed asset, uint64 amount);
    /// @notice A withdrawal that a final ledger names was paid.
    /// @param amount paid now
    /// @param total paid so far to this owner: the ledger's cumulative amount
    event Withdrawn(address indexed owner, uint16 indexed asset, uint128 amount, uint128 total);
    /// @notice So much of what is held can only be refunded any more.
    event Reserved(uint16 indexed asset, uint256 amount);
    /// @notice A deposit that no batch took up went back to its owner.
    event Refunded(address indexed owner, uint16 indexed asset, uint256 amount);
    /// @notice A share of a frozen rollup was paid.
    event ClaimPaid(address indexed owner, uint16 indexed asset, uint256 amount);

    /// @notice Only `Queue` may bring deposits.
    error NotQueue(address expected, address got);
    /// @notice Only the rollup's `EscapeHatch` does this.
    error NotEscape(address expected, address got);
    /// @notice Paying `amount` of the `held` would leave less than `keep`, which is owed to others first.
    error NotHeld(uint16 asset, uint256 amount, uint256 held, uint256 keep);
    /// @notice There is no such asset.
    error UnknownAsset(uint256 assets, uint256 got);
    /// @notice The batch is not final (or does not exist).
    error BatchNotFinal(uint64 finalId, uint64 got);
    /// @notice All of the proven amount was paid before.
    error NothingToPay(uint128 paid, uint128 proven);
    /// @notice Final batches have released less of the asset than would be paid: the ledger contradicts its totals.
    error BeyondFinalTotal(uint256 expectedAtMost, uint256 got);

    /// @notice Takes `amount` from `from`; only for `Queue`.
    function receiveDeposit(address from, uint16 asset, uint64 amount) external;

    /// @notice Pays `owner` what the ledger of final batch `batchId` says was withdrawn, less what was paid before.
    /// Anyone may call.
    /// @param total cumulative amount in the leaf WITHDRAWN(owner, asset), ledger units
    /// @param batchId any final batch whose ledger has that amount
    /// @param path packed path (sequencer/state/tree-proof.ts) of the leaf under the batch's ledger root
    /// @return amount paid
    function withdraw(address owner, uint16 asset, uint128 total, uint64 batchId, bytes calldata path)
        external
        returns (uint128 amount);

    /// @notice Only `EscapeHatch`: sets `amount` aside for refunds of deposits that were never taken up.
    function reserve(uint16 asset, uint256 amount) external;

    /// @notice Only `EscapeHatch`: pays a deposit back out of what is set aside.
    function refund(address owner, uint16 asset, uint256 amount) external;

    /// @notice Only `EscapeHatch`: pays a claim out of what is owed to nobody before it.
    function payClaim(address owner, uint16 asset, uint256 amount) external;

    /// @notice What is held beyond refunds and withdrawals that are due; no more than the token says is there, in whole
    /// ledger units.
    function unowed(uint16 asset) external view returns (uint256);

    /// @notice Set aside for refunds.
    function reserved(uint16 asset) external view returns (uint256);

    /// @notice Number of assets.
    function assetCount() external view returns (uint16);
    /// @notice Token of an asset, its units in one of the ledger, the least deposit and the most that the vault holds.
    function assets(uint16 asset)
        external
        view
        returns (address token, uint64 scale, uint64 depositMin, uint64 cap);
    /// @notice Deposits less payments: what the vault holds for the ledger.
    function held(uint16 asset) external view returns (uint256);
    /// @notice Paid so far to everybody.
    function paidTotal(uint16 asset) external view returns (uint256);
    /// @notice Paid so far to one owner.
    function paid(address owner, uint16 asset) external view returns (uint128);
    /// @notice Who brings deposits; nobody else can.
    function queue() external view returns (address);
    /// @notice Whose final ledger roots count.
    function rollup() external view returns (address);
}
