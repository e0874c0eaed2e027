// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BlobStream, BlobVectors} from "./BlobVectors.sol";
import {BlobLib, Opening} from "../../settlement/contracts/libraries/BlobLib.sol";

contract BlobLibHarness {
    function point(uint256 element) external pure returns (uint256) {
        return BlobLib.point(element);
    }

    function blobsFor(uint256 length) external pure returns (uint256) {
        return BlobLib.blobsFor(length);
    }

    function read(bytes32[] calldata hashes, Opening[] calldata openings, uint256 start, uint256 end)
        external
        view
        returns (bool clean, bytes memory data)
    {
        return BlobLib.read(hashes, openings, start, end);
    }
}

contract BlobLibTest is BlobVectors {
    uint256 private constant MODULUS = 52435875175126190479447740508185965837690552500527637822603658699938581184513;
    BlobLibHarness private harness = new BlobLibHarness();

    function test_pointVectors() public view {
        string memory json = blobJson();
        uint256 count = 0;
        for (string memory c = _case(".points", 0); vm.keyExistsJson(json, c); c = _case(".points", ++count)) {
            uint256 element = vm.parseJsonUint(json, string.concat(c, ".element"));
            assertEq(
                bytes32(harness.point(element)), vm.parseJsonBytes32(json, string.concat(c, ".point")), "point"
            );
        }
        assertTrue(count >= 12, "at least twelve points");
    }

    /// @dev Neighbours of an even element are each other's negative: the lowest bit of the place is the half turn.
    function testFuzz_pointsComeInPairs(uint256 element) public view {
        element = bound(element, 0, 2047) * 2;
        assertEq(harness.point(element) + harness.point(element + 1), MODULUS, "pair");
    }

    function test_readVectors() public view {
        for (uint256 i = 0; i < STREAMS; i++) {
            BlobStream memory s = blobStream(i);
            assertEq(harness.blobsFor(s.length), s.hashes.length, string.concat(s.name, ": blobs"));
            (bool clean, bytes memory data) = harness.read(s.hashes, s.openings, s.start, s.end);
            assertTrue(clean == s.clean, string.concat(s.name, ": clean"));
            assertEq(keccak256(data), keccak256(s.data), string.concat(s.name, ": data"));
        }
    }

    function testFuzz_everyPartOfAStream(uint256 from, uint256 length) public view {
        BlobStream memory s = blobStream(HONEST);
        uint256 start = bound(from, 0, s.length);
        uint256 end = bound(length, start, s.length);
        (bool clean, bytes memory data) = harness.read(s.hashes, openingsOf(s, start, end), start, end);
        assertTrue(clean, "clean");
        assertEq(data.length, end - start, "length");
        for (uint256 i = 0; i < data.length; i++) assertTrue(data[i] == s.data[start + i], "byte");
    }

    /// @dev Another value, proof, commitment or blob never opens.
    function testFuzz_nothingElseOpens(uint8 part, uint8 opening, uint16 bit) public {
        BlobStream memory s = blobStream(TWO_BLOBS);
        Opening memory o = s.openings[opening % s.openings.length];
        uint256 index = o.index;
        if (part % 4 == 0) o.y ^= bytes32(uint256(1) << (bit % 256));
        else if (part % 4 == 1) o.proof[bit % 48] ^= bytes1(uint8(1 << (bit % 8)));
        else if (part % 4 == 2) o.commitment[bit % 48] ^= bytes1(uint8(1 << (bit % 8)));
        else s.hashes[index / 4096] ^= bytes32(uint256(1) << (bit % 256));
        vm.expectRevert();
        harness.read(s.hashes, s.openings, s.start, s.end);
    }

    /// @dev The elements of one place do not pass for those of another.
    function test_placesAreBound() public {
        BlobStream memory s = blobStream(HONEST);
        (s.openings[1], s.openings[2]) = (s.openings[2], s.openings[1]);
        vm.expectRevert(abi.encodeWithSelector(BlobLib.OpeningMalformed.selector, bytes32("index"), 1, 2));
        harness.read(s.hashes, s.openings, s.start, s.end);
        (s.openings[1].index, s.openings[2].index) = (1, 2);
        vm.expectRevert(abi.encodeWithSelector(BlobLib.BlobElementNotOpened.selector, 1));
        harness.read(s.hashes, s.openings, s.start, s.end);
    }

    function test_openingsAreExactlyThoseNeeded() public {
        BlobStream memory s = blobStream(HONEST);
        uint256 count = s.openings.length;
        vm.expectRevert(
            abi.encodeWithSelector(BlobLib.OpeningMalformed.selector, bytes32("openings"), count - 1, count)
        );
        harness.read(s.hashes, s.openings, 0, 31 * (count - 1));
        vm.expectRevert(
            abi.encodeWithSelector(BlobLib.OpeningMalformed.selector, bytes32("openings"), count + 1, count)
        );
        harness.read(s.hashes, s.openings, 0, 31 * count + 1);
        (bool clean, bytes memory data) = harness.read(s.hashes, new Opening[](0), 50, 50);
        assertTrue(clean && data.length == 0, "nothing needs nothing");
    }

    function test_malformedOpenings() public {
        BlobStream memory s = blobStream(HONEST);
        bytes memory proof = s.openings[0].proof;
        s.openings[0].proof = new bytes(47);
        vm.expectRevert(abi.encodeWithSelector(BlobLib.OpeningMalformed.selector, bytes32("proof"), 48, 47));
        harness.read(s.hashes, s.openings, s.start, s.end);
        s.openings[0].proof = proof;
        s.openings[0].commitment = new bytes(49);
        vm.expectRevert(abi.encodeWithSelector(BlobLib.OpeningMalformed.selector, bytes32("commitment"), 48, 49));
        harness.read(s.hashes, s.openings, s.start, s.end);
        bytes32[] memory none = new bytes32[](0);
        s = blobStream(HONEST);
        vm.expectRevert(abi.encodeWithSelector(BlobLib.OpeningMalformed.selector, bytes32("index"), 0, 0));
        harness.read(none, s.openings, s.start, s.end);
    }

    /// @dev With too little gas for the precompile it reverts; it never reads another stream.
    function testFuzz_restrictedGas(uint256 gas_) public view {
        BlobStream memory s = blobStream(HONEST);
        gas_ = bound(gas_, 30_000, 600_000);
        try harness.read{gas: gas_}(s.hashes, s.openings, s.start, s.end) returns (bool clean, bytes memory data) {
            assertTrue(clean && keccak256(data) == keccak256(s.data), "the same");
        } catch {}
    }
}
