/** The gateway: builds its rooms on one uWebSockets.js server, starts and stops them. */

import type { us_listen_socket, WebSocket } from 'uWebSockets.js';
import type { Registry } from 'prom-client';
import type { Authenticator } from '#auth/authenticator.ts';
import type { BatchStore, Clock, FeedSource, Intake, QuerySource } from '#pipeline/ports.ts';
import { toHex } from '#protocol/bytes.ts';
import { Reject, type RejectCode } from '#protocol/reject.ts';
import type { Reverted } from '#protocol/reverted.ts';
import type { Domain } from '#protocol/signing.ts';
import type { Quotas } from '#protocol/wire.ts';
import type { Connection } from './connection.ts';
import { addHttpRoutes } from './http.ts';
import { AccountRates, addressKey, CONNECTIONS_MAX, DEFAULT_QUOTAS } from './limits.ts';
import { MarketData } from './market-data.ts';
import { GatewayMetrics } from './metrics.ts';
import { OrderEntry } from './order-entry.ts';
import { QueryDesk } from './query-desk.ts';
import { Reception } from './reception.ts';
import { loadUws } from './uws.ts';

export interface GatewayOptions {
  /** Address to listen on, 127.0.0.1 or 0.0.0.0. */
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** What clients sign under; told in HELLO. */
  readonly domain: Domain;
  /** What strikes have made void; told in HELLO. */
  readonly reverted?: readonly Reverted[];
  readonly authenticator: Authenticator;
  /** Threads of the authenticator. */
  readonly workers: number;
  readonly intake: Intake;
  readonly feed: FeedSource;
  readonly queries: QuerySource;
  readonly batches: BatchStore;
  readonly clock: Clock;
  readonly registry: Registry;
  readonly quotas?: Partial<Quotas>;
  /** How often idle connections are looked for; default 5 s. */
  readonly sweepMs?: number;
  /** What /status shows; plain JSON. */
  readonly status: () => Readonly<Record<string, unknown>>;
  /** Undefined when orders are taken; otherwise a sentence that says what is waited for. */
  readonly notReady: () => string | undefined;
}

export interface Gateway {
  readonly port: number;
  readonly connections: number;
  /**
   * First step of a shutdown: new frames are answered `code`, default SHUTTING_DOWN; resolves when none is with the
   * workers.
   */
  stopEntry(code?: RejectCode): Promise<void>;
  /** Says goodbye to every client and frees the port. Replies to come should have been given before. */
  close(): Promise<void>;
}

interface UserData {
  connection?: Connection;
}

const SWEEP_MS = 5_000;
/** Time for the last bytes to leave before sockets are torn down: more when somebody reads slowly. */
const LINGER_MS = 20;
const LINGER_SLOW_MS = 500;
const STOP_POLL_MS = 5;
/** uWebSockets.js takes 8 … 960 s. */
const IDLE_SECONDS_MIN = 8;
const IDLE_SECONDS_MAX = 960;
/** The library's own bound, behind the gateway's: a last packet and the goodbye still fit. */
const BACKSTOP_BYTES = 1_048_576;

/** LIBUS_LISTEN_EXCLUSIVE_PORT of uSockets, which the typings do not name. */
const EXCLUSIVE_PORT = 1;

