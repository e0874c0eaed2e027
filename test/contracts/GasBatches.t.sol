// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BlobStream, BlobVectors} from "./BlobVectors.sol";
import {ChallengeFixture, Made} from "./ChallengeFixture.sol";
import {GasTable} from "./GasTable.sol";
import {PublicInputsHarness} from "./ProveBatch.t.sol";
import {Rollup} from "../../settlement/contracts/Rollup.sol";
import {IChallenges} from "../../settlement/contracts/interfaces/IChallenges.sol";
import {IEquivocation} from "../../settlement/contracts/interfaces/IEquivocation.sol";
import {PostedBatch, RollupParameters} from "../../settlement/contracts/interfaces/IRollup.sol";
import {BatchLib} from "../../settlement/contracts/libraries/BatchLib.sol";
import {Opening} from "../../settlement/contracts/libraries/BlobLib.sol";
import {StubVerifier} from "../../settlement/contracts/verifiers/StubVerifier.sol";
import {Outcome, Witness} from "../../settlement/contracts/step/IStepProver.sol";

/// @notice Gas of what is done with batches: of three segments, a few records, ledgers of nine leaves.
/// forge-config: default.isolate = true
contract GasBatchesTest is ChallengeFixture, GasTable {
    uint256 private constant ATTESTER_KEY = 0xa77e57;
    bytes32 private constant SALT = bytes32(uint256(7));
    address private constant FINDER = address(0xf1d);
    PublicInputsHarness private harness = new PublicInputsHarness();

    function setUp() public {
        deployAll();
        vm.deal(address(this), 1_000 ether);
        // Behind the stub itself and seven other parts.
        address rollupAt = vm.computeCreateAddress(address(this), vm.getNonce(address(this)) + 8);
        StubVerifier stub = new StubVerifier(vm.addr(ATTESTER_KEY), rollupAt);
        deployParts(address(token));
        RollupParameters memory parameters = rollupParameters();
        parameters.inputsOffChain = true;
        parameters.verifier = address(stub);
        rollup = new Rollup{value: BOND}(parts(), parameters);
    }

    // --- batches ---

    function test_commit() public {
        Made memory m = first();
        send(m);
        used("Rollup.commitBatch, inputs in calldata");
        Made memory n = second(m);
        send(n);
        used("Rollup.commitBatch, the next one");
    }

    function test_commitOffChain() public {
        post(_without(first()));
        used("Rollup.commitBatch, inputs off chain");
    }

    function test_finalize() public {
        Made memory m = first();
        send(m);
        pass(WINDOW);
        rollup.finalizeBatch(packed(m.h), m.withdrawn);
        used("Rollup.finalizeBatch, one asset withdrawn");
        m = second(m);
        send(m);
        pass(WINDOW);
        rollup.finalizeBatch(packed(m.h), m.withdrawn);
        used("Rollup.finalizeBatch, two assets withdrawn");
    }

    function test_prove() public {
        Made memory m = first();
        send(m);
        bytes memory proof = _attestation(1, harness.encode(packed(m.h), address(rollup)));
        rollup.proveBatch(packed(m.h), m.withdrawn, proof);
        used("Rollup.proveBatch, an attestation");
    }

    function test_epochFreezeBond() public {
        bytes32 structHash = keccak256(abi.encode(keccak256("Epoch(uint32 epoch,bytes32 parentHash)"), 2, bytes32(0)));
        bytes memory signed = signature(SEQUENCER_KEY, BatchLib.typedDigest(rollup.domainSeparator(), structHash));
        rollup.openEpoch(2, signed);
        used("Rollup.openEpoch");
        rollup.topUpBond{value: 1 ether}();
        used("Rollup.topUpBond");
        vm.prank(vm.addr(SEQUENCER_KEY));
        rollup.setSubmitter(FINDER);
        used("Rollup.setSubmitter");
        pass(2 * uint256(WINDOW));
        vm.prank(vm.addr(SEQUENCER_KEY));
        rollup.unbond(1 ether, payable(FINDER));
        used("Rollup.unbond");
        pass(LIVENESS);
        rollup.freeze();
        used("Rollup.freeze");
    }

    // --- fraud ---

    function test_proveClock() public {
        Made memory m = first();
        m.h.timeLast += 1;
        m.h.timeFirst = m.h.timeLast;
        _strike(m, clockProof(m), "header against the clock");
    }

    function test_proveQueue() public {
        Made memory m = first();
        m.leaves[AT_QUEUE].value[7] ^= 0x01;
        seal(m);
        _strike(m, queueProof(m), "header against the queue");
    }

    function test_proveWithdrawn() public {
        Made memory m = first();
        m.withdrawn = totals(0, 9);
        seal(m);
        _strike(m, withdrawnProof(m, 0), "totals withdrawn");
    }

    function test_proveDiff() public {
        Made memory m = first();
        m.diff[m.diff.length - 1] ^= 0x01;
        seal(m);
        _strike(m, diffProof(m, m.leaves[AT_TOTAL_0].key), "diff");
    }

    function test_proveInputs() public {
        Made memory m = first();
        m.inputs[m.inputs.length - 1] ^= 0x01;
        m.h.inputsHash = keccak256(m.inputs);
        _strike(m, inputsProof(m, 2), "inputs in calldata");
    }

    /// @dev Without the run of the segment, which is scripted here.
    function test_proveStep() public {
        Made memory m = first();
        Witness memory witness = Witness({ledger: hex"01", book: hex"0203", carried: hex"040506", hints: hex"07"});
        bytes memory inputs = slice(m.inputs, 0, inputEnd(m, 1));
        bytes32 pre = keccak256(abi.encodePacked(bytes1(0x03), m.h.preLedgerRoot, m.h.preBookRoot));
        Outcome memory outcome;
        stepProver.tell(pre, 4, rollup.domainSeparator(), inputs, witness, outcome);
        bytes memory proof = abi.encodeCall(IChallenges.checkStep, (packed(m.h), segmentProof(m, 0), inputs, witness));
        _strike(m, proof, "step, without its re-execution");
    }

    // --- rewards ---

    function test_reward() public {
        Made memory m = first();
        m.h.timeLast += 1;
        m.h.timeFirst = m.h.timeLast;
        bytes memory proof = clockProof(m);
        challenges.commitChallenge(keccak256(abi.encode(FINDER, SALT, keccak256(proof))));
        used("Challenges.commitChallenge");
        pass(12);
        send(m);
        bytes32 fault = challenges.proveFraud(proof, address(0), 0);
        challenges.claimReward(fault, FINDER, SALT, proof);
        used("Challenges.claimReward, of a clock proof");
        pass(uint256(WINDOW) + 1);
        challenges.takeReward(fault);
        used("Challenges.takeReward");
    }

    function test_equivocation() public {
        Made memory m = first();
        bytes memory one = packed(m.h);
        bytes memory signedOne = signature(SEQUENCER_KEY, digestOf(m.h));
        m.h.timeLast += 1;
        bytes memory proof = abi.encodeCall(
            IEquivocation.checkHeaders,
            (one, signedOne, packed(m.h), signature(SEQUENCER_KEY, digestOf(m.h)))
        );
        equivocation.proveEquivocation(proof, address(0), 0);
        used("Equivocation.proveEquivocation, two headers");
    }

    // --- demands ---

    function test_demands() public {
        Made memory m = first();
        post(_without(m));
        uint256 fee = demands.demandFee();
        demands.demandInputs{value: fee}(packed(m.h), segmentProof(m, 1));
        used("Demands.demandInputs");
        bytes memory inputs = slice(m.inputs, inputEnd(m, 1), inputEnd(m, 2));
        vm.prank(SUBMITTER, SUBMITTER);
        demands.answerInputs(1, inputs);
        used("Demands.answerInputs, two records");
        demands.demandInputs{value: fee}(packed(m.h), segmentProof(m, 2));
        demands.demandInputs{value: fee}(packed(m.h), segmentProof(m, 0));
        pass(uint256(ANSWER_WINDOW) + 1);
        demands.strikeUnanswered(2, packed(m.h));
        used("Demands.strikeUnanswered");
        demands.withdrawDemand(3);
        used("Demands.withdrawDemand");
        demands.withdrawOwed();
        used("Demands.withdrawOwed");
    }

    // --- parts ---

    function _strike(Made memory m, bytes memory proof, string memory what) private {
        send(m);
        challenges.proveFraud(proof, address(0), 0);
        used(string.concat("Challenges.proveFraud, ", what));
        assertEq(rollup.head().id, 0, "struck");
    }

    function _without(Made memory m) private view returns (PostedBatch memory batch) {
        batch = posted(m);
        batch.inputs = "";
    }

    function _attestation(uint64 batch, bytes memory publicInputs) private view returns (bytes memory) {
        bytes32 typeHash = keccak256("Attestation(uint64 batch,bytes32 publicInputsHash)");
        bytes32 structHash = keccak256(abi.encode(typeHash, batch, keccak256(publicInputs)));
        bytes32 digest = BatchLib.typedDigest(BatchLib.domainSeparator(address(rollup)), structHash);
        return
            abi.encodePacked(bytes8(0x0000000100000000), keccak256(publicInputs), signature(ATTESTER_KEY, digest));
    }
}

/// @notice The same for batches whose inputs are in blobs. Their hashes are told to the test's own transaction, so that it
/// does not run isolated: 21,000, the calldata and the blobs come on top, and what it has touched is warm.
contract GasBlobsTest is ChallengeFixture, BlobVectors, GasTable {
    function setUp() public {
        deployAll();
    }

    function test_blobs() public {
        BlobStream memory altered = blobStream(ALTERED);
        Made memory m = first();
        m.inputs = blobStream(HONEST).data;
        seal(m);
        PostedBatch memory batch = posted(m);
        batch.inputs = "";
        vm.blobhashes(altered.hashes);
        post(batch);
        used("Rollup.commitBatch, inputs in a blob");
        Opening[] memory openings = openingsOf(altered, inputEnd(m, 1), inputEnd(m, 2));
        bytes memory proof =
            abi.encodeCall(IChallenges.checkBlobs, (packed(m.h), segmentProof(m, 1), altered.hashes, openings));
        challenges.proveFraud(proof, address(0), 0);
        used("Challenges.proveFraud, inputs in a blob");
        assertTrue(openings.length == 3, "three elements opened");
    }
}
