// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {StepVectors} from "./StepVectors.sol";
import {ISteps} from "../../settlement/contracts/step/ISteps.sol";
import {Keys} from "../../settlement/contracts/step/Keys.sol";
import {LeavesLib} from "../../settlement/contracts/step/Leaves.sol";
import {Reject} from "../../settlement/contracts/step/Reject.sol";
import {StepKind} from "../../settlement/contracts/step/StepKind.sol";
import {ConfigureSteps} from "../../settlement/contracts/step/families/ConfigureSteps.sol";
import {MoneySteps} from "../../settlement/contracts/step/families/MoneySteps.sol";
import {QueueSteps} from "../../settlement/contracts/step/families/QueueSteps.sol";
import {Configure} from "../../settlement/contracts/step/handlers/Configure.sol";

/// @notice Asks the family that runs the kind; DEPOSIT and FORCED of an entry of configuration are never asked for.
contract QueueFamilies is ISteps {
    ISteps public immutable queue = new QueueSteps();
    ISteps public immutable configure = new ConfigureSteps();

    function step(uint8 kind, bytes calldata record, bytes32 domain, bytes calldata slice)
        external
        view
        returns (bytes memory, uint256)
    {
        return (kind == StepKind.CONFIGURE ? configure : queue).step(kind, record, domain, slice);
    }
}

