/**
 * A sequencer that is killed under load, again and again, on a real data directory, a real L1 and real WebSockets;
 * after each restart everything that was replied to must still be there, and nothing twice.
 */
import { mkdir, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createWasmKeccak } from '#auth/wasm-keccak.ts';
import type { SluiceClient } from '#client/client.ts';
import { type Role, startProcess } from '#client/demo/child-process.ts';
import { NodeDisk } from '#journal/node-disk.ts';
import { SegmentJournal } from '#journal/segment-journal.ts';
import { FileSnapshotStore } from '#journal/snapshot-store.ts';
import type { Operation } from '#protocol/operation.ts';
import type { HistoryEntry } from '#protocol/query.ts';
import { domainSeparator } from '#protocol/signing.ts';
import { leavesOf, recoverFrom } from '../support/corridor.ts';
import { FundedL1, MARK, MARKET } from './funded-l1.ts';

const TRADERS = 4;
/** Messages of one trader that wait for their replies. */
const IN_FLIGHT = 4;
const BIDS_BELOW = Math.floor(MARK * 0.95);
const isBid = (operation: Operation): boolean => operation.kind === 'place' && operation.price <= BIDS_BELOW;

/** A reply that must not be lost: operation by operation. */
interface Replied {
  readonly seq: number;
  readonly orderIds: readonly number[];
}

/** What one trader knows: what it was told, and what it can't know. */
class Ledger {
  readonly replied: Replied[] = [];
  /** Orders that rest for certain. */
  readonly resting = new Set<number>();
  /** Orders whose cancel was sent and not answered. */
  readonly doubtful = new Set<number>();
  /** Lots filled by order, as replies of takers told. */
  readonly filled = new Map<number, number>();
  /** Messages that were sent and not answered. */
  unanswered = 0;
}

export interface CycleReport {
  /** Replies in this cycle. */
  readonly replies: number;
  readonly lost: readonly string[];
  readonly restartMs: number;
}

export class TortureRig {
  private readonly directory: string;
  private readonly l1: FundedL1;
  private readonly port: number;
  private readonly ledgers = Array.from({ length: TRADERS }, () => new Ledger());
  private readonly random: () => number;
  private role: Role | undefined;
  private clients: SluiceClient[] = [];

  private constructor(options: { directory: string; l1: FundedL1; port: number; seed: number }) {
    this.directory = options.directory;
    this.l1 = options.l1;
    this.port = options.port;
    this.random = mulberry(options.seed);
  }

  /** An L1 with the contracts, four funded traders, a sequencer that runs, and a price. */
  static async start(options: { directory: string; seed: number }): Promise<TortureRig> {
    const { directory, seed } = options;
    await rm(directory, { recursive: true, force: true });
    await mkdir(directory, { recursive: true });
    const l1 = await FundedL1.start(TRADERS);
    try {
      const rig = new TortureRig({ directory, l1, port: await freePort(), seed });
      await rig.startSequencer();
      await l1.reportPrice(rig.url);
      await rig.connect();
      return rig;
    } catch (error) {
      await l1.devnet.stop();
      throw error;
    }
  }

  /** Load for `loadMs`, a kill in the middle of it, a restart, and the comparison. */
  async cycle(loadMs: number): Promise<CycleReport> {
    const before = this.ledgers.map((ledger) => ledger.replied.length);
    const running = this.ledgers.flatMap((ledger, i) =>
      Array.from({ length: IN_FLIGHT }, () => this.load(this.clients[i]!, ledger)),
    );
    await new Promise((resolve) => setTimeout(resolve, loadMs));
    const { role } = this;
    process.kill(role!.pid, 'SIGKILL');
    await role!.ended;
    await Promise.all(running);
    await Promise.all(this.clients.map((client) => client.close()));
    const startedAt = performance.now();
    await this.startSequencer();
    const restartMs = performance.now() - startedAt;
    await this.connect();
    const lost: string[] = [];
    for (const [i, ledger] of this.ledgers.entries())
      lost.push(...(await this.compare(this.clients[i]!, ledger, before[i]!)));
    const replies = this.ledgers.reduce((sum, ledger, i) => sum + ledger.replied.length - before[i]!, 0);
    return { replies, lost, restartMs };
  }

  /** Stops the sequencer in order, then replays its journal from the first command and from its snapshots. */
  async finish(): Promise<{ commands: number; snapshotSeq: number; same: boolean }> {
    await Promise.all(this.clients.map((client) => client.close()));
    await this.role?.stop();
    const keccak = await createWasmKeccak();
    const disk = new NodeDisk();
    const directory = this.dataDirectory;
    const genesis = domainSeparator(this.l1.rollup.domain, keccak);
    const journal = await SegmentJournal.open({ disk, directory, genesis });
    const snapshots = await FileSnapshotStore.open({ disk, directory, create: false });
    try {
      const whole = await recoverFrom(journal, { keccak });
      const short = await recoverFrom(journal, { keccak, snapshots });
      const [a, b] = [leavesOf(whole.engine.state), leavesOf(short.engine.state)];
      const same = a.length === b.length && a.every((leaf, i) => leaf === b[i]);
      return { commands: journal.lastSeq, snapshotSeq: short.snapshotSeq, same };
    } finally {
      await snapshots.close();
      await journal.close();
    }
  }

  async stop(): Promise<void> {
    await Promise.all(this.clients.map((client) => client.close()));
    await this.role?.stop();
    await this.l1.devnet.stop();
  }

