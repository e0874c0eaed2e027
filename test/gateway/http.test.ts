import { unpack } from 'msgpackr';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import {
  type BatchHeader,
  decodeHeader,
  decodeTrace,
  HEADER_FIELDS,
  type SignedBatch,
} from '#protocol/batch.ts';
import { endWorkers, openVenue, type Venue } from './venue.ts';

let venue: Venue;
let waitingFor: string | undefined;
afterEach(() => venue.close());
afterAll(endWorkers);

const header = Object.fromEntries(
  HEADER_FIELDS.map(([name, width], i) => [name, width === 32 ? new Uint8Array(32).fill(i) : i + 1]),
) as unknown as BatchHeader;
const batch: SignedBatch = {
  header: { ...header, id: 12 },
  hash: new Uint8Array(32).fill(9),
  signature: new Uint8Array(65).fill(8),
  trace: [
    {
      nextStep: 4,
      nextSeq: 5,
      inputEnd: 6,
      weight: 7,
      inputHash: new Uint8Array(32).fill(1),
      stateRoot: new Uint8Array(32).fill(2),
    },
  ],
  withdrawn: new Uint8Array(18).fill(3),
  diff: new Uint8Array(500_000).fill(4),
  inputs: new Uint8Array(1_000).fill(5),
};

const get = async (path: string): Promise<{ status: number; body: Buffer; type: string | null }> => {
  const answer = await fetch(venue.http + path);
  return {
    status: answer.status,
    body: Buffer.from(await answer.arrayBuffer()),
    type: answer.headers.get('content-type'),
  };
};

test('health, readiness, status, metrics, unknown paths', async () => {
  venue = await openVenue({ notReady: () => waitingFor });
  expect(await get('/health')).toMatchObject({ status: 200, type: 'application/json' });
  expect((await get('/ready')).status).toBe(200);
  waitingFor = 'recovery: 3 of 9 segments replayed';
  const notReady = await get('/ready');
  expect([notReady.status, JSON.parse(notReady.body.toString())]).toEqual([
    503,
    { ready: false, waitingFor },
  ]);
  expect(JSON.parse((await get('/status')).body.toString())).toEqual({ seq: venue.pipeline.durableSeq });
  const client = await venue.connect();
  const metrics = await get('/metrics');
  expect(metrics.type).toContain('text/plain');
  expect(metrics.body.toString()).toMatch(/^sluice_gateway_connections 1$/m);
  expect(metrics.body.toString()).toMatch(/^sluice_gateway_sent_bytes_total \d+$/m);
  await client.close();
  const unknown = await get('/nothing');
  expect([unknown.status, unknown.body.toString()]).toEqual([
    404,
    expect.stringContaining('expected GET of /health'),
  ]);
});

describe('batches', () => {
  test.each(['/batches/12', '/batches/head'])('%s is the whole signed batch', async (path) => {
    venue = await openVenue({ batch });
    const { status, type, body } = await get(path);
    expect([status, type]).toEqual([200, 'application/msgpack']);
    const served = unpack(body) as Record<string, Uint8Array>;
    expect(decodeHeader(new Uint8Array(served.header!))).toEqual(batch.header);
    expect(decodeTrace(new Uint8Array(served.trace!))).toEqual(batch.trace);
    for (const field of ['hash', 'signature', 'withdrawn', 'diff', 'inputs'] as const)
      expect(Buffer.compare(served[field]!, batch[field])).toBe(0);
  });

  test('/inputs/12 is its inputs alone, for verifiers', async () => {
    venue = await openVenue({ batch });
    const { status, type, body } = await get('/inputs/12');
    expect([status, type]).toEqual([200, 'application/octet-stream']);
    expect(Buffer.compare(body, batch.inputs)).toBe(0);
  });

  test('what is not there is 404, what is no number is 400', async () => {
    venue = await openVenue();
    expect((await get('/inputs/3')).status).toBe(404);
    for (const path of ['/inputs/x', '/inputs/head']) expect((await get(path)).status).toBe(400);
    expect((await get('/batches/3')).status).toBe(404);
    expect((await get('/batches/head')).status).toBe(404);
    for (const path of ['/batches/x', '/batches/-1', '/batches/1e3', '/batches/99999999999999999'])
      expect((await get(path)).status).toBe(400);
  });
});
