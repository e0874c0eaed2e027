// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ScriptedStepProver} from "./ScriptedStepProver.sol";
import {Test} from "./Test.sol";
import {Challenges} from "../../settlement/contracts/Challenges.sol";
import {Demands} from "../../settlement/contracts/Demands.sol";
import {Equivocation} from "../../settlement/contracts/Equivocation.sol";
import {EscapeHatch} from "../../settlement/contracts/EscapeHatch.sol";
import {Queue} from "../../settlement/contracts/Queue.sol";
import {Rollup} from "../../settlement/contracts/Rollup.sol";
import {Vault} from "../../settlement/contracts/Vault.sol";
import {TestToken} from "../../settlement/contracts/devnet/TestToken.sol";
import {DemandParameters} from "../../settlement/contracts/interfaces/IDemands.sol";
import {GenesisEntry, QueueParameters} from "../../settlement/contracts/interfaces/IQueue.sol";
import {Head, PostedBatch, RollupParameters, RollupParts} from "../../settlement/contracts/interfaces/IRollup.sol";
import {Asset} from "../../settlement/contracts/interfaces/IVault.sol";
import {BatchLib, Header} from "../../settlement/contracts/libraries/BatchLib.sol";

/// @notice Hashes what is calldata for the contracts.
contract HeaderReader {
    function digest(bytes calldata header, address rollup) external view returns (bytes32) {
        return BatchLib.digest(BatchLib.decode(header), BatchLib.domainSeparator(rollup));
    }
}