  private get dataDirectory(): string {
    return join(this.directory, 'sequencer');
  }
  private get url(): string {
    return `ws://127.0.0.1:${this.port}/ws`;
  }

  private async startSequencer(): Promise<void> {
    const settings = {
      data: this.dataDirectory,
      port: this.port,
      l1: this.l1.devnet.url,
      rollup: this.l1.rollup.rollup,
      confirmations: 0,
      key: this.l1.sequencerKey,
      workers: 1,
      batchMs: 500,
      snapshotCommands: 500,
      markEvery: 100,
      logLevel: 'info',
    };
    this.role = await startProcess(
      {
        name: 'sequencer',
        arguments: [],
        health: `http://127.0.0.1:${this.port}/ready`,
        logFile: join(this.directory, 'sequencer.log'),
      },
      [
        '--import',
        import.meta.resolve('tsx'),
        new URL('./sequencer-process.ts', import.meta.url).pathname,
        JSON.stringify(settings),
      ],
    );
  }

  private async connect(): Promise<void> {
    this.clients = await this.l1.connect(this.url);
  }

  /** Messages back to back until the connection is gone. */
  private async load(client: SluiceClient, ledger: Ledger): Promise<void> {
    for (;;) {
      const cancels = [...ledger.resting].slice(0, this.random() < 0.4 ? 2 : 0);
      for (const id of cancels) {
        ledger.resting.delete(id);
        ledger.doubtful.add(id);
      }
      const operations: Operation[] = [
        ...cancels.map((id): Operation => ({ kind: 'cancel', market: MARKET, by: 'order', id })),
        ...Array.from({ length: 1 + Math.floor(this.random() * 4) }, () => this.bid()),
        ...(this.random() < 0.3 ? [this.trade(this.random() < 0.5 ? 0 : 1)] : []),
      ];
      let outcome: Awaited<ReturnType<SluiceClient['sendOperations']>>;
      try {
        outcome = await client.sendOperations(operations);
      } catch {
        ledger.unanswered++;
        return;
      }
      const { seq, results } = outcome;
      ledger.replied.push({ seq, orderIds: results.map((result) => result.orderId) });
      for (const id of cancels) ledger.doubtful.delete(id);
      results.forEach((result, i) => {
        const operation = operations[i]!;
        if (isBid(operation) && result.remainingSize > 0) ledger.resting.add(result.orderId);
        if (result.filledSize > 0) ledger.filled.set(result.orderId, result.filledSize);
      });
    }
  }

  /** A resting bid that nobody meets. */
  private bid(): Operation {
    const price = BIDS_BELOW - Math.floor(this.random() * 10_000);
    return { kind: 'place', market: MARKET, side: 0, price, size: 200, timeInForce: 0 };
  }

  /** One that meets others of its kind near the mark. */
  private trade(side: 0 | 1): Operation {
    return {
      kind: 'place',
      market: MARKET,
      side,
      price: MARK,
      size: 20,
      timeInForce: 0,
      selfTradePrevention: 0,
    };
  }

  /** Every row of the account's history from command `first` on. */
  private async eachRow(
    client: SluiceClient,
    list: 'orders' | 'fills',
    first: number,
    visit: (row: HistoryEntry) => void,
  ): Promise<void> {
    const account = client.account!;
    let before: HistoryEntry['cursor'] | undefined;
    for (;;) {
      const page = await client.session.query(list, { account, limit: 1_000, ...(before && { before }) });
      for (const row of page) if (row.seq >= first) visit(row);
      const last = page.at(-1);
      if (last === undefined || last.seq < first) return;
      before = last.cursor;
    }
  }

  private async compare(client: SluiceClient, ledger: Ledger, from: number): Promise<string[]> {
    const lost: string[] = [];
    const account = client.account!;
    const fresh = ledger.replied.slice(from);
    const first = fresh[0]?.seq ?? Number.POSITIVE_INFINITY;
    const found = new Map<number, number>();
    await this.eachRow(client, 'orders', first, (row) => {
      if (row.event === 'OPERATION_RESULT') found.set(row.seq, (found.get(row.seq) ?? 0) + 1);
    });
    const fills = new Map<number, number>();
    await this.eachRow(client, 'fills', first, (row) => {
      const taker = Number(row.takerOrderId);
      fills.set(taker, (fills.get(taker) ?? 0) + Number(row.size));
    });
    for (const { seq, orderIds } of fresh)
      if (found.get(seq) !== orderIds.length)
        lost.push(
          `account ${account}: reply ${seq} with ${orderIds.length} results, history has ${found.get(seq) ?? 0}`,
        );
    for (const [orderId, filled] of ledger.filled) {
      const told = fills.get(orderId) ?? 0;
      if (told !== filled)
        lost.push(`account ${account}: order ${orderId} took ${filled} lots, history has ${told}`);
    }
    ledger.filled.clear();
    // What is open: everything that was told to rest, and nothing that was told to be canceled.
    const orders = await client.session.query('open-orders', { account });
    const open = new Set(orders.filter(({ price }) => price <= BIDS_BELOW).map(({ orderId }) => orderId));
    for (const id of ledger.resting)
      if (!open.has(id)) lost.push(`account ${account}: order ${id} does not rest`);
    for (const id of ledger.doubtful) if (open.has(id)) ledger.resting.add(id);
    ledger.doubtful.clear();
    // Unanswered messages may have placed orders: from now on they are known.
    for (const id of open) ledger.resting.add(id);
    return lost;
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return port;
}

/** Uniform in [0, 1) by seed. */
function mulberry(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}
