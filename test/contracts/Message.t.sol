// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Test} from "./Test.sol";
import {Leaves, LeavesLib} from "../../settlement/contracts/step/Leaves.sol";
import {Limits} from "../../settlement/contracts/step/Limits.sol";
import {Reject} from "../../settlement/contracts/step/Reject.sol";
import {Signatures} from "../../settlement/contracts/step/Signatures.sol";
import {ISteps} from "../../settlement/contracts/step/ISteps.sol";
import {StepKind} from "../../settlement/contracts/step/StepKind.sol";
import {AccountSteps} from "../../settlement/contracts/step/families/AccountSteps.sol";
import {Message} from "../../settlement/contracts/step/handlers/Message.sol";

/// @notice The libraries with calldata of a call.
contract MessageReader {
    function check(bytes calldata record) external pure returns (bool ok) {
        (ok,) = Message.check(record);
    }

    function digestOf(bytes calldata record, bytes32 domain) external pure returns (bytes32) {
        return Message.digestOf(record, domain);
    }

    function signerOf(bytes calldata record, bytes32 domain) external pure returns (address) {
        return Message.signerOf(record, domain);
    }

    function signer(bytes32 digest, bytes calldata signature) external pure returns (address) {
        return Signatures.signer(digest, signature, 0);
    }

    /// @dev One bit of a copy at a time: calls with as many records would take minutes.
    function flips(bytes calldata record) external view returns (bytes memory result) {
        bytes memory copy = record;
        uint256 length = copy.length - Limits.RECORD_HEADER_BYTES;
        result = new bytes(length);
        for (uint256 bit = 0; bit < 8 * length; bit++) {
            bytes1 mask = bytes1(uint8(0x80 >> (bit & 7)));
            uint256 place = Limits.RECORD_HEADER_BYTES + (bit >> 3);
            copy[place] ^= mask;
            if (this.check(copy)) result[bit >> 3] |= mask;
            copy[place] ^= mask;
        }
    }

    /// @dev The record's body cut or filled up with zeros to `length` bytes.
    function checkAt(bytes calldata record, uint256 length) external view returns (bool) {
        bytes memory copy = new bytes(Limits.RECORD_HEADER_BYTES + length);
        for (uint256 i = 0; i < copy.length && i < record.length; i++) {
            copy[i] = record[i];
        }
        return this.check(copy);
    }
}

