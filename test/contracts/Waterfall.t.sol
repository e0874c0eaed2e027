// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Test} from "./Test.sol";
import {Adl, BankruptPosition, Holder} from "../../settlement/contracts/step/risk/Adl.sol";
import {Auction, AuctionScope, AuctionTerms} from "../../settlement/contracts/step/risk/Auction.sol";

/// @notice Auctions and deleveraging against the engine (test/settlement/waterfall-vectors.ts).
contract WaterfallTest is Test {
    string private json;

    function setUp() public {
        json = vm.readFile("test/vectors/waterfall.json");
    }

    function test_TermsOfARound() public view {
        int256[][] memory rows = _rows(".terms", 14);
        uint256 solvent = 0;
        for (uint256 n = 0; n < rows.length; n++) {
            int256[] memory q = rows[n];
            AuctionTerms memory t = Auction.terms(
                AuctionScope({
                    equity: q[0],
                    maintenance: uint256(q[1]),
                    notional: uint256(q[2]),
                    assets: q[3],
                    elapsed: uint256(q[4]),
                    auctionMs: uint256(q[5]),
                    discountStartPpm: uint256(q[6]),
                    liquidationBufferPpm: uint256(q[7]),
                    smallNotional: uint256(q[8])
                })
            );
            assertEq(uint256(t.base), uint256(q[9]), "base");
            assertEq(t.subsidy, uint256(q[10]), "subsidy");
            assertEq(t.cap, uint256(q[11]), "cap");
            assertEq(uint256(Auction.priceOf(uint256(q[12]), t.base)), uint256(q[13]), "price");
            if (q[0] >= 0) solvent++;
        }
        assertTrue(solvent > 10 && rows.length - solvent > 10, "both sides of zero");
    }

    function test_ARoundIsServedProRata() public view {
        bytes[] memory rounds = vm.parseJsonBytesArray(json, ".rounds");
        uint256 short = 0;
        for (uint256 n = 0; n < rounds.length; n++) {
            int256[] memory q = _words(rounds[n]);
            uint256 count = (q.length - 3) / 2;
            uint256[] memory fractions = new uint256[](count);
            for (uint256 i = 0; i < count; i++) {
                fractions[i] = uint256(q[3 + 2 * i]);
            }
            (uint256 cap, uint256 total) = (uint256(q[0]), uint256(q[1]));
            uint256 mask = Auction.roundedUp(fractions, total, cap);
            assertEq(mask, uint256(q[2]), "mask");
            uint256 sum = 0;
            for (uint256 i = 0; i < count; i++) {
                uint256 got = Auction.allotted(fractions[i], total, cap, mask, i);
                assertEq(got, uint256(q[4 + 2 * i]), "allotted");
                sum += got;
            }
            assertEq(sum, total < cap ? total : cap, "all of it");
            if (total > cap) short++;
        }
        assertTrue(short > 10, "some rounds ask for too much");
    }

    function test_ZeroQuotes() public view {
        int256[][] memory rows = _rows(".zeroes", 8);
        for (uint256 n = 0; n < rows.length; n++) {
            int256[] memory q = rows[n];
            BankruptPosition memory p = _position(q);
            assertEq(uint256(Adl.zeroQuote(p, uint256(q[5]))), uint256(q[6]), "Z");
            uint256 all = uint256(q[0] < 0 ? -q[0] : q[0]);
            assertEq(uint256(Adl.zeroQuote(p, all)), uint256(q[7]), "Z of all");
        }
    }

    function test_CandidatesAndBands() public view {
        int256[][] memory rows = _rows(".holders", 11);
        uint256 bands = 0;
        uint256 refused = 0;
        for (uint256 n = 0; n < rows.length; n++) {
            int256[] memory q = rows[n];
            BankruptPosition memory p = _position(q);
            Holder memory h = Holder(q[5], q[6], q[7], q[8]);
            bool asked = Adl.isCandidate(p, h);
            assertEq(asked ? 1 : 0, uint256(q[9]), "asked");
            if (!asked) {
                refused++;
                continue;
            }
            uint256 band = Adl.bandOf(h, p.lotValue);
            assertEq(band, uint256(q[10]), "band");
            bands |= 1 << band;
        }
        assertTrue(refused > 20, "some are not asked");
        assertEq(bands, (1 << Adl.BANDS) - 1, "every band occurs");
    }

    function test_SharesOfABand() public view {
        int256[][] memory rows = _rows(".shares", 5);
        for (uint256 n = 0; n < rows.length; n++) {
            int256[] memory q = rows[n];
            uint256 got = Adl.shareOf(uint256(q[0]), uint256(q[1]), uint256(q[2]), uint256(q[3]));
            assertEq(got, uint256(q[4]), "share");
        }
    }

    function test_ClosedLots() public view {
        int256[][] memory rows = _rows(".closings", 7);
        for (uint256 n = 0; n < rows.length; n++) {
            int256[] memory q = rows[n];
            (int256 size, int256 v, int256 realized) = Adl.closeLots(q[0], q[1], uint256(q[2]), q[3]);
            assertEq(uint256(size), uint256(q[4]), "size");
            assertEq(uint256(v), uint256(q[5]), "v");
            assertEq(uint256(realized), uint256(q[6]), "realized");
        }
    }

    /// @dev What one side realizes and keeps in v, less what it had, is the quote, to the unit.
    function testFuzz_ClosingConserves(int64 size, int64 v, uint64 lots, int64 quote) public pure {
        vm.assume(size != 0);
        uint256 held = uint256(size < 0 ? -int256(size) : int256(size));
        uint256 closed = bound(lots, 0, held);
        (, int256 vAfter, int256 realized) = Adl.closeLots(size, v, closed, quote);
        int256 paid = size > 0 ? int256(quote) : -int256(quote);
        assertEq(uint256(vAfter + realized), uint256(int256(v) + paid), "conserved");
    }

    /// @dev Shares of consecutive parts add up, and none is larger than its part.
    function testFuzz_SharesAddUp(uint48 a, uint48 b, uint48 c, uint48 wanted) public pure {
        uint256 sum = uint256(a) + b + c;
        vm.assume(sum > 0);
        uint256 total = bound(wanted, 0, sum);
        uint256 first = Adl.shareOf(total, sum, 0, a);
        uint256 second = Adl.shareOf(total, sum, a, b);
        uint256 third = Adl.shareOf(total, sum, uint256(a) + b, c);
        assertTrue(first <= a && second <= b && third <= c, "not beyond what it has");
        assertEq(first + second + third, total, "sum");
    }

    function _position(int256[] memory q) private pure returns (BankruptPosition memory) {
        return BankruptPosition(q[0], uint256(q[1]), uint256(q[2]), uint256(q[3]), q[4]);
    }

    function _rows(string memory field, uint256 width) private view returns (int256[][] memory rows) {
        int256[] memory all = _words(vm.parseJsonBytes(json, field));
        rows = new int256[][](all.length / width);
        for (uint256 i = 0; i < rows.length; i++) {
            rows[i] = new int256[](width);
            for (uint256 k = 0; k < width; k++) {
                rows[i][k] = all[i * width + k];
            }
        }
    }

    function _words(bytes memory packed) private pure returns (int256[] memory words) {
        words = new int256[](packed.length / 32);
        for (uint256 i = 0; i < words.length; i++) {
            int256 word;
            assembly ("memory-safe") {
                word := mload(add(packed, mul(32, add(i, 1))))
            }
            words[i] = word;
        }
    }
}
