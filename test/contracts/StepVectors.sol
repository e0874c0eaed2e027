// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Test} from "./Test.sol";
import {Leaf, Leaves, LeavesLib} from "../../settlement/contracts/step/Leaves.sol";
import {ISteps} from "../../settlement/contracts/step/ISteps.sol";

/// @notice Reads what a step was shown and what it wrote; both are calldata here.
contract SliceReader {
    /// @notice The writes that change a leaf of the slice: to write what stands there already is no change. Reverts unless the
    /// writes ascend and each is of a leaf of the slice.
    function effect(bytes calldata slice, bytes calldata writes) external pure returns (bytes memory changed) {
        Leaves memory leaves = LeavesLib.open(slice);
        uint256 at = 0;
        bytes32 previous = 0;
        while (at < writes.length) {
            bytes32 key = bytes32(writes[at:at + 32]);
            require(key > previous, "writes ascend");
            previous = key;
            uint256 length = uint16(bytes2(writes[at + 32:at + 34]));
            uint256 end = at + 34 + (length == LeavesLib.ABSENT ? 0 : length);
            (bytes memory before, bool present) = LeavesLib.get(leaves, key);
            bool same = length == LeavesLib.ABSENT
                ? !present
                : present && keccak256(before) == keccak256(writes[at + 34:end]);
            if (!same) changed = bytes.concat(changed, writes[at:end]);
            at = end;
        }
    }
}

/// @notice Replays steps of test/support/step-vectors.ts on a family.
abstract contract StepVectors is Test {
    error WrongStep(uint256 index, uint256 kind, string what, bytes expected, bytes got);

    SliceReader internal sliceReader = new SliceReader();

    /// @return count how many steps there were
    function replay(ISteps family, string memory file, bytes32 domain) internal view returns (uint256 count) {
        string memory json = vm.readFile(file);
        uint256[] memory kinds = vm.parseJsonUintArray(json, ".kinds");
        uint256[] memory codes = vm.parseJsonUintArray(json, ".codes");
        bytes[] memory records = vm.parseJsonBytesArray(json, ".records");
        bytes[] memory slices = vm.parseJsonBytesArray(json, ".slices");
        bytes[] memory effects = vm.parseJsonBytesArray(json, ".effects");
        count = kinds.length;
        for (uint256 i = 0; i < count; i++) {
            (bytes memory writes, uint256 code) = family.step(uint8(kinds[i]), records[i], domain, slices[i]);
            if (code != codes[i]) {
                revert WrongStep(i, kinds[i], "code", abi.encode(codes[i]), abi.encode(code));
            }
            bytes memory effect = sliceReader.effect(slices[i], writes);
            if (keccak256(effect) != keccak256(effects[i])) {
                revert WrongStep(i, kinds[i], "effect", effects[i], effect);
            }
        }
    }

    /// @notice Where the item of a slice that begins at `start` ends.
    function itemEnd(bytes memory slice, uint256 start) internal pure returns (uint256 end) {
        if (slice[start] == 0) return _leafEnd(slice, start + 1);
        end = start + 37;
        for (uint256 left = uint8(slice[start + 35]); left > 0; left--) {
            end = _leafEnd(slice, end);
        }
    }

    /// @notice A slice less its bytes from `start` to `end`.
    function without(bytes memory slice, uint256 start, uint256 end) internal pure returns (bytes memory shorter) {
        shorter = new bytes(slice.length - (end - start));
        for (uint256 i = 0; i < shorter.length; i++) {
            shorter[i] = slice[i < start ? i : i + end - start];
        }
    }

    function _leafEnd(bytes memory slice, uint256 start) private pure returns (uint256) {
        uint256 length = (uint256(uint8(slice[start + 32])) << 8) | uint8(slice[start + 33]);
        return start + 34 + (length == LeavesLib.ABSENT ? 0 : length);
    }
}
