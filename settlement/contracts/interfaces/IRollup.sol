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
    /// @dev Whose proofs make batches final at once; the zero address on chains that trust none.
    address verifier;
    /// @dev Whether batches may be committed without their inputs on L1: the sequencer serves them, and anyone may demand
    /// a segment's on L1 (Demands).
    bool inputsOffChain;
    /// @dev Whose commits may leave the inputs out of calldata; the zero address: nobody's. See `setSubmitter`.
    address submitter;
}

/// @notice The other contracts of one rollup, fixed at deployment. Each names the rollup by `rollup()`, so it is deployed
/// before, for the rollup's address to be.
struct RollupParts {
    address queue;
    address vault;
    /// @dev Strikes batches that are proven wrong.
    address challenges;
    /// @dev Holds batches whose inputs are asked for, and strikes them when nobody answers.
    address demands;
    /// @dev Takes the bond of a sequencer that signed two histories.
    address equivocation;
    /// @dev Lets everybody out after a freeze.
    address escape;
}

/// @title Where the inputs of a batch are
library Carrier {
    uint8 internal constant CALLDATA = 0;
    /// @dev In the blobs of the transaction that committed it (BlobLib).
    uint8 internal constant BLOBS = 1;
    /// @dev Not on L1: served by the sequencer and kept by every verifier.
    uint8 internal constant OFF_CHAIN = 2;
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
    /// @dev L1 time of the last commit or strike, seconds; of deployment before the first.
    uint64 committedAt;
    uint32 epoch;
}

/// @notice What is kept of a batch: everything else is in its calldata, bound by `hash`.
struct BatchRecord {
    /// @dev EIP-712 digest of the header; zero: no such batch.
    bytes32 hash;
    /// @dev Seconds since 1970 from which it may become final.
    uint48 deadline;
    uint48 committedBlock;
    /// @dev Of the batch: where the head goes back to when its successor is struck.
    uint48 timeLast;
    uint48 anchorNumber;
    uint32 epoch;
    /// @dev Open demands for its inputs; it can't become final before they are closed.
    uint24 holds;
    /// @dev Where the inputs are: Carrier.
    uint8 carrier;
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
/// Three contracts may act on what is not final, each in one way, and nobody else can: `challenges` and `demands` strike a
/// batch and its descendants, `demands` holds finality back, `equivocation` takes the bond. A strike leaves the chain as
/// it was before the struck batch, in a new epoch; the whole bond is gone, half of it to whoever struck. Its cost does not
/// depend on how many descendants there are: records above the head do not exist, and new batches overwrite them.
///
/// Data availability: a batch is the input of the transaction that committed it. So that this input can be found and
/// is never nested, only an account without code may send it (msg.sender = tx.origin excludes contracts, no code
/// excludes delegated accounts of EIP-7702). With inputs in calldata the sender needs no right: the signature in the
/// batch is what counts. Only the sequencer's submitter may put them elsewhere: no signature covers what blobs hold.
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
    /// @notice The batch can not be struck any more, and pays: `ledgerRoot` is what withdrawals are proven against.
    event BatchFinalized(uint64 indexed id, bytes32 indexed hash, bytes32 ledgerRoot);
    /// @notice From now on batches carry this epoch; batch `id` with `hash` is the last one of the epochs before.
    event EpochOpened(uint32 indexed epoch, uint64 id, bytes32 hash);
    /// @notice No batch is taken any more. `entry` is the overdue queue entry, or the largest number when the sequencer
    /// was silent.
    event Frozen(uint64 entry, uint64 overdueSince);
    /// @notice The bond is `bond` wei now.
    event BondChanged(uint256 bond);
    /// @notice The sequencer has named who may put inputs elsewhere than in calldata.
    event SubmitterChanged(address submitter);
    /// @notice Batch `id` and all others up to `headId` never were; EpochOpened follows.
    event BatchStruck(uint64 indexed id, bytes32 indexed hash, bytes32 parentHash, uint64 headId, address judge);
    /// @notice The whole bond is gone: `reward` to the judge, `burned` to nobody.
    event BondSlashed(address indexed judge, uint256 reward, uint256 burned);
    /// @notice `holds` demands for inputs of the batch are open; above zero it does not become final.
    event HoldChanged(uint64 indexed id, bytes32 indexed hash, uint24 holds);
    /// @notice The inputs of the batch that this transaction commits are not in its calldata.
    /// @param blobs versioned hashes of the blobs that hold them, in order; none when they are off chain
    event InputsElsewhere(uint64 indexed id, bytes32 indexed hash, uint8 carrier, bytes32[] blobs);
    /// @notice The batch is final by a proof, before its window is over.
    event BatchProven(uint64 indexed id, bytes32 indexed hash, bytes32 publicInputsHash);
    /// @notice The batch becomes final no earlier than `deadline`, seconds since 1970.
    event DeadlineExtended(uint64 indexed id, bytes32 indexed hash, uint64 deadline);

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
    /// @notice What is final can't be struck or held any more.
    error AlreadyFinal(uint64 finalized, uint64 got);
    /// @notice Only `expected` does this.
    error NotJudge(address expected, address got);
    /// @notice Somebody asks for the inputs of batch `id`.
    error BatchHeld(uint64 id, uint24 holds);
    /// @notice The transaction carries another number of blobs than the inputs fill.
    error BlobCount(uint256 expected, uint256 got);
    /// @notice The inputs are not in the calldata, and the sender is not the one who may choose so.
    error NotSubmitter(address expected, address got);
    /// @notice Inputs are neither in the calldata nor in blobs, and this rollup takes none off chain.
    error InputsMissing(uint256 expected);
    /// @notice This rollup trusts no proofs, or this one is not accepted.
    error ProofRefused(address verifier);
    error WindowOpen(uint64 until, uint256 nowSeconds);
    error BatchesPending(uint64 committed, uint64 finalized);
    error EtherNotSent(address to, uint256 amount);
    /// @notice A part has no code or was deployed for another rollup.
    error WrongWiring(bytes32 field, address expected, address got);

