// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {FixedPoint} from "../FixedPoint.sol";

/// @notice A position that is being liquidated, within its account.
struct LiquidatedPosition {
    /// @dev Signed lots, never 0.
    int256 size;
    /// @dev Ticks.
    uint256 mark;
    /// @dev q per tick and lot.
    uint256 qm;
    /// @dev Maintenance margin of this position alone, q.
    int256 requirement;
    /// @dev V and M of the account, q.
    int256 equity;
    int256 maintenance;
}

/// @title The arithmetic of liquidations on the book
/// @notice Twin of sequencer/engine/risk/liquidation.ts.
library LiquidationMath {
    /// @dev SMMR of dYdX's fillable price; its BA is 1.
    int256 private constant SPREAD_PPM = 1_500_000;
    uint256 private constant SLICE_PPM = 200_000;
    uint256 private constant FLOW_SHARE = 10;

    /// @notice CM = ⌊2 · MM / 3⌋, q: below it the book is left for the auction.
    /// @param maintenance MM, not below zero
    function closeOut(int256 maintenance) internal pure returns (int256) {
        return 2 * maintenance / 3;
    }

    /// @notice z = p · (1 − sgn · r · V / M): a fill at z or better keeps V / M. Ticks, up for longs, down for shorts, at
    /// least 1.
    function zeroPrice(LiquidatedPosition memory p) internal pure returns (uint256) {
        return _against(p, _zeroDistance(p));
    }

    /// @notice dYdX's fillable price, rounded in the same way.
    function fillablePrice(LiquidatedPosition memory p) internal pure returns (uint256) {
        return _against(p, _fillableDistance(p));
    }

    /// @notice Worst price of a slice: of z and the fillable price the one nearer to the mark, and from there in equal parts of
    /// time to z within `intervalMs`. Ticks; V ≥ 0.
    function slicePrice(LiquidatedPosition memory p, uint256 elapsedMs, uint256 intervalMs)
        internal
        pure
        returns (uint256)
    {
        int256 zero = _zeroDistance(p);
        int256 start = FixedPoint.minSigned(zero, _fillableDistance(p));
        int256 elapsed = int256(FixedPoint.min(elapsedMs, intervalMs));
        return _against(p, start + FixedPoint.fdiv((zero - start) * elapsed, int256(intervalMs)));
    }

    /// @notice Lots of a slice: all of a small position, else a share that grows by the time since the phase began.
    /// @param sliceNotional whole quote: what is smaller goes at once
    function sliceLots(LiquidatedPosition memory p, uint256 elapsedMs, uint256 intervalMs, uint256 sliceNotional)
        internal
        pure
        returns (uint256)
    {
        uint256 held = FixedPoint.abs(p.size);
        if (held * p.mark * p.qm < sliceNotional * FixedPoint.MILLION) return held;
        uint256 share = FixedPoint.min(FixedPoint.MILLION, SLICE_PPM * (1 + elapsedMs / intervalMs));
        return FixedPoint.mulPpmUp(held, share);
    }

    /// @notice Lots that `depth`, whole quote, allows within one second, at least 1.
    function flowLots(uint256 lotValue, uint256 depth) internal pure returns (uint256) {
        return FixedPoint.max(1, depth * FixedPoint.MILLION / FLOW_SHARE / lotValue);
    }

    /// @notice How long, ms, the market is taken by `lots`.
    function flowMs(uint256 lots, uint256 lotValue, uint256 depth) internal pure returns (uint256) {
        return
            FixedPoint.divUp(lots * lotValue, FixedPoint.divUp(depth * FixedPoint.MILLION, FLOW_SHARE * 1_000));
    }

    /// @notice Of `offered` lots at `price`, as many as bring V to (1 + β) · M, and none at a price beyond z. The fee,
    /// min(rate · quote, improvement over z), down.
    /// @return lots 0 when there is to be no fill
    /// @return fee to the insurance fund, q
    function sliceFill(LiquidatedPosition memory p, uint256 offered, uint256 price, uint256 feePpm, uint256 bufferPpm)
        internal
        pure
        returns (uint256 lots, uint256 fee)
    {
        if (_lacking(p, bufferPpm) <= 0) return (0, 0);
        int256 sign = p.size > 0 ? int256(1) : int256(-1);
        int256 better = sign * (int256(price) - int256(zeroPrice(p)));
        if (better < 0) return (0, 0);
        uint256 most = uint256(better) * p.qm;
        uint256 lotValue = price * p.qm;
        int256 loss = sign * (int256(p.mark) - int256(price)) * int256(p.qm) * FixedPoint.MILLION_SIGNED
            + int256(FixedPoint.min(lotValue * feePpm, most * FixedPoint.MILLION));
        lots = FixedPoint.min(offered, restoringLots(p, loss, bufferPpm));
        fee = FixedPoint.min(FixedPoint.mulPpmDown(lots * lotValue, feePpm), lots * most);
    }

    /// @notice Fewest lots whose sale at a loss of `loss`, 1e-6 q each, brings V to (1 + β) · M, when the requirement goes down in
    /// proportion; all of them when that does not.
    function restoringLots(LiquidatedPosition memory p, int256 loss, uint256 bufferPpm)
        internal
        pure
        returns (uint256)
    {
        uint256 held = FixedPoint.abs(p.size);
        int256 gain = (FixedPoint.MILLION_SIGNED + int256(bufferPpm)) * p.requirement
            - loss * int256(held);
        // A position that no margin is held for brings nothing.
        uint256 unit = uint256(FixedPoint.maxSigned(1, gain));
        return FixedPoint.min(held, FixedPoint.divUp(uint256(_lacking(p, bufferPpm)) * held, unit));
    }

    /// @dev (1 + β) · M − V, 1e-6 q.
    function _lacking(LiquidatedPosition memory p, uint256 bufferPpm) private pure returns (int256) {
        return (FixedPoint.MILLION_SIGNED + int256(bufferPpm)) * p.maintenance - FixedPoint.MILLION_SIGNED * p.equity;
    }

    /// @dev Ticks from the mark against the position.
    function _against(LiquidatedPosition memory p, int256 distance) private pure returns (uint256) {
        int256 mark = int256(p.mark);
        return uint256(FixedPoint.maxSigned(1, p.size > 0 ? mark - distance : mark + distance));
    }

    function _unit(LiquidatedPosition memory p) private pure returns (int256) {
        return int256(FixedPoint.abs(p.size) * p.qm) * FixedPoint.maxSigned(1, p.maintenance);
    }

    function _zeroDistance(LiquidatedPosition memory p) private pure returns (int256) {
        return FixedPoint.fdiv(p.requirement * p.equity, _unit(p));
    }

    function _fillableDistance(LiquidatedPosition memory p) private pure returns (int256) {
        int256 lacking = FixedPoint.clamp(p.maintenance - p.equity, 0, p.maintenance);
        return SPREAD_PPM * p.requirement * lacking / (FixedPoint.MILLION_SIGNED * _unit(p));
    }
}
