// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {StepVectors} from "./StepVectors.sol";
import {ISteps} from "../../settlement/contracts/step/ISteps.sol";
import {LeavesLib} from "../../settlement/contracts/step/Leaves.sol";
import {StepKind} from "../../settlement/contracts/step/StepKind.sol";
import {IsolationSteps} from "../../settlement/contracts/step/families/IsolationSteps.sol";

/// @notice ISOLATE and SET_LEVERAGE, against what the engine does (test/settlement/isolation-step-vectors.ts).
contract IsolationStepsTest is StepVectors {
    string private constant FILE = "test/vectors/steps-isolation.json";

    IsolationSteps private family = new IsolationSteps();

    function test_steps_do_what_the_engine_does() public view {
        assertTrue(replay(family, FILE, 0) > 15, "the file has steps");
        assertTrue(address(family).code.length <= 24_576, "code of at most 24,576 bytes");
    }

    function test_runs_its_own_kinds_alone() public {
        for (uint256 kind = 0; kind < 256; kind++) {
            if (kind == StepKind.ISOLATE || kind == StepKind.SET_LEVERAGE) continue;
            vm.expectRevert(abi.encodeWithSelector(ISteps.UnknownStep.selector, uint8(kind)));
            family.step(uint8(kind), "", 0, "");
        }
    }

    /// @notice A slice from which any leaf is taken has the same result, or lacks that leaf: no leaf is taken for absent.
    function test_a_leaf_that_is_not_shown_is_never_absent() public view {
        string memory json = vm.readFile(FILE);
        uint256[] memory kinds = vm.parseJsonUintArray(json, ".kinds");
        bytes[] memory records = vm.parseJsonBytesArray(json, ".records");
        bytes[] memory slices = vm.parseJsonBytesArray(json, ".slices");
        uint256 lacking = 0;
        for (uint256 i = 0; i < kinds.length; i++) {
            (bytes memory writes,) = family.step(uint8(kinds[i]), records[i], 0, slices[i]);
            for (uint256 at = 0; at < slices[i].length;) {
                uint256 end = itemEnd(slices[i], at);
                bytes memory shorter = without(slices[i], at, end);
                try family.step(uint8(kinds[i]), records[i], 0, shorter) returns (bytes memory same, uint256) {
                    assertEq(keccak256(same), keccak256(writes), "writes without a leaf that is not needed");
                } catch (bytes memory reason) {
                    assertTrue(bytes4(reason) == LeavesLib.LeafMissing.selector, "lacks a leaf");
                    lacking++;
                }
                at = end;
            }
        }
        assertTrue(lacking > kinds.length, "leaves are needed");
    }
}
