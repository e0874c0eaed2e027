/**
 * What a verifier tells over HTTP, JSON but for metrics:
 *
 *   GET /health            200 while the process runs
 *   GET /status            where it stands, and its verdict (verifier.ts)
 *   GET /metrics           counters for Prometheus
 *   GET /withdrawal-proof?owner=0x…&asset=0    proof against the ledger root of a final batch; 404: nothing there
 *   GET /totals            sums over the ledger of that batch, and what each owner has withdrawn
 *   GET /proof?batch=7     proof of a batch, where this verifier makes some
 *   GET /challenges        batches that it has accused, where it challenges
 *   GET /proofs            how its proofs fare on L1, where it sends them
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Registry } from 'prom-client';
import { fromHex, toHex } from '#protocol/bytes.ts';
import { ASSETS_MAX } from '#protocol/limits.ts';
import type { ChallengerStatus } from './challenger.ts';
import type { FinalizerStatus } from './finalizer.ts';
import type { Verifier } from './verifier.ts';

export interface VerifierServer {
  readonly url: string;
  close(): Promise<void>;
}

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

const PATHS = '/health, /status, /metrics, /withdrawal-proof, /totals, /proof, /challenges, /proofs';

/** Port 0: any free one. Rejects when it can't listen. */
export async function serveVerifier(
  verifier: Verifier,
  options: {
    readonly host: string;
    readonly port: number;
    readonly metrics: Registry;
    readonly challenges?: () => ChallengerStatus;
    readonly proofs?: () => FinalizerStatus;
  },
): Promise<VerifierServer> {
  const server = createServer((request, response) => {
    answerTo(verifier, request, options)
      .catch((error: unknown) => ({ status: 503, body: { error: (error as Error).message } }))
      .then((answer) => send(response, answer, options.metrics))
      .catch(() => response.destroy());
  });
  await listen(server, options);
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : options.port;
  return {
    url: `http://${options.host}:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

const listen = (server: Server, { host, port }: { host: string; port: number }): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) =>
      reject(
        new Error(`port: expected a free one on ${host}, got ${port} (${cause.code}); 0 takes any`, {
          cause,
        }),
      ),
    );
    server.listen(port, host, resolve);
  });

async function answerTo(
  verifier: Verifier,
  request: IncomingMessage,
  {
    challenges,
    proofs,
  }: { readonly challenges?: () => ChallengerStatus; readonly proofs?: () => FinalizerStatus },
): Promise<Answer> {
  const url = new URL(request.url ?? '/', 'http://verifier');
  if (request.method !== 'GET')
    return { status: 405, body: { error: `method: expected GET, got ${request.method}` } };
  switch (url.pathname) {
    case '/health':
      return { status: 200, body: { ok: true } };
    case '/status':
      return { status: 200, body: verifier.status() };
    case '/metrics':
      return { status: 200, body: undefined };
    case '/totals':
      return { status: 200, body: await verifier.ledger.totals() };
    case '/withdrawal-proof':
      return withdrawalProof(verifier, url.searchParams);
    case '/proof':
      return batchProof(verifier, url.searchParams);
    case '/challenges':
      return challenges === undefined
        ? { status: 404, body: { error: 'this verifier does not challenge (--challenge)' } }
        : { status: 200, body: challenges() };
    case '/proofs':
      return proofs === undefined
        ? { status: 404, body: { error: 'this verifier sends no proofs (--finalize)' } }
        : { status: 200, body: proofs() };
    default:
      return { status: 404, body: { error: `path: expected ${PATHS}, got ${url.pathname}` } };
  }
}

async function withdrawalProof(verifier: Verifier, parameters: URLSearchParams): Promise<Answer> {
  const owner = parameters.get('owner') ?? '';
  if (!/^0x[0-9a-fA-F]{40}$/.test(owner)) return wrong('owner', '0x and 40 hexadecimal digits', owner);
  const asset = whole(parameters.get('asset') ?? '0', ASSETS_MAX - 1);
  if (asset === undefined) return wrong('asset', `0 to ${ASSETS_MAX - 1}`, parameters.get('asset'));
  const proof = await verifier.ledger.proof(fromHex(owner), asset);
  return proof === null
    ? { status: 404, body: { error: `${owner} has withdrawn nothing of asset ${asset} in a final batch` } }
    : { status: 200, body: { owner, asset, ...proof } };
}

async function batchProof(verifier: Verifier, parameters: URLSearchParams): Promise<Answer> {
  const batch = whole(parameters.get('batch') ?? '', Number.MAX_SAFE_INTEGER);
  if (batch === undefined) return wrong('batch', 'the id of a batch', parameters.get('batch'));
  const proof = await verifier.proof(batch);
  return proof === undefined
    ? { status: 404, body: { error: `no proof of batch ${batch} here` } }
    : { status: 200, body: { batch, publicInputs: toHex(proof.publicInputs), proof: toHex(proof.bytes) } };
}

const whole = (text: string, most: number): number | undefined =>
  /^\d{1,16}$/.test(text) && Number(text) <= most ? Number(text) : undefined;

const wrong = (field: string, expected: string, got: string | null): Answer => ({
  status: 400,
  body: { error: `${field}: expected ${expected}, got ${JSON.stringify(got)}` },
});

async function send(response: ServerResponse, { status, body }: Answer, metrics: Registry): Promise<void> {
  if (body === undefined) {
    const text = await metrics.metrics();
    response.writeHead(status, { 'content-type': metrics.contentType });
    response.end(text);
    return;
  }
  const text = JSON.stringify(body, (_, value: unknown) => (typeof value === 'bigint' ? `${value}` : value));
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(`${text}\n`);
}
