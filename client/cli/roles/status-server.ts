/** Health and status of a program over HTTP on this machine: GET /health answers 200, GET /status plain JSON. */
import { createServer } from 'node:http';
import { jsonValue, UsageError } from '../failure.ts';

export interface StatusServer {
  readonly url: string;
  close(): Promise<void>;
}

/** `port` 0: any free one. Throws a UsageError when the port is taken. */
export async function startStatusServer(
  port: number,
  status: () => Promise<unknown> | unknown,
): Promise<StatusServer> {
  const server = createServer((request, response) => {
    const answer = async (): Promise<unknown> => {
      if (request.url === '/health') return { ok: true };
      return request.url === '/status' ? status() : undefined;
    };
    answer().then(
      (value) => {
        response.writeHead(value === undefined ? 404 : 200, { 'content-type': 'application/json' });
        response.end(`${JSON.stringify(value ?? { error: 'expected /health or /status' }, jsonValue)}\n`);
      },
      (error: Error) => {
        response.writeHead(503, { 'content-type': 'application/json' });
        response.end(`${JSON.stringify({ error: error.message })}\n`);
      },
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) =>
      reject(
        new UsageError(
          `--port: expected a free port on 127.0.0.1, got ${port} (${cause.code}); 0 takes any free one`,
          {
            cause,
          },
        ),
      ),
    );
    server.listen(port, '127.0.0.1', resolve);
  });
  const address = server.address();
  return {
    url: `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
