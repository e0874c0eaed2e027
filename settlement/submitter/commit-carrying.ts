/** How commits carry their inputs: the choice (carrier.ts), the blobs that go with it, and what an operator hears of it. */
import type { SignedBatch } from '#protocol/batch.ts';
import { toHex } from '#protocol/bytes.ts';
import { type Address, DEVNET_CHAIN_ID } from '../l1/client.ts';
import type { RollupContracts } from '../l1/contracts.ts';
import type { Sidecar, SidecarForm } from '../l1/kzg.ts';
import type { Alerts } from './alerts.ts';
import type { BatchSource } from './batch-source.ts';
import {
  type CarriedCommit,
  type CarrierChoice,
  type CarrierMarket,
  carriersOf,
  chooseCarrier,
} from './carrier.ts';
import type { Work } from './intent-store.ts';
import type { Sendable } from './nonce-stream.ts';
import { blobHashesOf, Sidecars } from './sidecars.ts';

export interface CommitCarryingOptions {
  readonly rollup: RollupContracts;
  /** Whose commits these are. */
  readonly sender: Address;
  readonly source: BatchSource;
  readonly alerts: Alerts;
  readonly carrier?: CarrierChoice;
  readonly sidecars?: SidecarForm;
}

export class CommitCarrying {
  private readonly options: CommitCarryingOptions;
  private readonly sidecars: Sidecars;

  constructor(options: CommitCarryingOptions) {
    const isDevnet = options.rollup.chainId === DEVNET_CHAIN_ID;
    this.options = options;
    this.sidecars = new Sidecars(options.sidecars ?? (isDevnet ? 'proofs' : 'cells'));
  }

  get sidecarForm(): SidecarForm {
    return this.sidecars.form;
  }

  /** An alert says why there is none. */
  choose(batch: SignedBatch, market: CarrierMarket): CarriedCommit | undefined {
    const { carrier = 'calldata', rollup, alerts } = this.options;
    const carriers = carriersOf(batch, market, {
      elsewhere: rollup.submitter.toLowerCase() === this.options.sender.toLowerCase(),
      offChain: rollup.inputsOffChain,
    });
    const chosen = chooseCarrier(carrier, carriers);
    if (chosen !== undefined) {
      alerts.clear('carrier');
      return chosen;
    }
    const wanted = carrier === 'auto' ? 'any carrier' : carrier;
    const got = carriers.map((one) => one.carrier).join(', ') || 'none';
    alerts.raise(
      'carrier',
      `commit of batch ${batch.header.id}: expected ${wanted} to take ${batch.inputs.length} bytes of inputs, got ${got} that could`,
    );
    return undefined;
  }

  /** Undefined while the blobs are being made, or can't be, of which an alert tells. */
  sendable(batch: SignedBatch, { data, gas, blobs }: CarriedCommit): Sendable | undefined {
    const call = { to: this.options.rollup.rollup, data, gas };
    if (blobs === 0) return call;
    const sidecar = this.sidecarOf(batch);
    return sidecar === undefined ? undefined : { ...call, blobHashes: blobHashesOf(sidecar) };
  }

  /** The blobs of a commit that was stored before, from the signed batch. Rejects as the source does. */
  async sidecarAgain(work: Work): Promise<Sidecar | undefined> {
    if (work.kind !== 'commit') return undefined;
    const batch = await this.options.source.get(work.id);
    return batch === undefined || toHex(batch.hash) !== work.hash ? undefined : this.sidecarOf(batch);
  }

  close(): Promise<void> {
    return this.sidecars.close();
  }

  private sidecarOf(batch: SignedBatch): Sidecar | undefined {
    try {
      return this.sidecars.of(batch);
    } catch (error) {
      const { message } = error as Error;
      this.options.alerts.raise('carrier', `blobs of batch ${batch.header.id}: ${message}`);
      return undefined;
    }
  }
}
