// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Script, ScriptedSteps} from "./ScriptedSteps.sol";
import {SlowMultiproof} from "./PartialTree.t.sol";
import {SlowTree} from "./TreeProof.t.sol";
import {Test} from "./Test.sol";
import {ISteps} from "../../settlement/contracts/step/ISteps.sol";
import {Outcome, Witness} from "../../settlement/contracts/step/IStepProver.sol";
import {Keys} from "../../settlement/contracts/step/Keys.sol";
import {StepKind} from "../../settlement/contracts/step/StepKind.sol";
import {StepProver} from "../../settlement/contracts/step/StepProver.sol";
import {GlobalsLib} from "../../settlement/contracts/step/leaves/Globals.sol";

/// @notice A state that a test writes down, a script of what is to happen to it, and a prover that runs it.
abstract contract StepProverFixture is Test {
    Script internal script;
    StepProver internal prover;

    /// @dev Leaves before the segment, and as they should be after it; the tree follows from the key.
    bytes32[] private _keys;
    mapping(bytes32 => bytes) private _before;
    mapping(bytes32 => bytes) private _after;
    mapping(bytes32 => bool) private _isBefore;
    mapping(bytes32 => bool) private _isAfter;
    mapping(bytes32 => bool) private _isKnown;

    /// @dev Hints of the next lines, behind the script's leaf.
    bytes[] private _hints;

    uint256 internal constant PLACE = 1 << 2 | 1 << 8;
    uint256 internal constant MATCH = 1 << 3 | 1 << 4;
    uint256 internal constant MONEY = 1 << 9 | 1 << 10;
    uint256 internal constant QUEUE = 1 << 18 | 1 << 19;
    uint256 internal constant CONFIGURE = 1 << 20;
    uint256 internal constant ISOLATION = 1 << 33 | 1 << 34;
    uint256 internal constant MARKET = 1 << 14 | 1 << 15 | 1 << 16 | 1 << 17;
    uint256 internal constant LIQUIDATION = 1 << 26;
    uint256 internal constant ACCOUNT = 1 << 35 | (0xfffffe & ~(PLACE | MATCH | MONEY | QUEUE | MARKET | CONFIGURE));

    function setUp() public virtual {
        script = new Script();
        uint256[9] memory kinds =
            [PLACE, MATCH, ACCOUNT, MONEY, QUEUE, MARKET, CONFIGURE, LIQUIDATION, ISOLATION];
        ISteps[] memory families = new ISteps[](kinds.length);
        for (uint256 i = 0; i < kinds.length; i++) {
            families[i] = new ScriptedSteps(script, kinds[i]);
        }
        prover = new StepProver(families);
        _put(script.KEY(), hex"00");
    }

    // --- the state ---

    /// @dev A leaf before the segment.
    function _put(bytes32 key, bytes memory value) internal {
        _know(key);
        (_before[key], _isBefore[key]) = (value, true);
        (_after[key], _isAfter[key]) = (value, true);
    }

    /// @dev A leaf as it should be after the segment.
    function _becomes(bytes32 key, bytes memory value) internal {
        _know(key);
        (_after[key], _isAfter[key]) = (value, true);
    }

    function _goes(bytes32 key) internal {
        _know(key);
        _isAfter[key] = false;
    }

    /// @dev As if it had never been put there.
    function _forget(bytes32 key) internal {
        (_isBefore[key], _isAfter[key]) = (false, false);
    }

    function _forgetHints() internal {
        delete _hints;
    }

    function _know(bytes32 key) private {
        if (!_isKnown[key]) _keys.push(key);
        _isKnown[key] = true;
    }

    function _globals(uint256 seq, uint256 time, uint256 sample, uint256 funding) internal pure returns (bytes memory) {
        bytes memory rest = GlobalsLib.encode(GlobalsLib.decode("", false));
        for (uint256 i = 0; i < rest.length - 40; i++) {
            rest[i] = rest[i + 40];
        }
        assembly ("memory-safe") {
            mstore(rest, sub(mload(rest), 40))
        }
        return abi.encodePacked(
            uint64(seq), uint48(time), uint32(1), uint32(0), uint16(1), uint48(sample), uint48(funding), uint32(0), rest
        );
    }

    function _leaves(bool afterwards, bool ledger) private view returns (bytes32[] memory keys, bytes[] memory values) {
        keys = new bytes32[](_keys.length);
        values = new bytes[](_keys.length);
        uint256 n = 0;
        for (uint256 i = 0; i < _keys.length; i++) {
            bytes32 key = _keys[i];
            if ((uint8(key[0]) < Keys.BOOK_KINDS_FROM) != ledger) continue;
            if (!(afterwards ? _isAfter[key] : _isBefore[key])) continue;
            (keys[n], values[n]) = (key, afterwards ? _after[key] : _before[key]);
            n++;
        }
        assembly ("memory-safe") {
            mstore(keys, n)
            mstore(values, n)
        }
    }

    function _root(bool afterwards, bool ledger) internal view returns (bytes32) {
        (bytes32[] memory keys, bytes[] memory values) = _leaves(afterwards, ledger);
        return SlowTree.root(keys, values);
    }

    function _proof(bool ledger) private view returns (bytes memory) {
        (bytes32[] memory keys, bytes[] memory values) = _leaves(false, ledger);
        uint256[] memory shown = new uint256[](keys.length);
        for (uint256 i = 0; i < keys.length; i++) {
            shown[i] = 2;
        }
        return SlowMultiproof.encode(keys, values, shown);
    }

    // --- the script ---

    function _expect(uint256 kind, bytes memory record) internal {
        _expect(kind, record, "");
    }

    function _expect(uint256 kind, bytes memory record, bytes memory writes) internal {
        _expect(Script.Line(kind, record, 0, writes, 0, 0), "");
    }

    function _expect(Script.Line memory line, bytes memory hints) internal {
        script.add(line);
        _hints.push(hints);
        _becomes(script.KEY(), abi.encodePacked(uint8(script.count())));
    }

    function _set(bytes32 key, bytes memory value) internal pure returns (bytes memory) {
        return abi.encodePacked(key, uint16(value.length), value);
    }

    function _remove(bytes32 key) internal pure returns (bytes memory) {
        return abi.encodePacked(key, uint16(0xffff));
    }

    /// @dev A record with a message of such operations, unsigned.
    function _message(bytes memory operations) internal pure returns (bytes memory) {
        return _record(1, 0, bytes.concat(new bytes(24), operations, new bytes(65)));
    }

    function _messageRegister(bytes memory record, uint256 offset, uint256 count) internal pure returns (bytes memory) {
        bytes memory body = new bytes(record.length - 12);
        for (uint256 i = 0; i < body.length; i++) {
            body[i] = record[12 + i];
        }
        return abi.encodePacked(keccak256(body), uint32(1), uint8(0xff), uint8(count), uint8(0), uint16(offset));
    }

    /// @dev An incoming order in market 3.
    function _incoming(uint256 side, uint256 price, uint256 remaining) internal pure returns (bytes memory) {
        return
            abi.encodePacked(
                uint32(1), uint16(3), uint8(side), uint32(price), uint64(9), uint64(remaining), new bytes(47)
            );
    }

    function _record(uint256 kind, uint256 time, bytes memory body) internal pure returns (bytes memory) {
        return abi.encodePacked(_le(body.length, 4), uint8(kind), uint8(0), _le(time, 6), body);
    }

    function _le(uint256 value, uint256 width) internal pure returns (bytes memory bytes_) {
        bytes_ = new bytes(width);
        for (uint256 i = 0; i < width; i++) {
            bytes_[i] = bytes1(uint8(value >> (8 * i)));
        }
    }

    // --- running ---

    function _hintBytes() internal view returns (bytes memory packed) {
        for (uint256 i = 0; i < _hints.length; i++) {
            bytes memory items = bytes.concat(hex"0001f0", _hints[i]);
            packed = bytes.concat(packed, bytes2(uint16(items.length)), items);
        }
    }

    function _witness(bytes memory carried) internal view returns (Witness memory) {
        return Witness(_proof(true), _proof(false), carried, _hintBytes());
    }

    function _preStateRoot() internal view returns (bytes32) {
        return keccak256(abi.encodePacked(bytes1(0x03), _root(false, true), _root(false, false)));
    }

    function _call(uint256 steps, bytes memory inputs, bytes memory carried) internal view returns (bytes memory) {
        return abi.encodeCall(prover.run, (_preStateRoot(), steps, script.DOMAIN(), inputs, _witness(carried)));
    }

    function _run(uint256 steps, bytes memory inputs, bytes memory carried) internal view returns (Outcome memory) {
        return prover.run(_preStateRoot(), steps, script.DOMAIN(), inputs, _witness(carried));
    }

    /// @dev Every line of the script is run and leads to the state that was written down.
    function _runs(bytes memory inputs, bytes memory carried) internal view returns (Outcome memory outcome) {
        outcome = _run(script.count(), inputs, carried);
        assertEq(outcome.fault, 0, "fault");
        assertEq(outcome.ledgerRoot, _root(true, true), "ledger root");
        assertEq(outcome.bookRoot, _root(true, false), "book root");
    }

    /// @dev The step behind the script's last line is a fault.
    function _faults(uint256 fault, bytes memory inputs) internal view {
        assertEq(_run(script.count() + 1, inputs, "").fault, fault, "fault");
    }

    function _reverts(bytes memory expected, bytes memory inputs, bytes memory carried) internal view {
        (bool done, bytes memory answer) = address(prover).staticcall(_call(script.count(), inputs, carried));
        assertTrue(!done, "reverts");
        assertEq(keccak256(answer), keccak256(expected), "reason");
    }
}
