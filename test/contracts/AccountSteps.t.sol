// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {StepVectors} from "./StepVectors.sol";
import {ISteps} from "../../settlement/contracts/step/ISteps.sol";
import {LeavesLib} from "../../settlement/contracts/step/Leaves.sol";
import {Reject} from "../../settlement/contracts/step/Reject.sol";
import {StepKind} from "../../settlement/contracts/step/StepKind.sol";
import {AccountSteps} from "../../settlement/contracts/step/families/AccountSteps.sol";

/// @notice The steps of messages, cancels and account settings, against what the engine does.
contract AccountStepsTest is StepVectors {
    string private constant FILE = "test/vectors/steps-account.json";

    AccountSteps private family = new AccountSteps();

    function test_steps_do_what_the_engine_does() public view {
        string memory json = vm.readFile(FILE);
        uint256 count = replay(family, FILE, vm.parseJsonBytes32(json, ".domain"));
        assertTrue(count > 100, "the file has steps");
    }

    function test_runs_its_own_kinds_alone() public {
        uint256 own = (1 << StepKind.MESSAGE) | (1 << StepKind.CANCEL) | (1 << StepKind.CANCEL_ALL)
            | (1 << StepKind.WALK) | (1 << StepKind.SESSION_KEY) | (1 << StepKind.CANCEL_AFTER)
            | (1 << StepKind.CANCEL_ON_DISCONNECT) | (1 << StepKind.CLOCK) | (1 << StepKind.DISCONNECT)
            | (1 << StepKind.VERSION) | (1 << StepKind.LOCK);
        for (uint256 kind = 0; kind < 256; kind++) {
            if ((own >> kind) & 1 != 0) continue;
            vm.expectRevert(abi.encodeWithSelector(ISteps.UnknownStep.selector, uint8(kind)));
            family.step(uint8(kind), "", 0, "");
        }
    }

    /// @notice A slice from which any leaf is taken has the same result, or lacks that leaf: no leaf is taken for absent.
    function test_a_leaf_that_is_not_shown_is_never_absent() public view {
        string memory json = vm.readFile(FILE);
        bytes32 domain = vm.parseJsonBytes32(json, ".domain");
        uint256[] memory kinds = vm.parseJsonUintArray(json, ".kinds");
        bytes[] memory records = vm.parseJsonBytesArray(json, ".records");
        bytes[] memory slices = vm.parseJsonBytesArray(json, ".slices");
        uint256 lacking = 0;
        for (uint256 i = 0; i < kinds.length; i++) {
            (bytes memory writes,) = family.step(uint8(kinds[i]), records[i], domain, slices[i]);
            for (uint256 at = 0; at < slices[i].length;) {
                uint256 end = itemEnd(slices[i], at);
                bytes memory shorter = without(slices[i], at, end);
                try family.step(uint8(kinds[i]), records[i], domain, shorter) returns (bytes memory same, uint256) {
                    assertEq(keccak256(same), keccak256(writes), "writes without a leaf that is not needed");
                } catch (bytes memory reason) {
                    lacking++;
                    _lacks(reason);
                }
                at = end;
            }
        }
        assertTrue(lacking > kinds.length, "leaves are needed");
    }

    /// @notice The record's bytes may be any: the schedule has compared their hash, not their form.
    function testFuzz_any_record(uint256 which, uint256 place, uint256 value, uint256 length) public view {
        string memory json = vm.readFile(FILE);
        uint256[] memory kinds = vm.parseJsonUintArray(json, ".kinds");
        bytes memory record = vm.parseJsonBytesArray(json, ".records")[which % kinds.length];
        bytes memory slice = vm.parseJsonBytesArray(json, ".slices")[which % kinds.length];
        for (uint256 i = 0; i < 8 && record.length > 0; i++) {
            record[(place >> (32 * i)) % record.length] = bytes1(uint8(value >> (8 * i)));
        }
        bytes memory cut = new bytes(length % (record.length + 1));
        for (uint256 i = 0; i < cut.length; i++) {
            cut[i] = record[i];
        }
        uint8 kind = uint8(kinds[which % kinds.length]);
        _total(kind, record, slice);
        _total(kind, cut, slice);
    }

    function _total(uint8 kind, bytes memory record, bytes memory slice) private view {
        try family.step(kind, record, 0, slice) returns (bytes memory writes, uint256 code) {
            assertTrue(code != Reject.INADMISSIBLE || writes.length == 0, "an inadmissible record writes nothing");
        } catch (bytes memory reason) {
            _lacks(reason);
        }
    }

    function _lacks(bytes memory reason) private pure {
        bytes4 selector = bytes4(reason);
        assertTrue(
            selector == LeavesLib.LeafMissing.selector || selector == LeavesLib.RangeMissing.selector, "lacks a leaf"
        );
    }
}
