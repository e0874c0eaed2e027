// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice Parameters of the queue, fixed at deployment.
struct QueueParameters {
    /// @dev Milliseconds within which an entry must be in a committed batch when the queue is not crowded.
    uint64 inclusionMs;
    /// @dev 1 / capacity: milliseconds that each further entry is given when it is.
    uint64 intervalMs;
    /// @dev Fee of a forced request in an empty queue, wei.
    uint128 baseFee;
    /// @dev Each time the queue runs so far behind, the fee doubles.
    uint64 feeDoublingMs;
    /// @dev Who may propose configuration; the zero address: nobody, the genesis configuration stays for good.
    address configurator;
    /// @dev Milliseconds between proposal and entry; at least window + inclusionMs, so that whoever disagrees is out.
    uint64 timelockMs;
}

/// @notice A configuration entry that was announced.
struct Proposal {
    /// @dev keccak256(kind ‖ payload); zero: there is none.
    bytes32 hash;
    uint64 enterableAtMs;
    uint64 voidAtMs;
}

/// @notice One entry of the genesis configuration.
struct GenesisEntry {
    uint8 kind;
    bytes payload;
}

/// @title The forced-input queue
/// @notice Everything that enters the state machine from L1, in one order: deposits, forced requests and the
/// configuration. The sequencer must take entries up in order and before their deadlines; `Rollup` refuses batches
/// that leave overdue ones out, and whoever sees one overdue may freeze the rollup.
///
/// Kinds, payloads (packed, big-endian) and the prefix hash are those of sequencer/protocol/queue-entry.ts:
///   0 DEPOSIT     u16 asset ‖ u8 subaccount ‖ u64 amount      16 CONFIGURE_CHAIN      96 bytes
///   1 WITHDRAW    u16 asset ‖ u8 subaccount ‖ u64 amount      17 CONFIGURE_MARKET     128 + 16 × tiers bytes
///   2 CANCEL_ALL  u8 subaccount                               18 CONFIGURE_PUBLISHER  25 bytes
///   3 REDUCE_ONLY_IOC  u16 market ‖ u8 subaccount ‖ u8 side (0 buy, 1 sell) ‖ u32 price (0: the
///                      market's band) ‖ u64 size         19 CONFIGURE_ASSET      144 bytes
///   5 EVALUATE_LIQUIDATION  u32 account, anyone's
///   prefix' = keccak256(prefix ‖ kind ‖ owner ‖ keccak256(payload)), zero before the first
/// Kind 4 (auction bid) is reserved for a rule that the state machine does not have yet; until it has, it is refused
/// here, so that nobody pays for an entry that does nothing.
///
/// Configuration has the zero address as owner. It is given to the constructor; later changes pass a timelock:
/// proposed by `configurator` and announced by an event, enterable by anyone once `timelockMs` has passed, then an
/// entry like any other. Requests that entered before it are taken up before it, so whoever disagrees has the
/// timelock, which is not shorter than inclusion and challenge window together, to be paid out under the old rules.
/// Neither configurator nor timelock can be changed.
///
/// Deadline of an entry = max(now + inclusionMs, deadline of the entry before + intervalMs): deadlines never fall, and
/// a flood can't make more entries due than the sequencer can take up. Fee, burned: baseFee · 2^k for a forced
/// request and baseFee · (2^k − 1) for a deposit, k = (deadline − now − inclusionMs) / feeDoublingMs.
interface IQueue {
    /// @notice Entry `index` was appended; `prefixHash` covers it and all before.
    /// @param deadline milliseconds since 1970
    event Enqueued(
        uint64 indexed index,
        uint8 indexed kind,
        address indexed owner,
        bytes payload,
        bytes32 prefixHash,
        uint64 deadline
    );

    /// @notice A configuration was announced; anyone may enter it from `enterableAtMs` on, for 14 days.
    event ConfigurationProposed(uint64 indexed id, uint8 indexed kind, bytes payload, uint64 enterableAtMs);
    /// @notice The proposal can not be entered any more.
    event ConfigurationCanceled(uint64 indexed id);
    /// @notice Proposal `id` became queue entry `index`.
    event ConfigurationEntered(uint64 indexed id, uint64 indexed index);

