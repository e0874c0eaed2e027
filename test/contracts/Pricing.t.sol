// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Test} from "./Test.sol";
import {Bytes} from "../../settlement/contracts/step/Bytes.sol";
import {Keys} from "../../settlement/contracts/step/Keys.sol";
import {Leaves, LeavesLib} from "../../settlement/contracts/step/Leaves.sol";
import {MarketConfig, MarketLib, MarketState, Prices, Tier} from "../../settlement/contracts/step/leaves/Market.sol";
import {Depth} from "../../settlement/contracts/step/pricing/Depth.sol";
import {Deviation} from "../../settlement/contracts/step/pricing/Deviation.sol";
import {Funding, Impact} from "../../settlement/contracts/step/pricing/Funding.sol";
import {MarkPrice} from "../../settlement/contracts/step/pricing/MarkPrice.sol";
import {OraclePrice, UsedReport} from "../../settlement/contracts/step/pricing/OraclePrice.sol";
import {Validity} from "../../settlement/contracts/step/pricing/Validity.sol";

/// @notice Gives the library a slice, which is calldata.
contract ImpactHarness {
    function impactFill(bytes calldata slice, uint256 side, uint256 target, uint256 qm)
        external
        pure
        returns (Impact memory)
    {
        return Funding.impactFill(LeavesLib.open(slice), 5, side, target, qm);
    }

    function sideDepth(bytes calldata slice, uint256 side, uint256 mark, uint256 qm) external pure returns (uint256) {
        return Depth.ofSide(LeavesLib.open(slice), 5, side, mark, qm);
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

    function test_depths() public view {
        int256[] memory side = _column(".depth.side");
        int256[] memory mark = _column(".depth.mark");
        int256[] memory qm = _column(".depth.qm");
        int256[] memory depth = _column(".depth.depth");
        bytes[] memory books = vm.parseJsonBytesArray(json, ".depth.book");
        for (uint256 i = 0; i < books.length; i++) {
            uint256 side_ = uint256(side[i]);
            bytes memory slice = _slice(side_, books[i], LEVELS_MAX);
            _same(int256(harness.sideDepth(slice, side_, uint256(mark[i]), uint256(qm[i]))), depth[i], "depth", i);
        }
        assertTrue(books.length > 60, "cases");
    }

    function test_open_interest_rates() public view {
        int256[] memory base = _column(".openInterest.base");
        int256[] memory lower = _column(".openInterest.lower");
        int256[] memory upper = _column(".openInterest.upper");
        int256[] memory lots = _column(".openInterest.lots");
        int256[] memory mark = _column(".openInterest.mark");
        int256[] memory qm = _column(".openInterest.qm");
        int256[] memory rate = _column(".openInterest.rate");
        for (uint256 i = 0; i < rate.length; i++) {
            MarketConfig memory config;
            config.qm = uint256(qm[i]);
            config.openInterestLower = uint256(lower[i]);
            config.openInterestUpper = uint256(upper[i]);
            // One tier: lower 0, the base, no maintenance.
            config.packed = bytes.concat(
                new bytes(3), hex"01", new bytes(MarketLib.CONFIG_BYTES + 4), abi.encodePacked(uint64(uint256(base[i]) << 32))
            );
            _same(
                int256(Depth.openInterestRate(config, uint256(lots[i]), uint256(mark[i]))), rate[i], "rate", i
            );
        }
        assertTrue(rate.length > 80, "cases");
    }

    function test_deviation_guard() public view {
        int256[] memory price = _column(".guard.price");
        int256[] memory index = _column(".guard.index");
        int256[] memory pending = _column(".guard.pending");
        int256[] memory ppm = _column(".guard.deviationPpm");
        int256[] memory taken = _column(".guard.taken");
        int256[] memory waiting = _column(".guard.waiting");
        for (uint256 i = 0; i < taken.length; i++) {
            (uint256 taken_, uint256 waiting_) =
                Deviation.confirm(uint256(price[i]), uint256(index[i]), uint256(pending[i]), uint256(ppm[i]));
            _same(int256(taken_), taken[i], "taken", i);
            _same(int256(waiting_), waiting[i], "waiting", i);
        }
        assertTrue(taken.length > 300, "cases");
    }

    function test_validity_of_rounds() public view {
        int256[] memory index = _column(".validity.index");
        int256[] memory confidence = _column(".validity.confidence");
        int256[] memory average = _column(".validity.average");
        int256[] memory pending = _column(".validity.pending");
        int256[] memory deviation = _column(".validity.deviationPpm");
        int256[] memory most = _column(".validity.confidenceMaxPpm");
        int256[] memory validity = _column(".validity.validity");
        for (uint256 i = 0; i < validity.length; i++) {
            MarketConfig memory config;
            config.deviationPpm = uint256(deviation[i]);
            config.confidenceMaxPpm = uint256(most[i]);
            uint256 got = Validity.ofRound(
                config, uint256(index[i]), uint256(confidence[i]), uint256(average[i]), uint256(pending[i])
            );
            _same(int256(got), validity[i], "validity", i);
        }
        assertTrue(validity.length > 400, "cases");
    }

    function test_validity_by_the_clock_and_what_it_allows() public view {
        int256[] memory held = _column(".aged.held");
        int256[] memory index = _column(".aged.index");
        int256[] memory indexTime = _column(".aged.indexTime");
        int256[] memory now_ = _column(".aged.now");
        int256[] memory validity = _column(".aged.validity");
        int256[] memory liquidate = _column(".aged.liquidate");
        int256[] memory margin = _column(".aged.margin");
        int256[] memory open = _column(".aged.open");
        for (uint256 i = 0; i < validity.length; i++) {
            Prices memory prices;
            prices.index = uint256(index[i]);
            prices.indexTime = uint256(indexTime[i]);
            prices.validity = uint256(held[i]);
            uint256 at = uint256(now_[i]);
            _same(int256(Validity.of_(prices, at, 10_000)), validity[i], "validity", i);
            assertTrue(Validity.mayLiquidate(prices, at, 10_000) == (liquidate[i] == 1), "liquidate");
            assertTrue(Validity.mayMargin(prices, at, 10_000) == (margin[i] == 1), "margin");
            assertTrue(Validity.mayOpen(prices, at, 10_000) == (open[i] == 1), "open");
        }
        assertTrue(validity.length > 40, "cases");
    }

    function test_average_indexes() public view {
        int256[] memory average = _column(".average.average");
        int256[] memory index = _column(".average.index");
        int256[] memory dt = _column(".average.dt");
        int256[] memory tau = _column(".average.tau");
        int256[] memory result = _column(".average.result");
        for (uint256 i = 0; i < result.length; i++) {
            uint256 got = OraclePrice.averageIndex(
                uint256(average[i]), uint256(index[i]), uint256(dt[i]), uint256(tau[i])
            );
            _same(int256(got), result[i], "average", i);
        }
        assertTrue(result.length > 100, "cases");
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