    /// @notice Commits the next batch. Anyone with a signed one may send it, as a transaction of its own, with its inputs;
    /// without them only the submitter may.
    function commitBatch(PostedBatch calldata batch) external;

    /// @notice Makes the next batch final at once, by a proof that the rollup's verifier accepts. Anyone may call. An open
    /// demand for its inputs still holds it.
    /// @param header of batch `finalHead().id + 1`, as posted
    /// @param withdrawn its totals, as posted
    /// @param proof in the form of the verifier; what it is about: PublicInputs
    function proveBatch(bytes calldata header, bytes calldata withdrawn, bytes calldata proof) external;

    /// @notice Makes the next batch final once its window is over. Anyone may call.
    /// @param header of batch `finalHead().id + 1`, as posted
    /// @param withdrawn its totals, as posted
    function finalizeBatch(bytes calldata header, bytes calldata withdrawn) external;

    /// @notice Opens the next epoch on top of the last committed batch, so that batches that were signed but can't be
    /// committed any more (their anchor left the chain, or they grew too old) are void and others take their ids.
    /// @param signature by the sequencer over Epoch(uint32 epoch,bytes32 parentHash)
    function openEpoch(uint32 epoch, bytes calldata signature) external;

    /// @notice Only the sequencer: from now on `submitter` may commit batches whose inputs are in blobs or off chain. Blobs
    /// that do not hold the inputs take the bond, so this is who the sequencer answers for.
    function setSubmitter(address submitter) external;

    /// @notice Bars all further commits: when a queue entry is past its deadline, or there was no commit for the liveness
    /// limit. Anyone may call; nobody can undo it.
    function freeze() external;

