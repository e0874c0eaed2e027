/**
 * What the actions of a client share: the connection, who signs for which account, nonces, markets, streams. It
 * logs in again and continues its streams after every reconnect.
 */
import { toHex } from '#protocol/bytes.ts';
import type { Keccak } from '#protocol/hash.ts';
import type { MarketConfig } from '#protocol/market.ts';
import type { QueryName, QueryTable } from '#protocol/query.ts';
import { Reject } from '#protocol/reject.ts';
import type { Hello } from '#protocol/wire.ts';
import { RejectedError, SluiceError } from './errors.ts';
import { Listeners } from './listeners.ts';
import { NonceSequence } from './nonces.ts';
import type { OwnCommand } from './receipt-check.ts';
import type { Signer } from './signer.ts';
import { createFastKeccak, type SigningContext, signingContext } from './signing-context.ts';
import { PASSING, RETRY_MS, Subscriptions } from './subscriptions.ts';
import { type Farewell, settled, Transport, type TransportOptions } from './transport.ts';

export interface SessionOptions extends TransportOptions {
  /**
   * Needed for all that is signed; market data and public queries do without. A function is called once with the
   * greeting: who signs may depend on the chain.
   */
  readonly signer?: Signer | ((hello: Hello) => Signer | undefined);
  /** Account that the signer acts for. Default: the first account that the signer's address owns. */
  readonly account?: number;
  /** Log in at once (private queries and streams need it); default true when there is a signer and an account. */
  readonly login?: boolean;
  /** This connection only reads: losing it does not count for cancel-on-disconnect. Default false. */
  readonly observe?: boolean;
  /** How long a message stays valid, by the server's clock; default 30,000. */
  readonly messageLifetimeMs?: number;
}

/** Who signs for which account; actions may name another than the session's. */
export interface Identity {
  readonly signer: Signer;
  readonly account: number;
}

export class Session {
  readonly transport: Transport;
  readonly subscriptions: Subscriptions;
  readonly messageLifetimeMs: number;
  readonly ups = new Listeners<Hello>();
  readonly downs = new Listeners<Farewell>();
  /** Troubles that belong to no call: a refused login after a reconnect, a server of another chain. */
  readonly troubles = new Listeners<SluiceError>();
  account: number | undefined;
  signer: Signer | undefined;
  /** Last report sequence that the server named at login. */
  reportSequence = 0;
  /** Messages that were answered by a REPLY, in the order of the answers. */
  readonly replies = new Listeners<OwnCommand>();
  readonly keccak: Keccak;
  private signing: { hello: Hello; context: SigningContext } | undefined;
  private readonly nonceSequences = new Map<string, NonceSequence>();
  private markets: readonly MarketConfig[] = [];
  private readonly observe: boolean;
  private loggedIn = false;
  private signatures: Promise<unknown> = Promise.resolve();

  private constructor(options: SessionOptions, keccak: Keccak) {
    this.keccak = keccak;
    this.signer = typeof options.signer === 'function' ? undefined : options.signer;
    this.account = options.account;
    this.observe = options.observe ?? false;
    this.messageLifetimeMs = options.messageLifetimeMs ?? 30_000;
    this.transport = new Transport(options, {
      onUp: (hello, again) => {
        if (again) this.comeBack();
        this.ups.emit(hello);
      },
      onDown: (farewell) => {
        this.subscriptions.onDown();
        this.downs.emit(farewell);
      },
      onFrame: (type, view, at) => this.subscriptions.onFrame(type, view, at),
      onTrouble: (error) => this.troubles.emit(error),
    });
    this.subscriptions = new Subscriptions(this.transport);
  }

  static async open(options: SessionOptions): Promise<Session> {
    const session = new Session(options, await createFastKeccak());
    const hello = await session.transport.connect();
    try {
      if (typeof options.signer === 'function') session.signer = options.signer(hello);
      if (session.signer !== undefined && session.account === undefined) await session.findAccount();
      if (options.login ?? (session.signer !== undefined && session.account !== undefined))
        await session.login();
    } catch (error) {
      await session.close();
      throw error;
    }
    return session;
  }

  /** Chain and contract of the server that is connected, with fast digests. */
  get context(): SigningContext {
    const { hello } = this.transport;
    if (this.signing?.hello !== hello)
      this.signing = { hello, context: signingContext(hello.chainId, hello.rollup, this.keccak) };
    return this.signing.context;
  }