/// @notice Withdrawals, transfers and queue entries, against what the engine does.
contract MoneyStepsTest is StepVectors {
    string private constant QUEUE_FILE = "test/vectors/steps-queue.json";

    ISteps private money = new MoneySteps();
    QueueFamilies private queue = new QueueFamilies();

    function test_money_moves_as_in_the_engine() public view {
        assertTrue(replay(money, "test/vectors/steps-money.json", 0) > 20, "the file has steps");
    }

    function test_queue_entries_do_what_the_engine_does() public view {
        assertTrue(replay(queue, QUEUE_FILE, 0) > 60, "the file has steps");
    }

    /// @notice The schedule tells the kind of step from the entry's kind byte; the result does not hang on it.
    function test_an_entry_that_is_not_the_next_whole_one_is_inadmissible_as_any_kind() public view {
        string memory json = vm.readFile(QUEUE_FILE);
        uint256[] memory codes = vm.parseJsonUintArray(json, ".codes");
        bytes[] memory records = vm.parseJsonBytesArray(json, ".records");
        bytes[] memory slices = vm.parseJsonBytesArray(json, ".slices");
        uint256 count = 0;
        for (uint256 i = 0; i < codes.length; i++) {
            if (codes[i] != Reject.INADMISSIBLE) continue;
            count++;
            for (uint8 kind = StepKind.DEPOSIT; kind <= StepKind.CONFIGURE; kind++) {
                (bytes memory writes, uint256 code) = queue.step(kind, records[i], 0, slices[i]);
                assertEq(code, Reject.INADMISSIBLE, "code");
                assertEq(writes.length, 0, "writes");
            }
        }
        assertTrue(count > 0, "the file has such entries");
    }

    /// @notice Entries of every kind and payload have a result where nothing is known but the queue, or miss a leaf.
    function testFuzz_every_entry_has_a_result(uint8 kind, address owner, bytes calldata payload) public view {
        if (kind < 200) kind = uint8(kind % 20);
        bytes memory record = abi.encodePacked(
            new bytes(12), uint64(0), kind, uint8(0), uint8(payload.length), uint8(payload.length >> 8), owner, payload
        );
        uint8 step = kind >= 16 && kind <= 19 ? StepKind.CONFIGURE : StepKind.FORCED;
        try queue.step(step, record, 0, _slice(owner, payload)) returns (bytes memory writes, uint256) {
            assertTrue(writes.length >= 32 + 2 + 40, "the cursor moves");
        } catch (bytes memory reason) {
            bytes4 selector = bytes4(reason);
            assertTrue(
                selector == LeavesLib.LeafMissing.selector || selector == LeavesLib.RangeMissing.selector,
                "reason of a revert"
            );
        }
    }

    /// @notice Any bytes are judged, and never revert.
    function testFuzz_every_record_has_a_result(bytes calldata record, uint8 kind) public view {
        kind = uint8(bound(kind, StepKind.DEPOSIT, StepKind.CONFIGURE));
        bytes memory slice = abi.encodePacked(uint8(0), Keys.QUEUE, uint16(40), uint64(77), bytes32(0));
        (, uint256 code) = queue.step(kind, record, 0, slice);
        assertEq(code, Reject.INADMISSIBLE, "code");
    }

    function test_configurations_are_judged_as_in_typescript() public view {
        string memory json = vm.readFile("test/vectors/configuration.json");
        uint256[] memory kinds = vm.parseJsonUintArray(json, ".kind");
        uint256[] memory lengths = vm.parseJsonUintArray(json, ".length");
        uint256[] memory offsets = vm.parseJsonUintArray(json, ".offset");
        bytes[] memory patches = vm.parseJsonBytesArray(json, ".patch");
        uint256[] memory valid = vm.parseJsonUintArray(json, ".valid");
        bytes[4] memory bases;
        for (uint256 n = 0; n < 4; n++) {
            bases[n] = vm.parseJsonBytes(json, string.concat(".base", vm.toString(16 + n)));
        }
        uint256 count = 0;
        for (; count < kinds.length; count++) {
            bytes memory payload = new bytes(lengths[count]);
            _write(payload, 0, bases[kinds[count] - 16]);
            _write(payload, offsets[count], patches[count]);
            assertEq(_isValid(kinds[count], payload) ? 1 : 0, valid[count], vm.toString(count));
        }
        assertTrue(count > 2_000, "over two thousand cases");
    }

    function test_other_kinds_are_not_run() public {
        (ISteps users, ISteps configure) = (queue.queue(), queue.configure());
        for (uint256 kind = 0; kind < 256; kind++) {
            bytes memory error_ = abi.encodeWithSelector(ISteps.UnknownStep.selector, uint8(kind));
            if (kind != StepKind.WITHDRAW && kind != StepKind.TRANSFER) {
                vm.expectRevert(error_);
                money.step(uint8(kind), "", 0, "");
            }
            if (kind != StepKind.CONFIGURE) {
                vm.expectRevert(error_);
                configure.step(uint8(kind), "", 0, "");
            }
            if (kind != StepKind.DEPOSIT && kind != StepKind.FORCED) {
                vm.expectRevert(error_);
                users.step(uint8(kind), "", 0, "");
            }
        }
    }

    function test_the_families_can_be_deployed() public view {
        assertTrue(address(money).code.length <= 24_576, "MoneySteps: code of at most 24,576 bytes");
        assertTrue(address(queue.queue()).code.length <= 24_576, "QueueSteps: code of at most 24,576 bytes");
        assertTrue(address(queue.configure()).code.length <= 24_576, "ConfigureSteps: code of at most 24,576 bytes");
    }

    function _isValid(uint256 kind, bytes memory payload) private pure returns (bool) {
        if (kind == 16) return Configure.isChain(payload);
        if (kind == 17) return Configure.isMarket(payload);
        return kind == 18 ? Configure.isPublisher(payload) : Configure.isAsset(payload);
    }

    /// @dev GLOBALS, the account that is created first, its owner, PUBLISHERS, QUEUE: all absent. By ascending key.
    function _slice(address owner, bytes calldata payload) private pure returns (bytes memory) {
        uint256 subaccount = payload.length == 1 ? uint8(payload[0]) : payload.length > 2 ? uint8(payload[2]) : 0;
        uint256 market = payload.length > 1 ? uint16(bytes2(payload[:2])) : 0;
        return bytes.concat(
            _absent(Keys.GLOBALS),
            _absent(Keys.account(1)),
            _absent(Keys.owner(owner, subaccount)),
            _absent(Keys.marketConfig(market)),
            _absent(Keys.PUBLISHERS),
            _absent(Keys.QUEUE)
        );
    }

    function _absent(bytes32 key) private pure returns (bytes memory) {
        return abi.encodePacked(uint8(0), key, uint16(LeavesLib.ABSENT));
    }

    /// @dev As much of `part` as fits from `offset` on.
    function _write(bytes memory into, uint256 offset, bytes memory part) private pure {
        for (uint256 i = 0; i < part.length && offset + i < into.length; i++) {
            into[offset + i] = part[i];
        }
    }
}
