/** Order entry over a real WebSocket from another process: latency, throughput and CPU against echo, flush and signature. */
import { type ChildProcess, fork } from 'node:child_process';
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WebSocket } from 'ws';
import { createRecover } from '#auth/recover.ts';
import { signDigest } from '#auth/sign-digest.ts';
import { createWasmKeccak } from '#auth/wasm-keccak.ts';
import { concat } from '#protocol/bytes.ts';
import type { Keccak } from '#protocol/hash.ts';
import { encodeUnsignedMessage } from '#protocol/message.ts';
import type { Operation } from '#protocol/operation.ts';
import { rejectName } from '#protocol/reject.ts';
import { SigningDomain } from '#protocol/signing.ts';
import { encodeMessageFrame, FrameType } from '#protocol/wire.ts';
import { TEST_DOMAIN, testKey } from '../auth/keys.ts';
import { median, percentile, type Row } from './rows.ts';

const ROUNDS = 5;
const PROBES = 300;
const SINGLES = 6_000;
const LADDERS = 1_000;
const LADDER = 20;
const ACCOUNTS = 8;
const WINDOW_SINGLES = 1_024;
const WINDOW_LADDERS = 256;

interface Server {
  readonly url: string;
  readonly echo: string;
  readonly child: ChildProcess;
}

function startServer(mode: 'durable' | 'memory'): Promise<Server> {
  const child = fork(join(import.meta.dirname, 'gateway-server.ts'), [mode], {
    execArgv: ['--import', 'tsx'],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  return new Promise((resolve, reject) => {
    child.once('message', (ports: { url: string; echo: string }) => resolve({ ...ports, child }));
    child.once('exit', (code) =>
      reject(new Error(`gateway server: expected it to start, it ended with ${code}`)),
    );
  });
}

const cpuOf = (server: Server): Promise<number> =>
  new Promise((resolve) => {
    server.child.once('message', (usage: NodeJS.CpuUsage) => resolve(usage.user + usage.system));
    server.child.send('cpu');
  });

const stop = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    server.child.once('exit', () => resolve());
    server.child.send('end');
  });

const connect = (url: string): Promise<WebSocket> =>
  new Promise((resolve, reject) => {
    const socket = new WebSocket(url, { perMessageDeflate: false });
    socket.once('open', () => resolve(socket));
    socket.once('error', reject);
  });

/** Orders that are refused would be cheap: every operation of a reply (wire.ts) must have been done. */
function checkResults(data: Buffer, at: number): void {
  for (let i = 0; i < data[at + 24]!; i++) {
    const code = data.readUInt16LE(at + 32 + 32 * i);
    if (code !== 0) throw new Error(`operation ${i}: ${rejectName(code)}`);
  }
}

/** Answers in a packet: REPLY and REJECT frames; anything refused is an error of the benchmark. */
function replies(data: Buffer): number {
  let count = 0;
  for (let at = 0; at < data.length; at += data.readUInt16LE(at)) {
    const type = data[at + 2];
    if (type === FrameType.REPLY) {
      count++;
      checkResults(data, at);
    } else if (type === FrameType.REJECT)
      throw new Error(`refused: ${data.toString('utf8', at + 10, at + data.readUInt16LE(at))}`);
  }
  return count;
}

/** Sends one after the other, each when the one before is answered; µs each. */
function pingPong(
  socket: WebSocket,
  messages: readonly Uint8Array[],
  answers: (data: Buffer) => number,
): Promise<number[]> {
  return new Promise((resolve) => {
    const times: number[] = [];
    let sentAt = 0;
    const next = (): void => {
      sentAt = performance.now();
      socket.send(messages[times.length]!);
    };
    const heard = (data: Buffer): void => {
      if (answers(data) === 0) return;
      times.push((performance.now() - sentAt) * 1000);
      if (times.length < messages.length) next();
      else {
        socket.off('message', heard);
        resolve(times);
      }
    };
    socket.on('message', heard);
    next();
  });
}

/** Sends with at most `window` unanswered; messages a second. */
function flood(socket: WebSocket, messages: readonly Uint8Array[], window: number): Promise<number> {
  return new Promise((resolve, reject) => {
    let sent = 0;
    let answered = 0;
    const start = performance.now();
    const send = (): void => {
      while (sent < messages.length && sent - answered < window) socket.send(messages[sent++]!);
    };
    const heard = (data: Buffer): void => {
      try {
        answered += replies(data);
      } catch (error) {
        reject(error as Error);
      }
      if (answered === messages.length) {
        socket.off('message', heard);
        resolve(messages.length / ((performance.now() - start) / 1000));
      } else send();
    };
    socket.on('message', heard);
    send();
  });
}

/** Signed messages of `count` resting orders far from the mid, which take turns with those that cancel all. */
class Messages {
  private readonly domain: SigningDomain;
  private tag = 1;
  private nonce = Date.now();
  private placed = 0;
  constructor(keccak: Keccak) {
    this.domain = new SigningDomain(TEST_DOMAIN, keccak);
  }
  next(orders: number): Uint8Array {
    const account = 1 + (this.tag % ACCOUNTS);
    const operations: Operation[] = Array.from({ length: orders }, () => ({
      kind: 'place',
      market: 0,
      side: this.placed % 2 === 0 ? 0 : 1,
      price: this.placed++ % 2 === 0 ? 40_000 - (this.placed % 500) : 60_000 + (this.placed % 500),
      size: 1,
      timeInForce: this.placed % 3 === 0 ? 2 : 0,
    }));
    // Now and then an account starts anew, so that its open orders stay few.
    if (Math.floor(this.tag / ACCOUNTS) % Math.ceil(400 / orders) === 0)
      operations[0] = { kind: 'cancel-all' };
    const unsigned = encodeUnsignedMessage({
      account,
      nonce: this.nonce++,
      validUntil: Date.now() + 600_000,
      operations,
    });
    const signature = signDigest(this.domain.message(unsigned), testKey(account).secret);
    return encodeMessageFrame(this.tag++, concat(unsigned, signature));
  }
  many(count: number, orders: number): Uint8Array[] {
    return Array.from({ length: count }, () => this.next(orders));
  }
}

