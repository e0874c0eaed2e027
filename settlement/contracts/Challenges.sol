// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {FraudChecks} from "./FraudChecks.sol";
import {Accused, IChallenges} from "./interfaces/IChallenges.sol";
import {IRollup, IRollupPart} from "./interfaces/IRollup.sol";
import {BatchLib} from "./libraries/BatchLib.sol";
import {Bounds} from "./libraries/Bounds.sol";
import {Returned} from "./libraries/Returned.sol";
import {Rewards} from "./libraries/Rewards.sol";
import {IStepProver} from "./step/IStepProver.sol";

/// @title Proofs of fraud
/// @notice See IChallenges for the checks and Rewards for what a proof earns; the fault of a reward is the hash of the
/// struck batch, which is struck once, ever: its epoch ends with the strike.
contract Challenges is IChallenges, IRollupPart, FraudChecks, Rewards {
    address public immutable rollup;
    address public immutable stepProver;

    /// @param rollup_ whose constructor checks this
    /// @param stepProver_ stateless; serves any number of rollups
    /// @param claimPeriod_ seconds in which an older commitment can still take a reward
    constructor(address rollup_, address stepProver_, uint64 claimPeriod_) Rewards(claimPeriod_) {
        Bounds.check("stepProver.code", 1, type(uint256).max, stepProver_.code.length);
        rollup = rollup_;
        stepProver = stepProver_;
    }

    /// @notice Takes the share of the bond that the rollup sends to whoever strikes.
    receive() external payable {
        if (msg.sender != rollup) revert NotRollup(rollup, msg.sender);
    }

    /// @inheritdoc IChallenges
    function proveFraud(bytes calldata proof, address beneficiary, bytes32 salt)
        external
        guarded
        returns (bytes32 hash)
    {
        Accused memory accused = _check(proof);
        hash = accused.hash;
        emit FraudProven(accused.id, hash, bytes4(proof), msg.sender);
        uint256 reward = IRollup(rollup).strike(accused.header);
        _openReward(hash, reward);
        _claimAtOnce(hash, beneficiary, salt, keccak256(proof));
    }

    /// @dev Runs the check that the proof is the calldata of. Reverts as it does.
    function _check(bytes calldata proof) private view returns (Accused memory) {
        bytes4 check = bytes4(proof);
        if (
            check != this.checkStep.selector && check != this.checkInputs.selector
                && check != this.checkBlobs.selector && check != this.checkDiff.selector && check != this.checkClock.selector
                && check != this.checkQueue.selector && check != this.checkWithdrawn.selector
        ) revert UnknownCheck(check);
        (bool success, bytes memory answer) = address(this).staticcall(proof);
        if (!success) Returned.bubble(answer);
        return abi.decode(answer, (Accused));
    }

    /// @inheritdoc Rewards
    function _faultShownBy(bytes32, bytes calldata proof) internal view override returns (bytes32) {
        return _check(proof).hash;
    }

    function _domain() internal view override returns (bytes32) {
        return BatchLib.domainSeparator(rollup);
    }

    function _blobsHash(bytes32 batchHash) internal view override returns (bytes32) {
        return IRollup(rollup).blobsHash(batchHash);
    }

    function _stepProver() internal view override returns (IStepProver) {
        return IStepProver(stepProver);
    }
}