/// @notice Messages: form, digest, signer, authentication, nonces.
contract MessageTest is Test {
    AccountSteps private family = new AccountSteps();
    MessageReader private reader = new MessageReader();

    struct Judged {
        bytes32 domain;
        uint256[] kinds;
        uint256[] codes;
        bytes[] records;
        bytes[] slices;
    }

    // --- against the vectors ---

    function test_digests_and_signers_of_every_operation() public view {
        string memory json = _json();
        bytes32 domain = vm.parseJsonBytes32(json, ".domain");
        bytes[] memory records = vm.parseJsonBytesArray(json, ".messages.records");
        bytes[] memory digests = vm.parseJsonBytesArray(json, ".messages.digests");
        bytes[] memory signers = vm.parseJsonBytesArray(json, ".messages.signers");
        assertTrue(records.length > 30, "there are messages");
        for (uint256 i = 0; i < records.length; i++) {
            assertTrue(reader.check(records[i]), "well formed");
            assertEq(reader.digestOf(records[i], domain), bytes32(digests[i]), "digest");
            assertEq(reader.signerOf(records[i], domain), address(bytes20(signers[i])), "signer");
        }
    }

    function test_form_after_any_single_bit_is_turned() public view {
        string memory json = _json();
        bytes[] memory records = vm.parseJsonBytesArray(json, ".forms.records");
        bytes[] memory flips = vm.parseJsonBytesArray(json, ".forms.flips");
        assertTrue(records.length > 30, "there are forms");
        for (uint256 i = 0; i < records.length; i++) {
            assertEq(keccak256(reader.flips(records[i])), keccak256(flips[i]), "flips");
        }
    }

    function test_form_at_its_own_length_alone() public view {
        bytes[] memory records = vm.parseJsonBytesArray(_json(), ".forms.records");
        for (uint256 i = 0; i < records.length; i++) {
            uint256 own = records[i].length - Limits.RECORD_HEADER_BYTES;
            for (uint256 length = 0; length <= own + 40; length++) {
                assertTrue(reader.checkAt(records[i], length) == (length == own), "form at a length");
            }
        }
        // A record without a whole header.
        for (uint256 length = 0; length < 12; length++) {
            assertTrue(!reader.check(new bytes(length)), "no record");
        }
    }

    function test_which_bytes_are_a_signature() public view {
        string memory json = _json();
        bytes[] memory digests = vm.parseJsonBytesArray(json, ".signatures.digests");
        bytes[] memory signatures = vm.parseJsonBytesArray(json, ".signatures.signatures");
        bytes[] memory signers = vm.parseJsonBytesArray(json, ".signatures.signers");
        assertTrue(digests.length > 60, "there are signatures");
        for (uint256 i = 0; i < digests.length; i++) {
            assertEq(reader.signer(bytes32(digests[i]), signatures[i]), address(bytes20(signers[i])), "signer");
        }
    }

    function test_inadmissible_exactly_when_the_engine_refuses() public view {
        Judged memory judged = _judged();
        assertTrue(judged.kinds.length > 200, "there are cases");
        for (uint256 i = 0; i < judged.kinds.length; i++) {
            (bytes memory writes, uint256 code) =
                family.step(uint8(judged.kinds[i]), judged.records[i], judged.domain, judged.slices[i]);
            bool refused = judged.codes[i] != Reject.NONE;
            assertEq(code, refused ? Reject.INADMISSIBLE : Reject.NONE, string.concat("case ", vm.toString(i)));
            assertTrue((writes.length == 0) == refused, "writes if and only if it is admitted");
        }
    }

    function test_another_domain_has_other_signers() public view {
        Judged memory judged = _judged();
        uint256 i = _firstAdmitted(judged);
        bytes32 other = keccak256("another rollup");
        address one = reader.signerOf(judged.records[i], judged.domain);
        assertTrue(reader.signerOf(judged.records[i], other) != one, "signer under another domain");
    }

    // --- starved of gas ---

    function test_starved_recovery_reverts() public view {
        string memory json = _json();
        bytes32 digest = bytes32(vm.parseJsonBytesArray(json, ".messages.digests")[0]);
        bytes memory record = vm.parseJsonBytesArray(json, ".messages.records")[0];
        bytes memory signature = new bytes(65);
        for (uint256 i = 0; i < 65; i++) {
            signature[i] = record[record.length - 65 + i];
        }
        bytes memory call = abi.encodeCall(MessageReader.signer, (digest, signature));
        bytes32 expected = bytes32(uint256(uint160(reader.signer(digest, signature))));
        assertTrue(expected != 0, "a signer");
        _neverOtherwise(address(reader), call, keccak256(abi.encode(expected)), 8_000, 1);
    }

    /// @notice What a failing precompile means: it is never taken for a signature of nobody.
    function test_a_failing_recovery_reverts() public {
        Judged memory judged = _judged();
        uint256 i = _firstAdmitted(judged);
        vm.mockCallRevert(address(1), "", "");
        (bool success,) = address(family).staticcall(
            abi.encodeCall(
                ISteps.step, (StepKind.MESSAGE, judged.records[i], judged.domain, judged.slices[i])
            )
        );
        assertTrue(!success, "a failing recovery");
        vm.clearMockedCalls();
        (, uint256 code) = family.step(StepKind.MESSAGE, judged.records[i], judged.domain, judged.slices[i]);
        assertEq(code, Reject.NONE, "code");
    }

    function test_starved_step_reverts() public view {
        Judged memory judged = _judged();
        uint256 i = _firstAdmitted(judged);
        bytes memory call = abi.encodeCall(
            ISteps.step, (StepKind.MESSAGE, judged.records[i], judged.domain, judged.slices[i])
        );
        (bytes memory writes, uint256 code) =
            family.step(StepKind.MESSAGE, judged.records[i], judged.domain, judged.slices[i]);
        _neverOtherwise(address(family), call, keccak256(abi.encode(writes, code)), 200_000, 53);
    }

    /// @dev With whatever gas, the call fails or says what it says with enough; both happen.
    function _neverOtherwise(address target, bytes memory call, bytes32 expected, uint256 most, uint256 stride)
        private
        view
    {
        uint256 failed = 0;
        uint256 done = 0;
        for (uint256 given = 0; given < most; given += stride) {
            (bool success, bytes memory result) = target.staticcall{gas: given}(call);
            if (!success) {
                failed++;
                continue;
            }
            done++;
            assertEq(keccak256(result), expected, "result with little gas");
        }
        assertTrue(failed > 0 && done > 0, "both ends were seen");
    }

    // --- nonces ---

    /// @notice A window against the list of all nonces ever used.
    function testFuzz_nonces(uint256 seed, uint8 spread) public pure {
        uint256 now_ = 1_700_000_000_000;
        uint256[] memory used = new uint256[](80);
        uint256 count = 1; // Nonce 0 counts as used.
        uint256 high = 0;
        uint256 bits = 1;
        uint256 top = 0;
        for (uint256 i = 0; i < 79; i++) {
            seed = uint256(keccak256(abi.encode(seed)));
            uint256 nonce = _someNonce(seed, top, now_, 1 + uint256(spread));
            bool expected = nonce <= now_ + Limits.NONCE_AHEAD_MS_MAX && nonce + 256 > top;
            for (uint256 k = 0; k < count; k++) {
                if (used[k] == nonce) expected = false;
            }
            bool fresh;
            uint256 highBefore = high;
            uint256 bitsBefore = bits;
            (fresh, high, bits) = Message.useNonce(nonce, now_, high, bits);
            assertTrue(fresh == expected, "fresh");
            if (!fresh) {
                assertTrue(high == highBefore && bits == bitsBefore, "a refused nonce changes nothing");
                continue;
            }
            used[count++] = nonce;
            if (nonce > top) top = nonce;
            assertEq(high, top, "highest");
            _checkBits(used, count, high, bits);
        }
    }

    function _checkBits(uint256[] memory used, uint256 count, uint256 high, uint256 bits) private pure {
        uint256 expected = 0;
        for (uint256 k = 0; k < count; k++) {
            if (high - used[k] < 256) expected |= 1 << (high - used[k]);
        }
        assertEq(bits, expected, "bits");
    }

    /// @dev Near the highest, around the window's end, far ahead, or at the bounds of the clock.
    function _someNonce(uint256 seed, uint256 top, uint256 now_, uint256 spread) private pure returns (uint256) {
        uint256 dice = seed % 16;
        uint256 off = (seed >> 32) % spread;
        if (dice < 6) return top + off;
        if (dice < 12) return top > off ? top - off : 0;
        if (dice == 12) return top >= 255 ? top - 255 + (seed >> 64) % 3 : 0;
        if (dice == 13) return top > 256 + off ? top - 256 - off : 1;
        if (dice == 14) return top + 254 + (seed >> 64) % 4;
        return (seed >> 64) % 4 == 0 ? now_ + Limits.NONCE_AHEAD_MS_MAX + (seed >> 66) % 2 : top + 1;
    }

    // --- totality ---

    /// @notice Whatever the bytes are, the step has a result or lacks a leaf; it is never in error.
    function testFuzz_any_bytes_as_a_message(bytes memory record, uint16 length, bytes32 domain) public view {
        bytes memory resized = new bytes(length % 2_100);
        for (uint256 i = 0; i < resized.length && i < record.length; i++) {
            resized[i] = record[i];
        }
        _hasResult(StepKind.MESSAGE, resized, domain, "");
    }

    function testFuzz_a_changed_message(uint256 which, uint256 place, uint8 value, bytes32 key) public view {
        Judged memory judged = _judged();
        uint256 i = which % judged.kinds.length;
        bytes memory record = judged.records[i];
        record[place % record.length] = bytes1(value);
        _hasResult(uint8(judged.kinds[i]), record, judged.domain, judged.slices[i]);
        // With leaves that are not what it asks for.
        bytes memory other = abi.encodePacked(uint8(0), key | bytes32(uint256(1)), uint16(0xffff));
        _hasResult(uint8(judged.kinds[i]), record, judged.domain, other);
    }

    function _hasResult(uint8 kind, bytes memory record, bytes32 domain, bytes memory slice) private view {
        try family.step(kind, record, domain, slice) returns (bytes memory writes, uint256 code) {
            assertTrue(code == Reject.NONE || (code == Reject.INADMISSIBLE && writes.length == 0), "result");
        } catch (bytes memory reason) {
            assertEq(bytes32(bytes4(reason)), bytes32(LeavesLib.LeafMissing.selector), "reason");
        }
    }

    function _firstAdmitted(Judged memory judged) private pure returns (uint256 i) {
        while (judged.codes[i] != Reject.NONE || judged.kinds[i] != StepKind.MESSAGE) i++;
    }

    function _judged() private view returns (Judged memory judged) {
        string memory json = _json();
        judged.domain = vm.parseJsonBytes32(json, ".domain");
        judged.kinds = vm.parseJsonUintArray(json, ".judged.kinds");
        judged.codes = vm.parseJsonUintArray(json, ".judged.codes");
        judged.records = vm.parseJsonBytesArray(json, ".judged.records");
        judged.slices = vm.parseJsonBytesArray(json, ".judged.slices");
    }

    function _json() private view returns (string memory) {
        return vm.readFile("test/vectors/message.json");
    }
}
