/** A WebSocket between a client and a gateway that loses frames at will: what a network or a bug could do. */
import { WebSocket, WebSocketServer } from 'ws';
import { concat, viewOf } from '#protocol/bytes.ts';
import { frameBytes, frameType } from '#protocol/wire.ts';

export interface LossyProxy {
  readonly url: string;
  /** Frames from the server for which this is true are lost. */
  lose: (type: number) => boolean;
  readonly lost: () => number;
  close(): Promise<void>;
}

export async function openLossyProxy(target: string): Promise<LossyProxy> {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  await new Promise((resolve) => server.once('listening', resolve));
  let lost = 0;
  const proxy: LossyProxy = {
    url: `ws://127.0.0.1:${(server.address() as { port: number }).port}/ws`,
    lose: () => false,
    lost: () => lost,
    close: () =>
      new Promise((resolve) => {
        for (const socket of server.clients) socket.terminate();
        server.close(() => resolve());
      }),
  };
  server.on('connection', (client) => {
    const gateway = new WebSocket(target);
    const waiting: Buffer[] = [];
    client.on('message', (data: Buffer) => {
      if (gateway.readyState === WebSocket.OPEN) gateway.send(data);
      else waiting.push(data);
    });
    gateway.on('open', () => {
      for (const data of waiting.splice(0)) gateway.send(data);
    });
    gateway.on('message', (data: Buffer) => {
      const kept: Uint8Array[] = [];
      const view = viewOf(data);
      for (let at = 0; at < data.length; at += frameBytes(view, at)) {
        const frame = data.subarray(at, at + frameBytes(view, at));
        if (proxy.lose(frameType(view, at))) lost++;
        else kept.push(frame);
      }
      if (kept.length > 0) client.send(concat(...kept));
    });
    gateway.on('close', () => client.terminate());
    client.on('close', () => gateway.terminate());
    gateway.on('error', () => {});
    client.on('error', () => {});
  });
  return proxy;
}