    /// @notice Only `challenges` and `demands`: the batch of this header and all after it never were. The head goes back
    /// to its parent, the next epoch opens, the bond is slashed, and the sequencer has the liveness limit, and the
    /// inclusion time for entries that the struck batches had taken up, as from now.
    /// @param header as posted; its hash names the batch
    /// @return reward wei sent to the caller: half of the bond
    function strike(bytes calldata header) external returns (uint256 reward);

    /// @notice Only `equivocation`: takes the whole bond and touches no batch.
    /// @return reward wei sent to the caller: half of the bond
    function slash() external returns (uint256 reward);

    /// @notice Only `demands`: opens (`on`) or closes a hold on a batch that is not final. While there is one, neither
    /// the batch nor its descendants become final.
    /// @param hash of the batch meant: after a strike another one may stand under its id
    function hold(uint64 id, bytes32 hash, bool on) external;

    /// @notice Only `demands`: the batch becomes final no earlier than `deadline`.
    function extend(uint64 id, bytes32 hash, uint64 deadline) external;

    /// @notice Adds to the sequencer's bond.
    function topUpBond() external payable;

    /// @notice Returns the bond to the sequencer: only when every batch is final (so no demand is open) and receipts have
    /// expired, two windows after the last commit or strike. Nothing can be committed until the bond is full again.
    function unbond(uint256 amount, address payable to) external;

    /// @notice Where the chain of committed batches ends, final or not.
    function head() external view returns (Head memory);
    /// @notice Where the final batches end.
    function finalHead() external view returns (FinalHead memory);
    /// @notice All zeros when there is no such batch, or none any more.
    function batches(uint64 id) external view returns (BatchRecord memory);
    /// @notice Ledger root of a final batch; zero when it is not final.
    function finalLedgerRoot(uint64 id) external view returns (bytes32);
    /// @notice Total that final batches have released of an asset, ledger units.
    function withdrawnTotal(uint16 asset) external view returns (uint256);
    /// @notice keccak256 of the versioned hashes of the blobs that hold a batch's inputs; zero for other carriers.
    /// @param batchHash of its header
    function blobsHash(bytes32 batchHash) external view returns (bytes32);
    /// @notice Whose proofs make batches final at once; zero: nobody's.
    function verifier() external view returns (address);
    /// @notice Whether batches may be committed whose inputs are neither in calldata nor in blobs.
    function inputsOffChain() external view returns (bool);
    /// @notice Who may commit batches without their inputs in calldata; zero: nobody.
    function submitter() external view returns (address);
    /// @notice Whether commits are barred for good.
    function frozen() external view returns (bool);
    /// @notice What the sequencer has at stake now, wei.
    function bond() external view returns (uint256);
    /// @notice EIP-712 domain separator of everything that is signed for this rollup.
    function domainSeparator() external view returns (bytes32);
    /// @notice Whose signature makes a batch.
    function sequencer() external view returns (address);
    /// @notice Seconds from commit to final.
    function window() external view returns (uint64);
    /// @notice Without a commit for so many seconds anyone may freeze the rollup.
    function livenessLimit() external view returns (uint64);
    /// @notice Commits need so much of a bond, wei.
    function bondRequired() external view returns (uint128);
    /// @notice Where deposits and forced requests come in.
    function queue() external view returns (address);
    /// @notice Who holds the tokens.
    function vault() external view returns (address);
    /// @notice Who strikes batches that are proven wrong.
    function challenges() external view returns (address);
    /// @notice Who strikes batches whose inputs are withheld, and holds them meanwhile.
    function demands() external view returns (address);
    /// @notice Who takes the bond for two histories.
    function equivocation() external view returns (address);
    /// @notice Who leads out of a frozen rollup.
    function escape() external view returns (address);
    /// @notice Last epoch that a strike ended, 0 before the first: what was signed in it or before is paid for.
    function struckEpoch() external view returns (uint32);
    /// @notice L1 time of the last strike, seconds; 0 before the first.
    function struckAt() external view returns (uint64);
}

/// @notice A contract that serves one rollup.
interface IRollupPart {
    /// @notice The rollup that it serves; it obeys no other.
    function rollup() external view returns (address);
}