  /** Throws SIGNER_MISSING or ACCOUNT_MISSING. */
  identity(given?: Identity): Identity {
    if (given !== undefined) return given;
    const { signer, account } = this;
    if (signer === undefined)
      throw new SluiceError('SIGNER_MISSING', 'this call needs a signer: give one to connect');
    if (account === undefined)
      throw new SluiceError(
        'ACCOUNT_MISSING',
        `this call needs an account: ${toHex(signer.address)} owns none yet: deposit first, or name the account of this session key`,
        { details: { address: toHex(signer.address) } },
      );
    return { signer, account };
  }

  nonces(identity: Identity): NonceSequence {
    const key = `${toHex(identity.signer.address)}:${identity.account}`;
    let sequence = this.nonceSequences.get(key);
    if (sequence === undefined) {
      sequence = new NonceSequence(() => this.transport.serverNow());
      this.nonceSequences.set(key, sequence);
    }
    return sequence;
  }

  /** Runs signatures of slow signers one after the other, so that what they sign is sent in the order of nonces. */
  inTurn<Value>(run: () => Promise<Value>): Promise<Value> {
    const result = this.signatures.then(run, run);
    this.signatures = result.catch(() => {});
    return result;
  }

  query<Name extends QueryName>(
    name: Name,
    parameters: QueryTable[Name]['parameters'],
  ): Promise<QueryTable[Name]['answer']> {
    return settled<unknown>((settle) =>
      this.transport.sendQuery({ ...parameters, query: name }, settle),
    ) as Promise<QueryTable[Name]['answer']>;
  }

  /** Proves that the signer may read the account's private data on this connection; again after reconnects. */
  async login(): Promise<void> {
    const { signer, account } = this.identity();
    const { context } = this;
    const time = this.transport.serverNow();
    const signature = await signer.signLogin(context, account, time);
    const answer = await settled((settle: Parameters<Transport['sendLogin']>[1]) =>
      this.transport.sendLogin({ account, time, signature, observe: this.observe }, settle),
    );
    this.loggedIn = true;
    this.reportSequence = answer.reportSequence;
    await this.refreshNonce();
  }

  /** Learns the highest nonce that was used, so that ours lie above it. */
  async refreshNonce(): Promise<void> {
    const identity = this.identity();
    const view = await this.query('account', { account: identity.account });
    const address = toHex(identity.signer.address);
    const key = view.sessionKeys.find((held) => held.key.toLowerCase() === address);
    this.nonces(identity).raise(view.owner.toLowerCase() === address ? view.nonce : (key?.nonce ?? 0));
  }

  /** Looks the signer's first account up; leaves none when it owns none yet. */
  async findAccount(): Promise<number | undefined> {
    if (this.signer === undefined) return undefined;
    const accounts = await this.query('accounts', { owner: toHex(this.signer.address) });
    const first = [...accounts].sort((a, b) => a.subaccount - b.subaccount)[0];
    this.account = first?.account ?? this.account;
    return this.account;
  }

  /** Reads the markets; call again to see a change of configuration. */
  async loadMarkets(): Promise<readonly MarketConfig[]> {
    this.markets = (await this.query('markets', {})).map((market) => market.config);
    return this.markets;
  }

  /** By id or symbol (any case); NOT_FOUND unless `loadMarkets` has seen it. */
  market(reference: number | string): MarketConfig {
    const found = this.markets.find((market) =>
      typeof reference === 'number' ? market.market === reference : market.symbol === reference.toUpperCase(),
    );
    if (found !== undefined) return found;
    const known = this.markets.map((market) => market.symbol).join(', ') || 'none: await loadMarkets() first';
    throw new SluiceError('NOT_FOUND', `market: expected one of ${known}, got ${JSON.stringify(reference)}`, {
      details: { market: reference },
    });
  }

  close(): Promise<void> {
    return this.transport.close();
  }

  private comeBack(): void {
    this.subscriptions.resume((request) => request.channel !== 'account');
    if (this.loggedIn) this.logInAgain();
  }

  private logInAgain(): void {
    this.login()
      .then(() => this.subscriptions.resume((request) => request.channel === 'account'))
      .catch((error: SluiceError) => {
        // Lost again meanwhile: the next connection tries again.
        if (!this.transport.isOpen) return;
        if (!PASSING.has(error.code)) {
          this.troubles.emit(error);
          return;
        }
        setTimeout(() => {
          if (this.transport.isOpen) this.logInAgain();
        }, RETRY_MS).unref();
      });
  }
}

/** True for rejects that a fresh nonce cures; nothing of the message was executed. */
export const isStaleNonce = (error: unknown): error is RejectedError =>
  error instanceof RejectedError &&
  (error.rejectCode === Reject.NONCE_USED || error.rejectCode === Reject.NONCE_TOO_OLD);
