// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Test} from "./Test.sol";
import {StepSlices, WrittenLeaf} from "./StepSlices.sol";
import {Leaves, LeavesLib} from "../../settlement/contracts/step/Leaves.sol";
import {Account, AccountLib} from "../../settlement/contracts/step/leaves/Account.sol";
import {Globals, GlobalsLib} from "../../settlement/contracts/step/leaves/Globals.sol";
import {MarketLib, MarketState} from "../../settlement/contracts/step/leaves/Market.sol";
import {Fill, FillLib, FillOutcome} from "../../settlement/contracts/step/risk/Fill.sol";
import {Margin, MarginLib} from "../../settlement/contracts/step/risk/Margin.sol";
import {MarketContext, Markets, MarketsLib} from "../../settlement/contracts/step/risk/Markets.sol";
import {OrderRisk, PreTrade} from "../../settlement/contracts/step/risk/PreTrade.sol";
import {SettleFill} from "../../settlement/contracts/step/risk/SettleFill.sol";
import {Withdrawable} from "../../settlement/contracts/step/risk/Withdrawable.sol";

/// @notice What the libraries look at.
struct World {
    Leaves leaves;
    Globals globals;
    Markets markets;
    Account account;
}

/// @notice Makes the libraries callable from outside: slices are calldata. Words are those of a query in the vectors.
contract RiskHarness {
    function margin(bytes calldata slice, uint256 account, uint256 exceptMarket) external pure returns (Margin memory) {
        World memory w = _open(slice, account);
        return MarginLib.compute(w.markets, w.account, exceptMarket);
    }

    function withdrawal(bytes calldata slice, uint256 account, int256[] calldata q)
        external
        pure
        returns (uint256 code, uint256 free)
    {
        World memory w = _open(slice, account);
        Margin memory m = MarginLib.compute(w.markets, w.account);
        uint256 floorPpm = w.globals.chain.withdrawalFloorPpm;
        code = Withdrawable.check(w.markets, w.account, m, floorPpm, uint256(q[0]), uint256(q[1]));
        free = Withdrawable.amount(w.markets, w.account, m, floorPpm);
    }

    function admit(bytes calldata slice, uint256 account, int256[] calldata q)
        external
        pure
        returns (uint256 code, bool reducing)
    {
        World memory w = _open(slice, account);
        OrderRisk memory order = OrderRisk({
            side: uint256(q[1]),
            price: uint256(q[2]),
            size: uint256(q[3]),
            reduceOnly: q[4] != 0,
            rests: q[5] != 0,
            replacedLots: uint256(q[6]),
            replacedQuote: uint256(q[7])
        });
        uint256 openInterest = MarketLib.loadState(w.leaves, uint256(q[0])).openInterest;
        return PreTrade.admit(w.markets, _market(w, q[0]), openInterest, w.account, order);
    }

    function carries(bytes calldata slice, uint256 account, int256[] calldata q) external pure returns (bool) {
        World memory w = _open(slice, account);
        Fill memory fill = Fill(uint256(q[1]), uint256(q[2]), uint256(q[3]));
        return PreTrade.carries(w.markets, _market(w, q[0]), w.account, fill, q[4], uint256(q[5]));
    }

    function settle(bytes calldata slice, uint256 account, int256[] calldata q)
        external
        pure
        returns (bytes memory accountAfter, bytes memory stateAfter)
    {
        World memory w = _open(slice, account);
        require(SettleFill.mayTrade(w.account), "may trade");
        MarketState memory state = MarketLib.loadState(w.leaves, uint256(q[0]));
        Fill memory fill = Fill(uint256(q[1]), uint256(q[2]), uint256(q[3]));
        SettleFill.settleFill(w.account, _market(w, q[0]), state, fill, q[4]);
        return (AccountLib.encode(w.account), MarketLib.encodeState(state));
    }

    function settleAll(bytes calldata slice, uint256 account) external pure returns (bytes memory writes) {
        World memory w = _open(slice, account);
        SettleFill.settleAllFunding(w.markets, w.account);
        AccountLib.store(w.leaves, account, w.account);
        return LeavesLib.writes(w.leaves);
    }

    function outcome(int256 size, int256 v, Fill calldata fill) external pure returns (FillOutcome memory) {
        return FillLib.outcome(size, v, fill);
    }

    function _open(bytes calldata slice, uint256 account) private pure returns (World memory w) {
        w.leaves = LeavesLib.open(slice);
        w.globals = GlobalsLib.load(w.leaves);
        w.markets = MarketsLib.open(w.leaves, w.globals);
        (w.account,) = AccountLib.load(w.leaves, account);
    }

    function _market(World memory w, int256 market) private pure returns (MarketContext memory) {
        return w.markets.loaded[MarketsLib.place(w.markets, uint256(market))];
    }
}

