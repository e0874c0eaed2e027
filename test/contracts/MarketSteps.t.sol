// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {StepVectors} from "./StepVectors.sol";
import {ISteps} from "../../settlement/contracts/step/ISteps.sol";
import {Bytes} from "../../settlement/contracts/step/Bytes.sol";
import {Keys} from "../../settlement/contracts/step/Keys.sol";
import {LeavesLib} from "../../settlement/contracts/step/Leaves.sol";
import {Reject} from "../../settlement/contracts/step/Reject.sol";
import {StepKind} from "../../settlement/contracts/step/StepKind.sol";
import {MarketSteps} from "../../settlement/contracts/step/families/MarketSteps.sol";

/// @notice Price rounds, samples, fundings and expiries, against what the engine does.
contract MarketStepsTest is StepVectors {
    using Bytes for bytes;

    string private constant FILE = "test/vectors/steps-market.json";

    ISteps private family = new MarketSteps();
    bytes32 private domain;
    bytes private round;
    bytes private roundSlice;
    bytes private notRecovering;
    bytes private notRecoveringSlice;

    function setUp() public {
        string memory json = vm.readFile(FILE);
        domain = vm.parseJsonBytes32(json, ".domain");
        uint256[] memory codes = vm.parseJsonUintArray(json, ".codes");
        bytes[] memory records = vm.parseJsonBytesArray(json, ".records");
        bytes[] memory slices = vm.parseJsonBytesArray(json, ".slices");
        (round, roundSlice) = (records[0], slices[0]);
        // The same round with a signature that is none: its last byte is not 27 or 28.
        for (uint256 i = 0; i < codes.length; i++) {
            bytes memory record = records[i];
            if (record.length < 100 || codes[i] != Reject.INADMISSIBLE || uint8(record[104]) != 0) continue;
            (notRecovering, notRecoveringSlice) = (record, slices[i]);
        }
    }

    function test_steps_do_what_the_engine_does() public view {
        assertTrue(replay(family, FILE, domain) > 60, "the file has steps");
    }

    function test_ticks_do_what_the_engine_does() public view {
        assertTrue(replay(family, "test/vectors/steps-ticks.json", 0) > 60, "the file has steps");
    }

    /// @notice An expiry names an order by its id alone: other orders in the slice are not taken for it.
    function test_an_expired_order_is_found_among_others() public view {
        string memory json = vm.readFile(FILE);
        uint256[] memory kinds = vm.parseJsonUintArray(json, ".kinds");
        bytes[] memory slices = vm.parseJsonBytesArray(json, ".slices");
        bytes[] memory effects = vm.parseJsonBytesArray(json, ".effects");
        bytes memory place = abi.encodePacked(uint8(0), uint32(1), uint64(1));
        uint256 count = 0;
        for (uint256 i = 0; i < kinds.length; i++) {
            if (kinds[i] != StepKind.EXPIRE) continue;
            bytes memory slice = _insert(slices[i], Keys.orderIndex(0, 0, 2 ** 40), place);
            (bytes memory writes,) = family.step(StepKind.EXPIRE, "", domain, slice);
            assertEq(keccak256(sliceReader.effect(slice, writes)), keccak256(effects[i]), "effect");
            count++;
        }
        assertTrue(count > 5, "the file has expiries");
    }

    /// @dev The slice with one more leaf, in its place; ranges stand behind the leaves.
    function _insert(bytes memory slice, bytes32 key, bytes memory value) private pure returns (bytes memory) {
        uint256 at = 0;
        while (at < slice.length && slice[at] == 0 && bytes32(slice.u(at + 1, 32)) < key) {
            uint256 length = slice.u(at + 33, 2);
            at += 35 + (length == LeavesLib.ABSENT ? 0 : length);
        }
        bytes memory head = new bytes(at);
        bytes memory tail = new bytes(slice.length - at);
        for (uint256 i = 0; i < slice.length; i++) {
            if (i < at) head[i] = slice[i];
            else tail[i - at] = slice[i];
        }
        return abi.encodePacked(head, uint8(0), key, uint16(value.length), value, tail);
    }

    function test_vectors_for_starvation_are_what_they_should_be() public view {
        (bytes memory writes, uint256 code) = family.step(StepKind.PRICE_ROUND, round, domain, roundSlice);
        assertEq(code, Reject.NONE, "a round that counts");
        assertTrue(writes.length > 0, "and writes");
        (, code) = family.step(StepKind.PRICE_ROUND, notRecovering, domain, notRecoveringSlice);
        assertEq(code, Reject.INADMISSIBLE, "a signature that is none");
    }

    /// @notice Whatever gas there is: the one result, or a revert. A recovery that is starved is not a signature that is none.
    function test_a_starved_recovery_reverts() public view {
        uint256 whole = _gasOf(round, roundSlice);
        uint256 starved = 0;
        uint256 done = 0;
        for (uint256 gas_ = 0; gas_ <= whole + whole / 8; gas_ += 997) {
            if (_isDone(round, roundSlice, gas_, Reject.NONE)) done++;
            else starved++;
        }
        assertTrue(starved > 50 && done > 2, "some gas suffices, less does not");
    }

    function testFuzz_any_gas_gives_the_result_or_a_revert(uint256 gas_) public view {
        gas_ = bound(gas_, 0, 2 * _gasOf(round, roundSlice));
        _isDone(round, roundSlice, gas_, Reject.NONE);
        _isDone(notRecovering, notRecoveringSlice, gas_, Reject.INADMISSIBLE);
    }

    /// @notice No bytes of a record make the step revert for anything but a leaf that is not there.
    function testFuzz_every_record_has_a_result(bytes calldata noise, uint256 from, uint256 length) public view {
        bytes memory record = round;
        from = bound(from, 0, record.length - 1);
        for (uint256 i = 0; i < noise.length && from + i < record.length; i++) {
            record[from + i] = noise[i];
        }
        length = bound(length, 0, 2 * record.length);
        if (length <= record.length) {
            assembly ("memory-safe") {
                mstore(record, length)
            }
        }
        try family.step(StepKind.PRICE_ROUND, record, domain, roundSlice) {}
        catch (bytes memory reason) {
            assertEq(bytes32(bytes4(reason)), bytes32(LeavesLib.LeafMissing.selector), "reason of a revert");
        }
    }

    function test_other_kinds_are_not_run() public {
        for (uint256 kind = 0; kind < 256; kind++) {
            if (kind >= StepKind.PRICE_ROUND && kind <= StepKind.EXPIRE) continue;
            vm.expectRevert(abi.encodeWithSelector(ISteps.UnknownStep.selector, uint8(kind)));
            family.step(uint8(kind), round, domain, roundSlice);
        }
    }

    function test_the_family_can_be_deployed() public view {
        assertTrue(address(family).code.length <= 24_576, "code of at most 24,576 bytes");
    }

    function _gasOf(bytes memory record, bytes memory slice) private view returns (uint256 used) {
        used = gasleft();
        family.step(StepKind.PRICE_ROUND, record, domain, slice);
        used -= gasleft();
    }

    function _isDone(bytes memory record, bytes memory slice, uint256 gas_, uint256 expected)
        private
        view
        returns (bool done)
    {
        try family.step{gas: gas_}(StepKind.PRICE_ROUND, record, domain, slice) returns (bytes memory, uint256 code) {
            assertEq(code, expected, "code at restricted gas");
            done = true;
        } catch {}
    }
}
