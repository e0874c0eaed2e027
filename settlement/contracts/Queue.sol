// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {GenesisEntry, IQueue, Proposal, QueueParameters} from "./interfaces/IQueue.sol";
import {IRollup} from "./interfaces/IRollup.sol";
import {IVault} from "./interfaces/IVault.sol";
import {Bounds} from "./libraries/Bounds.sol";
import {ConfigurationLib} from "./libraries/ConfigurationLib.sol";
import {Guarded} from "./libraries/Guarded.sol";

/// @title The forced-input queue
/// @notice See IQueue.
contract Queue is IQueue, Guarded {
    uint8 internal constant DEPOSIT = 0;
    uint8 internal constant WITHDRAW = 1;
    uint8 internal constant CANCEL_ALL = 2;
    uint8 internal constant REDUCE_ONLY_IOC = 3;
    uint8 internal constant EVALUATE_LIQUIDATION = 5;

    uint256 internal constant GENESIS_ENTRIES_MAX = 64;
    /// @dev Amounts are exact in TypeScript up to here; a payload beyond it would do nothing.
    uint256 internal constant AMOUNT_MAX = 2 ** 53 - 1;
    uint256 internal constant MONEY_PAYLOAD_BYTES = 11;
    uint256 internal constant REDUCE_ONLY_IOC_PAYLOAD_BYTES = 16;
    uint256 internal constant EVALUATE_LIQUIDATION_PAYLOAD_BYTES = 4;
    uint256 internal constant MARKETS_MAX = 1024;
    uint256 internal constant SIZE_MAX = 2 ** 48 - 1;
    /// @dev 2^32 times the base fee is out of anyone's reach, and the shift stays within 160 bits.
    uint256 internal constant DOUBLINGS_MAX = 32;
    uint64 internal constant TIMELOCK_MS_MAX = 365 days * 1000;
    /// @dev A proposal that nobody entered for so long is void: what was announced is not kept in the drawer.
    uint64 internal constant PROPOSAL_LIFE_MS = 14 days * 1000;

    struct Entry {
        bytes32 prefixHash;
        uint64 deadline;
        uint64 blockNumber;
    }

    address public immutable vault;
    address public immutable rollup;
    uint64 public immutable inclusionMs;
    uint64 public immutable intervalMs;
    uint128 public immutable baseFee;
    uint64 public immutable feeDoublingMs;
    address public immutable configurator;
    uint64 public immutable timelockMs;

    uint64 public length;
    mapping(uint64 index => Entry) public entries;
    uint64 public proposalCount;
    mapping(uint64 id => Proposal) private _proposals;

    /// @param vault_ holds the deposits
    /// @param rollup_ takes entries up; checked by its own constructor
    /// @param genesis configuration entries, kinds 16 to 19, at most 64
    constructor(address vault_, address rollup_, QueueParameters memory parameters, GenesisEntry[] memory genesis) {
        Bounds.check("inclusionMs", 10_000, 30 days * 1000, parameters.inclusionMs);
        Bounds.check("intervalMs", 1, 60_000, parameters.intervalMs);
        Bounds.check("baseFee", 0, 1 ether, parameters.baseFee);
        Bounds.check("feeDoublingMs", 1_000, 1 days * 1000, parameters.feeDoublingMs);
        Bounds.check("genesis.length", 1, GENESIS_ENTRIES_MAX, genesis.length);
        // Rollup's constructor knows the window too, and demands more.
        uint64 timelockMin = parameters.configurator == address(0) ? 0 : parameters.inclusionMs;
        Bounds.check("timelockMs", timelockMin, TIMELOCK_MS_MAX, parameters.timelockMs);
        vault = vault_;
        rollup = rollup_;
        inclusionMs = parameters.inclusionMs;
        intervalMs = parameters.intervalMs;
        baseFee = parameters.baseFee;
        feeDoublingMs = parameters.feeDoublingMs;
        configurator = parameters.configurator;
        timelockMs = parameters.timelockMs;
        for (uint256 i = 0; i < genesis.length; i++) {
            ConfigurationLib.checkShape(genesis[i].kind, genesis[i].payload);
            _append(genesis[i].kind, address(0), genesis[i].payload, parameters.inclusionMs, parameters.intervalMs);
        }
    }

    /// @inheritdoc IQueue
    function deposit(uint16 asset, uint8 subaccount, uint64 amount) external payable returns (uint64) {
        return _deposit(msg.sender, asset, subaccount, amount);
    }

    /// @inheritdoc IQueue
    function depositFor(address owner, uint16 asset, uint8 subaccount, uint64 amount)
        external
        payable
        returns (uint64)
    {
        // Nobody could ever withdraw from the zero address; it also marks configuration.
        Bounds.check("owner", 1, type(uint160).max, uint160(owner));
        return _deposit(owner, asset, subaccount, amount);
    }

    /// @inheritdoc IQueue
    function requestForced(uint8 kind, bytes calldata payload) external payable guarded returns (uint64 index) {
        if (kind == WITHDRAW) {
            _requireLength(kind, MONEY_PAYLOAD_BYTES, payload.length);
            uint256 asset = uint16(bytes2(payload[0:2]));
            uint16 known = IVault(vault).assetCount();
            if (asset >= known) revert IVault.UnknownAsset(known, asset);
            Bounds.check("amount", 1, AMOUNT_MAX, uint64(bytes8(payload[3:11])));
        } else if (kind == CANCEL_ALL) {
            _requireLength(kind, 1, payload.length);
        } else if (kind == REDUCE_ONLY_IOC) {
            _requireLength(kind, REDUCE_ONLY_IOC_PAYLOAD_BYTES, payload.length);
            Bounds.check("market", 0, MARKETS_MAX - 1, uint16(bytes2(payload[0:2])));
            Bounds.check("side", 0, 1, uint8(payload[3]));
            Bounds.check("size", 1, SIZE_MAX, uint64(bytes8(payload[8:16])));
        } else if (kind == EVALUATE_LIQUIDATION) {
            _requireLength(kind, EVALUATE_LIQUIDATION_PAYLOAD_BYTES, payload.length);
        } else {
            revert KindNotSupported(kind);
        }
        return _enter(kind, msg.sender, payload);
    }

    /// @inheritdoc IQueue
    function proposeConfiguration(uint8 kind, bytes calldata payload) external returns (uint64 id) {
        _requireConfigurator();
        if (IRollup(rollup).frozen()) revert QueueClosed();
        ConfigurationLib.check(kind, payload);
        id = proposalCount;
        proposalCount = id + 1;
        uint64 enterableAtMs = uint64(_nowMs()) + timelockMs;
        _proposals[id] = Proposal({
            hash: _proposalHash(kind, payload),
            enterableAtMs: enterableAtMs,
            voidAtMs: enterableAtMs + PROPOSAL_LIFE_MS
        });
        emit ConfigurationProposed(id, kind, payload, enterableAtMs);
    }

    /// @inheritdoc IQueue
    function cancelConfiguration(uint64 id) external {
        _requireConfigurator();
        if (_proposals[id].hash == bytes32(0)) revert NoSuchProposal(id);
        delete _proposals[id];
        emit ConfigurationCanceled(id);
    }

    /// @inheritdoc IQueue
    function enterConfiguration(uint64 id, uint8 kind, bytes calldata payload)
        external
        payable
        guarded
        returns (uint64 index)
    {
        Proposal memory proposal = _proposals[id];
        if (proposal.hash == bytes32(0) || proposal.hash != _proposalHash(kind, payload)) revert NoSuchProposal(id);
        uint256 nowMs = _nowMs();
        if (nowMs < proposal.enterableAtMs || nowMs >= proposal.voidAtMs) {
            revert NotEnterable(proposal.enterableAtMs, proposal.voidAtMs, nowMs);
        }
        delete _proposals[id];
        index = _enter(kind, address(0), payload);
        emit ConfigurationEntered(id, index);
    }

    /// @inheritdoc IQueue
    function proposals(uint64 id) external view returns (Proposal memory) {
        return _proposals[id];
    }

    /// @inheritdoc IQueue
    function feeOf(uint8 kind) public view returns (uint256) {
        uint256 uncrowded = _nowMs() + inclusionMs;
        uint256 behind = _nextDeadline(uncrowded, intervalMs) - uncrowded;
        uint256 doublings = behind / feeDoublingMs;
        if (doublings > DOUBLINGS_MAX) doublings = DOUBLINGS_MAX;
        uint256 fee = uint256(baseFee) << doublings;
        return kind == DEPOSIT ? fee - baseFee : fee;
    }

    /// @inheritdoc IQueue
    function cursorAt(uint64 index)
        external
        view
        returns (uint64 count, bytes32 prefixHash, uint64 deadline, uint64 blockNumber)
    {
        count = length;
        if (index > count) revert NoSuchEntry(count, index);
        if (index > 0) prefixHash = entries[index - 1].prefixHash;
        if (index == count) return (count, prefixHash, type(uint64).max, type(uint64).max);
        Entry storage entry = entries[index];
        return (count, prefixHash, entry.deadline, entry.blockNumber);
    }

    function _deposit(address owner, uint16 asset, uint8 subaccount, uint64 amount)
        private
        guarded
        returns (uint64 index)
    {
        Bounds.check("amount", 1, AMOUNT_MAX, amount);
        IVault(vault).receiveDeposit(msg.sender, asset, amount);
        return _enter(DEPOSIT, owner, abi.encodePacked(asset, subaccount, amount));
    }

    /// @dev Takes the fee, appends, returns the surplus: money leaves last.
    function _enter(uint8 kind, address owner, bytes memory payload) private returns (uint64 index) {
        if (IRollup(rollup).frozen()) revert QueueClosed();
        uint256 fee = feeOf(kind);
        if (msg.value < fee) revert FeeTooLow(fee, msg.value);
        index = _append(kind, owner, payload, inclusionMs, intervalMs);
        // Burned: a fee that someone earned would make a flood cheap for that someone.
        _send(address(0), fee);
        _send(msg.sender, msg.value - fee);
    }

    function _append(uint8 kind, address owner, bytes memory payload, uint64 inclusion, uint64 interval)
        private
        returns (uint64 index)
    {
        index = length;
        bytes32 before = index == 0 ? bytes32(0) : entries[index - 1].prefixHash;
        bytes32 prefixHash = keccak256(abi.encodePacked(before, kind, owner, keccak256(payload)));
        uint64 deadline = uint64(_nextDeadline(_nowMs() + inclusion, interval));
        entries[index] = Entry({prefixHash: prefixHash, deadline: deadline, blockNumber: uint64(block.number)});
        length = index + 1;
        emit Enqueued(index, kind, owner, payload, prefixHash, deadline);
    }

    /// @dev max(uncrowded, deadline of the last entry + interval).
    function _nextDeadline(uint256 uncrowded, uint64 interval) private view returns (uint256) {
        uint64 count = length;
        if (count == 0) return uncrowded;
        uint256 crowded = uint256(entries[count - 1].deadline) + interval;
        return crowded > uncrowded ? crowded : uncrowded;
    }

    function _nowMs() private view returns (uint256) {
        return block.timestamp * 1000;
    }

    function _proposalHash(uint8 kind, bytes calldata payload) private pure returns (bytes32) {
        return keccak256(abi.encodePacked(kind, payload));
    }

    function _requireConfigurator() private view {
        if (msg.sender != configurator) revert NotConfigurator(configurator, msg.sender);
    }

    function _requireLength(uint8 kind, uint256 expected, uint256 got) private pure {
        if (expected != got) revert PayloadLength(kind, expected, got);
    }

    function _send(address to, uint256 amount) private {
        if (amount == 0) return;
        (bool success,) = to.call{value: amount}("");
        if (!success) revert EtherNotSent(to, amount);
    }
}
