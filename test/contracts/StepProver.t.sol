// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Script, ScriptedSteps} from "./ScriptedSteps.sol";
import {StepProverFixture} from "./StepProverFixture.sol";
import {PartialTree} from "../../settlement/contracts/libraries/PartialTree.sol";
import {ISteps} from "../../settlement/contracts/step/ISteps.sol";
import {Outcome, Witness} from "../../settlement/contracts/step/IStepProver.sol";
import {Keys} from "../../settlement/contracts/step/Keys.sol";
import {Reject} from "../../settlement/contracts/step/Reject.sol";
import {Slices} from "../../settlement/contracts/step/Slices.sol";
import {StepKind} from "../../settlement/contracts/step/StepKind.sol";
import {StepProver} from "../../settlement/contracts/step/StepProver.sol";
import {StepWeights} from "../../settlement/contracts/step/StepWeights.sol";

/// @notice Faults, witnesses, writes, dispatch and gas; what comes next is StepSchedule.t.sol's.
contract StepProverTest is StepProverFixture {
    bytes private _clock = _record(4, 1_000, "");
    bytes32 private constant ACCOUNT_1 = bytes32(uint256(0x0200000001) << 216);

    // --- outcome ---

    function test_outcomeOfASegment() public {
        _put(Keys.GLOBALS, _globals(41, 900, 0, 0));
        _expect(StepKind.CLOCK, _clock);
        bytes memory later = _record(4, 2_000, "");
        _expect(StepKind.CLOCK, later);
        _becomes(Keys.GLOBALS, _globals(43, 2_000, 0, 0));
        Outcome memory o = _runs(bytes.concat(_clock, later), "");
        assertEq(o.nextSeq, 44, "next seq");
        assertEq(o.weight, 2 * StepWeights.CLOCK, "weight");
        assertEq(o.timeFirst, 1_000, "first time");
        assertEq(o.timeLast, 2_000, "last time");
    }

    function test_firstCommandOfAll() public {
        _expect(StepKind.CLOCK, _clock);
        bytes memory globals = _globals(1, 1_000, 0, 0);
        // No market yet.
        globals[23] = 0;
        _becomes(Keys.GLOBALS, globals);
        Outcome memory o = _runs(_clock, "");
        assertEq(o.nextSeq, 2, "next seq");
    }

    // --- faults ---

    function test_noInput() public {
        _faults(5, "");
        _expect(StepKind.CLOCK, _clock);
        _faults(5, _clock);
    }

    function test_inputsLeft() public {
        _expect(StepKind.CLOCK, _clock);
        assertEq(_run(1, bytes.concat(_clock, _clock), "").fault, 4, "a whole record");
        assertEq(_run(1, bytes.concat(_clock, hex"00"), "").fault, 4, "a byte");
        assertEq(_run(0, _clock, "").fault, 4, "no step at all");
        assertEq(_run(1, _clock, "").fault, 0, "nothing");
    }

    function test_badRecord() public {
        _put(Keys.GLOBALS, _globals(1, 1_000, 0, 0));
        _faults(1, _record(4, 999, ""));
        _faults(1, _record(0, 1_000, ""));
        _faults(1, _record(8, 1_000, ""));
        _faults(1, _record(255, 1_000, ""));
        _faults(1, _record(1, 1_000, new bytes(2_049)));
        _faults(1, hex"0000000004000000000000");
        bytes memory odd = _record(4, 1_000, "");
        odd[5] = 0x01;
        _faults(1, odd);
        bytes memory short = _record(4, 1_000, hex"01");
        assembly ("memory-safe") {
            mstore(short, 12)
        }
        _faults(1, short);
        bytes memory huge = _record(4, 1_000, "");
        huge[3] = 0xff;
        _faults(1, huge);
        // Just right.
        bytes memory longest = _record(1, 1_000, new bytes(2_048));
        _expect(StepKind.MESSAGE, longest);
        assertEq(_run(1, longest, "").fault, 0, "the longest record");
    }

    function test_inadmissible() public {
        _expect(Script.Line(StepKind.CLOCK, _clock, 0, "", Reject.INADMISSIBLE, 0), "");
        assertEq(_run(1, _clock, "").fault, 2, "inadmissible");
    }

    function test_rejectsAreNoFaults() public {
        _expect(Script.Line(StepKind.CLOCK, _clock, 0, "", Reject.INADMISSIBLE - 1, 0), "");
        assertEq(_run(1, _clock, "").fault, 0, "a code");
    }

    function test_overweight() public {
        // Two of 3,740,000 fit into ten millions.
        bytes memory incoming = _incoming(0, 100, 1);
        _put(Keys.REGISTER_INCOMING, incoming);
        _put(Keys.order(3, 1, 100, 1), new bytes(35));
        for (uint256 i = 0; i < 2; i++) {
            _expect(StepKind.MATCH, "");
        }
        assertEq(_runs("", "").weight, 2 * StepWeights.MATCH, "two");
        Outcome memory o = _run(3, "", "");
        assertEq(o.fault, 3, "three: and the script would not have let the family run it");
        assertEq(o.weight, 3 * StepWeights.MATCH, "weight");
    }

    /// @dev 40 of 250,000 are ten millions; with their state in hand they cost the coordinator little.
    function test_theWholeWeight() public {
        _put(Keys.GLOBALS, _globals(1, 1_000, 0, 0));
        bytes memory inputs;
        for (uint256 i = 0; i < 40; i++) {
            _expect(StepKind.CLOCK, _clock);
            inputs = bytes.concat(inputs, _clock);
        }
        _becomes(Keys.GLOBALS, _globals(41, 1_000, 0, 0));
        assertEq(_runs(inputs, "").weight, 10_000_000, "weight");
        _expect(StepKind.CLOCK, _clock);
        assertEq(_run(41, bytes.concat(inputs, _clock), "").fault, 3, "one more");
    }

    // --- writes ---

    function test_writesAreKept() public {
        _put(ACCOUNT_1, hex"0102");
        _put(Keys.order(1, 0, 5, 5), hex"");
        bytes memory writes = bytes.concat(
            _remove(Keys.order(1, 0, 5, 5)), _set(Keys.order(1, 0, 6, 6), hex"aa"), _set(ACCOUNT_1, new bytes(300))
        );
        _expect(StepKind.CLOCK, _clock, writes);
        bytes memory second = bytes.concat(_set(ACCOUNT_1, hex""), _remove(Keys.order(9, 0, 0, 0)));
        _expect(StepKind.CLOCK, _clock, second);
        _expect(StepKind.CLOCK, _clock, _set(ACCOUNT_1, hex"77"));
        _becomes(ACCOUNT_1, hex"77");
        _goes(Keys.order(1, 0, 5, 5));
        _becomes(Keys.order(1, 0, 6, 6), hex"aa");
        _put(Keys.GLOBALS, _globals(1, 1, 0, 0));
        _becomes(Keys.GLOBALS, _globals(4, 1_000, 0, 0));
        _runs(bytes.concat(_clock, _clock, _clock), "");
    }

    /// @dev The removed key's neighbor is opaque: were it removed first, the insertion would run into it.
    function test_setsComeBeforeRemovals() public {
        _put(Keys.GLOBALS, _globals(1, 1, 0, 0));
        bytes32 going = Keys.order(1, 0, 5, 5);
        bytes32 coming = Keys.order(1, 0, 5, 6);
        bytes32 opaque = Keys.order(1, 0, 5, 1 << 20);
        _put(going, hex"01");
        _put(opaque, hex"02");
        _expect(StepKind.CLOCK, _clock, bytes.concat(_remove(going), _set(coming, hex"03")));
        Witness memory w = _witness("");
        w.book =
            _hide(w.book, abi.encodePacked(uint8(2), uint8(14), bytes14(opaque), uint16(1), uint8(2)), opaque, hex"02");
        _goes(going);
        _becomes(coming, hex"03");
        Outcome memory o = prover.run(_preStateRoot(), 1, script.DOMAIN(), _clock, w);
        assertEq(o.bookRoot, _root(true, false), "book root");
    }

    function test_writesOfGlobalsReachTheSchedule() public {
        _put(Keys.GLOBALS, _globals(1, 1, 0, 0));
        _expect(StepKind.CLOCK, _clock, _set(Keys.GLOBALS, _globals(2, 1_000, 900, 0)));
        _expect(StepKind.SAMPLE, "", _set(Keys.GLOBALS, _globals(3, 1_000, 5_000, 0)));
        _expect(StepKind.CLOCK, _clock);
        _becomes(Keys.GLOBALS, _globals(3, 1_000, 5_000, 0));
        _runs(bytes.concat(_clock, _clock), "");
    }

    function test_brokenWritesRevert() public {
        _expect(StepKind.CLOCK, _clock, abi.encodePacked(ACCOUNT_1, uint16(5), hex"01020304"));
        (bool done, bytes memory answer) = address(prover).staticcall(_call(1, _clock, ""));
        assertTrue(!done && bytes4(answer) == Slices.WritesMalformed.selector, "a value that is cut");
    }

    // --- slices ---

    function test_slice() public {
        _put(ACCOUNT_1, hex"0a0b");
        for (uint256 i = 1; i <= 3; i++) {
            _put(Keys.order(1, 1, i, i), abi.encodePacked(uint8(i)));
        }
        bytes memory hints =
            abi.encodePacked(hex"00050200000001", hex"00050200000002", hex"010020", bytes4(Keys.orders(1, 1)), hex"02");
        hints = abi.encodePacked(
            hints, hex"010020", bytes4(Keys.orders(1, 1)), hex"ff", hex"0100ff", Keys.order(1, 1, 2, 2), hex"09"
        );
        hints = abi.encodePacked(hints, hex"010009", hex"02ff", hex"01", hex"01000001");
        // The unused bits of a prefix are zero in the slice: 0x02ff / 9 is 0x0280.
        bytes memory one = _item(Keys.order(1, 1, 1, 1), hex"01");
        bytes memory two = _item(Keys.order(1, 1, 2, 2), hex"02");
        bytes memory slice = abi.encodePacked(
            hex"00", _item(ACCOUNT_1, hex"0a0b"), hex"00", bytes32(uint256(0x0200000002) << 216), hex"ffff"
        );
        slice = abi.encodePacked(slice, hex"01", Keys.orders(1, 1), uint16(32), hex"0200", one, two);
        slice = abi.encodePacked(
            slice, hex"01", Keys.orders(1, 1), uint16(32), hex"0301", one, two, _item(Keys.order(1, 1, 3, 3), hex"03")
        );
        slice = abi.encodePacked(slice, hex"01", Keys.order(1, 1, 2, 2), uint16(255), hex"0101", two);
        slice = abi.encodePacked(slice, hex"01", bytes32(uint256(0x0280) << 240), uint16(9), hex"0001");
        // Globals, which the schedule has just written, and the account: one of them.
        slice = abi.encodePacked(slice, hex"01", bytes32(0), uint16(0), hex"0100");
        bytes memory globals = _globals(1, 1_000, 0, 0);
        globals[23] = 0;
        slice = abi.encodePacked(slice, _item(Keys.GLOBALS, globals));
        _expect(Script.Line(StepKind.CLOCK, _clock, keccak256(slice), "", 0, 0), hints);
        _becomes(Keys.GLOBALS, globals);
        _runs(_clock, "");
    }

    function test_malformedHintsRevert() public view {
        bytes[7] memory bad = [_longKey(), bytes(hex"02"), hex"00", hex"0003aabb", hex"0021", hex"01", hex"010101"];
        for (uint256 i = 0; i < bad.length; i++) {
            Witness memory w = _witness("");
            bytes memory items = bytes.concat(hex"0001f0", bad[i]);
            w.hints = bytes.concat(bytes2(uint16(items.length)), items);
            // What stands behind the hints makes the item whole: it must not be read.
            w.hints = bytes.concat(w.hints, new bytes(100));
            _revertsWith(w, abi.encodeWithSelector(Slices.HintsMalformed.selector, 3));
        }
    }

    function test_missingHintsRevert() public view {
        Witness memory w = _witness("");
        _revertsWith(w, abi.encodeWithSelector(StepProver.HintsMissing.selector, 0));
        w.hints = hex"00";
        _revertsWith(w, abi.encodeWithSelector(StepProver.HintsMissing.selector, 0));
        w.hints = hex"00050001f0";
        _revertsWith(w, abi.encodeWithSelector(StepProver.HintsMissing.selector, 0));
    }

    // --- witnesses ---

    function test_anotherStateReverts() public {
        _expect(StepKind.CLOCK, _clock);
        bytes32 other = keccak256("another state");
        (bool done, bytes memory answer) =
            address(prover).staticcall(abi.encodeCall(prover.run, (other, 1, script.DOMAIN(), _clock, _witness(""))));
        assertTrue(!done, "reverts");
        assertEq(
            keccak256(answer),
            keccak256(abi.encodeWithSelector(StepProver.WrongState.selector, other, _preStateRoot())),
            "reason"
        );
    }

    function test_swappedTreesRevert() public {
        _put(Keys.GLOBALS, _globals(1, 1, 0, 0));
        _expect(StepKind.CLOCK, _clock);
        Witness memory w = _witness("");
        (w.ledger, w.book) = (w.book, w.ledger);
        (bool done, bytes memory answer) =
            address(prover).staticcall(abi.encodeCall(prover.run, (_preStateRoot(), 1, script.DOMAIN(), _clock, w)));
        assertTrue(!done && bytes4(answer) == StepProver.WrongState.selector, "swapped");
    }

    /// @dev A flipped bit of the witness reverts or changes nothing; it never makes a fault or another state.
    function testFuzz_mutatedWitness(uint256 seed) public {
        _put(Keys.GLOBALS, _globals(1, 1, 0, 0));
        _put(ACCOUNT_1, hex"0a0b");
        bytes memory message = _message(hex"0303000000000000");
        _put(Keys.REGISTER_MESSAGE, _messageRegister(message, 0, 1));
        _expect(StepKind.CANCEL_ALL, message, _remove(Keys.REGISTER_MESSAGE));
        _goes(Keys.REGISTER_MESSAGE);
        Witness memory w = _witness(message);
        bytes memory honest = _answer(w);
        for (uint256 i = 0; i < 8; i++) {
            seed = uint256(keccak256(abi.encode(seed)));
            Witness memory mutant = Witness(
                seed % 4 == 0 ? _flip(w.ledger, seed >> 8) : w.ledger,
                seed % 4 == 1 ? _flip(w.book, seed >> 8) : w.book,
                seed % 4 == 2 ? _flip(w.carried, seed >> 8) : w.carried,
                seed % 4 == 3 ? _flip(w.hints, seed >> 8) : w.hints
            );
            (bool done, bytes memory answer) = address(prover)
                .staticcall(abi.encodeCall(prover.run, (_preStateRoot(), 1, script.DOMAIN(), "", mutant)));
            // The header of a carried message is not part of what was signed; only its body decides.
            if (done && seed % 4 != 2) assertEq(keccak256(answer), keccak256(honest), "the same");
        }
    }

    // --- families ---

    function test_familyRevertIsPassedOn() public {
        _expect(Script.Line(StepKind.CLOCK, _clock, 0, "", 1 << 200, 0), "");
        _reverts(abi.encodeWithSelector(ScriptedSteps.AsScripted.selector, 0), _clock, "");
    }

    function test_familiesNeedCode() public {
        ISteps none = ISteps(address(0xdead));
        for (uint256 i = 0; i < prover.families().length; i++) {
            ISteps[] memory families = prover.families();
            families[i] = none;
            vm.expectRevert(abi.encodeWithSelector(StepProver.NoFamily.selector, none));
            new StepProver(families);
        }
    }

    function test_thereAreAsManyFamiliesAsKindsAreSpreadOver() public {
        uint256 count = prover.families().length;
        for (uint256 length = 0; length < 2 * count; length++) {
            if (length == count) continue;
            ISteps[] memory families = new ISteps[](length);
            vm.expectRevert(abi.encodeWithSelector(StepProver.FamilyCount.selector, count, length));
            new StepProver(families);
        }
    }

    // --- gas ---

    /// @dev Whatever gas it is given: the same outcome, or none. The families work hard, so that it is they who starve.
    function testFuzz_starved(uint256 gas_) public {
        _put(Keys.GLOBALS, _globals(1, 1, 0, 0));
        bytes memory inputs;
        for (uint256 i = 0; i < 3; i++) {
            _expect(Script.Line(StepKind.CLOCK, _clock, 0, _set(ACCOUNT_1, new bytes(100 * i)), 0, 200), "");
            inputs = bytes.concat(inputs, _clock);
        }
        bytes memory call = _call(3, inputs, "");
        uint256 used = gasleft();
        (bool whole, bytes memory honest) = address(prover).staticcall(call);
        used -= gasleft();
        assertTrue(whole, "runs");
        for (uint256 i = 0; i < 4; i++) {
            gas_ = uint256(keccak256(abi.encode(gas_)));
            (bool ran, bytes memory answer) = address(prover).staticcall{gas: bound(gas_, used / 8, 2 * used)}(call);
            if (ran) assertEq(keccak256(answer), keccak256(honest), "the same outcome");
        }
        (bool again,) = address(prover).staticcall{gas: used + used / 8}(call);
        assertTrue(again, "a little more suffices");
    }

    // --- parts ---

    function _answer(Witness memory w) private view returns (bytes memory) {
        return abi.encode(prover.run(_preStateRoot(), 1, script.DOMAIN(), "", w));
    }

    function _revertsWith(Witness memory w, bytes memory expected) private view {
        (bool done, bytes memory answer) =
            address(prover).staticcall(abi.encodeCall(prover.run, (_preStateRoot(), 1, script.DOMAIN(), _clock, w)));
        assertTrue(!done, "reverts");
        assertEq(keccak256(answer), keccak256(expected), "reason");
    }

    function _item(bytes32 key, bytes memory value) private pure returns (bytes memory) {
        return abi.encodePacked(key, uint16(value.length), value);
    }

    /// @dev A hint that is whole but for its key of 33 bytes.
    function _longKey() private pure returns (bytes memory) {
        return bytes.concat(hex"0021", new bytes(33));
    }

    function _flip(bytes memory bytes_, uint256 seed) private pure returns (bytes memory flipped) {
        flipped = bytes.concat(bytes_);
        flipped[(seed >> 3) % flipped.length] ^= bytes1(uint8(1 << (seed % 8)));
    }

    /// @dev The proof with the item of a leaf replaced by its hash.
    function _hide(bytes memory proof, bytes memory item, bytes32 key, bytes memory value)
        private
        pure
        returns (bytes memory)
    {
        bytes memory opaque = abi.encodePacked(uint8(0), keccak256(abi.encodePacked(bytes1(0), key, keccak256(value))));
        for (uint256 i = 0; i + item.length <= proof.length; i++) {
            bool same = true;
            for (uint256 j = 0; j < item.length && same; j++) {
                same = proof[i + j] == item[j];
            }
            if (!same) continue;
            return bytes.concat(_part(proof, 0, i), opaque, _part(proof, i + item.length, proof.length));
        }
        revert("no such item");
    }

    function _part(bytes memory all, uint256 from, uint256 to) private pure returns (bytes memory part) {
        part = new bytes(to - from);
        for (uint256 i = from; i < to; i++) {
            part[i - from] = all[i];
        }
    }
}
