/** Child process of the gateway benchmark: a venue with a journal on disk or in memory, and a raw echo beside it. */

import type { us_listen_socket } from 'uWebSockets.js';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadUws } from '#gateway/uws.ts';
import { NodeDisk } from '#journal/node-disk.ts';
import { createJournal, SegmentJournal } from '#journal/segment-journal.ts';
import { endWorkers, openVenue } from '../gateway/venue.ts';

const durable = process.argv[2] === 'durable';
const directory = mkdtempSync(join(tmpdir(), 'sluice-bench-'));
const disk = new NodeDisk();
const million = 1_000_000;
const quotas = {
  framesPerSecond: million,
  framesBurst: million,
  bytesPerSecond: 1_000 * million,
  operationsPerSecondPerAccount: 10 * million,
  operationsBurstPerAccount: 10 * million,
  inboxFrames: 32_768,
};
let journal: SegmentJournal | undefined;
if (durable) {
  await createJournal({ disk, directory });
  journal = await SegmentJournal.open({ disk, directory });
}
const venue = await openVenue({
  quotas,
  liveFeed: true,
  deposit: 1_000_000_000 * million,
  ...(journal === undefined ? {} : { journal }),
});

const uws = await loadUws();
let listening: us_listen_socket | false = false;
uws
  .App()
  .ws('/*', { message: (socket, message, isBinary) => void socket.send(message, isBinary) })
  .listen('127.0.0.1', 0, (token) => {
    listening = token;
  });
const echo = uws.us_socket_local_port(listening as unknown as us_listen_socket);

// The benchmark is gone: nothing is left to measure.
process.on('disconnect', () => process.exit(1));
process.on('message', (question) => {
  if (question === 'cpu') process.send!(process.cpuUsage());
  if (question === 'end')
    void (async () => {
      await venue.close();
      await endWorkers();
      if (listening !== false) uws.us_listen_socket_close(listening);
      await journal?.close();
      rmSync(directory, { recursive: true, force: true });
      process.exit(0);
    })();
});
process.send!({ url: venue.url, echo: `ws://127.0.0.1:${echo}` });
