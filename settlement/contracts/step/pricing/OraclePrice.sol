// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {FixedPoint} from "../FixedPoint.sol";
import {MarkPrice} from "./MarkPrice.sol";

/// @notice A report that counts: prices in ticks.
struct UsedReport {
    uint256 price;
    uint256 confidence;
    uint256 weight;
}

/// @title Index price of a market from signed reports
/// @notice Twin of sequencer/engine/pricing/oracle-price.ts.
library OraclePrice {
    /// @dev Room for a weight below a value in one word, so that sorting moves single words.
    uint256 private constant WEIGHT_BITS = 32;
    uint256 private constant CONFIDENCE_MAX = type(uint32).max;

    /// @notice Index and its confidence: weighted median of the confidences plus that of the distances from the index.
    /// @param reports the first `count` of them count
    function indexOf(UsedReport[] memory reports, uint256 count)
        internal
        pure
        returns (uint256 index, uint256 confidence)
    {
        uint256[] memory words = new uint256[](count);
        for (uint256 n = 0; n < count; n++) {
            words[n] = _word(reports[n].price, reports[n].weight);
        }
        index = lowerWeightedMedian(words);
        for (uint256 n = 0; n < count; n++) {
            words[n] = _word(reports[n].confidence, reports[n].weight);
        }
        confidence = lowerWeightedMedian(words);
        for (uint256 n = 0; n < count; n++) {
            uint256 price = reports[n].price;
            words[n] = _word(price > index ? price - index : index - price, reports[n].weight);
        }
        confidence = FixedPoint.min(confidence + lowerWeightedMedian(words), CONFIDENCE_MAX);
    }

    /// @notice Lower weighted median: the smallest value at which the weights of it and all below reach half of the
    /// total; 0 of nothing.
    /// @param words value << 32 | weight each; they come out sorted
    function lowerWeightedMedian(uint256[] memory words) internal pure returns (uint256) {
        uint256 total = 0;
        for (uint256 n = 0; n < words.length; n++) {
            uint256 word = words[n];
            total += uint32(word);
            uint256 at = n;
            for (; at > 0 && words[at - 1] > word; at--) {
                words[at] = words[at - 1];
            }
            words[at] = word;
        }
        uint256 sum = 0;
        for (uint256 n = 0; n < words.length; n++) {
            sum += uint32(words[n]);
            if (2 * sum >= total) return words[n] >> WEIGHT_BITS;
        }
        return 0;
    }

    /// @notice Average of the index after a round, in 1e-6 ticks; the first index is the average.
    /// @param average before the round, 0 none
    /// @param tau above 0
    function averageIndex(uint256 average, uint256 index, uint256 dt, uint256 tau) internal pure returns (uint256) {
        uint256 fine = index * FixedPoint.MILLION;
        return average == 0 ? fine : uint256(MarkPrice.emaStep(int256(average), int256(fine), dt, tau));
    }

    function _word(uint256 value, uint256 weight) private pure returns (uint256) {
        return (value << WEIGHT_BITS) | weight;
    }
}
