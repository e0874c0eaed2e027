/**
 * What a verifier tells over HTTP, JSON but for metrics and inputs:
 *
 *   GET /health            200 while the process runs
 *   GET /status            where it stands, and its verdict (verifier.ts)
 *   GET /metrics           counters for Prometheus
 *   GET /withdrawal-proof?owner=0x…&asset=0    proof against the ledger root of a final batch; 404: nothing there
 *   GET /totals            sums over the ledger of that batch, and what each owner has withdrawn
 *   GET /proof?batch=7     proof of a batch, where this verifier makes some
 *   GET /challenges        batches that it has accused, where it challenges
 *   GET /proofs            how its proofs fare on L1, where it sends them
 *   GET /demands           demands for inputs that it has made, where it makes some
 *   GET /inputs/7          inputs of a batch that are not in calldata, as bytes, for other verifiers; 404: not kept here
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Registry } from 'prom-client';
import { fromHex, toHex } from '#protocol/bytes.ts';
import { ASSETS_MAX } from '#protocol/limits.ts';
import type { ChallengerStatus } from './challenger.ts';
import type { DemanderStatus } from './demander.ts';
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

const PATHS =
  '/health, /status, /metrics, /withdrawal-proof, /totals, /proof, /challenges, /proofs, /demands, /inputs/ID';

/** Port 0: any free one. Rejects when it can't listen. */
export async function serveVerifier(
  verifier: Verifier,
  options: {
    readonly host: string;
    readonly port: number;
    readonly metrics: Registry;
    readonly challenges?: () => ChallengerStatus;
    readonly proofs?: () => FinalizerStatus;
    readonly demands?: () => DemanderStatus;
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
    demands,
  }: {
    readonly challenges?: () => ChallengerStatus;
    readonly proofs?: () => FinalizerStatus;
    readonly demands?: () => DemanderStatus;
  },
): Promise<Answer> {
  const url = new URL(request.url ?? '/', 'http://verifier');
  if (request.method !== 'GET')
    return { status: 405, body: { error: `method: expected GET, got ${request.method}` } };
  const inputs = /^\/inputs\/([^/]*)$/.exec(url.pathname);
  if (inputs !== null) return keptInputs(verifier, inputs[1]!);
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
    case '/demands':
      return demands === undefined
        ? { status: 404, body: { error: 'demands: this verifier makes none' } }
        : { status: 200, body: demands() };
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

async function keptInputs(verifier: Verifier, text: string): Promise<Answer> {
  const batch = whole(text, Number.MAX_SAFE_INTEGER);
  if (batch === undefined) return wrong('batch', 'the id of a batch', text);
  const inputs = await verifier.keptInputs(batch);
  return inputs === undefined
    ? { status: 404, body: { error: `inputs of batch ${batch} are not kept here: in calldata, or not seen` } }
    : { status: 200, body: inputs };
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
  if (body instanceof Uint8Array) {
    response.writeHead(status, { 'content-type': 'application/octet-stream' });
    response.end(body);
    return;
  }
  const text = JSON.stringify(body, (_, value: unknown) => (typeof value === 'bigint' ? `${value}` : value));
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(`${text}\n`);
}
