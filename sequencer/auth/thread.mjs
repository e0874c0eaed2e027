// Entry of a worker thread whose program is TypeScript: on Node 20 threads do not inherit the loader of their parent.
import { workerData } from 'node:worker_threads';
import { register } from 'tsx/esm/api';

register();
await import(workerData.program);