function flushTimes(): number[] {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-flush-'));
  const file = openSync(join(directory, 'file'), 'w');
  const block = Buffer.alloc(512, 1);
  writeSync(file, Buffer.alloc(PROBES * 512));
  fdatasyncSync(file);
  const times = Array.from({ length: PROBES }, (_, i) => {
    const start = performance.now();
    writeSync(file, block, 0, block.length, i * 512);
    fdatasyncSync(file);
    return (performance.now() - start) * 1000;
  });
  closeSync(file);
  rmSync(directory, { recursive: true });
  return times;
}

const p50 = (times: readonly number[]): number =>
  percentile(
    [...times].sort((a, b) => a - b),
    0.5,
  );

export async function measure(): Promise<Row[]> {
  const keccak = await createWasmKeccak();
  const recover = createRecover(keccak);
  const durable = await startServer('durable');
  const memory = await startServer('memory');
  const [echoSocket, durableSocket, memorySocket] = await Promise.all(
    [durable.echo, durable.url, memory.url].map(connect),
  );
  const messages = { durable: new Messages(keccak), memory: new Messages(keccak) };
  const samples: Record<
    'echo' | 'flush' | 'durable' | 'memory' | 'verify' | 'singles' | 'ladders' | 'cpu' | 'echoCpu',
    number[]
  > = {
    echo: [],
    flush: [],
    durable: [],
    memory: [],
    verify: [],
    singles: [],
    ladders: [],
    cpu: [],
    echoCpu: [],
  };
  await flood(durableSocket!, messages.durable.many(2_000, 1), WINDOW_SINGLES);
  await flood(memorySocket!, messages.memory.many(2_000, 1), WINDOW_SINGLES);
  for (let round = 0; round < ROUNDS; round++) {
    const payload = Array.from({ length: PROBES }, () => new Uint8Array(129));
    samples.echo.push(p50(await pingPong(echoSocket!, payload, () => 1)));
    samples.flush.push(p50(flushTimes()));
    samples.durable.push(p50(await pingPong(durableSocket!, messages.durable.many(PROBES, 1), replies)));
    samples.memory.push(p50(await pingPong(memorySocket!, messages.memory.many(PROBES, 1), replies)));

    const digest = keccak(Uint8Array.of(round));
    const signature = signDigest(digest, testKey(1).secret);
    const start = performance.now();
    for (let i = 0; i < 1_000; i++) recover(digest, signature);
    samples.verify.push(performance.now() - start);

    const singles = messages.durable.many(SINGLES, 1);
    samples.singles.push(await flood(durableSocket!, singles, WINDOW_SINGLES));
    const ladders = messages.durable.many(LADDERS, LADDER);
    const before = await cpuOf(durable);
    samples.ladders.push((await flood(durableSocket!, ladders, WINDOW_LADDERS)) * LADDER);
    samples.cpu.push((await cpuOf(durable)) - before);
  }
  for (const socket of [echoSocket!, durableSocket!, memorySocket!]) socket.close();
  await Promise.all([stop(durable), stop(memory)]);

  const echo = median(samples.echo);
  const flush = median(samples.flush);
  const verifyUs = median(samples.verify);
  const verifyRate = 1e6 / verifyUs;
  const order = median(samples.durable);
  const signed = median(samples.memory);
  const singles = median(samples.singles);
  const ladders = median(samples.ladders);
  const perOrder = (median(samples.cpu) - LADDERS * (verifyUs + 1.3)) / (LADDERS * LADDER);
  return [
    {
      name: 'signed order → durable reply p50',
      value: order,
      unit: 'µs',
      baseline: { name: `echo ${echo.toFixed(0)} + fdatasync ${flush.toFixed(0)}`, value: echo + flush },
      ratio: { value: order / (echo + flush), floor: 2.5, stretch: 1.5, higherIsBetter: false },
    },
    {
      name: 'signed order p50 − echo p50',
      value: signed - echo,
      unit: 'µs',
      baseline: { name: 'one verification', value: verifyUs },
      ratio: { value: (signed - echo) / verifyUs, floor: 3, stretch: 2, higherIsBetter: false },
    },
    {
      name: 'single-signed durable orders',
      value: singles,
      unit: 'orders/s',
      baseline: { name: 'verifications/s, one thread', value: verifyRate },
      ratio: { value: singles / verifyRate, floor: 0.8, stretch: 1.2, higherIsBetter: true },
    },
    {
      name: 'durable orders, 20 a signature',
      value: ladders,
      unit: 'orders/s',
      baseline: { name: 'verifications/s, one thread', value: verifyRate },
      ratio: { value: ladders / verifyRate, floor: 6, stretch: 12, higherIsBetter: true },
    },
    {
      name: 'server CPU per order beyond signature and echo',
      value: perOrder,
      unit: 'µs',
      ratio: { value: perOrder, floor: 4, stretch: 2, higherIsBetter: false },
    },
  ];
}
