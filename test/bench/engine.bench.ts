/** The whole engine (authentication apart: validation, margin, fees, events) against nodejs-order-book. */
import { OrderBook, Side } from 'nodejs-order-book';
import type { Command } from '#protocol/command.ts';
import { TEST_MARKET, TestExchange } from '../support/exchange.ts';
import { type FlowOperation, makeFlow } from './flow.ts';
import { median, percentile, type Row } from './rows.ts';

const ACCOUNTS = 1000;
const OPERATIONS = 200_000;
const ROUNDS = 5;

function prepare(flow: readonly FlowOperation[]): { exchange: TestExchange; commands: Command[] } {
  const exchange = new TestExchange({
    checkInvariants: false,
    markets: [{ ...TEST_MARKET, maxPrice: 1_000_000 }],
    chain: { openOrdersMax: 10_000, voidMs: 3_600_000 },
  });
  for (let n = 1; n <= ACCOUNTS; n++) exchange.deposit(n, 1_000_000_000_000);
  exchange.price(0, 100_000);
  const commands = flow.map((operation) => {
    switch (operation.kind) {
      case 'add':
      case 'ioc':
        return exchange.messageCommand(operation.account, [
          {
            kind: 'place',
            market: 0,
            side: operation.side,
            price: operation.price,
            size: operation.size,
            timeInForce: operation.kind === 'add' ? 0 : 2,
            clientId: operation.id,
          },
        ]);
      case 'cancel':
        return exchange.messageCommand(operation.account, [
          { kind: 'cancel', market: 0, by: 'client', id: operation.id },
        ]);
      default:
        return exchange.messageCommand(operation.account, [
          {
            kind: 'amend',
            market: 0,
            by: 'client',
            id: operation.id,
            price: operation.price,
            size: operation.size,
          },
        ]);
    }
  });
  return { exchange, commands };
}

function runEngine(flow: readonly FlowOperation[], latencies: Float64Array): number {
  const { exchange, commands } = prepare(flow);
  const { engine } = exchange;
  const start = process.hrtime.bigint();
  for (let i = 0; i < commands.length; i++) {
    const before = performance.now();
    engine.apply(commands[i]!);
    latencies[i] = (performance.now() - before) * 1e6;
  }
  return commands.length / (Number(process.hrtime.bigint() - start) / 1e9);
}

function runBaseline(flow: readonly FlowOperation[]): number {
  const book = new OrderBook();
  const start = process.hrtime.bigint();
  for (const operation of flow) {
    const id = String(operation.id);
    const side = operation.side === 0 ? Side.BUY : Side.SELL;
    if (operation.kind === 'add') book.limit({ id, side, price: operation.price, size: operation.size });
    else if (operation.kind === 'ioc') book.market({ side, size: operation.size });
    else if (operation.kind === 'cancel') book.cancel(id);
    else book.modify(id, { price: operation.price, size: operation.size });
  }
  return flow.length / (Number(process.hrtime.bigint() - start) / 1e9);
}

export async function measure(): Promise<Row[]> {
  const flow = makeFlow({ operations: OPERATIONS, accounts: ACCOUNTS, seed: 7, mid: 100_000, spread: 1150 });
  const latencies = new Float64Array(OPERATIONS);
  const ours: number[] = [];
  const theirs: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    theirs.push(runBaseline(flow));
    ours.push(runEngine(flow, latencies));
  }
  latencies.sort();
  const engine = median(ours);
  const baseline = median(theirs);
  return [
    {
      name: 'engine, one market',
      value: engine,
      unit: 'operations/s',
      baseline: { name: 'nodejs-order-book', value: baseline },
      ratio: { value: engine / baseline, floor: 10, stretch: 25, higherIsBetter: true },
    },
    { name: 'engine, one operation p50', value: percentile(latencies, 0.5), unit: 'ns' },
    { name: 'engine, one operation p99', value: percentile(latencies, 0.99), unit: 'ns' },
    { name: 'engine, one operation p99.9', value: percentile(latencies, 0.999), unit: 'ns' },
  ];
}