/// @notice A deployed rollup and the means to write batches for it: consistent ones, changed at will before they are
/// signed.
abstract contract Fixture is Test {
    uint256 internal constant SEQUENCER_KEY = 0x5e9;
    /// @dev An account without code: who submits.
    address internal constant SUBMITTER = address(0x50b);
    uint64 internal constant WINDOW = 1 days;
    uint64 internal constant LIVENESS = 7 days;
    uint128 internal constant BOND = 10 ether;
    uint64 internal constant INCLUSION_MS = 12 hours * 1000;
    uint64 internal constant INTERVAL_MS = 500;
    uint128 internal constant BASE_FEE = 0.001 ether;
    uint64 internal constant FEE_DOUBLING_MS = 60_000;
    address internal constant CONFIGURATOR = address(0xc0f);
    uint64 internal constant TIMELOCK_MS = WINDOW * 1000 + INCLUSION_MS;
    uint128 internal constant DEMAND_FEE = 0.01 ether;
    uint64 internal constant ANSWER_WINDOW = 2 hours;
    uint64 internal constant PROVING_PERIOD = 4 hours;
    uint64 internal constant CAP = 2 ** 51;
    uint64 internal constant CLAIM_PERIOD = 14 days;

    /// @dev Of the next deployment.
    uint64 internal timelockMs = TIMELOCK_MS;
    /// @dev Asset 1 of the next deployment, none by default, and what of it is one unit of the ledger.
    address internal secondToken;
    uint64 internal secondScale = 1;
    /// @dev The same of asset 0.
    uint64 internal quoteScale = 1;
    TestToken internal token;
    Vault internal vault;
    Queue internal queue;
    Rollup internal rollup;
    ScriptedStepProver internal stepProver;
    Challenges internal challenges;
    Demands internal demands;
    Equivocation internal equivocation;
    EscapeHatch internal escape;
    HeaderReader internal reader = new HeaderReader();

    function deployAll() internal {
        vm.warp(1_700_000_000);
        vm.roll(1_000);
        token = new TestToken("Test USD", "tUSD", 6);
        deployFor(address(token));
    }

    /// @dev Leaves everything but the token as it is by default.
    function deployFor(address asset) internal {
        deployParts(asset);
        vm.deal(address(this), address(this).balance + BOND);
        rollup = new Rollup{value: BOND}(parts(), rollupParameters());
    }

    /// @dev All but the rollup, for the address of the next contract that this one makes.
    function deployParts(address asset) internal {
        Asset[] memory assets = new Asset[](secondToken == address(0) ? 1 : 2);
        assets[0] = Asset({token: asset, scale: quoteScale, depositMin: 1, cap: CAP});
        if (secondToken != address(0)) {
            assets[1] = Asset({token: secondToken, scale: secondScale, depositMin: 1, cap: CAP});
        }
        stepProver = new ScriptedStepProver();
        uint64 nonce = vm.getNonce(address(this));
        address queueAt = vm.computeCreateAddress(address(this), nonce + 1);
        // Last: its constructor calls the others.
        address rollupAt = vm.computeCreateAddress(address(this), nonce + 6);
        vault = new Vault(queueAt, rollupAt, assets);
        queue = new Queue(address(vault), rollupAt, queueParameters(), genesis());
        challenges = new Challenges(rollupAt, address(stepProver), WINDOW);
        demands = new Demands(rollupAt, demandParameters());
        equivocation = new Equivocation(rollupAt, WINDOW);
        escape = new EscapeHatch(rollupAt, CLAIM_PERIOD);
    }

    function parts() internal view returns (RollupParts memory) {
        return RollupParts({
            queue: address(queue),
            vault: address(vault),
            challenges: address(challenges),
            demands: address(demands),
            equivocation: address(equivocation),
            escape: address(escape)
        });
    }

    function queueParameters() internal view returns (QueueParameters memory) {
        return QueueParameters({
            inclusionMs: INCLUSION_MS,
            intervalMs: INTERVAL_MS,
            baseFee: BASE_FEE,
            feeDoublingMs: FEE_DOUBLING_MS,
            configurator: CONFIGURATOR,
            timelockMs: timelockMs
        });
    }

    function rollupParameters() internal pure returns (RollupParameters memory) {
        return RollupParameters({
            sequencer: vm.addr(SEQUENCER_KEY),
            window: WINDOW,
            livenessLimit: LIVENESS,
            bond: BOND,
            verifier: address(0),
            inputsOffChain: false,
            submitter: SUBMITTER
        });
    }

    function demandParameters() internal pure returns (DemandParameters memory) {
        return DemandParameters({
            fee: DEMAND_FEE,
            answerWindow: ANSWER_WINDOW,
            answerInterval: 60,
            provingPeriod: PROVING_PERIOD
        });
    }

    function genesis() internal pure returns (GenesisEntry[] memory entries) {
        entries = new GenesisEntry[](2);
        entries[0] = GenesisEntry({kind: 16, payload: new bytes(96)});
        entries[1] = GenesisEntry({kind: 18, payload: new bytes(25)});
    }

    // --- batches ---

    /// @dev A batch on top of the head: one segment, the whole queue, the time of this block, the block before as anchor.
    function nextHeader(bytes32 ledgerRoot, bytes memory withdrawn) internal view returns (Header memory h) {
        Head memory head = rollup.head();
        h.version = 1;
        h.epoch = head.epoch;
        h.id = head.id + 1;
        h.parentHash = head.hash;
        h.preLedgerRoot = head.ledgerRoot;
        h.preBookRoot = head.bookRoot;
        h.postLedgerRoot = ledgerRoot;
        h.postBookRoot = keccak256(abi.encode("book", h.id));
        h.traceLength = 1;
        h.firstStep = head.nextStep;
        h.nextStep = head.nextStep + 3;
        h.firstSeq = head.nextSeq;
        h.nextSeq = head.nextSeq + 2;
        h.preInputHash = head.inputHash;
        h.postInputHash = keccak256(abi.encode("inputs", h.id));
        h.inputBytes = uint32(inputs().length);
        h.inputsHash = keccak256(inputs());
        h.diffHash = keccak256(diff());
        h.withdrawnHash = keccak256(withdrawn);
        h.queueFirst = head.queueNext;
        h.queueNext = queue.length();
        (, h.queueHash,,) = queue.cursorAt(h.queueNext);
        h.anchorNumber = uint64(block.number - 1);
        h.anchorHash = blockhash(block.number - 1);
        uint64 time = uint64(block.timestamp * 1000);
        h.timeFirst = head.timeLast > time ? head.timeLast : time;
        h.timeLast = h.timeFirst;
        h.traceRoot = leafOf(h);
    }

    function inputs() internal pure returns (bytes memory) {
        return hex"0102030405060708090a";
    }

    function diff() internal pure returns (bytes memory) {
        return hex"d1ff";
    }

    /// @dev The only entry of the trace, from what the header says.
    function traceOf(Header memory h) internal pure returns (bytes memory) {
        bytes32 stateRoot = keccak256(abi.encodePacked(bytes1(0x03), h.postLedgerRoot, h.postBookRoot));
        return abi.encodePacked(h.nextStep, h.nextSeq, h.inputBytes, uint64(1_000), h.postInputHash, stateRoot);
    }

    function leafOf(Header memory h) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(bytes1(0x02), uint32(0), h.firstStep, h.firstSeq, uint32(0), traceOf(h)));
    }

    function packed(Header memory h) internal pure returns (bytes memory) {
        bytes memory first = abi.encodePacked(
            h.version, h.epoch, h.id, h.parentHash, h.preLedgerRoot, h.preBookRoot, h.postLedgerRoot, h.postBookRoot
        );
        bytes memory second = abi.encodePacked(
            h.traceRoot, h.traceLength, h.firstStep, h.nextStep, h.firstSeq, h.nextSeq, h.preInputHash, h.postInputHash
        );
        bytes memory third =
            abi.encodePacked(h.inputBytes, h.inputsHash, h.diffHash, h.withdrawnHash, h.queueFirst, h.queueNext);
        return abi.encodePacked(
            first, second, third, h.queueHash, h.anchorNumber, h.anchorHash, h.timeFirst, h.timeLast
        );
    }

    function digestOf(Header memory h) internal view returns (bytes32) {
        return reader.digest(packed(h), address(rollup));
    }

    function signed(Header memory h, bytes memory withdrawn) internal view returns (PostedBatch memory) {
        return PostedBatch({
            header: packed(h),
            signature: signature(SEQUENCER_KEY, digestOf(h)),
            trace: traceOf(h),
            withdrawn: withdrawn,
            diff: diff(),
            inputs: inputs()
        });
    }

    function signature(uint256 key, bytes32 digest) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(r, s, v);
    }

    function post(PostedBatch memory batch) internal {
        vm.prank(SUBMITTER, SUBMITTER);
        rollup.commitBatch(batch);
    }

    /// @dev Commits a batch with this ledger root and these totals.
    function commit(bytes32 ledgerRoot, bytes memory withdrawn) internal returns (Header memory h) {
        h = nextHeader(ledgerRoot, withdrawn);
        post(signed(h, withdrawn));
    }

    /// @dev Commits, waits and finalizes.
    function settle(bytes32 ledgerRoot, bytes memory withdrawn) internal returns (Header memory h) {
        h = commit(ledgerRoot, withdrawn);
        pass(WINDOW);
        rollup.finalizeBatch(packed(h), withdrawn);
    }

    function pass(uint256 secondsOn) internal {
        vm.warp(block.timestamp + secondsOn);
        vm.roll(block.number + 1);
    }

    // --- ledgers of one leaf ---

    function totals(uint16 asset, uint128 amount) internal pure returns (bytes memory) {
        return abi.encodePacked(asset, amount);
    }

    function leafKey(address owner, uint16 asset) internal pure returns (bytes32) {
        return bytes32(abi.encodePacked(uint8(0x09), owner, asset, uint72(0)));
    }

    /// @dev Root of the ledger in which nothing stands but what `owner` has withdrawn; its path has no siblings.
    function soleRoot(address owner, uint16 asset, uint128 total) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(bytes1(0), leafKey(owner, asset), keccak256(abi.encodePacked(total))));
    }

    function solePath() internal pure returns (bytes memory) {
        return new bytes(32);
    }

    function fund(address owner, uint256 amount) internal {
        token.mint(owner, amount);
        vm.prank(owner);
        token.approve(address(vault), amount);
        vm.deal(owner, 1_000 ether);
    }

    receive() external payable {}
}