    /// @notice The rollup is frozen: nothing enters any more.
    error QueueClosed();
    /// @notice This kind can't be requested by users.
    error KindNotSupported(uint8 got);
    /// @notice The payload of this kind has another length.
    error PayloadLength(uint8 kind, uint256 expected, uint256 got);
    /// @notice Less ether than the fee was sent.
    error FeeTooLow(uint256 expected, uint256 got);
    /// @notice The fee could not be burned or the surplus not be returned.
    error EtherNotSent(address to, uint256 amount);
    /// @notice There is no such entry.
    error NoSuchEntry(uint256 length, uint256 got);
    /// @notice Only the configurator may propose and cancel.
    error NotConfigurator(address expected, address got);
    /// @notice There is no such proposal: never made, canceled, entered, or made with another kind or payload.
    error NoSuchProposal(uint64 got);
    /// @notice The timelock still runs, or the proposal was left lying for too long.
    error NotEnterable(uint64 fromMs, uint64 untilMs, uint256 nowMs);

    /// @notice Credits `amount` of `asset` to the sender's own sub-account. The vault needs an allowance.
    /// @return index of the entry
    function deposit(uint16 asset, uint8 subaccount, uint64 amount) external payable returns (uint64 index);

    /// @notice As `deposit`, to another owner's sub-account; the sender pays.
    function depositFor(address owner, uint16 asset, uint8 subaccount, uint64 amount)
        external
        payable
        returns (uint64 index);

    /// @notice Demands that the sequencer does something for the sender: 1 WITHDRAW, 2 CANCEL_ALL or 3 REDUCE_ONLY_IOC; or
    /// that it looks at the margin of an account, whoever's it is: 5 EVALUATE_LIQUIDATION.
    /// @dev Send at least `feeOf(kind)`; the surplus comes back.
    function requestForced(uint8 kind, bytes calldata payload) external payable returns (uint64 index);

    /// @notice Announces a configuration entry; only the configurator. Reverts unless every value that can be judged
    /// without the state is within its bounds.
    /// @param kind 16 to 19
    /// @return id of the proposal
    function proposeConfiguration(uint8 kind, bytes calldata payload) external returns (uint64 id);

    /// @notice Takes a proposal back before it entered; only the configurator.
    function cancelConfiguration(uint64 id) external;

    /// @notice Enters a proposal whose timelock has passed; anyone may. Costs the fee of a forced request.
    /// @param kind as proposed
    /// @param payload as proposed: it stands in the event
    /// @return index of the queue entry
    function enterConfiguration(uint64 id, uint8 kind, bytes calldata payload)
        external
        payable
        returns (uint64 index);

    /// @notice A proposal that waits; zeros when there is none.
    function proposals(uint64 id) external view returns (Proposal memory);

    /// @notice Proposals ever made.
    function proposalCount() external view returns (uint64);

    /// @notice Fee of the next entry of a kind, wei.
    function feeOf(uint8 kind) external view returns (uint256);

    /// @notice Entries so far.
    function length() external view returns (uint64);

    /// @notice What is kept of an entry.
    /// @return prefixHash after the entry
    /// @return deadline milliseconds since 1970
    /// @return blockNumber in which it was appended
    function entries(uint64 index) external view returns (bytes32 prefixHash, uint64 deadline, uint64 blockNumber);

    /// @notice What a batch that takes up everything before `index` is checked against.
    /// @return count entries so far
    /// @return prefixHash before entry `index`
    /// @return deadline of entry `index`; the largest number when there is no such entry
    /// @return blockNumber of entry `index`; the largest number when there is none
    function cursorAt(uint64 index)
        external
        view
        returns (uint64 count, bytes32 prefixHash, uint64 deadline, uint64 blockNumber);

    /// @notice Where deposits go.
    function vault() external view returns (address);
    /// @notice The rollup whose batches take entries up.
    function rollup() external view returns (address);
    /// @notice An entry that comes alone is due after so long, ms.
    function inclusionMs() external view returns (uint64);
    /// @notice Deadlines of entries are at least so far apart, ms.
    function intervalMs() external view returns (uint64);
    /// @notice Of a forced request in an uncrowded queue, wei.
    function baseFee() external view returns (uint128);
    /// @notice The fee doubles for each such stretch by which deadlines are crowded out, ms.
    function feeDoublingMs() external view returns (uint64);
    /// @notice Who may propose configuration; zero: nobody, ever.
    function configurator() external view returns (address);
    /// @notice Between proposal and entry, ms.
    function timelockMs() external view returns (uint64);
}
