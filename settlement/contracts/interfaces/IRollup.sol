// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice Parameters of the rollup, fixed at deployment.
struct RollupParameters {
    /// @dev Whose signature makes a batch; also the only one who can take the bond back.
    address sequencer;
    /// @dev Seconds between commit and finality.
    uint64 window;
    /// @dev Seconds without a commit after which anyone may freeze; no batch may be older when it is committed.
    uint64 livenessLimit;
    /// @dev Wei without which nothing can be committed.
    uint128 bond;
}

/// @notice A batch as it is posted, byte for byte as sequencer/protocol/batch.ts draws it.
struct PostedBatch {
    bytes header;
    bytes signature;
    bytes trace;
    bytes withdrawn;
    bytes diff;
    bytes inputs;
}

/// @notice Where the committed chain stands: what the next batch must go on from.
struct Head {
    bytes32 hash;
    bytes32 ledgerRoot;
    bytes32 bookRoot;
    bytes32 inputHash;
    uint64 nextStep;
    uint64 nextSeq;
    uint64 queueNext;
    uint64 timeLast;
    uint64 id;
    uint64 anchorNumber;
    /// @dev L1 time of the last commit, seconds; of deployment before the first.
    uint64 committedAt;
    uint32 epoch;
}

/// @notice What is kept of a batch: everything else is in its calldata, bound by `hash`.
struct BatchRecord {
    /// @dev EIP-712 digest of the header; zero: no such batch.
    bytes32 hash;
    /// @dev Seconds since 1970 from which it may become final.
    uint64 deadline;
    uint64 committedBlock;
    uint32 epoch;
}

/// @notice How far finality has come.
struct FinalHead {
    uint64 id;
    uint64 queueNext;
    uint64 timeLast;
    bytes32 ledgerRoot;
}

/// @title The chain of signed batches
/// @notice Takes batches that the sequencer has signed, checks everything that can be checked without re-executing
/// them, and makes them final after a window. Not upgradable; nobody can move money or change a parameter.
///
/// Genesis: batch ids, epochs and commands count from 1, steps from 0; roots, hashes and cursors begin at zero (the
/// trees are empty, which is hard-coded: every later tree is canonical by induction).
///
/// Data availability: a batch is the input of the transaction that committed it. So that this input can be found and
/// is never nested, only an account without code may send it (msg.sender = tx.origin excludes contracts, no code
/// excludes delegated accounts of EIP-7702). The sender needs no right: the signature in the batch is what counts.
interface IRollup {
    /// @notice The rollup exists. Emitted once, by the constructor: whoever knows only an L1 finds the rollup by it.
    event RollupCreated(
        address indexed sequencer,
        address queue,
        address vault,
        uint64 window,
        uint64 livenessLimit,
        uint128 bond,
        uint64 queueLength
    );
    /// @notice A batch was committed; its bytes are the input of this transaction.
    /// @param deadline seconds since 1970 from which it may become final
    event BatchCommitted(
        uint64 indexed id,
        uint32 indexed epoch,
        bytes32 indexed hash,
        bytes32 parentHash,
        bytes32 postLedgerRoot,
        uint64 queueNext,
        uint64 deadline
    );
    event BatchFinalized(uint64 indexed id, bytes32 indexed hash, bytes32 ledgerRoot);
    /// @notice From now on batches carry this epoch; batch `id` with `hash` is the last one of the epochs before.
    event EpochOpened(uint32 indexed epoch, uint64 id, bytes32 hash);
    /// @notice No batch is taken any more. `entry` is the overdue queue entry, or the largest number when the sequencer
    /// was silent.
    event Frozen(uint64 entry, uint64 overdueSince);
    event BondChanged(uint256 bond);

    /// @notice The sender has code or was called by a contract; see "Data availability" above.
    error NestedCall(address sender);
    error RollupFrozen();
    error NotFrozenYet(uint64 dueEntryDeadlineMs, uint64 silentFrom, uint256 nowSeconds);
    error BondTooLow(uint256 expected, uint256 got);
    error WrongSigner(address expected, address got);
    /// @notice A field of the header or trace has another value than the chain or the posted bytes demand.
    error WrongField(bytes32 field, bytes32 expected, bytes32 got);
    /// @notice The queue has fewer entries than the batch takes up.
    error QueueTooShort(uint64 length, uint64 got);
    /// @notice Entry `index` was on L1 at the anchor and due by the end of the batch, and is not taken up.
    error OverdueEntriesLeftOut(uint64 index, uint64 deadlineMs, uint64 timeLast);
    /// @notice The anchor is not an earlier block of this chain that can still be checked (256 blocks by BLOCKHASH, 8,191
    /// where EIP-2935 is active).
    error AnchorNotRecent(uint256 blockNumber, uint64 got);
    error AnchorNotCanonical(uint64 number, bytes32 expected, bytes32 got);
    /// @notice The times of a batch fall, or it ends after this block's second. The latter passes by waiting.
    error TimeOrder(bytes32 field, uint256 notAfter, uint256 got);
    /// @notice The batch ended longer ago than the liveness limit.
    error TooOld(uint256 expectedAtLeast, uint256 got);
    error NoSuchBatch(uint64 committed, uint64 got);
    error WindowOpen(uint64 until, uint256 nowSeconds);
    error BatchesPending(uint64 committed, uint64 finalized);
    error EtherNotSent(address to, uint256 amount);
    /// @notice Queue or vault were deployed for another rollup.
    error WrongWiring(bytes32 field, address expected, address got);

    /// @notice Commits the next batch. Anyone with a signed one may send it, as a transaction of its own.
    function commitBatch(PostedBatch calldata batch) external;

    /// @notice Makes the next batch final once its window is over. Anyone may call.
    /// @param header of batch `finalHead().id + 1`, as posted
    /// @param withdrawn its totals, as posted
    function finalizeBatch(bytes calldata header, bytes calldata withdrawn) external;

    /// @notice Opens the next epoch on top of the last committed batch, so that batches that were signed but can't be
    /// committed any more (their anchor left the chain, or they grew too old) are void and others take their ids.
    /// @param signature by the sequencer over Epoch(uint32 epoch,bytes32 parentHash)
    function openEpoch(uint32 epoch, bytes calldata signature) external;

    /// @notice Bars all further commits: when a queue entry is past its deadline, or there was no commit for the liveness
    /// limit. Anyone may call; nobody can undo it.
    function freeze() external;

    /// @notice Adds to the sequencer's bond.
    function topUpBond() external payable;

    /// @notice Returns the bond to the sequencer: only when every batch is final and a further window has passed since the
    /// last commit. Nothing can be committed until the bond is full again.
    function unbond(uint256 amount, address payable to) external;

    function head() external view returns (Head memory);
    function finalHead() external view returns (FinalHead memory);
    function batches(uint64 id) external view returns (BatchRecord memory);
    /// @notice Ledger root of a final batch; zero when it is not final.
    function finalLedgerRoot(uint64 id) external view returns (bytes32);
    /// @notice Total that final batches have released of an asset, units of the token.
    function withdrawnTotal(uint16 asset) external view returns (uint256);
    function frozen() external view returns (bool);
    function bond() external view returns (uint256);
    /// @notice EIP-712 domain separator of everything that is signed for this rollup.
    function domainSeparator() external view returns (bytes32);
    function sequencer() external view returns (address);
    function window() external view returns (uint64);
    function livenessLimit() external view returns (uint64);
    function bondRequired() external view returns (uint128);
    function queue() external view returns (address);
    function vault() external view returns (address);
}
