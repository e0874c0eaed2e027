// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ChallengeFixture, Made} from "./ChallengeFixture.sol";
import {Rollup} from "../../settlement/contracts/Rollup.sol";
import {FinalHead, IRollup, RollupParameters} from "../../settlement/contracts/interfaces/IRollup.sol";
import {IVerifier} from "../../settlement/contracts/interfaces/IVerifier.sol";
import {BatchLib, Header} from "../../settlement/contracts/libraries/BatchLib.sol";
import {Bounds} from "../../settlement/contracts/libraries/Bounds.sol";
import {PublicInputs} from "../../settlement/contracts/libraries/PublicInputs.sol";
import {StubVerifier} from "../../settlement/contracts/verifiers/StubVerifier.sol";

contract PublicInputsHarness {
    function encode(bytes calldata header, address rollup) external view returns (bytes memory) {
        Header memory h = BatchLib.decode(header);
        return PublicInputs.encode(h, BatchLib.digest(h, BatchLib.domainSeparator(rollup)), rollup);
    }
}

/// @notice Calls back into the rollup, and says what it was asked.
contract ReentrantVerifier is IVerifier {
    function verify(uint64, bytes calldata, bytes calldata proof) external view returns (bool) {
        (bool success,) = msg.sender.staticcall(proof);
        return success;
    }
}

