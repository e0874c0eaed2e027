// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ISteps} from "../../settlement/contracts/step/ISteps.sol";

/// @notice What the families of a test are to be asked, step by step, and what they answer.
contract Script {
    struct Line {
        uint256 kind;
        bytes record;
        /// @dev Of the slice behind the script's own leaf; zero: any.
        bytes32 sliceHash;
        bytes writes;
        uint256 code;
        /// @dev Rounds of hashing that the step takes.
        uint256 work;
    }

    /// @dev A leaf of the book that says which line is next, one byte: steps can't remember anything themselves.
    bytes32 public constant KEY = bytes32(uint256(0xf0) << 248);
    bytes32 public constant DOMAIN = keccak256("domain");

    Line[] private _lines;

    function add(Line calldata line) external {
        _lines.push(line);
    }

    function lineAt(uint256 index) external view returns (Line memory) {
        return _lines[index];
    }

    function count() external view returns (uint256) {
        return _lines.length;
    }
}

/// @notice A family that runs some kinds of step by the script, and refuses whatever the script does not say.
contract ScriptedSteps is ISteps {
    Script private immutable SCRIPT;
    uint256 private immutable KINDS;

    error Unexpected(string what, uint256 line, uint256 expected, uint256 got);
    error AsScripted(uint256 line);

    /// @dev A line with this code reverts.
    uint256 public constant REVERT = 1 << 200;

    constructor(Script script, uint256 kinds) {
        (SCRIPT, KINDS) = (script, kinds);
    }

    function step(uint8 kind, bytes calldata record, bytes32 domain, bytes calldata slice)
        external
        view
        returns (bytes memory writes, uint256 code)
    {
        if ((KINDS >> kind) & 1 == 0) revert UnknownStep(kind);
        // The script's leaf is hinted first.
        require(slice[0] == 0 && bytes32(slice[1:33]) == SCRIPT.KEY(), "script leaf");
        uint256 index = uint8(slice[35]);
        if (index >= SCRIPT.count()) revert Unexpected("end of the script", index, 0, kind);
        Script.Line memory line = SCRIPT.lineAt(index);
        if (line.kind != kind) revert Unexpected("kind", index, line.kind, kind);
        if (keccak256(record) != keccak256(line.record)) {
            revert Unexpected("record", index, line.record.length, record.length);
        }
        if (domain != SCRIPT.DOMAIN()) revert Unexpected("domain", index, 0, 0);
        if (line.sliceHash != 0 && keccak256(slice[36:]) != line.sliceHash) {
            revert Unexpected("slice", index, uint256(line.sliceHash), uint256(keccak256(slice[36:])));
        }
        if (line.code == REVERT) revert AsScripted(index);
        bytes32 hash;
        for (uint256 i = 0; i < line.work; i++) {
            hash = keccak256(abi.encode(hash));
        }
        return (abi.encodePacked(SCRIPT.KEY(), uint16(1), uint8(index + 1), line.writes), line.code);
    }
}
