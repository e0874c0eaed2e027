// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Fixture} from "./Fixture.sol";
import {Queue} from "../../settlement/contracts/Queue.sol";
import {Rollup} from "../../settlement/contracts/Rollup.sol";
import {IQueue, Proposal, QueueParameters} from "../../settlement/contracts/interfaces/IQueue.sol";
import {Bounds} from "../../settlement/contracts/libraries/Bounds.sol";
import {ConfigurationLib} from "../../settlement/contracts/libraries/ConfigurationLib.sol";

contract ConfigurationHarness {
    function check(uint8 kind, bytes calldata payload) external pure {
        ConfigurationLib.check(kind, payload);
    }
}

/// @notice Proposals, their timelock, and what they become.
contract QueueConfigurationTest is Fixture {
    address private constant ALICE = address(0xa11ce);

    function setUp() public {
        deployAll();
        vm.deal(ALICE, 1_000 ether);
    }

    function publisher(uint8 index, uint32 weight) private pure returns (bytes memory) {
        return abi.encodePacked(index, address(0xfee1), weight);
    }

    function propose(bytes memory payload) private returns (uint64) {
        vm.prank(CONFIGURATOR);
        return queue.proposeConfiguration(18, payload);
    }

    function test_aProposalEntersAfterItsTimelockByAnyone() public {
        uint64 id = propose(publisher(1, 7));
        Proposal memory proposal = queue.proposals(id);
        uint256 from = block.timestamp * 1000 + TIMELOCK_MS;
        assertEq(proposal.enterableAtMs, from, "enterable");
        vm.warp(from / 1000 - 1);
        vm.expectPartialRevert(IQueue.NotEnterable.selector);
        vm.prank(ALICE);
        queue.enterConfiguration{value: BASE_FEE}(id, 18, publisher(1, 7));
        vm.warp(from / 1000);
        (bytes32 before,,) = queue.entries(1);
        vm.prank(ALICE);
        assertEq(queue.enterConfiguration{value: BASE_FEE}(id, 18, publisher(1, 7)), 2, "index");
        (bytes32 prefix, uint64 deadline,) = queue.entries(2);
        bytes32 expected =
            keccak256(bytes.concat(before, bytes1(uint8(18)), bytes20(0), keccak256(publisher(1, 7))));
        assertEq(prefix, expected, "an entry like any other, of nobody");
        assertEq(deadline, block.timestamp * 1000 + INCLUSION_MS, "deadline");
        vm.expectRevert(abi.encodeWithSelector(IQueue.NoSuchProposal.selector, id));
        queue.enterConfiguration{value: BASE_FEE}(id, 18, publisher(1, 7));
    }

    function test_aProposalIsVoidAfterFourteenDays() public {
        uint64 id = propose(publisher(1, 7));
        uint256 from = (block.timestamp * 1000 + TIMELOCK_MS) / 1000;
        vm.warp(from + 14 days);
        vm.expectPartialRevert(IQueue.NotEnterable.selector);
        queue.enterConfiguration{value: BASE_FEE}(id, 18, publisher(1, 7));
        vm.warp(from + 14 days - 1);
        vm.deal(address(this), 1 ether);
        queue.enterConfiguration{value: BASE_FEE}(id, 18, publisher(1, 7));
    }

    function test_onlyTheConfiguratorProposesAndCancels() public {
        vm.expectRevert(abi.encodeWithSelector(IQueue.NotConfigurator.selector, CONFIGURATOR, address(this)));
        queue.proposeConfiguration(18, publisher(1, 7));
        uint64 id = propose(publisher(1, 7));
        vm.expectRevert(abi.encodeWithSelector(IQueue.NotConfigurator.selector, CONFIGURATOR, address(this)));
        queue.cancelConfiguration(id);
        vm.prank(CONFIGURATOR);
        queue.cancelConfiguration(id);
        vm.warp(block.timestamp + TIMELOCK_MS / 1000);
        vm.expectRevert(abi.encodeWithSelector(IQueue.NoSuchProposal.selector, id));
        queue.enterConfiguration{value: BASE_FEE}(id, 18, publisher(1, 7));
        vm.prank(CONFIGURATOR);
        vm.expectRevert(abi.encodeWithSelector(IQueue.NoSuchProposal.selector, id));
        queue.cancelConfiguration(id);
    }

    function testFuzz_onlyWhatWasAnnouncedEnters(uint8 kind, bytes memory payload) public {
        uint64 id = propose(publisher(1, 7));
        vm.warp(block.timestamp + TIMELOCK_MS / 1000);
        vm.assume(kind != 18 || keccak256(payload) != keccak256(publisher(1, 7)));
        vm.expectRevert(abi.encodeWithSelector(IQueue.NoSuchProposal.selector, id));
        queue.enterConfiguration{value: BASE_FEE}(id, kind, payload);
        vm.expectRevert(abi.encodeWithSelector(IQueue.NoSuchProposal.selector, id + 1));
        queue.enterConfiguration{value: BASE_FEE}(id + 1, 18, publisher(1, 7));
    }

    /// @dev Moving a byte between kind and payload must not make another proposal of the same hash.
    function test_kindAndPayloadCanNotTradeBytes() public {
        uint64 id = propose(publisher(1, 7));
        vm.warp(block.timestamp + TIMELOCK_MS / 1000);
        vm.expectRevert(abi.encodeWithSelector(IQueue.NoSuchProposal.selector, id));
        queue.enterConfiguration{value: BASE_FEE}(id, 1, bytes.concat(hex"12", publisher(1, 7)));
    }

    function test_entryCostsTheFee() public {
        uint64 id = propose(publisher(1, 7));
        vm.warp(block.timestamp + TIMELOCK_MS / 1000);
        vm.expectRevert(abi.encodeWithSelector(IQueue.FeeTooLow.selector, BASE_FEE, 0));
        queue.enterConfiguration(id, 18, publisher(1, 7));
        uint256 before = ALICE.balance;
        vm.prank(ALICE);
        queue.enterConfiguration{value: 1 ether}(id, 18, publisher(1, 7));
        assertEq(before - ALICE.balance, BASE_FEE, "fee");
    }

    function test_nothingIsProposedOrEnteredWhenFrozen() public {
        uint64 id = propose(publisher(1, 7));
        vm.warp(block.timestamp + LIVENESS + 1);
        rollup.freeze();
        vm.prank(CONFIGURATOR);
        vm.expectRevert(IQueue.QueueClosed.selector);
        queue.proposeConfiguration(18, publisher(1, 7));
        vm.expectRevert(IQueue.QueueClosed.selector);
        queue.enterConfiguration{value: BASE_FEE}(id, 18, publisher(1, 7));
    }

    function test_withoutAConfiguratorNobodyChangesAnything() public {
        QueueParameters memory p = queueParameters();
        p.configurator = address(0);
        p.timelockMs = 0;
        Queue fixedForGood = new Queue(address(vault), address(rollup), p, genesis());
        vm.expectRevert(abi.encodeWithSelector(IQueue.NotConfigurator.selector, address(0), address(this)));
        fixedForGood.proposeConfiguration(18, publisher(1, 7));
    }

    function test_theTimelockIsNotShorterThanTheWayOut() public {
        QueueParameters memory p = queueParameters();
        p.timelockMs = INCLUSION_MS - 1;
        vm.expectPartialRevert(Bounds.OutOfRange.selector);
        new Queue(address(vault), address(rollup), p, genesis());
        p.timelockMs = 365 days * 1000 + 1;
        vm.expectPartialRevert(Bounds.OutOfRange.selector);
        new Queue(address(vault), address(rollup), p, genesis());
        timelockMs = TIMELOCK_MS - 1;
        try this.deploy() {
            revert NotTrue("a rollup with a shorter timelock");
        } catch (bytes memory reason) {
            bytes memory expected = abi.encodeWithSelector(
                Bounds.OutOfRange.selector,
                bytes32("queue.timelockMs"),
                uint256(TIMELOCK_MS),
                uint256(type(uint64).max),
                uint256(TIMELOCK_MS - 1)
            );
            assertEq(keccak256(reason), keccak256(expected), "why");
        }
        timelockMs = TIMELOCK_MS;
        this.deploy();
    }

    function deploy() external {
        deployFor(address(token));
    }

    function testFuzz_proposalsAreJudgedByTheLibrary(uint8 kind, bytes memory payload) public {
        ConfigurationHarness harness = new ConfigurationHarness();
        bool fine;
        try harness.check(kind, payload) {
            fine = true;
        } catch {}
        vm.prank(CONFIGURATOR);
        if (!fine) vm.expectRevert();
        queue.proposeConfiguration(kind, payload);
    }

    function test_publishersNeedAnAddressUnlessRemoved() public {
        ConfigurationHarness harness = new ConfigurationHarness();
        harness.check(18, abi.encodePacked(uint8(0), address(0), uint32(0)));
        vm.expectPartialRevert(Bounds.OutOfRange.selector);
        harness.check(18, abi.encodePacked(uint8(0), address(0), uint32(1)));
    }

    function test_configurationVectors() public {
        string memory json = vm.readFile("test/vectors/configuration.json");
        ConfigurationHarness harness = new ConfigurationHarness();
        uint256[] memory kinds = vm.parseJsonUintArray(json, ".kind");
        uint256[] memory lengths = vm.parseJsonUintArray(json, ".length");
        uint256[] memory offsets = vm.parseJsonUintArray(json, ".offset");
        bytes[] memory patches = vm.parseJsonBytesArray(json, ".patch");
        uint256[] memory valid = vm.parseJsonUintArray(json, ".valid");
        uint256 count = 0;
        for (; count < kinds.length; count++) {
            bytes memory payload = new bytes(lengths[count]);
            _write(payload, 0, vm.parseJsonBytes(json, string.concat(".base", vm.toString(kinds[count]))));
            _write(payload, offsets[count], patches[count]);
            bool fine = false;
            try harness.check(uint8(kinds[count]), payload) {
                fine = true;
            } catch {}
            assertEq(fine ? 1 : 0, valid[count], vm.toString(count));
        }
        assertTrue(count > 2_000, "over two thousand cases");
    }

    /// @dev As much of `part` as fits from `offset` on.
    function _write(bytes memory into, uint256 offset, bytes memory part) private pure {
        for (uint256 i = 0; i < part.length && offset + i < into.length; i++) into[offset + i] = part[i];
    }
}
