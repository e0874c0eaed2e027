// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Test} from "./Test.sol";
import {Bytes} from "../../settlement/contracts/step/Bytes.sol";
import {Keys} from "../../settlement/contracts/step/Keys.sol";
import {Leaves, LeavesLib} from "../../settlement/contracts/step/Leaves.sol";
import {MarketState, Tier} from "../../settlement/contracts/step/leaves/Market.sol";
import {Funding, Impact} from "../../settlement/contracts/step/pricing/Funding.sol";
import {MarkPrice} from "../../settlement/contracts/step/pricing/MarkPrice.sol";
import {OraclePrice, UsedReport} from "../../settlement/contracts/step/pricing/OraclePrice.sol";

/// @notice Gives the library a slice, which is calldata.
contract ImpactHarness {
    function impactFill(bytes calldata slice, uint256 side, uint256 target, uint256 qm)
        external
        pure
        returns (Impact memory)
    {
        return Funding.impactFill(LeavesLib.open(slice), 5, side, target, qm);
    }
}

/// @notice Index, mark, funding: the cases of test/vectors/pricing.json, which TypeScript has computed.
contract PricingTest is Test {
    using Bytes for bytes;

    uint256 private constant LEVELS_MAX = 32;

    string private json;
    ImpactHarness private harness = new ImpactHarness();

    function setUp() public {
        json = vm.readFile("test/vectors/pricing.json");
    }

    function test_moving_averages() public view {
        int256[] memory ema = _column(".ema.ema");
        int256[] memory x = _column(".ema.x");
        int256[] memory dt = _column(".ema.dt");
        int256[] memory tau = _column(".ema.tau");
        int256[] memory result = _column(".ema.result");
        for (uint256 i = 0; i < result.length; i++) {
            _same(MarkPrice.emaStep(ema[i], x[i], uint256(dt[i]), uint256(tau[i])), result[i], "ema", i);
        }
        assertTrue(result.length > 200, "cases");
    }

    function test_mark_prices() public view {
        int256[] memory index = _column(".mark.index");
        int256[] memory maxPrice = _column(".mark.maxPrice");
        int256[] memory clampPpm = _column(".mark.clampPpm");
        int256[] memory mark = _column(".mark.mark");
        MarketState[] memory states = _markStates(mark.length);
        for (uint256 i = 0; i < mark.length; i++) {
            uint256 got = MarkPrice.markPrice(
                states[i], uint256(index[i]), uint256(maxPrice[i]), uint256(clampPpm[i])
            );
            _same(int256(got), mark[i], "mark", i);
        }
        assertTrue(mark.length > 300, "cases");
    }

    function test_funding_rates() public view {
        int256[] memory premium = _column(".rate.premium");
        int256[] memory most = _column(".rate.most");
        int256[] memory rate = _column(".rate.rate");
        for (uint256 i = 0; i < rate.length; i++) {
            _same(Funding.fundingRatePpb(premium[i], most[i]), rate[i], "rate", i);
        }
        assertTrue(rate.length > 100, "cases");
    }

    function test_largest_rates_and_impact_notionals() public view {
        int256[] memory initial = _column(".rateMax.initial");
        int256[] memory maintenance = _column(".rateMax.maintenance");
        int256[] memory most = _column(".rateMax.most");
        int256[] memory notional = _column(".rateMax.notional");
        for (uint256 i = 0; i < most.length; i++) {
            Tier memory tier;
            tier.initialPpm = uint256(initial[i]);
            tier.maintenancePpm = uint256(maintenance[i]);
            _same(Funding.rateMaxPpb(tier), most[i], "most", i);
            _same(int256(Funding.impactNotional(tier.initialPpm)), notional[i], "notional", i);
        }
        assertTrue(most.length > 30, "cases");
    }

    function test_premiums() public view {
        int256[] memory index = _column(".premium.index");
        int256[] memory qm = _column(".premium.qm");
        int256[] memory result = _column(".premium.result");
        Impact[] memory bids = _impacts(".premium.bidLots", ".premium.bidQuote");
        Impact[] memory asks = _impacts(".premium.askLots", ".premium.askQuote");
        for (uint256 i = 0; i < result.length; i++) {
            _same(
                Funding.premiumPpb(bids[i], asks[i], uint256(index[i]), uint256(qm[i])), result[i], "premium", i
            );
        }
        assertTrue(result.length > 100, "cases");
    }

    function test_impact_prices_with_the_levels_that_are_asked_for() public view {
        _checkImpacts(LEVELS_MAX);
    }

    /// @notice A slice may hold more levels than are looked at.
    function test_impact_prices_with_every_level() public view {
        _checkImpacts(type(uint8).max);
    }

    /// @notice Levels that the witness leaves out are no levels that the book lacks.
    function test_impact_prices_without_a_level_that_is_needed() public {
        bytes memory book = abi.encodePacked(uint64(100), uint64(10), uint64(101), uint64(10));
        bytes memory slice = _slice(1, book, 1);
        assertEq(harness.impactFill(slice, 1, 1_000, 1).lots, 10, "the first level is enough");
        vm.expectRevert(
            abi.encodeWithSelector(LeavesLib.RangeMissing.selector, Keys.levels(5, 1), Keys.SIDE_BITS, 2)
        );
        harness.impactFill(slice, 1, 1_001, 1);
    }

    function test_indexes() public view {
        int256[] memory index = _column(".index.index");
        int256[] memory confidence = _column(".index.confidence");
        bytes[] memory reports = vm.parseJsonBytesArray(json, ".index.reports");
        for (uint256 i = 0; i < index.length; i++) {
            uint256 count = reports[i].length / 12;
            UsedReport[] memory used = new UsedReport[](16);
            for (uint256 n = 0; n < count; n++) {
                used[n] = UsedReport({
                    price: reports[i].u(12 * n, 4),
                    confidence: reports[i].u(12 * n + 4, 4),
                    weight: reports[i].u(12 * n + 8, 4)
                });
            }
            (uint256 gotIndex, uint256 gotConfidence) = OraclePrice.indexOf(used, count);
            _same(int256(gotIndex), index[i], "index", i);
            _same(int256(gotConfidence), confidence[i], "confidence", i);
        }
        assertTrue(index.length > 100, "cases");
    }

    /// @notice The smallest value whose weight, with all below it, reaches half: said without sorting.
    function testFuzz_weighted_median(uint32[] memory values, uint8 seed) public pure {
        uint256 count = values.length < 16 ? values.length : 16;
        uint256[] memory words = new uint256[](count);
        uint256 total = 0;
        for (uint256 n = 0; n < count; n++) {
            uint256 weight = 1 + uint256(keccak256(abi.encode(seed, n))) % (seed < 128 ? 3 : 1_000_000);
            words[n] = (uint256(values[n]) << 32) | weight;
            total += weight;
        }
        uint256 expected = 0;
        for (uint256 n = 0; n < count; n++) {
            uint256 reached = 0;
            for (uint256 k = 0; k < count; k++) {
                if (words[k] >> 32 <= words[n] >> 32) reached += uint32(words[k]);
            }
            bool first = expected == 0 || words[n] >> 32 < expected - 1;
            if (2 * reached >= total && first) expected = (words[n] >> 32) + 1;
        }
        assertEq(OraclePrice.lowerWeightedMedian(words), count == 0 ? 0 : expected - 1, "median");
    }

    function _checkImpacts(uint256 most) private view {
        int256[] memory side = _column(".impact.side");
        int256[] memory target = _column(".impact.target");
        int256[] memory qm = _column(".impact.qm");
        Impact[] memory expected = _impacts(".impact.lots", ".impact.quote");
        bytes[] memory books = vm.parseJsonBytesArray(json, ".impact.book");
        for (uint256 i = 0; i < books.length; i++) {
            uint256 side_ = uint256(side[i]);
            Impact memory got =
                harness.impactFill(_slice(side_, books[i], most), side_, uint256(target[i]), uint256(qm[i]));
            _same(int256(got.lots), int256(expected[i].lots), "lots", i);
            _same(int256(got.quote), int256(expected[i].quote), "quote", i);
        }
        assertTrue(books.length > 60, "cases");
    }

    /// @dev A range of the first `most` levels of a book.
    function _slice(uint256 side, bytes memory book, uint256 most) private pure returns (bytes memory slice) {
        uint256 levels = book.length / 16;
        uint256 count = levels < most ? levels : most;
        slice = abi.encodePacked(
            uint8(1), Keys.levels(5, side), uint16(Keys.SIDE_BITS), uint8(count), count == levels
        );
        for (uint256 n = 0; n < count; n++) {
            bytes32 key = Keys.level(5, side, book.u(16 * n, 8));
            slice = abi.encodePacked(slice, key, uint16(8), uint64(book.u(16 * n + 8, 8)));
        }
    }

    function _markStates(uint256 count) private view returns (MarketState[] memory states) {
        states = new MarketState[](count);
        int256[] memory bid = _column(".mark.bid");
        int256[] memory ask = _column(".mark.ask");
        int256[] memory last = _column(".mark.last");
        int256[] memory basisEma = _column(".mark.basisEma");
        int256[] memory bookEma = _column(".mark.bookEma");
        for (uint256 i = 0; i < count; i++) {
            states[i].sampleBid = uint256(bid[i]);
            states[i].sampleAsk = uint256(ask[i]);
            states[i].sampleLast = uint256(last[i]);
            states[i].basisEma = basisEma[i];
            states[i].bookEma = bookEma[i];
        }
    }

    function _impacts(string memory lots, string memory quote) private view returns (Impact[] memory impacts) {
        int256[] memory lots_ = _column(lots);
        int256[] memory quote_ = _column(quote);
        impacts = new Impact[](lots_.length);
        for (uint256 i = 0; i < impacts.length; i++) {
            impacts[i] = Impact({lots: uint256(lots_[i]), quote: uint256(quote_[i])});
        }
    }

    function _column(string memory path) private view returns (int256[] memory) {
        return vm.parseJsonIntArray(json, path);
    }

    function _same(int256 got, int256 expected, string memory what, uint256 i) private pure {
        if (got == expected) return;
        revert NotEqual(string.concat(what, " ", vm.toString(i)), bytes32(uint256(expected)), bytes32(uint256(got)));
    }
}
