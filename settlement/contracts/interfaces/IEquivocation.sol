// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Receipt} from "../libraries/ReceiptLib.sol";
import {SegmentProof} from "./IChallenges.sol";

/// @notice Two statements of the sequencer that can't both be true, as a check opened them.
struct Contradiction {
    /// @dev Digests of the two statements: headers or receipts.
    bytes32 first;
    bytes32 second;
    /// @dev The receipts among them; epoch 0 where there is none. They must not be void.
    Receipt a;
    Receipt b;
    /// @dev The batch that `a` is held against, which must be committed with hash `second`; 0: none.
    uint64 batchId;
    uint32 batchEpoch;
}

/// @title Two histories under one signature
/// @notice Anyone, without a bond, takes the sequencer's bond by showing that it signed two histories. A proof is the
/// calldata of one of the checks below; `proveEquivocation` runs it against this contract, and then asks L1 whether the
/// statements count.
///
/// A receipt is void, and slashes nobody, when
///   - its queue prefix is not L1's: a reorg took queue entries away on which its history rested;
///   - it is held against a batch of a later epoch, and a strike has ended its own or a later epoch since: the strike
///     punished that history already.
/// A statement counts once. Failing calls are passed on, never interpreted, so no result depends on gas.
interface IEquivocation {
    /// @notice The sequencer signed both statements; `check` is the selector of the proof.
    event EquivocationProven(
        bytes32 indexed fault, bytes32 first, bytes32 second, bytes4 indexed check, address by
    );

    /// @notice The proof is not the calldata of a check.
    error UnknownCheck(bytes4 got);
    error WrongSigner(address expected, address got);
    /// @notice The statements agree, or are one.
    error NoContradiction(bytes32 first, bytes32 second);
    /// @notice The two headers or receipts are not of one place, or the receipts not in the order of their commands.
    error OtherPlace(bytes32 field, uint256 expected, uint256 got);
    /// @notice The receipt's command is not in the segment.
    error OtherSegment(uint256 firstSeq, uint256 nextSeq, uint256 got);
    /// @notice The links do not lead to the hash that was signed or committed.
    error LinksDoNotOpen(bytes32 expected, bytes32 got);
    /// @notice The batch is not committed, or was struck.
    error BatchNotCommitted(uint64 id, bytes32 expected, bytes32 got);
    /// @notice L1's queue does not begin with the entries that the receipt rests on; `got` is zero when it is shorter.
    error VoidByReorg(uint64 queueNext, bytes32 expected, bytes32 got);
    /// @notice A strike ended the receipt's epoch.
    error VoidByStrike(uint32 struckEpoch, uint32 got);
    /// @notice The statement was part of a contradiction that was punished.
    error AlreadyPunished(bytes32 statement);
    /// @notice Less than the full bond is at stake. Nothing can be committed then; the proof keeps until it is full.
    error BondTooLow(uint256 expected, uint256 got);
    /// @notice Ether from someone else than the rollup.
    error NotRollup(address expected, address got);

    /// @notice Takes the whole bond for the contradiction that `proof` shows, and opens the reward under the fault.
    /// @param proof calldata of one of the checks below
    /// @param beneficiary and `salt`: of an older commitment to this proof (see Rewards), which then claims the reward at
    /// once; without one the bond is taken all the same
    /// @return fault keccak256 of the two digests, the smaller one first
    function proveEquivocation(bytes calldata proof, address beneficiary, bytes32 salt)
        external
        returns (bytes32 fault);

    // --- the checks: of what the statements say alone, so that their answer never changes ---

    /// @notice Two headers of one (epoch, id).
    function checkHeaders(
        bytes calldata header,
        bytes calldata signature,
        bytes calldata other,
        bytes calldata otherSignature
    ) external view returns (Contradiction memory);

    /// @notice Two receipts of one epoch: the history of `later` had another hash after the command of `earlier`.
    /// @param earlier and `later`: 149 bytes each (sequencer/protocol/receipt.ts)
    /// @param before running input hash of the later one's history after the command of the earlier one
    /// @param links record hashes of the commands after it, up to that of `later`; none when both are of one command
    function checkReceipts(bytes calldata earlier, bytes calldata later, bytes32 before, bytes calldata links)
        external
        view
        returns (Contradiction memory);

    /// @notice A receipt against a batch of its epoch or a later one: the committed history had another hash after the
    /// receipt's command.
    /// @param header as posted
    /// @param segment that holds the command
    /// @param links record hashes of all commands of the segment; none when the command is its last one, after which the
    /// trace itself gives the hash (the segment before is not needed then)
    function checkTrace(
        bytes calldata receipt,
        bytes calldata header,
        SegmentProof calldata segment,
        bytes calldata links
    ) external view returns (Contradiction memory);

    /// @notice Whether the statement of this digest was punished.
    function isPunished(bytes32 statement) external view returns (bool);
}
