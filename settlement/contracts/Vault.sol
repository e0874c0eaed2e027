// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IRollup} from "./interfaces/IRollup.sol";
import {Asset, IVault} from "./interfaces/IVault.sol";
import {Bounds} from "./libraries/Bounds.sol";
import {Guarded} from "./libraries/Guarded.sol";
import {IERC20, TokenLib} from "./libraries/TokenLib.sol";
import {TreeProof} from "./libraries/TreeProof.sol";

/// @title Holder of all tokens
/// @notice See IVault.
contract Vault is IVault, Guarded {
    using TokenLib for IERC20;

    uint256 internal constant ASSETS_MAX = 64;
    /// @dev What all accounts together may hold of an asset, so that no balance leaves its field (margin.md section 1).
    uint256 internal constant CAP_MAX = 2 ** 51;
    /// @dev With the cap, transfers stay far below a word; a token of 24 decimals still finds a ledger unit of 10^-6.
    uint256 internal constant SCALE_MAX = 10 ** 18;
    /// @dev Kind byte of the ledger leaf WITHDRAWN: key = kind ‖ 20 owner ‖ u16 asset ‖ zeros, value = u128.
    uint8 internal constant WITHDRAWN_KIND = 0x09;

    address public immutable queue;
    address public immutable rollup;
    uint16 public immutable assetCount;

    mapping(uint16 asset => Asset) public assets;
    mapping(uint16 asset => uint256) public held;
    mapping(uint16 asset => uint256) public paidTotal;
    mapping(address owner => mapping(uint16 asset => uint128)) public paid;
    mapping(uint16 asset => uint256) public reserved;

    /// @param queue_ brings deposits
    /// @param rollup_ says which ledgers are final; its constructor checks this
    /// @param assets_ 1 to 64 different tokens; asset 0 is the quote asset
    constructor(address queue_, address rollup_, Asset[] memory assets_) {
        Bounds.check("assets.length", 1, ASSETS_MAX, assets_.length);
        for (uint16 i = 0; i < assets_.length; i++) {
            Asset memory asset = assets_[i];
            Bounds.check("asset.token.code", 1, type(uint256).max, asset.token.code.length);
            Bounds.check("asset.scale", 1, SCALE_MAX, asset.scale);
            Bounds.check("asset.cap", 1, CAP_MAX, asset.cap);
            Bounds.check("asset.depositMin", 1, asset.cap, asset.depositMin);
            for (uint16 j = 0; j < i; j++) {
                // The same token twice would let one asset's debts be paid with the other's deposits.
                if (assets_[j].token == asset.token) revert Bounds.OutOfRange("asset.token", j, j, i);
            }
            assets[i] = asset;
        }
        queue = queue_;
        rollup = rollup_;
        assetCount = uint16(assets_.length);
    }

    /// @inheritdoc IVault
    function receiveDeposit(address from, uint16 asset, uint64 amount) external guarded {
        if (msg.sender != queue) revert NotQueue(queue, msg.sender);
        if (asset >= assetCount) revert UnknownAsset(assetCount, asset);
        Asset memory known = assets[asset];
        uint256 before = held[asset];
        Bounds.check("amount", known.depositMin, before >= known.cap ? 0 : known.cap - before, amount);
        held[asset] = before + amount;
        emit Deposited(from, asset, amount);
        IERC20(known.token).pull(from, uint256(amount) * known.scale);
    }

    /// @inheritdoc IVault
    function withdraw(address owner, uint16 asset, uint128 total, uint64 batchId, bytes calldata path)
        external
        guarded
        returns (uint128 amount)
    {
        if (asset >= assetCount) revert UnknownAsset(assetCount, asset);
        bytes32 root = IRollup(rollup).finalLedgerRoot(batchId);
        if (root == bytes32(0)) revert BatchNotFinal(IRollup(rollup).finalHead().id, batchId);
        TreeProof.verifyInclusion(root, withdrawnKey(owner, asset), abi.encodePacked(total), path);

        uint128 before = paid[owner][asset];
        if (total <= before) revert NothingToPay(before, total);
        amount = total - before;
        paid[owner][asset] = total;
        // A second fence around the proof: never more in sum than the finalized batches said they released.
        uint256 paidNow = paidTotal[asset] + amount;
        uint256 released = IRollup(rollup).withdrawnTotal(asset);
        if (paidNow > released) revert BeyondFinalTotal(released, paidNow);
        paidTotal[asset] = paidNow;
        emit Withdrawn(owner, asset, amount, total);
        _pay(owner, asset, amount, reserved[asset]);
    }

    /// @inheritdoc IVault
    function reserve(uint16 asset, uint256 amount) external {
        _requireEscape();
        reserved[asset] += amount;
        emit Reserved(asset, amount);
    }

    /// @inheritdoc IVault
    function refund(address owner, uint16 asset, uint256 amount) external guarded {
        _requireEscape();
        reserved[asset] -= amount;
        emit Refunded(owner, asset, amount);
        _pay(owner, asset, amount, 0);
    }

    /// @inheritdoc IVault
    function payClaim(address owner, uint16 asset, uint256 amount) external guarded {
        _requireEscape();
        emit ClaimPaid(owner, asset, amount);
        _pay(owner, asset, amount, _owed(asset));
    }

    /// @inheritdoc IVault
    function unowed(uint16 asset) external view returns (uint256) {
        uint256 has = held[asset];
        // A token that took some back leaves less than was counted: then the loss is everybody's, not the last one's.
        uint256 there = IERC20(assets[asset].token).balanceOf(address(this)) / assets[asset].scale;
        if (there < has) has = there;
        uint256 owed = _owed(asset);
        return has > owed ? has - owed : 0;
    }

    /// @dev Set aside for refunds, and released by final batches but not paid.
    function _owed(uint16 asset) private view returns (uint256) {
        return reserved[asset] + IRollup(rollup).withdrawnTotal(asset) - paidTotal[asset];
    }

    /// @dev Pays so that at least `keep` stays.
    function _pay(address owner, uint16 asset, uint256 amount, uint256 keep) private {
        uint256 has = held[asset];
        if (has < amount || has - amount < keep) revert NotHeld(asset, amount, has, keep);
        held[asset] = has - amount;
        Asset storage known = assets[asset];
        IERC20(known.token).push(owner, amount * known.scale);
    }

    function _requireEscape() private view {
        address escape = IRollup(rollup).escape();
        if (msg.sender != escape) revert NotEscape(escape, msg.sender);
    }

    /// @notice Ledger key of the amounts that `owner` has withdrawn of `asset`.
    function withdrawnKey(address owner, uint16 asset) public pure returns (bytes32) {
        return bytes32(abi.encodePacked(WITHDRAWN_KIND, owner, asset, uint72(0)));
    }
}
