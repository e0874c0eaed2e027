// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Bytes} from "../Bytes.sol";
import {Leaves} from "../Leaves.sol";
import {Limits} from "../Limits.sol";
import {Reject} from "../Reject.sol";
import {Signatures} from "../Signatures.sol";
import {ChainParameters, Globals, GlobalsLib} from "../leaves/Globals.sol";
import {MarketConfig, MarketLib, MarketState, Prices} from "../leaves/Market.sol";
import {Feed, OracleLib, Publisher} from "../leaves/Oracle.sol";
import {FixedPoint} from "../FixedPoint.sol";
import {Deviation} from "../pricing/Deviation.sol";
import {MarkPrice} from "../pricing/MarkPrice.sol";
import {OraclePrice, UsedReport} from "../pricing/OraclePrice.sol";
import {Validity} from "../pricing/Validity.sol";

/// @notice The reports of a round that count.
struct Round {
    uint256 market;
    uint256 now_;
    uint256 stalenessMs;
    uint256 futureMs;
    Publisher[16] publishers;
    /// @dev The sequences of the used reports come in.
    Feed feed;
    /// @dev The first `count` of them.
    UsedReport[] used;
    uint256 count;
    uint256 weight;
}

/// @title PRICE_ROUND: signed reports of one market become its index, and the mark follows
/// @notice Twin of sequencer/engine/handlers/price-round.ts and of sequencer/auth/recover.ts: a round is refused whole
/// when any signature in it is none; a report that somebody else signed does not count.
library PriceRound {
    using Bytes for bytes;

    uint256 private constant BODY = Limits.RECORD_HEADER_BYTES;
    uint256 private constant REPORTS = BODY + Limits.PRICE_ROUND_HEADER_BYTES;
    uint256 private constant SIGNATURE = 24;
    bytes32 private constant REPORT_TYPEHASH = keccak256(
        "PriceReport(uint16 market,uint8 publisher,uint64 time,uint64 sequence,uint32 price,uint32 confidence)"
    );

    /// @notice Runs the record's own step.
    /// @dev Leaves, none for a round whose form is bad: GLOBALS, MARKET_CONFIG(market) (absent where there is no such
    /// market, and then no more), MARKET_STATE(market)*, PRICES(market)*, PUBLISHERS, ORACLE(market)*; * written.
    /// @return code INADMISSIBLE where sequencer/engine/handlers/price-round.ts, judgeRound, refuses the round
    function run(Leaves memory leaves, bytes calldata record, bytes32 domain) internal pure returns (uint256 code) {
        if (!isWellFormed(record)) return Reject.INADMISSIBLE;
        Round memory round;
        round.market = record.le(BODY, 2);
        Globals memory globals = GlobalsLib.load(leaves);
        (MarketConfig memory config, bool configured) = MarketLib.loadConfig(leaves, round.market);
        if (!configured) return Reject.INADMISSIBLE;
        round.now_ = globals.now_;
        round.stalenessMs = globals.chain.stalenessMs;
        round.futureMs = globals.chain.futureMs;
        round.publishers = OracleLib.loadPublishers(leaves);
        round.feed = OracleLib.loadFeed(leaves, round.market);
        if (!_takeReports(round, record, domain) || !_suffices(round)) return Reject.INADMISSIBLE;
        _setIndex(leaves, round, config, globals.chain);
        OracleLib.storeFeed(leaves, round.market, round.feed);
        return Reject.NONE;
    }

    /// @notice Whether the body is whole reports with strictly rising publishers and safe sequences.
    function isWellFormed(bytes calldata record) internal pure returns (bool) {
        if (record.length < REPORTS + Limits.PRICE_REPORT_BYTES || record[BODY + 3] != 0) return false;
        uint256 count = uint8(record[BODY + 2]);
        if (count > Limits.PUBLISHERS_MAX || record.length != REPORTS + count * Limits.PRICE_REPORT_BYTES) {
            return false;
        }
        uint256 least = 0;
        for (uint256 at = REPORTS; at < record.length; at += Limits.PRICE_REPORT_BYTES) {
            uint256 publisher = uint8(record[at]);
            if (publisher < least || publisher >= Limits.PUBLISHERS_MAX || record[at + 1] != 0) return false;
            if (record.le(at + 8, 8) > Limits.SAFE_MAX) return false;
            least = publisher + 1;
        }
        return true;
    }

    /// @notice What a publisher signs.
    /// @param at where the report stands in the record
    function digest(bytes calldata record, uint256 at, uint256 market, bytes32 domain)
        internal
        pure
        returns (bytes32)
    {
        bytes32 structHash = keccak256(
            abi.encode(
                REPORT_TYPEHASH,
                market,
                uint256(uint8(record[at])),
                record.le(at + 2, 6),
                record.le(at + 8, 8),
                record.le(at + 16, 4),
                record.le(at + 20, 4)
            )
        );
        return Signatures.digest(domain, structHash);
    }

    /// @dev Judges every report, whatever the ones before; false when a signature is none.
    function _takeReports(Round memory round, bytes calldata record, bytes32 domain) private pure returns (bool) {
        round.used = new UsedReport[](uint8(record[BODY + 2]));
        for (uint256 at = REPORTS; at < record.length; at += Limits.PRICE_REPORT_BYTES) {
            address signer = Signatures.signer(digest(record, at, round.market, domain), record, at + SIGNATURE);
            if (signer == address(0)) return false;
            _takeReport(round, record, at, signer);
        }
        return true;
    }

    /// @dev Twin of judgeReport.
    function _takeReport(Round memory round, bytes calldata record, uint256 at, address signer) private pure {
        uint256 place = uint8(record[at]);
        Publisher memory publisher = round.publishers[place];
        if (publisher.weight == 0 || publisher.signer != signer) return;
        uint256 time = record.le(at + 2, 6);
        if (time + round.stalenessMs < round.now_ || time > round.now_ + round.futureMs) return;
        uint256 sequence = record.le(at + 8, 8);
        uint256 price = record.le(at + 16, 4);
        if (price < 1 || sequence <= round.feed.sequences[place]) return;
        round.feed.sequences[place] = sequence;
        UsedReport memory used = round.used[round.count++];
        used.price = price;
        used.confidence = record.le(at + 20, 4);
        used.weight = publisher.weight;
        round.weight += publisher.weight;
    }

    /// @dev Two thirds of the publishers' weight, in a set of at least five.
    function _suffices(Round memory round) private pure returns (bool) {
        uint256 total = 0;
        uint256 publishers = 0;
        for (uint256 n = 0; n < Limits.PUBLISHERS_MAX; n++) {
            uint256 weight = round.publishers[n].weight;
            total += weight;
            if (weight != 0) publishers++;
        }
        return publishers >= Limits.PUBLISHERS_MIN && 3 * round.weight >= 2 * total;
    }

    /// @dev An index beyond the market's bounds halts it, and is not taken.
    function _setIndex(
        Leaves memory leaves,
        Round memory round,
        MarketConfig memory config,
        ChainParameters memory chain
    ) private pure {
        uint256 market = round.market;
        (uint256 price, uint256 confidence) = OraclePrice.indexOf(round.used, round.count);
        Prices memory prices = MarketLib.loadPrices(leaves, market);
        prices.confidence = confidence;
        MarketState memory state = MarketLib.loadState(leaves, market);
        if (_takePrice(round, prices, config, price, chain.twapTauMs)) {
            prices.mark = MarkPrice.markPrice(state, prices.index, config.maxPrice, chain.markClampPpm);
        } else {
            state.halted = true;
            MarketLib.storeState(leaves, market, state);
        }
        MarketLib.storePrices(leaves, market, prices);
    }

    /// @dev The guard decides how far the index follows; what the round is worth is judged by the average before it.
    function _takePrice(
        Round memory round,
        Prices memory prices,
        MarketConfig memory config,
        uint256 price,
        uint256 tau
    ) private pure returns (bool) {
        Feed memory feed = round.feed;
        (uint256 index, uint256 pending) = Deviation.confirm(price, prices.index, feed.pending, config.deviationPpm);
        if (index > config.maxPrice) return false;
        prices.validity = Validity.ofRound(config, index, prices.confidence, prices.twap, pending);
        feed.twapFine = OraclePrice.averageIndex(feed.twapFine, index, round.now_ - prices.indexTime, tau);
        feed.pending = pending;
        prices.twap = feed.twapFine / FixedPoint.MILLION;
        prices.index = index;
        prices.indexTime = round.now_;
        return true;
    }
}
