// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Test} from "./Test.sol";
import {StepSlices, WrittenLeaf} from "./StepSlices.sol";
import {ISteps} from "../../settlement/contracts/step/ISteps.sol";
import {LeavesLib} from "../../settlement/contracts/step/Leaves.sol";
import {StepKind} from "../../settlement/contracts/step/StepKind.sol";
import {MatchSteps} from "../../settlement/contracts/step/families/MatchSteps.sol";
import {PlaceSteps} from "../../settlement/contracts/step/families/PlaceSteps.sol";

/// @notice PLACE, MATCH, REST and AMEND on steps that the engine has taken (test/settlement/trade-vectors.ts).
contract TradeStepsTest is Test {
    using StepSlices for bytes;

    string private json;
    bytes[] private shared;
    uint256 private count;
    ISteps private places;
    ISteps private matches;

    function setUp() public {
        json = vm.readFile("test/vectors/steps-trade.json");
        places = new PlaceSteps();
        matches = new MatchSteps();
        shared = vm.parseJsonBytesArray(json, ".shared");
        while (vm.keyExistsJson(json, _case(".cases", count))) count++;
    }

    function test_EveryStepEndsAsTheEngineHasIt() public view {
        assertTrue(count > 80, "cases");
        for (uint256 n = 0; n < count; n++) {
            (uint8 kind, bytes memory record, bytes memory slice) = _step(n);
            (bytes memory writes, uint256 code) = _family(kind).step(kind, record, 0, slice);
            assertEq(code, _uint(n, ".code"), _note(n));
            _checkWrites(n, slice, writes);
        }
    }

    /// @dev A slice that lacks something is refused, or what it lacks is of no use to the step.
    function test_AShortSliceNeverChangesAResult() public view {
        for (uint256 n = 0; n < count; n += 3) {
            (uint8 kind, bytes memory record, bytes memory slice) = _step(n);
            ISteps family = _family(kind);
            (bytes memory writes, uint256 code) = family.step(kind, record, 0, slice);
            uint256 refused = 0;
            for (uint256 item = slice.items(); item > 0; item--) {
                try family.step(kind, record, 0, slice.without(item - 1)) returns (bytes memory got, uint256 gotCode) {
                    assertEq(keccak256(got), keccak256(writes), _note(n));
                    assertEq(gotCode, code, _note(n));
                } catch (bytes memory why) {
                    assertTrue(
                        bytes4(why) == LeavesLib.LeafMissing.selector || bytes4(why) == LeavesLib.RangeMissing.selector,
                        _note(n)
                    );
                    refused++;
                }
            }
            assertTrue(refused > 0, _note(n));
        }
    }

    /// @dev A step of two accounts with 16 positions each and 8 tiers in every market, and steps of ordinary ones.
    function test_GasStaysWithinTheWeights() public {
        uint256 dearest = 0;
        uint256 ordinary = 0;
        for (uint256 n = 0; n < count; n++) {
            (uint8 kind, bytes memory record, bytes memory slice) = _step(n);
            ISteps family = _family(kind);
            uint256 gas = gasleft();
            family.step(kind, record, 0, slice);
            gas -= gasleft();
            emit Gas(_note(n), slice.length, gas);
            if (slice.length > 5_000) dearest = gas > dearest ? gas : dearest;
            else ordinary = gas > ordinary ? gas : ordinary;
        }
        assertTrue(dearest > 400_000 && dearest < 600_000, "a match of full accounts");
        assertTrue(ordinary < 150_000, "a step of ordinary accounts");
    }

    event Gas(string note, uint256 sliceBytes, uint256 gas);

    function test_OtherKindsAreRefused() public {
        for (uint8 kind = 0; kind < 30; kind++) {
            bool isPlace = kind == StepKind.PLACE || kind == StepKind.AMEND;
            bool isMatch = kind == StepKind.MATCH || kind == StepKind.REST;
            if (!isPlace) {
                vm.expectRevert(abi.encodeWithSelector(ISteps.UnknownStep.selector, kind));
                places.step(kind, "", 0, "");
            }
            if (!isMatch) {
                vm.expectRevert(abi.encodeWithSelector(ISteps.UnknownStep.selector, kind));
                matches.step(kind, "", 0, "");
            }
        }
    }

    /// @dev Each changed leaf is written as expected; what else is written is as it was.
    function _checkWrites(uint256 n, bytes memory slice, bytes memory writes) private view {
        WrittenLeaf[] memory expected = StepSlices.writesOf(vm.parseJsonBytes(json, _path(n, ".writes")));
        WrittenLeaf[] memory got = StepSlices.writesOf(writes);
        uint256 met = 0;
        for (uint256 i = 0; i < got.length; i++) {
            if (met < expected.length && expected[met].key == got[i].key) {
                if (keccak256(expected[met].entry) != keccak256(got[i].entry)) {
                    revert WrongWrite(_note(n), expected[met].entry, got[i].entry);
                }
                met++;
            } else {
                assertEq(keccak256(got[i].entry), keccak256(slice.leafEntry(got[i].key)), _note(n));
            }
        }
        if (met < expected.length) revert WrongWrite(_note(n), expected[met].entry, "");
    }

    error WrongWrite(string note, bytes expected, bytes got);

    function _step(uint256 n) private view returns (uint8 kind, bytes memory record, bytes memory slice) {
        kind = uint8(_uint(n, ".kind"));
        record = vm.parseJsonBytes(json, _path(n, ".record"));
        slice = StepSlices.expand(vm.parseJsonBytes(json, _path(n, ".slice")), shared);
    }

    function _family(uint8 kind) private view returns (ISteps) {
        return kind == StepKind.PLACE || kind == StepKind.AMEND ? places : matches;
    }

    function _path(uint256 n, string memory field) private pure returns (string memory) {
        return string.concat(_case(".cases", n), field);
    }

    function _uint(uint256 n, string memory field) private view returns (uint256) {
        return vm.parseJsonUint(json, _path(n, field));
    }

    function _note(uint256 n) private view returns (string memory) {
        return vm.parseJsonString(json, _path(n, ".note"));
    }
}
