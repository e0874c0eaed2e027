// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Test} from "./Test.sol";
import {Opening} from "../../settlement/contracts/libraries/BlobLib.sol";

/// @notice One stream of test/vectors/blob.json.
struct BlobStream {
    string name;
    uint256 length;
    uint256 start;
    uint256 end;
    bool clean;
    bytes data;
    bytes32[] hashes;
    Opening[] openings;
}

/// @notice Reads test/vectors/blob.json.
abstract contract BlobVectors is Test {
    uint256 internal constant HONEST = 0;
    uint256 internal constant ALTERED = 1;
    uint256 internal constant UNCLEAN = 2;
    uint256 internal constant TWO_BLOBS = 3;
    uint256 internal constant STREAMS = 6;

    function blobJson() internal view returns (string memory) {
        return vm.readFile("test/vectors/blob.json");
    }

    function blobStream(uint256 i) internal view returns (BlobStream memory s) {
        string memory json = blobJson();
        string memory c = _case(".streams", i);
        s.name = vm.parseJsonString(json, string.concat(c, ".name"));
        s.length = vm.parseJsonUint(json, string.concat(c, ".length"));
        s.start = vm.parseJsonUint(json, string.concat(c, ".start"));
        s.end = vm.parseJsonUint(json, string.concat(c, ".end"));
        s.clean = vm.parseJsonBool(json, string.concat(c, ".clean"));
        s.data = vm.parseJsonBytes(json, string.concat(c, ".data"));
        uint256 count = 0;
        while (vm.keyExistsJson(json, _case(string.concat(c, ".hashes"), count))) count++;
        s.hashes = new bytes32[](count);
        for (uint256 n = 0; n < count; n++) {
            s.hashes[n] = vm.parseJsonBytes32(json, _case(string.concat(c, ".hashes"), n));
        }
        count = 0;
        while (vm.keyExistsJson(json, _case(string.concat(c, ".openings"), count))) count++;
        s.openings = new Opening[](count);
        for (uint256 n = 0; n < count; n++) {
            string memory o = _case(string.concat(c, ".openings"), n);
            s.openings[n] = Opening({
                index: vm.parseJsonUint(json, string.concat(o, ".index")),
                y: vm.parseJsonBytes32(json, string.concat(o, ".y")),
                commitment: vm.parseJsonBytes(json, string.concat(o, ".commitment")),
                proof: vm.parseJsonBytes(json, string.concat(o, ".proof"))
            });
        }
    }

    /// @dev The openings of elements `first` to `end`, of all of those of a stream that begins at its start.
    function openingsOf(BlobStream memory s, uint256 start, uint256 end) internal pure returns (Opening[] memory part) {
        uint256 from = start / 31;
        uint256 count = end == start ? 0 : (end - 1) / 31 - from + 1;
        part = new Opening[](count);
        for (uint256 i = 0; i < count; i++) part[i] = s.openings[from + i];
    }
}