/// @notice Margin, admission and settlement against the engine (test/settlement/risk-vectors.ts).
contract RiskTest is Test {
    using StepSlices for bytes;

    RiskHarness private harness;
    string private json;
    uint256 private count;

    function setUp() public {
        harness = new RiskHarness();
        json = vm.readFile("test/vectors/risk.json");
        while (vm.keyExistsJson(json, _case(".cases", count))) count++;
        assertTrue(count >= 20, "cases");
    }

    function test_Margins() public view {
        for (uint256 n = 0; n < count; n++) {
            bytes memory slice = _bytes(n, ".slice");
            int256[][] memory queries = _queries(n, ".margins", 7);
            for (uint256 i = 0; i < queries.length; i++) {
                int256[] memory q = queries[i];
                Margin memory m = harness.margin(slice, _account(n), uint256(q[0]));
                assertEq(uint256(m.equityInitial), uint256(q[1]), "V_I");
                assertEq(uint256(m.equityMaintenance), uint256(q[2]), "V_M");
                assertEq(uint256(m.initial), uint256(q[3]), "IM");
                assertEq(uint256(m.maintenance), uint256(q[4]), "MM");
                assertEq(m.notional, uint256(q[5]), "notional");
                assertEq(m.stale ? 1 : 0, uint256(q[6]), "stale");
            }
        }
    }

    function test_Withdrawals() public view {
        uint256 allowed = 0;
        for (uint256 n = 0; n < count; n++) {
            bytes memory slice = _bytes(n, ".slice");
            int256[][] memory queries = _queries(n, ".withdrawals", 4);
            for (uint256 i = 0; i < queries.length; i++) {
                (uint256 code, uint256 free) = harness.withdrawal(slice, _account(n), queries[i]);
                assertEq(code, uint256(queries[i][2]), "code");
                assertEq(free, uint256(queries[i][3]), "free");
                if (code == 0) allowed++;
            }
        }
        assertTrue(allowed > 10, "some may go");
    }

    function test_Fills() public view {
        for (uint256 n = 0; n < count; n++) {
            int256[][] memory queries = _queries(n, ".fills", 8);
            for (uint256 i = 0; i < queries.length; i++) {
                int256[] memory q = queries[i];
                FillOutcome memory o = harness.outcome(q[0], q[1], Fill(uint256(q[2]), uint256(q[3]), uint256(q[4])));
                assertEq(uint256(o.size), uint256(q[5]), "size");
                assertEq(uint256(o.v), uint256(q[6]), "v");
                assertEq(uint256(o.realized), uint256(q[7]), "realized");
            }
        }
    }

    function test_Admissions() public view {
        uint256 codes = 0;
        for (uint256 n = 0; n < count; n++) {
            bytes memory slice = _bytes(n, ".slice");
            int256[][] memory queries = _queries(n, ".admissions", 10);
            for (uint256 i = 0; i < queries.length; i++) {
                (uint256 code, bool reducing) = harness.admit(slice, _account(n), queries[i]);
                assertEq(code, uint256(queries[i][8]), "code");
                assertEq(reducing ? 1 : 0, uint256(queries[i][9]), "reducing");
                codes |= 1 << (code % 128);
                if (reducing) codes |= 1 << 127;
            }
        }
        // 0, 302, 400, 401, 402, 403 modulo 128, and one that only reduces.
        uint256 every = 1 | (1 << 46) | (1 << 16) | (1 << 17) | (1 << 18) | (1 << 19) | (1 << 127);
        assertEq(codes, every, "every outcome occurs");
    }

    function test_CarriedFills() public view {
        uint256 carried = 0;
        uint256 asked = 0;
        for (uint256 n = 0; n < count; n++) {
            bytes memory slice = _bytes(n, ".slice");
            int256[][] memory queries = _queries(n, ".carried", 7);
            for (uint256 i = 0; i < queries.length; i++) {
                bool carries = harness.carries(slice, _account(n), queries[i]);
                assertEq(carries ? 1 : 0, uint256(queries[i][6]), "carried");
                if (carries) carried++;
                asked++;
            }
        }
        assertTrue(carried > 20 && asked - carried > 20, "both occur");
    }

    function test_SettledFills() public view {
        for (uint256 n = 0; n < count; n++) {
            int256[] memory q = _queries(n, ".settled", 5)[0];
            (bytes memory account, bytes memory state) = harness.settle(_bytes(n, ".slice"), _account(n), q);
            assertEq(keccak256(account), keccak256(_bytes(n, ".settledAccount")), "account");
            assertEq(keccak256(state), keccak256(_bytes(n, ".settledState")), "state");
        }
    }

    function test_SettledFunding() public view {
        uint256 paid = 0;
        for (uint256 n = 0; n < count; n++) {
            bytes memory slice = _bytes(n, ".slice");
            WrittenLeaf[] memory expected = StepSlices.writesOf(_bytes(n, ".settledAll"));
            WrittenLeaf[] memory got = StepSlices.writesOf(harness.settleAll(slice, _account(n)));
            uint256 met = 0;
            for (uint256 i = 0; i < expected.length; i++) {
                if (met < got.length && got[met].key == expected[i].key) {
                    assertEq(keccak256(got[met].entry), keccak256(expected[i].entry), "written");
                    met++;
                } else {
                    assertEq(keccak256(slice.leafEntry(expected[i].key)), keccak256(expected[i].entry), "as it was");
                }
            }
            assertEq(met, got.length, "writes");
            paid += met - 1;
        }
        assertTrue(paid > 10, "funding is paid");
    }

    /// @dev V = −(signed cost), so buying and selling the same lots at one price leaves nothing but what was there.
    function testFuzz_ARoundTripAtOnePriceIsFree(int64 size, int64 v, uint48 lots, uint48 lotValue, bool sells)
        public
        view
    {
        vm.assume(lots > 0);
        int256 held = size;
        // An empty position has cost nothing.
        int256 entry = size == 0 ? int256(0) : int256(v);
        FillOutcome memory there = harness.outcome(held, entry, Fill(sells ? 1 : 0, lots, lotValue));
        FillOutcome memory back = harness.outcome(there.size, there.v, Fill(sells ? 0 : 1, lots, lotValue));
        assertEq(uint256(back.size), uint256(held), "size");
        assertEq(uint256(back.v + back.realized + there.realized), uint256(entry), "cash and entry");
    }

    function _account(uint256 n) private view returns (uint256) {
        return vm.parseJsonUint(json, string.concat(_case(".cases", n), ".account"));
    }

    function _bytes(uint256 n, string memory field) private view returns (bytes memory) {
        return vm.parseJsonBytes(json, string.concat(_case(".cases", n), field));
    }

    /// @dev A list of signed 16-byte words in queries of `width`.
    function _queries(uint256 n, string memory field, uint256 width) private view returns (int256[][] memory queries) {
        bytes memory packed = _bytes(n, field);
        queries = new int256[][](packed.length / 16 / width);
        for (uint256 i = 0; i < queries.length; i++) {
            queries[i] = new int256[](width);
            for (uint256 k = 0; k < width; k++) {
                uint256 at = 16 * (i * width + k);
                int256 word;
                assembly ("memory-safe") {
                    word := sar(128, mload(add(add(packed, 32), at)))
                }
                queries[i][k] = word;
            }
        }
    }
}
