// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Test} from "./Test.sol";
import {TreeProof} from "../../settlement/contracts/libraries/TreeProof.sol";

contract SmokeTest is Test {
    function test_firstBit() public pure {
        for (uint256 i = 0; i < 256; i++) assertEq(TreeProof.firstBit(1 << (255 - i)), i, "first bit");
    }
}
