// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {SegmentProof} from "./IChallenges.sol";

/// @notice Parameters of demands, fixed at deployment.
struct DemandParameters {
    /// @dev Wei for a demand while no other is open; it doubles with every fourth that is.
    uint128 fee;
    /// @dev Seconds to answer the only open demand.
    uint64 answerWindow;
    /// @dev Seconds that each other open demand adds.
    uint64 answerInterval;
    /// @dev Seconds that a challenger has, from an answer on, before the batch may become final.
    uint64 provingPeriod;
}

/// @notice One demand.
struct Demand {
    /// @dev Hash of the batch's header; zero: closed, or never made.
    bytes32 batchHash;
    /// @dev Running input hashes before and after the segment.
    bytes32 startHash;
    bytes32 endHash;
    uint64 batch;
    uint64 answerUntil;
    uint32 inputBytes;
    address demander;
    uint128 fee;
}

/// @title Demands for the inputs of a batch
/// @notice The inputs of a batch that are in blobs or off chain can be demanded on L1, segment by segment. While a demand
/// is open the batch and its descendants can't become final; an answer is the segment's records in calldata, and gives a
/// challenger the proving period; a demand without an answer strikes the batch.
///
/// Demands cost a fee that doubles with the demands that are open, half of it to whoever answers and half burned, so that
/// neither a flood of demands can strike an obedient sequencer (each adds to the time for answers) nor a sequencer can
/// crowd out those of others. They end one answer window before the batch's first deadline, so that they can't delay
/// finality for good.
interface IDemands {
    /// @notice The inputs of a segment are to be shown until `answerUntil`, seconds since 1970.
    event InputsDemanded(
        uint256 indexed id, uint64 indexed batch, bytes32 indexed batchHash, uint32 segment, uint64 answerUntil
    );
    /// @notice The records are in the calldata of this transaction.
    event InputsAnswered(uint256 indexed id, uint64 indexed batch, address answerer);
    /// @notice The demand ended without an answer: the batch was `struck` for it, or is gone for another reason.
    event DemandClosed(uint256 indexed id, uint64 indexed batch, bool struck);

    /// @notice The sender has code or was called by a contract: the records would stand in no transaction's input.
    error NestedCall(address sender);
    /// @notice The inputs are in the calldata of the transaction that committed the batch.
    error InputsPosted(uint64 batch);
    /// @notice Nothing goes before the first segment.
    error NothingBefore(uint256 got);
    /// @notice There is no such batch, or another one under its id.
    error OtherBatch(uint64 batch, bytes32 expected, bytes32 got);
    error DemandsOver(uint64 until, uint256 nowSeconds);
    error DemandsFull(uint256 expectedAtMost);
    error DemandFee(uint256 expected, uint256 got);
    error NoSuchDemand(uint256 id);
    error AnswerLate(uint64 until, uint256 nowSeconds);
    error AnswerOpen(uint64 until, uint256 nowSeconds);
    /// @notice The records are not whole, or not those of the trace.
    error AnswerWrong(bytes32 expected, bytes32 got, uint256 expectedBytes, uint256 gotBytes);
    error EtherNotSent(address to, uint256 amount);

    /// @notice Demands the inputs of one segment.
    /// @param header of the batch, as posted
    /// @param segment opened under the header's trace root
    /// @return id of the demand, from 1
    function demandInputs(bytes calldata header, SegmentProof calldata segment) external payable returns (uint256 id);

    /// @notice Answers a demand. Any account without code may, in a transaction of its own, so that whoever looks for the
    /// records finds them in its input; half of the fee is theirs.
    /// @param inputs records of the segment
    function answerInputs(uint256 id, bytes calldata inputs) external;

    /// @notice Strikes the batch of a demand that nobody answered; half of the bond, and the fee, are owed to who
    /// demanded.
    /// @param header of the batch, as posted
    function strikeUnanswered(uint256 id, bytes calldata header) external;

    /// @notice The fee of a demand whose batch was struck meanwhile is owed to who made it.
    function withdrawDemand(uint256 id) external;

    /// @notice Sends the caller what is owed to it.
    function withdrawOwed() external;

    /// @notice Wei.
    function owed(address demander) external view returns (uint256);
    /// @notice What the next demand costs, wei.
    function demandFee() external view returns (uint256);
    /// @notice Demands that are open.
    function open() external view returns (uint32);
    /// @notice An open demand; all zeros when there is none.
    function demand(uint256 id) external view returns (Demand memory);
}
