// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Test} from "./Test.sol";
import {Bytes} from "../../settlement/contracts/step/Bytes.sol";

/// @notice Fields in calldata that stands between other bytes.
contract FieldReader {
    function le(bytes calldata, bytes calldata data, bytes calldata, uint256 at, uint256 width)
        external
        pure
        returns (uint256)
    {
        return Bytes.le(data, at, width);
    }
}

/// @notice Little-endian fields against their definition.
contract BytesTest is Test {
    FieldReader private reader = new FieldReader();

    function testFuzz_little_endian_fields(bytes memory data, uint16 place, uint8 width) public view {
        uint256 at = place % (data.length + 40);
        uint256 bytes_ = 1 + width % 8;
        uint256 expected = 0;
        for (uint256 k = 0; k < bytes_; k++) {
            if (at + k < data.length) expected |= uint256(uint8(data[at + k])) << (8 * k);
        }
        // Ones stand before and behind: they are not part of it.
        bytes memory ones = abi.encodePacked(type(uint256).max, type(uint256).max);
        assertEq(reader.le(ones, data, ones, at, bytes_), expected, "field");
    }

    function test_every_place_and_width() public view {
        bytes memory data = hex"0102030405060708090a0b0c0d0e0f10fffefdfcfbfaf9f8f7";
        for (uint256 at = 0; at < data.length + 10; at++) {
            for (uint256 width = 1; width <= 8; width++) {
                uint256 expected = 0;
                for (uint256 k = width; k > 0; k--) {
                    expected = (expected << 8) | (at + k - 1 < data.length ? uint8(data[at + k - 1]) : 0);
                }
                assertEq(reader.le(hex"ff", data, hex"ffffffffffffffff", at, width), expected, "field");
            }
        }
    }
}