/** Resolves when it listens; rejects with one sentence when the binary does not load or the port is taken. */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const uws = await loadUws();
  const quotas: Quotas = { ...DEFAULT_QUOTAS, ...options.quotas };
  const metrics = new GatewayMetrics(options.registry);
  const accountRates = new AccountRates(quotas);
  const { intake, feed, clock, domain } = options;
  const marketData = new MarketData({ feed, intake, quotas, metrics });
  const orderEntry = new OrderEntry({
    authenticator: options.authenticator,
    workers: options.workers,
    intake,
    feed,
    clock,
    quotas,
    accountRates,
    metrics,
  });
  const reception = new Reception({
    intake,
    clock,
    quotas,
    metrics,
    accountRates,
    orderEntry,
    marketData,
    queryDesk: new QueryDesk(options.queries, intake),
    chainId: domain.chainId,
    rollup: toHex(domain.verifyingContract),
    reverted: options.reverted,
  });

  const app = uws.App();
  app.ws<UserData>('/ws', {
    compression: uws.DISABLED,
    maxPayloadLength: quotas.packetBytesMax,
    idleTimeout: Math.min(IDLE_SECONDS_MAX, Math.max(IDLE_SECONDS_MIN, quotas.idleTimeoutSeconds)),
    sendPingsAutomatically: true,
    maxBackpressure: quotas.backpressureBytesMax + BACKSTOP_BYTES,
    closeOnBackpressureLimit: 1,
    upgrade: (res, req, context) => {
      if (reception.connections.size >= CONNECTIONS_MAX) {
        res.writeStatus('503 Service Unavailable').end(`expected at most ${CONNECTIONS_MAX} connections`);
        return;
      }
      const [key, protocol, extensions] = ['key', 'protocol', 'extensions'].map((name) =>
        req.getHeader(`sec-websocket-${name}`),
      );
      res.upgrade<UserData>({}, key!, protocol!, extensions!, context);
    },
    open: (ws) => {
      const data = ws.getUserData();
      const connection = reception.open(ws, addressKey(new Uint8Array(ws.getRemoteAddress())));
      data.connection = connection;
      // One that was turned away was closed before the close handler could know it.
      if (connection.closed) reception.close(connection);
    },
    message: (ws, message, isBinary) => {
      const connection = connectionOf(ws);
      if (connection === undefined) return;
      if (isBinary) reception.receive(connection, new Uint8Array(message));
      else reception.refuseText(connection);
    },
    drain: (ws) => {
      const connection = connectionOf(ws);
      if (connection !== undefined) reception.drained(connection);
    },
    close: (ws) => {
      const connection = connectionOf(ws);
      if (connection !== undefined) reception.close(connection);
    },
  });
  addHttpRoutes(app, options);

  const listening = await listen(options);
  const sweeping = setInterval(() => reception.sweep(), options.sweepMs ?? SWEEP_MS);
  sweeping.unref();
  let isClosed = false;
  let stoppedBy: RejectCode = Reject.SHUTTING_DOWN;

  function listen({ host, port }: { host: string; port: number }): Promise<us_listen_socket> {
    return new Promise((resolve, reject) => {
      // With the exclusive option a second listener on the port is refused instead of sharing it.
      const listenExclusively = app.listen.bind(app) as unknown as (
        host: string,
        port: number,
        options: number,
        done: (socket: us_listen_socket | false) => void,
      ) => void;
      listenExclusively(host, port, EXCLUSIVE_PORT, (socket) => {
        if (socket) resolve(socket);
        else
          reject(
            new Error(
              `gateway: expected ${host}:${port} to be free to listen on, got a refusal; choose another port with --port`,
            ),
          );
      });
    });
  }

  return {
    port: uws.us_socket_local_port(listening),
    get connections() {
      return reception.connections.size;
    },
    async stopEntry(code = Reject.SHUTTING_DOWN) {
      stoppedBy = code;
      orderEntry.stop(code);
      while (!orderEntry.isIdle) await new Promise((resolve) => setTimeout(resolve, STOP_POLL_MS));
    },
    async close() {
      // The native listen socket must not be closed twice.
      if (isClosed) return;
      isClosed = true;
      clearInterval(sweeping);
      uws.us_listen_socket_close(listening);
      const hasSlow = [...reception.connections].some((connection) => connection.backpressured);
      const lingerMs = hasSlow ? LINGER_SLOW_MS : LINGER_MS;
      reception.goodbyeAll(stoppedBy);
      await new Promise((resolve) => setTimeout(resolve, lingerMs));
      app.close();
    },
  };
}

const connectionOf = (ws: WebSocket<UserData>): Connection | undefined => ws.getUserData().connection;
