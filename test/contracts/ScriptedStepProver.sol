// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IStepProver, Outcome, Witness} from "../../settlement/contracts/step/IStepProver.sol";

/// @notice Answers for one pre-state and one segment with the outcome that it was told; refuses all else, as a witness
/// that does not open is refused.
contract ScriptedStepProver is IStepProver {
    bytes32 private _asked;
    Outcome private _outcome;

    error NotOpened(bytes32 expected, bytes32 got);

    function tell(
        bytes32 preStateRoot,
        uint256 steps,
        bytes32 domain,
        bytes calldata inputs,
        Witness calldata witness,
        Outcome calldata outcome
    ) external {
        _asked = keccak256(abi.encode(preStateRoot, steps, domain, inputs, witness));
        _outcome = outcome;
    }

    /// @inheritdoc IStepProver
    function run(bytes32 preStateRoot, uint256 steps, bytes32 domain, bytes calldata inputs, Witness calldata witness)
        external
        view
        returns (Outcome memory)
    {
        bytes32 got = keccak256(abi.encode(preStateRoot, steps, domain, inputs, witness));
        if (got != _asked) revert NotOpened(_asked, got);
        return _outcome;
    }
}
