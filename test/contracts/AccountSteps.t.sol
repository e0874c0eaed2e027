// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {StepVectors} from "./StepVectors.sol";
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
}
