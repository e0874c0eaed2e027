// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    AccountProof,
    AssetProof,
    EntryProof,
    ExitAsset,
    ExitPrice,
    IEscapeHatch,
    MarketProof,
    ProvenLeaf
} from "./interfaces/IEscapeHatch.sol";
import {IQueue} from "./interfaces/IQueue.sol";
import {FinalHead, Head, IRollup, IRollupPart} from "./interfaces/IRollup.sol";
import {IVault} from "./interfaces/IVault.sol";
import {Bounds} from "./libraries/Bounds.sol";
import {ExitLib, Holdings, Pool} from "./libraries/ExitLib.sol";
import {Guarded} from "./libraries/Guarded.sol";
import {TreeProof} from "./libraries/TreeProof.sol";
import {Keys} from "./step/Keys.sol";
import {Account, AccountLib, Position} from "./step/leaves/Account.sol";
import {AssetLib} from "./step/leaves/Asset.sol";

/// @title The way out of a frozen rollup, without anyone's help
/// @notice See IEscapeHatch.
contract EscapeHatch is IEscapeHatch, IRollupPart, Guarded {
    uint8 internal constant DEPOSIT = 0;
    uint16 internal constant QUOTE_ASSET = 0;

    address public immutable rollup;
    uint64 public immutable claimPeriod;

    uint64 public claimsUntil;
    uint64 public batchId;
    uint64 public queueNext;
    uint64 public queueLength;
    uint64 public counted;
    bool public distributing;
    bytes32 public ledgerRoot;

    mapping(uint16 asset => uint256) public claimTotal;
    uint256 public deficitTotal;
    mapping(uint16 market => ExitPrice) private _prices;
    mapping(uint16 asset => ExitAsset) private _assets;
    mapping(uint32 account => bool) public registered;
    mapping(address owner => mapping(uint16 asset => uint256)) public claimOf;
    /// @dev Sum of the counted deposits.
    mapping(uint16 asset => uint256) private _deposits;
    mapping(uint64 index => bool) public refunded;
    mapping(uint16 asset => uint256) public pool;
    mapping(address owner => mapping(uint16 asset => bool)) public claimPaid;

    /// @param rollup_ whose constructor checks this
    /// @param claimPeriod_ seconds; 14 to 60 days on mainnet, any on test chains
    constructor(address rollup_, uint64 claimPeriod_) {
        uint256 least = block.chainid == 1 ? 14 days : 1 seconds;
        Bounds.check("claimPeriod", least, 60 days, claimPeriod_);
        rollup = rollup_;
        claimPeriod = claimPeriod_;
    }

    modifier settled() {
        if (claimsUntil == 0) revert NotSettled();
        _;
    }

    modifier registering() {
        if (claimsUntil == 0) revert NotSettled();
        if (block.timestamp >= claimsUntil) revert ClaimsClosed(claimsUntil, block.timestamp);
        _;
    }

    // --- phase A ---

    /// @inheritdoc IEscapeHatch
    function settle() external {
        if (claimsUntil != 0) revert AlreadySettled();
        if (!IRollup(rollup).frozen()) revert NotFrozen();
        Head memory head = IRollup(rollup).head();
        FinalHead memory last = IRollup(rollup).finalHead();
        if (head.id != last.id) revert BatchesStillPending(head.id, last.id);
        claimsUntil = uint64(block.timestamp) + claimPeriod;
        batchId = last.id;
        ledgerRoot = last.ledgerRoot;
        queueNext = last.queueNext;
        counted = last.queueNext;
        queueLength = IQueue(_queue()).length();
        emit Settled(last.id, last.ledgerRoot, last.queueNext, queueLength, claimsUntil);
    }

    /// @inheritdoc IEscapeHatch
    function provePrices(ProvenLeaf calldata globals, MarketProof[] calldata markets) external settled {
        bytes memory clock = _open(Keys.GLOBALS, globals);
        for (uint256 i = 0; i < markets.length; i++) {
            MarketProof calldata proof = markets[i];
            uint16 market = proof.market;
            if (_prices[market].known) continue;
            bytes memory config = _open(Keys.marketConfig(market), proof.config);
            ExitPrice memory price =
                ExitLib.priceOf(market, clock, config, _open(Keys.prices(market), proof.prices));
            _prices[market] = price;
            emit PriceProven(market, price.price, price.qm, price.fundingIndex);
        }
    }

    /// @inheritdoc IEscapeHatch
    function proveAssets(AssetProof[] calldata assets) external registering {
        for (uint256 i = 0; i < assets.length; i++) {
            AssetProof calldata proof = assets[i];
            uint16 id = proof.asset;
            if (_assets[id].known) continue;
            bytes memory config = _open(Keys.assetConfig(id), proof.config);
            uint64 price = 0;
            uint256 feed = ExitLib.feedOf(config);
            if (feed != AssetLib.NO_FEED) price = _price(feed).price;
            ExitAsset memory asset = ExitLib.assetOf(config, _open(Keys.pool(id), proof.pool), price);
            _assets[id] = asset;
            emit AssetProven(id, price, asset.tickValue, asset.whole, asset.supplyIndex, asset.borrowIndex);
        }
    }

    /// @inheritdoc IEscapeHatch
    function registerClaims(AccountProof[] calldata accounts) external registering {
        for (uint256 i = 0; i < accounts.length; i++) {
            // Not a revert: who registers an account first must not spoil a list that somebody else sends.
            if (!registered[accounts[i].account]) _register(accounts[i].account, accounts[i].leaf);
        }
    }

    function _register(uint32 id, ProvenLeaf calldata leaf) private {
        Account memory account = AccountLib.decode(_open(Keys.account(id), leaf));
        if (account.flags & AccountLib.BACKSTOP_VAULT != 0) revert NobodysAccount(id);
        registered[id] = true;
        Holdings memory of_ = ExitLib.holdingsOf(account, _pricesOf(account), _assetsOf(account));
        _add(account.owner, QUOTE_ASSET, ExitLib.claimOf(of_.quote, of_));
        for (uint256 i = 0; i < of_.units.length; i++) {
            _add(account.owner, uint16(account.assets[i].asset), ExitLib.claimOf(of_.units[i], of_));
        }
        deficitTotal += ExitLib.deficitOf(of_);
        emit ClaimRegistered(id, account.owner, int256(of_.plus) - int256(of_.minus));
    }

    function _pricesOf(Account memory account) private view returns (ExitPrice[] memory prices_) {
        prices_ = new ExitPrice[](account.positions.length);
        for (uint256 i = 0; i < prices_.length; i++) {
            Position memory position = account.positions[i];
            // Where only open orders or settings stand no price is needed: the book is void.
            if (position.size != 0) prices_[i] = _price(position.market);
        }
    }

    function _assetsOf(Account memory account) private view returns (ExitAsset[] memory assets) {
        assets = new ExitAsset[](account.assets.length);
        for (uint256 i = 0; i < assets.length; i++) {
            uint256 id = account.assets[i].asset;
            assets[i] = _assets[uint16(id)];
            if (!assets[i].known) revert AssetNotProven(id);
        }
    }

    function _add(address owner, uint16 asset, uint256 amount) private {
        if (amount == 0) return;
        claimOf[owner][asset] += amount;
        claimTotal[asset] += amount;
    }

    function _price(uint256 market) private view returns (ExitPrice memory price) {
        price = _prices[uint16(market)];
        if (!price.known) revert PriceNotProven(market);
    }

    // --- deposits that were not taken up ---

    /// @inheritdoc IEscapeHatch
    function countDeposits(EntryProof[] calldata entries) external settled {
        uint64 first = counted;
        if (entries.length > queueLength - first) {
            revert Bounds.OutOfRange("entries.length", 0, queueLength - first, entries.length);
        }
        if (entries.length == 0) return;
        bytes32 hash = _prefixBefore(first);
        for (uint256 i = 0; i < entries.length; i++) {
            EntryProof calldata entry = entries[i];
            hash = _after(hash, entry.kind, entry.owner, entry.payload);
            if (entry.kind != DEPOSIT) continue;
            (uint16 asset, uint64 amount) = _moneyOf(entry.payload);
            _deposits[asset] += amount;
        }
        uint64 next = first + uint64(entries.length);
        bytes32 expected = _prefixBefore(next);
        if (hash != expected) revert WrongEntries(first, expected, hash);
        counted = next;
        emit DepositsCounted(next);
        if (next == queueLength) _reserve();
    }

    /// @dev From now on nothing but refunds can touch what the deposits have brought.
    function _reserve() private {
        address vault = _vault();
        uint16 assets = IVault(vault).assetCount();
        for (uint16 asset = 0; asset < assets; asset++) {
            if (_deposits[asset] != 0) IVault(vault).reserve(asset, _deposits[asset]);
        }
    }

    /// @inheritdoc IEscapeHatch
    function refund(uint64 index, address owner, bytes calldata payload) external settled guarded {
        _requireCounted();
        if (index < queueNext || index >= queueLength) revert NotRefundable(index, queueNext, queueLength);
        if (refunded[index]) revert AlreadyPaid();
        bytes32 expected = _prefixBefore(index + 1);
        bytes32 got = _after(_prefixBefore(index), DEPOSIT, owner, payload);
        if (got != expected) revert WrongEntries(index, expected, got);
        refunded[index] = true;
        (uint16 asset, uint64 amount) = _moneyOf(payload);
        emit Refunded(index, owner, asset, amount);
        IVault(_vault()).refund(owner, asset, amount);
    }

    // --- phase B ---

    /// @inheritdoc IEscapeHatch
    function claim(address owner, uint16 asset) external settled guarded returns (uint256 amount) {
        if (block.timestamp < claimsUntil) revert ClaimsStillOpen(claimsUntil, block.timestamp);
        _requireCounted();
        if (!distributing) _openDistribution();
        if (claimPaid[owner][asset]) revert AlreadyPaid();
        amount = _share(owner, asset);
        if (amount == 0) revert NothingToClaim(owner, asset);
        claimPaid[owner][asset] = true;
        emit ClaimPaid(owner, asset, amount);
        IVault(_vault()).payClaim(owner, asset, amount);
    }

    /// @dev The rest of every token as it stands: payments of refunds and withdrawals leave it as it is.
    function _openDistribution() private {
        Pool[] memory pools = _pools();
        distributing = true;
        for (uint16 asset = 0; asset < pools.length; asset++) {
            pool[asset] = pools[asset].pool;
            emit PoolOpened(asset, pools[asset].pool, pools[asset].claimTotal);
        }
        (uint256 lacks, uint256 surpluses) = ExitLib.sums(pools);
        emit DistributionOpened(deficitTotal, lacks, surpluses);
    }

    /// @dev Assets are proven before payments begin, so these stay the same once they have.
    function _pools() private view returns (Pool[] memory pools) {
        IVault vault = IVault(_vault());
        pools = new Pool[](vault.assetCount());
        for (uint16 asset = 0; asset < pools.length; asset++) {
            pools[asset].pool = distributing ? pool[asset] : vault.unowed(asset);
            pools[asset].claimTotal = claimTotal[asset];
            pools[asset].asset = _valued(asset);
        }
    }

    function _share(address owner, uint16 asset) private view returns (uint256) {
        Pool[] memory pools = _pools();
        if (asset >= pools.length) return 0;
        uint256[] memory claims = new uint256[](pools.length);
        for (uint16 id = 0; id < pools.length; id++) claims[id] = claimOf[owner][id];
        return ExitLib.paymentOf(pools, claims, asset);
    }

    /// @dev The quote asset needs no proof to be worth itself.
    function _valued(uint16 asset) private view returns (ExitAsset memory) {
        return asset == QUOTE_ASSET ? ExitLib.quote() : _assets[asset];
    }

    // --- views ---

    /// @inheritdoc IEscapeHatch
    function claimable(address owner, uint16 asset) external view returns (uint256) {
        return claimPaid[owner][asset] ? 0 : _share(owner, asset);
    }

    /// @inheritdoc IEscapeHatch
    function prices(uint16 market) external view returns (ExitPrice memory) {
        return _prices[market];
    }

    /// @inheritdoc IEscapeHatch
    function exitAssets(uint16 asset) external view returns (ExitAsset memory) {
        return _assets[asset];
    }

    // --- parts ---

    /// @dev The value, once it is shown to stand under the settled root.
    function _open(bytes32 key, ProvenLeaf calldata leaf) private view returns (bytes memory value) {
        value = leaf.value;
        TreeProof.verifyInclusion(ledgerRoot, key, value, leaf.path);
    }

    function _requireCounted() private view {
        if (counted != queueLength) revert DepositsNotCounted(counted, queueLength);
    }

    /// @dev Hash of the queue before entry `index`.
    function _prefixBefore(uint64 index) private view returns (bytes32 hash) {
        if (index != 0) (hash,,) = IQueue(_queue()).entries(index - 1);
    }

    function _after(bytes32 before, uint8 kind, address owner, bytes calldata payload)
        private
        pure
        returns (bytes32)
    {
        return keccak256(abi.encodePacked(before, kind, owner, keccak256(payload)));
    }

    /// @dev Payload of a deposit: u16 asset ‖ u8 subaccount ‖ u64 amount, packed by the queue itself.
    function _moneyOf(bytes calldata payload) private pure returns (uint16 asset, uint64 amount) {
        asset = uint16(bytes2(payload[0:2]));
        amount = uint64(bytes8(payload[3:11]));
    }

    function _queue() private view returns (address) {
        return IRollup(rollup).queue();
    }

    function _vault() private view returns (address) {
        return IRollup(rollup).vault();
    }
}
