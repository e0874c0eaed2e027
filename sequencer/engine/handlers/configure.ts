/** Configuration that comes through the L1 queue: chain parameters, markets, publishers. */
import { decodeAssetConfig, NO_FEED } from '#protocol/asset.ts';
import { ASSET_CONFIGURED, EventKind, MARKET_CONFIGURED, PUBLISHER_CONFIGURED } from '#protocol/event.ts';
import { ACCRUAL_INTERVAL_MS } from '#protocol/limits.ts';
import { decodeChainParameters, decodeMarketConfig, decodePublisher } from '#protocol/market.ts';
import { Reject } from '#protocol/reject.ts';
import type { Core } from '../core.ts';
import { nextAligned } from './ticks.ts';

export function configureChain(core: Core, payload: Uint8Array): number {
  const { state, trace, events } = core;
  const parameters = decodeChainParameters(payload);
  if (parameters === undefined) return Reject.CONFIGURATION_INVALID;
  state.chain = parameters;
  trace.globals();
  events.add(EventKind.CHAIN_CONFIGURED);
  return Reject.NONE;
}

/** Adds the next market or changes one; its unit (qm) is fixed for good, ids have no gaps. */
export function configureMarket(core: Core, payload: Uint8Array): number {
  const { state, trace, events } = core;
  const config = decodeMarketConfig(payload);
  if (config === undefined || config.market > state.markets.length) return Reject.CONFIGURATION_INVALID;
  const existing = state.market(config.market);
  if (existing !== undefined && existing.config.qm !== config.qm) return Reject.CONFIGURATION_INVALID;
  state.configureMarket(config);
  trace.marketConfig(config.market);
  trace.marketState(config.market);
  trace.prices(config.market);
  // A new market counts there.
  trace.globals();
  if (state.nextSampleTime === 0) {
    state.nextSampleTime = nextAligned(state.now, state.chain.sampleIntervalMs);
    state.nextFundingTime = nextAligned(state.now, state.chain.fundingIntervalMs);
  }
  const at = events.add(EventKind.MARKET_CONFIGURED);
  events.data[at + MARKET_CONFIGURED.market] = config.market;
  events.data[at + MARKET_CONFIGURED.status] = config.status;
  return Reject.NONE;
}

/**
 * Adds the next asset or changes one. What a unit of it is worth (decimals, tickValue) is fixed for good; its feed is a
 * market that exists.
 */
export function configureAsset(core: Core, payload: Uint8Array): number {
  const { state, trace, events } = core;
  const config = decodeAssetConfig(payload);
  if (config === undefined || config.asset > state.assets.length) return Reject.CONFIGURATION_INVALID;
  if (config.feed !== NO_FEED && state.market(config.feed) === undefined) return Reject.CONFIGURATION_INVALID;
  const existing = state.assets[config.asset];
  if (
    existing !== undefined &&
    (existing.config.decimals !== config.decimals || existing.config.tickValue !== config.tickValue)
  )
    return Reject.CONFIGURATION_INVALID;
  state.configureAsset(config);
  trace.assetConfig(config.asset);
  // A new asset counts there.
  trace.globals();
  if (state.nextAccrualTime === 0) state.nextAccrualTime = nextAligned(state.now, ACCRUAL_INTERVAL_MS);
  const at = events.add(EventKind.ASSET_CONFIGURED);
  events.data[at + ASSET_CONFIGURED.asset] = config.asset;
  events.data[at + ASSET_CONFIGURED.status] = config.status;
  return Reject.NONE;
}

export function configurePublisher(core: Core, payload: Uint8Array): number {
  const { state, trace, events } = core;
  const publisher = decodePublisher(payload);
  if (publisher === undefined) return Reject.CONFIGURATION_INVALID;
  while (state.publishers.length <= publisher.index) state.publishers.push(undefined);
  state.publishers[publisher.index] = { address: publisher.address, weight: publisher.weight };
  trace.publishers();
  const at = events.add(EventKind.PUBLISHER_CONFIGURED);
  events.data[at + PUBLISHER_CONFIGURED.index] = publisher.index;
  events.data[at + PUBLISHER_CONFIGURED.weight] = publisher.weight;
  return Reject.NONE;
}
