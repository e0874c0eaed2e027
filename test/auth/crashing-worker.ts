/** The verifying worker, but it dies when the first item of a batch is a login of account 0xdead. */
import { parentPort } from 'node:worker_threads';

const isPoison = (request: ArrayBuffer): boolean => {
  const view = new DataView(request);
  return view.byteLength > 16 && view.getUint8(8) === 3 && view.getUint32(12, true) === 0xdead;
};

const port = parentPort!;
const on = port.on.bind(port);
port.on = ((event: 'message', listener: (request: ArrayBuffer) => void) =>
  on(event, (request: ArrayBuffer) => {
    if (isPoison(request)) process.exit(7);
    listener(request);
  })) as typeof port.on;
await import('#auth/verify-worker.ts');