contract ProveBatchTest is ChallengeFixture {
    uint256 private constant ATTESTER_KEY = 0xa77e57;
    PublicInputsHarness private harness = new PublicInputsHarness();

    function setUp() public {
        deployAll();
        _deployWith(address(0));
    }

    function test_publicInputsVectors() public {
        string memory json = vm.readFile("test/vectors/public-inputs.json");
        uint256 count = 0;
        for (string memory c = _case(".cases", 0); vm.keyExistsJson(json, c); c = _case(".cases", ++count)) {
            vm.chainId(vm.parseJsonUint(json, string.concat(c, ".chainId")));
            address contract_ = vm.parseJsonAddress(json, string.concat(c, ".rollup"));
            bytes memory header = vm.parseJsonBytes(json, string.concat(c, ".header"));
            bytes memory got = harness.encode(header, contract_);
            bytes memory expected = vm.parseJsonBytes(json, string.concat(c, ".publicInputs"));
            assertEq(got.length, 366, "length");
            assertEq(keccak256(got), keccak256(expected), string.concat(c, ".publicInputs"));

            StubVerifier stub = new StubVerifier(vm.parseJsonAddress(json, string.concat(c, ".attester")), contract_);
            bytes memory proof = vm.parseJsonBytes(json, string.concat(c, ".attestation"));
            uint64 id = uint64(bytes8(slice(header, 6, 14)));
            assertTrue(stub.verify(id, got, proof), "attestation");
            assertTrue(!stub.verify(id + 1, got, proof), "of another batch");
            got[count] ^= 0x01;
            assertTrue(!stub.verify(id, got, proof), "about something else");
        }
        assertTrue(count >= 16, "at least sixteen cases");
    }

    /// @dev A changed attestation is no other's, and is refused or reverts; it is never taken.
    function testFuzz_everyBitOfAnAttestationCounts(uint16 bit) public {
        StubVerifier stub = new StubVerifier(vm.addr(ATTESTER_KEY), address(rollup));
        bytes memory publicInputs = new bytes(366);
        bytes memory proof = _attestation(1, publicInputs);
        assertTrue(stub.verify(1, publicInputs, proof), "as it is");
        proof[(bit % 840) / 8] ^= bytes1(uint8(1 << (bit % 8)));
        try stub.verify(1, publicInputs, proof) returns (bool accepted) {
            assertTrue(!accepted, "changed");
        } catch {}
        assertTrue(!stub.verify(1, publicInputs, new bytes(104)), "short");
        vm.expectPartialRevert(Bounds.OutOfRange.selector);
        new StubVerifier(address(0), address(rollup));
    }

    function test_withoutAVerifierNoProofIsTaken() public {
        Made memory m = first();
        send(m);
        bytes memory header = packed(m.h);
        vm.expectRevert(abi.encodeWithSelector(IRollup.ProofRefused.selector, address(0)));
        rollup.proveBatch(header, m.withdrawn, "");
        assertEq(rollup.finalHead().id, 0, "nothing final");
    }

    function test_aProofMakesABatchFinalAtOnce() public {
        _deployWith(_stub());
        Made memory m = first();
        send(m);
        Made memory n = second(m);
        send(n);
        // In order only.
        bytes memory proof = _attestation(2, harness.encode(packed(n.h), address(rollup)));
        vm.expectPartialRevert(IRollup.WrongField.selector);
        rollup.proveBatch(packed(n.h), n.withdrawn, proof);

        rollup.proveBatch(packed(m.h), m.withdrawn, _attestation(1, harness.encode(packed(m.h), address(rollup))));
        rollup.proveBatch(packed(n.h), n.withdrawn, proof);
        FinalHead memory head = rollup.finalHead();
        assertEq(head.id, 2, "final");
        assertEq(head.ledgerRoot, n.h.postLedgerRoot, "root");
        assertEq(rollup.withdrawnTotal(0), 7, "withdrawn of both");
        assertEq(rollup.finalLedgerRoot(1), m.h.postLedgerRoot, "of the first");
        vm.expectPartialRevert(IRollup.NoSuchBatch.selector);
        rollup.proveBatch(packed(n.h), n.withdrawn, proof);
    }

    function test_othersProofsAreRefusedAndChangeNothing() public {
        _deployWith(_stub());
        Made memory m = first();
        send(m);
        bytes memory publicInputs = harness.encode(packed(m.h), address(rollup));
        bytes memory stranger = _attestationBy(0xbad, 1, publicInputs);
        address verifier = rollup.verifier();
        vm.expectRevert(abi.encodeWithSelector(IRollup.ProofRefused.selector, verifier));
        rollup.proveBatch(packed(m.h), m.withdrawn, stranger);
        bytes memory right = _attestation(1, publicInputs);
        vm.expectPartialRevert(IRollup.WrongField.selector);
        rollup.proveBatch(packed(m.h), "", right);
        assertEq(rollup.finalHead().id, 0, "nothing final");
        assertEq(rollup.withdrawnTotal(0), 0, "nothing withdrawn");
    }

    /// @dev An attestation for another rollup is about other public inputs.
    function test_anAttestationIsForOneRollup() public {
        _deployWith(_stub());
        Made memory m = first();
        send(m);
        bytes memory elsewhere = _attestation(1, harness.encode(packed(m.h), address(0x1234)));
        vm.expectPartialRevert(IRollup.ProofRefused.selector);
        rollup.proveBatch(packed(m.h), m.withdrawn, elsewhere);
    }

    function test_anOpenDemandHoldsAProvenBatchToo() public {
        _deployWith(_stub());
        Made memory m = first();
        send(m);
        bytes32 hash = digestOf(m.h);
        bytes memory proof = _attestation(1, harness.encode(packed(m.h), address(rollup)));
        vm.prank(address(demands));
        rollup.hold(1, hash, true);
        vm.expectRevert(abi.encodeWithSelector(IRollup.BatchHeld.selector, 1, 1));
        rollup.proveBatch(packed(m.h), m.withdrawn, proof);
        vm.prank(address(demands));
        rollup.hold(1, hash, false);
        rollup.proveBatch(packed(m.h), m.withdrawn, proof);
        assertEq(rollup.finalHead().id, 1, "final");
    }

    /// @dev The verifier is called without the right to change anything, and sees the batch as final already.
    function test_aVerifierThatCallsBack() public {
        _deployWith(address(new ReentrantVerifier()));
        Made memory m = first();
        send(m);
        bytes memory again = abi.encodeCall(IRollup.proveBatch, (packed(m.h), m.withdrawn, ""));
        vm.expectPartialRevert(IRollup.ProofRefused.selector);
        rollup.proveBatch(packed(m.h), m.withdrawn, again);
        rollup.proveBatch(packed(m.h), m.withdrawn, abi.encodeCall(IRollup.finalHead, ()));
        assertEq(rollup.finalHead().id, 1, "final");
    }

    // --- helpers ---

    /// @dev A stub for the rollup that `_deployWith` makes next: after the five other parts and the stub itself.
    function _stub() private returns (address) {
        uint64 nonce = vm.getNonce(address(this));
        address rollupAt = vm.computeCreateAddress(address(this), nonce + 1 + 7);
        return address(new StubVerifier(vm.addr(ATTESTER_KEY), rollupAt));
    }

    function _deployWith(address verifier) private {
        deployParts(address(token));
        vm.deal(address(this), address(this).balance + BOND);
        RollupParameters memory parameters = rollupParameters();
        parameters.verifier = verifier;
        rollup = new Rollup{value: BOND}(parts(), parameters);
    }

    function _attestation(uint64 batch, bytes memory publicInputs) private view returns (bytes memory) {
        return _attestationBy(ATTESTER_KEY, batch, publicInputs);
    }

    function _attestationBy(uint256 key, uint64 batch, bytes memory publicInputs) private view returns (bytes memory) {
        bytes32 typeHash = keccak256("Attestation(uint64 batch,bytes32 publicInputsHash)");
        bytes32 structHash = keccak256(abi.encode(typeHash, batch, keccak256(publicInputs)));
        bytes32 digest = BatchLib.typedDigest(BatchLib.domainSeparator(address(rollup)), structHash);
        return abi.encodePacked(bytes8(0x0000000100000000), keccak256(publicInputs), signature(key, digest));
    }
}
