// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Test} from "./Test.sol";

/// @notice Gas of calls against test/vectors/gas.json, within a hundredth. `npm run gas:contracts` writes the file, and
/// docs/gas-contracts.md, out of the lines that `used` logs. Contracts that inherit this run isolated: each call is a
/// transaction of its own, with the gas of its calldata, cold storage, and refunds.
abstract contract GasTable is Test {
    event log_named_uint(string key, uint256 val);

    /// @dev The call before this one.
    function used(string memory name) internal {
        uint256 got = vm.lastCallGas().gasTotalUsed;
        emit log_named_uint(string.concat("gas ", name), got);
        if (vm.envOr("SLUICE_GAS_WRITE", false)) return;
        string memory json = vm.readFile("test/vectors/gas.json");
        string memory key = string.concat("$['", name, "']");
        assertTrue(vm.keyExistsJson(json, key), string.concat(name, ": not in gas.json, npm run gas:contracts"));
        uint256 expected = vm.parseJsonUint(json, key);
        uint256 drift = got > expected ? got - expected : expected - got;
        if (drift * 100 > expected) {
            revert NotEqual(string.concat(name, ": npm run gas:contracts"), bytes32(expected), bytes32(got));
        }
    }
}
