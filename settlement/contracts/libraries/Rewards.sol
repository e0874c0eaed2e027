// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Bounds} from "./Bounds.sol";
import {Guarded} from "./Guarded.sol";

/// @notice The reward for one proven fault.
struct RewardCase {
    /// @dev Wei; zero when it was paid or burned.
    uint128 amount;
    /// @dev Block of the proof: only commitments of earlier blocks count.
    uint64 provenBlock;
    /// @dev Seconds since 1970 until which older commitments may be shown.
    uint64 claimUntil;
    /// @dev Whose commitment is the oldest shown so far, and its block; zero while none was.
    address candidate;
    uint64 candidateBlock;
}

/// @title Rewards that a copied proof can't earn
/// @notice Whoever finds a fault first commits to the proof, sends it a block later, and then shows the commitment. A
/// proof that is copied on its way strikes as well as the original, but its sender has no older commitment and earns
/// nothing. A commitment that is never shown delays nothing.
///
///   commitment = keccak256(abi.encode(beneficiary, salt, keccak256(proof)))
///
/// For the claim period after the proof, commitments of earlier blocks may be shown with a proof of the same fault; the
/// oldest one takes the reward. A reward that nobody claims is burned.
abstract contract Rewards is Guarded {
    /// @notice Seconds.
    uint64 public immutable claimPeriod;
    /// @notice Block in which a commitment was made first; zero: never.
    mapping(bytes32 commitment => uint256) public committedBlock;
    mapping(bytes32 fault => RewardCase) private _cases;

    /// @notice From this block on the commitment is older than any proof.
    event ChallengeCommitted(bytes32 indexed commitment);
    /// @notice Until `claimUntil` (seconds since 1970) the oldest commitment to a proof of this fault takes `amount`
    /// wei.
    event RewardOpened(bytes32 indexed fault, uint256 amount, uint64 claimUntil);
    /// @notice The oldest commitment shown so far.
    event RewardClaimed(bytes32 indexed fault, address indexed candidate, uint64 candidateBlock);
    /// @notice `to` is the zero address when nobody had a claim: the reward is burned.
    event RewardPaid(bytes32 indexed fault, address indexed to, uint256 amount);

    /// @notice No reward is open for this fault.
    error NoReward(bytes32 fault);
    /// @notice The proof shown is of another fault.
    error OtherFault(bytes32 expected, bytes32 got);
    /// @notice The commitment was not made, or not in a block before that of the proof or of the present candidate.
    error CommitmentTooYoung(uint256 expectedBefore, uint256 got);
    error ClaimsClosed(uint64 until, uint256 nowSeconds);
    error ClaimsOpen(uint64 until, uint256 nowSeconds);
    error RewardNotSent(address to, uint256 amount);

    constructor(uint64 claimPeriod_) {
        Bounds.check("claimPeriod", 1 seconds, 30 days, claimPeriod_);
        claimPeriod = claimPeriod_;
    }

    /// @notice Remembers a commitment; see the contract's description. One that was made before keeps its block.
    function commitChallenge(bytes32 commitment) external {
        if (committedBlock[commitment] != 0) return;
        committedBlock[commitment] = block.number;
        emit ChallengeCommitted(commitment);
    }

    /// @notice Shows a commitment that is older than the proof of the fault and than the present candidate's.
    /// @param proof of the same fault, the one that was committed to
    function claimReward(bytes32 fault, address beneficiary, bytes32 salt, bytes calldata proof) external {
        RewardCase storage c = _cases[fault];
        if (c.amount == 0) revert NoReward(fault);
        if (block.timestamp > c.claimUntil) revert ClaimsClosed(c.claimUntil, block.timestamp);
        uint256 made = committedBlock[keccak256(abi.encode(beneficiary, salt, keccak256(proof)))];
        uint256 before = c.candidateBlock == 0 ? c.provenBlock : c.candidateBlock;
        if (made == 0 || made >= before) revert CommitmentTooYoung(before, made);
        bytes32 got = _faultShownBy(fault, proof);
        if (got != fault) revert OtherFault(fault, got);
        Bounds.check("beneficiary", 1, type(uint160).max, uint160(beneficiary));
        _setCandidate(fault, beneficiary, made);
    }

    /// @notice Pays the candidate when the claim period is over; burns the reward when there is none. Anyone may call.
    function takeReward(bytes32 fault) external guarded {
        RewardCase storage c = _cases[fault];
        uint256 amount = c.amount;
        if (amount == 0) revert NoReward(fault);
        if (block.timestamp <= c.claimUntil) revert ClaimsOpen(c.claimUntil, block.timestamp);
        c.amount = 0;
        emit RewardPaid(fault, c.candidate, amount);
        (bool success,) = c.candidate.call{value: amount}("");
        if (!success) revert RewardNotSent(c.candidate, amount);
    }

    /// @notice What stands of a fault's reward; all zeros when it was never proven.
    function rewardOf(bytes32 fault) external view returns (RewardCase memory) {
        return _cases[fault];
    }

    /// @dev Opens the reward of a fault that was proven just now. A fault has one reward, ever.
    function _openReward(bytes32 fault, uint256 amount) internal {
        uint64 until = uint64(block.timestamp) + claimPeriod;
        _cases[fault] = RewardCase({
            amount: uint128(amount),
            provenBlock: uint64(block.number),
            claimUntil: until,
            candidate: address(0),
            candidateBlock: 0
        });
        emit RewardOpened(fault, amount, until);
    }

    /// @dev Shows the prover's own commitment with the proof itself, after `_openReward`. Without an older one nothing
    /// happens: a proof counts whatever its sender earns.
    function _claimAtOnce(bytes32 fault, address beneficiary, bytes32 salt, bytes32 proofHash) internal {
        uint256 made = committedBlock[keccak256(abi.encode(beneficiary, salt, proofHash))];
        if (beneficiary == address(0) || made == 0 || made >= _cases[fault].provenBlock) return;
        _setCandidate(fault, beneficiary, made);
    }

    function _setCandidate(bytes32 fault, address beneficiary, uint256 made) private {
        RewardCase storage c = _cases[fault];
        c.candidate = beneficiary;
        c.candidateBlock = uint64(made);
        emit RewardClaimed(fault, beneficiary, uint64(made));
    }

    /// @dev The fault that a proof shows, reverting when it shows none. `fault` is the one that the caller claims.
    function _faultShownBy(bytes32 fault, bytes calldata proof) internal view virtual returns (bytes32);
}
