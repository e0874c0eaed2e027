/** HTTP beside the WebSocket: health, readiness, status, metrics, signed batches for any submitter, their inputs for any verifier. */

import type { HttpRequest, HttpResponse, TemplatedApp } from 'uWebSockets.js';
import type { Registry } from 'prom-client';
import type { BatchStore } from '#pipeline/ports.ts';
import { encodeHeader, encodeTrace, type SignedBatch } from '#protocol/batch.ts';
import { pack } from './msgpack.ts';

export interface HttpOptions {
  readonly batches: BatchStore;
  readonly registry: Registry;
  /** What /status shows; plain JSON. */
  readonly status: () => Readonly<Record<string, unknown>>;
  /** Undefined when orders are taken; otherwise a sentence that says what is waited for. */
  readonly notReady: () => string | undefined;
}

interface Answer {
  readonly status:
    | '200 OK'
    | '400 Bad Request'
    | '404 Not Found'
    | '500 Internal Server Error'
    | '503 Service Unavailable';
  readonly type: string;
  readonly body: string | Uint8Array;
}

const JSON_TYPE = 'application/json';
const json = (status: Answer['status'], value: unknown): Answer => ({
  status,
  type: JSON_TYPE,
  body: JSON.stringify(value),
});

/**
 * A signed batch as /batches serves it: a msgpack map of byte strings, in the layouts of protocol/batch.ts
 * (header 510 bytes, hash 32, signature 65, trace 92 a segment, withdrawn, diff, inputs).
 */
export function packBatch(batch: SignedBatch): Uint8Array {
  return pack({
    header: encodeHeader(batch.header),
    hash: batch.hash,
    signature: batch.signature,
    trace: encodeTrace(batch.trace),
    withdrawn: batch.withdrawn,
    diff: batch.diff,
    inputs: batch.inputs,
  });
}

export function addHttpRoutes(app: TemplatedApp, options: HttpOptions): void {
  const { batches, registry, status, notReady } = options;
  app.get('/health', (res) => send(res, json('200 OK', { ok: true })));
  app.get('/ready', (res) => {
    const waitingFor = notReady();
    send(
      res,
      waitingFor === undefined
        ? json('200 OK', { ready: true })
        : json('503 Service Unavailable', { ready: false, waitingFor }),
    );
  });
  app.get('/status', (res) => send(res, json('200 OK', status())));
  app.get('/metrics', (res) =>
    later(res, async () => ({
      status: '200 OK',
      type: registry.contentType,
      body: await registry.metrics(),
    })),
  );
  app.get('/batches/:id', (res, req) => {
    const id = batchIdOf(req);
    later(res, async () => {
      if (id === undefined)
        return json('400 Bad Request', { error: 'batch: expected a number from 0, or head' });
      const batch = id === 'head' ? await batches.latest() : await batches.get(id);
      if (batch === undefined)
        return json('404 Not Found', { error: `batch ${id}: expected one that was signed` });
      return { status: '200 OK', type: 'application/msgpack', body: packBatch(batch) };
    });
  });
  app.get('/inputs/:id', (res, req) => {
    const id = batchIdOf(req);
    later(res, async () => {
      if (typeof id !== 'number')
        return json('400 Bad Request', { error: 'inputs: expected the number of a batch' });
      const batch = await batches.get(id);
      if (batch === undefined)
        return json('404 Not Found', { error: `batch ${id}: expected one that was signed` });
      return { status: '200 OK', type: 'application/octet-stream', body: batch.inputs };
    });
  });
  app.any('/*', (res, req) => {
    const error = `${req.getCaseSensitiveMethod()} ${req.getUrl()}: expected GET of /health, /ready, /status, /metrics, /batches/ID or /inputs/ID, or a WebSocket on /ws`;
    send(res, json('404 Not Found', { error }));
  });
}

function batchIdOf(req: HttpRequest): number | 'head' | undefined {
  const text = req.getParameter(0);
  if (text === 'head') return 'head';
  const id = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  return Number.isSafeInteger(id) ? id : undefined;
}

function send(res: HttpResponse, answer: Answer): void {
  res.writeStatus(answer.status).writeHeader('content-type', answer.type).end(answer.body);
}

/** Answers when the promise settles, unless the client has gone by then. */
function later(res: HttpResponse, make: () => Promise<Answer>): void {
  let aborted = false;
  res.onAborted(() => {
    aborted = true;
  });
  const answer = make().catch((error: unknown) =>
    json('500 Internal Server Error', { error: error instanceof Error ? error.message : String(error) }),
  );
  void answer.then((value) => {
    if (!aborted) res.cork(() => send(res, value));
  });
}
