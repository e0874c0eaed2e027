/** A development L1 with the contracts deployed, one market, and traders with money in the queue. */
import { SluiceClient } from '#client/client.ts';
import { DEMO_CHAIN, DEMO_MARKETS } from '#client/demo/markets.ts';
import { fixedSource } from '#client/publisher/price-source.ts';
import { runPublishers } from '#client/publisher/run-publishers.ts';
import { keySigner } from '#client/signer.ts';
import { connectL1 } from '#settlement/l1/client.ts';
import type { RollupContracts } from '#settlement/l1/contracts.ts';
import { type DeployOptions, deployRollup } from '#settlement/l1/deploy.ts';
import { type Devnet, type DevnetAccount, startDevnet } from '#settlement/l1/devnet.ts';
import { approveVault, deposit, mintTestTokens } from '#settlement/l1/vault-actions.ts';

/** Places of keys among the devnet's accounts. */
const SEQUENCER = 1;
const SUBMITTER = 2;
const PUBLISHERS = [4, 5, 6, 7, 8];
const FIRST_TRADER = 9;
/** Accounts behind the traders', without a deposit. */
const SPARE = 2;
export const DEPOSIT = 1_000_000_000_000;
export const MARKET = 0;
/** Ticks. */
export const MARK = DEMO_MARKETS[0]!.startPrice;

export class FundedL1 {
  readonly devnet: Devnet;
  readonly rollup: RollupContracts;
  private readonly traders: number;

  private constructor(devnet: Devnet, rollup: RollupContracts, traders: number) {
    this.devnet = devnet;
    this.rollup = rollup;
    this.traders = traders;
  }

  /** `deploy`: what shall be other than usual. */
  static async start(traders: number, deploy: Partial<DeployOptions> = {}): Promise<FundedL1> {
    const devnet = await startDevnet({ accounts: FIRST_TRADER + traders + SPARE, blockTimeSeconds: 1 });
    try {
      const { accounts } = devnet;
      const l1 = await connectL1({ url: devnet.url, key: accounts[0]!.key });
      const rollup = await deployRollup(l1, {
        sequencer: accounts[SEQUENCER]!.address,
        submitter: accounts[SUBMITTER]!.address,
        windowSeconds: 60,
        // One price has to last: publishers are not what is tested.
        chain: { ...DEMO_CHAIN, stalenessMs: 60_000, voidMs: 3_600_000 },
        markets: [DEMO_MARKETS[0]!.config],
        publishers: PUBLISHERS.map((place) => ({ address: accounts[place]!.address, weight: 1 })),
        ...deploy,
      });
      await mintTestTokens(l1, rollup, { address: accounts[0]!.address, amount: DEPOSIT * traders });
      await approveVault(l1, rollup, { asset: 0, amount: DEPOSIT * traders });
      for (let i = 0; i < traders; i++)
        await deposit(l1, rollup, {
          asset: 0,
          subaccount: 0,
          amount: DEPOSIT,
          owner: accounts[FIRST_TRADER + i]!.address,
        });
      return new FundedL1(devnet, rollup, traders);
    } catch (error) {
      await devnet.stop();
      throw error;
    }
  }

  get sequencerKey(): string {
    return this.devnet.accounts[SEQUENCER]!.key;
  }

  /** Key and address of a trader. */
  trader(n: number): DevnetAccount {
    return this.devnet.accounts[FIRST_TRADER + n]!;
  }

  /** Reports a price (ticks) with five keys until the exchange has it. */
  async reportPrice(url: string, price: number = MARK): Promise<void> {
    const publishers = await runPublishers({
      url,
      signers: PUBLISHERS.map((place) => keySigner(this.devnet.accounts[place]!.key)),
      source: () => fixedSource(new Map([[MARKET, { price, confidence: 1 }]])),
      intervalMs: 100,
    });
    const reader = await SluiceClient.connect({ url });
    try {
      for (;;) {
        const [market] = await reader.session.query('markets', {});
        if (market?.indexPrice === price) return;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    } finally {
      await reader.close();
      await publishers.stop();
    }
  }

  /** One client a trader, logged in; their deposits must have been credited. */
  connect(url: string): Promise<SluiceClient[]> {
    return Promise.all(
      Array.from({ length: this.traders }, (_, i) =>
        SluiceClient.connect({
          url,
          signer: keySigner(this.devnet.accounts[FIRST_TRADER + i]!.key),
        }),
      ),
    );
  }
}
